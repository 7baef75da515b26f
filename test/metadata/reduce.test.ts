import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { applyUpdates, createMetadata } from '../../src/metadata/reduce.ts';
import type { TableUpdate } from '../../src/metadata/table-update.ts';
import { parsePartitionSpec, UNPARTITIONED } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import { int, long, schema, string, timestamptz } from '../../src/spec/schema-builder.ts';
import { schemaFromJson } from '../../src/spec/schema-json.ts';
import { parseSortOrder, UNSORTED } from '../../src/spec/sort-order.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { parseTableMetadata, serializeTableMetadata } from '../../src/spec/table-metadata-json.ts';
import { currentSchema, defaultSpec } from '../../src/spec/table-metadata-lookup.ts';
import { apply, commit, events, newTable, START_MS, snapshotFor, UUID } from './support.ts';

const table = newTable();
const main = (snapshotId: bigint): TableUpdate => ({
	action: 'set-snapshot-ref',
	refName: 'main',
	ref: { snapshotId, type: 'branch' },
});
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a new table', () => {
	it('has what the updates say and nothing else', () => {
		expect(table).toMatchObject({
			formatVersion: 2,
			tableUuid: UUID,
			location: '/t',
			lastSequenceNumber: 0n,
			lastUpdatedMs: START_MS,
			lastColumnId: 3,
			currentSchemaId: 0,
			defaultSpecId: 0,
			lastPartitionId: 1000,
			sortOrders: [UNSORTED],
			defaultSortOrderId: 0,
			properties: { 'write.parquet.compression-codec': 'zstd' },
			snapshots: [],
			snapshotLog: [],
			metadataLog: [],
			refs: {},
		});
		expect(table.currentSnapshotId).toBeUndefined();
		expect(table.nextRowId).toBeUndefined();
		expect(newTable(3).nextRowId).toBe(0n);
	});

	it.each(['assign-uuid', 'set-location', 'set-current-schema', 'set-default-spec', 'set-default-sort-order'])(
		'is refused without %s',
		(missing) => {
			const updates: TableUpdate[] = [
				{ action: 'assign-uuid', uuid: UUID },
				{ action: 'set-location', location: '/t' },
				{ action: 'add-schema', schema: events },
				{ action: 'set-current-schema', schemaId: -1 },
				{ action: 'add-spec', spec: UNPARTITIONED },
				{ action: 'set-default-spec', specId: -1 },
				{ action: 'add-sort-order', sortOrder: UNSORTED },
				{ action: 'set-default-sort-order', sortOrderId: -1 },
			];
			expect(createMetadata(updates, 1).location).toBe('/t');
			expect(() =>
				createMetadata(
					updates.filter((update) => update.action !== missing),
					1,
				),
			).toThrow(code('INVALID_ARGUMENT'));
		},
	);
});

