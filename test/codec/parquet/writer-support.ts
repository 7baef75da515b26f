/** Writing files from engine values, and reading them back by hyparquet, which knows nothing of our code. */
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { ParquetWriteOptions, ParquetWriteResult } from '../../../src/codec/parquet/api.ts';
import { openParquetWriter } from '../../../src/codec/parquet/writer.ts';
import { type CompressionCodec, decompressSync, loadCodec } from '../../../src/codec/compression.ts';
import { vectorOf } from '../../../src/column/vector-values.ts';
import type { ColumnBatch } from '../../../src/column/vector.ts';
import { Schema } from '../../../src/spec/schema.ts';
import { uuidToBytes } from '../../../src/spec/single-value.ts';
import type { NestedField, Type, Value } from '../../../src/spec/types.ts';

export function field(id: number, name: string, type: Type, required = false): NestedField {
	return { id, name, required, type };
}

export function batchOf(fields: readonly NestedField[], rows: readonly (readonly Value[])[]): ColumnBatch {
	const columns = fields.map(({ type }, i) =>
		vectorOf(
			type,
			rows.map((row) => row[i] as Value),
		),
	);
	return { fields, length: rows.length, columns };
}

export interface WrittenFile {
	readonly bytes: Uint8Array;
	readonly result: ParquetWriteResult;
	/** bytes of each write that the sink saw */
	readonly writes: readonly number[];
}

export async function writeBatches(
	fields: readonly NestedField[],
	batches: readonly ColumnBatch[],
	options?: ParquetWriteOptions,
): Promise<WrittenFile> {
	const parts: Uint8Array[] = [];
	const writer = openParquetWriter(
		{
			async write(bytes) {
				parts.push(bytes.slice());
			},
		},
		new Schema({ fields }),
		options,
	);
	for (const batch of batches) await writer.write(batch);
	const result = await writer.finish();
	return { bytes: new Uint8Array(Buffer.concat(parts)), result, writes: parts.map((part) => part.length) };
}

/** `batchRows`: rows of each batch; default all in one */
export function writeRows(
	fields: readonly NestedField[],
	rows: readonly (readonly Value[])[],
	options?: ParquetWriteOptions,
	batchRows = Math.max(1, rows.length),
): Promise<WrittenFile> {
	const batches: ColumnBatch[] = [];
	for (let from = 0; from < rows.length; from += batchRows) {
		batches.push(batchOf(fields, rows.slice(from, from + batchRows)));
	}
	return writeBatches(fields, batches, options);
}

export function metadataOf(bytes: Uint8Array): FileMetaData {
	return parquetMetadata(arrayBufferOf(bytes), { geoparquet: false });
}

function arrayBufferOf(bytes: Uint8Array): ArrayBuffer {
	return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

const CODECS: readonly (readonly [string, CompressionCodec])[] = [
	['ZSTD', 'zstd'],
	['GZIP', 'gzip'],
	['LZ4_RAW', 'lz4_raw'],
];

/** All rows as hyparquet has them, physical values untouched by its own conversions. */
export async function readByHyparquet(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
	for (const [, codec] of CODECS) await loadCodec(codec, 'decompress');
	const metadata = metadataOf(bytes);
	for (const element of metadata.schema) {
		const kept = ['LIST', 'MAP', 'UTF8'].includes(element.converted_type ?? '');
		if (kept) continue;
		delete element.converted_type;
		delete element.logical_type;
	}
	const compressors = Object.fromEntries(
		CODECS.map(([name, codec]) => [
			name,
			(input: Uint8Array, outputLength: number) => decompressSync(codec, input, outputLength),
		]),
	);
	const file = arrayBufferOf(bytes);
	const rows = await parquetReadObjects({ file, metadata, compressors, utf8: false, geoparquet: false });
	return nullsOf(rows) as Record<string, unknown>[];
}

/** Missing lists and maps come as `undefined`. */
function nullsOf(value: unknown): unknown {
	if (value === undefined || value === null) return null;
	if (Array.isArray(value)) return value.map(nullsOf);
	if (typeof value !== 'object' || value instanceof Uint8Array) return value;
	return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, nullsOf(part)]));
}

/** An engine value as {@link readByHyparquet} gives it. */
export function asHyparquet(type: Type, value: Value): unknown {
	if (value === null) return null;
	switch (type.kind) {
		case 'struct':
			return Object.fromEntries(
				type.fields.flatMap((child, i) =>
					child.type.kind === 'unknown' ? [] : [[child.name, asHyparquet(child.type, (value as Value[])[i] as Value)]],
				),
			);
		case 'list':
			return (value as Value[]).map((item) => asHyparquet(type.element, item));
		case 'map':
			return Object.fromEntries((value as [Value, Value][]).map(([k, v]) => [String(k), asHyparquet(type.value, v)]));
		case 'decimal': {
			const unscaled = value as bigint;
			if (type.precision <= 9) return Number(unscaled);
			if (type.precision <= 18) return unscaled;
			const width = Math.ceil(((10n ** BigInt(type.precision)).toString(2).length + 1) / 8);
			const hex = BigInt.asUintN(width * 8, unscaled)
				.toString(16)
				.padStart(width * 2, '0');
			return new Uint8Array(Buffer.from(hex, 'hex'));
		}
		case 'uuid':
			return uuidToBytes(value as string);
		default:
			return value;
	}
}
