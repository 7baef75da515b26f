/** Iceberg spec: JSON single-value serialization. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { stringifyJson } from '../util/json.ts';
import { typeToString } from './type-text.ts';
import type { JsonValue, MapValue, Type, Value } from './types.ts';
import { formatValue, parseValue } from './value-text.ts';

/** False for the types whose values have no JSON form, and so no default but null. Iceberg spec: Default values. */
export function hasJsonForm(type: Type): boolean {
	switch (type.kind) {
		case 'unknown':
		case 'variant':
		case 'geometry':
		case 'geography':
		case 'unsupported':
			return false;
		default:
			return true;
	}
}

/**
 * The JSON of a single value as defaults and REST messages carry it: numbers and booleans as such (NaN and infinities,
 * which JSON lacks, as text), all else as text, structs by field id, maps as `{keys, values}`.
 *
 * @throws `INVALID_ARGUMENT` for types without this form: variant, geometry, geography, unsupported
 */
export function valueToJson(type: Type, value: Value): JsonValue {
	if (value === null) return null;
	switch (type.kind) {
		case 'boolean':
		case 'int':
			return value as boolean | number;
		case 'long': {
			const number = Number(value);
			return Number.isSafeInteger(number) ? number : (value as bigint);
		}
		case 'float':
		case 'double':
			return Number.isFinite(value) ? (value as number) : String(value);
		case 'struct': {
			const json: { [key: string]: JsonValue } = {};
			type.fields.forEach((field, i) => {
				json[field.id] = valueToJson(field.type, (value as readonly Value[])[i] ?? null);
			});
			return json;
		}
		case 'list':
			return (value as readonly Value[]).map((item) => valueToJson(type.element, item));
		case 'map':
			return {
				keys: (value as MapValue).map(([key]) => valueToJson(type.key, key)),
				values: (value as MapValue).map(([, item]) => valueToJson(type.value, item)),
			};
		default:
			if (!hasJsonForm(type)) throw noForm(type);
			return formatValue(type, value);
	}
}

/**
 * Reads the JSON form of a single value.
 *
 * @throws `INVALID_DATA` naming what was found, when it is no value of the type; `INVALID_ARGUMENT` for types without
 *   this form
 */
export function valueFromJson(type: Type, json: JsonValue): Value {
	if (json === null) return null;
	switch (type.kind) {
		case 'boolean':
			if (typeof json !== 'boolean') throw bad(type, json, 'true or false');
			return json;
		case 'int':
		case 'long':
			if (typeof json !== 'bigint' && !Number.isSafeInteger(json)) throw bad(type, json, 'an integer');
			return parseValue(type, String(json));
		case 'float':
		case 'double':
			if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
			if (typeof json !== 'number' && typeof json !== 'bigint') throw bad(type, json, 'a number');
			return type.kind === 'float' ? narrowFloat(Number(json), type, json) : Number(json);
		case 'struct': {
			if (typeof json !== 'object' || Array.isArray(json)) throw bad(type, json, 'an object by field id');
			return type.fields.map((field) => {
				const item = json[String(field.id)];
				return item === undefined ? null : valueFromJson(field.type, item);
			});
		}
		case 'list':
			if (!Array.isArray(json)) throw bad(type, json, 'an array');
			return json.map((item) => valueFromJson(type.element, item));
		case 'map': {
			const { keys, values } = typeof json === 'object' && !Array.isArray(json) ? json : {};
			if (!Array.isArray(keys) || !Array.isArray(values) || keys.length !== values.length) {
				throw bad(type, json, "an object of 'keys' and as many 'values'");
			}
			return keys.map((key, i) => [valueFromJson(type.key, key), valueFromJson(type.value, values[i] as JsonValue)]);
		}
		default:
			if (!hasJsonForm(type)) throw noForm(type);
			if (typeof json !== 'string') throw bad(type, json, 'text');
			return parseValue(type, json);
	}
}

function narrowFloat(value: number, type: Type, json: JsonValue): number {
	const narrow = Math.fround(value);
	if (!Number.isFinite(narrow)) throw bad(type, json, 'a number within the range of a float');
	return narrow;
}

function noForm(type: Type): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `values of type ${typeToString(type)} have no JSON form`);
}

function bad(type: Type, json: JsonValue, expected: string): IcebergError {
	const text = stringifyJson(json);
	const found = text.length > 100 ? `${text.slice(0, 100)}…` : text;
	return new IcebergError(
		'INVALID_DATA',
		`expected ${expected} for a value of type ${typeToString(type)}, found ${found}`,
		{
			context: { type: typeToString(type), value: found },
		},
	);
}
