/** A schema's fields by id and by full name. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField, Type } from './types.ts';

export interface SchemaIndex {
	/** parents before children */
	readonly byId: ReadonlyMap<number, NestedField>;
	readonly nameById: ReadonlyMap<number, string>;
	readonly idByName: ReadonlyMap<string, number>;
	/** columns have no parent */
	readonly parentById: ReadonlyMap<number, number>;
	/** names that two fields share, as a column `a.b` and the field `b` of a struct `a` */
	readonly ambiguous: ReadonlySet<string>;
}

/** The fields directly in a type; list elements and map parts under the names `element`, `key` and `value`. */
export function childFields(type: Type): readonly NestedField[] {
	switch (type.kind) {
		case 'struct':
			return type.fields;
		case 'list':
			return [{ id: type.elementId, name: 'element', required: type.elementRequired, type: type.element }];
		case 'map':
			return [
				{ id: type.keyId, name: 'key', required: true, type: type.key },
				{ id: type.valueId, name: 'value', required: type.valueRequired, type: type.value },
			];
		default:
			return [];
	}
}

/** @throws `INVALID_SCHEMA` when an id stands twice */
export function indexFields(fields: readonly NestedField[]): SchemaIndex {
	const byId = new Map<number, NestedField>();
	const nameById = new Map<number, string>();
	const idByName = new Map<string, number>();
	const parentById = new Map<number, number>();
	const ambiguous = new Set<string>();
	const visit = (children: readonly NestedField[], prefix: string, parent: number | undefined): void => {
		for (const field of children) {
			const name = prefix + field.name;
			if (byId.has(field.id)) {
				throw new IcebergError(
					'INVALID_SCHEMA',
					`field id ${field.id} is used twice: by '${nameById.get(field.id)}' and '${name}'`,
					{ context: { fieldId: field.id, name } },
				);
			}
			byId.set(field.id, field);
			nameById.set(field.id, name);
			if (parent !== undefined) parentById.set(field.id, parent);
			if (idByName.has(name)) ambiguous.add(name);
			else idByName.set(name, field.id);
			visit(childFields(field.type), `${name}.`, field.id);
		}
	};
	visit(fields, '', undefined);
	return { byId, nameById, idByName, parentById, ambiguous };
}
