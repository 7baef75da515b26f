/** Whether vectors hold what their fields promise. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from '../spec/type-text.ts';
import type { ListType, MapType, NestedField, StructType, Type } from '../spec/types.ts';
import { ElementRefusal, refusalInRow, withChild, withOwner } from './element-refusal.ts';
import { firstNotUtf8 } from './utf8.ts';
import type { BytesVector, ColumnBatch, Vector } from './vector.ts';
import { bytesAt, isNullAt } from './vector-values.ts';

/**
 * Checks a batch that comes from outside against the fields that it is to fill: same columns in the same order, types,
 * lengths, nothing null that is required, text in UTF-8. `firstRow` is the number of its first row, for messages.
 * @throws `INVALID_ARGUMENT` for a batch of other columns; `INVALID_DATA` with row and column for a value
 */
export function checkBatch(fields: readonly NestedField[], batch: ColumnBatch, firstRow = 0): void {
	if (batch.columns.length !== fields.length)
		throw new IcebergError('INVALID_ARGUMENT', `the batch has ${batch.columns.length} columns, not ${fields.length}`);
	fields.forEach((field, k) => {
		const vector = batch.columns[k] as Vector;
		if (vector.length !== batch.length)
			throw new IcebergError(
				'INVALID_ARGUMENT',
				`column '${field.name}' has ${vector.length} elements, the batch ${batch.length} rows`,
				{ context: { column: field.name } },
			);
		const [found, expected] = [typeToString(vector.type), typeToString(field.type)];
		if (found !== expected)
			throw new IcebergError('INVALID_ARGUMENT', `column '${field.name}' is ${found}, expected ${expected}`, {
				context: { column: field.name },
			});
		checkColumn(field, vector, firstRow);
	});
}

/** {@link checkBatch} for one column of the right type and length. */
export function checkColumn(field: NestedField, vector: Vector, firstRow: number): void {
	try {
		checkField(field, vector, null);
	} catch (error) {
		throw refusalInRow(error, firstRow, field.name);
	}
}

/** `parent`: where a parent is null, its parts may be so too. */
function checkField(field: NestedField, vector: Vector, parent: Vector | null): void {
	if (field.required) checkNoNulls(vector, parent, 'a value: the field is required');
	checkWithin(field.type, vector);
}

function checkNoNulls(vector: Vector, parent: Vector | null, expected: string): void {
	if (vector.nullCount === 0) return;
	for (let i = 0; i < vector.length; i++)
		if (isNullAt(vector, i) && (parent === null || !isNullAt(parent, i))) throw new ElementRefusal(i, null, expected);
}

function checkWithin(type: Type, vector: Vector): void {
	switch (vector.layout) {
		case 'bytes':
			if (vector.type.kind === 'string') checkTexts(vector);
			return;
		case 'dictionary':
			if (vector.type.kind === 'string') checkTexts({ ...vector.dictionary, type: vector.type });
			return;
		case 'struct': {
			const { fields } = type as StructType;
			fields.forEach((child, k) => {
				withChild(child.name, () => checkField(child, vector.children[k] as Vector, vector));
			});
			return;
		}
		case 'list': {
			const { elementRequired, element } = type as ListType;
			withOwner(
				vector.offsets,
				vector.length,
				(i) => `[${i}]`,
				() => {
					if (elementRequired) checkNoNulls(vector.child, null, 'a value: it is required here');
					checkWithin(element, vector.child);
				},
			);
			return;
		}
		case 'map': {
			const { valueRequired, key, value } = type as MapType;
			withOwner(
				vector.offsets,
				vector.length,
				() => '.key',
				() => {
					checkNoNulls(vector.keys, null, 'a key that is not null');
					checkWithin(key, vector.keys);
				},
			);
			withOwner(
				vector.offsets,
				vector.length,
				() => '.value',
				() => {
					if (valueRequired) checkNoNulls(vector.items, null, 'a value: it is required here');
					checkWithin(value, vector.items);
				},
			);
			return;
		}
		default:
	}
}

/** @throws ElementRefusal for an element that is not UTF-8 */
export function checkTexts(vector: BytesVector): void {
	const i = firstNotUtf8(vector);
	if (i >= 0) throw new ElementRefusal(i, bytesAt(vector, i), 'string: UTF-8 text');
}
