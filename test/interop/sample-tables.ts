/** Tables that cover the types and layouts that we write, with the rows that they must read as. */
import { join } from 'node:path';
import {
	binary,
	boolean,
	createTable,
	type CreateTableOptions,
	date,
	decimal,
	double,
	fixed,
	float,
	geometry,
	int,
	list,
	long,
	map,
	type Schema,
	schema,
	string,
	struct,
	type Table,
	time,
	timestamp,
	timestampNs,
	timestamptz,
	timestamptzNs,
	unknown,
	uuid,
	variant,
} from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';
import { canonicalRows } from './canonical.ts';
import type { PeerName } from './peer.ts';

export interface SampleTable {
	readonly name: string;
	readonly schema: Schema;
	readonly options: CreateTableOptions;
	/** one append each */
	readonly appends: readonly (readonly object[])[];
	/** engines that have the types and transforms of the table */
	readonly engines: readonly PeerName[];
}

export interface WrittenTable extends SampleTable {
	readonly table: Table;
	readonly metadataLocation: string;
	/** canonical, of all appends */
	readonly rows: readonly Loose[];
}

const ALL: readonly PeerName[] = ['pyiceberg', 'duckdb', 'spark'];
const LONG_TEXT = '長い文字列 – a text that is longer than what bounds keep of it: '.repeat(20);
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

const primitives = schema({
	id: long().required(),
	truth: boolean(),
	i: int(),
	l: long(),
	f: float(),
	d: double(),
	dec9: decimal(9, 2),
	dec18: decimal(18, 6),
	dec38: decimal(38, 10),
	day: date(),
	wall: timestamp(),
	instant: timestamptz(),
	text: string(),
	uid: uuid(),
	fix: fixed(5),
	bin: binary(),
	name_required: string().required(),
});

const primitiveRows = [
	{
		id: 1n,
		truth: true,
		i: 7,
		l: 2n ** 53n + 1n,
		f: 1.5,
		d: 0.1,
		dec9: '1.50',
		dec18: '-123456789012.345678',
		dec38: '1.0000000001',
		day: '2024-02-29',
		wall: '2024-02-29T12:34:56.000001',
		instant: '2024-02-29T12:34:56.000001+00:00',
		text: 'plain',
		uid: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
		fix: bytes('0001020304'),
		bin: bytes('00ff10'),
		name_required: 'a',
	},
	{ id: 2n, name_required: '' },
	{
		id: 3n,
		truth: false,
		i: -(2 ** 31),
		l: -(2n ** 63n),
		f: -3.4028234663852886e38,
		d: -Number.MAX_VALUE,
		dec9: '-9999999.99',
		dec18: '-999999999999.999999',
		dec38: '-9999999999999999999999999999.9999999999',
		day: '0001-01-01',
		wall: '0001-01-01T00:00:00.000000',
		instant: '0001-01-01T00:00:00.000000+00:00',
		text: '',
		uid: '00000000-0000-0000-0000-000000000000',
		fix: bytes('0000000000'),
		bin: bytes(''),
		name_required: '\u0000\u0001"\\/\n\t',
	},
	{
		id: 4n,
		truth: true,
		i: 2 ** 31 - 1,
		l: 2n ** 63n - 1n,
		f: 3.4028234663852886e38,
		d: Number.MAX_VALUE,
		dec9: '9999999.99',
		dec18: '999999999999.999999',
		dec38: '9999999999999999999999999999.9999999999',
		day: '9999-12-31',
		wall: '9999-12-31T23:59:59.999999',
		instant: '9999-12-31T23:59:59.999999+00:00',
		text: '\u{10FFFF}\uFFFF zu😀 Zürich e\u0301',
		uid: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
		fix: bytes('ffffffffff'),
		bin: bytes('ff'.repeat(40)),
		name_required: LONG_TEXT,
	},
	{
		id: 5n,
		f: Number.NaN,
		d: Number.NaN,
		dec9: '0.00',
		text: LONG_TEXT,
		bin: bytes('7f'.repeat(20)),
		name_required: 'b',
	},
	{ id: 6n, f: -0, d: -0, dec9: '-0.01', day: '1969-12-31', wall: '1969-12-31T23:59:59.999999', name_required: '😀' },
	{
		id: 7n,
		f: Number.POSITIVE_INFINITY,
		d: Number.NEGATIVE_INFINITY,
		dec9: '0.01',
		day: '1970-01-01',
		name_required: 'c',
	},
	{
		id: 8n,
		f: 1.401298464324817e-45,
		d: Number.MIN_VALUE,
		l: 0n,
		i: 0,
		instant: '1969-12-31T23:59:59.999999+00:00',
		name_required: 'd',
	},
];

