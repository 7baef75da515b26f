/**
 * The compression codecs of Parquet pages and Avro blocks. Pure: bytes to bytes.
 *
 * Zstandard comes from `node:zlib` where the running Node.js has it and from WebAssembly modules, loaded at first use,
 * where it has not. So there are two forms of each call: the asynchronous one loads what it needs; the synchronous one
 * wants {@link loadCodec} to have resolved before.
 */
import * as zlib from 'node:zlib';
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import { lz4CompressBlock, lz4DecompressBlock, lz4DecompressHadoop } from './compression-lz4.ts';
import { loadSnappyCompressor, snappyCompress, snappyDecompress } from './compression-snappy.ts';
import { loadZstdCompressor, loadZstdDecompressor, zstdCompress, zstdDecompress } from './compression-zstd.ts';

/**
 * - `deflate`: raw DEFLATE without header (Avro's `deflate`)
 * - `lz4_raw`: one LZ4 block; `lz4`: the deprecated Parquet codec, Hadoop framing or a bare block, read only
 * - `brotli`: read only
 */
export type CompressionCodec = 'uncompressed' | 'snappy' | 'gzip' | 'zstd' | 'lz4_raw' | 'lz4' | 'brotli' | 'deflate';

export type CodecDirection = 'compress' | 'decompress';

/** Zstandard level when the caller names none; Iceberg's Java writer uses 3, 1 is twice as fast for a few percent more bytes. */
export const DEFAULT_ZSTD_LEVEL = 1;

/** Makes the synchronous calls of a codec possible. Cheap when repeated. */
export async function loadCodec(codec: CompressionCodec, direction: CodecDirection): Promise<void> {
	if (codec === 'zstd') await (direction === 'compress' ? loadZstdCompressor() : loadZstdDecompressor());
	else if (codec === 'snappy' && direction === 'compress') await loadSnappyCompressor();
}

/** As {@link compressSync}, loading what the codec needs. */
export async function compress(codec: CompressionCodec, bytes: Uint8Array, level?: number): Promise<Uint8Array> {
	await loadCodec(codec, 'compress');
	return compressSync(codec, bytes, level);
}

/**
 * Compresses `bytes`; `uncompressed` returns the same array. `level` is the codec's own scale (zstd 1 to 22, gzip and
 * deflate 0 to 9) and ignored by codecs that have none.
 * @throws `UNSUPPORTED` for codecs that are only read
 */
export function compressSync(codec: CompressionCodec, bytes: Uint8Array, level?: number): Uint8Array {
	switch (codec) {
		case 'uncompressed':
			return bytes;
		case 'zstd':
			return zstdCompress(bytes, level ?? DEFAULT_ZSTD_LEVEL);
		case 'snappy':
			return snappyCompress(bytes);
		case 'gzip':
			return plain(zlib.gzipSync(bytes, level === undefined ? {} : { level }));
		case 'deflate':
			return plain(zlib.deflateRawSync(bytes, level === undefined ? {} : { level }));
		case 'lz4_raw':
			return lz4CompressBlock(bytes);
		case 'lz4':
		case 'brotli':
			throw new IcebergError('UNSUPPORTED', `writing the compression codec '${codec}' is not supported`, {
				context: { codec },
			});
	}
}

/** As {@link decompressSync}, loading what the codec needs. */
export async function decompress(
	codec: CompressionCodec,
	bytes: Uint8Array,
	uncompressedSizeLimit: number,
): Promise<Uint8Array> {
	await loadCodec(codec, 'decompress');
	return decompressSync(codec, bytes, uncompressedSizeLimit);
}

/**
 * Expands `bytes` to at most `uncompressedSizeLimit` bytes; memory stays in the order of that limit whatever the input
 * says. The result may be a view of `bytes` (`uncompressed`) and must not be written to. All Zstandard frames and gzip
 * members are read. Where the size is known beforehand, pass it as the limit and compare it with the result's length.
 * @throws `CORRUPT` for input that is not of the codec, is cut short, or would expand beyond the limit
 */
export function decompressSync(codec: CompressionCodec, bytes: Uint8Array, uncompressedSizeLimit: number): Uint8Array {
	try {
		return expand(codec, bytes, uncompressedSizeLimit);
	} catch (error) {
		if (isIcebergError(error)) throw error;
		throw new IcebergError(
			'CORRUPT',
			`${bytes.length} bytes that should be ${codec} data cannot be expanded to at most ${uncompressedSizeLimit} bytes`,
			{ context: { codec, compressedBytes: bytes.length, uncompressedSizeLimit }, cause: error },
		);
	}
}

function expand(codec: CompressionCodec, bytes: Uint8Array, limit: number): Uint8Array {
	switch (codec) {
		case 'uncompressed':
			if (bytes.length > limit) throw new RangeError(`${bytes.length} bytes are more than ${limit}`);
			return bytes;
		case 'zstd':
			return zstdDecompress(bytes, limit);
		case 'snappy':
			return snappyDecompress(bytes, limit);
		// zlib refuses a maximum of 0, and an empty result is within any limit
		case 'gzip':
			return checkSize(zlib.gunzipSync(bytes, inflateOptions(bytes, limit)), limit);
		case 'deflate':
			return checkSize(zlib.inflateRawSync(bytes, inflateOptions(bytes, limit)), limit);
		case 'brotli':
			return checkSize(zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, limit) }), limit);
		case 'lz4_raw':
			return lz4DecompressBlock(bytes, limit);
		case 'lz4':
			return lz4DecompressHadoop(bytes, limit);
	}
}

/** zlib makes room for so many bytes at a time: thousands of small Avro blocks would take 16 KiB each. */
const INFLATE_CHUNK_BYTES = { min: 1024, max: 128 * 1024, factor: 6 };

function inflateOptions(bytes: Uint8Array, limit: number): { chunkSize: number; maxOutputLength: number } {
	const { min, max, factor } = INFLATE_CHUNK_BYTES;
	return {
		chunkSize: Math.min(max, Math.max(min, bytes.length * factor)),
		maxOutputLength: Math.max(1, limit),
	};
}

function checkSize(bytes: Uint8Array, limit: number): Uint8Array {
	if (bytes.length > limit) throw new RangeError(`expands beyond ${limit} bytes`);
	return plain(bytes);
}

/** Not a `Buffer`, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
