import { describe, expect, it } from 'vitest';
import { nameMappingOf, parseNameMapping } from '../../src/spec/name-mapping.ts';
import { int, list, long, map, schema, string, struct } from '../../src/spec/schema-builder.ts';
import { stringifyJson } from '../../src/util/json.ts';

describe('name mappings', () => {
	// Iceberg spec: Name Mapping Serialization, its example.
	const example = `[ { "field-id": 1, "names": ["id", "record_id"] },
		{ "field-id": 2, "names": ["data"] },
		{ "field-id": 3, "names": ["location"], "fields": [
			{ "field-id": 4, "names": ["latitude", "lat"] },
			{ "field-id": 5, "names": ["longitude", "long"] } ] } ]`;

	it('find ids by any name of a field', () => {
		const mapping = parseNameMapping(example);
		expect(mapping.find(['id'])).toBe(1);
		expect(mapping.find(['record_id'])).toBe(1);
		expect(mapping.find(['location'])).toBe(3);
		expect(mapping.find(['location', 'lat'])).toBe(4);
		expect(mapping.find(['lat'])).toBeUndefined();
		expect(mapping.find(['location', 'id'])).toBeUndefined();
		expect(mapping.find([])).toBeUndefined();
		expect(parseNameMapping(stringifyJson(mapping.toJson())).fields).toEqual(mapping.fields);
	});

	it('may know names that are of no field', () => {
		expect(parseNameMapping('[{"names":["x"],"fields":[{"field-id":2,"names":["y"]}]}]').find(['x'])).toBeUndefined();
		expect(parseNameMapping('[{"names":["x"],"fields":[{"field-id":2,"names":["y"]}]}]').find(['x', 'y'])).toBe(2);
	});

	it('are made of a schema, with lists and maps', () => {
		const mapping = nameMappingOf(
			schema({ a: long(), b: list(struct({ c: int() })), d: map(string(), struct({ e: int() })) }),
		);
		expect(mapping.find(['b', 'element', 'c'])).toBe(5);
		expect(mapping.find(['d', 'key'])).toBe(6);
		expect(mapping.find(['d', 'value', 'e'])).toBe(8);
	});

	it.each([
		['{}', /expected a list/],
		['[{"field-id":1}]', /names is missing/],
		['[{"field-id":"1","names":[]}]', /field-id/],
		['[{"names":[1]}]', /names\[0\]: expected text/],
		['[{"names":["a"]},{"names":["a"]}]', /'a' stands twice/],
		['[{"names":["p"],"fields":[{"names":["a","a"]}]}]', /'p.a' stands twice/],
		['nope', /not valid JSON/],
	])('refuse %s', (text, message) => {
		expect(() => parseNameMapping(text)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		expect(() => parseNameMapping(text)).toThrow(message);
	});
});
