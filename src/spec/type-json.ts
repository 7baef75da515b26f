/** Types and fields as JSON. Iceberg spec: Appendix C: JSON serialization, Schemas. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { stringifyJson } from '../util/json.ts';
import { hasJsonForm, valueFromJson, valueToJson } from './single-value-json.ts';
import { primitiveTypeText, typeFromText } from './type-text.ts';
import type { JsonValue, NestedField, Type, Value } from './types.ts';

export { typeToString } from './type-text.ts';

/** Types nested deeper than this are refused. */
export const MAX_TYPE_DEPTH = 100;

const KNOWN_FIELD_KEYS: ReadonlySet<string> = new Set(['id', 'name', 'required', 'type', 'doc']);

/** How `typeFromJson` reads. */
export interface TypeJsonOptions {
	/** Take `required` left out as false, as people write schemas by hand. Default false. */
	readonly requiredOptional?: boolean;
	/** Where the JSON stands, for messages. */
	readonly at?: string;
	/** For the reader's own recursion. */
	readonly depth?: number;
}

/**
 * A type from its JSON. A type name that this version does not know becomes `unsupported` and keeps its JSON.
 *
 * @throws `INVALID_SCHEMA` for JSON that is no type: wrong shapes, a decimal beyond 38 digits, ids that are no integers
 */
export function typeFromJson(json: JsonValue, options: TypeJsonOptions = {}): Type {
	const at = options.at ?? 'type';
	const depth = options.depth ?? 0;
	if (depth > MAX_TYPE_DEPTH) throw invalid(at, `types nested deeper than ${MAX_TYPE_DEPTH} levels`);
	if (typeof json === 'string') return typeFromText(json, at);
	if (json === null || typeof json !== 'object' || Array.isArray(json)) {
		throw invalid(at, `expected a type's name or object, found ${stringifyJson(json)}`);
	}
	const inner = { ...options, depth: depth + 1 };
	switch (json['type']) {
		case 'struct': {
			const fields = json['fields'];
			if (!Array.isArray(fields)) throw invalid(at, `expected a list 'fields' in a struct`);
			return {
				kind: 'struct',
				fields: fields.map((field, i) => fieldFromJson(field, { ...inner, at: `${at}.fields[${i}]` })),
			};
		}
		case 'list':
			return {
				kind: 'list',
				elementId: integerAt(json['element-id'], `${at}.element-id`),
				elementRequired: booleanAt(json['element-required'], `${at}.element-required`, options.requiredOptional),
				element: typeFromJson(present(json['element'], `${at}.element`), { ...inner, at: `${at}.element` }),
			};
		case 'map':
			return {
				kind: 'map',
				keyId: integerAt(json['key-id'], `${at}.key-id`),
				key: typeFromJson(present(json['key'], `${at}.key`), { ...inner, at: `${at}.key` }),
				valueId: integerAt(json['value-id'], `${at}.value-id`),
				valueRequired: booleanAt(json['value-required'], `${at}.value-required`, options.requiredOptional),
				value: typeFromJson(present(json['value'], `${at}.value`), { ...inner, at: `${at}.value` }),
			};
		default:
			if (typeof json['type'] !== 'string') throw invalid(at, "expected a text 'type' in a type's object");
			return { kind: 'unsupported', json };
	}
}

/** The JSON of a type, as the spec has it: what {@link typeFromJson} reads back as an equal type. */
export function typeToJson(type: Type): JsonValue {
	switch (type.kind) {
		case 'unsupported':
			return type.json;
		case 'struct':
			return { type: 'struct', fields: type.fields.map(fieldToJson) };
		case 'list':
			return {
				type: 'list',
				'element-id': type.elementId,
				element: typeToJson(type.element),
				'element-required': type.elementRequired,
			};
		case 'map':
			return {
				type: 'map',
				'key-id': type.keyId,
				key: typeToJson(type.key),
				'value-id': type.valueId,
				value: typeToJson(type.value),
				'value-required': type.valueRequired,
			};
		default:
			return primitiveTypeText(type) ?? type.kind;
	}
}

/**
 * A field from its JSON. Keys that this version does not know stand in `extra`, as do defaults of types whose values
 * it cannot read.
 *
 * @throws `INVALID_SCHEMA` for wrong shapes and for a default that is no value of the field's type
 */
