/**
 * Zstandard. `node:zlib` has it from Node.js 22.15 on; before that WebAssembly modules do the work. Frames are walked
 * here first (RFC 8878, section 3.1): that bounds the size of the result before memory is taken, finds input that is cut
 * short, and tells several frames from one, of which `node:zlib` would return only the first.
 */
import * as zlib from 'node:zlib';
import { IcebergError } from '../errors/iceberg-error.ts';

interface NativeZstd {
	zstdCompressSync?(bytes: Uint8Array, options?: { params?: Record<number, number> }): Uint8Array;
	zstdDecompressSync?(bytes: Uint8Array, options?: { maxOutputLength?: number }): Uint8Array;
	constants: { ZSTD_c_compressionLevel?: number };
}
const native = zlib as unknown as NativeZstd;

let compressor: ((bytes: Uint8Array, level: number) => Uint8Array) | undefined;
let decompressor: ((bytes: Uint8Array, sizeBytes: number) => Uint8Array) | undefined;
let compressorLoading: Promise<void> | undefined;
let decompressorLoading: Promise<void> | undefined;

/** Whether `node:zlib` has Zstandard. */
export function hasNativeZstd(): boolean {
	return native.zstdCompressSync !== undefined;
}

export function loadZstdCompressor(): Promise<void> {
	compressorLoading ??= openCompressor().catch((error: unknown) => {
		compressorLoading = undefined;
		throw error;
	});
	return compressorLoading;
}

export function loadZstdDecompressor(): Promise<void> {
	decompressorLoading ??= openDecompressor().catch((error: unknown) => {
		decompressorLoading = undefined;
		throw error;
	});
	return decompressorLoading;
}

async function openCompressor(): Promise<void> {
	const { zstdCompressSync } = native;
	const levelKey = native.constants.ZSTD_c_compressionLevel;
	if (zstdCompressSync !== undefined && levelKey !== undefined) {
		compressor = (bytes, level) => plain(zstdCompressSync(bytes, { params: { [levelKey]: level } }));
		return;
	}
	const wasm = await import('@bokuweb/zstd-wasm');
	await wasm.init();
	compressor = (bytes, level) => wasm.compress(bytes, level);
}

async function openDecompressor(): Promise<void> {
	const { zstdDecompressSync } = native;
	if (zstdDecompressSync !== undefined) {
		decompressor = (bytes, sizeBytes) => plain(zstdDecompressSync(bytes, { maxOutputLength: sizeBytes }));
		return;
	}
	const { ZSTDDecoder } = await import('zstddec');
	const decoder = new ZSTDDecoder();
	await withoutFetch(() => decoder.init());
	decompressor = (bytes, sizeBytes) => decoder.decode(bytes, sizeBytes);
}

/**
 * Calls what would use `fetch` if there were one. The decoder reads a module that it contains by it, and what Node.js
 * loads for that takes longer than the module.
 */
function withoutFetch<T>(call: () => T): T {
	const found = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
	if (found?.configurable !== true) return call();
	Object.defineProperty(globalThis, 'fetch', { value: undefined, configurable: true });
	try {
		return call();
	} finally {
		Object.defineProperty(globalThis, 'fetch', found);
	}
}

/** One frame. @throws `CLOSED` when {@link loadZstdCompressor} has not resolved before */
export function zstdCompress(bytes: Uint8Array, level: number): Uint8Array {
	if (compressor === undefined) throw new IcebergError('CLOSED', 'the zstd compressor is used before it was loaded');
	return compressor(bytes, level);
}

/**
 * All frames, one after the other.
 * @throws RangeError for input that is not Zstandard or larger than `limit` when expanded
 * @throws `CLOSED` when {@link loadZstdDecompressor} has not resolved before
 */
