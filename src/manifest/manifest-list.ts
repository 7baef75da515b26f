/** Manifest lists as bytes. Iceberg spec: Manifest Lists. */
import {
	type AvroCodec,
	boundedAvroBlocks,
	checkBlockEnd,
	loadAvroCodec,
	metadataText,
	readAvroHeader,
} from '../codec/avro/container-reader.ts';
import { AvroBuffer } from '../codec/avro/buffer.ts';
import {
	AVRO_SMALL_FILE_BYTES,
	AvroContainerWriter,
	type AvroFileHeader,
	encodeAvroHeader,
} from '../codec/avro/container-writer.ts';
import { compileStructDecoder } from '../codec/avro/decoder.ts';
import { compileStructEncoder } from '../codec/avro/encoder.ts';
import { avroSchemaOf } from '../codec/avro/iceberg-schema.ts';
import type { AvroSchema } from '../codec/avro/schema.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { LIST } from './field-ids.ts';
import { manifestFileFromRow, manifestFileRow } from './manifest-list-row.ts';
import { MANIFEST_FILE_TYPE, manifestFileType } from './manifest-list-schema.ts';
import { assignNumbers } from './assign-numbers.ts';
import type { ManifestFile } from './types.ts';

const MAX_FORMAT_VERSION = 3;

/**
 * The rows of a manifest list, in file order. What v1 lists lack is as the spec says: content `data`, sequence numbers
 * 0; counts stay absent.
 * @throws `CORRUPT` for bytes that are no manifest list
 * @throws `UNSUPPORTED` for a format version or compression that this version does not know
 */
export async function decodeManifestList(bytes: Uint8Array, location: string): Promise<ManifestFile[]> {
	const header = readAvroHeader(bytes, location);
	await loadAvroCodec(header.codec, 'decompress');
	const version = metadataText(header, 'format-version', location);
	if (version !== undefined && (!/^[0-9]+$/.test(version) || Number(version) > MAX_FORMAT_VERSION)) {
		throw new IcebergError(
			'UNSUPPORTED',
			`the manifest list ${location} is of format version '${version}'; 1 to 3 are read`,
			{
				context: { location, formatVersion: version },
			},
		);
	}
	const decode = rowDecoder(header.schema, location);
	const manifests: ManifestFile[] = [];
	for (const block of boundedAvroBlocks(bytes, header, location)) {
		for (let i = 0; i < block.count; i++) {
			const start = block.cursor.position;
			const manifest = manifestFileFromRow(decode(block.cursor));
			if (manifest === undefined) throw block.cursor.corrupt('a row that is no manifest file', start);
			manifests.push(manifest);
		}
		checkBlockEnd(block);
	}
	return manifests;
}

const decoders = new WeakMap<AvroSchema, ReturnType<typeof compileStructDecoder>>();

function rowDecoder(schema: AvroSchema, location: string): ReturnType<typeof compileStructDecoder> {
	let decode = decoders.get(schema);
	if (decode === undefined) {
		checkSchema(schema, location);
		decode = compileStructDecoder(schema, MANIFEST_FILE_TYPE, { location, missing: () => null });
		decoders.set(schema, decode);
	}
	return decode;
}

/** Without them a row means nothing; a file of another kind lacks them. */
const REQUIRED_IDS = [LIST.location, LIST.length, LIST.specId, LIST.addedSnapshotId];

function checkSchema(schema: AvroSchema, location: string): void {
	const fields = schema.kind === 'record' ? schema.fields : [];
	for (const id of REQUIRED_IDS) {
		if (!fields.some((field) => field.fieldId === id)) {
			throw new IcebergError('CORRUPT', `${location} is no manifest list that can be read: it has no field ${id}`, {
				context: { location, fieldId: id },
			});
		}
	}
}

export interface ManifestListContext {
	readonly formatVersion: FormatVersion;
	readonly snapshotId: bigint;
	readonly parentSnapshotId?: bigint;
	/** the commit's; given to manifests that have none yet. 0n in v1 */
	readonly sequenceNumber: bigint;
	/** v3, required there: the table's `next-row-id`, from which data manifests without a first row id get theirs */
	readonly firstRowId?: bigint;
	/** Default `deflate`. */
	readonly codec?: AvroCodec;
	/** Leaves a list uncompressed that is mostly header. Default false. */
	readonly plainWhenSmall?: boolean;
}

