/** Arrow IPC streams and files to arrays (Arrow columnar format: Serialization and Interprocess Communication). */
import { IcebergError } from '../errors/iceberg-error.ts';
import { ARROW_CONTINUATION, ARROW_MESSAGE, arrowDictionaryOf, readArrowMessage } from './arrow-ipc-message.ts';
import { readArrowFields } from './arrow-ipc-schema.ts';
import { type ArrowBatch, type ArrowField, type ArrowNode, DecodedArrow } from './arrow-node.ts';
import { type ArrowDecompressors, isCompressed, RecordBatchReader } from './arrow-ipc-batch.ts';
import { FlatTable, safeInt64 } from './flatbuffer.ts';

const FILE_MAGIC = 'ARROW1';
const BLOCK_BYTES = 24;

interface Message {
	readonly kind: number;
	readonly header: FlatTable;
	readonly body: Uint8Array;
}

/** True when the bytes start as an Arrow IPC file or stream does. */
export function isArrowIpc(bytes: Uint8Array): boolean {
	if (bytes.length < 8) return false;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return isFile(bytes) || (view.getUint32(0, true) === ARROW_CONTINUATION && view.getInt32(4, true) > 0);
}

function isFile(bytes: Uint8Array): boolean {
	return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(6, bytes.length)).toString('latin1') === FILE_MAGIC;
}

/**
 * Decodes an Arrow IPC file or stream. Arrays are views of `bytes` where these are aligned; record batches are decoded as
 * they are iterated over.
 * @throws `CORRUPT` for bytes that are none; `UNSUPPORTED` for big-endian data, for versions before 0.8, and for compressed
 * buffers without a decompressor; `LIMIT_EXCEEDED`. Iterating over the batches throws the same
 */
export function decodeArrowIpc(bytes: Uint8Array, decompressors: ArrowDecompressors = {}): DecodedArrow {
	const fields = sound(() => schemaOf(bytes));
	return new DecodedArrow(fields, { [Symbol.iterator]: () => batchesOf(bytes, fields, decompressors) });
}

/** True when some buffers are compressed. What is unsound is told by {@link decodeArrowIpc}. */
export function isCompressedArrowIpc(bytes: Uint8Array): boolean {
	try {
		for (const { kind, header } of messagesOf(bytes)) {
			if (kind === ARROW_MESSAGE.recordBatch && isCompressed(header)) return true;
			if (kind === ARROW_MESSAGE.dictionaryBatch && isCompressed(arrowDictionaryOf(header).batch)) return true;
		}
	} catch (error) {
		if (!(error instanceof RangeError) && !(error instanceof IcebergError)) throw error;
	}
	return false;
}

function schemaOf(bytes: Uint8Array): readonly ArrowField[] {
	if (isFile(bytes)) return readArrowFields(footerOf(bytes).table(1) ?? missing('schema'));
	const { value: first } = messagesOf(bytes).next();
	if (first === undefined || first.kind !== ARROW_MESSAGE.schema) return missing('schema');
	return readArrowFields(first.header);
}

function missing(what: string): never {
	throw new RangeError(`no ${what}`);
}

function* batchesOf(
	bytes: Uint8Array,
	fields: readonly ArrowField[],
	decompressors: ArrowDecompressors,
): Generator<ArrowBatch> {
	const messages = messagesOf(bytes);
	const dictionaries = new Map<number, ArrowNode[]>();
	for (;;) {
		const batch = sound((): ArrowBatch | 'end' | 'none' => {
			const next = messages.next();
			if (next.done === true) return 'end';
			const { kind, header, body } = next.value;
			if (kind === ARROW_MESSAGE.dictionaryBatch) addDictionary(header, body, fields, dictionaries, decompressors);
			if (kind !== ARROW_MESSAGE.recordBatch) return 'none';
			const reader = new RecordBatchReader(header, body, dictionaries, decompressors);
			return { length: reader.length, columns: fields.map((field) => reader.read(field.type)) };
		});
		if (batch === 'end') return;
		if (batch !== 'none') yield batch;
	}
}

function addDictionary(
	header: FlatTable,
	body: Uint8Array,
	fields: readonly ArrowField[],
	dictionaries: Map<number, ArrowNode[]>,
	decompressors: ArrowDecompressors,
): void {
	const { id, isDelta, batch } = arrowDictionaryOf(header);
	const type = dictionaryType(fields, id);
	if (type === undefined) return;
	const entries = new RecordBatchReader(batch, body, dictionaries, decompressors).read(type);
	// batches keep the list that was there when they were read: a new one is made
	dictionaries.set(id, isDelta ? [...(dictionaries.get(id) ?? []), entries] : [entries]);
}

function dictionaryType(fields: readonly ArrowField[], id: number): ArrowField['type'] | undefined {
	for (const { type } of fields) {
		if (type.dictionary !== undefined && type.dictionaryId === id) return type.dictionary;
		const inner = dictionaryType(type.dictionary?.children ?? type.children, id);
		if (inner !== undefined) return inner;
	}
	return undefined;
}

function* messagesOf(bytes: Uint8Array): Generator<Message, undefined> {
	if (!isFile(bytes)) {
		yield* streamMessages(bytes);
		return undefined;
	}
	const footer = footerOf(bytes);
	// dictionaries first: those of a file hold for all of its batches
	for (const index of [2, 3]) {
		const { start, count } = footer.vector(index, BLOCK_BYTES);
		for (let i = 0; i < count; i++) {
			const offset = safeInt64(footer.view, start + BLOCK_BYTES * i);
			const { value } = streamMessages(bytes.subarray(offset < 0 ? bytes.length : offset)).next();
			if (value === undefined) throw new RangeError(`no message at ${offset}`);
			yield value;
		}
	}
	return undefined;
}

function footerOf(bytes: Uint8Array): FlatTable {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const end = bytes.length - FILE_MAGIC.length;
	if (end < 12 || Buffer.from(bytes.subarray(end)).toString('latin1') !== FILE_MAGIC)
		throw new RangeError('a file that does not end as it should');
	const length = view.getInt32(end - 4, true);
	if (length <= 0 || length > end - 12) throw new RangeError(`a footer of ${length} bytes`);
	return FlatTable.root(bytes.subarray(end - 4 - length, end - 4));
}

function* streamMessages(bytes: Uint8Array): Generator<Message, undefined> {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let at = 0;
	while (at < bytes.length) {
		let length = view.getInt32(at, true);
		at += 4;
		// before Arrow 0.15 messages had no continuation mark
		if (length === -1) {
			length = view.getInt32(at, true);
			at += 4;
		}
		if (length === 0) return undefined;
		if (length < 0 || length > bytes.length - at) throw new RangeError(`a message of ${length} bytes at ${at}`);
		const { kind, header, bodyBytes } = readArrowMessage(bytes.subarray(at, at + length));
		at += length;
		if (bodyBytes > bytes.length - at) throw new RangeError(`a body of ${bodyBytes} bytes at ${at}`);
		yield { kind, header, body: bytes.subarray(at, at + bodyBytes) };
		at += bodyBytes;
	}
	return undefined;
}

/** What positions beyond the buffer throw is told as what it means. */
function sound<T>(decode: () => T): T {
	try {
		return decode();
	} catch (cause) {
		if (!(cause instanceof RangeError)) throw cause;
		throw new IcebergError('CORRUPT', `these bytes are no Arrow IPC file or stream: ${cause.message}`, { cause });
	}
}
