/** Builders of vectors whose elements are all of one width. */
import { uuidToBytes } from '../spec/single-value.ts';
import type { Type, Value } from '../spec/types.ts';
import { bitmapBytes, setBit } from './bitmap.ts';
import { BuilderBase } from './builder-base.ts';
import { type Coercer, coercerOf } from './coerce.ts';
import { parseCommonTimestamp } from './timestamp-fast.ts';
import type { Vector } from './vector.ts';

type ValueArray = Int32Array | BigInt64Array | Float32Array | Float64Array | Uint8Array;

/** A new array of `length` elements that starts with the first `kept` of `old`. */
function grown<A extends ValueArray>(old: A, length: number, kept: number): A {
	const array = new (old.constructor as new (length: number) => A)(length);
	if (kept > 0) array.set(old.subarray(0, kept) as never);
	return array;
}

export class BooleanBuilder extends BuilderBase {
	#values = new Uint8Array(0);
	readonly #coerce: Coercer = coercerOf({ kind: 'boolean' });

	get byteLength(): number {
		return bitmapBytes(this.length);
	}
	protected override grow(capacity: number): void {
		this.#values = grown(this.#values, bitmapBytes(capacity), bitmapBytes(this.length));
	}
	append(input: unknown): void {
		this.appendValue(typeof input === 'boolean' ? input : this.#coerce(input));
	}
	appendValue(value: Value): void {
		this.reserve();
		if (value === true) setBit(this.#values, this.length);
		this.length++;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'boolean', values: this.#values };
	}
}

/** int, date */
export class Int32Builder extends BuilderBase {
	#values = new Int32Array(0);
	readonly #coerce: Coercer;

	constructor(type: Type) {
		super(type);
		this.#coerce = coercerOf(type);
	}
	get byteLength(): number {
		return 4 * this.length;
	}
	protected override grow(capacity: number): void {
		this.#values = grown(this.#values, capacity, this.length);
	}
	append(input: unknown): void {
		this.reserve();
		// a number that is equal to its truncation to 32 bits fits; all else is the coercer's to convert or refuse
		const fits = typeof input === 'number' && (input | 0) === input;
		this.#values[this.length] = fits ? input : (this.#coerce(input) as number);
		this.length++;
	}
	appendValue(value: Value): void {
		this.reserve();
		this.#values[this.length++] = value as number;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'int32', values: this.#values };
	}
}

/** time; the base of the other 64-bit types */
export class Int64Builder extends BuilderBase {
	#values = new BigInt64Array(0);
	/** the same memory as 32-bit halves: to write a number without making a bigint of it */
	#halves = new Int32Array(0);
	protected readonly coerce: Coercer;

	constructor(type: Type) {
		super(type);
		this.coerce = coercerOf(type);
	}
	get byteLength(): number {
		return 8 * this.length;
	}
	protected override grow(capacity: number): void {
		this.#values = grown(this.#values, capacity, this.length);
		this.#halves = new Int32Array(this.#values.buffer);
	}
	append(input: unknown): void {
		this.appendValue(this.coerce(input));
	}
	appendValue(value: Value): void {
		this.reserve();
		this.#values[this.length++] = value as bigint;
	}
	/** `value` must be a safe integer. */
	protected appendSafeInteger(value: number): void {
		this.reserve();
		const at = 2 * this.length;
		this.#halves[at] = value | 0;
		this.#halves[at + 1] = Math.floor(value / 0x1_0000_0000);
		this.length++;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'int64', values: this.#values };
	}
}

export class LongBuilder extends Int64Builder {
	override append(input: unknown): void {
		if (typeof input === 'number' && Number.isSafeInteger(input)) this.appendSafeInteger(input);
		else this.appendValue(this.coerce(input));
	}
}

/** Dates whose microseconds (nanoseconds) since 1970 are a safe integer. */
const SAFE_MS_OF_MICROS = Math.floor(Number.MAX_SAFE_INTEGER / 1_000);
const SAFE_MS_OF_NANOS = Math.floor(Number.MAX_SAFE_INTEGER / 1_000_000);

/** timestamp, timestamptz, timestamp_ns, timestamptz_ns */
export class TimestampBuilder extends Int64Builder {
	readonly #unitsPerMs: number;
	readonly #safeMs: number;
	readonly #microsWithOffset: boolean | undefined;

	constructor(type: Type) {
		super(type);
		const nanos = type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns';
		this.#unitsPerMs = nanos ? 1_000_000 : 1_000;
		this.#safeMs = nanos ? SAFE_MS_OF_NANOS : SAFE_MS_OF_MICROS;
		this.#microsWithOffset = nanos ? undefined : type.kind === 'timestamptz';
	}
	override append(input: unknown): void {
		if (input instanceof Date) {
			const ms = input.getTime();
			if (Math.abs(ms) <= this.#safeMs) return this.appendSafeInteger(ms * this.#unitsPerMs);
		} else if (typeof input === 'string' && this.#microsWithOffset !== undefined) {
			const micros = parseCommonTimestamp(input, this.#microsWithOffset);
			if (micros !== undefined) return this.appendSafeInteger(micros);
		}
		this.appendValue(this.coerce(input));
	}
}

export class FloatBuilder extends BuilderBase {
	#values = new Float32Array(0);
	readonly #coerce: Coercer = coercerOf({ kind: 'float' });

	get byteLength(): number {
		return 4 * this.length;
	}
	protected override grow(capacity: number): void {
		this.#values = grown(this.#values, capacity, this.length);
	}
	append(input: unknown): void {
		this.appendValue(this.#coerce(input));
	}
	appendValue(value: Value): void {
		this.reserve();
		this.#values[this.length++] = value as number;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'float32', values: this.#values };
	}
}

export class DoubleBuilder extends BuilderBase {
	#values = new Float64Array(0);
	readonly #coerce: Coercer = coercerOf({ kind: 'double' });

	get byteLength(): number {
		return 8 * this.length;
	}
	protected override grow(capacity: number): void {
		this.#values = grown(this.#values, capacity, this.length);
	}
	append(input: unknown): void {
		this.reserve();
		this.#values[this.length] = typeof input === 'number' ? input : (this.#coerce(input) as number);
		this.length++;
	}
	appendValue(value: Value): void {
		this.reserve();
		this.#values[this.length++] = value as number;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'float64', values: this.#values };
	}
}

export class DecimalBuilder extends BuilderBase {
	#values = new BigInt64Array(0);
	readonly #coerce: Coercer;

	constructor(type: Type) {
		super(type);
		this.#coerce = coercerOf(type);
	}
	get byteLength(): number {
		return 16 * this.length;
	}
	protected override grow(capacity: number): void {
		this.#values = grown(this.#values, 2 * capacity, 2 * this.length);
	}
	append(input: unknown): void {
		this.appendValue(this.#coerce(input));
	}
	appendValue(value: Value): void {
		this.reserve();
		// a 64-bit array keeps the low 64 bits of what is stored
		this.#values[2 * this.length] = value as bigint;
		this.#values[2 * this.length + 1] = (value as bigint) >> 64n;
		this.length++;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'decimal128', values: this.#values };
	}
}

/** fixed */
export class FixedBuilder extends BuilderBase {
	readonly #width: number;
	#values = new Uint8Array(0);
	protected readonly coerce: Coercer;

	constructor(type: Type, width: number) {
		super(type);
		this.#width = width;
		this.coerce = coercerOf(type);
	}
	get byteLength(): number {
		return this.#width * this.length;
	}
	protected override grow(capacity: number): void {
		this.#values = grown(this.#values, this.#width * capacity, this.#width * this.length);
	}
	append(input: unknown): void {
		this.appendValue(this.coerce(input));
	}
	appendValue(value: Value): void {
		this.appendBytes(value as Uint8Array);
	}
	protected appendBytes(bytes: Uint8Array): void {
		this.reserve();
		this.#values.set(bytes, this.#width * this.length);
		this.length++;
	}
	finish(): Vector {
		return { ...this.finishParts(), layout: 'fixed', width: this.#width, values: this.#values };
	}
}

export class UuidBuilder extends FixedBuilder {
	constructor(type: Type) {
		super(type, 16);
	}
	override appendValue(value: Value): void {
		this.appendBytes(uuidToBytes(value as string));
	}
}

/** unknown: holds nothing but nulls */
export class NullBuilder extends BuilderBase {
	readonly #coerce: Coercer = coercerOf({ kind: 'unknown' });
	readonly byteLength = 0;

	protected override grow(): void {}
	append(input: unknown): void {
		this.#coerce(input);
	}
	appendValue(): void {
		this.appendNull();
	}
	finish(): Vector {
		const { type, length } = this.finishParts();
		return { type, length, nullCount: length, validity: null, layout: 'null' };
	}
}
