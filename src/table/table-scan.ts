import type { Table as ArrowTable } from '@uwdata/flechette';
import type { ColumnBatch } from '../column/vector.ts';
import type { Expression } from '../expr/expression.ts';
import { parseWhere } from '../expr/parse-where.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { FilePlan } from '../scan/plan.ts';
import type { PlanReport } from '../scan/plan-report.ts';
import type { Row } from '../spec/row-types.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { NestedField } from '../spec/types.ts';
import type * as Reading from './reading.ts';
import { checkScanOptions } from './check-options.ts';
import type { ResolvedScan } from './reading.ts';
import type { ScanOptions } from './scan-options.ts';
import { selectSnapshot, type TableState } from './table-source.ts';

/**
 * A read of one snapshot. Iterating it gives rows; the other forms give the same rows as columns or as Arrow. The
 * snapshot is chosen when reading starts, and what is read is that snapshot whole, whatever is committed meanwhile
 * (Iceberg spec: Optimistic Concurrency). Each iteration is a new read.
 */
export class TableScan<Out = Row> implements AsyncIterable<Out> {
	readonly #source: (signal?: AbortSignal) => Promise<TableState>;
	readonly #options: ScanOptions;
	readonly #filter: Expression | undefined;
	#lastPlan: FilePlan | undefined;

	/** @throws `INVALID_ARGUMENT` naming the option, `INVALID_FILTER` for a `where` text that cannot be parsed */
	constructor(source: (signal?: AbortSignal) => Promise<TableState>, options: ScanOptions) {
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
	async *rowChunks(): AsyncGenerator<Out[]> {
		const { reading, resolved } = await this.#resolve();
		const batches = this.#read(reading, resolved);
		yield* reading.rowsOfScan(batches, resolved.fields, this.#options) as AsyncGenerator<Out[]>;
	}

	/**
	 * The rows as JSON texts without line ends, in arrays of about a thousand: canonical values, integers of all sizes as
	 * JSON integers in all their digits (`column/json-out.ts` has the table of types).
	 */
	async *jsonLines(): AsyncGenerator<string[]> {
		const { compileJsonOutput } = await import('../column/json-out.ts');
		const { reading, resolved } = await this.#resolve();
		yield* reading.textsOfScan(this.#read(reading, resolved), compileJsonOutput(resolved.fields));
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
	async *batches(): AsyncGenerator<ColumnBatch> {
		const { reading, resolved } = await this.#resolve();
		yield* this.#read(reading, resolved);
	}

	/** All rows as one Arrow table (of `@uwdata/flechette`). */
	async toArrow(): Promise<ArrowTable> {
		const { arrowTable } = await import('../column/arrow-out.ts');
		const { reading, resolved } = await this.#resolve();
		const batches: ColumnBatch[] = [];
		for await (const batch of this.#read(reading, resolved)) batches.push(batch);
		return arrowTable(resolved.fields, batches);
	}

	/** The rows as an Arrow IPC stream, in pieces: schema first, then batches, then the end mark. */
	async *arrowIpc(): AsyncGenerator<Uint8Array> {
		const { arrowIpcStream } = await import('../column/arrow-out.ts');
		const { reading, resolved } = await this.#resolve();
		yield* arrowIpcStream(resolved.fields, this.#read(reading, resolved));
	}

	/**
	 * The number of rows. Files of which the whole answers the predicate are counted from metadata; only the others are read.
	 * @throws as {@link batches}
	 */
	async count(): Promise<number> {
		const { reading, resolved } = await this.#resolve();
		const { limit = Number.POSITIVE_INFINITY } = this.#options;
		let count = 0;
		const toRead: FileScanTask[] = [];
		for await (const task of this.#plan(reading, resolved)) {
			if (task.residual.op === 'true' && task.deletes.length === 0) count += task.file.recordCount;
			else toRead.push(task);
			if (count >= limit) return limit;
		}
		const batches = reading.readScan(toRead, { ...resolved, fields: [] }, this.#options);
		for await (const batch of batches) count += batch.length;
		return Math.min(count, limit);
	}

	/** The files that the scan reads, each with what is left of the filter. Opens manifests, no data files. */
	async *plan(): AsyncGenerator<FileScanTask> {
		const { reading, resolved } = await this.#resolve();
		yield* this.#plan(reading, resolved);
	}

	/** The snapshot that a read would start from now; undefined for a table without one. */
	async snapshot(): Promise<Snapshot | undefined> {
		return (await this.#resolve()).resolved.snapshot;
	}

	/** The columns that come out, in order, with their ids. */
	async fields(): Promise<readonly NestedField[]> {
		return (await this.#resolve()).resolved.fields;
	}

	/** What reads is loaded by the first read: a process that only appends does without. */
	async #resolve(): Promise<{ readonly reading: typeof Reading; readonly resolved: ResolvedScan }> {
		const reading = await import('./reading.ts');
		const state = await this.#source(this.#options.signal);
		const selected = selectSnapshot(state.metadata, this.#options);
		const fields = reading.fieldsOfScan(selected.schema, state.metadata, this.#options);
		return { reading, resolved: { state, ...selected, fields } };
	}

	#plan(reading: typeof Reading, resolved: ResolvedScan): FilePlan {
		this.#lastPlan = reading.planScan(resolved, this.#filter, this.#options);
		return this.#lastPlan;
	}

	#read(reading: typeof Reading, resolved: ResolvedScan): AsyncIterable<ColumnBatch> {
		return reading.readScan(this.#plan(reading, resolved), resolved, this.#options);
	}
}
