/**
 * From what users give to engine values, exactly: a value that the column cannot hold without change is refused.
 *
 * | type | accepted |
 * | --- | --- |
 * | boolean | `boolean` |
 * | int | `number` or `bigint`, whole, 32-bit |
 * | long | `bigint`, or a whole `number` up to 2^53 - 1 in size |
 * | float, double | `number`; `bigint` that a double holds exactly. A float is rounded to the nearest, never to infinity |
 * | decimal | decimal text, `bigint` (whole units), `number` by its shortest decimal text; no digit may be lost |
 * | date | `YYYY-MM-DD`, `Date` at midnight UTC, or a whole `number` of days from 1970-01-01 |
 * | time | `HH:MM[:SS[.ffffff]]` or `bigint` microseconds from midnight |
 * | timestamp(_ns) | text without an offset, `Date` (its UTC wall-clock time), `bigint` micro- or nanoseconds |
 * | timestamptz(_ns) | text with an offset, `Date`, `bigint` micro- or nanoseconds since 1970 UTC |
 * | string | well-formed `string` |
 * | uuid | `8-4-4-4-12` hex text, or 16 bytes |
 * | fixed, binary, geometry, geography | `Uint8Array` (also `Buffer`) or `ArrayBuffer` |
 * | variant | any plain value (see `variant-encode.ts`), or the two encoded parts `{ metadata, value }` |
 * | unknown | `null` |
 * | struct | object with the field names as keys; list: array or typed array; map: `Map`, array of pairs, or a plain object when keys are strings |
 *
 * `null` and `undefined` become `null` anywhere; whether a column may hold them is the caller's to check for the
 * column itself, and is checked here inside of structs, lists and maps.
 */
import { IcebergError } from '../errors/iceberg-error.ts';
import type {
	DecimalType,
	ListType,
	MapType,
	NestedField,
	StructType,
	Type,
	Value,
	VariantValue,
} from '../spec/types.ts';
import { bytesToUuid } from '../spec/single-value.ts';
import { parseValue } from '../spec/value-text.ts';
import { toHex } from '../util/hex.ts';
import { isWellFormed } from '../util/well-formed.ts';
import { describeValue, invalidValue, unknownMember, withinValue } from './invalid-value.ts';
import { decodeVariant } from './variant-decode.ts';
import { encodeVariant, isEncodedVariant } from './variant-encode.ts';

/** Converts one non-null input to the engine value of one type. @throws `INVALID_DATA` */
export type Coercer = (input: unknown) => Value;

export const INT_MIN = -0x80000000;
export const INT_MAX = 0x7fffffff;
export const LONG_MIN = -(2n ** 63n);
export const LONG_MAX = 2n ** 63n - 1n;
const MS_PER_DAY = 86_400_000;
const MICROS_PER_DAY = 86_400_000_000n;
/** Digits beyond which a decimal text cannot be meant: exponents are expanded, so they are bounded. */
const DECIMAL_EXPONENT_LIMIT = 100;
const DECIMAL_TEXT_LIMIT = 400;

/**
 * The engine value of a user's input; `null` for `null` and `undefined`.
 * @throws `INVALID_DATA` with `context: { value, expected, path }`; `UNSUPPORTED` for a type this version does not know
 */
export function coerce(type: Type, input: unknown): Value {
	if (input === null || input === undefined) return null;
	return coercerOf(type)(input);
}

