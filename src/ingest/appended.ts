import type { Snapshot } from '../spec/snapshot.ts';

/** What became of an append. */
export interface Appended {
	readonly rowCount: number;
	/** undefined when there were no rows, they are only journaled, or the snapshot of an earlier append with the same key has been expired */
	readonly snapshot: Snapshot | undefined;
	/** true when an earlier append with the same key had appended the rows */
	readonly repeated: boolean;
	/** true when the rows are durable in a journal, and in a snapshot soon */
	readonly journaled?: boolean;
}
