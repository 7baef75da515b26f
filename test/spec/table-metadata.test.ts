import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { encodeTableMetadata, parseTableMetadata, serializeTableMetadata } from '../../src/spec/table-metadata-json.ts';
import {
	ancestorsOf,
	currentSchema,
	currentSnapshot,
	isAncestorOf,
	partitionTypeIn,
	refByName,
	schemaById,
	schemaOfSnapshot,
	snapshotAsOf,
	snapshotById,
	snapshotByRef,
	specById,
} from '../../src/spec/table-metadata-lookup.ts';
import type { JsonValue } from '../../src/spec/types.ts';
import { parseJson, stringifyJson } from '../../src/util/json.ts';
import { sharedDir } from '../support/shared.ts';

type JsonObject = { [key: string]: JsonValue };

const v2 = `{
	"format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "/t", "last-sequence-number": 34,
	"last-updated-ms": 1602638573590, "last-column-id": 3, "current-schema-id": 1,
	"schemas": [
		{"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "x", "required": true, "type": "long"}]},
		{"type": "struct", "schema-id": 1, "identifier-field-ids": [1], "fields": [
			{"id": 1, "name": "x", "required": true, "type": "long"}, {"id": 2, "name": "y", "required": false, "type": "string"}], "odd": 1}],
	"default-spec-id": 0, "partition-specs": [{"spec-id": 0, "fields": [{"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}]}],
	"last-partition-id": 1000, "default-sort-order-id": 0, "sort-orders": [{"order-id": 0, "fields": []}],
	"properties": {"a": "b", "__proto__": "c"}, "current-snapshot-id": 3055729675574597004,
	"snapshots": [
		{"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770, "sequence-number": 0, "summary": {"operation": "append"}, "manifest-list": "/t/1.avro"},
		{"snapshot-id": 3055729675574597004, "parent-snapshot-id": 3051729675574597004, "timestamp-ms": 1555100955770, "sequence-number": 1,
			"summary": {"operation": "append", "engine": "x"}, "manifest-list": "/t/2.avro", "schema-id": 1, "later": {"n": 9007199254740993}}],
	"snapshot-log": [
		{"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770}, {"snapshot-id": 3055729675574597004, "timestamp-ms": 1555100955770}],
	"metadata-log": [{"metadata-file": "/t/v1.json", "timestamp-ms": 1515100955770}],
	"refs": {"main": {"snapshot-id": 3055729675574597004, "type": "branch"},
		"constructor": {"snapshot-id": 3051729675574597004, "type": "tag", "max-ref-age-ms": 9223372036854775807, "later": true}},
	"statistics": [{"snapshot-id": 3055729675574597004, "statistics-path": "/t/s.puffin", "blob-metadata": []}], "partition-statistics": [],
	"unknown-key": [1.5, 9223372036854775807, {"deep": null}]
}`;

function change(more: JsonObject): string {
	const json = { ...(parseJson(v2) as JsonObject), ...more };
	for (const key of Object.keys(json)) if (json[key] === undefined) delete json[key];
	return stringifyJson(json);
}
const without = (key: string): string => change({ [key]: undefined as never });

