/** Following a table: each appended row once, in the order of the commits. */
import { describe, expect, it } from 'vitest';
import {
	compact,
	createTable,
	expireSnapshots,
	type FollowOptions,
	type FollowPosition,
	gt,
	loadTable,
	LocalFileIO,
	MemoryFileIO,
	parseJson,
	stringifyJson,
} from '../../src/index.ts';
import { FolderWatches } from '../../src/io/folder-watch.ts';
import { currentSnapshot } from '../../src/spec/table-metadata-lookup.ts';
import { deferred } from '../../src/util/deferred.ts';
import { failure, idsFrom, newTable, type Pairs } from './follow-support.ts';
import { newFolder, pairRows, pairs } from './support.ts';

async function positionsOf(table: Pairs, options: FollowOptions): Promise<FollowPosition[]> {
	const positions: FollowPosition[] = [];
	for await (const { position } of table.follow({ until: 'now', ...options }).batches()) positions.push(position);
	return positions;
}

const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('a follow that waits', () => {
	it('gives what is appended after it was begun, by this object and by others', async () => {
		const table = await newTable();
		await table.append(pairRows(5));
		const follow = table.follow();
		await follow.ready();
		const other = (await loadTable(table.location)) as Pairs;
		const ids: number[] = [];
		const reading = (async () => {
			for await (const { id } of follow) {
				ids.push(Number(id));
				if (ids.length === 40) break;
			}
		})();
		for (let id = 5; id < 45; id++) await (id % 2 === 0 ? table : other).append([{ id, name: null }]);
		await reading;
		expect(ids).toEqual(count(5, 45));
	});

	it('begins with a table that is empty', async () => {
		const table = await newTable();
		const follow = table.follow();
		await follow.ready();
		const next = follow[Symbol.asyncIterator]().next();
		await table.append([{ id: 1, name: 'a' }]);
		expect(await next).toEqual({ done: false, value: { id: 1n, name: 'a' } });
	});

	it('many of one table share one watch, which ends with the last of them', async () => {
		const watches = new FolderWatches();
		const folder = newFolder();
		const table = (await createTable(folder, pairs, { io: new LocalFileIO({ roots: [folder], watches }) })) as Pairs;
		const follows = Array.from({ length: 10 }, () => table.follow());
		await Promise.all(follows.map((follow) => follow.ready()));
		const nexts = follows.map((follow) => {
			const rows = follow[Symbol.asyncIterator]();
			return { rows, first: rows.next() };
		});
		await table.append([{ id: 1 }]);
		for (const { first } of nexts) expect((await first).value).toMatchObject({ id: 1n });
		const seconds = nexts.map(({ rows }) => rows.next());
		await expect.poll(() => watches.size).toBe(1);
		await table.append([{ id: 2 }]);
		for (const second of seconds) expect((await second).value).toMatchObject({ id: 2n });
		for (const { rows } of nexts) await rows.return?.();
		expect(watches.size).toBe(0);
	});

	it('looks by itself where the storage has no watches to give', async () => {
		const watches = new FolderWatches(() => {
			throw Object.assign(new Error('no space for watches'), { code: 'ENOSPC' });
		});
		const folder = newFolder();
		const table = (await createTable(folder, pairs, { io: new LocalFileIO({ roots: [folder], watches }) })) as Pairs;
		const follow = table.follow({ pollIntervalMs: 5 });
		await follow.ready();
		const rows = follow[Symbol.asyncIterator]();
		for (let id = 0; id < 3; id++) {
			const next = rows.next();
			await table.append([{ id }]);
			expect((await next).value).toMatchObject({ id: BigInt(id) });
		}
		await rows.return?.();
	});

	it('goes on looking when its watch breaks', async () => {
		let fail: ((error: Error) => void) | undefined;
		const watches = new FolderWatches(() => ({
			on: (_, listener) => {
				fail = listener;
			},
			close: () => undefined,
		}));
		const folder = newFolder();
		const table = (await createTable(folder, pairs, { io: new LocalFileIO({ roots: [folder], watches }) })) as Pairs;
		const follow = table.follow();
		await follow.ready();
		const next = follow[Symbol.asyncIterator]().next();
		await expect.poll(() => fail).toBeDefined();
		await table.append([{ id: 7 }]);
		fail?.(new Error('the watch broke'));
		expect((await next).value).toMatchObject({ id: 7n });
		expect(watches.size).toBe(0);
	});

	it('ends with its signal, at once', async () => {
		const table = await newTable();
		const controller = new AbortController();
		const next = failure(table.follow({ signal: controller.signal })[Symbol.asyncIterator]().next());
		controller.abort(new Error('enough'));
		expect(await next).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
	});

	it('ends with its deadline', async () => {
		const table = await newTable();
		const error = await failure(table.follow({ timeoutMs: 30 })[Symbol.asyncIterator]().next());
		expect(error).toMatchObject({ code: 'ABORTED', message: /the follow of .* did not end within 30 ms/ });
	});

	it('ends when the table is closed', async () => {
		const table = await newTable();
		const next = failure(table.follow()[Symbol.asyncIterator]().next());
		await table.close();
		expect(await next).toMatchObject({ code: 'CLOSED' });
		expect(() => table.follow()).toThrow(/has been closed/);
	});

	it('leaves nothing behind that keeps the process alive', async () => {
		const table = await newTable();
		await table.append(pairRows(1));
		for await (const _ of table.follow({ from: 'start' })) break;
		const follow = table.follow({ from: 'start' });
		for await (const { rows } of follow.batches()) {
			expect(rows).toHaveLength(1);
			break;
		}
		expect(process.getActiveResourcesInfo().filter((name) => name.startsWith('FSEvent'))).toEqual([]);
	});

	it('reads from memory, too', async () => {
		const table = (await createTable('/m', pairs, { io: new MemoryFileIO() })) as Pairs;
		const follow = table.follow();
		await follow.ready();
		const next = follow[Symbol.asyncIterator]().next();
		await table.append([{ id: 1 }]);
		expect((await next).value).toMatchObject({ id: 1n });
	});
});

