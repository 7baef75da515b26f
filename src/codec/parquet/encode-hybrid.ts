/** Parquet: RLE/Bit-Packing Hybrid, as levels and dictionary indices are written. */
import type { GrowingBytes } from './encode-buffer.ts';

/** Bits that values up to `highest` take. */
export function bitWidthOf(highest: number): number {
	return 32 - Math.clz32(highest);
}

/** Widest values that {@link encodeHybrid} takes: packing holds a value and up to 7 bits before it in 31 bits. */
export const MAX_BIT_WIDTH = 24;

/**
 * Appends the first `count` values, each below 2^`bitWidth`, without a length before them. Eight or more equal values
 * become a run; the others are packed in groups of eight.
 */
export function encodeHybrid(
	values: Uint8Array | Int32Array,
	count: number,
	bitWidth: number,
	out: GrowingBytes,
): void {
	// packed groups and their headers; runs take less than the values that they stand for
	out.reserve(Math.ceil(count / 8) * bitWidth + 16 + Math.ceil(count / 8) * 2);
	let literalStart = 0;
	let at = 0;
	while (at < count) {
		const value = values[at] as number;
		let end = at + 1;
		while (end < count && values[end] === value) end++;
		if (end - at < 8) {
			at = Math.min(at + 8, count);
			continue;
		}
		if (at > literalStart) packGroups(values, literalStart, at, bitWidth, out);
		encodeRun(value, end - at, bitWidth, out);
		at = end;
		literalStart = end;
	}
	if (count > literalStart) packGroups(values, literalStart, count, bitWidth, out);
}

/** Appends one run of `count` times `value`. */
export function encodeRun(value: number, count: number, bitWidth: number, out: GrowingBytes): void {
	out.varint(count * 2);
	out.reserve(4);
	for (let bits = 0; bits < bitWidth; bits += 8) out.bytes[out.length++] = (value >>> bits) & 0xff;
}

function packGroups(
	values: Uint8Array | Int32Array,
	from: number,
	to: number,
	bitWidth: number,
	out: GrowingBytes,
): void {
	const groups = Math.ceil((to - from) / 8);
	out.varint(groups * 2 + 1);
	out.reserve(groups * bitWidth);
	const { bytes } = out;
	let at = out.length;
	let held = 0;
	let heldBits = 0;
	for (let i = from; i < to; i++) {
		held |= (values[i] as number) << heldBits;
		heldBits += bitWidth;
		while (heldBits >= 8) {
			bytes[at++] = held & 0xff;
			held >>>= 8;
			heldBits -= 8;
		}
	}
	if (heldBits > 0) bytes[at++] = held & 0xff;
	// the last group is filled up with zeros
	const end = out.length + groups * bitWidth;
	bytes.fill(0, at, end);
	out.length = end;
}
