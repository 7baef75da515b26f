/** Rows that do not fit are refused with row, column and value; nothing of their append is written. */
import * as apache from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import {
	binary,
	boolean,
	columns,
	createTable,
	date,
	decimal,
	double,
	fixed,
	float,
	IcebergError,
	int,
	list,
	loadTable,
	long,
	map,
	schema,
	string,
	struct,
	time,
	timestamp,
	timestampNs,
	timestamptz,
	timestamptzNs,
	uuid,
} from '../../src/index.ts';
import type { Table } from '../../src/index.ts';
import { listing, newFolder } from '../table/support.ts';

const everything = schema({
	id: long().required(),
	flag: boolean(),
	small: int(),
	big: long(),
	single: float(),
	twice: double(),
	price: decimal(9, 2),
	day: date(),
	at: time(),
	local: timestamp(),
	instant: timestamptz(),
	local_ns: timestampNs(),
	instant_ns: timestamptzNs(),
	name: string(),
	key: uuid(),
	four: fixed(4),
	raw: binary(),
	place: struct({ city: string().required(), zip: int() }),
	tags: list(string()),
	marks: list(int().required()),
	counts: map(string(), int().required()),
});

type Loose = Record<string, unknown>;

async function everyTable(): Promise<{ folder: string; table: Table<Loose, { id: bigint }> }> {
	const folder = newFolder();
	const table = await createTable(folder, everything, { formatVersion: 3, partitionBy: ['bucket(4, id)', 'day'] });
	await table.append([{ id: 1, day: '2024-01-01' }]);
	return { folder, table: table as unknown as Table<Loose, { id: bigint }> };
}

