import { describe, expect, expectTypeOf, it } from 'vitest';
import type { InferInput, InferRow, Row, RowInput } from '../../src/spec/row-types.ts';
import type { Schema } from '../../src/spec/schema.ts';
import {
	binary,
	boolean,
	buildField,
	date,
	decimal,
	double,
	fixed,
	float,
	geography,
	geometry,
	int,
	list,
	long,
	map,
	schema,
	string,
	struct,
	time,
	timestamp,
	timestampNs,
	timestamptz,
	timestamptzNs,
	unknown,
	uuid,
	variant,
} from '../../src/spec/schema-builder.ts';
import { schemaToJson } from '../../src/spec/schema-json.ts';
import { typeToString } from '../../src/spec/type-json.ts';

const runs = schema({
	run_id: long().required(),
	status: string(),
	started_at: timestamptz().required(),
	cost: decimal(9, 2),
	tags: list(string().required()).required(),
	labels: map(string(), int()),
	at: struct({ lat: double().required(), lon: double() }),
	tries: int().required().default(1),
	raw: binary(),
	note: variant(),
});

describe('schema built from fields', () => {
	it('makes optional fields unless they are required, with ids from 1, a level before what is nested in it', () => {
		const built = schema({
			a: struct({ x: int(), y: list(struct({ z: int() })) }),
			b: map(string(), struct({ k: long() })),
			c: long().required(),
		});
		expect([...built.fieldsById].map(([id, field]) => `${id} ${built.nameOf(id)} ${field.required}`)).toEqual([
			'1 a false',
			'4 a.x false',
			'5 a.y false',
			'6 a.y.element false',
			'7 a.y.element.z false',
			'2 b false',
			'8 b.key true',
			'9 b.value false',
			'10 b.value.k false',
			'3 c true',
		]);
	});

	it('keeps explicit ids and passes over them', () => {
		const built = schema({ a: int(), b: int().id(1), c: struct({ d: int().id(2), e: int() }).id(10) });
		expect([...built.fieldsById.keys()]).toEqual([3, 1, 10, 2, 4]);
	});

	it('refuses an explicit id used twice, naming both fields', () => {
		expect(() => schema({ a: int().id(7), b: struct({ c: int().id(7) }) })).toThrow(/7 is used twice.*'a' and 'b.c'/);
	});

	it('makes every type', () => {
		const all = schema({
			a: boolean(),
			b: int(),
			c: long(),
			d: float(),
			e: double(),
			f: decimal(38, 10),
			g: date(),
			h: time(),
			i: timestamp(),
			j: timestamptz(),
			k: timestampNs(),
			l: timestamptzNs(),
			m: string(),
			n: uuid(),
			o: fixed(16),
			p: binary(),
			q: variant(),
			r: unknown(),
			s: geometry(),
			t: geography('EPSG:4326', 'karney'),
		});
		expect(all.fields.map((field) => typeToString(field.type))).toEqual([
			'boolean',
			'int',
			'long',
			'float',
			'double',
			'decimal(38, 10)',
			'date',
			'time',
			'timestamp',
			'timestamptz',
			'timestamp_ns',
			'timestamptz_ns',
			'string',
			'uuid',
			'fixed[16]',
			'binary',
			'variant',
			'unknown',
			'geometry(OGC:CRS84)',
			'geography(EPSG:4326, karney)',
		]);
	});

	it('keeps docs and write defaults, converted to engine values', () => {
		const built = schema({
			a: long().default(5).doc('five'),
			b: decimal(5, 2).default('1.5'),
			c: date().default('1970-01-02'),
			d: timestamptz().default(new Date(1)),
			e: list(int()).default([1, 2]),
			f: struct({ g: int().default(3) }).default({}),
			h: map(string(), int()).default(new Map([['x', 1]])),
			i: timestampNs().default('1970-01-01T00:00:00.000000001'),
		});
		expect(built.fields.map((field) => field.writeDefault)).toEqual([5n, 150n, 1, 1000n, [1, 2], [], [['x', 1]], 1n]);
		expect(built.fields[0]?.doc).toBe('five');
		expect(schemaToJson(built)).toMatchObject({
			fields: [
				{ 'write-default': 5, doc: 'five' },
				{ 'write-default': '1.50' },
				{},
				{},
				{},
				{ 'write-default': {} },
				{},
				{},
			],
		});
	});

	it('refuses a default that is no value of the type, naming the field', () => {
		expect(() => schema({ a: struct({ b: decimal(3, 1).default('1.25') }) })).toThrow(
			/field 'a.b'.*1\.25.*more than 1 digits/,
		);
		expect(() => schema({ d: date().default(new Date(1)) })).toThrow(/field 'd'/);
		expect(() => schema({ i: int().default(2 ** 31) })).toThrow(/field 'i'.*beyond the range/);
	});

	it('sets identifier fields by name, and refuses those that cannot be', () => {
		const built = schema({ a: long().required(), b: string() }, { identifierFields: ['a'] });
		expect(built.identifierFieldIds).toEqual([1]);
		expect(() => schema({ a: long() }, { identifierFields: ['a'] })).toThrow(/'a'.*required/);
		expect(() => schema({ a: double().required() }, { identifierFields: ['a'] })).toThrow(/'a'.*double/);
		expect(() => schema({ a: long() }, { identifierFields: ['z'] })).toThrow(/'z'/);
	});

	it('refuses what is no field, decimals that are none, a required unknown', () => {
		expect(() => schema({ a: 'long' as never })).toThrow(/'a'.*long\(\)/);
		expect(() => schema({ a: decimal(39, 0) })).toThrow(/'a'.*39/);
		expect(() => schema({ a: decimal(2, 3) })).toThrow(/'a'.*scale/);
		expect(() => schema({ a: fixed(0) })).toThrow(/'a'.*fixed/);
		expect(() => schema({ a: unknown().required() })).toThrow(/'a'.*optional/);
		expect(() => schema({ a: list(string().doc('x')) })).toThrow(/'a.element'/);
	});

	it('builds a single field with the ids of a table', () => {
		let last = 20;
		const field = buildField('p', struct({ x: int(), y: list(int()) }), (explicit) => explicit ?? ++last);
		expect(field).toMatchObject({ id: 21, type: { fields: [{ id: 22 }, { id: 23, type: { elementId: 24 } }] } });
	});
});