describe('applyUpdates', () => {
	it('gives the base itself where nothing changes', () => {
		const { schemas, partitionSpecs, sortOrders } = table;
		const updates: TableUpdate[] = [
			{ action: 'assign-uuid', uuid: UUID },
			{ action: 'upgrade-format-version', formatVersion: 2 },
			{ action: 'add-schema', schema: schemas[0] as Schema },
			{ action: 'set-current-schema', schemaId: -1 },
			{ action: 'add-spec', spec: partitionSpecs[0] as never },
			{ action: 'set-default-spec', specId: 0 },
			{ action: 'add-sort-order', sortOrder: sortOrders[0] as never },
			{ action: 'set-default-sort-order', sortOrderId: -1 },
			{ action: 'set-location', location: '/t' },
			{ action: 'set-properties', updates: {} },
			{ action: 'remove-properties', removals: ['nope'] },
			{ action: 'remove-snapshots', snapshotIds: [9n] },
			{ action: 'remove-snapshot-ref', refName: 'nope' },
			{ action: 'remove-statistics', snapshotId: 9n },
			{ action: 'remove-schemas', schemaIds: [9] },
			{ action: 'remove-partition-specs', specIds: [9] },
			{ action: 'remove-encryption-key', keyId: 'k' },
		];
		expect(applyUpdates(table, updates, { nowMs: START_MS + 5, metadataLocation: '/t/v1.json' })).toBe(table);
	});

	it('never changes its base', () => {
		const before = serializeTableMetadata(table);
		commit(apply(table, [{ action: 'set-properties', updates: { a: 'b' } }]), 1n);
		expect(serializeTableMetadata(table)).toBe(before);
	});

	it('sets and removes properties', () => {
		const next = apply(table, [
			{ action: 'set-properties', updates: { a: '1', b: '2' } },
			{ action: 'remove-properties', removals: ['a', 'write.parquet.compression-codec'] },
		]);
		expect(next.properties).toEqual({ b: '2' });
		expect(next.lastUpdatedMs).toBe(START_MS + 10);
		expect(() => apply(table, [{ action: 'set-properties', updates: { a: 1 as never } }])).toThrow(
			/'a' has to be text/,
		);
	});

	it('keeps the uuid of a table, and unknown keys', () => {
		expect(() => apply(table, [{ action: 'assign-uuid', uuid: 'another' }])).toThrow(code('VALIDATION_FAILED'));
		const odd = { ...table, extra: { 'future-key': 1, schema: 'stale' } };
		expect(apply(odd, [{ action: 'set-location', location: '/u' }]).extra).toEqual({
			'future-key': 1,
			schema: 'stale',
		});
		const evolved = apply(odd, [
			{ action: 'add-schema', schema: schema({ ts: timestamptz().id(2), z: int().id(4) }) },
			{ action: 'set-current-schema', schemaId: -1 },
		]);
		expect(evolved.extra).toEqual({ 'future-key': 1 });
	});

	it('refuses actions that are not known', () => {
		expect(() => apply(table, [{ action: 'fold' } as never])).toThrow(code('UNSUPPORTED'));
	});

	it('sets and replaces statistics of a snapshot, and encryption keys', () => {
		const one = commit(table, 1n);
		const entry = (path: string) => ({ snapshotId: 1n, json: { 'snapshot-id': 1, 'statistics-path': path } });
		const next = apply(one, [
			{ action: 'set-statistics', statistics: entry('a') },
			{ action: 'set-statistics', statistics: entry('b') },
			{ action: 'set-partition-statistics', partitionStatistics: entry('c') },
			{ action: 'add-encryption-key', encryptionKey: { 'key-id': 'k', n: 1 } },
			{ action: 'add-encryption-key', encryptionKey: { 'key-id': 'k', n: 2 } },
		]);
		expect(next.statistics).toEqual([entry('b')]);
		expect(next.partitionStatistics).toEqual([entry('c')]);
		expect(next.encryptionKeys).toEqual([{ 'key-id': 'k', n: 1 }]);
		const gone = apply(next, [
			{ action: 'remove-statistics', snapshotId: 1n },
			{ action: 'remove-partition-statistics', snapshotId: 1n },
			{ action: 'remove-encryption-key', keyId: 'k' },
		]);
		expect([gone.statistics, gone.partitionStatistics, gone.encryptionKeys]).toEqual([[], [], []]);
	});
});

describe('format versions', () => {
	it('go up, never down', () => {
		const v3 = apply(newTable(1), [{ action: 'upgrade-format-version', formatVersion: 3 }]);
		expect(v3).toMatchObject({ formatVersion: 3, nextRowId: 0n, lastSequenceNumber: 0n });
		expect(() => apply(table, [{ action: 'upgrade-format-version', formatVersion: 1 }])).toThrow(code('UNSUPPORTED'));
		expect(() => apply(table, [{ action: 'upgrade-format-version', formatVersion: 4 as never }])).toThrow(
			code('UNSUPPORTED'),
		);
	});

	it('need a uuid from v2 on', () => {
		const { tableUuid: _uuid, ...old } = newTable(1);
		expect(() => apply(old, [{ action: 'upgrade-format-version', formatVersion: 2 }])).toThrow(/lacks a uuid/);
		const upgraded = apply(old, [
			{ action: 'assign-uuid', uuid: UUID },
			{ action: 'upgrade-format-version', formatVersion: 2 },
		]);
		expect(upgraded.tableUuid).toBe(UUID);
	});
});

