/** Snapshots of old v1 tables name their manifests themselves. Iceberg spec: Snapshots, `manifests`. */
import { metadataText, readAvroHeader } from '../codec/avro/container-reader.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { ManifestFile } from './types.ts';

/**
 * What a manifest list would say of a manifest that stands in no list: spec id from the file itself, no counts,
 * sequence number 0.
 *
 * @param snapshotId of the snapshot that names the manifest
 * @throws `CORRUPT` for bytes that are no manifest
 */
export function describeEmbeddedManifest(bytes: Uint8Array, location: string, snapshotId: bigint): ManifestFile {
	const header = readAvroHeader(bytes, location);
	const specId = metadataText(header, 'partition-spec-id', location) ?? '0';
	if (!/^[0-9]{1,9}$/.test(specId)) {
		throw new IcebergError('CORRUPT', `the manifest ${location} says that its partition spec is '${specId}'`, {
			context: { location, specId },
		});
	}
	return {
		location,
		length: bytes.length,
		specId: Number(specId),
		content: 'data',
		sequenceNumber: 0n,
		minSequenceNumber: 0n,
		addedSnapshotId: snapshotId,
	};
}
