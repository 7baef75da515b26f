/** Iceberg spec: Column Projection; Schema Evolution (type promotion); Name Mapping. */
import { describe, expect, test } from 'vitest';
import type { NameToId, ParquetProjection } from '../../../src/codec/parquet/api.ts';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { getValue } from '../../../src/column/vector-values.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';
import type { NestedField, Type, Value } from '../../../src/spec/types.ts';
import { expectedRows, fixtureBytes, fixtureIndex, readAll, sourceOf } from './fixtures.ts';
import { legacyFiles } from './legacy-files.ts';
import { field, writeRows } from './writer-support.ts';

const LONG: Type = { kind: 'long' };
const INT: Type = { kind: 'int' };
const STRING: Type = { kind: 'string' };
const struct = (...fields: NestedField[]): Type => ({ kind: 'struct', fields });
const list = (elementId: number, element: Type, elementRequired = false): Type => ({
	kind: 'list',
	elementId,
	elementRequired,
	element,
});
const map = (keyId: number, key: Type, valueId: number, value: Type): Type => ({
	kind: 'map',
	keyId,
	key,
	valueId,
	valueRequired: false,
	value,
});

async function project(bytes: Uint8Array, projection: ParquetProjection, nameMapping?: NameToId): Promise<Value[][]> {
	const reader = await openParquet(sourceOf(bytes, 'f.parquet'), nameMapping === undefined ? {} : { nameMapping });
	const rows: Value[][] = [];
	for await (const { batch } of reader.read(projection, { batchRowLimit: 3 })) {
		expect(batch.fields).toBe(projection.fields);
		for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => getValue(column, i)));
	}
	return rows;
}

async function refusal(bytes: Uint8Array, fields: readonly NestedField[], ...codes: string[]): Promise<string> {
	const error = await project(bytes, { fields }).catch((e: unknown) => e);
	expect(isIcebergError(error) && codes.includes(error.code)).toBe(true);
	return (error as Error).message;
}

const file = [
	field(1, 'id', LONG, true),
	field(2, 'name', STRING),
	field(3, 's', struct(field(4, 'a', INT), field(5, 'b', STRING), field(6, 'c', struct(field(7, 'd', INT))))),
	field(8, 'l', list(9, struct(field(10, 'x', INT), field(11, 'y', list(12, STRING))))),
	field(13, 'm', map(14, STRING, 15, struct(field(16, 'v', INT), field(17, 'w', INT)))),
];
const rows: Value[][] = [
	[
		1n,
		'one',
		[1, 'b1', [7]],
		[[1, ['p', null]], null, [null, null]],
		[
			['k', [1, 2]],
			['j', null],
		],
	],
	[2n, null, null, null, null],
	[3n, 'three', [null, null, null], [], []],
	[4n, 'four', [4, null, [null]], [[null, []]], [['z', [null, 9]]]],
];

describe('columns are found by field id', () => {
	test('renamed, reordered and dropped ones, at every level', async () => {
		const { bytes } = await writeRows(file, rows);
		const fields = [
			field(8, 'items', list(9, struct(field(11, 'why', list(12, STRING)), field(10, 'ex', INT)))),
			field(3, 'inner', struct(field(6, 'see', struct(field(7, 'dee', INT))), field(4, 'ay', INT))),
			field(13, 'table', map(14, STRING, 15, struct(field(17, 'w2', INT)))),
			field(1, 'key', LONG, true),
		];
		expect(await project(bytes, { fields })).toEqual([
			[
				[[['p', null], 1], null, [null, null]],
				[[7], 1],
				[
					['k', [2]],
					['j', null],
				],
				1n,
			],
			[null, null, null, 2n],
			[[], [null, null], [], 3n],
			[[[[], null]], [[null], 4], [['z', [9]]], 4n],
		]);
	});

	test('a field of another name and a new id is missing, not found by its name', async () => {
		const { bytes } = await writeRows(file, rows);
		expect(await project(bytes, { fields: [field(99, 'name', STRING)] })).toEqual([[null], [null], [null], [null]]);
	});
});

