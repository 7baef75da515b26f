/** What storms share: how long they last, tables, writers, a reader that never stops, and the sum at the end. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { createTable, loadTable } from '../../src/index.ts';
import type { Acknowledgements } from '../../src/testing/stress/acknowledgements.ts';
import { checkRows, type RowCheck } from '../../src/testing/stress/check-rows.ts';
import { taskLogSchema, type TaskRow } from '../../src/testing/stress/task-log.ts';
import { WriterGroup } from '../../src/testing/stress/writer-group.ts';
import type { WriterSettings } from '../../src/testing/stress/writer-protocol.ts';

const MS_PER_MINUTE = 60_000;
/** `npm run storm -- --minutes 5` sets it; so does DATASHARD_FULL=1. */
const minutes = Number(process.env['DATASHARD_STORM_MINUTES'] ?? (process.env['DATASHARD_FULL'] === '1' ? 5 : 0));

/** Whether storms last as long as they are meant to, rather than just long enough to show that they would. */
export const isFull = minutes > 0;
/** @param shortMs what is enough where time is short */
export function stormMs(shortMs: number): number {
	return isFull ? minutes * MS_PER_MINUTE : shortMs;
}
export const TIMEOUT_MS = minutes * MS_PER_MINUTE + 300_000;

/** Numbers that repeat with the seed. */
export function seededRandom(): { readonly seed: number; below(limit: number): number } {
	const seed = Number(process.env['DATASHARD_SEED'] ?? Date.now() % 1_000_000_007);
	let state = seed >>> 0;
	return {
		seed,
		below(limit) {
			state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
			return Math.floor((state / 2 ** 32) * limit);
		},
	};
}

