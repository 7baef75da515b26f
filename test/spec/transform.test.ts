import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDate } from '../../src/spec/date-time-text.ts';
import {
	bindHash,
	bindTransform,
	canTransform,
	formatTransformed,
	parseTransform,
	transformResultType,
	transformToString,
} from '../../src/spec/transform.ts';
import { typeFromJson, typeToString } from '../../src/spec/type-json.ts';
import type { Type, Value } from '../../src/spec/types.ts';
import { parseValue } from '../../src/spec/value-text.ts';

const type = (text: string): Type => typeFromJson(text);
const value = (typeText: string, text: string): Value => parseValue(type(typeText), text);
const apply = (transform: string, typeText: string, text: string): Value =>
	bindTransform(parseTransform(transform), type(typeText))(value(typeText, text));

describe('bucket hashes', () => {
	// Iceberg spec: Appendix B: 32-bit Hash Requirements.
	it.each([
		['int', '34', 2017239379],
		['long', '34', 2017239379],
		['decimal(9, 2)', '14.20', -500754589],
		['date', '2017-11-16', -653330422],
		['time', '22:31:08', -662762989],
		['timestamp', '2017-11-16T22:31:08', -2047944441],
		['timestamp', '2017-11-16T22:31:08.000001', -1207196810],
		['timestamptz', '2017-11-16T14:31:08-08:00', -2047944441],
		['timestamptz', '2017-11-16T14:31:08.000001-08:00', -1207196810],
		['timestamp_ns', '2017-11-16T22:31:08', -2047944441],
		['timestamp_ns', '2017-11-16T22:31:08.000001001', -1207196810],
		['timestamptz_ns', '2017-11-16T14:31:08-08:00', -2047944441],
		['timestamptz_ns', '2017-11-16T14:31:08.000001001-08:00', -1207196810],
		['string', 'iceberg', 1210000089],
		['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
		['fixed[4]', '00010203', -188683207],
		['binary', '00010203', -188683207],
	])('of %s %s is %d', (typeText, text, hash) => {
		expect(bindHash(type(typeText))(value(typeText, text))).toBe(hash);
	});

	it('turn nanoseconds before 1970 into microseconds by rounding down', () => {
		expect(bindHash(type('timestamp_ns'))(-1n)).toBe(bindHash(type('timestamp'))(-1n));
	});

	it('are taken modulo the number of buckets without their sign', () => {
		expect(apply('bucket[16]', 'decimal(9, 2)', '14.20')).toBe((-500754589 & 0x7fffffff) % 16);
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 0x7fffffff }),
				fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
				(n, v) => {
					const bucket = bindTransform({ kind: 'bucket', buckets: n }, type('long'))(v) as number;
					expect(bucket).toBeGreaterThanOrEqual(0);
					expect(bucket).toBeLessThan(n);
				},
			),
		);
	});

	it('do not exist for boolean, float and double', () => {
		for (const kind of ['boolean', 'float', 'double', 'variant', 'geometry']) {
			expect(() => bindTransform({ kind: 'bucket', buckets: 2 }, type(kind))).toThrow(/bucket\[2\] takes no/);
		}
	});
});

describe('truncate', () => {
	it.each([
		['truncate[10]', 'int', '1', 0],
		['truncate[10]', 'int', '-1', -10],
		['truncate[10]', 'int', '-10', -10],
		['truncate[10]', 'int', '-11', -20],
		['truncate[10]', 'long', '1', 0n],
		['truncate[10]', 'long', '-1', -10n],
		['truncate[7]', 'long', '9223372036854775807', 9223372036854775807n - (9223372036854775807n % 7n)],
		['truncate[50]', 'decimal(9, 2)', '10.65', 1050n],
		['truncate[10]', 'decimal(9, 2)', '-0.05', -10n],
		['truncate[3]', 'string', 'iceberg', 'ice'],
		['truncate[3]', 'string', 'a😀b😀', 'a😀b'],
		['truncate[9]', 'string', 'iceberg', 'iceberg'],
		['truncate[3]', 'binary', '0102030405', Uint8Array.of(1, 2, 3)],
	])('%s of %s %s', (transform, typeText, text, expected) => {
		expect(apply(transform, typeText, text)).toEqual(expected);
	});

	it('gives the largest multiple not above the value', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer(), (width, v) => {
				const result = bindTransform({ kind: 'truncate', width }, type('int'))(v) as number;
				fc.pre(v > -0x7ff00000);
				expect(Math.abs(result % width)).toBe(0);
				expect(v - result).toBeGreaterThanOrEqual(0);
				expect(v - result).toBeLessThan(width);
				expect(bindTransform({ kind: 'truncate', width }, type('long'))(BigInt(v))).toBe(BigInt(result));
			}),
		);
	});
});

