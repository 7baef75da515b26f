/** Descriptions of data files in journals: exact, whatever the partition values are. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { DataFile, FileContent, FileFormat, FileMetrics } from '../manifest/types.ts';
import type { Value } from '../spec/types.ts';
import { ByteReader } from './batch-codec-reader.ts';
import type { ByteWriter } from './batch-codec-writer.ts';

const FORMAT = 1;
const CONTENTS: readonly FileContent[] = ['data', 'position-deletes', 'equality-deletes'];
const FORMATS: readonly FileFormat[] = ['parquet', 'avro', 'orc', 'puffin'];
const COUNTS = ['columnSizes', 'valueCounts', 'nullValueCounts', 'nanValueCounts'] as const;
const BOUNDS = ['lowerBounds', 'upperBounds'] as const;
/** Members that are whole numbers where they are there at all. */
const NUMBERS = ['sortOrderId', 'contentOffset', 'contentSizeInBytes'] as const;
const NUMBER_LISTS = ['splitOffsets', 'equalityIds'] as const;

const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const NUMBER = 3;
const INTEGER = 4;
const BIGINT = 5;
const TEXT = 6;
const BYTES = 7;
const WIDE_BIGINT = 8;

export function encodeDataFiles(writer: ByteWriter, files: readonly DataFile[]): void {
	writer.byte(FORMAT);
	writer.varint(files.length);
	for (const file of files) encodeFile(writer, file);
}

/** @throws `CORRUPT` for bytes that describe no files */
export function decodeDataFiles(body: Uint8Array): DataFile[] {
	const reader = new ByteReader(body, 'the description of data files in a journal');
	const format = reader.byte();
	if (format !== FORMAT) throw reader.corrupt(`its format is ${format}, not ${FORMAT}`);
	const count = countOf(reader);
	const files: DataFile[] = [];
	for (let i = 0; i < count; i++) files.push(decodeFile(reader));
	reader.finish();
	return files;
}

function encodeFile(writer: ByteWriter, file: DataFile): void {
	writer.byte(CONTENTS.indexOf(file.content));
	writer.text(file.location);
	writer.byte(FORMATS.indexOf(file.format));
	writer.varint(file.specId);
	writer.varint(file.partition.length);
	for (const value of file.partition) encodeValue(writer, value);
	writer.varint(file.recordCount);
	writer.varint(file.fileSizeInBytes);
	for (const name of COUNTS)
		encodeMap(writer, file[name], (count) => {
			writer.integer(count);
		});
	for (const name of BOUNDS)
		encodeMap(writer, file[name], (bound) => {
			writer.bytes(bound);
		});
	encodeOptional(writer, file.keyMetadata, (bytes) => writer.bytes(bytes));
	for (const name of NUMBER_LISTS)
		encodeOptional(writer, file[name], (numbers) => {
			writer.varint(numbers.length);
			for (const each of numbers) writer.integer(each);
		});
	for (const name of NUMBERS) encodeOptional(writer, file[name], (each) => writer.integer(each));
	encodeOptional(writer, file.firstRowId, (id) => writer.int64(id));
	encodeOptional(writer, file.referencedDataFile, (location) => writer.text(location));
}

function decodeFile(reader: ByteReader): DataFile {
	const content = oneOf(reader, CONTENTS);
	const location = reader.text();
	const format = oneOf(reader, FORMATS);
	const specId = reader.varint();
	const partition: Value[] = [];
	for (let left = countOf(reader); left > 0; left--) partition.push(decodeValue(reader));
	const recordCount = reader.varint();
	const fileSizeInBytes = reader.varint();
	const metrics: { -readonly [K in keyof FileMetrics]: FileMetrics[K] } = {};
	for (const name of COUNTS) {
		const counts = decodeMap(reader, () => reader.integer());
		if (counts !== undefined) metrics[name] = counts;
	}
	for (const name of BOUNDS) {
		const bounds = decodeMap(reader, () => reader.copy());
		if (bounds !== undefined) metrics[name] = bounds;
	}
	const rest: { -readonly [K in keyof DataFile]?: DataFile[K] } = {};
	if (isThere(reader)) rest.keyMetadata = reader.copy();
	for (const name of NUMBER_LISTS) if (isThere(reader)) rest[name] = readNumbers(reader);
	for (const name of NUMBERS) if (isThere(reader)) rest[name] = reader.integer();
	if (isThere(reader)) rest.firstRowId = reader.int64();
	if (isThere(reader)) rest.referencedDataFile = reader.text();
	return { content, location, format, specId, partition, recordCount, fileSizeInBytes, ...metrics, ...rest };
}