describe('row types', () => {
	type Out = InferRow<typeof runs>;
	type In = InferInput<typeof runs>;

	it('are inferred for what scans give', () => {
		expectTypeOf<Out>().toEqualTypeOf<{
			run_id: bigint;
			status: string | null;
			started_at: string;
			cost: string | null;
			tags: string[];
			labels: Map<string, number | null> | null;
			at: { lat: number; lon: number | null } | null;
			tries: number;
			raw: Uint8Array | null;
			note: unknown;
		}>();
		// @ts-expect-error an optional field may be null
		expectTypeOf<Out['status']>().toEqualTypeOf<string>();
	});

	it('are inferred for what appends take', () => {
		const full: In = {
			run_id: 1n,
			status: undefined,
			started_at: new Date(),
			cost: 1n,
			tags: ['a'],
			labels: { x: 1, y: null },
			at: { lat: 1 },
			raw: Buffer.from(''),
			note: { any: ['thing'] },
		};
		const least: In = { run_id: 1, started_at: '2024-02-29T00:00:00Z', tags: [] };
		const pairs: In = { ...least, labels: [['x', 1]] };
		const mapped: In = { ...least, labels: new Map([['x', null]]) };
		// @ts-expect-error a required field must be there
		const missing: In = { run_id: 1n, started_at: 0n };
		// @ts-expect-error a required field is not null
		const nulled: In = { ...least, run_id: null };
		// @ts-expect-error a text is no long
		const wrong: In = { ...least, run_id: '1' };
		// @ts-expect-error there is no such field
		const excess: In = { run_id: 1n, started_at: 0n, tags: [], nope: 1 };
		// @ts-expect-error a nested required field must be there
		const nested: In = { ...least, at: {} };
		expect([full, least, pairs, mapped, missing, nulled, wrong, excess, nested]).toHaveLength(9);
	});

	it('are those of any row where the schema has none', () => {
		expectTypeOf<InferRow<Schema>>().toEqualTypeOf<Row>();
		expectTypeOf<InferInput<Schema>>().toEqualTypeOf<RowInput>();
		const any: Schema = runs;
		expect(any.fields).toHaveLength(10);
	});

	it('take defaults of the input type only', () => {
		// @ts-expect-error a text is no int
		expect(() => schema({ a: int().default('x') })).toThrow(/'a'/);
	});
});
