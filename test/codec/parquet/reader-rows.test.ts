/** Which rows are read, and how: row groups, ranges of rows, page statistics, bounded reads. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteSource, ParquetReader, RowRange } from '../../../src/codec/parquet/api.ts';
import { openParquetWriter } from '../../../src/codec/parquet/writer.ts';
import { PIECE_BYTES_LIMIT } from '../../../src/codec/parquet/reader-bytes.ts';
import { Schema } from '../../../src/spec/schema.ts';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';
import { expectedRows, fixtureBytes, fixtureIndex, readAll, rowsOf, sourceOf } from './fixtures.ts';

const names = Object.keys(fixtureIndex.files);

async function readRanges(
	reader: ParquetReader,
	ranges: readonly RowRange[],
	batchRowLimit: number,
): Promise<{ rows: unknown[][]; positions: number[] }> {
	const rows: unknown[][] = [];
	const positions: number[] = [];
	const selectRows = async (_: unknown, group: number): Promise<RowRange[]> => {
		const { firstRow } = reader.info.rowGroups[group]!;
		return ranges.map(({ from, to }) => ({ from: from - firstRow, to: to - firstRow }));
	};
	for await (const { batch, firstRow } of reader.read({ fields: reader.info.fields }, { selectRows, batchRowLimit })) {
		expect(batch.length).toBeLessThanOrEqual(batchRowLimit);
		for (let i = 0; i < batch.length; i++) positions.push(firstRow + i);
		rows.push(...rowsOf(batch));
	}
	return { rows, positions };
}

describe('ranges of rows', () => {
	test('give exactly their rows, in every encoding, with and without page index', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom(...names),
				fc.array(fc.tuple(fc.nat(260), fc.nat(60)), { maxLength: 4 }),
				fc.integer({ min: 1, max: 100 }),
				async (name, cuts, batchRowLimit) => {
					const reader = await openParquet(sourceOf(fixtureBytes(name)));
					const expected = expectedRows(name);
					const ranges = cuts.map(([from, size]) => ({ from, to: from + size }));
					const wanted = expected.map((_, i) => i).filter((i) => ranges.some(({ from, to }) => i >= from && i < to));
					const { rows, positions } = await readRanges(reader, ranges, batchRowLimit);
					expect(positions).toEqual(wanted);
					expect(rows).toEqual(wanted.map((i) => expected[i]));
				},
			),
			{ numRuns: 300 },
		);
	});

	test('a row whose first page has no values is found behind it', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('nested-tiny-pages')));
		const { rows, positions } = await readRanges(reader, [{ from: 39, to: 40 }], 1);
		expect(positions).toEqual([39]);
		expect(rows).toEqual([expectedRows('nested-tiny-pages')[39]]);
	});

	test('pages outside of them are not read when there is a page index, and no read is large', async () => {
		const rows = 800_000;
		const values = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i) * 3n);
		const fields = [{ id: 1, name: 'n', required: true, type: { kind: 'long' } }] as const;
		const chunks: Uint8Array[] = [];
		const writer = openParquetWriter(
			{ write: async (bytes) => void chunks.push(bytes.slice()) },
			new Schema({ fields }),
			{ codec: 'uncompressed', dictSizeBytes: 0, rowGroupRowLimit: rows },
		);
		const column = {
			layout: 'int64',
			type: { kind: 'long' },
			length: rows,
			nullCount: 0,
			validity: null,
			values,
		} as const;
		await writer.write({ fields, length: rows, columns: [column] });
		await writer.finish();
		const source = sourceOf(new Uint8Array(Buffer.concat(chunks)));
		const lengths: number[] = [];
		const spy: ByteSource = {
			...source,
			read: (offset, length) => {
				lengths.push(length);
				return source.read(offset, length);
			},
		};
		const reader = await openParquet(spy);
		expect(reader.info.rowGroups.length).toBe(1);
		lengths.length = 0;
		const found = await readRanges(reader, [{ from: rows - 3, to: rows }], 10);
		expect(found.rows).toEqual([rows - 3, rows - 2, rows - 1].map((i) => [String(i * 3)]));
		const size = await source.length();
		expect(size).toBeGreaterThan(PIECE_BYTES_LIMIT * 1.5);
		// the first piece and the last page; not the middle
		expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(PIECE_BYTES_LIMIT + 500_000);
		lengths.length = 0;
		for await (const { batch, firstRow } of reader.read({ fields })) {
			const got = batch.columns[0]!;
			if (got.layout !== 'int64') throw new Error(got.layout);
			expect(
				Buffer.compare(
					Buffer.from(got.values.slice().buffer),
					Buffer.from(values.slice(firstRow, firstRow + batch.length).buffer),
				),
			).toBe(0);
		}
		expect(Math.max(...lengths)).toBeLessThanOrEqual(PIECE_BYTES_LIMIT);
	});

	test('row groups can be chosen', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('row-groups')));
		const expected = expectedRows('row-groups');
		expect(reader.info.rowGroups.map(({ rowCount, firstRow }) => [rowCount, firstRow])).toEqual([
			[71, 0],
			[71, 71],
			[71, 142],
			[37, 213],
		]);
		expect(await readAll(reader, { rowGroups: [3, 1] })).toEqual([...expected.slice(213), ...expected.slice(71, 142)]);
		const error = await readAll(reader, { rowGroups: [4] }).catch((e: unknown) => e);
		expect(isIcebergError(error, 'INVALID_ARGUMENT')).toBe(true);
	});

	test('no columns at all still give the rows', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('row-groups')));
		const lengths: number[] = [];
		for await (const { batch } of reader.read({ fields: [] })) lengths.push(batch.length);
		expect(lengths).toEqual([71, 71, 71, 37]);
	});
});

describe('page statistics', () => {
	test('bound the rows of their pages', async () => {
		const name = 'fallback';
		const reader = await openParquet(sourceOf(fixtureBytes(name)));
		const expected = expectedRows(name);
		let pagesSeen = 0;
		const selectRows = async (
			pages: Parameters<NonNullable<Parameters<ParquetReader['read']>[1]>['selectRows'] & {}>[0],
		): Promise<undefined> => {
			expect(pages.rowCount).toBe(expected.length);
			for (const [column, field] of reader.info.fields.entries()) {
				const found = (await pages.pages(field.id))!;
				let row = 0;
				for (const page of found) {
					pagesSeen++;
					expect(page.from).toBe(row);
					expect(page.allNull).toBe(false);
					expect(page.nullCount).toBe(0);
					row = page.to;
					if (page.min === undefined || page.max === undefined) continue;
					for (let i = page.from; i < page.to; i++) {
						const value = expected[i]![column];
						const min = page.min instanceof Uint8Array ? Buffer.from(page.min).toString('hex') : page.min;
						const max = page.max instanceof Uint8Array ? Buffer.from(page.max).toString('hex') : page.max;
						const comparable = typeof min === 'bigint' ? BigInt(value as string) : (value as string);
						expect(comparable >= (min as string) && comparable <= (max as string)).toBe(true);
					}
				}
				expect(row).toBe(expected.length);
			}
			expect(await pages.pages(9999)).toBeUndefined();
		};
		for await (const { batch } of reader.read({ fields: reader.info.fields }, { selectRows }))
			expect(batch).toBeDefined();
		expect(pagesSeen).toBeGreaterThan(20);
	});

	test('are absent where the file has no page index', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('types-v1')));
		let asked = 0;
		for await (const _ of reader.read(
			{ fields: reader.info.fields },
			{
				selectRows: async (pages) => {
					asked++;
					expect(await pages.pages(reader.info.fields[0]!.id)).toBeUndefined();
					return undefined;
				},
			},
		));
		expect(asked).toBe(1);
	});

	test('tell pages of nulls', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('types-tiny-pages')));
		for await (const _ of reader.read(
			{ fields: reader.info.fields },
			{
				selectRows: async (pages, group) => {
					expect(group).toBe(0);
					for (const field of reader.info.fields) {
						const column = reader.info.fields.indexOf(field);
						for (const page of (await pages.pages(field.id)) ?? []) {
							const nulls = expectedRows('types-tiny-pages')
								.slice(page.from, page.to)
								.filter((row) => row[column] === null).length;
							expect(page.nullCount).toBe(nulls);
							expect(page.allNull).toBe(nulls === page.to - page.from);
						}
					}
					return [];
				},
			},
		))
			throw new Error('no rows were selected');
	});
});

describe('reads', () => {
	test('a small file takes one', async () => {
		const source = sourceOf(fixtureBytes('types-v1'));
		await readAll(await openParquet(source));
		// footer and all column chunks
		expect(source.reads).toBe(2);
	});

	test('a footer larger than the hint takes one more', async () => {
		const source = sourceOf(fixtureBytes('types-v1'));
		await openParquet(source, { footerSizeHintBytes: 100 });
		expect(source.reads).toBe(2);
	});

	test('an aborted read stops with ABORTED', async () => {
		const controller = new AbortController();
		const reader = await openParquet(sourceOf(fixtureBytes('row-groups')));
		const batches = reader.read({ fields: reader.info.fields }, { signal: controller.signal, batchRowLimit: 10 });
		const error = await (async () => {
			for await (const _ of batches) controller.abort(new Error('enough'));
		})().catch((e: unknown) => e);
		expect(isIcebergError(error, 'ABORTED')).toBe(true);
	});

	test.each([0, -1, 1.5, Number.NaN, 2 ** 30])('batchRowLimit %s is refused', async (batchRowLimit) => {
		const reader = await openParquet(sourceOf(fixtureBytes('row-groups')));
		const error = await readAll(reader, { batchRowLimit }).catch((e: unknown) => e);
		expect(isIcebergError(error, 'INVALID_ARGUMENT')).toBe(true);
	});
});
