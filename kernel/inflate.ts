/**
 * Expands a block of DEFLATE data with fixed codes (RFC 1951, 3.2.6), in AssemblyScript. Compiled by itself to
 * src/codec/inflate-kernel-module.ts; src/codec/inflate-kernel.ts is the host's side, and puts the tables of codes, as
 * src/codec/inflate-codes.ts makes them, where they are looked for here.
 */

const LITERAL_TABLE: usize = 1024;
const LITERAL_MASK: u32 = 511;
const DISTANCE_TABLE: usize = 3072;
const DISTANCE_MASK: u32 = 31;
/** Where the data are to stand; whole words are read, so that some beyond their end are read too. */
export const SOURCE: u32 = 4096;
/** Where they are expanded to. */
export const TARGET: u32 = 16384;

const WORD: usize = 8;

const LITERAL: u32 = 0;
const BASE: u32 = 1;
const END_OF_BLOCK: u32 = 2;

/**
 * Expands the one block of `length` bytes, header included, to at most `room` bytes. How many they are, or -1 where there is no
 * room or anything is wrong.
 */
export function expandFixed(length: u32, room: u32): i32 {
	const sourceEnd: usize = SOURCE + length;
	const targetEnd: usize = TARGET + room;
	let position: usize = SOURCE + 1;
	// the header's three bits are known
	let hold: u64 = (load<u8>(SOURCE) as u64) >> 3;
	let bits: u32 = 5;
	let at: usize = TARGET;
	while (true) {
		// 32 bits are the most that a match takes
		if (bits < 32) {
			if (position > sourceEnd + WORD) return -1;
			hold |= load<u64>(position) << (bits as u64);
			const whole = (63 - bits) >> 3;
			position += whole;
			bits += whole << 3;
		}
		let entry = load<u32>(LITERAL_TABLE + (((hold as u32) & LITERAL_MASK) << 2));
		let size = entry & 15;
		hold >>= size as u64;
		bits -= size;
		const kind = (entry >> 8) & 3;
		if (kind == LITERAL) {
			if (at == targetEnd) return -1;
			store<u8>(at++, (entry >> 16) as u8);
			continue;
		}
		if (kind == END_OF_BLOCK) break;
		if (kind != BASE) return -1;
		size = (entry >> 4) & 15;
		const end = at + (entry >> 16) + ((hold as u32) & ((1 << size) - 1));
		hold >>= size as u64;
		bits -= size;

		entry = load<u32>(DISTANCE_TABLE + (((hold as u32) & DISTANCE_MASK) << 2));
		if (((entry >> 8) & 3) != BASE) return -1;
		size = entry & 15;
		hold >>= size as u64;
		bits -= size;
		size = (entry >> 4) & 15;
		const distance = (entry >> 16) + ((hold as u32) & ((1 << size) - 1));
		hold >>= size as u64;
		bits -= size;
		if (distance > at - TARGET || end > targetEnd) return -1;
		for (let from: usize = at - distance; at < end; ) store<u8>(at++, load<u8>(from++));
	}
	// bits beyond the end were not there
	return position - (bits >> 3) > sourceEnd ? -1 : ((at - TARGET) as i32);
}
