import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { type Json, MAX_JSON_DEPTH, parseJson, stringifyJson } from '../../src/util/json.ts';

const json = fc.letrec<{ value: Json }>((tie) => ({
	value: fc.oneof(
		{ depthSize: 'small' },
		fc.constant(null),
		fc.boolean(),
		fc.double({ noNaN: true, noDefaultInfinity: true }),
		fc.integer({ min: -1000, max: 1000 }).map((n) => n * 1e17),
		fc.integer(),
		fc.bigInt().filter((n) => !Number.isSafeInteger(Number(n))),
		fc.string({ unit: 'binary' }),
		fc.array(tie('value')),
		fc.dictionary(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('__proto__')), tie('value'), {
			noNullPrototype: true,
		}),
	),
})).value;

function failure(text: string): string {
	try {
		parseJson(text);
	} catch (error) {
		if (isIcebergError(error, 'CORRUPT')) return error.message;
		throw error;
	}
	return 'no error';
}

describe('parseJson', () => {
	it('keeps 64-bit integers exactly, and small ones as numbers', () => {
		expect(parseJson('[9223372036854775807, -9223372036854775808, 9007199254740991, 9007199254740993, 0, -1]')).toEqual(
			[9223372036854775807n, -9223372036854775808n, 9007199254740991, 9007199254740993n, 0, -1],
		);
	});

	it('tells -0 from 0 and reads fractions and exponents as doubles', () => {
		expect(parseJson('[-0, -0.0, 1.5e3, 1E-2, 12345678901234567890.0]')).toEqual([
			-0, -0, 1500, 0.01, 12345678901234567000,
		]);
	});

	it('makes plain keys of `__proto__` and `constructor`', () => {
		const value = parseJson('{"__proto__":{"polluted":1},"constructor":2,"toString":3}') as { [key: string]: Json };
		expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString']);
		expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
		expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
	});

	it('reads escapes, and a byte order mark in front', () => {
		expect(parseJson('\uFEFF "a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00z" ')).toBe('a"\\/\b\f\n\r\té😀z');
	});

	it.each([
		['', 'expected a value'],
		['{"a":1,"a":2}', '"a" stands twice'],
		['{"__proto__":1,"__proto__":2}', '"__proto__" stands twice'],
		['[1,]', 'expected a value'],
		['{"a":1,}', 'expected a key'],
		['{a:1}', 'expected a key'],
		['[1 2]', "expected ',' or ']'"],
		['{"a" 1}', "expected ':'"],
		['01', 'must not start with 0'],
		['-', 'expected a digit'],
		['1.', 'malformed number'],
		['1.5.5', 'malformed number'],
		['1e', 'malformed number'],
		['1e999', 'beyond the range'],
		['.5', 'expected a value'],
		['NaN', 'expected a value'],
		['truth', 'expected a value'],
		['"a', 'ends within a string'],
		['"a\\u00e"', 'malformed \\u escape'],
		['"\\x"', 'unknown escape'],
		['"a\nb"', 'control character'],
		['1 1', 'after the end'],
		[`${'['.repeat(MAX_JSON_DEPTH + 1)}`, 'nested deeper'],
		[`${'1'.repeat(1001)}`, '1001 digits'],
	])('refuses %j', (text, reason) => {
		expect(failure(text)).toContain(reason);
	});

	it('names the source and the place', () => {
		expect(() => parseJson('{"a":x}', 'file.json')).toThrow(/^file\.json: not valid JSON at character 5.*"x}"/);
	});

	it('takes nesting up to the limit', () => {
		const text = '['.repeat(MAX_JSON_DEPTH) + ']'.repeat(MAX_JSON_DEPTH);
		expect(stringifyJson(parseJson(text))).toBe(text);
	});

	it('agrees with JSON.parse on any text without large integers', () => {
		fc.assert(
			fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
				fc.pre(!/\d{16}/.test(text));
				expect(parseJson(text)).toEqual(JSON.parse(text));
			}),
		);
	});

	it('throws nothing but CORRUPT on any text, and only where JSON.parse would throw too', () => {
		const alphabet = fc.constantFrom(...'{}[]",:\\0123456789.-+eEtrufalsn \n\u0000u');
		fc.assert(
			fc.property(fc.string({ unit: alphabet, maxLength: 30 }), (text) => {
				let expected = true;
				try {
					JSON.parse(text);
				} catch {
					expected = false;
				}
				const found = failure(text);
				if (!expected) expect(found).not.toBe('no error');
				else if (!/stands twice|beyond the range/.test(found)) expect(found).toBe('no error');
			}),
			{ numRuns: 3_000 },
		);
	});
});

describe('stringifyJson', () => {
	it('reads back equal, compact and indented', () => {
		fc.assert(
			fc.property(json, (value) => {
				expect(parseJson(stringifyJson(value))).toEqual(value);
				expect(parseJson(stringifyJson(value, '\t'))).toEqual(value);
			}),
		);
	});

	it('writes what JSON.stringify writes, where that can write it', () => {
		const value = { a: [1, 2.5, 'é"\n', null, true, {}], b: [], c: { d: {} } };
		expect(stringifyJson(value)).toBe(JSON.stringify(value));
		expect(stringifyJson(value, '  ')).toBe(JSON.stringify(value, null, 2));
	});

	it.each([Number.NaN, Number.POSITIVE_INFINITY, undefined])('refuses %s', (value) => {
		expect(() => stringifyJson({ a: value as never })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
	});
});
