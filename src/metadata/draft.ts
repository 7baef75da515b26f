/** Table metadata in the making. */
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot, SnapshotLogEntry, SnapshotRef } from '../spec/snapshot.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import type { FormatVersion, StatisticsFileEntry, TableMetadata } from '../spec/table-metadata.ts';
import type { JsonValue } from '../spec/types.ts';

/** Metadata in the making: what {@link TableMetadata} holds, to be changed in place, and what is needed to finish it. */
export interface Draft {
	readonly base: TableMetadata | undefined;
	readonly nowMs: number;
	/** true once an update has changed something */
	changed: boolean;
	formatVersion: FormatVersion;
	tableUuid: string | undefined;
	location: string | undefined;
	lastSequenceNumber: bigint;
	lastColumnId: number;
	schemas: readonly Schema[];
	currentSchemaId: number;
	partitionSpecs: readonly PartitionSpec[];
	defaultSpecId: number;
	lastPartitionId: number;
	sortOrders: readonly SortOrder[];
	defaultSortOrderId: number;
	properties: Readonly<Record<string, string>>;
	currentSnapshotId: bigint | undefined;
	/** by id, in the order in which they were added */
	readonly snapshots: Map<bigint, Snapshot>;
	readonly snapshotLog: SnapshotLogEntry[];
	readonly refs: Map<string, SnapshotRef>;
	statistics: readonly StatisticsFileEntry[];
	partitionStatistics: readonly StatisticsFileEntry[];
	nextRowId: bigint | undefined;
	encryptionKeys: readonly JsonValue[] | undefined;
	extra: Readonly<Record<string, JsonValue>> | undefined;
	// What the id -1 stands for.
	lastAddedSchemaId: number | undefined;
	lastAddedSpecId: number | undefined;
	lastAddedOrderId: number | undefined;
	/** snapshots that these updates added */
	readonly addedSnapshotIds: Set<bigint>;
	/** of those, the ones that became current */
	readonly becameCurrent: Set<bigint>;
	snapshotsRemoved: boolean;
}

/** -1 in place of an id that no schema, spec or order has yet. */
const NONE = -1;

export function draftOf(base: TableMetadata | undefined, nowMs: number): Draft {
	return {
		base,
		nowMs: base === undefined ? nowMs : Math.max(nowMs, base.lastUpdatedMs),
		changed: base === undefined,
		formatVersion: base?.formatVersion ?? 2,
		tableUuid: base?.tableUuid,
		location: base?.location,
		lastSequenceNumber: base?.lastSequenceNumber ?? 0n,
		lastColumnId: base?.lastColumnId ?? 0,
		schemas: base?.schemas ?? [],
		currentSchemaId: base?.currentSchemaId ?? NONE,
		partitionSpecs: base?.partitionSpecs ?? [],
		defaultSpecId: base?.defaultSpecId ?? NONE,
		lastPartitionId: base?.lastPartitionId ?? 999,
		sortOrders: base?.sortOrders ?? [],
		defaultSortOrderId: base?.defaultSortOrderId ?? NONE,
		properties: base?.properties ?? {},
		currentSnapshotId: base?.currentSnapshotId,
		snapshots: new Map(base?.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot])),
		snapshotLog: [...(base?.snapshotLog ?? [])],
		refs: new Map(Object.entries(base?.refs ?? {})),
		statistics: base?.statistics ?? [],
		partitionStatistics: base?.partitionStatistics ?? [],
		nextRowId: base?.nextRowId,
		encryptionKeys: base?.encryptionKeys,
		extra: base?.extra,
		lastAddedSchemaId: undefined,
		lastAddedSpecId: undefined,
		lastAddedOrderId: undefined,
		addedSnapshotIds: new Set(),
		becameCurrent: new Set(),
		snapshotsRemoved: false,
	};
}

/** Takes away the statistics of one snapshot. */
export function removeStatistics(draft: Draft, list: 'statistics' | 'partitionStatistics', snapshotId: bigint): void {
	const kept = draft[list].filter((entry) => entry.snapshotId !== snapshotId);
	if (kept.length !== draft[list].length) set(draft, list, kept);
}

/** Sets a part of the draft. */
export function set<K extends 'location' | 'statistics' | 'partitionStatistics'>(
	draft: Draft,
	key: K,
	value: Draft[K],
): void {
	if (draft[key] === value) return;
	draft[key] = value;
	draft.changed = true;
}
