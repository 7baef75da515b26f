/** Snappy's raw format: compression through WebAssembly (loaded at first use), expansion here, each copy checked. */
import { IcebergError } from '../errors/iceberg-error.ts';

let compressor: ((input: Uint8Array) => Uint8Array) | undefined;

export async function loadSnappyCompressor(): Promise<void> {
	if (compressor === undefined) {
		const { snappyCompressor } = await import('hysnappy');
		compressor ??= snappyCompressor();
	}
}

/** @throws `CLOSED` when {@link loadSnappyCompressor} has not resolved before */
export function snappyCompress(bytes: Uint8Array): Uint8Array {
	if (compressor === undefined) throw new IcebergError('CLOSED', 'the snappy compressor is used before it was loaded');
	return compressor(bytes);
}

/** Highest ratio of expansion: a copy of 64 bytes takes 3 bytes (2 with short offsets at most 11). */
const MAX_EXPANSION = 32;

/** @throws RangeError for input that is not Snappy or larger than `limit` when expanded */
export function snappyDecompress(input: Uint8Array, limit: number): Uint8Array {
	let at = 0;
	let size = 0;
	for (let factor = 1; ; factor *= 128) {
		if (at >= input.length || at > 4) throw new RangeError('no length at the start');
		const byte = input[at++] as number;
		size += (byte & 0x7f) * factor;
		if (byte < 0x80) break;
	}
	if (size > limit) throw new RangeError(`expands to ${size} bytes, more than ${limit}`);
	// says no to a short input with a huge length before memory is taken for it
	if (size > input.length * MAX_EXPANSION) throw new RangeError(`${input.length} bytes cannot expand to ${size}`);
	const output = new Uint8Array(size);
	const end = input.length;
	let to = 0;
	while (at < end) {
		const tag = input[at++] as number;
		let length: number;
		let offset: number;
		switch (tag & 3) {
			case 0: {
				length = (tag >>> 2) + 1;
				if (length > 60) {
					const bytes = length - 60;
					if (at + bytes > end) throw new RangeError('ends within a length');
					length = input[at] as number;
					if (bytes > 1) length |= (input[at + 1] as number) << 8;
					if (bytes > 2) length |= (input[at + 2] as number) << 16;
					if (bytes > 3) length += (input[at + 3] as number) * 0x1000000;
					length += 1;
					at += bytes;
				}
				if (length > end - at || length > size - to) throw new RangeError('a literal crosses the end');
				if (length <= 16) for (let i = 0; i < length; i++) output[to + i] = input[at + i] as number;
				else output.set(input.subarray(at, at + length), to);
				to += length;
				at += length;
				continue;
			}
			case 1:
				if (at + 1 > end) throw new RangeError('ends within a copy');
				length = ((tag >>> 2) & 7) + 4;
				offset = ((tag >>> 5) << 8) | (input[at++] as number);
				break;
			case 2:
				if (at + 2 > end) throw new RangeError('ends within a copy');
				length = (tag >>> 2) + 1;
				offset = (input[at] as number) | ((input[at + 1] as number) << 8);
				at += 2;
				break;
			default:
				if (at + 4 > end) throw new RangeError('ends within a copy');
				length = (tag >>> 2) + 1;
				offset =
					((input[at] as number) | ((input[at + 1] as number) << 8) | ((input[at + 2] as number) << 16)) +
					(input[at + 3] as number) * 0x1000000;
				at += 4;
		}
		if (offset === 0 || offset > to || length > size - to) throw new RangeError('a copy from or to outside');
		copyWithin(output, to, offset, length);
		to += length;
	}
	if (to !== size) throw new RangeError(`expands to ${to} bytes, not the ${size} that it says`);
	return output;
}

/** An LZ77 copy: `length` bytes from `offset` back, repeating what it writes when they overlap. */
export function copyWithin(output: Uint8Array, to: number, offset: number, length: number): void {
	if (offset >= length && length > 32) {
		output.copyWithin(to, to - offset, to - offset + length);
		return;
	}
	const end = to + length;
	for (let i = to; i < end; i++) output[i] = output[i - offset] as number;
}
