import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valuesEqual } from '../../src/spec/compare.ts';
import { civilFromDays, daysFromCivil } from '../../src/spec/date-time-text.ts';
import { typeFromJson } from '../../src/spec/type-json.ts';
import type { Type } from '../../src/spec/types.ts';
import { canonicalJson, formatValue, parseValue } from '../../src/spec/value-text.ts';
import { primitiveValues } from '../support/arbitrary-types.ts';
import { primitiveTypes } from './arbitraries.ts';

const type = (text: string): Type => typeFromJson(text);

describe('formatValue and parseValue', () => {
	it('read back equal, for every type', () => {
		const typed = primitiveTypes.chain((t) => primitiveValues(t).map((v) => [t, v] as const));
		fc.assert(
			fc.property(typed, ([t, v]) => {
				expect(valuesEqual(t, parseValue(t, formatValue(t, v)), v)).toBe(true);
			}),
			{ numRuns: 500 },
		);
	});

	it.each([
		['decimal(9, 2)', 150n, '1.50'],
		['decimal(9, 2)', -5n, '-0.05'],
		['decimal(9, 0)', -5n, '-5'],
		['decimal(3, 3)', 1n, '0.001'],
		['date', 19782, '2024-02-29'],
		['date', -1, '1969-12-31'],
		['date', 2932897, '+10000-01-01'],
		['date', -719529, '-0001-12-31'],
		['date', 0x7fffffff, '+5881580-07-11'],
		['time', 45296000001n, '12:34:56.000001'],
		['timestamp', 1709210096000001n, '2024-02-29T12:34:56.000001'],
		['timestamp', -1n, '1969-12-31T23:59:59.999999'],
		['timestamptz', 1709210096000001n, '2024-02-29T12:34:56.000001+00:00'],
		['timestamp_ns', -1n, '1969-12-31T23:59:59.999999999'],
		['timestamptz_ns', 1n, '1970-01-01T00:00:00.000000001+00:00'],
		['timestamp', 9223372036854775807n, '+294247-01-10T04:00:54.775807'],
		['timestamp', -9223372036854775808n, '-290308-12-21T19:59:05.224192'],
		['timestamp_ns', 9223372036854775807n, '2262-04-11T23:47:16.854775807'],
		['double', -0, '-0'],
		['double', Number.NaN, 'NaN'],
		['float', Number.NEGATIVE_INFINITY, '-Infinity'],
		['binary', Uint8Array.of(0, 255), '00ff'],
	])('%s %s is %s', (typeText, value, text) => {
		expect(formatValue(type(typeText), value)).toBe(text);
		expect(parseValue(type(typeText), text)).toEqual(value);
	});

	it.each([
		['timestamptz', '2024-02-29 12:34+02', '2024-02-29T10:34:00.000000+00:00'],
		['timestamptz', '2024-02-29T12:34:56Z', '2024-02-29T12:34:56.000000+00:00'],
		['timestamptz', '2024-02-29T12:34:56.1-0330', '2024-02-29T16:04:56.100000+00:00'],
		['timestamptz', '2024-02-29T12:34:56.123456000+00:00', '2024-02-29T12:34:56.123456+00:00'],
		['timestamp', '2024-02-29t12:34:56', '2024-02-29T12:34:56.000000'],
		['time', '12:34', '12:34:00.000000'],
		['decimal(9, 2)', '1.5', '1.50'],
		['decimal(9, 2)', '15e-1', '1.50'],
		['decimal(9, 2)', '+.5', '0.50'],
		['decimal(9, 2)', '1.500', '1.50'],
		['decimal(9, 2)', '-0', '0.00'],
		['decimal(38, 0)', '1e37', `1${'0'.repeat(37)}`],
		['boolean', 'TRUE', 'true'],
		['double', '1e3', '1000'],
		['double', 'inf', 'Infinity'],
		['long', '+5', '5'],
		['uuid', 'F79C3E09-677C-4BBD-A479-3F349CB785E7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
		['binary', '00FF', '00ff'],
	])('%s is lenient in form: %s', (typeText, text, canonical) => {
		expect(formatValue(type(typeText), parseValue(type(typeText), text))).toBe(canonical);
	});

	it.each([
		['boolean', 'yes', 'true or false'],
		['int', '2147483648', 'beyond the range'],
		['int', '1.0', 'an integer'],
		['int', '', 'an integer'],
		['long', '9223372036854775808', 'beyond the range'],
		['long', '1'.repeat(1000), 'an integer'],
		['float', '1e39', 'beyond the range of a float'],
		['double', '1e309', 'beyond the range of a double'],
		['double', '0x10', 'a number'],
		['double', '', 'a number'],
		['decimal(9, 2)', '1.505', 'more than 2 digits after the point'],
		['decimal(9, 2)', '12345678.90', 'more than 9 digits'],
		['decimal(9, 2)', '1e999999', 'more than 9 digits'],
		['decimal(9, 2)', '1e-999999', 'more than 2 digits after the point'],
		['decimal(9, 2)', '1e9999999', 'a decimal'],
		['decimal(9, 2)', '.', 'a decimal'],
		['decimal(9, 2)', 'NaN', 'a decimal'],
		['date', '2023-02-29', 'no such day'],
		['date', '2024-13-01', 'no such day'],
		['date', '2024-2-1', 'a date'],
		['date', '12024-01-01', 'a date'],
		['date', '+9999999-01-01', 'beyond the range'],
		['date', '2024-02-29T00:00:00', 'a date'],
		['time', '24:00:00', 'no such time'],
		['time', '12:60', 'no such time'],
		['time', '12:34:60', 'no such time'],
		['time', '12:34:56.0000001', 'finer than a microsecond'],
		['timestamp', '2024-02-29', 'a timestamp'],
		['timestamp', '2024-02-29T12:34:56Z', 'has no offset'],
		['timestamptz', '2024-02-29T12:34:56', 'offset from UTC is missing'],
		['timestamptz', '2024-02-29T12:34:56+19:00', 'no such offset'],
		['timestamp', '2024-02-29T12:34:56.0000001', 'finer than a microsecond'],
		['timestamp_ns', '2300-01-01T00:00:00', 'beyond the range'],
		['timestamp', '+999999-01-01T00:00:00', 'beyond the range'],
		['string', 'a\ud800b', 'lone surrogate'],
		['uuid', 'f79c3e09677c4bbda4793f349cb785e7', 'a uuid'],
		['fixed[2]', '00', 'expected 2 bytes, found 1'],
		['binary', '0g', 'hexadecimal'],
	])('%s refuses %s: %s', (typeText, text, reason) => {
		expect(() => parseValue(type(typeText), text)).toThrow(
			expect.objectContaining({ code: 'INVALID_DATA', message: expect.stringContaining(reason) as string }),
		);
	});

	it('names value and type in a refusal, cut where long', () => {
		expect(() => parseValue(type('int'), 'x'.repeat(200))).toThrow(/^'x{100}…' is no int: /);
	});

	it('shows nested values as compact JSON', () => {
		const nested = typeFromJson({
			type: 'struct',
			fields: [
				{
					id: 1,
					name: 'a',
					required: false,
					type: { type: 'list', 'element-id': 2, element: 'long', 'element-required': false },
				},
				{
					id: 3,
					name: 'm',
					required: false,
					type: { type: 'map', 'key-id': 4, key: 'date', 'value-id': 5, value: 'double', 'value-required': false },
				},
			],
		});
		const value = [[1n, null], [[0, Number.NaN]]];
		expect(formatValue(nested, value)).toBe('{"a":["1",null],"m":[["1970-01-01","NaN"]]}');
		expect(canonicalJson(nested, null)).toBeNull();
	});
});

describe('the calendar', () => {
	it('agrees with Date, and is its own inverse far beyond it', () => {
		fc.assert(
			fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
				const day = new Date(days * 86_400_000);
				const civil = civilFromDays(days);
				expect(civil).toEqual({ year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate() });
			}),
		);
		fc.assert(
			fc.property(fc.integer(), (days) => {
				const { year, month, day } = civilFromDays(days);
				expect(daysFromCivil(year, month, day)).toBe(days);
			}),
		);
	});
});
