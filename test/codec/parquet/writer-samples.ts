/** One column of each kind, with values that touch the edges, as functions of the row. */
import { encodeVariant } from '../../../src/column/variant-encode.ts';
import type { NestedField, Type, Value } from '../../../src/spec/types.ts';
import { field } from './writer-support.ts';

const LONG_MAX = 2n ** 63n - 1n;
const WKB_POINT = new Uint8Array(Buffer.from('0101000000000000000000f03f0000000000000040', 'hex'));

const simple = (kind: 'int' | 'string' | 'date' | 'long' | 'boolean' | 'double'): Type => ({ kind });
const nth = <T>(values: readonly T[], i: number): T => values[i % values.length] as T;

interface Sample {
	readonly field: NestedField;
	readonly value: (row: number) => Value;
}

export const samples: readonly Sample[] = [
	{ field: field(1, 'row', simple('int'), true), value: (i) => i },
	{ field: field(2, 'flag', simple('boolean')), value: (i) => (i % 3 === 0 ? null : i % 2 === 0) },
	{ field: field(3, 'int', simple('int')), value: (i) => nth([-0x80000000, 0x7fffffff, 0, null, i], i) },
	{ field: field(4, 'long', simple('long')), value: (i) => nth([-LONG_MAX - 1n, LONG_MAX, null, BigInt(i)], i) },
	{
		field: field(5, 'float', { kind: 'float' }),
		value: (i) => nth([Number.NaN, -0, Number.POSITIVE_INFINITY, null, Math.fround(i / 3)], i),
	},
	{
		field: field(6, 'double', simple('double')),
		value: (i) => nth([0, Number.NEGATIVE_INFINITY, Number.NaN, 5e-324, null, i / 7], i),
	},
	{
		field: field(7, 'decimal9', { kind: 'decimal', precision: 9, scale: 2 }),
		value: (i) => nth([999_999_999n, -999_999_999n, null, BigInt(i)], i),
	},
	{
		field: field(8, 'decimal18', { kind: 'decimal', precision: 18, scale: 18 }),
		value: (i) => nth([10n ** 18n - 1n, null, 1n - 10n ** 18n, BigInt(-i)], i),
	},
	{
		field: field(9, 'decimal38', { kind: 'decimal', precision: 38, scale: 3 }),
		value: (i) => nth([10n ** 38n - 1n, null, 1n - 10n ** 38n, -1n, BigInt(i)], i),
	},
	{ field: field(10, 'decimal20', { kind: 'decimal', precision: 20, scale: 0 }), value: (i) => BigInt(i) - 5n },
	{ field: field(11, 'date', simple('date')), value: (i) => nth([null, -719162, 2932896, i], i) },
	{ field: field(12, 'time', { kind: 'time' }), value: (i) => nth([0n, 86_399_999_999n, null], i) },
	{ field: field(13, 'timestamp', { kind: 'timestamp' }), value: (i) => (i % 9 === 4 ? null : BigInt(i) - 10n) },
	{ field: field(14, 'timestamptz', { kind: 'timestamptz' }), value: (i) => 1_700_000_000_000_001n + BigInt(i) },
	{ field: field(15, 'timestampNs', { kind: 'timestamp_ns' }), value: (i) => (i % 2 ? null : LONG_MAX - BigInt(i)) },
	{ field: field(16, 'timestamptzNs', { kind: 'timestamptz_ns' }), value: (i) => BigInt(i) },
	{ field: field(17, 'text', simple('string')), value: (i) => nth(['', 'é€', '\u{1F600}', null, `row ${i}`], i) },
	{ field: field(18, 'fewTexts', simple('string')), value: (i) => nth(['success', 'failed', null, 'running'], i) },
	{
		field: field(19, 'uuid', { kind: 'uuid' }),
		value: (i) => (i % 4 === 3 ? null : `f47ac10b-58cc-4372-a567-${i.toString(16).padStart(12, '0')}`),
	},
	{
		field: field(20, 'fixed', { kind: 'fixed', length: 3 }),
		value: (i) => (i % 5 === 1 ? null : Uint8Array.of(i & 255, 0, 255)),
	},
	{
		field: field(21, 'binary', { kind: 'binary' }),
		value: (i) => (i % 5 === 2 ? null : Uint8Array.from({ length: i % 200 }, (_, k) => 255 - k)),
	},
	{ field: field(22, 'nothing', { kind: 'unknown' }), value: () => null },
	{
		field: field(23, 'variant', { kind: 'variant' }),
		value: (i) => (i % 4 === 0 ? null : encodeVariant(i % 4 === 1 ? { a: i, b: ['x'] } : i)),
	},
	{ field: field(24, 'shape', { kind: 'geometry', crs: 'OGC:CRS84' }), value: (i) => (i % 2 ? WKB_POINT : null) },
	{
		field: field(25, 'area', { kind: 'geography', crs: 'EPSG:4326', algorithm: 'karney' }),
		value: (i) => (i % 3 ? WKB_POINT : null),
	},
	{
		field: field(26, 'struct', {
			kind: 'struct',
			fields: [
				field(27, 'a', simple('int')),
				field(28, 'unknown', { kind: 'unknown' }),
				field(29, 'b', simple('string'), true),
				field(30, 'inner', { kind: 'struct', fields: [field(31, 'c', simple('double'))] }),
			],
		}),
		value: (i) => (i % 4 === 0 ? null : [i % 3 ? i : null, null, `b${i}`, i % 5 ? [i % 2 ? null : i / 2] : null]),
	},
	{
		field: field(32, 'list', { kind: 'list', elementId: 33, elementRequired: false, element: simple('int') }),
		value: (i) => (i % 5 === 0 ? null : Array.from({ length: i % 4 }, (_, k) => (k === 1 ? null : i * k))),
	},
	{
		field: field(34, 'texts', { kind: 'list', elementId: 35, elementRequired: true, element: simple('string') }, true),
		value: (i) => Array.from({ length: i % 3 }, (_, k) => `e${k}`),
	},
	{
		field: field(36, 'lists', {
			kind: 'list',
			elementId: 37,
			elementRequired: false,
			element: { kind: 'list', elementId: 38, elementRequired: false, element: simple('long') },
		}),
		value: (i) =>
			i % 6 === 0
				? null
				: Array.from({ length: i % 3 }, (_, k) =>
						k === 0 && i % 2 ? null : Array.from({ length: k + (i % 2) }, (_, j) => (j === 1 ? null : BigInt(j))),
					),
	},
	{
		field: field(39, 'map', {
			kind: 'map',
			keyId: 40,
			key: simple('string'),
			valueId: 41,
			valueRequired: false,
			value: {
				kind: 'struct',
				fields: [
					field(42, 'p', simple('int')),
					field(43, 'q', { kind: 'list', elementId: 44, elementRequired: false, element: simple('date') }),
				],
			},
		}),
		value: (i) =>
			i % 5 === 2
				? null
				: Array.from(
						{ length: i % 3 },
						(_, k) => [`k${k}`, k === 1 ? null : [i, i % 2 ? null : [1, null, i]]] as const,
					),
	},
	{
		field: field(45, 'structs', {
			kind: 'list',
			elementId: 46,
			elementRequired: true,
			element: { kind: 'struct', fields: [field(47, 'x', simple('int'), true), field(48, 'y', simple('boolean'))] },
		}),
		value: (i) => (i % 5 === 1 ? null : Array.from({ length: i % 4 }, (_, k) => [k, k % 2 ? null : true])),
	},
];

export const sampleFields: readonly NestedField[] = samples.map((sample) => sample.field);

export function sampleRows(count: number): Value[][] {
	return Array.from({ length: count }, (_, i) => samples.map(({ value }) => value(i)));
}
