/** Deleting what nothing reaches any more, a step at a time. */
import type { FileIO } from '../io/file-io.ts';
import { baseName, withoutTrailingSlash } from '../io/location.ts';
import { samePlace } from '../io/same-place.ts';
import type { MaintenanceProperties } from '../metadata/maintenance-properties.ts';
import { booleanProperty, TABLE_PROPERTY } from '../metadata/table-properties.ts';
import { currentSnapshot } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { oldestReadMs } from '../table/open-reads.ts';
import type { Committer } from '../transaction/committer.ts';
import type { Clock } from '../util/ports.ts';
import { identityText, type Processes, writerOf } from '../util/process-identity.ts';
import { CleanupTally, type KeptFile } from './cleanup-report.ts';
import { deleteFiles } from './delete-files.ts';
import { deleteReleased } from './delete-released.ts';
import { FileKeys } from './file-key.ts';
import type { GarbageSort, GarbageTrail } from './garbage-trail.ts';
import { GoneWriters } from './gone-writers.ts';
import { CANDIDATES_PER_PASS, CandidateSet, findCandidates, ownFolders } from './orphan-candidates.ts';
import { keptManifests, liveEntriesOf } from './reachable-files.ts';
import { readSnapshotHistory, statisticsOf } from './snapshot-history.ts';

/** Files that one step deletes, at most. */
export const DELETIONS_PER_STEP = 256;
/** Files of garbage of a sort, beside the budget in bytes, from which on the grace shrinks. */
export const GARBAGE_FILES_LIMIT = 10_000;
/** Bytes of garbage of a sort for each live byte that the budget allows at least. */
const GARBAGE_PER_LIVE_BYTE: Readonly<Record<GarbageSort, number>> = { content: 2, metadata: 0.5 };
const SORTS: readonly GarbageSort[] = ['content', 'metadata'];
/** Writers whose files have been looked through that are remembered. */
const WRITERS_LIMIT = 100_000;

type DeletionProperties = MaintenanceProperties['deletion'];

export interface DeletionPorts {
	readonly committer: Committer;
	/** the folder by which the table was opened */
	readonly location: string;
	readonly clock: Clock;
	readonly processes: Processes;
}

export interface DeletionStep {
	readonly deletedCount: number;
	/** what could not be deleted */
	readonly kept: readonly KeptFile[];
	/** false when the limit cut it short */
	readonly isWhole: boolean;
}

export class BackgroundDeletion {
	readonly #ports: DeletionPorts;
	readonly #io: FileIO;
	readonly #trail: GarbageTrail;
	readonly #keys = new FileKeys();
	/** writers that were gone when their files were looked through */
	readonly #looked = new Set<string>();

	constructor(ports: DeletionPorts, trail: GarbageTrail) {
		this.#ports = ports;
		this.#io = ports.committer.io;
		this.#trail = trail;
	}

