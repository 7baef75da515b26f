/** Order and equality of single values, as all of Iceberg's bounds and sort orders use them. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { typeToString } from './type-text.ts';
import type { MapValue, Type, Value, VariantValue } from './types.ts';

/** Negative when `a` sorts first, 0 when equal, positive otherwise. */
export type Comparator = (a: Value, b: Value) => number;

/**
 * The order of a type's non-null values: numbers by size with -0.0 below 0.0 and NaN above all, strings by their UTF-8
 * bytes, binary by unsigned bytes, uuid by its bytes. Structs and lists compare part by part, nulls first.
 *
 * @throws `INVALID_ARGUMENT` for types without an order: map, variant, geometry, geography, unknown, unsupported
 */
export function compareValues(type: Type): Comparator {
	switch (type.kind) {
		case 'boolean':
			return (a, b) => Number(a) - Number(b);
		case 'int':
		case 'date':
			return (a, b) => (a as number) - (b as number);
		case 'long':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
		case 'decimal':
			return compareBigints as Comparator;
		case 'float':
		case 'double':
			return compareDoubles as Comparator;
		case 'string':
			return compareStrings as Comparator;
		case 'uuid':
			return ((a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)) as Comparator;
		case 'fixed':
		case 'binary':
			return compareBytes as Comparator;
		case 'struct':
			return compareParts(type.fields.map((field) => compareValues(field.type))) as Comparator;
		case 'list': {
			const element = compareValues(type.element);
			return compareLists(element) as Comparator;
		}
		default:
			throw new IcebergError('INVALID_ARGUMENT', `values of type ${typeToString(type)} have no order`);
	}
}

/** Order of two numbers: -0 below 0, NaN equal to itself and above all else. */
export function compareDoubles(a: number, b: number): number {
	if (a < b) return -1;
	if (a > b) return 1;
	if (a === b) return a !== 0 ? 0 : (Object.is(a, 0) ? 1 : 0) - (Object.is(b, 0) ? 1 : 0);
	return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0);
}

/** Order of two strings by their UTF-8 bytes, which is the order of their code points. */
export function compareStrings(a: string, b: string): number {
	if (a === b) return 0;
	const length = Math.min(a.length, b.length);
	for (let i = 0; i < length; i++) {
		const x = a.charCodeAt(i);
		const y = b.charCodeAt(i);
		if (x === y) continue;
		// Surrogates stand for code points above all of the basic plane, but are numbered below its end.
		return (x >= 0xd800 && x <= 0xdfff ? x + 0x10000 : x) - (y >= 0xd800 && y <= 0xdfff ? y + 0x10000 : y);
	}
	return a.length - b.length;
}

/** Order of two byte strings, bytes unsigned, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
	const length = Math.min(a.length, b.length);
	for (let i = 0; i < length; i++) {
		const difference = (a[i] as number) - (b[i] as number);
		if (difference !== 0) return difference;
	}
	return a.length - b.length;
}

/** Equality of two values of one type, null included; NaN equals NaN, -0.0 differs from 0.0. Maps compare as given. */
export function valuesEqual(type: Type, a: Value, b: Value): boolean {
	if (a === null || b === null) return a === b;
	switch (type.kind) {
		case 'float':
		case 'double':
			return Object.is(a, b);
		case 'fixed':
		case 'binary':
		case 'geometry':
		case 'geography':
			return compareBytes(a as Uint8Array, b as Uint8Array) === 0;
		case 'variant': {
			const x = a as VariantValue;
			const y = b as VariantValue;
			return compareBytes(x.metadata, y.metadata) === 0 && compareBytes(x.value, y.value) === 0;
		}
		case 'struct':
			return type.fields.every((field, i) =>
				valuesEqual(field.type, (a as readonly Value[])[i] ?? null, (b as readonly Value[])[i] ?? null),
			);
		case 'list': {
			const x = a as readonly Value[];
			const y = b as readonly Value[];
			return x.length === y.length && x.every((item, i) => valuesEqual(type.element, item, y[i] as Value));
		}
		case 'map': {
			const x = a as MapValue;
			const y = b as MapValue;
			return (
				x.length === y.length &&
				x.every(([key, value], i) => {
					const [otherKey, otherValue] = y[i] as readonly [Value, Value];
					return valuesEqual(type.key, key, otherKey) && valuesEqual(type.value, value, otherValue);
				})
			);
		}
		default:
			return a === b;
	}
}

function compareBigints(a: bigint, b: bigint): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

function compareNullsFirst(comparator: Comparator, a: Value, b: Value): number {
	if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
	return comparator(a, b);
}

function compareParts(comparators: readonly Comparator[]) {
	return (a: readonly Value[], b: readonly Value[]): number => {
		for (let i = 0; i < comparators.length; i++) {
			const order = compareNullsFirst(comparators[i] as Comparator, a[i] ?? null, b[i] ?? null);
			if (order !== 0) return order;
		}
		return 0;
	};
}

function compareLists(element: Comparator) {
	return (a: readonly Value[], b: readonly Value[]): number => {
		const length = Math.min(a.length, b.length);
		for (let i = 0; i < length; i++) {
			const order = compareNullsFirst(element, a[i] as Value, b[i] as Value);
			if (order !== 0) return order;
		}
		return a.length - b.length;
	};
}
