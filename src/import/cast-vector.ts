/** Columns of a file as columns of a table: matched by name at every level, converted only where nothing is lost. */
import { decimalAt, getValue, isNullAt, nullVector, vectorOf, constantVector } from '../column/vector-values.ts';
import { flatten } from '../column/vector-ops.ts';
import type { ColumnBatch, StructVector, Vector } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from '../spec/type-text.ts';
import type { NestedField, StructType, Type, Value } from '../spec/types.ts';
import { formatValue } from '../spec/value-text.ts';
import { missingColumn, nullInRequired, unknownColumn } from './import-source.ts';

/** Where a column comes from, for messages. */
interface Place {
	/** of the file */
	readonly name: string;
	/** number of the batch's first row, from 1 */
	readonly firstRowNumber: number;
	/** full name of the column */
	readonly column: string;
}

/**
 * The batch with the fields of a table. Fields that the batch lacks are null or have their write default.
 *
 * @param firstRowNumber from 1, for messages
 * @throws `INVALID_DATA` for a column that the table lacks or one that it requires and the batch lacks, for types that
 * differ, for a value that the table's type does not hold, and for a null in a required field
 */
export function castBatch(
	name: string,
	batch: ColumnBatch,
	fields: readonly NestedField[],
	firstRowNumber: number,
): ColumnBatch {
	for (const field of batch.fields)
		if (!fields.some((wanted) => wanted.name === field.name)) throw unknownColumn(name, field.name, fields);
	const columns = fields.map((field) => {
		const index = batch.fields.findIndex((found) => found.name === field.name);
		const source = batch.columns[index];
		if (source === undefined) {
			if (field.required && field.writeDefault === undefined) throw missingColumn(name, field.name);
			return constantVector(field.type, field.writeDefault ?? null, batch.length);
		}
		const place = { name, firstRowNumber, column: field.name };
		const vector = castVector(source, field.type, place);
		refuseNulls(vector, field, place);
		return vector;
	});
	return { fields, length: batch.length, columns };
}

function castVector(vector: Vector, type: Type, place: Place): Vector {
	const from = vector.type;
	if (vector.layout === 'null') return nullVector(type, vector.length);
	switch (type.kind) {
		case 'struct':
			if (vector.layout === 'struct' && from.kind === 'struct') return castStruct(vector, from, type, place);
			break;
		case 'list':
			if (vector.layout === 'list') {
				const child = castVector(vector.child, type.element, inside(place, 'element'));
				return { ...vector, type, child };
			}
			break;
		case 'map':
			if (vector.layout === 'map') {
				const keys = castVector(vector.keys, type.key, inside(place, 'key'));
				const items = castVector(vector.items, type.value, inside(place, 'value'));
				return { ...vector, type, keys, items };
			}
			break;
		case 'decimal':
			if (from.kind === 'decimal') {
				if (from.scale === type.scale && from.precision <= type.precision) return { ...vector, type };
				return castEach(vector, type, place, (value) =>
					rescaled(value as bigint, from.scale, type.scale, type.precision),
				);
			}
			if (from.kind === 'int' || from.kind === 'long')
				return castEach(vector, type, place, (value) =>
					rescaled(BigInt(value as number | bigint), 0, type.scale, type.precision),
				);
			break;
		case 'fixed':
		case 'uuid':
		case 'binary':
			if (isSame(from, type)) return { ...vector, type };
			break;
		default:
			if (from.kind === type.kind) return { ...vector, type } as Vector;
			if (
				vector.layout === 'int32' ||
				vector.layout === 'int64' ||
				vector.layout === 'float32' ||
				vector.layout === 'float64'
			) {
				const convert = conversion(from, type);
				if (convert !== undefined) return castEach(vector, type, place, convert);
			}
	}
	throw new IcebergError(
		'INVALID_DATA',
		`${place.name}: column '${place.column}' is ${typeToString(from)} in the file and ${typeToString(type)} in the table`,
		{ context: { column: place.column, found: typeToString(from), expected: typeToString(type) } },
	);
}

function isSame(from: Type, type: Type): boolean {
	if (from.kind === 'fixed' && type.kind === 'fixed') return from.length === type.length;
	return from.kind === type.kind;
}

function inside(place: Place, part: string): Place {
	return { ...place, column: `${place.column}.${part}` };
}

function castStruct(vector: StructVector, from: StructType, type: StructType, place: Place): Vector {
	for (const field of from.fields) {
		if (!type.fields.some((wanted) => wanted.name === field.name))
			throw unknownColumn(place.name, `${place.column}.${field.name}`, type.fields);
	}
	const children = type.fields.map((field) => {
		const index = from.fields.findIndex((found) => found.name === field.name);
		const child = vector.children[index];
		if (child !== undefined) return castVector(child, field.type, inside(place, field.name));
		if (field.required && field.writeDefault === undefined)
			throw missingColumn(place.name, `${place.column}.${field.name}`);
		return constantVector(field.type, field.writeDefault ?? null, vector.length);
	});
	return { ...vector, type, children };
}

const INT_MIN = -0x80000000;
const INT_MAX = 0x7fffffff;
const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;

