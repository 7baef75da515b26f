import { describe, expect, it } from 'vitest';
import type { MetricsMode, ParquetWriteOptions } from '../../../src/codec/parquet/api.ts';
import { BoundaryOrder, type ColumnChunk, type FileMetaData } from '../../../src/codec/parquet/format.ts';
import { decodeColumnIndex, decodeFileMetaData, decodeOffsetIndex } from '../../../src/codec/parquet/format-decode.ts';
import { fromBinary } from '../../../src/spec/single-value.ts';
import type { NestedField, Type, Value } from '../../../src/spec/types.ts';
import { sampleFields, sampleRows } from './writer-samples.ts';
import { field, type WrittenFile, writeRows } from './writer-support.ts';

const STRING: Type = { kind: 'string' };
const BINARY: Type = { kind: 'binary' };
const LONG: Type = { kind: 'long' };
const DOUBLE: Type = { kind: 'double' };
const FLOAT: Type = { kind: 'float' };

function footerOf(bytes: Uint8Array): FileMetaData {
	const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);
	return decodeFileMetaData(bytes.subarray(bytes.length - 8 - length, bytes.length - 8), 'file');
}
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');
const utf8 = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

async function write(
	type: Type,
	values: Value[],
	options?: ParquetWriteOptions,
	batchRows?: number,
): Promise<WrittenFile> {
	return writeRows(
		[field(1, 'a', type)],
		values.map((value) => [value]),
		options,
		batchRows,
	);
}
async function chunksOf(type: Type, values: Value[], options?: ParquetWriteOptions): Promise<ColumnChunk[]> {
	const { bytes } = await write(type, values, options);
	return footerOf(bytes).rowGroups.flatMap((group) => group.columns);
}
async function statisticsOf(type: Type, values: Value[], options?: ParquetWriteOptions) {
	return (await chunksOf(type, values, options))[0]?.metaData.statistics;
}
/** The engine values of the only column's bounds. */
async function boundsOf(type: Type, values: Value[], mode: MetricsMode = { truncate: 16 }, rowGroupRowLimit = 1000) {
	const { result } = await write(type, values, { metricsMode: () => mode, rowGroupRowLimit });
	const value = (bytes: Uint8Array | undefined) => bytes && fromBinary(type, bytes);
	return [value(result.lowerBounds.get(1)), value(result.upperBounds.get(1))];
}

