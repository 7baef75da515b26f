/** Rows to data files: split by partition, rolled by size, with the metrics that planning needs. */
import type { ParquetWriteOptions } from '../codec/parquet/api.ts';
import { openParquetWriter } from '../codec/parquet/writer.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { sliceBatch, takeBatch } from '../column/vector-ops.ts';
import type { FileIO, OutputFile } from '../io/file-io.ts';
import type { DataFile } from '../manifest/types.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { currentSchema, defaultSortOrder, defaultSpec, partitionTypeIn } from '../spec/table-metadata-lookup.ts';
import type { StructType } from '../spec/types.ts';
import { mapBounded, throwIfAborted } from '../util/bounded-pool.ts';
import type { Random } from '../util/ports.ts';
import { type Processes, writerSuffix } from '../util/process-identity.ts';
import { systemProcesses } from '../util/system-processes.ts';
import { randomUuid } from '../util/uuid.ts';
import { batchSizeBytes } from './batch-size.ts';
import { DataFileWriter } from './data-file-writer.ts';
import { type DataLocations, dataLocations } from './location-provider.ts';
import { groupRows, Partitioner } from './partitioner.ts';
import { RowRun } from './row-run.ts';
import { compileSort } from './sort-rows.ts';
import { parquetOptions, targetFileSizeBytes } from './write-properties.ts';

/** Most files written at once. Rows of further partitions are gathered, and written a partition at a time. */
export const OPEN_FILE_LIMIT = 200;
/** Bytes of encoded values in all files that are being written; beyond it the largest are finished. Twice to three times as
 * much memory stands behind them. */
export const BUFFER_LIMIT_BYTES = 128 * 1024 * 1024;
/** Bytes of rows that are gathered to be sorted, or to be written a partition at a time. */
export const RUN_LIMIT_BYTES = 128 * 1024 * 1024;
/** Files that are finished at the same time at the end. */
const FINISHING_FILES = 4;
/** Rows handled at once: sizes are looked at between. */
const STEP_ROWS = 32_768;

export interface WriteContext {
	readonly io: FileIO;
	/** its current schema, default spec, default sort order and properties are written by */
	readonly metadata: TableMetadata;
	readonly random: Random;
	/** names the files' writer. Default: this system's */
	readonly processes?: Processes | undefined;
	readonly signal?: AbortSignal;
	/** default: the current schema, default spec and order of `metadata` */
	readonly schema?: Schema;
	readonly spec?: PartitionSpec;
}

export interface WrittenFiles {
	readonly files: readonly DataFile[];
	readonly rowCount: number;
}

/**
 * Writes batches of the schema's columns to data files. They are durable once {@link FileIO.persistNames} has resolved for
 * them, or a commit of them, and in no snapshot. Memory is bounded, whatever the input's size. When it
 * rejects, what was written is deleted.
 *
 * @throws what the input throws; `INVALID_ARGUMENT` for properties that make no sense; `UNSUPPORTED`; `STORAGE`; `ABORTED`
 */
export async function writeDataFiles(
	batches: AsyncIterable<ColumnBatch>,
	context: WriteContext,
): Promise<WrittenFiles> {
	const writer = new DataWriter(context);
	try {
		for await (const batch of batches) {
			throwIfAborted(context.signal);
			await writer.write(batch);
		}
		return await writer.finish();
	} catch (error) {
		await writer.abort();
		throw error;
	}
}

class DataWriter {
	readonly #context: WriteContext;
	readonly #schema: Schema;
	readonly #spec: PartitionSpec;
	readonly #partitionType: StructType;
	readonly #order: SortOrder;
	readonly #sort: ((batch: ColumnBatch) => ColumnBatch) | undefined;
	readonly #partitioner: Partitioner;
	readonly #locations: DataLocations;
	readonly #options: ParquetWriteOptions;
	readonly #targetSizeBytes: number;
	readonly #operationId: string;
	/** by number of the partition */
	readonly #open = new Map<number, DataFileWriter>();
	readonly #run = new RowRun();
	readonly #files: DataFile[] = [];
	/** all files that exist, finished or not */
	readonly #created: OutputFile[] = [];
	#fileCount = 0;
	#rowCount = 0;
	/** bytes of the batch at hand, where all of them go into one file */
	#expectedBytes = 0;

	constructor(context: WriteContext) {
		const { metadata } = context;
		this.#context = context;
		this.#schema = context.schema ?? currentSchema(metadata);
		this.#spec = context.spec ?? defaultSpec(metadata);
		this.#partitionType = partitionTypeIn(metadata, this.#spec);
		this.#order = defaultSortOrder(metadata);
		this.#sort = this.#order.fields.length === 0 ? undefined : compileSort(this.#schema, this.#order);
		this.#partitioner = new Partitioner(this.#spec, this.#schema.fields);
		this.#locations = dataLocations(metadata.location, metadata.properties);
		this.#options = parquetOptions(metadata.properties, this.#schema, this.#order);
		this.#targetSizeBytes = targetFileSizeBytes(metadata.properties);
		const { self } = context.processes ?? systemProcesses;
		this.#operationId = writerSuffix(randomUuid(context.random), self);
	}

