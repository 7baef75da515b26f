/** Numbers, dates and timestamps from the bytes of a cell, without making text for the common spellings. */
import { daysFromCivil } from '../spec/date-time-text.ts';

const ZERO = 48;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;
const SPACE = 32;

/** Digits whose value a double surely holds. */
const SAFE_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * An integer of up to 15 digits, or NaN for anything else (more digits, or no integer at all).
 */
export function smallInteger(bytes: Uint8Array, start: number, end: number): number {
	let at = start;
	const first = bytes[at];
	const negative = first === MINUS;
	if (negative || first === PLUS) at++;
	const digits = end - at;
	if (digits < 1 || digits > SAFE_DIGITS) return Number.NaN;
	let value = 0;
	for (; at < end; at++) {
		const digit = (bytes[at] as number) - ZERO;
		if (digit < 0 || digit > 9) return Number.NaN;
		value = value * 10 + digit;
	}
	return negative ? -value : value;
}

/**
 * A decimal number of up to 15 digits without an exponent, as the nearest double; `undefined` for anything else.
 * Exact by the rule that a product or quotient of two doubles without error is rounded once.
 */
export function smallDecimal(bytes: Uint8Array, start: number, end: number): number | undefined {
	let at = start;
	const first = bytes[at];
	const negative = first === MINUS;
	if (negative || first === PLUS) at++;
	let mantissa = 0;
	let digits = 0;
	let point = -1;
	for (; at < end; at++) {
		const byte = bytes[at] as number;
		if (byte === POINT) {
			if (point >= 0) return undefined;
			point = at;
			continue;
		}
		const digit = byte - ZERO;
		if (digit < 0 || digit > 9 || ++digits > SAFE_DIGITS) return undefined;
		mantissa = mantissa * 10 + digit;
	}
	if (digits === 0) return undefined;
	const decimals = point < 0 ? 0 : end - point - 1;
	const value = decimals === 0 ? mantissa : mantissa / (POWERS_OF_TEN[decimals] as number);
	return negative ? -value : value;
}

/** Days from 1970-01-01 of `YYYY-MM-DD`; `undefined` for anything else. */
export function plainDate(bytes: Uint8Array, start: number, end: number): number | undefined {
	if (end - start !== 10 || bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS) return undefined;
	const century = twoDigits(bytes, start);
	const year = twoDigits(bytes, start + 2);
	const month = twoDigits(bytes, start + 5);
	const day = twoDigits(bytes, start + 8);
	if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1) return undefined;
	const fullYear = century * 100 + year;
	if (day > daysInMonth(fullYear, month)) return undefined;
	return daysFromCivil(fullYear, month, day);
}

/** A timestamp, and whether it stood with an offset. */
export interface PlainTimestamp {
	micros: number;
	hasOffset: boolean;
}

const found: PlainTimestamp = { micros: 0, hasOffset: false };

/**
 * Microseconds from 1970-01-01 of `YYYY-MM-DDTHH:MM:SS` (or a space), a fraction of up to six digits, and nothing, `Z` or
 * `±hh:mm` behind it; `undefined` for other spellings and years outside 1700 to 2200. The object is reused.
 */
export function plainTimestamp(bytes: Uint8Array, start: number, end: number): PlainTimestamp | undefined {
	if (end - start < 19) return undefined;
	const separator = bytes[start + 10];
	if ((separator !== 84 && separator !== SPACE) || bytes[start + 13] !== 58 || bytes[start + 16] !== 58)
		return undefined;
	const days = plainDate(bytes, start, start + 10);
	const hour = twoDigits(bytes, start + 11);
	const minute = twoDigits(bytes, start + 14);
	const second = twoDigits(bytes, start + 17);
	if (days === undefined || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return undefined;
	if (days < -98_615 || days > 84_006) return undefined;
	let at = start + 19;
	let fraction = 0;
	if (at < end && bytes[at] === POINT) {
		let digits = 0;
		for (at++; at < end; at++) {
			const digit = (bytes[at] as number) - ZERO;
			if (digit < 0 || digit > 9) break;
			if (++digits > 6) return undefined;
			fraction = fraction * 10 + digit;
		}
		if (digits === 0) return undefined;
		for (; digits < 6; digits++) fraction *= 10;
	}
	let micros = (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000 + fraction;
	found.hasOffset = at < end;
	if (at < end) {
		const sign = bytes[at];
		if (sign === 90) {
			if (at + 1 !== end) return undefined;
		} else {
			if ((sign !== PLUS && sign !== MINUS) || end - at !== 6 || bytes[at + 3] !== 58) return undefined;
			const hours = twoDigits(bytes, at + 1);
			const minutes = twoDigits(bytes, at + 4);
			if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return undefined;
			const offset = (hours * 60 + minutes) * 60_000_000;
			micros += sign === PLUS ? -offset : offset;
		}
	}
	found.micros = micros;
	return found;
}

function twoDigits(bytes: Uint8Array, at: number): number {
	const tens = (bytes[at] as number) - ZERO;
	const ones = (bytes[at + 1] as number) - ZERO;
	return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function daysInMonth(year: number, month: number): number {
	if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
	return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
