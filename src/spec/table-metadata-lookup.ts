/** Finding things in table metadata. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { partitionType, type PartitionSpec } from './partition-spec.ts';
import type { Schema } from './schema.ts';
import type { Snapshot, SnapshotRef } from './snapshot.ts';
import type { SortOrder } from './sort-order.ts';
import type { TableMetadata } from './table-metadata.ts';
import type { StructType } from './types.ts';

/** The branch that is read and written when none is named. */
export const MAIN_BRANCH = 'main';

/** The schema that reads and writes use now. @throws `CORRUPT` when the metadata lacks it */
export function currentSchema(metadata: TableMetadata): Schema {
	const schema = schemaById(metadata, metadata.currentSchemaId);
	if (schema === undefined)
		throw new IcebergError('CORRUPT', `the current schema, ${metadata.currentSchemaId}, is not in the metadata`);
	return schema;
}

export function schemaById(metadata: TableMetadata, schemaId: number): Schema | undefined {
	return metadata.schemas.find((schema) => schema.schemaId === schemaId);
}

/** The schema that a snapshot was written with; the current one for snapshots of old writers that name none. */
export function schemaOfSnapshot(metadata: TableMetadata, snapshot: Snapshot): Schema {
	const schema = snapshot.schemaId === undefined ? undefined : schemaById(metadata, snapshot.schemaId);
	return schema ?? currentSchema(metadata);
}

/** The spec that writes use now. @throws `CORRUPT` when the metadata lacks it */
export function defaultSpec(metadata: TableMetadata): PartitionSpec {
	const spec = specById(metadata, metadata.defaultSpecId);
	if (spec === undefined)
		throw new IcebergError('CORRUPT', `the default partition spec, ${metadata.defaultSpecId}, is not in the metadata`);
	return spec;
}

export function specById(metadata: TableMetadata, specId: number): PartitionSpec | undefined {
	return metadata.partitionSpecs.find((spec) => spec.specId === specId);
}

/** The partition type of a spec, source columns looked for in the current schema first and then in all others. */
export function partitionTypeIn(metadata: TableMetadata, spec: PartitionSpec): StructType {
	return partitionType(spec, currentSchema(metadata), ...[...metadata.schemas].reverse());
}

/** The order that writes use now. @throws `CORRUPT` when the metadata lacks it */
export function defaultSortOrder(metadata: TableMetadata): SortOrder {
	const order = sortOrderById(metadata, metadata.defaultSortOrderId);
	if (order === undefined)
		throw new IcebergError('CORRUPT', `the default sort order, ${metadata.defaultSortOrderId}, is not in the metadata`);
	return order;
}

export function sortOrderById(metadata: TableMetadata, orderId: number): SortOrder | undefined {
	return metadata.sortOrders.find((order) => order.orderId === orderId);
}

export function snapshotById(metadata: TableMetadata, snapshotId: bigint): Snapshot | undefined {
	// The newest are asked for most.
	return metadata.snapshots.findLast((snapshot) => snapshot.snapshotId === snapshotId);
}

/** `undefined` for a table without snapshots. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
	return metadata.currentSnapshotId === undefined ? undefined : snapshotById(metadata, metadata.currentSnapshotId);
}

/** A branch or tag by name. `main` is there whenever there is a current snapshot. */
export function refByName(metadata: TableMetadata, name: string): SnapshotRef | undefined {
	return Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
}

/** The snapshot that a branch or tag points at. */
export function snapshotByRef(metadata: TableMetadata, name: string): Snapshot | undefined {
	const ref = refByName(metadata, name);
	return ref === undefined ? undefined : snapshotById(metadata, ref.snapshotId);
}

/**
 * The snapshot that was current at a time, by the snapshot log (which also knows of rollbacks). `undefined` before the
 * first one, and where the log names a snapshot that is gone. Iceberg spec: Point in Time Reads (Time Travel).
 *
 * @param timestampMs milliseconds since 1970
 */
export function snapshotAsOf(metadata: TableMetadata, timestampMs: number): Snapshot | undefined {
	const entry = metadata.snapshotLog.findLast((candidate) => candidate.timestampMs <= timestampMs);
	return entry === undefined ? undefined : snapshotById(metadata, entry.snapshotId);
}

/**
 * For an instant before the snapshot log begins, in a history that was thinned: the newest snapshot not after it that is
 * still there. Which one was current then may not be known any more; it is not younger than that one. What branches and
 * tags point at, and what was only staged, does not count: it may never have been current.
 */
export function snapshotKeptBefore(metadata: TableMetadata, timestampMs: number): Snapshot | undefined {
	const first = metadata.snapshotLog[0];
	const begin = first === undefined ? undefined : snapshotById(metadata, first.snapshotId);
	const parent = begin?.parentSnapshotId;
	// Only removed snapshots make the log begin behind one that is gone.
	if (first === undefined || timestampMs >= first.timestampMs || parent === undefined) return undefined;
	if (snapshotById(metadata, parent) !== undefined) return undefined;
	const aside = new Set<bigint>();
	for (const { snapshotId } of Object.values(metadata.refs)) {
		if (snapshotId === metadata.currentSnapshotId) continue;
		for (const snapshot of ancestorsOf(metadata, snapshotId)) aside.add(snapshot.snapshotId);
	}
	let newest: Snapshot | undefined;
	for (const snapshot of metadata.snapshots) {
		if (snapshot.timestampMs > timestampMs || aside.has(snapshot.snapshotId)) continue;
		if (snapshot.summary?.['wap.id'] !== undefined) continue;
		if (newest === undefined || snapshot.timestampMs >= newest.timestampMs) newest = snapshot;
	}
	return newest;
}

/** A snapshot and its ancestors that are still in the metadata, newest first. */
export function* ancestorsOf(metadata: TableMetadata, snapshotId: bigint | undefined): Iterable<Snapshot> {
	const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
	let next = snapshotId;
	while (next !== undefined) {
		const snapshot = byId.get(next);
		if (snapshot === undefined) return;
		// Each is given once, so that a cycle in broken metadata ends.
		byId.delete(next);
		yield snapshot;
		next = snapshot.parentSnapshotId;
	}
}

/** True when `ancestorId` is `snapshotId` or one of its ancestors. */
export function isAncestorOf(metadata: TableMetadata, snapshotId: bigint | undefined, ancestorId: bigint): boolean {
	for (const snapshot of ancestorsOf(metadata, snapshotId)) if (snapshot.snapshotId === ancestorId) return true;
	return false;
}