describe('bounds in the metrics', () => {
	it('follow the order of each type, over row groups', async () => {
		const cases: [Type, Value[], Value, Value][] = [
			[{ kind: 'boolean' }, [true, null, true], true, true],
			[{ kind: 'boolean' }, [false, null, true], false, true],
			[{ kind: 'int' }, [3, -0x80000000, null, 0x7fffffff], -0x80000000, 0x7fffffff],
			[{ kind: 'int' }, [-1, -2], -2, -1],
			[LONG, [-1n, 2n ** 63n - 1n, -(2n ** 63n), 0n], -(2n ** 63n), 2n ** 63n - 1n],
			[LONG, [2n ** 32n, 2n ** 32n + 2n ** 31n, 2n ** 32n + 1n], 2n ** 32n, 2n ** 32n + 2n ** 31n],
			[DOUBLE, [1.5, -1e300, Number.POSITIVE_INFINITY], -1e300, Number.POSITIVE_INFINITY],
			[FLOAT, [1.5, -2.5, null], -2.5, 1.5],
			[{ kind: 'decimal', precision: 9, scale: 2 }, [-129n, 5n, 128n], -129n, 128n],
			[{ kind: 'decimal', precision: 18, scale: 2 }, [-(10n ** 17n), 5n], -(10n ** 17n), 5n],
			[{ kind: 'decimal', precision: 38, scale: 2 }, [-1n, 0n, 10n ** 37n, -(10n ** 37n)], -(10n ** 37n), 10n ** 37n],
			[{ kind: 'decimal', precision: 38, scale: 2 }, [-1n, -256n], -256n, -1n],
			[STRING, ['b', 'a', 'ab', '\u{FF61}', '\u{1F600}'], 'a', '\u{1F600}'],
			[STRING, ['b', ''], '', 'b'],
			[STRING, ['abcd', 'abc', 'abce'], 'abc', 'abce'],
			[STRING, ['abcdefgh', 'abcdefgg1', 'abcdefg'], 'abcdefg', 'abcdefgh'],
			[BINARY, [Uint8Array.of(0x80), Uint8Array.of(0x7f, 1)], Uint8Array.of(0x7f, 1), Uint8Array.of(0x80)],
			[
				{ kind: 'fixed', length: 2 },
				[Uint8Array.of(255, 0), Uint8Array.of(0, 255)],
				Uint8Array.of(0, 255),
				Uint8Array.of(255, 0),
			],
			[
				{ kind: 'uuid' },
				['f79c3e09-677c-4bbd-a479-3f349cb785e7', '00000000-0000-0000-0000-000000000001'],
				'00000000-0000-0000-0000-000000000001',
				'f79c3e09-677c-4bbd-a479-3f349cb785e7',
			],
			[{ kind: 'timestamptz' }, [5n, -5n], -5n, 5n],
			[{ kind: 'date' }, [5, -5], -5, 5],
		];
		for (const [type, values, lower, upper] of cases) {
			for (const rowGroupRowLimit of [1, 2, 1000]) {
				expect([type, await boundsOf(type, values, 'full', rowGroupRowLimit)]).toEqual([type, [lower, upper]]);
			}
		}
	});

	it('leave NaN out, and tell -0.0 from 0.0', async () => {
		const nan = Number.NaN;
		for (const type of [DOUBLE, FLOAT]) {
			expect(await boundsOf(type, [nan, 1, nan, 2])).toEqual([1, 2]);
			expect(await boundsOf(type, [nan, null])).toEqual([undefined, undefined]);
			expect(await boundsOf(type, [0, -0])).toEqual([-0, 0]);
			expect(await boundsOf(type, [-0])).toEqual([-0, -0]);
			expect(await boundsOf(type, [0])).toEqual([0, 0]);
			expect(await boundsOf(type, [0, -0, 0], 'full', 1)).toEqual([-0, 0]);
		}
	});

	it('are the decimal’s fewest bytes', async () => {
		for (const precision of [9, 18, 38]) {
			const { result } = await write({ kind: 'decimal', precision, scale: 2 }, [-1n, 128n]);
			expect([hex(result.lowerBounds.get(1)), hex(result.upperBounds.get(1))]).toEqual(['ff', '0080']);
		}
	});

	it('are truncated as the mode says, in code points and bytes', async () => {
		const long = 'iceberg'.repeat(10);
		expect(await boundsOf(STRING, [long])).toEqual(['icebergicebergic', 'icebergicebergid']);
		expect(await boundsOf(STRING, ['\u{1F600}'.repeat(20)], { truncate: 2 })).toEqual([
			'\u{1F600}\u{1F600}',
			'\u{1F600}\u{1F601}',
		]);
		expect(await boundsOf(STRING, ['ab'], { truncate: 2 })).toEqual(['ab', 'ab']);
		expect(await boundsOf(STRING, ['abc', '\u{10FFFF}\u{10FFFF}\u{10FFFF}'], { truncate: 2 })).toEqual([
			'ab',
			undefined,
		]);
		const bytes = (...values: number[]) => Uint8Array.from(values);
		expect(await boundsOf(BINARY, [bytes(1, 2, 255, 255, 7)], { truncate: 4 })).toEqual([
			bytes(1, 2, 255, 255),
			bytes(1, 3),
		]);
		expect(await boundsOf(BINARY, [new Uint8Array(9).fill(255)], { truncate: 4 })).toEqual([
			new Uint8Array(4).fill(255),
			undefined,
		]);
		// never cut: their length is part of the type
		const fixed = new Uint8Array(20).fill(255);
		expect(await boundsOf({ kind: 'fixed', length: 20 }, [fixed])).toEqual([fixed, fixed]);
		expect(await boundsOf(STRING, [long, 'z'.repeat(40)], 'full')).toEqual([long, 'z'.repeat(40)]);
	});
});