/** {@link coerce} compiled for one type. The result does not take `null` or `undefined`. @throws `UNSUPPORTED` */
export function coercerOf(type: Type): Coercer {
	switch (type.kind) {
		case 'boolean':
			return coerceBoolean;
		case 'int':
			return coerceInt;
		case 'long':
			return coerceLong;
		case 'float':
			return coerceFloat;
		case 'double':
			return coerceDouble;
		case 'decimal':
			return (input) => coerceDecimal(type, input);
		case 'date':
			return coerceDate;
		case 'time':
			return coerceTime;
		case 'timestamp':
			return timestampCoercer(type, 1000n, 'text without an offset, a Date or bigint microseconds');
		case 'timestamptz':
			return timestampCoercer(type, 1000n, 'text with an offset, a Date or bigint microseconds');
		case 'timestamp_ns':
			return timestampCoercer(type, 1_000_000n, 'text without an offset, a Date or bigint nanoseconds');
		case 'timestamptz_ns':
			return timestampCoercer(type, 1_000_000n, 'text with an offset, a Date or bigint nanoseconds');
		case 'string':
			return coerceString;
		case 'uuid':
			return coerceUuid;
		case 'fixed':
			return (input) => {
				const bytes = asBytes(input);
				if (bytes === undefined || bytes.length !== type.length)
					throw invalidValue(input, `fixed[${type.length}]: exactly ${type.length} bytes`);
				return bytes;
			};
		case 'binary':
		case 'geometry':
		case 'geography':
			return (input) => {
				const bytes = asBytes(input);
				if (bytes === undefined)
					throw invalidValue(input, type.kind === 'binary' ? 'binary: bytes' : `${type.kind}: WKB as bytes`);
				return bytes;
			};
		case 'variant':
			return (input) => (isEncodedVariant(input) ? checkedVariant(input) : encodeVariant(input));
		case 'unknown':
			return (input) => {
				throw invalidValue(input, 'null: a column of type unknown holds nothing else');
			};
		case 'struct':
			return structCoercer(type);
		case 'list':
			return listCoercer(type);
		case 'map':
			return mapCoercer(type);
		case 'unsupported':
			throw new IcebergError('UNSUPPORTED', `this version does not know the type ${describeValue(type.json)}`, {
				context: { type: type.json },
			});
	}
}

/** Encoded parts as they are, when they are sound: what no reader could decode is not written. */
function checkedVariant(input: VariantValue): VariantValue {
	try {
		decodeVariant(input);
	} catch (error) {
		throw invalidValue(input, 'variant: metadata and value in the binary encoding of variants', '', error);
	}
	return input;
}

function coerceBoolean(input: unknown): boolean {
	if (typeof input !== 'boolean') throw invalidValue(input, 'boolean: true or false');
	return input;
}

function coerceInt(input: unknown): number {
	const expected = 'int: a whole number from -2147483648 to 2147483647';
	if (typeof input === 'number') {
		if (!Number.isInteger(input) || input < INT_MIN || input > INT_MAX) throw invalidValue(input, expected);
		return input | 0;
	}
	if (typeof input !== 'bigint' || input < BigInt(INT_MIN) || input > BigInt(INT_MAX))
		throw invalidValue(input, expected);
	return Number(input);
}

/** Also the coercer that vector builders fall back on. */
export function coerceLong(input: unknown): bigint {
	if (typeof input === 'bigint') {
		if (input < LONG_MIN || input > LONG_MAX) throw invalidValue(input, 'long: a whole number of 64 bits, signed');
		return input;
	}
	if (typeof input === 'number' && Number.isSafeInteger(input)) return BigInt(input);
	throw invalidValue(
		input,
		typeof input === 'number' && Number.isInteger(input)
			? 'long: a bigint, since a number beyond 2^53 is not exact'
			: 'long: a bigint or a whole number',
	);
}

function coerceDouble(input: unknown): number {
	if (typeof input === 'number') return input;
	if (typeof input === 'bigint') {
		const double = Number(input);
		if (Number.isFinite(double) && BigInt(double) === input) return double;
		throw invalidValue(input, 'double: a bigint that a double holds exactly');
	}
	throw invalidValue(input, 'double: a number');
}

/** Also the coercer that vector builders fall back on. */
export function coerceFloat(input: unknown): number {
	if (typeof input !== 'number' && typeof input !== 'bigint') throw invalidValue(input, 'float: a number');
	const double = coerceDouble(input);
	const float = Math.fround(double);
	if (!Number.isFinite(float) && Number.isFinite(double))
		throw invalidValue(input, 'float: a number up to 3.4028234663852886e38 in size');
	return float;
}

const DECIMAL_TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function coerceDecimal(type: DecimalType, input: unknown): bigint {
	const { precision, scale } = type;
	let unscaled: bigint | undefined;
	if (typeof input === 'bigint') unscaled = boundedDigits(input) ? input * 10n ** BigInt(scale) : undefined;
	else if (typeof input === 'string') unscaled = unscaledOf(input, scale);
	else if (typeof input === 'number' && Number.isFinite(input)) unscaled = unscaledOf(String(input), scale);
	const limit = 10n ** BigInt(precision);
	if (unscaled === undefined || unscaled >= limit || unscaled <= -limit)
		throw invalidValue(
			input,
			`decimal(${precision}, ${scale}): a number of at most ${precision - scale} digits before the point and ${scale} behind`,
		);
	return unscaled;
}

