/**
 * Raw DEFLATE (RFC 1951), expanded without `node:zlib`, which makes a stream object for each call: metadata that
 * PyIceberg wrote has a block of a few hundred bytes for each file of a table. For small input; zlib expands large
 * input faster.
 */
import {
	BASE,
	CodeTable,
	distanceAlphabet,
	END_OF_BLOCK,
	lengthAlphabet,
	LITERAL,
	literalAlphabet,
} from './inflate-codes.ts';
import { type InflateKernel, openInflateKernel } from './inflate-kernel.ts';

/** Input up to which this is faster than `node:zlib`, bytes. */
export const SMALL_DEFLATE_BYTES = 8192;

/** What {@link inflateRawInto} returns where the target has no room for all. */
export const NO_ROOM = -1;

/** A block's first three bits: the last one, with fixed codes. RFC 1951, 3.2.3 */
const LAST_FIXED_BLOCK = 0b011;
/** A process that opens one table has fewer than that to expand, for which no kernel is opened. */
const KERNEL_AFTER_BLOCKS = 32;

/** The order in which lengths of codes for lengths stand. RFC 1951, 3.2.7 */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_LITERAL_CODES = 286;
const MAX_DISTANCE_CODES = 30;

/**
 * Expands the bytes of `source` between `start` and `end` into `target` from `at` on and returns where what was written ends,
 * or {@link NO_ROOM}: then `target` is overwritten in part. Bytes after the end of the data are ignored, as zlib does.
 * @throws `RangeError` for bytes that are no DEFLATE data or are cut short
 */
export function inflateRawInto(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
	inflater ??= new Inflater();
	if (end > start && ((source[start] as number) & 7) === LAST_FIXED_BLOCK) {
		if (++fixedBlocks === KERNEL_AFTER_BLOCKS)
			kernel = openInflateKernel(inflater.fixed.literals, inflater.fixed.distances);
		const to = kernel?.expand(source, start, end, target, at) ?? -1;
		if (to >= 0) return to;
		// too large or damaged: what exactly, the other way tells
	}
	return inflater.run(source, start, end, target, at);
}

let inflater: Inflater | undefined;
let kernel: InflateKernel | undefined;
let fixedBlocks = 0;

class Inflater {
	#source: Uint8Array = new Uint8Array(0);
	#position = 0;
	#end = 0;
	#target: Uint8Array = new Uint8Array(0);
	#targetStart = 0;
	#at = 0;
	/** the next bits of the source, lowest first, and how many */
	#hold = 0;
	#bits = 0;
	readonly fixed = fixedTables();
	#literals: CodeTable | undefined;
	#distances: CodeTable | undefined;
	#lengthCodes: CodeTable | undefined;
	readonly #lengths = new Uint8Array(MAX_LITERAL_CODES + MAX_DISTANCE_CODES);

	run(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
		this.#source = source;
		this.#position = start;
		this.#end = end;
		this.#target = target;
		this.#targetStart = this.#at = at;
		this.#hold = this.#bits = 0;
		for (;;) {
			const header = this.#take(3);
			if (!this.#block(header >> 1)) return NO_ROOM;
			if ((header & 1) === 1) return this.#at;
		}
	}

	/** False where there is no room. */
	#block(type: number): boolean {
		switch (type) {
			case 0:
				return this.#stored();
			case 1:
				return this.#symbols(this.fixed.literals, this.fixed.distances);
			case 2:
				return this.#dynamic();
			default:
				throw damaged('a block of no known type');
		}
	}

