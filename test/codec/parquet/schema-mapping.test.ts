import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogicalType, PhysicalType, Repetition, type SchemaElement } from '../../../src/codec/parquet/format.ts';
import { decimalRequiredBytes, writeSchemaOf } from '../../../src/codec/parquet/schema-mapping.ts';
import { type FileField, fileSchemaOf, MAX_SCHEMA_DEPTH } from '../../../src/codec/parquet/schema-mapping-file.ts';
import { Schema } from '../../../src/spec/schema.ts';
import type { NestedField, Type } from '../../../src/spec/types.ts';
import { fieldLists } from '../../column/arbitraries.ts';
import { field } from './writer-support.ts';

const { REQUIRED, OPTIONAL, REPEATED } = Repetition;
const { BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY } = PhysicalType;

function group(
	name: string,
	repetition: Repetition,
	numChildren: number,
	rest: Partial<SchemaElement> = {},
): SchemaElement {
	return { name, repetition, numChildren, ...rest };
}
function leaf(name: string, type: PhysicalType, rest: Partial<SchemaElement> = {}): SchemaElement {
	return { name, type, repetition: OPTIONAL, ...rest };
}
const root = (numChildren: number): SchemaElement => ({ name: 'root', numChildren });

function fieldsOf(elements: SchemaElement[], nameMapping?: (path: readonly string[]) => number | undefined) {
	return fileSchemaOf(elements, 'file', nameMapping).fields;
}
function only(elements: SchemaElement[]): FileField {
	const [found] = fieldsOf([root(1), ...elements]);
	if (found === undefined) throw new Error('no field');
	return found;
}
/** What the writer stores: the same without fields of type unknown. */
function stored(type: Type): Type {
	switch (type.kind) {
		case 'struct':
			return { kind: 'struct', fields: storedFields(type.fields) };
		case 'list':
			return { ...type, element: stored(type.element) };
		case 'map':
			return { ...type, key: stored(type.key), value: stored(type.value) };
		default:
			return type;
	}
}
function storedFields(fields: readonly NestedField[]): NestedField[] {
	return fields
		.filter((f) => f.type.kind !== 'unknown')
		.map(({ id, name, required, type }) => ({ id, name, required, type: stored(type) }));
}
const bare = ({ id, name, required, type }: FileField): NestedField => ({ id, name, required, type });

describe('an Iceberg schema as a Parquet schema', () => {
	it('maps back to itself, without what is not stored', () => {
		fc.assert(
			fc.property(fieldLists(3), (fields) => {
				let elements: readonly SchemaElement[];
				try {
					({ elements } = writeSchemaOf(new Schema({ fields })));
				} catch (error) {
					expect(error).toMatchObject({ code: 'UNSUPPORTED' });
					expect(JSON.stringify(fields)).toContain('"unknown"');
					return;
				}
				const schema = fileSchemaOf(elements, 'file');
				expect(schema.hasIds).toBe(true);
				expect(schema.fields.map(bare)).toEqual(storedFields(fields));
			}),
			{ numRuns: 500 },
		);
	});

	it('gives leaves their levels', () => {
		const list: Type = { kind: 'list', elementId: 3, elementRequired: false, element: { kind: 'int' } };
		const struct: Type = { kind: 'struct', fields: [field(2, 'l', list), field(4, 'x', { kind: 'int' }, true)] };
		const { leaves } = writeSchemaOf(new Schema({ fields: [field(1, 's', struct)] }));
		expect(leaves.map((l) => [l.path.join('.'), l.maxDefinitionLevel, l.maxRepetitionLevel])).toEqual([
			['s.l.list.element', 4, 1],
			['s.x', 1, 0],
		]);
	});

	it('takes the fewest bytes for wide decimals', () => {
		const java = [
			1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15,
			15, 16, 16, 16,
		];
		expect(java.map((_, i) => decimalRequiredBytes(i + 1))).toEqual(java);
	});
});

