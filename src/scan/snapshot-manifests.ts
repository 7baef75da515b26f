/** The manifests of a snapshot. Iceberg spec: Manifest Lists; Snapshots. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { describeEmbeddedManifest } from '../manifest/embedded-manifest.ts';
import { decodeManifestList } from '../manifest/manifest-list.ts';
import type { ManifestFile } from '../manifest/types.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { mapAllBounded } from '../util/bounded-pool.ts';

/** Largest manifest or manifest list that is read. */
export const MAX_MANIFEST_SIZE_BYTES = 1024 * 1024 * 1024;
/** Manifests read at once where nothing else is asked for. */
export const DEFAULT_PLAN_CONCURRENCY = 8;

export interface ManifestReadOptions {
	readonly concurrency?: number;
	readonly signal?: AbortSignal;
}

/**
 * The manifests of a snapshot in the order of its manifest list, delete manifests among them. Snapshots of old v1
 * tables list their manifests themselves; each is then opened for its partition spec.
 *
 * @throws `CORRUPT`, `UNSUPPORTED` (an encrypted manifest list), and what the storage throws
 */
export async function snapshotManifests(
	io: FileIO,
	snapshot: Snapshot,
	options: ManifestReadOptions = {},
): Promise<readonly ManifestFile[]> {
	const { signal } = options;
	if (snapshot.keyId !== undefined)
		throw new IcebergError('UNSUPPORTED', `the manifest list of snapshot ${snapshot.snapshotId} is encrypted`, {
			context: { snapshotId: snapshot.snapshotId },
		});
	if (snapshot.manifestList !== undefined)
		return decodeManifestList(await readBytes(io, snapshot.manifestList, undefined, signal), snapshot.manifestList);
	if (snapshot.manifests === undefined)
		throw new IcebergError('CORRUPT', `snapshot ${snapshot.snapshotId} names neither a manifest list nor manifests`, {
			context: { snapshotId: snapshot.snapshotId },
		});
	return mapAllBounded(
		snapshot.manifests,
		options.concurrency ?? DEFAULT_PLAN_CONCURRENCY,
		async (location) =>
			describeEmbeddedManifest(await readBytes(io, location, undefined, signal), location, snapshot.snapshotId),
		signal,
	);
}

/** The bytes of a manifest. @throws `UNSUPPORTED` for an encrypted one, and what the storage throws */
export async function manifestBytes(io: FileIO, manifest: ManifestFile, signal?: AbortSignal): Promise<Uint8Array> {
	if (manifest.keyMetadata !== undefined && manifest.keyMetadata.length > 0)
		throw new IcebergError('UNSUPPORTED', `the manifest ${manifest.location} is encrypted`, {
			context: { location: manifest.location },
		});
	return readBytes(io, manifest.location, manifest.length, signal);
}

async function readBytes(
	io: FileIO,
	location: string,
	length: number | undefined,
	signal: AbortSignal | undefined,
): Promise<Uint8Array> {
	const input = io.input(location, length);
	try {
		return await input.readAll({ maxBytes: MAX_MANIFEST_SIZE_BYTES, ...(signal === undefined ? {} : { signal }) });
	} finally {
		await input.close();
	}
}
