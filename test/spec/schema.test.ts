import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Schema, type SchemaOptions } from '../../src/spec/schema.ts';
import { schemaFromJson, schemaToJson } from '../../src/spec/schema-json.ts';
import { selectFields } from '../../src/spec/select-fields.ts';
import { typeFromJson, typeToJson, typeToString } from '../../src/spec/type-json.ts';
import type { JsonValue, NestedField, Type } from '../../src/spec/types.ts';
import { parseJson, stringifyJson } from '../../src/util/json.ts';
import { schemaFields } from './arbitraries.ts';

const nested = new Schema({
	schemaId: 3,
	fields: [
		{ id: 1, name: 'id', type: 'long', required: true },
		{ id: 2, name: 'Name', type: 'string' },
		{
			id: 3,
			name: 'at',
			required: true,
			type: {
				type: 'struct',
				fields: [
					{ id: 4, name: 'lat', required: true, type: 'double' },
					{ id: 5, name: 'zone', required: true, type: 'string' },
				],
			},
		},
		{
			id: 6,
			name: 'tags',
			type: {
				type: 'list',
				'element-id': 7,
				element: {
					type: 'struct',
					fields: [
						{ id: 8, name: 'k', type: 'string' },
						{ id: 9, name: 'v', type: 'int' },
					],
				},
			},
		},
		{
			id: 10,
			name: 'm',
			type: {
				type: 'map',
				'key-id': 11,
				key: 'string',
				'value-id': 12,
				value: {
					type: 'struct',
					fields: [
						{ id: 13, name: 'x', type: 'decimal(9,2)' },
						{ id: 14, name: 'y', type: 'int' },
					],
				},
			},
		},
	],
	identifierFieldIds: [1, 5],
});

function failure(make: () => unknown): string {
	try {
		make();
	} catch (error) {
		expect(error).toMatchObject({ name: 'IcebergError', code: 'INVALID_SCHEMA' });
		return (error as Error).message;
	}
	return 'no error';
}