function readNumbers(reader: ByteReader): number[] {
	const numbers: number[] = [];
	for (let left = countOf(reader); left > 0; left--) numbers.push(reader.integer());
	return numbers;
}

/** A number of things that take a byte each at least. */
function countOf(reader: ByteReader): number {
	const count = reader.varint();
	if (count > reader.left) throw reader.corrupt(`${count} things where ${reader.left} bytes are left`);
	return count;
}

function oneOf<T>(reader: ByteReader, choices: readonly T[]): T {
	const index = reader.byte();
	const choice = choices[index];
	if (choice === undefined) throw reader.corrupt(`${index} where 0 to ${choices.length - 1} is known`);
	return choice;
}

function isThere(reader: ByteReader): boolean {
	const flag = reader.byte();
	if (flag > 1) throw reader.corrupt(`${flag} is no boolean`);
	return flag === 1;
}

function encodeOptional<T>(writer: ByteWriter, value: T | undefined, write: (value: T) => void): void {
	writer.byte(value === undefined ? 0 : 1);
	if (value !== undefined) write(value);
}

function encodeMap<V>(writer: ByteWriter, map: ReadonlyMap<number, V> | undefined, write: (value: V) => void): void {
	encodeOptional(writer, map, (entries) => {
		writer.varint(entries.size);
		for (const [fieldId, value] of entries) {
			writer.varint(fieldId);
			write(value);
		}
	});
}

function decodeMap<V>(reader: ByteReader, read: () => V): Map<number, V> | undefined {
	if (!isThere(reader)) return undefined;
	const map = new Map<number, V>();
	for (let left = countOf(reader); left > 0; left--) map.set(reader.varint(), read());
	return map;
}

/** A partition value: null, or of a primitive type. */
function encodeValue(writer: ByteWriter, value: Value): void {
	if (value === null) return writer.byte(NULL);
	switch (typeof value) {
		case 'boolean':
			return writer.byte(value ? TRUE : FALSE);
		case 'number':
			if (Number.isSafeInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0)) {
				writer.byte(INTEGER);
				return writer.integer(value);
			}
			writer.byte(NUMBER);
			return writer.float64(value);
		case 'bigint':
			if (BigInt.asIntN(64, value) === value) {
				writer.byte(BIGINT);
				return writer.int64(value);
			}
			writer.byte(WIDE_BIGINT);
			writer.int64(BigInt.asIntN(64, value));
			return writer.int64(value >> 64n);
		case 'string':
			writer.byte(TEXT);
			return writer.text(value);
		default:
			if (!(value instanceof Uint8Array))
				throw new IcebergError('INVALID_ARGUMENT', 'a partition value is of a primitive type');
			writer.byte(BYTES);
			return writer.bytes(value);
	}
}

function decodeValue(reader: ByteReader): Value {
	const tag = reader.byte();
	switch (tag) {
		case NULL:
			return null;
		case FALSE:
			return false;
		case TRUE:
			return true;
		case NUMBER:
			return reader.float64();
		case INTEGER:
			return reader.integer();
		case BIGINT:
			return reader.int64();
		case WIDE_BIGINT: {
			const low = BigInt.asUintN(64, reader.int64());
			return (reader.int64() << 64n) | low;
		}
		case TEXT:
			return reader.text();
		case BYTES:
			return reader.copy();
		default:
			throw reader.corrupt(`${tag} is no kind of value`);
	}
}
