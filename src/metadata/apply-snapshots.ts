/** Updates of snapshots and refs. Iceberg spec: Snapshots; Snapshot References; Snapshot Row IDs. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Snapshot, SnapshotRef } from '../spec/snapshot.ts';
import { MAIN_BRANCH } from '../spec/table-metadata-lookup.ts';
import { type Draft, removeStatistics } from './draft.ts';

export function addSnapshot(draft: Draft, snapshot: Snapshot): void {
	const id = snapshot.snapshotId;
	if (draft.schemas.length === 0 || draft.partitionSpecs.length === 0 || draft.sortOrders.length === 0) {
		throw new IcebergError('INVALID_ARGUMENT', 'a snapshot needs a schema, a partition spec and a sort order first');
	}
	if (draft.snapshots.has(id)) throw refused(id, 'the table has a snapshot of that id already');
	checkSequenceNumber(draft, snapshot);
	if (draft.formatVersion >= 3) takeRowIds(draft, snapshot);
	if (snapshot.sequenceNumber > draft.lastSequenceNumber) draft.lastSequenceNumber = snapshot.sequenceNumber;
	draft.snapshots.set(id, snapshot);
	draft.addedSnapshotIds.add(id);
	draft.changed = true;
}

/** Sets a branch or tag. Setting `main` makes its snapshot the current one. */
export function setRef(draft: Draft, name: string, ref: SnapshotRef): void {
	const existing = draft.refs.get(name);
	if (existing !== undefined && refsEqual(existing, ref)) return;
	const snapshot = draft.snapshots.get(ref.snapshotId);
	if (snapshot === undefined) {
		throw new IcebergError('VALIDATION_FAILED', `cannot set '${name}': there is no snapshot ${ref.snapshotId}`);
	}
	checkRef(name, ref);
	if (name === MAIN_BRANCH && draft.currentSnapshotId !== ref.snapshotId) makeCurrent(draft, snapshot);
	draft.refs.set(name, ref);
	draft.changed = true;
}

/** A name that no ref has is passed over. Removing `main` leaves the table without a current snapshot. */
export function removeRef(draft: Draft, name: string): void {
	if (!draft.refs.delete(name)) return;
	if (name === MAIN_BRANCH) draft.currentSnapshotId = undefined;
	draft.changed = true;
}

/** Takes snapshots away with their statistics and the refs to them; ids that no snapshot has are passed over. */
export function removeSnapshots(draft: Draft, snapshotIds: readonly bigint[]): void {
	for (const id of snapshotIds) {
		if (id === draft.currentSnapshotId) throw refused(id, 'it is the current one, and cannot be removed');
		if (!draft.snapshots.delete(id)) continue;
		draft.snapshotsRemoved = true;
		draft.changed = true;
		removeStatistics(draft, 'statistics', id);
		removeStatistics(draft, 'partitionStatistics', id);
	}
	for (const [name, ref] of draft.refs) if (!draft.snapshots.has(ref.snapshotId)) removeRef(draft, name);
}

function checkSequenceNumber(draft: Draft, snapshot: Snapshot): void {
	const { sequenceNumber, snapshotId } = snapshot;
	if (draft.formatVersion === 1) {
		if (sequenceNumber !== 0n)
			throw refused(snapshotId, `format version 1 has no sequence number such as ${sequenceNumber}`);
		return;
	}
	if (sequenceNumber > draft.lastSequenceNumber || snapshot.parentSnapshotId === undefined) return;
	throw new IcebergError(
		'COMMIT_CONFLICT',
		`snapshot ${snapshotId} has the sequence number ${sequenceNumber}, which is not above the last one, ${draft.lastSequenceNumber}`,
		{ retryable: true, context: { snapshotId, sequenceNumber, lastSequenceNumber: draft.lastSequenceNumber } },
	);
}

function takeRowIds(draft: Draft, snapshot: Snapshot): void {
	const { snapshotId, firstRowId, addedRows } = snapshot;
	if (firstRowId === undefined || addedRows === undefined) {
		throw refused(snapshotId, 'in format version 3 it needs a first row id and a number of added rows');
	}
	if (addedRows < 0n) throw refused(snapshotId, `it cannot have added ${addedRows} rows`);
	const nextRowId = draft.nextRowId ?? 0n;
	if (firstRowId < nextRowId) {
		throw new IcebergError(
			'COMMIT_CONFLICT',
			`snapshot ${snapshotId} has the first row id ${firstRowId}, but ids below ${nextRowId} are taken`,
			{ retryable: true, context: { snapshotId, firstRowId, nextRowId } },
		);
	}
	draft.nextRowId = firstRowId + addedRows;
}

function checkRef(name: string, ref: SnapshotRef): void {
	const fail = (reason: string): never => {
		throw new IcebergError('INVALID_ARGUMENT', `ref '${name}': ${reason}`, { context: { ref: name } });
	};
	if (name === '') fail('a name is not empty');
	if (name === MAIN_BRANCH && ref.type !== 'branch') fail('it is a branch, and cannot become a tag');
	if (ref.type === 'tag' && (ref.minSnapshotsToKeep !== undefined || ref.maxSnapshotAgeMs !== undefined)) {
		fail('a tag keeps one snapshot: it has no minSnapshotsToKeep or maxSnapshotAgeMs');
	}
	const limits = {
		minSnapshotsToKeep: ref.minSnapshotsToKeep,
		maxSnapshotAgeMs: ref.maxSnapshotAgeMs,
		maxRefAgeMs: ref.maxRefAgeMs,
	};
	for (const [key, value] of Object.entries(limits)) {
		if (value !== undefined && !(value > 0)) fail(`${key} has to be above 0, not ${value}`);
	}
}

function makeCurrent(draft: Draft, snapshot: Snapshot): void {
	const id = snapshot.snapshotId;
	const isNew = draft.addedSnapshotIds.has(id);
	// Going back to an older snapshot is a change of now; the log says when each became current.
	const changedAtMs = isNew ? snapshot.timestampMs : draft.nowMs;
	// A clock that was set back must not put the log out of order: time travel would find the wrong snapshot.
	const lastMs = draft.snapshotLog.at(-1)?.timestampMs ?? changedAtMs;
	draft.snapshotLog.push({ snapshotId: id, timestampMs: Math.max(changedAtMs, lastMs) });
	draft.currentSnapshotId = id;
	if (isNew) draft.becameCurrent.add(id);
}

function refsEqual(a: SnapshotRef, b: SnapshotRef): boolean {
	return (
		a.snapshotId === b.snapshotId &&
		a.type === b.type &&
		a.minSnapshotsToKeep === b.minSnapshotsToKeep &&
		a.maxSnapshotAgeMs === b.maxSnapshotAgeMs &&
		a.maxRefAgeMs === b.maxRefAgeMs
	);
}

function refused(snapshotId: bigint, reason: string): IcebergError {
	return new IcebergError('VALIDATION_FAILED', `snapshot ${snapshotId}: ${reason}`, { context: { snapshotId } });
}
