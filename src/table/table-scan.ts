import type { Table as ArrowTable } from '@uwdata/flechette';
import type { ColumnBatch } from '../column/vector.ts';
import type { Expression } from '../expr/expression.ts';
import { isIcebergError } from '../errors/iceberg-error.ts';
import { parseWhere } from '../expr/parse-where.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { FilePlan } from '../scan/plan.ts';
import type { PlanReport } from '../scan/plan-report.ts';
import type { Row } from '../spec/row-types.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { snapshotById } from '../spec/table-metadata-lookup.ts';
import type { NestedField } from '../spec/types.ts';
import { type LimitedCall, streamWithin, within } from '../util/deadline.ts';
import type { Clock } from '../util/ports.ts';
import type * as Reading from './reading.ts';
import { checkScanOptions } from './check-options.ts';
import type { ResolvedScan } from './reading.ts';
import type { ScanOptions } from './scan-options.ts';
import { beginRead } from './open-reads.ts';
import { selectSnapshot, type TableState } from './table-source.ts';

/** How often a read begins that finds its state cleaned up before it has given anything. */
const MOST_STARTS = 5;

/** What a scan reads from. */
export interface ScanSource {
	/** for messages */
	readonly location: string;
	readonly clock: Clock;
	/** the newest state */
	state(signal?: AbortSignal): Promise<TableState>;
}

/**
 * A read of one snapshot. Iterating it gives rows; the other forms give the same rows as columns or as Arrow. The
 * snapshot is chosen when reading starts, and what is read is that snapshot whole, whatever is committed meanwhile
 * (Iceberg spec: Optimistic Concurrency). Each iteration is a new read. One of the newest state that was removed and cleaned
 * up before anything of it was given begins again with what is the newest then.
 */
export class TableScan<Out = Row> implements AsyncIterable<Out> {
	readonly #source: ScanSource;
	readonly #options: ScanOptions;
	readonly #filter: Expression | undefined;
	#lastPlan: FilePlan | undefined;

	/** @throws `INVALID_ARGUMENT` naming the option, `INVALID_FILTER` for a `where` text that cannot be parsed */
	constructor(source: ScanSource, options: ScanOptions) {
		checkScanOptions(options);
		const { where } = options;
		this.#source = source;
		this.#options = options;
		this.#filter = typeof where === 'string' ? parseWhere(where) : where;
	}

	/** How many manifests and files the last read of this scan looked at and left out; undefined before the first. */
	get report(): PlanReport | undefined {
		return this.#lastPlan?.report;
	}

	/** The rows, one object each. @throws as {@link batches}; `INVALID_DATA` when `longs` or `timestamps` cannot hold a value */
	async *[Symbol.asyncIterator](): AsyncIterator<Out> {
		for await (const rows of this.rowChunks()) yield* rows;
	}