describe('schemas', () => {
	const wider = schema({ id: long().required(), ts: timestamptz(), region: string(), extra: int().id(7) });

	it('get the next id, and -1 stands for the one added last', () => {
		const next = apply(table, [
			{ action: 'add-schema', schema: wider },
			{ action: 'set-current-schema', schemaId: -1 },
		]);
		expect(next.schemas.map((s) => s.schemaId)).toEqual([0, 1]);
		expect(next).toMatchObject({ currentSchemaId: 1, lastColumnId: 7 });
		const back = apply(next, [
			{ action: 'add-schema', schema: events.withSchemaId(12) },
			{ action: 'set-current-schema', schemaId: -1 },
		]);
		expect(back.schemas).toHaveLength(2);
		expect(back).toMatchObject({ currentSchemaId: 0, lastColumnId: 7 });
	});

	it.each<[string, TableUpdate[], string]>([
		['an unknown id', [{ action: 'set-current-schema', schemaId: 9 }], 'INVALID_ARGUMENT'],
		['-1 without one', [{ action: 'set-current-schema', schemaId: -1 }], 'INVALID_ARGUMENT'],
		['a last column id that goes back', [{ action: 'add-schema', schema: wider, lastColumnId: 2 }], 'INVALID_ARGUMENT'],
		[
			'a type of v3',
			[{ action: 'add-schema', schema: new Schema({ fields: [{ id: 5, name: 'v', type: 'variant' }] }) }],
			'INVALID_SCHEMA',
		],
		['a default in v2', [{ action: 'add-schema', schema: schema({ a: int().default(1).id(5) }) }], 'INVALID_SCHEMA'],
		['a reserved id', [{ action: 'add-schema', schema: schema({ a: int().id(2147483447) }) }], 'INVALID_SCHEMA'],
		['removal of the current one', [{ action: 'remove-schemas', schemaIds: [0] }], 'VALIDATION_FAILED'],
		[
			'one without the source of the default spec',
			[
				{ action: 'add-schema', schema: schema({ id: long() }) },
				{ action: 'set-current-schema', schemaId: -1 },
			],
			'INVALID_SCHEMA',
		],
	])('refuses %s', (_what, updates, expected) => {
		expect(() => apply(table, updates)).toThrow(code(expected));
	});

	it('keep the types of others that are not known, but take no new ones', () => {
		const foreign = schemaFromJson({
			type: 'struct',
			'schema-id': 0,
			fields: [{ id: 1, name: 'a', required: false, type: 'interval' }],
		});
		const base: TableMetadata = { ...table, schemas: [foreign], partitionSpecs: [UNPARTITIONED] };
		const withMore = schemaFromJson({
			type: 'struct',
			'schema-id': 0,
			fields: [
				{ id: 1, name: 'a', required: false, type: 'interval' },
				{ id: 4, name: 'b', required: false, type: 'int' },
			],
		});
		expect(apply(base, [{ action: 'add-schema', schema: withMore }]).schemas).toHaveLength(2);
		expect(() => apply(table, [{ action: 'add-schema', schema: foreign }])).toThrow(/'a': there is no type 'interval'/);
	});

	it('can be removed when they are not the current one', () => {
		const next = apply(table, [{ action: 'add-schema', schema: wider }]);
		expect(apply(next, [{ action: 'remove-schemas', schemaIds: [1, 5] }]).schemas.map((s) => s.schemaId)).toEqual([0]);
	});
});

