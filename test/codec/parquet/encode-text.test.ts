import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BytesVector, Vector } from '../../../src/column/vector.ts';
import { vectorOf } from '../../../src/column/vector-values.ts';
import { BytesEncoder } from '../../../src/codec/parquet/encode-bytes.ts';
import { textValuesEncoder } from '../../../src/codec/parquet/encode-text.ts';
import { KERNEL_VALUES, openKernel } from '../../../src/codec/parquet/kernel.ts';
import { many, partOf, written } from './encoder-support.ts';

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

	it('goes on with vectors that have a dictionary of their own', () => {
		const plain = levelsOf(many((i) => text(`v${i % 100}`)));
		const dictionary = vectorOf(
			BINARY,
			many((i) => text(`v${i}`), 200),
		) as BytesVector;
		const indices = Int32Array.from({ length: KERNEL_VALUES }, (_, i) => (i * 13) % 200);
		const length = indices.length;
		const vector: Vector = {
			type: BINARY,
			layout: 'dictionary',
			length,
			nullCount: 0,
			validity: null,
			indices,
			dictionary,
		};
		const levels = { ...plain.levels, entries: length, present: length };
		const parts = [plain, { vector, levels }];
		const expected = written(new BytesEncoder(0, 'unsigned-bytes', options, 'c'), parts, KERNEL_VALUES);
		expect(written(textValuesEncoder(options, 'c'), parts, KERNEL_VALUES)).toEqual(expected);
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
