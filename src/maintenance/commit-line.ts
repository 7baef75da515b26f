/** The commits of a table as this thread sees them, in one line; what they dropped goes to the garbage trail. */
import type { FileIO } from '../io/file-io.ts';
import type { ManifestFile } from '../manifest/types.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { currentSnapshot } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { rememberedManifests } from '../transaction/manifest-lists.ts';
import type { GarbageTrail } from './garbage-trail.ts';

/** What a manifest list takes, about, and each manifest in it; only the budget of garbage depends on it, bytes. */
const LIST_SIZE_BYTES = 1_400;
const LIST_ENTRY_SIZE_BYTES = 95;
/** Commits of others between two of our own that are followed, at most. */
const MAX_STEPS = 200;

/** Commits after which it is looked at what has become garbage, even if no snapshot was removed. */
const COMMITS_BETWEEN_LOOKS = 64;

interface Head {
	readonly snapshotId: bigint;
	readonly sequenceNumber: bigint;
	readonly manifests: ReadonlyMap<string, ManifestFile>;
}

export class CommitLine {
	readonly #io: FileIO;
	readonly #trail: GarbageTrail;
	#head: Head | undefined;
	/** where the line began: what was dropped before is not known */
	#beganAt = 0n;
	readonly #known = new Set<bigint>();
	#snapshotCount = 0;
	#commits = 0;

	constructor(io: FileIO, trail: GarbageTrail) {
		this.#io = io;
		this.#trail = trail;
	}

	/**
	 * Follows the line to the newest snapshot, whose manifest list must have been read or written a moment ago.
	 * @param replaced data files that the newest commit took out of the table
	 * @returns false when the line is broken, or something in it cannot be told: what became garbage is not all known
	 */
	note(metadata: TableMetadata, replaced: readonly FileScanTask[], nowMs: number): boolean {
		const newest = currentSnapshot(metadata);
		if (newest === undefined || metadata.formatVersion === 1) return false;
		if (newest.snapshotId === this.#head?.snapshotId) return this.#settle(metadata, nowMs);
		// A state that was overtaken before it was told of.
		if (this.#head !== undefined && newest.sequenceNumber < this.#head.sequenceNumber)
			if (this.#known.has(newest.snapshotId)) return replaced.length === 0;
		const list = rememberedManifests(this.#io, newest.manifestList);
		const between = this.#head === undefined ? undefined : snapshotsSince(metadata, newest, this.#head.snapshotId);
		if (list === undefined || between === undefined) {
			this.#begin(newest, list);
			return false;
		}
		const manifests = new Map(list.map((manifest) => [manifest.location, manifest]));
		const droppedAt = Number(newest.sequenceNumber);
		for (const [location, { length, sequenceNumber }] of (this.#head as Head).manifests) {
			if (manifests.has(location)) continue;
			this.#trail.drop({ location, kind: 'manifest', sizeBytes: length, bornAt: Number(sequenceNumber), droppedAt });
		}
		for (const { file, sequenceNumber, fileSequenceNumber } of replaced) {
			this.#trail.drop({
				location: file.location,
				kind: 'data',
				sizeBytes: file.fileSizeInBytes,
				bornAt: Number(fileSequenceNumber ?? sequenceNumber),
				droppedAt,
			});
		}
		let isWhole = true;
		for (const snapshot of between) {
			this.#known.add(snapshot.snapshotId);
			this.#dropListOf(snapshot, list.length);
			isWhole &&= removedNothing(snapshot) || (snapshot === newest && replaced.length > 0);
		}
		this.#head = { snapshotId: newest.snapshotId, sequenceNumber: newest.sequenceNumber, manifests };
		const isThinned = metadata.snapshots.length <= this.#snapshotCount;
		this.#snapshotCount = metadata.snapshots.length;
		if (!isThinned && ++this.#commits < COMMITS_BETWEEN_LOOKS) return isWhole;
		this.#commits = 0;
		return this.#settle(metadata, nowMs) && isWhole;
	}

	#begin(newest: Snapshot, list: readonly ManifestFile[] | undefined): void {
		this.#trail.forget();
		this.#known.clear();
		this.#head = undefined;
		if (list === undefined) return;
		this.#head = {
			snapshotId: newest.snapshotId,
			sequenceNumber: newest.sequenceNumber,
			manifests: new Map(list.map((manifest) => [manifest.location, manifest])),
		};
		this.#beganAt = newest.sequenceNumber;
		this.#snapshotCount = Number.POSITIVE_INFINITY;
		this.#known.add(newest.snapshotId);
		this.#dropListOf(newest, list.length);
	}

	/** No other snapshot than its own reaches a manifest list. */
	#dropListOf({ manifestList: location, sequenceNumber }: Snapshot, manifestCount: number): void {
		if (location === undefined) return;
		const bornAt = Number(sequenceNumber);
		const sizeBytes = LIST_SIZE_BYTES + LIST_ENTRY_SIZE_BYTES * manifestCount;
		this.#trail.drop({ location, kind: 'manifest-list', sizeBytes, bornAt, droppedAt: bornAt + 1 });
	}

	/** What is in no line with ours may reach anything: then nothing is said of any file. */
	#settle(metadata: TableMetadata, nowMs: number): boolean {
		const { snapshots } = metadata;
		const stranger = snapshots.find(
			({ snapshotId, sequenceNumber }) => sequenceNumber > this.#beganAt && !this.#known.has(snapshotId),
		);
		if (stranger !== undefined) {
			this.#trail.forget();
			this.#known.clear();
			this.#head = undefined;
			return false;
		}
		const retained = snapshots.map(({ sequenceNumber }) => Number(sequenceNumber)).sort((a, b) => a - b);
		this.#trail.settle(retained, nowMs);
		if (this.#known.size > 2 * snapshots.length + MAX_STEPS) {
			const here = new Set(snapshots.map(({ snapshotId }) => snapshotId));
			for (const id of this.#known) if (!here.has(id)) this.#known.delete(id);
		}
		return true;
	}
}

/** The snapshots after one of its ancestors up to `newest`; `undefined` when that is not found among the nearest. */
function snapshotsSince(metadata: TableMetadata, newest: Snapshot, ancestorId: bigint): Snapshot[] | undefined {
	if (newest.parentSnapshotId === ancestorId) return [newest];
	const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
	const found: Snapshot[] = [];
	let next: Snapshot | undefined = newest;
	while (next !== undefined && found.length < MAX_STEPS) {
		found.push(next);
		if (next.parentSnapshotId === ancestorId) return found.reverse();
		next = next.parentSnapshotId === undefined ? undefined : byId.get(next.parentSnapshotId);
	}
	return undefined;
}

/** True for a snapshot that took no data or delete file out of the table. */
function removedNothing({ summary }: Snapshot): boolean {
	if (summary?.['operation'] === 'append') return true;
	if (summary?.['operation'] !== 'replace') return false;
	const removed = (name: string): boolean => !['0', undefined].includes(summary[name]);
	return !removed('deleted-data-files') && !removed('removed-delete-files');
}