describe('partition specs and sort orders', () => {
	const spec = parsePartitionSpec(events, ['day(ts)', 'region'], { firstFieldId: 1000 });

	it('get the next id; fields with -1 take the id of an equal field or the next free one', () => {
		const next = apply(table, [
			{ action: 'add-spec', spec: { specId: 0, fields: spec.fields.map((field) => ({ ...field, fieldId: -1 })) } },
			{ action: 'set-default-spec', specId: -1 },
		]);
		expect(next).toMatchObject({ defaultSpecId: 1, lastPartitionId: 1001 });
		expect(defaultSpec(next).fields.map((field) => field.fieldId)).toEqual([1000, 1001]);
		const again = apply(next, [
			{ action: 'add-spec', spec: { ...spec, specId: 77 } },
			{ action: 'set-default-spec', specId: -1 },
		]);
		expect(again).toBe(next);
		expect(
			apply(next, [
				{ action: 'set-default-spec', specId: 0 },
				{ action: 'remove-partition-specs', specIds: [1] },
			]).partitionSpecs,
		).toHaveLength(1);
	});

	it('refuse an id that has another meaning already', () => {
		const taken = { specId: 0, fields: [{ ...(spec.fields[1] as never as object), fieldId: 1000 }] } as never;
		expect(() => apply(table, [{ action: 'add-spec', spec: taken }])).toThrow(
			/id 1000 is taken by another field, 'ts_day'/,
		);
	});

	it('refuse v1 specs whose ids do not count from 1000', () => {
		const skipping = parsePartitionSpec(events, ['region'], { firstFieldId: 1001 });
		expect(() => apply(newTable(1), [{ action: 'add-spec', spec: skipping }])).toThrow(/1000, 1001/);
	});

	it.each<[string, TableUpdate[], string]>([
		['an unknown spec', [{ action: 'set-default-spec', specId: 9 }], 'INVALID_ARGUMENT'],
		['an unknown order', [{ action: 'set-default-sort-order', sortOrderId: 9 }], 'INVALID_ARGUMENT'],
		['removal of the default spec', [{ action: 'remove-partition-specs', specIds: [0] }], 'VALIDATION_FAILED'],
		[
			'a spec on a column that is not there',
			[{ action: 'add-spec', spec: parsePartitionSpec(schema({ q: int().id(50) }), ['q']) }],
			'INVALID_SCHEMA',
		],
		[
			'an order on a column that is not there',
			[{ action: 'add-sort-order', sortOrder: parseSortOrder(schema({ q: int().id(50) }), ['q']) }],
			'INVALID_SCHEMA',
		],
	])('refuses %s', (_what, updates, expected) => {
		expect(() => apply(table, updates)).toThrow(code(expected));
	});

	it('number orders from 1, the unsorted one being 0, and reuse equal ones', () => {
		const order = parseSortOrder(events, ['ts desc']);
		const next = apply(table, [
			{ action: 'add-sort-order', sortOrder: { ...order, orderId: 9 } },
			{ action: 'set-default-sort-order', sortOrderId: -1 },
		]);
		expect(next).toMatchObject({ defaultSortOrderId: 1, sortOrders: [UNSORTED, { orderId: 1 }] });
		expect(
			apply(next, [
				{ action: 'add-sort-order', sortOrder: UNSORTED },
				{ action: 'set-default-sort-order', sortOrderId: -1 },
			]).defaultSortOrderId,
		).toBe(0);
	});
});

