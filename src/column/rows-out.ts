/** Batches of columns to row objects. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { formatDate, formatTimeMicros, formatTimestampMicros, formatTimestampNanos } from '../spec/date-time-text.ts';
import { formatDecimal } from '../spec/decimal-text.ts';
import { bytesToUuid } from '../spec/single-value.ts';
import type { NestedField, StructType, Type } from '../spec/types.ts';
import { getBit } from './bitmap.ts';
import { decodeTexts } from './decode-text.ts';
import { variantToJs } from './variant-decode.ts';
import type { BytesVector, ColumnBatch, DictionaryVector, Int64Vector, Vector } from './vector.ts';
import { slice } from './vector-ops.ts';
import { bytesAt, decimalAt, isNullAt } from './vector-values.ts';

export interface RowOutputOptions {
	/** `number`: refuse values beyond 2^53 - 1 rather than round them. Default `bigint` */
	readonly longs?: 'bigint' | 'number';
	/**
	 * Timestamps as ISO text (default), as `Date` (refused where that would lose micro- or nanoseconds; wall-clock time as
	 * if it were UTC), or as `bigint` micro- or nanoseconds since 1970.
	 */
	readonly timestamps?: 'string' | 'date' | 'bigint';
}

export type RowObject = Record<string, unknown>;

/** Turns rows [from, to) of a batch (default: all) into objects; `firstRow` is the number of the batch's first row. */
export type RowOutput = (batch: ColumnBatch, firstRow?: number, from?: number, to?: number) => RowObject[];

/** Rows made at once: few enough that rows which are soon dropped never leave the young generation of the heap. */
export const ROW_CHUNK = 1_024;

/**
 * Compiles the way from batches with these fields to rows. Values: int, float, double as `number`; long as `bigint`;
 * decimal, date, time, timestamps, string, uuid as text; fixed, binary, geometry, geography as `Uint8Array` (copies);
 * struct as object, list as array, map as `Map` (keys of bytes or nested types compare by identity there), variant as
 * plain value, unknown and missing as `null`. Rows of one batch share a shape.
 *
 * The compiled function throws `INVALID_DATA` with row (counted from `firstRow`) and column when an option's type cannot
 * hold a value exactly, and `CORRUPT` for text that is not UTF-8 or a broken variant.
 */
export function compileRowOutput(fields: readonly NestedField[], options: RowOutputOptions = {}): RowOutput {
	const assemble = compileAssembly(fields.map((field) => field.name));
	const context: DecodeContext = { ...options, texts: new WeakMap() };
	return (batch, firstRow = 0, from = 0, to = batch.length) => {
		const columns = fields.map((field, k) => {
			try {
				return decodeColumn(slice(batch.columns[k] as Vector, from, to), context);
			} catch (error) {
				throw atColumn(error, field.name, firstRow + from);
			}
		});
		return assemble(columns, to - from);
	};
}

/** The rows of a batch, in chunks. @throws as the compiled output does */
export function* rowChunks(output: RowOutput, batch: ColumnBatch, firstRow = 0): Generator<RowObject[]> {
	for (let from = 0; from < batch.length; from += ROW_CHUNK)
		yield output(batch, firstRow, from, Math.min(batch.length, from + ROW_CHUNK));
}

interface DecodeContext extends RowOutputOptions {
	/** dictionaries that have been decoded: they are shared by chunks and batches */
	readonly texts: WeakMap<BytesVector, readonly (string | null)[]>;
}

type Assemble = (columns: readonly (readonly unknown[])[], length: number) => RowObject[];

/**
 * Rows from decoded columns. Each row starts as a copy of one template, so that all have the same shape and no key is
 * added one by one.
 */
function compileAssembly(names: readonly string[]): Assemble {
	const template: RowObject = {};
	for (const name of names)
		Object.defineProperty(template, name, { value: null, enumerable: true, configurable: true, writable: true });
	const special = names.includes('__proto__');
	return (columns, length) => {
		const rows: RowObject[] = new Array(length);
		for (let i = 0; i < length; i++) rows[i] = { ...template };
		for (let k = 0; k < names.length; k++) {
			const name = names[k] as string;
			const column = columns[k] as readonly unknown[];
			if (special && name === '__proto__')
				for (let i = 0; i < length; i++)
					Object.defineProperty(rows[i], name, {
						value: column[i],
						enumerable: true,
						configurable: true,
						writable: true,
					});
			else for (let i = 0; i < length; i++) (rows[i] as RowObject)[name] = column[i];
		}
		return rows;
	};
}

