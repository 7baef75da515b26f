/** Tables in memory whose clock a test moves. */
import {
	type Clock,
	createTable,
	type CreateTableOptions,
	type FileIO,
	loadTable,
	long,
	schema,
	string,
	systemClock,
	systemRandom,
	type Table,
	verifyTable,
} from '../../src/index.ts';

export const T = 'memory:/t';
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const runs = schema({ id: long().required(), region: string() });

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
	#nowMs = 1_700_000_000_000;
	nowMs(): number {
		return this.#nowMs;
	}
	monotonicMs(): number {
		return systemClock.monotonicMs();
	}
	sleep(_ms: number): Promise<void> {
		return systemClock.sleep(0);
	}
	pass(ms: number): void {
		this.#nowMs += ms;
	}
}

export async function newTable(io: FileIO, clock: Clock, options: Partial<CreateTableOptions> = {}): Promise<Table> {
	const { properties, ...rest } = options;
	return (await createTable(T, runs, {
		io,
		clock,
		random: systemRandom,
		...rest,
		// What tests do by hand must not be done already.
		properties: { 'datashard.maintenance.enabled': 'false', ...properties },
	})) as unknown as Table;
}

/** Another opening of the same table. */
export async function open(io: FileIO, clock: Clock): Promise<Table> {
	return (await loadTable(T, { io, clock })) as Table;
}

/** Appends rows one by one, a minute apart; each is a file and a snapshot. */
export async function fill(table: Table, clock: TestClock, ids: readonly number[], region = 'x'): Promise<void> {
	for (const id of ids) {
		clock.pass(60_000);
		await table.append([{ id: BigInt(id), region }]);
	}
}

export async function idsOf(table: Table, options: Parameters<Table['scan']>[0] = {}): Promise<number[]> {
	const ids: number[] = [];
	for await (const row of table.scan(options)) ids.push(Number(row['id']));
	return ids.sort((a, b) => a - b);
}

export async function filesOf(io: FileIO, folder = T): Promise<string[]> {
	const files: string[] = [];
	for await (const { location } of io.list(folder)) files.push(location);
	return files.sort();
}

/** Opens the table anew and checks every snapshot in it, file by file; returns how many there are. */
export async function checkAllSnapshots(io: FileIO, clock: Clock): Promise<number> {
	const table = await open(io, clock);
	const snapshots = await table.snapshots();
	for (const { snapshotId } of snapshots) {
		const report = await verifyTable(table, { snapshotId, deep: true });
		if (!report.ok) throw new Error(`snapshot ${snapshotId}: ${JSON.stringify(report.problems)}`);
	}
	return snapshots.length;
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