	/** The rows in arrays of about a thousand: cheaper to iterate over than row by row. */
	rowChunks(): AsyncGenerator<Out[]> {
		return this.#stream(async function* ({ reading, resolved, options, batches }) {
			yield* reading.rowsOfScan(batches(), resolved.fields, options) as AsyncGenerator<Out[]>;
		});
	}

	/**
	 * The rows as JSON texts without line ends, in arrays of about a thousand: canonical values, integers of all sizes as
	 * JSON integers in all their digits (`column/json-out.ts` has the table of types).
	 */
	jsonLines(): AsyncGenerator<string[]> {
		return this.#stream(async function* ({ reading, resolved, batches }) {
			const { compileJsonOutput } = await import('../column/json-out.ts');
			yield* reading.textsOfScan(batches(), compileJsonOutput(resolved.fields));
		});
	}

	/** All rows in memory. */
	async toArray(): Promise<Out[]> {
		const all: Out[] = [];
		for await (const rows of this.rowChunks()) for (const row of rows) all.push(row);
		return all;
	}

	/**
	 * The rows as batches of columns in Arrow's layout, as they come from the files.
	 * @throws `NOT_FOUND` for a snapshot, ref or file that is not there; `INVALID_FILTER`, `INVALID_ARGUMENT` for names that
	 *   are no columns; `UNSUPPORTED` for files that this version cannot read, before any row is given; `CORRUPT`; `ABORTED`
	 */
	batches(): AsyncGenerator<ColumnBatch> {
		return this.#stream(({ batches }) => batches());
	}

	/** All rows as one Arrow table (of `@uwdata/flechette`). */
	async toArrow(): Promise<ArrowTable> {
		return this.#call(async ({ resolved, batches }) => {
			const { arrowTable } = await import('../column/arrow-out.ts');
			const all: ColumnBatch[] = [];
			for await (const batch of batches()) all.push(batch);
			return arrowTable(resolved.fields, all);
		});
	}

	/** The rows as an Arrow IPC stream, in pieces: schema first, then batches, then the end mark. */
	arrowIpc(): AsyncGenerator<Uint8Array> {
		return this.#stream(async function* ({ resolved, batches }) {
			const { arrowIpcStream } = await import('../column/arrow-out.ts');
			yield* arrowIpcStream(resolved.fields, batches());
		});
	}

	/**
	 * The number of rows. Files of which the whole answers the predicate are counted from metadata; only the others are read.
	 * @throws as {@link batches}
	 */
	async count(): Promise<number> {
		return this.#call(async ({ reading, resolved, options, plan }) => {
			const { limit = Number.POSITIVE_INFINITY } = options;
			let count = 0;
			const toRead: FileScanTask[] = [];
			for await (const task of plan()) {
				if (task.residual.op === 'true' && task.deletes.length === 0) count += task.file.recordCount;
				else toRead.push(task);
				if (count >= limit) return limit;
			}
			const batches = reading.readScan(toRead, { ...resolved, fields: [] }, options);
			for await (const batch of batches) count += batch.length;
			return Math.min(count, limit);
		});
	}

	/** The files that the scan reads, each with what is left of the filter. Opens manifests, no data files. */
	plan(): AsyncGenerator<FileScanTask> {
		const start = (signal: AbortSignal | undefined): Promise<ScanRun> => this.#start(signal);
		const beginRead = (): (() => void) => this.#beginRead();
		// As #stream does; but with thousands of tasks, each generator that they pass through is felt.
		return streamWithin(this.#limits(), this.#options, async function* (signal) {
			const end = beginRead();
			try {
				const { plan } = await start(signal);
				for await (const tasks of plan().batches()) for (const task of tasks) yield task;
			} finally {
				end();
			}
		});
	}

	/** The snapshot that a read would start from now; undefined for a table without one. */
	async snapshot(): Promise<Snapshot | undefined> {
		return this.#call(async ({ resolved }) => resolved.snapshot);
	}

	/** The columns that come out, in order, with their ids. */
	async fields(): Promise<readonly NestedField[]> {
		return this.#call(async ({ resolved }) => resolved.fields);
	}

	#call<T>(work: (run: ScanRun) => Promise<T>): Promise<T> {
		return within(this.#limits(), this.#options, async (signal) => {
			const end = this.#beginRead();
			try {
				for (let attempt = 1; ; attempt++) {
					const run = await this.#start(signal);
					try {
						return await work(run);
					} catch (error) {
						if (attempt === MOST_STARTS || !(await this.#isOutdated(error, run, signal))) throw error;
					}
				}
			} finally {
				end();
			}
		});
	}

	#stream<T>(work: (run: ScanRun) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
		const start = (signal: AbortSignal | undefined): Promise<ScanRun> => this.#start(signal);
		const isOutdated = (error: unknown, run: ScanRun, signal: AbortSignal | undefined): Promise<boolean> =>
			this.#isOutdated(error, run, signal);
		const beginRead = (): (() => void) => this.#beginRead();
		return streamWithin(this.#limits(), this.#options, async function* (signal) {
			const end = beginRead();
			let isGiven = false;
			try {
				for (let attempt = 1; ; attempt++) {
					const run = await start(signal);
					try {
						for await (const item of work(run)) {
							isGiven = true;
							yield item;
						}
						return;
					} catch (error) {
						if (isGiven || attempt === MOST_STARTS || !(await isOutdated(error, run, signal))) throw error;
					}
				}
			} finally {
				end();
			}
		});
	}

	/** Whether a file was gone because the newest state, which was to be read, was so no more, and has been cleaned up. */
	async #isOutdated(error: unknown, { resolved }: ScanRun, signal: AbortSignal | undefined): Promise<boolean> {
		const { snapshotId, asOfMs } = this.#options;
		if (!isIcebergError(error, 'NOT_FOUND') || snapshotId !== undefined || asOfMs !== undefined) return false;
		const { snapshot } = resolved;
		if (snapshot === undefined) return false;
		const { metadata } = await this.#source.state(signal);
		return snapshotById(metadata, snapshot.snapshotId) === undefined;
	}

	#beginRead(): () => void {
		return beginRead(this.#source.location, this.#source.clock);
	}

	#limits(): LimitedCall {
		return { name: `the scan of ${this.#source.location}`, effect: 'none', clock: this.#source.clock };
	}

	/** What reads is loaded by the first read: a process that only appends does without. */
	async #start(signal: AbortSignal | undefined): Promise<ScanRun> {
		const { timeoutMs: _, ...given } = this.#options;
		const options: ScanOptions = signal === undefined ? given : { ...given, signal };
		const reading = await import('./reading.ts');
		const state = await this.#source.state(signal);
		const selected = selectSnapshot(state.metadata, options);
		const fields = reading.fieldsOfScan(selected.schema, state.metadata, options);
		const resolved = { state, ...selected, fields };
		const plan = (): FilePlan => {
			this.#lastPlan = reading.planScan(resolved, this.#filter, options);
			return this.#lastPlan;
		};
		return { reading, resolved, options, plan, batches: () => reading.readScan(plan(), resolved, options) };
	}
}

/** One read of a scan. */
interface ScanRun {
	readonly reading: typeof Reading;
	readonly resolved: ResolvedScan;
	readonly options: ScanOptions;
	plan(): FilePlan;
	batches(): AsyncIterable<ColumnBatch>;
}
