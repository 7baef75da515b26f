import { describe, expect, it } from 'vitest';
import { partitionPath } from '../../src/spec/partition-path.ts';
import {
	isPartitioned,
	parsePartitionSpec,
	partitionType,
	specsCompatible,
	UNPARTITIONED,
	validatePartitionSpec,
} from '../../src/spec/partition-spec.ts';
import { partitionSpecFromJson, partitionSpecToJson } from '../../src/spec/partition-spec-json.ts';
import {
	double,
	int,
	list,
	long,
	schema,
	string,
	struct,
	timestamptz,
	variant,
} from '../../src/spec/schema-builder.ts';
import { parseSortOrder, sortOrdersEqual, UNSORTED, validateSortOrder } from '../../src/spec/sort-order.ts';
import { sortOrderFromJson, sortOrderToJson } from '../../src/spec/sort-order-json.ts';
import { typeToString } from '../../src/spec/type-json.ts';
import type { JsonValue } from '../../src/spec/types.ts';

const events = schema({
	id: long().required(),
	ts: timestamptz(),
	region: string(),
	score: double(),
	at: struct({ zone: string() }),
	tags: list(string()),
	doc: variant(),
	'day(ts)': int(),
	'odd name': string(),
});

describe('parsePartitionSpec', () => {
	it('names fields as other writers name them, with ids from 1000', () => {
		const spec = parsePartitionSpec(events, [
			'hours(ts)',
			'bucket(16, id)',
			'truncate(4, region)',
			'region',
			'at.zone',
			'void(score)',
		]);
		expect(partitionSpecToJson(spec)).toEqual({
			'spec-id': 0,
			fields: [
				{ 'source-id': 2, 'field-id': 1000, name: 'ts_hour', transform: 'hour' },
				{ 'source-id': 1, 'field-id': 1001, name: 'id_bucket', transform: 'bucket[16]' },
				{ 'source-id': 3, 'field-id': 1002, name: 'region_trunc', transform: 'truncate[4]' },
				{ 'source-id': 3, 'field-id': 1003, name: 'region', transform: 'identity' },
				{ 'source-id': 10, 'field-id': 1004, name: 'at.zone', transform: 'identity' },
				{ 'source-id': 4, 'field-id': 1005, name: 'score_null', transform: 'void' },
			],
		});
	});

	it('takes a name, quotes, the number last, and a column that looks like a call', () => {
		const spec = parsePartitionSpec(events, ['month("ts") as m', 'bucket(id, 4)', '`odd name`', 'day(ts)'], {
			firstFieldId: 1005,
			specId: 3,
		});
		expect(spec.specId).toBe(3);
		expect(spec.fields.map((f) => [f.fieldId, f.sourceId, f.name, f.transform.kind])).toEqual([
			[1005, 2, 'm', 'month'],
			[1006, 1, 'id_bucket', 'bucket'],
			[1007, 9, 'odd name', 'identity'],
			[1008, 8, 'day(ts)', 'identity'],
		]);
	});

	it.each([
		['nope', /no column 'nope'.*'id', 'ts'/],
		['week(ts)', /no transform 'week'/],
		['hour(id)', /hour takes no long/],
		['day(region)', /day takes no string/],
		['bucket(0, id)', /number from 1 up/],
		['bucket(id)', /number from 1 up/],
		['bucket(4, score)', /bucket takes no double/],
		['tags', /identity takes no list<string>/],
		['tags.element', /inside of a list/],
		['doc', /identity takes no variant/],
		['at', /identity takes no struct/],
		['day(ts) as region', /name is that of a column/],
	])('refuses %s', (text, message) => {
		expect(() => parsePartitionSpec(events, [text])).toThrow(expect.objectContaining({ code: 'INVALID_SCHEMA' }));
		expect(() => parsePartitionSpec(events, [text])).toThrow(message);
	});

	it('refuses two fields of one name or one meaning', () => {
		expect(() => parsePartitionSpec(events, ['bucket(4, id)', 'bucket(8, id)'])).toThrow(
			/two partition fields go by this name/,
		);
		expect(() => parsePartitionSpec(events, ['month(ts)', 'hour(ts)'])).toThrow(/'ts_hour': it repeats/);
		expect(() => parsePartitionSpec(events, ['bucket(4, id)', 'bucket(4, id) as b'])).toThrow(/'b': it repeats/);
		expect(parsePartitionSpec(events, ['bucket(4, id)', 'bucket(8, id) as b']).fields).toHaveLength(2);
	});
});

