/** The mark that a commit leaves in the snapshots that it adds, by which it is found again. */
import type { TableUpdate } from '../metadata/table-update.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** Key of the snapshot summary. */
export const COMMIT_ID_KEY = 'datashard.commit-id';

/** True when a snapshot of the metadata was added by the commit. */
export function historyHasCommit(metadata: TableMetadata, commitId: string): boolean {
	return snapshotsOfCommit(metadata, commitId).length > 0;
}

/** The snapshots of the metadata that the commit added. */
export function snapshotsOfCommit(metadata: TableMetadata, commitId: string): Snapshot[] {
	return metadata.snapshots.filter((snapshot) => snapshot.summary?.[COMMIT_ID_KEY] === commitId);
}

export function addedSnapshots(updates: readonly TableUpdate[]): Snapshot[] {
	return updates.flatMap((update) => (update.action === 'add-snapshot' ? [update.snapshot] : []));
}