async function refusalOf(work: () => Promise<unknown>): Promise<IcebergError> {
	const error = await work().then(
		() => undefined,
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(IcebergError);
	return error as IcebergError;
}

const LONE = 'a\ud800b';

/** column, value, what the message must say of it; the column's full name where it is a part */
const refused: [string, unknown, RegExp, string?][] = [
	['id', undefined, /required|missing/],
	['id', null, /required|null/],
	['flag', 1, /boolean.*found 1/],
	['flag', 'true', /"true"/],
	['small', 1.5, /1\.5/],
	['small', 2 ** 31, /2147483648/],
	['small', -(2 ** 31) - 1, /-2147483649/],
	['small', Number.NaN, /NaN/],
	['small', '7', /"7"/],
	['small', 5n ** 20n, /95367431640625/],
	['big', 1.5, /1\.5/],
	['big', 2n ** 63n, /9223372036854775808/],
	['big', -(2n ** 63n) - 1n, /-9223372036854775809/],
	['big', 2 ** 53, /9007199254740992/],
	['big', Number.POSITIVE_INFINITY, /Infinity/],
	['big', '1', /"1"/],
	['single', 1e300, /1e\+300/],
	['single', '1', /"1"/],
	['twice', (1n << 70n) + 1n, /1180591620717411303425/],
	['twice', 'NaN', /"NaN"/],
	['price', '1.234', /"1\.234"/],
	['price', 1.005, /1\.005/],
	['price', '12345678.00', /"12345678\.00"/],
	['price', Number.NaN, /NaN/],
	['price', 'abc', /"abc"/],
	['day', '2024-02-30', /"2024-02-30"/],
	['day', new Date(1), /1970-01-01T00:00:00\.001Z/],
	['day', '2024-01-01T00:00:00', /"2024-01-01T00:00:00"/],
	['at', '24:00:00', /"24:00:00"/],
	['at', '12:00:00.0000001', /"12:00:00\.0000001"/],
	['local', '2024-01-01T00:00:00Z', /"2024-01-01T00:00:00Z"/],
	['local', '2024-01-01T00:00:00.0000001', /0000001/],
	['instant', '2024-01-01T00:00:00', /"2024-01-01T00:00:00".*|offset/],
	['instant', new Date(Number.NaN), /Invalid Date/],
	['instant', 'yesterday', /"yesterday"/],
	['instant', 1_700_000_000_000, /1700000000000/],
	['instant_ns', '2024-01-01T00:00:00', /"2024-01-01T00:00:00"/],
	['local_ns', '9999-01-01T00:00:00', /"9999-01-01T00:00:00"/],
	['name', 5, /found 5/],
	['name', LONE, /surrogate|well-formed/],
	['name', new Date(0), /Date 1970/],
	['key', 'not-a-uuid', /"not-a-uuid"/],
	['key', 'f79c3e09-677c-4bbd-a479-3f349cb785e', /f79c3e09/],
	['four', Uint8Array.of(1, 2, 3), /4 bytes.*3 bytes|3 bytes/],
	['four', 'abcd', /"abcd"/],
	['raw', 'text', /"text"/],
	['raw', [1, 2], /an array of 2/],
	['place', 'Rome', /"Rome"/],
	['place', { zip: 1 }, /required|missing/, 'place.city'],
	['place', { city: 'Rome', zip: 1.5 }, /1\.5/, 'place.zip'],
	['place', { city: 'Rome', street: 'x' }, /street|no field/, 'place.street'],
	['place', { city: LONE }, /surrogate|well-formed/, 'place.city'],
	['tags', 'a', /"a"/],
	['tags', ['a', 5], /found 5/, 'tags[1]'],
	['marks', [1, null], /null|required/, 'marks[1]'],
	['counts', { a: 1.5 }, /1\.5/],
	['counts', new Map([['a', null]]), /null|required/],
	['counts', 5, /found 5/],
];

describe('a row is refused, and its whole batch', () => {
	it.each(refused.map(([column, value, text, full]) => ({ column, value, text, full })))(
		'$column: $value',
		async ({ column, value, text, full }) => {
			const { folder, table } = await everyTable();
			const before = listing(folder);
			const bad: Loose = { id: 3, day: '2024-01-03', [column]: value };
			if (value === undefined) delete bad[column];
			const rows = [{ id: 1, day: '2024-01-01' }, { id: 2, day: '2024-01-02' }, bad, { id: 4 }];
			const error = await refusalOf(() => table.append(rows));
			expect(error.code).toBe('INVALID_DATA');
			expect(error.message).toContain('row 2');
			expect(error.message).toContain(`column '${full ?? column}`);
			expect(error.message).toMatch(text);
			expect(error.message).not.toMatch(/[\ud800-\udfff]/);
			expect(error.context).toMatchObject({ row: 2, column: expect.stringContaining(full ?? column) });
			expect(listing(folder)).toEqual(before);
			expect(await (await loadTable(folder)).scan().count()).toBe(1);
		},
	);

	it('an unknown field, with the name that is near', async () => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const error = await refusalOf(() => table.append([{ id: 1 }, { id: 2, prise: 5 }]));
		expect(error).toMatchObject({ code: 'INVALID_DATA', context: { row: 1, column: 'prise', value: 5 } });
		expect(error.message).toMatch(/row 1, column 'prise'.*did you mean 'price'/);
		expect(listing(folder)).toEqual(before);
	});

	it.each([[null], [undefined], [5], ['text'], [[1, 2]], [new Map([['id', 1]])]])('a row that is %s', async (row) => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const error = await refusalOf(() => table.append([{ id: 1 }, row as never]));
		expect(error).toMatchObject({ code: 'INVALID_DATA', message: expect.stringMatching(/row 1\b/) });
		expect(listing(folder)).toEqual(before);
	});

	it('far down in a stream, after files have been written: they are removed', async () => {
		const { folder, table } = await everyTable();
		await table.setProperties({ 'write.target-file-size-bytes': '1024' });
		const before = listing(folder).filter((name) => /\.(parquet|avro|json|text)/.test(name));
		const error = await refusalOf(() =>
			table.append(
				(async function* () {
					for (let i = 0; i < 60_000; i++) yield { id: i, day: '2024-01-01', name: `text ${i} ${'x'.repeat(100)}` };
					yield { id: 60_000, name: 7 };
				})(),
			),
		);
		expect(error.message).toMatch(/row 60000, column 'name'.*found 7/);
		expect(listing(folder).filter((name) => /\./.test(name) && !/^data\/[^.]*$/.test(name))).toEqual(before);
	});

	it('by what its source throws, as it is', async () => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const broken = new Error('the source is broken');
		await expect(
			table.append(
				(function* () {
					yield { id: 1 };
					throw broken;
				})(),
			),
		).rejects.toBe(broken);
		expect(listing(folder)).toEqual(before);
	});

	it('in a getter that throws', async () => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const row = {
			get id(): number {
				throw new Error('no id today');
			},
		};
		await expect(table.append([row])).rejects.toThrow('no id today');
		expect(listing(folder)).toEqual(before);
	});
});

