/** Types, and values of the primitive ones, for property tests. What a test needs otherwise it says in its own folder. */
import fc from 'fast-check';
import type { NestedField, PrimitiveType, StructType, Type, Value } from '../../src/spec/types.ts';

/** The kinds of primitive types that take no parameters and have an order. */
export const PLAIN_KINDS = [
	'boolean',
	'int',
	'long',
	'float',
	'double',
	'date',
	'time',
	'timestamp',
	'timestamptz',
	'timestamp_ns',
	'timestamptz_ns',
	'string',
	'uuid',
	'binary',
] as const;

export const plainTypes: fc.Arbitrary<PrimitiveType> = fc.constantFrom(...PLAIN_KINDS).map((kind) => ({ kind }));

export const decimalTypes: fc.Arbitrary<PrimitiveType> = fc
	.tuple(fc.integer({ min: 1, max: 38 }), fc.nat({ max: 38 }))
	.map(([precision, n]): PrimitiveType => ({ kind: 'decimal', precision, scale: n % (precision + 1) }));

/** @param minLength bytes */
export function fixedTypes(minLength = 1): fc.Arbitrary<PrimitiveType> {
	return fc.integer({ min: minLength, max: 20 }).map((length): PrimitiveType => ({ kind: 'fixed', length }));
}

/** The name of the field at a position. */
export type NameField = (position: number) => string;

export interface NestedTypesOptions {
	readonly primitives: fc.Arbitrary<Type>;
	/** of maps */
	readonly keys: fc.Arbitrary<Type>;
	/** most levels of structs, lists and maps */
	readonly depth: number;
	/** of the fields of structs */
	readonly nameField: NameField;
}

/** Types of any nesting. Their ids are 0: {@link numbered} gives them some. */
export function nestedTypes(options: NestedTypesOptions): fc.Arbitrary<Type> {
	const { primitives, keys, depth, nameField } = options;
	if (depth === 0) return primitives;
	const inner = nestedTypes({ ...options, depth: depth - 1 });
	const part = fc.tuple(inner, fc.boolean());
	return fc.oneof(
		{ weight: 4, arbitrary: primitives },
		{
			weight: 1,
			arbitrary: fc
				.array(part, { minLength: 1, maxLength: 3 })
				.map((parts): Type => ({ kind: 'struct', fields: fieldsOf(parts, nameField) })),
		},
		{
			weight: 1,
			arbitrary: part.map(([element, required]): Type => {
				const elementRequired = mayBeRequired(element, required);
				return { kind: 'list', elementId: 0, elementRequired, element };
			}),
		},
		{
			weight: 1,
			arbitrary: fc.tuple(keys, part).map(([key, [value, required]]): Type => {
				const valueRequired = mayBeRequired(value, required);
				return { kind: 'map', keyId: 0, key, valueId: 0, valueRequired, value };
			}),
		},
	);
}

/** Fields of such types, one to five. Their ids count from 1, those within them too. */
export function fieldLists(options: NestedTypesOptions): fc.Arbitrary<NestedField[]> {
	return fc
		.array(fc.tuple(nestedTypes(options), fc.boolean()), { minLength: 1, maxLength: 5 })
		.map((parts) => [...(numbered({ kind: 'struct', fields: fieldsOf(parts, (i) => `c${i}`) }) as StructType).fields]);
}

function fieldsOf(parts: readonly (readonly [Type, boolean])[], nameField: NameField): NestedField[] {
	return parts.map(([type, required], i) => ({
		id: 0,
		name: nameField(i),
		required: mayBeRequired(type, required),
		type,
	}));
}

function mayBeRequired(type: Type, required: boolean): boolean {
	return required && type.kind !== 'unknown';
}

/** The type with ids from 1. */
export function numbered(root: Type): Type {
	let id = 0;
	const visit = (type: Type): Type => {
		switch (type.kind) {
			case 'struct':
				return { ...type, fields: type.fields.map((field) => ({ ...field, id: ++id, type: visit(field.type) })) };
			case 'list':
				return { ...type, elementId: ++id, element: visit(type.element) };
			case 'map':
				return { ...type, keyId: ++id, valueId: ++id, key: visit(type.key), value: visit(type.value) };
			default:
				return type;
		}
	};
	return visit(root);
}

export const longs: fc.Arbitrary<bigint> = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

/** Non-null values of a primitive type, of all that its form in memory can hold. */
export function primitiveValues(type: Type): fc.Arbitrary<Value> {
	switch (type.kind) {
		case 'boolean':
			return fc.boolean();
		case 'int':
		case 'date':
			return fc.integer();
		case 'long':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return longs;
		case 'time':
			return fc.bigInt({ min: 0n, max: 86_399_999_999n });
		case 'float':
			return fc.float();
		case 'double':
			return fc.double();
		case 'decimal': {
			const limit = 10n ** BigInt(type.precision) - 1n;
			return fc.bigInt({ min: -limit, max: limit });
		}
		case 'string':
			return fc.string({ unit: 'binary' });
		case 'uuid':
			return fc.uuid();
		case 'fixed':
			return fc.uint8Array({ minLength: type.length, maxLength: type.length });
		case 'binary':
		case 'geometry':
		case 'geography':
			return fc.uint8Array({ maxLength: 40 });
		case 'unknown':
			return fc.constant(null);
		default:
			throw new Error(`no values of type ${type.kind}`);
	}
}
