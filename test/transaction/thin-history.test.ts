import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryFileIO } from '../../src/index.ts';
import { applyUpdates } from '../../src/metadata/reduce.ts';
import type { Snapshot, SnapshotRef } from '../../src/spec/snapshot.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { selectSnapshot } from '../../src/table/table-source.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { ThinHistoryAction, thinHistoryAction } from '../../src/transaction/thin-history.ts';
import { planThinning } from '../../src/transaction/thin-history-plan.ts';
import { appendOf, dataFile, fixedClock, freshLook, makeTable, quick } from './support.ts';

const DAY = 86_400_000;
const START = 1_700_000_000_000;
/** Most snapshots that stay besides the newest: four levels, and five for each doubling of ten years' age. */
const MOST_OLDER = 16 + 16 + 25 + 31 + 5 * 7;

const blank = (await makeTable(new MemoryFileIO())).loaded.metadata;

function snapshotAt(i: number, timestampMs: number, parent: number | undefined): Snapshot {
	return {
		snapshotId: BigInt(i + 1),
		...(parent === undefined ? {} : { parentSnapshotId: BigInt(parent + 1) }),
		sequenceNumber: BigInt(i + 1),
		timestampMs,
		manifestList: `memory:/t/metadata/snap-${i + 1}.avro`,
		summary: { operation: 'append' },
		schemaId: 0,
	};
}

/** A table on whose `main` there were commits at these instants. */
function tableOf(
	timesMs: readonly number[],
	refs: Readonly<Record<string, SnapshotRef>> = {},
	properties: Readonly<Record<string, string>> = {},
): TableMetadata {
	const snapshots = timesMs.map((timeMs, i) => snapshotAt(i, timeMs, i === 0 ? undefined : i - 1));
	const current = snapshots.at(-1) as Snapshot;
	return {
		...blank,
		properties,
		lastSequenceNumber: current.sequenceNumber,
		lastUpdatedMs: current.timestampMs,
		snapshots,
		currentSnapshotId: current.snapshotId,
		refs: { main: { type: 'branch', snapshotId: current.snapshotId }, ...refs },
		snapshotLog: snapshots.map(({ snapshotId, timestampMs }) => ({ snapshotId, timestampMs })),
	};
}

function thinned(base: TableMetadata, keepNewest: number, nowMs: number): TableMetadata {
	const removed = new Set(planThinning(base, keepNewest, nowMs).map(({ snapshotId }) => snapshotId));
	return { ...base, snapshots: base.snapshots.filter(({ snapshotId }) => !removed.has(snapshotId)) };
}

const idsOf = ({ snapshots }: TableMetadata): bigint[] => snapshots.map(({ snapshotId }) => snapshotId);

/** Commits with pauses of all lengths, from none to weeks. */
const histories = fc
	.array(
		fc.oneof(
			fc.integer({ min: 0, max: 2_000 }),
			fc.integer({ min: 0, max: 600_000 }),
			fc.integer({ min: 0, max: 20 * DAY }),
		),
		{ minLength: 1, maxLength: 400 },
	)
	.map((pauses) => {
		let nowMs = START;
		return pauses.map((pause) => (nowMs += pause));
	});

