import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BytesVector, ColumnBatch, Vector } from '../../src/column/vector.ts';
import { vectorOf } from '../../src/column/vector-values.ts';
import type { Transform } from '../../src/spec/partition-spec.ts';
import { bindTransform, canTransform } from '../../src/spec/transform.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { groupRows, Partitioner } from '../../src/write/partitioner.ts';
import { orNull, typedColumns } from '../column/arbitraries.ts';

const transforms = fc.oneof(
	fc
		.constantFrom<Transform['kind']>('identity', 'year', 'month', 'day', 'hour', 'void')
		.map((kind) => ({ kind }) as Transform),
	fc.integer({ min: 1, max: 20 }).map((buckets): Transform => ({ kind: 'bucket', buckets })),
	fc.integer({ min: 1, max: 10 }).map((width): Transform => ({ kind: 'truncate', width })),
);
const spec = (...parts: Transform[]) => ({
	specId: 1,
	fields: parts.map((transform, i) => ({ sourceId: i + 1, fieldId: 1000 + i, name: `p${i}`, transform })),
});
const fieldOf = (id: number, type: Type): NestedField => ({ id, name: `c${id}`, required: false, type });
const batchOf = (fields: NestedField[], columns: Vector[]): ColumnBatch => ({
	fields,
	length: columns[0]?.length ?? 0,
	columns,
});

describe('Partitioner', () => {
	it('gives each row the values that the transform gives, batch after batch', () => {
		fc.assert(
			fc.property(typedColumns(30), transforms, ({ type, column }, transform) => {
				fc.pre(canTransform(transform, type));
				const fields = [fieldOf(1, type)];
				const partitioner = new Partitioner(spec(transform), fields);
				const apply = bindTransform(transform, type);
				for (const values of [column, [...column].reverse()]) {
					const numbers = partitioner.numbersOf(batchOf(fields, [vectorOf(type, values)]));
					values.forEach((value, i) => {
						expect(partitioner.valuesOf(numbers[i] as number)).toEqual([apply(value)]);
					});
				}
			}),
			{ numRuns: 400 },
		);
	});

	it('tells equal values apart from different ones, NaN and -0 included', () => {
		const type: Type = { kind: 'double' };
		const fields = [fieldOf(1, type)];
		const partitioner = new Partitioner(spec({ kind: 'identity' }), fields);
		const numbers = partitioner.numbersOf(batchOf(fields, [vectorOf(type, [Number.NaN, 0, -0, Number.NaN, null, 0])]));
		expect([...numbers]).toEqual([0, 1, 2, 0, 3, 1]);
	});

	it('combines several fields', () => {
		fc.assert(
			fc.property(
				fc.array(fc.tuple(orNull({ kind: 'int' }, false), fc.constantFrom('a', 'b', null)), { maxLength: 40 }),
				(rows) => {
					const fields = [fieldOf(1, { kind: 'int' }), fieldOf(2, { kind: 'string' })];
					const partitioner = new Partitioner(spec({ kind: 'bucket', buckets: 3 }, { kind: 'identity' }), fields);
					const bucket = bindTransform({ kind: 'bucket', buckets: 3 }, { kind: 'int' });
					const columns = [0, 1].map((k) =>
						vectorOf(
							(fields[k] as NestedField).type,
							rows.map((row) => row[k] as Value),
						),
					);
					const numbers = partitioner.numbersOf(batchOf(fields, columns));
					const seen = new Map<string, number>();
					rows.forEach(([id, name], i) => {
						const values = [bucket(id), name];
						expect(partitioner.valuesOf(numbers[i] as number)).toEqual(values);
						const known = seen.get(JSON.stringify(values)) ?? (numbers[i] as number);
						expect(numbers[i]).toBe(known);
						seen.set(JSON.stringify(values), known);
					});
					expect(new Set(seen.values()).size).toBe(seen.size);
				},
			),
		);
	});

	it('reads dictionaries by entry', () => {
		const type: Type = { kind: 'string' };
		const fields = [fieldOf(1, type)];
		const dictionary = vectorOf(type, ['berlin', 'bern', 'cologne']) as BytesVector;
		const vector: Vector = {
			type,
			layout: 'dictionary',
			length: 5,
			nullCount: 1,
			validity: Uint8Array.of(0b10111),
			indices: Int32Array.of(0, 1, 2, 0, 0),
			dictionary,
		};
		for (const transform of [
			{ kind: 'truncate', width: 2 },
			{ kind: 'bucket', buckets: 7 },
			{ kind: 'identity' },
		] as Transform[]) {
			const partitioner = new Partitioner(spec(transform), fields);
			const apply = bindTransform(transform, type);
			const numbers = partitioner.numbersOf(batchOf(fields, [vector]));
			expect([...numbers].map((number) => partitioner.valuesOf(number)[0])).toEqual(
				['berlin', 'bern', 'cologne', null, 'berlin'].map((value) => apply(value)),
			);
		}
	});

	it('takes columns within structs, null where the struct is', () => {
		const type: Type = { kind: 'struct', fields: [fieldOf(1, { kind: 'string' })] };
		const fields = [fieldOf(9, type)];
		const partitioner = new Partitioner(spec({ kind: 'identity' }), fields);
		const numbers = partitioner.numbersOf(batchOf(fields, [vectorOf(type, [['a'], null, [null], ['a']])]));
		expect([...numbers].map((number) => partitioner.valuesOf(number))).toEqual([['a'], [null], [null], ['a']]);
	});

	it('refuses a source column that is not there, but not for a void field', () => {
		const fields = [fieldOf(5, { kind: 'int' })];
		expect(() => new Partitioner(spec({ kind: 'identity' }), fields)).toThrow(
			/partition field 'p0'.*no column with field id 1/,
		);
		const partitioner = new Partitioner(spec({ kind: 'void' }), fields);
		expect(
			partitioner.valuesOf(partitioner.numbersOf(batchOf(fields, [vectorOf({ kind: 'int' }, [1])]))[0] as number),
		).toEqual([null]);
	});
});

it('groupRows keeps the order of rows and of first occurrence', () => {
	fc.assert(
		fc.property(fc.array(fc.nat(5)), (numbers) => {
			const groups = groupRows(Int32Array.from(numbers));
			expect(groups.map(({ partition }) => partition)).toEqual([...new Set(numbers)]);
			for (const { partition, rows } of groups)
				expect([...rows]).toEqual(numbers.flatMap((number, i) => (number === partition ? [i] : [])));
		}),
	);
});
