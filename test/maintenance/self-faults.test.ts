import { describe, expect, it } from 'vitest';
import { IcebergError, MemoryFileIO } from '../../src/index.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import type { Processes } from '../../src/util/process-identity.ts';
import { systemProcesses } from '../../src/util/system-processes.ts';
import { checkAllSnapshots, idsOf, open, range } from './support.ts';
import { create, type Maintained, reopen, seeded, unreachable, VirtualClock } from './self-support.ts';

const MINUTE = 60_000;
/** Processes as one sees them that began after all others had gone. */
const ALL_GONE: Processes = {
	self: { ...systemProcesses.self, startedAt: 'zz' },
	isGone: (identity) => identity.startedAt !== 'zz',
};

async function appendOne({ table }: Maintained, id: number, region = 'x'): Promise<void> {
	await table.append([{ id: BigInt(id), region }]);
}

async function fill(maintained: Maintained, clock: VirtualClock, ids: readonly number[]): Promise<void> {
	for (const id of ids) {
		clock.pass(5);
		await appendOne(maintained, id);
	}
}

describe('a step of maintenance', () => {
	it('gives way to appends of others that come at any moment, and loses neither', async () => {
		let interleavings = 0;
		for (let n = 1; ; n += 4) {
			const inner = new MemoryFileIO();
			const clock = new VirtualClock();
			const writer = await create({ io: inner, clock }, { formatVersion: n % 8 === 1 ? 3 : 2 });
			await fill(writer, clock, range(0, 9));
			const io = new FaultyFileIO(inner);
			const other = await reopen({ io, clock });
			other.maintenance.noteCommit(await other.opened.committer.load(), { lookNow: true });
			let appended = false;
			const until = async (): Promise<void> => {
				appended = true;
				await appendOne(writer, 100);
			};
			io.addRule({ from: n, fault: { kind: 'delay', until } });
			await other.maintenance.idle();
			if (!appended) break;
			interleavings++;
			const fresh = await open(inner, clock);
			expect(await idsOf(fresh)).toEqual([...range(0, 9), 100]);
			expect((await fresh.dataFiles()).length).toBeLessThanOrEqual(3);
			await checkAllSnapshots(inner, clock);
			expect(await unreachable(inner)).toEqual([]);
		}
		expect(interleavings).toBeGreaterThan(8);
	});

	it('of one maintainer and the same of another do no harm, whenever the second comes', async () => {
		let interleavings = 0;
		for (let n = 1; ; n += 7) {
			const inner = new MemoryFileIO();
			const clock = new VirtualClock();
			const first = await create({ io: inner, clock });
			await fill(first, clock, range(0, 20));
			const io = new FaultyFileIO(inner);
			const second = await reopen({ io, clock, random: seeded(n) });
			second.maintenance.noteCommit(await second.opened.committer.load(), { lookNow: true });
			let came = false;
			const until = async (): Promise<void> => {
				came = true;
				await first.maintenance.idle();
			};
			io.addRule({ from: n, fault: { kind: 'delay', until } });
			await second.maintenance.idle();
			if (!came) break;
			interleavings++;
			expect(await idsOf(await open(inner, clock))).toEqual(range(0, 20));
			await checkAllSnapshots(inner, clock);
			for (const each of [first, second]) {
				clock.pass(2 * MINUTE);
				await each.maintenance.idle();
			}
			await checkAllSnapshots(inner, clock);
			expect(await unreachable(inner)).toEqual([]);
		}
		expect(interleavings).toBeGreaterThan(8);
	});

	it('leaves no dangling reference wherever its process dies, and the next one cleans up', async () => {
		let crashes = 0;
		for (const after of [false, true]) {
			for (let n = 1 + (after ? 20 : 0); ; n += 61) {
				const inner = new MemoryFileIO();
				const clock = new VirtualClock();
				const io = new FaultyFileIO(inner);
				const maintained = await create(
					{ io, clock },
					{ properties: { 'datashard.maintenance.thinning.keep-newest': '5' } },
				);
				io.addRule({ from: n, fault: { kind: 'crash', after } });
				let acknowledged = -1;
				try {
					for (let id = 0; id < 40; id++) {
						clock.pass(10_000);
						await appendOne(maintained, id);
						acknowledged = id;
						if (id % 4 === 3) await maintained.maintenance.idle();
					}
				} catch {
					// The process is gone.
				}
				if (!io.crashed) break;
				crashes++;
				const ids = await idsOf(await open(inner, clock));
				expect(ids.slice(0, acknowledged + 1)).toEqual(range(0, acknowledged + 1));
				expect(ids.length).toBeLessThanOrEqual(acknowledged + 2);
				await checkAllSnapshots(inner, clock);
				const next = await reopen({ io: inner, clock, processes: ALL_GONE });
				await next.maintenance.idle();
				clock.pass(MINUTE / 2);
				await next.maintenance.idle();
				clock.pass(2 * MINUTE);
				await next.maintenance.idle();
				clock.pass(2 * MINUTE);
				await next.maintenance.idle();
				expect(await unreachable(inner)).toEqual([]);
				expect(await idsOf(await open(inner, clock))).toEqual(ids);
				await checkAllSnapshots(inner, clock);
			}
		}
		expect(crashes).toBeGreaterThan(20);
	});

	it('of processes that each live for some seconds takes over what those before left, so that it stays bounded', async () => {
		const io = new MemoryFileIO();
		const clock = new VirtualClock();
		const properties = { 'datashard.maintenance.deletion.budget-bytes': '200000' };
		await create({ io, clock }, { properties });
		const left: number[] = [];
		for (let round = 0; round < 5; round++) {
			const maintained = await reopen({ io, clock, processes: ALL_GONE });
			for (let i = 0; i < 50; i++) {
				await fill(maintained, clock, range(round * 500 + i * 10, round * 500 + i * 10 + 10));
				clock.pass(150);
				await maintained.maintenance.idle();
			}
			await maintained.maintenance.close();
			left.push((await unreachable(io)).length);
			clock.pass(MINUTE);
		}
		expect(left[0]).toBeGreaterThan(100);
		// Without that it would be five times as much.
		expect(left.at(-1)).toBeLessThan((left[0] as number) * 2.5);
		await checkAllSnapshots(io, clock);
	});

	it('that fails at any call loses nothing, and is made up for later', async () => {
		let failures = 0;
		for (const kind of ['fail', 'lose-reply'] as const) {
			for (let n = 1; ; n += 7) {
				const inner = new MemoryFileIO();
				const clock = new VirtualClock();
				const io = new FaultyFileIO(inner);
				const maintained = await create({ io, clock });
				await fill(maintained, clock, range(0, 12));
				const calls = io.calls.length;
				io.addRule({ from: n, fault: { kind } });
				await maintained.maintenance.idle().catch((error: unknown) => expect(error).toBeInstanceOf(IcebergError));
				io.clearRules();
				if (io.calls.length - calls < n) break;
				failures++;
				expect(await idsOf(await open(inner, clock))).toEqual(range(0, 12));
				await checkAllSnapshots(inner, clock);
				clock.pass(1_000);
				await maintained.maintenance.idle();
				expect((await maintained.table.dataFiles()).length).toBeLessThanOrEqual(5);
				await checkAllSnapshots(inner, clock);
			}
		}
		expect(failures).toBeGreaterThan(10);
	});
});

