/** What the column writer asks of an encoder of values, whatever their physical type. */
import type { Vector } from '../../column/vector.ts';
import type { GrowingBytes } from './encode-buffer.ts';
import type { Levels } from './levels.ts';

/** Least and greatest of a page's values, in PLAIN form; both absent when there is none (no value, NaN only, no order). */
export interface ValueStatistics {
	readonly min: Uint8Array | undefined;
	readonly max: Uint8Array | undefined;
	/** 0 for all but floats and doubles */
	readonly nanCount: number;
}

export interface DictionaryPage {
	readonly valueCount: number;
	/** PLAIN; valid until {@link ValueEncoder.reset} */
	readonly bytes: Uint8Array;
}

/**
 * Collects the values of one page after the other. Values come as present entries of levels over the bound vector;
 * `from` and `to` count present entries.
 */
export interface ValueEncoder {
	/**
	 * The vector that the next levels' positions point into. `firstRow` is for messages.
	 * @throws `INVALID_DATA` for values that do not fit the column
	 */
	bind(vector: Vector): void;
	/** bytes that entries take in PLAIN encoding */
	plainSize(levels: Levels, from: number, to: number): number;
	/** No fewer bytes than so many of the vector's values take in PLAIN encoding; infinite where only a look at them tells. */
	mostPlainBytes(count: number): number;
	append(levels: Levels, from: number, to: number): void;
	/** bytes of PLAIN values that the page may still take */
	readonly room: number;
	/** bytes of the page's values so far, about as they will be encoded */
	readonly pageSizeBytes: number;
	/** bytes of the dictionary so far */
	readonly dictionarySizeBytes: number;
	/** of the page's values; to be taken before {@link finishPage} */
	statistics(): ValueStatistics;
	/** Appends the page's values to `out`, starts the next page, and returns the encoding that was used. */
	finishPage(out: GrowingBytes): number;
	/** The dictionary that pages of this chunk refer to, if any does. */
	dictionaryPage(): DictionaryPage | undefined;
	/** Starts the next chunk. */
	reset(): void;
}

export interface EncoderOptions {
	/** bytes of PLAIN values of a page */
	readonly pageSizeBytes: number;
	/** bytes at which the dictionary is given up; 0: none */
	readonly dictSizeBytes: number;
}

/** Most entries of a dictionary, so that an index takes at most 20 bits. */
export const MAX_DICTIONARY_ENTRIES = 1 << 20;

/** A dictionary may grow beyond its limit by about this much before that is noticed. */
export const DICTIONARY_SLACK_BYTES = 65_536;
