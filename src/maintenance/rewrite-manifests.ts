/** Few, ordered manifests in place of many, so that scans find their files sooner. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { commitActions } from '../transaction/commit-actions.ts';
import { snapshotsOfCommit } from '../transaction/commit-id.ts';
import { RewriteManifestsAction, type RewriteManifestsOptions } from '../transaction/rewrite-manifests.ts';
import type { MaintainableTable } from './maintainable-table.ts';
import type { CallOptions } from '../util/deadline.ts';

export type RewriteTableManifestsOptions = RewriteManifestsOptions & CallOptions;

export interface RewriteManifestsResult {
	/** false when the manifests are as few and as well ordered as they can be */
	readonly committed: boolean;
	readonly snapshot: Snapshot | undefined;
	readonly rewrittenManifestCount: number;
	readonly addedManifestCount: number;
	/** files that the rewritten manifests tell of */
	readonly entryCount: number;
}

/** The task itself; see `tasks.ts`. */
export async function rewriteManifests(
	table: MaintainableTable,
	options: RewriteTableManifestsOptions = {},
): Promise<RewriteManifestsResult> {
	const { signal, timeoutMs: _, ...rest } = options;
	const { targetSizeBytes } = rest;
	if (targetSizeBytes !== undefined && !(Number.isSafeInteger(targetSizeBytes) && targetSizeBytes >= 1)) {
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`targetSizeBytes is a whole number of at least 1, not ${String(targetSizeBytes)}`,
		);
	}
	const { committer, clock, random, processes, onConflict } = table.commitPorts();
	const action = new RewriteManifestsAction(rest);
	const abort = signal === undefined ? {} : { signal };
	const loaded = await committer.load(signal);
	const result = await commitActions(committer, loaded, [action], { clock, random, processes, onConflict, ...abort });
	await table.refresh(signal);
	const counts = result.committed ? action.counts : { rewritten: 0, added: 0, entries: 0 };
	return {
		committed: result.committed,
		snapshot: result.committed ? snapshotsOfCommit(result.loaded.metadata, result.commitId).at(-1) : undefined,
		rewrittenManifestCount: counts.rewritten,
		addedManifestCount: counts.added,
		entryCount: counts.entries,
	};
}
