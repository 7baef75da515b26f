/** Deleting metadata files that have left a table's window. */
import type { FileIO } from '../io/file-io.ts';
import { metadataFileProperties, type Properties } from '../metadata/table-properties.ts';
import type { VersionFiles } from './version-files.ts';

/**
 * Metadata files before the current one that are kept, whatever `write.metadata.previous-versions-max` says. A commit
 * whose base has left the window cannot be told from one that came too late without reading back; and a reader that
 * found a version must have time to open it.
 */
export const MIN_METADATA_WINDOW = 20;
/** Files that one commit deletes at most; what is left goes with the next ones. */
const MAX_DELETES_PER_COMMIT = 32;

/**
 * Deletes the oldest versions that are outside of the window, oldest first, so that what is left is always an unbroken
 * run up to the current one: that a base still exists proves that all versions after it do. Faults are ignored.
 */
export async function deleteOldMetadata(
	io: FileIO,
	files: VersionFiles,
	currentVersion: number,
	properties: Properties,
): Promise<void> {
	try {
		const { deleteAfterCommit, previousVersionsMax } = metadataFileProperties(properties);
		if (!deleteAfterCommit) return;
		const newestToDelete = currentVersion - Math.max(previousVersionsMax, MIN_METADATA_WINDOW) - 1;
		const oldest = await oldestOfRun(files, newestToDelete);
		if (oldest === undefined) return;
		const end = Math.min(newestToDelete, oldest + MAX_DELETES_PER_COMMIT - 1);
		for (let version = oldest; version <= end; version++) {
			for (let file = await files.find(version); file !== undefined; file = await files.find(version))
				if (!(await io.delete(file.location))) break;
		}
	} catch {
		// The next commit comes by here again.
	}
}

/** The first version of the unbroken run that ends at `version`: mostly itself, else found in a logarithmic number of looks. */
async function oldestOfRun(files: VersionFiles, version: number): Promise<number | undefined> {
	if (version < 1 || (await files.find(version)) === undefined) return undefined;
	let present = version;
	let absent = 0;
	for (let step = 1; present - step > 0; step *= 2) {
		if ((await files.find(present - step)) === undefined) {
			absent = present - step;
			break;
		}
		present -= step;
	}
	while (present - absent > 1) {
		const middle = absent + Math.floor((present - absent) / 2);
		if ((await files.find(middle)) === undefined) absent = middle;
		else present = middle;
	}
	return present;
}
