/**
 * Batches as lines of JSON, one object a row, in canonical values: integers of all sizes as JSON integers with all their
 * digits; floats and doubles as numbers, `"NaN"`, `"Infinity"`, `"-Infinity"`; decimals, dates, times, timestamps, uuids
 * as text; bytes as lower-case hex; structs as objects in schema order; lists as arrays; maps as arrays of pairs sorted by
 * the JSON of the key; variants as `{"t":…,"v":…}`.
 */
import { IcebergError } from '../errors/iceberg-error.ts';
import { formatDate, formatTimeMicros, formatTimestampNanos } from '../spec/date-time-text.ts';
import { formatDecimal } from '../spec/decimal-text.ts';
import { bytesToUuid } from '../spec/single-value.ts';
import type { DecimalType, NestedField, StructType } from '../spec/types.ts';
import { toHex } from '../util/hex.ts';
import { getBit } from './bitmap.ts';
import { decodeTexts } from './decode-text.ts';
import { timestampTexts } from './rows-out.ts';
import { compareCodePoints, doubleText, variantToCanonicalText } from './variant-decode.ts';
import type { BytesVector, ColumnBatch, DictionaryVector, Int64Vector, Vector } from './vector.ts';
import { slice } from './vector-ops.ts';
import { bytesAt, decimalAt, isNullAt } from './vector-values.ts';

/** JSON texts of rows [from, to) of a batch (default: all), without line ends. */
export type JsonOutput = (batch: ColumnBatch, from?: number, to?: number) => string[];

type Cache = WeakMap<BytesVector, readonly string[]>;

/** Compiles {@link JsonOutput} for batches with these fields. It throws `CORRUPT` for unsound text or variants. */
export function compileJsonOutput(fields: readonly NestedField[]): JsonOutput {
	const keys = memberKeys(fields);
	const cache: Cache = new WeakMap();
	return (batch, from = 0, to = batch.length) => {
		const columns = fields.map((field, k) => {
			try {
				return jsonTexts(slice(batch.columns[k] as Vector, from, to), cache);
			} catch (error) {
				if (!(error instanceof IcebergError)) throw error;
				throw new IcebergError(error.code, `column '${field.name}': ${error.message}`, {
					context: { ...error.context, column: field.name },
					cause: error,
				});
			}
		});
		return objectTexts(keys, columns, to - from);
	};
}

/** `{"a":`, `,"b":`, … */
function memberKeys(fields: readonly NestedField[]): string[] {
	return fields.map((field, k) => `${k === 0 ? '{' : ','}${JSON.stringify(field.name)}:`);
}

function objectTexts(keys: readonly string[], columns: readonly (readonly string[])[], length: number): string[] {
	const texts: string[] = new Array(length);
	for (let i = 0; i < length; i++) {
		let text = keys.length === 0 ? '{' : '';
		for (let k = 0; k < keys.length; k++)
			text += (keys[k] as string) + ((columns[k] as readonly string[])[i] as string);
		texts[i] = `${text}}`;
	}
	return texts;
}

/** The JSON of each element. */
function jsonTexts(vector: Vector, cache: Cache): string[] {
	switch (vector.layout) {
		case 'boolean':
			return mapped(vector, (i) => (getBit(vector.values, i) ? 'true' : 'false'));
		case 'int32':
			if (vector.type.kind === 'date') return mapped(vector, (i) => `"${formatDate(vector.values[i] as number)}"`);
			return mapped(vector, (i) => String(vector.values[i]));
		case 'int64':
			return mapped(vector, int64Text(vector));
		case 'float32':
		case 'float64':
			return mapped(vector, (i) => doubleText(vector.values[i] as number));
		case 'decimal128': {
			const { scale } = vector.type as DecimalType;
			return mapped(vector, (i) => `"${formatDecimal(decimalAt(vector.values, i), scale)}"`);
		}
		case 'fixed':
			if (vector.type.kind === 'uuid') return mapped(vector, (i) => `"${bytesToUuid(vector.values, i * 16)}"`);
			return mapped(vector, (i) => `"${toHex(vector.values.subarray(i * vector.width, (i + 1) * vector.width))}"`);
		case 'bytes':
			return bytesTexts(vector);
		case 'dictionary':
			return dictionaryTexts(vector, cache);
		case 'struct': {
			const { fields } = vector.type as StructType;
			const children = vector.children.map((child) => jsonTexts(child, cache));
			const texts = objectTexts(memberKeys(fields), children, vector.length);
			return mapped(vector, (i) => texts[i] as string);
		}
		case 'list': {
			const items = jsonTexts(vector.child, cache);
			return mapped(vector, (i) => `[${items.slice(vector.offsets[i], vector.offsets[i + 1]).join(',')}]`);
		}
		case 'map': {
			const keys = jsonTexts(vector.keys, cache);
			const items = jsonTexts(vector.items, cache);
			return mapped(vector, (i) => mapText(keys, items, vector.offsets[i] as number, vector.offsets[i + 1] as number));
		}
		case 'variant':
			return mapped(vector, (i) =>
				variantToCanonicalText({ metadata: bytesAt(vector.metadata, i), value: bytesAt(vector.value, i) }),
			);
		case 'null':
			return new Array<string>(vector.length).fill('null');
	}
}

function mapped(vector: Vector, textAt: (i: number) => string): string[] {
	const texts: string[] = new Array(vector.length);
	for (let i = 0; i < vector.length; i++) texts[i] = isNullAt(vector, i) ? 'null' : textAt(i);
	return texts;
}

function int64Text(vector: Int64Vector): (i: number) => string {
	const { values } = vector;
	switch (vector.type.kind) {
		case 'time':
			return (i) => `"${formatTimeMicros(values[i] as bigint)}"`;
		case 'timestamp': {
			const text = timestampTexts(values, '');
			return (i) => `"${text(i)}"`;
		}
		case 'timestamptz': {
			const text = timestampTexts(values, '+00:00');
			return (i) => `"${text(i)}"`;
		}
		case 'timestamp_ns':
			return (i) => `"${formatTimestampNanos(values[i] as bigint)}"`;
		case 'timestamptz_ns':
			return (i) => `"${formatTimestampNanos(values[i] as bigint)}+00:00"`;
		default:
			return (i) => String(values[i]);
	}
}

function bytesTexts(vector: BytesVector): string[] {
	if (vector.type.kind !== 'string') return mapped(vector, (i) => `"${toHex(bytesAt(vector, i))}"`);
	const texts = decodeTexts(vector);
	return texts.map((text) => (text === null ? 'null' : JSON.stringify(text)));
}

function dictionaryTexts(vector: DictionaryVector, cache: Cache): string[] {
	const { dictionary, indices } = vector;
	let texts = cache.get(dictionary);
	if (texts === undefined) {
		texts = bytesTexts({ ...dictionary, type: vector.type });
		cache.set(dictionary, texts);
	}
	const entries = texts;
	return mapped(vector, (i) => entries[indices[i] as number] as string);
}

function mapText(keys: readonly string[], items: readonly string[], from: number, to: number): string {
	const pairs: (readonly [string, string])[] = [];
	for (let k = from; k < to; k++) pairs.push([keys[k] as string, items[k] as string]);
	pairs.sort(([a], [b]) => compareCodePoints(a, b));
	return `[${pairs.map(([key, item]) => `[${key},${item}]`).join(',')}]`;
}