function boundedDigits(value: bigint): boolean {
	return value > -(10n ** 39n) && value < 10n ** 39n;
}

/** The unscaled value of a decimal text, or `undefined` when it is no such text or needs more digits behind the point. */
function unscaledOf(text: string, scale: number): bigint | undefined {
	if (text.length > DECIMAL_TEXT_LIMIT) return undefined;
	const match = DECIMAL_TEXT.exec(text);
	if (match === null) return undefined;
	const whole = match[2] ?? '';
	const fraction = match[3] ?? '';
	if (whole === '' && fraction === '') return undefined;
	const exponent = Number(match[4] ?? '0');
	const digits = BigInt(whole + fraction);
	if (digits === 0n) return 0n;
	if (Math.abs(exponent) > DECIMAL_EXPONENT_LIMIT) return undefined;
	const shift = scale + exponent - fraction.length;
	let unscaled = digits;
	if (shift >= 0) unscaled *= 10n ** BigInt(shift);
	else {
		const divisor = 10n ** BigInt(-shift);
		if (unscaled % divisor !== 0n) return undefined;
		unscaled /= divisor;
	}
	return match[1] === '-' ? -unscaled : unscaled;
}

function coerceDate(input: unknown): number {
	const expected = "date: 'YYYY-MM-DD', a Date at midnight UTC, or a whole number of days from 1970-01-01";
	if (typeof input === 'string') return parsed({ kind: 'date' }, input, expected) as number;
	if (input instanceof Date) {
		const ms = input.getTime();
		if (!Number.isFinite(ms) || ms % MS_PER_DAY !== 0) throw invalidValue(input, expected);
		return ms / MS_PER_DAY;
	}
	if (typeof input === 'number' && Number.isInteger(input) && input >= INT_MIN && input <= INT_MAX) return input | 0;
	throw invalidValue(input, expected);
}

function coerceTime(input: unknown): bigint {
	const expected = "time: 'HH:MM:SS.ffffff' or bigint microseconds from midnight";
	if (typeof input === 'string') return parsed({ kind: 'time' }, input, expected) as bigint;
	if (typeof input === 'bigint' && input >= 0n && input < MICROS_PER_DAY) return input;
	throw invalidValue(input, expected);
}

function timestampCoercer(type: Type, unitsPerMs: bigint, accepted: string): Coercer {
	const expected = `${type.kind}: ${accepted}`;
	return (input) => {
		if (typeof input === 'string') return parsed(type, input, expected);
		let units: bigint | undefined;
		if (typeof input === 'bigint') units = input;
		else if (input instanceof Date && Number.isFinite(input.getTime())) units = BigInt(input.getTime()) * unitsPerMs;
		if (units === undefined || units < LONG_MIN || units > LONG_MAX) throw invalidValue(input, expected);
		return units;
	};
}

function parsed(type: Type, text: string, expected: string): Value {
	try {
		return parseValue(type, text);
	} catch (error) {
		throw invalidValue(text, expected, '', error);
	}
}

/** Also the coercer that vector builders fall back on. */
export function coerceString(input: unknown): string {
	if (typeof input !== 'string') throw invalidValue(input, 'string: text');
	if (!isWellFormed(input)) throw invalidValue(input, 'string: well-formed text, without lone surrogates');
	return input;
}

const UUID_TEXT = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

function coerceUuid(input: unknown): string {
	if (typeof input === 'string' && UUID_TEXT.test(input)) return input.toLowerCase();
	if (input instanceof Uint8Array && input.length === 16) return bytesToUuid(input);
	throw invalidValue(input, "uuid: text such as 'f79c3e09-677c-4bbd-a479-3f349cb785e7', or 16 bytes");
}

function asBytes(input: unknown): Uint8Array | undefined {
	if (input instanceof Uint8Array) return input;
	if (input instanceof ArrayBuffer) return new Uint8Array(input);
	return undefined;
}

/** True for an object whose keys are field names: not an array, a Map, a Date, bytes or another collection. */
export function isRecordLike(input: unknown): input is Record<string, unknown> {
	return (
		typeof input === 'object' &&
		input !== null &&
		!Array.isArray(input) &&
		!ArrayBuffer.isView(input) &&
		!(input instanceof Map) &&
		!(input instanceof Set) &&
		!(input instanceof Date) &&
		!(input instanceof Promise) &&
		!(input instanceof ArrayBuffer)
	);
}

