/** The form in which rows of all engines are compared; `canonical.py` gives the same. */
import type { NestedField, Schema, Type } from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';

/** Rows as they were given to an append, spelled as canonical values already where those are text. */
export function canonicalRows(schema: Schema, rows: readonly object[]): Loose[] {
	return rows.map((row) => canonicalStruct(schema.fields, row));
}

/** Rows in an order of their own: engines give them in any. */
export function inOrder(rows: readonly Loose[]): Loose[] {
	return rows
		.map((row) => [JSON.stringify(row), row] as const)
		.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
		.map(([, row]) => row);
}

function canonicalStruct(fields: readonly NestedField[], row: Loose): Loose {
	return Object.fromEntries(fields.map((field) => [field.name, canonical(field.type, row[field.name])]));
}

function canonical(type: Type, value: Loose): Loose {
	if (value === null || value === undefined) return null;
	switch (type.kind) {
		case 'long':
			return String(value);
		case 'float':
		case 'double':
			if (Object.is(value, -0)) return '-0';
			return Number.isFinite(value) ? value : String(value);
		case 'fixed':
		case 'binary':
		case 'geometry':
		case 'geography':
			return Buffer.from(value).toString('hex');
		case 'struct':
			return canonicalStruct(type.fields, value);
		case 'list':
			return value.map((item: Loose) => canonical(type.element, item));
		case 'map':
			return [...value]
				.map(([key, item]: [Loose, Loose]) => [canonical(type.key, key), canonical(type.value, item)])
				.toSorted(([a], [b]) => (asciiJson(a) < asciiJson(b) ? -1 : 1));
		default:
			return value;
	}
}

/** As Python's `json.dumps` spells it: sorting goes by it. */
function asciiJson(value: Loose): string {
	return JSON.stringify(value).replace(
		/[\u007f-\uffff]/g,
		(unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}
