import { describe, expect, it } from 'vitest';
import { setBit } from '../../src/column/bitmap.ts';
import { firstNotUtf8 } from '../../src/column/utf8.ts';
import type { BytesVector } from '../../src/column/vector.ts';

/** A text column of these bytes; those of nulls stay where they are. */
function texts(elements: readonly number[][], nulls: readonly number[] = []): BytesVector {
	const length = elements.length;
	const offsets = new Int32Array(length + 1);
	elements.forEach((bytes, i) => {
		offsets[i + 1] = (offsets[i] as number) + bytes.length;
	});
	const validity = new Uint8Array(Math.ceil(length / 8));
	for (let i = 0; i < length; i++) if (!nulls.includes(i)) setBit(validity, i);
	return {
		layout: 'bytes',
		type: { kind: 'string' },
		length,
		nullCount: nulls.length,
		validity: nulls.length === 0 ? null : validity,
		offsets,
		values: Uint8Array.from(elements.flat()),
	};
}

const A = 0x61;
/** é */
const [LEAD, TRAIL] = [0xc3, 0xa9];

describe('the first element that is not UTF-8', () => {
	it.each<[string, BytesVector, number]>([
		['none in an empty column', texts([]), -1],
		['none in sound text', texts([[A], [], [LEAD, TRAIL]]), -1],
		['a byte that begins no character', texts([[A], [0xff]]), 1],
		['a character cut short', texts([[A], [LEAD]]), 1],
		['a character across two elements', texts([[A], [LEAD], [TRAIL]]), 1],
		['a character across two elements and an empty one', texts([[LEAD], [], [TRAIL]]), 0],
		['not the remains of a null', texts([[A], [0xff], [A]], [1]), -1],
		['not a character across the remains of two nulls', texts([[A], [LEAD], [TRAIL]], [1, 2]), -1],
		['a character that ends in the remains of a null', texts([[LEAD], [TRAIL], [A]], [1]), 0],
		['a character that begins in the remains of a null', texts([[A], [LEAD], [TRAIL]], [1]), 2],
	])('is %s', (_what, vector, expected) => {
		expect(firstNotUtf8(vector)).toBe(expected);
	});

	it('is looked for in the part of the bytes that the offsets name', () => {
		const { offsets, ...vector } = texts([[A], [0xff], [A]]);
		expect(firstNotUtf8({ ...vector, length: 1, offsets: offsets.subarray(2) })).toBe(-1);
		expect(firstNotUtf8({ ...vector, length: 2, offsets: offsets.subarray(1) })).toBe(0);
	});
});