/** A folder for the time of a test file. */
export function stormFolder(): string {
	const folder = mkdtempSync(join(realpathSync(tmpdir()), 'datashard-storm-'));
	afterAll(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** As many conflicts as a storm may bring must not make an append fail, nor must old metadata fill the disk. */
export const PATIENT: Readonly<Record<string, string>> = {
	'commit.retry.num-retries': '10000',
	'commit.retry.total-timeout-ms': '600000',
	'write.metadata.delete-after-commit.enabled': 'true',
	'write.metadata.previous-versions-max': '20',
};

export async function makeTable(location: string, properties: Readonly<Record<string, string>> = {}): Promise<string> {
	await (await createTable(location, taskLogSchema, { properties: { ...PATIENT, ...properties } })).close();
	return location;
}

/** What appends wait for. */
export const STATES = ['committed', 'journaled'] as const;

const groups: WriterGroup[] = [];

/** Writers that append until they are stopped. None of them outlives its test file. */
export function writersOf(location: string, settings: Partial<WriterSettings> = {}): WriterGroup {
	const group = new WriterGroup({
		contender: 'table',
		location,
		operations: 1_000_000_000,
		warmUp: 0,
		inFlight: 1,
		until: 'committed',
		eager: true,
		persistent: false,
		...settings,
	});
	groups.push(group);
	return group;
}

/** To be called in a test file that has writers. */
export function killWritersAfterwards(): void {
	afterAll(async () => {
		for (const group of groups) await group.kill();
	});
}

/** Waits for a condition; the test's own time limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>, everyMs = 20): Promise<void> {
	while (!(await condition())) await pause(everyMs);
}

export function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until each of the writers has been acknowledged as many more appends. */
export async function progressOf(group: WriterGroup, writers: readonly number[], appends: number): Promise<void> {
	const { acknowledgements } = group;
	const goals = writers.map((writer) => acknowledgements.acknowledgedBy(writer).size + appends);
	await until(() => {
		const ended = writers.find((writer) => group.writers[writer]?.isRunning !== true);
		if (ended !== undefined) throw new Error(`writer ${ended} has ended: ${JSON.stringify(acknowledgements.failures)}`);
		return writers.every((writer, i) => acknowledgements.acknowledgedBy(writer).size >= (goals[i] as number));
	});
}

/** Every row of the table, held against what was acknowledged. */
export async function rowsOf(location: string, acknowledgements: Acknowledgements): Promise<RowCheck> {
	await using table = await loadTable<TaskRow, TaskRow>(location);
	return await checkRows(table.scan().rowChunks(), acknowledgements);
}

/** Adds writers, one after the other, whose leader folds what the journals of dead writers hold, until all of it is there. */
export async function settle(group: WriterGroup, location: string): Promise<void> {
	do {
		const { ended } = group.add({}, { until: 'journaled', operations: 1 });
		expect(await ended).toMatchObject({ code: 0 });
	} while ((await rowsOf(location, group.acknowledgements)).lost.count > 0);
}

/** Nothing acknowledged is lost, nothing is there twice or altered; at most `mayBe` rows nobody was told of. */
export function expectNothingLost(check: RowCheck, mayBe: { readonly unacknowledged?: number } = {}): void {
	const { lost, doubled, altered, foreign, unacknowledged } = check;
	expect({ lost, doubled, altered, foreign }).toEqual({ lost: NONE, doubled: NONE, altered: NONE, foreign: NONE });
	expect(unacknowledged.count).toBeLessThanOrEqual(mayBe.unacknowledged ?? 0);
}

const NONE = { count: 0, examples: [] };

/** Scans a table again and again, each time all of it. */
export class ScanningReader {
	readonly #location: string;
	readonly #acknowledgements: Acknowledgements;
	readonly #done: Promise<void>;
	/** whether what is acknowledged is visible at once */
	readonly #isVisible: boolean;
	#stopped = false;
	#scanCount = 0;

	constructor(location: string, acknowledgements: Acknowledgements, state: (typeof STATES)[number]) {
		this.#isVisible = state === 'committed';
		this.#location = location;
		this.#acknowledgements = acknowledgements;
		this.#done = this.#scan();
		// looked at in the end
		this.#done.catch(() => undefined);
	}

	/** @throws what a scan met, or a scan that lacked what had been acknowledged before it */
	async end(): Promise<number> {
		this.#stopped = true;
		await this.#done;
		return this.#scanCount;
	}

	async #scan(): Promise<void> {
		await using table = await loadTable<TaskRow, TaskRow>(this.#location);
		while (!this.#stopped) {
			const before = this.#acknowledgements.count;
			const seen = new Set<string>();
			let rowCount = 0;
			for await (const rows of table.scan({ select: ['task_id'] }).rowChunks()) {
				for (const { task_id } of rows) seen.add(task_id);
				rowCount += rows.length;
				await pause(0);
			}
			if (seen.size !== rowCount) throw new Error(`a scan gave ${rowCount - seen.size} rows more than once`);
			if (this.#isVisible && rowCount < before)
				throw new Error(`a scan gave ${rowCount} rows after ${before} had been acknowledged`);
			this.#scanCount++;
		}
	}
}

/**
 * Which of some processes leads appends: the one that listens on a leader's socket, by what the kernel tells. Undefined while
 * none does. Linux only.
 */
export function leaderAmong(pids: readonly number[]): number | undefined {
	const inodes = readFileSync('/proc/net/unix', 'utf8')
		.split('\n')
		.map((line) => line.trim().split(/\s+/))
		.filter(([, , , flags, , , , name]) => flags === LISTENING && name?.startsWith('@datashard-') === true)
		.map((fields) => fields[6]);
	return pids.find((pid) => {
		try {
			return readdirSync(`/proc/${pid}/fd`).some((fd) => {
				const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
				return inode !== undefined && inodes.includes(inode);
			});
		} catch {
			return false;
		}
	});
}

/** `__SO_ACCEPTCON` in `/proc/net/unix` */
const LISTENING = '00010000';

/** A small file system in memory, for the time of a test file; undefined where this user may not mount one. */
export function smallFileSystem(sizeBytes: number): string | undefined {
	const folder = mkdtempSync(join(realpathSync(tmpdir()), 'datashard-full-'));
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', folder], { stdio: 'ignore' });
	} catch {
		rmSync(folder, { recursive: true });
		return undefined;
	}
	afterAll(() => {
		execFileSync('umount', ['--lazy', folder]);
		rmSync(folder, { recursive: true });
	});
	return folder;
}

/** Tells people what was measured. */
export function tell(storm: string, facts: Readonly<Record<string, unknown>>): void {
	console.log(`${storm}: ${JSON.stringify(facts)}`);
}

/** Share of a list below which a value stands, from 0 to 1. */
export function percentile(values: readonly number[], share: number): number | undefined {
	return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
}
