import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import {
	currentSchema,
	currentSnapshot,
	schemaOfSnapshot,
	snapshotAsOf,
	snapshotById,
	snapshotByRef,
	snapshotKeptBefore,
} from '../spec/table-metadata-lookup.ts';
import type { CallOptions } from '../util/deadline.ts';
import type { Clock } from '../util/ports.ts';

/** Which state of a table a read looks at. At most one key may be given; none means the newest. */
export interface SnapshotSelector {
	readonly snapshotId?: bigint | number | string;
	/**
	 * The state at this instant: milliseconds since 1970, or a `Date`. Where history has been thinned, the newest state before it
	 * that is kept.
	 */
	readonly asOfMs?: number | Date;
	/** a branch or tag */
	readonly ref?: string;
}

/** Which state a call reads, and how long it may take. */
export interface StateReadOptions extends SnapshotSelector, CallOptions {}

/** A table's state that reads start from, and where its files are. */
export interface TableState {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
}

/** What a follow reads from. */
export interface FollowSource {
	/** for messages */
	readonly location: string;
	readonly clock: Clock;
	/** aborted when the table is closed */
	readonly closing: AbortSignal;
	/** the newest state, and the file that it was read from */
	state(signal?: AbortSignal): Promise<TableState & { readonly metadataLocation: string }>;
}

/** A selector resolved against metadata. */
export interface SelectedSnapshot {
	/** undefined: a table, or an instant of it, without a snapshot */
	readonly snapshot: Snapshot | undefined;
	/** the schema to read with: that of the snapshot, but the current one for the newest state and for branches */
	readonly schema: Schema;
}

/**
 * Finds the snapshot that a selector names, and the schema to read it with (as Java's Iceberg does: a snapshot by id, by
 * time or by tag is read with its own schema; a branch with the table's current one).
 *
 * @throws `INVALID_ARGUMENT` when more than one key is given or a value is of the wrong kind; `NOT_FOUND` when there is
 * no such snapshot or ref, or the table's history does not reach back to the instant
 */
export function selectSnapshot(metadata: TableMetadata, selector: SnapshotSelector): SelectedSnapshot {
	const given = (['snapshotId', 'asOfMs', 'ref'] as const).filter((key) => selector[key] !== undefined);
	if (given.length > 1) {
		throw new IcebergError('INVALID_ARGUMENT', `give only one of ${given.join(', ')}`, { context: { given } });
	}
	if (selector.snapshotId !== undefined) {
		const id = snapshotIdFrom(selector.snapshotId);
		const snapshot = snapshotById(metadata, id);
		if (snapshot === undefined) throw noSnapshot(metadata, id);
		return { snapshot, schema: schemaOfSnapshot(metadata, snapshot) };
	}
	if (selector.asOfMs !== undefined) {
		const instantMs = instantFrom(selector.asOfMs);
		const snapshot = snapshotAsOf(metadata, instantMs) ?? snapshotKeptBefore(metadata, instantMs);
		if (snapshot === undefined) {
			throw new IcebergError('NOT_FOUND', `the table has no snapshot as of ${new Date(instantMs).toISOString()}`, {
				context: { asOfMs: instantMs, location: metadata.location },
			});
		}
		return { snapshot, schema: schemaOfSnapshot(metadata, snapshot) };
	}
	if (selector.ref !== undefined) {
		const ref = Object.hasOwn(metadata.refs, selector.ref) ? metadata.refs[selector.ref] : undefined;
		if (ref === undefined) {
			if (selector.ref === 'main') return { snapshot: undefined, schema: currentSchema(metadata) };
			throw new IcebergError('NOT_FOUND', `the table has no branch or tag '${selector.ref}'`, {
				context: { ref: selector.ref, refs: Object.keys(metadata.refs) },
			});
		}
		const snapshot = snapshotByRef(metadata, selector.ref);
		if (snapshot === undefined) throw noSnapshot(metadata, ref.snapshotId);
		return { snapshot, schema: ref.type === 'tag' ? schemaOfSnapshot(metadata, snapshot) : currentSchema(metadata) };
	}
	return { snapshot: currentSnapshot(metadata), schema: currentSchema(metadata) };
}

/** A snapshot id as callers give it. @throws `INVALID_ARGUMENT` for what cannot be one exactly */
export function snapshotIdFrom(id: bigint | number | string): bigint {
	if (typeof id === 'bigint') return id;
	if (typeof id === 'number' && Number.isSafeInteger(id)) return BigInt(id);
	if (typeof id === 'string' && /^-?\d{1,19}$/.test(id)) return BigInt(id);
	throw new IcebergError('INVALID_ARGUMENT', `a snapshot id is a bigint (or its digits as text), not ${String(id)}`, {
		context: { snapshotId: id },
	});
}

function instantFrom(asOf: number | Date): number {
	const instantMs = asOf instanceof Date ? asOf.getTime() : asOf;
	if (typeof instantMs === 'number' && Number.isFinite(instantMs)) return instantMs;
	throw new IcebergError(
		'INVALID_ARGUMENT',
		`an instant is milliseconds since 1970 or a valid Date, not ${String(asOf)}`,
	);
}

function noSnapshot(metadata: TableMetadata, id: bigint): IcebergError {
	return new IcebergError('NOT_FOUND', `the table has no snapshot ${id}`, {
		context: { snapshotId: id, location: metadata.location },
	});
}
