/** The files that a table's snapshots refer to, within its folder. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { localPathOf, schemeOf } from '../io/location.ts';
import { describeEmbeddedManifest } from '../manifest/embedded-manifest.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import { decodeManifestList } from '../manifest/manifest-list.ts';
import type { ManifestFile } from '../manifest/types.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/**
 * Locations, spelled with `folder`, of the files below it that any snapshot reaches and that `wanted` accepts. A
 * manifest that is missing or damaged is passed over: what it named is then not found.
 */
export async function reachableFiles(
	io: FileIO,
	folder: string,
	metadata: TableMetadata,
	wanted: (location: string) => boolean,
): Promise<ReadonlySet<string>> {
	const found = new Set<string>();
	const add = (location: string): void => {
		const spelled = spelledWith(folder, location);
		if (spelled !== undefined && wanted(spelled)) found.add(spelled);
	};
	const seen = new Set<string>();
	for (const snapshot of metadata.snapshots) {
		if (snapshot.manifestList !== undefined) add(snapshot.manifestList);
		for (const location of snapshot.manifests ?? []) add(location);
		for (const manifest of await manifestsOf(io, snapshot)) {
			if (seen.has(manifest.location)) continue;
			seen.add(manifest.location);
			add(manifest.location);
			for (const location of await filesOf(io, manifest, metadata)) add(location);
		}
	}
	for (const { json } of [...metadata.statistics, ...metadata.partitionStatistics]) {
		const path = json['statistics-path'];
		if (typeof path === 'string') add(path);
	}
	return found;
}

async function manifestsOf(io: FileIO, snapshot: Snapshot): Promise<readonly ManifestFile[]> {
	const { manifestList, manifests = [], snapshotId } = snapshot;
	if (manifestList !== undefined)
		return readable(async () => decodeManifestList(await io.input(manifestList).readAll(), manifestList));
	const described = manifests.map((location) =>
		readable(async () => [describeEmbeddedManifest(await io.input(location).readAll(), location, snapshotId)]),
	);
	return (await Promise.all(described)).flat();
}

async function filesOf(io: FileIO, manifest: ManifestFile, metadata: TableMetadata): Promise<readonly string[]> {
	return readable(async () => {
		const bytes = await io.input(manifest.location).readAll();
		const entries = await decodeManifest(bytes, manifest, metadata, { metricsFor: 'none' });
		return entries.map((entry) => entry.file.location);
	});
}

async function readable<T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> {
	try {
		return await read();
	} catch (error) {
		if (error instanceof IcebergError) return [];
		throw error;
	}
}

/** `file:/a/b/x` as `/a/b/x` for the folder `/a/b`; `undefined` outside of the folder. */
function spelledWith(folder: string, location: string): string | undefined {
	if (location.startsWith(`${folder}/`)) return location;
	try {
		const path = localPathOf(location);
		const root = localPathOf(folder);
		if (!path.startsWith(`${root}/`)) return undefined;
		return schemeOf(folder) === '' ? path : `${folder}${path.slice(root.length)}`;
	} catch {
		return undefined;
	}
}