describe('a Parquet file’s leaves as Iceberg types', () => {
	const typeOf = (type: PhysicalType, logicalType?: LogicalType, rest: Partial<SchemaElement> = {}) =>
		only([leaf('a', type, { ...(logicalType === undefined ? {} : { logicalType }), ...rest })]).type;

	it('without annotation', () => {
		const found = [BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY].map((type) => typeOf(type).kind);
		expect(found).toEqual(['boolean', 'int', 'long', 'timestamptz', 'float', 'double', 'binary']);
		expect(typeOf(FIXED_LEN_BYTE_ARRAY, undefined, { typeLength: 7 })).toEqual({ kind: 'fixed', length: 7 });
	});

	it('with a logical type', () => {
		expect(typeOf(BYTE_ARRAY, { kind: 'string' }).kind).toBe('string');
		expect(typeOf(BYTE_ARRAY, { kind: 'enum' }).kind).toBe('string');
		expect(typeOf(BYTE_ARRAY, { kind: 'json' }).kind).toBe('string');
		expect(typeOf(BYTE_ARRAY, { kind: 'bson' }).kind).toBe('binary');
		expect(typeOf(INT32, { kind: 'date' }).kind).toBe('date');
		expect(typeOf(INT32, { kind: 'unknown' }).kind).toBe('unknown');
		expect(typeOf(FIXED_LEN_BYTE_ARRAY, { kind: 'uuid' }, { typeLength: 16 }).kind).toBe('uuid');
		expect(typeOf(FIXED_LEN_BYTE_ARRAY, { kind: 'float16' }, { typeLength: 2 }).kind).toBe('float');
		for (const type of [INT32, INT64, BYTE_ARRAY]) {
			expect(typeOf(type, { kind: 'decimal', precision: 9, scale: 2 })).toEqual({
				kind: 'decimal',
				precision: 9,
				scale: 2,
			});
		}
		const time = (unit: 'millis' | 'micros' | 'nanos', isAdjustedToUtc = false) => ({ unit, isAdjustedToUtc });
		expect(typeOf(INT32, { kind: 'time', ...time('millis') }).kind).toBe('time');
		expect(typeOf(INT64, { kind: 'time', ...time('micros', true) }).kind).toBe('time');
		expect(typeOf(INT64, { kind: 'timestamp', ...time('millis') }).kind).toBe('timestamp');
		expect(typeOf(INT64, { kind: 'timestamp', ...time('micros', true) }).kind).toBe('timestamptz');
		expect(typeOf(INT64, { kind: 'timestamp', ...time('nanos') }).kind).toBe('timestamp_ns');
		expect(typeOf(INT64, { kind: 'timestamp', ...time('nanos', true) }).kind).toBe('timestamptz_ns');
		expect(typeOf(BYTE_ARRAY, { kind: 'geometry', crs: undefined })).toEqual({ kind: 'geometry', crs: 'OGC:CRS84' });
		expect(typeOf(BYTE_ARRAY, { kind: 'geography', crs: 'x', algorithm: 2 })).toEqual({
			kind: 'geography',
			crs: 'x',
			algorithm: 'thomas',
		});
	});

	it('with integers of other widths', () => {
		const integer = (bitWidth: number, isSigned: boolean) =>
			typeOf(bitWidth === 64 ? INT64 : INT32, { kind: 'integer', bitWidth, isSigned }).kind;
		expect([8, 16, 32, 64].map((width) => integer(width, true))).toEqual(['int', 'int', 'int', 'long']);
		expect([8, 16, 32, 64].map((width) => integer(width, false))).toEqual(['int', 'int', 'long', 'decimal']);
	});

	it('with an annotation of older writers', () => {
		const converted = (convertedType: number, type: PhysicalType, rest: Partial<SchemaElement> = {}) =>
			typeOf(type, undefined, { convertedType, ...rest });
		expect(converted(0, BYTE_ARRAY).kind).toBe('string');
		expect(converted(4, BYTE_ARRAY).kind).toBe('string');
		expect(converted(5, INT32, { precision: 5, scale: 1 })).toEqual({ kind: 'decimal', precision: 5, scale: 1 });
		expect(converted(6, INT32).kind).toBe('date');
		expect(converted(7, INT32).kind).toBe('time');
		expect(converted(8, INT64).kind).toBe('time');
		expect(converted(9, INT64).kind).toBe('timestamptz');
		expect(converted(10, INT64).kind).toBe('timestamptz');
		expect([11, 12, 13].map((type) => converted(type, INT32).kind)).toEqual(['int', 'int', 'long']);
		expect(converted(14, INT64)).toEqual({ kind: 'decimal', precision: 20, scale: 0 });
		expect([15, 16, 17].map((type) => converted(type, INT32).kind)).toEqual(['int', 'int', 'int']);
		expect(converted(18, INT64).kind).toBe('long');
		expect(converted(21, FIXED_LEN_BYTE_ARRAY, { typeLength: 12 })).toEqual({ kind: 'fixed', length: 12 });
	});

	it('that have none are unsupported, and say what they are', () => {
		const found = only([leaf('a', FIXED_LEN_BYTE_ARRAY, { typeLength: 3, logicalType: { kind: 'float16' } })]);
		expect(found).toMatchObject({
			shape: 'unsupported',
			type: { kind: 'unsupported', json: 'Parquet: float16 stored as physical type 7' },
		});
		expect(typeOf(INT32, { kind: 'string' }).kind).toBe('unsupported');
		expect(typeOf(INT64, { kind: 'decimal', precision: 60, scale: 2 }).kind).toBe('unsupported');
		expect(typeOf(FIXED_LEN_BYTE_ARRAY, { kind: 'uuid' }, { typeLength: 15 }).kind).toBe('unsupported');
		expect(typeOf(BYTE_ARRAY, { kind: 'unrecognised', id: 99 }).kind).toBe('unsupported');
		expect(typeOf(BYTE_ARRAY, { kind: 'geography', crs: 'x', algorithm: 9 }).kind).toBe('unsupported');
	});
});

