/** What encoders of values write, to compare one with another. */
import type { Vector } from '../../../src/column/vector.ts';
import { vectorOf } from '../../../src/column/vector-values.ts';
import { GrowingBytes } from '../../../src/codec/parquet/encode-buffer.ts';
import type { ValueEncoder } from '../../../src/codec/parquet/encode-values.ts';
import { KERNEL_VALUES } from '../../../src/codec/parquet/kernel.ts';
import type { Levels } from '../../../src/codec/parquet/levels.ts';
import type { Type, Value } from '../../../src/spec/types.ts';

export interface Part {
	readonly vector: Vector;
	readonly levels: Levels;
}

/** `count` values, twice as many as are worth a kernel. */
export const many = <T>(valueAt: (i: number) => T, count = 2 * KERNEL_VALUES): T[] =>
	Array.from({ length: count }, (_, i) => valueAt(i));

/** Values as a vector and its levels; what is `null` has no level. */
export function partOf(type: Type, values: readonly Value[], shuffled = false): Part {
	return { vector: vectorOf(type, values), levels: levelsOver(values, shuffled) };
}

/** Levels of what is not `null`, as of values that are optional. */
export function levelsOver(values: readonly unknown[], shuffled = false): Levels {
	const positions = Int32Array.from(values.keys()).filter((i) => values[i] !== null);
	if (shuffled) positions.reverse();
	return {
		entries: values.length,
		repetition: null,
		definition: null,
		presentLevel: 0,
		positions: positions.length === values.length && !shuffled ? null : positions,
		base: 0,
		present: positions.length,
	};
}

const base64 = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('base64');

/** All that an encoder tells of pages of these values, in two chunks. */
export function written(encoder: ValueEncoder, parts: readonly Part[], step: number): unknown[] {
	const told: unknown[] = [];
	for (let chunk = 0; chunk < 2; chunk++) {
		for (const { vector, levels } of parts) {
			encoder.bind(vector);
			for (let from = 0; from < levels.present; from += step) {
				const to = Math.min(levels.present, from + step);
				told.push(encoder.plainSize(levels, from, to));
				encoder.append(levels, from, to);
				told.push(encoder.room, encoder.pageSizeBytes, encoder.dictionarySizeBytes);
				const { min, max, nanCount } = encoder.statistics();
				told.push(base64(min), base64(max), nanCount);
				const out = new GrowingBytes();
				told.push(encoder.finishPage(out), base64(out.content()));
			}
		}
		const dictionary = encoder.dictionaryPage();
		told.push(dictionary?.valueCount, base64(dictionary?.bytes));
		encoder.reset();
	}
	return told;
}
