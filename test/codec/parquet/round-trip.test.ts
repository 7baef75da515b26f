/** What our writer wrote, our reader reads. Oracles of others are in writer.test.ts and reader.test.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParquetWriteOptions } from '../../../src/codec/parquet/api.ts';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { getValue } from '../../../src/column/vector-values.ts';
import { compareValues } from '../../../src/spec/compare.ts';
import { Schema } from '../../../src/spec/schema.ts';
import { fromBinary } from '../../../src/spec/single-value.ts';
import type { NestedField, Type, Value } from '../../../src/spec/types.ts';
import { tables } from '../../column/arbitraries.ts';
import { sourceOf } from './fixtures.ts';
import { sampleFields, sampleRows } from './writer-samples.ts';
import { writeRows } from './writer-support.ts';

const writeOptions: fc.Arbitrary<ParquetWriteOptions> = fc.record(
	{
		codec: fc.constantFrom('uncompressed', 'zstd', 'snappy', 'gzip', 'lz4_raw'),
		pageVersion: fc.constantFrom(1, 2),
		pageRowLimit: fc.integer({ min: 1, max: 20 }),
		pageSizeBytes: fc.integer({ min: 1, max: 500 }),
		dictSizeBytes: fc.constantFrom(0, 1, 50, 100_000),
		rowGroupRowLimit: fc.integer({ min: 1, max: 40 }),
		rowGroupSizeBytes: fc.integer({ min: 1, max: 5000 }),
	},
	{ requiredKeys: [] },
);

async function readRows(bytes: Uint8Array, fields: readonly NestedField[], batchRowLimit: number): Promise<Value[][]> {
	const reader = await openParquet(sourceOf(bytes));
	const rows: Value[][] = [];
	for await (const { batch, firstRow } of reader.read({ fields }, { batchRowLimit })) {
		expect(firstRow).toBe(rows.length);
		for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => getValue(column, i)));
	}
	return rows;
}

/** A struct without a stored field, or a list of nulls: what Parquet cannot hold. */
function canBeStored(fields: readonly NestedField[]): boolean {
	const stored = fields.filter(({ type }) => type.kind !== 'unknown');
	return stored.length > 0 && stored.every(({ type }) => isStorable(type));
}
function isStorable(type: Type): boolean {
	switch (type.kind) {
		case 'unknown':
			return false;
		case 'struct':
			return canBeStored(type.fields);
		case 'list':
			return isStorable(type.element);
		case 'map':
			return isStorable(type.key) && isStorable(type.value);
		default:
			return true;
	}
}

describe('rows written are the rows read', () => {
	it('for any schema, values, options and batches', async () => {
		await fc.assert(
			fc.asyncProperty(
				tables(40, 3).filter(({ fields }) => canBeStored(fields)),
				writeOptions,
				fc.integer({ min: 1, max: 50 }),
				fc.integer({ min: 1, max: 50 }),
				async ({ fields, rows }, options, batchRows, batchRowLimit) => {
					const { bytes, result } = await writeRows(fields, rows, options, batchRows);
					expect(result.recordCount).toBe(rows.length);
					expect(await readRows(bytes, fields, batchRowLimit)).toEqual(rows);
				},
			),
			{ numRuns: 400 },
		);
	});

	it('for thousands of rows of all types, over pages and row groups', async () => {
		const rows = sampleRows(5000);
		for (const options of [
			{},
			{ pageRowLimit: 999, rowGroupRowLimit: 2100 },
			{ pageVersion: 2, codec: 'gzip' },
		] as const) {
			const { bytes } = await writeRows(sampleFields, rows, options, 1700);
			expect(await readRows(bytes, sampleFields, 1300)).toEqual(rows);
		}
	});
});

describe('metrics hold for the rows', () => {
	const comparable = (type: Type) => !['variant', 'geometry', 'geography', 'unknown'].includes(type.kind);

	it('for any columns', async () => {
		await fc.assert(
			fc.asyncProperty(
				tables(40, 0).filter(({ fields }) => canBeStored(fields)),
				writeOptions,
				async ({ fields, rows }, options) => {
					const { result } = await writeRows(fields, rows, { ...options, metricsMode: () => 'full' }, 17);
					for (const [i, { id, type }] of new Schema({ fields }).fields.entries()) {
						if (type.kind === 'unknown') continue;
						const values = rows.map((row) => row[i] as Value);
						expect(result.valueCounts.get(id)).toBe(values.length);
						expect(result.nullValueCounts.get(id)).toBe(values.filter((value) => value === null).length);
						if (!comparable(type)) continue;
						const compare = compareValues(type);
						const sorted = values.filter((value) => value !== null && !Number.isNaN(value)).toSorted(compare);
						const lower = result.lowerBounds.get(id);
						const upper = result.upperBounds.get(id);
						expect(lower && fromBinary(type, lower)).toEqual(sorted[0]);
						expect(upper && fromBinary(type, upper)).toEqual(sorted.at(-1));
					}
				},
			),
			{ numRuns: 200 },
		);
	});
});
