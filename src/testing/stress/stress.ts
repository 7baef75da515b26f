/** The stress test: many processes append one record at a time to one table, and then every row is checked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTable, dropTable, loadTable } from '../../catalog/open-table.ts';
import { absoluteLocation } from '../../io/location.ts';
import { throwIfAborted } from '../../util/bounded-pool.ts';
import { systemClock } from '../../util/system-ports.ts';
import { checkRows } from './check-rows.ts';
import { createPlainFile, readPlainFile } from './plain-files.ts';
import { checkStressOptions, type CheckedStressOptions, type StressOptions } from './stress-options.ts';
import { type AppendSummary, type PlainFilesSummary, problemsOf, type StressReport } from './stress-report.ts';
import { summarizeTable } from './summarize-table.ts';
import { taskLogSchema, type TaskRow } from './task-log.ts';
import { ProgressTeller } from './tell-progress.ts';
import { type Visibility, VisibilityWatch } from './visibility.ts';
import { WriterGroup } from './writer-group.ts';
import type { WriterEnd } from './writer-process.ts';

/** How long rows that were acknowledged as journaled are waited for, ms. */
const VISIBLE_PATIENCE_MS = 10_000;
/** How long writers may take to end what is under way when the test is aborted, ms. */
const ABORT_PATIENCE_MS = 5_000;
/** Appends of a writer of plain files: so many that the time ends first. */
const PLAIN_OPERATIONS = 1_000_000;

/**
 * Makes a table, lets writers append to it, each a process of its own, and checks that every row that was acknowledged is
 * there exactly once, in all its columns. No process stays behind, whatever happens.
 *
 * @throws `ALREADY_EXISTS` when there is a table at the location; `INVALID_ARGUMENT`; `ABORTED`; what reading throws. What
 *   writers meet is in the report
 */
export async function runStress(options: StressOptions = {}): Promise<StressReport> {
	const checked = checkStressOptions(options);
	throwIfAborted(options.signal);
	const scratch = await mkdtemp(join(tmpdir(), 'datashard-stress-'));
	const location = absoluteLocation(options.location ?? join(scratch, 'table'), process.cwd());
	let keepScratch = false;
	try {
		const { properties = {} } = options;
		await (await createTable(location, taskLogSchema, { properties })).close();
		const report = await new StressRun(options, checked, location, scratch).run();
		const kept = options.keep === true || !report.ok;
		keepScratch = kept && options.location === undefined;
		if (!kept && options.location !== undefined) await dropTable(location);
		return { ...report, kept };
	} finally {
		if (!keepScratch) await rm(scratch, { recursive: true, force: true });
	}
}

class StressRun {
	readonly #options: StressOptions;
	readonly #checked: CheckedStressOptions;
	readonly #location: string;
	readonly #scratch: string;
	readonly #progress: ProgressTeller;

	constructor(options: StressOptions, checked: CheckedStressOptions, location: string, scratch: string) {
		this.#options = options;
		this.#checked = checked;
		this.#location = location;
		this.#scratch = scratch;
		this.#progress = new ProgressTeller(options.onProgress);
	}

