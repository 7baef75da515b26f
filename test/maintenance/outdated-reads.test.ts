import { describe, expect, it } from 'vitest';
import { MemoryFileIO, type TableScan } from '../../src/index.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { create, reopen, unreachable, VirtualClock } from './self-support.ts';
import { range } from './support.ts';

/** A reader, and a writer whose commits remove, with its files, what the reader has just found, as often as is said. */
async function overtaken(times: number, location: RegExp) {
	const io = new MemoryFileIO();
	const clock = new VirtualClock();
	const properties = { 'datashard.maintenance.thinning.keep-newest': '1' };
	const writer = await create({ io, clock }, { properties });
	let id = 0;
	const append = async (count: number): Promise<void> => {
		for (const end = id + count; id < end; id++) {
			clock.pass(5);
			await writer.table.append([{ id: BigInt(id), region: 'x' }]);
		}
	};
	await append(30);
	const faulty = new FaultyFileIO(io);
	const reader = await reopen({ io: faulty, clock: new VirtualClock() });
	const overtake = async (): Promise<void> => {
		// At another instant than that of the first snapshot of a second, which stays.
		await append(40);
		await writer.maintenance.idle();
		for (const file of await unreachable(io)) await io.delete(file);
	};
	faulty.addRule({ operation: 'readAll', location, times, fault: { kind: 'delay', until: overtake } });
	faulty.addRule({ operation: 'read', location, times, fault: { kind: 'delay', until: overtake } });
	return { table: reader.table, ids: () => range(0, id), first: 30 };
}

const forms: [string, (scan: TableScan) => Promise<number>][] = [
	['rows', async (scan) => (await scan.toArray()).length],
	['a count', (scan) => scan.count()],
	['Arrow', async (scan) => (await scan.toArrow()).numRows],
];

describe('a read of the newest state, which is cleaned up before anything of it was read', () => {
	it.each(forms)('begins again, and gives the state of then whole: %s', async (_, read) => {
		const { table, ids } = await overtaken(2, /\/snap-/);
		const count = await read(table.scan());
		expect(count).toBeGreaterThan(30);
		expect(count).toBe(ids().length);
	});

	it('gives up in the end, and names the file', async () => {
		const { table } = await overtaken(100, /\/snap-/);
		await expect(table.scan().toArray()).rejects.toMatchObject({
			code: 'NOT_FOUND',
			message: expect.stringMatching(/snap-/),
		});
	});

	it('does not begin again where a snapshot was asked for', async () => {
		const { table } = await overtaken(1, /\/snap-/);
		const snapshotId = (await table.scan().snapshot())?.snapshotId as bigint;
		await expect(table.scan({ snapshotId }).toArray()).rejects.toMatchObject({ code: 'NOT_FOUND' });
	});

	it('does not begin again where the table still has the snapshot: then a file is missing', async () => {
		const io = new MemoryFileIO();
		const { table } = await create({ io, clock: new VirtualClock() });
		await table.append([{ id: 1n, region: 'x' }]);
		const [file] = await table.dataFiles();
		await io.delete(file?.location as string);
		await expect(table.scan().toArray()).rejects.toMatchObject({ code: 'NOT_FOUND' });
	});
});
