import type { FileIO } from '../io/file-io.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import type { ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { recentManifest } from './recent-manifests.ts';
import { manifestBytes } from '../scan/snapshot-manifests.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** The entries of a manifest that are not deleted. @throws `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED` */
export async function entriesOf(
	io: FileIO,
	manifest: ManifestFile,
	table: TableMetadata,
	metricsFor: 'all' | 'none',
	signal: AbortSignal | undefined,
): Promise<readonly ManifestEntry[]> {
	const bytes = recentManifest(io, manifest.location) ?? (await manifestBytes(io, manifest, signal));
	return decodeManifest(bytes, manifest, table, { liveOnly: true, metricsFor });
}
