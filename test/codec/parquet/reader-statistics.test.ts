import { describe, expect, test } from 'vitest';
import type { LeafStatistics } from '../../../src/codec/parquet/api.ts';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { chunkStatistics, promoteStatistics, type StatisticsLeaf } from '../../../src/codec/parquet/statistics.ts';
import type { SchemaElement, Statistics } from '../../../src/codec/parquet/format.ts';
import { ConvertedType, PhysicalType } from '../../../src/codec/parquet/format.ts';
import type { Type } from '../../../src/spec/types.ts';
import { expectedRows, fixtureBytes, sourceOf } from './fixtures.ts';

const int64 = (value: bigint): Uint8Array => new Uint8Array(new BigInt64Array([value]).buffer);
const int32 = (value: number): Uint8Array => new Uint8Array(new Int32Array([value]).buffer);
const float64 = (value: number): Uint8Array => new Uint8Array(new Float64Array([value]).buffer);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function leaf(element: Partial<SchemaElement>, type: Type, hasTypeOrder = true, path = ['c']): StatisticsLeaf {
	const node = {
		element: { name: 'c', ...element },
		path,
		definitionLevel: 1,
		repetitionLevel: 0,
		children: [],
		leafIndex: 0,
	};
	return { node, type, hasTypeOrder };
}
const of = (l: StatisticsLeaf, statistics: Statistics): LeafStatistics => chunkStatistics(l, statistics, 100);

describe('statistics of row groups', () => {
	test('are those of the values, for every type of pyarrow', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('types-v1')));
		const rows = expectedRows('types-v1');
		let bounds = 0;
		for (const [i, field] of reader.info.fields.entries()) {
			const found = reader.info.rowGroups[0]!.statistics(field.id)!;
			expect(found.nullCount).toBe(rows.filter((row) => row[i] === null).length);
			if (found.min === undefined) continue;
			bounds++;
			const show = (value: unknown): unknown =>
				typeof value === 'bigint'
					? String(value)
					: value instanceof Uint8Array
						? Buffer.from(value).toString('hex')
						: field.type.kind === 'uuid'
							? (value as string).replaceAll('-', '')
							: Number.isFinite(value) || typeof value !== 'number'
								? value
								: String(value);
			const values = rows.map((row) => row[i]).filter((value) => value !== null);
			if (field.type.kind !== 'float' && field.type.kind !== 'double') {
				expect(values).toContainEqual(show(found.min));
				expect(values).toContainEqual(show(found.max));
			} else expect([found.min, found.max]).toEqual([-Infinity, Infinity]);
		}
		// all but those whose order Parquet leaves open
		expect(bounds).toBeGreaterThan(20);
	});

	test('unknown columns have none', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('nested-v1')));
		const byName = new Map(reader.info.fields.map((field) => [field.name, field]));
		expect(reader.info.rowGroups[0]!.statistics(99)).toBeUndefined();
		const list = byName.get('list')!.type;
		if (list.kind !== 'list') throw new Error('no list');
		expect(reader.info.rowGroups[0]!.statistics(list.elementId)).toBeUndefined();
		const struct = byName.get('s')!.type;
		if (struct.kind !== 'struct') throw new Error('no struct');
		const nested = reader.info.rowGroups[0]!.statistics(struct.fields[0]!.id)!;
		expect([nested.min, nested.max, nested.nullCount]).toEqual([expect.any(Number), expect.any(Number), undefined]);
	});

	test('the deprecated fields count for signed numbers only', () => {
		const old = { min: int32(-5), max: int32(7) };
		expect(of(leaf({ type: PhysicalType.INT32 }, { kind: 'int' }, false), old)).toEqual({
			min: -5,
			max: 7,
			exact: true,
		});
		const unsigned = leaf({ type: PhysicalType.INT32, convertedType: ConvertedType.UINT_32 }, { kind: 'long' });
		expect(of(unsigned, old)).toEqual({ exact: false });
		const string = leaf({ type: PhysicalType.BYTE_ARRAY, convertedType: ConvertedType.UTF8 }, { kind: 'string' });
		expect(of(string, { min: text('a'), max: text('b') })).toEqual({ exact: false });
	});

	test('bounds of bytes need the footer to name their order', () => {
		const element = { type: PhysicalType.BYTE_ARRAY, convertedType: ConvertedType.UTF8 };
		const statistics = { minValue: text('a'), maxValue: text('b') };
		expect(of(leaf(element, { kind: 'string' }, true), statistics)).toEqual({ min: 'a', max: 'b', exact: false });
		expect(of(leaf(element, { kind: 'string' }, false), statistics)).toEqual({ exact: false });
		expect(
			of(leaf(element, { kind: 'string' }), { ...statistics, isMinValueExact: true, isMaxValueExact: true }).exact,
		).toBe(true);
	});

	test('unsigned bounds are unsigned', () => {
		const element = { type: PhysicalType.INT32, convertedType: ConvertedType.UINT_32 };
		expect(of(leaf(element, { kind: 'long' }), { minValue: int32(1), maxValue: int32(-1) })).toEqual({
			min: 1n,
			max: 4294967295n,
			exact: true,
		});
		const wide = { type: PhysicalType.INT64, convertedType: ConvertedType.UINT_64 };
		const type: Type = { kind: 'decimal', precision: 20, scale: 0 };
		expect(of(leaf(wide, type), { minValue: int64(1n), maxValue: int64(-1n) }).max).toBe(18446744073709551615n);
		expect(of(leaf(wide, type, false), { minValue: int64(1n), maxValue: int64(-1n) })).toEqual({ exact: false });
	});

	test('a NaN bound is none, a zero bound covers both zeros, bounds in the wrong order are none', () => {
		const double = leaf({ type: PhysicalType.DOUBLE }, { kind: 'double' });
		expect(of(double, { minValue: float64(Number.NaN), maxValue: float64(1) })).toEqual({ max: 1, exact: false });
		const zeros = of(double, { minValue: float64(0), maxValue: float64(-0) });
		expect([zeros.min, zeros.max]).toEqual([-0, 0]);
		expect(of(double, { minValue: float64(2), maxValue: float64(1) })).toEqual({ exact: false });
	});

	test('bounds of a wrong length are none', () => {
		for (const [type, kind] of [
			[PhysicalType.INT32, 'int'],
			[PhysicalType.INT64, 'long'],
			[PhysicalType.DOUBLE, 'double'],
			[PhysicalType.BOOLEAN, 'boolean'],
		] as const) {
			expect(of(leaf({ type }, { kind }), { minValue: text('xyz'), maxValue: text('') })).toEqual({ exact: false });
		}
	});

	test('text that was cut within a character still bounds from below, not from above', () => {
		const string = leaf({ type: PhysicalType.BYTE_ARRAY, convertedType: ConvertedType.UTF8 }, { kind: 'string' });
		const cut = text('grü').subarray(0, 3);
		expect(of(string, { minValue: cut, maxValue: cut })).toEqual({ min: 'gr', exact: false });
	});

	test('decimals are signed in all forms', () => {
		const type: Type = { kind: 'decimal', precision: 9, scale: 2 };
		const bytes = new Uint8Array([0xff, 0xff, 0xff, 0x6a]);
		const fixed = leaf({ type: PhysicalType.FIXED_LEN_BYTE_ARRAY, typeLength: 4 }, type);
		expect(of(fixed, { minValue: bytes, maxValue: new Uint8Array([0, 0, 0, 150]) })).toEqual({
			min: -150n,
			max: 150n,
			exact: true,
		});
		expect(of(leaf({ type: PhysicalType.INT32 }, type), { minValue: int32(-150), maxValue: int32(0) }).min).toBe(-150n);
	});

	test('INT96 has none', () => {
		const int96 = leaf({ type: PhysicalType.INT96 }, { kind: 'timestamptz' });
		expect(of(int96, { minValue: new Uint8Array(12), maxValue: new Uint8Array(12) })).toEqual({ exact: false });
	});

	test('null counts of nested leaves and impossible ones are left out', () => {
		expect(of(leaf({ type: PhysicalType.INT32 }, { kind: 'int' }), { nullCount: 3 })).toEqual({
			exact: false,
			nullCount: 3,
		});
		expect(of(leaf({ type: PhysicalType.INT32 }, { kind: 'int' }), { nullCount: 101 })).toEqual({ exact: false });
		const nested = leaf({ type: PhysicalType.INT32 }, { kind: 'int' }, true, ['s', 'c']);
		expect(of(nested, { nullCount: 3 })).toEqual({ exact: false });
	});

	test('timestamps in milliseconds are in microseconds', () => {
		const element = { type: PhysicalType.INT64, convertedType: ConvertedType.TIMESTAMP_MILLIS };
		const found = of(leaf(element, { kind: 'timestamptz' }), { minValue: int64(-1n), maxValue: int64(2n) });
		expect(found).toEqual({ min: -1000n, max: 2000n, exact: true });
	});
});