describe('where a follow begins', () => {
	it('start: all rows, in the order of the commits', async () => {
		const table = await newTable();
		for (let id = 0; id < 5; id++) await table.append(pairRows(2, id * 2));
		expect(await idsFrom(table, 'start')).toEqual(count(0, 10));
		expect(await idsFrom(table, 'now')).toEqual([]);
	});

	it('a snapshot: what came after it', async () => {
		const table = await newTable();
		await table.append(pairRows(2));
		const { snapshot } = await table.append(pairRows(2, 2));
		await table.append(pairRows(2, 4));
		const id = snapshot!.snapshotId;
		expect(await idsFrom(table, id)).toEqual([4, 5]);
		expect(await idsFrom(table, { snapshotId: String(id) })).toEqual([4, 5]);
	});

	it('a position, kept as JSON: none is missed, none comes twice', async () => {
		const table = await newTable();
		await table.append(pairRows(3));
		const [first] = await positionsOf(table, { from: 'start' });
		await table.append(pairRows(3, 3));
		await table.append(pairRows(3, 6));
		const kept = parseJson(stringifyJson(first as never)) as never;
		expect(await idsFrom(table, kept)).toEqual(count(3, 9));
		expect(await idsFrom(table, { sequenceNumber: '2' })).toEqual(count(6, 9));
		expect(await idsFrom(table, { sequenceNumber: 0 })).toEqual(count(0, 9));
		expect(await idsFrom(table, { sequenceNumber: 3n })).toEqual([]);
	});

	it('the last rows, of the newest files, whatever is asked of them', async () => {
		const table = await newTable();
		for (let id = 0; id < 6; id++) await table.append(pairRows(4, id * 4));
		expect(await idsFrom(table, { lastRows: 0 })).toEqual([]);
		expect(await idsFrom(table, { lastRows: 1 })).toEqual([23]);
		expect(await idsFrom(table, { lastRows: 6 })).toEqual(count(18, 24));
		expect(await idsFrom(table, { lastRows: 100 })).toEqual(count(0, 24));
		expect(await idsFrom(table, { lastRows: 3 }, { where: 'id < 10' })).toEqual([7, 8, 9]);
		await compact(table, { minInputFiles: 2 });
		await table.append(pairRows(1, 24));
		expect(await idsFrom(table, { lastRows: 2 })).toContain(24);
	});

	it('the last rows do not take reading the others', async () => {
		const table = await newTable();
		for (let id = 0; id < 3; id++) await table.append(pairRows(4, id * 4));
		const files = await table.dataFiles();
		const oldest = (await table.scan({ where: 'id = 0', select: ['_file'] }).toArray())[0]!._file;
		expect(files).toHaveLength(3);
		await table.io.delete(oldest);
		expect(await idsFrom(table, { lastRows: 8 })).toEqual(count(4, 12));
	});

	it('a snapshot that is gone: the message tells of positions', async () => {
		const table = await newTable();
		const { snapshot } = await table.append(pairRows(1));
		await table.append(pairRows(1, 1));
		await expireSnapshots(table, { olderThanMs: 0, retainLast: 1, graceMs: 0 });
		const error = await failure(idsFrom(table, snapshot!.snapshotId));
		expect(error).toMatchObject({ code: 'NOT_FOUND', context: { snapshotId: snapshot!.snapshotId } });
		expect(error.message).toMatch(/the position that comes with the rows of a follow, .* outlives them/);
	});
});

