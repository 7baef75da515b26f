/** Manifests from bytes. Iceberg spec: Manifests. */
import {
	type AvroHeader,
	boundedAvroBlocks,
	loadAvroCodec,
	metadataText,
	readAvroHeader,
} from '../codec/avro/container-reader.ts';
import type { AvroSchema } from '../codec/avro/schema.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { type DecodeManifestOptions, EntryBuilder } from './entry-builder.ts';
import { compileEntryReader, type ReadEntry } from './entry-decoder.ts';
import { type ManifestTable, specOf, typedPartitionFields } from './partition-type.ts';
import type { ManifestEntry, ManifestFile } from './types.ts';

/**
 * The entries of a manifest in file order, with snapshot id, sequence numbers and first row ids inherited from the
 * manifest list's row for it. Metrics maps are `ReadonlyMap`s, not always `Map`s, and cannot be cloned to a worker.
 * @throws `CORRUPT` for bytes that are no manifest, or one that contradicts `manifest`
 * @throws `UNSUPPORTED` for a format version, file format or compression that this version does not know
 */
export async function decodeManifest(
	bytes: Uint8Array,
	manifest: ManifestFile,
	table: ManifestTable,
	options: DecodeManifestOptions = {},
): Promise<ManifestEntry[]> {
	const header = readAvroHeader(bytes, manifest.location);
	await loadAvroCodec(header.codec, 'decompress');
	checkMetadata(header, manifest);
	const spec = specOf(table, manifest.specId, manifest.location);
	const read = entryReader(header.schema, spec, table, manifest.location);
	const builder = new EntryBuilder(manifest, options);
	for (const block of boundedAvroBlocks(bytes, header, manifest.location)) builder.decode(block, read);
	return builder.entries;
}

/** Compiled readers by the schema of the file, the spec and the current schema of the table, all immutable. */
const readers = new WeakMap<
	AvroSchema,
	WeakMap<PartitionSpec, { readonly schema: Schema; readonly read: ReadEntry }>
>();

function entryReader(fileSchema: AvroSchema, spec: PartitionSpec, table: ManifestTable, location: string): ReadEntry {
	const schema = table.schemas.find((candidate) => candidate.schemaId === table.currentSchemaId);
	const known = readers.get(fileSchema)?.get(spec);
	if (known !== undefined && known.schema === schema) return known.read;
	const read = compileEntryReader(fileSchema, typedPartitionFields(table, spec), location);
	// the type of a partition field on a dropped column comes from an older schema, which is no part of the key
	if (schema === undefined || spec.fields.some((field) => schema.findField(field.sourceId) === undefined)) return read;
	let bySpec = readers.get(fileSchema);
	if (bySpec === undefined) readers.set(fileSchema, (bySpec = new WeakMap()));
	bySpec.set(spec, { schema, read });
	return read;
}

const MAX_FORMAT_VERSION = 3;

function checkMetadata(header: AvroHeader, manifest: ManifestFile): void {
	const { location } = manifest;
	const version = metadataText(header, 'format-version', location);
	if (version !== undefined && (!/^[0-9]+$/.test(version) || Number(version) > MAX_FORMAT_VERSION)) {
		throw new IcebergError(
			'UNSUPPORTED',
			`the manifest ${location} is of format version '${version}'; 1 to 3 are read`,
			{
				context: { location, formatVersion: version },
			},
		);
	}
	const content = metadataText(header, 'content', location);
	if (content !== undefined && content !== manifest.content) {
		throw new IcebergError(
			'CORRUPT',
			`the manifest ${location} says that it holds '${content}', the manifest list says '${manifest.content}'`,
			{ context: { location, found: content, expected: manifest.content } },
		);
	}
}
