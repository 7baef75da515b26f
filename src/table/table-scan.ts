import type { Table as ArrowTable } from '@uwdata/flechette';
import { compileRowOutput, ROW_CHUNK, rowChunks, type RowOutputOptions } from '../column/rows-out.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Expression } from '../expr/expression.ts';
import { parseWhere } from '../expr/parse-where.ts';
import { metadataColumn } from '../read/metadata-columns.ts';
import { scanBatches } from '../read/scan-batches.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { type FilePlan, planFiles } from '../scan/plan.ts';
import type { PlanReport } from '../scan/plan-report.ts';
import type { Row } from '../spec/row-types.ts';
import type { Schema } from '../spec/schema.ts';
import { selectFields } from '../spec/select-fields.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { NestedField } from '../spec/types.ts';
import { type SelectedSnapshot, selectSnapshot, type SnapshotSelector, type TableState } from './table-source.ts';

/** What to read and how to give it out. */
export interface ScanOptions extends SnapshotSelector, RowOutputOptions {
	/**
	 * Full names of columns (`a`, `a.b`), in the order wanted; default all columns of the schema. The metadata columns
	 * {@link MetadataColumns} can be named too; a column of the table that has such a name hides it.
	 */
	readonly select?: readonly string[];
	/** A predicate, or its text (`"status = 'failed' and duration_ms > 1000"`). */
	readonly where?: Expression | string;
	/** most rows to give; default all */
	readonly limit?: number;
	/** whether names in `select` and `where` must match case; default true */
	readonly caseSensitive?: boolean;
	readonly signal?: AbortSignal;
}

/** What a scan can tell of each row besides the table's columns. Iceberg spec: Reserved Field IDs; Row Lineage. */
export interface MetadataColumns {
	/** location of the file that the row stands in */
	readonly _file: string;
	/** position of the row in that file, from 0 */
	readonly _pos: bigint;
	/** id of the partition spec that the file was written with */
	readonly _spec_id: number;
	/** v3: the row's id, assigned once; null where the table had none when the row was written */
	readonly _row_id: bigint | null;
	/** v3: sequence number of the commit that last changed the row */
	readonly _last_updated_sequence_number: bigint | null;
}

/** Names that `select` takes. */
export type SelectableRow<Out> = Out & Omit<MetadataColumns, keyof Out>;

/** A scan resolved to one snapshot. */
interface ResolvedScan extends SelectedSnapshot {
	readonly state: TableState;
	readonly fields: readonly NestedField[];
}

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

	/** @throws `INVALID_ARGUMENT` for a bad limit, `INVALID_FILTER` for a `where` text that cannot be parsed */
	constructor(source: (signal?: AbortSignal) => Promise<TableState>, options: ScanOptions) {
		const { limit, where } = options;
		if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
			throw new IcebergError('INVALID_ARGUMENT', `limit is a whole number from 0 up, not ${String(limit)}`, {
				context: { limit },
			});
		}
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
		const resolved = await this.#resolve();
		const output = compileRowOutput(resolved.fields, this.#options);
		let firstRow = 0;
		for await (const batch of this.#read(resolved)) {
			for (const rows of rowChunks(output, batch, firstRow)) yield rows as Out[];
			firstRow += batch.length;
		}
	}

	/**
	 * The rows as JSON texts without line ends, in arrays of about a thousand: canonical values, integers of all sizes as
	 * JSON integers in all their digits (`column/json-out.ts` has the table of types).
	 */
	async *jsonLines(): AsyncGenerator<string[]> {
		const { compileJsonOutput } = await import('../column/json-out.ts');
		const resolved = await this.#resolve();
		const output = compileJsonOutput(resolved.fields);
		for await (const batch of this.#read(resolved))
			for (let from = 0; from < batch.length; from += ROW_CHUNK)
				yield output(batch, from, Math.min(batch.length, from + ROW_CHUNK));
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
		yield* this.#read(await this.#resolve());
	}

	/** All rows as one Arrow table (of `@uwdata/flechette`). */
	async toArrow(): Promise<ArrowTable> {
		const { arrowTable } = await import('../column/arrow-out.ts');
		const resolved = await this.#resolve();
		const batches: ColumnBatch[] = [];
		for await (const batch of this.#read(resolved)) batches.push(batch);
		return arrowTable(resolved.fields, batches);
	}

	/** The rows as an Arrow IPC stream, in pieces: schema first, then batches, then the end mark. */
	async *arrowIpc(): AsyncGenerator<Uint8Array> {
		const { arrowIpcStream } = await import('../column/arrow-out.ts');
		const resolved = await this.#resolve();
		yield* arrowIpcStream(resolved.fields, this.#read(resolved));
	}

	/** The number of rows. Without a filter and delete files it comes from metadata; else the rows are read. */
	async count(): Promise<number> {
		const resolved = await this.#resolve();
		const { limit } = this.#options;
		let count = 0;
		for await (const batch of this.#read({ ...resolved, fields: [] })) count += batch.length;
		return limit === undefined ? count : Math.min(count, limit);
	}

	/** The files that the scan reads, each with what is left of the filter. Opens manifests, no data files. */
	async *plan(): AsyncGenerator<FileScanTask> {
		yield* this.#tasks(await this.#resolve());
	}

	/** The snapshot that a read would start from now; undefined for a table without one. */
	async snapshot(): Promise<Snapshot | undefined> {
		return (await this.#resolve()).snapshot;
	}

	/** The columns that come out, in order, with their ids. */
	async fields(): Promise<readonly NestedField[]> {
		return (await this.#resolve()).fields;
	}

	async #resolve(): Promise<ResolvedScan> {
		const state = await this.#source(this.#options.signal);
		const selected = selectSnapshot(state.metadata, this.#options);
		return { state, ...selected, fields: this.#fieldsOf(selected.schema) };
	}

	#fieldsOf(schema: Schema): readonly NestedField[] {
		const { select, caseSensitive } = this.#options;
		if (select === undefined) return schema.fields;
		return selectFields(schema, select, { caseSensitive: caseSensitive ?? true, others: metadataColumn });
	}

	#tasks({ state, snapshot, schema }: ResolvedScan): AsyncIterable<FileScanTask> {
		const { signal, caseSensitive } = this.#options;
		this.#lastPlan = planFiles({
			io: state.io,
			metadata: state.metadata,
			snapshot,
			schema,
			...(this.#filter === undefined ? {} : { filter: this.#filter }),
			...(caseSensitive === undefined ? {} : { caseSensitive }),
			...(signal === undefined ? {} : { signal }),
		});
		return this.#lastPlan;
	}

	#read(resolved: ResolvedScan): AsyncIterable<ColumnBatch> {
		const { limit, signal } = this.#options;
		return scanBatches(this.#tasks(resolved), {
			io: resolved.state.io,
			metadata: resolved.state.metadata,
			schema: resolved.schema,
			fields: resolved.fields,
			...(limit === undefined ? {} : { limit }),
			...(signal === undefined ? {} : { signal }),
		});
	}
}