describe('what a follow gives', () => {
	it('chosen columns of chosen rows, as asked', async () => {
		const table = await newTable();
		await table.append(pairRows(10));
		const rows = [];
		const follow = table.follow({ from: 'start', until: 'now', select: ['id'], where: gt('id', 6), longs: 'number' });
		for await (const row of follow) rows.push(row);
		expect(rows).toEqual([{ id: 7 }, { id: 8 }, { id: 9 }]);
	});

	it('batches with columns, JSON, the snapshot, and a position also where no row matched', async () => {
		const table = await newTable();
		await table.append(pairRows(2));
		const follow = table.follow({ from: 'start', until: 'now', where: 'id >= 0' });
		const batches = [];
		for await (const batch of follow.batches()) batches.push(batch);
		expect(batches).toHaveLength(1);
		const [{ columns, rows, snapshot, position }] = batches as [(typeof batches)[0]];
		expect(columns.length).toBe(2);
		expect(columns.fields.map(({ name }) => name)).toEqual(['id', 'name']);
		expect(rows).toEqual(pairRows(2));
		expect(batches[0]!.jsonLines()).toEqual(['{"id":0,"name":"n0"}', '{"id":1,"name":"n1"}']);
		expect(snapshot).toEqual(await table.currentSnapshot());
		expect(position).toEqual({ sequenceNumber: 1n, snapshotId: snapshot.snapshotId, totalRecords: 2n });
		await table.append(pairRows(2, 2));
		const none = table.follow({ from: position, until: 'now', where: 'id > 100' });
		for await (const _ of none.batches()) expect.fail('no row matches');
		expect(none.position).toMatchObject({ sequenceNumber: 2n, totalRecords: 4n });
	});

	it('columns that were added meanwhile', async () => {
		const table = await newTable();
		await table.append(pairRows(1));
		const follow = table.follow({ from: 'start', until: 'now', select: ['id', '_file'] });
		for await (const row of follow) expect(row._file).toMatch(/\.parquet$/);
		await expect(idsFrom(table, 'start', { select: ['nothing'] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await expect(idsFrom(table, 'start', { where: 'nothing = 1' })).rejects.toMatchObject({ code: 'INVALID_FILTER' });
	});

	it('goes on from where it was left', async () => {
		const table = await newTable();
		for (let id = 0; id < 4; id++) await table.append([{ id }]);
		const follow = table.follow({ from: 'start', until: 'now' });
		const ids: bigint[] = [];
		for (let round = 0; round < 3; round++)
			for await (const { id } of follow) {
				ids.push(id);
				if (ids.length % 2 === 0) break;
			}
		// the first two are of commits of their own
		expect(ids).toEqual([0n, 1n, 2n, 3n]);
		expect(follow.position).toMatchObject({ sequenceNumber: 4n });
	});

	it('is read by one at a time', async () => {
		const table = await newTable();
		await table.append(pairRows(3));
		const follow = table.follow({ from: 'start' });
		const rows = follow[Symbol.asyncIterator]();
		await rows.next();
		await expect(follow.batches().next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await rows.return?.();
		expect((await follow.batches().next()).done).toBe(false);
	});

	it('a large commit comes in batches, of which only the last has its position', async () => {
		const table = await newTable();
		await table.append(pairRows(1));
		const rows = (async function* () {
			for (let id = 1; id <= 150_000; id++) yield { id };
		})();
		await table.append(rows);
		await table.append(pairRows(1, 150_001));
		const sequenceNumbers: bigint[] = [];
		let total = 0;
		for await (const { columns, position } of table.follow({ from: { sequenceNumber: 1n }, until: 'now' }).batches()) {
			total += columns.length;
			sequenceNumbers.push(position.sequenceNumber);
		}
		expect(total).toBe(150_001);
		expect(sequenceNumbers.at(-1)).toBe(3n);
		expect(sequenceNumbers.at(-2)).toBe(2n);
		expect(new Set(sequenceNumbers.slice(0, -2))).toEqual(new Set([1n]));
	});
});

describe('options of a follow that there are not', () => {
	it.each([
		[{ from: 'then' }, /from is 'now', 'start'/],
		[{ from: 5 }, /from is 'now', 'start'/],
		[{ from: {} }, /from is 'now', 'start'/],
		[{ from: { sequenceNumber: -1n } }, /from\.sequenceNumber is a bigint from 0 up/],
		[{ from: { sequenceNumber: 1n, totalRecords: 'x' } }, /from\.totalRecords is a bigint/],
		[{ from: { sequenceNumber: 1n, other: 1 } }, /from has no option 'other'/],
		[{ from: { lastRows: 1.5 } }, /from\.lastRows is a whole number/],
		[{ until: 'later' }, /until is 'now', not "later"/],
		[{ onChange: 'ignore' }, /onChange is 'fail' or 'skip'/],
		[{ pollIntervalMs: 0 }, /pollIntervalMs is a whole number/],
		[{ timeoutMs: 0 }, /timeoutMs is a whole number/],
		[{ selct: [] }, /a follow has no option 'selct'; did you mean 'select'|a follow has no option 'selct'/],
		[{ limit: 5 }, /a follow has no option 'limit'/],
		[{ select: 'id' }, /select is an array/],
		[{ where: 5 }, /where is a text/],
	])('%o', async (options, message) => {
		const table = await newTable();
		expect(() => table.follow(options as never)).toThrow(message);
	});

	it('a metadata file cannot be waited for, but read between states', async () => {
		const table = await newTable();
		await table.append(pairRows(2));
		await table.append(pairRows(2, 2));
		const file = (await loadTable(table.metadataLocation)) as Pairs;
		expect(() => file.follow()).toThrow(/opened to be read only/);
		expect(await idsFrom(file, { sequenceNumber: 1n })).toEqual([2, 3]);
	});
});

describe('a table that does not stay what it was', () => {
	it('a table that is dropped ends its follows', async () => {
		const { dropTable } = await import('../../src/index.ts');
		const table = await newTable();
		await table.append(pairRows(1));
		const follow = table.follow({ pollIntervalMs: 5 });
		await follow.ready();
		const next = failure(follow[Symbol.asyncIterator]().next());
		await dropTable(table.location);
		expect(['NOT_FOUND', 'NOT_A_TABLE', 'CORRUPT']).toContain(((await next) as unknown as { code: string }).code);
	});

	it('another table in its place is told apart', async () => {
		const { dropTable } = await import('../../src/index.ts');
		const table = await newTable();
		await table.append(pairRows(1));
		const follow = table.follow({ from: 'start' });
		const rows = follow[Symbol.asyncIterator]();
		await rows.next();
		await dropTable(table.location);
		const again = await createTable(table.location, pairs);
		await again.append(pairRows(3));
		expect(await failure(rows.next())).toMatchObject({ code: 'VALIDATION_FAILED', context: { reason: 'replaced' } });
	});

	it('a position that lies ahead of the table is refused', async () => {
		const table = await newTable();
		await table.append(pairRows(1));
		const error = await failure(idsFrom(table, { sequenceNumber: 9n }));
		expect(error).toMatchObject({ code: 'VALIDATION_FAILED', context: { reason: 'rolled-back', sequenceNumber: 9n } });
	});

	it('files that vanish while they are read lead to a newer look', async () => {
		const table = await newTable({ formatVersion: 3 });
		for (let id = 0; id < 6; id++) await table.append([{ id }]);
		const follow = table.follow({ from: 'start', until: 'now' });
		const ids: bigint[] = [];
		const reached = deferred<void>();
		for await (const { id } of follow) {
			ids.push(id);
			if (ids.length > 1) continue;
			await compact(table, { minInputFiles: 2 });
			await expireSnapshots(table, { olderThanMs: 0, retainLast: 1, graceMs: 0 });
			reached.resolve();
		}
		await reached.promise;
		expect(ids.map(Number)).toEqual(count(0, 6));
		expect(currentSnapshot(table.metadata)?.summary?.['operation']).toBe('replace');
	});
});
