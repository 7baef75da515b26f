/**
 * The dictionary of a column chunk while it is collected: whether to keep it, and how its indices are written. The hash
 * tables are in encode-words.ts, encode-bytes.ts and, for many values at once, in kernels.
 */
import type { GrowingBytes, GrowingInts } from './encode-buffer.ts';
import { bitWidthOf, encodeHybrid } from './encode-hybrid.ts';
import { DICTIONARY_SLACK_BYTES, MAX_DICTIONARY_ENTRIES } from './encode-values.ts';

/**
 * A first page in which at most this share of the values are new keeps a dictionary that does not pay yet, for another
 * page: where values are drawn from some ten times as many as a page has, the pages to come repeat them.
 */
const REPEATING_SHARE = 0.95;
/** Values of a first page that tell anything about those to come. */
const REPEATING_SAMPLE = 1_000;
/** The second page then must have at most this share of the first one's new values; of a sequence it has as many. */
const SATURATING_SHARE = 0.9;

export class DictionaryPolicy {
	/** values of the page under construction that were looked up */
	pageValues = 0;
	/** PLAIN bytes that the page's values would take */
	pagePlainBytes = 0;
	/** whether values go through the dictionary */
	active: boolean;
	/** whether a page refers to it */
	used = false;
	readonly #limitBytes: number;
	/** new values of the first page, while the dictionary does not pay yet; else 0 */
	#firstNew = 0;

	constructor(limitBytes: number) {
		this.#limitBytes = limitBytes;
		this.active = limitBytes > 0;
	}

	/** PLAIN bytes that may be appended before the page must end, if all of them were new. */
	room(dictionaryBytes: number, entryCount: number): number {
		if (dictionaryBytes >= this.#limitBytes || entryCount >= MAX_DICTIONARY_ENTRIES) return 0;
		return Math.max(DICTIONARY_SLACK_BYTES, this.#limitBytes - dictionaryBytes);
	}

	/**
	 * Decides at the end of a page. The first page must be smaller with the dictionary than without it, or promise that
	 * later ones will be, and the second must bear that out; a full dictionary serves no further page. Returns whether this
	 * page keeps its indices.
	 */
	endPage(dictionaryBytes: number, entryCount: number): boolean {
		const valueCount = this.pageValues;
		if (!this.used) {
			// a page of nulls decides nothing
			if (valueCount === 0) return false;
			const indexBytes = (valueCount * indexWidth(entryCount)) / 8;
			const pays = dictionaryBytes + indexBytes < this.pagePlainBytes;
			const promises = valueCount >= REPEATING_SAMPLE && entryCount <= valueCount * REPEATING_SHARE;
			if (!pays && !promises) {
				this.active = false;
				return false;
			}
			this.used = true;
			if (!pays) this.#firstNew = entryCount;
		} else if (this.#firstNew > 0 && valueCount >= REPEATING_SAMPLE) {
			if (entryCount - this.#firstNew > this.#firstNew * SATURATING_SHARE) this.active = false;
			this.#firstNew = 0;
		}
		if (this.room(dictionaryBytes, entryCount) === 0) this.active = false;
		return true;
	}

	clearPage(): void {
		this.pageValues = 0;
		this.pagePlainBytes = 0;
	}

	reset(): void {
		this.clearPage();
		this.used = false;
		this.#firstNew = 0;
		this.active = this.#limitBytes > 0;
	}
}

/** Appends indices in RLE_DICTIONARY encoding. */
export function writeIndices(out: GrowingBytes, indices: GrowingInts, entryCount: number): void {
	const width = indexWidth(entryCount);
	out.byte(width);
	encodeHybrid(indices.values, indices.length, width, out);
}

/** Bits of an index. At least 1: some readers do not take indices without bits. */
export function indexWidth(entryCount: number): number {
	return Math.max(1, bitWidthOf(entryCount - 1));
}

/** Slots of a dictionary's first table; a power of two. */
export const INITIAL_TABLE_SIZE = 16;

/** Spreads a hash over its low bits. */
export function mix(hash: number): number {
	let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return h ^ (h >>> 16);
}