describe('counts and sizes in the metrics', () => {
	const rows = sampleRows(100);

	it('count values, nulls and NaN of columns and structs’ fields', async () => {
		const { result } = await writeRows(sampleFields, rows, { rowGroupRowLimit: 30 });
		expect(result.recordCount).toBe(100);
		const column = (id: number) => rows.map((row) => row[sampleFields.findIndex((f) => f.id === id)] as Value);
		for (const { id, type } of sampleFields) {
			if (type.kind === 'unknown' || type.kind === 'struct' || type.kind === 'list' || type.kind === 'map') {
				for (const counts of [result.valueCounts, result.nullValueCounts, result.nanValueCounts]) {
					expect(counts.has(id)).toBe(false);
				}
				continue;
			}
			expect([id, result.valueCounts.get(id)]).toEqual([id, 100]);
			expect([id, result.nullValueCounts.get(id)]).toEqual([id, column(id).filter((v) => v === null).length]);
			const nans = column(id).filter((v) => Number.isNaN(v)).length;
			expect(result.nanValueCounts.get(id)).toBe(type.kind === 'float' || type.kind === 'double' ? nans : undefined);
		}
		const structs = column(26) as (Value[] | null)[];
		const nulls = (of: (struct: Value[]) => Value | undefined) =>
			structs.filter((struct) => struct === null || (of(struct) ?? null) === null).length;
		expect(result.nullValueCounts.get(27)).toBe(nulls((struct) => struct[0]));
		expect(result.nullValueCounts.get(29)).toBe(25);
		expect(result.nullValueCounts.get(31)).toBe(nulls((struct) => (struct[3] as Value[] | null)?.[0]));
		expect(result.valueCounts.get(31)).toBe(100);
	});

	it('leave out what is in lists and maps, but for sizes', async () => {
		const { bytes, result } = await writeRows(sampleFields, rows, { rowGroupRowLimit: 30 });
		for (const id of [33, 35, 38, 40, 42, 44, 47, 48]) {
			expect(result.columnSizes.get(id)).toBeGreaterThan(0);
			for (const map of [result.valueCounts, result.nullValueCounts, result.lowerBounds, result.upperBounds]) {
				expect(map.has(id)).toBe(false);
			}
		}
		const total = footerOf(bytes)
			.rowGroups.flatMap((group) => group.columns)
			.filter((chunk) => chunk.metaData.pathInSchema[0] !== 'variant')
			.reduce((sum, chunk) => sum + chunk.metaData.totalCompressedSize, 0);
		expect([...result.columnSizes.values()].reduce((a, b) => a + b)).toBe(total);
	});

	it('have no bounds of shapes and variants', async () => {
		const { result } = await writeRows(sampleFields, rows);
		for (const id of [23, 24, 25]) {
			expect(result.valueCounts.get(id)).toBe(100);
			expect(result.lowerBounds.has(id) || result.upperBounds.has(id)).toBe(false);
		}
	});

	it('follow the mode of each column', async () => {
		const modes: Record<number, MetricsMode> = { 1: 'none', 3: 'counts', 31: 'none', 33: 'none' };
		const { result } = await writeRows(sampleFields, rows, { metricsMode: (id) => modes[id] ?? 'full' });
		for (const id of [1, 31, 33])
			for (const map of [result.columnSizes, result.valueCounts, result.lowerBounds]) expect(map.has(id)).toBe(false);
		expect(result.valueCounts.get(3)).toBe(100);
		expect(result.lowerBounds.has(3)).toBe(false);
		expect(result.lowerBounds.has(4)).toBe(true);
	});

	it('give the row groups’ starts as split offsets', async () => {
		const { bytes, result } = await writeRows(sampleFields, rows, { rowGroupRowLimit: 30 });
		const { rowGroups } = footerOf(bytes);
		expect(rowGroups.map((group) => group.numRows)).toEqual([30, 30, 30, 10]);
		expect(result.splitOffsets).toEqual(rowGroups.map((group) => group.fileOffset));
		expect(result.splitOffsets[0]).toBe(4);
		for (const group of rowGroups) {
			const first = group.columns[0]?.metaData;
			expect(group.fileOffset).toBe(first?.dictionaryPageOffset ?? first?.dataPageOffset);
			expect(group.totalCompressedSize).toBe(group.columns.reduce((sum, c) => sum + c.metaData.totalCompressedSize, 0));
			expect(group.totalByteSize).toBe(group.columns.reduce((sum, c) => sum + c.metaData.totalUncompressedSize, 0));
		}
	});
});

