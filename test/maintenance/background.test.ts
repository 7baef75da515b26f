/** Maintenance as users get it: by opening a table and appending. */
import { describe, expect, it, vi } from 'vitest';
import { createTable, IcebergError, loadTable, MemoryFileIO, type Table } from '../../src/index.ts';
import { MAINTENANCE_PROPERTY } from '../../src/metadata/maintenance-properties.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { idsOf, range, runs, T } from './support.ts';

/** Until a condition holds; what is awaited happens in timers of its own. */
const until = (condition: () => Promise<void>): Promise<void> =>
	vi.waitFor(condition, { timeout: 30_000, interval: 20 });

async function append(table: Pick<Table, 'append'>, ids: readonly number[]): Promise<void> {
	for (const id of ids) await table.append([{ id: BigInt(id), region: 'x' }]);
}

describe('a table that is opened and appended to', () => {
	it('maintains itself, with nothing said about it, and stops when it is closed', async () => {
		const io = new MemoryFileIO();
		const errors: unknown[] = [];
		const onMaintenanceError = (error: unknown) => errors.push(error);
		const table = (await createTable(T, runs, { io, onMaintenanceError })) as unknown as Table;
		await append(table, range(0, 100));
		await until(async () => expect((await table.dataFiles()).length).toBeLessThan(25));
		expect((await table.snapshots()).length).toBeLessThan(60);
		expect(await idsOf(table)).toEqual(range(0, 100));
		await append(table, range(100, 140));
		await table.close();
		expect(errors).toEqual([]);
	});

	it('does not where the opening says so, or the table', async () => {
		const io = new MemoryFileIO();
		await createTable(T, runs, { io, properties: { [MAINTENANCE_PROPERTY.thinningEnabled]: 'false' } });
		const without = await loadTable(T, { io, maintenance: false });
		await append(without, range(0, 30));
		expect(await without.dataFiles()).toHaveLength(30);
		await without.setProperties({ [MAINTENANCE_PROPERTY.enabled]: 'false' });
		const table = await loadTable(T, { io });
		await append(table, range(30, 60));
		await new Promise((resolve) => setImmediate(resolve));
		expect(await table.dataFiles()).toHaveLength(60);
		await expect(loadTable(T, { io, maintenance: 'no' as never })).rejects.toThrow(/maintenance/);
	});

	it('is maintained by many short processes, too', async () => {
		const io = new MemoryFileIO();
		await createTable(T, runs, { io });
		// A storage that is given is closed with the table: these look at the same files.
		const shared = new Proxy(io, {
			get: (target, name) => {
				if (name === 'close') return async () => undefined;
				const value: unknown = Reflect.get(target, name);
				return typeof value === 'function' ? value.bind(target) : value;
			},
		});
		let most = 0;
		for (const id of range(0, 80)) {
			const table = (await loadTable(T, { io: shared })) as Table;
			await append(table, [id]);
			most = Math.max(most, (await table.dataFiles()).length);
			await table.close();
		}
		expect(most).toBeLessThan(40);
		expect(await idsOf((await loadTable(T, { io: shared })) as Table)).toEqual(range(0, 80));
	});

	it('tells what went wrong, fails no append for it, and goes on when it can', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const errors: unknown[] = [];
		const table = (await createTable(T, runs, {
			io,
			onMaintenanceError: (error) => errors.push(error),
		})) as unknown as Table;
		await append(table, range(0, 7));
		const full = new IcebergError('STORAGE', 'no space left on the device', { context: { notWritten: true } });
		for (const operation of ['create', 'write'] as const)
			io.addRule({ operation, location: /\/data\//, from: 2, times: 1_000, fault: { kind: 'fail', error: full } });
		await append(table, [7]);
		await until(async () => expect(errors.length).toBeGreaterThan(1));
		expect(errors.every((error) => error === full || (error as Error).cause === full)).toBe(true);
		expect(await idsOf(table)).toEqual(range(0, 8));
		expect(await table.dataFiles()).toHaveLength(8);
		io.clearRules();
		await until(async () => expect(await table.dataFiles()).toHaveLength(1));
		expect(await idsOf(table)).toEqual(range(0, 8));
		await table.close();
	});
});

describe('the properties of maintenance', () => {
	it.each(
		Object.values(MAINTENANCE_PROPERTY).flatMap((name) =>
			['nonsense', '-1', ''].map((value) => [name, value] as const),
		),
	)('are checked when they are set: %s = %j', async (name, value) => {
		const io = new MemoryFileIO();
		const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringContaining(name) };
		await expect(createTable(T, runs, { io, properties: { [name]: value } })).rejects.toMatchObject(refusal);
		const table = await createTable(T, runs, { io });
		await expect(table.setProperties({ [name]: value })).rejects.toMatchObject(refusal);
	});
});