describe('a thinned history', () => {
	it('has all of the newest, the first of all, and what refs point at; and is bounded', () => {
		fc.assert(
			fc.property(
				histories,
				fc.integer({ min: 1, max: 40 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(times, keepNewest, at) => {
					const tagged = BigInt(1 + Math.floor(at * (times.length - 1)));
					const base = tableOf(times, { t: { type: 'tag', snapshotId: tagged } });
					const nowMs = (times.at(-1) as number) + 1_000;
					const kept = idsOf(thinned(base, keepNewest, nowMs));
					expect(kept).toContain(1n);
					expect(kept).toContain(tagged);
					expect(kept.slice(-Math.min(keepNewest, times.length))).toEqual(idsOf(base).slice(-keepNewest));
					expect(kept.length).toBeLessThanOrEqual(keepNewest + MOST_OLDER + 5 * 3 + 1);
				},
			),
		);
	});

	it('is the same whether it was thinned after each commit or once at the end, newest ones aside', () => {
		fc.assert(
			fc.property(histories, fc.integer({ min: 1, max: 10 }), (times, keepNewest) => {
				let often = tableOf(times.slice(0, 1));
				for (let i = 1; i < times.length; i++) {
					const whole = tableOf(times.slice(0, i + 1));
					const still = new Set([...idsOf(often), BigInt(i + 1)]);
					const now = { ...whole, snapshots: whole.snapshots.filter(({ snapshotId }) => still.has(snapshotId)) };
					often = thinned(now, keepNewest, times[i] as number);
				}
				expect(idsOf(often)).toEqual(idsOf(thinned(tableOf(times), keepNewest, times.at(-1) as number)));
			}),
			{ numRuns: 30 },
		);
	});

	it('of a year of commits at one a second has at most 200', () => {
		const now = START + 365 * DAY;
		const times: number[] = [];
		// Older than a day only one in an hour matters, older than an hour one in a minute: as is shown above.
		for (let at = START; at < now; at += at < now - DAY ? 3_600_000 : at < now - 3_600_000 ? 60_000 : 1_000)
			times.push(at);
		const base = tableOf(times);
		let most = 0;
		for (let i = 0; i < 50; i++) most = Math.max(most, thinned(base, 30, now + i * 777_777).snapshots.length);
		expect(idsOf(thinned(base, 30, now))[0]).toBe(1n);
		expect(most).toBeLessThanOrEqual(200);
		expect(most).toBeGreaterThan(100);
	});

	it('of a thousand commits a second has few', () => {
		const times = Array.from({ length: 20_000 }, (_, i) => START + i);
		expect(thinned(tableOf(times), 30, START + 20_000).snapshots.length).toBeLessThan(60);
	});

	it('keeps what retention asks for: of the table, of its refs, and of other branches', () => {
		const times = Array.from({ length: 500 }, (_, i) => START + i * 10);
		const nowMs = START + 5_000;
		const count = (refs: Readonly<Record<string, SnapshotRef>>, properties: Readonly<Record<string, string>> = {}) =>
			thinned(tableOf(times, refs, properties), 5, nowMs).snapshots.length;
		const plain = count({});
		expect(plain).toBeLessThan(15);
		expect(count({}, { 'history.expire.min-snapshots-to-keep': '200' })).toBeGreaterThanOrEqual(200);
		expect(count({}, { 'history.expire.max-snapshot-age-ms': '1005' })).toBeGreaterThanOrEqual(100);
		expect(count({}, { 'history.expire.max-snapshot-age-ms': '9223372036854775807' })).toBe(500);
		const main = { type: 'branch', snapshotId: 500n } as const;
		expect(count({ main: { ...main, minSnapshotsToKeep: 300 } })).toBeGreaterThanOrEqual(300);
		expect(count({ main: { ...main, maxSnapshotAgeMs: 5_000_000 } })).toBe(500);
		const forked = tableOf(times.slice(0, 400), {});
		const aside = times.slice(400).map((timeMs, i) => snapshotAt(400 + i, timeMs, i === 0 ? 399 : 400 + i - 1));
		const both: TableMetadata = {
			...forked,
			snapshots: [...forked.snapshots, ...aside],
			refs: { ...forked.refs, aside: { type: 'branch', snapshotId: 500n, minSnapshotsToKeep: 50 } },
		};
		const kept = idsOf(thinned(both, 5, nowMs));
		expect(kept.filter((id) => id > 450n)).toHaveLength(50);
		expect(kept).toContain(400n);
		expect(kept.filter((id) => id <= 400n).length).toBeLessThan(15);
	});

	it('keeps what was staged lately', () => {
		const base = tableOf(Array.from({ length: 100 }, (_, i) => START + i));
		const staged = { ...snapshotAt(100, START + 50, 40), summary: { operation: 'append', 'wap.id': 'w1' } };
		const table = { ...base, snapshots: [...base.snapshots.slice(0, 60), staged, ...base.snapshots.slice(60)] };
		expect(idsOf(thinned(table, 5, START + 200))).toContain(101n);
		expect(idsOf(thinned(table, 5, START + 6 * DAY))).not.toContain(101n);
	});
});

describe('time travel in a thinned history', () => {
	it('reaches back to the start: to the newest kept state that is not after the instant', () => {
		const base = tableOf(Array.from({ length: 200 }, (_, i) => START + i * 60_000));
		const action = planThinning(base, 5, START + 200 * 60_000).map(({ snapshotId }) => snapshotId);
		const after = applyUpdates(base, [{ action: 'remove-snapshots', snapshotIds: action }], {
			nowMs: START + 200 * 60_000,
		});
		const kept = new Set(idsOf(after));
		expect(kept.size).toBeLessThan(60);
		expect(after.snapshotLog.length).toBeLessThan(kept.size);
		for (let minute = 0; minute < 200; minute++) {
			const { snapshot } = selectSnapshot(after, { asOfMs: START + minute * 60_000 + 5 });
			const wanted = [...kept].filter((id) => id <= BigInt(minute + 1)).at(-1);
			expect(snapshot?.snapshotId).toBe(wanted);
		}
		expect(() => selectSnapshot(after, { asOfMs: START - 1 })).toThrow(/no snapshot as of/);
		expect(() => selectSnapshot({ ...base, snapshotLog: base.snapshotLog.slice(50) }, { asOfMs: START })).toThrow(
			/as of/,
		);
	});
});

describe('ThinHistoryAction', () => {
	it('rides along with appends: bounded, amortised, with a log that has no gap', async () => {
		const io = new MemoryFileIO();
		let nowMs = START;
		const { committer } = await makeTable(io);
		const options = { ...quick, clock: fixedClock(() => nowMs) };
		let thinnings = 0;
		const removed: bigint[] = [];
		for (let i = 0; i < 150; i++) {
			nowMs += 5;
			const thin = thinHistoryAction({ 'datashard.maintenance.thinning.keep-newest': '20' }) as ThinHistoryAction;
			expect(thin.removed).toEqual([]);
			const result = await commitActions(
				committer,
				await committer.load(),
				[appendOf([await dataFile(io)]), thin],
				options,
			);
			if (thin.removed.length > 0) thinnings++;
			removed.push(...thin.removed.map(({ snapshotId }) => snapshotId));
			expect(result.loaded.metadata.snapshots.length).toBeLessThanOrEqual(20 + 2 + 7 + 3);
		}
		expect(thinnings).toBeGreaterThan(5);
		expect(thinnings).toBeLessThanOrEqual(150 / 7);
		const { metadata, current } = await freshLook(io);
		expect(current.files).toHaveLength(150);
		expect(metadata.snapshots.length + removed.length).toBe(150);
		expect(new Set(removed).size).toBe(removed.length);
		expect(metadata.snapshots[0]?.sequenceNumber).toBe(1n);
		const log = metadata.snapshotLog.map(({ snapshotId }) => snapshotId);
		expect(log).toEqual(metadata.snapshots.map(({ snapshotId }) => snapshotId).slice(-log.length));
		expect(log.length).toBeGreaterThanOrEqual(20);
	});

	it('removes statistics of the snapshots that go', async () => {
		const base = tableOf(Array.from({ length: 100 }, (_, i) => START + i));
		const statistics = [5n, 100n].map((snapshotId) => ({ snapshotId, json: { 'statistics-path': `s${snapshotId}` } }));
		const action = new ThinHistoryAction({ keepNewest: 10, force: true });
		const { updates } = await action.apply({ ...base, statistics } as TableMetadata, { nowMs: START + 200 } as never);
		const after = applyUpdates({ ...base, statistics } as TableMetadata, updates, { nowMs: START + 200 });
		expect(after.statistics.map(({ snapshotId }) => snapshotId)).toEqual([100n]);
	});

	it('does nothing for a short history, when it is switched off, and where retention makes no sense', async () => {
		const context = { nowMs: START + 1_000 } as never;
		const short = tableOf(Array.from({ length: 30 }, (_, i) => START + i));
		const action = new ThinHistoryAction({ keepNewest: 30, force: true });
		expect((await action.apply(short, context)).updates).toEqual([]);
		const odd = tableOf(
			Array.from({ length: 98 }, (_, i) => START + i),
			{},
			{ 'history.expire.min-snapshots-to-keep': 'many' },
		);
		expect((await action.apply(odd, context)).updates).toEqual([]);
		expect((await action.apply({ ...odd, properties: {} }, context)).updates).toHaveLength(1);
		for (const name of ['enabled', 'thinning.enabled'])
			expect(thinHistoryAction({ [`datashard.maintenance.${name}`]: 'false' })).toBeUndefined();
		expect(thinHistoryAction({ 'datashard.maintenance.thinning.keep-newest': 'x' })).toBeUndefined();
		expect(thinHistoryAction({})).toBeInstanceOf(ThinHistoryAction);
	});

	it('leaves a rejected commit as it was, and removes by what is there on the next try', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		let nowMs = START;
		const options = { ...quick, clock: fixedClock(() => nowMs) };
		for (let i = 0; i < 40; i++) {
			nowMs += 5;
			await commitActions(committer, await committer.load(), [appendOf([await dataFile(io)])], options);
		}
		const thin = new ThinHistoryAction({ keepNewest: 10, force: true });
		const stale = await committer.load();
		let isFirst = true;
		const contended = {
			io,
			load: () => committer.load(),
			swap: async (request: Parameters<typeof committer.swap>[0]) => {
				if (!isFirst) return committer.swap(request);
				isFirst = false;
				await commitActions(committer, stale, [new ThinHistoryAction({ keepNewest: 5, force: true })], options);
				return committer.swap(request);
			},
		};
		await commitActions(contended, stale, [appendOf([await dataFile(io)]), thin], options);
		expect(thin.removed).toEqual([]);
		expect((await freshLook(io)).current.files).toHaveLength(41);
	});
});
