/** What the rest of the engine asks of Parquet. The reader and the writer in this folder implement it. */
import type { ColumnBatch } from '../../column/vector.ts';
import type { NestedField, Value } from '../../spec/types.ts';

/** Random access to bytes; `InputFile` of `io/` fits it. */
export interface ByteSource {
	readonly location: string;
	length(): Promise<number>;
	read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
}
/** Where encoded bytes go, in order; `OutputFile` of `io/` fits it. */
export interface ByteSink {
	write(bytes: Uint8Array): Promise<void>;
}

export type ParquetCodec = 'uncompressed' | 'snappy' | 'gzip' | 'zstd' | 'lz4_raw' | 'brotli';

/** Iceberg: `write.metadata.metrics.*` modes. */
export type MetricsMode = 'none' | 'counts' | 'full' | { readonly truncate: number };

export interface ParquetWriteOptions {
	/** Default `zstd`. Reading knows all; writing `brotli` is not offered. */
	readonly codec?: ParquetCodec;
	readonly codecLevel?: number;
	/** bytes, uncompressed, at which a row group ends. Default 128 MiB */
	readonly rowGroupSizeBytes?: number;
	/** most rows of a row group. Default 1,048,576 */
	readonly rowGroupRowLimit?: number;
	/** bytes, uncompressed, of a page. Default 1 MiB */
	readonly pageSizeBytes?: number;
	/** most rows of a page. Default 20,000 */
	readonly pageRowLimit?: number;
	/** bytes at which a column's dictionary is given up. Default 2 MiB; 0: no dictionaries */
	readonly dictSizeBytes?: number;
	/** data page version. Default 1 */
	readonly pageVersion?: 1 | 2;
	/** by field id of a leaf; default `{ truncate: 16 }` */
	readonly metricsMode?: (fieldId: number) => MetricsMode;
	/** file-level key/value metadata, in addition to `iceberg.schema` */
	readonly keyValueMetadata?: Readonly<Record<string, string>>;
	readonly createdBy?: string;
	/** Bytes of values that are known to come, about. Where they are many, what helps to write them is started at once. */
	readonly expectedBytes?: number;
}

/** What the writer knows about a finished file. Maps are by field id of the leaf columns that Iceberg keeps metrics for. */
export interface ParquetWriteResult {
	readonly recordCount: number;
	readonly fileSizeInBytes: number;
	readonly splitOffsets: readonly number[];
	readonly columnSizes: ReadonlyMap<number, number>;
	readonly valueCounts: ReadonlyMap<number, number>;
	readonly nullValueCounts: ReadonlyMap<number, number>;
	readonly nanValueCounts: ReadonlyMap<number, number>;
	/** single-value binary form, truncated as the metrics mode says */
	readonly lowerBounds: ReadonlyMap<number, Uint8Array>;
	readonly upperBounds: ReadonlyMap<number, Uint8Array>;
}

export interface ParquetWriter {
	/** bytes handed to the sink plus an estimate of what is buffered; for rolling by target size */
	readonly estimatedSizeBytes: number;
	readonly rowCount: number;
	/** Columns must be those of the schema, in its order. Buffers until a row group is full. */
	write(batch: ColumnBatch): Promise<void>;
	/** Writes what is left and the footer. Does not close the sink. */
	finish(): Promise<ParquetWriteResult>;
}

/** Min/max and counts of one leaf in one row group or page; values are engine values of the file's own type. */
export interface LeafStatistics {
	readonly min?: Value;
	readonly max?: Value;
	/** false when min or max may be truncated (still a valid bound) */
	readonly exact: boolean;
	readonly nullCount?: number;
}

/** A column of the file, or a group of columns, as an Iceberg field. Ids are negative where the file has none. */
export interface ParquetFileInfo {
	readonly rowCount: number;
	/** top-level fields as found in the file, typed as Iceberg types; `hasIds` says whether any field id was there */
	readonly fields: readonly NestedField[];
	readonly hasIds: boolean;
	readonly rowGroups: readonly ParquetRowGroupInfo[];
	readonly keyValueMetadata: ReadonlyMap<string, string>;
	readonly createdBy: string | undefined;
}
export interface ParquetRowGroupInfo {
	readonly rowCount: number;
	/** position of its first row in the file */
	readonly firstRow: number;
	/** file offset of its first page, bytes */
	readonly offset: number;
	readonly compressedSizeBytes: number;
	/** by field id (of the file, after name mapping); leaves under lists and maps are left out */
	statistics(fieldId: number): LeafStatistics | undefined;
}

/** What to read: an output field and the type it must come out as (projection and promotion are the reader's work). */
export interface ParquetProjection {
	/** The wanted fields, with table ids; matched to the file by field id, at every level. */
	readonly fields: readonly NestedField[];
	/** value of a field that the file lacks, by field id; default null. Iceberg spec: Column Projection */
	readonly defaults?: (field: NestedField) => Value;
}

export interface ParquetReadOptions {
	/** row groups to read, by index; default all */
	readonly rowGroups?: readonly number[];
	/** most rows of a batch. Default 65,536 */
	readonly batchRowLimit?: number;
	/**
	 * Ranges of rows [from, to) within a row group that can be skipped safely are those that this returns no range for;
	 * asked once a row group, given the pages' statistics of the leaf (page index). Absent: all rows.
	 */
	readonly selectRows?: (pages: PageStatisticsSource, rowGroup: number) => Promise<readonly RowRange[] | undefined>;
	readonly signal?: AbortSignal;
}
export interface RowRange {
	readonly from: number;
	readonly to: number;
}
export interface PageStatisticsSource {
	readonly rowCount: number;
	/** Pages of a top-level or struct-nested leaf in order; `undefined` where the file has no page index for it. */
	pages(fieldId: number): Promise<readonly (LeafStatistics & RowRange & { readonly allNull: boolean })[] | undefined>;
}
/** A batch and the position in the file of each of its rows. */
export interface PositionedBatch {
	readonly batch: ColumnBatch;
	/** position in the file of row 0; rows are consecutive within a batch */
	readonly firstRow: number;
}

export interface ParquetReader {
	readonly info: ParquetFileInfo;
	read(projection: ParquetProjection, options?: ParquetReadOptions): AsyncIterable<PositionedBatch>;
}

/** Assigns ids to a file without ids: the path of names to the id, or undefined. Iceberg spec: Name Mapping. */
export type NameToId = (path: readonly string[]) => number | undefined;

export interface ParquetOpenOptions {
	/** used only when the file has no field ids at all */
	readonly nameMapping?: NameToId;
	/** the footer, when the caller has read it */
	readonly footerSizeHintBytes?: number;
	readonly signal?: AbortSignal;
}
