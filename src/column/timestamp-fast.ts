import { daysFromCivil } from '../spec/date-time-text.ts';

const ZERO = 48;

/**
 * Microseconds from 1970-01-01 of a timestamp in its most common spelling: `YYYY-MM-DDTHH:MM:SS`, a fraction of up to six
 * digits, and, when `withOffset`, `Z` or `+00:00`. Years 1700 to 2200, so that the result is a safe integer.
 * `undefined` for any other text, which the strict parser then takes or refuses.
 */
export function parseCommonTimestamp(text: string, withOffset: boolean): number | undefined {
	let end = text.length;
	if (withOffset) {
		if (text.charCodeAt(end - 1) === 90) end--;
		else if (text.endsWith('+00:00')) end -= 6;
		else return undefined;
	}
	if (end < 19 || end > 26 || end === 20) return undefined;
	const separator = text.charCodeAt(10);
	if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || (separator !== 84 && separator !== 32))
		return undefined;
	if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return undefined;
	const century = twoDigits(text, 0);
	const month = twoDigits(text, 5);
	const day = twoDigits(text, 8);
	const hour = twoDigits(text, 11);
	const minute = twoDigits(text, 14);
	const second = twoDigits(text, 17);
	const yearOfCentury = twoDigits(text, 2);
	if (century < 17 || century > 21 || yearOfCentury < 0) return undefined;
	// days that only some months have are left to the strict parser
	if (month < 1 || month > 12 || day < 1 || day > 28) return undefined;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined;
	let fraction = 0;
	if (end > 19) {
		if (text.charCodeAt(19) !== 46) return undefined;
		for (let i = 20; i < 26; i++) {
			const digit = i < end ? text.charCodeAt(i) - ZERO : 0;
			if (digit < 0 || digit > 9) return undefined;
			fraction = fraction * 10 + digit;
		}
	}
	const days = daysFromCivil(century * 100 + yearOfCentury, month, day);
	return (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000 + fraction;
}

/** The number of two digits, or something negative. */
function twoDigits(text: string, at: number): number {
	const tens = text.charCodeAt(at) - ZERO;
	const ones = text.charCodeAt(at + 1) - ZERO;
	return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}
