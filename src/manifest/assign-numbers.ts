/** What a commit gives its manifests. Iceberg spec: Sequence Number Inheritance, First Row ID Assignment. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from './manifest-writer.ts';
import type { ManifestEntry, ManifestFile } from './types.ts';

export interface NumberContext {
	readonly formatVersion: FormatVersion;
	readonly snapshotId: bigint;
	readonly sequenceNumber: bigint;
	/** v3 */
	readonly firstRowId?: bigint;
}

/**
 * Manifests with sequence numbers and first row ids, and the next row id of the table (v3).
 * @throws `INVALID_ARGUMENT` for a manifest that the format version does not allow in its list
 */
export function assignNumbers(
	manifests: Iterable<ManifestFile>,
	context: NumberContext,
): { readonly assigned: ManifestFile[]; readonly nextRowId: bigint | undefined } {
	const isV3 = context.formatVersion >= 3;
	if (isV3 && context.firstRowId === undefined) {
		throw new IcebergError('INVALID_ARGUMENT', 'a v3 manifest list needs the first row id of its snapshot');
	}
	let nextRowId = isV3 ? context.firstRowId : undefined;
	const assigned: ManifestFile[] = [];
	for (const manifest of manifests) {
		const numbered = withSequenceNumbers(manifest, context);
		checkCounts(numbered, context.formatVersion);
		if (nextRowId === undefined || numbered.content !== 'data' || numbered.firstRowId !== undefined) {
			assigned.push(numbered);
			continue;
		}
		assigned.push({ ...numbered, firstRowId: nextRowId });
		// existing files of manifests from before v3 get their ids from here too
		nextRowId += (numbered.addedRowsCount ?? 0n) + (numbered.existingRowsCount ?? 0n);
	}
	return { assigned, nextRowId };
}

/**
 * A manifest with the counts that lists of v1 may leave out, taken from its entries (all of them, deleted ones
 * included). For carrying manifests of a v1 table over into a list of v2 or v3.
 */
export function withCounts(manifest: ManifestFile, entries: Iterable<ManifestEntry>): ManifestFile {
	const files = { added: 0, existing: 0, deleted: 0 };
	const rows = { added: 0n, existing: 0n, deleted: 0n };
	for (const entry of entries) {
		files[entry.status]++;
		rows[entry.status] += BigInt(entry.file.recordCount);
	}
	return {
		...manifest,
		addedFilesCount: files.added,
		existingFilesCount: files.existing,
		deletedFilesCount: files.deleted,
		addedRowsCount: rows.added,
		existingRowsCount: rows.existing,
		deletedRowsCount: rows.deleted,
	};
}

/** True when a manifest has all counts; without them it cannot stand in a list of v2 or v3. */
export function hasCounts(manifest: ManifestFile): boolean {
	return (
		manifest.addedFilesCount !== undefined &&
		manifest.existingFilesCount !== undefined &&
		manifest.deletedFilesCount !== undefined &&
		manifest.addedRowsCount !== undefined &&
		manifest.existingRowsCount !== undefined &&
		manifest.deletedRowsCount !== undefined
	);
}

function withSequenceNumbers(manifest: ManifestFile, context: NumberContext): ManifestFile {
	const unassigned = manifest.sequenceNumber === UNASSIGNED_SEQUENCE_NUMBER;
	const minUnassigned = manifest.minSequenceNumber === UNASSIGNED_SEQUENCE_NUMBER;
	if (!unassigned && !minUnassigned) return manifest;
	if (manifest.addedSnapshotId !== context.snapshotId) {
		throw invalid(manifest, `it has no sequence number and is of another snapshot, ${manifest.addedSnapshotId}`);
	}
	return {
		...manifest,
		sequenceNumber: unassigned ? context.sequenceNumber : manifest.sequenceNumber,
		minSequenceNumber: minUnassigned ? context.sequenceNumber : manifest.minSequenceNumber,
	};
}

function checkCounts(manifest: ManifestFile, formatVersion: FormatVersion): void {
	if (formatVersion === 1) {
		if (manifest.content === 'deletes') throw invalid(manifest, 'v1 tables have no delete manifests');
	} else if (!hasCounts(manifest)) {
		throw invalid(manifest, 'it lacks counts of files or rows, which v1 lists may leave out; count its entries first');
	}
}

function invalid(manifest: ManifestFile, what: string): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `the manifest ${manifest.location} cannot stand in the list: ${what}`, {
		context: { location: manifest.location },
	});
}
