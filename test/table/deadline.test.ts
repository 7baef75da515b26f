/** Deadlines of the public calls: what they refuse, what they end, and what they say of it. */
import { describe, expect, it } from 'vitest';
import {
	compact,
	createTable,
	dropTable,
	expireSnapshots,
	type FileIO,
	isIcebergError,
	loadTable,
	LocalFileIO,
	MemoryFileIO,
	removeOrphans,
	rewriteManifests,
	type Table,
	vacuum,
	verifyTable,
} from '../../src/index.ts';
import { FaultyFileIO, type FileIOOperation } from '../../src/testing.ts';
import { SETTLE_GRACE_MS } from '../../src/util/deadline.ts';
import { deferred } from '../../src/util/deferred.ts';
import { StepClock } from '../support/step-clock.ts';
import { newFolder, pairRows, pairs } from './support.ts';

interface Limits {
	readonly signal?: AbortSignal;
	readonly timeoutMs?: number;
}

/** A table over storage of which one operation can be held up. */
async function slowTable() {
	const io = new FaultyFileIO(new MemoryFileIO());
	const clock = new StepClock();
	const table = await createTable('/slow', pairs, { io, clock });
	await table.append(pairRows(3));
	const hold = (operation: FileIOOperation, location: RegExp) => {
		const reached = deferred<void>();
		const released = deferred<void>();
		const until = (): Promise<void> => {
			reached.resolve();
			return released.promise;
		};
		io.addRule({ operation, location, fault: { kind: 'delay', until } });
		return { reached: reached.promise, release: released.resolve };
	};
	return { io, clock, table, hold };
}

const failure = (promise: Promise<unknown>): Promise<Error & { context: Record<string, unknown> }> =>
	promise.then(
		() => expect.fail('it succeeded'),
		(error: unknown) => error as never,
	);

async function dataFileCount(io: FileIO): Promise<number> {
	let count = 0;
	for await (const _ of io.list('/slow/data')) count++;
	return count;
}

/** Every call of a table that takes a deadline. */
const CALLS: Readonly<Record<string, (table: Table<object>, limits: Limits) => Promise<unknown>>> = {
	refresh: (table, limits) => table.refresh(limits),
	currentSnapshot: (table, limits) => table.currentSnapshot(limits),
	snapshots: (table, limits) => table.snapshots(limits),
	snapshotById: (table, limits) => table.snapshotById(1n, limits),
	history: (table, limits) => table.history(limits),
	timeTravel: (table, limits) => table.timeTravel({ ref: 'main' }, limits),
	manifests: (table, limits) => table.manifests(limits),
	manifestEntries: async (table, limits) => table.manifestEntries((await table.manifests())[0]!, limits),
	dataFiles: (table, limits) => table.dataFiles(limits),
	rowCount: (table, limits) => table.rowCount(limits),
	'timeTravel manifests': async (table, limits) => (await table.timeTravel({ ref: 'main' })).manifests(limits),
	'timeTravel dataFiles': async (table, limits) => (await table.timeTravel({ ref: 'main' })).dataFiles(limits),
	'timeTravel rowCount': async (table, limits) => (await table.timeTravel({ ref: 'main' })).rowCount(limits),
	'scan rows': async (table, limits) => table.scan(limits).toArray(),
	'scan of time travel': async (table, limits) => (await table.timeTravel({ ref: 'main' })).scan(limits).toArray(),
	'scan count': async (table, limits) => table.scan(limits).count(),
	'scan arrow': async (table, limits) => table.scan(limits).toArrow(),
	'scan plan': async (table, limits) => table.scan(limits).plan().next(),
	append: (table, limits) => table.append([{ id: 9 }], limits),
	appendRecords: (table, limits) => table.appendRecords([{ id: 9 }], limits),
	'transaction appendData': (table, limits) => table.newTransaction().appendData([{ id: 9 }], limits),
	'transaction commit': (table, limits) => table.newTransaction().setProperties({ a: 'b' }).commit(limits),
	setProperties: (table, limits) => table.setProperties({ a: 'b' }, limits),
	removeProperties: (table, limits) => table.removeProperties(['a'], limits),
	upgradeFormatVersion: (table, limits) => table.upgradeFormatVersion(3, limits),
	compact: (table, limits) => compact(table, limits),
	expireSnapshots: (table, limits) => expireSnapshots(table, limits),
	removeOrphans: (table, limits) => removeOrphans(table, limits),
	rewriteManifests: (table, limits) => rewriteManifests(table, limits),
	vacuum: (table, limits) => vacuum(table, limits),
	verifyTable: (table, limits) => verifyTable(table, limits),
};

