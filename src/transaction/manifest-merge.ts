/** Merging many small manifests into few, within a commit. */
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { encodeManifest } from '../manifest/encode-manifest.ts';
import type { ManifestWriteContext } from '../manifest/manifest-writer.ts';
import type { ManifestEntry, ManifestFile } from '../manifest/types.ts';
import type { ManifestProperties } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { mapAllBounded } from '../util/bounded-pool.ts';
import { readFile } from './manifest-lists.ts';
import { recentManifest } from './recent-manifests.ts';

/** Manifests that one commit writes by merging, at most; what is left is for the next ones. */
export const MAX_MERGES_PER_COMMIT = 4;
/** Manifests that one merge reads, at most. */
const MAX_MANIFESTS_PER_MERGE = 1000;
const READ_CONCURRENCY = 8;

export interface MergeContext {
	readonly io: FileIO;
	readonly base: TableMetadata;
	readonly properties: ManifestProperties;
	readonly signal: AbortSignal | undefined;
	/** for everything but spec and content */
	readonly write: Omit<ManifestWriteContext, 'specId' | 'content'>;
	/** Puts a new manifest somewhere and says where. */
	readonly store: (bytes: Uint8Array) => Promise<string>;
}

export interface MergeResult {
	readonly manifests: readonly ManifestFile[];
	/** manifests of the parent that merged ones stand for */
	readonly replacedCount: number;
}

interface Merged {
	readonly inputs: readonly ManifestFile[];
	readonly formatVersion: number;
	readonly manifest: ManifestFile;
}

/**
 * Merges data manifests that earlier commits wrote; the commit's own stay as they are until the next one. So a merge
 * does not depend on what others commit meanwhile, and is used again on every retry for which its inputs still stand.
 *
 * Manifests of one partition spec that are smaller than the target are packed, oldest first, into bins of the target
 * size. A bin is merged when it holds `min-count-to-merge` manifests, or when its largest is at most two thirds of it: so
 * no entry is rewritten more than a logarithmic number of times, or once in `min-count-to-merge` commits.
 */
export class ManifestMerger {
	#merged: Merged[] = [];

	/** @param parent the parent snapshot's manifests, newest first, as in its list */
	async merge(parent: readonly ManifestFile[], newCount: number, context: MergeContext): Promise<MergeResult> {
		if (!context.properties.mergeEnabled) return { manifests: parent, replacedCount: 0 };
		const replaced = new Map<string, Merged>();
		// Row ids stand in the list: a manifest that was given some since is not the one that was merged.
		const here = new Map(parent.map((manifest) => [manifest.location, manifest.firstRowId ?? null]));
		for (const merged of this.#merged) {
			if (merged.formatVersion !== context.base.formatVersion) continue;
			const stands = ({ location, firstRowId }: ManifestFile): boolean =>
				here.get(location) === (firstRowId ?? null) && !replaced.has(location);
			if (merged.inputs.every(stands)) for (const { location } of merged.inputs) replaced.set(location, merged);
		}
		if (replaced.size === 0) {
			for (const bin of binsToMerge(parent, newCount, context.properties)) {
				const merged = await mergeBin(bin, context);
				if (merged === undefined) continue;
				this.#merged.push(merged);
				for (const { location } of merged.inputs) replaced.set(location, merged);
			}
		}
		return { manifests: substitute(parent, replaced), replacedCount: replaced.size };
	}

	/** Forgets everything: its files were deleted. */
	clear(): void {
		this.#merged = [];
	}
}

/** A merged manifest stands where the newest of its inputs stood. */
function substitute(parent: readonly ManifestFile[], replaced: ReadonlyMap<string, Merged>): ManifestFile[] {
	const placed = new Set<Merged>();
	const result: ManifestFile[] = [];
	for (const manifest of parent) {
		const merged = replaced.get(manifest.location);
		if (merged === undefined) result.push(manifest);
		else if (!placed.has(merged)) {
			placed.add(merged);
			result.push(merged.manifest);
		}
	}
	return result;
}

function binsToMerge(
	parent: readonly ManifestFile[],
	newCount: number,
	properties: ManifestProperties,
): readonly (readonly ManifestFile[])[] {
	const { targetSizeBytes, minCountToMerge } = properties;
	const bySpec = new Map<number, ManifestFile[]>();
	for (const manifest of parent) {
		if (manifest.content !== 'data' || manifest.keyMetadata !== undefined) continue;
		const group = bySpec.get(manifest.specId);
		if (group === undefined) bySpec.set(manifest.specId, [manifest]);
		else group.push(manifest);
	}
	const bins: ManifestFile[][] = [];
	for (const group of bySpec.values()) {
		if (group.length + newCount < minCountToMerge) continue;
		for (const bin of packOldestFirst(group, targetSizeBytes)) {
			const sizeBytes = bin.reduce((sum, manifest) => sum + manifest.length, 0);
			const largestBytes = Math.max(...bin.map((manifest) => manifest.length));
			if (bin.length < 2 || (bin.length < minCountToMerge && largestBytes * 3 > sizeBytes * 2)) continue;
			bins.push(bin);
			if (bins.length === MAX_MERGES_PER_COMMIT) return bins;
		}
	}
	return bins;
}

/** Neighbours only, so that the order of the files in the table is kept. */
function packOldestFirst(newestFirst: readonly ManifestFile[], targetSizeBytes: number): ManifestFile[][] {
	const bins: ManifestFile[][] = [];
	let bin: ManifestFile[] = [];
	let sizeBytes = 0;
	for (const manifest of newestFirst.toReversed()) {
		if (bin.length > 0 && (sizeBytes + manifest.length > targetSizeBytes || bin.length === MAX_MANIFESTS_PER_MERGE)) {
			bins.push(bin.reverse());
			bin = [];
			sizeBytes = 0;
		}
		bin.push(manifest);
		sizeBytes += manifest.length;
	}
	if (bin.length > 0) bins.push(bin.reverse());
	return bins;
}

async function mergeBin(bin: readonly ManifestFile[], context: MergeContext): Promise<Merged | undefined> {
	const { io, base, signal, write, store } = context;
	const { decodeManifest } = await import('../manifest/manifest.ts');
	let entries: ManifestEntry[];
	try {
		const decoded = await mapAllBounded(
			bin,
			READ_CONCURRENCY,
			async (manifest) => {
				const bytes = recentManifest(io, manifest.location) ?? (await readFile(io, manifest.location, signal));
				return decodeManifest(bytes, manifest, base, { liveOnly: true });
			},
			signal,
		);
		entries = decoded.flat().map((entry) => ({ ...entry, status: 'existing' }));
	} catch (error) {
		// An append must not fail for a manifest that was damaged long ago; scans report it.
		if (isIcebergError(error, 'NOT_FOUND', 'CORRUPT', 'UNSUPPORTED', 'LIMIT_EXCEEDED')) return undefined;
		throw error;
	}
	const specId = (bin[0] as ManifestFile).specId;
	const { bytes, manifest } = await encodeManifest(entries, { ...write, specId, content: 'data' });
	return {
		inputs: bin,
		formatVersion: base.formatVersion,
		manifest: { ...manifest, location: await store(bytes) },
	};
}
