/** Avro object container files: header and blocks. Avro specification: Object Container Files. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { type CompressionCodec, loadCodec } from '../compression.ts';
import { BlockExpander } from './block-expander.ts';
import { AvroCursor } from './cursor.ts';
import {
	AVRO_HEADER_LIMIT_BYTES,
	AVRO_KEPT_ROW_BYTES,
	AVRO_KEPT_ROWS_BASE,
	AVRO_SCHEMA_CACHE_ENTRIES,
	AVRO_SCHEMA_CACHE_TEXT_LIMIT,
	AVRO_ZERO_WIDTH_LIMIT,
} from './limits.ts';
import { type AvroSchema, minimumSize, parseAvroSchema } from './schema.ts';

export type AvroCodec = 'null' | 'deflate' | 'zstandard' | 'snappy';

export interface AvroHeader {
	readonly schema: AvroSchema;
	readonly codec: AvroCodec;
	/** key/value metadata, `avro.*` included; values are almost always text, see {@link metadataText} */
	readonly metadata: ReadonlyMap<string, Uint8Array>;
	/** 16 bytes */
	readonly syncMarker: Uint8Array;
	/** where the first block starts, bytes */
	readonly dataOffset: number;
}

/** One block, expanded. `cursor` stands at the first of `count` values; {@link AvroCursor} must be at its end after the last. */
export interface AvroBlock {
	readonly count: number;
	readonly cursor: AvroCursor;
}

const CODECS: Readonly<Record<AvroCodec, CompressionCodec>> = {
	null: 'uncompressed',
	deflate: 'deflate',
	zstandard: 'zstd',
	snappy: 'snappy',
};
export const SYNC_MARKER_BYTES = 16;

/**
 * Parses the header of a file.
 * @throws `CORRUPT` for bytes that are not one
 * @throws `UNSUPPORTED` for a compression codec other than null, deflate, zstandard, snappy
 */
export function readAvroHeader(bytes: Uint8Array, location: string): AvroHeader {
	const cursor = new AvroCursor(bytes, location, 'byte', 0, Math.min(bytes.length, AVRO_HEADER_LIMIT_BYTES));
	const magic = cursor.take(4);
	if (bytes[magic] !== 0x4f || bytes[magic + 1] !== 0x62 || bytes[magic + 2] !== 0x6a || bytes[magic + 3] !== 1) {
		throw cursor.corrupt('no Avro container file', 0);
	}
	const metadata = new Map<string, Uint8Array>();
	for (let count = cursor.readBlockCount(2); count > 0; count = cursor.readBlockCount(2)) {
		for (let i = 0; i < count; i++) {
			const key = cursor.readString();
			metadata.set(key, cursor.readBytes());
		}
	}
	const syncMarker = cursor.copy(SYNC_MARKER_BYTES);
	const codec = metadata.get('avro.codec');
	const codecName = codec === undefined ? 'null' : Buffer.from(codec).toString('latin1');
	if (!Object.hasOwn(CODECS, codecName)) {
		throw new IcebergError('UNSUPPORTED', `the Avro compression codec '${codecName}' of ${location} is not supported`, {
			context: { location, codec: codecName },
		});
	}
	const schemaText = textOf(metadata, 'avro.schema', location);
	if (schemaText === undefined) throw cursor.corrupt('no schema in the header that ends', cursor.position);
	return {
		schema: cachedSchema(schemaText, location),
		codec: codecName as AvroCodec,
		metadata,
		syncMarker,
		dataOffset: cursor.position,
	};
}

/** Least recently used first. Equal texts give the same object, by which decoders are kept. */
const schemas = new Map<string, AvroSchema>();

function cachedSchema(text: string, location: string): AvroSchema {
	const known = schemas.get(text);
	const schema = known ?? parseAvroSchema(text, location);
	if (text.length > AVRO_SCHEMA_CACHE_TEXT_LIMIT) return schema;
	schemas.delete(text);
	schemas.set(text, schema);
	if (schemas.size > AVRO_SCHEMA_CACHE_ENTRIES) {
		for (const oldest of schemas.keys()) {
			schemas.delete(oldest);
			break;
		}
	}
	return schema;
}

/** A metadata value as text; `undefined` when the key is not there. @throws `CORRUPT` when it is not UTF-8 */
export function metadataText(header: AvroHeader, key: string, location: string): string | undefined {
	return textOf(header.metadata, key, location);
}

function textOf(metadata: ReadonlyMap<string, Uint8Array>, key: string, location: string): string | undefined {
	const value = metadata.get(key);
	return value === undefined
		? undefined
		: new AvroCursor(value, location, `metadata '${key}' byte`).text(0, value.length);
}

/** Loads what the codec of a file needs, so that {@link avroBlocks} can work synchronously. */
export async function loadAvroCodec(codec: AvroCodec, direction: 'compress' | 'decompress'): Promise<void> {
	await loadCodec(CODECS[codec], direction);
}

/** The compression layer's name of an Avro codec. */
export function compressionOf(codec: AvroCodec): CompressionCodec {
	return CODECS[codec];
}

/**
 * The blocks of a file in order, one expanded at a time: the next one may move the cursor of the one before. Call
 * {@link loadAvroCodec} before.
 *
 * @param mostRows that all blocks together may have
 * @throws `CORRUPT` when a count, size, sync marker or checksum is wrong, or a block expands beyond its limit
 */
export function* avroBlocks(
	bytes: Uint8Array,
	header: AvroHeader,
	location: string,
	mostRows = Number.POSITIVE_INFINITY,
): Generator<AvroBlock, void, undefined> {
	const file = new AvroCursor(bytes, location, 'byte', header.dataOffset);
	const blocks = new BlockExpander(bytes, CODECS[header.codec], location);
	const rowSize = minimumSize(header.schema);
	let rows = 0;
	while (file.position < file.end) {
		const start = file.position;
		const count = file.readSafeLong();
		const size = file.readLength();
		if (count < 0) throw file.corrupt(`a block of ${count} rows`, start);
		const data = file.take(size);
		const sync = file.take(SYNC_MARKER_BYTES);
		for (let i = 0; i < SYNC_MARKER_BYTES; i++) {
			if (bytes[sync + i] !== header.syncMarker[i]) {
				throw file.corrupt("a sync marker that is not the file's", sync);
			}
		}
		const cursor = blocks.expand(data, data + size, start);
		const length = cursor.end - cursor.position;
		const most = rowSize === 0 ? AVRO_ZERO_WIDTH_LIMIT : length / rowSize;
		if (count > most) throw file.corrupt(`${count} rows in a block of ${length} bytes`, start);
		rows += count;
		if (rows > mostRows) throw cursor.corrupt(`more than ${Math.floor(mostRows)} rows in ${bytes.length} bytes`);
		yield { count, cursor };
	}
}

/**
 * As {@link avroBlocks}, for files whose rows are all kept: refuses a file of more rows than its bytes could hold for rows
 * that differ, so that a few bytes cannot expand to rows without end.
 */
export function boundedAvroBlocks(
	bytes: Uint8Array,
	header: AvroHeader,
	location: string,
): Generator<AvroBlock, void, undefined> {
	return avroBlocks(bytes, header, location, AVRO_KEPT_ROWS_BASE + bytes.length / AVRO_KEPT_ROW_BYTES);
}

/** Bytes after the last value of a block mean that schema and data do not belong together. */
export function checkBlockEnd(block: AvroBlock): void {
	if (block.cursor.position !== block.cursor.end) {
		throw block.cursor.corrupt(`${block.cursor.end - block.cursor.position} bytes after the last row of a block`);
	}
}
