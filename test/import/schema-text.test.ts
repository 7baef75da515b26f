import { describe, expect, it } from 'vitest';
import { parseSchemaText } from '../../src/import/schema-text.ts';
import { typeToString } from '../../src/spec/type-text.ts';

const shown = (text: string): string[] =>
	parseSchemaText(text).fields.map(({ name, type, required }) => `${name} ${typeToString(type)}${required ? '!' : ''}`);

describe('schema text', () => {
	it.each([
		['id long required, name string', ['id long!', 'name string']],
		['id long not null, n integer optional', ['id long!', 'n int']],
		['a bigint,b text, c bool', ['a long', 'b string', 'c boolean']],
		['p decimal(9,2), q decimal( 38 , 10 ) required', ['p decimal(9, 2)', 'q decimal(38, 10)!']],
		['f fixed[16], g fixed(4), u uuid, ts timestamptz', ['f fixed[16]', 'g fixed[4]', 'u uuid', 'ts timestamptz']],
		['"Cost Total $" long, "a ""b""" string\nc date', ['Cost Total $ long', 'a "b" string', 'c date']],
	])('%s', (text, columns) => {
		expect(shown(text)).toEqual(columns);
	});

	it('has nested types at any depth, with ids of their own', () => {
		const { fields } = parseSchemaText(
			'tags list<string required>, m map<string, list<int>>, s struct<a: int, b: struct<c string required> required>',
		);
		const json = JSON.stringify(fields);
		const ids = [...json.matchAll(/"(?:id|elementId|keyId|valueId)":(\d+)/g)].map((match) => Number(match[1]));
		expect([...ids].sort((a, b) => a - b)).toEqual(ids.map((_, index) => index + 1));
		expect(fields[0]?.type).toMatchObject({ kind: 'list', elementRequired: true });
		expect(fields[1]?.type).toMatchObject({ kind: 'map', value: { kind: 'list' }, valueRequired: false });
		expect(fields[2]?.type).toMatchObject({
			fields: [{ name: 'a' }, { name: 'b', required: true, type: { fields: [{ name: 'c', required: true }] } }],
		});
	});

	it.each([
		['id', 'position 3: expected a type, found the end'],
		['id nonsense', 'position 4: expected a type such as'],
		['id decimal(50, 2)', 'expected a type such as'],
		['id long name string', "expected ',' or the end, found 'name string'"],
		['tags list<string', "expected '>', found the end"],
		['m map<string>', "expected ',', found '>'"],
		['id long, id string', 'id'],
		['1id long', 'the name of a column'],
		[`x ${'list<'.repeat(100)}`, 'nested at most'],
	])('is refused: %s', (text, message) => {
		expect(() => parseSchemaText(text)).toThrow(
			expect.objectContaining({ code: 'INVALID_SCHEMA', message: expect.stringContaining(message) }),
		);
	});
});
