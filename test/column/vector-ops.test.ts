import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BytesVector, Vector } from '../../src/column/vector.ts';
import { concat, flatten, slice, take } from '../../src/column/vector-ops.ts';
import { constantVector, getValue, isNullAt, nullVector, vectorOf } from '../../src/column/vector-values.ts';
import type { Type, Value } from '../../src/spec/types.ts';
import { orNull, typedColumns, types, values } from './arbitraries.ts';

function valuesOf(vector: Vector): Value[] {
	return Array.from({ length: vector.length }, (_, i) => getValue(vector, i));
}

/** What every vector must hold, whatever made it. */
function checkInvariants(vector: Vector): void {
	const nulls = Array.from({ length: vector.length }, (_, i) => isNullAt(vector, i)).filter(Boolean).length;
	expect(vector.nullCount).toBe(nulls);
	if (vector.layout === 'null') expect(vector.validity).toBeNull();
	else if (nulls === 0) expect(vector.validity).toBeNull();
	if (vector.layout === 'struct') {
		for (const child of vector.children) {
			expect(child.length).toBe(vector.length);
			checkInvariants(child);
		}
	}
	if (vector.layout === 'list' || vector.layout === 'map') {
		expect(vector.offsets.length).toBeGreaterThanOrEqual(vector.length + 1);
		for (let i = 0; i < vector.length; i++)
			expect(vector.offsets[i + 1]).toBeGreaterThanOrEqual(vector.offsets[i] as number);
		for (const child of vector.layout === 'list' ? [vector.child] : [vector.keys, vector.items]) {
			expect(child.length).toBeGreaterThanOrEqual(vector.offsets[vector.length] as number);
			checkInvariants(child);
		}
	}
}

/** The same text or binary column with a dictionary. */
function dictionaryOf(type: Type, column: Value[]): Vector {
	const distinct = [...new Set(column.filter((value) => value !== null))];
	const plain = vectorOf(type, column);
	return {
		type,
		layout: 'dictionary',
		length: plain.length,
		nullCount: plain.nullCount,
		validity: plain.validity,
		indices: Int32Array.from(column, (value) => (value === null ? 0 : distinct.indexOf(value))),
		dictionary: vectorOf(type, distinct) as BytesVector,
	};
}

describe('vectors', () => {
	it('give back the values that went in', () => {
		fc.assert(
			fc.property(typedColumns(), ({ type, column }) => {
				const vector = vectorOf(type, column);
				checkInvariants(vector);
				expect(valuesOf(vector)).toEqual(column);
			}),
		);
	});

	it('slice keeps the elements of the range, also of a slice', () => {
		fc.assert(
			fc.property(typedColumns(), fc.nat(40), fc.nat(40), fc.nat(40), ({ type, column }, a, b, c) => {
				const from = Math.min(a, b, column.length);
				const to = Math.min(Math.max(a, b), column.length);
				const part = slice(vectorOf(type, column), from, to);
				checkInvariants(part);
				expect(valuesOf(part)).toEqual(column.slice(from, to));
				const inner = Math.min(c, part.length);
				expect(valuesOf(slice(part, inner, part.length))).toEqual(column.slice(from, to).slice(inner));
			}),
		);
	});

	it('take picks elements in the order of the indexes, repeated ones too, also from a slice', () => {
		fc.assert(
			fc.property(typedColumns(), fc.array(fc.nat(1000), { maxLength: 60 }), ({ type, column }, picks) => {
				if (column.length < 2) return;
				const part = slice(vectorOf(type, column), 1, column.length);
				const indexes = Uint32Array.from(picks, (pick) => pick % part.length);
				const taken = take(part, indexes);
				checkInvariants(taken);
				expect(valuesOf(taken)).toEqual([...indexes].map((i) => column[i + 1]));
			}),
		);
	});

	it('concat puts them one after another, slices among them', () => {
		fc.assert(
			fc.property(
				types().chain((type) =>
					fc
						.array(fc.array(orNull(type, false), { maxLength: 20 }), { minLength: 1, maxLength: 4 })
						.map((columns) => ({ type, columns: columns as Value[][] })),
				),
				({ type, columns }) => {
					const parts = columns.map((column) => {
						const whole = vectorOf(type, [...column.slice(0, 1), ...column]);
						return slice(whole, Math.min(1, column.length), whole.length);
					});
					const whole = concat(parts);
					checkInvariants(whole);
					expect(valuesOf(whole)).toEqual(columns.flat());
				},
			),
		);
	});

	it('dictionaries behave as the plain column does', () => {
		const type: Type = { kind: 'string' };
		const column = fc.array(fc.option(fc.constantFrom('', 'ok', 'é', 'x'.repeat(60)), { nil: null }), {
			maxLength: 30,
		});
		fc.assert(
			fc.property(column, column, fc.nat(30), (one, two, at) => {
				const first = dictionaryOf(type, one);
				expect(valuesOf(first)).toEqual(one);
				const flat = flatten(first);
				expect(flat.layout).toBe('bytes');
				checkInvariants(flat);
				expect(valuesOf(flat)).toEqual(one);
				const cut = Math.min(at, one.length);
				expect(valuesOf(slice(first, cut, one.length))).toEqual(one.slice(cut));
				const joined = concat([slice(first, 0, cut), slice(first, cut, one.length)]);
				if (one.length > 0) expect(joined.layout).toBe('dictionary');
				expect(valuesOf(joined)).toEqual(one);
				expect(valuesOf(concat([first, dictionaryOf(type, two)]))).toEqual([...one, ...two]);
				expect(valuesOf(concat([vectorOf(type, two), first]))).toEqual([...two, ...one]);
				const back = Uint32Array.from(one, (_, i) => one.length - 1 - i);
				expect(valuesOf(take(first, back))).toEqual([...one].reverse());
			}),
		);
	});

	it('flatten reaches into structs, lists and maps', () => {
		const inner = dictionaryOf({ kind: 'string' }, ['a', null, 'b']);
		const type: Type = { kind: 'list', elementId: 1, elementRequired: false, element: { kind: 'string' } };
		const list: Vector = {
			type,
			layout: 'list',
			length: 2,
			nullCount: 0,
			validity: null,
			offsets: Int32Array.of(0, 2, 3),
			child: inner,
		};
		const flat = flatten(list);
		expect(flat.layout === 'list' && flat.child.layout).toBe('bytes');
		expect(valuesOf(flat)).toEqual([['a', null], ['b']]);
		const plain = vectorOf(type, [['a']]);
		expect(flatten(plain)).toBe(plain);
	});

	it('constants and nulls of any type', () => {
		fc.assert(
			fc.property(
				types().chain((type) => values(type).map((value) => ({ type, value }))),
				fc.nat(20),
				(one, n) => {
					const constant = constantVector(one.type, one.value, n);
					checkInvariants(constant);
					expect(constant.length).toBe(n);
					expect(valuesOf(constant)).toEqual(Array(n).fill(one.value));
					const nulls = nullVector(one.type, n);
					checkInvariants(nulls);
					expect(valuesOf(nulls)).toEqual(Array(n).fill(null));
					expect(valuesOf(slice(nulls, 0, n >> 1))).toEqual(Array(n >> 1).fill(null));
					if (n > 0) expect(valuesOf(concat([nulls, constant]))).toEqual([...valuesOf(nulls), ...valuesOf(constant)]);
				},
			),
		);
	});

	it('text that is not UTF-8 is corrupt, not mended', () => {
		const broken = { ...vectorOf({ kind: 'binary' }, [Uint8Array.of(0xff)]), type: { kind: 'string' } } as Vector;
		expect(() => getValue(broken, 0)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});
});
