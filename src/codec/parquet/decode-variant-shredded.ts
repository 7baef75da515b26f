/**
 * Shredded variants put back together. Parquet spec: Variant Shredding, Reconstructing a Shredded Variant; Variant Binary
 * Encoding. Where the fields of a partially shredded object are in both places, the shredded ones count.
 */
import { getBit, onesBitmap } from '../../column/bitmap.ts';
import { compareCodePoints } from '../../column/variant-decode.ts';
import { VARIANT_PRIMITIVE } from '../../column/variant-encode.ts';
import type { BytesVector, StructVector, VariantVector, Vector } from '../../column/vector.ts';
import { bytesAt, isNullAt } from '../../column/vector-values.ts';
import type { Type } from '../../spec/types.ts';
import { viewOf } from './decode-bits.ts';
import { corruptPage } from './decode-error.ts';
import { BytesSink } from './decode-sink.ts';
import { VariantNames } from './decode-variant-names.ts';

/** What stands in a group of `value` and `typed_value`, beside the vector of that group. */
export interface ShreddedShape {
	/** position of `value` among the group's children, -1 without one */
	readonly value: number;
	/** position of `typed_value`, -1 without one */
	readonly typedValue: number;
	readonly typed: ShreddedType | undefined;
}
export type ShreddedType =
	| { readonly kind: 'primitive'; readonly primitive: ShreddedPrimitive }
	| { readonly kind: 'array'; readonly element: ShreddedShape }
	/** one child of the vector for each field */
	| {
			readonly kind: 'object';
			readonly fields: readonly { readonly name: string; readonly shape: ShreddedShape }[];
	  };

/** A variant's physical type of which a column is, by the number in a value's header. */
export interface ShreddedPrimitive {
	/** `true` stands for both booleans */
	readonly id: number;
	/** bytes of a value without its header; 0 where values have lengths of their own */
	readonly width: number;
	/** of decimals */
	readonly scale: number;
}

const NULL_VALUE = new Uint8Array([VARIANT_PRIMITIVE.null << 2]);
const TRUE_VALUE = new Uint8Array([VARIANT_PRIMITIVE.true << 2]);
const FALSE_VALUE = new Uint8Array([VARIANT_PRIMITIVE.false << 2]);
const BINARY: Type = { kind: 'binary' };

/**
 * @param metadata and `group` without dictionaries
 * @throws `CORRUPT` for groups that are no valid shredding, `LIMIT_EXCEEDED`
 */
export function unshred(
	type: Type,
	metadata: BytesVector,
	group: StructVector,
	shape: ShreddedShape,
	nulls: { readonly nullCount: number; readonly validity: Uint8Array | null },
): VariantVector {
	const { length } = group;
	const sink = new BytesSink(length);
	let names: VariantNames | undefined;
	const present = nulls.validity ?? onesBitmap(length);
	for (let i = 0; i < length; i++) {
		if (!getBit(present, i)) {
			append(sink, i, new Uint8Array(0));
			continue;
		}
		if (isNullAt(metadata, i)) throw corruptPage('a variant lacks its metadata');
		const bytes = bytesAt(metadata, i);
		if (names?.isOf(bytes) !== true) names = new VariantNames(bytes);
		// a variant that is there but says nothing is a variant's null
		append(sink, i, valueAt(group, i, shape, names) ?? NULL_VALUE);
	}
	const value: BytesVector = {
		layout: 'bytes',
		type: BINARY,
		length,
		...nulls,
		offsets: sink.offsets.subarray(0, length + 1),
		values: sink.values.subarray(0, sink.usedBytes),
	};
	return { layout: 'variant', type, length, ...nulls, metadata, value };
}

/** The encoded value of slot `i` of a group, or `undefined` when it is missing. */
function valueAt(group: Vector, i: number, shape: ShreddedShape, names: VariantNames): Uint8Array | undefined {
	if (group.layout !== 'struct') throw new TypeError(`a ${group.layout} vector where a struct should be`);
	if (isNullAt(group, i)) return undefined;
	const plain = group.children[shape.value];
	const typed = group.children[shape.typedValue];
	const value = plain?.layout === 'bytes' && !isNullAt(plain, i) ? bytesAt(plain, i) : undefined;
	if (value?.length === 0) throw corruptPage('a variant value of no bytes');
	if (typed === undefined || shape.typed === undefined || isNullAt(typed, i)) return value;
	switch (shape.typed.kind) {
		case 'primitive':
			if (value !== undefined) throw conflict();
			return primitiveAt(typed, i, shape.typed.primitive);
		case 'array':
			if (value !== undefined) throw conflict();
			return arrayAt(typed, i, shape.typed.element, names);
		case 'object':
			return objectAt(typed, i, shape.typed.fields, value, names);
	}
}

function conflict(): Error {
	return corruptPage('a shredded variant has both a value and a typed_value');
}