/** What a decoder throws before the column and the row's number in the scan are known. */
class InexactValue extends Error {
	readonly element: number;
	readonly value: bigint;
	constructor(element: number, value: bigint, problem: string) {
		super(problem);
		this.element = element;
		this.value = value;
	}
}

function atColumn(error: unknown, column: string, firstRow: number): unknown {
	if (error instanceof InexactValue) {
		const row = firstRow + error.element;
		return new IcebergError('INVALID_DATA', `row ${row}, column '${column}': ${error.message}`, {
			context: { row, column, value: error.value },
		});
	}
	if (!(error instanceof IcebergError)) return error;
	return new IcebergError(error.code, `column '${column}': ${error.message}`, {
		context: { ...error.context, column },
		cause: error,
	});
}

/** The elements as users see them. */
function decodeColumn(vector: Vector, context: DecodeContext): unknown[] {
	switch (vector.layout) {
		case 'boolean':
			return mapped(vector, (i) => getBit(vector.values, i));
		case 'int32':
			return vector.type.kind === 'date' ? dates(vector, vector.values) : numbers(vector, vector.values);
		case 'float32':
		case 'float64':
			return numbers(vector, vector.values);
		case 'int64':
			return decodeInt64(vector, context);
		case 'decimal128': {
			const { scale } = vector.type as { scale: number };
			return mapped(vector, (i) => formatDecimal(decimalAt(vector.values, i), scale));
		}
		case 'fixed':
			if (vector.type.kind === 'uuid') return mapped(vector, (i) => bytesToUuid(vector.values, i * 16));
			return mapped(vector, (i) => vector.values.slice(i * vector.width, (i + 1) * vector.width));
		case 'bytes':
			if (vector.type.kind === 'string') return decodeTexts(vector);
			return mapped(vector, (i) => vector.values.slice(vector.offsets[i], vector.offsets[i + 1]));
		case 'dictionary':
			return decodeDictionary(vector, context);
		case 'struct':
			return decodeStruct(vector.type as StructType, vector, vector.children, context);
		case 'list': {
			const items = withOwners(() => decodeColumn(vector.child, context), vector);
			return mapped(vector, (i) => items.slice(vector.offsets[i], vector.offsets[i + 1]));
		}
		case 'map': {
			const keys = withOwners(() => decodeColumn(vector.keys, context), vector);
			const items = withOwners(() => decodeColumn(vector.items, context), vector);
			return mapped(vector, (i) => {
				const entries = new Map<unknown, unknown>();
				const end = vector.offsets[i + 1] as number;
				for (let k = vector.offsets[i] as number; k < end; k++) entries.set(keys[k], items[k]);
				return entries;
			});
		}
		case 'variant':
			return mapped(vector, (i) =>
				variantToJs({ metadata: bytesAt(vector.metadata, i), value: bytesAt(vector.value, i) }),
			);
		case 'null':
			return new Array(vector.length).fill(null);
	}
}

/** Runs the decoder of a list's or map's inner vector; an element that it refuses is told as that of the list. */
function withOwners<T>(decode: () => T, owner: { readonly length: number; readonly offsets: Int32Array }): T {
	try {
		return decode();
	} catch (error) {
		if (!(error instanceof InexactValue)) throw error;
		let element = 0;
		while (element < owner.length && (owner.offsets[element + 1] as number) <= error.element) element++;
		throw new InexactValue(element, error.value, error.message);
	}
}

function mapped(vector: Vector, valueAt: (i: number) => unknown): unknown[] {
	const out: unknown[] = new Array(vector.length);
	for (let i = 0; i < vector.length; i++) out[i] = vector.nullCount > 0 && isNullAt(vector, i) ? null : valueAt(i);
	return out;
}

function numbers(vector: Vector, values: Int32Array | Float32Array | Float64Array): unknown[] {
	const out: unknown[] = new Array(vector.length);
	if (vector.nullCount === 0) for (let i = 0; i < vector.length; i++) out[i] = values[i];
	else for (let i = 0; i < vector.length; i++) out[i] = isNullAt(vector, i) ? null : values[i];
	return out;
}

function dates(vector: Vector, values: Int32Array): unknown[] {
	let lastDays = 0;
	let lastText = '1970-01-01';
	return mapped(vector, (i) => {
		const days = values[i] as number;
		if (days !== lastDays) {
			lastDays = days;
			lastText = formatDate(days);
		}
		return lastText;
	});
}

