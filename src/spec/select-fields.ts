/** A schema cut to the fields asked for. Iceberg spec: Column Projection. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from './schema.ts';
import type { NestedField, Type } from './types.ts';

export interface SelectOptions {
	/** Default true. */
	readonly caseSensitive?: boolean;
	/** Columns that are not in the schema, by name; the schema's own come first. Default none. */
	readonly others?: (name: string) => NestedField | undefined;
}

/**
 * The fields of the given full names, with their ids: columns in the order in which they are first named, what is
 * nested in them in the schema's order. A struct's name takes all of it, a nested name (`a.b`, `list.element.b`,
 * `map.value.b`) only that part; a map's key always stays. `*` stands for all columns.
 *
 * @throws `INVALID_ARGUMENT` for a name that is nowhere, naming those that are in the schema
 */
export function selectFields(schema: Schema, names: readonly string[], options: SelectOptions = {}): NestedField[] {
	/** fields to take whole */
	const whole = new Set<number>();
	/** fields to take in part, because something below them was named */
	const partly = new Set<number>();
	const columns = new Map<number, NestedField>();
	for (const name of names) {
		if (name === '*' && schema.findFieldByName('*') === undefined) {
			for (const column of schema.fields) {
				whole.add(column.id);
				columns.set(column.id, column);
			}
			continue;
		}
		const field = schema.findFieldByName(name, options);
		if (field === undefined) {
			const other = options.others?.(name);
			if (other === undefined) throw unknownName(schema, name);
			whole.add(other.id);
			columns.set(other.id, other);
			continue;
		}
		whole.add(field.id);
		let top = field.id;
		for (let up = schema.parentOf(top); up !== undefined; up = schema.parentOf(up)) {
			partly.add(up);
			top = up;
		}
		columns.set(top, schema.findField(top) as NestedField);
	}
	const prune = (field: NestedField): NestedField | undefined => {
		if (whole.has(field.id)) return field;
		return partly.has(field.id) ? { ...field, type: pruneType(field.type) } : undefined;
	};
	const pruneType = (type: Type): Type => {
		switch (type.kind) {
			case 'struct':
				return { kind: 'struct', fields: type.fields.map(prune).filter((field) => field !== undefined) };
			case 'list':
				return partly.has(type.elementId) && !whole.has(type.elementId)
					? { ...type, element: pruneType(type.element) }
					: type;
			case 'map':
				return partly.has(type.valueId) && !whole.has(type.valueId) && !whole.has(type.keyId)
					? { ...type, value: pruneType(type.value) }
					: type;
			default:
				return type;
		}
	};
	return [...columns.values()].map((column) => prune(column) as NestedField);
}

function unknownName(schema: Schema, name: string): IcebergError {
	const known = [...schema.names];
	const close = known.filter((other) => other.toLowerCase() === name.toLowerCase());
	const hint =
		close.length > 0
			? `did you mean '${close[0]}'?`
			: `there are ${known
					.slice(0, 20)
					.map((other) => `'${other}'`)
					.join(', ')}${known.length > 20 ? ', …' : ''}`;
	return new IcebergError('INVALID_ARGUMENT', `there is no field '${name}': ${hint}`, { context: { name } });
}
