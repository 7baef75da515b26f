/** Iceberg spec: Appendix C: JSON serialization, Table Metadata and Snapshots. Snapshots and refs. */
import { JsonReader, longToJson, textOf } from './json-access.ts';
import type { Snapshot, SnapshotRef } from './snapshot.ts';
import type { JsonValue } from './types.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set([
	'sequence-number',
	'snapshot-id',
	'parent-snapshot-id',
	'timestamp-ms',
	'summary',
	'manifest-list',
	'manifests',
	'schema-id',
	'first-row-id',
	'added-rows',
	'key-id',
]);
const KNOWN_REF_KEYS: ReadonlySet<string> = new Set([
	'snapshot-id',
	'type',
	'min-snapshots-to-keep',
	'max-snapshot-age-ms',
	'max-ref-age-ms',
]);

/** @throws `CORRUPT` naming the key for JSON that is no snapshot */
export function snapshotFromJson(json: JsonValue, at = 'snapshot'): Snapshot {
	const reader = new JsonReader(json, at);
	const parentSnapshotId = reader.optionalLong('parent-snapshot-id');
	const manifestList = reader.optionalText('manifest-list');
	const summary = reader.optionalTextMap('summary');
	const schemaId = reader.optionalInt('schema-id');
	const firstRowId = reader.optionalLong('first-row-id');
	const addedRows = reader.optionalLong('added-rows');
	const keyId = reader.optionalText('key-id');
	const sequenceNumber = reader.optionalLong('sequence-number') ?? 0n;
	if (sequenceNumber < 0n) throw reader.wrong('sequence-number', 'a number from 0 up');
	const extra = reader.rest(KNOWN_KEYS);
	return {
		snapshotId: reader.long('snapshot-id'),
		sequenceNumber,
		timestampMs: reader.safeInteger('timestamp-ms'),
		...(parentSnapshotId === undefined ? {} : { parentSnapshotId }),
		...(manifestList === undefined ? {} : { manifestList }),
		...(reader.has('manifests') || manifestList === undefined ? { manifests: reader.list('manifests', textOf) } : {}),
		...(summary === undefined ? {} : { summary }),
		...(schemaId === undefined ? {} : { schemaId }),
		...(firstRowId === undefined ? {} : { firstRowId }),
		...(addedRows === undefined ? {} : { addedRows }),
		...(keyId === undefined ? {} : { keyId }),
		...(extra === undefined ? {} : { extra }),
	};
}

/** The JSON of a snapshot: what {@link snapshotFromJson} reads back as an equal one. */
export function snapshotToJson(snapshot: Snapshot): JsonValue {
	const json: { [key: string]: JsonValue } = {};
	if (snapshot.sequenceNumber > 0n) json['sequence-number'] = longToJson(snapshot.sequenceNumber);
	json['snapshot-id'] = longToJson(snapshot.snapshotId);
	if (snapshot.parentSnapshotId !== undefined) json['parent-snapshot-id'] = longToJson(snapshot.parentSnapshotId);
	json['timestamp-ms'] = snapshot.timestampMs;
	if (snapshot.summary !== undefined) json['summary'] = { ...snapshot.summary };
	if (snapshot.manifestList !== undefined) json['manifest-list'] = snapshot.manifestList;
	if (snapshot.manifests !== undefined) json['manifests'] = [...snapshot.manifests];
	if (snapshot.schemaId !== undefined) json['schema-id'] = snapshot.schemaId;
	if (snapshot.firstRowId !== undefined) json['first-row-id'] = longToJson(snapshot.firstRowId);
	if (snapshot.addedRows !== undefined) json['added-rows'] = longToJson(snapshot.addedRows);
	if (snapshot.keyId !== undefined) json['key-id'] = snapshot.keyId;
	return { ...json, ...snapshot.extra };
}

/** @throws `CORRUPT` naming the key for JSON that is no ref */
export function snapshotRefFromJson(json: JsonValue, at = 'ref'): SnapshotRef {
	const reader = new JsonReader(json, at);
	const type = reader.text('type').toLowerCase();
	if (type !== 'branch' && type !== 'tag') throw reader.wrong('type', "'branch' or 'tag'");
	const minSnapshotsToKeep = reader.optionalInt('min-snapshots-to-keep');
	const snapshotAge = ageFromJson(reader, 'max-snapshot-age-ms');
	const refAge = ageFromJson(reader, 'max-ref-age-ms');
	const unknown = reader.rest(KNOWN_REF_KEYS);
	const extra = { ...unknown, ...snapshotAge?.exact, ...refAge?.exact };
	return {
		snapshotId: reader.long('snapshot-id'),
		type,
		...(minSnapshotsToKeep === undefined ? {} : { minSnapshotsToKeep }),
		...(snapshotAge === undefined ? {} : { maxSnapshotAgeMs: snapshotAge.ms }),
		...(refAge === undefined ? {} : { maxRefAgeMs: refAge.ms }),
		...(Object.keys(extra).length === 0 ? {} : { extra }),
	};
}

/** Writers say 'for ever' as the largest 64-bit integer: kept exactly for writing back, and as 2^53 - 1 for use. */
function ageFromJson(reader: JsonReader, key: string): { ms: number; exact?: Record<string, JsonValue> } | undefined {
	const age = reader.optionalLong(key);
	if (age === undefined) return undefined;
	const ms = Number(age);
	if (Number.isSafeInteger(ms)) return { ms };
	return { ms: age > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER, exact: { [key]: age } };
}

/** The JSON of a ref: what {@link snapshotRefFromJson} reads back as an equal one. */
export function snapshotRefToJson(ref: SnapshotRef): { [key: string]: JsonValue } {
	return {
		'snapshot-id': longToJson(ref.snapshotId),
		type: ref.type,
		...(ref.minSnapshotsToKeep === undefined ? {} : { 'min-snapshots-to-keep': ref.minSnapshotsToKeep }),
		...(ref.maxSnapshotAgeMs === undefined ? {} : { 'max-snapshot-age-ms': ref.maxSnapshotAgeMs }),
		...(ref.maxRefAgeMs === undefined ? {} : { 'max-ref-age-ms': ref.maxRefAgeMs }),
		...ref.extra,
	};
}
