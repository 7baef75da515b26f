import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ParquetCodec } from '../../../src/codec/parquet/api.ts';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { getValue } from '../../../src/column/vector-values.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';
import type { Value } from '../../../src/spec/types.ts';
import { tables } from '../../column/arbitraries.ts';
import { sourceOf } from './fixtures.ts';
import { writeRows } from './writer-support.ts';

describe('what our writer writes', () => {
	test('our reader reads, for any schema, values and layout', async () => {
		await fc.assert(
			fc.asyncProperty(
				tables(25, 3),
				fc.record({
					codec: fc.constantFrom<ParquetCodec>('uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw'),
					pageVersion: fc.constantFrom(1 as const, 2 as const),
					dictSizeBytes: fc.constantFrom(0, 60, 1 << 20),
					pageSizeBytes: fc.constantFrom(1, 100, 1 << 20),
					pageRowLimit: fc.integer({ min: 1, max: 50 }),
					rowGroupRowLimit: fc.integer({ min: 1, max: 50 }),
				}),
				fc.integer({ min: 1, max: 50 }),
				async ({ fields, rows }, options, batchRowLimit) => {
					// Parquet has no place for unknown in lists and maps, nor for a struct of nothing else
					const written = await writeRows(fields, rows, options).catch((error: unknown) => {
						if (isIcebergError(error, 'UNSUPPORTED') && JSON.stringify(fields).includes('"unknown"')) return undefined;
						throw error;
					});
					fc.pre(written !== undefined);
					const { bytes } = written;
					const reader = await openParquet(sourceOf(bytes));
					expect(reader.info.rowCount).toBe(rows.length);
					const found: Value[][] = [];
					for await (const { batch, firstRow } of reader.read({ fields }, { batchRowLimit })) {
						expect(firstRow).toBe(found.length);
						for (let i = 0; i < batch.length; i++) found.push(batch.columns.map((column) => getValue(column, i)));
					}
					expect(found).toEqual(rows);
				},
			),
			{ numRuns: 120, interruptAfterTimeLimit: 30_000 },
		);
	});
});
