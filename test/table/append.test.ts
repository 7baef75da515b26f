/** Everything that an append takes, and what becomes of it. */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { ReadableStream } from 'node:stream/web';
import * as flechette from '@uwdata/flechette';
import * as apache from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import {
	columns,
	createTable,
	date,
	decimal,
	double,
	int,
	type InferInput,
	type InferRow,
	list,
	loadTable,
	long,
	map,
	MemoryFileIO,
	schema,
	string,
	struct,
	type Table,
	timestamp,
	timestamptz,
	uuid,
	boolean,
	binary,
	time,
} from '../../src/index.ts';
import { pairRows, pairs } from './support.ts';

type PairTable = Table<InferInput<typeof pairs>, InferRow<typeof pairs>>;

async function pairTable(): Promise<PairTable> {
	return createTable('memory:/t', pairs, { io: new MemoryFileIO() });
}

async function idsOf(table: PairTable): Promise<string[]> {
	return (await table.scan().toArray()).map(({ id, name }) => `${id}:${name}`).sort();
}

const THREE = ['0:n0', '1:n1', '2:n2'];

describe('an append takes', () => {
	it('an array of rows', async () => {
		const table = await pairTable();
		const result = await table.append(pairRows(3));
		expect(result).toMatchObject({ committed: true, rowCount: 3 });
		expect(result.message).toBe(`appended 3 rows as snapshot ${result.snapshot?.snapshotId}`);
		expect(result.snapshot?.summary?.operation).toBe('append');
		expect(result.snapshot?.summary).toMatchObject({
			'added-records': '3',
			'total-records': '3',
			'added-data-files': '1',
		});
		expect(await idsOf(table)).toEqual(THREE);
	});

	it('a set, a generator, an async generator', async () => {
		for (const make of [
			() => new Set(pairRows(3)),
			function* () {
				yield* pairRows(3);
			},
			async function* () {
				for (const row of pairRows(3)) {
					await setImmediate();
					yield row;
				}
			},
		]) {
			const table = await pairTable();
			expect((await table.append(make())).rowCount).toBe(3);
			expect(await idsOf(table)).toEqual(THREE);
		}
	});

	it("Node's and the web's streams of objects", async () => {
		const table = await pairTable();
		await table.append(Readable.from(pairRows(2)));
		const web = new ReadableStream<{ id: bigint; name: string }>({
			start(controller) {
				controller.enqueue({ id: 2n, name: 'n2' });
				controller.close();
			},
		});
		await table.append(web);
		expect(await idsOf(table)).toEqual(THREE);
	});

	it('columns: plain arrays, typed arrays, columns left out', async () => {
		const table = await pairTable();
		await table.append(columns({ id: BigInt64Array.of(0n, 1n), name: ['n0', 'n1'] }));
		await table.append(columns({ id: [2], name: ['n2'] }));
		await table.append(columns({ id: Int32Array.of(9) }));
		expect(await idsOf(table)).toEqual([...THREE, '9:null']);
	});

	it("tables and record batches of apache-arrow, and flechette's", async () => {
		const table = await pairTable();
		const arrow = new apache.Table({
			id: apache.vectorFromArray([0n, 1n, 2n], new apache.Int64()),
			name: apache.vectorFromArray(['n0', 'n1', 'n2'], new apache.Utf8()),
		});
		await table.append(arrow);
		expect(await idsOf(table)).toEqual(THREE);
		await table.append(arrow.batches[0]!);
		await table.append(
			flechette.tableFromArrays(
				{ id: [7n], name: ['n7'] },
				{ types: { id: flechette.int64(), name: flechette.utf8() } },
			),
		);
		expect(await idsOf(table)).toEqual([...THREE, ...THREE, '7:n7'].sort());
	});

	it('Arrow IPC bytes, stream and file, as both libraries write them', async () => {
		const table = await pairTable();
		const arrow = new apache.Table({
			id: apache.vectorFromArray([0n], new apache.Int64()),
			name: apache.vectorFromArray(['n0'], new apache.Utf8()),
		});
		await table.append(apache.tableToIPC(arrow, 'stream'));
		await table.append(apache.tableToIPC(arrow, 'file'));
		const other = flechette.tableFromArrays(
			{ id: [1n], name: ['n1'] },
			{ types: { id: flechette.int64(), name: flechette.utf8() } },
		);
		await table.append(flechette.tableToIPC(other, { format: 'stream' })!);
		await table.append(flechette.tableToIPC(other, { format: 'file' })!);
		expect(await idsOf(table)).toEqual(['0:n0', '0:n0', '1:n1', '1:n1']);
	});

	it('its own scans: rows, batches, Arrow, IPC', async () => {
		const io = new MemoryFileIO();
		const from = await createTable('memory:/from', pairs, { io });
		await from.append(pairRows(3));
		const into = await createTable('memory:/into', pairs, { io });
		await into.append(from.scan());
		await into.append(from.scan({ limit: 1 }));
		await into.append(await from.scan({ limit: 1 }).toArrow());
		const pieces: Uint8Array[] = [];
		for await (const piece of from.scan({ limit: 1 }).arrowIpc()) pieces.push(piece);
		await into.append(Buffer.concat(pieces));
		expect(await into.rowCount()).toBe(6);
		expect((await idsOf(into)).filter((text) => text === '0:n0')).toHaveLength(4);
	});

	it('rows without optional fields, with undefined, with null', async () => {
		const table = await pairTable();
		await table.append([{ id: 1 }, { id: 2, name: undefined }, { id: 3, name: null }]);
		expect(await table.scan().toArray()).toEqual([
			{ id: 1n, name: null },
			{ id: 2n, name: null },
			{ id: 3n, name: null },
		]);
	});

	it('nothing: that is no snapshot, and it says so', async () => {
		const table = await pairTable();
		const before = table.metadataLocation;
		for (const nothing of [[], new Set<{ id: bigint }>(), columns({}), columns({ id: [], name: [] })]) {
			const result = await table.append(nothing);
			expect(result).toEqual({
				committed: false,
				rowCount: 0,
				snapshot: undefined,
				message: 'nothing to append: no rows were given',
			});
		}
		await table.refresh();
		expect(table.metadataLocation).toBe(before);
		expect(await table.snapshots()).toEqual([]);
		expect(await table.scan().toArray()).toEqual([]);
		expect(await table.rowCount()).toBe(0);
	});

	it('many rows, in files of bounded size, in one snapshot', async () => {
		const table = await createTable('memory:/t', pairs, {
			io: new MemoryFileIO(),
			properties: { 'write.target-file-size-bytes': '200000' },
		});
		await table.append(
			(function* () {
				for (let i = 0; i < 150_000; i++) yield { id: i, name: `row number ${(i * 7919) % 150_000}` };
			})(),
		);
		expect((await table.snapshots()).length).toBe(1);
		expect((await table.dataFiles()).length).toBeGreaterThan(1);
		expect(await table.rowCount()).toBe(150_000);
		let sum = 0n;
		const seen = new Set<bigint>();
		for await (const { id } of table.scan({ select: ['id'] })) {
			sum += id;
			seen.add(id);
		}
		expect(seen.size).toBe(150_000);
		expect(sum).toBe((150_000n * 149_999n) / 2n);
	}, 60_000);

	it('values of all everyday types, and gives them back exactly', async () => {
		const everyday = schema({
			flag: boolean(),
			count: int(),
			big: long(),
			ratio: double(),
			price: decimal(20, 4),
			day: date(),
			at: time(),
			local: timestamp(),
			instant: timestamptz(),
			id: uuid(),
			bytes: binary(),
			place: struct({ city: string().required(), zip: int() }),
			tags: list(string()),
			limits: map(string(), long()),
		});
		const io = new MemoryFileIO();
		const table = await createTable('memory:/t', everyday, { io });
		await table.append([
			{
				flag: true,
				count: -7,
				big: 9_223_372_036_854_775_807n,
				ratio: -0,
				price: '1234567890123456.7891',
				day: '2024-02-29',
				at: '23:59:59.999999',
				local: '1969-12-31T23:59:59.999999',
				instant: '2024-02-29T12:34:56.000001+02:00',
				id: 'F79C3E09-677C-4BBD-A479-3F349CB785E7',
				bytes: Uint8Array.of(0, 255),
				place: { city: 'Zürich', zip: null },
				tags: ['a', null, ''],
				limits: new Map([['x', -1n]]),
			},
			{ big: 5, price: 2.5, instant: new Date(0), limits: { y: 2 } },
		]);
		const again = await loadTable('memory:/t', { io });
		const rows = await again.scan().toArray();
		expect(rows[0]).toEqual({
			flag: true,
			count: -7,
			big: 9_223_372_036_854_775_807n,
			ratio: -0,
			price: '1234567890123456.7891',
			day: '2024-02-29',
			at: '23:59:59.999999',
			local: '1969-12-31T23:59:59.999999',
			instant: '2024-02-29T10:34:56.000001+00:00',
			id: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
			bytes: Uint8Array.of(0, 255),
			place: { city: 'Zürich', zip: null },
			tags: ['a', null, ''],
			limits: new Map([['x', -1n]]),
		});
		expect(rows[1]).toMatchObject({
			flag: null,
			big: 5n,
			price: '2.5000',
			instant: '1970-01-01T00:00:00.000000+00:00',
			limits: new Map([['y', 2n]]),
			place: null,
			tags: null,
		});
	});

	it('a summary of its own', async () => {
		const table = await pairTable();
		const { snapshot } = await table.append(pairRows(1), { summary: { source: 'test' } });
		expect(snapshot?.summary).toMatchObject({ source: 'test', 'added-records': '1' });
	});

	it('partitioned rows: a file a partition, rows sorted as asked', async () => {
		const runs = schema({ id: long().required(), region: string(), at: timestamptz().required() });
		const table = await createTable('memory:/t', runs, {
			io: new MemoryFileIO(),
			partitionBy: ['region', 'day(at)'],
			sortBy: ['id desc'],
		});
		const rows = Array.from({ length: 60 }, (_, i) => ({
			id: i,
			region: ['eu', 'us', null][i % 3] as string | null,
			at: new Date(Date.UTC(2024, 0, 1 + (i % 2))),
		}));
		await table.append(rows);
		const files = await table.dataFiles();
		expect(files.length).toBe(6);
		expect(files.every(({ recordCount }) => recordCount === 10)).toBe(true);
		for (const { location } of files) {
			const ids = (await table.scan({ select: ['id', '_file'] }).toArray()).filter(({ _file }) => _file === location);
			expect(ids.map(({ id }) => id)).toEqual(ids.map(({ id }) => id).sort((a, b) => Number(b - a)));
		}
		const scan = table.scan({ where: "region = 'eu' and at < '2024-01-02T00:00:00Z'" });
		expect((await scan.toArray()).every(({ region }) => region === 'eu')).toBe(true);
		expect(scan.report?.dataFiles.planned).toBe(1);
	});
});
