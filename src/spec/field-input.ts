/** Fields and types as people write them, made into the in-memory form. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeFromJson, typeToString } from './type-json.ts';
import type { JsonValue, NestedField, Type } from './types.ts';

/** A type as people write it: its name (`'long'`, `'decimal(9,2)'`), its JSON (`{ type: 'list', … }`), or a {@link Type}. */
export type TypeInput = string | Type | { readonly type: string; readonly [key: string]: unknown };

/** A field as people write it. */
export interface FieldInput extends Omit<NestedField, 'type' | 'required'> {
	readonly type: TypeInput;
	/** Default false: the field may be null. */
	readonly required?: boolean;
}

const FIELD_KEYS: ReadonlySet<string> = new Set([
	'id',
	'name',
	'required',
	'type',
	'doc',
	'initialDefault',
	'writeDefault',
	'extra',
]);

/** Refuses misspelt keys, which would otherwise silently do nothing. @throws `INVALID_SCHEMA` */
export function refuseUnknownKeys(object: object, known: ReadonlySet<string>, what: string): void {
	for (const key of Object.keys(object)) {
		if (known.has(key)) continue;
		throw new IcebergError('INVALID_SCHEMA', `${what}: there is no '${key}' (there are ${[...known].join(', ')})`);
	}
}

/** @throws `INVALID_SCHEMA` naming the field, when its type is none or it has a key that no field has */
export function normalizeField(field: FieldInput): NestedField {
	if (field === null || typeof field !== 'object')
		throw new IcebergError('INVALID_SCHEMA', `${String(field)} is no field`);
	refuseUnknownKeys(field, FIELD_KEYS, `field '${String(field.name)}'`);
	const required = field.required ?? false;
	if (typeof required !== 'boolean') {
		throw new IcebergError(
			'INVALID_SCHEMA',
			`field '${field.name}': 'required' is true or false, not ${String(required)}`,
		);
	}
	return { ...field, required, type: normalizeType(field.type, `field '${String(field.name)}'`) };
}

/** @throws `INVALID_SCHEMA` for a name or JSON that is no known type */
export function normalizeType(type: TypeInput, at: string): Type {
	if (typeof type === 'object' && type !== null && 'kind' in type) return type as Type;
	if (typeof type !== 'string' && (typeof type !== 'object' || type === null)) {
		throw new IcebergError('INVALID_SCHEMA', `${at}: expected a type such as 'long', found ${String(type)}`);
	}
	const parsed = typeFromJson(type as JsonValue, { requiredOptional: true, at });
	refuseUnsupported(parsed, at);
	return parsed;
}

/** A name that is no type is kept where others wrote it, but is a mistake where a new schema is made. */
function refuseUnsupported(type: Type, at: string): void {
	switch (type.kind) {
		case 'unsupported':
			throw new IcebergError('INVALID_SCHEMA', `${at}: there is no type '${typeToString(type)}'`, { context: { at } });
		case 'struct':
			for (const field of type.fields) refuseUnsupported(field.type, `${at}: '${field.name}'`);
			return;
		case 'list':
			return refuseUnsupported(type.element, at);
		case 'map':
			refuseUnsupported(type.key, at);
			return refuseUnsupported(type.value, at);
		default:
	}
}
