/** What a scan reads, and the forms in which it gives it. */
import * as flechette from '@uwdata/flechette';
import * as apache from 'apache-arrow';
import { beforeAll, describe, expect, it } from 'vitest';
import {
	and,
	columns,
	createTable,
	double,
	eq,
	gt,
	gtEq,
	IcebergError,
	int,
	isIn,
	isNaN_,
	isNull,
	list,
	long,
	lt,
	ltEq,
	map,
	MemoryFileIO,
	not,
	notEq,
	notIn,
	notNaN,
	notNull,
	notStartsWith,
	or,
	schema,
	startsWith,
	string,
	struct,
	timestamp,
	timestampNs,
	timestamptz,
	type Expression,
	type ScanOptions,
	type Table,
} from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';
import { pairRows, pairs } from './support.ts';

const trips = schema({
	id: long().required(),
	name: string(),
	score: double(),
	at: timestamptz(),
	place: struct({ city: string(), position: struct({ lat: double(), lon: double() }) }),
	stops: list(struct({ name: string(), minute: int() })),
	extra: map(string(), long()),
});

const ROWS = 3_000;
const tripRow = (i: number) => ({
	id: i,
	name: i % 7 === 0 ? null : `trip-${i % 50}`,
	score: i % 11 === 0 ? Number.NaN : i % 13 === 0 ? null : i / 4,
	at: BigInt(i) * 1_000_000n + 1n,
	place: i % 17 === 0 ? null : { city: ['Rome', 'Oslo', 'Lima'][i % 3]!, position: { lat: i / 100, lon: -i / 100 } },
	stops: i % 5 === 0 ? [] : [{ name: `s${i}`, minute: i }],
	extra: i % 2 === 0 ? new Map([[`k${i % 3}`, BigInt(i)]]) : null,
});
const source = Array.from({ length: ROWS }, (_, i) => tripRow(i));

let table: Table<object, { id: bigint }>;

beforeAll(async () => {
	const made = await createTable('memory:/trips', trips, { io: new MemoryFileIO() });
	for (let from = 0; from < ROWS; from += 1_000) await made.append(source.slice(from, from + 1_000));
	table = made as unknown as typeof table;
});

