/** The states that a table has had. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createTable, loadTable, MemoryFileIO, type Snapshot, type Table } from '../../src/index.ts';
import { systemRandom } from '../../src/util/system-ports.ts';
import { applyUpdates } from '../../src/metadata/reduce.ts';
import type { TableUpdate } from '../../src/metadata/table-update.ts';
import { serializeTableMetadata } from '../../src/spec/table-metadata-json.ts';
import { pairRows, pairs, SetClock } from './support.ts';

const START = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;

let io: MemoryFileIO;
let table: Table<object, { id: bigint }>;
let snapshots: Snapshot[];

beforeEach(async () => {
	io = new MemoryFileIO();
	const clock = new SetClock(START);
	const made = await createTable('memory:/t', pairs, { io, clock, random: systemRandom });
	snapshots = [];
	for (let i = 0; i < 3; i++) {
		clock.ms = START + (i + 1) * HOUR;
		snapshots.push((await made.append(pairRows(i + 1, i * 10))).snapshot!);
	}
	table = made as unknown as typeof table;
});

const idsOf = async (rows: AsyncIterable<{ id: bigint }>): Promise<number[]> => {
	const ids: number[] = [];
	for await (const { id } of rows) ids.push(Number(id));
	return ids.sort((a, b) => a - b);
};

const STATES = [[0], [0, 10, 11], [0, 10, 11, 20, 21, 22]];

describe('a table tells', () => {
	it('its snapshots, oldest first, each the parent of the next', async () => {
		const all = await table.snapshots();
		expect(all.map(({ snapshotId }) => snapshotId)).toEqual(snapshots.map(({ snapshotId }) => snapshotId));
		expect(all.map(({ sequenceNumber }) => sequenceNumber)).toEqual([1n, 2n, 3n]);
		expect(all.map(({ timestampMs }) => timestampMs)).toEqual([1, 2, 3].map((i) => START + i * HOUR));
		expect(all.map(({ parentSnapshotId }) => parentSnapshotId)).toEqual([
			undefined,
			all[0]?.snapshotId,
			all[1]?.snapshotId,
		]);
		expect((await table.currentSnapshot())?.snapshotId).toBe(all[2]?.snapshotId);
	});

	it('a snapshot by its id as bigint or text, and none for ids that there are not', async () => {
		const id = snapshots[1]!.snapshotId;
		expect((await table.snapshotById(id))?.sequenceNumber).toBe(2n);
		expect((await table.snapshotById(String(id)))?.sequenceNumber).toBe(2n);
		expect(await table.snapshotById(1n)).toBeUndefined();
		for (const bad of [1.5, 2 ** 60, 'x', '', null])
			await expect(table.snapshotById(bad as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('its history', async () => {
		const history = await table.history();
		expect(
			history.map(({ snapshotId, madeCurrentAtMs, isCurrentAncestor }) => [
				snapshotId,
				madeCurrentAtMs,
				isCurrentAncestor,
			]),
		).toEqual(snapshots.map(({ snapshotId, timestampMs }) => [snapshotId, timestampMs, true]));
		expect(history[2]?.snapshot?.snapshotId).toBe(snapshots[2]!.snapshotId);
	});

	it('its manifests, their entries and data files, of each state', async () => {
		expect((await table.manifests()).length).toBe(3);
		expect((await table.manifests({ snapshotId: snapshots[0]!.snapshotId })).length).toBe(1);
		const [manifest] = await table.manifests({ snapshotId: snapshots[0]!.snapshotId });
		const entries = await table.manifestEntries(manifest!);
		expect(entries).toMatchObject([
			{ status: 'added', sequenceNumber: 1n, file: { recordCount: 1, format: 'parquet' } },
		]);
		const files = await table.dataFiles();
		expect(files.map(({ recordCount }) => recordCount).sort()).toEqual([1, 2, 3]);
		for (const file of files) {
			expect(await io.exists(file.location)).toBe(true);
			expect(await io.input(file.location).length()).toBe(file.fileSizeInBytes);
			expect(file.lowerBounds?.size).toBe(2);
			expect(file.valueCounts?.get(1)).toBe(file.recordCount);
		}
	});

	it('its row count, of each state, without opening data files', async () => {
		for (const file of await table.dataFiles()) await io.delete(file.location);
		expect(await table.rowCount()).toBe(6);
		expect(await table.rowCount({ asOfMs: START + HOUR })).toBe(1);
		expect(await table.scan().count()).toBe(6);
		await expect(table.scan().toArray()).rejects.toMatchObject({ code: 'NOT_FOUND' });
	});
});

describe('time travel', () => {
	it('to a snapshot', async () => {
		for (const [i, { snapshotId }] of snapshots.entries()) {
			expect(await idsOf(table.scan({ snapshotId }))).toEqual(STATES[i]);
			expect(await idsOf(table.scan({ snapshotId: String(snapshotId) }))).toEqual(STATES[i]);
			const then = await table.timeTravel({ snapshotId });
			expect(then.snapshot?.snapshotId).toBe(snapshotId);
			expect(await idsOf(then.scan())).toEqual(STATES[i]);
			expect(await then.rowCount()).toBe(STATES[i]!.length);
			expect((await then.dataFiles()).length).toBe(i + 1);
			expect((await then.manifests()).length).toBe(i + 1);
		}
	});

	it.each([
		[START + HOUR, 0],
		[START + HOUR + 1, 0],
		[START + 2 * HOUR - 1, 0],
		[START + 2 * HOUR, 1],
		[START + 3 * HOUR, 2],
		[START + 1_000 * HOUR, 2],
	])('to the instant %i: state %i', async (ms, state) => {
		expect(await idsOf(table.scan({ asOfMs: ms }))).toEqual(STATES[state]);
		expect(await idsOf(table.scan({ asOfMs: new Date(ms) }))).toEqual(STATES[state]);
		const then = await table.timeTravel({ timestampMs: ms });
		expect(await idsOf(then.scan({ where: 'id >= 0' }))).toEqual(STATES[state]);
	});

	it('to before the first snapshot is refused, saying when', async () => {
		await expect(table.scan({ asOfMs: START }).toArray()).rejects.toMatchObject({
			code: 'NOT_FOUND',
			message: expect.stringContaining('2024-01-01T00:00:00.000Z'),
		});
		await expect(table.timeTravel({ timestampMs: START })).rejects.toMatchObject({ code: 'NOT_FOUND' });
	});

	it('to branches and tags', async () => {
		const ref = (refName: string, type: 'branch' | 'tag', at: number): TableUpdate => ({
			action: 'set-snapshot-ref',
			refName,
			ref: { type, snapshotId: snapshots[at]!.snapshotId },
		});
		const updates = [ref('monday', 'tag', 0), ref('audit', 'branch', 1)];
		const metadata = applyUpdates(table.metadata, updates, { nowMs: START + 4 * HOUR });
		const location = 'memory:/t/metadata/other.metadata.json';
		await io.write(location, new TextEncoder().encode(serializeTableMetadata(metadata)));
		const tagged = await loadTable<object, { id: bigint }>(location, { io });
		expect(Object.keys(tagged.refs).sort()).toEqual(['audit', 'main', 'monday']);
		expect(await idsOf(tagged.scan({ ref: 'monday' }))).toEqual(STATES[0]);
		expect(await idsOf(tagged.scan({ ref: 'audit' }))).toEqual(STATES[1]);
		expect(await idsOf(tagged.scan({ ref: 'main' }))).toEqual(STATES[2]);
		expect(await idsOf((await tagged.timeTravel({ ref: 'audit' })).scan())).toEqual(STATES[1]);
		for (const ref of ['nobody', 'toString', '__proto__'])
			await expect(tagged.scan({ ref }).toArray()).rejects.toMatchObject({
				code: 'NOT_FOUND',
				message: expect.stringContaining(`'${ref}'`),
			});
	});

	it('stays at its state, whatever is committed', async () => {
		const then = await table.timeTravel({ ref: 'main' });
		await table.append([{ id: 99 }]);
		expect(await idsOf(then.scan())).toEqual(STATES[2]);
		expect(await idsOf(table.scan())).toEqual([...STATES[2]!, 99]);
	});

	it('refuses what names no one state', async () => {
		const id = snapshots[0]!.snapshotId;
		await expect(table.scan({ snapshotId: id, asOfMs: START }).toArray()).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringMatching(/snapshotId.*asOfMs/),
		});
		await expect(table.timeTravel({})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await expect(table.scan({ snapshotId: 1 }).toArray()).rejects.toMatchObject({ code: 'NOT_FOUND' });
		await expect(table.scan({ asOfMs: Number.NaN }).toArray()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await expect(table.scan({ asOfMs: new Date('never') }).toArray()).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
		await expect(table.scan({ asOfMs: '2024-01-01' as never }).toArray()).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
	});

	it('of a table without a snapshot', async () => {
		const empty = await createTable('memory:/empty', pairs, { io });
		expect(await empty.currentSnapshot()).toBeUndefined();
		expect(await empty.history()).toEqual([]);
		expect(await empty.manifests()).toEqual([]);
		expect(await empty.dataFiles()).toEqual([]);
		expect(await (await empty.timeTravel({ ref: 'main' })).scan().toArray()).toEqual([]);
		await expect(empty.scan({ asOfMs: START }).toArray()).rejects.toMatchObject({ code: 'NOT_FOUND' });
	});
});
