/** From snapshots to all files that they reach. */
import type { FileIO } from '../io/file-io.ts';
import type { ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import { manifestBytes, snapshotManifests } from '../scan/snapshot-manifests.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import type { KnownSnapshot } from './snapshot-history.ts';

const READ_CONCURRENCY = 8;

/** A manifest, and metadata that has its partition spec. */
export interface KnownManifest {
	readonly manifest: ManifestFile;
	readonly metadata: TableMetadata;
}

/**
 * The manifests of snapshots, each once, by location.
 * @throws what reading a manifest list throws: then it is not known what the snapshots need
 */
export async function manifestsOfAll(
	io: FileIO,
	snapshots: readonly KnownSnapshot[],
	signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, KnownManifest>> {
	const found = new Map<string, KnownManifest>();
	const options = signal === undefined ? {} : { signal };
	const work = async ({ snapshot, metadata }: KnownSnapshot) => ({
		metadata,
		manifests: await snapshotManifests(io, snapshot, options),
	});
	for await (const { manifests, metadata } of mapBounded(snapshots, READ_CONCURRENCY, work, signal))
		for (const manifest of manifests)
			if (!found.has(manifest.location)) found.set(manifest.location, { manifest, metadata });
	return found;
}

/**
 * Live entries of manifests, manifest by manifest.
 * @throws what reading a manifest throws: then it is not known what the snapshots need
 */
export async function* liveEntriesOf(
	io: FileIO,
	manifests: Iterable<KnownManifest>,
	signal: AbortSignal | undefined,
): AsyncGenerator<readonly ManifestEntry[]> {
	yield* mapBounded(manifests, READ_CONCURRENCY, (each) => entriesOf(io, each, true, signal), signal);
}

/** The entries of one manifest, without metrics. */
export async function entriesOf(
	io: FileIO,
	{ manifest, metadata }: KnownManifest,
	liveOnly: boolean,
	signal: AbortSignal | undefined,
): Promise<readonly ManifestEntry[]> {
	return decodeManifest(await manifestBytes(io, manifest, signal), manifest, metadata, {
		metricsFor: 'none',
		liveOnly,
	});
}
