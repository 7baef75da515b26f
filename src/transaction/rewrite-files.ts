/** Replacing data files by others with the same rows. Iceberg spec: Snapshots, operation `replace`. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { mayHoldLiveFiles } from '../manifest/live-files.ts';
import { encodeManifests } from '../manifest/encode-manifest.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../manifest/types.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { MAIN_BRANCH, specById } from '../spec/table-metadata-lookup.ts';
import { mapAllBounded } from '../util/bounded-pool.ts';
import type { ActionContext, ActionResult } from './action.ts';
import { entriesOf } from './live-entries.ts';
import { manifestsOf } from './manifest-lists.ts';
import { NewDeletes } from './new-deletes.ts';
import { replacedFilesSummary } from './replaced-files-summary.ts';
import { SnapshotAction, type SnapshotAttempt } from './snapshot-action.ts';
import type { Summary } from './snapshot-summary.ts';

/** A live data file, as it stood when its rows were read. */
export interface RewrittenFile {
	readonly file: DataFile;
	/** data sequence number; `undefined` for a file that the action before this one adds, in a table without row ids */
	readonly sequenceNumber: bigint | undefined;
}

export interface RewriteFiles {
	readonly removed: readonly RewrittenFile[];
	/** their rows, all of them and no others */
	readonly added: readonly DataFile[];
	/**
	 * Of the snapshot whose rows were read: the new files' data sequence number, so that later equality deletes apply. With files
	 * of the same commit theirs is that of the commit, and the rewrite fails when there are later equality deletes.
	 */
	readonly startingSequenceNumber: bigint;
	/** Default `main`. */
	readonly branch?: string;
	/** added to the snapshot's summary */
	readonly summary?: Summary;
}

const READ_CONCURRENCY = 8;

/** Neighbouring manifests with files that were replaced, and those that tell so in their place. */
interface Filtered {
	readonly found: readonly string[];
	readonly manifests: readonly ManifestFile[];
}

/**
 * Replaces data files, as one `replace` snapshot. Whatever was appended meanwhile stays as it is. Each attempt checks that
 * all replaced files are still live, and that no deletes were committed that their rows, at their new places, would escape.
 */
export class RewriteFilesAction extends SnapshotAction {
	readonly name = 'rewrite files';
	readonly #rewrite: RewriteFiles;
	readonly #removed: ReadonlyMap<string, RewrittenFile>;
	readonly #deletes: NewDeletes;
	/** by manifests and row ids, for attempts on bases that still have them */
	readonly #filtered = new Map<string, Filtered>();
	/** manifests that hold none of the files */
	readonly #untouched = new Set<string>();
	#added: { readonly sequenceNumber: bigint; readonly manifests: readonly ManifestFile[] } | undefined;

	/** @throws `INVALID_ARGUMENT` for nothing to replace, a delete file, or a file that stands there twice */
	constructor(rewrite: RewriteFiles) {
		super(rewrite.branch ?? MAIN_BRANCH);
		this.#rewrite = rewrite;
		this.#removed = new Map(rewrite.removed.map((each) => [each.file.location, each]));
		this.#deletes = new NewDeletes(rewrite.removed, rewrite.added, rewrite.startingSequenceNumber);
		const files = [...rewrite.removed.map((each) => each.file), ...rewrite.added];
		if (rewrite.removed.length === 0) throw new IcebergError('INVALID_ARGUMENT', 'there is no file to replace');
		if (new Set(files.map((file) => file.location)).size < files.length)
			throw new IcebergError(
				'INVALID_ARGUMENT',
				'a file stands twice among those to replace and those to put in their place',
			);
		const other = files.find((file) => file.content !== 'data');
		if (other !== undefined)
			throw new IcebergError(
				'INVALID_ARGUMENT',
				`${other.location} is a file of ${other.content}; only data is rewritten`,
			);
	}

