import { describe, expect, it } from 'vitest';
import { type FileScanTask, MemoryFileIO } from '../../src/index.ts';
import { checkAllSnapshots, filesOf, idsOf, range } from './support.ts';
import { snapshotManifests } from '../../src/scan/snapshot-manifests.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import { LINGER_MS } from '../../src/maintenance/self-maintenance.ts';
import { create, type Maintained, unreachable, VirtualClock } from './self-support.ts';

const MINUTE = 60_000;

async function appendOne({ table }: Maintained, id: number, region = 'x'): Promise<void> {
	await table.append([{ id: BigInt(id), region }]);
}

describe('a table that takes one-row commits for long', () => {
	it.each([
		['not partitioned, v2', {}, 1, 600],
		['with row lineage, v3', { formatVersion: 3 }, 1, 200],
		['partitioned', { partitionBy: ['region'] }, 3, 300],
		['sorted', { sortBy: ['id desc'] }, 1, 200],
		['v1', { formatVersion: 1 }, 1, 200],
	] as const)('stays young: %s', async (_, shape, partitions, total) => {
		const io = new MemoryFileIO();
		const clock = new VirtualClock();
		const maintained = await create({ io, clock }, shape);
		const { table, maintenance, opened, rewritten } = maintained;
		const levels = 1 + Math.floor(Math.log(total / partitions) / Math.log(8));
		for (let id = 0; id < total; id++) {
			clock.pass(5);
			await appendOne(maintained, id, `r${id % partitions}`);
			if (id % 10 !== 9) continue;
			await maintenance.idle();
			expect((await opened.committer.load()).metadata.snapshots.length).toBeLessThan(60);
			if (id % 100 !== 99) continue;
			const tasks: FileScanTask[] = [];
			for await (const task of table.scan().plan()) tasks.push(task);
			// Fewer than eight files in each of the levels that a partition's rows can have.
			expect(tasks.length).toBeLessThanOrEqual(partitions * 8 * levels);
			expect((await table.manifests()).length).toBeLessThanOrEqual(partitions * 8 * levels + 20);
		}
		expect(rewritten.rows / total).toBeLessThanOrEqual(levels);
		expect(rewritten.rows / total).toBeGreaterThan(1);
		expect(await idsOf(table)).toEqual(range(0, total));
		if (shape && 'formatVersion' in shape && shape.formatVersion === 3) {
			const rows = await table.scan({ select: ['id', '_row_id', '_last_updated_sequence_number'] }).toArray();
			const ids = rows.map((row) => row['_row_id'] as bigint);
			expect(new Set(ids).size).toBe(total);
			const byId = rows.toSorted((a, b) => Number(a['id']) - Number(b['id']));
			const numbers = byId.map((row) => row['_last_updated_sequence_number'] as bigint);
			expect(numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as bigint))).toBe(true);
		}
		// The first snapshot is there still, and every other is whole.
		expect((await table.snapshots())[0]?.summary).toMatchObject({ operation: 'append', 'total-records': '1' });
		expect(await checkAllSnapshots(io, clock)).toBeLessThan(60);
	});

	it('deletes, after their grace, exactly the files that no snapshot reaches', async () => {
		const io = new MemoryFileIO();
		const clock = new VirtualClock();
		const properties = { 'datashard.maintenance.deletion.budget-bytes': '100000000' };
		const maintained = await create({ io, clock }, { properties });
		const { maintenance } = maintained;
		for (let id = 0; id < 300; id++) {
			clock.pass(5);
			await appendOne(maintained, id);
			if (id % 10 === 9) await maintenance.idle();
		}
		const before = await unreachable(io);
		expect(before.length).toBeGreaterThan(250);
		clock.pass(50_000);
		await maintenance.idle();
		expect(await unreachable(io)).toEqual(before);
		clock.pass(20_000);
		await maintenance.idle();
		expect(await unreachable(io)).toEqual([]);
		expect(maintenance.garbageBytes).toBe(0);
		expect(await idsOf(maintained.table)).toEqual(range(0, 300));
		await checkAllSnapshots(io, clock);
	});

	it.each([
		['two seconds for metadata, five for data', {}, 2, 5],
		['what is asked for, for both', { 'datashard.maintenance.deletion.least-grace-ms': '4000' }, 4, 4],
		['what is asked for metadata', { 'datashard.maintenance.deletion.least-metadata-grace-ms': '3000' }, 3, 5],
		[
			'not more than the grace itself',
			{ 'datashard.maintenance.deletion.grace-ms': '1000', 'datashard.maintenance.deletion.least-grace-ms': '9000' },
			1,
			1,
		],
	])(
		'shortens the grace, but not below the least, while there is too much garbage: %s',
		async (_, least, list, data) => {
			const io = new MemoryFileIO();
			const clock = new VirtualClock();
			const properties = { 'datashard.maintenance.deletion.budget-bytes': '20000', ...least };
			const maintained = await create({ io, clock }, { properties });
			let most = 0;
			for (let id = 0; id < 600; id++) {
				clock.pass(100);
				await appendOne(maintained, id);
				if (id % 10 === 9) await maintained.maintenance.idle();
				most = Math.max(most, maintained.maintenance.garbageBytes);
			}
			// What five seconds of commits leave, not sixty.
			expect(most).toBeLessThan(50 * 20_000);
			expect((await filesOf(io)).length).toBeLessThan(1_500);
			const left = await unreachable(io);
			// Ten commits a second, of which twenty snapshots stay; what goes goes once a second.
			const lists = left.filter((location) => location.includes('/snap-')).length;
			expect(lists).toBeGreaterThan(list * 10 - 10);
			expect(lists).toBeLessThan(list * 10 + 25);
			const files = left.filter((location) => location.includes('/data/')).length;
			expect(files).toBeGreaterThan(data * 10 - 15);
			expect(files).toBeLessThan(data * 10 + 60);
		},
	);

	it('keeps, however much garbage there is, what a reader needs of any state for as long as is promised', async () => {
		const io = new MemoryFileIO();
		const clock = new VirtualClock();
		const properties = { 'datashard.maintenance.deletion.budget-bytes': '0' };
		const { table, maintenance, opened } = await create({ io, clock }, { properties });
		const promised: { readonly location: string; readonly untilMs: number }[] = [];
		let removed = 0;
		for (let id = 0; id < 700; id++) {
			clock.pass(20);
			await table.append([{ id: BigInt(id), region: 'x' }]);
			if (id % 10 === 9) await maintenance.idle();
			if (id % 25 === 0) {
				const { metadata } = await opened.committer.load();
				const snapshot = metadata.snapshots.at(-1) as Snapshot;
				const nowMs = clock.monotonicMs();
				const manifests = (await snapshotManifests(io, snapshot)).map(({ location }) => location);
				for (const location of [snapshot.manifestList as string, ...manifests])
					promised.push({ location, untilMs: nowMs + 2_000 });
				for await (const { file } of table.scan().plan())
					promised.push({ location: file.location, untilMs: nowMs + 5_000 });
			}
			for (const { location, untilMs } of promised) {
				if (await io.exists(location)) continue;
				removed++;
				expect(clock.monotonicMs()).toBeGreaterThanOrEqual(untilMs);
			}
		}
		expect(removed).toBeGreaterThan(100);
	});

	it('waits at its end for some of what is more garbage than the budget, a second at most, and for no other', async () => {
		for (const budgetBytes of [20_000, 100_000_000]) {
			const io = new MemoryFileIO();
			const clock = new VirtualClock();
			const properties = { 'datashard.maintenance.deletion.budget-bytes': String(budgetBytes) };
			const maintained = await create({ io, clock }, { properties });
			for (let id = 0; id < 400; id++) {
				clock.pass(10);
				await appendOne(maintained, id);
				if (id % 10 === 9) await maintained.maintenance.idle();
			}
			const before = await unreachable(io);
			const beforeMs = clock.monotonicMs();
			await maintained.maintenance.close();
			const waitedMs = clock.monotonicMs() - beforeMs;
			const after = await unreachable(io);
			if (budgetBytes === 20_000) {
				expect(waitedMs).toBeGreaterThan(LINGER_MS / 2);
				expect(waitedMs).toBeLessThanOrEqual(LINGER_MS);
				expect(before.length - after.length).toBeGreaterThan(100);
				// What is younger stays: readers have the least grace.
				expect(after.filter((location) => location.includes('/snap-')).length).toBeGreaterThan(80);
			} else {
				expect(waitedMs).toBe(0);
				expect(after).toEqual(before);
			}
			await checkAllSnapshots(io, clock);
		}
	});
});

