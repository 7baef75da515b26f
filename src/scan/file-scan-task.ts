/** What a scan reads: a data file, what is left to ask of its rows, and the deletes that apply to it. */
import type { BoundExpression } from '../expr/expression.ts';
import type { DataFile } from '../manifest/types.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';

/** A delete file or deletion vector that applies to a data file. */
export interface DeleteFile extends DataFile {
	/** data sequence number */
	readonly sequenceNumber: bigint;
}

export interface FileScanTask {
	readonly file: DataFile;
	/** data sequence number; 0n in v1 tables */
	readonly sequenceNumber: bigint;
	/** sequence number of the snapshot that added the file; 0n in v1 tables, `null` where old manifests do not tell */
	readonly fileSequenceNumber: bigint | null;
	/** id of the snapshot that added the file; `null` where old manifests do not tell */
	readonly snapshotId: bigint | null;
	/** the spec that the file was written with */
	readonly spec: PartitionSpec;
	/** what rows must still match, bound to the scan's schema; never `false` */
	readonly residual: BoundExpression;
	/** Must be applied: a reader that cannot must refuse the task. Equality deletes, then position deletes or the vector. */
	readonly deletes: readonly DeleteFile[];
}
