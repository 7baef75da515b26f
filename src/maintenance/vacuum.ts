/** All maintenance of a table in one call. */
import { compact, type CompactOptions, type CompactResult } from './compact.ts';
import { expireSnapshots, type ExpireOptions, type ExpireResult } from './expire-snapshots.ts';
import { assertOwnsFiles, type MaintainableTable } from './maintainable-table.ts';
import { removeOrphans, type RemoveOrphansOptions, type RemoveOrphansResult } from './remove-orphans.ts';
import {
	rewriteManifests,
	type RewriteManifestsResult,
	type RewriteTableManifestsOptions,
} from './rewrite-manifests.ts';
import type { CallOptions } from '../util/deadline.ts';

type Part<T> = Omit<T, 'dryRun' | 'graceMs' | keyof CallOptions>;

export interface VacuumOptions extends CallOptions {
	readonly compact?: Part<CompactOptions>;
	readonly manifests?: Part<RewriteTableManifestsOptions>;
	readonly expire?: Part<ExpireOptions>;
	readonly orphans?: Part<RemoveOrphansOptions>;
	/** How long files stay after the table let go of them, ms. Default an hour. */
	readonly graceMs?: number;
	/** Only tells what would be done; each part as if it were the only one. Default false. */
	readonly dryRun?: boolean;
}

export interface VacuumResult {
	readonly dryRun: boolean;
	readonly compact: CompactResult;
	/** undefined in a dry run */
	readonly manifests: RewriteManifestsResult | undefined;
	readonly expire: ExpireResult;
	readonly orphans: RemoveOrphansResult;
	readonly deletedFileCount: number;
	readonly deletedBytes: number;
}

/** The task itself; see `tasks.ts`. */
export async function vacuum(table: MaintainableTable, options: VacuumOptions = {}): Promise<VacuumResult> {
	const { dryRun = false, signal, graceMs } = options;
	const abort = signal === undefined ? {} : { signal };
	const common = { ...abort, ...(graceMs === undefined ? {} : { graceMs }), dryRun };
	table.commitPorts();
	await table.refresh(signal);
	assertOwnsFiles(table);
	const compacted = await compact(table, { ...options.compact, ...abort, dryRun });
	const manifests = dryRun ? undefined : await rewriteManifests(table, { ...options.manifests, ...abort });
	const expired = await expireSnapshots(table, { ...options.expire, ...common });
	const orphans = await removeOrphans(table, { ...options.orphans, ...common });
	return {
		dryRun,
		compact: compacted,
		manifests,
		expire: expired,
		orphans,
		deletedFileCount: expired.fileCount + orphans.fileCount,
		deletedBytes: expired.sizeBytes + orphans.sizeBytes,
	};
}
