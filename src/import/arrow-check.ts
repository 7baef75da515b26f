/**
 * Checks the metadata of Arrow IPC messages (flatbuffers of Message.fbs and Schema.fbs) before a library reads them: every
 * vector and table lies inside the message, and what it announces fits the bytes that are there.
 */

/** Most rows of one record batch. */
export const ARROW_BATCH_ROW_LIMIT = 1 << 24;
/** Most fields, at all levels together, of a schema. */
const FIELD_LIMIT = 50_000;
const DEPTH_LIMIT = 64;

/** Kinds of messages. */
export const MESSAGE_HEADER = { schema: 1, dictionaryBatch: 2, recordBatch: 3 } as const;

export interface MessageFacts {
	/** one of {@link MESSAGE_HEADER}, or a kind that is passed over */
	readonly header: number;
	/** bytes */
	readonly bodyLength: bigint;
	readonly dictionary: { readonly id: bigint; readonly isDelta: boolean } | undefined;
}

/** What a message is. @throws `RangeError` saying what is wrong with it */
export function checkMessage(metadata: Uint8Array): MessageFacts {
	const reader = new Flatbuffer(metadata);
	const message = reader.root();
	const header = reader.u8(message, 1);
	const bodyLength = reader.i64(message, 3);
	reader.keyValues(message, 4);
	let dictionary: MessageFacts['dictionary'];
	if (bodyLength < 0n) throw new RangeError(`a body of ${bodyLength} bytes`);
	const body = reader.table(message, 2);
	if (header === MESSAGE_HEADER.schema) {
		if (body === 0) throw new RangeError('an empty schema');
		reader.fields(body, 1, 0);
		reader.keyValues(body, 2);
	} else if (header === MESSAGE_HEADER.recordBatch) reader.recordBatch(body, bodyLength);
	else if (header === MESSAGE_HEADER.dictionaryBatch) {
		if (body === 0) throw new RangeError('an empty dictionary batch');
		dictionary = { id: reader.i64(body, 0), isDelta: reader.u8(body, 2) === 1 };
		reader.recordBatch(reader.table(body, 1), bodyLength);
	}
	return { header, bodyLength, dictionary };
}

class Flatbuffer {
	readonly #view: DataView;
	#fields = 0;

	constructor(bytes: Uint8Array) {
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	root(): number {
		return this.#view.getUint32(0, true);
	}

	/** The position of a field of a table; 0 where it has its default. */
	#at(table: number, index: number): number {
		if (table === 0) return 0;
		const vtable = table - this.#view.getInt32(table, true);
		const slot = 4 + 2 * index;
		if (slot + 2 > this.#view.getUint16(vtable, true)) return 0;
		const offset = this.#view.getUint16(vtable + slot, true);
		return offset === 0 ? 0 : table + offset;
	}

	u8(table: number, index: number): number {
		const at = this.#at(table, index);
		return at === 0 ? 0 : this.#view.getUint8(at);
	}

	i64(table: number, index: number): bigint {
		const at = this.#at(table, index);
		return at === 0 ? 0n : this.#view.getBigInt64(at, true);
	}

	/** The position of a child table; 0 where there is none. */
	table(table: number, index: number): number {
		const at = this.#at(table, index);
		if (at === 0) return 0;
		const child = at + this.#view.getUint32(at, true);
		this.#view.getInt32(child, true);
		return child;
	}

	/** The position of the first element of a vector and the number of elements, all of which are there. */
	#vector(table: number, index: number, elementBytes: number): { start: number; count: number } {
		const at = this.#at(table, index);
		if (at === 0) return { start: 0, count: 0 };
		const vector = at + this.#view.getUint32(at, true);
		const count = this.#view.getUint32(vector, true);
		if (vector + 4 + count * elementBytes > this.#view.byteLength)
			throw new RangeError(`a list of ${count} elements in ${this.#view.byteLength} bytes`);
		return { start: vector + 4, count };
	}

	/** The tables of a vector of tables. */
	*#tables(table: number, index: number): Generator<number> {
		const { start, count } = this.#vector(table, index, 4);
		for (let at = start; at < start + 4 * count; at += 4) yield at + this.#view.getUint32(at, true);
	}

	keyValues(table: number, index: number): void {
		for (const pair of this.#tables(table, index)) {
			this.#vector(pair, 0, 1);
			this.#vector(pair, 1, 1);
		}
	}

	fields(table: number, index: number, depth: number): void {
		if (depth > DEPTH_LIMIT) throw new RangeError(`types nested deeper than ${DEPTH_LIMIT} levels`);
		for (const field of this.#tables(table, index)) {
			if (++this.#fields > FIELD_LIMIT) throw new RangeError(`more than ${FIELD_LIMIT} fields`);
			this.#vector(field, 0, 1);
			const type = this.table(field, 3);
			const kind = this.u8(field, 2);
			if (kind === TIMESTAMP) this.#vector(type, 1, 1);
			if (kind === UNION) this.#vector(type, 1, 4);
			this.table(this.table(field, 4), 1);
			this.fields(field, 5, depth + 1);
			this.keyValues(field, 6);
		}
	}

	recordBatch(batch: number, bodyLength: bigint): void {
		if (batch === 0) throw new RangeError('an empty record batch');
		checkRows(this.i64(batch, 0));
		const nodes = this.#vector(batch, 1, 16);
		for (let at = nodes.start; at < nodes.start + 16 * nodes.count; at += 16) {
			checkElements(this.#view.getBigInt64(at, true));
			checkElements(this.#view.getBigInt64(at + 8, true));
		}
		const buffers = this.#vector(batch, 2, 16);
		for (let at = buffers.start; at < buffers.start + 16 * buffers.count; at += 16) {
			const offset = this.#view.getBigInt64(at, true);
			const length = this.#view.getBigInt64(at + 8, true);
			if (offset < 0n || length < 0n || offset + length > bodyLength)
				throw new RangeError(`a buffer of ${length} bytes at ${offset} in a body of ${bodyLength}`);
		}
		this.table(batch, 3);
		const variadic = this.#vector(batch, 4, 8);
		for (let at = variadic.start; at < variadic.start + 8 * variadic.count; at += 8) {
			const count = this.#view.getBigInt64(at, true);
			if (count < 0n || count > BigInt(buffers.count)) throw new RangeError(`${count} data buffers of a view`);
		}
	}
}

/** Of Type in Schema.fbs. */
const TIMESTAMP = 10;
const UNION = 14;

function checkRows(count: bigint): void {
	if (count < 0n || count > BigInt(ARROW_BATCH_ROW_LIMIT))
		throw new RangeError(`a record batch of ${count} rows; at most ${ARROW_BATCH_ROW_LIMIT} are taken`);
}

/** Elements of nested lists may be more than the rows. */
const ELEMENT_LIMIT = 1n << 28n;

function checkElements(count: bigint): void {
	if (count < 0n || count > ELEMENT_LIMIT) throw new RangeError(`an array of ${count} elements`);
}
