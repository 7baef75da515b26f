import type { Snapshot } from '../spec/snapshot.ts';

/** What became of an append. */
export interface AppendResult {
	/** False when there was nothing to append: no snapshot was made, and the table is as it was. */
	readonly committed: boolean;
	/** rows appended */
	readonly rowCount: number;
	/** the snapshot that holds the rows; undefined when `committed` is false */
	readonly snapshot: Snapshot | undefined;
	/** one sentence for a log */
	readonly message: string;
}

/** What became of a transaction. */
export interface TransactionResult {
	/** False when the transaction held nothing to do. */
	readonly committed: boolean;
	/** rows appended by all of its appends */
	readonly appendedRowCount: number;
	/** the last snapshot that it made; undefined when it made none */
	readonly snapshot: Snapshot | undefined;
	/** of the metadata file that is now current, or was when there was nothing to do */
	readonly metadataLocation: string;
}

/** One entry of {@link Table.history}. */
export interface HistoryEntry {
	readonly madeCurrentAtMs: number;
	readonly snapshotId: bigint;
	readonly parentSnapshotId: bigint | undefined;
	/** False for a state that was rolled back: it is no ancestor of the current snapshot. */
	readonly isCurrentAncestor: boolean;
	/** undefined when the snapshot has been expired */
	readonly snapshot: Snapshot | undefined;
}