describe('lists and maps of other writers', () => {
	const LIST = { convertedType: 3 } as const;
	const MAP = { convertedType: 1 } as const;
	const levels = (found: FileField) =>
		found.shape === 'list'
			? {
					list: found.definitionLevel,
					element: found.repeated.definitionLevel,
					value: found.element.node.definitionLevel,
					repetition: found.repeated.repetitionLevel,
				}
			: undefined;

	it('with three levels, whatever their names', () => {
		const found = only([group('l', OPTIONAL, 1, LIST), group('bag', REPEATED, 1), leaf('array_element', INT32)]);
		expect(found).toMatchObject({
			required: false,
			type: { kind: 'list', elementRequired: false, element: { kind: 'int' } },
		});
		expect(levels(found)).toEqual({ list: 1, element: 2, value: 3, repetition: 1 });
	});

	it('with two levels: a repeated leaf', () => {
		const found = only([group('l', OPTIONAL, 1, LIST), leaf('element', INT32, { repetition: REPEATED })]);
		expect(found.type).toMatchObject({ kind: 'list', elementRequired: true, element: { kind: 'int' } });
		expect(levels(found)).toEqual({ list: 1, element: 2, value: 2, repetition: 1 });
	});

	it('with two levels: a repeated group of several fields, or with a telling name', () => {
		const several = only([
			group('l', REQUIRED, 1, LIST),
			group('element', REPEATED, 2),
			leaf('x', INT32),
			leaf('y', INT32),
		]);
		expect(several.type).toMatchObject({ element: { kind: 'struct', fields: [{ name: 'x' }, { name: 'y' }] } });
		expect(levels(several)).toEqual({ list: 0, element: 1, value: 1, repetition: 1 });
		for (const name of ['array', 'l_tuple']) {
			const named = only([group('l', REQUIRED, 1, LIST), group(name, REPEATED, 1), leaf('x', INT32)]);
			expect(named.type).toMatchObject({ elementRequired: true, element: { kind: 'struct', fields: [{ name: 'x' }] } });
		}
		const nested = only([
			group('l', OPTIONAL, 1, LIST),
			group('array', REPEATED, 1, LIST),
			leaf('array', INT32, { repetition: REPEATED }),
		]);
		expect(nested.type).toMatchObject({ element: { kind: 'list', element: { kind: 'int' } } });
	});

	it('without annotation: a repeated field', () => {
		const found = only([leaf('a', INT32, { repetition: REPEATED, fieldId: 4 })]);
		expect(found).toMatchObject({ id: 4, name: 'a', required: true, shape: 'list' });
		expect(levels(found)).toEqual({ list: 0, element: 1, value: 1, repetition: 1 });
		const struct = only([group('g', REPEATED, 2), leaf('x', INT32, { fieldId: 7 }), leaf('y', INT32, { fieldId: 8 })]);
		expect(struct.type).toMatchObject({ kind: 'list', element: { fields: [{ id: 7 }, { id: 8 }] } });
	});

	it('maps with other names and the annotation of older writers', () => {
		for (const annotation of [MAP, { convertedType: 2 }]) {
			const found = only([
				group('m', OPTIONAL, 1, annotation),
				group('map', REPEATED, 2, { convertedType: 2 }),
				leaf('k', BYTE_ARRAY, { repetition: REQUIRED, convertedType: 0, fieldId: 2 }),
				leaf('v', INT32, { fieldId: 3 }),
			]);
			expect(found).toMatchObject({
				shape: 'map',
				definitionLevel: 1,
				type: { keyId: 2, valueId: 3, valueRequired: false, key: { kind: 'string' }, value: { kind: 'int' } },
				key: { name: 'key' },
				value: { name: 'value' },
			});
		}
	});

	it('are unsupported when malformed', () => {
		expect(only([group('l', OPTIONAL, 1, LIST), leaf('x', INT32)]).shape).toBe('unsupported');
		expect(only([group('m', OPTIONAL, 1, MAP), group('map', REPEATED, 1), leaf('k', INT32)]).shape).toBe('unsupported');
		const variant = { logicalType: { kind: 'variant', specificationVersion: 1 } } as const;
		expect(only([group('v', OPTIONAL, 1, variant), leaf('value', BYTE_ARRAY)]).shape).toBe('unsupported');
	});

	it('variants may be shredded', () => {
		const variant = { logicalType: { kind: 'variant', specificationVersion: 1 } } as const;
		const found = only([
			group('v', OPTIONAL, 2, variant),
			leaf('metadata', BYTE_ARRAY, { repetition: REQUIRED }),
			leaf('typed_value', INT64),
		]);
		expect(found).toMatchObject({ shape: 'variant', value: undefined, typedValue: { path: ['v', 'typed_value'] } });
	});
});

