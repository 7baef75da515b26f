/**
 * Table metadata as the result of updates. Pure: the same base, updates and time give the same metadata.
 * Iceberg spec: Table Metadata; Iceberg REST spec: TableUpdate.
 */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { MetadataLogEntry } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { applyUpdate } from './apply-update.ts';
import { type Draft, draftOf } from './draft.ts';
import { finishDraft } from './finish-draft.ts';
import { previousVersionsMax } from './metadata-log.ts';
import type { TableUpdate } from './table-update.ts';

export interface ApplyOptions {
	/** the time of the change, milliseconds since 1970 */
	readonly nowMs: number;
	/** where `base` was read from; it joins the metadata log. Left out: the log stays as it is */
	readonly metadataLocation?: string;
}

/**
 * Applies updates in their order. Updates that change nothing leave the base itself as the result.
 *
 * The time of the last update never runs backwards: where the clock is behind the base, the base's time is kept.
 *
 * @param base `undefined` makes a new table: the updates have to bring a uuid, a location, a schema, a spec and an order
 * @throws `INVALID_ARGUMENT` for ids that do not exist and the like; `INVALID_SCHEMA` for a schema, spec or order that
 *   does not fit the table; `UNSUPPORTED` for a downgrade or an unknown format version; `VALIDATION_FAILED` for a
 *   snapshot or ref that does not fit; `COMMIT_CONFLICT` (retryable) for a snapshot whose sequence number or first row
 *   id was taken by somebody else
 */
export function applyUpdates(
	base: TableMetadata | undefined,
	updates: readonly TableUpdate[],
	options: ApplyOptions,
): TableMetadata {
	const draft = draftOf(base, options.nowMs);
	for (const update of updates) applyUpdate(draft, update);
	if (base !== undefined && !draft.changed) return base;
	const metadataLog = base === undefined ? [] : withPreviousFile(base, draft, options.metadataLocation);
	return finishDraft(draft, metadataLog);
}

function withPreviousFile(
	base: TableMetadata,
	draft: Draft,
	location: string | undefined,
): readonly MetadataLogEntry[] {
	if (location === undefined) return base.metadataLog;
	const entries = [...base.metadataLog, { metadataFile: location, timestampMs: base.lastUpdatedMs }];
	return entries.slice(-previousVersionsMax(draft));
}

/** As {@link applyUpdates}, but refuses a base: for the metadata of a table that does not exist yet. */
export function createMetadata(updates: readonly TableUpdate[], nowMs: number): TableMetadata {
	if (updates.length === 0) throw new IcebergError('INVALID_ARGUMENT', 'a new table needs updates that make it');
	return applyUpdates(undefined, updates, { nowMs });
}
