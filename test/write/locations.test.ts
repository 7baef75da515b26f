/** Layouts as `TestLocationProvider` of Apache Iceberg expects them. */
import { describe, expect, it } from 'vitest';
import { parsePartitionSpec, partitionType, UNPARTITIONED } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { Value } from '../../src/spec/types.ts';
import { dataLocations } from '../../src/write/location-provider.ts';

const schema = new Schema({
	fields: [
		{ id: 1, name: 'id', required: true, type: { kind: 'int' } },
		{ id: 2, name: 'data value', required: false, type: { kind: 'string' } },
	],
});
const spec = parsePartitionSpec(schema, ['data value']);

function location(
	properties: Record<string, string>,
	name: string,
	partition?: Value[],
	table = 's3://bucket/db/t',
): string {
	const of = partition === undefined ? UNPARTITIONED : spec;
	return dataLocations(table, properties).newDataLocation(name, of, partitionType(of, schema), partition ?? []);
}

describe('data locations', () => {
	it('default layout, whatever slashes the table ends in', () => {
		expect(location({}, 'f.parquet')).toBe('s3://bucket/db/t/data/f.parquet');
		expect(location({}, 'f.parquet', undefined, '/db/t//')).toBe('/db/t/data/f.parquet');
	});
	it('partition names and values in form encoding', () => {
		expect(location({}, 'f', ['a b/c=ü~*()'])).toBe('s3://bucket/db/t/data/data+value=a+b%2Fc%3D%C3%BC%7E*%28%29/f');
		expect(location({}, 'f', [null])).toBe('s3://bucket/db/t/data/data+value=null/f');
		expect(location({}, 'f', [''])).toBe('s3://bucket/db/t/data/data+value=/f');
	});
	it('write.data.path', () => {
		expect(location({ 'write.data.path': 's3://other/place/' }, 'f')).toBe('s3://other/place/f');
	});
	it.each([
		['a', '0101/0110/1001/10110010'],
		['b', '1110/0111/1110/00000011'],
		['c', '0010/1101/0110/01011111'],
		['d', '1001/0001/0100/01110011'],
	])('hashed folders for %s', (name, folders) => {
		expect(location({ 'write.object-storage.enabled': 'true' }, name)).toBe(`s3://bucket/db/t/data/${folders}/${name}`);
	});
	it('hashed folders without partition names', () => {
		const properties = { 'write.object-storage.enabled': 'true', 'write.object-storage.partitioned-paths': 'false' };
		expect(location(properties, 'test.parquet', ['val'])).toBe(
			's3://bucket/db/t/data/0110/1010/0011/11101000-test.parquet',
		);
	});
	it('hashed folders outside of the table keep its last two names', () => {
		const properties = { 'write.object-storage.enabled': 'true', 'write.data.path': 's3://other' };
		expect(location(properties, 'a')).toBe('s3://other/0101/0110/1001/10110010/db/t/a');
	});
});
