/** Writing manifests. Iceberg spec: Manifests. */
import { type AvroFileHeader, AvroContainerWriter, encodeAvroHeader } from '../codec/avro/container-writer.ts';
import type { AvroCodec } from '../codec/avro/container-reader.ts';
import { avroSchemaOf } from '../codec/avro/iceberg-schema.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { partitionFieldsToJson } from '../spec/partition-spec-json.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import { schemaToJson } from '../spec/schema-json.ts';
import type { Schema } from '../spec/schema.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { StructType, Type } from '../spec/types.ts';
import { stringifyJson } from '../util/json.ts';
import { checkEntry, type EntryRules } from './check-entry.ts';
import { compileEntryEncoder, type EncodeEntry } from './entry-encoder.ts';
import { manifestEntryType } from './manifest-schema.ts';
import { type ManifestTable, specOf, typedPartitionFields } from './partition-type.ts';
import { PartitionSummary } from './partition-summary.ts';
import type { ManifestContent, ManifestEntry, ManifestFile } from './types.ts';

/**
 * Stands for a sequence number that the commit will give; `encodeManifestList` replaces it. In `ManifestFile.sequenceNumber`
 * and `minSequenceNumber` of manifests that were just written.
 */
export const UNASSIGNED_SEQUENCE_NUMBER = -1n;

export interface ManifestWriteContext {
	readonly formatVersion: FormatVersion;
	/** `TableMetadata` fits */
	readonly table: ManifestTable;
	/** all files of a manifest are of this spec */
	readonly specId: number;
	readonly content: ManifestContent;
	/** of the commit; written for entries without one, and as the manifest's own */
	readonly snapshotId: bigint;
	/** Default `deflate`. */
	readonly codec?: AvroCodec;
	/** of deflate (0 to 9) or zstandard (1 to 22) */
	readonly codecLevel?: number;
	/** Leaves manifests uncompressed that are mostly header. Default false. */
	readonly plainWhenSmall?: boolean;
}

/** A manifest's bytes, and its row of the manifest list, which lacks only the place where it will be put. */
export interface EncodedManifest {
	readonly bytes: Uint8Array;
	readonly manifest: Omit<ManifestFile, 'location'>;
}

/** Collects entries of one manifest. Codecs other than null and deflate must have been loaded (`loadAvroCodec`). */
export class ManifestWriter {
	readonly #context: ManifestWriteContext;
	readonly #rules: EntryRules;
	readonly #encode: EncodeEntry;
	readonly #container: AvroContainerWriter;
	readonly #summary: PartitionSummary;
	readonly #files = { added: 0, existing: 0, deleted: 0 };
	readonly #rows = { added: 0n, existing: 0n, deleted: 0n };
	#minSequenceNumber: bigint | undefined;

