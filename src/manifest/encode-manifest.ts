/** Manifests to bytes. Iceberg spec: Manifests. */
import { loadAvroCodec } from '../codec/avro/container-reader.ts';
import { type EncodedManifest, type ManifestWriteContext, ManifestWriter } from './manifest-writer.ts';
import type { ManifestEntry } from './types.ts';

/**
 * Encodes entries, all of one partition spec and content, as a manifest. Entries to be committed have `null` for the
 * numbers that they will inherit; existing and deleted ones must have theirs.
 * @throws `INVALID_ARGUMENT` for an entry that the format version does not allow
 */
export async function encodeManifest(
	entries: Iterable<ManifestEntry>,
	context: ManifestWriteContext,
): Promise<EncodedManifest> {
	await loadAvroCodec(context.codec ?? 'deflate', 'compress');
	const writer = new ManifestWriter(context);
	for (const entry of entries) writer.add(entry);
	return writer.finish();
}

/**
 * As {@link encodeManifest}, but begins a new manifest whenever one has about `targetSizeBytes`. No entries, no manifest.
 * One manifest is in memory at a time.
 */
export async function* encodeManifests(
	entries: Iterable<ManifestEntry> | AsyncIterable<ManifestEntry>,
	context: ManifestWriteContext,
	targetSizeBytes: number,
): AsyncGenerator<EncodedManifest, void, undefined> {
	await loadAvroCodec(context.codec ?? 'deflate', 'compress');
	let writer: ManifestWriter | undefined;
	for await (const entry of entries) {
		writer ??= new ManifestWriter(context);
		writer.add(entry);
		if (writer.estimatedSizeBytes >= targetSizeBytes) {
			yield writer.finish();
			writer = undefined;
		}
	}
	if (writer !== undefined) yield writer.finish();
}
