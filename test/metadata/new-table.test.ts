import { describe, expect, it } from 'vitest';
import { type NewTable, newTableUpdates } from '../../src/metadata/new-table.ts';
import { createMetadata } from '../../src/metadata/reduce.ts';
import { parsePartitionSpec } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import { int, list, long, schema, timestamptzNs, variant } from '../../src/spec/schema-builder.ts';
import { schemaFromJson } from '../../src/spec/schema-json.ts';
import { parseSortOrder } from '../../src/spec/sort-order.ts';
import { currentSchema, defaultSortOrder, defaultSpec } from '../../src/spec/table-metadata-lookup.ts';
import { UUID } from './support.ts';

const plain = schema({ a: long().required(), b: list(int()) });
const table = (more: Partial<NewTable>): NewTable => ({ schema: plain, location: '/t', uuid: UUID, ...more });

describe('newTableUpdates', () => {
	it('makes a table that keeps the ids of the schema', () => {
		const given = new Schema({
			schemaId: 1,
			fields: [
				{ id: 7, name: 'x', type: 'long', required: true },
				{ id: 3, name: 'y', type: 'string' },
			],
		});
		const metadata = createMetadata(
			newTableUpdates(
				table({
					schema: given,
					spec: parsePartitionSpec(given, ['bucket(4, x)']),
					sortOrder: parseSortOrder(given, ['y desc']),
					properties: { 'write.parquet.compression-codec': 'gzip' },
				}),
			),
			5,
		);
		expect(metadata).toMatchObject({
			formatVersion: 2,
			lastColumnId: 7,
			currentSchemaId: 1,
			lastPartitionId: 1000,
			defaultSortOrderId: 1,
			lastUpdatedMs: 5,
		});
		expect(currentSchema(metadata).fields).toEqual(given.fields);
		expect(defaultSpec(metadata).fields[0]).toMatchObject({ sourceId: 7, fieldId: 1000 });
		expect(defaultSortOrder(metadata).fields[0]).toMatchObject({ sourceId: 3 });
		expect(metadata.properties).toEqual({ 'write.parquet.compression-codec': 'gzip' });
	});

	it('makes v1 and v3 tables by option', () => {
		for (const formatVersion of [1, 3] as const) {
			expect(createMetadata(newTableUpdates(table({ formatVersion })), 5).formatVersion).toBe(formatVersion);
		}
	});

	it.each<[string, Partial<NewTable>, string, RegExp]>([
		['an unknown version', { formatVersion: 4 as never }, 'UNSUPPORTED', /version 4/],
		[
			'types of v3 in v2',
			{ schema: schema({ a: variant() }) },
			'INVALID_SCHEMA',
			/'a'.*variant needs format version 3, the table has 2/,
		],
		[
			'nested types of v3 in v2',
			{ schema: schema({ a: list(timestamptzNs()) }) },
			'INVALID_SCHEMA',
			/'a.element'.*version 3/,
		],
		[
			'defaults in v2',
			{ schema: schema({ a: int().default(1) }) },
			'INVALID_SCHEMA',
			/'a': defaults need format version 3/,
		],
		['a reserved id', { schema: schema({ a: int().id(2147483546) }) }, 'INVALID_SCHEMA', /'a'.*reserved/],
		[
			'a type that is not known',
			{ schema: schemaFromJson({ type: 'struct', fields: [{ id: 1, name: 'a', required: true, type: 'box' }] }) },
			'INVALID_SCHEMA',
			/'box'/,
		],
		[
			'a parsed schema that no new one could be',
			{ schema: schemaFromJson({ type: 'struct', fields: [{ id: 1, name: '', required: true, type: 'int' }] }) },
			'INVALID_SCHEMA',
			/non-empty/,
		],
		['no columns', { schema: schema({}) }, 'INVALID_SCHEMA', /at least one column/],
		['an empty location', { location: '' }, 'INVALID_ARGUMENT', /location/],
		[
			'a spec of another schema',
			{ spec: parsePartitionSpec(schema({ z: int().id(99) }), ['z']) },
			'INVALID_SCHEMA',
			/id 99/,
		],
		[
			'a reserved property',
			{ properties: { 'current-schema': 'x' } },
			'INVALID_ARGUMENT',
			/'current-schema' is reserved/,
		],
		['a property that is no text', { properties: { a: 1 as never } }, 'INVALID_ARGUMENT', /'a' has to be text/],
		[
			'metrics of a column that is not there',
			{ properties: { 'write.metadata.metrics.column.q': 'full' } },
			'INVALID_ARGUMENT',
			/'q'/,
		],
	])('refuses %s', (_what, more, code, message) => {
		expect(() => newTableUpdates(table(more))).toThrow(expect.objectContaining({ code }));
		expect(() => newTableUpdates(table(more))).toThrow(message);
	});

	it('takes types and defaults of v3 in v3', () => {
		const v3 = schema({ a: variant(), b: int().default(1) });
		expect(createMetadata(newTableUpdates(table({ schema: v3, formatVersion: 3 })), 1).nextRowId).toBe(0n);
	});
});