async function ids(options: ScanOptions): Promise<number[]> {
	return (await table.scan(options).toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
}
function expectedIds(keep: (row: ReturnType<typeof tripRow>) => boolean): number[] {
	return source.filter(keep).map(({ id }) => id);
}

describe('where', () => {
	type Row = ReturnType<typeof tripRow>;
	const cases: [string, Expression, (row: Row) => boolean][] = [
		['id = 17', eq('id', 17), (r) => r.id === 17],
		['id != 17', notEq('id', 17n), (r) => r.id !== 17],
		['id < 5', lt('id', 5), (r) => r.id < 5],
		['id <= 5', ltEq('id', 5), (r) => r.id <= 5],
		['id > 2990', gt('id', 2990), (r) => r.id > 2990],
		['id >= 2990', gtEq('id', 2990), (r) => r.id >= 2990],
		['id in (1, 2, 2999)', isIn('id', [1, 2, 2999]), (r) => [1, 2, 2999].includes(r.id)],
		['id not in (1, 2)', notIn('id', [1, 2]), (r) => ![1, 2].includes(r.id)],
		['name is null', isNull('name'), (r) => r.name === null],
		['name is not null', notNull('name'), (r) => r.name !== null],
		['score is nan', isNaN_('score'), (r) => Number.isNaN(r.score)],
		['score is not nan', notNaN('score'), (r) => !Number.isNaN(r.score)],
		["name starts with 'trip-4'", startsWith('name', 'trip-4'), (r) => r.name?.startsWith('trip-4') === true],
		["name like 'trip-4%'", startsWith('name', 'trip-4'), (r) => r.name?.startsWith('trip-4') === true],
		["name not starts with 'trip'", notStartsWith('name', 'trip'), (r) => r.name === null],
		[
			"name = 'trip-3' and id < 100",
			and(eq('name', 'trip-3'), lt('id', 100)),
			(r) => r.name === 'trip-3' && r.id < 100,
		],
		['id = 1 or id = 2', or(eq('id', 1), eq('id', 2)), (r) => r.id === 1 || r.id === 2],
		['not (id > 3)', not(gt('id', 3)), (r) => r.id <= 3],
		["place.city = 'Oslo'", eq('place.city', 'Oslo'), (r) => r.place?.city === 'Oslo'],
		['place.position.lat >= 29.5', gtEq('place.position.lat', 29.5), (r) => (r.place?.position.lat ?? -1) >= 29.5],
		['place is null', isNull('place'), (r) => r.place === null],
		['place.city is null and id < 50', and(isNull('place.city'), lt('id', 50)), (r) => r.place === null && r.id < 50],
		["at < '1970-01-01T00:00:05+00:00'", lt('at', '1970-01-01T00:00:05+00:00'), (r) => r.at < 5_000_000n],
	];
	it.each(cases)('%s', async (text, expression, keep) => {
		const wanted = expectedIds(keep);
		expect(wanted.length).toBeGreaterThan(0);
		expect(await ids({ where: text })).toEqual(wanted);
		expect(await ids({ where: expression })).toEqual(wanted);
		expect(await table.scan({ where: text }).count()).toBe(wanted.length);
	});

	it('reads a column that is not selected, and gives only those that are', async () => {
		expect(await table.scan({ select: ['id'], where: "place.city = 'Lima' and id < 10" }).toArray()).toEqual([
			{ id: 2n },
			{ id: 5n },
			{ id: 8n },
		]);
	});

	it('leaves out files by their metrics', async () => {
		const scan = table.scan({ where: 'id = 2500' });
		expect(await scan.count()).toBe(1);
		expect(scan.report?.dataFiles).toMatchObject({ planned: 1 });
	});

	it('takes names without regard to case where asked', async () => {
		expect(await ids({ where: 'ID = 3', caseSensitive: false, select: ['Id'] })).toEqual([3]);
		await expect(ids({ where: 'ID = 3' })).rejects.toMatchObject({ code: 'INVALID_FILTER' });
	});

	it.each([
		['id =', /position|expected|end/i],
		['nobody = 1', /nobody/],
		["id = 'x'", /'?x'?/],
		['place = 1', /place/],
		['stops.element.name = 1', /./],
	])('refuses %s', async (where, message) => {
		const error = await (async () => table.scan({ where }).toArray())().catch((reason: unknown) => reason);
		expect(error).toBeInstanceOf(IcebergError);
		expect(error).toMatchObject({ code: 'INVALID_FILTER', message: expect.stringMatching(message) });
	});
});

describe('select', () => {
	it('gives columns in the order asked for', async () => {
		const [row] = await table.scan({ select: ['name', 'id'], limit: 1, where: 'id = 1' }).toArray();
		expect(Object.entries(row ?? {})).toEqual([
			['name', 'trip-1'],
			['id', 1n],
		]);
	});

	it('gives parts of nested columns', async () => {
		const select = ['place.position.lon', 'stops.element.minute', 'id', 'extra'];
		expect(await table.scan({ select, where: 'id = 4 or id = 34' }).toArray()).toEqual([
			{ place: { position: { lon: -0.04 } }, stops: [{ minute: 4 }], id: 4n, extra: new Map([['k1', 4n]]) },
			{ place: null, stops: [{ minute: 34 }], id: 34n, extra: new Map([['k1', 34n]]) },
		]);
	});

	it('of nothing gives empty rows', async () => {
		const rows = await table.scan({ select: [] }).toArray();
		expect(rows.length).toBe(ROWS);
		expect(rows[0]).toEqual({});
	});

	it('* and metadata columns', async () => {
		const rows = await table.scan({ select: ['*', '_pos', '_file', '_spec_id'], where: 'id = 1234' }).toArray();
		const file = (await table.dataFiles()).find(({ location }) => location === (rows[0] as { _file?: string })._file);
		expect(file?.recordCount).toBe(1_000);
		expect(rows).toEqual([expect.objectContaining({ id: 1234n, name: 'trip-34', _pos: 234n, _spec_id: 0 })]);
	});

	it('refuses unknown names, telling what there is', async () => {
		await expect(table.scan({ select: ['plac'] }).toArray()).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringMatching(/'plac'.*'place'/),
		});
		await expect(table.scan({ select: ['_nothing'] }).toArray()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});
});

describe('limit', () => {
	it.each([0, 1, 999, 1_000, 1_001, 5_000])('%i rows', async (limit) => {
		const wanted = Math.min(limit, ROWS);
		expect((await table.scan({ limit }).toArray()).length).toBe(wanted);
		expect(await table.scan({ limit }).count()).toBe(wanted);
		let rows = 0;
		for await (const batch of table.scan({ limit }).batches()) rows += batch.length;
		expect(rows).toBe(wanted);
	});

	it('counts rows that match', async () => {
		expect(await table.scan({ limit: 3, where: 'id > 100' }).count()).toBe(3);
	});

	it('opens no more files than it needs', async () => {
		const opened: string[] = [];
		const io = new MemoryFileIO();
		const many = await createTable('memory:/many', pairs, { io });
		for (let i = 0; i < 12; i++) await many.append(pairRows(2, i));
		const input = io.input.bind(io);
		io.input = (location, length) => {
			if (location.includes('/data/')) opened.push(location);
			return input(location, length);
		};
		await many.scan({ limit: 1 }).toArray();
		expect(new Set(opened).size).toBeLessThanOrEqual(4);
	});

	it.each([-1, 1.5, Number.NaN, '3', 1n])('refuses %s', (limit) => {
		expect(() => table.scan({ limit: limit as number })).toThrowError(
			expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
		);
	});
});

