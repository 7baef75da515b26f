/** Iceberg spec: Table Metadata; Appendix C: JSON serialization, Table Metadata and Snapshots. All versions, lossless. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { parseJson, stringifyJson } from '../util/json.ts';
import { EncodedList, encodeObject } from './encoded-json.ts';
import { JsonReader, longToJson, setOwn, wrong } from './json-access.ts';
import { FIRST_PARTITION_FIELD_ID, type PartitionSpec } from './partition-spec.ts';
import {
	partitionFieldsFromJson,
	partitionFieldsToJson,
	partitionSpecFromJson,
	partitionSpecToJson,
} from './partition-spec-json.ts';
import type { Schema } from './schema.ts';
import { schemaFromJson, schemaToJson } from './schema-json.ts';
import type { MetadataLogEntry, Snapshot, SnapshotLogEntry, SnapshotRef } from './snapshot.ts';
import { snapshotFromJson, snapshotRefFromJson, snapshotRefToJson, snapshotToJson } from './snapshot-json.ts';
import { type SortOrder, UNSORTED } from './sort-order.ts';
import { sortOrderFromJson, sortOrderToJson } from './sort-order-json.ts';
import type { FormatVersion, StatisticsFileEntry, TableMetadata } from './table-metadata.ts';
import { currentSchema, defaultSpec, MAIN_BRANCH } from './table-metadata-lookup.ts';
import type { JsonValue } from './types.ts';

/** The newest format version that this version reads and writes. */
export const MAX_FORMAT_VERSION = 3;

const KNOWN_KEYS: readonly string[] = [
	'format-version',
	'table-uuid',
	'location',
	'last-updated-ms',
	'last-column-id',
	'schemas',
	'current-schema-id',
	'partition-specs',
	'default-spec-id',
	'last-partition-id',
	'properties',
	'current-snapshot-id',
	'snapshots',
	'snapshot-log',
	'metadata-log',
	'sort-orders',
	'default-sort-order-id',
	'refs',
	'statistics',
	'partition-statistics',
	'encryption-keys',
];
/** Keys that only some versions give a meaning; in the others they are kept as unknown ones. */
const KNOWN_KEYS_BY_VERSION: Readonly<Record<FormatVersion, ReadonlySet<string>>> = {
	1: new Set([...KNOWN_KEYS, 'schema', 'partition-spec']),
	2: new Set([...KNOWN_KEYS, 'last-sequence-number']),
	3: new Set([...KNOWN_KEYS, 'last-sequence-number', 'next-row-id']),
};
const SNAPSHOT_LOG_KEYS: ReadonlySet<string> = new Set(['snapshot-id', 'timestamp-ms']);
const METADATA_LOG_KEYS: ReadonlySet<string> = new Set(['metadata-file', 'timestamp-ms']);

/**
 * Table metadata from the text of a metadata file (after decompression).
 *
 * @param location of the file, for messages
 * @throws `CORRUPT` naming the location and the key, for text that is no table metadata; `UNSUPPORTED` for a format
 *   version that this version does not know
 */
export function parseTableMetadata(text: string, location: string): TableMetadata {
	try {
		return tableMetadataFromJson(parseJson(text));
	} catch (error) {
		if (!(error instanceof IcebergError)) throw error;
		const code = error.code === 'UNSUPPORTED' ? 'UNSUPPORTED' : 'CORRUPT';
		throw new IcebergError(code, `table metadata ${location}: ${error.message}`, {
			context: { ...error.context, location },
			cause: error,
		});
	}
}

/** The text of a metadata file: what {@link parseTableMetadata} reads back as equal metadata. Compact JSON. */
export function serializeTableMetadata(metadata: TableMetadata): string {
	return stringifyJson(tableMetadataToJson(metadata));
}

/**
 * {@link serializeTableMetadata} in UTF-8. Bytes of what stays from version to version (schemas, snapshots, entries of the
 * logs) are made once for each object, so that a commit costs what it changes, and a copy of the rest.
 */
export function encodeTableMetadata(metadata: TableMetadata): Uint8Array {
	return encodeObject(topLevel(metadata, (items, toJson) => new EncodedList(items, toJson)));
}

