import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { beforeAll, describe, expect, it } from 'vitest';
import {
	type CompressionCodec,
	compress,
	compressSync,
	decompress,
	decompressSync,
	loadCodec,
} from '../../src/codec/compression.ts';

const WRITABLE: CompressionCodec[] = ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw', 'deflate'];
const COMPRESSING = WRITABLE.filter((codec) => codec !== 'uncompressed');
const READABLE: CompressionCodec[] = [...WRITABLE, 'lz4', 'brotli'];
const LIMIT = 1 << 20;

beforeAll(async () => {
	for (const codec of WRITABLE) {
		await loadCodec(codec, 'compress');
		await loadCodec(codec, 'decompress');
	}
});

/** Bytes with repetitions near and far, of any length. */
const inputs = fc
	.array(fc.tuple(fc.uint8Array({ minLength: 0, maxLength: 60 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
	.map((parts) => new Uint8Array(Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(bytes)))));

const HELLO = `${'hello '.repeat(6)}hello\n`.repeat(3);
const text = new TextEncoder().encode('the quick brown fox jumps over the lazy dog; '.repeat(200));

describe.each(WRITABLE)('%s', (codec) => {
	it('gives back what was compressed', () => {
		fc.assert(
			fc.property(inputs, (bytes) => {
				const compressed = compressSync(codec, bytes).slice();
				expect(Buffer.compare(decompressSync(codec, compressed, bytes.length), bytes)).toBe(0);
				expect(Buffer.compare(decompressSync(codec, compressed, LIMIT), bytes)).toBe(0);
			}),
			{ numRuns: 150 },
		);
	});

	it('gives back megabytes', async () => {
		const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >>> (i % 13));
		const compressed = await compress(codec, large);
		expect(Buffer.compare(await decompress(codec, compressed, large.length), large)).toBe(0);
	});
});

describe.each(COMPRESSING)('%s', (codec) => {
	it('makes text smaller', () => {
		expect(compressSync(codec, text).length).toBeLessThan(text.length / 10);
	});

	it('does not expand beyond the limit', () => {
		const bomb = compressSync(codec, new Uint8Array(50_000_000));
		expect(bomb.length).toBeLessThan(3_000_000);
		for (const limit of [0, 1, 1000, 49_999_999]) {
			expect(() => decompressSync(codec, bomb, limit)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		}
		expect(decompressSync(codec, bomb, 50_000_000)).toHaveLength(50_000_000);
	});

	it('finds input that is cut short', () => {
		const compressed = compressSync(codec, text);
		for (let length = 0; length < compressed.length; length += Math.ceil(length / 20) + 1) {
			expect(() => {
				// a bare LZ4 block does not say how long it is: it can end early where a sequence ends
				if (decompressSync(codec, compressed.subarray(0, length), LIMIT).length < text.length) {
					expect(codec).toBe('lz4_raw');
					throw Object.assign(new Error(), { code: 'CORRUPT' });
				}
			}).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		}
	});
});

describe.each(READABLE.filter((codec) => codec !== 'uncompressed'))('%s', (codec) => {
	it('refuses or bounds what is not its own', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
				let expanded: Uint8Array | undefined;
				try {
					expanded = decompressSync(codec, bytes, 1000);
				} catch (error) {
					expect(error).toMatchObject({ code: 'CORRUPT' });
				}
				expect(expanded?.length ?? 0).toBeLessThanOrEqual(1000);
			}),
			{ numRuns: 1000 },
		);
	});

	it('survives damage of each byte', () => {
		const source =
			codec === 'brotli'
				? new Uint8Array(zlib.brotliCompressSync(text))
				: compressSync(codec === 'lz4' ? 'lz4_raw' : codec, text);
		for (let i = 0; i < source.length; i++) {
			for (const flip of [0xff, 1, 0x80]) {
				const damaged = source.slice();
				damaged[i] = (damaged[i] as number) ^ flip;
				let length = 0;
				try {
					length = decompressSync(codec, damaged, text.length).length;
				} catch (error) {
					expect(error).toMatchObject({ code: 'CORRUPT' });
				}
				expect(length).toBeLessThanOrEqual(text.length);
			}
		}
		// the decoder is as good as before
		expect(decompressSync(codec, source, text.length)).toHaveLength(text.length);
	});
});