describe('iteration', () => {
	it('can be left early, and begun again', async () => {
		const scan = table.scan();
		let seen = 0;
		for await (const row of scan) {
			expect(typeof row.id).toBe('bigint');
			if (++seen === 5) break;
		}
		let all = 0;
		for await (const rows of scan.rowChunks()) all += rows.length;
		expect([seen, all]).toEqual([5, ROWS]);
	});

	it('keeps the snapshot that it began with, whatever is committed meanwhile', async () => {
		const pairTable = await createTable('memory:/p', pairs, { io: new MemoryFileIO() });
		for (let i = 0; i < 3; i++) await pairTable.append(pairRows(2, i * 2));
		const seen: bigint[] = [];
		for await (const { id } of pairTable.scan()) {
			seen.push(id);
			if (seen.length === 1) await pairTable.append(pairRows(5, 100));
		}
		expect(seen.sort()).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
		expect(await pairTable.scan().count()).toBe(11);
	});

	it('starts from what other handles committed', async () => {
		const io = new MemoryFileIO();
		const one = await createTable('memory:/p', pairs, { io });
		const scan = one.scan();
		expect(await scan.count()).toBe(0);
		await one.append(pairRows(2));
		expect(await scan.count()).toBe(2);
		expect((await scan.snapshot())?.snapshotId).toBe((await one.currentSnapshot())?.snapshotId);
	});

	it('is stopped by a signal: before it begins, and on the way', async () => {
		await expect(table.scan({ signal: AbortSignal.abort() }).toArray()).rejects.toMatchObject({ code: 'ABORTED' });
		const controller = new AbortController();
		let seen = 0;
		await expect(
			(async () => {
				for await (const row of table.scan({ signal: controller.signal })) {
					seen += row.id >= 0n ? 1 : 0;
					if (seen === 10) controller.abort();
				}
			})(),
		).rejects.toMatchObject({ code: 'ABORTED' });
		expect(seen).toBeLessThan(ROWS);
	});

	it('prints JSON lines with all digits', async () => {
		const lines: string[] = [];
		for await (const chunk of table.scan({ select: ['id', 'place', 'extra'], where: 'id = 4' }).jsonLines())
			lines.push(...chunk);
		expect(lines).toEqual(['{"id":4,"place":{"city":"Oslo","position":{"lat":0.04,"lon":-0.04}},"extra":[["k1",4]]}']);
	});
});

describe('forms of values', () => {
	const moments = schema({ big: long(), at: timestamp(), tz: timestamptz(), ns: timestampNs() });
	async function momentTable() {
		const made = await createTable('memory:/m', moments, { io: new MemoryFileIO(), formatVersion: 3 });
		await made.append([
			{ big: 5, at: '2024-01-01T00:00:00.5', tz: new Date(1_000), ns: '1970-01-01T00:00:00.001000000' },
		]);
		return made;
	}

	it('longs as numbers, refused rather than rounded', async () => {
		const made = await momentTable();
		expect(await made.scan({ longs: 'number', select: ['big'] }).toArray()).toEqual([{ big: 5 }]);
		await made.append([{ big: 2n ** 53n }]);
		await expect(made.scan({ longs: 'number' }).toArray()).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringMatching(/row \d, column 'big'.*9007199254740992/),
			context: expect.objectContaining({ column: 'big', value: 2n ** 53n }),
		});
		expect((await made.scan({ longs: 'bigint', where: 'big > 5' }).toArray())[0]?.big).toBe(2n ** 53n);
	});

	it('timestamps as text, Date, bigint', async () => {
		const made = await momentTable();
		const select = ['at', 'tz', 'ns'] as const;
		expect(await made.scan({ select }).toArray()).toEqual([
			{
				at: '2024-01-01T00:00:00.500000',
				tz: '1970-01-01T00:00:01.000000+00:00',
				ns: '1970-01-01T00:00:00.001000000',
			},
		]);
		expect(await made.scan({ select, timestamps: 'date' }).toArray()).toEqual([
			{ at: new Date(Date.UTC(2024, 0, 1, 0, 0, 0, 500)), tz: new Date(1_000), ns: new Date(1) },
		]);
		expect(await made.scan({ select, timestamps: 'bigint' }).toArray()).toEqual([
			{ at: 1_704_067_200_500_000n, tz: 1_000_000n, ns: 1_000_000n },
		]);
		await made.append([{ tz: 1_000_001n }]);
		await expect(made.scan({ timestamps: 'date' }).toArray()).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringContaining("column 'tz'"),
		});
	});

	it('refuses options that there are not', () => {
		for (const options of [
			{ longs: 'text' },
			{ timestamps: 'millis' },
			{ filter: 'id = 1' },
			{ select: 'id' },
			{ where: 5 },
		])
			expect(() => table.scan(options as never)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
	});
});

