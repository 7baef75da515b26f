/** The value and level decoders, against the examples of Parquet's specification and a slow reference. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { int96ToTicks } from '../../../src/codec/parquet/assemble-time.ts';
import { widenFixed } from '../../../src/codec/parquet/assemble-decimal.ts';
import { copyBits, setBits, unpackBytes, unpackInts, viewOf } from '../../../src/codec/parquet/decode-bits.ts';
import { ByteStreamSplitDecoder } from '../../../src/codec/parquet/decode-byte-stream-split.ts';
import { DeltaReader } from '../../../src/codec/parquet/decode-delta.ts';
import { DeltaBytesDecoder } from '../../../src/codec/parquet/decode-delta-bytes.ts';
import { levelsV1, levelWidth } from '../../../src/codec/parquet/decode-levels.ts';
import { RleDecoder } from '../../../src/codec/parquet/decode-rle.ts';
import { BytesSink, FixedSink } from '../../../src/codec/parquet/decode-sink.ts';
import { Encoding } from '../../../src/codec/parquet/format.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';

/** Bits of all bytes, least significant first, as a slow reference. */
function bitsAt(bytes: Uint8Array, bit: number, width: number): number {
	let value = 0n;
	for (let i = 0; i < width; i++) {
		const b = bit + i;
		if ((bytes[b >> 3]! >> (b & 7)) & 1) value |= 1n << BigInt(i);
	}
	return Number(BigInt.asIntN(32, value));
}

describe('bit-packed integers', () => {
	test('of every width and place', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 32 }),
				fc.nat(7),
				fc.nat(5),
				fc.uint8Array({ minLength: 0, maxLength: 90 }),
				(width, bit, pos, bytes) => {
					const count = Math.max(0, Math.floor(((bytes.length - pos) * 8 - bit) / width));
					const expected = Array.from({ length: count }, (_, i) => bitsAt(bytes, pos * 8 + bit + i * width, width));
					const out = new Int32Array(count + 2).fill(99);
					unpackInts(bytes, viewOf(bytes), pos, bit, width, out, 1, count);
					expect([...out]).toEqual([99, ...expected, 99]);
					if (width > 8) return;
					const small = new Uint8Array(count + 2).fill(99);
					unpackBytes(bytes, pos, bit, width, small, 1, count);
					expect([...small]).toEqual([99, ...expected, 99]);
				},
			),
		);
	});

	test('bits are copied and set from any place to any place', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(30), fc.nat(30), fc.nat(96), (source, from, to, count) => {
				const length = Math.max(0, Math.min(count, source.length * 8 - from));
				const target = new Uint8Array(20);
				const ones = copyBits(source, from, target, to, length);
				const found = Array.from({ length: 160 }, (_, i) => bitsAt(target, i, 1) & 1);
				const expected = new Array<number>(160).fill(0);
				for (let i = 0; i < length; i++) expected[to + i] = bitsAt(source, from + i, 1) & 1;
				expect(found).toEqual(expected);
				expect(ones).toBe(expected.filter((bit) => bit === 1).length);
				const set = new Uint8Array(20);
				setBits(set, to, length);
				expect(Array.from({ length: 160 }, (_, i) => bitsAt(set, i, 1) & 1)).toEqual(
					expected.map((_, i) => (i >= to && i < to + length ? 1 : 0)),
				);
			}),
		);
	});
});

describe('run-length encoding', () => {
	test("the specification's bit-packed example", () => {
		const out = new Int32Array(8);
		new RleDecoder(new Uint8Array([3, 0b10001000, 0b11000110, 0b11111010]), 0, 3).readInts(out, 0, 8);
		expect([...out]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
	});

	test('a bitmap is what the values are, in any steps', () => {
		const bytes = new Uint8Array([40, 1, 7, 0xaa, 0x0f, 0x81, 50, 0, 3, 0xff]);
		const whole = new Uint8Array(77);
		new RleDecoder(bytes, 0, 1).readBytes(whole, 0, 77);
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 }), (steps) => {
				const decoder = new RleDecoder(bytes, 0, 1);
				const bitmap = new Uint8Array(12);
				let at = 0;
				for (const step of steps) {
					const take = Math.min(step, 77 - at);
					const ones = decoder.readBitmap(bitmap, at, take);
					expect(ones).toBe(whole.subarray(at, at + take).filter((v) => v === 1).length);
					at += take;
				}
				for (let i = 0; i < at; i++) expect(bitsAt(bitmap, i, 1) & 1).toBe(whole[i]);
			}),
		);
	});

	test('a value that does not fit its width is refused', () => {
		expect(() => new RleDecoder(new Uint8Array([2, 4]), 0, 2).skip(1)).toThrow('does not fit 2 bits');
		expect(() => new RleDecoder(new Uint8Array([2, 4]), 0, 33)).toThrow('bit width of 33');
	});
});

