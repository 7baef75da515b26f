/** Columns and the fields inside of them, one line each. */
import { type NestedField, type Type, typeToString } from '../index.ts';

export interface FlatColumn {
	readonly id: number;
	/** full name */
	readonly name: string;
	/** a struct's fields are left out: they follow */
	readonly type: string;
	/** `required` or nothing */
	readonly required: string;
	readonly doc: string;
}

/** The columns, each followed by what stands in it. */
export function flatColumns(fields: readonly NestedField[]): FlatColumn[] {
	return fields.flatMap((field) => flatField(field, field.name));
}

function flatField(field: NestedField, name: string): FlatColumn[] {
	const own = {
		id: field.id,
		name,
		type: shallowType(field.type),
		required: field.required ? 'required' : '',
		doc: field.doc ?? '',
	};
	return [own, ...fieldsInside(field.type, name)];
}

function fieldsInside(type: Type, name: string): FlatColumn[] {
	switch (type.kind) {
		case 'struct':
			return type.fields.flatMap((child) => flatField(child, `${name}.${child.name}`));
		case 'list':
			return fieldsInside(type.element, `${name}.element`);
		case 'map':
			return [...fieldsInside(type.key, `${name}.key`), ...fieldsInside(type.value, `${name}.value`)];
		default:
			return [];
	}
}

function shallowType(type: Type): string {
	switch (type.kind) {
		case 'struct':
			return 'struct';
		case 'list':
			return `list<${shallowType(type.element)}>`;
		case 'map':
			return `map<${shallowType(type.key)}, ${shallowType(type.value)}>`;
		default:
			return typeToString(type);
	}
}
