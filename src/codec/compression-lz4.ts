/** The LZ4 block format, and the framing that Hadoop's writers put around it in Parquet's deprecated `LZ4` codec. */
import { copyWithin } from './compression-snappy.ts';

const HASH_BITS = 14;
const MIN_MATCH = 4;
/** A block ends with at least this many literals (LZ4 block format: End of block conditions). */
const LAST_LITERALS = 5;
/** No match starts within this many bytes of the end. */
const MATCH_END_MARGIN = 12;
const MAX_OFFSET = 65_535;
/** Highest ratio of expansion: a byte of match length stands for 255 bytes. */
const MAX_EXPANSION = 255;

/** One LZ4 block. */
export function lz4CompressBlock(input: Uint8Array): Uint8Array {
	const size = input.length;
	const output = new Uint8Array(size + Math.ceil(size / 255) + 16);
	// positions + 1, so that 0 means none
	const table = new Int32Array(1 << HASH_BITS);
	const matchLimit = size - MATCH_END_MARGIN;
	const extendLimit = size - LAST_LITERALS;
	let to = 0;
	let anchor = 0;
	let at = 0;
	while (at <= matchLimit) {
		const word = readWord(input, at);
		const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
		const candidate = (table[slot] as number) - 1;
		table[slot] = at + 1;
		if (candidate < 0 || at - candidate > MAX_OFFSET || readWord(input, candidate) !== word) {
			// the longer nothing matches, the larger the steps: incompressible data cost little
			at += 1 + ((at - anchor) >>> 6);
			continue;
		}
		let length = MIN_MATCH;
		while (at + length < extendLimit && input[at + length] === input[candidate + length]) length++;
		to = writeSequence(output, to, input, anchor, at - anchor, at - candidate, length);
		at += length;
		anchor = at;
	}
	to = writeSequence(output, to, input, anchor, size - anchor, 0, 0);
	return output.subarray(0, to);
}

function readWord(bytes: Uint8Array, at: number): number {
	return (
		(bytes[at] as number) |
		((bytes[at + 1] as number) << 8) |
		((bytes[at + 2] as number) << 16) |
		((bytes[at + 3] as number) << 24)
	);
}

/** Literals and a match; `matchLength` 0 is the last sequence, which has none. Returns the new end of `output`. */
function writeSequence(
	output: Uint8Array,
	start: number,
	input: Uint8Array,
	literalStart: number,
	literalLength: number,
	offset: number,
	matchLength: number,
): number {
	let to = start + 1;
	const matchCode = matchLength === 0 ? 0 : matchLength - MIN_MATCH;
	output[start] = (Math.min(literalLength, 15) << 4) | Math.min(matchCode, 15);
	if (literalLength >= 15) to = writeLength(output, to, literalLength - 15);
	output.set(input.subarray(literalStart, literalStart + literalLength), to);
	to += literalLength;
	if (matchLength > 0) {
		output[to++] = offset & 0xff;
		output[to++] = offset >>> 8;
		if (matchCode >= 15) to = writeLength(output, to, matchCode - 15);
	}
	return to;
}

function writeLength(output: Uint8Array, start: number, rest: number): number {
	let to = start;
	let left = rest;
	for (; left >= 255; left -= 255) output[to++] = 255;
	output[to++] = left;
	return to;
}

/** @throws RangeError for input that is no LZ4 block or larger than `limit` when expanded */
export function lz4DecompressBlock(input: Uint8Array, limit: number): Uint8Array {
	const output = new Uint8Array(Math.min(limit, input.length * MAX_EXPANSION));
	return output.subarray(0, expandBlock(input, output));
}

/**
 * Parquet's deprecated `LZ4` codec: frames of (uncompressed size, compressed size, block), big-endian, as Hadoop writes
 * them, or a bare block, as other writers did.
 * @throws RangeError for anything else, or when larger than `limit`
 */
export function lz4DecompressHadoop(input: Uint8Array, limit: number): Uint8Array {
	try {
		return expandHadoopFrames(input, limit);
	} catch {
		return lz4DecompressBlock(input, limit);
	}
}

function expandHadoopFrames(input: Uint8Array, limit: number): Uint8Array {
	const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
	const parts: Uint8Array[] = [];
	let total = 0;
	let at = 0;
	while (at < input.length) {
		if (input.length - at < 8) throw new RangeError('ends within a frame');
		const size = view.getUint32(at);
		const compressed = view.getUint32(at + 4);
		at += 8;
		if (compressed > input.length - at || total + size > limit || size > compressed * MAX_EXPANSION) {
			throw new RangeError('no frame');
		}
		const part = lz4DecompressBlock(input.subarray(at, at + compressed), size);
		if (part.length !== size) throw new RangeError('a frame of another size');
		parts.push(part);
		total += size;
		at += compressed;
	}
	if (parts.length === 1) return parts[0] as Uint8Array;
	const output = new Uint8Array(total);
	let to = 0;
	for (const part of parts) {
		output.set(part, to);
		to += part.length;
	}
	return output;
}

function expandBlock(input: Uint8Array, output: Uint8Array): number {
	const end = input.length;
	const room = output.length;
	let at = 0;
	let to = 0;
	while (at < end) {
		const token = input[at++] as number;
		let literals = token >>> 4;
		if (literals === 15) {
			let byte: number;
			do {
				if (at >= end) throw new RangeError('ends within a length');
				byte = input[at++] as number;
				literals += byte;
			} while (byte === 255);
		}
		if (literals > end - at || literals > room - to) throw new RangeError('literals cross the end');
		if (literals <= 16) for (let i = 0; i < literals; i++) output[to + i] = input[at + i] as number;
		else output.set(input.subarray(at, at + literals), to);
		at += literals;
		to += literals;
		if (at === end) return to;
		if (at + 2 > end) throw new RangeError('ends within an offset');
		const offset = (input[at] as number) | ((input[at + 1] as number) << 8);
		at += 2;
		let length = (token & 15) + MIN_MATCH;
		if ((token & 15) === 15) {
			let byte: number;
			do {
				if (at >= end) throw new RangeError('ends within a length');
				byte = input[at++] as number;
				length += byte;
			} while (byte === 255);
		}
		if (offset === 0 || offset > to || length > room - to) throw new RangeError('a match from or to outside');
		copyWithin(output, to, offset, length);
		to += length;
	}
	throw new RangeError('ends without its last literals');
}