	/** @throws `CORRUPT` when the table has no such spec, `INVALID_ARGUMENT` for deletes in v1 */
	constructor(context: ManifestWriteContext) {
		if (context.formatVersion === 1 && context.content === 'deletes') {
			throw new IcebergError('INVALID_ARGUMENT', 'v1 tables have no delete manifests');
		}
		const template = templateOf(context);
		this.#context = context;
		this.#rules = {
			formatVersion: context.formatVersion,
			content: context.content,
			specId: context.specId,
			partitionFieldCount: template.partition.fields.length,
			untypedFields: template.untypedFields,
			snapshotId: context.snapshotId,
		};
		this.#encode = template.encode;
		this.#container = new AvroContainerWriter(
			template.header,
			context.codecLevel,
			context.plainWhenSmall === true ? template.plainHeader : template.header,
		);
		this.#summary = new PartitionSummary(template.partition.fields.map((field) => field.type));
	}

	get entryCount(): number {
		return this.#files.added + this.#files.existing + this.#files.deleted;
	}

	/** For rolling by target size. */
	get estimatedSizeBytes(): number {
		return this.#container.estimatedSizeBytes;
	}

	/** @throws `INVALID_ARGUMENT` for an entry that the manifest cannot hold */
	add(entry: ManifestEntry): void {
		checkEntry(entry, this.#rules);
		this.#encode(this.#container.rows, entry, this.#context.snapshotId);
		this.#container.endRow();
		this.#summary.update(entry.file.partition);
		this.#files[entry.status]++;
		this.#rows[entry.status] += BigInt(entry.file.recordCount);
		const { sequenceNumber } = entry;
		if (entry.status !== 'deleted' && sequenceNumber !== null) {
			if (this.#minSequenceNumber === undefined || sequenceNumber < this.#minSequenceNumber) {
				this.#minSequenceNumber = sequenceNumber;
			}
		}
	}

	/** Call once. */
	finish(): EncodedManifest {
		const bytes = this.#container.finish();
		const isV1 = this.#context.formatVersion === 1;
		return {
			bytes,
			manifest: {
				length: bytes.length,
				specId: this.#context.specId,
				content: this.#context.content,
				sequenceNumber: isV1 ? 0n : UNASSIGNED_SEQUENCE_NUMBER,
				minSequenceNumber: isV1 ? 0n : (this.#minSequenceNumber ?? UNASSIGNED_SEQUENCE_NUMBER),
				addedSnapshotId: this.#context.snapshotId,
				addedFilesCount: this.#files.added,
				existingFilesCount: this.#files.existing,
				deletedFilesCount: this.#files.deleted,
				addedRowsCount: this.#rows.added,
				existingRowsCount: this.#rows.existing,
				deletedRowsCount: this.#rows.deleted,
				partitions: this.#summary.summaries(),
			},
		};
	}
}

/** What all manifests of a table, spec, version and content have in common. */
interface ManifestTemplate {
	readonly partition: StructType;
	readonly untypedFields: readonly number[];
	readonly header: AvroFileHeader;
	/** of uncompressed files */
	readonly plainHeader: AvroFileHeader;
	readonly encode: EncodeEntry;
}

/** By schema and spec object, which are immutable; text of wide schemas is costly to make for each commit. */
const templates = new WeakMap<Schema, WeakMap<PartitionSpec, Map<string, ManifestTemplate>>>();

function templateOf(context: ManifestWriteContext): ManifestTemplate {
	const { table, formatVersion, content } = context;
	const spec = specOf(table, context.specId, 'a manifest to be written');
	const schema = currentSchema(table);
	const codec = context.codec ?? 'deflate';
	// the type of a partition field on a dropped column comes from an older schema, which is no part of the key
	const cacheable = spec.fields.every((field) => schema.findField(field.sourceId) !== undefined);
	if (!cacheable) return makeTemplate(context, spec, schema, codec);
	let bySpec = templates.get(schema);
	if (bySpec === undefined) templates.set(schema, (bySpec = new WeakMap()));
	let byKey = bySpec.get(spec);
	if (byKey === undefined) bySpec.set(spec, (byKey = new Map()));
	const key = `${formatVersion} ${content} ${codec}`;
	let template = byKey.get(key);
	if (template === undefined) byKey.set(key, (template = makeTemplate(context, spec, schema, codec)));
	return template;
}

function makeTemplate(
	{ table, formatVersion, content }: ManifestWriteContext,
	spec: PartitionSpec,
	schema: Schema,
	codec: AvroCodec,
): ManifestTemplate {
	const typed = typedPartitionFields(table, spec);
	const partition: StructType = {
		kind: 'struct',
		fields: typed.map((field) => ({
			id: field.fieldId,
			name: field.name,
			required: false,
			type: field.type ?? UNTYPED,
		})),
	};
	const schemaText = JSON.stringify(avroSchemaOf(manifestEntryType(formatVersion, partition), 'manifest_entry'));
	const metadata: Record<string, string> = {
		schema: stringifyJson(schemaToJson(schema)),
		'schema-id': String(schema.schemaId),
		'partition-spec': stringifyJson(partitionFieldsToJson(spec)),
		'partition-spec-id': String(spec.specId),
		'format-version': String(formatVersion),
		...(formatVersion === 1 ? {} : { content }),
	};
	return {
		partition,
		untypedFields: typed.flatMap((field, i) => (field.type === undefined ? [i] : [])),
		header: encodeAvroHeader(schemaText, metadata, codec),
		plainHeader: encodeAvroHeader(schemaText, metadata, 'null'),
		encode: compileEntryEncoder(formatVersion, partition),
	};
}

/** Java writes results of unknown transforms as text, and so are they kept; values of another kind are refused. */
const UNTYPED: Type = { kind: 'string' };

function currentSchema(table: ManifestTable): Schema {
	const schema = table.schemas.find((candidate) => candidate.schemaId === table.currentSchemaId);
	if (schema === undefined) {
		throw new IcebergError(
			'CORRUPT',
			`the table has no schema ${table.currentSchemaId}, which should be the current one`,
		);
	}
	return schema;
}