describe('snapshots and refs', () => {
	const one = commit(table, 1n);
	const two = commit(one, 2n);
	const three = commit(two, 3n);

	it('move main, the current snapshot and the log together', () => {
		expect(two).toMatchObject({ currentSnapshotId: 2n, lastSequenceNumber: 2n, refs: { main: { snapshotId: 2n } } });
		expect(two.snapshotLog).toEqual(two.snapshots.map(({ snapshotId, timestampMs }) => ({ snapshotId, timestampMs })));
		expect(two.lastUpdatedMs).toBe(START_MS + 20);
	});

	it('log a rollback at the time of the change', () => {
		const back = apply(three, [main(1n)], START_MS + 500);
		expect(back.currentSnapshotId).toBe(1n);
		expect(back.snapshotLog.at(-1)).toEqual({ snapshotId: 1n, timestampMs: START_MS + 500 });
		expect(back.snapshots).toHaveLength(3);
	});

	it('refuse a sequence number that is not above the last as a conflict to retry', () => {
		const stale = snapshotFor(one, 9n, { sequenceNumber: 1n });
		expect(() => apply(one, [{ action: 'add-snapshot', snapshot: stale }])).toThrow(
			expect.objectContaining({ code: 'COMMIT_CONFLICT', retryable: true }),
		);
	});

	it('refuse an id that is taken, and refs to nothing', () => {
		expect(() => apply(one, [{ action: 'add-snapshot', snapshot: snapshotFor(one, 1n) }])).toThrow(
			code('VALIDATION_FAILED'),
		);
		expect(() => apply(one, [main(9n)])).toThrow(/no snapshot 9/);
		expect(() =>
			apply(one, [{ action: 'set-snapshot-ref', refName: 'main', ref: { snapshotId: 1n, type: 'tag' } }]),
		).toThrow(/branch/);
		expect(() =>
			apply(one, [{ action: 'set-snapshot-ref', refName: '', ref: { snapshotId: 1n, type: 'tag' } }]),
		).toThrow(/empty/);
		expect(() =>
			apply(one, [
				{ action: 'set-snapshot-ref', refName: 't', ref: { snapshotId: 1n, type: 'tag', minSnapshotsToKeep: 1 } },
			]),
		).toThrow(/tag/);
		expect(() =>
			apply(one, [{ action: 'set-snapshot-ref', refName: 't', ref: { snapshotId: 1n, type: 'tag', maxRefAgeMs: 0 } }]),
		).toThrow(/above 0/);
	});

	it('keep v1 tables without sequence numbers', () => {
		const v1 = commit(newTable(1), 1n);
		expect(v1).toMatchObject({ lastSequenceNumber: 0n, currentSnapshotId: 1n });
		expect(() => commit(v1, 2n, { sequenceNumber: 1n })).toThrow(/version 1 has no sequence number/);
	});

	it('leave a snapshot that was current only in passing out of the log', () => {
		const a = snapshotFor(one, 10n);
		const b = snapshotFor(one, 11n, { sequenceNumber: 3n, parentSnapshotId: 10n });
		const next = apply(one, [
			{ action: 'add-snapshot', snapshot: a },
			main(10n),
			{ action: 'add-snapshot', snapshot: b },
			main(11n),
		]);
		expect(next.snapshotLog.map((entry) => entry.snapshotId)).toEqual([1n, 11n]);
		expect(next.snapshots).toHaveLength(3);
	});

	it('add snapshots to branches and tags without touching the current one', () => {
		const snapshot = snapshotFor(one, 10n);
		const next = apply(one, [
			{ action: 'add-snapshot', snapshot },
			{ action: 'set-snapshot-ref', refName: 'audit', ref: { snapshotId: 10n, type: 'branch', minSnapshotsToKeep: 3 } },
			{ action: 'set-snapshot-ref', refName: '__proto__', ref: { snapshotId: 1n, type: 'tag' } },
		]);
		expect(next).toMatchObject({ currentSnapshotId: 1n, lastSequenceNumber: 2n });
		expect(Object.keys(next.refs).sort()).toEqual(['__proto__', 'audit', 'main']);
		expect(next.snapshotLog).toEqual(one.snapshotLog);
	});

	it('are removed with their statistics and refs, the log up to them with them', () => {
		const tagged = apply(three, [
			{ action: 'set-snapshot-ref', refName: 't', ref: { snapshotId: 2n, type: 'tag' } },
			{ action: 'set-statistics', statistics: { snapshotId: 2n, json: { 'snapshot-id': 2 } } },
		]);
		const next = apply(tagged, [{ action: 'remove-snapshots', snapshotIds: [2n] }]);
		expect(next.snapshots.map((s) => s.snapshotId)).toEqual([1n, 3n]);
		expect(next.snapshotLog.map((e) => e.snapshotId)).toEqual([3n]);
		expect(Object.keys(next.refs)).toEqual(['main']);
		expect(next.statistics).toEqual([]);
		expect(() => apply(three, [{ action: 'remove-snapshots', snapshotIds: [3n] }])).toThrow(code('VALIDATION_FAILED'));
	});

	it('leave no current snapshot when main is removed', () => {
		const next = apply(three, [{ action: 'remove-snapshot-ref', refName: 'main' }]);
		expect(next.currentSnapshotId).toBeUndefined();
		expect(next.refs).toEqual({});
	});

	it('keep the log in order and time from running backwards when the clock does', () => {
		const next = applyUpdates(
			two,
			[{ action: 'add-snapshot', snapshot: snapshotFor(two, 7n, { timestampMs: START_MS - 600_000 }) }, main(7n)],
			{ nowMs: START_MS - 600_000 },
		);
		expect(next.snapshotLog.at(-1)).toEqual({ snapshotId: 7n, timestampMs: two.lastUpdatedMs });
		expect(next.lastUpdatedMs).toBe(two.lastUpdatedMs);
	});

	it('take row ids one after the other in v3', () => {
		const v3 = commit(commit(newTable(3), 1n), 2n, { addedRows: 7n });
		expect(v3.nextRowId).toBe(12n);
		expect(v3.snapshots.map((s) => s.firstRowId)).toEqual([0n, 5n]);
		expect(() => commit(v3, 3n, { firstRowId: 11n })).toThrow(
			expect.objectContaining({ code: 'COMMIT_CONFLICT', retryable: true }),
		);
		expect(commit(v3, 3n, { firstRowId: 20n }).nextRowId).toBe(25n);
		const { firstRowId: _id, ...rest } = snapshotFor(v3, 3n);
		expect(() => apply(v3, [{ action: 'add-snapshot', snapshot: rest }])).toThrow(/first row id/);
	});
});

