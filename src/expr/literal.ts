/** From literals as users write them to engine values of a column's type, exact or with the neighbour below. */
import { describeValue } from '../column/invalid-value.ts';
import { isWellFormed } from '../util/well-formed.ts';
import { floorDiv, parseDateText, parseTimestampText, parseTimeText } from '../spec/date-time-text.ts';
import type { DecimalType, Type, Value } from '../spec/types.ts';
import { fromHex, toHex } from '../util/hex.ts';
import type { LiteralInput, TypedLiteral } from './expression.ts';
import { floorToDouble, floorToFloat, nearestFloat, numericOfText, scaled } from './numeric-literal.ts';

/**
 * What a literal is within the values of a type: `value` is the greatest value of the type that is not above the
 * literal, and `exact` says whether it is the literal itself; `above` and `below` lie beyond all values of the type.
 */
export type ConvertedLiteral =
	| { readonly kind: 'value'; readonly value: Value; readonly exact: boolean }
	| { readonly kind: 'above' | 'below' };

const ABOVE: ConvertedLiteral = { kind: 'above' };
const BELOW: ConvertedLiteral = { kind: 'below' };
const INT_MAX = 0x7fffffffn;
const LONG_MAX = 0x7fffffffffffffffn;
const MICROS_PER_DAY = 86_400_000_000n;
const NANOS_PER_DAY = 86_400_000_000_000n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Converts, or gives the reason why the type has no such value, as it reads after "expected". */
export function convertLiteral(type: Type, literal: LiteralInput): ConvertedLiteral | string {
	switch (type.kind) {
		case 'boolean':
			return typeof literal === 'boolean' ? exactly(literal) : 'true or false';
		case 'int':
			return integer(literal, INT_MAX, Number, 'a number');
		case 'long':
			return integer(literal, LONG_MAX, (value) => value, 'a number');
		case 'float':
			return floating(literal, true);
		case 'double':
			return floating(literal, false);
		case 'decimal':
			return decimal(type, literal);
		case 'date':
			return date(literal);
		case 'time':
			return time(literal);
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return timestamp(type.kind, literal);
		case 'string':
			if (typeof literal !== 'string') return 'text';
			return isWellFormed(literal) ? exactly(literal) : 'text without lone surrogates';
		case 'uuid':
			return uuid(literal);
		case 'fixed':
		case 'binary':
			return binary(type.kind === 'fixed' ? type.length : undefined, literal);
		default:
			return 'isNull or notNull, the only predicates on this type';
	}
}

function exactly(value: Value): ConvertedLiteral {
	return { kind: 'value', value, exact: true };
}

function typed(literal: LiteralInput, ...types: TypedLiteral['type'][]): string | undefined {
	if (typeof literal !== 'object' || literal instanceof Date || literal instanceof Uint8Array) return undefined;
	return types.includes(literal.type) ? literal.text : undefined;
}

function within(value: bigint, max: bigint, toValue: (value: bigint) => Value, exact = true): ConvertedLiteral {
	if (value > max) return ABOVE;
	return value < -max - 1n ? BELOW : { kind: 'value', value: toValue(value), exact };
}

function integer(
	literal: LiteralInput,
	max: bigint,
	toValue: (value: bigint) => Value,
	expected: string,
): ConvertedLiteral | string {
	if (typeof literal === 'bigint') return within(literal, max, toValue);
	if (typeof literal === 'number') {
		if (!Number.isFinite(literal)) return literal > 0 ? ABOVE : BELOW;
		const floor = Math.floor(literal);
		return within(BigInt(floor), max, toValue, floor === literal);
	}
	const text = typed(literal, 'decimal');
	if (text === undefined) return expected;
	const number = numericOfText(text);
	if (number === undefined) return expected;
	const { value, exact } = scaled(number, 0);
	return within(value, max, toValue, exact);
}

function floating(literal: LiteralInput, single: boolean): ConvertedLiteral | string {
	if (typeof literal === 'bigint') return floatingValue(single ? floorToFloat(literal) : floorToDouble(literal));
	if (typeof literal === 'number') {
		if (!single || !Number.isFinite(literal)) return exactly(literal);
		// Whole numbers are meant exactly; fractions are decimals that a float column holds as their nearest float.
		return floatingValue(Number.isInteger(literal) ? floorToFloat(literal) : nearestFloat(literal));
	}
	const text = typed(literal, 'decimal');
	const number = text === undefined ? undefined : numericOfText(text);
	if (text === undefined || number === undefined) return 'a number';
	if (number.scale <= 0) {
		const whole = scaled(number, 0).value;
		return floatingValue(single ? floorToFloat(whole) : floorToDouble(whole));
	}
	return floatingValue(single ? nearestFloat(Number(text)) : { value: Number(text), exact: true });
}

function floatingValue({ value, exact }: { value: number; exact: boolean }): ConvertedLiteral {
	return { kind: 'value', value, exact };
}

function decimal(type: DecimalType, literal: LiteralInput): ConvertedLiteral | string {
	if (literal === Number.POSITIVE_INFINITY) return ABOVE;
	if (literal === Number.NEGATIVE_INFINITY) return BELOW;
	const text =
		typeof literal === 'bigint' || typeof literal === 'number' || typeof literal === 'string'
			? String(literal)
			: typed(literal, 'decimal');
	const number = text === undefined ? undefined : numericOfText(text);
	if (number === undefined) return "a number, or a decimal as text such as '1.50'";
	const { value, exact } = scaled(number, type.scale);
	const limit = 10n ** BigInt(type.precision);
	if (value >= limit) return ABOVE;
	return value <= -limit ? BELOW : { kind: 'value', value, exact };
}