/** @throws `CORRUPT`, `INVALID_SCHEMA`, `UNSUPPORTED` as {@link parseTableMetadata}, without a location */
export function tableMetadataFromJson(json: JsonValue): TableMetadata {
	const reader = new JsonReader(json, '');
	const formatVersion = readFormatVersion(reader);
	const schemas = readSchemas(reader, formatVersion);
	const specs = readSpecs(reader, formatVersion);
	const orders = readSortOrders(reader, formatVersion);
	const snapshots = reader.optionalList('snapshots', snapshotFromJson);
	const currentSnapshotId = readCurrentSnapshotId(reader);
	const tableUuid = formatVersion === 1 ? reader.optionalText('table-uuid') : reader.text('table-uuid');
	const encryptionKeys = reader.optionalArray('encryption-keys');
	const extra = reader.rest(KNOWN_KEYS_BY_VERSION[formatVersion]);
	const metadata: TableMetadata = {
		formatVersion,
		...(tableUuid === undefined ? {} : { tableUuid }),
		location: reader.text('location'),
		lastSequenceNumber: formatVersion === 1 ? 0n : reader.long('last-sequence-number'),
		lastUpdatedMs: reader.safeInteger('last-updated-ms'),
		lastColumnId: reader.int('last-column-id'),
		...schemas,
		...specs,
		lastPartitionId: readLastPartitionId(reader, formatVersion, specs.partitionSpecs),
		properties: reader.optionalTextMap('properties') ?? {},
		...(currentSnapshotId === undefined ? {} : { currentSnapshotId }),
		snapshots,
		snapshotLog: reader.optionalList('snapshot-log', snapshotLogEntryFromJson),
		metadataLog: reader.optionalList('metadata-log', metadataLogEntryFromJson),
		...orders,
		refs: readRefs(reader, currentSnapshotId),
		statistics: reader.optionalList('statistics', statisticsFromJson),
		partitionStatistics: reader.optionalList('partition-statistics', statisticsFromJson),
		...(formatVersion >= 3 ? { nextRowId: reader.long('next-row-id') } : {}),
		...(encryptionKeys === undefined ? {} : { encryptionKeys }),
		...(extra === undefined ? {} : { extra }),
	};
	checkReferences(metadata);
	return metadata;
}

/** The JSON of table metadata. */
export function tableMetadataToJson(metadata: TableMetadata): JsonValue {
	const json: { [key: string]: JsonValue } = {};
	for (const [key, value] of topLevel<JsonValue>(metadata, (items, toJson) => items.map(toJson)))
		setOwn(json, key, value);
	return json;
}

type ListMaker<L> = <T extends object>(items: readonly T[], toJson: (item: T) => JsonValue) => L;

/**
 * The keys of table metadata in the order of the file. v1 also carries the current schema and spec under the keys that old
 * readers look for.
 * @param list makes what stands for a list of objects that are the same from version to version
 */
function topLevel<L>(metadata: TableMetadata, list: ListMaker<L>): Map<string, JsonValue | L> {
	const version = metadata.formatVersion;
	const json = new Map<string, JsonValue | L>([['format-version', version]]);
	if (metadata.tableUuid !== undefined) json.set('table-uuid', metadata.tableUuid);
	json.set('location', metadata.location);
	if (version > 1) json.set('last-sequence-number', longToJson(metadata.lastSequenceNumber));
	json.set('last-updated-ms', metadata.lastUpdatedMs);
	json.set('last-column-id', metadata.lastColumnId);
	if (version === 1) json.set('schema', schemaToJson(currentSchema(metadata)));
	json.set('current-schema-id', metadata.currentSchemaId);
	json.set('schemas', list(metadata.schemas, schemaToJson));
	if (version === 1) json.set('partition-spec', partitionFieldsToJson(defaultSpec(metadata)));
	json.set('default-spec-id', metadata.defaultSpecId);
	json.set('partition-specs', list(metadata.partitionSpecs, partitionSpecToJson));
	json.set('last-partition-id', metadata.lastPartitionId);
	json.set('default-sort-order-id', metadata.defaultSortOrderId);
	json.set('sort-orders', list(metadata.sortOrders, sortOrderToJson));
	json.set('properties', { ...metadata.properties });
	// Readers of v1 and v2 tables have long taken -1 for none; those of v3 take null.
	const none = version >= 3 ? null : -1;
	const { currentSnapshotId } = metadata;
	json.set('current-snapshot-id', currentSnapshotId === undefined ? none : longToJson(currentSnapshotId));
	if (version >= 3) json.set('next-row-id', longToJson(metadata.nextRowId ?? 0n));
	if (metadata.encryptionKeys !== undefined) json.set('encryption-keys', [...metadata.encryptionKeys]);
	const refs: { [key: string]: JsonValue } = {};
	for (const [name, ref] of Object.entries(metadata.refs)) setOwn<JsonValue>(refs, name, snapshotRefToJson(ref));
	json.set('refs', refs);
	json.set('snapshots', list(metadata.snapshots, snapshotToJson));
	json.set('statistics', list(metadata.statistics, statisticsToJson));
	json.set('partition-statistics', list(metadata.partitionStatistics, statisticsToJson));
	json.set('snapshot-log', list(metadata.snapshotLog, snapshotLogEntryToJson));
	json.set('metadata-log', list(metadata.metadataLog, metadataLogEntryToJson));
	for (const [key, value] of Object.entries(metadata.extra ?? {})) if (!json.has(key)) json.set(key, value);
	return json;
}