describe('the metadata log', () => {
	const next = (base: TableMetadata, i: number): TableMetadata =>
		applyUpdates(base, [{ action: 'set-properties', updates: { i: String(i) } }], {
			nowMs: START_MS + i,
			metadataLocation: `/t/v${i}.json`,
		});

	it('names the previous files with the time of their change', () => {
		const result = next(next(table, 1), 2);
		expect(result.metadataLog).toEqual([
			{ metadataFile: '/t/v1.json', timestampMs: START_MS },
			{ metadataFile: '/t/v2.json', timestampMs: START_MS + 1 },
		]);
		expect(apply(result, [{ action: 'set-location', location: '/u' }]).metadataLog).toEqual(result.metadataLog);
	});

	it.each([
		['3', 3],
		['0', 1],
		['-5', 1],
		['x', 100],
	])('keeps as many as write.metadata.previous-versions-max %j says: %d', (value, kept) => {
		let base = newTable(2, { 'write.metadata.previous-versions-max': value });
		for (let i = 1; i <= 104; i++) base = next(base, i);
		expect(base.metadataLog).toHaveLength(kept);
		expect(base.metadataLog.at(-1)?.metadataFile).toBe('/t/v104.json');
	});

	it.each([
		['many snapshots of few data', 'true', 40, '1000', 20],
		['many snapshots of some data', 'true', 40, '2000000', 29],
		['few snapshots', 'true', 2, '1000', 78],
		['much data', 'true', 40, '1000000000', 100],
		['no deletion of old files', 'false', 40, '1000', 100],
		['data of which the size is nonsense', 'true', 40, 'x', 20],
	])('names fewer where their number is not set and their size says so: %s', (_, deletes, count, size, kept) => {
		let base = newTable(2, { 'write.metadata.delete-after-commit.enabled': deletes });
		for (let i = 1; i <= count; i++)
			base = commit(base, BigInt(i), { summary: { operation: 'append', 'total-files-size': size } });
		for (let i = 1; i <= 104; i++) base = next(base, i);
		expect(base.metadataLog).toHaveLength(kept);
		expect(base.metadataLog.at(-1)?.metadataFile).toBe('/t/v104.json');
	});
});

