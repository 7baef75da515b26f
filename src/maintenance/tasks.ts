/**
 * Maintenance as users call it. Each task is loaded when it is called: most processes never do. A task that is ended by its
 * signal or deadline leaves what it has committed and deleted by then; calling it again goes on from there.
 */
import { type CallOptions, within } from '../util/deadline.ts';
import { nextTurn } from '../util/waits.ts';
import type { CompactOptions, CompactResult } from './compact.ts';
import type { ExpireOptions, ExpireResult } from './expire-snapshots.ts';
import type { MaintainableTable } from './maintainable-table.ts';
import type { RemoveOrphansOptions, RemoveOrphansResult } from './remove-orphans.ts';
import type { RewriteTableManifestsOptions, RewriteManifestsResult } from './rewrite-manifests.ts';
import type { VacuumOptions, VacuumResult } from './vacuum.ts';

/**
 * Rewrites the small files of each partition into files of the target size, sorted by the table's order, in `replace`
 * snapshots: rows, and in v3 tables their ids, stay as they are. Files of older partition specs go to the current one. The
 * old files stay on disk until the snapshots that have them are expired.
 *
 * Appends never get in its way, nor it in theirs. Where others have replaced or deleted from files that are being rewritten,
 * the files are chosen anew. Files with deletes that apply to them are left, and listed. Memory is bounded: rows stream.
 *
 * @throws `VALIDATION_FAILED` when others kept changing the files; `INVALID_ARGUMENT`, `INVALID_FILTER`; `NOT_FOUND` without
 *   such a branch; `UNSUPPORTED` for a read-only or encrypted table; `CORRUPT` for a file that is not what its manifest
 *   says; `COMMIT_CONFLICT`, `COMMIT_STATE_UNKNOWN` (nothing is deleted then), `STORAGE`, `ABORTED`
 */
export async function compact(table: MaintainableTable, options: CompactOptions = {}): Promise<CompactResult> {
	return limited('compact', table, options, async (given) => (await import('./compact.ts')).compact(table, given));
}

/**
 * Removes old snapshots from the table, by one commit, then deletes the files that no snapshot reaches any more: those of
 * snapshots that were let go at least `graceMs` ago, in this call or, as far back as the metadata log goes, before it.
 * Retention that branches and tags set for themselves is kept to; the current snapshot and those that branches and tags
 * point at always stay. When the outcome of the commit is unknown, nothing is deleted.
 *
 * @throws `VALIDATION_FAILED` when the table says that its files may belong to others (`gc.enabled`), and for a snapshot
 *   that is asked for by its id, but that a branch or tag points at; `NOT_FOUND` for an id that no snapshot has;
 *   `INVALID_ARGUMENT`; `UNSUPPORTED` for a read-only table; `CORRUPT` when a manifest that stays cannot be read: no file
 *   is deleted then; `COMMIT_CONFLICT`, `COMMIT_STATE_UNKNOWN`, `STORAGE`, `ABORTED`
 */
export async function expireSnapshots(table: MaintainableTable, options: ExpireOptions = {}): Promise<ExpireResult> {
	return limited('expireSnapshots', table, options, async (given) =>
		(await import('./expire-snapshots.ts')).expireSnapshots(table, given),
	);
}

/**
 * Deletes files in the table's `data/` and `metadata/` folders (and those inside its folder that its properties name) that
 * no snapshot, ref, statistics entry or metadata log refers to, once they are old enough. Temporary files of writers that
 * died go after a quarter of an hour. Files elsewhere in the table's folder are left alone, and so are hidden ones, other
 * tables' folders, and files whose name a file in use has under another spelling of its place.
 *
 * What is there is listed before it is found out what is in use; and what is committed meanwhile counts as in use.
 *
 * @throws `INVALID_ARGUMENT` for an age that is not safe; `VALIDATION_FAILED` when the table's files may belong to others
 *   (`gc.enabled` is false, the table was copied or moved, a catalog has metadata files there); `CORRUPT`, `NOT_FOUND` when
 *   what is in use cannot be read: nothing is deleted then; `UNSUPPORTED` for a read-only table; `STORAGE`, `ABORTED`
 */
export async function removeOrphans(
	table: MaintainableTable,
	options: RemoveOrphansOptions = {},
): Promise<RemoveOrphansResult> {
	return limited('removeOrphans', table, options, async (given) =>
		(await import('./remove-orphans.ts')).removeOrphans(table, given),
	);
}

/**
 * Rewrites the data manifests of a branch, in a `replace` snapshot: entries are ordered by partition, and put into manifests
 * of the target size. No data file is touched, and each keeps its snapshot id, sequence numbers and row ids. Does nothing where
 * it would not help, unless forced.
 *
 * @throws `INVALID_ARGUMENT`; `NOT_FOUND` without such a branch; `UNSUPPORTED` for a read-only or encrypted table; `CORRUPT` for
 *   a manifest that cannot be read; `COMMIT_CONFLICT`, `COMMIT_STATE_UNKNOWN`, `STORAGE`, `ABORTED`
 */
export async function rewriteManifests(
	table: MaintainableTable,
	options: RewriteTableManifestsOptions = {},
): Promise<RewriteManifestsResult> {
	return limited('rewriteManifests', table, options, async (given) =>
		(await import('./rewrite-manifests.ts')).rewriteManifests(table, given),
	);
}

/**
 * Puts small files together, then manifests; removes old snapshots and the files that only they had; and last deletes files
 * that nothing refers to. Each part is a commit, or deletions, of its own: when one fails, those before it stand.
 *
 * @throws as {@link compact}, {@link rewriteManifests}, {@link expireSnapshots} and {@link removeOrphans}; what forbids
 *   deletions is looked at before anything is done
 */
export async function vacuum(table: MaintainableTable, options: VacuumOptions = {}): Promise<VacuumResult> {
	return limited('vacuum', table, options, async (given) => (await import('./vacuum.ts')).vacuum(table, given));
}

/** A task under its deadline. */
function limited<T, O extends CallOptions>(
	name: string,
	table: MaintainableTable,
	options: O,
	run: (options: O) => Promise<T>,
): Promise<T> {
	return within({ name: `${name} of ${table.location}`, effect: 'steps' }, options, async (signal) => {
		// Where nothing is to be done, nothing is waited for: a loop of such calls would let nothing else happen.
		await nextTurn();
		return run(signal === undefined ? options : { ...options, signal });
	});
}
