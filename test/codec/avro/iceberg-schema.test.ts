import { describe, expect, test } from 'vitest';
import { avroSchemaOf, decimalBytes, sanitizeAvroName } from '../../../src/codec/avro/iceberg-schema.ts';
import type { NestedField, Type } from '../../../src/spec/types.ts';

function schemaOf(...fields: NestedField[]): unknown {
	return avroSchemaOf({ kind: 'struct', fields }, 'table');
}

function optional(id: number, name: string, type: Type): NestedField {
	return { id, name, required: false, type };
}

describe('Avro schemas of Iceberg types', () => {
	test('decimals take the fewest bytes that hold their digits', () => {
		for (let precision = 1; precision <= 38; precision++) {
			const largest = 10n ** BigInt(precision) - 1n;
			let bytes = 1;
			while (2n ** BigInt(bytes * 8 - 1) - 1n < largest) bytes++;
			expect(decimalBytes(precision)).toBe(bytes);
		}
	});

	test.each([
		['plain_9', 'plain_9'],
		['a.b', 'a_x2Eb'],
		['with space', 'with_x20space'],
		['1st', '_1st'],
		['größe', 'gr_xF6_xDFe'],
		['😀', '_xD83D_xDE00'],
		['', '_'],
	])('the name %j becomes %j', (name, sanitized) => {
		expect(sanitizeAvroName(name)).toBe(sanitized);
	});

	test('names that become one are told apart, and keep their originals', () => {
		expect(schemaOf(optional(1, 'a_x2Eb', { kind: 'int' }), optional(2, 'a.b', { kind: 'int' }))).toEqual({
			type: 'record',
			name: 'table',
			fields: [
				{ name: 'a_x2Eb', type: ['null', 'int'], default: null, 'field-id': 1 },
				{ name: 'a_x2Eb_2', type: ['null', 'int'], default: null, 'field-id': 2, 'iceberg-field-name': 'a.b' },
			],
		});
	});

	test('types of the mapping table of the specification', () => {
		const types: [Type, unknown][] = [
			[{ kind: 'date' }, { type: 'int', logicalType: 'date' }],
			[{ kind: 'time' }, { type: 'long', logicalType: 'time-micros' }],
			[{ kind: 'timestamp' }, { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': false }],
			[{ kind: 'timestamptz' }, { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }],
			[{ kind: 'timestamp_ns' }, { type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': false }],
			[{ kind: 'timestamptz_ns' }, { type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': true }],
			[{ kind: 'uuid' }, { type: 'fixed', name: 'uuid_fixed', size: 16, logicalType: 'uuid' }],
			[
				{ kind: 'fixed', length: 3 },
				{ type: 'fixed', name: 'fixed_3', size: 3 },
			],
			[
				{ kind: 'decimal', precision: 9, scale: 2 },
				{ type: 'fixed', name: 'decimal_9_2', size: 4, logicalType: 'decimal', precision: 9, scale: 2 },
			],
			[{ kind: 'geometry', crs: 'OGC:CRS84' }, 'bytes'],
			[
				{ kind: 'list', elementId: 9, elementRequired: false, element: { kind: 'int' } },
				{ type: 'array', items: ['null', 'int'], 'element-id': 9 },
			],
			[
				{ kind: 'map', keyId: 10, key: { kind: 'string' }, valueId: 11, valueRequired: true, value: { kind: 'int' } },
				{ type: 'map', values: 'int', 'key-id': 10, 'value-id': 11 },
			],
			[
				{ kind: 'map', keyId: 12, key: { kind: 'int' }, valueId: 13, valueRequired: true, value: { kind: 'string' } },
				{
					type: 'array',
					items: {
						type: 'record',
						name: 'k12_v13',
						fields: [
							{ name: 'key', type: 'int', 'field-id': 12 },
							{ name: 'value', type: 'string', 'field-id': 13 },
						],
					},
					logicalType: 'map',
				},
			],
		];
		for (const [type, avro] of types) {
			expect(schemaOf({ id: 1, name: 'c', required: true, type })).toMatchObject({
				fields: [{ name: 'c', type: avro }],
			});
		}
		expect(schemaOf(optional(1, 'u', { kind: 'unknown' }))).toMatchObject({
			fields: [{ type: 'null', default: null }],
		});
	});

	test('each named type is defined under a name of its own, for readers that know no references', () => {
		const uuids = schemaOf(optional(1, 'a', { kind: 'uuid' }), optional(2, 'b', { kind: 'uuid' }));
		expect(JSON.stringify(uuids).match(/"name":"uuid_fixed[^"]*"/g)).toEqual([
			'"name":"uuid_fixed"',
			'"name":"uuid_fixed_2"',
		]);
	});

	test('a type that this version does not know is refused', () => {
		expect(() => schemaOf(optional(1, 'x', { kind: 'unsupported', json: 'hypercube' }))).toThrowError(
			expect.objectContaining({ code: 'UNSUPPORTED' }),
		);
	});
});
