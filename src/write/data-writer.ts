/** Rows to data files: split by partition, rolled by size, with the metrics that planning needs. */
import type { ParquetWriteOptions, ParquetWriter } from '../codec/parquet/api.ts';
import { openParquetWriter } from '../codec/parquet/writer.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { concatBatches, takeBatch } from '../column/vector-ops.ts';
import { batchSizeBytes } from './batch-size.ts';
import type { FileIO, OutputFile } from '../io/file-io.ts';
import type { DataFile } from '../manifest/types.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { currentSchema, defaultSortOrder, defaultSpec, partitionTypeIn } from '../spec/table-metadata-lookup.ts';
import type { StructType, StructValue } from '../spec/types.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { Random } from '../util/ports.ts';
import { randomUuid } from '../util/uuid.ts';
import { type DataLocations, dataLocations } from './location-provider.ts';
import { compilePartitioner } from './partition-rows.ts';
import { compileSort } from './sort-rows.ts';
import { parquetOptions, targetFileSizeBytes } from './write-properties.ts';

/** Most files written at once; beyond it the one that got rows longest ago is finished. */
export const OPEN_FILE_LIMIT = 256;
/** Bytes buffered in all files that are being written; beyond it the largest is finished. */
export const BUFFER_LIMIT_BYTES = 256 * 1024 * 1024;
/** Bytes sorted at once: a file of a sorted table is one such run at most. */
export const SORT_RUN_LIMIT_BYTES = 128 * 1024 * 1024;

export interface WriteContext {
	readonly io: FileIO;
	/** its current schema, default spec, default sort order and properties are written by */
	readonly metadata: TableMetadata;
	readonly random: Random;
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
 * Writes batches of the schema's columns to data files. They are durable when this resolves (their folders' names once
 * {@link FileIO.persistNames} has been called), and in no snapshot. Memory is bounded, whatever the input's size. When it
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
	readonly #split: ReturnType<typeof compilePartitioner>;
	readonly #locations: DataLocations;
	readonly #options: ParquetWriteOptions;
	readonly #targetSizeBytes: number;
	readonly #operationId: string;
	/** in the order in which they last got rows */
	readonly #open = new Map<string, PartitionWriter>();
	readonly #files: DataFile[] = [];
	/** all files that exist, finished or not */
	readonly #created: OutputFile[] = [];
	#fileCount = 0;
	#rowCount = 0;

	constructor(context: WriteContext) {
		const { metadata } = context;
		this.#context = context;
		this.#schema = context.schema ?? currentSchema(metadata);
		this.#spec = context.spec ?? defaultSpec(metadata);
		this.#partitionType = partitionTypeIn(metadata, this.#spec);
		this.#order = defaultSortOrder(metadata);
		this.#sort = this.#order.fields.length === 0 ? undefined : compileSort(this.#schema, this.#order);
		this.#split = compilePartitioner(this.#schema, this.#spec);
		this.#locations = dataLocations(metadata.location, metadata.properties);
		this.#options = parquetOptions(metadata.properties, this.#schema, this.#order);
		this.#targetSizeBytes = targetFileSizeBytes(metadata.properties);
		this.#operationId = randomUuid(context.random);
	}

	async write(batch: ColumnBatch): Promise<void> {
		this.#rowCount += batch.length;
		for (const { partition, key, rows } of this.#split(batch)) {
			let writer = this.#open.get(key);
			this.#open.delete(key);
			writer ??= this.#newWriter(partition);
			this.#open.set(key, writer);
			await writer.write(rows === 'all' ? batch : takeBatch(batch, rows));
			if (writer.isFull) await this.#finishFile(key, writer);
			await this.#keepBounds();
		}
	}

	async finish(): Promise<WrittenFiles> {
		for (const [key, writer] of [...this.#open]) await this.#finishFile(key, writer);
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

	async #keepBounds(): Promise<void> {
		for (;;) {
			let buffered = 0;
			let largest: [string, PartitionWriter] | undefined;
			for (const entry of this.#open) {
				const { bufferedBytes } = entry[1];
				buffered += bufferedBytes;
				if (largest === undefined || bufferedBytes > largest[1].bufferedBytes) largest = entry;
			}
			const victim =
				buffered > BUFFER_LIMIT_BYTES && this.#open.size > 1
					? largest
					: this.#open.size > OPEN_FILE_LIMIT
						? this.#open.entries().next().value
						: undefined;
			if (victim === undefined) return;
			await this.#finishFile(...victim);
		}
	}

	async #finishFile(key: string, writer: PartitionWriter): Promise<void> {
		this.#open.delete(key);
		const file = await writer.finish();
		if (file !== undefined) this.#files.push(file);
	}

	#newWriter(partition: StructValue): PartitionWriter {
		return new PartitionWriter({
			partition,
			specId: this.#spec.specId,
			schema: this.#schema,
			sort: this.#sort,
			sortOrderId: this.#order.orderId,
			options: this.#options,
			targetSizeBytes: this.#targetSizeBytes,
			create: async () => {
				this.#fileCount += 1;
				const name = `00000-0-${this.#operationId}-${String(this.#fileCount).padStart(5, '0')}.parquet`;
				const location = this.#locations.newDataLocation(name, this.#spec, this.#partitionType, partition);
				const { signal } = this.#context;
				const output = await this.#context.io.create(location, signal === undefined ? {} : { signal });
				this.#created.push(output);
				return output;
			},
		});
	}
}

