import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	BatchBuilder,
	batchesFromRows,
	isRowSource,
	notIterable,
	ROW_BATCH_LIMIT,
	ROW_BATCH_LIMIT_BYTES,
	rowsToBatch,
} from '../../src/column/rows.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { getValue } from '../../src/column/vector-values.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import type { NestedField, Value } from '../../src/spec/types.ts';
import { asInput, tables } from './arbitraries.ts';

const field = (
	id: number,
	name: string,
	kind: 'long' | 'string' | 'timestamptz' | 'int',
	required = false,
): NestedField => ({
	id,
	name,
	required,
	type: { kind },
});
const runs: NestedField[] = [
	field(1, 'run_id', 'long', true),
	field(2, 'status', 'string'),
	field(3, 'started_at', 'timestamptz'),
];

function rowValues(batch: ColumnBatch): Value[][] {
	return Array.from({ length: batch.length }, (_, i) => batch.columns.map((column) => getValue(column, i)));
}

async function collect(batches: AsyncIterable<ColumnBatch>): Promise<ColumnBatch[]> {
	const all: ColumnBatch[] = [];
	for await (const batch of batches) all.push(batch);
	return all;
}

function refusal(work: () => unknown): IcebergError {
	try {
		work();
	} catch (error) {
		if (error instanceof IcebergError) return error;
		throw error;
	}
	throw new Error('nothing was refused');
}

