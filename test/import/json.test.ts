import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactJson, exactJsonText } from '../../src/import/exact-json.ts';
import { JsonSource } from '../../src/import/json-source.ts';
import type { Type } from '../../src/spec/types.ts';
import { projectDir } from '../support/project.ts';
import { fieldsOf, fileOf, rowsOf, streamOf, typesOf } from './helpers.ts';

function json(text: string | Uint8Array, member?: string): JsonSource {
	const options = member === undefined ? {} : { jsonMember: member };
	return new JsonSource('json', 'data.json', fileOf(text), options, text.length);
}
function ndjson(text: string | Uint8Array): JsonSource {
	return new JsonSource('ndjson', 'data.ndjson', fileOf(text), {}, text.length);
}
const vega = (name: string): Uint8Array =>
	new Uint8Array(readFileSync(`${projectDir}/node_modules/vega-datasets/data/${name}`));

describe('the rows of JSON', () => {
	const rows = [
		{ a: '1', b: 'x' },
		{ a: '2', b: 'y ] } "' },
	];
	it.each([
		['an array of objects', '[{"a":1,"b":"x"}, {"a":2,"b":"y ] } \\""}]'],
		[
			'an object with one array of objects',
			'{"n":[1],"o":{"p":[{}]},"rows":[{"a":1,"b":"x"},{"a":2,"b":"y ] } \\""}],"z":null}',
		],
		['several objects', '{"a":1,"b":"x"}\n\n  {"a":2,"b":"y ] } \\""}\n'],
		['an array with a byte order mark', '\ufeff [\n{"a":1,"b":"x"}\n,{"a":2,"b":"y ] } \\""}\n]\n'],
	])('are those of %s, in whatever pieces', async (_name, text) => {
		expect(await rowsOf(json(text))).toEqual(rows);
		for (let pieceBytes = 1; pieceBytes < 20; pieceBytes++)
			expect(await rowsOf(new JsonSource('json', 'stream', streamOf(text, pieceBytes), {}, undefined))).toEqual(rows);
	});

	it('are the lines of NDJSON, in whatever pieces', async () => {
		const text = '{"a":1,"b":"x"}\r\n\n{"a":2,"b":"y ] } \\""}';
		for (let pieceBytes = 1; pieceBytes < 20; pieceBytes++)
			expect(await rowsOf(new JsonSource('ndjson', 's', streamOf(text, pieceBytes), {}, undefined))).toEqual(rows);
	});

	it('are one where the document is one object without an array of objects', async () => {
		expect(await rowsOf(json('{"a":1,"tags":["x"]}'))).toEqual([{ a: '1', tags: ['x'] }]);
	});

	it('are those of the member that is named', async () => {
		const text = '{"p":[{"a":1}],"q":[{"b":2}]}';
		expect(await rowsOf(json(text, 'q'))).toEqual([{ b: '2' }]);
		await expect(rowsOf(json(text))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringContaining("'p' and 'q'"),
		});
		await expect(rowsOf(json(text, 'r'))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringContaining("'r'"),
		});
	});

	it.each([
		['[{"a":1},', 'end of the file'],
		['[{"a":1} {"a":2}]', "expected ',' or ']'"],
		['[{"a":1}] x', "unexpected 'x'"],
		['[{"a":1},5]', 'row 2: expected an object, found 5'],
		['[{"a":1},{"a":}]', 'row 2: not valid JSON'],
		['{"a":[{"b":1}', 'end of the file'],
		['', 'no rows'],
		['[]', 'no rows'],
		['@', 'not valid JSON'],
	])('are refused: %s', async (text, message) => {
		await expect(rowsOf(json(text))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringContaining(message),
		});
	});

	it.each([100, 201, 10_000, 1_000_000])('nested %i levels are read or refused, but end well', async (levels) => {
		const text = `{"a":${'['.repeat(levels)}5${']'.repeat(levels)}}`;
		const rows = rowsOf(ndjson(text), fieldsOf({ a: { kind: 'string' } }));
		if (levels < 200) expect(await rows).toEqual([{ a: text.slice(5, -1) }]);
		else
			await expect(rows).rejects.toMatchObject({
				code: 'INVALID_DATA',
				message: expect.stringContaining('nested deeper'),
			});
		if (levels > 200) await expect(ndjson(text).inferSchema()).rejects.toMatchObject({ code: 'INVALID_DATA' });
	});

	it.each([
		['brackets in strings', '["]",', ''],
		['quotes in strings', '["\\\\\\"]","\\\\",', ''],
		['objects', '{"}":1,"b":', '}'],
	])('are refused nested too deep, whatever is in their strings: %s', async (_, open, close) => {
		const depth = 50_000;
		const text = `{"a":${open.repeat(depth)}5${(close || ']').repeat(depth)}}`;
		JSON.parse(text);
		await expect(ndjson(text).inferSchema()).rejects.toMatchObject({
			code: 'INVALID_DATA',
			message: expect.stringContaining('nested deeper'),
		});
	});
});

