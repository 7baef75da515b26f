/** Rows in the order of a table's sort order. Iceberg spec: Sorting. */
import type { ColumnBatch, Vector } from '../column/vector.ts';
import { takeBatch } from '../column/vector-ops.ts';
import { getValue } from '../column/vector-values.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { compareValues } from '../spec/compare.ts';
import type { Schema } from '../spec/schema.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import { bindTransform, transformResultType } from '../spec/transform.ts';
import type { Value } from '../spec/types.ts';

interface SortKey {
	readonly values: (batch: ColumnBatch) => Value[];
	readonly compare: (a: Value, b: Value) => number;
}

/** Compiles a stable sort of batches. @throws `INVALID_SCHEMA`, `UNSUPPORTED` for an order that cannot be applied */
export function compileSort(schema: Schema, order: SortOrder): (batch: ColumnBatch) => ColumnBatch {
	const keys = order.fields.map((field): SortKey => {
		const source = schema.findField(field.sourceId);
		const at = schema.fields.findIndex(({ id }) => id === field.sourceId);
		if (source === undefined || at < 0) {
			throw new IcebergError('UNSUPPORTED', `cannot sort by field ${field.sourceId}: it is no top-level column`, {
				context: { fieldId: field.sourceId },
			});
		}
		const transform = bindTransform(field.transform, source.type);
		const compare = compareValues(transformResultType(field.transform, source.type));
		const sign = field.direction === 'asc' ? 1 : -1;
		const nullsFirst = field.nullOrder === 'nulls-first' ? -1 : 1;
		return {
			values: (batch) => {
				const vector = batch.columns[at] as Vector;
				return Array.from({ length: batch.length }, (_, i) => transform(getValue(vector, i)));
			},
			compare: (a, b) => {
				if (a === null || b === null) return a === b ? 0 : a === null ? nullsFirst : -nullsFirst;
				return sign * compare(a, b);
			},
		};
	});
	return (batch) => {
		const columns = keys.map((key) => key.values(batch));
		const rows = Uint32Array.from({ length: batch.length }, (_, i) => i);
		rows.sort((a, b) => {
			for (let k = 0; k < keys.length; k += 1) {
				const column = columns[k] as Value[];
				const result = (keys[k] as SortKey).compare(column[a] as Value, column[b] as Value);
				if (result !== 0) return result;
			}
			return a - b;
		});
		return takeBatch(batch, rows);
	};
}
