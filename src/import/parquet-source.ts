import type { ByteSource } from '../codec/parquet/api.ts';
import { openParquet } from '../codec/parquet/reader.ts';
import type { ColumnBatch } from '../column/vector.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { NestedField } from '../spec/types.ts';
import type { ImportProgress } from './byte-feed.ts';
import { castBatch } from './cast-vector.ts';
import { schemaOfFile } from './file-schema.ts';
import type { ImportReadOptions, ImportSource, InferredSchema } from './import-source.ts';

/** A Parquet file, read as columns row group by row group. */
export class ParquetSource implements ImportSource {
	readonly format = 'parquet';
	readonly name: string;
	readonly sizeBytes: number;
	readonly progress: ImportProgress = { bytesRead: 0, rows: 0 };
	readonly #file: ByteSource;
	readonly #formatVersion: FormatVersion;

	/** @param formatVersion of the table that {@link inferSchema} is for */
	constructor(name: string, file: ByteSource, sizeBytes: number, formatVersion: FormatVersion) {
		this.name = name;
		this.sizeBytes = sizeBytes;
		this.#formatVersion = formatVersion;
		const { progress } = this;
		this.#file = {
			location: file.location,
			length: () => file.length(),
			read: async (offset, length, signal) => {
				const bytes = await file.read(offset, length, signal);
				progress.bytesRead += bytes.length;
				return bytes;
			},
		};
	}

	async inferSchema(options: ImportReadOptions = {}): Promise<InferredSchema> {
		const reader = await openParquet(this.#file, options);
		return schemaOfFile(reader.info.fields, this.#formatVersion);
	}

	async *batches(fields: readonly NestedField[], options: ImportReadOptions = {}): AsyncGenerator<ColumnBatch> {
		this.progress.bytesRead = 0;
		this.progress.rows = 0;
		const reader = await openParquet(this.#file, options);
		for await (const { batch, firstRow } of reader.read({ fields: reader.info.fields }, options)) {
			const cast = castBatch(this.name, batch, fields, firstRow + 1);
			this.progress.rows += cast.length;
			yield cast;
		}
	}
}
