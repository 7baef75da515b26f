/** Arrow numbers, dates and times to vectors; every element that would change is refused. */
import type { Type } from '../spec/types.ts';
import { ARROW, type ArrowNode, type ArrowValues, type ConvertedBase } from './arrow-node.ts';
import { getBit } from './bitmap.ts';
import { INT_MAX, INT_MIN, LONG_MAX, LONG_MIN } from './coerce.ts';
import { ElementRefusal } from './element-refusal.ts';
import type { Vector } from './vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';

const MICROS_PER_DAY = 86_400_000_000n;
const MS_PER_DAY = 86_400_000n;

/** The vector, or `undefined` when the array's type never goes into `type`. */
export function convertNumbers(node: ArrowNode, type: Type, base: ConvertedBase): Vector | undefined {
	switch (type.kind) {
		case 'int':
			if (node.type.id !== ARROW.int) return undefined;
			return int32Vector(node, base, 'int: a whole number of 32 bits, signed');
		case 'date':
			if (node.type.id !== ARROW.date) return undefined;
			return node.type.unit === 0 ? int32Vector(node, base, 'date') : datesOfMs(node, base);
		case 'long':
			if (node.type.id !== ARROW.int) return undefined;
			return int64Vector(node, base, 1n, 1n, 'long: a whole number of 64 bits, signed');
		case 'time':
			if (node.type.id !== ARROW.time) return undefined;
			return timesOfDay(int64Vector(node, base, ...ratio(node.type.unit, 2), 'time: microseconds, exactly'));
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return timestamps(node, type, base);
		case 'float':
		case 'double':
			return floats(node, type.kind, base);
		case 'decimal':
			return decimals(node, type.precision, type.scale, base);
		default:
			return undefined;
	}
}

function valuesOf(node: ArrowNode, perElement = 1): ArrowValues {
	const { values, length } = node;
	if (values === undefined || values.length < length * perElement) {
		if (length === 0) return new Int32Array(0);
		throw new IcebergError('CORRUPT', 'Arrow data: a values buffer that is too short');
	}
	return values;
}

function isValid(base: ConvertedBase, i: number): boolean {
	return base.validity === null || getBit(base.validity, i);
}

function int32Vector(node: ArrowNode, base: ConvertedBase, expected: string): Vector {
	const values = valuesOf(node);
	if (values instanceof Int32Array) return { ...base, layout: 'int32', values };
	const out = new Int32Array(base.length);
	for (let i = 0; i < base.length; i++) {
		if (!isValid(base, i)) continue;
		const value = values[i] as number | bigint;
		if (value < INT_MIN || value > INT_MAX) throw new ElementRefusal(i, value, expected);
		out[i] = Number(value);
	}
	return { ...base, layout: 'int32', values: out };
}

/** Elements times `multiplier` divided by `divisor`, exactly. */
function int64Vector(
	node: ArrowNode,
	base: ConvertedBase,
	multiplier: bigint,
	divisor: bigint,
	expected: string,
): Extract<Vector, { layout: 'int64' }> {
	const values = valuesOf(node);
	const same = multiplier === divisor;
	if (same && values instanceof BigInt64Array) return { ...base, layout: 'int64', values };
	const out = new BigInt64Array(base.length);
	for (let i = 0; i < base.length; i++) {
		if (!isValid(base, i)) continue;
		const value = values[i] as number | bigint;
		const scaled = BigInt(value) * multiplier;
		const result = scaled / divisor;
		if (result * divisor !== scaled || result < LONG_MIN || result > LONG_MAX)
			throw new ElementRefusal(i, value, expected);
		out[i] = result;
	}
	return { ...base, layout: 'int64', values: out };
}

/** Multiplier and divisor from one of Arrow's time units (0 s to 3 ns) to another. */
function ratio(from: number, to: number): [bigint, bigint] {
	return from <= to ? [1000n ** BigInt(to - from), 1n] : [1n, 1000n ** BigInt(from - to)];
}

function datesOfMs(node: ArrowNode, base: ConvertedBase): Vector {
	const days = int64Vector(node, base, 1n, MS_PER_DAY, 'date: whole days');
	const out = new Int32Array(base.length);
	for (let i = 0; i < base.length; i++) {
		const value = days.values[i] as bigint;
		if (!isValid(base, i)) continue;
		if (value < INT_MIN || value > INT_MAX) throw new ElementRefusal(i, value, 'date: days of 32 bits');
		out[i] = Number(value);
	}
	return { ...base, layout: 'int32', values: out };
}

