/** The order of rows within a file. Iceberg spec: Sorting. */
import type { BytesVector, ColumnBatch, Vector } from '../column/vector.ts';
import { flatten, takeBatch } from '../column/vector-ops.ts';
import { getValue, isNullAt, vectorOf } from '../column/vector-values.ts';
import { compareValues } from '../spec/compare.ts';
import type { Schema } from '../spec/schema.ts';
import type { SortField, SortOrder } from '../spec/sort-order.ts';
import { bindTransform, transformResultType } from '../spec/transform.ts';
import { sourceColumn } from './source-column.ts';

/** Negative when row `a` comes first, positive when row `b` does, 0 when the field does not tell. */
type RowComparator = (a: number, b: number) => number;

/**
 * Compiles a stable sort of batches with the schema's columns. Numbers sort with NaN last and -0 below 0, text by its
 * UTF-8 bytes.
 * @throws `INVALID_SCHEMA`, `UNSUPPORTED` for an order that cannot be applied to the schema
 */
export function compileSort(schema: Schema, order: SortOrder): (batch: ColumnBatch) => ColumnBatch {
	const keys = order.fields.map((field) => compileKey(schema, field));
	return (batch) => {
		const comparators = keys.map((key) => key(batch));
		const rows = Uint32Array.from({ length: batch.length }, (_, i) => i);
		rows.sort((a, b) => {
			for (const compare of comparators) {
				const difference = compare(a, b);
				if (difference !== 0) return difference;
			}
			return a - b;
		});
		return takeBatch(batch, rows);
	};
}

function compileKey(schema: Schema, field: SortField): (batch: ColumnBatch) => RowComparator {
	const source = sourceColumn(schema.fields, field.sourceId, `sort field on column ${field.sourceId}`);
	const apply = bindTransform(field.transform, source.type);
	const keyType = transformResultType(field.transform, source.type);
	return (batch) => {
		const vector = source.of(batch);
		if (field.transform.kind === 'identity') return comparatorOf(flatten(vector), field);
		const keys = Array.from({ length: vector.length }, (_, i) => apply(getValue(vector, i)));
		return comparatorOf(flatten(vectorOf(keyType, keys)), field);
	};
}

function comparatorOf(vector: Exclude<Vector, { layout: 'dictionary' }>, field: SortField): RowComparator {
	const compare = valueComparator(vector);
	const direction = field.direction === 'asc' ? 1 : -1;
	const nullFirst = field.nullOrder === 'nulls-first' ? -1 : 1;
	if (vector.nullCount === 0) return direction === 1 ? compare : (a, b) => compare(b, a);
	return (a, b) => {
		const nullA = isNullAt(vector, a);
		const nullB = isNullAt(vector, b);
		if (nullA || nullB) return nullA === nullB ? 0 : nullA ? nullFirst : -nullFirst;
		return direction * compare(a, b);
	};
}

function valueComparator(vector: Exclude<Vector, { layout: 'dictionary' }>): RowComparator {
	switch (vector.layout) {
		case 'int32': {
			const { values } = vector;
			return (a, b) => (values[a] as number) - (values[b] as number);
		}
		case 'int64': {
			const words = new Int32Array(vector.values.buffer, vector.values.byteOffset, 2 * vector.length);
			return (a, b) =>
				(words[2 * a + 1] as number) - (words[2 * b + 1] as number) ||
				((words[2 * a] as number) >>> 0) - ((words[2 * b] as number) >>> 0);
		}
		case 'bytes':
			return bytesComparator(vector);
		case 'null':
			return () => 0;
		default: {
			const compare = compareValues(vector.type);
			return (a, b) => compare(getValue(vector, a), getValue(vector, b));
		}
	}
}

function bytesComparator({ offsets, values }: BytesVector): RowComparator {
	return (a, b) => {
		let i = offsets[a] as number;
		let k = offsets[b] as number;
		const endA = offsets[a + 1] as number;
		const endB = offsets[b + 1] as number;
		const shared = Math.min(endA - i, endB - k);
		for (const end = i + shared; i < end; i++, k++) {
			const difference = (values[i] as number) - (values[k] as number);
			if (difference !== 0) return difference;
		}
		return endA - i - (endB - k);
	};
}
