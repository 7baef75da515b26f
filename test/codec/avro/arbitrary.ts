/** Generated Iceberg types and values of them, for property tests. */
import fc from 'fast-check';
import type { NestedField, StructType, Type, Value } from '../../../src/spec/types.ts';

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const bytes = (length?: number): fc.Arbitrary<Uint8Array> =>
	fc.uint8Array(length === undefined ? { maxLength: 40 } : { minLength: length, maxLength: length });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });

const primitive: fc.Arbitrary<Type> = fc.oneof(
	fc
		.constantFrom(
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
			'unknown',
			'variant',
		)
		.map((kind) => ({ kind }) as Type),
	fc.nat({ max: 20 }).map((length): Type => ({ kind: 'fixed', length })),
	fc
		.tuple(fc.integer({ min: 1, max: 38 }), fc.nat())
		.map(([precision, n]): Type => ({ kind: 'decimal', precision, scale: n % (precision + 1) })),
);

/** A struct type with ids that are unique, up to three levels deep. */
export const structType: fc.Arbitrary<StructType> = fc
	.array(nested(2), { minLength: 1, maxLength: 5 })
	.map((types) => numbered({ kind: 'struct', fields: types.map((type, i) => field(`c${i}`, type, i % 2 === 0)) }));

function nested(depth: number): fc.Arbitrary<Type> {
	if (depth === 0) return primitive;
	const inner = nested(depth - 1);
	return fc.oneof(
		{ weight: 5, arbitrary: primitive },
		{
			weight: 1,
			arbitrary: fc
				.tuple(inner, fc.boolean())
				.map(([element, elementRequired]): Type => ({ kind: 'list', elementId: 0, elementRequired, element })),
		},
		{
			weight: 1,
			arbitrary: fc
				.tuple(fc.constantFrom<Type>({ kind: 'string' }, { kind: 'int' }, { kind: 'uuid' }), inner, fc.boolean())
				.map(([key, value, valueRequired]): Type => ({ kind: 'map', keyId: 0, key, valueId: 0, valueRequired, value })),
		},
		{
			weight: 1,
			arbitrary: fc
				.array(inner, { minLength: 1, maxLength: 3 })
				.map((types): Type => ({ kind: 'struct', fields: types.map((type, i) => field(`n ${i}`, type, i % 2 === 1)) })),
		},
	);
}

function field(name: string, type: Type, required: boolean): NestedField {
	return { id: 0, name, required: required && type.kind !== 'unknown', type };
}

function numbered(root: StructType): StructType {
	let id = 0;
	const visit = (type: Type): Type => {
		switch (type.kind) {
			case 'struct':
				return {
					kind: 'struct',
					fields: type.fields.map((child) => ({ ...child, id: ++id, type: visit(child.type) })),
				};
			case 'list':
				return {
					...type,
					elementId: ++id,
					elementRequired: type.elementRequired && type.element.kind !== 'unknown',
					element: visit(type.element),
				};
			case 'map':
				return {
					...type,
					keyId: ++id,
					valueId: ++id,
					valueRequired: type.valueRequired && type.value.kind !== 'unknown',
					key: type.key,
					value: visit(type.value),
				};
			default:
				return type;
		}
	};
	return visit(root) as StructType;
}

/** Any value of a type, null where it may be. */
export function valueOf(type: Type, required: boolean): fc.Arbitrary<Value> {
	const value = nonNull(type);
	return required ? value : fc.option(value, { nil: null, freq: 3 });
}

function nonNull(type: Type): fc.Arbitrary<Value> {
	switch (type.kind) {
		case 'boolean':
			return fc.boolean();
		case 'int':
		case 'date':
			return int;
		case 'float':
			return fc.float();
		case 'double':
			return fc.double();
		case 'string':
			return text;
		case 'uuid':
			return fc.uuid();
		case 'binary':
			return bytes();
		case 'fixed':
			return bytes(type.length);
		case 'decimal': {
			const limit = 10n ** BigInt(type.precision) - 1n;
			return fc.bigInt({ min: -limit, max: limit });
		}
		case 'variant':
			return fc.tuple(bytes(), bytes()).map(([metadata, value]) => ({ metadata, value }));
		case 'unknown':
			return fc.constant(null);
		case 'struct':
			return rowOf(type);
		case 'list':
			return fc.array(valueOf(type.element, type.elementRequired), { maxLength: 4 });
		case 'map':
			return fc.array(fc.tuple(nonNull(type.key), valueOf(type.value, type.valueRequired)), { maxLength: 4 });
		default:
			return long;
	}
}

export function rowOf(type: StructType): fc.Arbitrary<Value[]> {
	return fc.tuple(...type.fields.map((child) => valueOf(child.type, child.required))) as fc.Arbitrary<Value[]>;
}

/** Hostile forms of bytes: some bits flipped, cut short, a run overwritten, a piece doubled. */
export function mutated(original: Uint8Array): fc.Arbitrary<Uint8Array> {
	// a Buffer's slice would be a view
	const bytesIn = new Uint8Array(original);
	const { length } = bytesIn;
	const at = fc.nat({ max: Math.max(0, length - 1) });
	return fc.oneof(
		at.map((end) => bytesIn.slice(0, end)),
		fc.array(fc.tuple(at, fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }).map((edits) => {
			const copy = bytesIn.slice();
			for (const [position, byte] of edits) copy[position] = byte;
			return copy;
		}),
		fc
			.tuple(at, fc.constantFrom(0x00, 0x7f, 0x80, 0xff), fc.integer({ min: 1, max: 16 }))
			.map(([start, byte, count]) => bytesIn.slice().fill(byte, start, start + count)),
		fc.tuple(at, fc.integer({ min: 1, max: 64 })).map(([start, count]) => {
			const piece = bytesIn.slice(start, start + count);
			return Uint8Array.from([...bytesIn.slice(0, start), ...piece, ...bytesIn.slice(start)]);
		}),
	);
}
