/** From snapshots to all files that they reach. */
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import type { ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import { manifestBytes, snapshotManifests } from '../scan/snapshot-manifests.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import type { KnownSnapshot, SnapshotHistory } from './snapshot-history.ts';

const READ_CONCURRENCY = 8;

/** A manifest, and metadata that has its partition spec. */
export interface KnownManifest {
	readonly manifest: ManifestFile;
	readonly metadata: TableMetadata;
	/** true when only snapshots have it that were let go: somebody may have cleaned up after them */
	readonly mayBeGone?: boolean;
}

/**
 * The manifests of what is to be kept: of all snapshots of the table, and, as far as they are still there, of those that
 * were let go lately. Each once, by location.
 * @throws what reading a manifest list throws: then it is not known what the snapshots need
 */
export async function keptManifests(
	io: FileIO,
	history: Pick<SnapshotHistory, 'current' | 'pending'>,
	signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, KnownManifest>> {
	const kept = new Map(await manifestsOfAll(io, history.current, signal));
	for (const pending of history.pending) {
		const manifests = await unlessGone(() => manifestsOfAll(io, [pending], signal), new Map<string, KnownManifest>());
		for (const [location, manifest] of manifests)
			if (!kept.has(location)) kept.set(location, { ...manifest, mayBeGone: true });
	}
	return kept;
}

async function unlessGone<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
	try {
		return await read();
	} catch (error) {
		if (isIcebergError(error, 'NOT_FOUND')) return otherwise;
		throw error;
	}
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
	const work = (each: KnownManifest): Promise<readonly ManifestEntry[]> => {
		const read = () => entriesOf(io, each, true, signal);
		return each.mayBeGone === true ? unlessGone(read, []) : read();
	};
	yield* mapBounded(manifests, READ_CONCURRENCY, work, signal);
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
