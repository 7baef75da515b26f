import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBatch } from '../../src/column/check-batch.ts';
import { getValue, vectorOf } from '../../src/column/vector-values.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { convertBatch } from '../../src/ingest/convert-batch.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { tables } from '../column/arbitraries.ts';

function schemaOf(...fields: NestedField[]): Schema {
	return new Schema({ schemaId: 0, fields });
}
function field(id: number, name: string, type: Type, rest: Partial<NestedField> = {}): NestedField {
	return { id, name, required: false, type, ...rest };
}
function batchOf(schema: Schema, rows: readonly (readonly Value[])[]): ColumnBatch {
	const columns = schema.fields.map((each, k) =>
		vectorOf(
			each.type,
			rows.map((row) => row[k] as Value),
		),
	);
	return { fields: schema.fields, length: rows.length, columns };
}
/** Rows of one schema as another has them. */
function converted(from: Schema, to: Schema, rows: readonly (readonly Value[])[]): Value[][] {
	const batch = convertBatch(from, to, batchOf(from, rows));
	expect(batch.fields).toBe(to.fields);
	checkBatch(to.fields, batch);
	return rows.map((_, i) => batch.columns.map((column) => getValue(column, i)));
}
const int: Type = { kind: 'int' };
const string: Type = { kind: 'string' };

describe('rows of an older schema', () => {
	it('keep their values by field id, whatever the columns are called and in which order they stand', () => {
		const from = schemaOf(field(1, 'a', int), field(2, 'b', string), field(3, 'gone', int));
		const to = schemaOf(field(2, 'a', string), field(4, 'new', string), field(1, 'z', int));
		expect(
			converted(from, to, [
				[1, 'x', 9],
				[null, null, 9],
			]),
		).toEqual([
			['x', null, 1],
			[null, null, null],
		]);
	});

	it('get the write default of a new column, and the first default where it is required', () => {
		const from = schemaOf(field(1, 'a', int));
		const to = schemaOf(
			field(1, 'a', int),
			field(2, 'b', string, { initialDefault: 'old', writeDefault: 'new' }),
			field(3, 'c', string, { initialDefault: 'old', required: true }),
			field(4, 'd', string, { initialDefault: 'old' }),
		);
		expect(converted(from, to, [[1], [2]])).toEqual([
			[1, 'new', 'old', null],
			[2, 'new', 'old', null],
		]);
	});

	it('are promoted as the spec allows', () => {
		const cases: [Type, Type, Value, Value][] = [
			[int, { kind: 'long' }, -5, -5n],
			[{ kind: 'float' }, { kind: 'double' }, Math.fround(0.1), Math.fround(0.1)],
			[{ kind: 'decimal', precision: 5, scale: 2 }, { kind: 'decimal', precision: 30, scale: 2 }, -12345n, -12345n],
			[{ kind: 'date' }, { kind: 'timestamp' }, -1, -86_400_000_000n],
			[{ kind: 'date' }, { kind: 'timestamp_ns' }, 3, 259_200_000_000_000n],
			[{ kind: 'unknown' }, string, null, null],
		];
		for (const [before, after, value, expected] of cases) {
			const list = (element: Type): Type => ({ kind: 'list', elementId: 2, elementRequired: false, element });
			const map = (item: Type): Type => ({
				kind: 'map',
				keyId: 2,
				key: int,
				valueId: 3,
				valueRequired: false,
				value: item,
			});
			const struct = (inner: Type): Type => ({ kind: 'struct', fields: [field(2, 'in', inner)] });
			for (const [wrap, wrapValue] of [
				[(type: Type) => type, (each: Value) => each],
				[list, (each: Value) => [each, null]],
				[map, (each: Value) => [[7, each]]],
				[struct, (each: Value) => [each]],
			] as const)
				expect(
					converted(schemaOf(field(1, 'a', wrap(before))), schemaOf(field(1, 'a', wrap(after))), [
						[wrapValue(value) as Value],
						[null],
					]),
				).toEqual([[wrapValue(expected)], [null]]);
		}
	});

	it('change within structs as well', () => {
		const from = schemaOf(field(1, 's', { kind: 'struct', fields: [field(2, 'a', int), field(3, 'gone', int)] }));
		const inner = [field(4, 'new', string, { writeDefault: 'd' }), field(2, 'b', { kind: 'long' })];
		const to = schemaOf(field(1, 's', { kind: 'struct', fields: inner }));
		expect(converted(from, to, [[[1, 2]], [null]])).toEqual([[['d', 1n]], [null]]);
	});

	it('are refused, naming the column, where the new schema cannot hold them', () => {
		const list = (elementId: number): Type => ({ kind: 'list', elementId, elementRequired: false, element: int });
		const struct = (...fields: NestedField[]): Type => ({ kind: 'struct', fields });
		const cases: [NestedField[], NestedField[], Value[], RegExp][] = [
			[[field(1, 'a', int)], [field(1, 'a', int), field(2, 'must', int, { required: true })], [1], /'must'.*required/],
			[[field(1, 'a', int)], [field(1, 'a', int, { required: true })], [null], /a/],
			[[field(1, 'a', int)], [field(1, 'b', string)], [1], /'b': its type was changed from int to string/],
			[[field(1, 'a', { kind: 'long' })], [field(1, 'a', int)], [1n], /from long to int/],
			[[field(1, 'a', { kind: 'date' })], [field(1, 'a', { kind: 'timestamp_ns' })], [2_000_000], /beyond the range/],
			[
				[field(1, 'a', { kind: 'decimal', precision: 9, scale: 2 })],
				[field(1, 'a', { kind: 'decimal', precision: 12, scale: 3 })],
				[1n],
				/no promotion/,
			],
			[[field(1, 'a', list(2))], [field(1, 'a', list(3))], [[1]], /'a'/],
			[
				[field(1, 's', struct(field(2, 'x', int)))],
				[field(1, 's', struct(field(2, 'x', int), field(3, 'y', int, { required: true })))],
				[[1]],
				/'s\.y'/,
			],
		];
		for (const [before, after, row, message] of cases) {
			const from = schemaOf(...before);
			const run = (): ColumnBatch => convertBatch(from, schemaOf(...after), batchOf(from, [row]));
			expect(run).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
			expect(run).toThrow(message);
		}
	});

	it('come through unchanged where the schema did not change, in another object or the same', () => {
		fc.assert(
			fc.property(tables(10, 2), ({ fields, rows }) => {
				const from = schemaOf(...fields);
				const batch = batchOf(from, rows);
				expect(convertBatch(from, from, batch)).toBe(batch);
				const again = schemaOf(...structuredClone(fields));
				expect(converted(from, again, rows)).toEqual(rows);
			}),
		);
	});
});
