/** Iceberg spec: Column Projection (schema.name-mapping.default); Name Mapping Serialization. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { parseJson } from '../util/json.ts';
import { JsonReader, textOf } from './json-access.ts';
import type { Schema } from './schema.ts';
import { childFields } from './schema-index.ts';
import type { JsonValue, NestedField } from './types.ts';

/** Table property that holds a table's name mapping. */
export const DEFAULT_NAME_MAPPING = 'schema.name-mapping.default';

/** Mappings nested deeper than this are refused. */
const MAX_DEPTH = 100;

/** One field: the names that it goes by in data files without ids. */
export interface MappedField {
	/** absent: the names are known, but are of no field of the table */
	readonly fieldId?: number;
	readonly names: readonly string[];
	readonly fields: readonly MappedField[];
}

/** Field ids for data files that have none, by name. Immutable. */
export class NameMapping {
	readonly fields: readonly MappedField[];
	readonly #byName = new Map<readonly MappedField[], ReadonlyMap<string, MappedField>>();

	/** @throws `CORRUPT` when a name stands twice on one level */
	constructor(fields: readonly MappedField[]) {
		this.fields = fields;
		this.#index(fields, '');
	}

	/**
	 * The id of a field by its names from the root down; list elements are `element`, map parts `key` and `value`.
	 * `undefined` for names that are not mapped.
	 */
	find(path: readonly string[]): number | undefined {
		let level = this.fields;
		let field: MappedField | undefined;
		for (const name of path) {
			field = this.#byName.get(level)?.get(name);
			if (field === undefined) return undefined;
			level = field.fields;
		}
		return field?.fieldId;
	}

	/** The JSON of the mapping: what {@link parseNameMapping} reads. */
	toJson(): JsonValue {
		return this.fields.map(mappedFieldToJson);
	}

	#index(fields: readonly MappedField[], at: string): void {
		const byName = new Map<string, MappedField>();
		for (const field of fields) {
			for (const name of field.names) {
				if (byName.has(name)) {
					throw new IcebergError('CORRUPT', `name mapping: the name '${at}${name}' stands twice`, {
						context: { name: at + name },
					});
				}
				byName.set(name, field);
			}
			this.#index(field.fields, `${at}${field.names[0] ?? ''}.`);
		}
		this.#byName.set(fields, byName);
	}
}

/**
 * A name mapping from its JSON text.
 *
 * @throws `CORRUPT` for text that is no name mapping
 */
export function parseNameMapping(text: string): NameMapping {
	const json = parseJson(text, 'name mapping');
	if (!Array.isArray(json)) throw new IcebergError('CORRUPT', 'name mapping: expected a list of fields');
	return new NameMapping(json.map((field, i) => mappedFieldFromJson(field, `name mapping[${i}]`, 0)));
}

/** The mapping under which a schema's fields go by their own names. */
export function nameMappingOf(schema: Schema): NameMapping {
	return new NameMapping(schema.fields.map(mappedFieldOf));
}

function mappedFieldOf(field: NestedField): MappedField {
	return { fieldId: field.id, names: [field.name], fields: childFields(field.type).map(mappedFieldOf) };
}

function mappedFieldFromJson(json: JsonValue, at: string, depth: number): MappedField {
	if (depth > MAX_DEPTH) throw new IcebergError('CORRUPT', `${at}: nested deeper than ${MAX_DEPTH} levels`);
	const reader = new JsonReader(json, at);
	const fieldId = reader.optionalInt('field-id');
	return {
		...(fieldId === undefined ? {} : { fieldId }),
		names: reader.list('names', textOf),
		fields: reader.optionalList('fields', (field, fieldAt) => mappedFieldFromJson(field, fieldAt, depth + 1)),
	};
}

function mappedFieldToJson(field: MappedField): JsonValue {
	return {
		...(field.fieldId === undefined ? {} : { 'field-id': field.fieldId }),
		names: [...field.names],
		...(field.fields.length === 0 ? {} : { fields: field.fields.map(mappedFieldToJson) }),
	};
}