describe('missing columns', () => {
	const defaults = ({ id }: NestedField): Value => (id === 90 ? 5n : id === 91 ? 'new' : id === 92 ? [1, 2] : null);

	test('are their default, or null, at every level', async () => {
		const { bytes } = await writeRows(file, rows);
		const fields = [
			field(90, 'required', LONG, true),
			field(3, 's', struct(field(91, 'added', STRING, true), field(4, 'a', INT), field(80, 'none', INT))),
			field(8, 'l', list(9, struct(field(91, 'added', STRING), field(10, 'x', INT)))),
			field(92, 'numbers', list(93, INT)),
		];
		expect(await project(bytes, { fields, defaults })).toEqual([
			[5n, ['new', 1, null], [['new', 1], null, ['new', null]], [1, 2]],
			[5n, null, null, [1, 2]],
			[5n, ['new', null, null], [], [1, 2]],
			[5n, ['new', 4, null], [['new', null]], [1, 2]],
		]);
	});

	test('leave a struct null where it is null, although none of its columns is in the file', async () => {
		const { bytes } = await writeRows(file, rows);
		const fields = [
			field(3, 's', struct(field(80, 'none', INT))),
			field(8, 'l', list(9, struct(field(81, 'none', INT)))),
			field(13, 'm', map(14, STRING, 15, struct(field(91, 'added', STRING)))),
			field(3 + 80, 'gone', struct(field(84, 'x', INT))),
		];
		expect(await project(bytes, { fields, defaults })).toEqual([
			[
				[null],
				[[null], null, [null]],
				[
					['k', ['new']],
					['j', null],
				],
				null,
			],
			[null, null, null, null],
			[[null], [], [], null],
			[[null], [[null]], [['z', ['new']]], null],
		]);
	});

	test('a required one without default is refused by its name', async () => {
		const { bytes } = await writeRows(file, rows);
		expect(await refusal(bytes, [field(80, 'must', LONG, true)], 'CORRUPT')).toContain("'must'");
		const nested = field(3, 's', struct(field(80, 'must', LONG, true)));
		expect(await refusal(bytes, [nested], 'CORRUPT')).toContain("'s.must'");
	});
});

describe('promotion', () => {
	const date: Type = { kind: 'date' };
	const decimal = (precision: number, scale: number): Type => ({ kind: 'decimal', precision, scale });
	const cases: [Type, Type, Value, Value][] = [
		[INT, LONG, -2147483648, -2147483648n],
		[{ kind: 'float' }, { kind: 'double' }, Math.fround(0.1), Math.fround(0.1)],
		[decimal(9, 2), decimal(18, 2), -150n, -150n],
		[decimal(9, 2), decimal(38, 2), -999999999n, -999999999n],
		[decimal(18, 2), decimal(38, 2), -(10n ** 18n) + 1n, -(10n ** 18n) + 1n],
		[date, { kind: 'timestamp' }, -1, -86_400_000_000n],
		[date, { kind: 'timestamp_ns' }, 19782, 19782n * 86_400_000_000_000n],
		[date, { kind: 'timestamp' }, 2147483, 2147483n * 86_400_000_000n],
		[{ kind: 'timestamp' }, { kind: 'timestamp_ns' }, -1n, -1000n],
		[{ kind: 'timestamptz_ns' }, { kind: 'timestamptz' }, -5000n, -5n],
		[STRING, { kind: 'binary' }, 'é', new Uint8Array([0xc3, 0xa9])],
		[{ kind: 'fixed', length: 2 }, { kind: 'binary' }, new Uint8Array([1, 2]), new Uint8Array([1, 2])],
		[INT, { kind: 'unknown' }, 5, null],
	];
	test.each(cases)('%j to %j', async (from, to, value, expected) => {
		const { bytes } = await writeRows([field(1, 'c', from)], [[value], [null], [value]]);
		expect(await project(bytes, { fields: [field(1, 'c', to)] })).toEqual([[expected], [null], [expected]]);
		// below a list, where the levels decide what a value is
		const nested = [[[value, null, value]], [null], [[]]];
		const other = await writeRows([field(1, 'c', list(2, from))], nested);
		expect(await project(other.bytes, { fields: [field(1, 'c', list(2, to))] })).toEqual([
			[[expected, null, expected]],
			[null],
			[[]],
		]);
	});

	test('a column that knows nothing but nulls becomes any type', async () => {
		const { bytes } = legacyFiles().find(({ name }) => name === 'a list of unknown elements')!;
		const [found] = (await openParquet(sourceOf(bytes))).info.fields;
		if (found?.type.kind !== 'list') throw new Error('no list');
		const { id, type } = found;
		expect(type.element.kind).toBe('unknown');
		expect(await project(bytes, { fields: [field(id, 'l', list(type.elementId, STRING))] })).toEqual([
			[[]],
			[[null, null]],
			[null],
		]);
		expect(
			await project(bytes, { fields: [field(id, 'l', list(type.elementId, struct(field(5, 'x', INT))))] }),
		).toEqual([[[]], [[null, null]], [null]]);
	});

	test.each<[Type, Type, Value]>([
		[LONG, INT, 1n],
		[{ kind: 'double' }, { kind: 'float' }, 1],
		[decimal(9, 2), decimal(9, 3), 1n],
		[decimal(9, 2), decimal(8, 2), 1n],
		[INT, STRING, 1],
		[INT, date, 1],
		[STRING, { kind: 'uuid' }, 'x'],
		[{ kind: 'fixed', length: 2 }, { kind: 'fixed', length: 3 }, new Uint8Array(2)],
		[STRING, struct(field(5, 'x', INT)), 'x'],
		[list(2, INT), LONG, [1]],
		[list(2, INT), map(3, INT, 4, INT), [1]],
		[STRING, { kind: 'variant' }, 'x'],
		[STRING, { kind: 'unsupported', json: 'new' }, 'x'],
	])('%j to %j is refused by the name of the column', async (from, to, value) => {
		const { bytes } = await writeRows([field(1, 'col', from)], [[value]]);
		expect(await refusal(bytes, [field(1, 'col', to)], 'UNSUPPORTED')).toContain("'col'");
	});

	test.each<[Type, Type, Value]>([
		[{ kind: 'timestamp_ns' }, { kind: 'timestamp' }, 1001n],
		[{ kind: 'timestamp_ns' }, { kind: 'timestamp' }, -1n],
		[{ kind: 'timestamp' }, { kind: 'timestamp_ns' }, 2n ** 62n],
		[date, { kind: 'timestamp' }, 2147483647],
	])('%j to %j is refused for a value that does not fit', async (from, to, value) => {
		const { bytes } = await writeRows([field(1, 'col', from)], [[value]]);
		expect(await refusal(bytes, [field(1, 'col', to)], 'UNSUPPORTED')).toContain("'col'");
	});
});