/** Value by value; `undefined` from `convert` says that the value does not fit. */
function castEach(vector: Vector, type: Type, place: Place, convert: (value: Value) => Value | undefined): Vector {
	const values: Value[] = new Array(vector.length);
	for (let row = 0; row < vector.length; row++) {
		if (isNullAt(vector, row)) {
			values[row] = null;
			continue;
		}
		const value = vector.layout === 'decimal128' ? decimalAt(vector.values, row) : getValue(vector, row);
		const converted = convert(value);
		if (converted === undefined) throw misfit(vector, row, value, type, place);
		values[row] = converted;
	}
	return vectorOf(type, values);
}

function misfit(vector: Vector, row: number, value: Value, type: Type, place: Place): IcebergError {
	const text = formatValue(vector.type, value);
	// positions below a list are not rows
	const isRow = !place.column.includes('.');
	const where = isRow ? `row ${place.firstRowNumber + row}, ` : '';
	return new IcebergError(
		'INVALID_DATA',
		`${place.name}, ${where}column '${place.column}': ${text} (${typeToString(vector.type)}) does not fit ${typeToString(type)}`,
		{
			context: {
				...(isRow ? { row: place.firstRowNumber + row } : {}),
				column: place.column,
				value: text,
				expected: typeToString(type),
			},
		},
	);
}

/** Conversions between numbers and between timestamps that lose nothing, or say so. */
function conversion(from: Type, type: Type): ((value: Value) => Value | undefined) | undefined {
	const pair = `${from.kind} ${type.kind}`;
	switch (pair) {
		case 'int long':
			return (value) => BigInt(value as number);
		case 'long int':
			return (value) => ((value as bigint) >= INT_MIN && (value as bigint) <= INT_MAX ? Number(value) : undefined);
		case 'float double':
		case 'int double':
			return (value) => value;
		case 'long double':
			return (value) => (BigInt(Number(value)) === value ? Number(value) : undefined);
		case 'int float':
		case 'double float':
			return (value) => (Object.is(Math.fround(value as number), value) ? value : undefined);
		case 'timestamp_ns timestamp':
		case 'timestamptz_ns timestamptz':
			return (value) => ((value as bigint) % 1000n === 0n ? (value as bigint) / 1000n : undefined);
		case 'timestamp timestamp_ns':
		case 'timestamptz timestamptz_ns':
			return (value) => {
				const nanos = (value as bigint) * 1000n;
				return nanos >= LONG_MIN && nanos <= LONG_MAX ? nanos : undefined;
			};
		default:
			return undefined;
	}
}

function rescaled(unscaled: bigint, from: number, to: number, precision: number): bigint | undefined {
	let result = unscaled;
	if (to >= from) result *= 10n ** BigInt(to - from);
	else {
		const divisor = 10n ** BigInt(from - to);
		if (result % divisor !== 0n) return undefined;
		result /= divisor;
	}
	const limit = 10n ** BigInt(precision);
	return result > -limit && result < limit ? result : undefined;
}

/** @throws `INVALID_DATA` when a required field, at any level, has a null where the value that holds it has none */
function refuseNulls(vector: Vector, field: NestedField, place: Place): void {
	if (!mayBreakRequired(vector, field.type, field.required)) return;
	for (let row = 0; row < vector.length; row++) {
		const column = requiredNull(
			field.type,
			isNullAt(vector, row) ? null : getValue(flatten(vector), row),
			field.required,
			field.name,
		);
		if (column !== undefined) throw nullInRequired(place.name, place.firstRowNumber + row, column);
	}
}

/** A quick look: false when no required field has a null at all. */
function mayBreakRequired(vector: Vector, type: Type, required: boolean): boolean {
	if (required && vector.nullCount > 0) return true;
	if (vector.layout === 'struct' && type.kind === 'struct')
		return type.fields.some((field, index) =>
			mayBreakRequired(vector.children[index] as Vector, field.type, field.required),
		);
	if (vector.layout === 'list' && type.kind === 'list')
		return mayBreakRequired(vector.child, type.element, type.elementRequired);
	if (vector.layout === 'map' && type.kind === 'map')
		return (
			mayBreakRequired(vector.keys, type.key, true) || mayBreakRequired(vector.items, type.value, type.valueRequired)
		);
	return false;
}

/** The full name of the first required field that is null in a value. */
function requiredNull(type: Type, value: Value, required: boolean, name: string): string | undefined {
	if (value === null) return required ? name : undefined;
	switch (type.kind) {
		case 'struct':
			for (const [index, field] of type.fields.entries()) {
				const found = requiredNull(
					field.type,
					(value as readonly Value[])[index] as Value,
					field.required,
					`${name}.${field.name}`,
				);
				if (found !== undefined) return found;
			}
			return undefined;
		case 'list':
			for (const item of value as readonly Value[]) {
				const found = requiredNull(type.element, item, type.elementRequired, `${name}.element`);
				if (found !== undefined) return found;
			}
			return undefined;
		case 'map':
			for (const [key, item] of value as readonly (readonly [Value, Value])[]) {
				const found =
					requiredNull(type.key, key, true, `${name}.key`) ??
					requiredNull(type.value, item, type.valueRequired, `${name}.value`);
				if (found !== undefined) return found;
			}
			return undefined;
		default:
			return undefined;
	}
}
