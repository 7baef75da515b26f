/** Adding data files. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { mayHoldLiveFiles } from '../manifest/live-files.ts';
import { encodeManifests } from '../manifest/encode-manifest.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../manifest/types.ts';
import type { ManifestProperties } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { MAIN_BRANCH, partitionTypeIn, specById } from '../spec/table-metadata-lookup.ts';
import type { ActionResult } from './action.ts';
import { manifestsOf } from './manifest-lists.ts';
import { ManifestMerger } from './manifest-merge.ts';
import { SnapshotAction, type SnapshotAttempt } from './snapshot-action.ts';
import { AddedFilesSummary, type Summary } from './snapshot-summary.ts';

export interface AppendOptions {
	/**
	 * `merge` (default) merges the manifests of earlier commits as the table's `commit.manifest-merge.*` and
	 * `commit.manifest.*` say; `fast` never does.
	 */
	readonly manifests?: 'merge' | 'fast';
	/** an existing branch. Default `main` */
	readonly branch?: string;
	/** added to the snapshot's summary */
	readonly summary?: Summary;
}

/** Appends data files as one snapshot. Manifests of them are written once, for all attempts. */
export class AppendAction extends SnapshotAction {
	readonly name = 'append';
	readonly #options: AppendOptions;
	readonly #files = new Map<string, DataFile>();
	readonly #merger = new ManifestMerger();
	#manifests: readonly ManifestFile[] | undefined;

	constructor(options: AppendOptions = {}) {
		super(options.branch ?? MAIN_BRANCH);
		this.#options = options;
	}

	/** @throws `INVALID_ARGUMENT` for a delete file, or a location that was added before */
	addFile(file: DataFile): void {
		if (file.content !== 'data')
			throw new IcebergError('INVALID_ARGUMENT', `${file.location} is a file of ${file.content}; an append takes data`);
		if (this.#files.has(file.location))
			throw new IcebergError('INVALID_ARGUMENT', `${file.location} was added to the append before`);
		this.#files.set(file.location, file);
		this.#manifests = undefined;
	}

	get files(): Iterable<DataFile> {
		return this.#files.values();
	}

	get fileCount(): number {
		return this.#files.size;
	}

	/** Nothing to append is nothing to change. */
	protected override isEmpty(): boolean {
		return this.#files.size === 0;
	}

	protected override async attempt(attempt: SnapshotAttempt): Promise<ActionResult> {
		const { base, context, properties, parent, write, store } = attempt;
		// Written by the first attempt, for all.
		const own = (this.#manifests ??= await this.#ownManifests(attempt));
		const before = parent === undefined ? [] : await manifestsOf(context.io, parent, base, context.signal);
		const merged = await this.#merger.merge(before.filter(mayHoldLiveFiles), own.length, {
			io: context.io,
			base,
			properties: this.#options.manifests === 'fast' ? { ...properties, mergeEnabled: false } : properties,
			signal: context.signal,
			write,
			store,
		});
		const result = await attempt.produce({
			operation: 'append',
			manifests: [...own, ...merged.manifests],
			replacedManifestCount: merged.replacedCount,
			summary: { ...this.#options.summary, ...this.#summary(base, properties) },
		});
		return { ...result, newFiles: [...this.#files.keys(), ...result.newFiles] };
	}

	protected override forget(): void {
		this.#manifests = undefined;
		this.#merger.clear();
	}

	async #ownManifests({ base, properties, write, store }: SnapshotAttempt): Promise<readonly ManifestFile[]> {
		const bySpec = new Map<number, DataFile[]>();
		for (const file of this.#files.values()) {
			const group = bySpec.get(file.specId);
			if (group === undefined) bySpec.set(file.specId, [file]);
			else group.push(file);
		}
		const manifests: ManifestFile[] = [];
		// The newest spec first, as in every list.
		for (const specId of [...bySpec.keys()].sort((a, b) => b - a)) {
			requireSpec(base, specId);
			const entries = added(bySpec.get(specId) ?? [], write.snapshotId);
			const encoded = encodeManifests(entries, { ...write, specId, content: 'data' }, properties.targetSizeBytes);
			for await (const { bytes, manifest } of encoded) manifests.push({ ...manifest, location: await store(bytes) });
		}
		return manifests;
	}

	#summary(base: TableMetadata, properties: ManifestProperties): Summary {
		const summary = new AddedFilesSummary();
		for (const file of this.#files.values()) {
			const spec = requireSpec(base, file.specId);
			summary.add(file, spec, partitionTypeIn(base, spec));
		}
		return summary.build(properties.partitionSummaryLimit);
	}
}

function* added(files: readonly DataFile[], snapshotId: bigint): Generator<ManifestEntry> {
	for (const file of files) yield { status: 'added', snapshotId, sequenceNumber: null, fileSequenceNumber: null, file };
}

function requireSpec(base: TableMetadata, specId: number) {
	const spec = specById(base, specId);
	if (spec === undefined)
		throw new IcebergError('VALIDATION_FAILED', `the table has no partition spec ${specId} any more`, {
			context: { specId },
		});
	return spec;
}