describe('a read that is under way', () => {
	it('keeps its files, however much is compacted, thinned and deleted meanwhile', async () => {
		const io = new MemoryFileIO();
		const clock = new VirtualClock();
		const maintained = await create(
			{ io, clock },
			{ properties: { 'datashard.maintenance.thinning.keep-newest': '3' } },
		);
		await fill(maintained, clock, range(0, 40));
		const rows = maintained.table.scan()[Symbol.asyncIterator]();
		const read = [Number(((await rows.next()).value as { id: bigint }).id)];
		for (let round = 0; round < 6; round++) {
			await fill(maintained, clock, range(40 + round * 20, 60 + round * 20));
			clock.pass(5 * MINUTE);
			await maintained.maintenance.idle();
		}
		expect((await maintained.table.dataFiles()).length).toBeLessThan(20);
		const waiting = (await unreachable(io)).length;
		expect(waiting).toBeGreaterThan(100);
		for (let next = await rows.next(); next.done !== true; next = await rows.next())
			read.push(Number((next.value as { id: bigint }).id));
		expect(read.sort((a, b) => a - b)).toEqual(range(0, 40));
		clock.pass(1_000);
		await maintained.maintenance.idle();
		expect((await unreachable(io)).length).toBeLessThan(waiting / 4);
	});
});

describe('rows that were appended a moment ago', () => {
	it('are put together without being read back, in tables of version 2 and 3, and stay what they are', async () => {
		for (const formatVersion of [2, 3] as const) {
			const io = new FaultyFileIO(new MemoryFileIO());
			const clock = new VirtualClock();
			const maintained = await create({ io, clock }, { formatVersion });
			await fill(maintained, clock, range(0, 8));
			const before = io.calls.length;
			await maintained.maintenance.idle();
			const reads = io.calls
				.slice(before)
				.filter(({ operation, location }) => operation.startsWith('read') && /\/data\//.test(location));
			expect(reads).toEqual([]);
			const select = ['id', '_last_updated_sequence_number', ...(formatVersion === 3 ? ['_row_id'] : [])];
			const rows = await maintained.table.scan({ select }).toArray();
			expect(rows).toHaveLength(8);
			for (const row of rows) {
				expect(row['_last_updated_sequence_number']).toBe((row['id'] as bigint) + 1n);
				if (formatVersion === 3) expect(row['_row_id']).toBe(row['id']);
			}
			const [file] = await maintained.table.dataFiles();
			const bound = (bounds: ReadonlyMap<number, Uint8Array> | undefined): bigint =>
				Buffer.from(bounds?.get(2147483539) as Uint8Array).readBigInt64LE();
			expect([bound(file?.lowerBounds), bound(file?.upperBounds)]).toEqual([1n, 8n]);
		}
	});

	it('are read back where memory for them is switched off', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const clock = new VirtualClock();
		const properties = { 'datashard.maintenance.compaction.row-buffer-bytes': '0' };
		const maintained = await create({ io, clock }, { properties });
		await fill(maintained, clock, range(0, 8));
		const before = io.calls.length;
		await maintained.maintenance.idle();
		expect(
			io.calls
				.slice(before)
				.some(({ operation, location }) => operation.startsWith('read') && /\/data\//.test(location)),
		).toBe(true);
		expect(await idsOf(maintained.table)).toEqual(range(0, 8));
	});
});
