/** Decoded manifests through a cache. */
import type { ManifestCache } from './manifest-cache.ts';
import { decodeManifest } from './manifest.ts';
import type { ManifestTable } from './partition-type.ts';
import type { ManifestEntry, ManifestFile } from './types.ts';

/** About what an entry takes in memory beside its metrics: objects, location, numbers. */
const ENTRY_SIZE_BYTES = 700;
/** How much larger a manifest's bytes commonly are when expanded; lazy metrics hold on to them. */
const EXPANSION = 6;

/**
 * What a decoded manifest depends on: the file, what its entries inherit from the list, and the types of its partition
 * values, which follow the table's current schema.
 */
export function manifestCacheKey(manifest: ManifestFile, table: ManifestTable): string {
	const { location, specId, sequenceNumber, addedSnapshotId, firstRowId } = manifest;
	return [location, specId, sequenceNumber, addedSnapshotId, firstRowId ?? '', table.currentSchemaId].join('\n');
}

/** All entries with all metrics, lazily. They are shared: do not change them. `read` gives the manifest's bytes. */
export function cachedManifestEntries(
	cache: ManifestCache,
	manifest: ManifestFile,
	table: ManifestTable,
	read: () => Promise<Uint8Array>,
): Promise<readonly ManifestEntry[]> {
	return cache.get(manifestCacheKey(manifest, table), async () => {
		const bytes = await read();
		const value = await decodeManifest(bytes, manifest, table);
		return { value, sizeBytes: bytes.length * EXPANSION + value.length * ENTRY_SIZE_BYTES };
	});
}
