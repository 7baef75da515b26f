/**
 * Transforms over whole columns: each row gets a small number, equal for rows whose transformed values are equal. The
 * numbers stay the same from batch to batch, and each stands for one partition value.
 */
import { identityOf } from '../column/coerce.ts';
import type { BytesVector, Vector } from '../column/vector.ts';
import { decodeUtf8, getValue, isNullAt } from '../column/vector-values.ts';
import type { Transform } from '../spec/partition-spec.ts';
import { bindTransform } from '../spec/transform.ts';
import type { Type, Value } from '../spec/types.ts';
import { murmur3Bytes, murmur3Words } from '../util/murmur3.ts';

export interface TransformCoder {
	/** Writes the code of each row to `codes`. Code 0 is null. */
	encode(vector: Vector, codes: Int32Array): void;
	/** The value that a code stands for. */
	valueOf(code: number): Value;
}

/** Reads a number off each row of a vector. */
type NumberReader = (vector: Vector) => (i: number) => number;
/** Where the part of an element's bytes [from, to) ends that is the transformed value. */
type PartEnd = (bytes: Uint8Array, from: number, to: number) => number;

const MICROS_PER_HOUR = 3_600_000_000;
const MICROS_PER_DAY = 24 * MICROS_PER_HOUR;

/** The quickest coder for a transform of a type. @throws `INVALID_SCHEMA`, `UNSUPPORTED` as `bindTransform` */
export function transformCoder(transform: Transform, type: Type): TransformCoder {
	const apply = bindTransform(transform, type);
	const generic = new ValueCoder(apply);
	switch (transform.kind) {
		case 'void':
			return { encode: (_, codes) => codes.fill(0), valueOf: () => null };
		case 'identity':
			if (isInt(type)) return new NumberCoder(int32Reader, asIs);
			return isBytes(type) ? new BytesCoder(type, asIs, (_, __, to) => to) : generic;
		case 'bucket':
			return bucketCoder(type, transform.buckets) ?? generic;
		case 'truncate': {
			const { width } = transform;
			if (type.kind === 'int') return new NumberCoder(int32Reader, apply);
			if (type.kind === 'string')
				return new BytesCoder(type, apply, (bytes, from, to) => prefixEnd(bytes, from, to, width));
			if (type.kind === 'binary') return new BytesCoder(type, apply, (_, from, to) => Math.min(to, from + width));
			return generic;
		}
		default:
			if (type.kind === 'date') return new NumberCoder(int32Reader, apply);
			if (type.kind !== 'timestamp' && type.kind !== 'timestamptz') return generic;
			// days and hours from microseconds by arithmetic; years and months are then those of the day
			return transform.kind === 'hour'
				? new NumberCoder(quotientReader(MICROS_PER_HOUR), asIs)
				: new NumberCoder(quotientReader(MICROS_PER_DAY), bindTransform(transform, { kind: 'date' }));
	}
}

function bucketCoder(type: Type, buckets: number): TransformCoder | undefined {
	const bucket = (hash: number): number => (hash & 0x7fffffff) % buckets;
	if (isInt(type)) {
		return new NumberCoder((vector) => {
			const valueAt = int32Reader(vector);
			return (i) => {
				const value = valueAt(i);
				return bucket(murmur3Words(value, value >> 31));
			};
		}, asIs);
	}
	if (['long', 'time', 'timestamp', 'timestamptz'].includes(type.kind)) {
		return new NumberCoder((vector) => {
			const words = wordsOf(vector);
			return (i) => bucket(murmur3Words(words[2 * i] as number, words[2 * i + 1] as number));
		}, asIs);
	}
	if (!isBytes(type)) return undefined;
	return new NumberCoder((vector) => {
		if (vector.layout === 'dictionary') {
			const { indices, dictionary } = vector;
			const { offsets, values, length } = dictionary;
			const entries = Int32Array.from({ length }, (_, k) =>
				bucket(murmur3Bytes(values, offsets[k] as number, offsets[k + 1] as number)),
			);
			return (i) => entries[indices[i] as number] as number;
		}
		const { offsets, values } = vector as BytesVector;
		return (i) => bucket(murmur3Bytes(values, offsets[i] as number, offsets[i + 1] as number));
	}, asIs);
}

function isInt({ kind }: Type): boolean {
	return kind === 'int' || kind === 'date';
}
function isBytes({ kind }: Type): boolean {
	return kind === 'string' || kind === 'binary';
}
function asIs(value: Value): Value {
	return value;
}

function int32Reader(vector: Vector): (i: number) => number {
	const values = (vector as { values: Int32Array }).values;
	return (i) => values[i] as number;
}

/** 64-bit values as 32-bit halves, low one first. */
function wordsOf(vector: Vector): Int32Array {
	const { buffer, byteOffset, length } = (vector as { values: BigInt64Array }).values;
	return new Int32Array(buffer, byteOffset, 2 * length);
}

const SAFE_HIGH_WORD = 1 << 20;

/** 64-bit values divided by `divisor`, rounded down, exactly. */
function quotientReader(divisor: number): NumberReader {
	const wide = BigInt(divisor);
	return (vector) => {
		const words = wordsOf(vector);
		const { values } = vector as { values: BigInt64Array };
		return (i) => {
			const high = words[2 * i + 1] as number;
			if (high >= SAFE_HIGH_WORD || high < -SAFE_HIGH_WORD) {
				const value = values[i] as bigint;
				const quotient = value / wide;
				return Number(value < 0n && quotient * wide !== value ? quotient - 1n : quotient);
			}
			const value = high * 0x1_0000_0000 + ((words[2 * i] as number) >>> 0);
			// the division may round up to a whole number; the remainder tells
			const quotient = Math.floor(value / divisor);
			const rest = value - quotient * divisor;
			return rest < 0 ? quotient - 1 : rest >= divisor ? quotient + 1 : quotient;
		};
	};
}