interface PartitionWriterParts {
	readonly partition: StructValue;
	readonly specId: number;
	readonly schema: Schema;
	readonly sort: ((batch: ColumnBatch) => ColumnBatch) | undefined;
	readonly sortOrderId: number;
	readonly options: ParquetWriteOptions;
	readonly targetSizeBytes: number;
	readonly create: () => Promise<OutputFile>;
}

/** One file of one partition. The file is made when there is something to put into it. */
class PartitionWriter {
	readonly #parts: PartitionWriterParts;
	readonly #run: ColumnBatch[] = [];
	#runBytes = 0;
	#output: OutputFile | undefined;
	#parquet: ParquetWriter | undefined;

	constructor(parts: PartitionWriterParts) {
		this.#parts = parts;
	}

	get isFull(): boolean {
		if (this.#parts.sort !== undefined)
			return this.#runBytes >= Math.min(SORT_RUN_LIMIT_BYTES, this.#parts.targetSizeBytes);
		return (this.#parquet?.estimatedSizeBytes ?? 0) >= this.#parts.targetSizeBytes;
	}

	/** bytes in memory, about */
	get bufferedBytes(): number {
		const encoded = (this.#parquet?.estimatedSizeBytes ?? 0) - (this.#output?.bytesWritten ?? 0);
		return this.#runBytes + Math.max(0, encoded);
	}

	async write(batch: ColumnBatch): Promise<void> {
		if (this.#parts.sort === undefined) {
			await (await this.#start()).write(batch);
			return;
		}
		this.#run.push(batch);
		this.#runBytes += batchSizeBytes(batch);
	}

	async finish(): Promise<DataFile | undefined> {
		const { sort, specId, partition, sortOrderId } = this.#parts;
		if (sort !== undefined && this.#run.length > 0) await (await this.#start()).write(sort(concatBatches(this.#run)));
		if (this.#parquet === undefined || this.#output === undefined) return undefined;
		const result = await this.#parquet.finish();
		await this.#output.close();
		return {
			content: 'data',
			location: this.#output.location,
			format: 'parquet',
			specId,
			partition,
			recordCount: result.recordCount,
			fileSizeInBytes: result.fileSizeInBytes,
			columnSizes: result.columnSizes,
			valueCounts: result.valueCounts,
			nullValueCounts: result.nullValueCounts,
			nanValueCounts: result.nanValueCounts,
			lowerBounds: result.lowerBounds,
			upperBounds: result.upperBounds,
			splitOffsets: result.splitOffsets,
			sortOrderId,
		};
	}

	async #start(): Promise<ParquetWriter> {
		this.#output ??= await this.#parts.create();
		this.#parquet ??= openParquetWriter(this.#output, this.#parts.schema, this.#parts.options);
		return this.#parquet;
	}
}
