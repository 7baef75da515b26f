import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DISTINCT_LIMIT, repeatedTexts } from '../../src/column/repeated-texts.ts';
import type { Vector } from '../../src/column/vector.ts';
import { getValue } from '../../src/column/vector-values.ts';

const STRING = { kind: 'string' } as const;
const valuesOf = (vector: Vector) => Array.from({ length: vector.length }, (_, i) => getValue(vector, i));
const many = <T>(valueAt: (i: number) => T, length = 3_000) => Array.from({ length }, (_, i) => valueAt(i));
/** A new text each time, though its letters are the same. */
const copyOf = (text: string) => Buffer.from(text).toString();

describe('texts of which few are distinct', () => {
	it('come out as they went in, with a dictionary of each once', () => {
		const some = fc.array(fc.option(fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 40 });
		fc.assert(
			fc.property(some, fc.nat(100), (values, from) => {
				const texts = many((i) => {
					const value = values[(i * i + (i >> 3)) % values.length] ?? null;
					return value === null ? null : copyOf(value);
				});
				const part = texts.slice(from);
				const vector = repeatedTexts(STRING, texts, from, texts.length, true);
				const present = part.filter((text) => text !== null);
				if (present.length === 0) {
					expect(vector).toBeUndefined();
					return;
				}
				expect(vector).toMatchObject({ length: part.length, nullCount: part.length - present.length });
				expect(valuesOf(vector as Vector)).toEqual(part);
				expect(valuesOf((vector as typeof vector & {}).dictionary)).toEqual([...new Set(present)]);
			}),
		);
	});

	it('are told apart though their length and their last letters are the same', () => {
		const texts = many((i) => copyOf(`${'abc'[i % 3]}d${'ef'[(i >> 1) % 2]}gh`));
		expect(valuesOf(repeatedTexts(STRING, texts, 0, texts.length, false) as Vector)).toEqual(texts);
	});

	it.each<[string, unknown[], boolean]>([
		['too few to tell', many(() => 'a', 100), true],
		['many distinct ones', many((i) => `${i}`), true],
		[
			'more distinct ones than the first let expect',
			many((i) => (i < 1_000 ? 'a' : `${i % (DISTINCT_LIMIT + 1)}`)),
			true,
		],
		['nulls and nothing else', many(() => null), true],
		['a null that may not be', many((i) => (i === 2_000 ? null : 'a')), false],
		['nothing where something must be', many((i) => (i === 2_000 ? undefined : 'a')), false],
		['a number', many((i) => (i === 2_000 ? 1 : 'a')), true],
		['an object that prints as text', many((i) => (i === 2_000 ? { toString: (): string => 'a' } : 'a')), true],
		['a lone surrogate', many((i) => (i === 2_000 ? '\ud83d' : 'a')), true],
		['halves of a character in two texts', many((i) => (i % 2 === 0 ? 'a\ud83d' : '\ude00b')), true],
	])('leave %s to others', (_name, texts, nullable) => {
		expect(repeatedTexts(STRING, texts, 0, texts.length, nullable)).toBeUndefined();
	});

	it('take as many distinct ones as a vector may have', () => {
		const texts = many((i) => (i < 1_000 ? '0' : `${i % DISTINCT_LIMIT}`));
		expect(valuesOf(repeatedTexts(STRING, texts, 0, texts.length, false) as Vector)).toEqual(texts);
	});

	it('take what is undefined as null', () => {
		const texts = many((i) => (i % 3 === 0 ? undefined : 'a'));
		expect(valuesOf(repeatedTexts(STRING, texts, 0, texts.length, true) as Vector)).toEqual(
			texts.map((text) => text ?? null),
		);
	});
});