export function fieldFromJson(json: JsonValue, options: TypeJsonOptions): NestedField {
	const at = options.at ?? 'field';
	if (json === null || typeof json !== 'object' || Array.isArray(json)) {
		throw invalid(at, `expected a field's object, found ${stringifyJson(json)}`);
	}
	const id = json['id'];
	if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw missing(`${at}.id`, 'an integer', id);
	const name = json['name'];
	if (typeof name !== 'string') throw missing(`${at}.name`, 'text', name);
	const required = json['required'] ?? (options.requiredOptional === true ? false : undefined);
	if (typeof required !== 'boolean') throw missing(`${at}.required`, 'true or false', required);
	if (json['type'] === undefined) throw missing(`${at}.type`, 'a type', undefined);
	const type = typeFromJson(json['type'], { ...options, at: `${at}.type` });
	const doc = json['doc'];
	if (doc !== undefined && doc !== null && typeof doc !== 'string') throw missing(`${at}.doc`, 'text', doc);

	const extra: Record<string, JsonValue> = {};
	const defaults: { initialDefault?: Value; writeDefault?: Value } = {};
	for (const key of Object.keys(json)) {
		if (KNOWN_FIELD_KEYS.has(key)) continue;
		const value = json[key] as JsonValue;
		const slot = key === 'initial-default' ? 'initialDefault' : key === 'write-default' ? 'writeDefault' : undefined;
		if (slot === undefined || value === null || !hasJsonForm(type)) setKey(extra, key, value);
		else defaults[slot] = defaultFromJson(type, value, `${at}.${key}`);
	}
	return {
		id,
		name,
		required,
		type,
		...(typeof doc === 'string' ? { doc } : {}),
		...defaults,
		...(Object.keys(extra).length > 0 ? { extra } : {}),
	};
}

/** The JSON of a field: what {@link fieldFromJson} reads back as an equal field. */
export function fieldToJson(field: NestedField): JsonValue {
	const json: { [key: string]: JsonValue } = {
		id: field.id,
		name: field.name,
		required: field.required,
		type: typeToJson(field.type),
	};
	if (field.doc !== undefined) json['doc'] = field.doc;
	if (field.initialDefault !== undefined) json['initial-default'] = defaultToJson(field.type, field.initialDefault);
	if (field.writeDefault !== undefined) json['write-default'] = defaultToJson(field.type, field.writeDefault);
	for (const key of Object.keys(field.extra ?? {})) setKey(json, key, field.extra?.[key] as JsonValue);
	return json;
}

/** A struct's default is `{}`: the defaults of its fields apply. In memory it is an empty struct value. */
function defaultFromJson(type: Type, json: JsonValue, at: string): Value {
	if (type.kind === 'struct') {
		if (typeof json === 'object' && !Array.isArray(json) && json !== null && Object.keys(json).length === 0) return [];
		throw invalid(at, `the default of a struct is null or {}, not ${stringifyJson(json)}`);
	}
	try {
		return valueFromJson(type, json);
	} catch (error) {
		if (!(error instanceof IcebergError)) throw error;
		throw invalid(at, error.message);
	}
}

function defaultToJson(type: Type, value: Value): JsonValue {
	return type.kind === 'struct' && value !== null ? {} : valueToJson(type, value);
}

/** Assigns a key that may be `__proto__`. */
function setKey(target: Record<string, JsonValue>, key: string, value: JsonValue): void {
	Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function missing(at: string, expected: string, found: JsonValue | undefined): IcebergError {
	return invalid(at, found === undefined ? 'is missing' : `expected ${expected}, found ${stringifyJson(found)}`);
}

function present(json: JsonValue | undefined, at: string): JsonValue {
	if (json === undefined) throw invalid(at, 'is missing');
	return json;
}

function integerAt(json: JsonValue | undefined, at: string): number {
	if (typeof json !== 'number' || !Number.isSafeInteger(json)) {
		throw invalid(at, json === undefined ? 'is missing' : `expected an integer, found ${stringifyJson(json)}`);
	}
	return json;
}

function booleanAt(json: JsonValue | undefined, at: string, optional: boolean | undefined): boolean {
	if (json === undefined && optional === true) return false;
	if (typeof json !== 'boolean') {
		throw invalid(at, json === undefined ? 'is missing' : `expected true or false, found ${stringifyJson(json)}`);
	}
	return json;
}

function invalid(at: string, reason: string): IcebergError {
	return new IcebergError('INVALID_SCHEMA', `${at}: ${reason}`, { context: { at } });
}
