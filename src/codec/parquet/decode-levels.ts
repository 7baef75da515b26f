/** Repetition and definition levels (Parquet spec: Nested Encoding; Encodings, RLE and BIT_PACKED). */
import { viewOf } from './decode-bits.ts';
import { corruptPage } from './decode-error.ts';
import { RleDecoder } from './decode-rle.ts';
import { Encoding } from './format.ts';

/** The levels of one page, read piece by piece. */
export interface LevelDecoder {
	/** @throws CORRUPT for a level above the column's highest */
	read(out: Uint8Array, at: number, count: number): void;
	/** Highest level 1 only: levels as bits into a bitmap that is 0 there; returns how many are 1. */
	readBitmap(out: Uint8Array, at: number, count: number): number;
}

/** Bits that hold a level. */
export function levelWidth(maxLevel: number): number {
	return 32 - Math.clz32(maxLevel);
}

/** The levels of a V1 page at `pos` and the position after them. `maxLevel` is above 0. @throws CORRUPT, UNSUPPORTED */
export function levelsV1(
	bytes: Uint8Array,
	pos: number,
	encoding: number,
	maxLevel: number,
	count: number,
): { readonly levels: LevelDecoder; readonly end: number } {
	if (encoding === Encoding.RLE) {
		if (pos + 4 > bytes.length) throw corruptPage('a page ends before its levels');
		const length = viewOf(bytes).getUint32(pos, true);
		const start = pos + 4;
		if (length > bytes.length - start)
			throw corruptPage(`levels of ${length} bytes where ${bytes.length - start} are left`);
		return { levels: rleLevels(bytes.subarray(start, start + length), maxLevel), end: start + length };
	}
	if (encoding === Encoding.BIT_PACKED) {
		const length = Math.ceil((count * levelWidth(maxLevel)) / 8);
		if (length > bytes.length - pos)
			throw corruptPage(`levels of ${length} bytes where ${bytes.length - pos} are left`);
		return { levels: new BitPackedLevels(bytes.subarray(pos, pos + length), maxLevel), end: pos + length };
	}
	throw corruptPage(`levels in encoding ${encoding} (expected RLE or BIT_PACKED)`);
}

/** Levels in RLE without a length before them, as in V2 pages. */
export function rleLevels(bytes: Uint8Array, maxLevel: number): LevelDecoder {
	return new RleLevels(bytes, maxLevel);
}

class RleLevels implements LevelDecoder {
	readonly #runs: RleDecoder;
	readonly #maxLevel: number;

	constructor(bytes: Uint8Array, maxLevel: number) {
		this.#runs = new RleDecoder(bytes, 0, levelWidth(maxLevel));
		this.#maxLevel = maxLevel;
	}

	read(out: Uint8Array, at: number, count: number): void {
		this.#runs.readBytes(out, at, count);
		checkLevels(out, at, count, this.#maxLevel);
	}

	readBitmap(out: Uint8Array, at: number, count: number): number {
		return this.#runs.readBitmap(out, at, count);
	}
}

/** The deprecated encoding: most significant bit first, no runs. */
class BitPackedLevels implements LevelDecoder {
	readonly #bytes: Uint8Array;
	readonly #maxLevel: number;
	readonly #width: number;
	#bit = 0;

	constructor(bytes: Uint8Array, maxLevel: number) {
		this.#bytes = bytes;
		this.#maxLevel = maxLevel;
		this.#width = levelWidth(maxLevel);
	}

	read(out: Uint8Array, at: number, count: number): void {
		for (let i = at; i < at + count; i++) out[i] = this.#next();
		checkLevels(out, at, count, this.#maxLevel);
	}

	readBitmap(out: Uint8Array, at: number, count: number): number {
		let ones = 0;
		for (let i = at; i < at + count; i++) {
			if (this.#next() === 0) continue;
			out[i >>> 3] = (out[i >>> 3] as number) | (1 << (i & 7));
			ones++;
		}
		return ones;
	}

	#next(): number {
		const byte = Math.floor(this.#bit / 8);
		if (byte >= this.#bytes.length) throw corruptPage('bit-packed levels end before their last value');
		const window = ((this.#bytes[byte] as number) << 8) | (this.#bytes[byte + 1] ?? 0);
		const level = (window >>> (16 - (this.#bit % 8) - this.#width)) & ((1 << this.#width) - 1);
		this.#bit += this.#width;
		return level;
	}
}

function checkLevels(levels: Uint8Array, at: number, count: number, maxLevel: number): void {
	// all levels fit the width, so a highest level of 2^n - 1 needs no check
	if (((maxLevel + 1) & maxLevel) === 0) return;
	for (let i = at; i < at + count; i++) {
		if ((levels[i] as number) > maxLevel) throw corruptPage(`a level of ${levels[i]} where the highest is ${maxLevel}`);
	}
}
