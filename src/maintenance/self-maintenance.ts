/** A table that looks after itself: small files put together, what nothing reaches deleted, behind the appends of a thread. */
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { DataFile } from '../manifest/types.ts';
import { type MaintenanceProperties, maintenanceProperties } from '../metadata/maintenance-properties.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { LoadedMetadata } from '../transaction/committer.ts';
import { Semaphore, throwIfAborted } from '../util/bounded-pool.ts';
import { type Deferred, deferred } from '../util/deferred.ts';
import { systemProcesses } from '../util/system-processes.ts';
import { doze } from '../util/waits.ts';
import { BackgroundCompaction, type CompactionPorts } from './background-compaction.ts';
import { BackgroundDeletion, type DeletionStep } from './background-deletion.ts';
import { CommitLine } from './commit-line.ts';
import { GarbageTrail } from './garbage-trail.ts';
import { Pacer } from './pacer.ts';
import { RowBuffer } from './row-buffer.ts';

export interface SelfMaintenanceOptions extends CompactionPorts {
	/** the folder by which the table was opened */
	readonly location: string;
	/** Told of what went wrong: it is tried again later, and no append fails for it. */
	readonly onError?: (error: unknown) => void;
	/** Told of what was done, in a sentence. */
	readonly log?: (message: string) => void;
}

/** What a commit did, as far as its maker knows. */
export interface NotedCommit {
	/** data files that it added */
	readonly added?: readonly DataFile[];
	/** the rows of `added`, in their order, if they are at hand; not changed any more */
	readonly rows?: ColumnBatch;
	/** There may be more small files than were told of. */
	readonly lookNow?: boolean;
}

/** First wait after an error, ms; each further one is twice as long. */
const LEAST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 60_000;
/** How long after a step that was lost to others the next one begins, at least, ms. */
const LOST_PAUSE_MS = 200;
/** How long after the start the folders are looked through for the first time, at most, ms. */
const FIRST_SWEEP_MS = 2_000;
/** Time that passes between two readings of the history, as a multiple of what one took. */
const HISTORY_PAUSE_FACTOR = 50;
const LEAST_HISTORY_PAUSE_MS = 60_000;
/** How long the end waits for the grace of what is more garbage than the budget, at most, ms. */
export const LINGER_MS = 1_000;
/** Turns of the loop in which no time passes, at most. */
const MOST_STANDSTILLS = 1_000;
/** Steps of one call of `idle`, at most. */
const IDLE_STEPS_LIMIT = 100_000;

type Task = 'compaction' | 'deletion' | 'sweep' | 'history';

/**
 * Maintenance of one table in one thread, in small steps. It needs to be told of the commits of its thread, and takes the
 * `CommitMutex` of the committer for its own, so that both do not race. Several of them, in whatever processes, do each
 * other no harm: who loses the swap gives up the step.
 */
export class SelfMaintenance {
	readonly #options: SelfMaintenanceOptions;
	readonly #rows = new RowBuffer();
	readonly #trail = new GarbageTrail();
	readonly #line: CommitLine;
	readonly #compaction: BackgroundCompaction;
	readonly #deletion: BackgroundDeletion;
	readonly #oneStep = new Semaphore(1);
	#loaded: LoadedMetadata | undefined;
	/** of the properties of `#loaded`; undefined where they make no sense */
	#properties: MaintenanceProperties | undefined;
	#propertiesOf: unknown;
	/** files that were added since small files were last looked for */
	#newFiles = 0;
	#mayCompactMore = false;
	#nextCompactionMs = 0;
	#nextSweepMs: number;
	#nextHistoryMs: number;
	/** something became garbage of which the trail does not know */
	#isHistoryNeeded = true;
	#pausedUntilMs = 0;
	#failures = 0;
	#stopper: AbortController | undefined;
	#running: Promise<void> | undefined;
	#wake: Deferred<void> | undefined;

