import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareValues } from '../../src/spec/compare.ts';
import { truncateLower, truncateUpper } from '../../src/spec/truncate-bounds.ts';
import type { Type } from '../../src/spec/types.ts';
import { isWellFormed } from '../../src/util/well-formed.ts';

const string: Type = { kind: 'string' };
const binary: Type = { kind: 'binary' };
// Many characters at the edges where raising the last one is delicate.
const edgy = fc.string({
	unit: fc.constantFrom(
		'a',
		'é',
		'\ud7ff',
		'\ue000',
		'\uffff',
		'\u{10000}',
		'\u{1f600}',
		'\u{10ffff}',
		'\u{10fffe}',
		'\x7f',
	),
	maxLength: 12,
});

describe('bounds of strings', () => {
	it.each([
		['iceberg', 3, 'ice', 'icf'],
		['ice', 3, 'ice', 'ice'],
		['a\u{1f600}b', 2, 'a\u{1f600}', 'a\u{1f601}'],
		['a\u{10ffff}b', 2, 'a\u{10ffff}', 'b'],
		['\u{10ffff}\u{10ffff}b', 2, '\u{10ffff}\u{10ffff}', undefined],
		['\ud7ffx', 1, '\ud7ff', '\ue000'],
		['\uffffx', 1, '\uffff', '\u{10000}'],
	])('%j cut to %d', (value, width, lower, upper) => {
		expect(truncateLower(string, value, width)).toBe(lower);
		expect(truncateUpper(string, value, width)).toBe(upper);
	});

	it('enclose the value and everything that starts like it, in well-formed text of at most the width', () => {
		const compare = compareValues(string);
		fc.assert(
			fc.property(edgy, edgy, fc.integer({ min: 1, max: 6 }), (value, tail, width) => {
				const lower = truncateLower(string, value, width) as string;
				const upper = truncateUpper(string, value, width) as string | undefined;
				expect(compare(lower, value)).toBeLessThanOrEqual(0);
				expect([...lower].length).toBeLessThanOrEqual(width);
				expect(isWellFormed(lower)).toBe(true);
				expect(value.startsWith(lower)).toBe(true);
				if (upper === undefined) {
					expect([...value].slice(0, width).every((c) => c === '\u{10ffff}')).toBe(true);
					return;
				}
				expect(compare(upper, value)).toBeGreaterThanOrEqual(0);
				expect([...upper].length).toBeLessThanOrEqual(width);
				expect(isWellFormed(upper)).toBe(true);
				if ([...value].length > width) expect(compare(upper, lower + tail)).toBeGreaterThan(0);
			}),
			{ numRuns: 2_000 },
		);
	});
});

describe('bounds of bytes', () => {
	it.each([
		[[1, 2, 3], 2, [1, 2], [1, 3]],
		[[1, 255, 3], 2, [1, 255], [2]],
		[[255, 255, 3], 2, [255, 255], undefined],
		[[1, 2], 2, [1, 2], [1, 2]],
	])('%j cut to %d', (value, width, lower, upper) => {
		expect(truncateLower(binary, Uint8Array.from(value), width)).toEqual(Uint8Array.from(lower));
		expect(truncateUpper(binary, Uint8Array.from(value), width)).toEqual(
			upper === undefined ? undefined : Uint8Array.from(upper),
		);
	});

	it('enclose the value', () => {
		const compare = compareValues(binary);
		const bytes = fc
			.array(fc.constantFrom(0, 1, 127, 128, 254, 255), { maxLength: 8 })
			.map((array) => Uint8Array.from(array));
		fc.assert(
			fc.property(bytes, fc.integer({ min: 1, max: 6 }), (value, width) => {
				expect(compare(truncateLower(binary, value, width), value)).toBeLessThanOrEqual(0);
				const upper = truncateUpper(binary, value, width);
				if (upper !== undefined) expect(compare(upper, value)).toBeGreaterThanOrEqual(0);
				else expect(value.subarray(0, width).every((byte) => byte === 255)).toBe(true);
			}),
		);
	});

	it('leave the value as it was', () => {
		const value = Uint8Array.of(1, 2, 3);
		truncateUpper(binary, value, 2);
		expect(value).toEqual(Uint8Array.of(1, 2, 3));
	});
});

it('leaves values of other types as they are', () => {
	expect(truncateLower({ kind: 'long' }, 123456n, 2)).toBe(123456n);
	expect(truncateUpper({ kind: 'decimal', precision: 9, scale: 2 }, 123456n, 2)).toBe(123456n);
});
