import { describe, expect, it } from 'vitest';
import { batchesFromColumns } from '../../src/column/columns-in.ts';
import { columns, isColumnsInput } from '../../src/column/columns-input.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { getValue, vectorOf } from '../../src/column/vector-values.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';

const field = (id: number, name: string, type: Type, required = false): NestedField => ({ id, name, required, type });
const fields = [
	field(1, 'id', { kind: 'long' }, true),
	field(2, 'score', { kind: 'double' }),
	{ ...field(3, 'note', { kind: 'string' }), writeDefault: 'none' },
];

async function read(input: Parameters<typeof columns>[0], of = fields): Promise<Value[][]> {
	const rows: Value[][] = [];
	for await (const batch of batchesFromColumns(of, columns(input))) rows.push(...rowsOf(batch));
	return rows;
}
function rowsOf(batch: ColumnBatch): Value[][] {
	return Array.from({ length: batch.length }, (_, i) => batch.columns.map((column) => getValue(column, i)));
}

describe('batchesFromColumns', () => {
	it('takes arrays, typed arrays and vectors side by side', async () => {
		const id = BigInt64Array.of(1n, -(2n ** 63n));
		expect(await read({ id, score: [0.5, null], note: vectorOf({ kind: 'string' }, ['a', null]) })).toEqual([
			[1n, 0.5, 'a'],
			[-(2n ** 63n), null, null],
		]);
	});

	it('fills columns that are not given, from write defaults or with nulls', async () => {
		expect(await read({ id: Int32Array.of(7) })).toEqual([[7n, null, 'none']]);
	});

	it('shares the memory of a typed array that has the layout of the column', async () => {
		const id = BigInt64Array.of(1n, 2n);
		const { value } = await batchesFromColumns(fields, columns({ id })).next();
		const [column] = (value as ColumnBatch).columns;
		expect(column?.layout === 'int64' && column.values.buffer).toBe(id.buffer);
	});

	it('cuts long columns into batches', async () => {
		const id = BigInt64Array.from({ length: 150_000 }, (_, i) => BigInt(i));
		const lengths: number[] = [];
		let next = 0n;
		for await (const batch of batchesFromColumns(fields, columns({ id }))) {
			lengths.push(batch.length);
			for (const [value] of rowsOf(batch)) expect(value === next++).toBe(true);
		}
		expect(lengths).toEqual([65_536, 65_536, 18_928]);
	});

	it.each<[string, Type, ArrayBufferView, Value[]]>([
		['Uint8Array into int', { kind: 'int' }, Uint8Array.of(255), [255]],
		['Int32Array into date', { kind: 'date' }, Int32Array.of(-1), [-1]],
		['Uint32Array into long', { kind: 'long' }, Uint32Array.of(4294967295), [4294967295n]],
		['BigUint64Array into long', { kind: 'long' }, BigUint64Array.of(5n), [5n]],
		['BigInt64Array into timestamptz', { kind: 'timestamptz' }, BigInt64Array.of(-5n), [-5n]],
		['Float32Array into float', { kind: 'float' }, Float32Array.of(0.1), [Math.fround(0.1)]],
		['Float64Array into decimal', { kind: 'decimal', precision: 4, scale: 2 }, Float64Array.of(1.5), [150n]],
		['BigInt64Array into time', { kind: 'time' }, BigInt64Array.of(1n), [1n]],
	])('%s', async (_, type, values, expected) => {
		const of = [field(1, 'c', type)];
		expect(await read({ c: values as never }, of)).toEqual(expected.map((value) => [value]));
	});

	it.each<[string, Parameters<typeof columns>[0], object | RegExp]>([
		['a value that does not fit, with its row', { id: [1, 1.5] }, { row: 1, column: 'id', value: 1.5 }],
		['a null in a required column', { id: [1, null] }, { row: 1, column: 'id', value: null }],
		['a null in a required column’s vector', { id: vectorOf({ kind: 'long' }, [1n, null]) }, { row: 1, column: 'id' }],
		['a required column that is not given', { score: [1] }, { row: 0, column: 'id' }],
		['unequal lengths', { id: [1, 2], score: [1] }, /column 'score' has 1 values, column 'id' 2/],
		['an unknown column', { id: [1], scores: [1] }, /column 'scores': no field has this name; did you mean 'score'/],
		['a value beyond the type', { id: BigUint64Array.of(2n ** 63n) }, { row: 0, value: 2n ** 63n }],
		['a vector of another type', { id: vectorOf({ kind: 'int' }, [1]) }, /a vector of int, expected long/],
		['what is no column', { id: 5 as never }, /expected an array, found 5/],
	])('refuses %s', async (_, input, problem) => {
		const error = await read(input).then(
			() => undefined,
			(caught: unknown) => caught as { code: string; message: string; context: object },
		);
		expect(error?.code).toBe('INVALID_DATA');
		if (problem instanceof RegExp) expect(error?.message).toMatch(problem);
		else expect(error?.context).toMatchObject(problem);
	});

	it('no columns or empty ones give nothing', async () => {
		expect(await read({})).toEqual([]);
		expect(await read({ id: [] })).toEqual([]);
	});

	it('stops when the signal is aborted', async () => {
		const signal = AbortSignal.abort();
		await expect(batchesFromColumns(fields, columns({ id: [1] }), { signal }).next()).rejects.toMatchObject({
			code: 'ABORTED',
		});
	});

	it('columns are told from rows', () => {
		expect(isColumnsInput(columns({}))).toBe(true);
		expect(isColumnsInput({ id: [1] })).toBe(false);
	});
});
