/** Iceberg REST spec: TableUpdate and TableRequirement. The in-memory forms; `reduce.ts` applies them. */
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot, SnapshotRef } from '../spec/snapshot.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import type { FormatVersion, StatisticsFileEntry } from '../spec/table-metadata.ts';
import type { JsonValue } from '../spec/types.ts';

/** An id of -1 means: the one added last in the same list of updates. */
export type TableUpdate =
	| { readonly action: 'assign-uuid'; readonly uuid: string }
	| { readonly action: 'upgrade-format-version'; readonly formatVersion: FormatVersion }
	| { readonly action: 'add-schema'; readonly schema: Schema; readonly lastColumnId?: number }
	| { readonly action: 'set-current-schema'; readonly schemaId: number }
	| { readonly action: 'add-spec'; readonly spec: PartitionSpec }
	| { readonly action: 'set-default-spec'; readonly specId: number }
	| { readonly action: 'add-sort-order'; readonly sortOrder: SortOrder }
	| { readonly action: 'set-default-sort-order'; readonly sortOrderId: number }
	| { readonly action: 'add-snapshot'; readonly snapshot: Snapshot }
	| { readonly action: 'set-snapshot-ref'; readonly refName: string; readonly ref: SnapshotRef }
	| { readonly action: 'remove-snapshot-ref'; readonly refName: string }
	| { readonly action: 'remove-snapshots'; readonly snapshotIds: readonly bigint[] }
	| { readonly action: 'set-location'; readonly location: string }
	| { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
	| { readonly action: 'remove-properties'; readonly removals: readonly string[] }
	| { readonly action: 'set-statistics'; readonly statistics: StatisticsFileEntry }
	| { readonly action: 'remove-statistics'; readonly snapshotId: bigint }
	| { readonly action: 'set-partition-statistics'; readonly partitionStatistics: StatisticsFileEntry }
	| { readonly action: 'remove-partition-statistics'; readonly snapshotId: bigint }
	| { readonly action: 'remove-partition-specs'; readonly specIds: readonly number[] }
	| { readonly action: 'remove-schemas'; readonly schemaIds: readonly number[] }
	| { readonly action: 'add-encryption-key'; readonly encryptionKey: JsonValue }
	| { readonly action: 'remove-encryption-key'; readonly keyId: string };

export type TableRequirement =
	| { readonly type: 'assert-create' }
	| { readonly type: 'assert-table-uuid'; readonly uuid: string }
	/** `snapshotId` null: the ref must not exist */
	| { readonly type: 'assert-ref-snapshot-id'; readonly ref: string; readonly snapshotId: bigint | null }
	| { readonly type: 'assert-last-assigned-field-id'; readonly lastAssignedFieldId: number }
	| { readonly type: 'assert-current-schema-id'; readonly currentSchemaId: number }
	| { readonly type: 'assert-last-assigned-partition-id'; readonly lastAssignedPartitionId: number }
	| { readonly type: 'assert-default-spec-id'; readonly defaultSpecId: number }
	| { readonly type: 'assert-default-sort-order-id'; readonly defaultSortOrderId: number };