describe('time transforms', () => {
	it.each([
		['year', 'date', '1969-12-31', -1],
		['year', 'date', '1970-01-01', 0],
		['year', 'timestamp', '2017-11-16T22:31:08', 47],
		['year', 'timestamp', '1969-12-31T23:59:59.999999', -1],
		['month', 'date', '1969-12-31', -1],
		['month', 'date', '1968-12-31', -13],
		['month', 'timestamptz', '2017-11-16T14:31:08-08:00', 574],
		['day', 'date', '1969-12-30', -2],
		['day', 'timestamp', '1969-12-31T23:59:59.999999', -1],
		['day', 'timestamp', '1969-12-31T00:00:00', -1],
		['day', 'timestamp_ns', '1969-12-31T23:59:59.999999999', -1],
		['day', 'timestamptz_ns', '2017-11-16T23:31:08-08:00', 17487],
		['hour', 'timestamp', '1969-12-31T23:59:59.999999', -1],
		['hour', 'timestamp', '1969-12-31T23:00:00', -1],
		['hour', 'timestamp', '1970-01-01T01:00:00', 1],
		['hour', 'timestamp_ns', '1969-12-31T22:59:59.999999999', -2],
		['hour', 'timestamp', '2017-11-16T22:31:08', 419686],
	])('%s of %s %s is %d', (transform, typeText, text, expected) => {
		expect(apply(transform, typeText, text)).toBe(expected);
	});

	it('agree with the calendar of Date over 40,000 years', () => {
		const ms = fc.integer({ min: -600_000_000_000_000, max: 600_000_000_000_000 });
		fc.assert(
			fc.property(ms, fc.integer({ min: 0, max: 999 }), (t, micros) => {
				const instant = new Date(t);
				const v = BigInt(t) * 1000n + BigInt(micros);
				const of = (kind: 'year' | 'month' | 'day' | 'hour') => bindTransform({ kind }, type('timestamp'))(v);
				expect(of('year')).toBe(instant.getUTCFullYear() - 1970);
				expect(of('month')).toBe((instant.getUTCFullYear() - 1970) * 12 + instant.getUTCMonth());
				expect(of('day')).toBe(Math.floor(t / 86_400_000));
				expect(of('hour')).toBe(Math.floor(t / 3_600_000));
			}),
		);
	});

	it('take no other types', () => {
		expect(canTransform({ kind: 'hour' }, type('date'))).toBe(false);
		expect(canTransform({ kind: 'day' }, type('time'))).toBe(false);
		expect(canTransform({ kind: 'year' }, type('long'))).toBe(false);
		expect(() => bindTransform({ kind: 'hour' }, type('date'))).toThrow(/hour takes no date/);
	});
});

describe('transforms', () => {
	it.each(['identity', 'year', 'month', 'day', 'hour', 'void', 'bucket[16]', 'truncate[4]', 'zorder[3]', 'bucket[0]'])(
		'%s is read and written back',
		(text) => {
			expect(transformToString(parseTransform(text))).toBe(text);
		},
	);

	it('are kept when they are not known, but give no values', () => {
		const unknown = parseTransform('zorder[3]');
		expect(unknown).toEqual({ kind: 'unknown', text: 'zorder[3]' });
		expect(() => bindTransform(unknown, type('int'))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
		expect(typeToString(transformResultType(unknown, type('int')))).toBe('string');
	});

	it('give null for null', () => {
		for (const text of ['identity', 'bucket[4]', 'truncate[4]', 'void']) {
			expect(bindTransform(parseTransform(text), type('long'))(null)).toBeNull();
		}
		expect(bindTransform({ kind: 'void' }, type('long'))(1n)).toBeNull();
	});

	it('have the result types of the specification', () => {
		const of = (text: string) => typeToString(transformResultType(parseTransform(text), type('timestamp')));
		expect(['identity', 'bucket[4]', 'year', 'month', 'day', 'hour', 'void'].map(of)).toEqual([
			'timestamp',
			'int',
			'int',
			'int',
			'date',
			'int',
			'timestamp',
		]);
	});

	it.each([
		['year', 'date', '2017-11-16', '2017'],
		['year', 'date', '1969-01-01', '1969'],
		['month', 'date', '1969-12-01', '1969-12'],
		['month', 'date', '1970-01-01', '1970-01'],
		['day', 'timestamp', '1969-12-31T23:00:00', '1969-12-31'],
		['hour', 'timestamp', '1969-12-31T23:00:00', '1969-12-31-23'],
		['hour', 'timestamp', '2017-11-16T00:00:00', '2017-11-16-00'],
		['bucket[16]', 'string', 'iceberg', String(1210000089 % 16)],
		['identity', 'decimal(9, 2)', '1.5', '1.50'],
		['identity', 'binary', '0001ff', 'AAH/'],
		['identity', 'timestamptz', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000000+00:00'],
	])('%s of %s %s shows as %s', (transform, typeText, text, expected) => {
		const result = transformResultType(parseTransform(transform), type(typeText));
		expect(formatTransformed(parseTransform(transform), result, apply(transform, typeText, text))).toBe(expected);
		expect(formatTransformed(parseTransform(transform), result, null)).toBe('null');
	});

	it('show years and months of any date as the date begins', () => {
		fc.assert(
			fc.property(fc.integer({ min: -700_000, max: 3_000_000 }), (days) => {
				const show = (kind: 'year' | 'month') =>
					formatTransformed({ kind }, type('int'), bindTransform({ kind }, type('date'))(days));
				expect(formatDate(days).startsWith(`${show('month')}-`)).toBe(true);
				expect(formatDate(days).startsWith(`${show('year')}-`)).toBe(true);
			}),
		);
	});
});
