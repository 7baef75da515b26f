/** Deleting files in a table's folders that nothing refers to: left by writers that died, or by other engines. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { baseName } from '../io/location.ts';
import { metadataFileProperties } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { type Processes, writerOf } from '../util/process-identity.ts';
import { systemProcesses } from '../util/system-processes.ts';
import { murmur3Bytes } from '../util/murmur3.ts';
import { type CleanedFile, type CleanupReport, CleanupTally } from './cleanup-report.ts';
import { deleteFiles } from './delete-files.ts';
import { FileKeys, nameKey } from './file-key.ts';
import { GoneWriters } from './gone-writers.ts';
import { assertOwnsFiles, DEFAULT_GRACE_MS, durationMs, type MaintainableTable } from './maintainable-table.ts';
import {
	type Candidate,
	CANDIDATES_PER_PASS,
	CandidateSet,
	findCandidates,
	type FolderFindings,
	ownFolders,
} from './orphan-candidates.ts';
import { keptManifests, type KnownManifest, liveEntriesOf } from './reachable-files.ts';
import { readSnapshotHistory } from './snapshot-history.ts';
import type { CallOptions } from '../util/deadline.ts';

/** Age from which files that nothing refers to go, ms: 3 days. */
export const DEFAULT_ORPHAN_AGE_MS = 3 * 86_400_000;
/** Least age that is taken without `force`, ms: a write that has not been committed yet may take that long. */
export const MIN_ORPHAN_AGE_MS = 86_400_000;
/** Newest metadata files, by version, that always stay: the commit protocol of folder tables looks back at them. */
const KEPT_METADATA_VERSIONS = 100;
/** How often what was committed meanwhile is looked at; what is younger than the age is no candidate anyway. */
const MAX_LOOKS = 3;
const MS_PER_HOUR = 3_600_000;

export interface RemoveOrphansOptions extends CallOptions {
	/** Age by the storage's clock from which files go, ms. Default {@link DEFAULT_ORPHAN_AGE_MS}. */
	readonly olderThanMs?: number;
	/** Take an age of less than {@link MIN_ORPHAN_AGE_MS}: files of writes that run now are deleted then. Default false. */
	readonly force?: boolean;
	/** How long what the table let go of is still spared, ms. Default an hour. */
	readonly graceMs?: number;
	/** Only tells what would be deleted. Default false. */
	readonly dryRun?: boolean;
	/** Called for each file that is deleted, or would be. */
	readonly onFile?: (file: CleanedFile) => void;
	/** Tells which writers are gone: what they left goes at once. Default: this system's processes. */
	readonly processes?: Processes;
}

export interface RemoveOrphansResult extends CleanupReport {
	/** files that were looked at */
	readonly listedFileCount: number;
}

/** The task itself; see `tasks.ts`. */
export async function removeOrphans(
	table: MaintainableTable,
	options: RemoveOrphansOptions = {},
): Promise<RemoveOrphansResult> {
	const olderThanMs = durationMs('olderThanMs', options.olderThanMs, DEFAULT_ORPHAN_AGE_MS);
	if (olderThanMs < MIN_ORPHAN_AGE_MS && options.force !== true) {
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`olderThanMs is ${olderThanMs}: files younger than ${MIN_ORPHAN_AGE_MS / MS_PER_HOUR} hours may belong to writes ` +
				'that have not been committed yet. When you know that there are none, say so with force',
			{ context: { olderThanMs, leastMs: MIN_ORPHAN_AGE_MS } },
		);
	}
	durationMs('graceMs', options.graceMs, DEFAULT_GRACE_MS);
	table.commitPorts();
	await table.refresh(options.signal);
	assertOwnsFiles(table);
	return new OrphanRemover(table, options, olderThanMs).run();
}

class OrphanRemover {
	readonly #table: MaintainableTable;
	readonly #options: RemoveOrphansOptions;
	readonly #olderThanMs: number;
	readonly #nowMs: number;
	readonly #folders: readonly string[];
	readonly #keys = new FileKeys();
	readonly #tally: CleanupTally;
	readonly #processes: Processes;
	readonly #goneWriters: GoneWriters;

