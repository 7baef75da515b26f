/** Numbers written in decimal, and the greatest value of a narrower type that is not above them. */

/** The number `unscaled` × 10^-`scale`, exactly. */
export interface ExactNumber {
	readonly unscaled: bigint;
	readonly scale: number;
}
/** The greatest value of a type that is not above a number; `exact` when it is the number itself. */
export interface Floor<T> {
	readonly value: T;
	readonly exact: boolean;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
/** Longest text of a number. */
export const MAX_NUMBER_LENGTH = 1_100;
/** Greatest exponent, of either sign: wider than a double's. */
const MAX_EXPONENT = 400;
const FLOAT_MAX = 3.4028234663852886e38;
const FLOAT_MIN_SUBNORMAL = 2 ** -149;

/** Reads a number exactly; `undefined` for text that is none, or is too long. */
export function numericOfText(text: string): ExactNumber | undefined {
	if (typeof text !== 'string' || text.length > MAX_NUMBER_LENGTH) return undefined;
	const match = NUMBER.exec(text);
	if (match === null) return undefined;
	const whole = match[2] as string;
	const fraction = match[3] ?? '';
	const exponent = Number(match[4] ?? 0);
	if (whole === '' && fraction === '') return undefined;
	if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
	const digits = BigInt(whole + fraction);
	let unscaled = match[1] === '-' ? -digits : digits;
	let scale = fraction.length - exponent;
	if (scale < 0) {
		unscaled *= 10n ** BigInt(-scale);
		scale = 0;
	}
	while (scale > 0 && unscaled % 10n === 0n) {
		unscaled /= 10n;
		scale--;
	}
	return { unscaled, scale };
}

/** The number as an unscaled value of another scale, rounded down. */
export function scaled(number: ExactNumber, scale: number): Floor<bigint> {
	if (number.scale <= scale) return { value: number.unscaled * 10n ** BigInt(scale - number.scale), exact: true };
	const divisor = 10n ** BigInt(number.scale - scale);
	const quotient = number.unscaled / divisor;
	const exact = quotient * divisor === number.unscaled;
	return { value: exact || number.unscaled >= 0n ? quotient : quotient - 1n, exact };
}

export function floorToDouble(whole: bigint): Floor<number> {
	const near = Number(whole);
	if (near === Number.POSITIVE_INFINITY) return { value: Number.MAX_VALUE, exact: false };
	if (near === Number.NEGATIVE_INFINITY) return { value: near, exact: false };
	const back = BigInt(near);
	if (back === whole) return { value: near, exact: true };
	return { value: back < whole ? near : nextDoubleBelow(near), exact: false };
}

/** @param whole a whole number, finite */
export function floorToFloat(whole: bigint | number): Floor<number> {
	const exactly = typeof whole === 'bigint' ? whole : BigInt(whole);
	const near = Math.fround(Number(whole));
	if (near === Number.POSITIVE_INFINITY) return { value: FLOAT_MAX, exact: false };
	if (near === Number.NEGATIVE_INFINITY) return { value: near, exact: false };
	const back = BigInt(near);
	// A number keeps the sign of its zero.
	if (back === exactly) return { value: whole === 0 ? (whole as number) : near, exact: true };
	return { value: back < exactly ? near : nextFloatBelow(near), exact: false };
}

/** The float next to a fraction. A fraction that would become zero, or more than all floats, is kept between its neighbours. */
export function nearestFloat(fraction: number): Floor<number> {
	const near = Math.fround(fraction);
	if (near === 0 && fraction !== 0) return { value: fraction > 0 ? 0 : -FLOAT_MIN_SUBNORMAL, exact: false };
	if (near === Number.POSITIVE_INFINITY && fraction !== near) return { value: FLOAT_MAX, exact: false };
	return { value: near, exact: near !== Number.NEGATIVE_INFINITY || fraction === near };
}

const bits = new DataView(new ArrayBuffer(8));

function nextDoubleBelow(value: number): number {
	bits.setFloat64(0, value);
	bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? -1n : 1n));
	return bits.getFloat64(0);
}

function nextFloatBelow(value: number): number {
	bits.setFloat32(0, value);
	bits.setInt32(0, bits.getInt32(0) + (value > 0 ? -1 : 1));
	return bits.getFloat32(0);
}
