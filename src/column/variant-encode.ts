/** Parquet spec: Variant Binary Encoding; the writing side. */
import type { VariantValue } from '../spec/types.ts';
import { invalidValue, withinValue } from './invalid-value.ts';
import { isWellFormed } from '../util/well-formed.ts';

/** Deepest nesting of arrays and objects in one variant, when written and when read. */
export const VARIANT_DEPTH_LIMIT = 256;
/** Most bytes of one encoded variant: Parquet and Java readers stop there. */
export const VARIANT_SIZE_LIMIT_BYTES = 128 * 1024 * 1024;

const SHORT_STRING_LIMIT_BYTES = 63;
const DECIMAL16_LIMIT = 10n ** 38n;

/** Numbers of the primitive types in a value's header. */
export const VARIANT_PRIMITIVE = {
	null: 0,
	true: 1,
	false: 2,
	int8: 3,
	int16: 4,
	int32: 5,
	int64: 6,
	double: 7,
	decimal4: 8,
	decimal8: 9,
	decimal16: 10,
	date: 11,
	timestamptz: 12,
	timestampntz: 13,
	float: 14,
	binary: 15,
	string: 16,
	time: 17,
	timestamptzNanos: 18,
	timestampntzNanos: 19,
	uuid: 20,
} as const;

const encoder = new TextEncoder();

/** True for an object that holds just the two encoded parts of a variant. */
export function isEncodedVariant(input: unknown): input is VariantValue {
	if (typeof input !== 'object' || input === null) return false;
	const { metadata, value } = input as Partial<VariantValue>;
	return metadata instanceof Uint8Array && value instanceof Uint8Array && Object.keys(input).length === 2;
}

/**
 * Encodes a plain value: null, booleans, numbers (whole ones as the smallest integer type, others as double), bigints
 * (integers; up to 38 digits as decimals of scale 0), well-formed strings, `Date` (timestamptz), bytes (binary), arrays,
 * and objects or `Map`s with text keys (`undefined` members are left out, as in JSON).
 * @throws `INVALID_DATA` with the path of what a variant cannot hold
 */
export function encodeVariant(input: unknown): VariantValue {
	const names = new Set<string>();
	collectNames(input, names, 0);
	const sorted = [...names]
		.map((name) => ({ name, bytes: encodeText(name) }))
		.sort((a, b) => compareBytes(a.bytes, b.bytes));
	const ids = new Map(sorted.map(({ name }, id) => [name, id]));
	const value = encodeAny(input, ids);
	if (value.length > VARIANT_SIZE_LIMIT_BYTES)
		throw invalidValue(input, `variant: at most ${VARIANT_SIZE_LIMIT_BYTES} bytes encoded`);
	return { metadata: encodeMetadata(sorted.map(({ bytes }) => bytes)), value };
}

function encodeText(text: string): Uint8Array {
	if (!isWellFormed(text)) throw invalidValue(text, 'variant: well-formed text, without lone surrogates');
	return encoder.encode(text);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
	const shared = Math.min(a.length, b.length);
	for (let i = 0; i < shared; i++) {
		const difference = (a[i] as number) - (b[i] as number);
		if (difference !== 0) return difference;
	}
	return a.length - b.length;
}

function collectNames(input: unknown, names: Set<string>, depth: number): void {
	if (typeof input !== 'object' || input === null || isLeafObject(input)) return;
	if (depth >= VARIANT_DEPTH_LIMIT)
		throw invalidValue(input, `variant: values nested at most ${VARIANT_DEPTH_LIMIT} deep (or is it circular?)`);
	if (Array.isArray(input)) {
		for (const item of input) collectNames(item, names, depth + 1);
		return;
	}
	for (const [name, item] of membersOf(input)) {
		names.add(name);
		collectNames(item, names, depth + 1);
	}
}

function isLeafObject(input: object): boolean {
	return input instanceof Date || input instanceof Uint8Array;
}

