import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valuesEqual } from '../../src/spec/compare.ts';
import {
	bigintToBytes,
	bytesToBigint,
	fromBinary,
	toBinary,
	valueFromJson,
	valueToJson,
} from '../../src/spec/single-value.ts';
import { typeFromJson } from '../../src/spec/type-json.ts';
import type { Type, Value } from '../../src/spec/types.ts';
import { parseValue } from '../../src/spec/value-text.ts';
import { fromHex, toHex } from '../../src/util/hex.ts';
import { parseJson, stringifyJson } from '../../src/util/json.ts';
import { primitiveValues } from '../support/arbitrary-types.ts';
import { primitiveTypes } from './arbitraries.ts';

const type = (text: string): Type => typeFromJson(text);

describe('binary single values', () => {
	it.each([
		['boolean', 'true', '01'],
		['boolean', 'false', '00'],
		['int', '34', '22000000'],
		['int', '-1', 'ffffffff'],
		['long', '34', '2200000000000000'],
		['long', '-9223372036854775808', '0000000000000080'],
		['float', '-4.5', '000090c0'],
		['double', '6', '0000000000001840'],
		['double', '-0', '0000000000000080'],
		['double', 'NaN', '000000000000f87f'],
		['date', '1970-04-11', '64000000'],
		['time', '00:00:00.010000', '1027000000000000'],
		['timestamp', '1970-01-01T00:00:00.400000', '801a060000000000'],
		['timestamptz', '1970-01-01T00:00:00.1+00:00', 'a086010000000000'],
		['timestamp_ns', '1970-01-01T00:00:00.000000256', '0001000000000000'],
		['string', 'ABC', '414243'],
		['string', 'é😀', 'c3a9f09f9880'],
		['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
		['fixed[2]', '6162', '6162'],
		['binary', '5a', '5a'],
		['decimal(9, 2)', '123.45', '3039'],
		['decimal(9, 2)', '-12.34', 'fb2e'],
		['decimal(9, 2)', '0.00', '00'],
		['decimal(9, 2)', '1.28', '0080'],
		['decimal(9, 2)', '-1.28', '80'],
		['decimal(9, 2)', '-1.29', 'ff7f'],
		['decimal(38, 0)', '99999999999999999999999999999999999999', '4b3b4ca85a86c47a098a223fffffffff'],
	])('%s %s is %s', (typeText, text, hex) => {
		const value = parseValue(type(typeText), text);
		expect(toHex(toBinary(type(typeText), value))).toBe(hex);
		expect(fromBinary(type(typeText), fromHex(hex) as Uint8Array)).toEqual(value);
	});

	it('read back equal, for every type', () => {
		const typed = primitiveTypes.chain((t) => primitiveValues(t).map((v) => [t, v] as const));
		fc.assert(
			fc.property(typed, ([t, v]) => {
				expect(valuesEqual(t, fromBinary(t, toBinary(t, v)), v)).toBe(true);
			}),
		);
	});

	it('are read from types that were since promoted', () => {
		expect(fromBinary(type('long'), toBinary(type('int'), -5))).toBe(-5n);
		expect(fromBinary(type('double'), toBinary(type('float'), 1.5))).toBe(1.5);
		expect(fromBinary(type('decimal(20, 2)'), toBinary(type('decimal(5, 2)'), -5n))).toBe(-5n);
		expect(fromBinary(type('timestamp'), toBinary(type('date'), -1))).toBe(-86_400_000_000n);
		expect(fromBinary(type('timestamptz_ns'), toBinary(type('date'), 1))).toBe(86_400_000_000_000n);
	});

	it('take padded decimals of other writers, and any non-zero byte for true', () => {
		expect(fromBinary(type('decimal(9, 2)'), Uint8Array.of(0xff, 0xff, 0xff, 0xfb))).toBe(-5n);
		expect(fromBinary(type('boolean'), Uint8Array.of(7))).toBe(true);
	});

	it.each([
		['boolean', ''],
		['int', '000000'],
		['long', '0000000000'],
		['float', '0000000000000000'],
		['double', '00'],
		['time', '00000000'],
		['decimal(9, 2)', ''],
		['decimal(2, 0)', '64'],
		['string', 'ff'],
		['string', 'eda080'],
		['uuid', '00'],
		['fixed[2]', '000000'],
		['timestamp_ns', 'ffffff7f'],
	])('%s refuses %j as corrupt', (typeText, hex) => {
		expect(() => fromBinary(type(typeText), fromHex(hex) as Uint8Array)).toThrow(
			expect.objectContaining({ code: 'CORRUPT' }),
		);
	});

	it('throw nothing but CORRUPT for any bytes', () => {
		fc.assert(
			fc.property(primitiveTypes, fc.uint8Array({ maxLength: 40 }), (t, bytes) => {
				try {
					fromBinary(t, bytes);
				} catch (error) {
					expect(error).toMatchObject({ name: 'IcebergError', code: 'CORRUPT' });
				}
			}),
		);
	});

	it('share no memory with what they were read from', () => {
		const bytes = Uint8Array.of(1, 2);
		const value = fromBinary(type('binary'), bytes) as Uint8Array;
		bytes[0] = 9;
		expect(value[0]).toBe(1);
	});

	it('do not exist for null and nested types', () => {
		expect(() => toBinary(type('int'), null)).toThrow(/null/);
		for (const kind of ['variant', 'unknown'] as const) {
			expect(() => fromBinary({ kind }, new Uint8Array(1))).toThrow(
				expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
			);
		}
	});

	it('hold integers in as few bytes as can be', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: -(2n ** 140n), max: 2n ** 140n }), (value) => {
				const bytes = bigintToBytes(value);
				expect(bytesToBigint(bytes)).toBe(value);
				if (bytes.length > 1) expect(bytesToBigint(bytes.subarray(1))).not.toBe(value);
			}),
		);
	});
});

