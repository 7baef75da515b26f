/** Removing old snapshots, and the files that only they need. Iceberg spec: Snapshot Retention Policy. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { snapshotById } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { snapshotIdFrom } from '../table/table-source.ts';
import { commitActions } from '../transaction/commit-actions.ts';
import { planExpiry, RemoveSnapshotsAction, type RetentionPolicy } from '../transaction/remove-snapshots.ts';
import { type CleanedFile, type CleanupReport, CleanupTally } from './cleanup-report.ts';
import { deleteReleased } from './delete-released.ts';
import { assertOwnsFiles, DEFAULT_GRACE_MS, durationMs, type MaintainableTable } from './maintainable-table.ts';
import { readSnapshotHistory } from './snapshot-history.ts';
import type { CallOptions } from '../util/deadline.ts';

export interface ExpireOptions extends CallOptions {
	/** Age from which snapshots go, ms. Default: `history.expire.max-snapshot-age-ms` of the table, else 5 days. */
	readonly olderThanMs?: number;
	/** Newest snapshots of each branch that stay. Default: `history.expire.min-snapshots-to-keep`, else 1. */
	readonly retainLast?: number;
	/** Snapshots that go whatever their age. Given alone, only they go. */
	readonly snapshotIds?: readonly (bigint | number | string)[];
	/**
	 * How long files stay after the table let go of them, ms: readers and commits that began before may need them. Default
	 * an hour. Files within it are deleted by a later call. 0 deletes at once.
	 */
	readonly graceMs?: number;
	/** Only takes the snapshots out of the metadata and deletes no file. Default false. */
	readonly metadataOnly?: boolean;
	/** Only tells what would be done. Default false. */
	readonly dryRun?: boolean;
	/** Called for each file that is deleted, or would be. */
	readonly onFile?: (file: CleanedFile) => void;
}

export interface ExpireResult extends CleanupReport {
	/** snapshots that were removed; in a dry run, that would be */
	readonly snapshots: readonly Snapshot[];
	/** branches and tags that were removed: past their `max-ref-age-ms` */
	readonly refs: readonly string[];
	/** snapshots, of this run and earlier ones, whose files still have their grace period */
	readonly pendingSnapshotCount: number;
	/** when a further call can delete all of these files, ms since 1970; undefined without any */
	readonly pendingUntilMs: number | undefined;
}

/** The task itself; see `tasks.ts`. */
export async function expireSnapshots(table: MaintainableTable, options: ExpireOptions = {}): Promise<ExpireResult> {
	const { signal, dryRun = false } = options;
	const { committer, clock, random, processes, onConflict } = table.commitPorts();
	const graceMs = durationMs('graceMs', options.graceMs, DEFAULT_GRACE_MS);
	await table.refresh(signal);
	assertOwnsFiles(table);
	const base = table.metadata;
	const policy = policyOf(base, options);
	// Refuses what cannot be done before anything is.
	const planned = planExpiry(base, policy, clock.nowMs());
	const nowMs = Math.max(clock.nowMs(), base.lastUpdatedMs);
	let after: TableMetadata;
	if (dryRun) {
		after = withoutSnapshots(base, new Set(planned.snapshotIds), nowMs);
	} else {
		const loaded = await committer.load(signal);
		const commit = { clock, random, processes, onConflict, ...(signal === undefined ? {} : { signal }) };
		await commitActions(committer, loaded, [new RemoveSnapshotsAction(policy)], commit);
		await table.refresh(signal);
		after = table.metadata;
	}
	const left = new Set(after.snapshots.map(({ snapshotId }) => snapshotId));
	const tally = new CleanupTally(dryRun, options.onFile);
	const history = await readSnapshotHistory(dryRun ? base : after, {
		io: table.io,
		nowMs: Math.max(clock.nowMs(), nowMs),
		graceMs,
		...(dryRun ? { next: after } : { earlier: base }),
		...(signal === undefined ? {} : { signal }),
	});
	if (options.metadataOnly !== true) {
		assertOwnsFiles(table);
		await deleteReleased(after, history, { io: table.io, dryRun, tally, ...(signal === undefined ? {} : { signal }) });
	}
	return {
		...tally.report(),
		snapshots: base.snapshots.filter(({ snapshotId }) => !left.has(snapshotId)),
		refs: dryRun ? planned.refNames : Object.keys(base.refs).filter((name) => !Object.hasOwn(after.refs, name)),
		pendingSnapshotCount: history.pending.length,
		pendingUntilMs: history.pendingUntilMs,
	};
}

/** What a commit would make of the metadata. */
function withoutSnapshots(base: TableMetadata, gone: ReadonlySet<bigint>, nowMs: number): TableMetadata {
	const stays = ({ snapshotId }: { readonly snapshotId: bigint }): boolean => !gone.has(snapshotId);
	return {
		...base,
		lastUpdatedMs: nowMs,
		snapshots: base.snapshots.filter(stays),
		statistics: base.statistics.filter(stays),
		partitionStatistics: base.partitionStatistics.filter(stays),
	};
}

function policyOf(base: TableMetadata, options: ExpireOptions): RetentionPolicy {
	const { olderThanMs, retainLast } = options;
	const snapshotIds = options.snapshotIds?.map(snapshotIdFrom);
	for (const id of snapshotIds ?? []) {
		if (snapshotById(base, id) !== undefined) continue;
		throw new IcebergError('NOT_FOUND', `the table has no snapshot ${id}`, { context: { snapshotId: id } });
	}
	return {
		...(olderThanMs === undefined ? {} : { olderThanMs }),
		...(retainLast === undefined ? {} : { retainLast }),
		...(snapshotIds === undefined ? {} : { snapshotIds }),
	};
}
