/** Verifies that what a snapshot refers to is there and is what its metadata say. */
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import { typedPartitionFields } from '../manifest/partition-type.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { manifestBytes, snapshotManifests } from '../scan/snapshot-manifests.ts';
import { compareValues } from '../spec/compare.ts';
import { DEFAULT_NAME_MAPPING, parseNameMapping } from '../spec/name-mapping.ts';
import { fromBinary } from '../spec/single-value.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { currentSchema, currentSnapshot, specById } from '../spec/table-metadata-lookup.ts';
import type { Value } from '../spec/types.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import { type FileContext, reportFailure, verifyDataFile, verifyLength } from './verify-files.ts';
import { VerifyFindings, type VerifyReport } from './verify-report.ts';

export interface VerifyOptions {
	/** Default: the current snapshot. */
	readonly snapshot?: Snapshot;
	/** Read every row and hold it against the statistics, bounds and partitions. Default false. */
	readonly deep?: boolean;
	/** files looked at at once. Default 4 */
	readonly concurrency?: number;
	/** Called after each data or delete file, with the number of files so far. */
	readonly onFile?: (fileCount: number) => void;
	readonly signal?: AbortSignal;
}

const DEFAULT_CONCURRENCY = 4;

/**
 * Opens every file that a snapshot reaches: manifest list, manifests, data and delete files. Compares existence, lengths,
 * row and file counts, partition summaries and the checksums of Parquet pages; with `deep` also the rows themselves with
 * column metrics, row group statistics and the partition that they stand in. Problems are reported, not thrown.
 *
 * @throws `ABORTED`; and errors that say nothing about the table
 */
export async function verifySnapshot(
	io: FileIO,
	metadata: TableMetadata,
	options: VerifyOptions = {},
): Promise<VerifyReport> {
	const deep = options.deep ?? false;
	const snapshot = options.snapshot ?? currentSnapshot(metadata);
	const findings = new VerifyFindings();
	if (snapshot !== undefined) await new Verification(io, metadata, snapshot, findings, options).run();
	return findings.report(snapshot?.snapshotId, deep);
}

class Verification {
	readonly #io: FileIO;
	readonly #metadata: TableMetadata;
	readonly #snapshot: Snapshot;
	readonly #findings: VerifyFindings;
	readonly #options: VerifyOptions;
	readonly #context: Omit<FileContext, 'spec'>;
	/** locations of live files, deletion vectors with their place in the file */
	readonly #seen = new Set<string>();