describe('Arrow', () => {
	it("a flechette table with the rows' values", async () => {
		const arrow = await table.scan({ select: ['id', 'name', 'score'], where: 'id < 20' }).toArrow();
		expect(arrow.numRows).toBe(20);
		expect(arrow.names).toEqual(['id', 'name', 'score']);
		expect([...(arrow.getChild('name') ?? [])]).toEqual(source.slice(0, 20).map(({ name }) => name));
	});

	it('an IPC stream that apache-arrow and flechette read', async () => {
		const pieces: Uint8Array[] = [];
		for await (const piece of table.scan().arrowIpc()) pieces.push(piece);
		const bytes = Buffer.concat(pieces);
		const arrow = apache.tableFromIPC(bytes);
		expect(arrow.numRows).toBe(ROWS);
		const rows = new Map<number, Loose>();
		for (const row of arrow) rows.set(Number(row.id), row.toJSON());
		for (const i of [0, 1, 34, 2_999]) {
			const row = rows.get(i)!;
			const wanted = source[i]!;
			expect(row.name).toBe(wanted.name);
			expect(row.score).toEqual(wanted.score);
			expect(row.place?.position.lat ?? null).toBe(wanted.place?.position.lat ?? null);
			expect([...row.stops].map((stop: Loose) => stop.minute)).toEqual(wanted.stops.map(({ minute }) => minute));
		}
		const other = flechette.tableFromIPC(bytes, { useBigInt: true });
		expect(other.numRows).toBe(ROWS);
		expect(new Set(other.getChild('id')?.toArray()).size).toBe(ROWS);
	});

	it('of no rows has the columns', async () => {
		const pieces: Uint8Array[] = [];
		for await (const piece of table.scan({ where: 'id < 0' }).arrowIpc()) pieces.push(piece);
		const arrow = apache.tableFromIPC(Buffer.concat(pieces));
		expect(arrow.numRows).toBe(0);
		expect(arrow.schema.names).toEqual(['id', 'name', 'score', 'at', 'place', 'stops', 'extra']);
		expect((await table.scan({ where: 'id < 0' }).toArrow()).names.length).toBe(7);
	});

	it('batches have the fields with their ids and exact lengths', async () => {
		let rows = 0;
		for await (const batch of table.scan({ select: ['name', 'id'] }).batches()) {
			expect(batch.fields.map(({ id, name }) => [id, name])).toEqual([
				[2, 'name'],
				[1, 'id'],
			]);
			expect(batch.length).toBeGreaterThan(0);
			for (const column of batch.columns) expect(column.length).toBe(batch.length);
			rows += batch.length;
		}
		expect(rows).toBe(ROWS);
	});
});

describe('row lineage', () => {
	it('is given for v3 tables, in the order of the appends, and is null for rows of v2', async () => {
		const io = new MemoryFileIO();
		const made = await createTable('memory:/l', pairs, { io, formatVersion: 3 });
		await made.append(pairRows(2));
		await made.append(columns({ id: [2] }));
		const rows = await made.scan({ select: ['id', '_row_id', '_last_updated_sequence_number'] }).toArray();
		expect(rows.sort((a, b) => Number(a.id - b.id))).toEqual([
			{ id: 0n, _row_id: 0n, _last_updated_sequence_number: 1n },
			{ id: 1n, _row_id: 1n, _last_updated_sequence_number: 1n },
			{ id: 2n, _row_id: 2n, _last_updated_sequence_number: 2n },
		]);
		const two = await createTable('memory:/two', pairs, { io });
		await two.append(pairRows(1));
		expect(await two.scan({ select: ['_row_id'] }).toArray()).toEqual([{ _row_id: null }]);
	});
});
