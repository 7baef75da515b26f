/** Iceberg spec: Appendix C: JSON serialization, Partition Specs. */
import { intOf, JsonReader } from './json-access.ts';
import { FIRST_PARTITION_FIELD_ID, type PartitionField, type PartitionSpec } from './partition-spec.ts';
import { parseTransform, transformToString } from './transform.ts';
import type { JsonValue } from './types.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set(['spec-id', 'fields']);
const KNOWN_FIELD_KEYS: ReadonlySet<string> = new Set(['source-id', 'source-ids', 'field-id', 'name', 'transform']);

/** @throws `CORRUPT` naming the key for JSON that is no partition spec */
export function partitionSpecFromJson(json: JsonValue, at = 'partition-spec'): PartitionSpec {
	const reader = new JsonReader(json, at);
	const extra = reader.rest(KNOWN_KEYS);
	return {
		specId: reader.int('spec-id'),
		fields: partitionFieldsFromJson(reader.array('fields'), reader.path('fields')),
		...(extra === undefined ? {} : { extra }),
	};
}

/** The JSON of a spec: what {@link partitionSpecFromJson} reads back as an equal one. */
export function partitionSpecToJson(spec: PartitionSpec): JsonValue {
	return { 'spec-id': spec.specId, fields: partitionFieldsToJson(spec), ...spec.extra };
}

/**
 * The fields of a spec; the list alone is how v1 metadata holds its default spec.
 *
 * @param missingId the id of a field that has none, by its position: old writers number them from 1000 up
 * @throws `CORRUPT` naming the key
 */
export function partitionFieldsFromJson(
	list: readonly JsonValue[],
	at: string,
	missingId: (position: number) => number = (position) => FIRST_PARTITION_FIELD_ID + position,
): PartitionField[] {
	return list.map((json, i) => {
		const reader = new JsonReader(json, `${at}[${i}]`);
		const extra = reader.rest(KNOWN_FIELD_KEYS);
		return {
			...sourceIdsFromJson(reader),
			fieldId: reader.optionalInt('field-id') ?? missingId(i),
			name: reader.text('name'),
			transform: parseTransform(reader.text('transform')),
			...(extra === undefined ? {} : { extra }),
		};
	});
}

export function partitionFieldsToJson(spec: PartitionSpec): JsonValue[] {
	return spec.fields.map((field) => ({
		...sourceIdsToJson(field),
		'field-id': field.fieldId,
		name: field.name,
		transform: transformToString(field.transform),
		...field.extra,
	}));
}

/** `source-id`, or `source-ids` of a multi-argument transform (v3). */
export function sourceIdsFromJson(reader: JsonReader): { sourceId: number; sourceIds?: number[] } {
	if (!reader.has('source-ids')) return { sourceId: reader.int('source-id') };
	const sourceIds = reader.list('source-ids', intOf);
	const sourceId = reader.optionalInt('source-id') ?? sourceIds[0];
	if (sourceId === undefined) throw reader.wrong('source-ids', 'at least one id');
	return { sourceId, sourceIds };
}

export function sourceIdsToJson(field: { readonly sourceId: number; readonly sourceIds?: readonly number[] }): {
	[key: string]: JsonValue;
} {
	// The single id is written only where there is one source. Iceberg spec: Partition Specs, note 1.
	if (field.sourceIds !== undefined) return { 'source-ids': [...field.sourceIds] };
	return { 'source-id': field.sourceId };
}