/** A field's value in a record. Names that every object inherits (`constructor`) count only when they are its own. */
export function fieldOf(record: Record<string, unknown>, name: string): unknown {
	if (name in Object.prototype && !Object.hasOwn(record, name)) return undefined;
	return record[name];
}

/** The value that stands for a missing or null field. @throws `INVALID_DATA` when the field must not be null */
export function missingValue(field: NestedField, input: unknown): Value {
	if (input === undefined && field.writeDefault !== undefined) return field.writeDefault;
	if (field.required) throw invalidValue(input, 'a value: the field is required');
	return null;
}

function structCoercer(type: StructType): Coercer {
	const names = new Set(type.fields.map((field) => field.name));
	const coercers = type.fields.map((field) => coercerOf(field.type));
	return (input) => {
		if (!isRecordLike(input)) throw invalidValue(input, 'struct: an object with the field names as keys');
		for (const key of Object.keys(input)) {
			if (names.has(key)) continue;
			throw unknownMember(key, input[key], names);
		}
		return type.fields.map((field, i) => {
			try {
				const part = fieldOf(input, field.name);
				return part === undefined || part === null ? missingValue(field, part) : (coercers[i] as Coercer)(part);
			} catch (error) {
				throw withinValue(error, `.${field.name}`);
			}
		});
	};
}

function listCoercer(type: ListType): Coercer {
	const element = coercerOf(type.element);
	return (input) => {
		const items = listItems(input);
		const values: Value[] = new Array(items.length);
		for (let i = 0; i < items.length; i++) values[i] = coercePart(element, items[i], type.elementRequired, `[${i}]`);
		return values;
	};
}

/** The items of any accepted form of a list. @throws `INVALID_DATA` */
export function listItems(input: unknown): ArrayLike<unknown> {
	if (Array.isArray(input)) return input;
	if (ArrayBuffer.isView(input) && !(input instanceof DataView)) return input as unknown as ArrayLike<unknown>;
	throw invalidValue(input, 'list: an array');
}

function coercePart(coercer: Coercer, input: unknown, required: boolean, segment: string): Value {
	try {
		if (input !== null && input !== undefined) return coercer(input);
		if (required) throw invalidValue(input, 'a value: it is required here');
		return null;
	} catch (error) {
		throw withinValue(error, segment);
	}
}

function mapCoercer(type: MapType): Coercer {
	const coerceKey = coercerOf(type.key);
	const coerceItem = coercerOf(type.value);
	return (input) => {
		const pairs: [Value, Value][] = [];
		const seen = new Set<unknown>();
		for (const [key, item] of mapEntries(type, input)) {
			const segment = `[${describeValue(key)}]`;
			const keyValue = coercePart(coerceKey, key, true, segment);
			const identity = identityOf(keyValue);
			if (seen.has(identity)) throw withinValue(invalidValue(key, 'each key once'), segment);
			seen.add(identity);
			pairs.push([keyValue, coercePart(coerceItem, item, type.valueRequired, segment)]);
		}
		return pairs;
	};
}

/** The entries of any accepted form of a map. @throws `INVALID_DATA` */
export function mapEntries(type: MapType, input: unknown): Iterable<readonly [unknown, unknown]> {
	if (input instanceof Map) return input.entries();
	if (Array.isArray(input)) {
		for (let i = 0; i < input.length; i++) {
			const pair: unknown = input[i];
			if (!Array.isArray(pair) || pair.length !== 2)
				throw invalidValue(pair, 'map: pairs [key, value] in an array', `[${i}]`);
		}
		return input as [unknown, unknown][];
	}
	if (type.key.kind === 'string' && isRecordLike(input)) return Object.entries(input);
	throw invalidValue(
		input,
		type.key.kind === 'string' ? 'map: a Map, an array of pairs or an object' : 'map: a Map or an array of pairs',
	);
}

/** A primitive that is equal for equal keys of one type. */
export function identityOf(key: Value): unknown {
	if (typeof key !== 'object' || key === null) return Object.is(key, -0) ? '-0' : key;
	if (key instanceof Uint8Array) return toHex(key);
	return JSON.stringify(key, (_, part: unknown) => {
		if (typeof part === 'bigint') return `${part}n`;
		if (typeof part === 'number' && !Number.isFinite(part)) return `#${part}`;
		if (Object.is(part, -0)) return '#-0';
		return part instanceof Uint8Array ? toHex(part) : part;
	});
}