describe('rowsToBatch', () => {
	it('takes every value of every type unchanged', () => {
		fc.assert(
			fc.property(tables(), ({ fields, rows }) => {
				const records = rows.map((row) =>
					Object.fromEntries(fields.map((column, i) => [column.name, asInput(column.type, row[i] as Value)])),
				);
				expect(rowValues(rowsToBatch(fields, records))).toEqual(rows);
			}),
		);
	});

	it('takes keys in any order, undefined and absent ones as missing', () => {
		const batch = rowsToBatch(runs, [
			{ started_at: undefined, run_id: 1 },
			{ status: 'ok', run_id: 2n, started_at: new Date(1) },
			Object.assign(Object.create(null), { run_id: 3 }),
		]);
		expect(rowValues(batch)).toEqual([
			[1n, null, null],
			[2n, 'ok', 1000n],
			[3n, null, null],
		]);
	});

	it('takes class instances by their own fields', () => {
		class Run {
			run_id = 7;
			status = 'ok';
			describe(): string {
				return this.status;
			}
		}
		expect(rowValues(rowsToBatch(runs, [new Run()]))).toEqual([[7n, 'ok', null]]);
	});

	it('fills missing fields from write defaults, but keeps an explicit null', () => {
		const fields: NestedField[] = [
			{ ...field(1, 'a', 'int'), writeDefault: 5 },
			{ ...field(2, 'b', 'int', true), writeDefault: 6 },
		];
		expect(rowValues(rowsToBatch(fields, [{}, { a: null, b: 1 }]))).toEqual([
			[5, 6],
			[null, 1],
		]);
		expect(refusal(() => rowsToBatch(fields, [{ b: null }])).context).toMatchObject({ row: 0, column: 'b' });
	});

	it('reads a column that is named as something every object inherits only where the row has it', () => {
		const fields = [field(1, 'constructor', 'string'), field(2, '__proto__', 'string')];
		const own = JSON.parse('{"constructor": "x", "__proto__": "y"}') as object;
		expect(rowValues(rowsToBatch(fields, [{}, own]))).toEqual([
			[null, null],
			['x', 'y'],
		]);
	});

	it('common spellings of timestamps equal the strict parse of unusual ones', () => {
		const type: NestedField[] = [field(1, 't', 'timestamptz')];
		fc.assert(
			fc.property(fc.bigInt({ min: -9_000_000_000_000_000n, max: 9_000_000_000_000_000n }), (micros) => {
				const seconds = (micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
				const fraction = String(micros - seconds * 1_000_000n).padStart(6, '0');
				const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
				const [quick, strict] = rowValues(
					rowsToBatch(type, [{ t: `${date}.${fraction}Z` }, { t: `${date}.${fraction}000+00` }]),
				);
				expect(quick).toEqual([micros]);
				expect(strict).toEqual([micros]);
			}),
		);
	});

	it.each([
		[{ t: '2024-02-30T00:00:00Z' }],
		[{ t: '2023-02-29T00:00:00Z' }],
		[{ t: '2024-13-01T00:00:00Z' }],
		[{ t: '2024-01-01T24:00:00Z' }],
		[{ t: '2024-01-01T00:60:00Z' }],
		[{ t: '2024-01-01T00:00:00.Z' }],
		[{ t: '2024-01-01T00:00:00.12345a' }],
		[{ t: '2024-01-01T00:00:00' }],
		[{ t: '2024-01-01' }],
		[{ t: 'Z' }],
	])('refuses %j for timestamptz', (row) => {
		expect(refusal(() => rowsToBatch([field(1, 't', 'timestamptz')], [row])).code).toBe('INVALID_DATA');
	});
});

describe('refusals name row, column and value', () => {
	const good = { run_id: 1, status: 'ok' };
	it.each([
		['a value that does not fit', { run_id: 1.5 }, "row 2, column 'run_id': expected long", 1.5],
		[
			'a missing required field',
			{ status: 'x' },
			"row 2, column 'run_id': expected a value: the field is required, found undefined",
			undefined,
		],
		['a null required field', { run_id: null }, "row 2, column 'run_id'", null],
		[
			'a naive time',
			{ run_id: 1, started_at: '2024-01-01T00:00:00' },
			"row 2, column 'started_at'",
			'2024-01-01T00:00:00',
		],
		['a lone surrogate', { run_id: 1, status: '\udc00' }, "row 2, column 'status'", '\udc00'],
	])('%s', (_, bad, message, value) => {
		const error = refusal(() => rowsToBatch(runs, [good, good, bad]));
		expect(error.code).toBe('INVALID_DATA');
		expect(error.message).toContain(message);
		expect(error.context).toMatchObject({ row: 2, value });
	});

	it('an unknown field, with near names', () => {
		const error = refusal(() => rowsToBatch(runs, [good, { run_id: 1, statsu: 'ok' }]));
		expect(error.message).toBe("row 1, column 'statsu': no field has this name; did you mean 'status'?");
		expect(error.context).toMatchObject({ row: 1, column: 'statsu', value: 'ok' });
	});

	it.each([[5], ['row'], [null], [undefined], [[1, 'ok']], [new Map([['run_id', 1]])], [new Date(0)], [() => good]])(
		'a row that is no object: %s',
		(row) => {
			const error = refusal(() => rowsToBatch(runs, [good, row]));
			expect(error.code).toBe('INVALID_DATA');
			expect(error.message).toMatch(/^row 1: expected an object, found /);
		},
	);

	it('deep inside of nested values', () => {
		const fields: NestedField[] = [
			{
				id: 1,
				name: 'steps',
				required: true,
				type: {
					kind: 'list',
					elementId: 2,
					elementRequired: true,
					element: {
						kind: 'struct',
						fields: [
							{
								id: 3,
								name: 'tags',
								required: false,
								type: {
									kind: 'map',
									keyId: 4,
									key: { kind: 'string' },
									valueId: 5,
									valueRequired: true,
									value: { kind: 'int' },
								},
							},
						],
					},
				},
			},
		];
		const at = (steps: unknown): string =>
			refusal(() => rowsToBatch(fields, [{ steps }], { firstRowNumber: 10 })).message;
		expect(at([{ tags: { a: 1 } }, { tags: { b: 2 ** 40 } }])).toMatch(
			/^row 10, column 'steps\[1\]\.tags\["b"\]': expected int/,
		);
		expect(at([{ tags: { b: null } }])).toMatch(/^row 10, column 'steps\[0\]\.tags\["b"\]'.*required/);
		expect(at([null])).toMatch(/^row 10, column 'steps\[0\]'.*required/);
		expect(at([{ tag: {} }])).toMatch(/^row 10, column 'steps\[0\]\.tag': no field has this name; did you mean 'tags'/);
		expect(
			at([
				{
					tags: [
						['a', 1],
						['a', 2],
					],
				},
			]),
		).toMatch(/each key once/);
		expect(at([{ tags: 'a' }])).toMatch(/a Map, an array of pairs or an object/);
		expect(at('abc')).toMatch(/^row 10, column 'steps': expected list/);
	});
});

describe('batchesFromRows', () => {
	const many = ROW_BATCH_LIMIT * 2 + 5;
	function* generate(count = many): Generator<object> {
		for (let i = 0; i < count; i++) yield { run_id: i };
	}
	async function* generateAsync(): AsyncGenerator<object> {
		yield* generate();
	}
	it.each([
		['array', () => [...generate()]],
		['generator', generate],
		['async generator', generateAsync],
		['set', () => new Set(generate())],
	] as [string, () => Iterable<object> | AsyncIterable<object>][])(
		'cuts an %s into bounded batches',
		async (_, rows) => {
			const batches = await collect(batchesFromRows(runs, rows()));
			expect(batches.length).toBe(3);
			for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(ROW_BATCH_LIMIT);
			const ids = batches.flatMap((batch) => rowValues(batch).map(([id]) => id));
			expect(ids.length).toBe(many);
			expect(ids.every((id, i) => id === BigInt(i))).toBe(true);
		},
	);

	it('cuts by bytes as well', async () => {
		const status = 'x'.repeat(100_000);
		const rows = Array.from({ length: 3_000 }, (_, i) => ({ run_id: i, status }));
		const batches = await collect(batchesFromRows(runs, rows));
		expect(batches.length).toBeGreaterThan(1);
		expect(batches.length).toBeLessThanOrEqual(Math.ceil((3_000 * status.length) / ROW_BATCH_LIMIT_BYTES) + 1);
	});

	it('gives nothing for no rows', async () => {
		expect(await collect(batchesFromRows(runs, []))).toEqual([]);
	});

	it('counts rows across batches and closes the iterator when one is refused', async () => {
		let closed = false;
		function* source(): Generator<object> {
			try {
				yield* generate(ROW_BATCH_LIMIT + 10);
				yield { run_id: 'x' };
				yield* generate();
			} finally {
				closed = true;
			}
		}
		await expect(collect(batchesFromRows(runs, source()))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { row: ROW_BATCH_LIMIT + 10, column: 'run_id', value: 'x' },
		});
		expect(closed).toBe(true);
	});

	it.each([
		[5],
		['text'],
		[Promise.resolve([])],
		[{ run_id: 1 }],
		[generate],
		[null],
		[new Uint8Array(3)],
		[new Map()],
	])('refuses what is not iterable: %s', async (rows) => {
		expect(isRowSource(rows)).toBe(false);
		expect(notIterable(rows).code).toBe('INVALID_ARGUMENT');
		await expect(collect(batchesFromRows(runs, rows as never))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		if (rows instanceof Promise) await rows;
	});

	it('stops when the signal is aborted', async () => {
		const abort = new AbortController();
		const batches = batchesFromRows(runs, generate(1e9), { signal: abort.signal });
		await batches.next();
		abort.abort(new Error('enough'));
		await expect(batches.next()).rejects.toMatchObject({ code: 'ABORTED' });
	});
});

it('a builder starts anew after each batch and does not touch the ones given out', () => {
	const builder = new BatchBuilder(runs);
	builder.add([{ run_id: 1, status: 'a' }, { run_id: 2 }], 0, 2);
	const first = builder.finish();
	builder.add([{ run_id: 3 }, { run_id: 4, status: 'dd' }], 0, 2);
	const second = builder.finish();
	expect(rowValues(first)).toEqual([
		[1n, 'a', null],
		[2n, null, null],
	]);
	expect(rowValues(second)).toEqual([
		[3n, null, null],
		[4n, 'dd', null],
	]);
	expect(builder.finish().length).toBe(0);
});
