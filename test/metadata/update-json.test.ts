import { describe, expect, it } from 'vitest';
import { checkRequirements } from '../../src/metadata/requirements.ts';
import type { TableRequirement, TableUpdate } from '../../src/metadata/table-update.ts';
import {
	requirementFromJson,
	requirementToJson,
	updateFromJson,
	updateToJson,
} from '../../src/metadata/update-json.ts';
import { parsePartitionSpec } from '../../src/spec/partition-spec.ts';
import { parseSortOrder } from '../../src/spec/sort-order.ts';
import type { JsonValue } from '../../src/spec/types.ts';
import { parseJson, stringifyJson } from '../../src/util/json.ts';
import { commit, events, newTable, snapshotFor, UUID } from './support.ts';

const BIG = 9223372036854775807n;
const table = newTable();
const statistics = { snapshotId: BIG, json: { 'snapshot-id': BIG, 'statistics-path': '/s' } };

const updates: TableUpdate[] = [
	{ action: 'assign-uuid', uuid: UUID },
	{ action: 'upgrade-format-version', formatVersion: 3 },
	{ action: 'add-schema', schema: events, lastColumnId: 3 },
	{ action: 'set-current-schema', schemaId: -1 },
	{ action: 'add-spec', spec: parsePartitionSpec(events, ['bucket(4, id)']) },
	{ action: 'set-default-spec', specId: -1 },
	{ action: 'add-sort-order', sortOrder: parseSortOrder(events, ['ts desc']) },
	{ action: 'set-default-sort-order', sortOrderId: -1 },
	{ action: 'add-snapshot', snapshot: snapshotFor(table, BIG) },
	{
		action: 'set-snapshot-ref',
		refName: 'main',
		ref: { snapshotId: BIG, type: 'branch', minSnapshotsToKeep: 2, maxSnapshotAgeMs: 3, maxRefAgeMs: 4 },
	},
	{ action: 'remove-snapshot-ref', refName: 'x' },
	{ action: 'remove-snapshots', snapshotIds: [BIG, 1n] },
	{ action: 'set-location', location: '/u' },
	{ action: 'set-properties', updates: { a: 'b' } },
	{ action: 'remove-properties', removals: ['a'] },
	{ action: 'set-statistics', statistics },
	{ action: 'remove-statistics', snapshotId: BIG },
	{ action: 'set-partition-statistics', partitionStatistics: statistics },
	{ action: 'remove-partition-statistics', snapshotId: BIG },
	{ action: 'remove-partition-specs', specIds: [1, 2] },
	{ action: 'remove-schemas', schemaIds: [3] },
	{ action: 'add-encryption-key', encryptionKey: { 'key-id': 'k' } },
	{ action: 'remove-encryption-key', keyId: 'k' },
];

describe('updates as JSON', () => {
	it.each(updates.map((update) => ({ update })))('$update.action is read back equal', ({ update }) => {
		expect(updateFromJson(parseJson(stringifyJson(updateToJson(update))))).toEqual(update);
	});

	it('have the keys of the REST specification', () => {
		expect(updateToJson(updates[9] as TableUpdate)).toEqual({
			action: 'set-snapshot-ref',
			'ref-name': 'main',
			'snapshot-id': BIG,
			type: 'branch',
			'min-snapshots-to-keep': 2,
			'max-snapshot-age-ms': 3,
			'max-ref-age-ms': 4,
		});
	});

	it('are read as old clients and clients without field ids write them', () => {
		expect(updateFromJson({ action: 'set-properties', updated: { a: 'b' } })).toEqual({
			action: 'set-properties',
			updates: { a: 'b' },
		});
		expect(updateFromJson({ action: 'remove-properties', removed: ['a'] })).toEqual({
			action: 'remove-properties',
			removals: ['a'],
		});
		expect(
			updateFromJson({ action: 'add-spec', spec: { fields: [{ 'source-id': 1, name: 'x', transform: 'identity' }] } }),
		).toEqual({
			action: 'add-spec',
			spec: { specId: 0, fields: [{ sourceId: 1, fieldId: -1, name: 'x', transform: { kind: 'identity' } }] },
		});
	});

	it.each<[JsonValue, string, RegExp]>([
		[{ action: 'fold' }, 'UNSUPPORTED', /'fold'/],
		[{}, 'INVALID_ARGUMENT', /update.action is missing/],
		[null, 'INVALID_ARGUMENT', /expected an object/],
		[{ action: 'set-properties' }, 'INVALID_ARGUMENT', /updates is missing/],
		[{ action: 'set-current-schema', 'schema-id': '1' }, 'INVALID_ARGUMENT', /schema-id/],
		[{ action: 'remove-snapshots', 'snapshot-ids': ['1'] }, 'INVALID_ARGUMENT', /snapshot-ids\[0\]/],
	])('refuse %j', (json, code, message) => {
		expect(() => updateFromJson(json)).toThrow(expect.objectContaining({ code }));
		expect(() => updateFromJson(json)).toThrow(message);
	});
});

