import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur3Bytes, murmur3Long, murmur3Words } from '../../src/util/murmur3.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('murmur3', () => {
	it("gives the specification's values", () => {
		expect(murmur3Long(34n)).toBe(2017239379);
		expect(murmur3Bytes(text('iceberg'))).toBe(1210000089);
		expect(murmur3Bytes(Uint8Array.of(0, 1, 2, 3))).toBe(-188683207);
	});

	// Published test vectors of MurmurHash3_x86_32 with seed 0, for each length of the tail.
	it.each([
		['', 0],
		['a', 0x3c2569b2],
		['abc', 0xb3dd93fa | 0],
		['abcd', 0x43ed676a],
		['Hello, world!', 0xc0363e43 | 0],
		['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
	])('hashes %j', (value, expected) => {
		expect(murmur3Bytes(text(value))).toBe(expected);
	});

	it('hashes a long as its 8 little-endian bytes, and its words alike', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
				const bytes = new Uint8Array(8);
				new DataView(bytes.buffer).setBigInt64(0, value, true);
				expect(murmur3Long(value)).toBe(murmur3Bytes(bytes));
				const view = new Int32Array(bytes.buffer);
				expect(murmur3Words(view[0] as number, view[1] as number)).toBe(murmur3Bytes(bytes));
			}),
		);
	});

	it('hashes a range of a larger array', () => {
		expect(murmur3Bytes(text('xxicebergyy'), 2, 9)).toBe(1210000089);
	});
});