/** Members with text keys; `undefined` ones left out. @throws `INVALID_DATA` for objects that are no plain records */
function membersOf(input: object): [string, unknown][] {
	if (input instanceof Map) {
		for (const key of input.keys())
			if (typeof key !== 'string') throw invalidValue(key, 'variant: a Map with text keys');
		return [...(input as Map<string, unknown>)].filter(([, item]) => item !== undefined);
	}
	const prototype: unknown = Object.getPrototypeOf(input);
	if (prototype !== null && prototype !== Object.prototype)
		throw invalidValue(input, 'variant: plain values, arrays, objects, Map, Date or Uint8Array');
	return Object.entries(input).filter(([, item]) => item !== undefined);
}

function encodeMetadata(names: readonly Uint8Array[]): Uint8Array {
	const textBytes = names.reduce((sum, name) => sum + name.length, 0);
	const offsetSize = sizeOf(Math.max(textBytes, names.length));
	const bytes = new Uint8Array(1 + offsetSize * (names.length + 2) + textBytes);
	bytes[0] = 1 | (1 << 4) | ((offsetSize - 1) << 6);
	putParts(bytes, putUnsigned(bytes, 1, names.length, offsetSize), names, offsetSize);
	return bytes;
}

/** Bytes that an unsigned number needs: 1 to 4. */
function sizeOf(value: number): 1 | 2 | 3 | 4 {
	if (value <= 0xff) return 1;
	if (value <= 0xffff) return 2;
	return value <= 0xffffff ? 3 : 4;
}

