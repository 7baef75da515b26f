import { readFileSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { openImport } from '../../src/import/open-import.ts';
import { projectDir } from '../support/project.ts';
import { batchRows, fieldsOf, fileOf, rowsOf, streamOf, typesOf } from './helpers.ts';

const flights = new Uint8Array(readFileSync(`${projectDir}/node_modules/vega-datasets/data/flights-3m.parquet`));

function people(): Uint8Array {
	return new Uint8Array(
		parquetWriteBuffer({
			columnData: [
				{ name: 'id', data: [1, 2, 3], type: 'INT32' },
				{ name: 'name', data: ['a', null, 'c'], type: 'STRING' },
				{ name: 'score', data: [0.5, 1.5, 2.5], type: 'DOUBLE' },
			],
		}),
	);
}

describe('a Parquet file', () => {
	it('tells its own schema, and is read batch by batch', async () => {
		const source = await openImport(fileOf(flights), { name: 'flights-3m.parquet' });
		expect(await typesOf(source)).toEqual({
			date: 'timestamp',
			delay: 'long',
			distance: 'long',
			origin: 'string',
			destination: 'string',
		});
		const { schema } = await source.inferSchema();
		let rows = 0;
		let first: unknown;
		for await (const batch of source.batches(schema.fields)) {
			first ??= batchRows({ ...batch, length: 1 })[0];
			rows += batch.length;
		}
		expect(rows).toBe(3_000_000);
		expect(first).toEqual({
			date: '2001-01-01T00:01:00.000000',
			delay: '33',
			distance: '2176',
			origin: 'LAS',
			destination: 'PHL',
		});
		expect(source.progress.rows).toBe(3_000_000);
		expect(source.progress.bytesRead).toBeGreaterThan(flights.length * 0.9);
	});

	it('comes as a stream too, and is known by its first bytes', async () => {
		const wanted = [
			{ id: 1, name: 'a', score: 0.5 },
			{ id: 2, name: null, score: 1.5 },
			{ id: 3, name: 'c', score: 2.5 },
		];
		expect(await rowsOf(await openImport(streamOf(people()), { format: 'parquet' }))).toEqual(wanted);
		expect(await rowsOf(await openImport(fileOf(people())))).toEqual(wanted);
	});

	it('fills the columns of a table by name, widened where nothing is lost', async () => {
		const fields = fieldsOf({
			score: { kind: 'double' },
			extra: { kind: 'date' },
			name: { kind: 'string' },
			id: { kind: 'long' },
		});
		const source = await openImport(fileOf(people()), { format: 'parquet' });
		expect(await rowsOf(source, fields)).toEqual([
			{ score: 0.5, extra: null, name: 'a', id: '1' },
			{ score: 1.5, extra: null, name: null, id: '2' },
			{ score: 2.5, extra: null, name: 'c', id: '3' },
		]);
	});

	it('is refused where a column does not fit', async () => {
		const read = async (types: Parameters<typeof fieldsOf>[0]): Promise<unknown> =>
			rowsOf(await openImport(fileOf(people()), { format: 'parquet', name: 'p.parquet' }), fieldsOf(types));
		const id = { kind: 'int' } as const;
		const name = { kind: 'string' } as const;
		const score = { kind: 'double' } as const;
		await expect(read({ id, name })).rejects.toMatchObject({ code: 'INVALID_DATA', context: { column: 'score' } });
		await expect(read({ id, score, name: { required: name } })).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { row: 2, column: 'name' },
		});
		await expect(read({ id: name, name, score })).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: "p.parquet: column 'id' is int in the file and string in the table",
		});
		await expect(read({ id, name, score, more: { required: id } })).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { column: 'more' },
		});
	});

	it('is refused when it is broken, or no Parquet', async () => {
		const bytes = people();
		await expect(
			rowsOf(await openImport(fileOf(bytes.subarray(0, bytes.length - 3)), { format: 'parquet' })),
		).rejects.toMatchObject({ code: 'CORRUPT' });
		await expect(rowsOf(await openImport(fileOf('a,b\n1,2\n'), { format: 'parquet' }))).rejects.toMatchObject({
			code: 'CORRUPT',
		});
		await expect(openImport(fileOf('hello'), { name: 'x.dat' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});
});
