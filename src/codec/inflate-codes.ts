/** Huffman codes of DEFLATE as tables. RFC 1951, 3.2.2 and 3.2.5 to 3.2.7. */

export const MAX_CODE_BITS = 15;
/** Codes of up to so many bits are found at one look; longer ones, which are rare, bit by bit. */
const ROOT_BITS = 9;

/** What an entry of a table stands for, in its bits 8 and 9. */
export const LITERAL = 0;
export const BASE = 1;
export const END_OF_BLOCK = 2;
export const NO_SYMBOL = 3;

/** Symbols of one kind and their entries: bits 0 to 3 are the code's length, 4 to 7 the count of extra bits, 8 and 9 the kind, 16 and up the value. */
export interface Alphabet {
	readonly entries: Int32Array;
	/** A set of codes may leave some unused only where it has a single code of one bit, or none at all. RFC 1951, 3.2.7 */
	readonly mayBeIncomplete: boolean;
}

/** One set of codes; its memory is used for one set after the other. */
export class CodeTable {
	/** by the next {@link ROOT_BITS} bits; 0 where the code is longer or there is none */
	readonly root: Int32Array;
	readonly rootMask: number;
	readonly #alphabet: Alphabet;
	/** of each length: how many codes */
	readonly #counts = new Int32Array(MAX_CODE_BITS + 1);
	readonly #offsets = new Int32Array(MAX_CODE_BITS + 1);
	readonly #nextCodes = new Int32Array(MAX_CODE_BITS + 1);
	/** symbols by code */
	readonly #symbols: Int32Array;

	constructor(alphabet: Alphabet, rootBits = ROOT_BITS) {
		this.#alphabet = alphabet;
		this.#symbols = new Int32Array(alphabet.entries.length);
		this.root = new Int32Array(1 << rootBits);
		this.rootMask = (1 << rootBits) - 1;
	}

	/** Takes the code lengths of symbols 0 to `count - 1`. False for lengths that make no set of codes. */
	build(lengths: Uint8Array, from: number, count: number): boolean {
		const counts = this.#counts;
		counts.fill(0);
		for (let i = 0; i < count; i++) {
			const bits = lengths[from + i] as number;
			counts[bits] = (counts[bits] as number) + 1;
		}
		counts[0] = 0;
		let free = 1;
		let longest = 0;
		let code = 0;
		let offset = 0;
		for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
			const here = counts[bits] as number;
			free = (free << 1) - here;
			if (free < 0) return false;
			if (here > 0) longest = bits;
			code = (code + (counts[bits - 1] as number)) << 1;
			this.#nextCodes[bits] = code;
			this.#offsets[bits] = offset;
			offset += here;
		}
		if (free > 0 && !(this.#alphabet.mayBeIncomplete && longest <= 1)) return false;
		this.root.fill(0);
		for (let i = 0; i < count; i++) this.#add(i, lengths[from + i] as number);
		return true;
	}

	/**
	 * The entry of a code that {@link root} does not have, found from the `available` bits of `hold`; 0 where the bits are too
	 * few, an entry of {@link NO_SYMBOL} where no code starts so.
	 */
	find(hold: number, available: number): number {
		let code = 0;
		let first = 0;
		let index = 0;
		for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
			if (bits > available) return 0;
			code = (code << 1) | ((hold >>> (bits - 1)) & 1);
			const here = this.#counts[bits] as number;
			first <<= 1;
			if (code - first < here) {
				const symbol = this.#symbols[index + code - first] as number;
				return (this.#alphabet.entries[symbol] as number) | bits;
			}
			index += here;
			first += here;
		}
		return (NO_SYMBOL << 8) | 1;
	}

	#add(symbol: number, bits: number): void {
		if (bits === 0) return;
		const place = this.#offsets[bits] as number;
		this.#offsets[bits] = place + 1;
		this.#symbols[place] = symbol;
		const code = this.#nextCodes[bits] as number;
		this.#nextCodes[bits] = code + 1;
		const step = 1 << bits;
		if (step > this.root.length) return;
		// Codes stand in the stream from their highest bit on, the lowest first of all else.
		let reversed = 0;
		for (let i = 0; i < bits; i++) reversed |= ((code >>> i) & 1) << (bits - 1 - i);
		const entry = (this.#alphabet.entries[symbol] as number) | bits;
		for (let i = reversed; i < this.root.length; i += step) this.root[i] = entry;
	}
}

/** Entries of symbols that stand for a base to which extra bits are added. */
function baseEntries(into: number[], extraBits: readonly number[], firstBase: number): void {
	let base = firstBase;
	for (const extra of extraBits) {
		into.push((base << 16) | (BASE << 8) | (extra << 4));
		base += 1 << extra;
	}
}

const NONE = NO_SYMBOL << 8;

function literalsAndLengths(): Int32Array {
	const entries: number[] = [];
	for (let byte = 0; byte < 256; byte++) entries.push(byte << 16);
	entries.push(END_OF_BLOCK << 8);
	baseEntries(entries, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5], 3);
	entries.push((258 << 16) | (BASE << 8), NONE, NONE);
	return Int32Array.from(entries);
}

function distances(): Int32Array {
	const entries: number[] = [];
	const extraBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
	baseEntries(entries, extraBits, 1);
	entries.push(NONE, NONE);
	return Int32Array.from(entries);
}

export function literalAlphabet(): Alphabet {
	return { entries: literalsAndLengths(), mayBeIncomplete: true };
}

export function distanceAlphabet(): Alphabet {
	return { entries: distances(), mayBeIncomplete: true };
}

/** The lengths of the other two sets' codes. */
export function lengthAlphabet(): Alphabet {
	return { entries: Int32Array.from({ length: 19 }, (_, symbol) => symbol << 16), mayBeIncomplete: false };
}