describe('numbers of JSON', () => {
	it('keep their digits', () => {
		const text =
			'{"a":9007199254740993,"b":[0.12345678901234567891,-1e999,1.50],"c":"0.12345678901234567891","d":{"e":12345678901234567890123}}';
		const value = parseExactJson(text) as Record<string, unknown>;
		expect(value['a']).toBe(9007199254740993n);
		expect(exactJsonText(value)).toBe(text.replace('1.50', '1.50'));
	});

	it('are those of JSON.parse wherever that is exact', () => {
		fc.assert(
			fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
				const text = JSON.stringify(value);
				expect(JSON.parse(exactJsonText(parseExactJson(text)))).toEqual(JSON.parse(text));
				const list = parseExactJson(`[${text},1234567890123456789]`) as unknown[];
				expect(JSON.parse(exactJsonText(list[0]))).toEqual(JSON.parse(text));
				expect(list[1]).toBe(1234567890123456789n);
			}),
		);
	});
});

describe('the schema of JSON', () => {
	it.each<[string, string, string]>([
		['integers', '1,-5,9223372036854775807', 'long'],
		['integers beyond a long', '1,9223372036854775809', 'string'],
		['integers and fractions', '1,0.5', 'double'],
		['integers beyond 2^53 and fractions', '9007199254740993,0.5', 'string'],
		['truth values', 'true,false,null', 'boolean'],
		['texts', '"a",null', 'string'],
		['dates', '"2024-02-29"', 'date'],
		['timestamps', '"2024-02-29T12:00:00.123Z"', 'timestamptz'],
		['numbers and texts', '300,"The 39 Steps"', 'string'],
		['objects', '{"x":1},{"y":"s"},null', 'struct<x: long, y: string>'],
		['arrays', '[1,2],[],[0.5]', 'list<double>'],
		['nested', '[{"x":[{"z":true}]}]', 'list<struct<x: list<struct<z: boolean>>>>'],
		['objects and numbers', '{"x":1},2', 'string'],
		['objects without members', '{}', 'string'],
		['nothing', 'null', 'string'],
	])('of %s', async (_name, values, type) => {
		const rows = JSON.parse(`[${values.replaceAll(/(?<![\d.])\d{17,}/g, '"$&n"')}]`) as unknown[];
		const text = rows.map((_, index) => `{"v":${splitTop(values)[index]}}`).join('\n');
		expect((await typesOf(ndjson(text)))['v']?.replaceAll(/\d+: (optional|required) /g, '')).toBe(type);
	});

	it('keeps what does not fit one type as its JSON text', async () => {
		const text = '{"v":300}\n{"v":"300"}\n{"v":{"a":[1.50,9007199254740993]}}\n{"v":true}\n{"v":null}\n{}';
		const rows = (await rowsOf(ndjson(text))) as { v: unknown }[];
		expect(rows.map((row) => row.v)).toEqual(['300', '300', '{"a":[1.50,9007199254740993]}', 'true', null, null]);
	});

	it('counts what is null or absent', async () => {
		const inferred = await ndjson('{"a":1,"b":null}\n{"b":2}\n{"a":3}').inferSchema();
		expect(inferred.columns.map(({ name, nullCount }) => [name, nullCount])).toEqual([
			['a', 1],
			['b', 2],
		]);
	});

	it('refuses objects whose keys are data', async () => {
		const text = JSON.stringify(Object.fromEntries(Array.from({ length: 6000 }, (_, key) => [`k${key}`, 1])));
		await expect(ndjson(text).inferSchema()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
	});
});

function splitTop(values: string): string[] {
	const parts: string[] = [];
	let depth = 0;
	let start = 0;
	for (let at = 0; at <= values.length; at++) {
		const character = values[at];
		if (character === '{' || character === '[') depth++;
		else if (character === '}' || character === ']') depth--;
		else if ((character === ',' && depth === 0) || at === values.length) {
			parts.push(values.slice(start, at));
			start = at + 1;
		}
	}
	return parts;
}

describe('JSON for a table', () => {
	const struct: Type = {
		kind: 'struct',
		fields: [
			{ id: 20, name: 'd', required: false, type: { kind: 'decimal', precision: 38, scale: 20 } },
			{
				id: 21,
				name: 'm',
				required: false,
				type: {
					kind: 'map',
					keyId: 22,
					key: { kind: 'string' },
					valueId: 23,
					valueRequired: false,
					value: { kind: 'long' },
				},
			},
		],
	};

	it('fills nested columns exactly', async () => {
		const text =
			'{"s":{"d":12345678901234567.12345678901234567891,"m":{"k":9223372036854775807}},"f":0.1,"x":"00FF","u":9007199254740993}';
		const fields = fieldsOf({
			s: struct,
			f: { kind: 'double' },
			x: { kind: 'binary' },
			u: { kind: 'decimal', precision: 20, scale: 0 },
		});
		expect(await rowsOf(ndjson(text), fields)).toEqual([
			{
				s: { d: '12345678901234567.12345678901234567891', m: [['k', '9223372036854775807']] },
				f: 0.1,
				x: '00ff',
				u: '9007199254740993',
			},
		]);
	});

	it.each([
		['{"a":1.5}', 'a'],
		['{"a":9223372036854775808}', 'a'],
		['{"a":1.00000000000000000001}', 'a'],
		['{"a":"1"}', 'a'],
		['{"a":1,"s":{"d":0.123456789012345678901}}', 's.d'],
		['{"a":1,"s":{"e":1}}', 's.e'],
		['{"a":1,"z":1}', 'z'],
		['{"a":1,"t":"\\ud800"}', 't'],
		['{"a":1,"f":1e999}', 'f'],
		['{"t":"x"}', 'a'],
	])('is refused: %s', async (text, column) => {
		const fields = fieldsOf({
			a: { required: { kind: 'long' } },
			s: struct,
			t: { kind: 'string' },
			f: { kind: 'double' },
		});
		await expect(rowsOf(ndjson(`{"a":0}\n${text}`), fields)).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { row: 2, column },
		});
	});

	it('says what to do when a later row of a stream does not fit the rows that were looked at', async () => {
		const text = `${'{"a":1}\n'.repeat(1_100_000)}{"a":"x"}\n`;
		const source = new JsonSource('ndjson', 'stdin', streamOf(text, 1 << 20), {}, undefined);
		const inferred = await source.inferSchema();
		expect(inferred.complete).toBe(false);
		let rows = 0;
		const reading = (async () => {
			for await (const batch of source.batches(inferred.schema.fields)) rows += batch.length;
		})();
		await expect(reading).rejects.toMatchObject({ code: 'INVALID_DATA', message: expect.stringContaining('give one') });
		expect(rows).toBeGreaterThan(1_000_000);
	});

	it('a stream of one array is sampled too, although the sample ends inside a row', async () => {
		const text = `[${'{"a":"some text","b":[1,2,3]},'.repeat(400_000)}{"a":"last"}]`;
		const source = new JsonSource('json', 'stdin', streamOf(text, 1 << 20), {}, undefined);
		const inferred = await source.inferSchema();
		expect(inferred.complete).toBe(false);
		expect(inferred.rowCount).toBeGreaterThan(200_000);
		let rows = 0;
		for await (const batch of source.batches(inferred.schema.fields)) rows += batch.length;
		expect(rows).toBe(400_001);
	});
});

describe('real files', () => {
	it('movies.json: mixed titles are text, numbers stay numbers', async () => {
		const types = await typesOf(json(vega('movies.json')));
		expect(types).toMatchObject({
			Title: 'string',
			'US Gross': 'long',
			'IMDB Rating': 'double',
			'Release Date': 'string',
		});
		expect(await rowsOf(json(vega('movies.json')))).toHaveLength(3201);
	});

	it('earthquakes.json: the features are the rows', async () => {
		const rows = (await rowsOf(json(vega('earthquakes.json')))) as {
			properties: { mag: number; time: string };
			geometry: { coordinates: number[] };
		}[];
		expect(rows).toHaveLength(1707);
		expect(rows[0]?.properties.mag).toBe(2);
		expect(rows[0]?.properties.time).toBe('1517966773840');
		expect(rows[0]?.geometry.coordinates).toEqual([-118.6671667, 34.4945, 26.49]);
	});
});