const nested = schema({
	id: long().required(),
	point: struct({ x: int().required(), y: double() }),
	deep: struct({
		a: struct({ b: struct({ c: struct({ d: list(struct({ e: string(), f: list(decimal(20, 3)) })) }) }) }),
		at: timestamptz(),
	}),
	lists: list(list(list(long().required()))),
	tags: list(string().required()).required(),
	sizes: map(string(), int()),
	registry: map(int(), struct({ label: string(), notes: list(map(string(), list(date()))) })),
	by_day: map(date(), map(string(), double())),
	uids: list(uuid()),
	blobs: map(string(), binary()),
});

const nestedRows = [
	{
		id: 1n,
		point: { x: 1, y: -0 },
		deep: {
			a: { b: { c: { d: [{ e: 'ü', f: ['1.500', null, '-99999999999999999.999'] }, null, { e: null, f: [] }] } } },
			at: '2024-02-29T12:34:56.000001+00:00',
		},
		lists: [[[1n, 2n ** 60n], []], [], null, [null, [3n]]],
		tags: ['x', '', 'z'],
		sizes: new Map([
			['b', 2],
			['a', null],
			['ä', 3],
		]),
		registry: new Map([
			[1, { label: 'one', notes: [new Map([['k', ['2024-01-01', null]]]), null, new Map()] }],
			[-5, null],
			[2, { label: null, notes: null }],
		]),
		by_day: new Map([
			['2024-01-01', new Map([['n', Number.NaN]])],
			['1969-12-31', null],
		]),
		uids: ['f79c3e09-677c-4bbd-a479-3f349cb785e7', null],
		blobs: new Map([
			['empty', bytes('')],
			['some', bytes('c0ffee')],
		]),
	},
	{ id: 2n, tags: [], registry: [] },
	{
		id: 3n,
		point: { x: -7, y: null },
		deep: { a: null, at: null },
		lists: [],
		tags: ['only'],
		sizes: new Map(),
		registry: new Map(),
		by_day: new Map(),
		uids: [],
		blobs: new Map([['nothing', null]]),
	},
	{
		id: 4n,
		deep: { a: { b: { c: null } } },
		lists: [null],
		tags: ['a', 'b'],
		sizes: new Map([['', 0]]),
		registry: [],
	},
	{
		id: 5n,
		deep: { a: { b: null } },
		lists: [[null]],
		tags: ['c'],
		registry: new Map([[9, { label: 'n', notes: [] }]]),
	},
];

const nullCollectionRows = [
	{ id: 1n, tags: [] },
	{ id: 2n, tags: [], deep: { a: { b: { c: { d: null } } } } },
	{ id: 3n, tags: [], deep: { a: { b: { c: { d: [] } } } }, registry: [[1, { notes: null }]] },
];

const sources = schema({
	id: long().required(),
	truth: boolean(),
	i: int(),
	l: long(),
	dec: decimal(9, 2),
	day: date(),
	wall: timestamp(),
	instant: timestamptz(),
	text: string(),
	uid: uuid(),
	bin: binary(),
});

const sourceRows = [
	...[-1, 0, 1, 33, 34, 2 ** 31 - 1].map((n) => ({
		id: BigInt(n),
		truth: n > 0,
		i: n,
		l: BigInt(n) * 4_000_000_000n,
		dec: `${n > 100 ? 9999999 : n}.25`,
		day: n === -1 ? '1969-12-31' : `20${20 + (n % 7)}-02-28`,
		wall: n === -1 ? '1969-12-31T23:59:59.999999' : `2024-02-29T${String(n % 24).padStart(2, '0')}:59:59.999999`,
		instant: n === -1 ? '1969-12-31T23:00:00.000001+00:00' : `20${20 + (n % 7)}-12-31T23:59:59.999999+00:00`,
		text: `Zürich 😀/=%${n}`,
		uid: `f79c3e09-677c-4bbd-a479-3f349cb7850${Math.abs(n) % 10}`,
		bin: bytes(`0001020304${String(Math.abs(n) % 100).padStart(2, '0')}`),
	})),
	{ id: 100n },
	{ id: 101n, i: -33, text: 'a b', dec: '-1.25', l: -1n, day: '0001-01-01', bin: bytes('') },
	{ id: 102n, i: 33, text: '', dec: '0.00', truth: true },
];

