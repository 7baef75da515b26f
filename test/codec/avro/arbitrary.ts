/** Generated Iceberg types and values of them, for property tests. */
import fc from 'fast-check';
import type { StructType, Type, Value } from '../../../src/spec/types.ts';
import {
	decimalTypes,
	fieldLists,
	fixedTypes,
	longs,
	plainTypes,
	primitiveValues,
} from '../../support/arbitrary-types.ts';

const bytes = fc.uint8Array({ maxLength: 40 });

const primitives: fc.Arbitrary<Type> = fc.oneof(
	{ weight: 14, arbitrary: plainTypes },
	{ weight: 2, arbitrary: fc.constantFrom<Type>({ kind: 'unknown' }, { kind: 'variant' }) },
	{ weight: 2, arbitrary: fixedTypes(0) },
	{ weight: 2, arbitrary: decimalTypes },
);

/** A struct type with ids that are unique, up to three levels deep; some names are none that Avro takes. */
export const structType: fc.Arbitrary<StructType> = fieldLists({
	primitives,
	keys: fc.constantFrom<Type>({ kind: 'string' }, { kind: 'int' }, { kind: 'uuid' }),
	depth: 2,
	nameField: (position) => `n ${position}`,
}).map((fields) => ({ kind: 'struct', fields }));

/** Any value of a type, null where it may be. */
export function valueOf(type: Type, required: boolean): fc.Arbitrary<Value> {
	const value = nonNull(type);
	return required ? value : fc.option(value, { nil: null, freq: 3 });
}

function nonNull(type: Type): fc.Arbitrary<Value> {
	switch (type.kind) {
		case 'string':
			return fc.string({ unit: 'grapheme', maxLength: 20 });
		case 'time':
			// the format has any long
			return longs;
		case 'variant':
			return fc.tuple(bytes, bytes).map(([metadata, value]) => ({ metadata, value }));
		case 'struct':
			return rowOf(type);
		case 'list':
			return fc.array(valueOf(type.element, type.elementRequired), { maxLength: 4 });
		case 'map':
			return fc.array(fc.tuple(nonNull(type.key), valueOf(type.value, type.valueRequired)), { maxLength: 4 });
		default:
			return primitiveValues(type);
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