describe('columns are refused', () => {
	it.each([
		['a value that does not fit', { id: [1, 2, 1.5] }, /row 2, column 'id'.*1\.5/],
		['a null in a required column', { id: [1, null] }, /row 1, column 'id'/],
		['a required column that is missing', { name: ['a'] }, /'id'/],
		['an unknown column', { id: [1], prise: [1] }, /column 'prise'.*'price'/],
		['unequal lengths', { id: [1, 2], name: ['a'] }, /(id|name).*[12]/],
		['a lone surrogate', { id: [1, 2], name: ['a', LONE] }, /row 1, column 'name'/],
		['a typed array of another kind that does not fit', { id: Float64Array.of(1, 2.5) }, /row 1, column 'id'.*2\.5/],
		['no array', { id: 5 }, /column 'id'/],
		['out of range', { id: BigUint64Array.of(1n, 2n ** 63n) }, /row 1, column 'id'.*9223372036854775808/],
	])('%s', async (_, input, message) => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const error = await refusalOf(() => table.append(columns(input as never)));
		expect(error).toMatchObject({ code: 'INVALID_DATA', message: expect.stringMatching(message) });
		expect(listing(folder)).toEqual(before);
	});
});

describe('Arrow is refused', () => {
	const i64 = (values: (bigint | null)[]): apache.Vector => apache.vectorFromArray(values, new apache.Int64());
	it.each([
		['a null in a required column', { id: i64([1n, null]) }, /row 1, column 'id'/],
		[
			'a value out of range',
			{ id: i64([1n, 2n]), small: i64([1n, 2n ** 40n]) },
			/row 1, column 'small'.*1099511627776/,
		],
		[
			'a fraction in a whole column',
			{ id: i64([1n]), big: apache.vectorFromArray([1.5], new apache.Float64()) },
			/column 'big'.*float64.*long/,
		],
		['an unknown column', { id: i64([1n]), other: i64([1n]) }, /column 'other'/],
		['text for a number', { id: i64([1n]), big: apache.vectorFromArray(['1'], new apache.Utf8()) }, /column 'big'/],
	])('%s', async (_, vectors, message) => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const error = await refusalOf(() => table.append(new apache.Table(vectors as never) as never));
		expect(error).toMatchObject({ code: 'INVALID_DATA', message: expect.stringMatching(message) });
		expect(listing(folder)).toEqual(before);
	});

	it('bytes that are no Arrow, or cut off', async () => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const ipc = apache.tableToIPC(new apache.Table({ id: i64([1n, 2n]) }), 'file');
		for (const bytes of [
			new Uint8Array(0),
			Uint8Array.of(1, 2, 3),
			new TextEncoder().encode('{"id":1}'),
			ipc.subarray(0, ipc.length - 20),
		]) {
			const error = await refusalOf(() => table.append(bytes));
			expect(['INVALID_ARGUMENT', 'CORRUPT']).toContain(error.code);
		}
		expect(listing(folder)).toEqual(before);
	});
});

describe('records that cannot be iterated over are refused', () => {
	it.each([
		['a single row', { id: 1 }, /array/],
		['a number', 5, /iterable.*5/],
		['text', 'id,1', /"id,1"/],
		['null', null, /null/],
		['undefined', undefined, /undefined/],
		['a generator function', function* () {}, /call it/],
		['a promise', Promise.resolve([{ id: 1 }]), /await/],
		['a Map', new Map(), /Map/],
	])('%s', async (_, input, message) => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		const error = await refusalOf(() => table.append(input as never));
		expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
		expect(listing(folder)).toEqual(before);
	});
});

describe('an append of nothing', () => {
	it('is no error, writes nothing and says so', async () => {
		const { folder, table } = await everyTable();
		const before = listing(folder);
		for (const nothing of [
			[],
			new Set<Loose>(),
			(function* () {})(),
			columns({}),
			new apache.Table({ id: apache.vectorFromArray([], new apache.Int64()) }),
		]) {
			const result = await table.append(nothing as never);
			expect(result).toMatchObject({ committed: false, rowCount: 0, snapshot: undefined });
			expect(result.message).toMatch(/nothing to append/);
		}
		expect(listing(folder)).toEqual(before);
	});
});
