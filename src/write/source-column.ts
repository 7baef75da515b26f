/** Columns that partition and sort fields are made from. */
import { bitmapBytes, countZeros } from '../column/bitmap.ts';
import type { ColumnBatch, Vector } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField, Type } from '../spec/types.ts';

export interface SourceColumn {
	readonly type: Type;
	/** The column of a batch of the schema; null where a struct that holds it is null. */
	of(batch: ColumnBatch): Vector;
}

/** Finds a source column among the fields and within their structs. @throws `INVALID_SCHEMA` when it is not there */
export function sourceColumn(fields: readonly NestedField[], sourceId: number, what: string): SourceColumn {
	const path = pathTo(fields, sourceId);
	if (path === undefined)
		throw new IcebergError('INVALID_SCHEMA', `${what}: the schema has no column with field id ${sourceId}`, {
			context: { fieldId: sourceId },
		});
	return {
		type: path.type,
		of: (batch) => {
			let vector = batch.columns[path.positions[0] as number] as Vector;
			for (const position of path.positions.slice(1)) {
				if (vector.layout !== 'struct')
					throw new IcebergError('INVALID_ARGUMENT', `${what}: a column that is no struct`);
				vector = underParent(vector.children[position] as Vector, vector);
			}
			return vector;
		},
	};
}

function pathTo(
	fields: readonly NestedField[],
	id: number,
): { readonly positions: readonly number[]; readonly type: Type } | undefined {
	for (const [i, field] of fields.entries()) {
		if (field.id === id) return { positions: [i], type: field.type };
		if (field.type.kind !== 'struct') continue;
		const inner = pathTo(field.type.fields, id);
		if (inner !== undefined) return { positions: [i, ...inner.positions], type: inner.type };
	}
	return undefined;
}

function underParent(child: Vector, parent: Vector): Vector {
	if (parent.validity === null || child.layout === 'null') return child;
	const { length } = child;
	const validity = new Uint8Array(bitmapBytes(length));
	for (let i = 0; i < validity.length; i++)
		validity[i] = (parent.validity[i] as number) & (child.validity === null ? 0xff : (child.validity[i] as number));
	return { ...child, validity, nullCount: countZeros(validity, length) } as Vector;
}