const requirements: TableRequirement[] = [
	{ type: 'assert-create' },
	{ type: 'assert-table-uuid', uuid: UUID },
	{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: BIG },
	{ type: 'assert-ref-snapshot-id', ref: 'x', snapshotId: null },
	{ type: 'assert-last-assigned-field-id', lastAssignedFieldId: 3 },
	{ type: 'assert-current-schema-id', currentSchemaId: 0 },
	{ type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1000 },
	{ type: 'assert-default-spec-id', defaultSpecId: 0 },
	{ type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
];

describe('requirements', () => {
	it.each(requirements.map((requirement) => ({ requirement })))(
		'$requirement.type is read back equal',
		({ requirement }) => {
			expect(requirementFromJson(parseJson(stringifyJson(requirementToJson(requirement))))).toEqual(requirement);
		},
	);

	it('hold of the table that they describe', () => {
		const one = commit(table, BIG);
		expect(() => checkRequirements(one, requirements.slice(1))).not.toThrow();
		expect(() => checkRequirements(undefined, [{ type: 'assert-create' }])).not.toThrow();
		expect(() => checkRequirements(one, [{ type: 'assert-table-uuid', uuid: UUID.toUpperCase() }])).not.toThrow();
	});

	it.each<[TableRequirement, RegExp]>([
		[{ type: 'assert-create' }, /exists already/],
		[{ type: 'assert-table-uuid', uuid: 'other' }, /uuid is 9c12d441.*not other/],
		[
			{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 5n },
			/'main' points at snapshot 1, but was expected to point at snapshot 5/,
		],
		[
			{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: null },
			/'main' points at snapshot 1, but was expected to not exist/,
		],
		[{ type: 'assert-ref-snapshot-id', ref: 'toString', snapshotId: 5n }, /'toString' does not exist/],
		[{ type: 'assert-last-assigned-field-id', lastAssignedFieldId: 4 }, /last column id is 3, not 4/],
		[{ type: 'assert-current-schema-id', currentSchemaId: 4 }, /schema's id is 0/],
		[{ type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 4 }, /partition field id is 1000/],
		[{ type: 'assert-default-spec-id', defaultSpecId: 4 }, /spec's id is 0/],
		[{ type: 'assert-default-sort-order-id', defaultSortOrderId: 4 }, /order's id is 0/],
	])('$type is a conflict where it does not hold', (requirement, message) => {
		const one = commit(table, 1n);
		expect(() => checkRequirements(one, [requirement])).toThrow(
			expect.objectContaining({ code: 'COMMIT_CONFLICT', retryable: true }),
		);
		expect(() => checkRequirements(one, [requirement])).toThrow(message);
	});

	it('are conflicts where there is no table, and refused where they are not known', () => {
		expect(() => checkRequirements(undefined, [requirements[1] as TableRequirement])).toThrow(/no table/);
		expect(() => checkRequirements(table, [{ type: 'assert-weather' } as never])).toThrow(
			expect.objectContaining({ code: 'UNSUPPORTED' }),
		);
		expect(() => requirementFromJson({ type: 'assert-weather' })).toThrow(
			expect.objectContaining({ code: 'UNSUPPORTED' }),
		);
		expect(() => requirementFromJson({ type: 'assert-table-uuid' })).toThrow(
			expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
		);
	});
});
