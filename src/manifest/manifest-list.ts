/** Manifest lists as bytes. Iceberg spec: Manifest Lists. */
import {
	avroBlocks,
	checkBlockEnd,
	loadAvroCodec,
	metadataText,
	readAvroHeader,
} from '../codec/avro/container-reader.ts';
import { compileStructDecoder } from '../codec/avro/decoder.ts';
import type { AvroSchema } from '../codec/avro/schema.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Value } from '../spec/types.ts';
import { LIST } from './field-ids.ts';
import { MANIFEST_FILE_TYPE } from './manifest-list-schema.ts';
import type { FieldSummary, ManifestContent, ManifestFile } from './types.ts';

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
	checkSchema(header.schema, location);
	const decode = compileStructDecoder(header.schema, MANIFEST_FILE_TYPE, { location, missing: () => null });
	const manifests: ManifestFile[] = [];
	for (const block of avroBlocks(bytes, header, location)) {
		for (let i = 0; i < block.count; i++) {
			const start = block.cursor.position;
			const manifest = manifestFile(decode(block.cursor));
			if (manifest === undefined) throw block.cursor.corrupt('a row that is no manifest file', start);
			manifests.push(manifest);
		}
		checkBlockEnd(block);
	}
	return manifests;
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

const POSITIONS = new Map(MANIFEST_FILE_TYPE.fields.map((field, index) => [field.id, index]));
const CONTENTS: readonly ManifestContent[] = ['data', 'deletes'];

/** `undefined` for a row that breaks a rule. */
function manifestFile(row: readonly Value[]): ManifestFile | undefined {
	const get = <T extends Value>(id: number): T | null => row[POSITIONS.get(id) as number] as T | null;
	const location = get<string>(LIST.location);
	const length = sizeOf(get<bigint>(LIST.length));
	const specId = get<number>(LIST.specId);
	const addedSnapshotId = get<bigint>(LIST.addedSnapshotId);
	const content = CONTENTS[get<number>(LIST.content) ?? 0];
	if (location === null || length === undefined || specId === null || addedSnapshotId === null) return undefined;
	if (content === undefined) return undefined;
	const partitions = get<readonly (readonly Value[])[]>(LIST.partitions);
	return {
		location,
		length,
		specId,
		content,
		sequenceNumber: get<bigint>(LIST.sequenceNumber) ?? 0n,
		minSequenceNumber: get<bigint>(LIST.minSequenceNumber) ?? 0n,
		addedSnapshotId,
		...present('addedFilesCount', get<number>(LIST.addedFilesCount)),
		...present('existingFilesCount', get<number>(LIST.existingFilesCount)),
		...present('deletedFilesCount', get<number>(LIST.deletedFilesCount)),
		...present('addedRowsCount', get<bigint>(LIST.addedRowsCount)),
		...present('existingRowsCount', get<bigint>(LIST.existingRowsCount)),
		...present('deletedRowsCount', get<bigint>(LIST.deletedRowsCount)),
		...present('partitions', partitions === null ? null : partitions.map(fieldSummary)),
		...present('keyMetadata', get<Uint8Array>(LIST.keyMetadata)),
		...present('firstRowId', get<bigint>(LIST.firstRowId)),
	};
}

function fieldSummary(row: readonly Value[]): FieldSummary {
	const [containsNull, containsNan, lowerBound, upperBound] = row;
	return {
		// what is not told may be there
		containsNull: (containsNull as boolean | null) ?? true,
		...present('containsNan', containsNan as boolean | null),
		...present('lowerBound', lowerBound as Uint8Array | null),
		...present('upperBound', upperBound as Uint8Array | null),
	};
}

function present<K extends string, V>(key: K, value: V | null): { [P in K]?: V } {
	return value === null ? {} : ({ [key]: value } as { [P in K]: V });
}

function sizeOf(value: bigint | null): number | undefined {
	if (value === null || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
	return Number(value);
}