describe.each(Object.entries(CALLS))('%s', (_, call) => {
	it('refuses a time that is none', async () => {
		const { table } = await slowTable();
		for (const timeoutMs of [0, 1.5])
			expect(await failure(call(table, { timeoutMs }))).toMatchObject({
				code: 'INVALID_ARGUMENT',
				context: { timeoutMs },
			});
	});

	it('ends with an aborted signal', async () => {
		const { table } = await slowTable();
		const error = await failure(call(table, { signal: AbortSignal.abort() }));
		expect(error).toMatchObject({ code: 'ABORTED' });
		expect(await table.rowCount()).toBe(3);
	});

	it('does its work in the time that it has', async () => {
		const { table } = await slowTable();
		await call(table, { timeoutMs: 60_000 });
	});
});

describe('places', () => {
	it('createTable, loadTable and dropTable refuse a time that is none, and take one', async () => {
		const folder = newFolder();
		const wrong = { timeoutMs: -1 };
		for (const call of [createTable(folder, pairs, wrong), loadTable(folder, wrong), dropTable(folder, wrong)])
			expect(await failure(call)).toMatchObject({ code: 'INVALID_ARGUMENT', context: { timeoutMs: -1 } });
		await createTable(folder, pairs, { timeoutMs: 60_000 });
		await loadTable(folder, { timeoutMs: 60_000 });
		expect((await dropTable(folder, { timeoutMs: 60_000 })).deletedFileCount).toBeGreaterThan(0);
	});

	it('createTable says that the table may be there', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const clock = new StepClock();
		const reached = deferred<void>();
		const until = (): Promise<void> => {
			reached.resolve();
			return new Promise(() => undefined);
		};
		io.addRule({ operation: 'putIfAbsent', fault: { kind: 'delay', until } });
		const ended = failure(createTable('/new', pairs, { io, clock, timeoutMs: 10 }));
		await reached.promise;
		await clock.advance(10);
		await clock.advance(SETTLE_GRACE_MS);
		expect(await ended).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: true } });
	});
});

describe('an append that takes too long', () => {
	it('at its swap may be committed, and says so', async () => {
		const { clock, table, hold } = await slowTable();
		const swap = hold('putIfAbsent', /metadata\.json$/);
		const ended = failure(table.append([{ id: 3 }], { timeoutMs: 1_000 }));
		await swap.reached;
		await clock.advance(1_000);
		await clock.advance(SETTLE_GRACE_MS);
		const error = await ended;
		expect(isIcebergError(error, 'ABORTED')).toBe(true);
		expect(error.message).toMatch(/^append to \/slow did not end within 1000 ms; it may have been committed/);
		expect(error.context).toMatchObject({ mayBeCommitted: true, timeoutMs: 1_000 });
		swap.release();
		// behind the one that was left
		await table.append([{ id: 4 }]);
		expect(await table.rowCount()).toBe(5);
	});

	it('before its swap is known not to be committed', async () => {
		const { clock, table, hold } = await slowTable();
		const write = hold('outputClose', /parquet$/);
		// with a summary an append has a commit to itself
		const ended = failure(table.append([{ id: 3 }], { summary: { job: 'a' }, timeoutMs: 1_000 }));
		await write.reached;
		await clock.advance(1_000);
		write.release();
		const error = await ended;
		expect(error).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: false } });
		expect(error.message).toMatch(/nothing was committed/);
		expect(await table.rowCount()).toBe(3);
	});

	it('in a commit that it shares is told when that ends soon', async () => {
		const { clock, table, hold } = await slowTable();
		const write = hold('outputClose', /parquet$/);
		const appended = table.append([{ id: 3 }], { timeoutMs: 1_000 });
		await write.reached;
		await clock.advance(1_000);
		write.release();
		expect((await appended).committed).toBe(true);
		expect(await table.rowCount()).toBe(4);
	});

	it('because its rows do not come ends, commits nothing, and holds nothing up', async () => {
		const { clock, table } = await slowTable();
		const asked = deferred<void>();
		const rows = async function* () {
			yield { id: 3 };
			asked.resolve();
			await new Promise(() => undefined);
		};
		const ended = failure(table.append(rows(), { timeoutMs: 1_000 }));
		await asked.promise;
		await clock.advance(1_000);
		expect(await ended).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: false } });
		expect((await table.append([{ id: 4 }])).committed).toBe(true);
		await table.close();
	});
});

