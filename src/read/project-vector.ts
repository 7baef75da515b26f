/** Cutting nested vectors down to the children that were asked for. */
import type { ColumnBatch, Vector } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField, Type } from '../spec/types.ts';

/**
 * Two selections of one schema's columns as one: all that either names, at every level, in the order of `first`, what only
 * `second` has behind it.
 */
export function mergeFields(first: readonly NestedField[], second: readonly NestedField[]): NestedField[] {
	const others = new Map(second.map((field) => [field.id, field]));
	const merged = first.map((field) => {
		const other = others.get(field.id);
		others.delete(field.id);
		return other === undefined ? field : { ...field, type: mergeTypes(field.type, other.type) };
	});
	return [...merged, ...others.values()];
}

function mergeTypes(a: Type, b: Type): Type {
	if (a === b) return a;
	if (a.kind === 'struct' && b.kind === 'struct') return { kind: 'struct', fields: mergeFields(a.fields, b.fields) };
	if (a.kind === 'list' && b.kind === 'list') return { ...a, element: mergeTypes(a.element, b.element) };
	if (a.kind === 'map' && b.kind === 'map') return { ...a, value: mergeTypes(a.value, b.value) };
	return a;
}

/** The wanted columns of a batch that may hold more, by field id at every level of structs. */
export function projectBatch(batch: ColumnBatch, fields: readonly NestedField[]): ColumnBatch {
	if (sameFields(batch.fields, fields)) return batch;
	return { fields, length: batch.length, columns: projectAll(batch.fields, batch.columns, fields) };
}

function projectAll(
	found: readonly NestedField[],
	columns: readonly Vector[],
	wanted: readonly NestedField[],
): Vector[] {
	return wanted.map((field) => {
		const at = found.findIndex(({ id }) => id === field.id);
		const column = columns[at];
		if (column === undefined) {
			throw new IcebergError('INVALID_ARGUMENT', `the batch has no column '${field.name}' (field id ${field.id})`);
		}
		return projectVector(column, field.type);
	});
}

function projectVector(vector: Vector, wanted: Type): Vector {
	const found = vector.type;
	if (found === wanted) return vector;
	if (vector.layout === 'struct' && found.kind === 'struct' && wanted.kind === 'struct') {
		if (sameFields(found.fields, wanted.fields)) return vector;
		return { ...vector, type: wanted, children: projectAll(found.fields, vector.children, wanted.fields) };
	}
	if (vector.layout === 'list' && wanted.kind === 'list')
		return { ...vector, type: wanted, child: projectVector(vector.child, wanted.element) };
	if (vector.layout === 'map' && wanted.kind === 'map')
		return { ...vector, type: wanted, items: projectVector(vector.items, wanted.value) };
	return vector;
}

function sameFields(a: readonly NestedField[], b: readonly NestedField[]): boolean {
	return a.length === b.length && a.every((field, i) => field === b[i]);
}
