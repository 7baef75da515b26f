import { loadArrowDecompressors } from '../codec/arrow-decompressors.ts';
import type { ByteSource } from '../codec/parquet/api.ts';
import { type ArrowLike, batchesFromArrow, tableFromArrowIpc } from '../column/arrow-in.ts';
import { schemaFromArrow } from '../column/arrow-schema.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { NestedField } from '../spec/types.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { arrowFrames } from './arrow-frames.ts';
import { type ImportProgress, type InputPieces, piecesOf } from './byte-feed.ts';
import { schemaOfFile } from './file-schema.ts';
import type { ImportReadOptions, ImportSource, InferredSchema } from './import-source.ts';

/** An Arrow IPC stream or file, read record batch by record batch. */
export class ArrowSource implements ImportSource {
	readonly format = 'arrow';
	readonly name: string;
	readonly sizeBytes: number | undefined;
	readonly progress: ImportProgress = { bytesRead: 0, rows: 0 };
	readonly #pieces: InputPieces;
	readonly #formatVersion: FormatVersion;

	/** @param formatVersion of the table that {@link inferSchema} is for */
	constructor(
		name: string,
		input: ByteSource | AsyncIterable<unknown>,
		formatVersion: FormatVersion,
		sizeBytes: number | undefined,
	) {
		this.name = name;
		this.sizeBytes = sizeBytes;
		this.#formatVersion = formatVersion;
		this.#pieces = piecesOf(name, input, this.progress);
	}

	async inferSchema(options: ImportReadOptions = {}): Promise<InferredSchema> {
		for await (const frame of arrowFrames(this.#pieces('look', options.signal), this.name)) {
			try {
				return schemaOfFile(schemaFromArrow(await openFrame(frame)), this.#formatVersion);
			} catch (error) {
				throw this.#unsound(error);
			}
		}
		throw new IcebergError('CORRUPT', `${this.name}: no Arrow schema`);
	}

	async *batches(fields: readonly NestedField[], options: ImportReadOptions = {}): AsyncGenerator<ColumnBatch> {
		this.progress.bytesRead = 0;
		this.progress.rows = 0;
		for await (const frame of arrowFrames(this.#pieces('read', options.signal), this.name)) {
			throwIfAborted(options.signal);
			for (const batch of await this.#batchesOf(frame, fields)) {
				this.progress.rows += batch.length;
				yield batch;
			}
		}
	}

	async #batchesOf(frame: Uint8Array, fields: readonly NestedField[]): Promise<ColumnBatch[]> {
		const batches: ColumnBatch[] = [];
		try {
			const table = await openFrame(frame);
			const firstRowNumber = this.progress.rows + 1;
			for await (const batch of batchesFromArrow(fields, table, { firstRowNumber })) batches.push(batch);
		} catch (error) {
			throw this.#unsound(error);
		}
		return batches;
	}

	/** What the Arrow library throws on metadata that contradict themselves are plain errors. */
	#unsound(error: unknown): unknown {
		if (error instanceof IcebergError) return error;
		return new IcebergError('CORRUPT', `${this.name}: not sound Arrow data: ${(error as Error).message}`, {
			cause: error,
		});
	}
}

async function openFrame(frame: Uint8Array): Promise<ArrowLike> {
	return tableFromArrowIpc(frame, await loadArrowDecompressors());
}