const log = schema({
	run_id: long().required(),
	status: string(),
	duration_ms: double(),
	started_at: timestamptz().required(),
});

function logRows(first: number, count: number): object[] {
	return Array.from({ length: count }, (_, k) => first + k).map((n) => ({
		run_id: BigInt(n),
		status: ['ok', 'failed', null][n % 3],
		duration_ms: n % 7 === 0 ? Number.NaN : ((n * 7919) % 1000) / 8,
		started_at: `2024-03-${String(1 + (n % 28)).padStart(2, '0')}T${String(n % 24).padStart(2, '0')}:00:00.000001+00:00`,
	}));
}

const nanos = schema({ id: long().required(), wall: timestampNs(), instant: timestamptzNs() });
const nanosRows = [
	{ id: 1n, wall: '2024-02-29T12:34:56.000000001', instant: '2024-02-29T12:34:56.999999999+00:00' },
	{ id: 2n },
	{ id: 3n, wall: '1969-12-31T23:59:59.999999999', instant: '1677-09-22T00:00:00.000000001+00:00' },
	{ id: 4n, wall: '2262-04-11T23:47:16.854775806', instant: '2262-04-11T23:47:16.854775806+00:00' },
];

const documents = schema({ id: long().required(), doc: variant(), nothing: unknown(), more: struct({ v: variant() }) });
const documentRows = [
	{ id: 1n, doc: { name: 'Zürich 😀', sizes: [1, 2.5, null, true], in: { empty: {}, none: [] } }, more: { v: 'text' } },
	{ id: 2n },
	{ id: 3n, doc: [1, -70_000, 3_000_000_000, 'x'.repeat(100)], more: { v: { a: [{ b: 1 }] } } },
	{ id: 4n, doc: 12, more: null },
	{ id: 5n, doc: false, more: { v: [] } },
];

// POINT (30 10) and LINESTRING (30 10, 10 30), little-endian WKB
const POINT = '01010000000000000000003e400000000000002440';
const LINE = '0102000000020000000000000000003e40000000000000244000000000000024400000000000003e40';

