/** Types and engine values for property tests. */
import fc from 'fast-check';
import { bytesToUuid } from '../../src/spec/single-value.ts';
import type { MapValue, NestedField, StructValue, Type, Value } from '../../src/spec/types.ts';
import { encodeVariant } from '../../src/column/variant-encode.ts';
import {
	decimalTypes,
	fieldLists as fieldListsOf,
	fixedTypes,
	type NestedTypesOptions,
	nestedTypes,
	numbered,
	plainTypes,
	primitiveValues,
} from '../support/arbitrary-types.ts';

const primitives: fc.Arbitrary<Type> = fc.oneof(
	{ weight: 14, arbitrary: plainTypes },
	{ weight: 2, arbitrary: fc.constantFrom<Type>({ kind: 'variant' }, { kind: 'unknown' }) },
	decimalTypes,
	fixedTypes(),
	fc.constant<Type>({ kind: 'geometry', crs: 'OGC:CRS84' }),
);

const keys: fc.Arbitrary<Type> = fc.constantFrom<Type>(
	{ kind: 'string' },
	{ kind: 'int' },
	{ kind: 'long' },
	{ kind: 'date' },
	{ kind: 'uuid' },
);

const nesting = (depth: number): NestedTypesOptions => ({
	primitives,
	keys,
	depth,
	nameField: (position) => `f${position}`,
});

/** Any type, nested up to the depth. */
export function types(depth = 2): fc.Arbitrary<Type> {
	return nestedTypes(nesting(depth)).map(numbered);
}

/** Fields named `c0`, `c1`, … */
export function fieldLists(depth = 2): fc.Arbitrary<NestedField[]> {
	return fieldListsOf(nesting(depth));
}

const text = fc.string({
	unit: fc.oneof(
		{ weight: 5, arbitrary: fc.constantFrom('a', 'B', '0', ' ', '"') },
		{ weight: 1, arbitrary: fc.constantFrom('é', '€', '\u{1F600}', '\0', '\u2028') },
	),
	maxLength: 60,
});
/** microseconds of the years 1 to 9999, which text forms cover */
const micros = fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n });

/** A non-null engine value of the type. */
export function values(type: Type): fc.Arbitrary<Value> {
	switch (type.kind) {
		case 'date':
			return fc.integer({ min: -719162, max: 2932896 });
		case 'timestamp':
		case 'timestamptz':
			return micros;
		case 'string':
			return text;
		case 'uuid':
			return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => bytesToUuid(bytes));
		case 'variant':
			return fc.jsonValue({ maxDepth: 2 }).map((json) => encodeVariant(wellFormedJson(json)));
		case 'struct':
			return fc
				.tuple(...type.fields.map((field) => orNull(field.type, field.required)))
				.map((parts) => parts as Value[]);
		case 'list':
			return fc.array(orNull(type.element, type.elementRequired), { maxLength: 4 });
		case 'map':
			return fc.uniqueArray(fc.tuple(values(type.key), orNull(type.value, type.valueRequired)), {
				maxLength: 4,
				selector: ([key]) => String(key),
			});
		default:
			return primitiveValues(type);
	}
}

function wellFormedJson(json: unknown): unknown {
	return JSON.parse(JSON.stringify(json).replaceAll(/\\ud[89a-f][0-9a-f]{2}/gi, 'x'));
}

/** A value of the type, or null where it is not required. */
export function orNull(type: Type, required: boolean): fc.Arbitrary<Value> {
	if (type.kind === 'unknown') return fc.constant(null);
	return required ? values(type) : fc.option(values(type), { nil: null, freq: 4 });
}

/** Fields and rows of engine values that fit them. */
export function tables(maxRows = 30, depth = 2): fc.Arbitrary<{ fields: NestedField[]; rows: Value[][] }> {
	return fieldLists(depth).chain((fields) =>
		fc
			.array(fc.tuple(...fields.map((field) => orNull(field.type, field.required))), { maxLength: maxRows })
			.map((rows) => ({ fields, rows: rows as Value[][] })),
	);
}

/** A type and values of it, nulls among them. */
export function typedColumns(maxLength = 40): fc.Arbitrary<{ type: Type; column: Value[] }> {
	return types().chain((type) =>
		fc.array(orNull(type, false), { maxLength }).map((column) => ({ type, column: column as Value[] })),
	);
}

/** An engine value as a user would give it. */
export function asInput(type: Type, value: Value): unknown {
	if (value === null) return null;
	if (type.kind === 'struct')
		return Object.fromEntries(
			type.fields.map((child, i) => [child.name, asInput(child.type, (value as StructValue)[i] as Value)]),
		);
	if (type.kind === 'list') return (value as readonly Value[]).map((item) => asInput(type.element, item));
	if (type.kind === 'map')
		return new Map((value as MapValue).map(([key, item]) => [asInput(type.key, key), asInput(type.value, item)]));
	if (type.kind === 'decimal') {
		const digits = (value as bigint)
			.toString()
			.replace('-', '')
			.padStart(type.scale + 1, '0');
		const sign = (value as bigint) < 0n ? '-' : '';
		return `${sign}${digits.slice(0, digits.length - type.scale)}.${digits.slice(digits.length - type.scale)}`;
	}
	return value;
}
