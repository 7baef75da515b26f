import type { Snapshot } from '../spec/snapshot.ts';

/** What became of an append. */
export interface AppendResult {
	/** False when there was nothing to append, or an earlier append with the same key had done it: no snapshot was made. */
	readonly committed: boolean;
	/** True when the rows are durable, but not in a snapshot yet: the append was to be `until: 'journaled'`. */
	readonly journaled?: boolean;
	/** rows appended by this call */
	readonly rowCount: number;
	/** the snapshot that holds the rows, this append's or the earlier one's; undefined when there is none (any more) */
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