describe('Schema', () => {
	it('finds fields by id and by full name, optional where nothing else is said', () => {
		expect(nested.schemaId).toBe(3);
		expect(nested.findField(8)).toMatchObject({ name: 'k', required: false });
		expect(nested.findFieldByName('tags.element.v')?.id).toBe(9);
		expect(nested.findFieldByName('m.value.x')?.type).toEqual({ kind: 'decimal', precision: 9, scale: 2 });
		expect(nested.findFieldByName('m.key')).toMatchObject({ id: 11, required: true });
		expect(nested.nameOf(14)).toBe('m.value.y');
		expect(nested.parentOf(13)).toBe(12);
		expect(nested.parentOf(1)).toBeUndefined();
		expect(nested.highestFieldId).toBe(14);
		expect(nested.findFieldByName('name')).toBeUndefined();
		expect(nested.findField(99)).toBeUndefined();
		expect(new Schema({ fields: [] }).highestFieldId).toBe(0);
	});

	it('finds fields without regard to case where asked, unless two go by the name', () => {
		expect(nested.findFieldByName('NAME', { caseSensitive: false })?.id).toBe(2);
		const two = new Schema({
			fields: [
				{ id: 1, name: 'a', type: 'int' },
				{ id: 2, name: 'A', type: 'int' },
			],
		});
		expect(two.findFieldByName('A')?.id).toBe(2);
		expect(() => two.findFieldByName('a', { caseSensitive: false })).toThrow(/two fields/);
	});

	const field = (more: object): SchemaOptions => ({ fields: [{ id: 1, name: 'a', type: 'int', ...more }] });
	it.each<[string, SchemaOptions, RegExp]>([
		[
			'an id used twice',
			{
				fields: [
					{ id: 1, name: 'a', type: 'int' },
					{ id: 1, name: 'b', type: 'int' },
				],
			},
			/id 1 is used twice.*'a' and 'b'/,
		],
		[
			'a name used twice',
			{
				fields: [
					{ id: 1, name: 'a', type: 'int' },
					{ id: 2, name: 'a', type: 'int' },
				],
			},
			/'a': two fields/,
		],
		[
			'a nested name used twice',
			field({
				type: {
					type: 'struct',
					fields: [
						{ id: 2, name: 'x', type: 'int' },
						{ id: 3, name: 'x', type: 'int' },
					],
				},
			}),
			/'a.x': two fields/,
		],
		[
			'a full name used twice',
			{
				fields: [
					{ id: 1, name: 'a', type: { type: 'struct', fields: [{ id: 2, name: 'b', type: 'int' }] } },
					{ id: 3, name: 'a.b', type: 'int' },
				],
			},
			/'a.b': two fields/,
		],
		['an empty name', field({ name: '' }), /id 1.*non-empty/],
		['a name that is no text', field({ name: 7 }), /non-empty text, not 7/],
		['a lone surrogate in a name', field({ name: 'a\ud800' }), /surrogate/],
		['a negative id', field({ id: -1 }), /'a'.*-1/],
		['an id with a fraction', field({ id: 1.5 }), /'a'.*1\.5/],
		['an id that is no number', field({ id: '1' }), /'a'/],
		['an id beyond 32 bits', field({ id: 2 ** 31 }), /'a'.*2147483648/],
		['a type that does not exist', field({ type: 'lng' }), /'a'.*no type 'lng'/],
		[
			'a nested type that does not exist',
			field({ type: { type: 'list', 'element-id': 2, element: 'txt' } }),
			/'a'.*no type 'txt'/,
		],
		['a missing type', field({ type: undefined }), /'a'.*expected a type/],
		['a decimal of too many digits', field({ type: 'decimal(39, 2)' }), /'a'.*39/],
		['a decimal without digits', field({ type: 'decimal(0, 0)' }), /'a'.*0/],
		['a decimal with too large a scale', field({ type: { kind: 'decimal', precision: 3, scale: 4 } }), /'a'.*scale/],
		['a fixed without bytes', field({ type: 'fixed[0]' }), /'a'.*1 byte/],
		['a required unknown', field({ type: 'unknown', required: true }), /'a'.*optional/],
		[
			'an unknown as a key',
			field({ type: { type: 'map', 'key-id': 2, key: 'unknown', 'value-id': 3, value: 'int' } }),
			/'a.key'/,
		],
		['required that is no boolean', field({ required: 'yes' }), /'a'.*'required'.*yes/],
		['a default of another type', field({ initialDefault: 'x' }), /'a': initial default/],
		['a default of unknown', field({ type: 'variant', writeDefault: 1 }), /'a'.*write default of a variant is null/],
		[
			'a default of a struct with values',
			field({ type: { type: 'struct', fields: [] }, writeDefault: [1] }),
			/'a'.*struct/,
		],
		['a misspelt key of a field', field({ nullable: true }), /'a': there is no 'nullable'.*required/],
		['a misspelt option', { ...field({}), schema_id: 1 } as never, /no 'schema_id'.*schemaId/],
		['options without fields', {} as never, /made of \{ fields/],
		['a negative schema id', { schemaId: -1, fields: [] }, /-1/],
		['an identifier that is not there', { ...field({}), identifierFieldIds: [9] }, /id 9/],
		['an optional identifier', { ...field({}), identifierFieldIds: [1] }, /'a'.*required/],
		[
			'a double as identifier',
			{ ...field({ type: 'double', required: true }), identifierFieldIds: [1] },
			/'a'.*double/,
		],
		[
			'a struct as identifier',
			{ ...field({ type: { type: 'struct', fields: [] }, required: true }), identifierFieldIds: [1] },
			/'a'.*primitive/,
		],
		[
			'an identifier in an optional struct',
			{
				...field({ type: { type: 'struct', fields: [{ id: 2, name: 'x', required: true, type: 'int' }] } }),
				identifierFieldIds: [2],
			},
			/'a.x'.*optional 'a'/,
		],
		[
			'an identifier in a list',
			{
				...field({ required: true, type: { type: 'list', 'element-id': 2, element: 'int', 'element-required': true } }),
				identifierFieldIds: [2],
			},
			/'a.element'.*list/,
		],
	])('refuses %s', (_what, options, message) => {
		expect(failure(() => new Schema(options))).toMatch(message);
	});

	it('refuses types nested without end', () => {
		let type: Type = { kind: 'int' };
		for (let i = 0; i < 200; i++) type = { kind: 'list', elementId: i + 2, elementRequired: false, element: type };
		expect(failure(() => new Schema(field({ type })))).toMatch(/nested deeper/);
	});

	it('takes any valid schema', () => {
		fc.assert(
			fc.property(schemaFields, (fields) => {
				const schema = new Schema({ fields });
				for (const [id, found] of schema.fieldsById)
					expect(schema.findFieldByName(schema.nameOf(id) as string)).toBe(found);
			}),
		);
	});
});

describe('schemas of others', () => {
	it('are kept with types and keys that are not known', () => {
		const json: JsonValue = {
			type: 'struct',
			'schema-id': 1,
			'identifier-field-ids': [1],
			fields: [
				{ id: 1, name: 'a', required: true, type: 'interval_year', doc: 'x', 'future-key': { y: [1] } },
				{ id: 2, name: 'b', required: false, type: { type: 'matrix', rows: 3 } },
				{ id: 3, name: 'c', required: true, type: 'unknown' },
				{ id: 4, name: 'g', required: false, type: 'variant', 'initial-default': { some: 'thing' } },
			],
			'future-key': 9007199254740993n,
		};
		const schema = schemaFromJson(json);
		expect(schema.findField(1)?.type.kind).toBe('unsupported');
		expect(schemaToJson(schema)).toEqual(json);
	});

	it('may have fields with dots in their names, which then cannot be found by an ambiguous name', () => {
		const schema = schemaFromJson({
			type: 'struct',
			'schema-id': 0,
			fields: [
				{
					id: 1,
					name: 'a',
					required: true,
					type: { type: 'struct', fields: [{ id: 2, name: 'b', required: true, type: 'int' }] },
				},
				{ id: 3, name: 'a.b', required: true, type: 'int' },
			],
		});
		expect(schema.findFieldByName('a')?.id).toBe(1);
		expect(() => schema.findFieldByName('a.b')).toThrow(/two fields go by the name 'a.b'/);
	});

	it.each<[JsonValue, RegExp]>([
		[null, /schema: expected an object/],
		[{ type: 'list', fields: [] }, /schema.type/],
		[{ type: 'struct' }, /schema.fields is missing/],
		[{ type: 'struct', fields: [{ id: 1, name: 'a', type: 'int' }] }, /schema.fields\[0\].required: is missing/],
		[
			{ type: 'struct', fields: [{ id: 'x', name: 'a', required: true, type: 'int' }] },
			/schema.fields\[0\].id: expected an integer, found "x"/,
		],
		[
			{ type: 'struct', fields: [{ id: 1, name: 'a', required: true, type: 5 }] },
			/schema.fields\[0\].type: expected a type's name/,
		],
		[
			{
				type: 'struct',
				fields: [
					{ id: 1, name: 'a', required: true, type: { type: 'list', element: 'int', 'element-required': true } },
				],
			},
			/element-id: is missing/,
		],
		[
			{ type: 'struct', fields: [{ id: 1, name: 'a', required: true, type: 'int', 'initial-default': 'x' }] },
			/initial-default: expected an integer/,
		],
	])('refuse %j', (json, message) => {
		expect(() => schemaFromJson(json)).toThrow(message);
	});

	it('are read back equal from what we write', () => {
		fc.assert(
			fc.property(schemaFields, (fields) => {
				const schema = new Schema({ schemaId: 5, fields });
				const json = parseJson(stringifyJson(schemaToJson(schema)));
				const back = schemaFromJson(json);
				expect(back.fields).toEqual(schema.fields);
				expect(schemaToJson(back)).toEqual(json);
			}),
		);
	});
});

describe('types', () => {
	it.each([
		['decimal(9,2)', 'decimal(9, 2)'],
		['decimal( 38 , 0 )', 'decimal(38, 0)'],
		['fixed[16]', 'fixed[16]'],
		['geometry', 'geometry(OGC:CRS84)'],
		['geometry(srid:3857)', 'geometry(srid:3857)'],
		['geography', 'geography(OGC:CRS84, spherical)'],
		['geography(srid:4326)', 'geography(srid:4326, spherical)'],
		['geography(srid:4326, Karney)', 'geography(srid:4326, karney)'],
		['timestamptz_ns', 'timestamptz_ns'],
		['LONG', 'long'],
		['hyperlog[3]', 'hyperlog[3]'],
	])('%s is written as %s', (text, canonical) => {
		expect(typeToJson(typeFromJson(text))).toBe(canonical);
		expect(typeFromJson(canonical)).toEqual(typeFromJson(text));
	});

	it('show nested types in one line', () => {
		expect(typeToString(nested.asStruct())).toBe(
			'struct<id: long, Name: string, at: struct<lat: double, zone: string>, tags: list<struct<k: string, v: int>>, m: map<string, struct<x: decimal(9, 2), y: int>>>',
		);
	});
});

describe('selectFields', () => {
	const show = (fields: readonly NestedField[]): string[] =>
		fields.map((f) => `${f.id} ${f.name}: ${typeToString(f.type)}`);

	it('takes columns in the order in which they are named, once each', () => {
		expect(show(selectFields(nested, ['Name', 'id', 'Name']))).toEqual(['2 Name: string', '1 id: long']);
		expect(selectFields(nested, ['*'])).toEqual(nested.fields);
		expect(show(selectFields(nested, ['Name', '*']))[0]).toBe('2 Name: string');
		expect(selectFields(nested, [])).toEqual([]);
	});

	it('prunes structs, list elements and map values, and keeps ids and keys', () => {
		expect(show(selectFields(nested, ['at.zone']))).toEqual(['3 at: struct<zone: string>']);
		expect(show(selectFields(nested, ['at.zone', 'at.lat']))).toEqual(['3 at: struct<lat: double, zone: string>']);
		expect(show(selectFields(nested, ['tags.element.v']))).toEqual(['6 tags: list<struct<v: int>>']);
		expect(show(selectFields(nested, ['m.value.y']))).toEqual(['10 m: map<string, struct<y: int>>']);
		expect(show(selectFields(nested, ['m.key']))).toEqual(['10 m: map<string, struct<x: decimal(9, 2), y: int>>']);
		expect(selectFields(nested, ['at', 'at.zone'])).toEqual([nested.fields[2]]);
		expect(selectFields(nested, ['tags.element'])).toEqual([nested.fields[3]]);
	});

	it('names what there is where a name is unknown', () => {
		expect(() => selectFields(nested, ['name'])).toThrow(/no field 'name': did you mean 'Name'\?/);
		expect(() => selectFields(nested, ['zzz'])).toThrow(/there are 'id', 'Name'/);
		expect(show(selectFields(nested, ['name'], { caseSensitive: false }))).toEqual(['2 Name: string']);
	});
});
