/** The rules that new schemas keep. Iceberg spec: Schemas and Data Types; Default values; Identifier Field IDs. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { isWellFormed } from '../util/well-formed.ts';
import { MAX_TYPE_DEPTH } from './type-json.ts';
import { childFields, indexFields, type SchemaIndex } from './schema-index.ts';
import { hasJsonForm, valueFromJson, valueToJson } from './single-value-json.ts';
import { typeToString } from './type-text.ts';
import type { NestedField, Type, Value } from './types.ts';

/** Field ids from here up are reserved for metadata columns. Iceberg spec: Reserved Field IDs. */
export const FIRST_RESERVED_FIELD_ID = 2_147_483_447;

const MAX_FIELD_ID = 0x7fffffff;

/** Checks fields and all that is nested in them. @throws `INVALID_SCHEMA` naming the field */
export function validateFields(fields: readonly NestedField[]): void {
	validateStruct(fields, '', 0);
	const { ambiguous } = indexFields(fields);
	for (const name of ambiguous) throw invalid(name, 'two fields go by this name');
}

/** Checks identifier fields against a schema. @throws `INVALID_SCHEMA` naming the field */
export function validateIdentifiers(index: SchemaIndex, identifierFieldIds: readonly number[]): void {
	for (const id of identifierFieldIds) {
		const field = index.byId.get(id);
		if (field === undefined) throw invalid(`id ${id}`, 'an identifier field has to be in the schema');
		const name = index.nameById.get(id) as string;
		if (childFields(field.type).length > 0 || ['struct', 'variant'].includes(field.type.kind)) {
			throw invalid(name, `an identifier field has a primitive type, not ${typeToString(field.type)}`);
		}
		if (field.type.kind === 'float' || field.type.kind === 'double') {
			throw invalid(name, `an identifier field must not be ${field.type.kind}`);
		}
		if (!field.required) throw invalid(name, 'an identifier field has to be required');
		for (let up = index.parentById.get(id); up !== undefined; up = index.parentById.get(up)) {
			const parent = index.byId.get(up) as NestedField;
			if (parent.type.kind !== 'struct')
				throw invalid(name, `an identifier field must not be in a ${parent.type.kind}`);
			if (!parent.required)
				throw invalid(name, `an identifier field must not be in the optional '${index.nameById.get(up)}'`);
		}
	}
}

function validateStruct(fields: readonly NestedField[], prefix: string, depth: number): void {
	const names = new Set<string>();
	for (const field of fields) {
		if (typeof field.name !== 'string' || field.name === '') {
			throw invalid(
				`${prefix}id ${String(field.id)}`,
				`a field's name is a non-empty text, not ${JSON.stringify(field.name)}`,
			);
		}
		const name = prefix + field.name;
		if (!isWellFormed(field.name)) throw invalid(name, 'a lone surrogate is no character');
		if (names.has(field.name)) throw invalid(name, 'two fields of one struct go by this name');
		names.add(field.name);
		validateField(field, name, depth);
	}
}

function validateField(field: NestedField, name: string, depth: number): void {
	const { id, type } = field;
	if (!Number.isInteger(id) || id < 0 || id > MAX_FIELD_ID) {
		throw invalid(name, `a field's id is an integer from 0 to ${MAX_FIELD_ID}, not ${String(id)}`);
	}
	validateType(type, name, depth + 1);
	if (field.required && type.kind === 'unknown') throw invalid(name, 'a field of type unknown has to be optional');
	validateDefault(field, field.initialDefault, name, 'initial default');
	validateDefault(field, field.writeDefault, name, 'write default');
}

function validateType(type: Type, name: string, depth: number): void {
	if (depth > MAX_TYPE_DEPTH) throw invalid(name, `types nested deeper than ${MAX_TYPE_DEPTH} levels`);
	switch (type.kind) {
		case 'decimal':
			if (!Number.isInteger(type.precision) || type.precision < 1 || type.precision > 38) {
				throw invalid(name, `a decimal has a precision of 1 to 38, not ${String(type.precision)}`);
			}
			if (!Number.isInteger(type.scale) || type.scale < 0 || type.scale > type.precision) {
				throw invalid(
					name,
					`a decimal has a scale of 0 to its precision, ${type.precision}, not ${String(type.scale)}`,
				);
			}
			return;
		case 'fixed':
			if (!Number.isInteger(type.length) || type.length < 1 || type.length > MAX_FIELD_ID) {
				throw invalid(name, `a fixed has a length of 1 byte or more, not ${String(type.length)}`);
			}
			return;
		case 'struct':
			validateStruct(type.fields, `${name}.`, depth);
			return;
		case 'list':
		case 'map':
			for (const child of childFields(type)) validateField(child, `${name}.${child.name}`, depth);
			return;
		default:
	}
}

function validateDefault(field: NestedField, value: Value | undefined, name: string, which: string): void {
	if (value === undefined || value === null) return;
	const { type } = field;
	if (!hasJsonForm(type)) throw invalid(name, `the ${which} of a ${typeToString(type)} is null`);
	if (type.kind === 'struct') {
		if (!Array.isArray(value) || value.length > 0) {
			throw invalid(name, `the ${which} of a struct is null or empty: the defaults of its fields apply`);
		}
		return;
	}
	try {
		valueFromJson(type, valueToJson(type, value));
	} catch (error) {
		const reason = error instanceof IcebergError ? error.message : `${String(value)} is no ${typeToString(type)}`;
		throw invalid(name, `${which}: ${reason}`);
	}
}

function invalid(name: string, reason: string): IcebergError {
	return new IcebergError('INVALID_SCHEMA', `field '${name}': ${reason}`, { context: { field: name } });
}
