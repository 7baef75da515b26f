/** Single values as text for people, programs and command lines; exact both ways. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { fromHex, toHex } from '../util/hex.ts';
import { stringifyJson } from '../util/json.ts';
import { isWellFormed } from '../util/well-formed.ts';
import {
	formatDate,
	formatTimeMicros,
	formatTimestampMicros,
	formatTimestampNanos,
	parseDateText,
	parseTimestampText,
	parseTimeText,
} from './date-time-text.ts';
import { formatDecimal, parseDecimal } from './decimal-text.ts';
import { typeToString } from './type-text.ts';
import type { JsonValue, MapValue, Type, Value, VariantValue } from './types.ts';

const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const INTEGER = /^[+-]?\d{1,40}$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * The canonical text of a value: digits of integers, `1.50`, `2024-02-29`, `12:34:56.000001`,
 * `2024-02-29T12:34:56.000001+00:00` (nine digits for nanoseconds), lower-case hex for bytes, `NaN` and `Infinity`,
 * compact JSON for nested values (structs by field name, maps as pairs). `null` is `null`.
 */
export function formatValue(type: Type, value: Value): string {
	if (value === null) return 'null';
	switch (type.kind) {
		case 'date':
			return formatDate(value as number);
		case 'time':
			return formatTimeMicros(value as bigint);
		case 'timestamp':
			return formatTimestampMicros(value as bigint);
		case 'timestamptz':
			return `${formatTimestampMicros(value as bigint)}+00:00`;
		case 'timestamp_ns':
			return formatTimestampNanos(value as bigint);
		case 'timestamptz_ns':
			return `${formatTimestampNanos(value as bigint)}+00:00`;
		case 'decimal':
			return formatDecimal(value as bigint, type.scale);
		case 'float':
		case 'double':
			return Object.is(value, -0) ? '-0' : String(value);
		case 'fixed':
		case 'binary':
		case 'geometry':
		case 'geography':
			return toHex(value as Uint8Array);
		case 'struct':
		case 'list':
		case 'map':
		case 'variant':
		case 'unsupported':
			return stringifyJson(canonicalJson(type, value));
		default:
			return String(value);
	}
}

/**
 * Reads a value from text, strictly by type: timestamptz needs an offset, timestamp refuses one; nothing is rounded.
 * Lenient in form: `T` or a space, fractions of any length that loses nothing, `Z` or `±hh[:mm]`, upper-case hex.
 *
 * @throws `INVALID_DATA` naming the text and the reason; `INVALID_ARGUMENT` for types without a text form
 */
export function parseValue(type: Type, text: string): Value {
	switch (type.kind) {
		case 'boolean': {
			const lower = text.toLowerCase();
			if (lower !== 'true' && lower !== 'false') throw bad(type, text, 'expected true or false');
			return lower === 'true';
		}
		case 'int':
			return Number(integerIn(type, text, -0x80000000n, 0x7fffffffn));
		case 'long':
			return integerIn(type, text, MIN_LONG, MAX_LONG);
		case 'float':
		case 'double':
			return parseNumber(type, text);
		case 'decimal':
			return orFail(type, text, parseDecimal(text, type.precision, type.scale));
		case 'date':
			return orFail(type, text, parseDateText(text));
		case 'time':
			return orFail(type, text, parseTimeText(text));
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return parseTimestamp(type, text);
		case 'string':
			if (!isWellFormed(text)) throw bad(type, text, 'a lone surrogate is no character');
			return text;
		case 'uuid':
			if (!UUID.test(text)) throw bad(type, text, "expected a uuid such as 'f79c3e09-677c-4bbd-a479-3f349cb785e7'");
			return text.toLowerCase();
		case 'fixed':
		case 'binary':
		case 'geometry':
		case 'geography': {
			const bytes = fromHex(text);
			if (bytes === undefined) throw bad(type, text, 'expected hexadecimal digits, two a byte');
			if (type.kind === 'fixed' && bytes.length !== type.length) {
				throw bad(type, text, `expected ${type.length} bytes, found ${bytes.length}`);
			}
			return bytes;
		}
		default:
			throw new IcebergError('INVALID_ARGUMENT', `values of type ${typeToString(type)} have no text form`);
	}
}

/**
 * A value as JSON for people: like {@link formatValue}, but booleans, int, float and double as JSON's own (`NaN` and
 * infinities as text), long as text, structs as objects by field name, lists as arrays, maps as arrays of pairs.
 */
export function canonicalJson(type: Type, value: Value): JsonValue {
	if (value === null) return null;
	switch (type.kind) {
		case 'boolean':
		case 'int':
			return value as boolean | number;
		case 'float':
		case 'double':
			return Number.isFinite(value) ? (value as number) : String(value);
		case 'struct': {
			const json: { [key: string]: JsonValue } = {};
			type.fields.forEach((field, i) => {
				const item = canonicalJson(field.type, (value as readonly Value[])[i] ?? null);
				Object.defineProperty(json, field.name, { value: item, writable: true, enumerable: true, configurable: true });
			});
			return json;
		}
		case 'list':
			return (value as readonly Value[]).map((item) => canonicalJson(type.element, item));
		case 'map':
			return (value as MapValue).map(([key, item]) => [canonicalJson(type.key, key), canonicalJson(type.value, item)]);
		case 'variant': {
			const { metadata, value: bytes } = value as VariantValue;
			return { metadata: toHex(metadata), value: toHex(bytes) };
		}
		case 'unsupported':
			return String(value);
		default:
			return formatValue(type, value);
	}
}

function integerIn(type: Type, text: string, min: bigint, max: bigint): bigint {
	if (!INTEGER.test(text)) throw bad(type, text, 'expected an integer');
	const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
	if (value < min || value > max) throw bad(type, text, `beyond the range ${min} to ${max}`);
	return value;
}

function parseNumber(type: Type, text: string): number {
	const special = /^([+-]?)(nan|inf(?:inity)?)$/i.exec(text);
	if (special !== null) {
		if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
		return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
	}
	if (!NUMBER.test(text)) throw bad(type, text, 'expected a number');
	const exact = Number(text);
	const value = type.kind === 'float' ? Math.fround(exact) : exact;
	if (!Number.isFinite(value)) throw bad(type, text, `beyond the range of a ${type.kind}`);
	return value;
}

function parseTimestamp(type: Type, text: string): bigint {
	const parsed = parseTimestampText(text);
	if (typeof parsed === 'string') throw bad(type, text, parsed);
	const zoned = type.kind === 'timestamptz' || type.kind === 'timestamptz_ns';
	if (zoned && !parsed.hasOffset) throw bad(type, text, "an offset from UTC is missing, such as 'Z' or '+02:00'");
	if (!zoned && parsed.hasOffset) throw bad(type, text, `a ${type.kind} has no offset from UTC`);
	const nanoseconds = type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns';
	if (!nanoseconds && parsed.nanos % 1_000n !== 0n) throw bad(type, text, 'finer than a microsecond');
	const value = nanoseconds ? parsed.nanos : parsed.nanos / 1_000n;
	if (value < MIN_LONG || value > MAX_LONG) throw bad(type, text, `beyond the range of a ${type.kind}`);
	return value;
}

function orFail<T extends number | bigint>(type: Type, text: string, parsed: T | string): T {
	if (typeof parsed === 'string') throw bad(type, text, parsed);
	return parsed;
}

function bad(type: Type, text: string, reason: string): IcebergError {
	const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
	return new IcebergError('INVALID_DATA', `'${shown}' is no ${typeToString(type)}: ${reason}`, {
		context: { value: shown, type: typeToString(type), reason },
	});
}
