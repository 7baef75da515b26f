import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builderOf } from '../../src/column/builder.ts';
import type { BytesVector, ColumnBatch, DictionaryVector, Vector } from '../../src/column/vector.ts';
import { boundSet } from '../../src/expr/bound.ts';
import type { BoundExpression, BoundReference } from '../../src/expr/expression.ts';
import { compileBatchFilter, compileRowFilter } from '../../src/expr/row-filter.ts';
import { compareValues } from '../../src/spec/compare.ts';
import type { NestedField, StructValue, Type, Value } from '../../src/spec/types.ts';
import { expression, predicate, PRIMITIVES, referencesTo, rowsOf } from './arbitraries.ts';

function column(type: Type, values: readonly Value[]): Vector {
	const builder = builderOf(type);
	for (const value of values) {
		if (value === null) builder.appendNull();
		else builder.appendValue(value);
	}
	return builder.finish();
}

/** The same values behind a dictionary, one of whose entries is used by no row. */
function dictionaryOf(vector: BytesVector, values: readonly Value[]): DictionaryVector {
	const distinct = [...new Set(values.filter((value) => value !== null))];
	const dictionary = column(vector.type, [
		...distinct,
		...(vector.type.kind === 'string' ? ['unused'] : [Uint8Array.of(9)]),
	]);
	const indices = Int32Array.from(values, (value) => (value === null ? 0 : distinct.indexOf(value)));
	return {
		...vector,
		layout: 'dictionary',
		indices,
		dictionary: dictionary as BytesVector,
	} as unknown as DictionaryVector;
}

function batchOf(types: readonly Type[], rows: readonly StructValue[], dictionaries: boolean): ColumnBatch {
	const fields = types.map((type, i): NestedField => ({ id: i + 1, name: `c${i}`, required: false, type }));
	const columns = types.map((type, i) => {
		const values = rows.map((row) => row[i] as Value);
		const plain = column(type, values);
		return dictionaries && plain.layout === 'bytes' ? dictionaryOf(plain, values) : plain;
	});
	return { fields, length: rows.length, columns };
}

function indexes(selected: Uint32Array | 'all', length: number): number[] {
	return selected === 'all' ? Array.from({ length }, (_, i) => i) : [...selected];
}

function reference(type: Type): BoundReference {
	return referencesTo([type])[0] as BoundReference;
}

/** The meaning of predicates, written as plainly as can be. */
function meaning(expr: BoundExpression, row: StructValue): boolean {
	switch (expr.op) {
		case 'true':
			return true;
		case 'false':
			return false;
		case 'and':
			return expr.children.every((child) => meaning(child, row));
		case 'or':
			return expr.children.some((child) => meaning(child, row));
		default:
	}
	const value = row[expr.ref.path[0] as number] as Value;
	const compare = (literal: Value): number => compareValues(expr.ref.type)(value, literal);
	switch (expr.op) {
		case 'is-null':
			return value === null;
		case 'not-null':
			return value !== null;
		case 'is-nan':
			return Number.isNaN(value);
		case 'not-nan':
			return !Number.isNaN(value);
		case 'eq':
			return value !== null && compare(expr.literal) === 0;
		case 'not-eq':
			return value === null || compare(expr.literal) !== 0;
		case 'lt':
			return value !== null && compare(expr.literal) < 0;
		case 'lt-eq':
			return value !== null && compare(expr.literal) <= 0;
		case 'gt':
			return value !== null && compare(expr.literal) > 0;
		case 'gt-eq':
			return value !== null && compare(expr.literal) >= 0;
		case 'in':
			return value !== null && expr.literals.some((literal) => compare(literal) === 0);
		case 'not-in':
			return value === null || !expr.literals.some((literal) => compare(literal) === 0);
		case 'starts-with':
			return value !== null && (value as string).startsWith(expr.literal as string);
		case 'not-starts-with':
			return value === null || !(value as string).startsWith(expr.literal as string);
	}
}