describe('table metadata', () => {
	const metadata = parseTableMetadata(v2, '/t/v2.json');

	it('is read with exact ids', () => {
		expect(metadata.currentSnapshotId).toBe(3055729675574597004n);
		expect(metadata.snapshots[1]?.parentSnapshotId).toBe(3051729675574597004n);
		expect(metadata.lastSequenceNumber).toBe(34n);
		expect(metadata.lastUpdatedMs).toBe(1602638573590);
		expect(metadata.statistics[0]?.snapshotId).toBe(3055729675574597004n);
		expect(Object.keys(metadata.properties)).toEqual(['a', '__proto__']);
	});

	it('is written back as equal JSON, unknown keys and an age beyond 2^53 included', () => {
		const expected = parseJson(v2) as JsonObject;
		// A sequence number of 0 is what a missing one means.
		delete ((expected['snapshots'] as JsonObject[])[0] as JsonObject)['sequence-number'];
		expect(parseJson(serializeTableMetadata(metadata))).toEqual(expected);
		expect(refByName(metadata, 'constructor')?.maxRefAgeMs).toBe(Number.MAX_SAFE_INTEGER);
	});

	it('is encoded from parts that are kept, to the same bytes as its text', () => {
		const text = new TextEncoder().encode(serializeTableMetadata(metadata));
		for (let i = 0; i < 2; i++) expect(encodeTableMetadata(metadata)).toEqual(text);
		const [first, second] = metadata.snapshots;
		if (first === undefined || second === undefined) throw new Error('two snapshots expected');
		for (const snapshots of [[second, first], [second], []]) {
			const changed = { ...metadata, snapshots, statistics: [], snapshotLog: [] };
			expect(new TextDecoder().decode(encodeTableMetadata(changed))).toBe(serializeTableMetadata(changed));
		}
	});

	it('is looked through by id, ref and time', () => {
		expect(currentSchema(metadata).schemaId).toBe(1);
		expect(schemaById(metadata, 0)?.fields).toHaveLength(1);
		expect(schemaById(metadata, 9)).toBeUndefined();
		expect(specById(metadata, 0)?.fields).toHaveLength(1);
		expect(partitionTypeIn(metadata, metadata.partitionSpecs[0] as never).fields[0]?.type).toEqual({ kind: 'long' });
		expect(currentSnapshot(metadata)?.manifestList).toBe('/t/2.avro');
		expect(snapshotById(metadata, 1n)).toBeUndefined();
		expect(snapshotByRef(metadata, 'main')?.snapshotId).toBe(3055729675574597004n);
		expect(snapshotByRef(metadata, 'toString')).toBeUndefined();
		expect(schemaOfSnapshot(metadata, metadata.snapshots[0] as never).schemaId).toBe(1);
		expect(snapshotAsOf(metadata, 1515100955769)).toBeUndefined();
		expect(snapshotAsOf(metadata, 1515100955770)?.snapshotId).toBe(3051729675574597004n);
		expect(snapshotAsOf(metadata, 1555100955769)?.snapshotId).toBe(3051729675574597004n);
		expect(snapshotAsOf(metadata, 9e15)?.snapshotId).toBe(3055729675574597004n);
		expect([...ancestorsOf(metadata, metadata.currentSnapshotId)].map((s) => s.snapshotId)).toEqual([
			3055729675574597004n,
			3051729675574597004n,
		]);
		expect(isAncestorOf(metadata, metadata.currentSnapshotId, 3051729675574597004n)).toBe(true);
		expect(isAncestorOf(metadata, 3051729675574597004n, 3055729675574597004n)).toBe(false);
	});

	it('takes -1, null and nothing as no current snapshot', () => {
		for (const id of [-1, null, undefined]) {
			const text = change({ 'current-snapshot-id': id as never, refs: {} });
			expect(parseTableMetadata(text, 'x').currentSnapshotId).toBeUndefined();
			expect(
				(parseJson(serializeTableMetadata(parseTableMetadata(text, 'x'))) as JsonObject)['current-snapshot-id'],
			).toBe(-1);
		}
	});

	it('makes a main branch of the current snapshot where writers left the refs out', () => {
		expect(parseTableMetadata(without('refs'), 'x').refs).toEqual({
			main: { snapshotId: 3055729675574597004n, type: 'branch' },
		});
	});

	it('writes null for no current snapshot in v3, with its own keys', () => {
		const text = change({
			'format-version': 3,
			'next-row-id': 9223372036854775807n,
			'current-snapshot-id': null as never,
			refs: {},
			'encryption-keys': [{ 'key-id': 'k' }],
		});
		const v3 = parseTableMetadata(text, 'x');
		expect(v3.nextRowId).toBe(9223372036854775807n);
		expect(parseJson(serializeTableMetadata(v3))).toMatchObject({
			'current-snapshot-id': null,
			'next-row-id': 9223372036854775807n,
			'encryption-keys': [{ 'key-id': 'k' }],
		});
	});

	it.each([
		['location', /location is missing/],
		['table-uuid', /table-uuid is missing/],
		['last-sequence-number', /last-sequence-number is missing/],
		['last-updated-ms', /last-updated-ms is missing/],
		['last-column-id', /last-column-id is missing/],
		['schemas', /schemas is missing/],
		['current-schema-id', /current-schema-id is missing/],
		['partition-specs', /partition-specs is missing/],
		['default-spec-id', /default-spec-id is missing/],
		['last-partition-id', /last-partition-id is missing/],
		['sort-orders', /sort-orders is missing/],
		['default-sort-order-id', /default-sort-order-id is missing/],
		['format-version', /format-version is missing/],
	])('refuses v2 without %s, naming the key and the location', (key, message) => {
		expect(() => parseTableMetadata(without(key), '/t/v9.json')).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		expect(() => parseTableMetadata(without(key), '/t/v9.json')).toThrow(message);
		expect(() => parseTableMetadata(without(key), '/t/v9.json')).toThrow('/t/v9.json');
	});

	const snapshot = (more: JsonObject): JsonObject => ({
		'snapshot-id': 7,
		'timestamp-ms': 1,
		'manifest-list': 'x',
		...more,
	});
	it.each<[string, JsonObject, RegExp]>([
		['a version below 1', { 'format-version': 0 }, /format-version/],
		[
			'a current schema that is not there',
			{ 'current-schema-id': 5 },
			/current-schema-id: expected the id of one of 'schemas', found 5/,
		],
		['a default spec that is not there', { 'default-spec-id': 5 }, /default-spec-id/],
		['a default order that is not there', { 'default-sort-order-id': 5 }, /default-sort-order-id/],
		['a current snapshot that is not there', { 'current-snapshot-id': 5, refs: {} }, /current-snapshot-id/],
		['a ref to no snapshot', { refs: { t: { 'snapshot-id': 5, type: 'tag' } } }, /refs.t.snapshot-id/],
		['another main branch', { refs: { main: { 'snapshot-id': 3051729675574597004n, type: 'branch' } } }, /refs.main/],
		['a main branch without a current snapshot', { 'current-snapshot-id': -1 }, /refs.main/],
		['a ref of an unknown type', { refs: { t: { 'snapshot-id': 5, type: 'twig' } } }, /refs.t.type/],
		[
			'a snapshot without id',
			{ snapshots: [{ 'timestamp-ms': 1 }], refs: {}, 'current-snapshot-id': -1 },
			/snapshots\[0\].snapshot-id is missing/,
		],
		[
			'a snapshot without manifests',
			{ snapshots: [{ 'snapshot-id': 7, 'timestamp-ms': 1 }], refs: {}, 'current-snapshot-id': -1 },
			/snapshots\[0\].manifests is missing/,
		],
		[
			'a snapshot id as text',
			{ snapshots: [snapshot({ 'snapshot-id': '7' })], refs: {}, 'current-snapshot-id': -1 },
			/snapshots\[0\].snapshot-id: expected an integer of 64 bits, found "7"/,
		],
		[
			'a snapshot id beyond 64 bits',
			{ snapshots: [snapshot({ 'snapshot-id': 2n ** 63n })], refs: {}, 'current-snapshot-id': -1 },
			/64 bits/,
		],
		[
			'two snapshots of one id',
			{ snapshots: [snapshot({}), snapshot({})], refs: {}, 'current-snapshot-id': -1 },
			/snapshots\[1\].snapshot-id/,
		],
		[
			'a sequence number above the last',
			{ snapshots: [snapshot({ 'sequence-number': 35 })], refs: {}, 'current-snapshot-id': -1 },
			/snapshots\[0\].sequence-number/,
		],
		[
			'a summary of numbers',
			{ snapshots: [snapshot({ summary: { operation: 1 } })], refs: {}, 'current-snapshot-id': -1 },
			/snapshots\[0\].summary.operation/,
		],
		['properties that are no texts', { properties: { a: 1 } }, /properties.a: expected text, found 1/],
		[
			'a field id used twice',
			{
				schemas: [
					{
						type: 'struct',
						'schema-id': 1,
						fields: [1, 1].map((id, i) => ({ id, name: `f${i}`, required: true, type: 'int' })),
					},
				],
			},
			/field id 1 is used twice/,
		],
		[
			'a broken type',
			{
				schemas: [
					{ type: 'struct', 'schema-id': 1, fields: [{ id: 1, name: 'a', required: true, type: 'decimal(50, 2)' }] },
				],
			},
			/schemas\[0\].fields\[0\].type/,
		],
	])('refuses %s', (_what, more, message) => {
		expect(() => parseTableMetadata(change(more), 'file')).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		expect(() => parseTableMetadata(change(more), 'file')).toThrow(message);
	});

	it('refuses newer format versions as unsupported', () => {
		expect(() => parseTableMetadata(change({ 'format-version': 4 }), 'file')).toThrow(
			expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringMatching(/file.*version 4/) as string }),
		);
	});

	it('reads and writes v1 with single and listed schemas and specs', () => {
		const v1 = {
			'format-version': 1,
			location: '/t',
			'last-updated-ms': 1,
			'last-column-id': 2,
			schema: {
				type: 'struct',
				fields: [
					{ id: 1, name: 'x', required: true, type: 'long' },
					{ id: 2, name: 'y', required: true, type: 'date' },
				],
			},
			'partition-spec': [
				{ name: 'x', transform: 'identity', 'source-id': 1 },
				{ name: 'y_day', transform: 'day', 'source-id': 2 },
			],
			properties: {},
			'current-snapshot-id': -1,
			snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 2, manifests: ['/t/m1.avro'] }],
		};
		const parsed = parseTableMetadata(stringifyJson(v1), 'x');
		expect(parsed).toMatchObject({
			formatVersion: 1,
			lastSequenceNumber: 0n,
			currentSchemaId: 0,
			defaultSpecId: 0,
			lastPartitionId: 1001,
			defaultSortOrderId: 0,
		});
		expect(parsed.tableUuid).toBeUndefined();
		expect(parsed.partitionSpecs[0]?.fields.map((f) => f.fieldId)).toEqual([1000, 1001]);
		expect(parsed.snapshots[0]).toMatchObject({ manifests: ['/t/m1.avro'], sequenceNumber: 0n });
		const written = parseJson(serializeTableMetadata(parsed)) as JsonObject;
		expect(written).toMatchObject(v1);
		expect(written).toMatchObject({
			schemas: [v1.schema],
			'partition-specs': [{ 'spec-id': 0, fields: v1['partition-spec'] }],
			'last-partition-id': 1001,
		});
		expect(written).not.toHaveProperty('last-sequence-number');
		expect(parseTableMetadata(stringifyJson(written), 'x')).toEqual(parsed);
	});

	it('throws IcebergError alone for text cut anywhere', () => {
		for (let end = 0; end < v2.length; end += 7) {
			expect(() => parseTableMetadata(v2.slice(0, end), 'cut')).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		}
	});

	it('throws IcebergError alone for any value in any place', () => {
		const junk = fc.constantFrom<JsonValue>(
			null,
			true,
			-1,
			1.5,
			2 ** 40,
			2n ** 70n,
			'',
			'x',
			[],
			{},
			[null],
			{ a: 1 },
			[[]],
			[{}],
		);
		fc.assert(
			fc.property(fc.nat(), junk, (place, value) => {
				const json = parseJson(v2);
				replaceAt(json, place, value);
				try {
					const result = parseTableMetadata(stringifyJson(json), 'junk');
					// What is taken can be written and read again.
					const text = serializeTableMetadata(result);
					expect(parseTableMetadata(text, 'again')).toEqual(result);
					expect(new TextDecoder().decode(encodeTableMetadata(result))).toBe(text);
				} catch (error) {
					if (!isIcebergError(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
				}
			}),
			{ numRuns: 2_000 },
		);
	});
});