describe('what is switched off', () => {
	it.each([
		['all', { 'datashard.maintenance.enabled': 'false' }, true, true, true],
		['thinning', { 'datashard.maintenance.thinning.enabled': 'false' }, true, false, true],
		['compaction', { 'datashard.maintenance.compaction.enabled': 'false' }, false, true, false],
		['deletion', { 'datashard.maintenance.deletion.enabled': 'false' }, false, false, true],
		['deletion by gc.enabled', { 'gc.enabled': 'false' }, false, false, true],
	] as const)('stays undone: %s', async (_, properties, keepsSnapshots, keepsSmallFiles, keepsGarbage) => {
		const io = new MemoryFileIO();
		const clock = new VirtualClock();
		const maintained = await create({ io, clock }, { properties });
		for (let id = 0; id < 100; id++) {
			clock.pass(5);
			await appendOne(maintained, id);
			if (id % 10 === 9) await maintained.maintenance.idle();
		}
		clock.pass(2 * MINUTE);
		const before = await unreachable(io);
		await maintained.maintenance.idle();
		const snapshotCount = (await maintained.table.snapshots()).length;
		if (keepsSnapshots) expect(snapshotCount).toBeGreaterThanOrEqual(100);
		else expect(snapshotCount).toBeLessThan(60);
		const fileCount = (await maintained.table.dataFiles()).length;
		if (keepsSmallFiles) expect(fileCount).toBe(100);
		else expect(fileCount).toBeLessThan(30);
		if (keepsGarbage) expect(await unreachable(io)).toEqual(before);
		else expect(before.length).toBeGreaterThan((await unreachable(io)).length);
	});
});
