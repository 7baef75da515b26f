import { describe, expect, it } from 'vitest';
import { BytesTable } from '../../../src/codec/parquet/encode-bytes-table.ts';
import { DictionaryPolicy } from '../../../src/codec/parquet/encode-dictionary.ts';

/** A policy whose first page has so many values, of 8 bytes each. */
function afterPage(values: number): DictionaryPolicy {
	const policy = new DictionaryPolicy(2 * 1024 * 1024);
	policy.pageValues = values;
	policy.pagePlainBytes = values * 8;
	return policy;
}

describe('whether a dictionary is kept after the first page', () => {
	it.each([
		['few values, many times each', 20_000, 100, true],
		['values that the next pages will repeat: 60,000 in all, of which 20,000 rows show 17,000', 20_000, 17_000, true],
		['values that are almost all different', 20_000, 19_100, false],
		['values that are all different', 20_000, 20_000, false],
		['too few values to tell what comes', 900, 800, false],
	])('%s', (_name, values, distinct, kept) => {
		const policy = afterPage(values);
		expect(policy.endPage(distinct * 8, distinct)).toBe(kept);
		expect(policy.active).toBe(kept);
	});

	it('not by a page of nulls', () => {
		const policy = afterPage(0);
		expect(policy.endPage(0, 0)).toBe(false);
		expect(policy.active).toBe(true);
	});

	it.each([
		['a page that repeats some of the first', 20_000, 17_000 + 14_000, true],
		['a page as new as the first: times that move on', 20_000, 17_000 + 16_500, false],
		['a page too short to tell', 900, 17_000 + 900, true],
	])('and one that does not pay yet after %s', (_name, values, distinct, kept) => {
		const policy = afterPage(20_000);
		expect(policy.endPage(17_000 * 8, 17_000)).toBe(true);
		policy.pageValues = values;
		expect(policy.endPage(distinct * 8, distinct)).toBe(true);
		expect(policy.active).toBe(kept);
		policy.reset();
		expect(policy.active).toBe(true);
	});

	it('no longer once it is full', () => {
		const policy = afterPage(20_000);
		expect(policy.endPage(100, 10)).toBe(true);
		expect(policy.endPage(2 * 1024 * 1024, 10)).toBe(true);
		expect(policy.active).toBe(false);
	});
});

describe('the distinct values of a column of bytes', () => {
	it('are told apart at every length, whatever their bytes', () => {
		const values = [
			...allOver('ab', 13),
			'\0',
			'\0\0',
			'a\0',
			...allOver('xy', 3).map((text) => `a longer prefix ${text}`),
		];
		const source = new TextEncoder().encode(values.join(''));
		const view = new DataView(source.buffer);
		const table = new BytesTable(4);
		const entriesOf = () => {
			let start = 0;
			return values.map((value) => {
				const entry = table.entry(source, view, start, value.length);
				start += value.length;
				return entry;
			});
		};
		const inOrder = values.map((_, i) => i);
		expect(entriesOf()).toEqual(inOrder);
		expect(entriesOf()).toEqual(inOrder);
		expect(table.count).toBe(values.length);
	});
});

/** All texts of these letters, from none up to `maxLength`. */
function allOver(letters: string, maxLength: number): string[] {
	const texts = [''];
	for (const text of texts) if (text.length < maxLength) texts.push(...[...letters].map((letter) => text + letter));
	return texts;
}
