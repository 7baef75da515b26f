/** Iceberg spec: Appendix C: JSON serialization, Schemas. */
import { JsonReader, intOf } from './json-access.ts';
import { Schema } from './schema.ts';
import { fieldFromJson, fieldToJson } from './type-json.ts';
import type { JsonValue } from './types.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set(['type', 'schema-id', 'identifier-field-ids', 'fields']);

/**
 * A schema as it stands in metadata. Types and keys that this version does not know are kept. A schema without an id,
 * as old writers left it, has the id 0.
 *
 * @param at where the JSON stands, for messages
 * @throws `CORRUPT` or `INVALID_SCHEMA` naming the key for JSON that is no schema
 */
export function schemaFromJson(json: JsonValue, at = 'schema'): Schema {
	const reader = new JsonReader(json, at);
	const type = reader.text('type');
	if (type !== 'struct') throw reader.wrong('type', "'struct'");
	const extra = reader.rest(KNOWN_KEYS);
	return Schema.parsed({
		schemaId: reader.optionalInt('schema-id') ?? 0,
		fields: reader.list('fields', (field, fieldAt) => fieldFromJson(field, { at: fieldAt })),
		identifierFieldIds: reader.optionalList('identifier-field-ids', intOf),
		...(extra === undefined ? {} : { extra }),
	});
}

/** The JSON of a schema: what {@link schemaFromJson} reads back as an equal schema. */
export function schemaToJson(schema: Schema): JsonValue {
	return {
		type: 'struct',
		'schema-id': schema.schemaId,
		...(schema.identifierFieldIds.length > 0 ? { 'identifier-field-ids': [...schema.identifierFieldIds] } : {}),
		fields: schema.fields.map(fieldToJson),
		...schema.extra,
	};
}