describe('a transaction that takes too long', () => {
	it('to write its rows keeps none of them, and stays open', async () => {
		const { clock, table, hold, io } = await slowTable();
		const write = hold('outputClose', /parquet$/);
		const tx = table.newTransaction();
		const ended = failure(tx.appendData([{ id: 3 }], { timeoutMs: 1_000 }));
		await write.reached;
		await clock.advance(1_000);
		expect(await ended).toMatchObject({ code: 'ABORTED' });
		expect((await failure(tx.commit())).message).toMatch(/one is still writing/);
		write.release();
		while ((await dataFileCount(io)) > 1) await new Promise((done) => setImmediate(done));
		expect(await tx.appendData([{ id: 4 }, { id: 5 }])).toBe(2);
		expect((await tx.commit()).appendedRowCount).toBe(2);
		expect(await table.rowCount()).toBe(5);
	});

	it('to commit may be committed; a rollback waits for it', async () => {
		const { clock, table, hold } = await slowTable();
		const swap = hold('putIfAbsent', /metadata\.json$/);
		const tx = table.newTransaction();
		await tx.appendData([{ id: 3 }]);
		const ended = failure(tx.commit({ timeoutMs: 1_000 }));
		await swap.reached;
		await clock.advance(1_000);
		await clock.advance(SETTLE_GRACE_MS);
		expect(await ended).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: true } });
		const rolledBack = tx.rollback();
		swap.release();
		await rolledBack;
		expect(await table.scan().count()).toBe(4);
		expect(tx.isOpen).toBe(false);
	});

	it('before the swap can be committed again', async () => {
		const { clock, table, hold } = await slowTable();
		const write = hold('write', /snap-|\.avro$/);
		const tx = table.newTransaction();
		await tx.appendData([{ id: 3 }]);
		const ended = failure(tx.commit({ timeoutMs: 1_000 }));
		await write.reached;
		await clock.advance(1_000);
		write.release();
		expect(await ended).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: false } });
		expect(tx.isOpen).toBe(true);
		await tx.commit();
		expect(await table.rowCount()).toBe(4);
	});
});

describe('a read that takes too long', () => {
	it('ends at once, and names the call', async () => {
		const { clock, table, hold } = await slowTable();
		const read = hold('readAll', /metadata\.json$/);
		const ended = failure(table.snapshots({ timeoutMs: 20 }));
		await read.reached;
		await clock.advance(20);
		const error = await ended;
		expect(error.message).toBe('snapshots of /slow did not end within 20 ms');
		expect(error.context).toMatchObject({ mayBeCommitted: false });
		expect((await table.snapshots()).length).toBe(1);
		read.release();
	});

	it('ends a scan in the middle', async () => {
		const { clock, table } = await slowTable();
		const chunks = table.scan({ timeoutMs: 20 }).rowChunks();
		expect((await chunks.next()).value).toHaveLength(3);
		await clock.advance(20);
		expect(await failure(chunks.next())).toMatchObject({ code: 'ABORTED', message: /the scan of \/slow/ });
	});
});

it('a deadline keeps no process alive and leaves no listener at the signal', async () => {
	const folder = newFolder();
	const table = await createTable(folder, pairs, { io: new LocalFileIO({ roots: [folder] }) });
	const { signal } = new AbortController();
	let listeners = 0;
	const add = signal.addEventListener.bind(signal);
	const remove = signal.removeEventListener.bind(signal);
	signal.addEventListener = (...args: Parameters<typeof add>) => {
		listeners++;
		add(...args);
	};
	signal.removeEventListener = (...args: Parameters<typeof remove>) => {
		listeners--;
		remove(...args);
	};
	await table.append(pairRows(1), { signal, timeoutMs: 60_000 });
	await table.currentSnapshot({ signal, timeoutMs: 60_000 });
	expect(listeners).toBe(0);
	expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(2);
	await table.close();
});
