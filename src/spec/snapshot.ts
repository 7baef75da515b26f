/** Iceberg spec: Snapshots, Snapshot References. */
import type { JsonValue } from './types.ts';

export type SnapshotOperation = 'append' | 'replace' | 'overwrite' | 'delete';

export interface Snapshot {
	readonly snapshotId: bigint;
	readonly parentSnapshotId?: bigint;
	/** 0n in v1 tables */
	readonly sequenceNumber: bigint;
	/** milliseconds since 1970 */
	readonly timestampMs: number;
	/** absent in old v1 tables that list `manifests` */
	readonly manifestList?: string;
	/** v1 only */
	readonly manifests?: readonly string[];
	/** text to text; `operation` is among them. Absent in old v1 tables */
	readonly summary?: Readonly<Record<string, string>>;
	readonly schemaId?: number;
	/** v3 */
	readonly firstRowId?: bigint;
	readonly addedRows?: bigint;
	readonly keyId?: string;
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

export interface SnapshotRef {
	readonly snapshotId: bigint;
	readonly type: 'branch' | 'tag';
	readonly minSnapshotsToKeep?: number;
	readonly maxSnapshotAgeMs?: number;
	readonly maxRefAgeMs?: number;
	readonly extra?: Readonly<Record<string, JsonValue>>;
}
export interface SnapshotLogEntry {
	readonly snapshotId: bigint;
	readonly timestampMs: number;
	readonly extra?: Readonly<Record<string, JsonValue>>;
}
export interface MetadataLogEntry {
	readonly metadataFile: string;
	readonly timestampMs: number;
	readonly extra?: Readonly<Record<string, JsonValue>>;
}