export function zstdDecompress(bytes: Uint8Array, limit: number): Uint8Array {
	if (decompressor === undefined)
		throw new IcebergError('CLOSED', 'the zstd decompressor is used before it was loaded');
	const parts: Uint8Array[] = [];
	let total = 0;
	let at = 0;
	while (at < bytes.length) {
		const frame = walkFrame(bytes, at);
		const room = limit - total;
		if (frame.contentSize !== undefined && frame.contentSize > room) {
			throw new RangeError(`a frame of ${frame.contentSize} bytes where at most ${room} may be`);
		}
		const capacity = Math.min(room, frame.largestSize);
		if (capacity > MAX_FRAME_BYTES) {
			throw new IcebergError('LIMIT_EXCEEDED', `a zstd frame of up to ${capacity} bytes is above ${MAX_FRAME_BYTES}`);
		}
		// the decoders take a capacity of 0 as unknown
		const part = frame.skippable ? EMPTY : decompressor(bytes.subarray(at, frame.end), Math.max(1, capacity));
		if (part.length > room) throw new RangeError(`expands beyond ${limit} bytes`);
		if (frame.contentSize !== undefined && part.length !== frame.contentSize) {
			throw new RangeError(`a frame that should be ${frame.contentSize} bytes does not expand to them`);
		}
		// without a content size a failure of the decoder is known by its result being empty
		if (frame.contentSize === undefined && part.length === 0 && frame.largestSize > 0) {
			throw new RangeError('a frame cannot be expanded');
		}
		total += part.length;
		at = frame.end;
		parts.push(part);
	}
	if (parts.length === 0) throw new RangeError('no frame');
	return parts.length === 1 ? (parts[0] as Uint8Array) : plain(Buffer.concat(parts, total));
}

const EMPTY = new Uint8Array(0);

/** Not a `Buffer`, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 131_072;
/** Largest frame that is expanded: beyond, the WebAssembly module runs out of memory. */
const MAX_FRAME_BYTES = 2 ** 30;

interface Frame {
	/** position after the frame */
	readonly end: number;
	readonly contentSize: number | undefined;
	/** upper bound of the expanded size, from the blocks' headers */
	readonly largestSize: number;
	readonly skippable: boolean;
}

function walkFrame(bytes: Uint8Array, start: number): Frame {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const need = (at: number, count: number): void => {
		if (count > bytes.length - at) throw new RangeError('ends within a frame');
	};
	need(start, 5);
	const magic = view.getUint32(start, true);
	if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
		need(start, 8);
		const size = view.getUint32(start + 4, true);
		need(start + 8, size);
		return { end: start + 8 + size, contentSize: 0, largestSize: 0, skippable: true };
	}
	if (magic !== MAGIC) throw new RangeError('no frame');
	const descriptor = bytes[start + 4] as number;
	const singleSegment = (descriptor & 0x20) !== 0;
	const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3] as number;
	const sizeFlag = descriptor >>> 6;
	const contentSizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
	let at = start + 5 + (singleSegment ? 0 : 1) + dictionaryIdBytes;
	need(at, contentSizeBytes);
	let contentSize: number | undefined;
	if (contentSizeBytes === 1) contentSize = bytes[at] as number;
	else if (contentSizeBytes === 2) contentSize = view.getUint16(at, true) + 256;
	else if (contentSizeBytes === 4) contentSize = view.getUint32(at, true);
	else if (contentSizeBytes === 8) contentSize = Number(view.getBigUint64(at, true));
	at += contentSizeBytes;
	let largestSize = 0;
	for (let last = false; !last; ) {
		need(at, 3);
		const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
		last = (header & 1) === 1;
		const type = (header >>> 1) & 3;
		const size = header >>> 3;
		if (type === 3) throw new RangeError('a block of a reserved type');
		largestSize += type === 2 ? MAX_BLOCK_BYTES : size;
		at += 3;
		const stored = type === 1 ? 1 : size;
		need(at, stored);
		at += stored;
	}
	if ((descriptor & 4) !== 0) {
		need(at, 4);
		at += 4;
	}
	return {
		end: at,
		contentSize,
		largestSize: contentSize === undefined ? largestSize : Math.min(contentSize, largestSize),
		skippable: false,
	};
}
