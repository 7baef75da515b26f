/** Dates and times in their units, as 64-bit words in pairs (low word first). Exact or refused. */
import { IcebergError } from '../../errors/iceberg-error.ts';

const TWO_32 = 4294967296;
const MICROS_PER_DAY = 86_400_000_000n;
const NANOS_PER_DAY = 86_400_000_000_000n;
/** Julian day number of 1970-01-01 */
const EPOCH_JULIAN_DAY = 2_440_588;
/** Days around 1970 whose microseconds are exact in a double. */
const SAFE_DAYS = 100_000;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Multiplies `count` values in place. @throws `UNSUPPORTED` for a value that leaves 64 bits */
export function scaleUp(words: Int32Array, count: number, factor: number): void {
	const safe = Number.MAX_SAFE_INTEGER / factor;
	for (let i = 0; i < count; i++) {
		const value = (words[2 * i + 1] as number) * TWO_32 + ((words[2 * i] as number) >>> 0);
		if (value <= safe && value >= -safe) putNumber(words, i, value * factor);
		else putBig(words, i, bigAt(words, i) * BigInt(factor), bigAt(words, i));
	}
}

/** Divides `count` values in place. @throws `UNSUPPORTED` for a value that is no multiple of `divisor` */
export function scaleDown(words: Int32Array, count: number, divisor: number): void {
	for (let i = 0; i < count; i++) {
		const high = words[2 * i + 1] as number;
		const low = (words[2 * i] as number) >>> 0;
		const highQuotient = Math.floor(high / divisor);
		const rest = (high - highQuotient * divisor) * TWO_32 + low;
		const lowQuotient = rest / divisor;
		if (!Number.isInteger(lowQuotient)) {
			const value = bigAt(words, i);
			throw new IcebergError(
				'UNSUPPORTED',
				`the time ${value} in nanoseconds cannot be read into microseconds without loss`,
				{ context: { value } },
			);
		}
		words[2 * i] = lowQuotient | 0;
		words[2 * i + 1] = highQuotient;
	}
}

/** Days since 1970 to micro- or nanoseconds. @throws `UNSUPPORTED` for a day outside of 64 bits */
export function dateToTicks(days: Int32Array, count: number, toNanos: boolean): Int32Array {
	const out = new Int32Array(count * 2);
	for (let i = 0; i < count; i++) {
		const day = days[i] as number;
		if (!toNanos && day <= SAFE_DAYS && day >= -SAFE_DAYS) putNumber(out, i, day * 86_400_000_000);
		else putBig(out, i, BigInt(day) * (toNanos ? NANOS_PER_DAY : MICROS_PER_DAY), day);
	}
	return out;
}

/**
 * INT96: nanoseconds of the day (8 bytes), then the Julian day (4 bytes). To microseconds, nanoseconds are cut off as
 * all readers do. `words`: three a value.
 * @throws `UNSUPPORTED` for a time outside of 64 bits
 */
export function int96ToTicks(
	words: Int32Array,
	count: number,
	validity: Uint8Array | undefined,
	toNanos: boolean,
): Int32Array {
	const out = new Int32Array(count * 2);
	for (let i = 0; i < count; i++) {
		if (validity !== undefined && (((validity[i >>> 3] as number) >>> (i & 7)) & 1) === 0) continue;
		const low = (words[3 * i] as number) >>> 0;
		const high = words[3 * i + 1] as number;
		const julianDay = words[3 * i + 2] as number;
		const day = julianDay - EPOCH_JULIAN_DAY;
		const nanos = high * TWO_32 + low;
		if (!toNanos && Math.abs(day) <= SAFE_DAYS && Math.abs(high) < 0x100000) {
			putNumber(out, i, day * 86_400_000_000 + Math.floor(nanos / 1000));
			continue;
		}
		const exact = BigInt(high) * BigInt(TWO_32) + BigInt(low);
		const ticks = toNanos
			? BigInt(day) * NANOS_PER_DAY + exact
			: BigInt(day) * MICROS_PER_DAY + floorDivide(exact, 1000n);
		putBig(out, i, ticks, `Julian day ${julianDay}`);
	}
	return out;
}

function putNumber(words: Int32Array, i: number, value: number): void {
	const high = Math.floor(value / TWO_32);
	words[2 * i] = (value - high * TWO_32) | 0;
	words[2 * i + 1] = high;
}

function putBig(words: Int32Array, i: number, value: bigint, from: bigint | number | string): void {
	if (value < INT64_MIN || value > INT64_MAX) {
		throw new IcebergError('UNSUPPORTED', `the time ${from} is outside of what the column's type can hold`, {
			context: { value: from },
		});
	}
	words[2 * i] = Number(BigInt.asIntN(32, value));
	words[2 * i + 1] = Number(value >> 32n);
}

function bigAt(words: Int32Array, i: number): bigint {
	return (BigInt(words[2 * i + 1] as number) << 32n) | BigInt((words[2 * i] as number) >>> 0);
}

function floorDivide(value: bigint, divisor: bigint): bigint {
	const quotient = value / divisor;
	return value % divisor < 0n ? quotient - 1n : quotient;
}