describe('statistics in the file', () => {
	it('are in PLAIN form and exact where short', async () => {
		expect(await statisticsOf(LONG, [5n, null, -5n])).toEqual({
			nullCount: 1,
			minValue: new Uint8Array(new BigInt64Array([-5n]).buffer),
			maxValue: new Uint8Array(new BigInt64Array([5n]).buffer),
			isMinValueExact: true,
			isMaxValueExact: true,
		});
		expect(await statisticsOf(STRING, [null, null])).toEqual({ nullCount: 2 });
	});

	it('cut long values, and say so', async () => {
		const text = await statisticsOf(STRING, [`${'é'.repeat(64)}x`, 'é'.repeat(64)]);
		expect(utf8(text?.minValue)).toBe('é'.repeat(64));
		expect(utf8(text?.maxValue)).toBe(`${'é'.repeat(63)}ê`);
		expect([text?.isMinValueExact, text?.isMaxValueExact]).toEqual([true, false]);
		const bytes = await statisticsOf(BINARY, [new Uint8Array(100).fill(255)]);
		expect(hex(bytes?.minValue)).toBe('ff'.repeat(64));
		// no shorter bound exists
		expect(hex(bytes?.maxValue)).toBe('ff'.repeat(100));
		expect([bytes?.isMinValueExact, bytes?.isMaxValueExact]).toEqual([false, true]);
	});

	it('take zeros of floats as either zero', async () => {
		const statistics = await statisticsOf(DOUBLE, [0, 0]);
		expect(hex(statistics?.minValue)).toBe('0000000000000080');
		expect(hex(statistics?.maxValue)).toBe('0000000000000000');
		const negative = await statisticsOf(FLOAT, [-0, -0, -1]);
		expect([hex(negative?.minValue), hex(negative?.maxValue)]).toEqual(['000080bf', '00000000']);
		expect(await statisticsOf(DOUBLE, [Number.NaN])).toEqual({ nullCount: 0 });
	});

	it('count nulls of nested columns: all entries without a value', async () => {
		const list: Type = { kind: 'list', elementId: 2, elementRequired: false, element: LONG };
		const [chunk] = await chunksOf(list, [null, [], [null, 1n], [2n]]);
		expect(chunk?.metaData).toMatchObject({ numValues: 5, statistics: { nullCount: 3 } });
	});

	it('have an order for each column', async () => {
		const { bytes } = await writeRows(sampleFields, sampleRows(3));
		const footer = footerOf(bytes);
		expect(footer.columnOrders).toEqual(footer.rowGroups[0]?.columns.map(() => true));
	});
});

