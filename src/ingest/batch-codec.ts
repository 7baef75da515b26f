/**
 * Batches of columns to bytes and back: what journals carry. Made for single rows, of which a leader puts many together.
 *
 * A body is the format's number, the number of rows and of columns (varints), then each column. A column, and each
 * vector below one, is a byte that tells of nulls, for {@link SOME_NULLS} a bitmap, and the values, those of nulls
 * included: as they are in memory, little-endian; for runs of bytes, lists and maps the lengths (varints) and then what
 * they hold. Vectors without elements take no bytes. Names and types are not in it: the reader has the schema.
 */
import { bitmapBytes, getBit, sliceBits } from '../column/bitmap.ts';
import { checkColumn } from '../column/check-batch.ts';
import type { BytesVector, ColumnBatch, DictionaryVector, Vector } from '../column/vector.ts';
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from '../spec/schema.ts';
import { type Gatherer, gathererOf } from './batch-codec-gather.ts';
import { ALL_NULL, ALL_NULL_LIMIT, BATCH_FORMAT, ELEMENT_LIMIT, NO_NULLS, SOME_NULLS } from './batch-codec-layout.ts';
import { ByteReader } from './batch-codec-reader.ts';
import type { ByteWriter } from './batch-codec-writer.ts';

/** Up to so many elements are written one by one: a view of their bytes costs more. */
const SINGLE_ELEMENTS = 4;

/** Puts a batch behind what is in `writer`. Its columns are of the layouts that their types have. */
export function encodeBatch(writer: ByteWriter, batch: ColumnBatch): void {
	writer.byte(BATCH_FORMAT);
	writer.varint(batch.length);
	writer.varint(batch.columns.length);
	for (const column of batch.columns) encodeVector(writer, column, 0, batch.length);
}

/**
 * Bodies of one schema as one batch, in their order. It shares no memory with them.
 *
 * @param schema that of the rows when they were encoded
 * @throws `CORRUPT` for bytes that are no batch of the schema, with all that it promises; `LIMIT_EXCEEDED` for more
 * bytes than a column can hold
 */
export function decodeBatches(schema: Schema, bodies: readonly Uint8Array[]): ColumnBatch {
	const { fields } = schema;
	const gatherers = fields.map((field) => gathererOf(field.type));
	let length = 0;
	for (const body of bodies) length += decodeInto(gatherers, body);
	const columns = gatherers.map((gatherer) => gatherer.finish());
	try {
		fields.forEach((field, k) => checkColumn(field, columns[k] as Vector, 0));
	} catch (cause) {
		if (!isIcebergError(cause, 'INVALID_DATA')) throw cause;
		throw new IcebergError('CORRUPT', `journaled rows are corrupt: ${cause.message}`, { cause });
	}
	return { fields, length, columns };
}

/** {@link decodeBatches} of one body. */
export function decodeBatch(schema: Schema, body: Uint8Array): ColumnBatch {
	return decodeBatches(schema, [body]);
}

function decodeInto(gatherers: readonly Gatherer[], body: Uint8Array): number {
	const reader = new ByteReader(body, 'a batch of rows in a journal');
	const format = reader.byte();
	if (format !== BATCH_FORMAT) throw reader.corrupt(`its format is ${format}, not ${BATCH_FORMAT}`);
	const length = reader.varint();
	if (length > ELEMENT_LIMIT) throw reader.corrupt(`${length} rows`);
	const count = reader.varint();
	if (count !== gatherers.length) throw reader.corrupt(`${count} columns where the schema has ${gatherers.length}`);
	for (let i = 0; i < count; i++) (gatherers[i] as Gatherer).read(reader, length);
	reader.finish();
	return length;
}

/** Puts the elements [from, to) of a column behind what is in `writer`. */
export function encodeVector(writer: ByteWriter, vector: Vector, from: number, to: number): void {
	if (to === from || vector.layout === 'null') return;
	if (encodeNulls(writer, vector, from, to)) encodeValues(writer, vector, from, to);
}