	constructor(options: SelfMaintenanceOptions) {
		this.#options = options;
		const { committer, clock, location } = options;
		this.#line = new CommitLine(committer.io, this.#trail);
		this.#compaction = new BackgroundCompaction(options, this.#rows);
		const processes = options.processes ?? systemProcesses;
		this.#deletion = new BackgroundDeletion({ committer, location, clock, processes }, this.#trail);
		this.#nextSweepMs = clock.monotonicMs() + FIRST_SWEEP_MS;
		this.#nextHistoryMs = clock.monotonicMs() + LEAST_HISTORY_PAUSE_MS;
	}

	/** Bytes that nothing reaches any more and that wait for their grace to end. */
	get garbageBytes(): number {
		return this.#trail.garbageBytes;
	}

	/**
	 * To be called after each commit of this thread, before the next one begins (that is, while its `CommitMutex` is held). Cheap;
	 * never throws.
	 */
	noteCommit(loaded: LoadedMetadata, commit: NotedCommit = {}): void {
		this.#note(loaded, commit, []);
	}

	/** Goes on by itself from now on, in the time that the table's properties leave it. Does not keep the process alive. */
	start(): void {
		if (this.#stopper !== undefined) return;
		this.#stopper = new AbortController();
		this.#running = this.#run(this.#stopper.signal);
	}

	/** Ends it; the step in hand is given up. Resolves when nothing is under way. It may be started again. */
	async stop(): Promise<void> {
		this.#stopper?.abort(new IcebergError('ABORTED', 'maintenance was stopped'));
		await this.#running;
		this.#stopper = undefined;
		this.#running = undefined;
		this.#rows.clear();
	}

	/**
	 * {@link stop}, for good. Where there is more garbage than the budget, it waits for a moment in which some of it outlives its
	 * grace: nobody would know of it afterwards. Errors are told, and do not come out.
	 */
	async close(): Promise<void> {
		await this.stop();
		const { clock } = this.#options;
		const untilMs = clock.monotonicMs() + LINGER_MS;
		try {
			for (;;) {
				const waitMs = this.#hurriedDeletionDueInMs();
				if (waitMs === undefined || clock.monotonicMs() + waitMs > untilMs) return;
				if (waitMs > 0) await clock.sleep(waitMs);
				await this.#oneStep.run(() => this.#deleteDue(undefined));
			}
		} catch (error) {
			this.#report(error);
		}
	}

	/**
	 * Does the next step that is due, if any.
	 * @returns whether there was one
	 * @throws what storage and commits throw; nothing is damaged then
	 */
	async runDue(signal?: AbortSignal): Promise<boolean> {
		return this.#oneStep.run(() => this.#step(signal, undefined));
	}

	/** Does all that is due now, without pauses. @throws as {@link runDue} */
	async idle(signal?: AbortSignal): Promise<void> {
		for (let step = 0; step < IDLE_STEPS_LIMIT; step++) if (!(await this.runDue(signal))) return;
	}

	/** What a process does that ends soon after it began: a step of each sort. @throws as {@link runDue} */
	async runAtEnd(signal?: AbortSignal): Promise<void> {
		this.#nextHistoryMs = this.#options.clock.monotonicMs();
		const tasks: Task[] = ['compaction', 'history'];
		for (const task of tasks)
			await this.#oneStep.run(async () => {
				if (this.#taskDue(this.#loaded, this.#properties) === task) await this.#step(signal, undefined);
			});
	}

	#note(loaded: LoadedMetadata, { added = [], rows, lookNow }: NotedCommit, replaced: readonly FileScanTask[]): void {
		this.#take(loaded);
		const properties = this.#properties;
		if (properties?.enabled !== true) return;
		this.#newFiles += added.length;
		this.#mayCompactMore ||= lookNow === true;
		const { rowBufferBytes, enabled } = properties.compaction;
		if (rows !== undefined && enabled) this.#rows.add(loaded.metadata, added, rows, rowBufferBytes);
		if (properties.deletion.enabled) {
			const isWhole = this.#line.note(loaded.metadata, replaced, this.#options.clock.monotonicMs());
			if (!isWhole) this.#isHistoryNeeded = true;
		}
		if (this.#isCompactionDue(properties)) this.#wake?.resolve();
	}

	#take(loaded: LoadedMetadata): void {
		this.#loaded = loaded;
		if (this.#propertiesOf === loaded.metadata.properties) return;
		this.#propertiesOf = loaded.metadata.properties;
		this.#properties = undefined;
		try {
			this.#properties = maintenanceProperties(loaded.metadata.properties);
		} catch (error) {
			this.#report(error);
		}
	}

