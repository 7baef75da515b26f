/** Single values out of vectors, and vectors of one value. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { bytesToUuid } from '../spec/single-value.ts';
import type { Type, Value } from '../spec/types.ts';
import { bitmapBytes, getBit } from './bitmap.ts';
import { builderOf } from './builder.ts';
import { describeValue } from './invalid-value.ts';
import type { BytesVector, Vector } from './vector.ts';
import { take } from './vector-ops.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** True when element `i` is null. */
export function isNullAt(vector: Vector, i: number): boolean {
	return vector.layout === 'null' || (vector.validity !== null && !getBit(vector.validity, i));
}

/**
 * Element `i` as an engine value. Bytes are views of the vector's buffer.
 * @throws `CORRUPT` for text that is not UTF-8
 */
export function getValue(vector: Vector, i: number): Value {
	if (isNullAt(vector, i)) return null;
	switch (vector.layout) {
		case 'boolean':
			return getBit(vector.values, i);
		case 'int32':
			return vector.values[i] as number;
		case 'int64':
			return vector.values[i] as bigint;
		case 'float32':
		case 'float64':
			return vector.values[i] as number;
		case 'decimal128':
			return decimalAt(vector.values, i);
		case 'fixed':
			return vector.type.kind === 'uuid'
				? bytesToUuid(vector.values, i * 16)
				: vector.values.subarray(i * vector.width, (i + 1) * vector.width);
		case 'bytes':
			return bytesValue(vector, i);
		case 'dictionary':
			return bytesValue({ ...vector.dictionary, type: vector.type }, vector.indices[i] as number);
		case 'struct':
			return vector.children.map((child) => getValue(child, i));
		case 'list': {
			const end = vector.offsets[i + 1] as number;
			const items: Value[] = [];
			for (let k = vector.offsets[i] as number; k < end; k++) items.push(getValue(vector.child, k));
			return items;
		}
		case 'map': {
			const end = vector.offsets[i + 1] as number;
			const pairs: [Value, Value][] = [];
			for (let k = vector.offsets[i] as number; k < end; k++)
				pairs.push([getValue(vector.keys, k), getValue(vector.items, k)]);
			return pairs;
		}
		case 'variant':
			return { metadata: bytesAt(vector.metadata, i), value: bytesAt(vector.value, i) };
		case 'null':
			return null;
	}
}

/** The unscaled value of decimal `i`. */
export function decimalAt(words: BigInt64Array, i: number): bigint {
	const low = words[2 * i] as bigint;
	const high = words[2 * i + 1] as bigint;
	return low >> 63n === high ? low : (high << 64n) | BigInt.asUintN(64, low);
}

/** The bytes of element `i`, as a view. */
export function bytesAt(vector: BytesVector, i: number): Uint8Array {
	return vector.values.subarray(vector.offsets[i] as number, vector.offsets[i + 1] as number);
}

/** UTF-8 to text. @throws `CORRUPT` */
export function decodeUtf8(bytes: Uint8Array): string {
	try {
		return utf8.decode(bytes);
	} catch (cause) {
		throw new IcebergError('CORRUPT', 'text that is not UTF-8', { cause });
	}
}

function bytesValue(vector: BytesVector, i: number): Value {
	const bytes = bytesAt(vector, i);
	return vector.type.kind === 'string' ? decodeUtf8(bytes) : bytes;
}

/** `length` nulls of a type. */
export function nullVector(type: Type, length: number): Vector {
	const validity = new Uint8Array(bitmapBytes(length));
	const base = { type, length, nullCount: length, validity: length === 0 ? null : validity };
	const empty = (): BytesVector => ({
		...base,
		layout: 'bytes',
		offsets: new Int32Array(length + 1),
		values: NO_BYTES,
	});
	switch (type.kind) {
		case 'boolean':
			return { ...base, layout: 'boolean', values: new Uint8Array(bitmapBytes(length)) };
		case 'int':
		case 'date':
			return { ...base, layout: 'int32', values: new Int32Array(length) };
		case 'long':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return { ...base, layout: 'int64', values: new BigInt64Array(length) };
		case 'float':
			return { ...base, layout: 'float32', values: new Float32Array(length) };
		case 'double':
			return { ...base, layout: 'float64', values: new Float64Array(length) };
		case 'decimal':
			return { ...base, layout: 'decimal128', values: new BigInt64Array(2 * length) };
		case 'uuid':
			return { ...base, layout: 'fixed', width: 16, values: new Uint8Array(16 * length) };
		case 'fixed':
			return { ...base, layout: 'fixed', width: type.length, values: new Uint8Array(type.length * length) };
		case 'string':
		case 'binary':
		case 'geometry':
		case 'geography':
			return empty();
		case 'variant': {
			const part = { ...empty(), type: { kind: 'binary' } as const, nullCount: 0, validity: null };
			return { ...base, layout: 'variant', metadata: part, value: part };
		}
		case 'unknown':
			return { type, length, nullCount: length, validity: null, layout: 'null' };
		case 'struct':
			return { ...base, layout: 'struct', children: type.fields.map((field) => nullVector(field.type, length)) };
		case 'list':
			return { ...base, layout: 'list', offsets: new Int32Array(length + 1), child: nullVector(type.element, 0) };
		case 'map':
			return {
				...base,
				layout: 'map',
				offsets: new Int32Array(length + 1),
				keys: nullVector(type.key, 0),
				items: nullVector(type.value, 0),
			};
		case 'unsupported':
			throw new IcebergError('UNSUPPORTED', `this version does not know the type ${describeValue(type.json)}`);
	}
}

const NO_BYTES = new Uint8Array(0);

/** One engine value `length` times; text and binary as a dictionary of one entry. */
export function constantVector(type: Type, value: Value, length: number): Vector {
	if (value === null || length === 0) return nullVector(type, length);
	const builder = builderOf(type);
	builder.appendValue(value);
	const one = builder.finish();
	if (one.layout === 'bytes')
		return {
			type,
			layout: 'dictionary',
			length,
			nullCount: 0,
			validity: null,
			indices: new Int32Array(length),
			dictionary: one,
		};
	return take(one, new Uint32Array(length));
}

/** Engine values as a vector; `null`s included. */
export function vectorOf(type: Type, values: readonly Value[]): Vector {
	const builder = builderOf(type);
	for (const value of values) {
		if (value === null) builder.appendNull();
		else builder.appendValue(value);
	}
	return builder.finish();
}