/** Puts a value in the place of the n-th one, counted through the whole tree. */
function replaceAt(root: JsonValue, n: number, value: JsonValue): void {
	const places: (() => void)[] = [];
	const visit = (node: JsonValue): void => {
		if (node === null || typeof node !== 'object') return;
		for (const key of Object.keys(node)) {
			const container = node as JsonObject;
			places.push(() => {
				container[key] = value;
			});
			visit(container[key] as JsonValue);
		}
	};
	visit(root);
	places[n % places.length]?.();
}

function metadataFiles(folder: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && /\.metadata\.json(\.gz)?$/.test(entry.name))
		.map((entry) => join(entry.parentPath, entry.name))
		.sort();
}

function readText(file: string): string {
	const bytes = readFileSync(file);
	return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** What `written` says otherwise than `original`, where it is more than leaving out or adding what is implied. */
function differences(original: JsonValue | undefined, written: JsonValue | undefined, at: string): string[] {
	if (isObject(original) && isObject(written)) {
		const keys = new Set([...Object.keys(original), ...Object.keys(written)]);
		return [...keys].flatMap((key) => differences(original[key], written[key], `${at}.${key}`));
	}
	if (Array.isArray(original) && Array.isArray(written) && original.length === written.length) {
		return original.flatMap((item, i) => differences(item, written[i], `${at}[]`));
	}
	const implied =
		(original === undefined && IMPLIED.test(at)) ||
		(written === undefined && stringifyJson(original as JsonValue) === '[]' && at.endsWith('.identifier-field-ids')) ||
		(written === undefined && original === 0 && at.endsWith('.sequence-number')) ||
		(typeof original === 'string' && at.endsWith('-default') && original.toLowerCase() === written);
	return implied || stringifyJson(original ?? null) === stringifyJson(written ?? null)
		? []
		: [`${at}: ${stringifyJson(original ?? null)} -> ${stringifyJson(written ?? null)}`];
}
/** Keys that writers may leave out and that we write with what leaving them out means. */
const IMPLIED =
	/^(\.schema\.schema-id|\.(schemas|current-schema-id|partition-specs|default-spec-id|last-partition-id|sort-orders|default-sort-order-id|properties|current-snapshot-id|refs|snapshots|statistics|partition-statistics|snapshot-log|metadata-log))$/;

function isObject(json: JsonValue | undefined): json is JsonObject {
	return typeof json === 'object' && json !== null && !Array.isArray(json);
}

const shared = sharedDir();
describe.skipIf(shared === undefined)('metadata of other writers (skipped without ../shared)', () => {
	const folder = shared as string;

	it('is written back as equal JSON, file by file', () => {
		const files = metadataFiles(join(folder, 'corpus/warehouse')).filter(
			(file) => !readText(file).includes('"view-uuid"'),
		);
		expect(files.length).toBeGreaterThan(400);
		const failures: string[] = [];
		for (const file of files) {
			const text = readText(file);
			const metadata: TableMetadata = parseTableMetadata(text, file);
			const written = serializeTableMetadata(metadata);
			expect(new TextDecoder().decode(encodeTableMetadata(metadata))).toBe(written);
			failures.push(
				...differences(parseJson(text), parseJson(written), '').map((line) => `${relative(folder, file)}${line}`),
			);
			expect(parseTableMetadata(written, file)).toEqual(metadata);
		}
		expect(failures).toEqual([]);
	});

	it.each([
		['TableMetadataV1Valid', 1],
		['TableMetadataV2Valid', 2],
		['TableMetadataV2ValidMinimal', 2],
		['TableMetadataV3ValidMinimal', 3],
		['TableMetadataStatisticsFiles', 2],
		['TableMetadataPartitionStatisticsFiles', 2],
	])("Java's %s is read", (name, version) => {
		const text = readText(join(folder, `clients/vectors/${name}.json`));
		const metadata = parseTableMetadata(text, name);
		expect(metadata.formatVersion).toBe(version);
		expect(differences(parseJson(text), parseJson(serializeTableMetadata(metadata)), '')).toEqual([]);
	});

	it.each([
		['TableMetadataUnsupportedVersion', 'UNSUPPORTED'],
		['TableMetadataV1MissingSchemaType', 'CORRUPT'],
		['TableMetadataV2CurrentSchemaNotFound', 'CORRUPT'],
		['TableMetadataV2MissingLastPartitionId', 'CORRUPT'],
		['TableMetadataV2MissingPartitionSpecs', 'CORRUPT'],
		['TableMetadataV2MissingSchemas', 'CORRUPT'],
		['TableMetadataV2MissingSortOrder', 'CORRUPT'],
	])("Java's %s is refused", (name, code) => {
		const text = readText(join(folder, `clients/vectors/${name}.json`));
		expect(() => parseTableMetadata(text, name)).toThrow(expect.objectContaining({ code }));
	});
});