	/** @throws `VALIDATION_FAILED` when the files are not as they were: the rewrite has to be planned anew */
	protected override async attempt(attempt: SnapshotAttempt): Promise<ActionResult> {
		const { base, context, parent } = attempt;
		if (parent === undefined) throw stale(this.#rewrite.removed[0]?.file.location, 'the table has no rows any more');
		const { removed, added, startingSequenceNumber } = this.#rewrite;
		// What an earlier action of this commit added has the number of that action's snapshot, another in each attempt.
		const isOwn = removed.some(({ sequenceNumber }) => sequenceNumber === undefined);
		const ownNumber = isOwn ? parent.sequenceNumber : undefined;
		const before = (await manifestsOf(context.io, parent, base, context.signal)).filter(mayHoldLiveFiles);
		await this.#deletes.check(base, before, context, ownNumber);
		const kept = await this.#filterAll(attempt, before, ownNumber);
		const manifests = await this.#addedManifests(attempt, ownNumber ?? startingSequenceNumber);
		const result = await attempt.produce({
			operation: 'replace',
			manifests: [...manifests, ...kept.manifests],
			replacedManifestCount: kept.replacedCount,
			summary: { ...this.#rewrite.summary, ...this.#summary() },
		});
		return { ...result, newFiles: [...added.map((file) => file.location), ...result.newFiles] };
	}

	protected override forget(): void {
		this.#filtered.clear();
		this.#untouched.clear();
		this.#added = undefined;
	}

	/**
	 * Manifests with replaced files are written anew without them. Small ones are put together: else each one-file append that
	 * is compacted would leave a manifest behind.
	 */
	async #filterAll(
		attempt: SnapshotAttempt,
		before: readonly ManifestFile[],
		ownNumber: bigint | undefined,
	): Promise<{ readonly manifests: readonly ManifestFile[]; readonly replacedCount: number }> {
		const { base, context, properties } = attempt;
		const isTouched = await mapAllBounded(
			before,
			READ_CONCURRENCY,
			(manifest) => this.#isTouched(base, manifest, ownNumber, context),
			context.signal,
		);
		const touched = before.filter((_, i) => isTouched[i]);
		const bins = binsOf(touched, properties.targetSizeBytes);
		const filtered = await mapAllBounded(
			bins,
			READ_CONCURRENCY,
			async (bin): Promise<Filtered> => {
				const key = bin.map(keyOf).join('\n');
				let result = this.#filtered.get(key);
				if (result === undefined) {
					result = await this.#filter(attempt, bin, ownNumber);
					this.#filtered.set(key, result);
				}
				return result;
			},
			context.signal,
		);
		const found = new Set<string>();
		for (const location of filtered.flatMap((each) => each.found)) {
			if (found.has(location)) throw stale(location, 'the table refers to it twice');
			found.add(location);
		}
		for (const location of this.#removed.keys())
			if (!found.has(location)) throw stale(location, 'it is no longer in the table');
		const placed = new Map(bins.map((bin, i) => [bin[0], filtered[i]?.manifests ?? []]));
		return {
			manifests: before.flatMap((manifest, i) => (isTouched[i] ? (placed.get(manifest) ?? []) : [manifest])),
			replacedCount: touched.length,
		};
	}

	async #isTouched(
		base: TableMetadata,
		manifest: ManifestFile,
		ownNumber: bigint | undefined,
		context: ActionContext,
	): Promise<boolean> {
		const mayHold = this.#rewrite.removed.some(
			({ file, sequenceNumber = ownNumber ?? 0n }) =>
				file.specId === manifest.specId &&
				// Iceberg spec: Manifest Lists. No live file's number is outside of these.
				manifest.minSequenceNumber <= sequenceNumber &&
				sequenceNumber <= manifest.sequenceNumber,
		);
		if (manifest.content !== 'data' || !mayHold || this.#untouched.has(keyOf(manifest))) return false;
		// Metrics are many times larger than what tells whether a manifest matters.
		const glance = await entriesOf(context.io, manifest, base, 'none', context.signal);
		if (glance.some(({ file }) => this.#removed.has(file.location))) return true;
		this.#untouched.add(keyOf(manifest));
		return false;
	}

	async #filter(
		{ base, write, properties, store, context }: SnapshotAttempt,
		bin: readonly ManifestFile[],
		ownNumber: bigint | undefined,
	): Promise<Filtered> {
		const found: string[] = [];
		const changed: ManifestEntry[] = [];
		for (const manifest of bin) {
			for (const entry of await entriesOf(context.io, manifest, base, 'all', context.signal)) {
				if (!this.#removed.has(entry.file.location)) {
					changed.push({ ...entry, status: 'existing' });
					continue;
				}
				this.#checkUnchanged(entry, ownNumber);
				found.push(entry.file.location);
				changed.push({ ...entry, status: 'deleted', snapshotId: write.snapshotId });
			}
		}
		const specId = (bin[0] as ManifestFile).specId;
		const manifests: ManifestFile[] = [];
		const encoded = encodeManifests(changed, { ...write, specId, content: 'data' }, properties.targetSizeBytes);
		for await (const { bytes, manifest } of encoded) manifests.push({ ...manifest, location: await store(bytes) });
		return { found, manifests };
	}

	#checkUnchanged(entry: ManifestEntry, ownNumber: bigint | undefined): void {
		const { file, sequenceNumber = ownNumber } = this.#removed.get(entry.file.location) as RewrittenFile;
		const now = entry.file;
		if ((entry.sequenceNumber ?? 0n) !== sequenceNumber || now.recordCount !== file.recordCount)
			throw stale(file.location, 'it was replaced by another file of its name');
		// The ids of its rows were written into the new files; they came with a commit since.
		if (now.firstRowId !== file.firstRowId) throw stale(file.location, 'its rows were given ids meanwhile');
	}

	async #addedManifests(
		{ base, write, properties, store }: SnapshotAttempt,
		dataSequenceNumber: bigint,
	): Promise<readonly ManifestFile[]> {
		if (this.#added?.sequenceNumber === dataSequenceNumber) return this.#added.manifests;
		const { added } = this.#rewrite;
		const sequenceNumber = base.formatVersion === 1 ? null : dataSequenceNumber;
		const manifests: ManifestFile[] = [];
		for (const specId of new Set(added.map((file) => file.specId))) {
			if (specById(base, specId) === undefined)
				throw stale(added[0]?.location, `the table has no partition spec ${specId} any more`);
			const entries = added
				.filter((file) => file.specId === specId)
				.map(
					(file): ManifestEntry => ({
						status: 'added',
						snapshotId: write.snapshotId,
						sequenceNumber,
						fileSequenceNumber: null,
						file,
					}),
				);
			const encoded = encodeManifests(entries, { ...write, specId, content: 'data' }, properties.targetSizeBytes);
			for await (const { bytes, manifest } of encoded) manifests.push({ ...manifest, location: await store(bytes) });
		}
		this.#added = { sequenceNumber: dataSequenceNumber, manifests };
		return manifests;
	}

	#summary(): Summary {
		const { removed, added } = this.#rewrite;
		return replacedFilesSummary(
			removed.map((each) => each.file),
			added,
		);
	}
}

/** Sequence numbers and row ids come with a commit, in each attempt others; entries written before it lack them. */
function keyOf({ location, sequenceNumber, firstRowId }: ManifestFile): string {
	return `${location} ${sequenceNumber} ${firstRowId ?? ''}`;
}

/** Manifests of one spec that fit into one of the target size together, in their order. */
function binsOf(manifests: readonly ManifestFile[], targetSizeBytes: number): ManifestFile[][] {
	const open = new Map<number, { bin: ManifestFile[]; sizeBytes: number }>();
	const bins: ManifestFile[][] = [];
	for (const manifest of manifests) {
		const last = open.get(manifest.specId);
		if (last !== undefined && last.sizeBytes + manifest.length <= targetSizeBytes) {
			last.bin.push(manifest);
			last.sizeBytes += manifest.length;
			continue;
		}
		const bin = [manifest];
		bins.push(bin);
		open.set(manifest.specId, { bin, sizeBytes: manifest.length });
	}
	return bins;
}

function stale(location: string | undefined, why: string): IcebergError {
	return new IcebergError('VALIDATION_FAILED', `${location} cannot be rewritten: ${why}`, {
		retryable: true,
		context: { location },
	});
}
