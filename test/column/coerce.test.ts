import { describe, expect, it } from 'vitest';
import { coerce } from '../../src/column/coerce.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import type { Type, Value } from '../../src/spec/types.ts';

const list = (element: Type, elementRequired = false): Type => ({
	kind: 'list',
	elementId: 90,
	elementRequired,
	element,
});
const map = (key: Type, value: Type, valueRequired = false): Type => ({
	kind: 'map',
	keyId: 91,
	key,
	valueId: 92,
	valueRequired,
	value,
});
const decimal: Type = { kind: 'decimal', precision: 9, scale: 2 };
const struct: Type = {
	kind: 'struct',
	fields: [
		{ id: 1, name: 'status', required: true, type: { kind: 'string' } },
		{ id: 2, name: 'tries', required: false, type: { kind: 'int' }, writeDefault: 1 },
		{ id: 3, name: 'constructor', required: false, type: { kind: 'int' } },
	],
};

describe('accepted values become engine values', () => {
	const cases: [string, Type, unknown, Value][] = [
		['null of any type', { kind: 'long' }, null, null],
		['undefined of any type', { kind: 'string' }, undefined, null],
		['boolean', { kind: 'boolean' }, false, false],
		['int', { kind: 'int' }, -2147483648, -2147483648],
		['int from bigint', { kind: 'int' }, 7n, 7],
		['int from -0', { kind: 'int' }, -0, 0],
		['long from bigint', { kind: 'long' }, 2n ** 63n - 1n, 9223372036854775807n],
		['long from the largest safe number', { kind: 'long' }, 9007199254740991, 9007199254740991n],
		['float rounded to nearest', { kind: 'float' }, 0.1, Math.fround(0.1)],
		['float NaN', { kind: 'float' }, Number.NaN, Number.NaN],
		['float infinity as given', { kind: 'float' }, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
		['largest float', { kind: 'float' }, 3.4028234663852886e38, 3.4028234663852886e38],
		['double -0', { kind: 'double' }, -0, -0],
		['double from an exact bigint', { kind: 'double' }, 2n ** 60n, 2 ** 60],
		['decimal text', decimal, '1.5', 150n],
		['decimal text with exponent', decimal, '-12e-1', -120n],
		['decimal text with zeros to spare', decimal, '1.5000', 150n],
		['decimal whole bigint', decimal, 3n, 300n],
		['decimal number', decimal, 0.1, 10n],
		['decimal limit', decimal, '-9999999.99', -999999999n],
		['decimal 38 digits', { kind: 'decimal', precision: 38, scale: 0 }, '9'.repeat(38), BigInt('9'.repeat(38))],
		['decimal zero with a wild exponent', decimal, '0e999999', 0n],
		['date text', { kind: 'date' }, '1969-12-31', -1],
		['date from Date', { kind: 'date' }, new Date('2024-02-29T00:00:00Z'), 19782],
		['date from days', { kind: 'date' }, -5, -5],
		['time text', { kind: 'time' }, '12:34:56.000001', 45296000001n],
		['time micros', { kind: 'time' }, 86_399_999_999n, 86_399_999_999n],
		['timestamp text', { kind: 'timestamp' }, '1970-01-01T00:00:01.5', 1_500_000n],
		['timestamp from Date', { kind: 'timestamp' }, new Date(-1), -1000n],
		['timestamptz text', { kind: 'timestamptz' }, '1970-01-01T01:00:00+01:00', 0n],
		['timestamptz from Date', { kind: 'timestamptz' }, new Date(5), 5000n],
		['timestamp_ns text', { kind: 'timestamp_ns' }, '1970-01-01T00:00:00.000000001', 1n],
		['timestamptz_ns from Date', { kind: 'timestamptz_ns' }, new Date(1), 1_000_000n],
		['string', { kind: 'string' }, 'a\u{1F600}', 'a\u{1F600}'],
		[
			'uuid in capitals',
			{ kind: 'uuid' },
			'F79C3E09-677C-4BBD-A479-3F349CB785E7',
			'f79c3e09-677c-4bbd-a479-3f349cb785e7',
		],
		['uuid bytes', { kind: 'uuid' }, new Uint8Array(16).fill(0xab), 'abababab-abab-abab-abab-abababababab'],
		['fixed', { kind: 'fixed', length: 2 }, Buffer.from([1, 2]), Buffer.from([1, 2])],
		['binary from ArrayBuffer', { kind: 'binary' }, new Uint8Array([9]).buffer, new Uint8Array([9])],
		[
			'encoded variant',
			{ kind: 'variant' },
			{ metadata: Uint8Array.of(1, 0, 0), value: Uint8Array.of(4) },
			{ metadata: Uint8Array.of(1, 0, 0), value: Uint8Array.of(4) },
		],
		['list with nulls', list({ kind: 'int' }), [1, null, undefined], [1, null, null]],
		['list from a typed array', list({ kind: 'long' }), new Int32Array([1, 2]), [1n, 2n]],
		['map from Map', map({ kind: 'int' }, { kind: 'string' }), new Map([[1, 'a']]), [[1, 'a']]],
		['map from pairs', map({ kind: 'long' }, { kind: 'int' }), [[5, null]], [[5n, null]]],
		['map from an object', map({ kind: 'string' }, { kind: 'int' }), { x: 1 }, [['x', 1]]],
		['struct with default and an inherited name', struct, { status: 'ok' }, ['ok', 1, null]],
		['struct with null over a default', struct, { status: 'ok', tries: null }, ['ok', null, null]],
		['struct with an own inherited name', struct, { status: 'ok', constructor: 3 }, ['ok', 1, 3]],
	];
	it.each(cases)('%s', (_, type, input, expected) => {
		expect(coerce(type, input)).toEqual(expected);
	});
});

describe('refused values', () => {
	const cases: [string, Type, unknown, RegExp][] = [
		['text into boolean', { kind: 'boolean' }, 'true', /expected boolean.*found "true"/],
		['1.5 into int', { kind: 'int' }, 1.5, /expected int.*found 1\.5/],
		['2^31 into int', { kind: 'int' }, 2147483648, /found 2147483648/],
		['NaN into int', { kind: 'int' }, Number.NaN, /found NaN/],
		['1.5 into long', { kind: 'long' }, 1.5, /expected long.*found 1\.5/],
		['2^63 into long', { kind: 'long' }, 2n ** 63n, /found 9223372036854775808/],
		['2^53 as number into long', { kind: 'long' }, 2 ** 53, /bigint.*found 9007199254740992/],
		['text into long', { kind: 'long' }, '5', /found "5"/],
		['Infinity into long', { kind: 'long' }, Number.POSITIVE_INFINITY, /found Infinity/],
		['1e300 into float', { kind: 'float' }, 1e300, /expected float.*found 1e\+300/],
		['text into double', { kind: 'double' }, 'NaN', /found "NaN"/],
		['inexact bigint into double', { kind: 'double' }, 2n ** 53n + 1n, /exactly.*9007199254740993/],
		['decimal with a digit too many behind', decimal, '1.005', /decimal\(9, 2\).*"1\.005"/],
		['decimal number that needs more digits', decimal, 0.125, /0\.125/],
		['decimal overflow', decimal, '10000000', /7 digits before/],
		['decimal from NaN', decimal, Number.NaN, /NaN/],
		['decimal from empty text', decimal, '', /""/],
		['decimal from a point', decimal, '.', /"\."/],
		['decimal with a huge exponent', decimal, '1e999999999', /1e999999999/],
		['decimal from a huge bigint', decimal, 10n ** 500n, /found 10+…/],
		['date out of the calendar', { kind: 'date' }, '2023-02-29', /2023-02-29/],
		['date from a Date with a time', { kind: 'date' }, new Date(1), /midnight UTC.*Date 1970-01-01T00:00:00\.001Z/],
		['Invalid Date', { kind: 'timestamptz' }, new Date(Number.NaN), /Invalid Date/],
		['time of a whole day', { kind: 'time' }, 86_400_000_000n, /time/],
		[
			'naive text into timestamptz',
			{ kind: 'timestamptz' },
			'2024-01-01T00:00:00',
			/with an offset.*found "2024-01-01T00:00:00"/,
		],
		['offset into timestamp', { kind: 'timestamp' }, '2024-01-01T00:00:00Z', /without an offset/],
		['nanoseconds into micros', { kind: 'timestamp' }, '2024-01-01T00:00:00.000000001', /timestamp/],
		['number into timestamp', { kind: 'timestamp' }, 5, /found 5/],
		['Date beyond nanoseconds', { kind: 'timestamptz_ns' }, new Date('2300-01-01T00:00:00Z'), /2300/],
		['lone surrogate', { kind: 'string' }, 'a\ud800', /lone surrogates/],
		['Date into string', { kind: 'string' }, new Date(0), /Date 1970/],
		['number into string', { kind: 'string' }, 5, /found 5/],
		['uuid without dashes', { kind: 'uuid' }, 'f79c3e09677c4bbda4793f349cb785e7', /uuid/],
		['short uuid bytes', { kind: 'uuid' }, new Uint8Array(15), /15 bytes/],
		['fixed too long', { kind: 'fixed', length: 2 }, new Uint8Array(3), /exactly 2 bytes, found 3 bytes/],
		['text into binary', { kind: 'binary' }, 'ff', /binary/],
		['anything into unknown', { kind: 'unknown' }, 0, /unknown/],
		['null element of a required list', list({ kind: 'int' }, true), [1, null], /at \[1\].*required/],
		['object into list', list({ kind: 'int' }), { 0: 1 }, /list: an array/],
		['text into list', list({ kind: 'string' }), 'abc', /list: an array/],
		['bad element', list(list({ kind: 'int' })), [[1], [2, 'x']], /at \[1\]\[1\]: expected int.*found "x"/],
		[
			'key twice',
			map({ kind: 'long' }, { kind: 'int' }),
			new Map<unknown, number>([
				[1, 1],
				[1n, 2],
			]),
			/each key once/,
		],
		['null key', map({ kind: 'int' }, { kind: 'int' }), [[null, 1]], /at \[null\]/],
		['object as a map of ints', map({ kind: 'int' }, { kind: 'int' }), { 1: 1 }, /a Map or an array of pairs/],
		['not a pair', map({ kind: 'int' }, { kind: 'int' }), [[1]], /pairs/],
		['missing required child', struct, { tries: 3 }, /at status: .*required.*found undefined/],
		['unknown child with a near name', struct, { status: 'a', Trys: 3 }, /at Trys: .*did you mean 'tries'/],
		['array into struct', struct, ['ok'], /struct: an object/],
		['Map into struct', struct, new Map([['status', 'ok']]), /struct: an object.*a Map of 1/],
		[
			'broken parts into variant',
			{ kind: 'variant' },
			{ metadata: Uint8Array.of(1, 0, 0), value: Uint8Array.of(6 << 2) },
			/variant: metadata and value/,
		],
		['function into variant', { kind: 'variant' }, { a: [() => 1] }, /at a\[0\].*function/],
	];
	it.each(cases)('%s', (_, type, input, message) => {
		let caught: unknown;
		try {
			coerce(type, input);
		} catch (error) {
			caught = error;
		}
		expect(caught).toBeInstanceOf(IcebergError);
		const error = caught as IcebergError;
		expect(error.code).toBe('INVALID_DATA');
		expect(error.message).toMatch(message);
		expect(error.context).toHaveProperty('value');
		expect(error.context.expected).toEqual(expect.any(String));
	});

	it('a type that this version does not know is unsupported', () => {
		expect(() => coerce({ kind: 'unsupported', json: 'quaternion' }, 1)).toThrow(
			expect.objectContaining({ code: 'UNSUPPORTED' }),
		);
	});
});
