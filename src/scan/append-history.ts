/**
 * What a table's metadata tell of the way from an earlier state to the newest one, for those who want only the rows that
 * were appended. Pure.
 */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { ancestorsOf, currentSnapshot, MAIN_BRANCH, snapshotById } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** A state of a table's main branch, by what outlives its snapshot. */
export interface HistoryPoint {
	/** of its snapshot; 0n for a table without one, and in format v1 */
	readonly sequenceNumber: bigint;
	/** undefined for a table without a snapshot, and where nobody knows */
	readonly snapshotId: bigint | undefined;
	/** rows in its data files; undefined where nobody knows */
	readonly totalRecords: bigint | undefined;
}

/** What is to be done next. */
export type HistoryStep =
	/** nothing is new */
	| { readonly kind: 'none' }
	/** one snapshot of a format v1 table, which appended rows (or put none in: `rows` false) */
	| { readonly kind: 'snapshot'; readonly target: Snapshot; readonly rows: boolean }
	/** the rows that were appended since, as they stand in a later state */
	| AppendStep
	/** a snapshot that did something else to rows than appending them */
	| { readonly kind: 'change'; readonly snapshot: Snapshot };

export interface AppendStep {
	readonly kind: 'appends';
	readonly target: Snapshot;
	/** snapshots on the way that the table still has, newest first */
	readonly known: readonly Snapshot[];
	/** whether each snapshot on the way is known to be one of `known`: there is nothing to be proved then */
	readonly isWhole: boolean;
	/** a snapshot of which no file is taken: what it wrote was no append */
	readonly without: bigint | undefined;
}

/**
 * The next step from an earlier state to the newest.
 *
 * @param skipChanges go past snapshots that changed or removed rows as well as the metadata allows
 * @throws `VALIDATION_FAILED` when the newest state does not come after the earlier one (`context.reason`: `rolled-back`), or
 *   when its way from there cannot be told any more (`position-lost`)
 */
export function nextHistoryStep(metadata: TableMetadata, from: HistoryPoint, skipChanges: boolean): HistoryStep {
	const current = currentSnapshot(metadata);
	if (current === undefined) {
		if (from.sequenceNumber === 0n && from.snapshotId === undefined) return { kind: 'none' };
		throw rolledBack(metadata, from, undefined);
	}
	if (current.snapshotId === from.snapshotId) return { kind: 'none' };
	const byParents = from.sequenceNumber === 0n && from.snapshotId !== undefined;
	if (current.sequenceNumber === 0n || byParents) return nextByParents(metadata, current, from);
	if (current.sequenceNumber < from.sequenceNumber) throw rolledBack(metadata, from, current);
	if (current.sequenceNumber === from.sequenceNumber) return { kind: 'none' };
	return nextBySequence(metadata, current, from, skipChanges);
}

function nextBySequence(
	metadata: TableMetadata,
	current: Snapshot,
	from: HistoryPoint,
	skipChanges: boolean,
): HistoryStep {
	const known: Snapshot[] = [];
	let reached: Snapshot | undefined = current;
	while (reached !== undefined && reached.sequenceNumber > from.sequenceNumber) {
		known.push(reached);
		const parent = parentOf(metadata, reached);
		// Broken metadata must not lead round in circles.
		reached = parent !== undefined && parent.sequenceNumber < reached.sequenceNumber ? parent : undefined;
	}
	const start = snapshotOfPoint(metadata, from);
	if (reached !== undefined && start !== undefined && start !== reached) throw rolledBack(metadata, from, current);
	const changeAt = known.findLastIndex((snapshot) => !onlyAddsFiles(snapshot));
	const oldest = known.at(-1) as Snapshot;
	// A parent that is gone itself may be the state in question.
	const isLinked =
		reached === undefined
			? from.snapshotId === undefined || oldest.parentSnapshotId === from.snapshotId
			: reached.sequenceNumber === from.sequenceNumber;
	if (changeAt < 0) return appends(known, from, isLinked);
	const change = known[changeAt] as Snapshot;
	const before = known.slice(changeAt + 1);
	if (before.length > 0) return appends(before, from, isLinked);
	// What was appended between must be looked for where the change has left it.
	if (skipChanges && change.sequenceNumber > from.sequenceNumber + 1n)
		return { kind: 'appends', target: change, known: [change], isWhole: true, without: change.snapshotId };
	return { kind: 'change', snapshot: change };
}

/**
 * @param known on the way, newest first
 * @param isLinked whether the oldest of them comes right after `from`, as far as parents tell
 */
function appends(known: readonly Snapshot[], from: HistoryPoint, isLinked: boolean): AppendStep {
	const target = known[0] as Snapshot;
	// Sequence numbers count all commits: where none is left out, no snapshot is.
	const isWhole = isLinked && target.sequenceNumber - from.sequenceNumber === BigInt(known.length);
	return { kind: 'appends', target, known, isWhole, without: undefined };
}