	async write(batch: ColumnBatch): Promise<void> {
		if (this.#spec.fields.length === 0) this.#expectedBytes = batchSizeBytes(batch);
		for (let from = 0; from < batch.length; from += STEP_ROWS) {
			const step = sliceBatch(batch, from, Math.min(batch.length, from + STEP_ROWS));
			this.#rowCount += step.length;
			if (this.#sort === undefined) await this.#fanOut(step);
			else this.#run.add(step, this.#partitioner.numbersOf(step));
			if (this.#run.sizeBytes >= RUN_LIMIT_BYTES) await this.#writeRun();
			await this.#keepBuffersBounded();
		}
	}

	async finish(): Promise<WrittenFiles> {
		await this.#writeRun();
		const finish = (partition: number): Promise<void> => this.#finishFile(partition);
		// several at once: most of the time goes into waiting for the disk
		for await (const _ of mapBounded([...this.#open.keys()], FINISHING_FILES, finish));
		return { files: this.#files, rowCount: this.#rowCount };
	}

	/** Deletes all that was written. Failures to do so leave garbage, which is no loss, and must not hide the first error. */
	async abort(): Promise<void> {
		const { io } = this.#context;
		for (const output of this.#created) {
			await output.abort().catch(() => undefined);
			await io.delete(output.location).catch(() => undefined);
		}
	}

	/** Rows of partitions that have a file open, or may still have one, go there; the others into the run. */
	async #fanOut(batch: ColumnBatch): Promise<void> {
		if (this.#spec.fields.length === 0) return this.#writeTo(0, batch);
		const numbers = this.#partitioner.numbersOf(batch);
		const groups = groupRows(numbers);
		const gathered: Uint32Array[] = [];
		for (const { partition, rows } of groups) {
			if (!this.#open.has(partition) && this.#open.size >= OPEN_FILE_LIMIT) gathered.push(rows);
			else await this.#writeTo(partition, pick(batch, rows));
		}
		if (gathered.length === 0) return;
		const rows = Uint32Array.from(gathered.flatMap((part) => [...part])).sort();
		const rest = takeBatch(batch, rows);
		this.#run.add(
			rest,
			Int32Array.from(rows, (row) => numbers[row] as number),
		);
	}

	/** What has been gathered, partition by partition; each one's files are finished before the next. */
	async #writeRun(): Promise<void> {
		for (const { partition, batch } of this.#run.take()) {
			const sorted = this.#sort === undefined ? batch : this.#sort(batch);
			for (let from = 0; from < sorted.length; from += STEP_ROWS)
				await this.#writeTo(partition, sliceBatch(sorted, from, Math.min(sorted.length, from + STEP_ROWS)));
			await this.#finishFile(partition);
		}
	}

	async #writeTo(partition: number, batch: ColumnBatch): Promise<void> {
		throwIfAborted(this.#context.signal);
		let writer = this.#open.get(partition);
		if (writer === undefined) {
			writer = await this.#newFile(partition);
			this.#open.set(partition, writer);
		}
		await writer.write(batch);
		if (writer.estimatedSizeBytes >= this.#targetSizeBytes) await this.#finishFile(partition);
	}

	async #keepBuffersBounded(): Promise<void> {
		let buffered = 0;
		for (const { bufferedBytes } of this.#open.values()) buffered += bufferedBytes;
		if (buffered <= BUFFER_LIMIT_BYTES) return;
		const bySize = [...this.#open].sort(([, a], [, b]) => b.bufferedBytes - a.bufferedBytes);
		// down to the half, so that this is not needed again with the next batch
		for (const [partition, { bufferedBytes }] of bySize) {
			if (buffered <= BUFFER_LIMIT_BYTES / 2) return;
			buffered -= bufferedBytes;
			await this.#finishFile(partition);
		}
	}

	async #finishFile(partition: number): Promise<void> {
		const writer = this.#open.get(partition);
		if (writer === undefined) return;
		this.#open.delete(partition);
		this.#files.push(await writer.finish());
	}

	async #newFile(partition: number): Promise<DataFileWriter> {
		this.#fileCount += 1;
		const name = `00000-0-${this.#operationId}-${String(this.#fileCount).padStart(5, '0')}.parquet`;
		const values = this.#partitioner.valuesOf(partition);
		const location = this.#locations.newDataLocation(name, this.#spec, this.#partitionType, values);
		const { io, signal } = this.#context;
		const output = await io.create(location, { deferSync: true, ...(signal === undefined ? {} : { signal }) });
		this.#created.push(output);
		const { specId } = this.#spec;
		const options = { ...this.#options, expectedBytes: this.#expectedBytes };
		const description = { specId, partition: values, sortOrderId: this.#order.orderId };
		return new DataFileWriter(output, openParquetWriter(output, this.#schema, options), description);
	}
}

/** The rows at ascending positions; without a copy where they follow one another. */
function pick(batch: ColumnBatch, rows: Uint32Array): ColumnBatch {
	const first = rows[0] as number;
	const last = rows[rows.length - 1] as number;
	return last - first + 1 === rows.length ? sliceBatch(batch, first, last + 1) : takeBatch(batch, rows);
}
