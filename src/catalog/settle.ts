/**
 * Whether a version that was put in place belongs to the table's history, told by what stands there now.
 *
 * Needed when a writer slept between reading its base and the swap: the version may be part of the history (it was only
 * slow to look), or a ghost under an old name that had become free.
 */
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { baseName } from '../io/location.ts';
import { snapshotById } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { addedSnapshots, historyHasCommit } from '../transaction/commit-id.ts';
import type { SwapRequest } from '../transaction/committer.ts';
import { readMetadataFile, versionOf } from './metadata-file.ts';
import type { VersionFiles } from './version-files.ts';

export type Verdict = 'committed' | 'ghost' | 'unknown';

/** How often the folder is looked at anew when files vanish while they are read. */
const MAX_LOOKS = 5;

export interface PlacedVersion {
	readonly version: number;
	readonly request: SwapRequest;
	/** whether the base's file is still there */
	readonly baseExists: boolean;
}

export async function settlePlacedVersion(io: FileIO, files: VersionFiles, placed: PlacedVersion): Promise<Verdict> {
	for (let look = 0; look < MAX_LOOKS; look++) {
		const { versions } = await files.list();
		const newest = Math.max(...versions.keys());
		const location = versions.get(newest);
		// Gone altogether: the table was dropped, before or after.
		if (location === undefined || newest < placed.version) return 'unknown';
		if (newest === placed.version) return placed.baseExists ? 'committed' : whetherDropped(io, placed);
		try {
			const { metadata } = await readMetadataFile(io, location, placed.request.signal);
			return judge(metadata, versions, placed);
		} catch (error) {
			if (!isIcebergError(error, 'NOT_FOUND')) throw error;
		}
	}
	return 'unknown';
}

function judge(current: TableMetadata, versions: ReadonlyMap<number, string>, placed: PlacedVersion): Verdict {
	const { request, version, baseExists } = placed;
	if (request.next.tableUuid !== undefined && current.tableUuid !== request.next.tableUuid) return 'ghost';
	const own = addedSnapshots(request.updates);
	if (historyHasCommit(current, request.commitId)) return 'committed';
	if (current.formatVersion > 1 && own.some((snapshot) => isTakenByAnother(current, snapshot))) return 'ghost';
	const logged = current.metadataLog.find((entry) => versionOf(baseName(entry.metadataFile)) === version);
	if (logged !== undefined) {
		if (logged.timestampMs !== request.next.lastUpdatedMs) return 'ghost';
		return baseExists ? 'committed' : 'unknown';
	}
	// Ours, with later ones, has been deleted as old: it was in the history, or somebody took the ghost for a part of it.
	if (!versions.has(version)) return 'unknown';
	const newest = Math.max(...versions.keys());
	for (let next = version + 1; next < newest; next++) if (!versions.has(next)) return 'ghost';
	return baseExists ? 'committed' : 'unknown';
}

/** A sequence number belongs to one snapshot for ever; where another has it, ours never was in this history. */
function isTakenByAnother(
	current: TableMetadata,
	own: { readonly sequenceNumber: bigint; readonly snapshotId: bigint },
) {
	return current.snapshots.some(
		(snapshot) => snapshot.sequenceNumber === own.sequenceNumber && snapshot.snapshotId !== own.snapshotId,
	);
}

/** The base's file is gone although nothing came after it. A drop removes manifest lists before metadata. */
async function whetherDropped(io: FileIO, placed: PlacedVersion): Promise<Verdict> {
	const base = placed.request.base?.metadata;
	if (base?.currentSnapshotId === undefined) return 'unknown';
	const list = snapshotById(base, base.currentSnapshotId)?.manifestList;
	return list !== undefined && !(await io.exists(list)) ? 'ghost' : 'unknown';
}