describe('partition specs', () => {
	it('have a type of optional fields under the ids of the partition fields', () => {
		const spec = parsePartitionSpec(events, ['month(ts)', 'bucket(4, id)', 'region', 'truncate(2, id)']);
		expect(
			partitionType(spec, events).fields.map((f) => `${f.id} ${f.name} ${typeToString(f.type)} ${f.required}`),
		).toEqual([
			'1000 ts_month int false',
			'1001 id_bucket int false',
			'1002 region string false',
			'1003 id_trunc long false',
		]);
	});

	it('find the type of a dropped column in an older schema, and are unknown without one', () => {
		const spec = parsePartitionSpec(events, ['region', 'bucket(4, id)']);
		const without = schema({ ts: timestamptz().id(2) });
		expect(partitionType(spec, without).fields.map((f) => f.type.kind)).toEqual(['unknown', 'int']);
		expect(partitionType(spec, without, events).fields.map((f) => f.type.kind)).toEqual(['string', 'int']);
	});

	it('are partitioned when a field is not void', () => {
		expect(isPartitioned(UNPARTITIONED)).toBe(false);
		expect(isPartitioned(parsePartitionSpec(events, ['void(id)']))).toBe(false);
		expect(isPartitioned(parsePartitionSpec(events, ['region']))).toBe(true);
	});

	it('are told apart by their fields, not their ids', () => {
		const a = parsePartitionSpec(events, ['region']);
		expect(specsCompatible(a, { ...a, specId: 9, fields: a.fields.map((f) => ({ ...f, fieldId: 1234 })) })).toBe(true);
		expect(specsCompatible(a, parsePartitionSpec(events, ['region as r']))).toBe(false);
		expect(specsCompatible(a, UNPARTITIONED)).toBe(false);
	});

	it('keep keys, transforms and multiple sources that are not known', () => {
		const json: JsonValue = {
			'spec-id': 2,
			fields: [
				{ 'source-ids': [1, 3], 'field-id': 1000, name: 'z', transform: 'zorder[3]', 'future-key': 1 },
				{ 'source-id': 1, 'field-id': 1001, name: 'b', transform: 'bucket[4]' },
			],
			'future-key': [9007199254740993n],
		};
		const spec = partitionSpecFromJson(json);
		expect(spec.fields[0]).toMatchObject({ sourceId: 1, sourceIds: [1, 3], transform: { kind: 'unknown' } });
		expect(partitionSpecToJson(spec)).toEqual(json);
		expect(() => validatePartitionSpec(spec, events)).toThrow(/zorder\[3\] takes no long/);
	});

	it.each<[JsonValue, RegExp]>([
		[{ fields: [] }, /spec-id is missing/],
		[{ 'spec-id': 0, fields: {} }, /fields: expected a list/],
		[{ 'spec-id': 0, fields: [{ name: 'a', transform: 'day' }] }, /fields\[0\].source-id is missing/],
		[{ 'spec-id': 0, fields: [{ 'source-id': 1, transform: 'day' }] }, /fields\[0\].name is missing/],
		[{ 'spec-id': 0, fields: [{ 'source-ids': [], name: 'a', transform: 'day' }] }, /at least one id/],
		[{ 'spec-id': 4294967296, fields: [] }, /spec-id: expected an integer of 32 bits/],
	])('refuse %j', (json, message) => {
		expect(() => partitionSpecFromJson(json)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		expect(() => partitionSpecFromJson(json)).toThrow(message);
	});

	it('give readable folder names that name one folder each', () => {
		const spec = parsePartitionSpec(events, ['day("ts")', 'region', 'bucket(4, id)']);
		const type = partitionType(spec, events);
		expect(partitionPath(spec, type, [19782, 'a/b c=ü%..', null])).toBe(
			'ts_day=2024-02-29/region=a%2Fb+c%3D%C3%BC%25../id_bucket=null',
		);
		expect(partitionPath(UNPARTITIONED, { kind: 'struct', fields: [] }, [])).toBe('');
	});
});

describe('sort orders', () => {
	it('are read from texts, ascending with nulls first or descending with nulls last when nothing is said', () => {
		const order = parseSortOrder(events, [
			'ts desc',
			'region',
			'bucket(4, id) ASC NULLS LAST',
			'"odd name" desc nulls first',
		]);
		expect(sortOrderToJson(order)).toEqual({
			'order-id': 1,
			fields: [
				{ transform: 'identity', 'source-id': 2, direction: 'desc', 'null-order': 'nulls-last' },
				{ transform: 'identity', 'source-id': 3, direction: 'asc', 'null-order': 'nulls-first' },
				{ transform: 'bucket[4]', 'source-id': 1, direction: 'asc', 'null-order': 'nulls-last' },
				{ transform: 'identity', 'source-id': 9, direction: 'desc', 'null-order': 'nulls-first' },
			],
		});
		expect(sortOrderFromJson(sortOrderToJson(order))).toEqual(order);
		expect(parseSortOrder(events, [])).toBe(UNSORTED);
	});

	it('are equal when their fields are', () => {
		const order = parseSortOrder(events, ['ts']);
		expect(sortOrdersEqual(order, { ...order, orderId: 7 })).toBe(true);
		expect(sortOrdersEqual(order, parseSortOrder(events, ['ts desc']))).toBe(false);
		expect(sortOrdersEqual(order, parseSortOrder(events, ['ts nulls last']))).toBe(false);
	});

	it('refuse columns that are not there, and fields in order 0', () => {
		expect(() => parseSortOrder(events, ['nope desc'])).toThrow(/no column 'nope'/);
		const order = parseSortOrder(events, ['ts']);
		expect(() => validateSortOrder({ ...order, orderId: 0 }, events)).toThrow(/order 0/);
		expect(() => validateSortOrder(order, schema({ other: int().id(50) }))).toThrow(/id 2/);
	});

	it.each<[JsonValue, RegExp]>([
		[
			{
				'order-id': 1,
				fields: [{ transform: 'identity', 'source-id': 1, direction: 'up', 'null-order': 'nulls-first' }],
			},
			/direction: expected 'asc' or 'desc', found "up"/,
		],
		[
			{ 'order-id': 1, fields: [{ transform: 'identity', 'source-id': 1, direction: 'asc', 'null-order': 'first' }] },
			/null-order/,
		],
		[{ fields: [] }, /order-id is missing/],
	])('refuse %j', (json, message) => {
		expect(() => sortOrderFromJson(json)).toThrow(message);
	});
});