function timesOfDay(vector: Extract<Vector, { layout: 'int64' }>): Vector {
	for (let i = 0; i < vector.length; i++) {
		const value = vector.values[i] as bigint;
		if ((value < 0n || value >= MICROS_PER_DAY) && isValid(vector, i))
			throw new ElementRefusal(i, value, 'time: microseconds within a day');
	}
	return vector;
}

function timestamps(node: ArrowNode, type: Type, base: ConvertedBase): Vector | undefined {
	if (node.type.id !== ARROW.timestamp) return undefined;
	const withZone = type.kind === 'timestamptz' || type.kind === 'timestamptz_ns';
	// a time on a wall clock and a point in time are different things: neither is made of the other
	if (withZone !== (node.type.timezone !== '')) return undefined;
	const nanos = type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns';
	const [multiplier, divisor] = ratio(node.type.unit, nanos ? 3 : 2);
	const expected = `${type.kind}: ${nanos ? 'nano' : 'micro'}seconds of 64 bits, exactly`;
	return int64Vector(node, base, multiplier, divisor, expected);
}

const HALF = 0;

function floats(node: ArrowNode, kind: 'float' | 'double', base: ConvertedBase): Vector | undefined {
	const { id, precision } = node.type;
	if (id !== ARROW.float && id !== ARROW.int) return undefined;
	const values = valuesOf(node);
	const half = id === ARROW.float && precision === HALF;
	if (!half && kind === 'double' && values instanceof Float64Array) return { ...base, layout: 'float64', values };
	if (!half && kind === 'float' && values instanceof Float32Array) return { ...base, layout: 'float32', values };
	const out = kind === 'double' ? new Float64Array(base.length) : new Float32Array(base.length);
	for (let i = 0; i < base.length; i++) {
		if (!isValid(base, i)) continue;
		const value = half ? halfValue(values[i] as number) : (values[i] as number | bigint);
		out[i] = Number(value);
		const kept = out[i] as number;
		const exact = typeof value === 'bigint' ? Number.isFinite(kept) && BigInt(kept) === value : Object.is(kept, value);
		if (!exact) throw new ElementRefusal(i, value, `${kind}: a number that it holds exactly`);
	}
	return kind === 'double'
		? { ...base, layout: 'float64', values: out as Float64Array }
		: { ...base, layout: 'float32', values: out as Float32Array };
}

/** IEEE 754 binary16. */
function halfValue(bits: number): number {
	const sign = (bits & 0x8000) === 0 ? 1 : -1;
	const exponent = (bits >> 10) & 0x1f;
	const fraction = bits & 0x3ff;
	if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
	if (exponent === 0) return sign * fraction * 2 ** -24;
	return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function decimals(node: ArrowNode, precision: number, scale: number, base: ConvertedBase): Vector | undefined {
	const { id } = node.type;
	if (id !== ARROW.decimal && id !== ARROW.int) return undefined;
	const fromScale = id === ARROW.decimal ? node.type.scale : 0;
	const read = id === ARROW.decimal ? wideIntegers(node) : integers(node);
	const limit = 10n ** BigInt(precision);
	const multiplier = 10n ** BigInt(Math.max(0, scale - fromScale));
	const divisor = 10n ** BigInt(Math.max(0, fromScale - scale));
	const out = new BigInt64Array(2 * base.length);
	for (let i = 0; i < base.length; i++) {
		if (!isValid(base, i)) continue;
		const unscaled = read(i);
		const scaled = unscaled * multiplier;
		const value = scaled / divisor;
		if (value * divisor !== scaled || value >= limit || value <= -limit)
			throw new ElementRefusal(i, `${unscaled}e${-fromScale}`, `decimal(${precision}, ${scale}), exactly`);
		out[2 * i] = value;
		out[2 * i + 1] = value >> 64n;
	}
	return { ...base, layout: 'decimal128', values: out };
}

function integers(node: ArrowNode): (i: number) => bigint {
	const values = valuesOf(node);
	return (i) => BigInt(values[i] as number | bigint);
}

/** Little-endian two's complement of 32, 64, 128 or 256 bits, whatever kind of array the library gives. */
function wideIntegers(node: ArrowNode): (i: number) => bigint {
	const width = (node.type.bitWidth === 0 ? 128 : node.type.bitWidth) / 8;
	const { values, length } = node;
	if (![4, 8, 16, 32].includes(width) || (length > 0 && (values === undefined || values.byteLength < width * length)))
		throw new IcebergError('CORRUPT', 'Arrow data: a decimal buffer that is too short');
	if (values === undefined) return () => 0n;
	const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
	if (width === 4) return (i) => BigInt(view.getInt32(4 * i, true));
	return (i) => {
		let value = view.getBigInt64(width * i + width - 8, true);
		for (let at = width - 16; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(width * i + at, true);
		return value;
	};
}