/** Whether values follow. */
function encodeNulls(writer: ByteWriter, vector: Vector, from: number, to: number): boolean {
	const { validity } = vector;
	if (validity === null || vector.nullCount === 0) {
		writer.byte(NO_NULLS);
		return true;
	}
	const count = to - from;
	if (count === 1) {
		const present = getBit(validity, from);
		writer.byte(present ? NO_NULLS : ALL_NULL);
		return present;
	}
	const bits = sliceBits(validity, from, to);
	if (count <= ALL_NULL_LIMIT && bits[0] === 0) {
		writer.byte(ALL_NULL);
		return false;
	}
	writer.byte(SOME_NULLS);
	writer.raw(bits, 0, bitmapBytes(count));
	return true;
}

function encodeValues(writer: ByteWriter, vector: Vector, from: number, to: number): void {
	switch (vector.layout) {
		case 'boolean':
			if (to - from === 1) writer.byte(getBit(vector.values, from) ? 1 : 0);
			else writer.raw(sliceBits(vector.values, from, to), 0, bitmapBytes(to - from));
			return;
		case 'int32':
			if (to - from > SINGLE_ELEMENTS) return writeArray(writer, vector.values, from, to);
			for (let i = from; i < to; i++) writer.int32(vector.values[i] as number);
			return;
		case 'int64':
			if (to - from > SINGLE_ELEMENTS) return writeArray(writer, vector.values, from, to);
			for (let i = from; i < to; i++) writer.int64(vector.values[i] as bigint);
			return;
		case 'float32':
			return writeArray(writer, vector.values, from, to);
		case 'float64':
			return writeArray(writer, vector.values, from, to);
		case 'decimal128':
			if (to - from > SINGLE_ELEMENTS) return writeArray(writer, vector.values, 2 * from, 2 * to);
			for (let i = 2 * from; i < 2 * to; i++) writer.int64(vector.values[i] as bigint);
			return;
		case 'fixed':
			return writer.raw(vector.values, vector.width * from, vector.width * to);
		case 'bytes':
			return encodeBytes(writer, vector, from, to);
		case 'dictionary':
			return encodeDictionary(writer, vector, from, to);
		case 'struct':
			for (const child of vector.children) encodeVector(writer, child, from, to);
			return;
		case 'list': {
			const { offsets } = vector;
			encodeLengths(writer, offsets, from, to);
			return encodeVector(writer, vector.child, offsets[from] as number, offsets[to] as number);
		}
		case 'map': {
			const { offsets } = vector;
			encodeLengths(writer, offsets, from, to);
			encodeVector(writer, vector.keys, offsets[from] as number, offsets[to] as number);
			return encodeVector(writer, vector.items, offsets[from] as number, offsets[to] as number);
		}
		case 'variant':
			encodeBytes(writer, vector.metadata, from, to);
			return encodeBytes(writer, vector.value, from, to);
		case 'null':
	}
}

function writeArray(
	writer: ByteWriter,
	values: ArrayBufferView & { BYTES_PER_ELEMENT: number },
	from: number,
	to: number,
): void {
	const width = values.BYTES_PER_ELEMENT;
	const bytes = new Uint8Array(values.buffer, values.byteOffset + width * from, width * (to - from));
	writer.raw(bytes, 0, bytes.length);
}

function encodeLengths(writer: ByteWriter, offsets: Int32Array, from: number, to: number): void {
	for (let i = from; i < to; i++) writer.varint((offsets[i + 1] as number) - (offsets[i] as number));
}

function encodeBytes(writer: ByteWriter, vector: BytesVector, from: number, to: number): void {
	const { offsets } = vector;
	encodeLengths(writer, offsets, from, to);
	writer.raw(vector.values, offsets[from] as number, offsets[to] as number);
}

function encodeDictionary(writer: ByteWriter, vector: DictionaryVector, from: number, to: number): void {
	const { indices, validity, dictionary } = vector;
	const { offsets, values } = dictionary;
	for (let i = from; i < to; i++) {
		const index = indices[i] as number;
		const present = validity === null || getBit(validity, i);
		writer.varint(present ? (offsets[index + 1] as number) - (offsets[index] as number) : 0);
	}
	for (let i = from; i < to; i++) {
		const index = indices[i] as number;
		if (validity === null || getBit(validity, i))
			writer.raw(values, offsets[index] as number, offsets[index + 1] as number);
	}
}
