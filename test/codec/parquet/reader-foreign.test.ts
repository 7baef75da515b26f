/** Files of many writers: hyparquet-writer, the conformance corpus, a real data set. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { ByteWriter, ParquetWriter as HyparquetWriter } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { decompressSync } from '../../../src/codec/compression.ts';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { projectDir } from '../../support/project.ts';
import { sharedDir } from '../../support/shared.ts';
import { readAll, rowsOf, sourceOf } from './fixtures.ts';

describe('hyparquet-writer', () => {
	const columns: { name: string; type: string; data: unknown[] }[] = [
		{ name: 'b', type: 'BOOLEAN', data: Array.from({ length: 3000 }, (_, i) => (i % 5 === 0 ? null : i % 3 === 0)) },
		{ name: 'i', type: 'INT32', data: Array.from({ length: 3000 }, (_, i) => (i % 7 === 0 ? null : i * 17 - 9000)) },
		{ name: 'l', type: 'INT64', data: Array.from({ length: 3000 }, (_, i) => BigInt(i) * 10n ** 15n - 5n) },
		{ name: 'f', type: 'FLOAT', data: Array.from({ length: 3000 }, (_, i) => Math.fround(i / 7)) },
		{ name: 'd', type: 'DOUBLE', data: Array.from({ length: 3000 }, (_, i) => (i % 11 === 0 ? null : i / 7)) },
		{ name: 's', type: 'STRING', data: Array.from({ length: 3000 }, (_, i) => (i % 4 === 0 ? null : `s${i % 90}é`)) },
	];

	test.each([
		['UNCOMPRESSED', undefined],
		['SNAPPY', undefined],
		['UNCOMPRESSED', 'DELTA'],
	] as const)('codec %s, %s encodings', async (codec, encodings) => {
		const writer = new ByteWriter();
		const file = new HyparquetWriter({
			writer,
			schema: [
				{ name: 'root', num_children: columns.length },
				...columns.map(({ name, type }) =>
					type === 'STRING'
						? ({
								name,
								type: 'BYTE_ARRAY',
								converted_type: 'UTF8',
								repetition_type: 'OPTIONAL',
							} as const)
						: ({ name, type, repetition_type: 'OPTIONAL' } as const),
				),
			] as never,
			codec,
		});
		file.write({
			columnData: columns.map(({ name, data, type }) => ({
				name,
				data,
				...(encodings === 'DELTA' && (type === 'INT32' || type === 'INT64') && { encoding: 'DELTA_BINARY_PACKED' }),
				...(encodings === 'DELTA' && type === 'STRING' && { encoding: 'DELTA_BYTE_ARRAY' }),
				...(encodings === 'DELTA' && type === 'DOUBLE' && { encoding: 'BYTE_STREAM_SPLIT' }),
			})) as never,
			rowGroupSize: 1100,
			pageSize: 4000,
		} as never);
		file.finish();
		const buffer = writer.getBuffer();
		const used = parquetMetadata(buffer).row_groups[0]!.columns.flatMap(({ meta_data }) => meta_data!.encodings);
		if (encodings === 'DELTA')
			expect(used).toEqual(expect.arrayContaining(['DELTA_BINARY_PACKED', 'DELTA_BYTE_ARRAY', 'BYTE_STREAM_SPLIT']));
		const reader = await openParquet(sourceOf(new Uint8Array(buffer)));
		const expected = Array.from({ length: 3000 }, (_, i) =>
			columns.map(({ data }) => (typeof data[i] === 'bigint' ? String(data[i]) : data[i])),
		);
		expect(reader.info.rowGroups.length).toBeGreaterThan(1);
		expect(await readAll(reader)).toEqual(expected);
	});
});

describe('flights-3m.parquet of vega-datasets', () => {
	test('first and last row groups equal what hyparquet reads', async () => {
		const path = join(projectDir, 'node_modules/vega-datasets/data/flights-3m.parquet');
		const bytes = new Uint8Array(readFileSync(path));
		const reader = await openParquet(sourceOf(bytes));
		expect(reader.info.rowCount).toBe(3_000_000);
		const { buffer } = bytes;
		const compressors = { ZSTD: (input: Uint8Array, size: number) => decompressSync('zstd', input, size) };
		for (const from of [0, 2_990_000]) {
			const to = from + 10_000;
			const found: unknown[][] = [];
			for await (const { batch, firstRow } of reader.read(
				{ fields: reader.info.fields },
				{
					selectRows: async (_, group) => {
						const { firstRow: start } = reader.info.rowGroups[group]!;
						return [{ from: from - start, to: to - start }];
					},
				},
			)) {
				expect(firstRow).toBe(from + found.length);
				found.push(...rowsOf(batch));
			}
			const expected = await parquetReadObjects({ file: buffer, rowStart: from, rowEnd: to, compressors });
			expect(found).toEqual(
				expected.map(({ date, delay, distance, origin, destination }) => [
					String(BigInt((date as Date).getTime()) * 1000n),
					String(delay),
					String(distance),
					origin,
					destination,
				]),
			);
		}
	});
});

describe('the conformance corpus', () => {
	const shared = sharedDir();
	test.skipIf(shared === undefined)('every Parquet file opens and has as many rows as hyparquet counts', async () => {
		const warehouse = join(shared!, 'corpus', 'warehouse');
		const names = readdirSync(warehouse, { recursive: true, encoding: 'utf8' });
		const files = names.filter((name) => name.endsWith('.parquet')).map((name) => join(warehouse, name));
		expect(files.length).toBeGreaterThan(300);
		for (const file of files) {
			const bytes = new Uint8Array(readFileSync(file));
			const reader = await openParquet(sourceOf(bytes, file));
			const rows = Number(parquetMetadata(bytes.buffer).num_rows);
			expect((await readAll(reader)).length).toBe(rows);
		}
	});
});