const statisticsToJson = (entry: StatisticsFileEntry): JsonValue => entry.json;

const snapshotLogEntryToJson = (entry: SnapshotLogEntry): JsonValue => ({
	'timestamp-ms': entry.timestampMs,
	'snapshot-id': longToJson(entry.snapshotId),
	...entry.extra,
});

const metadataLogEntryToJson = (entry: MetadataLogEntry): JsonValue => ({
	'timestamp-ms': entry.timestampMs,
	'metadata-file': entry.metadataFile,
	...entry.extra,
});

/** A statistics file's JSON: only the snapshot's id is looked at. @throws `CORRUPT` */
export function statisticsFromJson(json: JsonValue, at: string): StatisticsFileEntry {
	const reader = new JsonReader(json, at);
	return { snapshotId: reader.long('snapshot-id'), json: reader.json };
}

function readFormatVersion(reader: JsonReader): FormatVersion {
	const version = reader.int('format-version');
	if (version > MAX_FORMAT_VERSION) {
		throw new IcebergError(
			'UNSUPPORTED',
			`format version ${version} is newer than ${MAX_FORMAT_VERSION}, the newest that this version reads`,
			{ context: { formatVersion: version } },
		);
	}
	if (version < 1) throw reader.wrong('format-version', 'a version from 1 up');
	return version as FormatVersion;
}

function readSchemas(
	reader: JsonReader,
	version: FormatVersion,
): { schemas: readonly Schema[]; currentSchemaId: number } {
	if (version === 1 && !reader.has('schemas')) {
		const schema = schemaFromJson(reader.object('schema').json, 'schema');
		return { schemas: [schema], currentSchemaId: schema.schemaId };
	}
	const schemas = reader.list('schemas', schemaFromJson);
	const currentSchemaId = reader.int('current-schema-id');
	const current = schemas.find((schema) => schema.schemaId === currentSchemaId);
	if (current === undefined) throw reader.wrong('current-schema-id', "the id of one of 'schemas'");
	unique(schemas, (schema) => schema.schemaId, 'schemas', 'schema-id');
	return { schemas, currentSchemaId };
}

function readSpecs(
	reader: JsonReader,
	version: FormatVersion,
): { partitionSpecs: readonly PartitionSpec[]; defaultSpecId: number } {
	if (version === 1 && !reader.has('partition-specs')) {
		const fields = partitionFieldsFromJson(reader.array('partition-spec'), 'partition-spec');
		return { partitionSpecs: [{ specId: 0, fields }], defaultSpecId: 0 };
	}
	const partitionSpecs = reader.list('partition-specs', partitionSpecFromJson);
	const defaultSpecId = reader.int('default-spec-id');
	if (!partitionSpecs.some((spec) => spec.specId === defaultSpecId)) {
		throw reader.wrong('default-spec-id', "the id of one of 'partition-specs'");
	}
	unique(partitionSpecs, (spec) => spec.specId, 'partition-specs', 'spec-id');
	return { partitionSpecs, defaultSpecId };
}

function readLastPartitionId(reader: JsonReader, version: FormatVersion, specs: readonly PartitionSpec[]): number {
	if (version > 1) return reader.int('last-partition-id');
	let highest = FIRST_PARTITION_FIELD_ID - 1;
	for (const spec of specs) for (const field of spec.fields) highest = Math.max(highest, field.fieldId);
	return reader.optionalInt('last-partition-id') ?? highest;
}

