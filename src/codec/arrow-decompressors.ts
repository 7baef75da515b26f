/** Expanding the compressed buffers of Arrow IPC messages (Arrow format: Compression). */
import { decompressSync, loadCodec } from './compression.ts';
import { decompressLz4Frame } from './lz4-frame.ts';

/** For each compression that Arrow has: bytes to exactly `length` bytes. Loads what that takes. */
export async function loadArrowDecompressors(): Promise<{
	readonly lz4Frame: (bytes: Uint8Array, length: number) => Uint8Array;
	readonly zstd: (bytes: Uint8Array, length: number) => Uint8Array;
}> {
	await loadCodec('zstd', 'decompress');
	return { lz4Frame: decompressLz4Frame, zstd: (bytes, length) => decompressSync('zstd', bytes, length) };
}