function arrayAt(typed: Vector, i: number, element: ShreddedShape, names: VariantNames): Uint8Array {
	if (typed.layout !== 'list') throw new TypeError(`a ${typed.layout} vector where a list should be`);
	const items: Uint8Array[] = [];
	const end = typed.offsets[i + 1] as number;
	for (let k = typed.offsets[i] as number; k < end; k++)
		items.push(valueAt(typed.child, k, element, names) ?? NULL_VALUE);
	const total = items.reduce((sum, item) => sum + item.length, 0);
	const isLarge = items.length > 0xff;
	const offsetSize = sizeOf(total);
	const start = 1 + (isLarge ? 4 : 1) + (items.length + 1) * offsetSize;
	const out = new Uint8Array(start + total);
	out[0] = 3 | ((offsetSize - 1) << 2) | (isLarge ? 0x10 : 0);
	const at = put(out, 1, items.length, isLarge ? 4 : 1);
	putItems(out, at, offsetSize, start, items);
	return out;
}

function objectAt(
	typed: Vector,
	i: number,
	fields: readonly { readonly name: string; readonly shape: ShreddedShape }[],
	rest: Uint8Array | undefined,
	names: VariantNames,
): Uint8Array {
	if (typed.layout !== 'struct') throw new TypeError(`a ${typed.layout} vector where a struct should be`);
	const members: { name: string; id: number; value: Uint8Array }[] = [];
	fields.forEach(({ name, shape }, k) => {
		const value = valueAt(typed.children[k] as Vector, i, shape, names);
		if (value !== undefined) members.push({ name, id: names.idOf(name), value });
	});
	if (rest !== undefined) {
		if (((rest[0] as number) & 3) !== 2) throw corruptPage('a shredded variant has fields, but its value is no object');
		const shredded = new Set(fields.map(({ name }) => name));
		for (const member of names.members(rest)) if (!shredded.has(member.name)) members.push(member);
	}
	members.sort((a, b) => compareCodePoints(a.name, b.name));
	const total = members.reduce((sum, { value }) => sum + value.length, 0);
	const isLarge = members.length > 0xff;
	const offsetSize = sizeOf(total);
	const idSize = sizeOf(members.reduce((most, { id }) => Math.max(most, id), 0));
	const start = 1 + (isLarge ? 4 : 1) + members.length * idSize + (members.length + 1) * offsetSize;
	const out = new Uint8Array(start + total);
	out[0] = 2 | ((offsetSize - 1) << 2) | ((idSize - 1) << 4) | (isLarge ? 0x40 : 0);
	let at = put(out, 1, members.length, isLarge ? 4 : 1);
	for (const { id } of members) at = put(out, at, id, idSize);
	putItems(
		out,
		at,
		offsetSize,
		start,
		members.map(({ value }) => value),
	);
	return out;
}

/** Offsets from `at` on, the items from `start` on. */
function putItems(out: Uint8Array, at: number, size: number, start: number, items: readonly Uint8Array[]): void {
	let offset = 0;
	let next = put(out, at, 0, size);
	for (const item of items) {
		out.set(item, start + offset);
		offset += item.length;
		next = put(out, next, offset, size);
	}
}

function primitiveAt(vector: Vector, i: number, primitive: ShreddedPrimitive): Uint8Array {
	const { id, width, scale } = primitive;
	if (vector.layout === 'boolean') return getBit(vector.values, i) ? TRUE_VALUE : FALSE_VALUE;
	if (vector.layout === 'bytes') {
		const bytes = bytesAt(vector, i);
		const out = new Uint8Array(5 + bytes.length);
		out[0] = id << 2;
		put(out, 1, bytes.length, 4);
		out.set(bytes, 5);
		return out;
	}
	const out = new Uint8Array(1 + width);
	const view = viewOf(out);
	out[0] = id << 2;
	switch (vector.layout) {
		case 'int32': {
			const value = vector.values[i] as number;
			if (width < 4 && (value << (32 - 8 * width)) >> (32 - 8 * width) !== value)
				throw corruptPage(`the value ${value} in a column of ${8 * width}-bit integers`);
			put(out, 1, value, width);
			return out;
		}
		case 'int64':
			view.setBigInt64(1, vector.values[i] as bigint, true);
			return out;
		case 'float32':
			view.setFloat32(1, vector.values[i] as number, true);
			return out;
		case 'float64':
			view.setFloat64(1, vector.values[i] as number, true);
			return out;
		case 'decimal128': {
			const low = vector.values[2 * i] as bigint;
			out[1] = scale;
			if (width === 5) view.setInt32(2, Number(BigInt.asIntN(32, low)), true);
			else view.setBigInt64(2, low, true);
			if (width === 17) view.setBigInt64(10, vector.values[2 * i + 1] as bigint, true);
			return out;
		}
		case 'fixed':
			out.set(vector.values.subarray(i * vector.width, (i + 1) * vector.width), 1);
			return out;
		default:
			throw new TypeError(`a ${vector.layout} vector in a shredded variant`);
	}
}

function append(sink: BytesSink, i: number, bytes: Uint8Array): void {
	sink.reserveBytes(bytes.length);
	sink.values.set(bytes, sink.usedBytes);
	sink.usedBytes += bytes.length;
	sink.offsets[i + 1] = sink.usedBytes;
}

/** Bytes that an unsigned number needs: 1 to 4. */
function sizeOf(value: number): number {
	return value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffff ? 3 : 4;
}

function put(bytes: Uint8Array, at: number, value: number, size: number): number {
	for (let i = 0; i < size; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
	return at + size;
}
