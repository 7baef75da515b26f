import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textsVector } from '../../src/column/texts-in.ts';
import type { Vector } from '../../src/column/vector.ts';
import { getValue } from '../../src/column/vector-values.ts';

const STRING = { kind: 'string' } as const;
const valuesOf = (vector: Vector) => Array.from({ length: vector.length }, (_, i) => getValue(vector, i));

describe('many texts at once', () => {
	it('come out as they went in, from anywhere in the array', () => {
		const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }));
		fc.assert(
			fc.property(fc.array(fc.option(text), { maxLength: 200 }), fc.nat(50), (texts, from) => {
				const part = texts.slice(Math.min(from, texts.length));
				const vector = textsVector(STRING, texts, texts.length - part.length, texts.length, true);
				expect(vector).toMatchObject({ nullCount: part.filter((each) => each === null).length, length: part.length });
				expect(valuesOf(vector as Vector)).toEqual(part);
			}),
		);
	});

	it('go over runs that are ASCII, that are not, and that hold one long text', () => {
		const texts = Array.from({ length: 20_000 }, (_, i) => (i >= 9000 && i % 3 === 0 ? `zwölf ${i} 😀` : `row ${i}`));
		texts[500] = 'x'.repeat(3_000_000);
		texts[15_000] = 'ß'.repeat(2_000_000);
		const vector = textsVector(STRING, texts, 0, texts.length, false) as Vector;
		expect(valuesOf(vector)).toEqual(texts);
	});

	it.each<[string, unknown[], boolean]>([
		['a null that may not be', ['a', null], false],
		['nothing where something must be', ['a', undefined], false],
		['a number', ['a', 1], true],
		['an object that prints as text', ['a', { toString: () => 'b' }], true],
		['a lone surrogate', ['a', '\ud83d'], true],
		['halves of a character in two texts', ['a\ud83d', '\ude00b'], true],
	])('leave %s to the builder', (_name, texts, nullable) => {
		expect(textsVector(STRING, texts, 0, texts.length, nullable)).toBeUndefined();
	});

	it('take what is undefined as null', () => {
		expect(valuesOf(textsVector(STRING, [undefined, 'a'], 0, 2, true) as Vector)).toEqual([null, 'a']);
		expect(valuesOf(textsVector(STRING, [], 0, 0, true) as Vector)).toEqual([]);
	});
});
