import { describe, expect, it } from 'vitest';
import { compact, expireSnapshots, MemoryFileIO } from '../../src/index.ts';
import { planExpiry } from '../../src/transaction/remove-snapshots.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import type { TableUpdate } from '../../src/metadata/table-update.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { checkAllSnapshots, DAY, fill, filesOf, HOUR, idsOf, newTable, open, range, T, TestClock } from './support.ts';

type TestTable = Awaited<ReturnType<typeof newTable>>;

async function apply(table: TestTable, updates: readonly TableUpdate[]): Promise<void> {
	const { committer, clock, random } = table.commitPorts();
	const action = {
		name: 'change',
		apply: async () => ({ updates, requirements: [], newFiles: [] }),
		committed: async () => undefined,
		abandoned: async () => undefined,
	};
	await commitActions(committer, await committer.load(), [action], { clock, random });
	await table.refresh();
}

/** Six appends, compacted: seven snapshots, the last of which needs none of the six files. */
async function compacted(io: MemoryFileIO, clock: TestClock, formatVersion: 1 | 2 | 3 = 2): Promise<TestTable> {
	const table = await newTable(io, clock, { formatVersion });
	await fill(table, clock, range(0, 6));
	clock.pass(60_000);
	await compact(table);
	return table;
}

describe('expireSnapshots', () => {
	it.each([1, 2, 3] as const)(
		'removes snapshots at once and their files after the grace period, in v%i',
		async (version) => {
			const io = new MemoryFileIO();
			const clock = new TestClock();
			const table = await compacted(io, clock, version);
			expect(await expireSnapshots(table)).toMatchObject({ snapshots: [], fileCount: 0 });
			clock.pass(6 * DAY);
			const before = await filesOf(io);
			const first = await expireSnapshots(table);
			expect(first.snapshots).toHaveLength(6);
			expect(first).toMatchObject({ fileCount: 0, pendingSnapshotCount: 6, keptCount: 0 });
			expect(first.pendingUntilMs).toBe(clock.nowMs() + HOUR);
			expect((await filesOf(io)).filter((file) => before.includes(file))).toEqual(before);
			clock.pass(HOUR);
			const dry = await expireSnapshots(table, { dryRun: true });
			const second = await expireSnapshots(table);
			expect({ ...dry, dryRun: false }).toEqual({ ...second });
			const ofKind = (kind: string) => second.files.filter((file) => file.kind === kind);
			expect(ofKind('data')).toHaveLength(6);
			expect(ofKind('manifest-list')).toHaveLength(6);
			expect(ofKind('manifest').length).toBeGreaterThanOrEqual(6);
			expect(second.files.every((file) => (file.sizeBytes ?? 0) > 0 && file.reason !== '')).toBe(true);
			expect(await filesOf(io, `${T}/data`)).toHaveLength(1);
			expect(await idsOf(table)).toEqual(range(0, 6));
			expect(await checkAllSnapshots(io, clock)).toBe(1);
			expect(await expireSnapshots(table)).toMatchObject({ fileCount: 0, snapshots: [], pendingSnapshotCount: 0 });
		},
	);

	it('lets a reader that began before finish', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 6));
		const rows = table.scan()[Symbol.asyncIterator]();
		const seen = [Number((await rows.next()).value['id'])];
		await compact(table);
		await expireSnapshots(table, { olderThanMs: 0 });
		clock.pass(HOUR - 1);
		await expireSnapshots(table, { olderThanMs: 0 });
		for (let next = await rows.next(); next.done !== true; next = await rows.next())
			seen.push(Number(next.value['id']));
		expect(seen.sort()).toEqual(range(0, 6));
		clock.pass(1);
		expect((await expireSnapshots(table)).fileCount).toBeGreaterThan(6);
	});

	it('deletes at once without a grace period, and no file with metadataOnly', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await compacted(io, clock);
		const only = await expireSnapshots(table, { olderThanMs: 0, retainLast: 3, metadataOnly: true, graceMs: 0 });
		expect(only.snapshots).toHaveLength(4);
		expect(only.fileCount).toBe(0);
		const rest = await expireSnapshots(table, { olderThanMs: 0, graceMs: 0 });
		expect(rest.snapshots).toHaveLength(2);
		expect(await filesOf(io, `${T}/data`)).toHaveLength(1);
		await checkAllSnapshots(io, clock);
	});

	it('deletes at once even where the log forgets the metadata before', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock, { properties: { 'write.metadata.previous-versions-max': '1' } });
		await fill(table, clock, range(0, 6));
		await compact(table);
		await expireSnapshots(table, { olderThanMs: 0, graceMs: 0 });
		expect(await filesOf(io, `${T}/data`)).toHaveLength(1);
		await checkAllSnapshots(io, clock);
	});

	it('keeps what branches and tags need, by their own retention', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 6));
		const ids = (await table.snapshots()).map((snapshot) => snapshot.snapshotId);
		await apply(table, [
			{ action: 'set-snapshot-ref', refName: 'audit', ref: { type: 'tag', snapshotId: ids[1] as bigint } },
			{
				action: 'set-snapshot-ref',
				refName: 'old',
				ref: { type: 'tag', snapshotId: ids[0] as bigint, maxRefAgeMs: HOUR },
			},
			{
				action: 'set-snapshot-ref',
				refName: 'work',
				ref: { type: 'branch', snapshotId: ids[3] as bigint, minSnapshotsToKeep: 1, maxSnapshotAgeMs: 1 },
			},
		]);
		await compact(table);
		clock.pass(2 * HOUR);
		await expect(expireSnapshots(table, { snapshotIds: [ids[1] as bigint] })).rejects.toMatchObject({
			code: 'VALIDATION_FAILED',
			message: expect.stringContaining("'audit'"),
		});
		await expect(expireSnapshots(table, { snapshotIds: [12n] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
		const result = await expireSnapshots(table, { olderThanMs: 0, graceMs: 0 });
		expect(result.refs).toEqual(['old']);
		expect(result.snapshots.map((snapshot) => snapshot.snapshotId)).toEqual([ids[0], ids[2], ids[4], ids[5]]);
		expect(await idsOf(table, { ref: 'audit' })).toEqual([0, 1]);
		expect(await idsOf(table, { ref: 'work' })).toEqual(range(0, 4));
		expect(await idsOf(table)).toEqual(range(0, 6));
		expect(await filesOf(io, `${T}/data`)).toHaveLength(5);
		expect(await checkAllSnapshots(io, clock)).toBe(3);
	});

	it('removes only the snapshots that are asked for by id', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 3));
		clock.pass(30 * DAY);
		const [first, second] = await table.snapshots();
		const result = await expireSnapshots(table, { snapshotIds: [String(second?.snapshotId)], graceMs: 0 });
		expect(result.snapshots).toEqual([second]);
		expect(result.files.map((file) => file.kind)).toEqual(['manifest-list']);
		expect(await idsOf(table, { snapshotId: first?.snapshotId as bigint })).toEqual([0]);
	});

	it('obeys the table properties', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock, { properties: { 'history.expire.min-snapshots-to-keep': '4' } });
		await fill(table, clock, range(0, 6));
		clock.pass(6 * DAY);
		expect(planExpiry(table.metadata, {}, clock.nowMs()).snapshotIds).toHaveLength(2);
		await table.setProperties({ 'history.expire.max-snapshot-age-ms': '9223372036854775807' });
		expect(planExpiry(table.metadata, {}, clock.nowMs()).snapshotIds).toHaveLength(0);
		await table.setProperties({ 'history.expire.max-snapshot-age-ms': 'soon' });
		await expect(expireSnapshots(table)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await table.setProperties({ 'gc.enabled': 'false' });
		await expect(expireSnapshots(table)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
	});

	it('never deletes what is reached, whatever is committed meanwhile', async () => {
		let interleavings = 0;
		for (let n = 1; ; n += 2) {
			const inner = new MemoryFileIO();
			const clock = new TestClock();
			const writer = await compacted(inner, clock);
			await fill(writer, clock, [6, 7]);
			const io = new FaultyFileIO(inner);
			const table = await open(io, clock);
			let appended = false;
			const until = async (): Promise<void> => {
				appended = true;
				await writer.append([{ id: 100n, region: 'y' }]);
				await compact(writer, { minInputFiles: 2 });
			};
			io.addRule({ from: n, fault: { kind: 'delay', until } });
			await expireSnapshots(table, { olderThanMs: 0, graceMs: 0 });
			if (!appended) break;
			interleavings++;
			expect(await idsOf(await open(inner, clock))).toEqual([...range(0, 8), 100]);
			await checkAllSnapshots(inner, clock);
		}
		expect(interleavings).toBeGreaterThan(20);
	});

	it('keeps the table whole when any call fails or the process dies, and the next run finishes the work', async () => {
		let faults = 0;
		for (const fault of [{ kind: 'fail' }, { kind: 'lose-reply' }, { kind: 'crash' }] as const) {
			for (let n = 1; ; n += 3) {
				const inner = new MemoryFileIO();
				const clock = new TestClock();
				await compacted(inner, clock);
				const io = new FaultyFileIO(inner);
				const table = await open(io, clock);
				const calls = io.calls.length;
				io.addRule({ from: n, fault });
				await expireSnapshots(table, { olderThanMs: 0, graceMs: 0 }).catch(() => undefined);
				if (io.calls.length - calls < n) break;
				faults++;
				const fresh = await open(inner, clock);
				await checkAllSnapshots(inner, clock);
				await expireSnapshots(fresh, { olderThanMs: 0, graceMs: 0 });
				expect(await idsOf(fresh)).toEqual(range(0, 6));
				expect(await filesOf(inner, `${T}/data`)).toHaveLength(1);
			}
		}
		expect(faults).toBeGreaterThan(40);
	});
});