describe('files without field ids', () => {
	const ids: Record<string, number> = {
		id: 1,
		list: 2,
		'list.element': 3,
		s: 4,
		's.a': 5,
		map: 6,
		'map.key': 7,
		'map.value': 8,
		req: 9,
		'req.element': 10,
		'req.element.p': 11,
		'req.element.q': 12,
		'req.element.q.element': 13,
	};
	const nameMapping: NameToId = (path) => ids[path.join('.')];

	test.each(['nested-v1', 'nested-old-names'])('%s: names give the ids', async (name) => {
		const fields = [
			field(9, 'r', list(10, struct(field(12, 'q', list(13, STRING)), field(11, 'p', LONG)))),
			field(6, 'm', map(7, STRING, 8, LONG)),
			field(4, 's', struct(field(5, 'x', INT))),
			field(77, 'b', STRING),
		];
		const found = await project(fixtureBytes(name), { fields }, nameMapping);
		const { columns } = fixtureIndex.tables['nested']!;
		const at = (column: string): number => columns.indexOf(column);
		type Row = Record<number, never>;
		const expected = expectedRows(name).map((row) => {
			const [req, pairs, s] = [at('req'), at('map'), at('s')].map((i) => (row as unknown as Row)[i]) as unknown as [
				[string, string[]][],
				[string, number | null][] | null,
				[number | null, string] | null,
			];
			return [
				req.map(([p, q]) => [q, BigInt(p)]),
				pairs === null ? null : pairs.map(([k, v]) => [k, v === null ? null : BigInt(v)]),
				s === null ? null : [s[0]],
				null,
			];
		});
		expect(found).toEqual(expected);
	});

	test('without a mapping each field has a negative id of its own, by which it can be read', async () => {
		const reader = await openParquet(sourceOf(fixtureBytes('nested-v1')));
		expect(reader.info.hasIds).toBe(false);
		const found = reader.info.fields.map(({ id }) => id);
		expect(found.every((id) => id < 0)).toBe(true);
		expect(new Set(found).size).toBe(found.length);
		expect(await readAll(reader)).toEqual(expectedRows('nested-v1'));
	});

	test('a mapping is not used where the file has ids', async () => {
		const { bytes } = await writeRows([field(1, 'a', INT)], [[5]]);
		const fields = [field(2, 'b', INT), field(1, 'c', INT)];
		expect(await project(bytes, { fields }, () => 2)).toEqual([[null, 5]]);
	});
});