describe('page indexes', () => {
	const indexesOf = async (fields: NestedField[], rows: Value[][], options: ParquetWriteOptions) => {
		const { bytes } = await writeRows(fields, rows, options);
		return footerOf(bytes).rowGroups.map((group) =>
			group.columns.map((chunk) => {
				const { columnIndexOffset: c, columnIndexLength = 0, offsetIndexOffset: o = 0, offsetIndexLength = 0 } = chunk;
				return {
					chunk,
					bytes,
					column: c === undefined ? undefined : decodeColumnIndex(bytes.subarray(c, c + columnIndexLength), 'file'),
					offset: decodeOffsetIndex(bytes.subarray(o, o + offsetIndexLength), 'file'),
				};
			}),
		);
	};
	const long = (value: bigint) => new Uint8Array(new BigInt64Array([value]).buffer);

	it('have bounds and places of each page', async () => {
		const rows: Value[][] = [1n, 2n, null, null, 5n, 4n, 9n].map((value) => [value]);
		const [group] = await indexesOf([field(1, 'a', LONG)], rows, { pageRowLimit: 2 });
		const [{ column, offset, chunk } = {}] = group ?? [];
		expect(column).toEqual({
			nullPages: [false, true, false, false],
			minValues: [long(1n), new Uint8Array(0), long(4n), long(9n)],
			maxValues: [long(2n), new Uint8Array(0), long(5n), long(9n)],
			boundaryOrder: BoundaryOrder.ASCENDING,
			nullCounts: [0, 2, 0, 0],
		});
		const { pageLocations = [] } = offset ?? {};
		expect(pageLocations.map((page) => page.firstRowIndex)).toEqual([0, 2, 4, 6]);
		expect(pageLocations[0]?.offset).toBe(chunk?.metaData.dataPageOffset);
		const ends = pageLocations.map((page) => page.offset + page.compressedPageSize);
		expect(pageLocations.slice(1).map((page) => page.offset)).toEqual(ends.slice(0, -1));
		expect((ends.at(-1) ?? 0) - 4).toBe(chunk?.metaData.totalCompressedSize);
	});

	it('know the order of pages', async () => {
		const order = async (values: Value[]) => {
			const [group] = await indexesOf(
				[field(1, 'a', LONG)],
				values.map((v) => [v]),
				{ pageRowLimit: 1 },
			);
			return group?.[0]?.column?.boundaryOrder;
		};
		expect(await order([1n, null, 1n, 2n])).toBe(BoundaryOrder.ASCENDING);
		expect(await order([3n, 2n, null, -1n])).toBe(BoundaryOrder.DESCENDING);
		expect(await order([3n, 2n, 4n])).toBe(BoundaryOrder.UNORDERED);
	});

	it('count rows, not values, of lists', async () => {
		const list: Type = { kind: 'list', elementId: 2, elementRequired: true, element: LONG };
		const rows = [[[1n, 2n, 3n]], [[]], [null], [[4n]], [[5n, 6n]]] as Value[][];
		const groups = await indexesOf([field(1, 'a', list)], rows, { pageRowLimit: 2, rowGroupRowLimit: 4 });
		const found = groups.map(([index]) => index?.offset.pageLocations.map((page) => page.firstRowIndex));
		expect(found).toEqual([[0, 2], [0]]);
		expect(groups[0]?.[0]?.column?.nullCounts).toEqual([1, 1]);
	});

	it('have no bounds where a page has none: NaN only, shapes, variants', async () => {
		const rows: Value[][] = [[1], [Number.NaN]];
		const [group] = await indexesOf([field(1, 'a', DOUBLE)], rows, { pageRowLimit: 1 });
		expect(group?.[0]?.column).toBeUndefined();
		expect(group?.[0]?.offset.pageLocations).toHaveLength(2);
		const [all] = await indexesOf([...sampleFields], sampleRows(20), {});
		const without = all
			?.filter(({ column }) => column === undefined)
			.map(({ chunk }) => chunk.metaData.pathInSchema[0]);
		expect(new Set(without)).toEqual(new Set(['variant', 'shape', 'area']));
	});
});