	constructor(table: MaintainableTable, options: RemoveOrphansOptions, olderThanMs: number) {
		this.#table = table;
		this.#options = options;
		this.#olderThanMs = olderThanMs;
		const { clock, processes = systemProcesses } = table.commitPorts();
		this.#nowMs = clock.nowMs();
		this.#folders = ownFolders(table.metadata);
		this.#processes = options.processes ?? systemProcesses;
		this.#goneWriters = new GoneWriters(table.io, table.metadata.location, options.processes ?? processes);
		this.#tally = new CleanupTally(options.dryRun === true, options.onFile);
	}

	async run(): Promise<RemoveOrphansResult> {
		let candidates = new CandidateSet(this.#keys);
		let count = 0;
		const findings = await this.#find((candidate) => {
			count++;
			if (count <= CANDIDATES_PER_PASS) candidates.add(candidate);
		});
		this.#refuseCatalogTables(this.#table.metadata, findings);
		const passes = Math.ceil(count / CANDIDATES_PER_PASS);
		for (let pass = 0; pass < passes; pass++) {
			if (passes > 1) {
				candidates = new CandidateSet(this.#keys);
				await this.#find((candidate) => {
					// By name, so that files of one name come together.
					const hash = murmur3Bytes(new TextEncoder().encode(nameKey(candidate.location))) >>> 0;
					if (hash % passes === pass) candidates.add(candidate);
				});
			}
			await this.#removeUnused(candidates, findings);
		}
		return { ...this.#tally.report(), listedFileCount: findings.fileCount };
	}

	#find(take: (candidate: Candidate) => void): Promise<FolderFindings> {
		const { signal } = this.#options;
		const { io, metadata } = this.#table;
		return findCandidates(
			io,
			this.#folders,
			{
				nowMs: this.#nowMs,
				olderThanMs: this.#olderThanMs,
				// Beyond the log a file may have been let go of a moment ago, and somebody may still read it.
				historySinceMs: metadata.metadataLog[0]?.timestampMs ?? metadata.lastUpdatedMs,
				goneWriters: this.#goneWriters,
				...(signal === undefined ? {} : { signal }),
			},
			take,
		);
	}

	async #removeUnused(candidates: CandidateSet, findings: FolderFindings): Promise<void> {
		const { signal } = this.#options;
		const looked = new Set<string>();
		for (let look = 0; look < MAX_LOOKS; look++) {
			const { metadata } = this.#table;
			assertOwnsFiles(this.#table);
			this.#refuseCatalogTables(metadata, findings);
			await this.#use(metadata, candidates, looked);
			await this.#table.refresh(signal);
			// What was committed while manifests were read may have put candidates to use.
			if (!hasNewSnapshot(metadata, this.#table.metadata)) break;
		}
		for (const { location } of candidates.keptByName)
			this.#tally.keep(location, 'a file in use has its name: it may be the same one, spelled otherwise');
		const files: CleanedFile[] = [];
		const byVersion = new Map<number, CleanedFile[]>();
		for (const candidate of candidates.values()) {
			const { location, kind, version } = candidate;
			const nested = findings.nestedTables.find((folder) => location.startsWith(`${folder}/`));
			if (nested !== undefined) this.#tally.keep(location, `it belongs to another table, in ${nested}`);
			else if (version !== undefined)
				byVersion.set(version, [...(byVersion.get(version) ?? []), this.#described(candidate)]);
			else if (kind === 'unknown') this.#tally.keep(location, 'it is no kind of file that tables have');
			else files.push(this.#described(candidate));
		}
		const context = {
			io: this.#table.io,
			dryRun: this.#options.dryRun === true,
			tally: this.#tally,
			...(signal === undefined ? {} : { signal }),
		};
		await deleteFiles(files, context);
		// Oldest first and one by one, ending at the first that stays: what is left is an unbroken run.
		for (const version of this.#versionsToDelete(findings)) {
			const old = byVersion.get(version);
			if (old === undefined || !(await deleteFiles(old, context))) break;
		}
	}

	/** Ascending. Those in the log are candidates no more. */
	#versionsToDelete(findings: FolderFindings): number[] {
		const current = versionIn(this.#table);
		if (current === undefined) return [];
		const { previousVersionsMax } = metadataFileProperties(this.#table.metadata.properties);
		const end = current - Math.max(KEPT_METADATA_VERSIONS, previousVersionsMax);
		return [...new Set(findings.versions)].filter((version) => version < end).sort((a, b) => a - b);
	}

	/** Takes everything that the table refers to out of the candidates. */
	async #use(metadata: TableMetadata, candidates: CandidateSet, looked: Set<string>): Promise<void> {
		const { io } = this.#table;
		const { signal } = this.#options;
		const history = await readSnapshotHistory(metadata, {
			io,
			nowMs: this.#nowMs,
			graceMs: this.#options.graceMs ?? DEFAULT_GRACE_MS,
			...(signal === undefined ? {} : { signal }),
		});
		for (const { metadataFile } of metadata.metadataLog) candidates.use(metadataFile);
		candidates.use(this.#table.metadataLocation);
		for (const location of history.statistics) candidates.use(location);
		const snapshots = [...history.current, ...history.pending];
		for (const { snapshot } of snapshots)
			if (snapshot.manifestList !== undefined) candidates.use(snapshot.manifestList);
		const manifests: KnownManifest[] = [];
		for (const [location, manifest] of await keptManifests(io, history, signal)) {
			if (looked.has(location)) continue;
			looked.add(location);
			candidates.use(location);
			manifests.push(manifest);
		}
		for await (const entries of liveEntriesOf(io, manifests, signal))
			for (const { file } of entries) candidates.use(file.location);
	}

	/** Metadata that a catalog wrote here may be that of a table whose files are not known. */
	#refuseCatalogTables(metadata: TableMetadata, findings: FolderFindings): void {
		const known = new Set(
			[...metadata.metadataLog.map((entry) => entry.metadataFile), this.#table.metadataLocation].map(nameKey),
		);
		const foreign = findings.catalogMetadata.find((location) => !known.has(nameKey(location)));
		if (foreign === undefined || versionIn(this.#table) === undefined) return;
		throw new IcebergError(
			'VALIDATION_FAILED',
			`no file of ${metadata.location} is deleted: ${foreign} was written by a catalog, and its table may refer to files here`,
			{ context: { location: metadata.location, metadataFile: foreign } },
		);
	}

	#described({ location, kind, sizeBytes, modifiedMs }: Candidate): CleanedFile {
		const hours = Math.floor((this.#nowMs - modifiedMs) / MS_PER_HOUR);
		const age = hours >= 48 ? `${Math.floor(hours / 24)} days` : `${hours} hours`;
		const writer = writerOf(baseName(location));
		const isGone = writer !== undefined && this.#processes.isGone(writer) === true;
		const parts = [
			...(isGone ? [`its writer (process ${writer.pid}) is gone`] : []),
			kind === 'temporary' && !isGone ? 'left by a writer that died' : 'nothing in the table refers to it',
			`last changed ${age} ago`,
		];
		return { location, kind, sizeBytes, reason: parts.join('; ') };
	}
}

function hasNewSnapshot(before: TableMetadata, after: TableMetadata): boolean {
	const known = new Set(before.snapshots.map(({ snapshotId }) => snapshotId));
	return after.snapshots.some(({ snapshotId }) => !known.has(snapshotId));
}

/** The version in the name of a folder table's metadata file. */
function versionIn({ metadataLocation }: MaintainableTable): number | undefined {
	const digits = /^v(\d{1,10})\./.exec(baseName(metadataLocation))?.[1];
	return digits === undefined ? undefined : Number(digits);
}
