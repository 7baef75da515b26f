/** Iceberg spec: Manifests, Manifest Lists. In-memory forms. */
import type { StructValue } from '../spec/types.ts';

/** Iceberg spec: Data File Fields, `content` (134). */
export type FileContent = 'data' | 'position-deletes' | 'equality-deletes';
export type FileFormat = 'parquet' | 'avro' | 'orc' | 'puffin';
/** Iceberg spec: Manifest Entry Fields, `status` (0). */
export type EntryStatus = 'existing' | 'added' | 'deleted';
export type ManifestContent = 'data' | 'deletes';

/** Column metrics of one file, by field id. Sizes in bytes, counts in values. */
export interface FileMetrics {
	readonly columnSizes?: ReadonlyMap<number, number>;
	readonly valueCounts?: ReadonlyMap<number, number>;
	readonly nullValueCounts?: ReadonlyMap<number, number>;
	readonly nanValueCounts?: ReadonlyMap<number, number>;
	/** single-value binary form. Iceberg spec: Binary single-value serialization */
	readonly lowerBounds?: ReadonlyMap<number, Uint8Array>;
	readonly upperBounds?: ReadonlyMap<number, Uint8Array>;
}

/** A data or delete file (the name `DataFile` in the spec covers both). */
export interface DataFile extends FileMetrics {
	readonly content: FileContent;
	/** exactly the string in the manifest */
	readonly location: string;
	readonly format: FileFormat;
	readonly specId: number;
	/** engine values in the order of the spec's fields */
	readonly partition: StructValue;
	readonly recordCount: number;
	readonly fileSizeInBytes: number;
	readonly keyMetadata?: Uint8Array;
	readonly splitOffsets?: readonly number[];
	readonly equalityIds?: readonly number[];
	readonly sortOrderId?: number;
	/** v3 */
	readonly firstRowId?: bigint;
	/** v2+, delete files: the one data file that all deletes refer to */
	readonly referencedDataFile?: string;
	/** v3, deletion vectors: where the blob stands in its Puffin file */
	readonly contentOffset?: number;
	readonly contentSizeInBytes?: number;
}

export interface ManifestEntry {
	readonly status: EntryStatus;
	/** `null` when it is to be inherited (only in entries about to be written) */
	readonly snapshotId: bigint | null;
	/** data sequence number; `null` as above */
	readonly sequenceNumber: bigint | null;
	readonly fileSequenceNumber: bigint | null;
	readonly file: DataFile;
}

export interface FieldSummary {
	readonly containsNull: boolean;
	/** absent: not known */
	readonly containsNan?: boolean;
	readonly lowerBound?: Uint8Array;
	readonly upperBound?: Uint8Array;
}

/** One row of a manifest list. */
export interface ManifestFile {
	readonly location: string;
	/** bytes */
	readonly length: number;
	readonly specId: number;
	readonly content: ManifestContent;
	readonly sequenceNumber: bigint;
	readonly minSequenceNumber: bigint;
	readonly addedSnapshotId: bigint;
	/** counts are absent in some v1 lists */
	readonly addedFilesCount?: number;
	readonly existingFilesCount?: number;
	readonly deletedFilesCount?: number;
	readonly addedRowsCount?: bigint;
	readonly existingRowsCount?: bigint;
	readonly deletedRowsCount?: bigint;
	readonly partitions?: readonly FieldSummary[];
	readonly keyMetadata?: Uint8Array;
	/** v3 */
	readonly firstRowId?: bigint;
}