describe('zstd', () => {
	const frame = (bytes: Uint8Array) => compressSync('zstd', bytes).slice();

	it('reads several frames, skippable ones among them', () => {
		const skippable = new Uint8Array([0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
		const parts = [frame(text), skippable, frame(new Uint8Array(0)), frame(text.subarray(0, 100))];
		const expanded = decompressSync('zstd', new Uint8Array(Buffer.concat(parts)), LIMIT);
		expect(Buffer.compare(expanded, Buffer.concat([text, text.subarray(0, 100)]))).toBe(0);
		expect(() => decompressSync('zstd', new Uint8Array(Buffer.concat(parts)), text.length + 99)).toThrow(
			expect.objectContaining({ code: 'CORRUPT' }),
		);
	});

	it('reads frames that do not tell their size', () => {
		// by Arrow C++ (pyarrow.CompressedOutputStream)
		const streamed = '28b52ffd0048cd00005868656c6c6f200a200a200a05000008680f00065a21502902';
		const expanded = decompressSync('zstd', Buffer.from(streamed, 'hex'), LIMIT);
		expect(Buffer.from(expanded).toString()).toBe(`${'hello '.repeat(7)}hello\n`.repeat(3));
		// one raw block: magic, descriptor without sizes, window, block header (last, raw, 5 bytes)
		const raw = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 0x29, 0, 0, 104, 101, 108, 108, 111]);
		expect(Buffer.from(decompressSync('zstd', raw, LIMIT)).toString()).toBe('hello');
		expect(() => decompressSync('zstd', raw, 4)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});

	it('does not take memory for a size that a frame only claims', () => {
		const claims = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0xff, 0, 0, 0, 1, 0, 0]);
		expect(() => decompressSync('zstd', claims, 2 ** 31)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});

	it('knows levels', () => {
		const mixed = Uint8Array.from({ length: 200_000 }, (_, i) => ((i * 7919) % 251) ^ (i >> 9));
		expect(compressSync('zstd', mixed, 15).length).toBeLessThanOrEqual(compressSync('zstd', mixed, 1).length);
	});
});

describe('snappy', () => {
	it('reads what another implementation wrote', () => {
		fc.assert(
			fc.property(inputs, (bytes) => {
				const compressed = snappyCompress(bytes);
				expect(Buffer.compare(decompressSync('snappy', compressed, LIMIT), bytes)).toBe(0);
			}),
		);
	});

	it('reads what Arrow C++ wrote', () => {
		const bytes = Buffer.from('7e1468656c6c6f208a0600000a8a24000948aa2a00', 'hex');
		expect(Buffer.from(decompressSync('snappy', bytes, LIMIT)).toString()).toBe(HELLO);
	});

	it('refuses a huge length before taking memory for it', () => {
		const huge = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
		expect(() => decompressSync('snappy', huge, 2 ** 32)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});

	it('reads copies of all kinds', () => {
		// literal "abcd", copy1 (length 4, offset 4), copy2 (length 5, offset 2), copy4 (length 3, offset 13)
		const input = new Uint8Array([16, 0x0c, 97, 98, 99, 100, 0x01, 4, 0x12, 2, 0, 0x0b, 13, 0, 0, 0]);
		expect(Buffer.from(decompressSync('snappy', input, 100)).toString()).toBe('abcdabcdcdcdcabc');
	});
});

describe('lz4', () => {
	it('reads Hadoop frames, several of them, and bare blocks', () => {
		const framed = (bytes: Uint8Array) => {
			const block = compressSync('lz4_raw', bytes);
			const head = new DataView(new ArrayBuffer(8));
			head.setUint32(0, bytes.length);
			head.setUint32(4, block.length);
			return Buffer.concat([new Uint8Array(head.buffer), block]);
		};
		const two = new Uint8Array(Buffer.concat([framed(text), framed(text)]));
		expect(Buffer.compare(decompressSync('lz4', two, LIMIT), Buffer.concat([text, text]))).toBe(0);
		expect(Buffer.compare(decompressSync('lz4', compressSync('lz4_raw', text), LIMIT), text)).toBe(0);
		expect(() => decompressSync('lz4', two, text.length)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});

	it('reads what Arrow C++ wrote', () => {
		const bytes = Buffer.from('6f68656c6c6f200600101f0a2400100248000f2a001350656c6c6f0a', 'hex');
		expect(Buffer.from(decompressSync('lz4_raw', bytes, LIMIT)).toString()).toBe(HELLO);
	});

	it('writes blocks that end as the format asks', () => {
		// 20 equal bytes: a match may not reach into the last five
		const block = compressSync('lz4_raw', new Uint8Array(20).fill(7));
		expect(Array.from(block.subarray(-6))).toEqual([0x50, 7, 7, 7, 7, 7]);
	});
});

describe('codecs that are only read', () => {
	it('refuse to write', () => {
		for (const codec of ['brotli', 'lz4'] as const) {
			expect(() => compressSync(codec, text)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
		}
	});

	it('read brotli and several gzip members', () => {
		const brotli = new Uint8Array(zlib.brotliCompressSync(text));
		expect(Buffer.compare(decompressSync('brotli', brotli, text.length), text)).toBe(0);
		const members = new Uint8Array(Buffer.concat([zlib.gzipSync(text), zlib.gzipSync(text)]));
		expect(decompressSync('gzip', members, LIMIT)).toHaveLength(text.length * 2);
	});
});