	async run(): Promise<Omit<StressReport, 'kept'>> {
		const { processes, operations, durationMs, inFlight, until, compareMs } = this.#checked;
		const { group, ends, elapsedMs, visibility } = await this.#append();
		const { acknowledgements } = group;
		this.#progress.phase('checking every row');
		await using table = await loadTable<TaskRow, TaskRow>(this.#location, this.#signal());
		const check = await checkRows(table.scan(this.#signal()).rowChunks(), acknowledgements);
		const appends = summarizeAppends(group, ends, elapsedMs);
		this.#progress.phase('reading it all, and the same rows appended at once');
		const summary = await summarizeTable(this.#location, join(this.#scratch, 'at-once'), this.#options.signal);
		const problems = [
			...problemsOf({ appends, check, table: summary, visibility }),
			...ends.flatMap((end, writer) => problemOfEnd(end, writer)),
		];
		const plainFiles = compareMs === 0 ? undefined : await this.#plainFiles(compareMs);
		this.#progress.end();
		return {
			ok: problems.length === 0,
			problems,
			location: this.#location,
			processes,
			operations: durationMs === undefined ? operations : undefined,
			inFlight,
			until,
			appends,
			check,
			visibility,
			table: summary,
			plainFiles,
		};
	}

	async #append() {
		const { operations, durationMs, inFlight, until, warmUp, processes } = this.#checked;
		const group = new WriterGroup({
			contender: 'table',
			location: this.#location,
			operations,
			warmUp,
			inFlight,
			until,
			eager: false,
			persistent: false,
		});
		const table = await loadTable<TaskRow, TaskRow>(this.#location, this.#signal());
		let watch: VisibilityWatch | undefined;
		try {
			const expected = durationMs === undefined ? processes * operations : undefined;
			this.#progress.watch('appending', group, expected);
			const { ends, elapsedMs } = await this.#run(group, durationMs, () => {
				watch = new VisibilityWatch(table, group.acknowledgements);
			});
			const visibility = (await watch?.end(VISIBLE_PATIENCE_MS)) as Visibility;
			watch = undefined;
			return { group, ends, elapsedMs, visibility };
		} finally {
			await watch?.end(0);
			await table.close();
		}
	}

	/** Runs a group of writers to its end, by time or by count; ends it when the test is aborted. */
	async #run(
		group: WriterGroup,
		durationMs: number | undefined,
		onStart: () => void = () => undefined,
	): Promise<{ ends: readonly WriterEnd[]; elapsedMs: number }> {
		const { signal, cpuProfFolder } = this.#options;
		const stop = (): void => void group.stop(ABORT_PATIENCE_MS);
		signal?.addEventListener('abort', stop, { once: true });
		const over = new AbortController();
		try {
			const execArgv = cpuProfFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProfFolder}`];
			for (let i = 0; i < this.#checked.processes; i++) group.add({ execArgv });
			await group.start();
			onStart();
			if (durationMs !== undefined)
				void systemClock.sleep(durationMs, over.signal).then(
					() => group.stop(),
					() => undefined,
				);
			const ends = await group.ended();
			const elapsedMs = group.acknowledgements.latencies.lastEndMs;
			throwIfAborted(signal);
			return { ends, elapsedMs };
		} finally {
			over.abort();
			signal?.removeEventListener('abort', stop);
			await group.kill();
		}
	}

	async #plainFiles(compareMs: number): Promise<PlainFilesSummary> {
		const location = join(this.#scratch, 'plain.json');
		await createPlainFile(location);
		const group = new WriterGroup({
			contender: 'plain-files',
			location,
			operations: PLAIN_OPERATIONS,
			warmUp: 0,
			inFlight: 1,
			until: 'committed',
			eager: false,
			persistent: true,
		});
		this.#progress.watch('the same with plain files', group, undefined);
		const { elapsedMs } = await this.#run(group, compareMs);
		const rows = await readPlainFile(location);
		const { acknowledgements } = group;
		const { lost } = await checkRows(oneChunk(rows ?? []), acknowledgements);
		return {
			elapsedMs,
			ratePerSecond: rate(acknowledgements.count, elapsedMs),
			latencyMs: acknowledgements.latencies.summary(),
			failureCount: acknowledgements.failureCount,
			rowCount: rows?.length,
			acknowledgedCount: acknowledgements.count,
			lostCount: lost.count,
		};
	}

	#signal(): { signal?: AbortSignal } {
		const { signal } = this.#options;
		return signal === undefined ? {} : { signal };
	}
}

function summarizeAppends(group: WriterGroup, ends: readonly WriterEnd[], elapsedMs: number): AppendSummary {
	const { acknowledgements } = group;
	const { latencies, failureCount, failures } = acknowledgements;
	const summary = latencies.summary();
	const cpuMs = ends.reduce((sum, end) => sum + (end.cpuMs ?? 0), 0);
	return {
		elapsedMs,
		ratePerSecond: rate(summary.count, elapsedMs),
		latencyMs: summary,
		ageing: latencies.ageing(),
		longestGapMs: acknowledgements.longestGapMs(),
		failureCount,
		failures,
		cpuMsEach: summary.count === 0 ? 0 : cpuMs / summary.count,
		maxRssBytes: Math.max(...ends.map((end) => end.maxRssBytes ?? 0)),
	};
}

/** A writer that stopped at a failed append has told of it; what else may have ended it is told here. */
function problemOfEnd(end: WriterEnd, writer: number): string[] {
	if (end.cpuMs !== undefined) return [];
	return [
		`writer ${writer} ended (${end.signal ?? `exit code ${end.code}`})${end.errors === '' ? '' : `: ${end.errors}`}`,
	];
}

function rate(count: number, elapsedMs: number): number {
	return elapsedMs === 0 ? 0 : (count * 1000) / elapsedMs;
}

async function* oneChunk<T>(rows: readonly T[]): AsyncGenerator<readonly T[]> {
	yield rows;
}