describe('levels', () => {
	test("the specification's example of BIT_PACKED, most significant bit first", () => {
		const bytes = new Uint8Array([0b00000101, 0b00111001, 0b01110111]);
		const { levels, end } = levelsV1(bytes, 0, Encoding.BIT_PACKED, 7, 8);
		const out = new Uint8Array(8);
		levels.read(out, 0, 8);
		expect([...out]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
		expect(end).toBe(3);
		const bits = levelsV1(new Uint8Array([0b10110000]), 0, Encoding.BIT_PACKED, 1, 4);
		const bitmap = new Uint8Array(1);
		expect([bits.levels.readBitmap(bitmap, 0, 4), bitmap[0]]).toEqual([3, 0b1101]);
	});

	test('a level above the highest is refused', () => {
		const { levels } = levelsV1(new Uint8Array([2, 0, 0, 0, 2, 3]), 0, Encoding.RLE, 2, 1);
		expect(() => levels.read(new Uint8Array(1), 0, 1)).toThrow('a level of 3 where the highest is 2');
	});

	test('widths', () => {
		expect([1, 2, 3, 4, 7, 8, 100].map(levelWidth)).toEqual([1, 2, 2, 3, 3, 4, 7]);
	});
});

describe('deltas', () => {
	/** The encoding as the specification describes it, with blocks of 128 in 4 miniblocks. */
	function encode(values: readonly bigint[], bits: 32 | 64): Uint8Array {
		const out: number[] = [];
		const varint = (value: bigint): void => {
			let rest = value;
			for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
			out.push(Number(rest));
		};
		const zigzag = (value: bigint): void => varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
		varint(128n);
		varint(4n);
		varint(BigInt(values.length));
		zigzag(values[0] ?? 0n);
		const deltas = values.slice(1).map((value, i) => BigInt.asIntN(bits, value - values[i]!));
		for (let start = 0; start < deltas.length; start += 128) {
			const block = deltas.slice(start, start + 128);
			const min = block.reduce((a, b) => (b < a ? b : a));
			zigzag(min);
			const parts = [0, 32, 64, 96].map((at) => block.slice(at, at + 32).map((d) => BigInt.asUintN(bits, d - min)));
			const widths = parts.map((part) => part.reduce((most, d) => Math.max(most, d.toString(2).length), 0));
			out.push(...widths.map((width, i) => (parts[i]!.every((d) => d === 0n) ? 0 : width)));
			for (const [i, part] of parts.entries()) {
				if (part.every((d) => d === 0n)) continue;
				let packed = 0n;
				part.forEach((d, k) => {
					packed |= d << BigInt(k * widths[i]!);
				});
				for (let b = 0; b < widths[i]! * 4; b++) out.push(Number((packed >> BigInt(8 * b)) & 0xffn));
			}
		}
		return new Uint8Array(out);
	}

	test.each([64, 32] as const)('of %s bits wrap around, read in any steps', (bits) => {
		const any = bits === 64 ? fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) : fc.integer().map(BigInt);
		const close = fc.integer({ min: -50, max: 50 }).map(BigInt);
		fc.assert(
			fc.property(
				fc.oneof(fc.array(any, { minLength: 1, maxLength: 300 }), fc.array(close, { minLength: 1, maxLength: 300 })),
				fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
				(values, steps) => {
					const bytes = encode(values, bits);
					const reader = new DeltaReader(bytes, 0);
					const words = new Int32Array(values.length * 2);
					let at = 0;
					for (let k = 0; at < values.length; k++) {
						const take = Math.min(steps[k % steps.length]!, values.length - at);
						if (bits === 64) reader.read64(words, at, take);
						else reader.read32(words, at, take);
						at += take;
					}
					const found =
						bits === 64 ? [...new BigInt64Array(words.buffer)] : [...words.subarray(0, values.length)].map(BigInt);
					expect(found).toEqual(values);
					expect(new DeltaReader(bytes, 0).end()).toBe(bytes.length);
					expect(() => reader.read32(words, 0, 1)).toThrow('has 0 values left');
				},
			),
			{ numRuns: 60 },
		);
	});

	test("the specification's example of delta strings", () => {
		// axis, axle, babble, babyhood: prefixes 0 2 0 3, suffixes 'axis' 'le' 'babble' 'yhood'
		const prefixes = encode([0n, 2n, 0n, 3n], 32);
		const lengths = encode([4n, 2n, 6n, 5n], 32);
		const bytes = Buffer.concat([prefixes, lengths, Buffer.from('axislebabbleyhood')]);
		const words = ['axis', 'axle', 'babble', 'babyhood'];
		for (const skipped of [0, 1, 3]) {
			const decoder = new DeltaBytesDecoder(new Uint8Array(bytes), 0);
			decoder.skip(skipped);
			const sink = new BytesSink(4);
			decoder.read(sink, 0, 4 - skipped);
			const text = Buffer.from(sink.values.subarray(0, sink.usedBytes)).toString();
			expect(text).toBe(words.slice(skipped).join(''));
		}
		const broken = Buffer.concat([encode([1n], 32), encode([1n], 32), Buffer.from('a')]);
		expect(() => new DeltaBytesDecoder(new Uint8Array(broken), 0).skip(1)).toThrow('a shared prefix of 1 bytes');
	});
});