export interface EncodedManifestList {
	readonly bytes: Uint8Array;
	/** the manifests as they stand in the list: sequence numbers and first row ids assigned */
	readonly manifests: readonly ManifestFile[];
	/** v3: the table's next `next-row-id` */
	readonly nextRowId?: bigint;
}

/**
 * Encodes a manifest list. Manifests of {@link UNASSIGNED_SEQUENCE_NUMBER} get the commit's sequence number; in v3, data
 * manifests without a first row id get one, and ids for all their added and existing rows are set aside.
 * Iceberg spec: Manifest Lists, First Row ID Assignment
 * @throws `INVALID_ARGUMENT` for a manifest that the format version does not allow
 */
export async function encodeManifestList(
	manifests: Iterable<ManifestFile>,
	context: ManifestListContext,
): Promise<EncodedManifestList> {
	await loadAvroCodec(context.codec ?? 'deflate', 'compress');
	return encodeManifestListSync(manifests, context);
}

/** As {@link encodeManifestList}, for the codecs null and deflate or those that were loaded. */
export function encodeManifestListSync(
	manifests: Iterable<ManifestFile>,
	context: ManifestListContext,
): EncodedManifestList {
	const { assigned, nextRowId } = assignNumbers(manifests, context);
	const rows = assigned.map((manifest) => encodedRow(manifest, context.formatVersion));
	const isSmall =
		context.plainWhenSmall === true && rows.reduce((sum, row) => sum + row.length, 0) <= AVRO_SMALL_FILE_BYTES;
	const writer = new AvroContainerWriter(headerOf(context, isSmall ? 'null' : (context.codec ?? 'deflate')));
	for (const row of rows) {
		writer.rows.writeRaw(row);
		writer.endRow();
	}
	return { bytes: writer.finish(), manifests: assigned, ...(nextRowId === undefined ? {} : { nextRowId }) };
}

/** Rows of manifests, which stay the same from list to list. */
const encodedRows = new WeakMap<ManifestFile, { readonly formatVersion: FormatVersion; readonly row: Uint8Array }>();
const rowBuffer = new AvroBuffer(1024);

function encodedRow(manifest: ManifestFile, formatVersion: FormatVersion): Uint8Array {
	const known = encodedRows.get(manifest);
	if (known?.formatVersion === formatVersion) return known.row;
	rowBuffer.clear();
	encoderOf(formatVersion)(rowBuffer, manifestFileRow(manifest, formatVersion));
	const row = rowBuffer.view().slice();
	encodedRows.set(manifest, { formatVersion, row });
	return row;
}

function headerOf(context: ManifestListContext, codec: AvroCodec): AvroFileHeader {
	const { formatVersion, snapshotId, parentSnapshotId, sequenceNumber, firstRowId } = context;
	const metadata: Record<string, string> = {
		'snapshot-id': String(snapshotId),
		'parent-snapshot-id': parentSnapshotId === undefined ? 'null' : String(parentSnapshotId),
		...(formatVersion === 1 ? {} : { 'sequence-number': String(sequenceNumber) }),
		...(formatVersion >= 3 ? { 'first-row-id': String(firstRowId) } : {}),
		'format-version': String(formatVersion),
	};
	return encodeAvroHeader(schemaTextOf(formatVersion), metadata, codec);
}

const schemaTexts = new Map<FormatVersion, string>();
function schemaTextOf(formatVersion: FormatVersion): string {
	let text = schemaTexts.get(formatVersion);
	if (text === undefined) {
		text = JSON.stringify(avroSchemaOf(manifestFileType(formatVersion), 'manifest_file'));
		schemaTexts.set(formatVersion, text);
	}
	return text;
}

const encoders = new Map<FormatVersion, ReturnType<typeof compileStructEncoder>>();
function encoderOf(formatVersion: FormatVersion): ReturnType<typeof compileStructEncoder> {
	let encoder = encoders.get(formatVersion);
	if (encoder === undefined)
		encoders.set(formatVersion, (encoder = compileStructEncoder(manifestFileType(formatVersion))));
	return encoder;
}
