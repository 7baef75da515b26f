/** Finding the column that a predicate names. */
import { nearNames } from '../column/near-names.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from '../spec/schema.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import type { BoundReference } from './expression.ts';

/** Finds columns of one schema by full name. */
export interface ColumnFinder {
	/** @throws `INVALID_FILTER` for a name that is not there, or stands for several columns, or lies in a list or map */
	find(name: string): BoundReference;
}

/** @param caseSensitive when false, names match in any case, and a name that then fits two columns is refused */
export function columnFinder(schema: Schema, caseSensitive: boolean): ColumnFinder {
	const found = new Map<string, BoundReference>();
	let all: ReadonlyMap<string, readonly BoundReference[]> | undefined;
	const bind = (name: string): BoundReference => {
		if (caseSensitive) {
			const direct = topLevel(schema, name);
			if (direct !== undefined) return direct;
		}
		all ??= referencesOf(schema.asStruct(), caseSensitive);
		const matches = all.get(caseSensitive ? name : name.toLowerCase()) ?? [];
		if (matches.length === 1) return matches[0] as BoundReference;
		if (matches.length > 1)
			throw new IcebergError(
				'INVALID_FILTER',
				`column '${name}' is ambiguous: ${matches.map((match) => `'${match.name}'`).join(' and ')} both fit`,
				{ context: { column: name } },
			);
		if (schema.findFieldByName(name) !== undefined)
			throw new IcebergError(
				'INVALID_FILTER',
				`column '${name}' lies in a list or a map; a predicate may only look at columns and fields of structs`,
				{ context: { column: name } },
			);
		const known = [...all.values()].flat().map((reference) => reference.name);
		throw new IcebergError('INVALID_FILTER', `no column '${name}'${nearNames(name, known)}`, {
			context: { column: name },
		});
	};
	return {
		find(name) {
			let reference = found.get(name);
			if (reference === undefined) {
				reference = bind(name);
				found.set(name, reference);
			}
			return reference;
		},
	};
}

function topLevel(schema: Schema, name: string): BoundReference | undefined {
	const position = schema.fields.findIndex((field) => field.name === name);
	if (position < 0) return undefined;
	const field = schema.fields[position] as NestedField;
	// A struct's child can have the same full name as a column whose name has a dot in it.
	if (name.includes('.')) return undefined;
	return { name, fieldId: field.id, type: field.type, path: [position], nullable: !field.required };
}

function referencesOf(root: StructType, caseSensitive: boolean): Map<string, BoundReference[]> {
	const byName = new Map<string, BoundReference[]>();
	const visit = (struct: StructType, prefix: string, path: readonly number[], parentNullable: boolean): void => {
		struct.fields.forEach((field, position) => {
			const name = prefix + field.name;
			const own = [...path, position];
			const nullable = parentNullable || !field.required;
			const key = caseSensitive ? name : name.toLowerCase();
			const reference = { name, fieldId: field.id, type: field.type, path: own, nullable };
			const others = byName.get(key);
			if (others === undefined) byName.set(key, [reference]);
			else others.push(reference);
			if (field.type.kind === 'struct') visit(field.type, `${name}.`, own, nullable);
		});
	};
	visit(root, '', [], false);
	return byName;
}