describe('JSON single values', () => {
	const struct = typeFromJson({
		type: 'struct',
		fields: [
			{ id: 1, name: 'a', required: true, type: 'int' },
			{ id: 2, name: 'b', required: false, type: 'string' },
		],
	});
	const list = typeFromJson({ type: 'list', 'element-id': 3, element: 'int', 'element-required': true });
	const map = typeFromJson({
		type: 'map',
		'key-id': 4,
		key: 'string',
		'value-id': 5,
		value: 'int',
		'value-required': false,
	});

	// Iceberg spec: JSON single-value serialization, the column of examples.
	it.each(
		(
			[
				[type('boolean'), true, 'true'],
				[type('int'), 34, '34'],
				[type('long'), 34n, '34'],
				[type('long'), 9223372036854775807n, '9223372036854775807'],
				[type('float'), 1, '1'],
				[type('double'), Number.NaN, '"NaN"'],
				[type('decimal(9, 2)'), 1420n, '"14.20"'],
				[type('date'), 17486, '"2017-11-16"'],
				[type('time'), 81068123456n, '"22:31:08.123456"'],
				[type('timestamp'), 1510871468123456n, '"2017-11-16T22:31:08.123456"'],
				[type('timestamptz'), 1510871468123456n, '"2017-11-16T22:31:08.123456+00:00"'],
				[type('timestamp_ns'), 1510871468123456789n, '"2017-11-16T22:31:08.123456789"'],
				[type('timestamptz_ns'), 1510871468123456789n, '"2017-11-16T22:31:08.123456789+00:00"'],
				[type('string'), 'iceberg', '"iceberg"'],
				[type('uuid'), 'f79c3e09-677c-4bbd-a479-3f349cb785e7', '"f79c3e09-677c-4bbd-a479-3f349cb785e7"'],
				[type('fixed[4]'), Uint8Array.of(0, 1, 2, 255), '"000102ff"'],
				[type('binary'), Uint8Array.of(0, 1, 2, 255), '"000102ff"'],
				[struct, [1, 'bar'], '{"1":1,"2":"bar"}'],
				[list, [1, 2, 3], '[1,2,3]'],
				[
					map,
					[
						['a', 1],
						['b', null],
					],
					'{"keys":["a","b"],"values":[1,null]}',
				],
			] as [Type, Value, string][]
		).map(([t, value, text]) => ({ t, value, text })),
	)('$t.kind is $text', ({ t, value, text }) => {
		expect(stringifyJson(valueToJson(t, value))).toBe(text);
		expect(valueFromJson(t, parseJson(text))).toEqual(value);
	});

	it('read back equal through text, for every type', () => {
		const typed = primitiveTypes
			.filter((t) => !['geometry', 'geography'].includes(t.kind))
			.chain((t) => primitiveValues(t).map((v) => [t, v] as const));
		fc.assert(
			fc.property(typed, ([t, v]) => {
				const back = valueFromJson(t, parseJson(stringifyJson(valueToJson(t, v))));
				expect(valuesEqual(t, back, v)).toBe(true);
			}),
		);
	});

	it('take decimals with an exponent, as the specification has them', () => {
		expect(valueFromJson(type('decimal(30, 0)'), '2E+20')).toBe(200000000000000000000n);
	});

	it.each([
		['int', '1.5'],
		['int', '2147483648'],
		['int', '"1"'],
		['long', '9223372036854775808'],
		['boolean', '1'],
		['decimal(9, 2)', '14.2'],
		['decimal(9, 2)', '"14.205"'],
		['date', '"2017-02-29"'],
		['timestamptz', '"2017-11-16T22:31:08"'],
		['timestamp', '"2017-11-16T22:31:08+00:00"'],
		['uuid', '"f79c"'],
		['binary', '"0"'],
		['float', '1e300'],
	])('%s refuses %s', (typeText, text) => {
		expect(() => valueFromJson(type(typeText), parseJson(text))).toThrow(
			expect.objectContaining({ code: 'INVALID_DATA' }),
		);
	});
});