describe('filters of rows and batches', () => {
	for (const type of PRIMITIVES) {
		it(`agree with the meaning of each predicate on ${JSON.stringify(type)}`, () => {
			const ref = reference(type);
			fc.assert(
				fc.property(rowsOf([type], 40), predicate(ref), fc.boolean(), (rows, expr, dictionaries) => {
					const expected = rows.flatMap((row, i) => (meaning(expr, row) ? [i] : []));
					const keep = compileRowFilter(expr);
					expect(rows.flatMap((row, i) => (keep(row) ? [i] : []))).toEqual(expected);
					const batch = batchOf([type], rows, dictionaries);
					const select = compileBatchFilter(expr, batch.fields);
					expect(indexes(select(batch), rows.length)).toEqual(expected);
					expect(indexes(select(batch), rows.length)).toEqual(expected);
				}),
				{ numRuns: 150 },
			);
		});
	}

	it('agree on predicates over several columns, joined by and, or', () => {
		const types: Type[] = [{ kind: 'int' }, { kind: 'string' }, { kind: 'double' }];
		fc.assert(
			fc.property(rowsOf(types, 30), expression(referencesTo(types)), (rows, expr) => {
				const expected = rows.flatMap((row, i) => (meaning(expr, row) ? [i] : []));
				const keep = compileRowFilter(expr);
				expect(rows.flatMap((row, i) => (keep(row) ? [i] : []))).toEqual(expected);
				const batch = batchOf(types, rows, false);
				expect(indexes(compileBatchFilter(expr, batch.fields)(batch), rows.length)).toEqual(expected);
			}),
			{ numRuns: 300 },
		);
	});

	it('compare any two longs and any two wide decimals exactly', () => {
		const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
		const wide = fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n });
		for (const [type, values] of [
			[{ kind: 'long' }, long],
			[{ kind: 'decimal', precision: 38, scale: 0 }, wide],
		] as const) {
			const ref = reference(type);
			fc.assert(
				fc.property(
					fc.array(values, { maxLength: 20 }),
					values,
					fc.array(values, { minLength: 2 }),
					(list, literal, others) => {
						const rows = [literal, ...list, literal - 1n > -(2n ** 63n) ? literal - 1n : 0n].map((value) => [value]);
						const batch = batchOf([type], rows, false);
						for (const op of ['lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq'] as const) {
							const expr = { op, ref, literal };
							const expected = rows.flatMap((row, i) => (meaning(expr, row) ? [i] : []));
							expect(indexes(compileBatchFilter(expr, batch.fields)(batch), rows.length)).toEqual(expected);
						}
						const member = boundSet('in', ref, [literal, ...others]);
						const expected = rows.flatMap((row, i) => (meaning(member, row) ? [i] : []));
						expect(indexes(compileBatchFilter(member, batch.fields)(batch), rows.length)).toEqual(expected);
					},
				),
				{ numRuns: 60 },
			);
		}
	});

	it('find fields of structs by id, null where a parent is null', () => {
		const inner: NestedField = { id: 3, name: 'x', required: false, type: { kind: 'int' } };
		const struct: Type = {
			kind: 'struct',
			fields: [{ id: 9, name: 'other', required: false, type: { kind: 'string' } }, inner],
		};
		const values: Value[] = [['p', 5], null, ['q', null], ['r', 7]];
		const batch: ColumnBatch = {
			fields: [
				{ id: 1, name: 'pad', required: false, type: { kind: 'int' } },
				{ id: 2, name: 's', required: false, type: struct },
			],
			length: 4,
			columns: [column({ kind: 'int' }, [1, 1, 1, 1]), column(struct, values)],
		};
		// Bound to another order of columns: batches are asked by id, rows by position.
		const ref: BoundReference = { name: 's.x', fieldId: 3, type: { kind: 'int' }, path: [0, 1], nullable: true };
		const select = (expr: BoundExpression): number[] => indexes(compileBatchFilter(expr, batch.fields)(batch), 4);
		expect(select({ op: 'gt', ref, literal: 5 })).toEqual([3]);
		expect(select({ op: 'is-null', ref })).toEqual([1, 2]);
		expect(select({ op: 'not-eq', ref, literal: 5 })).toEqual([1, 2, 3]);
		const whole: BoundReference = { name: 's', fieldId: 2, type: struct, path: [0], nullable: true };
		expect(select({ op: 'is-null', ref: whole })).toEqual([1]);
		const keep = compileRowFilter({ op: 'is-null', ref });
		expect(values.map((value) => keep([value]))).toEqual([false, true, true, false]);
	});

	it('let a null parent hide what other writers leave below it', () => {
		const type: Type = { kind: 'struct', fields: [{ id: 3, name: 'x', required: true, type: { kind: 'int' } }] };
		const child = column({ kind: 'int' }, [5, 5, 5]);
		const struct: Vector = {
			layout: 'struct',
			type,
			length: 3,
			nullCount: 1,
			validity: Uint8Array.of(0b101),
			children: [child],
		};
		const batch: ColumnBatch = { fields: [{ id: 2, name: 's', required: false, type }], length: 3, columns: [struct] };
		const ref: BoundReference = { name: 's.x', fieldId: 3, type: { kind: 'int' }, path: [0, 0], nullable: true };
		expect(indexes(compileBatchFilter({ op: 'eq', ref, literal: 5 }, batch.fields)(batch), 3)).toEqual([0, 2]);
		expect(indexes(compileBatchFilter({ op: 'is-null', ref }, batch.fields)(batch), 3)).toEqual([1]);
	});

	it('take columns of nulls and empty batches', () => {
		const ref = reference({ kind: 'int' });
		const fields = [{ id: 1, name: 'c0', required: false, type: { kind: 'int' } as const }];
		const nulls: Vector = { layout: 'null', type: { kind: 'int' }, length: 3, nullCount: 3, validity: null };
		const all: ColumnBatch = { fields, length: 3, columns: [nulls] };
		expect(compileBatchFilter({ op: 'eq', ref, literal: 1 }, fields)(all)).toEqual(new Uint32Array(0));
		expect(compileBatchFilter({ op: 'not-eq', ref, literal: 1 }, fields)(all)).toBe('all');
		const none = batchOf([{ kind: 'int' }], [], false);
		expect(indexes(compileBatchFilter({ op: 'eq', ref, literal: 1 }, fields)(none), 0)).toEqual([]);
	});

	it('refuse batches that lack the column or hold another type', () => {
		const ref = reference({ kind: 'int' });
		const expr: BoundExpression = { op: 'eq', ref, literal: 1 };
		expect(() => compileBatchFilter(expr, [])).toThrow(/column 'c0' .*not among/);
		expect(() => compileBatchFilter(expr, [{ id: 1, name: 'c0', required: false, type: { kind: 'long' } }])).toThrow(
			/of type long in the batch, but int/,
		);
	});
});