	async #step(signal: AbortSignal | undefined, pacer: Pacer | undefined): Promise<boolean> {
		throwIfAborted(signal);
		const { committer, clock } = this.#options;
		if (this.#loaded === undefined) this.#take(await committer.load(signal));
		const loaded = this.#loaded as LoadedMetadata;
		const properties = this.#properties;
		// What the last commits let go.
		if (properties?.enabled === true && properties.deletion.enabled)
			this.#line.note(loaded.metadata, [], clock.monotonicMs());
		const task = this.#taskDue(loaded, properties);
		if (task === undefined || properties === undefined) return false;
		const breathe = async (): Promise<void> => pacer?.pause(properties.dutyPercent);
		if (task === 'compaction') await this.#compact(signal, breathe);
		else if (task === 'deletion') await this.#deleteDue(signal);
		else if (task === 'sweep') {
			this.#nextSweepMs = clock.monotonicMs() + properties.deletion.sweepIntervalMs;
			await this.#deletion.sweep(signal, breathe);
		} else await this.#deleteByHistory(properties, signal);
		return true;
	}

	#taskDue(loaded: LoadedMetadata | undefined, properties: MaintenanceProperties | undefined): Task | undefined {
		if (loaded === undefined || properties?.enabled !== true) return undefined;
		if (this.#isCompactionDue(properties)) return 'compaction';
		const { metadata } = loaded;
		if (!properties.deletion.enabled || !this.#deletion.mayDelete(metadata)) return undefined;
		const nowMs = this.#options.clock.monotonicMs();
		if (this.#deletionDueInMs(metadata, properties) === 0) return 'deletion';
		if (nowMs >= this.#nextSweepMs) return 'sweep';
		return this.#isHistoryNeeded && nowMs >= this.#nextHistoryMs ? 'history' : undefined;
	}

	async #deleteDue(signal: AbortSignal | undefined): Promise<void> {
		const loaded = this.#loaded as LoadedMetadata;
		const { deletion } = this.#properties as MaintenanceProperties;
		this.#told(await this.#deletion.step(loaded.metadata, deletion, signal));
	}

	/** In how many ms something may be deleted of what is more garbage than the budget. */
	#hurriedDeletionDueInMs(): number | undefined {
		const { metadata } = this.#loaded ?? {};
		const properties = this.#properties;
		if (metadata === undefined || properties?.enabled !== true || !properties.deletion.enabled) return undefined;
		if (!this.#deletion.mayDelete(metadata) || !this.#deletion.isOverBudget(metadata, properties.deletion))
			return undefined;
		return this.#deletionDueInMs(metadata, properties);
	}

	#isCompactionDue({ compaction }: MaintenanceProperties): boolean {
		if (!compaction.enabled || this.#options.clock.monotonicMs() < this.#nextCompactionMs) return false;
		return this.#mayCompactMore || this.#newFiles >= compaction.fanIn;
	}

	#deletionDueInMs(metadata: LoadedMetadata['metadata'], { deletion }: MaintenanceProperties): number | undefined {
		const dueInMs = this.#deletion.dueInMs(metadata, deletion);
		if (dueInMs !== 0) return dueInMs;
		// While a read holds it back, there is no point in trying at once again.
		const left = this.#pausedUntilMs - this.#options.clock.monotonicMs();
		return Math.max(0, left);
	}

	async #compact(signal: AbortSignal | undefined, breathe: () => Promise<void>): Promise<void> {
		this.#newFiles = 0;
		// Unless this ends well, it is looked again.
		this.#mayCompactMore = true;
		const outcome = await this.#compaction.step(signal, breathe, ({ loaded, removed }) =>
			this.#note(loaded, {}, removed),
		);
		this.#mayCompactMore = outcome !== 'nothing';
		if (outcome === 'lost') {
			// Somebody else does the same: not at once again, nor both at the same time.
			const { clock, random } = this.#options;
			this.#nextCompactionMs = clock.monotonicMs() + LOST_PAUSE_MS * (1 + random.float());
		}
		if (typeof outcome === 'string') return;
		const { removed, added } = outcome;
		this.#options.log?.(`put ${removed.length} files together into ${added.length}`);
	}

	async #deleteByHistory(properties: MaintenanceProperties, signal: AbortSignal | undefined): Promise<void> {
		const { committer, clock } = this.#options;
		const startMs = clock.monotonicMs();
		this.#isHistoryNeeded = false;
		try {
			const loaded = await committer.load(signal);
			this.#told(await this.#deletion.deleteByHistory(loaded.metadata, properties.deletion, signal));
		} catch (error) {
			this.#isHistoryNeeded = true;
			throw error;
		} finally {
			const nowMs = clock.monotonicMs();
			this.#nextHistoryMs = nowMs + Math.max(LEAST_HISTORY_PAUSE_MS, (nowMs - startMs) * HISTORY_PAUSE_FACTOR);
		}
	}

	#told({ deletedCount, kept, isWhole }: DeletionStep): void {
		if (deletedCount > 0) this.#options.log?.(`deleted ${deletedCount} files that no snapshot reaches any more`);
		// What comes due meanwhile goes together.
		if (isWhole || deletedCount === 0) this.#pausedUntilMs = this.#options.clock.monotonicMs() + LEAST_BACKOFF_MS;
		const [first] = kept;
		if (first !== undefined)
			this.#report(
				new IcebergError('STORAGE', `${first.location} is garbage, but ${first.reason}`, {
					context: { location: first.location, count: kept.length },
				}),
			);
	}

	#report(error: unknown): void {
		try {
			this.#options.onError?.(error);
		} catch {
			// Nobody is left to tell.
		}
	}

	async #run(signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		let standstills = 0;
		// A clock on which nothing takes time, not even a wait, has no background.
		for (let beforeMs = -1; !signal.aborted && standstills < MOST_STANDSTILLS; ) {
			const nowMs = clock.monotonicMs();
			standstills = nowMs === beforeMs ? standstills + 1 : 0;
			beforeMs = nowMs;
			try {
				await this.#waitUntilDue(signal);
				const pacer = new Pacer(clock, signal);
				await this.#oneStep.run(() => this.#step(signal, pacer));
				this.#failures = 0;
				// Files go in other threads: where there are too many, this one need not wait.
				if (this.#hurriedDeletionDueInMs() !== 0) await pacer.pause(this.#properties?.dutyPercent ?? 1, 0);
			} catch (error) {
				if (signal.aborted) return;
				if (!isIcebergError(error, 'ABORTED')) this.#report(error);
				const waitMs = Math.min(MAX_BACKOFF_MS, LEAST_BACKOFF_MS * 2 ** this.#failures++);
				await doze(clock, waitMs, signal);
			}
		}
	}

	async #waitUntilDue(signal: AbortSignal): Promise<void> {
		const waitMs = this.#dueInMs();
		if (waitMs <= 0) return;
		const wake = deferred<void>();
		this.#wake = wake;
		const timer = new AbortController();
		const stop = (): void => timer.abort();
		signal.addEventListener('abort', stop, { once: true });
		try {
			await Promise.race([wake.promise, doze(this.#options.clock, waitMs, timer.signal)]);
		} finally {
			this.#wake = undefined;
			signal.removeEventListener('abort', stop);
			timer.abort();
		}
		throwIfAborted(signal);
	}

	#dueInMs(): number {
		const properties = this.#properties;
		if (this.#loaded === undefined || properties?.enabled !== true) return MAX_BACKOFF_MS;
		const { metadata } = this.#loaded;
		if (this.#taskDue(this.#loaded, properties) !== undefined) return 0;
		if (!properties.deletion.enabled || !this.#deletion.mayDelete(metadata)) return MAX_BACKOFF_MS;
		const nowMs = this.#options.clock.monotonicMs();
		const waits = [this.#deletionDueInMs(metadata, properties) ?? MAX_BACKOFF_MS, this.#nextSweepMs - nowMs];
		if (this.#isHistoryNeeded) waits.push(this.#nextHistoryMs - nowMs);
		return Math.max(1, Math.min(...waits));
	}
}