describe('promotion of statistics', () => {
	const promote = (from: Type, to: Type, min: LeafStatistics['min'], max: LeafStatistics['max']): unknown => {
		const found = promoteStatistics({ min: min!, max: max!, exact: true, nullCount: 4 }, from, to);
		expect(found.nullCount).toBe(4);
		return [found.min, found.max, found.exact];
	};
	test('to the type that the column is read into', () => {
		expect(promote({ kind: 'int' }, { kind: 'long' }, -1, 5)).toEqual([-1n, 5n, true]);
		expect(promote({ kind: 'float' }, { kind: 'double' }, -1.5, 5)).toEqual([-1.5, 5, true]);
		expect(promote({ kind: 'date' }, { kind: 'timestamp' }, -1, 1)).toEqual([-86400000000n, 86400000000n, true]);
		expect(promote({ kind: 'date' }, { kind: 'timestamptz_ns' }, 0, 1)).toEqual([0n, 86400000000000n, true]);
		expect(promote({ kind: 'timestamp_ns' }, { kind: 'timestamp' }, -1n, 1n)).toEqual([-1n, 1n, false]);
		expect(promote({ kind: 'timestamptz' }, { kind: 'timestamp_ns' }, -1n, 1n)).toEqual([-1000n, 1000n, true]);
		expect(promote({ kind: 'timestamptz' }, { kind: 'timestamp' }, -1n, 1n)).toEqual([-1n, 1n, true]);
		expect(promote({ kind: 'binary' }, { kind: 'string' }, text('a'), text('b'))).toEqual(['a', 'b', true]);
	});
	test('drops what has no order in the other type', () => {
		expect(promote({ kind: 'string' }, { kind: 'binary' }, 'a', 'b')).toEqual([undefined, undefined, false]);
	});
});