function readSortOrders(
	reader: JsonReader,
	version: FormatVersion,
): { sortOrders: readonly SortOrder[]; defaultSortOrderId: number } {
	if (version === 1 && !reader.has('sort-orders')) return { sortOrders: [UNSORTED], defaultSortOrderId: 0 };
	const sortOrders = reader.list('sort-orders', sortOrderFromJson);
	const defaultSortOrderId = reader.int('default-sort-order-id');
	if (!sortOrders.some((order) => order.orderId === defaultSortOrderId)) {
		throw reader.wrong('default-sort-order-id', "the id of one of 'sort-orders'");
	}
	unique(sortOrders, (order) => order.orderId, 'sort-orders', 'order-id');
	return { sortOrders, defaultSortOrderId };
}

function readCurrentSnapshotId(reader: JsonReader): bigint | undefined {
	// Iceberg spec: Assignment of Snapshot IDs and `current-snapshot-id`: -1 stands for none.
	const id = reader.optionalLong('current-snapshot-id');
	return id === -1n ? undefined : id;
}

function readRefs(reader: JsonReader, currentSnapshotId: bigint | undefined): Record<string, SnapshotRef> {
	const refs: Record<string, SnapshotRef> = {};
	if (reader.has('refs')) {
		const inner = reader.object('refs');
		for (const name of Object.keys(inner.json)) {
			setOwn(refs, name, snapshotRefFromJson(inner.json[name] as JsonValue, inner.path(name)));
		}
	}
	// Writers from before there were branches leave the main one out.
	if (currentSnapshotId !== undefined && !Object.hasOwn(refs, MAIN_BRANCH)) {
		refs[MAIN_BRANCH] = { snapshotId: currentSnapshotId, type: 'branch' };
	}
	return refs;
}

function snapshotLogEntryFromJson(json: JsonValue, at: string): SnapshotLogEntry {
	const reader = new JsonReader(json, at);
	const extra = reader.rest(SNAPSHOT_LOG_KEYS);
	return {
		snapshotId: reader.long('snapshot-id'),
		timestampMs: reader.safeInteger('timestamp-ms'),
		...(extra === undefined ? {} : { extra }),
	};
}

function metadataLogEntryFromJson(json: JsonValue, at: string): MetadataLogEntry {
	const reader = new JsonReader(json, at);
	const extra = reader.rest(METADATA_LOG_KEYS);
	return {
		metadataFile: reader.text('metadata-file'),
		timestampMs: reader.safeInteger('timestamp-ms'),
		...(extra === undefined ? {} : { extra }),
	};
}

/** What points at something has to find it, or later reads would see another table than the one written. */
function checkReferences(metadata: TableMetadata): void {
	// Building the index finds field ids that stand twice.
	currentSchema(metadata).findField(0);
	const ids = unique(metadata.snapshots, (snapshot: Snapshot) => snapshot.snapshotId, 'snapshots', 'snapshot-id');
	for (const [i, snapshot] of metadata.snapshots.entries()) {
		if (metadata.formatVersion > 1 && snapshot.sequenceNumber > metadata.lastSequenceNumber) {
			throw wrong(
				`snapshots[${i}].sequence-number`,
				`a number up to last-sequence-number, ${metadata.lastSequenceNumber}`,
				snapshot.sequenceNumber,
			);
		}
	}
	const { currentSnapshotId } = metadata;
	if (currentSnapshotId !== undefined && !ids.has(currentSnapshotId)) {
		throw wrong('current-snapshot-id', "the id of one of 'snapshots'", currentSnapshotId);
	}
	for (const [name, ref] of Object.entries(metadata.refs)) {
		if (!ids.has(ref.snapshotId))
			throw wrong(`refs.${name}.snapshot-id`, "the id of one of 'snapshots'", ref.snapshotId);
		if (name === MAIN_BRANCH && ref.snapshotId !== currentSnapshotId) {
			throw wrong('refs.main.snapshot-id', `the current snapshot's id, ${currentSnapshotId ?? 'none'}`, ref.snapshotId);
		}
	}
}

function unique<T, K extends number | bigint>(
	items: readonly T[],
	idOf: (item: T) => K,
	list: string,
	key: string,
): Set<K> {
	const ids = new Set<K>();
	for (const [i, item] of items.entries()) {
		const id = idOf(item);
		if (ids.has(id)) throw wrong(`${list}[${i}].${key}`, 'an id that no other one has', id);
		ids.add(id);
	}
	return ids;
}
