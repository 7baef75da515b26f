/** Adding data files. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { encodeManifests } from '../manifest/encode-manifest.ts';
import type { ManifestWriteContext } from '../manifest/manifest-writer.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { manifestProperties, type ManifestProperties } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { MAIN_BRANCH, partitionTypeIn, specById } from '../spec/table-metadata-lookup.ts';
import type { Action, ActionContext, ActionResult } from './action.ts';
import { manifestsOf } from './manifest-lists.ts';
import { ManifestMerger } from './manifest-merge.ts';
import type { PendingWrites } from './pending-writes.ts';
import { MANIFEST_CODECS, SnapshotProducer } from './snapshot-producer.ts';
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
export class AppendAction implements Action {
	readonly name = 'append';
	readonly #options: AppendOptions;
	readonly #files = new Map<string, DataFile>();
	readonly #producer: SnapshotProducer;
	readonly #merger = new ManifestMerger();
	#manifests: { readonly formatVersion: number; readonly manifests: readonly ManifestFile[] } | undefined;

	constructor(options: AppendOptions = {}) {
		this.#options = options;
		this.#producer = new SnapshotProducer(options.branch ?? MAIN_BRANCH);
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
	async apply(base: TableMetadata, context: ActionContext): Promise<ActionResult> {
		if (this.#files.size === 0) return { updates: [], requirements: [], newFiles: [] };
		SnapshotProducer.checkWritable(base);
		const properties = manifestProperties(base.properties);
		const parent = this.#producer.parentIn(base);
		const { id: snapshotId, renewed } = this.#producer.snapshotIdIn(base, context);
		if (renewed) this.#forgetManifests();
		const writes = this.#producer.startWrites(context.io);
		const write = {
			formatVersion: base.formatVersion,
			table: base,
			snapshotId,
			codec: MANIFEST_CODECS[properties.codec],
			...(properties.codecLevel === undefined ? {} : { codecLevel: properties.codecLevel }),
		};
		try {
			const own = await this.#ownManifests(base, write, properties, writes, context);
			const before = parent === undefined ? [] : await manifestsOf(context.io, parent, base, context.signal);
			const merged = await this.#merger.merge(before.filter(hasLiveFiles), own.length, {
				io: context.io,
				base,
				properties: this.#options.manifests === 'fast' ? { ...properties, mergeEnabled: false } : properties,
				signal: context.signal,
				write,
				store: async (bytes) => {
					const location = this.#producer.newManifestLocation(context);
					await writes.add(location, bytes);
					return location;
				},
			});
			const result = await this.#producer.produce(
				base,
				parent,
				{
					operation: 'append',
					manifests: [...own, ...merged.manifests],
					replacedManifestCount: merged.replacedCount,
					summary: { ...this.#options.summary, ...this.#summary(base, properties) },
				},
				properties,
				writes,
				context,
			);
			return { ...result, newFiles: [...this.#files.keys(), ...result.newFiles] };
		} catch (error) {
			// No write may still be under way when the files are cleaned up.
			await writes.ended();
			throw error;
		}
	}

	async committed(metadata: TableMetadata, io: FileIO): Promise<void> {
		await this.#producer.committed(metadata, io);
	}

	async abandoned(io: FileIO): Promise<void> {
		await this.#producer.abandoned(io);
		this.#forgetManifests();
	}

	/** Started by the first attempt, which fails as a whole if they do; again only when the table was upgraded since. */
	async #ownManifests(
		base: TableMetadata,
		write: Omit<ManifestWriteContext, 'specId' | 'content'>,
		properties: ManifestProperties,
		writes: PendingWrites,
		context: ActionContext,
	): Promise<readonly ManifestFile[]> {
		if (this.#manifests?.formatVersion === base.formatVersion) return this.#manifests.manifests;
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
			for await (const { bytes, manifest } of encoded) {
				const location = this.#producer.newManifestLocation(context);
				await writes.add(location, bytes);
				manifests.push({ ...manifest, location });
			}
		}
		this.#manifests = { formatVersion: base.formatVersion, manifests };
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

	#forgetManifests(): void {
		this.#manifests = undefined;
		this.#merger.clear();
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

/** Manifests that only tell of deleted files say nothing to snapshots after theirs. */
function hasLiveFiles(manifest: ManifestFile): boolean {
	return manifest.addedFilesCount !== 0 || manifest.existingFilesCount !== 0;
}
