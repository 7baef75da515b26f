/** A table to apply updates to. */
import { newTableUpdates } from '../../src/metadata/new-table.ts';
import { applyUpdates, createMetadata } from '../../src/metadata/reduce.ts';
import type { TableUpdate } from '../../src/metadata/table-update.ts';
import { parsePartitionSpec } from '../../src/spec/partition-spec.ts';
import { long, schema, string, timestamptz } from '../../src/spec/schema-builder.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';

export const UUID = '9c12d441-03fe-4693-9a96-a0705ddf69c1';
export const START_MS = 1_700_000_000_000;

export const events = schema({ id: long().required(), ts: timestamptz(), region: string() });

export function newTable(formatVersion: FormatVersion = 2, properties: Record<string, string> = {}): TableMetadata {
	const spec = parsePartitionSpec(events, ['day(ts)']);
	return createMetadata(
		newTableUpdates({ schema: events, spec, location: '/t', uuid: UUID, formatVersion, properties }),
		START_MS,
	);
}

/** A snapshot that fits the table next. */
export function snapshotFor(table: TableMetadata, snapshotId: bigint, more: Partial<Snapshot> = {}): Snapshot {
	return {
		snapshotId,
		...(table.currentSnapshotId === undefined ? {} : { parentSnapshotId: table.currentSnapshotId }),
		sequenceNumber: table.formatVersion === 1 ? 0n : table.lastSequenceNumber + 1n,
		timestampMs: table.lastUpdatedMs + 10,
		manifestList: `/t/metadata/snap-${snapshotId}.avro`,
		summary: { operation: 'append' },
		schemaId: table.currentSchemaId,
		...(table.formatVersion >= 3 ? { firstRowId: table.nextRowId ?? 0n, addedRows: 5n } : {}),
		...more,
	};
}

/** Adds a snapshot and makes it current. */
export function commit(table: TableMetadata, snapshotId: bigint, more: Partial<Snapshot> = {}): TableMetadata {
	const snapshot = snapshotFor(table, snapshotId, more);
	return apply(table, [
		{ action: 'add-snapshot', snapshot },
		{ action: 'set-snapshot-ref', refName: 'main', ref: { snapshotId, type: 'branch' } },
	]);
}

/** Applies updates ten milliseconds after the table's last change. */
export function apply(
	table: TableMetadata,
	updates: readonly TableUpdate[],
	nowMs = table.lastUpdatedMs + 10,
): TableMetadata {
	return applyUpdates(table, updates, { nowMs });
}