/** Where the first `width` code points of UTF-8 end. */
function prefixEnd(bytes: Uint8Array, from: number, to: number, width: number): number {
	let points = 0;
	for (let i = from; i < to; i++) {
		if (((bytes[i] as number) & 0xc0) === 0x80) continue;
		if (points === width) return i;
		points++;
	}
	return to;
}

/** Transformed values and their codes. */
class Codes {
	readonly #codes = new Map<unknown, number>();
	readonly #values: Value[] = [null];

	codeOf(value: Value): number {
		if (value === null) return 0;
		const identity = identityOf(value);
		const known = this.#codes.get(identity);
		if (known !== undefined) return known;
		const code = this.#values.push(value) - 1;
		this.#codes.set(identity, code);
		return code;
	}

	valueOf(code: number): Value {
		return this.#values[code] as Value;
	}
}

/** Most distinct numbers that are remembered: what is read off the rows may have many more values than the transform. */
const REMEMBERED_NUMBERS_LIMIT = 100_000;

class NumberCoder implements TransformCoder {
	readonly #read: NumberReader;
	readonly #toValue: (value: number) => Value;
	#codes = new Map<number, number>();
	readonly #values = new Codes();

	constructor(read: NumberReader, toValue: (value: number) => Value) {
		this.#read = read;
		this.#toValue = toValue;
	}

	encode(vector: Vector, codes: Int32Array): void {
		if (vector.layout === 'null') {
			codes.fill(0);
			return;
		}
		const numberAt = this.#read(vector);
		const nullable = vector.nullCount > 0;
		let last = Number.NaN;
		let lastCode = 0;
		for (let i = 0; i < vector.length; i++) {
			if (nullable && isNullAt(vector, i)) {
				codes[i] = 0;
				continue;
			}
			const number = numberAt(i);
			if (number !== last) {
				last = number;
				lastCode = this.#codes.get(number) ?? this.#add(number);
			}
			codes[i] = lastCode;
		}
	}

	#add(number: number): number {
		if (this.#codes.size >= REMEMBERED_NUMBERS_LIMIT) this.#codes = new Map();
		const value = this.#toValue(number);
		const code = this.#values.codeOf(value);
		this.#codes.set(number, code);
		return code;
	}

	valueOf(code: number): Value {
		return this.#values.valueOf(code);
	}
}

class BytesCoder implements TransformCoder {
	readonly #isText: boolean;
	readonly #toValue: (value: Value) => Value;
	readonly #partEnd: PartEnd;
	readonly #codes = new Map<string, number>();
	readonly #values = new Codes();
	#dictionary: BytesVector | undefined;
	#entryCodes = new Int32Array(0);

	constructor(type: Type, toValue: (value: Value) => Value, partEnd: PartEnd) {
		this.#isText = type.kind === 'string';
		this.#toValue = toValue;
		this.#partEnd = partEnd;
	}

	encode(vector: Vector, codes: Int32Array): void {
		if (vector.layout === 'bytes') this.#encodeBytes(vector, codes);
		else if (vector.layout === 'dictionary') {
			const entries = this.#entries(vector.dictionary);
			for (let i = 0; i < vector.length; i++)
				codes[i] = isNullAt(vector, i) ? 0 : (entries[vector.indices[i] as number] as number);
		} else codes.fill(0);
	}

	/** Codes of a dictionary's entries; consecutive batches often share one. */
	#entries(dictionary: BytesVector): Int32Array {
		if (dictionary !== this.#dictionary) {
			this.#entryCodes = new Int32Array(dictionary.length);
			this.#encodeBytes(dictionary, this.#entryCodes);
			this.#dictionary = dictionary;
		}
		return this.#entryCodes;
	}

	#encodeBytes(vector: BytesVector, codes: Int32Array): void {
		const { offsets, values, length } = vector;
		const buffer = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
		let lastFrom = 0;
		let lastTo = -1;
		let lastCode = 0;
		for (let i = 0; i < length; i++) {
			if (isNullAt(vector, i)) {
				codes[i] = 0;
				continue;
			}
			const from = offsets[i] as number;
			const to = this.#partEnd(values, from, offsets[i + 1] as number);
			if (to - from !== lastTo - lastFrom || buffer.compare(buffer, lastFrom, lastTo, from, to) !== 0) {
				// every byte string has a text of its own in Latin-1
				const key = buffer.toString('latin1', from, to);
				lastCode = this.#codes.get(key) ?? this.#add(key, values.subarray(from, to));
				lastFrom = from;
				lastTo = to;
			}
			codes[i] = lastCode;
		}
	}

	#add(key: string, bytes: Uint8Array): number {
		const value = this.#toValue(this.#isText ? decodeUtf8(bytes) : bytes.slice());
		const code = this.#values.codeOf(value);
		this.#codes.set(key, code);
		return code;
	}

	valueOf(code: number): Value {
		return this.#values.valueOf(code);
	}
}

/** Any transform of any type, value by value. */
class ValueCoder implements TransformCoder {
	readonly #apply: (value: Value) => Value;
	readonly #values = new Codes();

	constructor(apply: (value: Value) => Value) {
		this.#apply = apply;
	}

	encode(vector: Vector, codes: Int32Array): void {
		for (let i = 0; i < vector.length; i++) codes[i] = this.#values.codeOf(owned(this.#apply(getValue(vector, i))));
	}

	valueOf(code: number): Value {
		return this.#values.valueOf(code);
	}
}

/** A value that does not change when the vector it came from is reused. */
function owned(value: Value): Value {
	return value instanceof Uint8Array ? value.slice() : value;
}
