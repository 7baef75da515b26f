/** Dates and times as text (ISO 8601, proleptic Gregorian calendar), exact to the nanosecond. */

const MICROS_PER_DAY = 86_400_000_000;

/** Days from 1970-01-01 of a calendar day; `month` 1 to 12. Any integer year. */
export function daysFromCivil(year: number, month: number, day: number): number {
	const shifted = month <= 2 ? year - 1 : year;
	const era = Math.floor(shifted / 400);
	const yearOfEra = shifted - era * 400;
	const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
	const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
	return era * 146_097 + dayOfEra - 719_468;
}

/** The calendar day of a number of days from 1970-01-01; `month` 1 to 12. */
export function civilFromDays(days: number): { readonly year: number; readonly month: number; readonly day: number } {
	const shifted = days + 719_468;
	const era = Math.floor(shifted / 146_097);
	const dayOfEra = shifted - era * 146_097;
	const yearOfEra = Math.floor(
		(dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
	);
	const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
	const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
	const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
	return {
		year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
		month,
		day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
	};
}

/** `2024-02-29`; years beyond 9999 with a sign, as ISO 8601 wants it. */
export function formatDate(days: number): string {
	const { year, month, day } = civilFromDays(days);
	return `${formatYear(year)}-${pad2(month)}-${pad2(day)}`;
}

/** Four digits at least; `+` in front beyond 9999, `-` before the year 0. */
export function formatYear(year: number): string {
	const digits = String(Math.abs(year)).padStart(4, '0');
	return year < 0 ? `-${digits}` : year > 9_999 ? `+${digits}` : digits;
}

/** `12:34:56.000001`, always six digits, from microseconds after midnight. */
export function formatTimeMicros(micros: bigint): string {
	return formatDayMicros(Number(micros));
}

/** `2024-02-29T12:34:56.000001`, always six digits, from microseconds after 1970-01-01. */
export function formatTimestampMicros(micros: bigint): string {
	const { days, rest } = splitDays(micros);
	return `${formatDate(days)}T${formatDayMicros(rest)}`;
}

/** `2024-02-29T12:34:56.000000001`, always nine digits, from nanoseconds after 1970-01-01. */
export function formatTimestampNanos(nanos: bigint): string {
	const micros = floorDiv(nanos, 1_000n);
	return formatTimestampMicros(micros) + String(nanos - micros * 1_000n).padStart(3, '0');
}

/** Quotient rounded down, also for negative dividends. `divisor` must be positive. */
export function floorDiv(dividend: bigint, divisor: bigint): bigint {
	const quotient = dividend / divisor;
	return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}

/** Whole days after 1970-01-01, rounded down, of microseconds. */
export function daysFromMicros(micros: bigint): number {
	return splitDays(micros).days;
}

/** Days of a date text, or the reason why it is none. Takes `YYYY-MM-DD`, years beyond 9999 with a sign. */
export function parseDateText(text: string): number | string {
	const match = DATE.exec(text);
	if (match === null) return "expected a date such as '2024-02-29'";
	const days = daysOf(match[1] as string, match[2] as string, match[3] as string);
	if (typeof days === 'number' && (days < -0x80000000 || days > 0x7fffffff)) return 'beyond the range of a date';
	return days;
}

/** Microseconds after midnight of a time text, or the reason why it is none. */
export function parseTimeText(text: string): bigint | string {
	const match = TIME.exec(text);
	if (match === null) return "expected a time such as '12:34:56.000001'";
	const nanos = nanosOfDay(match[1] as string, match[2] as string, match[3], match[4]);
	if (typeof nanos === 'string') return nanos;
	return nanos % 1_000n === 0n ? nanos / 1_000n : 'finer than a microsecond';
}

/** What a timestamp text says. */
export interface TimestampText {
	/** nanoseconds after 1970-01-01: of UTC where there is an offset, of the wall clock where there is none */
	readonly nanos: bigint;
	readonly hasOffset: boolean;
}

/**
 * Reads a timestamp text: `T` or a space between date and time, up to nine digits of a fraction, and `Z` or `±hh[:mm]`
 * or nothing after it. Gives the reason where it is none.
 */
export function parseTimestampText(text: string): TimestampText | string {
	const match = TIMESTAMP.exec(text);
	if (match === null) return "expected a timestamp such as '2024-02-29T12:34:56.000001'";
	const days = daysOf(match[1] as string, match[2] as string, match[3] as string);
	if (typeof days === 'string') return days;
	const nanos = nanosOfDay(match[4] as string, match[5] as string, match[6], match[7]);
	if (typeof nanos === 'string') return nanos;
	const total = BigInt(days) * 86_400_000_000_000n + nanos;
	const zone = match[8];
	if (zone === undefined) return { nanos: total, hasOffset: false };
	if (zone === 'Z' || zone === 'z') return { nanos: total, hasOffset: true };
	const hours = Number(zone.slice(1, 3));
	const minutes = zone.length > 3 ? Number(zone.slice(-2)) : 0;
	if (hours > 18 || minutes > 59) return 'no such offset from UTC';
	const offset = BigInt(hours * 60 + minutes) * 60_000_000_000n;
	return { nanos: zone.startsWith('-') ? total + offset : total - offset, hasOffset: true };
}

const DATE_PATTERN = '([+-]\\d{4,9}|\\d{4})-(\\d\\d)-(\\d\\d)';
const TIME_PATTERN = '(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.(\\d{1,9}))?)?';
const DATE = new RegExp(`^${DATE_PATTERN}$`);
const TIME = new RegExp(`^${TIME_PATTERN}$`);
const TIMESTAMP = new RegExp(`^${DATE_PATTERN}[Tt ]${TIME_PATTERN} ?([Zz]|[+-]\\d\\d(?::?\\d\\d)?)?$`);

function daysOf(yearText: string, monthText: string, dayText: string): number | string {
	const year = Number(yearText);
	const month = Number(monthText);
	const day = Number(dayText);
	if (month < 1 || month > 12 || day < 1) return 'no such day';
	const days = daysFromCivil(year, month, day);
	const back = civilFromDays(days);
	return back.month === month && back.day === day ? days : 'no such day';
}

function nanosOfDay(
	hourText: string,
	minuteText: string,
	secondText: string | undefined,
	fraction: string | undefined,
): bigint | string {
	const hour = Number(hourText);
	const minute = Number(minuteText);
	const second = Number(secondText ?? 0);
	if (hour > 23 || minute > 59 || second > 59) return 'no such time of day';
	return BigInt(hour * 3_600 + minute * 60 + second) * 1_000_000_000n + BigInt((fraction ?? '').padEnd(9, '0'));
}

function splitDays(micros: bigint): { days: number; rest: number } {
	const approximate = Number(micros);
	if (!Number.isSafeInteger(approximate)) {
		const days = floorDiv(micros, BigInt(MICROS_PER_DAY));
		return { days: Number(days), rest: Number(micros - days * BigInt(MICROS_PER_DAY)) };
	}
	let days = Math.floor(approximate / MICROS_PER_DAY);
	let rest = approximate - days * MICROS_PER_DAY;
	if (rest < 0) {
		days--;
		rest += MICROS_PER_DAY;
	}
	return { days, rest };
}

function formatDayMicros(micros: number): string {
	const ms = Math.floor(micros / 1_000);
	const seconds = Math.floor(ms / 1_000);
	const fraction = String(micros - seconds * 1_000_000).padStart(6, '0');
	const minutes = Math.floor(seconds / 60);
	return `${pad2(Math.floor(minutes / 60))}:${pad2(minutes % 60)}:${pad2(seconds % 60)}.${fraction}`;
}

function pad2(value: number): string {
	return value < 10 ? `0${value}` : String(value);
}
