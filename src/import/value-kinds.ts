/** What text and numbers look like: the evidence from which a column's type is inferred. */
import { parseCommonTimestamp } from '../column/timestamp-fast.ts';
import { parseDateText, parseTimestampText } from '../spec/date-time-text.ts';
import type { Type } from '../spec/types.ts';
import { plainDate, plainTimestamp, smallDecimal, smallInteger } from './cell-numbers.ts';

/** Kinds of values seen in one column, as a set of bits. */
export const KIND = {
	boolean: 1,
	/** an integer that a long and a double both hold */
	integer: 2,
	/** an integer that a long holds, but no double */
	bigInteger: 4,
	/** a number that a double holds, to all the digits that it was written with */
	double: 8,
	date: 16,
	timestamp: 32,
	timestamptz: 64,
	/** any other text, and numbers that nothing above holds */
	text: 128,
	struct: 256,
	list: 512,
} as const;

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const LEADING_ZERO = /^[+-]?0\d/;

/** A timestamp with seconds is no shorter, and a date no longer. */
const COMMON_TIMESTAMP_CHARACTERS = 19;

/** Longest text that is looked at as a number or a date. */
const CLASSIFIED_LIMIT = 64;

/** The type that holds all of the kinds, or undefined where struct or list are among them or nothing was seen. */
export function typeOfKinds(kinds: number): Type | undefined {
	if (kinds === 0) return undefined;
	if (kinds === KIND.boolean) return { kind: 'boolean' };
	if ((kinds & ~(KIND.integer | KIND.bigInteger)) === 0) return { kind: 'long' };
	if ((kinds & ~(KIND.integer | KIND.double)) === 0) return { kind: 'double' };
	if (kinds === KIND.date) return { kind: 'date' };
	if (kinds === KIND.timestamp) return { kind: 'timestamp' };
	if (kinds === KIND.timestamptz) return { kind: 'timestamptz' };
	if ((kinds & (KIND.struct | KIND.list)) !== 0 && (kinds === KIND.struct || kinds === KIND.list)) return undefined;
	return { kind: 'string' };
}

/** The kind of an integer. */
export function kindOfInteger(value: bigint): number {
	if (value < LONG_MIN || value > LONG_MAX) return BigInt(Number(value)) === value ? KIND.double : KIND.text;
	return BigInt(Number(value)) === value ? KIND.integer : KIND.bigInteger;
}

/** The kind of a number with a fraction or an exponent, as it was written. */
export function kindOfDecimalText(text: string): number {
	return keepsDigits(text) ? KIND.double : KIND.text;
}

/**
 * Whether the nearest double, written with as many digits, gives the same digits again: then nothing is lost by keeping
 * the number as a double. Infinite results lose everything.
 */
export function keepsDigits(text: string): boolean {
	const value = Number(text);
	if (!Number.isFinite(value)) return false;
	const digits = significantDigits(text);
	if (digits.length <= 15) return digits.length > 0 ? value !== 0 : true;
	if (digits.length > 100) return false;
	const shown = value.toPrecision(digits.length);
	return significantDigits(shown) === digits && decimalExponent(shown) === decimalExponent(text);
}

/** Digits from the first that is not 0 to the last that is not 0. */
function significantDigits(text: string): string {
	const digits = (/^[+-]?([\d.]*)/.exec(text)?.[1] ?? '').replace('.', '');
	return digits.replace(/^0+/, '').replace(/0+$/, '');
}

/** The power of ten of the first significant digit. */
function decimalExponent(text: string): number {
	const match = /^[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
	const whole = (match?.[1] ?? '').replace(/^0+/, '');
	const exponent = Number(match?.[3] ?? 0);
	if (whole !== '') return whole.length + exponent;
	const zeros = /^0*/.exec(match?.[2] ?? '')?.[0].length ?? 0;
	return exponent - zeros;
}

/** The kind of a text that is not empty. Digits with a zero in front are text: such are codes, not numbers. */
export function kindOfText(text: string): number {
	if (text.length > CLASSIFIED_LIMIT) return KIND.text;
	if (INTEGER.test(text)) return LEADING_ZERO.test(text) ? KIND.text : kindOfInteger(BigInt(text.replace('+', '')));
	if (DECIMAL.test(text)) return LEADING_ZERO.test(text) ? KIND.text : kindOfDecimalText(text);
	if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return KIND.double;
	if (/^(?:true|false)$/i.test(text)) return KIND.boolean;
	return kindOfDateText(text);
}

/** The kind of a text that may be a date or a timestamp, and is no number. */
export function kindOfDateText(text: string): number {
	if (text.length < 10 || text.length > CLASSIFIED_LIMIT) return KIND.text;
	const code = text.charCodeAt(0);
	if (!(code >= 48 && code <= 57) && code !== 43 && code !== 45) return KIND.text;
	if (text.length >= COMMON_TIMESTAMP_CHARACTERS) {
		if (parseCommonTimestamp(text, true) !== undefined) return KIND.timestamptz;
		if (parseCommonTimestamp(text, false) !== undefined) return KIND.timestamp;
	} else if (typeof parseDateText(text) === 'number') return KIND.date;
	const parsed = parseTimestampText(text);
	// finer than a microsecond fits only the types of format version 3
	if (typeof parsed === 'string' || parsed.nanos % 1000n !== 0n) return KIND.text;
	const micros = parsed.nanos / 1000n;
	if (micros < LONG_MIN || micros > LONG_MAX) return KIND.text;
	return parsed.hasOffset ? KIND.timestamptz : KIND.timestamp;
}

/** First letters of `Infinity`, `NaN`, `true`, `false`, and the latter in capitals. */
const MAY_BE_WORD: ReadonlySet<number> = new Set([73, 78, 84, 70, 116, 102]);
const MINUS = 45;
const POINT = 46;

/** The kind of a cell that is not empty, from its bytes; 0 where {@link kindOfText} must look. */
export function kindOfBytes(bytes: Uint8Array, start: number, end: number): number {
	let first = bytes[start] as number;
	if (first > 57 && !MAY_BE_WORD.has(first)) return KIND.text;
	if (end - start > CLASSIFIED_LIMIT) return KIND.text;
	const digits = first === MINUS ? start + 1 : start;
	first = bytes[digits] as number;
	if (!(first >= 48 && first <= 57) || (first === 48 && end - digits > 1 && bytes[digits + 1] !== POINT)) return 0;
	if (!Number.isNaN(smallInteger(bytes, start, end))) return KIND.integer;
	if (smallDecimal(bytes, start, end) !== undefined) return KIND.double;
	if (plainDate(bytes, start, end) !== undefined) return KIND.date;
	const timestamp = plainTimestamp(bytes, start, end);
	if (timestamp !== undefined) return timestamp.hasOffset ? KIND.timestamptz : KIND.timestamp;
	return 0;
}