	constructor(
		io: FileIO,
		metadata: TableMetadata,
		snapshot: Snapshot,
		findings: VerifyFindings,
		options: VerifyOptions,
	) {
		this.#io = io;
		this.#metadata = metadata;
		this.#snapshot = snapshot;
		this.#findings = findings;
		this.#options = options;
		const mapping = metadata.properties[DEFAULT_NAME_MAPPING];
		const names = mapping === undefined ? undefined : parseNameMapping(mapping);
		const signal = options.signal === undefined ? {} : { signal: options.signal };
		this.#context = {
			io,
			findings,
			schema: currentSchema(metadata),
			deep: options.deep ?? false,
			openOptions: { ...signal, ...(names === undefined ? {} : { nameMapping: (path) => names.find(path) }) },
			...signal,
		};
	}

	async run(): Promise<void> {
		let manifests: readonly ManifestFile[];
		try {
			manifests = await snapshotManifests(this.#io, this.#snapshot, this.#signal());
		} catch (error) {
			reportFailure(error, this.#snapshot.manifestList ?? this.#metadata.location, this.#findings);
			return;
		}
		for (const manifest of manifests) await this.#manifest(manifest);
		this.#summary();
	}

	#signal(): { signal?: AbortSignal } {
		return this.#options.signal === undefined ? {} : { signal: this.#options.signal };
	}

	async #manifest(manifest: ManifestFile): Promise<void> {
		const findings = this.#findings;
		findings.manifestCount++;
		const input = this.#io.input(manifest.location);
		let entries: ManifestEntry[];
		try {
			if (!(await verifyLength(input, manifest.length, findings))) return;
			const bytes = await manifestBytes(this.#io, manifest, this.#options.signal);
			entries = await decodeManifest(bytes, manifest, this.#metadata, { metricsFor: 'all' });
		} catch (error) {
			reportFailure(error, manifest.location, findings);
			return;
		} finally {
			await input.close();
		}
		this.#counts(manifest, entries);
		this.#partitions(manifest, entries);
		await this.#files(manifest, entries);
	}

	async #files(manifest: ManifestFile, entries: readonly ManifestEntry[]): Promise<void> {
		const spec = specById(this.#metadata, manifest.specId);
		const live = entries.filter((entry) => entry.status !== 'deleted');
		const work = async ({ file }: ManifestEntry): Promise<void> => {
			this.#count(file);
			await verifyDataFile(file, { ...this.#context, spec });
			this.#options.onFile?.(this.#findings.dataFileCount + this.#findings.deleteFileCount);
		};
		const concurrency = this.#options.concurrency ?? DEFAULT_CONCURRENCY;
		for await (const _ of mapBounded(live, concurrency, work, this.#options.signal));
	}

	#count(file: DataFile): void {
		const findings = this.#findings;
		const key = `${file.location}\n${file.contentOffset ?? ''}`;
		if (this.#seen.has(key)) findings.add('duplicate', file.location, 'the snapshot refers to this file twice');
		this.#seen.add(key);
		if (file.content === 'data') {
			findings.dataFileCount++;
			findings.rowCount += file.recordCount;
		} else {
			findings.deleteFileCount++;
		}
	}

	/** The counts of a manifest's row in the manifest list. */
	#counts(manifest: ManifestFile, entries: readonly ManifestEntry[]): void {
		const statuses = [
			['added', manifest.addedFilesCount, manifest.addedRowsCount],
			['existing', manifest.existingFilesCount, manifest.existingRowsCount],
			['deleted', manifest.deletedFilesCount, manifest.deletedRowsCount],
		] as const;
		for (const [status, files, rows] of statuses) {
			const found = entries.filter((entry) => entry.status === status);
			if (files !== undefined && files !== found.length)
				this.#findings.add(
					'count',
					manifest.location,
					`${found.length} ${status} files, the manifest list says ${files}`,
				);
			const rowCount = found.reduce((sum, entry) => sum + entry.file.recordCount, 0);
			if (rows !== undefined && rows !== BigInt(rowCount))
				this.#findings.add(
					'count',
					manifest.location,
					`${rowCount} rows in ${status} files, the manifest list says ${rows}`,
				);
		}
	}

	/** The partition summaries of a manifest's row: a reader skips the manifest by them. */
	#partitions(manifest: ManifestFile, entries: readonly ManifestEntry[]): void {
		const { partitions } = manifest;
		const spec = specById(this.#metadata, manifest.specId);
		if (partitions === undefined || spec === undefined) return;
		const live = entries.filter((entry) => entry.status !== 'deleted');
		for (const [index, { name, type }] of typedPartitionFields(this.#metadata, spec).entries()) {
			const summary = partitions[index];
			if (summary === undefined || type === undefined || type.kind === 'unknown') continue;
			const values = live.map((entry) => entry.file.partition[index] ?? null);
			const fault = (problem: string): void =>
				this.#findings.add(
					'partition',
					manifest.location,
					`partition field '${name}': ${problem}, the manifest list says otherwise`,
				);
			if (!summary.containsNull && values.includes(null)) fault('a null');
			// not every type has an order: a void field of a geometry has only nulls, and no bounds
			if (summary.lowerBound === undefined && summary.upperBound === undefined) continue;
			try {
				const compare = compareValues(type);
				const lower = summary.lowerBound === undefined ? undefined : fromBinary(type, summary.lowerBound);
				const upper = summary.upperBound === undefined ? undefined : fromBinary(type, summary.upperBound);
				const isComparable = (value: Value): boolean => value !== null && !Number.isNaN(value);
				if (lower !== undefined && values.some((value) => isComparable(value) && compare(value, lower) < 0))
					fault('a value below the lower bound');
				if (upper !== undefined && values.some((value) => isComparable(value) && compare(value, upper) > 0))
					fault('a value above the upper bound');
			} catch (error) {
				if (!isIcebergError(error)) throw error;
				fault(`a summary that cannot be read (${error.message})`);
			}
		}
	}

	/** The totals of the snapshot's summary; that of sizes is not kept by all writers. */
	#summary(): void {
		const summary = this.#snapshot.summary ?? {};
		const findings = this.#findings;
		// totals mean nothing where a manifest could not be read
		if (findings.problems.some(({ kind }) => kind !== 'statistics' && kind !== 'partition')) return;
		const totals = {
			'total-data-files': findings.dataFileCount,
			'total-delete-files': findings.deleteFileCount,
			'total-records': findings.rowCount,
		};
		for (const [key, found] of Object.entries(totals)) {
			const stated = summary[key];
			if (stated !== undefined && /^\d+$/.test(stated) && BigInt(stated) !== BigInt(found)) {
				findings.add(
					'count',
					this.#snapshot.manifestList ?? this.#metadata.location,
					`snapshot ${this.#snapshot.snapshotId}: ${key} is ${found}, its summary says ${stated}`,
				);
			}
		}
	}
}