function date(literal: LiteralInput): ConvertedLiteral | string {
	const expected = "a date such as '2024-02-29'";
	if (typeof literal === 'bigint') return within(literal, INT_MAX, Number);
	if (typeof literal === 'number')
		return Number.isInteger(literal)
			? within(BigInt(literal), INT_MAX, Number)
			: `${expected}, or whole days since 1970`;
	if (literal instanceof Date) {
		const ms = literal.getTime();
		return Number.isNaN(ms)
			? expected
			: { kind: 'value', value: Math.floor(ms / 86_400_000), exact: ms % 86_400_000 === 0 };
	}
	const instant = typed(literal, 'timestamp');
	if (instant !== undefined) {
		const parsed = parseTimestampText(instant);
		if (typeof parsed === 'string' || parsed.hasOffset) return expected;
		const days = floorDiv(parsed.nanos, NANOS_PER_DAY);
		return within(days, INT_MAX, Number, days * NANOS_PER_DAY === parsed.nanos);
	}
	const text = typeof literal === 'string' ? literal : typed(literal, 'date');
	if (text === undefined) return expected;
	const days = parseDateText(text);
	return typeof days === 'string' ? `${expected} (${days})` : exactly(days);
}

function time(literal: LiteralInput): ConvertedLiteral | string {
	const expected = "a time such as '12:34:56.000001'";
	if (typeof literal === 'bigint') {
		if (literal < 0n) return BELOW;
		return literal >= MICROS_PER_DAY ? ABOVE : exactly(literal);
	}
	const text = typeof literal === 'string' ? literal : typed(literal, 'time');
	if (text === undefined) return `${expected}, or microseconds as a bigint`;
	const micros = parseTimeText(text);
	return typeof micros === 'string' ? `${expected} (${micros})` : exactly(micros);
}

function timestamp(
	kind: 'timestamp' | 'timestamptz' | 'timestamp_ns' | 'timestamptz_ns',
	literal: LiteralInput,
): ConvertedLiteral | string {
	const zoned = kind === 'timestamptz' || kind === 'timestamptz_ns';
	const nano = kind === 'timestamp_ns' || kind === 'timestamptz_ns';
	const example = `2024-02-29T12:34:56${zoned ? 'Z' : ''}`;
	const units = nano ? 'nanoseconds' : 'microseconds';
	if (typeof literal === 'bigint') return within(literal, LONG_MAX, (value) => value);
	if (typeof literal === 'number') return `text such as '${example}', a Date, or ${units} since 1970 as a bigint`;
	if (literal instanceof Date) {
		const ms = literal.getTime();
		if (Number.isNaN(ms)) return 'a valid Date';
		return within(BigInt(ms) * (nano ? 1_000_000n : 1_000n), LONG_MAX, (value) => value);
	}
	const text = typeof literal === 'string' ? literal : typed(literal, 'timestamp', 'date');
	if (text === undefined) return `text such as '${example}'`;
	const days = parseDateText(text);
	if (typeof days === 'number') {
		if (zoned) return `a time and an offset from UTC as well, such as '${text}T00:00:00Z'`;
		return instantOf(BigInt(days) * NANOS_PER_DAY, nano);
	}
	const parsed = parseTimestampText(text);
	if (typeof parsed === 'string') return `text such as '${example}' (${parsed})`;
	if (parsed.hasOffset !== zoned)
		return zoned ? `an offset from UTC as well, such as '${text}Z'` : `no offset from UTC, such as '${example}'`;
	return instantOf(parsed.nanos, nano);
}

function instantOf(nanos: bigint, nano: boolean): ConvertedLiteral {
	if (nano) return within(nanos, LONG_MAX, (value) => value);
	const micros = floorDiv(nanos, 1_000n);
	return within(micros, LONG_MAX, (value) => value, micros * 1_000n === nanos);
}

function uuid(literal: LiteralInput): ConvertedLiteral | string {
	if (literal instanceof Uint8Array) {
		if (literal.length !== 16) return 'a uuid of 16 bytes';
		return exactly(toHex(literal).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
	}
	const text = typeof literal === 'string' ? literal : typed(literal, 'uuid');
	if (text === undefined || !UUID.test(text)) return "a uuid such as 'f79c3e09-677c-4bbd-a479-3f349cb785e7'";
	return exactly(text.toLowerCase());
}

function binary(length: number | undefined, literal: LiteralInput): ConvertedLiteral | string {
	const expected = length === undefined ? 'bytes' : `${length} bytes`;
	let bytes: Uint8Array | undefined;
	if (literal instanceof Uint8Array) bytes = Uint8Array.from(literal);
	else if (typeof literal === 'string') bytes = fromHex(literal);
	if (bytes === undefined) return `${expected} as a Uint8Array or as hexadecimal digits`;
	if (length !== undefined && bytes.length !== length) return `${expected}, not ${bytes.length}`;
	return exactly(bytes);
}

/** A literal in few words, for messages. */
export function describeLiteral(literal: unknown): string {
	if (typeof literal === 'object' && literal !== null && 'type' in literal && 'text' in literal) {
		const { type, text } = literal as TypedLiteral;
		return type === 'decimal' ? String(text) : `${String(type)} '${String(text)}'`;
	}
	return describeValue(literal);
}