function putUnsigned(bytes: Uint8Array, at: number, value: number, size: number): number {
	for (let i = 0; i < size; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
	return at + size;
}

function encodeAny(input: unknown, ids: ReadonlyMap<string, number>): Uint8Array {
	switch (typeof input) {
		case 'boolean':
			return header(input ? VARIANT_PRIMITIVE.true : VARIANT_PRIMITIVE.false, 0).bytes;
		case 'number':
			if (Number.isSafeInteger(input) && !Object.is(input, -0)) return encodeInteger(BigInt(input));
			return encodeDouble(input);
		case 'bigint':
			return encodeInteger(input);
		case 'string':
			return encodeString(encodeText(input));
		case 'undefined':
			return header(VARIANT_PRIMITIVE.null, 0).bytes;
		case 'object':
			if (input === null) return header(VARIANT_PRIMITIVE.null, 0).bytes;
			if (input instanceof Date) return encodeDate(input);
			if (input instanceof Uint8Array) return encodeSized(VARIANT_PRIMITIVE.binary, input);
			return Array.isArray(input) ? encodeArray(input, ids) : encodeObject(input, ids);
		default:
			throw invalidValue(input, 'variant: plain values, arrays, objects, Map, Date or Uint8Array');
	}
}

function header(primitive: number, payloadBytes: number): { bytes: Uint8Array; view: DataView } {
	const bytes = new Uint8Array(1 + payloadBytes);
	bytes[0] = primitive << 2;
	return { bytes, view: new DataView(bytes.buffer) };
}

function encodeInteger(value: bigint): Uint8Array {
	if (BigInt.asIntN(8, value) === value) {
		const { bytes, view } = header(VARIANT_PRIMITIVE.int8, 1);
		view.setInt8(1, Number(value));
		return bytes;
	}
	if (BigInt.asIntN(16, value) === value) {
		const { bytes, view } = header(VARIANT_PRIMITIVE.int16, 2);
		view.setInt16(1, Number(value), true);
		return bytes;
	}
	if (BigInt.asIntN(32, value) === value) {
		const { bytes, view } = header(VARIANT_PRIMITIVE.int32, 4);
		view.setInt32(1, Number(value), true);
		return bytes;
	}
	if (BigInt.asIntN(64, value) === value) {
		const { bytes, view } = header(VARIANT_PRIMITIVE.int64, 8);
		view.setBigInt64(1, value, true);
		return bytes;
	}
	if (value >= DECIMAL16_LIMIT || value <= -DECIMAL16_LIMIT)
		throw invalidValue(value, 'variant: an integer of at most 38 digits');
	const { bytes, view } = header(VARIANT_PRIMITIVE.decimal16, 17);
	view.setUint8(1, 0);
	view.setBigInt64(2, BigInt.asIntN(64, value), true);
	view.setBigInt64(10, value >> 64n, true);
	return bytes;
}

function encodeDouble(value: number): Uint8Array {
	const { bytes, view } = header(VARIANT_PRIMITIVE.double, 8);
	view.setFloat64(1, value, true);
	return bytes;
}

function encodeDate(value: Date): Uint8Array {
	if (Number.isNaN(value.getTime())) throw invalidValue(value, 'variant: a valid Date');
	const { bytes, view } = header(VARIANT_PRIMITIVE.timestamptz, 8);
	view.setBigInt64(1, BigInt(value.getTime()) * 1000n, true);
	return bytes;
}

function encodeString(text: Uint8Array): Uint8Array {
	if (text.length > SHORT_STRING_LIMIT_BYTES) return encodeSized(VARIANT_PRIMITIVE.string, text);
	const bytes = new Uint8Array(1 + text.length);
	bytes[0] = 1 | (text.length << 2);
	bytes.set(text, 1);
	return bytes;
}

function encodeSized(primitive: number, payload: Uint8Array): Uint8Array {
	const { bytes, view } = header(primitive, 4 + payload.length);
	view.setUint32(1, payload.length, true);
	bytes.set(payload, 5);
	return bytes;
}

function encodeArray(items: readonly unknown[], ids: ReadonlyMap<string, number>): Uint8Array {
	const parts = Array.from(items, (item, i) => encodePart(item, ids, `[${i}]`));
	const dataBytes = parts.reduce((sum, part) => sum + part.length, 0);
	const offsetSize = sizeOf(dataBytes);
	const large = parts.length > 0xff;
	const countSize = large ? 4 : 1;
	const bytes = new Uint8Array(1 + countSize + offsetSize * (parts.length + 1) + dataBytes);
	bytes[0] = 3 | ((offsetSize - 1) << 2) | (large ? 1 << 4 : 0);
	putParts(bytes, putUnsigned(bytes, 1, parts.length, countSize), parts, offsetSize);
	return bytes;
}

function encodeObject(input: object, ids: ReadonlyMap<string, number>): Uint8Array {
	// ids are in the order of the names' bytes, which is the order that the encoding asks of an object's fields
	const members = membersOf(input)
		.map(([name, item]) => ({ id: ids.get(name) as number, part: encodePart(item, ids, `.${name}`) }))
		.sort((a, b) => a.id - b.id);
	const dataBytes = members.reduce((sum, { part }) => sum + part.length, 0);
	const offsetSize = sizeOf(dataBytes);
	const idSize = sizeOf(Math.max(0, ids.size - 1));
	const large = members.length > 0xff;
	const countSize = large ? 4 : 1;
	const bytes = new Uint8Array(1 + countSize + idSize * members.length + offsetSize * (members.length + 1) + dataBytes);
	bytes[0] = 2 | ((offsetSize - 1) << 2) | ((idSize - 1) << 4) | (large ? 1 << 6 : 0);
	let at = putUnsigned(bytes, 1, members.length, countSize);
	for (const { id } of members) at = putUnsigned(bytes, at, id, idSize);
	putParts(
		bytes,
		at,
		members.map(({ part }) => part),
		offsetSize,
	);
	return bytes;
}

function encodePart(input: unknown, ids: ReadonlyMap<string, number>, segment: string): Uint8Array {
	try {
		return encodeAny(input, ids);
	} catch (error) {
		throw withinValue(error, segment);
	}
}

/** The offsets of parts, one more than there are parts, and then the parts. */
function putParts(bytes: Uint8Array, start: number, parts: readonly Uint8Array[], offsetSize: number): void {
	let offset = 0;
	let at = putUnsigned(bytes, start, 0, offsetSize);
	for (const part of parts) {
		offset += part.length;
		at = putUnsigned(bytes, at, offset, offsetSize);
	}
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
}
