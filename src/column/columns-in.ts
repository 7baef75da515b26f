/** Columns as users give them to batches. Loaded when some are given. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from '../spec/type-text.ts';
import type { NestedField, Type } from '../spec/types.ts';
import { builderOf } from './builder.ts';
import { checkColumn } from './check-batch.ts';
import { missingValue } from './coerce.ts';
import type { ColumnInput, ColumnsInput, NumberArray } from './columns-input.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { describeValue, inRow, unknownMember } from './invalid-value.ts';
import { repeatedTexts } from './repeated-texts.ts';
import { textsVector } from './texts-in.ts';
import type { ColumnBatch, Vector } from './vector.ts';
import { slice } from './vector-ops.ts';
import { constantVector } from './vector-values.ts';

export interface ColumnsOptions {
	/** number of the first row, for messages. Default 0 */
	readonly firstRowNumber?: number;
	readonly signal?: AbortSignal;
}

/** Most rows of a batch made from columns. */
const COLUMN_BATCH_ROWS = 65_536;

/**
 * Columns as batches. Typed arrays of a column's own layout (`BigInt64Array` for long, `Int32Array` for int, …) and
 * vectors are not copied: leave them unchanged until the append has resolved.
 * @throws `INVALID_DATA` with row and column for a value; for an unknown or missing column; for unequal lengths
 */
export async function* batchesFromColumns(
	fields: readonly NestedField[],
	input: ColumnsInput,
	options: ColumnsOptions = {},
): AsyncGenerator<ColumnBatch> {
	const { byName } = input;
	const names = fields.map((field) => field.name);
	for (const name of Object.keys(byName)) {
		if (names.includes(name)) continue;
		const { problem } = unknownMember(name, undefined, names).context;
		throw new IcebergError('INVALID_DATA', `column '${name}': ${String(problem)}`, { context: { column: name } });
	}
	const length = commonLength(byName);
	const firstRow = options.firstRowNumber ?? 0;
	for (let from = 0; from < length; from += COLUMN_BATCH_ROWS) {
		throwIfAborted(options.signal);
		const to = Math.min(length, from + COLUMN_BATCH_ROWS);
		const vectors = fields.map((field) => {
			const column = Object.hasOwn(byName, field.name) ? byName[field.name] : undefined;
			if (column === undefined) return missingColumn(field, to - from, firstRow + from);
			const vector = vectorOfPart(field, column, from, to, firstRow + from);
			checkColumn(field, vector, firstRow + from);
			return vector;
		});
		yield { fields, length: to - from, columns: vectors };
	}
}

function commonLength(byName: Readonly<Record<string, ColumnInput>>): number {
	let length: number | undefined;
	let firstName = '';
	for (const [name, column] of Object.entries(byName)) {
		if (column === undefined) continue;
		if (!isColumnInput(column))
			throw new IcebergError('INVALID_DATA', `column '${name}': expected an array, found ${describeValue(column)}`, {
				context: { column: name },
			});
		if (length === undefined) {
			length = column.length;
			firstName = name;
		} else if (column.length !== length)
			throw new IcebergError(
				'INVALID_DATA',
				`column '${name}' has ${column.length} values, column '${firstName}' ${length}`,
				{ context: { column: name } },
			);
	}
	return length ?? 0;
}

function isColumnInput(input: unknown): input is ColumnInput {
	return Array.isArray(input) || (ArrayBuffer.isView(input) && !(input instanceof DataView)) || isVector(input);
}

function isVector(input: unknown): input is Vector {
	return typeof input === 'object' && input !== null && 'layout' in input && 'type' in input && 'length' in input;
}

/** A column that the input lacks: its write default or nulls. @throws `INVALID_DATA` when it is required */
export function missingColumn(field: NestedField, length: number, firstRow: number): Vector {
	try {
		return constantVector(field.type, missingValue(field, undefined), length);
	} catch (error) {
		throw inRow(error, firstRow, field.name);
	}
}

function vectorOfPart(field: NestedField, column: ColumnInput, from: number, to: number, firstRow: number): Vector {
	if (isVector(column)) {
		if (typeToString(column.type) !== typeToString(field.type))
			throw new IcebergError(
				'INVALID_DATA',
				`column '${field.name}': a vector of ${typeToString(column.type)}, expected ${typeToString(field.type)}`,
				{ context: { column: field.name } },
			);
		return { ...slice(column, from, to), type: field.type };
	}
	const direct = ArrayBuffer.isView(column) ? directVector(field.type, column, from, to) : undefined;
	if (direct !== undefined) return direct;
	if (field.type.kind === 'string' && Array.isArray(column)) {
		// what is undefined has the write default
		const nullable = !field.required && field.writeDefault === undefined;
		const texts =
			repeatedTexts(field.type, column, from, to, nullable) ?? textsVector(field.type, column, from, to, nullable);
		if (texts !== undefined) return texts;
	}
	const builder = builderOf(field.type);
	const values = column as ArrayLike<unknown>;
	let i = from;
	try {
		for (; i < to; i++) {
			const value = values[i];
			if (value !== null && value !== undefined) builder.append(value);
			else {
				const filled = missingValue(field, value);
				if (filled === null) builder.appendNull();
				else builder.appendValue(filled);
			}
		}
	} catch (error) {
		throw inRow(error, firstRow + i - from, field.name);
	}
	return builder.finish();
}

/** A typed array as it is, where every value it can hold is one of the type. */
function directVector(type: Type, array: NumberArray, from: number, to: number): Vector | undefined {
	const base = { type, length: to - from, nullCount: 0, validity: null };
	switch (type.kind) {
		case 'int':
		case 'date':
			return array instanceof Int32Array ? { ...base, layout: 'int32', values: array.subarray(from, to) } : undefined;
		case 'long':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return array instanceof BigInt64Array
				? { ...base, layout: 'int64', values: array.subarray(from, to) }
				: undefined;
		case 'float':
			return array instanceof Float32Array
				? { ...base, layout: 'float32', values: array.subarray(from, to) }
				: undefined;
		case 'double':
			return array instanceof Float64Array
				? { ...base, layout: 'float64', values: array.subarray(from, to) }
				: undefined;
		default:
			return undefined;
	}
}
