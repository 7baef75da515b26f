/** Arrays of texts of which few are distinct to vectors: each of these is checked and encoded once. */
import type { Type } from '../spec/types.ts';
import { clearBit, onesBitmap } from './bitmap.ts';
import { textsVector } from './texts-in.ts';
import type { DictionaryVector } from './vector.ts';

/** Texts by which it is judged whether those to come are repeated, and how many distinct ones there may be among them. */
const SAMPLE_TEXTS = 512;
const SAMPLE_DISTINCT = 64;

/** Most distinct texts of a vector. */
export const DISTINCT_LIMIT = 1_024;

/** Slots of texts met lately, by a hash of their length and three units: a power of two. */
const SLOTS = 1_024;

/**
 * The texts at [from, to) of an array, as {@link textsVector} takes them; `undefined` also where many are distinct.
 */
export function repeatedTexts(
	type: Type,
	texts: readonly unknown[],
	from: number,
	to: number,
	nullable: boolean,
): DictionaryVector | undefined {
	if (!seemRepeated(texts, from, to)) return undefined;
	const length = to - from;
	const indices = new Int32Array(length);
	const distinct: string[] = [];
	const entries = new Map<string, number>();
	const slotTexts: (string | undefined)[] = new Array(SLOTS).fill(undefined);
	const slotEntries = new Int32Array(SLOTS);
	let validity: Uint8Array | null = null;
	let nullCount = 0;
	for (let i = 0; i < length; i++) {
		const text = texts[from + i];
		if (typeof text === 'string') {
			const slot = slotOf(text);
			let entry = slotEntries[slot] as number;
			if (slotTexts[slot] !== text) {
				const found = entries.get(text);
				if (found === undefined) {
					if (distinct.length === DISTINCT_LIMIT) return undefined;
					entry = distinct.push(text) - 1;
					entries.set(text, entry);
				} else entry = found;
				slotTexts[slot] = text;
				slotEntries[slot] = entry;
			}
			indices[i] = entry;
		} else if (nullable && (text === null || text === undefined)) {
			validity ??= onesBitmap(length);
			clearBit(validity, i);
			nullCount++;
		} else return undefined;
	}
	const dictionary = textsVector(type, distinct, 0, distinct.length, false);
	return dictionary && { type, length, nullCount, validity, layout: 'dictionary', indices, dictionary };
}

/** Texts that are alike mostly differ at their end. */
function slotOf(text: string): number {
	const { length } = text;
	if (length < 2) return length;
	const [last, next, middle] = [length - 1, length - 2, length >> 1];
	return (
		(text.charCodeAt(last) * 31 + text.charCodeAt(next) * 7 + text.charCodeAt(middle) * 131 + length) & (SLOTS - 1)
	);
}

function seemRepeated(texts: readonly unknown[], from: number, to: number): boolean {
	const count = Math.min(SAMPLE_TEXTS, to - from);
	if (count < SAMPLE_TEXTS) return false;
	const distinct = new Set<unknown>();
	let present = 0;
	for (let i = from; i < from + count; i++) {
		const text = texts[i];
		if (text === null || text === undefined) continue;
		distinct.add(text);
		present++;
		if (distinct.size > SAMPLE_DISTINCT) return false;
	}
	return present > 2 * distinct.size;
}
