/** Parquet: RLE/Bit-Packing Hybrid, the same bytes as src/codec/parquet/encode-hybrid.ts writes. */
import { at, INDICES, PACKED, reserve } from './regions';

const RUN: u32 = 8;

/** Encodes the first `count` INDICES, each below 2^`bitWidth`, into PACKED; returns how many bytes they take there. */
export function packIndices(count: u32, bitWidth: u32): u32 {
	const groups = (count + 7) >>> 3;
	reserve(PACKED, groups * (bitWidth + 2) + 16, 0);
	const indices = at(INDICES);
	const packed = at(PACKED);
	let to = packed;
	let literalStart: u32 = 0;
	let i: u32 = 0;
	while (i < count) {
		const value = load<u32>(indices + (i << 2));
		let end = i + 1;
		while (end < count && load<u32>(indices + (end << 2)) === value) end++;
		if (end - i < RUN) {
			i = min(i + RUN, count);
			continue;
		}
		if (i > literalStart) to = packGroups(indices, literalStart, i, bitWidth, to);
		to = varint(to, (end - i) << 1);
		for (let bits: u32 = 0; bits < bitWidth; bits += 8) store<u8>(to++, <u8>(value >>> bits));
		i = end;
		literalStart = end;
	}
	if (count > literalStart) to = packGroups(indices, literalStart, count, bitWidth, to);
	return <u32>(to - packed);
}

function packGroups(indices: usize, from: u32, to: u32, bitWidth: u32, out: usize): usize {
	const groups = (to - from + 7) >>> 3;
	out = varint(out, (groups << 1) | 1);
	const end = out + groups * bitWidth;
	let held: u64 = 0;
	let heldBits: u32 = 0;
	for (let i = from; i < to; i++) {
		held |= (<u64>load<u32>(indices + (i << 2))) << heldBits;
		heldBits += bitWidth;
		if (heldBits >= 32) {
			store<u32>(out, <u32>held);
			out += 4;
			held >>>= 32;
			heldBits -= 32;
		}
	}
	for (; out < end; out++) {
		store<u8>(out, <u8>held);
		held >>>= 8;
	}
	return end;
}

function varint(to: usize, value: u32): usize {
	while (value >= 0x80) {
		store<u8>(to++, <u8>(value | 0x80));
		value >>>= 7;
	}
	store<u8>(to++, <u8>value);
	return to;
}