test("the specification's example of split streams", () => {
	const streams = [0xaa, 0x00, 0xa3, 0xbb, 0x11, 0xb4, 0xcc, 0x22, 0xc5, 0xdd, 0x33, 0xd6];
	const sink = new FixedSink(4, 3);
	const decoder = new ByteStreamSplitDecoder(new Uint8Array(streams), 0, 4);
	decoder.read(sink, 0, 1);
	decoder.read(sink, 1, 2);
	const expected = [0xaa, 0xbb, 0xcc, 0xdd, 0x00, 0x11, 0x22, 0x33, 0xa3, 0xb4, 0xc5, 0xd6];
	expect([...sink.bytes.subarray(0, 12)]).toEqual(expected);
});

describe('INT96', () => {
	const words = (day: number, nanos: bigint): Int32Array =>
		new Int32Array([Number(BigInt.asIntN(32, nanos)), Number(nanos >> 32n), day]);
	const ticks = (day: number, nanos: bigint, toNanos: boolean): bigint =>
		new BigInt64Array(int96ToTicks(words(day, nanos), 1, undefined, toNanos).buffer)[0]!;

	test('is days from the Julian epoch and nanoseconds of the day', () => {
		expect(ticks(2_440_588, 0n, false)).toBe(0n);
		expect(ticks(2_440_587, 86_399_999_999_999n, false)).toBe(-1n);
		expect(ticks(2_440_589, 1_999n, false)).toBe(86_400_000_001n);
		expect(ticks(2_440_589, 1_999n, true)).toBe(86_400_000_001_999n);
		expect(ticks(0, 0n, false)).toBe(-2_440_588n * 86_400_000_000n);
		expect(ticks(100_000_000, 5_000n, false)).toBe(97_559_412n * 86_400_000_000n + 5n);
	});

	test('outside of 64 bits is refused', () => {
		const error = (() => {
			try {
				return ticks(2_000_000_000, 0n, false);
			} catch (e) {
				return e;
			}
		})();
		expect(isIcebergError(error, 'UNSUPPORTED')).toBe(true);
	});
});

test('decimals of any width keep their sign; more than 128 bits are refused', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 20 }),
			fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }),
			(width, any) => {
				const value = BigInt.asIntN(Math.min(8 * width, 128), any);
				const bytes = new Uint8Array(width);
				for (let i = 0; i < width; i++) bytes[width - 1 - i] = Number((value >> BigInt(8 * i)) & 0xffn);
				const out = new Int32Array(4);
				widenFixed(bytes, width, 1, out);
				const [low, high] = new BigUint64Array(out.buffer);
				expect(BigInt.asIntN(128, (high! << 64n) | low!)).toBe(value);
			},
		),
	);
	const wide = new Uint8Array(17);
	wide[0] = 1;
	expect(() => widenFixed(wide, 17, 1, new Int32Array(4))).toThrow('needs more than 16');
	wide[0] = 0;
	wide[1] = 0x80;
	expect(() => widenFixed(wide, 17, 1, new Int32Array(4))).toThrow('needs more than 16');
});
