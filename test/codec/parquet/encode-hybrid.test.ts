import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrowingBytes } from '../../../src/codec/parquet/encode-buffer.ts';
import { bitWidthOf, encodeHybrid, encodeRun, MAX_BIT_WIDTH } from '../../../src/codec/parquet/encode-hybrid.ts';

/** Parquet: RLE/Bit-Packing Hybrid, decoded bit by bit. */
function decode(bytes: Uint8Array, bitWidth: number, count: number): number[] {
	const values: number[] = [];
	let at = 0;
	while (values.length < count) {
		let header = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = bytes[at++] as number;
			header |= (byte & 0x7f) << shift;
			if (byte < 0x80) break;
		}
		if ((header & 1) === 0) {
			let value = 0;
			for (let i = 0; i * 8 < bitWidth; i++) value |= (bytes[at++] as number) << (8 * i);
			for (let i = 0; i < header >>> 1; i++) values.push(value);
			continue;
		}
		for (let i = 0; i < (header >>> 1) * 8; i++) {
			let value = 0;
			for (let bit = 0; bit < bitWidth; bit++) {
				const place = i * bitWidth + bit;
				value |= (((bytes[at + (place >> 3)] as number) >> (place & 7)) & 1) << bit;
			}
			values.push(value);
		}
		at += (header >>> 1) * bitWidth;
	}
	expect(at).toBe(bytes.length);
	return values.slice(0, count);
}

const columns = fc.integer({ min: 1, max: MAX_BIT_WIDTH }).chain((bitWidth) =>
	fc.record({
		bitWidth: fc.constant(bitWidth),
		runs: fc.array(fc.tuple(fc.nat({ max: 2 ** bitWidth - 1 }), fc.integer({ min: 1, max: 30 })), { maxLength: 30 }),
	}),
);

describe('the hybrid of runs and packed bits', () => {
	it('decodes to the values', () => {
		fc.assert(
			fc.property(columns, ({ bitWidth, runs }) => {
				const values = runs.flatMap(([value, times]) => Array<number>(times).fill(value));
				const out = new GrowingBytes();
				encodeHybrid(Int32Array.from([...values, 0, 0]), values.length, bitWidth, out);
				expect(decode(out.content(), bitWidth, values.length)).toEqual(values);
			}),
			{ numRuns: 500 },
		);
	});

	it('is short for long runs', () => {
		const out = new GrowingBytes();
		encodeHybrid(new Uint8Array(1_000_000).fill(3), 1_000_000, 2, out);
		expect(out.length).toBe(4);
		const run = new GrowingBytes();
		encodeRun(3, 1_000_000, 2, run);
		expect(run.content()).toEqual(out.content());
	});

	it('knows how many bits a number takes', () => {
		expect([0, 1, 2, 3, 4, 255, 256, 2 ** 20 - 1].map(bitWidthOf)).toEqual([0, 1, 2, 2, 3, 8, 9, 20]);
	});
});
