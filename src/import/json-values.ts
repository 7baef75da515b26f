/** Values of JSON as inputs of columns. */
import type { Type } from '../spec/types.ts';
import { fromHex } from '../util/hex.ts';
import { ExactNumber, exactJsonText } from './exact-json.ts';

/** Makes a parsed JSON value an input that the column's type takes; what does not fit is left for the column to refuse. */
export type InputConverter = (value: unknown) => unknown;

/**
 * The converter of a type. JSON has fewer types than a table:
 * - text columns take other values as their JSON text, with all digits of numbers;
 * - decimals take numbers by their text, so that no digit is lost on the way;
 * - float and double take any number, rounded to the nearest; and the texts `NaN`, `Infinity`, `-Infinity`;
 * - fixed and binary take hexadecimal text;
 * - maps with keys that are not text take an array of pairs.
 */
export function inputConverter(type: Type): InputConverter {
	switch (type.kind) {
		case 'string':
			return (value) =>
				typeof value === 'string' || value === null || value === undefined ? value : exactJsonText(value);
		case 'decimal':
			return (value) => (value instanceof ExactNumber ? value.text : value);
		case 'float':
		case 'double':
			return floating;
		case 'fixed':
		case 'binary':
		case 'geometry':
		case 'geography':
			return (value) => (typeof value === 'string' ? (fromHex(value) ?? value) : value);
		case 'variant':
			return variantInput;
		case 'struct': {
			const converters = new Map(type.fields.map((field) => [field.name, inputConverter(field.type)]));
			if ([...converters.values()].every((convert) => convert === unchanged)) return unchanged;
			return (value) => (isObject(value) ? mapMembers(value, converters) : value);
		}
		case 'list': {
			const convert = inputConverter(type.element);
			if (convert === unchanged) return unchanged;
			return (value) => (Array.isArray(value) ? value.map(convert) : value);
		}
		case 'map': {
			const convert = inputConverter(type.value);
			const key = inputConverter(type.key);
			if (convert === unchanged && key === unchanged) return unchanged;
			return (value) => {
				if (Array.isArray(value))
					return value.map((pair: unknown) =>
						Array.isArray(pair) && pair.length === 2 ? [key(pair[0]), convert(pair[1])] : pair,
					);
				if (!isObject(value)) return value;
				return new Map(Object.entries(value).map(([name, member]) => [name, convert(member)]));
			};
		}
		default:
			return unchanged;
	}
}

/** A converter of whole rows: a column that the table lacks stays, to be refused by name. */
export function rowConverter(fields: readonly { readonly name: string; readonly type: Type }[]): InputConverter {
	const converters = fields.map((field) => [field.name, inputConverter(field.type)] as const);
	return (row) => {
		if (!isObject(row)) return row;
		// the row was made by the parser and is seen by nobody else
		for (const [name, convert] of converters) if (Object.hasOwn(row, name)) row[name] = convert(row[name]);
		return row;
	};
}

function unchanged(value: unknown): unknown {
	return value instanceof ExactNumber ? value.text : value;
}

function floating(value: unknown): unknown {
	if (value instanceof ExactNumber || typeof value === 'bigint') return nearestDouble(value.toString());
	if (value === 'NaN') return Number.NaN;
	if (value === 'Infinity') return Number.POSITIVE_INFINITY;
	if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
	return value;
}

/** Text where no finite double is near: the column then refuses it. */
function nearestDouble(text: string): number | string {
	const value = Number(text);
	return Number.isFinite(value) ? value : text;
}

function variantInput(value: unknown): unknown {
	if (value instanceof ExactNumber) return nearestDouble(value.text);
	if (Array.isArray(value)) return value.map(variantInput);
	if (isObject(value))
		return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, variantInput(member)]));
	return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

function mapMembers(value: Record<string, unknown>, converters: ReadonlyMap<string, InputConverter>): unknown {
	return Object.fromEntries(
		Object.entries(value).map(([name, member]) => [name, converters.get(name)?.(member) ?? member ?? null]),
	);
}