describe('field ids', () => {
	const elements = [
		root(2),
		leaf('a', INT32),
		group('l', OPTIONAL, 1, { convertedType: 3 }),
		group('bag', REPEATED, 1),
		leaf('item', INT32),
	];

	it('are negative and distinct where the file has none', () => {
		const schema = fileSchemaOf(elements, 'file');
		const [a, l] = schema.fields;
		const ids = [a?.id, l?.id, l?.shape === 'list' ? l.element.id : undefined];
		expect(new Set(ids).size).toBe(3);
		expect(ids.every((id) => (id ?? 0) < 0)).toBe(true);
		expect(schema.hasIds).toBe(false);
	});

	it('come from the name mapping by Iceberg’s names', () => {
		const mapping = new Map([
			['a', 5],
			['l', 6],
			['l.element', 7],
		]);
		const [a, l] = fieldsOf(elements, (path) => mapping.get(path.join('.')));
		expect([a?.id, l?.id, l?.shape === 'list' ? l.element.id : undefined]).toEqual([5, 6, 7]);
	});

	it('come from the file alone when it has any', () => {
		const some = [root(2), leaf('a', INT32, { fieldId: 3 }), leaf('b', INT32)];
		const [a, b] = fieldsOf(some, () => 9);
		expect(a?.id).toBe(3);
		expect(b?.id).toBeLessThan(0);
	});
});

describe('hostile schemas', () => {
	it('are refused', () => {
		const corrupt = expect.objectContaining({ code: 'CORRUPT' });
		for (const elements of [
			[],
			[root(2), leaf('a', INT32)],
			[root(0), leaf('a', INT32)],
			[root(1), leaf('a', INT32, { numChildren: 1 }), leaf('b', INT32)],
			[root(1), { name: 'a', repetition: OPTIONAL }],
			[root(1), { name: 'a', type: INT32 }],
			[root(1), leaf('a', FIXED_LEN_BYTE_ARRAY)],
			[root(0x7fffffff), leaf('a', INT32)],
			[root(1), ...Array.from({ length: MAX_SCHEMA_DEPTH + 5 }, () => group('g', OPTIONAL, 1)), leaf('a', INT32)],
		] as SchemaElement[][]) {
			expect(() => fileSchemaOf(elements, 'file')).toThrow(corrupt);
		}
	});
});
