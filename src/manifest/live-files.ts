import type { ManifestFile } from './types.ts';

/**
 * False for a manifest that tells of deleted files only, and so says nothing to snapshots after its own. Lists carry no
 * checksum: where the counts of files say that there is none and those of rows that there are some, it is opened.
 */
export function mayHoldLiveFiles(manifest: ManifestFile): boolean {
	const { addedFilesCount, existingFilesCount, addedRowsCount = 0n, existingRowsCount = 0n } = manifest;
	return addedFilesCount !== 0 || existingFilesCount !== 0 || addedRowsCount !== 0n || existingRowsCount !== 0n;
}