	/** False for a table whose files may be others', or that says where it is not: nothing of it is deleted. */
	mayDelete(metadata: TableMetadata): boolean {
		return (
			booleanProperty(metadata.properties, TABLE_PROPERTY.gcEnabled, true) &&
			samePlace(withoutTrailingSlash(metadata.location), withoutTrailingSlash(this.#ports.location))
		);
	}

	/** In how many ms the next file may go; `undefined` while there is no garbage. */
	dueInMs(metadata: TableMetadata, properties: DeletionProperties): number | undefined {
		const nowMs = this.#ports.clock.monotonicMs();
		let dueInMs: number | undefined;
		for (const sort of SORTS) {
			const oldest = this.#trail.oldest(sort);
			if (oldest === undefined) continue;
			const left = oldest.sinceMs + this.#graceMs(sort, metadata, properties) - nowMs;
			dueInMs = Math.min(dueInMs ?? left, left);
		}
		return dueInMs === undefined ? undefined : Math.max(0, dueInMs);
	}

	/** Whether there is more garbage than the budget allows for. */
	isOverBudget(metadata: TableMetadata, properties: DeletionProperties): boolean {
		return SORTS.some((sort) => this.#isTooMuch(sort, metadata, properties));
	}

	/** Deletes what has outlived its grace, up to a limit. */
	async step(
		metadata: TableMetadata,
		properties: DeletionProperties,
		signal: AbortSignal | undefined,
	): Promise<DeletionStep> {
		const { clock, location } = this.#ports;
		const tally = new CleanupTally(false, undefined);
		let isWhole = true;
		const readMs = oldestReadMs(location, clock) ?? Number.POSITIVE_INFINITY;
		for (const sort of SORTS) {
			const sinceMs = clock.monotonicMs() - this.#graceMs(sort, metadata, properties);
			// A read that began before a file was let go may need it.
			const files = this.#trail.take(sort, DELETIONS_PER_STEP, Math.min(sinceMs, readMs));
			isWhole &&= files.length < DELETIONS_PER_STEP;
			const own = files.filter((file) => this.#keys.isBelow(file.location, metadata.location));
			await deleteFiles(
				own.map((file) => ({ ...file, reason: 'no snapshot reaches it any more' })),
				{ io: this.#io, dryRun: false, tally, ...(signal === undefined ? {} : { signal }) },
			);
		}
		const { fileCount, kept } = tally.report();
		return { deletedCount: fileCount, kept, isWhole };
	}

	#graceMs(sort: GarbageSort, metadata: TableMetadata, properties: DeletionProperties): number {
		const isContent = sort === 'content';
		const graceMs = isContent ? properties.dataGraceMs : properties.graceMs;
		if (!this.#isTooMuch(sort, metadata, properties)) return graceMs;
		return Math.min(graceMs, isContent ? properties.leastGraceMs : properties.leastMetadataGraceMs);
	}

	#isTooMuch(sort: GarbageSort, metadata: TableMetadata, { budgetBytes }: DeletionProperties): boolean {
		const liveBytes = Number(currentSnapshot(metadata)?.summary?.['total-files-size'] ?? 0) || 0;
		const { count, sizeBytes } = this.#trail.amount(sort);
		return count > GARBAGE_FILES_LIMIT || sizeBytes > Math.max(budgetBytes, GARBAGE_PER_LIVE_BYTE[sort] * liveBytes);
	}

	/**
	 * Looks through the table's folders for files of writers that are gone, and takes those that nothing reaches: their grace
	 * begins now. What was looked through before is not again until another writer has gone.
	 */
	async sweep(signal: AbortSignal | undefined, breathe: () => Promise<void>): Promise<void> {
		const { committer, location, processes, clock } = this.#ports;
		const abort = signal === undefined ? {} : { signal };
		const { metadata: before } = await committer.load(signal);
		const candidates = new CandidateSet(this.#keys);
		const writers = new Set<string>();
		let isNew = false;
		const findings = await findCandidates(
			this.#io,
			ownFolders(before),
			{
				nowMs: clock.nowMs(),
				olderThanMs: Number.POSITIVE_INFINITY,
				historySinceMs: Number.NEGATIVE_INFINITY,
				goneWriters: new GoneWriters(this.#io, location, processes),
				...abort,
			},
			(candidate) => {
				if (candidate.version !== undefined || candidate.kind === 'unknown' || candidate.kind === 'metadata') return;
				const writer = writerOf(baseName(candidate.location));
				const name = writer === undefined ? '' : identityText(writer);
				isNew ||= name === '' || !this.#looked.has(name);
				writers.add(name);
				if (candidates.size < CANDIDATES_PER_PASS) candidates.add(candidate);
			},
		);
		// A catalog's metadata may be those of a table whose files are not known.
		if (!isNew || findings.catalogMetadata.length > 0) return;
		// Read after the folders: what was committed meanwhile is in use.
		const { metadata } = await committer.load(signal);
		await this.#use(metadata, candidates, signal, breathe);
		const sinceMs = clock.monotonicMs();
		for (const file of candidates.values()) {
			if (findings.nestedTables.some((folder) => file.location.startsWith(`${folder}/`))) continue;
			this.#trail.add({ location: file.location, kind: file.kind, sizeBytes: file.sizeBytes, sinceMs });
		}
		if (this.#looked.size > WRITERS_LIMIT) this.#looked.clear();
		for (const writer of writers) this.#looked.add(writer);
	}

	async #use(
		metadata: TableMetadata,
		candidates: CandidateSet,
		signal: AbortSignal | undefined,
		breathe: () => Promise<void>,
	): Promise<void> {
		for (const { metadataFile } of metadata.metadataLog) candidates.use(metadataFile);
		for (const location of statisticsOf(metadata)) candidates.use(location);
		for (const { manifestList } of metadata.snapshots) if (manifestList !== undefined) candidates.use(manifestList);
		const current = metadata.snapshots.map((snapshot) => ({ snapshot, metadata }));
		const manifests = await keptManifests(this.#io, { current, pending: [] }, signal);
		for (const location of manifests.keys()) candidates.use(location);
		for await (const entries of liveEntriesOf(this.#io, manifests.values(), signal)) {
			for (const { file } of entries) candidates.use(file.location);
			await breathe();
		}
	}

	/**
	 * Deletes what snapshots reached that the metadata log says were removed long enough ago: for what became garbage by others'
	 * commits. Reads all that retained snapshots reach.
	 */
	async deleteByHistory(
		metadata: TableMetadata,
		properties: DeletionProperties,
		signal: AbortSignal | undefined,
	): Promise<DeletionStep> {
		const { clock, location } = this.#ports;
		const graceMs = Math.max(properties.graceMs, properties.dataGraceMs);
		const readMs = oldestReadMs(location, clock);
		if (readMs !== undefined && clock.monotonicMs() - readMs >= graceMs)
			return { deletedCount: 0, kept: [], isWhole: true };
		const abort = signal === undefined ? {} : { signal };
		const nowMs = Math.max(clock.nowMs(), metadata.lastUpdatedMs);
		const history = await readSnapshotHistory(metadata, { io: this.#io, nowMs, graceMs, ...abort });
		const tally = new CleanupTally(false, undefined);
		await deleteReleased(metadata, history, { io: this.#io, dryRun: false, tally, ...abort });
		const { fileCount, kept } = tally.report();
		return { deletedCount: fileCount, kept, isWhole: true };
	}
}
