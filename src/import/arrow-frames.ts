/** Cuts an Arrow IPC stream or file into its messages (Arrow columnar format: Encapsulated message format). */
import { ARROW_CONTINUATION, ARROW_MESSAGE, arrowDictionaryOf, readArrowMessage } from '../column/arrow-ipc-message.ts';
import { IcebergError } from '../errors/iceberg-error.ts';

/** Largest message, a record batch with its buffers, that is taken. */
export const ARROW_MESSAGE_LIMIT_BYTES = 1024 * 1024 * 1024;
/** Most rows of one record batch, and most entries of a dictionary's. */
export const ARROW_BATCH_ROW_LIMIT = 1 << 24;
/** Bytes of all dictionaries together. */
export const ARROW_DICTIONARIES_LIMIT_BYTES = 1024 * 1024 * 1024;

const FILE_MAGIC = 'ARROW1\0\0';

interface MessageFacts {
	/** one of {@link ARROW_MESSAGE}, or a kind that is passed over */
	readonly kind: number;
	readonly dictionary: { readonly id: number; readonly isDelta: boolean } | undefined;
}

interface Message extends MessageFacts {
	/** the message with its prefix and body, to be handed on as it is */
	readonly bytes: Uint8Array;
}

/** Bytes taken in order from pieces of any size. */
class ByteQueue {
	readonly #pieces: AsyncIterator<Uint8Array>;
	#piece: Uint8Array = new Uint8Array(0);

	constructor(pieces: AsyncIterable<Uint8Array>) {
		this.#pieces = pieces[Symbol.asyncIterator]();
	}

	/** Exactly `count` bytes, fewer only at the end. A view where one piece has them all. */
	async take(count: number): Promise<Uint8Array> {
		if (this.#piece.length >= count) {
			const taken = this.#piece.subarray(0, count);
			this.#piece = this.#piece.subarray(count);
			return taken;
		}
		const parts: Uint8Array[] = [];
		let missing = count;
		while (missing > 0) {
			if (this.#piece.length === 0) {
				const next = await this.#pieces.next();
				if (next.done === true) break;
				this.#piece = next.value;
				continue;
			}
			const part = this.#piece.subarray(0, missing);
			parts.push(part.slice());
			missing -= part.length;
			this.#piece = this.#piece.subarray(part.length);
		}
		return Buffer.concat(parts);
	}

	async close(): Promise<void> {
		await this.#pieces.return?.();
	}
}

/**
 * The record batches of a stream or file, each as a small IPC stream of its own: the schema, the dictionaries known by
 * then, the batch. The first item has no batch: it tells the schema.
 *
 * @throws `CORRUPT` for bytes that are no Arrow IPC or end early, `LIMIT_EXCEEDED`
 */
export async function* arrowFrames(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
	const queue = new ByteQueue(pieces);
	try {
		let schema: Uint8Array | undefined;
		const dictionaries = new Dictionaries(name);
		for await (const message of messages(queue, name)) {
			if (message.kind === ARROW_MESSAGE.schema) {
				if (schema !== undefined) throw corrupt(name, 'a second schema');
				schema = message.bytes;
				yield Buffer.concat([schema, END_OF_STREAM]);
				continue;
			}
			if (schema === undefined) throw corrupt(name, 'a message before the schema');
			if (message.kind === ARROW_MESSAGE.dictionaryBatch) dictionaries.add(message);
			else if (message.kind === ARROW_MESSAGE.recordBatch)
				yield Buffer.concat([schema, ...dictionaries.all(), message.bytes, END_OF_STREAM]);
		}
		if (schema === undefined) throw corrupt(name, 'no schema');
	} finally {
		await queue.close();
	}
}

const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** The dictionaries that later batches refer to. */
class Dictionaries {
	readonly #byId = new Map<number, Uint8Array[]>();
	readonly #name: string;
	#bytes = 0;

	constructor(name: string) {
		this.#name = name;
	}

	add({ bytes, dictionary }: Message): void {
		if (dictionary === undefined) return;
		const before = this.#byId.get(dictionary.id) ?? [];
		const now = dictionary.isDelta ? [...before, bytes] : [bytes];
		this.#byId.set(dictionary.id, now);
		this.#bytes += lengthOf(now) - lengthOf(before);
		if (this.#bytes > ARROW_DICTIONARIES_LIMIT_BYTES) {
			throw new IcebergError(
				'LIMIT_EXCEEDED',
				`${this.#name}: dictionaries of more than ${ARROW_DICTIONARIES_LIMIT_BYTES} bytes`,
			);
		}
	}

	all(): Uint8Array[] {
		return [...this.#byId.values()].flat();
	}
}

function lengthOf(parts: readonly Uint8Array[]): number {
	return parts.reduce((sum, part) => sum + part.length, 0);
}

async function* messages(queue: ByteQueue, name: string): AsyncGenerator<Message> {
	let prefix = await queue.take(8);
	if (Buffer.from(prefix).toString('latin1') === FILE_MAGIC) prefix = await queue.take(8);
	for (; ; prefix = await queue.take(8)) {
		if (prefix.length === 0) return;
		if (prefix.length < 8) throw corrupt(name, 'it ends within the length of a message');
		const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
		if (view.getUint32(0, true) !== ARROW_CONTINUATION) throw corrupt(name, 'no message where one should be');
		const metadataLength = view.getInt32(4, true);
		if (metadataLength === 0) return;
		if (metadataLength < 0 || metadataLength > ARROW_MESSAGE_LIMIT_BYTES)
			throw corrupt(name, `a message of ${metadataLength} bytes`);
		const head = prefix.slice();
		const metadata = (await queue.take(metadataLength)).slice();
		if (metadata.length < metadataLength) throw corrupt(name, 'it ends within a message');
		const { kind, bodyBytes, dictionary } = readMessage(metadata, name);
		const body = await queue.take(bodyBytes);
		if (body.length < bodyBytes) throw corrupt(name, 'it ends within a record batch');
		yield { kind, dictionary, bytes: Buffer.concat([head, metadata, body]) };
	}
}

function readMessage(metadata: Uint8Array, name: string): MessageFacts & { readonly bodyBytes: number } {
	try {
		const { kind, header, bodyBytes } = readArrowMessage(metadata);
		if (bodyBytes > ARROW_MESSAGE_LIMIT_BYTES) {
			throw new IcebergError(
				'LIMIT_EXCEEDED',
				`${name}: a record batch of ${bodyBytes} bytes; the limit is ${ARROW_MESSAGE_LIMIT_BYTES}`,
			);
		}
		const dictionary = kind === ARROW_MESSAGE.dictionaryBatch ? arrowDictionaryOf(header) : undefined;
		const batch = kind === ARROW_MESSAGE.recordBatch ? header : dictionary?.batch;
		const rowCount = batch?.int64(0) ?? 0;
		if (rowCount > ARROW_BATCH_ROW_LIMIT)
			throw new RangeError(`a record batch of ${rowCount} rows; at most ${ARROW_BATCH_ROW_LIMIT} are taken`);
		return { kind, bodyBytes, dictionary };
	} catch (error) {
		if (error instanceof RangeError) throw corrupt(name, error.message);
		throw error;
	}
}

function corrupt(name: string, problem: string): IcebergError {
	return new IcebergError('CORRUPT', `${name} is no Arrow IPC stream or file that can be read: ${problem}`);
}
