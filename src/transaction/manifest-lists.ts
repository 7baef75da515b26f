/** The manifests of a snapshot, as they stand or stood in its list. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { hasCounts, withCounts } from '../manifest/assign-numbers.ts';
import { describeEmbeddedManifest } from '../manifest/embedded-manifest.ts';
import { decodeManifestList } from '../manifest/manifest-list.ts';
import type { ManifestFile } from '../manifest/types.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { mapAllBounded } from '../util/bounded-pool.ts';

/** Lists remembered for each storage: the newest are those that the next commit builds on. */
const REMEMBERED_LISTS = 4;
const READ_CONCURRENCY = 8;

/** Manifest lists never change and their names are never used again. */
const remembered = new WeakMap<FileIO, Map<string, readonly ManifestFile[]>>();

export function rememberManifestList(io: FileIO, location: string, manifests: readonly ManifestFile[]): void {
	let lists = remembered.get(io);
	if (lists === undefined) remembered.set(io, (lists = new Map()));
	lists.delete(location);
	lists.set(location, manifests);
	for (const oldest of lists.keys()) {
		if (lists.size <= REMEMBERED_LISTS) break;
		lists.delete(oldest);
	}
}

/** The manifests of a list that was read or written a moment ago; `undefined` for others. */
export function rememberedManifests(io: FileIO, list: string | undefined): readonly ManifestFile[] | undefined {
	return list === undefined ? undefined : remembered.get(io)?.get(list);
}

/**
 * The manifests of a snapshot, with the counts that lists of the table's format version must have.
 * @throws `NOT_FOUND`, `CORRUPT` when the list, or a manifest of an old v1 table, cannot be read
 */
export async function manifestsOf(
	io: FileIO,
	snapshot: Snapshot,
	metadata: TableMetadata,
	signal: AbortSignal | undefined,
): Promise<readonly ManifestFile[]> {
	const manifests = await readManifests(io, snapshot, signal);
	if (metadata.formatVersion === 1 || manifests.every(hasCounts)) return manifests;
	// Lists of v1 may leave counts out.
	const { decodeManifest } = await import('../manifest/manifest.ts');
	return mapAllBounded(manifests, READ_CONCURRENCY, async (manifest) => {
		if (hasCounts(manifest)) return manifest;
		const bytes = await readFile(io, manifest.location, signal);
		return withCounts(manifest, await decodeManifest(bytes, manifest, metadata, { metricsFor: 'none' }));
	});
}

async function readManifests(
	io: FileIO,
	snapshot: Snapshot,
	signal: AbortSignal | undefined,
): Promise<readonly ManifestFile[]> {
	const { manifestList, manifests, snapshotId } = snapshot;
	if (manifestList !== undefined) {
		const known = remembered.get(io)?.get(manifestList);
		if (known !== undefined) return known;
		const decoded = await decodeManifestList(await readFile(io, manifestList, signal), manifestList);
		rememberManifestList(io, manifestList, decoded);
		return decoded;
	}
	if (manifests === undefined)
		throw new IcebergError('CORRUPT', `snapshot ${snapshotId} has neither a manifest list nor manifests`, {
			context: { snapshotId },
		});
	return mapAllBounded(manifests, READ_CONCURRENCY, async (location) =>
		describeEmbeddedManifest(await readFile(io, location, signal), location, snapshotId),
	);
}

export function readFile(io: FileIO, location: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
	return io.input(location).readAll(signal === undefined ? {} : { signal });
}
