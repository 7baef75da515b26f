import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BytesVector } from '../../../src/column/vector.ts';
import { vectorOf } from '../../../src/column/vector-values.ts';
import { BytesEncoder } from '../../../src/codec/parquet/encode-bytes.ts';
import { textValuesEncoder } from '../../../src/codec/parquet/encode-text.ts';
import { KERNEL_VALUES, openKernel } from '../../../src/codec/parquet/kernel.ts';
import { levelsOver, many, type Part, partOf, written } from './encoder-support.ts';

const BINARY = { kind: 'binary' } as const;
const options = { pageSizeBytes: 1 << 20, dictSizeBytes: 200_000 };

const levelsOf = (values: readonly (Uint8Array | null)[], shuffled = false) => partOf(BINARY, values, shuffled);
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));

describe('text in WebAssembly', () => {
	const random = (i: number) => Math.imul(i + 1, 0x9e3779b1) >>> 8;
	it.each<[string, (Uint8Array | null)[], boolean?]>([
		['few values', many((i) => text(`worker-${random(i) % 50}`))],
		['values of many pages', many((i) => text(`wf-${random(i) % 6_000}`), 6 * KERNEL_VALUES)],
		['values that are all different', many((i) => text(`task-${i}`))],
		['falling values', many((i) => text(`task-${900_000 - i}`))],
		[
			'a dictionary that is filled up',
			many((i) => text(`${'x'.repeat(random(i) % 40)}${random(i) % 9_000}`), 6 * KERNEL_VALUES),
		],
		['one value and nothing else', many(() => text('the same'))],
		['empty values', many((i) => text(i % 3 === 0 ? '' : '\0'.repeat(i % 11)))],
		['nulls in between', many((i) => (i % 3 === 0 ? text(`error ${i % 8}`) : null), 4 * KERNEL_VALUES)],
		['values out of order', many((i) => text(`${random(i) % 300}`)), true],
		[
			'values of all lengths, alike at the start',
			many((i) => new Uint8Array(i % 130).fill(255).fill(random(i) % 4, 100)),
		],
		['bytes beyond 127', many((i) => Uint8Array.of(random(i), 128 + (i % 100), random(i) >>> 8))],
		[
			'a long value among short ones',
			many((i) => (i === 5000 ? new Uint8Array(3_000_000).fill(7) : text(`${i % 10}`))),
		],
	])('is the same as in JavaScript: %s', (_name, values, shuffled = false) => {
		const parts = [levelsOf(values, shuffled), levelsOf(values.slice(100), shuffled)];
		const expected = written(new BytesEncoder(0, 'unsigned-bytes', options, 'c'), parts, KERNEL_VALUES);
		expect(written(textValuesEncoder(options, 'c'), parts, KERNEL_VALUES)).toEqual(expected);
	});

	it('is the same as in JavaScript for any values', () => {
		const value = fc.oneof(
			fc.uint8Array({ maxLength: 20 }),
			fc.constantFrom(...['a', 'b', 'abcdefgh', 'abcdefghi'].map(text)),
		);
		const values = fc.array(fc.option(value, { freq: 10 }), { minLength: 1, maxLength: 300 });
		fc.assert(
			fc.property(values, (some) => {
				const parts = [levelsOf(many((i) => some[(i * 7) % some.length] as Uint8Array | null))];
				const expected = written(new BytesEncoder(0, 'unsigned-bytes', options, 'c'), parts, KERNEL_VALUES);
				expect(written(textValuesEncoder(options, 'c'), parts, KERNEL_VALUES)).toEqual(expected);
			}),
			{ numRuns: 20 },
		);
	});

	describe('of vectors that have a dictionary of their own', () => {
		const dictionary = vectorOf(
			BINARY,
			many((i) => text(`v${i}${'x'.repeat(i % 30)}`), 200),
		) as BytesVector;
		function dictionaryPart(placeAt: (i: number) => number | null, count = 2 * KERNEL_VALUES, shuffled = false): Part {
			const places = many(placeAt, count);
			const levels = levelsOver(places, shuffled);
			const indices = Int32Array.from(places, (place) => place ?? 0);
			const [length, nullCount] = [count, count - levels.present];
			return {
				vector: { type: BINARY, layout: 'dictionary', length, nullCount, validity: null, indices, dictionary },
				levels,
			};
		}
		const plain = levelsOf(many((i) => text(`v${i % 100}`)));
		const different = levelsOf(many((i) => text(`task-${i}`)));

		it.each<[string, Part[]]>([
			['few of them', [dictionaryPart((i) => (i * i) % 7)]],
			[
				'all of them, page by page others',
				[dictionaryPart((i) => (i >> 7) % 200), dictionaryPart((i) => 199 - (i % 200))],
			],
			['nulls in between', [dictionaryPart((i) => (i % 3 === 0 ? i % 200 : null), 6 * KERNEL_VALUES)]],
			['values out of order', [dictionaryPart((i) => (i * 13) % 200, 2 * KERNEL_VALUES, true)]],
			['after plain ones', [plain, dictionaryPart((i) => (i * 13) % 200)]],
			['before and after plain ones', [dictionaryPart((i) => i % 5), plain, dictionaryPart((i) => i % 200)]],
			[
				'after a dictionary that was given up',
				[different, dictionaryPart((i) => i % 5), dictionaryPart((i) => i % 200)],
			],
			['fewer than their dictionary', [plain, dictionaryPart((i) => i * 2, 90), dictionaryPart((i) => i % 3)]],
		])('is the same as in JavaScript: %s', (_name, parts) => {
			const expected = written(new BytesEncoder(0, 'unsigned-bytes', options, 'c'), parts, KERNEL_VALUES);
			expect(written(textValuesEncoder(options, 'c'), parts, KERNEL_VALUES)).toEqual(expected);
		});

		it('has an upper bound of their size by their number', () => {
			const encoder = new BytesEncoder(0, 'unsigned-bytes', options, 'c');
			const { vector, levels } = dictionaryPart((i) => i % 200);
			encoder.bind(vector);
			expect(encoder.mostPlainBytes(levels.present)).toBeGreaterThanOrEqual(
				encoder.plainSize(levels, 0, levels.present),
			);
			expect(encoder.mostPlainBytes(100)).toBe(100 * (4 + 'v149'.length + 29));
			encoder.bind(plain.vector);
			expect(encoder.mostPlainBytes(1)).toBe(Number.POSITIVE_INFINITY);
		});
	});

	it('is left to JavaScript where there is none', () => {
		const { WebAssembly } = globalThis as { WebAssembly?: unknown };
		Object.assign(globalThis, { WebAssembly: undefined });
		try {
			expect(openKernel()).toBeUndefined();
			const parts = [levelsOf(many((i) => text(`${i % 10}`)))];
			const expected = written(new BytesEncoder(0, 'unsigned-bytes', options, 'c'), parts, KERNEL_VALUES);
			expect(written(textValuesEncoder(options, 'c'), parts, KERNEL_VALUES)).toEqual(expected);
		} finally {
			Object.assign(globalThis, { WebAssembly });
		}
	});

	it('is what its source compiles to', async () => {
		const { compileKernel } = (await import('../../../scripts/build-kernel.mjs' as string)) as {
			compileKernel(): Promise<string>;
		};
		const found = readFileSync(new URL('../../../src/codec/parquet/kernel-module.ts', import.meta.url), 'utf8');
		expect(found).toBe(await compileKernel());
	}, 60_000);
});