function decodeInt64(vector: Int64Vector, context: DecodeContext): unknown[] {
	const { values, type } = vector;
	switch (type.kind) {
		case 'time':
			return mapped(vector, (i) => formatTimeMicros(values[i] as bigint));
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return decodeTimestamps(vector, type, context.timestamps ?? 'string');
		default:
			if (context.longs === 'number') return exactNumbers(vector);
			return mapped(vector, (i) => values[i]);
	}
}

function exactNumbers(vector: Int64Vector): unknown[] {
	const { values } = vector;
	return mapped(vector, (i) => {
		const value = values[i] as bigint;
		const number = Number(value);
		if (!Number.isSafeInteger(number))
			throw new InexactValue(i, value, `${value} is beyond what a number holds exactly; read longs as bigint`);
		return number;
	});
}

function decodeTimestamps(vector: Int64Vector, type: Type, mode: 'string' | 'date' | 'bigint'): unknown[] {
	const { values } = vector;
	if (mode === 'bigint') return mapped(vector, (i) => values[i]);
	const nanos = type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns';
	if (mode === 'date') {
		const unitsPerMs = nanos ? 1_000_000n : 1_000n;
		return mapped(vector, (i) => {
			const units = values[i] as bigint;
			const ms = Number(units / unitsPerMs);
			if (units % unitsPerMs !== 0n || Math.abs(ms) > 8.64e15)
				throw new InexactValue(
					i,
					units,
					`${nanos ? formatTimestampNanos(units) : formatTimestampMicros(units)} is not exact as a Date; read timestamps as text or bigint`,
				);
			return new Date(ms);
		});
	}
	const zone = type.kind === 'timestamptz' || type.kind === 'timestamptz_ns' ? '+00:00' : '';
	if (nanos) return mapped(vector, (i) => formatTimestampNanos(values[i] as bigint) + zone);
	return mapped(vector, timestampTexts(values, zone));
}

const SECONDS_PER_DAY = 86_400;
const MICROS_PER_SECOND = 1_000_000;
/** High words of 64-bit values that a double holds exactly. */
const SAFE_HIGH_WORD = 1 << 20;
const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));

/** The text of timestamp `i`; the day's part is kept from one to the next. */
export function timestampTexts(values: BigInt64Array, zone: string): (i: number) => string {
	const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
	let lastDay = Number.NaN;
	let dayText = '';
	return (i) => {
		const high = words[2 * i + 1] as number;
		if (high >= SAFE_HIGH_WORD || high < -SAFE_HIGH_WORD) return formatTimestampMicros(values[i] as bigint) + zone;
		const micros = high * 0x1_0000_0000 + ((words[2 * i] as number) >>> 0);
		const seconds = Math.floor(micros / MICROS_PER_SECOND);
		const fraction = micros - seconds * MICROS_PER_SECOND;
		const day = Math.floor(seconds / SECONDS_PER_DAY);
		if (day !== lastDay) {
			lastDay = day;
			dayText = formatDate(day);
		}
		const ofDay = seconds - day * SECONDS_PER_DAY;
		const hour = (ofDay / 3_600) | 0;
		const minute = ((ofDay - hour * 3_600) / 60) | 0;
		const time = `${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[ofDay % 60]}`;
		return `${dayText}T${time}.${String(fraction).padStart(6, '0')}${zone}`;
	};
}

function decodeDictionary(vector: DictionaryVector, context: DecodeContext): unknown[] {
	const { indices, dictionary } = vector;
	if (vector.type.kind === 'string') {
		let texts = context.texts.get(dictionary);
		if (texts === undefined) {
			texts = decodeTexts(dictionary);
			context.texts.set(dictionary, texts);
		}
		const decoded = texts;
		return mapped(vector, (i) => decoded[indices[i] as number]);
	}
	return mapped(vector, (i) => bytesAt(dictionary, indices[i] as number).slice());
}

function decodeStruct(
	type: StructType,
	vector: Vector,
	children: readonly Vector[],
	context: DecodeContext,
): unknown[] {
	const columns = children.map((child) => decodeColumn(child, context));
	const records = compileAssembly(type.fields.map((field) => field.name))(columns, vector.length);
	if (vector.nullCount === 0) return records;
	return mapped(vector, (i) => records[i]);
}