/** Without sequence numbers: one snapshot after the other, all of which must still be there. */
function nextByParents(metadata: TableMetadata, current: Snapshot, from: HistoryPoint): HistoryStep {
	let next: Snapshot = current;
	for (let steps = 0; steps <= metadata.snapshots.length; steps++) {
		const parent = parentOf(metadata, next);
		if (next.parentSnapshotId === from.snapshotId) {
			if (!onlyAddsFiles(next)) return { kind: 'change', snapshot: next };
			return { kind: 'snapshot', target: next, rows: next.summary?.['operation'] === 'append' };
		}
		if (parent === undefined) break;
		next = parent;
	}
	if (next.parentSnapshotId === undefined) throw rolledBack(metadata, from, current);
	throw new IcebergError(
		'VALIDATION_FAILED',
		`${metadata.location} is of format v1, which numbers no commits, and snapshots after ${from.snapshotId ?? 'its start'} ` +
			"have been expired: what was appended since cannot be told. Begin anew, from 'now' or from 'start'",
		{ context: { ...contextOf(metadata, from), reason: 'position-lost' } },
	);
}

/** The newest state before a sequence number, of those on the way, that the table still has. */
export function newestBefore(known: readonly Snapshot[], sequenceNumber: bigint): Snapshot | undefined {
	return known.find((snapshot) => snapshot.sequenceNumber < sequenceNumber);
}

/** The newest state of the main branch, not after a point, that the table still has. */
export function newestNotAfter(metadata: TableMetadata, point: HistoryPoint): Snapshot | undefined {
	let newest: Snapshot | undefined;
	for (const snapshot of statesOfMain(metadata)) {
		const { sequenceNumber } = snapshot;
		if (sequenceNumber > point.sequenceNumber) continue;
		if (newest === undefined || sequenceNumber > newest.sequenceNumber) newest = snapshot;
	}
	return newest;
}

/** The oldest state of the main branch from which on the table has every snapshot. */
export function oldestState(metadata: TableMetadata): Snapshot | undefined {
	return [...ancestorsOf(metadata, metadata.currentSnapshotId)].at(-1);
}

/**
 * The states that the main branch had, oldest first. Before a gap in its history parents do not tell, nor does the snapshot
 * log: what no other branch has, and nobody staged, counts as its own.
 */
function statesOfMain(metadata: TableMetadata): Snapshot[] {
	const main = new Set(metadata.snapshotLog.map(({ snapshotId }) => snapshotId));
	for (const { snapshotId } of ancestorsOf(metadata, metadata.currentSnapshotId)) main.add(snapshotId);
	const others = new Set<bigint>();
	for (const [name, ref] of Object.entries(metadata.refs)) {
		if (name === MAIN_BRANCH || ref.type !== 'branch') continue;
		for (const { snapshotId } of ancestorsOf(metadata, ref.snapshotId)) others.add(snapshotId);
	}
	return metadata.snapshots.filter(
		({ snapshotId, summary }) => main.has(snapshotId) || (!others.has(snapshotId) && summary?.['wap.id'] === undefined),
	);
}

/** True for operations that leave all rows that were there as they are. */
function onlyAddsFiles(snapshot: Snapshot): boolean {
	const operation = snapshot.summary?.['operation'];
	return operation === 'append' || operation === 'replace';
}

function parentOf(metadata: TableMetadata, snapshot: Snapshot): Snapshot | undefined {
	return snapshot.parentSnapshotId === undefined ? undefined : snapshotById(metadata, snapshot.parentSnapshotId);
}

/** The snapshot of a point, if the table still has it. */
function snapshotOfPoint(metadata: TableMetadata, point: HistoryPoint): Snapshot | undefined {
	if (point.snapshotId !== undefined) return snapshotById(metadata, point.snapshotId);
	if (point.sequenceNumber === 0n) return undefined;
	return statesOfMain(metadata).find(({ sequenceNumber }) => sequenceNumber === point.sequenceNumber);
}

function rolledBack(metadata: TableMetadata, from: HistoryPoint, current: Snapshot | undefined): IcebergError {
	const now =
		current === undefined
			? 'has no snapshot now'
			: `is at snapshot ${current.snapshotId} (sequence number ${current.sequenceNumber}) now`;
	return new IcebergError(
		'VALIDATION_FAILED',
		`${metadata.location} ${now}, which does not come after ${pointText(from)}: it was rolled back, or that is no state of ` +
			"its main branch. Rows that were given may be gone; begin anew, from 'now', from 'start' or from a snapshot",
		{ context: { ...contextOf(metadata, from), reason: 'rolled-back', currentSnapshotId: current?.snapshotId } },
	);
}

/** A point in a message. */
export function pointText({ sequenceNumber, snapshotId }: HistoryPoint): string {
	const snapshot = snapshotId === undefined ? '' : ` of snapshot ${snapshotId}`;
	return `the position at sequence number ${sequenceNumber}${snapshot}`;
}

export function contextOf(metadata: TableMetadata, from: HistoryPoint): Record<string, unknown> {
	return { location: metadata.location, sequenceNumber: from.sequenceNumber, snapshotId: from.snapshotId };
}
