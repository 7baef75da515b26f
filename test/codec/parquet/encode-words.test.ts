import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordEncoder } from '../../../src/codec/parquet/encode-words.ts';
import { wordValuesEncoder } from '../../../src/codec/parquet/encode-words-kernel.ts';
import { KERNEL_VALUES } from '../../../src/codec/parquet/kernel.ts';
import type { WordKind } from '../../../src/codec/parquet/word-kernel.ts';
import type { Type, Value } from '../../../src/spec/types.ts';
import { many, type Part, partOf, written } from './encoder-support.ts';

const options = { pageSizeBytes: 1 << 20, dictSizeBytes: 200_000 };
const TYPES: Readonly<Record<WordKind, Type>> = {
	int32: { kind: 'int' },
	int64: { kind: 'long' },
	float: { kind: 'float' },
	double: { kind: 'double' },
};

function expectSame(kind: WordKind, parts: readonly Part[], step = KERNEL_VALUES): void {
	const expected = written(new WordEncoder(kind, options, 'c'), parts, step);
	expect(written(wordValuesEncoder(kind, options, 'c'), parts, step)).toEqual(expected);
}

const random = (i: number) => Math.imul(i + 1, 0x9e3779b1) >> 4;
type Of = (i: number) => number | null;
const SHAPES: readonly [string, Of, number?, boolean?][] = [
	['few values', (i) => (random(i) % 50) - 20],
	['values of many pages', (i) => random(i) % 6_000, 6 * KERNEL_VALUES],
	['values that are all different', (i) => random(i)],
	['values that grow', (i) => i * 10],
	['values in runs', (i) => i >> 6],
	['a dictionary that is filled up', (i) => random(i) % 60_000, 12 * KERNEL_VALUES],
	['values near to one another and some far off', (i) => (i % 100 === 99 ? random(i) : (random(i) % 900) - 450)],
	['values that move away from the first ones', (i) => (random(i) % 500) + (i >> 10) * 40_000, 6 * KERNEL_VALUES],
	['one value and nothing else', () => -1],
	['zero and nothing else', () => 0],
	['nulls in between', (i) => (i % 3 === 0 ? random(i) % 80 : null), 4 * KERNEL_VALUES],
	['values out of order', (i) => random(i) % 300, 2 * KERNEL_VALUES, true],
];

describe('numbers in WebAssembly', () => {
	describe.each(['int32', 'int64', 'float', 'double'] as const)('of %s', (kind) => {
		const spread = (value: number): Value => {
			if (kind === 'int32') return value;
			if (kind === 'int64') return BigInt(value);
			return Math.fround(value / 8);
		};

		it.each(SHAPES)('are the same as in JavaScript: %s', (_name, valueAt, count, shuffled = false) => {
			const values = many((i) => {
				const value = valueAt(i);
				return value === null ? null : spread(value);
			}, count);
			expectSame(kind, [partOf(TYPES[kind], values, shuffled), partOf(TYPES[kind], values.slice(100), shuffled)]);
		});

		it('are the same as in JavaScript for any values', () => {
			const value: fc.Arbitrary<Value> = {
				int32: fc.integer(),
				int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
				float: fc.float(),
				double: fc.double(),
			}[kind];
			const values = fc.array(fc.option(value, { freq: 10 }), { minLength: 1, maxLength: 300 });
			fc.assert(
				fc.property(values, (some) => {
					expectSame(kind, [
						partOf(
							TYPES[kind],
							many((i) => some[(i * 7) % some.length] as Value),
						),
					]);
				}),
				{ numRuns: 20 },
			);
		});
	});

	it.each<[string, (i: number) => number]>([
		['NaN and nothing else', () => Number.NaN],
		['zeros of both signs', (i) => (i % 2 === 0 ? 0 : -0)],
		['zeros and NaN', (i) => [0, -0, Number.NaN][i % 3] as number],
		['infinities', (i) => [1 / 0, -1 / 0, i][i % 3] as number],
		['the smallest and greatest', (i) => [Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE][i % 3] as number],
		['NaN in between', (i) => (i % 5 === 0 ? Number.NaN : -i)],
	])('are the same as in JavaScript: %s', (_name, valueAt) => {
		for (const kind of ['float', 'double'] as const) {
			const of = (i: number) => (kind === 'float' ? Math.fround(valueAt(i)) : valueAt(i));
			expectSame(kind, [
				partOf(TYPES[kind], many(of)),
				partOf(
					TYPES[kind],
					many((i) => of(i + 1)),
				),
			]);
		}
	});

	it('keep apart the many NaN that there are', () => {
		const bits = BigInt64Array.from(many((i) => 0x7ff8_0000_0000_0000n + BigInt(i % 7)));
		const { vector, levels } = partOf(
			TYPES.double,
			many(() => 1),
		);
		expectSame('double', [{ vector: { ...vector, values: new Float64Array(bits.buffer) } as never, levels }]);
	});

	it.each(SHAPES)(
		'are the same as in JavaScript, spread over 64 bits: %s',
		(_name, valueAt, count, shuffled = false) => {
			const values = many((i) => {
				const value = valueAt(i);
				return value === null ? null : BigInt(value) * 0x1_0000_0003n;
			}, count);
			expectSame('int64', [partOf(TYPES.int64, values, shuffled), partOf(TYPES.int64, values.slice(100), shuffled)]);
		},
	);

	it('compare all of 64 bits', () => {
		for (const some of [
			[0n, 5_000_000_000n],
			[-(2n ** 63n), 2n ** 63n - 1n],
			[-1n, 0n, 1n],
		])
			expectSame('int64', [
				partOf(
					TYPES.int64,
					many((i) => some[i % some.length] as bigint),
				),
			]);
	});

	it('hold decimals', () => {
		const decimal = { kind: 'decimal', precision: 12, scale: 2 } as const;
		const parts = [
			partOf(
				decimal,
				many((i) => BigInt(random(i)) * 100n),
			),
		];
		const expected = written(new WordEncoder('int64', options, 'c', 12), parts, KERNEL_VALUES);
		expect(written(wordValuesEncoder('int64', options, 'c', 12), parts, KERNEL_VALUES)).toEqual(expected);
		const tooLong = partOf(decimal, [10n ** 12n]);
		expect(() => wordValuesEncoder('int64', options, 'c', 12).bind(tooLong.vector)).toThrow('too many digits');
	});

	it('start small and go on at large', () => {
		const small = partOf(
			TYPES.int64,
			many((i) => BigInt(i % 30), 100),
		);
		expectSame(
			'int64',
			[
				small,
				partOf(
					TYPES.int64,
					many((i) => BigInt(i % 40)),
				),
			],
			100,
		);
	});
});
