/** How many previous metadata files the log of a table names. Pure. Iceberg spec: Table Metadata, `metadata-log`. */
import type { Draft } from './draft.ts';
import {
	booleanProperty,
	DEFAULT_PREVIOUS_VERSIONS_MAX,
	type Properties,
	TABLE_PROPERTY,
	textProperty,
} from './table-properties.ts';

/** Metadata files before the newest that the log names, at least, where only their size limits it. */
export const LEAST_PREVIOUS_VERSIONS = 20;
/** What the files that the log names may take, bytes: this, or half of what the data take. */
const LEAST_BUDGET_BYTES = 256 * 1024;
const BUDGET_PER_LIVE_BYTE = 0.5;
/** What a metadata file takes, about: by itself, for each snapshot, and for each column of each schema. */
const BASE_BYTES = 1_500;
const SNAPSHOT_BYTES = 800;
const COLUMN_BYTES = 80;

/**
 * How many previous metadata files a table's log names, and so how many are kept where old ones are deleted: as many as
 * `write.metadata.previous-versions-max` says. Where that is not set, and old files are deleted, fewer than its default
 * when those would take more than half of the data: a file for each commit of a table that takes many small ones.
 *
 * At least one. Text that is no number counts as the default.
 */
export function previousVersionsMax({ properties, schemas, snapshots, currentSnapshotId }: Draft): number {
	const text = textProperty(properties, TABLE_PROPERTY.metadataPreviousVersionsMax);
	if (text !== undefined) {
		const max = /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : DEFAULT_PREVIOUS_VERSIONS_MAX;
		return Math.max(1, max);
	}
	if (!deletesOldFiles(properties)) return DEFAULT_PREVIOUS_VERSIONS_MAX;
	const current = currentSnapshotId === undefined ? undefined : snapshots.get(currentSnapshotId);
	const liveBytes = Number(current?.summary?.['total-files-size'] ?? 0) || 0;
	const budgetBytes = Math.max(LEAST_BUDGET_BYTES, BUDGET_PER_LIVE_BYTE * liveBytes);
	const columnCount = schemas.reduce((sum, { fields }) => sum + fields.length, 0);
	const fileBytes = BASE_BYTES + SNAPSHOT_BYTES * snapshots.size + COLUMN_BYTES * columnCount;
	return Math.min(
		DEFAULT_PREVIOUS_VERSIONS_MAX,
		Math.max(LEAST_PREVIOUS_VERSIONS, Math.floor(budgetBytes / fileBytes)),
	);
}

function deletesOldFiles(properties: Properties): boolean {
	try {
		return booleanProperty(properties, TABLE_PROPERTY.metadataDeleteAfterCommit, false);
	} catch {
		return false;
	}
}