export const sampleTables: readonly SampleTable[] = [
	{ name: 'primitives', schema: primitives, options: {}, appends: [primitiveRows], engines: ALL },
	{ name: 'primitives_v1', schema: primitives, options: { formatVersion: 1 }, appends: [primitiveRows], engines: ALL },
	{ name: 'primitives_v3', schema: primitives, options: { formatVersion: 3 }, appends: [primitiveRows], engines: ALL },
	{
		name: 'times_of_day',
		schema: schema({ id: long().required(), at: time() }),
		options: { partitionBy: ['bucket(2, at)'] },
		appends: [
			[
				{ id: 1n, at: '00:00:00.000000' },
				{ id: 2n, at: '23:59:59.999999' },
				{ id: 3n },
				{ id: 4n, at: '12:34:56.000001' },
			],
		],
		// Spark has no such type
		engines: ['pyiceberg', 'duckdb'],
	},
	{ name: 'nested', schema: nested, options: {}, appends: [nestedRows], engines: ALL },
	// PyIceberg takes a list or map of structs that is null for an empty one; what stands in the file is tested beside
	{
		name: 'null_collections',
		schema: nested,
		options: {},
		appends: [nullCollectionRows],
		engines: ['duckdb', 'spark'],
	},
	{
		name: 'by_identity',
		schema: sources,
		options: { partitionBy: ['truth', 'i', 'l', 'dec', 'day', 'text', 'bin'] },
		appends: [sourceRows],
		engines: ALL,
	},
	{
		name: 'by_identity_of_times',
		schema: sources,
		options: { partitionBy: ['wall', 'instant'] },
		appends: [sourceRows],
		engines: ALL,
	},
	{
		name: 'by_bucket',
		schema: sources,
		options: {
			partitionBy: ['i', 'l', 'dec', 'day', 'wall', 'instant', 'text', 'uid', 'bin'].map(
				(name) => `bucket(3, ${name})`,
			),
		},
		appends: [sourceRows],
		engines: ALL,
	},
	{
		name: 'by_truncate',
		schema: sources,
		options: {
			partitionBy: [
				'truncate(10, i)',
				'truncate(1000, l)',
				'truncate(50, dec)',
				'truncate(8, text)',
				'truncate(2, bin)',
			],
		},
		appends: [sourceRows],
		engines: ALL,
	},
	{
		name: 'by_time',
		schema: sources,
		options: { partitionBy: ['year(day)', 'month(instant)', 'day(wall)'] },
		appends: [sourceRows],
		engines: ALL,
	},
	{
		name: 'by_hour',
		schema: sources,
		options: { partitionBy: ['hour(instant)', 'day(day)', 'year(wall)'] },
		appends: [sourceRows],
		engines: ALL,
	},
	{
		name: 'by_void',
		schema: sources,
		options: { partitionBy: ['void(text)', 'truth'] },
		appends: [sourceRows],
		engines: ALL,
	},
	{
		name: 'sorted',
		schema: log,
		options: { partitionBy: ['status'], sortBy: ['duration_ms desc nulls last', 'run_id asc nulls first'] },
		appends: [logRows(0, 300)],
		engines: ALL,
	},
	{
		name: 'snapshots',
		schema: log,
		options: { partitionBy: ['day(started_at)'], properties: { 'commit.manifest.min-count-to-merge': '3' } },
		appends: Array.from({ length: 8 }, (_, n) => logRows(n * 10, 10)),
		engines: ALL,
	},
	// DuckDB has no zoned nanoseconds, Spark none at all
	{ name: 'nanoseconds', schema: nanos, options: { formatVersion: 3 }, appends: [nanosRows], engines: ['pyiceberg'] },
	{
		name: 'nanoseconds_by_day',
		schema: schema({ id: long().required(), wall: timestampNs() }),
		options: { formatVersion: 3, partitionBy: ['day(wall)'], sortBy: ['wall'] },
		appends: [nanosRows.map(({ id, wall }) => ({ id, wall }))],
		engines: ['pyiceberg', 'duckdb'],
	},
	{
		name: 'unknowns',
		schema: schema({ id: long().required(), nothing: unknown(), some: string() }),
		options: { formatVersion: 3 },
		appends: [[{ id: 1n, some: 'a' }, { id: 2n }]],
		engines: ['pyiceberg', 'spark'],
	},
	// PyIceberg has no variants; DuckDB none yet in Iceberg tables
	{ name: 'documents', schema: documents, options: { formatVersion: 3 }, appends: [documentRows], engines: ['spark'] },
	{
		// PyIceberg fails on how Java and the specification spell the type
		name: 'places',
		schema: schema({ id: long().required(), place: geometry() }),
		options: { formatVersion: 3 },
		appends: [[{ id: 1n, place: bytes(POINT) }, { id: 2n }, { id: 3n, place: bytes(LINE) }]],
		engines: ['duckdb', 'spark'],
	},
	{ name: 'empty', schema: log, options: {}, appends: [], engines: ALL },
];

/** Writes those tables that an engine can read. */
export async function writeSamplesFor(engine: PeerName, warehouse: string): Promise<Map<string, WrittenTable>> {
	const written = new Map<string, WrittenTable>();
	for (const sample of samplesFor(engine)) written.set(sample.name, await writeSample(warehouse, sample));
	return written;
}

export function samplesFor(engine: PeerName): SampleTable[] {
	return sampleTables.filter(({ engines }) => engines.includes(engine));
}

/** Makes the table below `warehouse/db`. */
export async function writeSample(warehouse: string, sample: SampleTable): Promise<WrittenTable> {
	const table = await createTable(join(warehouse, 'db', sample.name), sample.schema, sample.options);
	for (const rows of sample.appends) await table.append(rows);
	return {
		...sample,
		table,
		metadataLocation: table.metadataLocation,
		rows: canonicalRows(sample.schema, sample.appends.flat()),
	};
}