	#stored(): boolean {
		this.#take(this.#bits & 7);
		const length = this.#take(16);
		if (length !== (this.#take(16) ^ 0xffff)) throw damaged('the length of a stored block');
		// whole bytes that were read ahead
		this.#position -= this.#bits >> 3;
		this.#hold = this.#bits = 0;
		const end = this.#position + length;
		if (end > this.#end) throw cutShort();
		if (length > this.#target.length - this.#at) return false;
		this.#target.set(this.#source.subarray(this.#position, end), this.#at);
		this.#at += length;
		this.#position = end;
		return true;
	}

	#dynamic(): boolean {
		const literals = (this.#literals ??= new CodeTable(literalAlphabet()));
		const distances = (this.#distances ??= new CodeTable(distanceAlphabet()));
		const literalCount = this.#take(5) + 257;
		const distanceCount = this.#take(5) + 1;
		if (literalCount > MAX_LITERAL_CODES || distanceCount > MAX_DISTANCE_CODES) throw damaged('too many codes');
		this.#readLengths(literalCount + distanceCount);
		const lengths = this.#lengths;
		if (lengths[256] === 0) throw damaged('no code for the end of a block');
		if (!literals.build(lengths, 0, literalCount)) throw damaged('codes of literals');
		if (!distances.build(lengths, literalCount, distanceCount)) throw damaged('codes of distances');
		return this.#symbols(literals, distances);
	}

	#readLengths(count: number): void {
		const codes = (this.#lengthCodes ??= new CodeTable(lengthAlphabet(), 7));
		const lengths = this.#lengths;
		const codeCount = this.#take(4) + 4;
		lengths.fill(0, 0, LENGTH_ORDER.length);
		for (let i = 0; i < codeCount; i++) lengths[LENGTH_ORDER[i] as number] = this.#take(3);
		if (!codes.build(lengths, 0, LENGTH_ORDER.length)) throw damaged('codes of lengths');
		let i = 0;
		while (i < count) {
			this.#refill();
			const entry = codes.root[this.#hold & codes.rootMask] as number;
			this.#drop(entry & 15);
			const symbol = entry >> 16;
			if (symbol < 16) {
				lengths[i++] = symbol;
				continue;
			}
			if (symbol === 16 && i === 0) throw damaged('a repeated length without one before');
			const value = symbol === 16 ? (lengths[i - 1] as number) : 0;
			const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
			if (times > count - i) throw damaged('more lengths than codes');
			lengths.fill(value, i, i + times);
			i += times;
		}
	}

	/** The symbols of a block. What changes with each of them stays in local variables: it is what all time is spent on. */
	#symbols(literals: CodeTable, distances: CodeTable): boolean {
		const source = this.#source;
		const target = this.#target;
		const sourceEnd = this.#end;
		const targetStart = this.#targetStart;
		const targetEnd = target.length;
		const literalRoot = literals.root;
		const literalMask = literals.rootMask;
		const distanceRoot = distances.root;
		const distanceMask = distances.rootMask;
		let position = this.#position;
		let hold = this.#hold;
		let bits = this.#bits;
		let at = this.#at;
		for (;;) {
			// 20 bits are enough for a code and its extra bits
			while (bits < 20 && position < sourceEnd) {
				hold |= (source[position++] as number) << bits;
				bits += 8;
			}
			let entry = literalRoot[hold & literalMask] as number;
			if (entry === 0) entry = literals.find(hold, bits);
			let size = entry & 15;
			if (size === 0 || size > bits) throw cutShort();
			hold >>>= size;
			bits -= size;
			const kind = (entry >> 8) & 3;
			if (kind === LITERAL) {
				if (at === targetEnd) return false;
				target[at++] = entry >> 16;
				continue;
			}
			if (kind === END_OF_BLOCK) break;
			if (kind !== BASE) throw damaged('a code of no literal');
			size = (entry >> 4) & 15;
			if (size > bits) throw cutShort();
			const length = (entry >> 16) + (hold & ((1 << size) - 1));
			hold >>>= size;
			bits -= size;

			while (bits < 16 && position < sourceEnd) {
				hold |= (source[position++] as number) << bits;
				bits += 8;
			}
			entry = distanceRoot[hold & distanceMask] as number;
			if (entry === 0) entry = distances.find(hold, bits);
			size = entry & 15;
			if (size === 0 || size > bits) throw cutShort();
			if (((entry >> 8) & 3) !== BASE) throw damaged('a code of no distance');
			hold >>>= size;
			bits -= size;
			size = (entry >> 4) & 15;
			while (bits < size && position < sourceEnd) {
				hold |= (source[position++] as number) << bits;
				bits += 8;
			}
			if (size > bits) throw cutShort();
			let from = at - (entry >> 16) - (hold & ((1 << size) - 1));
			hold >>>= size;
			bits -= size;
			if (from < targetStart) throw damaged('a distance beyond the start');
			const end = at + length;
			if (end > targetEnd) return false;
			while (at < end) target[at++] = target[from++] as number;
		}
		this.#position = position;
		this.#hold = hold;
		this.#bits = bits;
		this.#at = at;
		return true;
	}

	#take(count: number): number {
		this.#refill();
		const value = this.#hold & ((1 << count) - 1);
		this.#drop(count);
		return value;
	}

	#refill(): void {
		while (this.#bits < 20 && this.#position < this.#end) {
			this.#hold |= (this.#source[this.#position++] as number) << this.#bits;
			this.#bits += 8;
		}
	}

	#drop(count: number): void {
		if (count > this.#bits) throw cutShort();
		this.#hold >>>= count;
		this.#bits -= count;
	}
}

/** RFC 1951, 3.2.6 */
export function fixedTables(): { readonly literals: CodeTable; readonly distances: CodeTable } {
	const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
	const literals = new CodeTable(literalAlphabet());
	const distances = new CodeTable(distanceAlphabet(), 5);
	literals.build(lengths, 0, lengths.length);
	distances.build(new Uint8Array(32).fill(5), 0, 32);
	return { literals, distances };
}

function damaged(what: string): RangeError {
	return new RangeError(`damaged DEFLATE data: ${what}`);
}

function cutShort(): RangeError {
	return new RangeError('DEFLATE data that is cut short');
}
