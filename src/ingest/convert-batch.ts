/**
 * Rows that were appended under an older schema as rows of the current one. Columns are matched by field id at every
 * level. Iceberg spec: Schema Evolution; Default values.
 */
import { checkColumn } from '../column/check-batch.ts';
import { flatten } from '../column/vector-ops.ts';
import { constantVector, isNullAt, nullVector } from '../column/vector-values.ts';
import type { ColumnBatch, Int32Vector, Vector } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from '../spec/schema.ts';
import { typeToString } from '../spec/type-text.ts';
import type { NestedField, Type } from '../spec/types.ts';

const MICROS_PER_DAY = 86_400_000_000n;
const NANOS_PER_DAY = 86_400_000_000_000n;

/**
 * Columns that `to` lacks are left out; columns that only `to` has are filled with their write default, or with null;
 * types are promoted as the spec allows. What did not change is shared with `batch`.
 *
 * @param batch of the columns of `from`, in their order
 * @throws `INVALID_DATA`, naming the column, for rows that `to` cannot hold: a new column that is required and has no
 * default, a null where none may be any more, a type that is no promotion
 */
export function convertBatch(from: Schema, to: Schema, batch: ColumnBatch): ColumnBatch {
	if (from === to || sameFields(from.fields, to.fields)) return batch;
	const columns = convertFields(from.fields, batch.columns, to.fields, batch.length, '');
	columns.forEach((column, k) => {
		const field = to.fields[k] as NestedField;
		if (!batch.columns.includes(column) || field.required) checkColumn(field, column, 0);
	});
	return { fields: to.fields, length: batch.length, columns };
}

/** @param prefix of the names, for messages */
function convertFields(
	found: readonly NestedField[],
	columns: readonly Vector[],
	wanted: readonly NestedField[],
	length: number,
	prefix: string,
): Vector[] {
	return wanted.map((field) => {
		const name = prefix + field.name;
		const column = columns[found.findIndex(({ id }) => id === field.id)];
		return column === undefined ? filled(field, length, name) : convertVector(column, field.type, name);
	});
}

function filled(field: NestedField, length: number, name: string): Vector {
	// rows from before a required column was there have what it says of such rows
	const value = field.writeDefault ?? (field.required ? field.initialDefault : undefined) ?? null;
	if (value === null && field.required && length > 0)
		throw refusal(name, 'it was added as required and has no default that the rows appended before could have');
	return flatten(constantVector(field.type, value, length));
}

function convertVector(vector: Vector, type: Type, name: string): Vector {
	const from = vector.type;
	if (from === type) return vector;
	if (vector.layout === 'null') return type.kind === 'unknown' ? { ...vector, type } : nullVector(type, vector.length);
	switch (type.kind) {
		case 'struct':
			if (vector.layout !== 'struct' || from.kind !== 'struct') break;
			return {
				...vector,
				type,
				children: convertFields(from.fields, vector.children, type.fields, vector.length, `${name}.`),
			};
		case 'list':
			if (vector.layout !== 'list' || from.kind !== 'list' || from.elementId !== type.elementId) break;
			return { ...vector, type, child: convertVector(vector.child, type.element, `${name}.element`) };
		case 'map':
			if (vector.layout !== 'map' || from.kind !== 'map') break;
			if (from.keyId !== type.keyId || from.valueId !== type.valueId) break;
			return {
				...vector,
				type,
				keys: convertVector(vector.keys, type.key, `${name}.key`),
				items: convertVector(vector.items, type.value, `${name}.value`),
			};
		case 'long':
			if (vector.layout === 'int32' && from.kind === 'int') return scaled(vector, type, 1n, name);
			break;
		case 'double':
			if (vector.layout !== 'float32') break;
			return { ...vector, layout: 'float64', type, values: Float64Array.from(vector.values) };
		case 'decimal':
			if (from.kind === 'decimal' && from.scale === type.scale && from.precision <= type.precision)
				return { ...vector, type };
			break;
		case 'timestamp':
		case 'timestamp_ns':
			if (vector.layout !== 'int32' || from.kind !== 'date') break;
			return scaled(vector, type, type.kind === 'timestamp' ? MICROS_PER_DAY : NANOS_PER_DAY, name);
		default:
	}
	if (typeToString(from) === typeToString(type)) {
		if (type.kind !== 'list' && type.kind !== 'map') return { ...vector, type };
		throw refusal(name, `the parts of the ${type.kind} have other field ids than before`);
	}
	throw refusal(
		name,
		`its type was changed from ${typeToString(from)} to ${typeToString(type)}, which is no promotion`,
	);
}

function scaled(vector: Int32Vector, type: Type, factor: bigint, name: string): Vector {
	const { length } = vector;
	const values = new BigInt64Array(length);
	for (let i = 0; i < length; i++) {
		if (isNullAt(vector, i)) continue;
		const value = BigInt(vector.values[i] as number) * factor;
		if (BigInt.asIntN(64, value) !== value)
			throw refusal(name, `the day ${vector.values[i]} is beyond the range of ${typeToString(type)}`);
		values[i] = value;
	}
	return { type, length, nullCount: vector.nullCount, validity: vector.validity, layout: 'int64', values };
}

function sameFields(a: readonly NestedField[], b: readonly NestedField[]): boolean {
	return a.length === b.length && a.every((field, i) => field === b[i]);
}

function refusal(column: string, reason: string): IcebergError {
	return new IcebergError('INVALID_DATA', `rows of an older schema do not fit the column '${column}': ${reason}`, {
		context: { column },
	});
}
