/** Types and engine values for property tests. */
import fc from 'fast-check';
import { bytesToUuid } from '../../src/spec/single-value.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { encodeVariant } from '../../src/column/variant-encode.ts';

let nextId = 1;

const primitives: fc.Arbitrary<Type> = fc.oneof(
	...(
		[
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
			'variant',
			'unknown',
		] as const
	).map((kind) => fc.constant<Type>({ kind })),
	fc
		.tuple(fc.integer({ min: 1, max: 38 }), fc.integer({ min: 0, max: 38 }))
		.map(([precision, scale]): Type => ({ kind: 'decimal', precision, scale: Math.min(scale, precision) })),
	fc.integer({ min: 1, max: 20 }).map((length): Type => ({ kind: 'fixed', length })),
	fc.constant<Type>({ kind: 'geometry', crs: 'OGC:CRS84' }),
);

const keyTypes: fc.Arbitrary<Type> = fc.constantFrom<Type>(
	{ kind: 'string' },
	{ kind: 'int' },
	{ kind: 'long' },
	{ kind: 'date' },
	{ kind: 'uuid' },
);

/** Any type, nested up to the depth. */
export function types(depth = 2): fc.Arbitrary<Type> {
	if (depth === 0) return primitives;
	const inner = types(depth - 1);
	return fc.oneof(
		{ weight: 4, arbitrary: primitives },
		{
			weight: 1,
			arbitrary: fc.array(fc.tuple(inner, fc.boolean()), { minLength: 1, maxLength: 3 }).map(
				(parts): Type => ({
					kind: 'struct',
					fields: parts.map(([type, required], i) => fieldOf(type, required, `f${i}`)),
				}),
			),
		},
		{
			weight: 1,
			arbitrary: fc.tuple(inner, fc.boolean()).map(
				([element, required]): Type => ({
					kind: 'list',
					elementId: nextId++,
					elementRequired: required && element.kind !== 'unknown',
					element,
				}),
			),
		},
		{
			weight: 1,
			arbitrary: fc.tuple(keyTypes, inner, fc.boolean()).map(
				([key, value, required]): Type => ({
					kind: 'map',
					keyId: nextId++,
					key,
					valueId: nextId++,
					valueRequired: required && value.kind !== 'unknown',
					value,
				}),
			),
		},
	);
}

function fieldOf(type: Type, required: boolean, name: string): NestedField {
	return { id: nextId++, name, required: required && type.kind !== 'unknown', type };
}

/** Fields named `c0`, `c1`, … */
export function fieldLists(depth = 2): fc.Arbitrary<NestedField[]> {
	return fc
		.array(fc.tuple(types(depth), fc.boolean()), { minLength: 1, maxLength: 5 })
		.map((parts) => parts.map(([type, required], i) => fieldOf(type, required, `c${i}`)));
}

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
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
		case 'boolean':
			return fc.boolean();
		case 'int':
			return fc.integer();
		case 'date':
			return fc.integer({ min: -719162, max: 2932896 });
		case 'long':
			return long;
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return long;
		case 'time':
			return fc.bigInt({ min: 0n, max: 86_399_999_999n });
		case 'timestamp':
		case 'timestamptz':
			return micros;
		case 'float':
			return fc.float().map(Math.fround);
		case 'double':
			return fc.double();
		case 'decimal': {
			const limit = 10n ** BigInt(type.precision) - 1n;
			return fc.bigInt({ min: -limit, max: limit });
		}
		case 'string':
			return text;
		case 'uuid':
			return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => bytesToUuid(bytes));
		case 'fixed':
			return fc.uint8Array({ minLength: type.length, maxLength: type.length });
		case 'binary':
		case 'geometry':
		case 'geography':
			return fc.uint8Array({ maxLength: 40 });
		case 'variant':
			return fc.jsonValue({ maxDepth: 2 }).map((json) => encodeVariant(wellFormedJson(json)));
		case 'unknown':
			return fc.constant(null);
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
		case 'unsupported':
			throw new Error('no values of an unsupported type');
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
