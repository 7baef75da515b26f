/** Random schemas for property tests. */
import fc from 'fast-check';
import type { NestedField, PrimitiveType, Type } from '../../src/spec/types.ts';
import { decimalTypes, fixedTypes, plainTypes } from '../support/arbitrary-types.ts';

/** Primitive types that have a binary single-value form. */
export const primitiveTypes: fc.Arbitrary<PrimitiveType> = fc.oneof(
	plainTypes,
	decimalTypes,
	fixedTypes(),
	fc.constant<PrimitiveType>({ kind: 'geometry', crs: 'OGC:CRS84' }),
);

interface Shape {
	readonly type: Type | 'struct' | 'list' | 'map';
	readonly required: boolean;
	readonly name: string;
	readonly children: readonly Shape[];
}

const leafTypes: fc.Arbitrary<Type> = fc.oneof(
	primitiveTypes,
	fc.constantFrom<Type>(
		{ kind: 'variant' },
		{ kind: 'unknown' },
		{ kind: 'geography', crs: 'EPSG:4326', algorithm: 'karney' },
	),
);

const shape: fc.Arbitrary<Shape> = fc.letrec<{ shape: Shape }>((tie) => ({
	shape: fc.oneof(
		{ depthSize: 'small', withCrossShrink: true },
		fc.record({
			type: leafTypes,
			required: fc.boolean(),
			name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
			children: fc.constant([]),
		}),
		fc.record({
			type: fc.constantFrom('struct' as const, 'list' as const, 'map' as const),
			required: fc.boolean(),
			name: fc.string({ minLength: 1, maxLength: 8 }),
			children: fc.array(tie('shape'), { minLength: 2, maxLength: 4 }),
		}),
	),
})).shape;

/** The fields of random schemas: valid, any nesting, ids unique. */
export const schemaFields: fc.Arbitrary<NestedField[]> = fc
	.array(shape, { minLength: 1, maxLength: 6 })
	.map((shapes) => {
		let lastId = 0;
		const typeOf = (s: Shape): Type => {
			const [first, second] = s.children;
			switch (s.type) {
				case 'struct':
					return { kind: 'struct', fields: fieldsOf(s.children) };
				case 'list':
					return {
						kind: 'list',
						elementId: ++lastId,
						elementRequired: isRequired(first as Shape),
						element: typeOf(first as Shape),
					};
				case 'map':
					return {
						kind: 'map',
						keyId: ++lastId,
						key:
							(first as Shape).type === 'struct' || typeof (first as Shape).type === 'string'
								? { kind: 'string' }
								: keyType(first as Shape),
						valueId: ++lastId,
						valueRequired: isRequired(second as Shape),
						value: typeOf(second as Shape),
					};
				default:
					return s.type;
			}
		};
		const keyType = (s: Shape): Type => ((s.type as Type).kind === 'unknown' ? { kind: 'string' } : (s.type as Type));
		const isRequired = (s: Shape): boolean => s.required && !(typeof s.type === 'object' && s.type.kind === 'unknown');
		const fieldsOf = (children: readonly Shape[]): NestedField[] =>
			children.map((s, i) => ({
				id: ++lastId,
				name: `${s.name.replaceAll('.', '_')}${i}`,
				required: isRequired(s),
				type: typeOf(s),
			}));
		return fieldsOf(shapes);
	});
