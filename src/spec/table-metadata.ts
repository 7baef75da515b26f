/** Iceberg spec: Table Metadata. Immutable; changes go through `metadata/`. */
import type { PartitionSpec } from './partition-spec.ts';
import type { Schema } from './schema.ts';
import type { MetadataLogEntry, Snapshot, SnapshotLogEntry, SnapshotRef } from './snapshot.ts';
import type { SortOrder } from './sort-order.ts';
import type { JsonValue } from './types.ts';

export type FormatVersion = 1 | 2 | 3;

/** A statistics file, kept as its JSON: only the id is looked at. */
export interface StatisticsFileEntry {
	readonly snapshotId: bigint;
	readonly json: { readonly [key: string]: JsonValue };
}

export interface TableMetadata {
	readonly formatVersion: FormatVersion;
	/** absent only in old v1 metadata */
	readonly tableUuid?: string;
	readonly location: string;
	/** 0n in v1 */
	readonly lastSequenceNumber: bigint;
	readonly lastUpdatedMs: number;
	readonly lastColumnId: number;
	readonly schemas: readonly Schema[];
	readonly currentSchemaId: number;
	readonly partitionSpecs: readonly PartitionSpec[];
	readonly defaultSpecId: number;
	readonly lastPartitionId: number;
	readonly properties: Readonly<Record<string, string>>;
	readonly currentSnapshotId?: bigint;
	readonly snapshots: readonly Snapshot[];
	readonly snapshotLog: readonly SnapshotLogEntry[];
	readonly metadataLog: readonly MetadataLogEntry[];
	readonly sortOrders: readonly SortOrder[];
	readonly defaultSortOrderId: number;
	readonly refs: Readonly<Record<string, SnapshotRef>>;
	readonly statistics: readonly StatisticsFileEntry[];
	readonly partitionStatistics: readonly StatisticsFileEntry[];
	/** v3 */
	readonly nextRowId?: bigint;
	/** v3; kept as JSON */
	readonly encryptionKeys?: readonly JsonValue[];
	/** top-level keys that this version does not know, kept for writing back */
	readonly extra?: Readonly<Record<string, JsonValue>>;
}