describe('any list of updates', () => {
	const id = fc.bigInt({ min: 1n, max: 6n });
	const update = fc.oneof(
		fc.record({
			snapshotId: id,
			sequence: fc.bigInt({ min: 0n, max: 6n }),
			backMs: fc.integer({ min: -1000, max: 1000 }),
		}),
		id.map(main),
		fc.record({
			action: fc.constant('set-snapshot-ref' as const),
			refName: fc.constantFrom('a', 'b'),
			ref: fc.record({ snapshotId: id, type: fc.constantFrom('branch' as const, 'tag' as const) }),
		}),
		fc.record({ action: fc.constant('remove-snapshots' as const), snapshotIds: fc.array(id, { maxLength: 2 }) }),
		fc.record({ action: fc.constant('remove-snapshot-ref' as const), refName: fc.constantFrom('a', 'main') }),
		fc.constant<TableUpdate>({ action: 'upgrade-format-version', formatVersion: 3 }),
		fc.constantFrom<TableUpdate>(
			{
				action: 'add-schema',
				schema: schema({ id: long().required(), ts: timestamptz(), region: string(), n: int() }),
			},
			{ action: 'set-current-schema', schemaId: -1 },
			{ action: 'set-current-schema', schemaId: 0 },
			{ action: 'add-spec', spec: parsePartitionSpec(events, ['region'], { firstFieldId: 1001 }) },
			{ action: 'set-default-spec', specId: -1 },
		),
	);

	it('gives metadata that any reader takes, or is refused', () => {
		fc.assert(
			fc.property(
				fc.array(fc.tuple(fc.array(update, { maxLength: 4 }), fc.integer({ min: -500, max: 500 })), { maxLength: 8 }),
				(commits) => {
					let state = newTable();
					for (const [updates, step] of commits) {
						const real = updates.map((entry): TableUpdate => {
							if ('action' in entry) return entry;
							const { snapshotId, sequence, backMs } = entry;
							const snapshot = snapshotFor(state, snapshotId, {
								sequenceNumber: state.lastSequenceNumber + sequence,
								timestampMs: state.lastUpdatedMs + backMs,
								firstRowId: state.nextRowId ?? 0n,
								addedRows: 3n,
							});
							return { action: 'add-snapshot', snapshot };
						});
						const before = state;
						try {
							state = apply(state, real, state.lastUpdatedMs + step);
						} catch (error) {
							if (!isIcebergError(error)) throw error;
							continue;
						}
						checkInvariants(before, state);
					}
				},
			),
			{ numRuns: 500 },
		);
	});
});

function checkInvariants(before: TableMetadata, after: TableMetadata): void {
	expect(parseTableMetadata(serializeTableMetadata(after), 'x')).toEqual(after);
	expect(after.lastSequenceNumber).toBeGreaterThanOrEqual(before.lastSequenceNumber);
	expect(after.lastUpdatedMs).toBeGreaterThanOrEqual(before.lastUpdatedMs);
	expect(after.formatVersion).toBeGreaterThanOrEqual(before.formatVersion);
	const times = after.snapshotLog.map((entry) => entry.timestampMs);
	expect(times).toEqual([...times].sort((a, b) => a - b));
	expect(after.lastUpdatedMs).toBeGreaterThanOrEqual(times.at(-1) ?? 0);
	if (after.currentSnapshotId !== undefined) expect(after.snapshotLog.at(-1)?.snapshotId).toBe(after.currentSnapshotId);
	expect(currentSchema(after).findField(1)).toBeDefined();
}
