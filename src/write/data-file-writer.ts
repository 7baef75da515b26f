import type { ParquetWriter } from '../codec/parquet/api.ts';
import type { ColumnBatch } from '../column/vector.ts';
import type { OutputFile } from '../io/file-io.ts';
import type { DataFile } from '../manifest/types.ts';
import type { StructValue } from '../spec/types.ts';

/** What a data file is beside its rows. */
export interface DataFileDescription {
	readonly specId: number;
	readonly partition: StructValue;
	/** 0: not sorted */
	readonly sortOrderId: number;
}

/** One data file that is being written. */
export class DataFileWriter {
	readonly #output: OutputFile;
	readonly #parquet: ParquetWriter;
	readonly #description: DataFileDescription;

	constructor(output: OutputFile, parquet: ParquetWriter, description: DataFileDescription) {
		this.#output = output;
		this.#parquet = parquet;
		this.#description = description;
	}

	/** bytes that the file has or will have, about */
	get estimatedSizeBytes(): number {
		return this.#parquet.estimatedSizeBytes;
	}

	/** bytes in memory, about */
	get bufferedBytes(): number {
		return Math.max(0, this.#parquet.estimatedSizeBytes - this.#output.bytesWritten);
	}

	async write(batch: ColumnBatch): Promise<void> {
		await this.#parquet.write(batch);
	}

	/** The file is whole and durable, and so described, when this resolves. */
	async finish(): Promise<DataFile> {
		const result = await this.#parquet.finish();
		await this.#output.close();
		return {
			content: 'data',
			location: this.#output.location,
			format: 'parquet',
			...this.#description,
			recordCount: result.recordCount,
			fileSizeInBytes: result.fileSizeInBytes,
			columnSizes: result.columnSizes,
			valueCounts: result.valueCounts,
			nullValueCounts: result.nullValueCounts,
			nanValueCounts: result.nanValueCounts,
			lowerBounds: result.lowerBounds,
			upperBounds: result.upperBounds,
			splitOffsets: result.splitOffsets,
		};
	}
}
