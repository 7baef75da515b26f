import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareStrings, compareValues, valuesEqual } from '../../src/spec/compare.ts';
import { typeFromJson } from '../../src/spec/type-json.ts';
import type { Type, Value } from '../../src/spec/types.ts';
import { primitiveValues } from '../support/arbitrary-types.ts';
import { primitiveTypes } from './arbitraries.ts';

const type = (text: string): Type => typeFromJson(text);
const ordered = primitiveTypes.filter((t) => t.kind !== 'geometry' && t.kind !== 'geography');

describe('compareValues', () => {
	it('orders doubles with -0 below 0 and NaN above all', () => {
		const values = [Number.NaN, 0, Number.POSITIVE_INFINITY, -0, 1, -1, Number.NEGATIVE_INFINITY];
		expect(values.sort(compareValues(type('double')))).toEqual([
			Number.NEGATIVE_INFINITY,
			-1,
			-0,
			0,
			1,
			Number.POSITIVE_INFINITY,
			Number.NaN,
		]);
		expect(compareValues(type('float'))(Number.NaN, Number.NaN)).toBe(0);
	});

	it('orders strings as their UTF-8 bytes', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
				expect(Math.sign(compareStrings(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
			}),
			{ numRuns: 1_000 },
		);
		// UTF-16 units would put the surrogates of U+1F600 below U+FFFD.
		expect(compareStrings('\u{1f600}', '\ufffd')).toBeGreaterThan(0);
	});

	it('orders bytes unsigned, a prefix first', () => {
		const compare = compareValues(type('binary'));
		expect(compare(Uint8Array.of(0x80), Uint8Array.of(0x7f))).toBeGreaterThan(0);
		expect(compare(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
	});

	it('is a total order that agrees with equality, for every type', () => {
		const triples = ordered.chain((t) =>
			fc.tuple(fc.constant(t), primitiveValues(t), primitiveValues(t), primitiveValues(t)),
		);
		fc.assert(
			fc.property(triples, ([t, a, b, c]) => {
				const compare = compareValues(t);
				expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)) + 0);
				expect(compare(a, a)).toBe(0);
				expect(compare(a, b) === 0).toBe(valuesEqual(t, a, b));
				if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
			}),
			{ numRuns: 500 },
		);
	});

	it('orders structs and lists part by part, nulls first', () => {
		const struct = typeFromJson({
			type: 'struct',
			fields: [
				{ id: 1, name: 'a', required: false, type: 'int' },
				{ id: 2, name: 'b', required: false, type: 'string' },
			],
		});
		const compare = compareValues(struct);
		const rows: Value[] = [
			[1, 'b'],
			[null, 'z'],
			[1, null],
			[0, 'c'],
		];
		expect(rows.sort(compare)).toEqual([
			[null, 'z'],
			[0, 'c'],
			[1, null],
			[1, 'b'],
		]);
		const list: Type = { kind: 'list', elementId: 1, elementRequired: false, element: { kind: 'int' } };
		expect(compareValues(list)([1], [1, null])).toBeLessThan(0);
		expect(compareValues(list)([null], [0])).toBeLessThan(0);
	});

	it('refuses types without an order', () => {
		expect(() => compareValues({ kind: 'variant' })).toThrow(/variant have no order/);
	});
});

describe('valuesEqual', () => {
	it('tells null from values and looks into nested ones', () => {
		const list: Type = { kind: 'list', elementId: 1, elementRequired: false, element: { kind: 'binary' } };
		expect(valuesEqual(list, [Uint8Array.of(1), null], [Uint8Array.of(1), null])).toBe(true);
		expect(valuesEqual(list, [null], [Uint8Array.of()])).toBe(false);
		expect(valuesEqual(list, null, [])).toBe(false);
		expect(valuesEqual(list, null, null)).toBe(true);
		const map: Type = {
			kind: 'map',
			keyId: 1,
			key: { kind: 'string' },
			valueId: 2,
			valueRequired: false,
			value: { kind: 'double' },
		};
		expect(valuesEqual(map, [['a', Number.NaN]], [['a', Number.NaN]])).toBe(true);
		expect(valuesEqual(map, [['a', 0]], [['a', -0]])).toBe(false);
		const variant = (byte: number): Value => ({ metadata: Uint8Array.of(1), value: Uint8Array.of(byte) });
		expect(valuesEqual({ kind: 'variant' }, variant(1), variant(1))).toBe(true);
		expect(valuesEqual({ kind: 'variant' }, variant(1), variant(2))).toBe(false);
	});
});
