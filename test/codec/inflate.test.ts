import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { fixedTables, NO_ROOM } from '../../src/codec/inflate.ts';
import { openInflateKernel } from '../../src/codec/inflate-kernel.ts';

const ROOM = 1 << 17;
let inflateRawInto: typeof import('../../src/codec/inflate.ts').inflateRawInto;

/** What `node:zlib` makes of the bytes; `undefined` where it refuses them. */
function expected(source: Uint8Array): Uint8Array | undefined {
	try {
		return zlib.inflateRawSync(source);
	} catch {
		return undefined;
	}
}

/** What this makes of them, with other bytes around source and target. */
function found(source: Uint8Array, room = ROOM): Uint8Array | undefined {
	const around = Buffer.concat([Buffer.from([0xff, 7, 1]), source, Buffer.from([0x55, 0xaa, 0, 0xff])]);
	const target = new Uint8Array(room + 10).fill(0xee);
	let end: number;
	try {
		end = inflateRawInto(around, 3, 3 + source.length, target.subarray(0, room + 5), 5);
	} catch (error) {
		expect(error).toBeInstanceOf(RangeError);
		return undefined;
	}
	expect(target.subarray(0, 5)).toEqual(new Uint8Array(5).fill(0xee));
	expect(target.subarray(room + 5)).toEqual(new Uint8Array(5).fill(0xee));
	if (end === NO_ROOM) throw new Error('no room');
	return target.slice(5, end);
}

function checkSame(source: Uint8Array): void {
	const [ours, theirs] = [found(source), expected(source)];
	expect(ours === undefined).toBe(theirs === undefined);
	if (ours !== undefined && theirs !== undefined) expect(Buffer.compare(ours, theirs)).toBe(0);
}

/** Bytes with repetitions near and far, and such whose letters are of very different frequency (long codes). */
const inputs = fc.oneof(
	fc
		.array(fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
		.map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array<Uint8Array>(times).fill(bytes)))),
	fc.array(fc.integer({ min: 0, max: 2 ** 20 }), { maxLength: 3000 }).map((numbers) => {
		return Buffer.from(numbers.map((number) => Math.clz32(number) * 7 + (number % 7 === 0 ? number : 0)));
	}),
);
const options = fc.record({
	level: fc.integer({ min: 0, max: 9 }),
	memLevel: fc.integer({ min: 1, max: 9 }),
	strategy: fc.constantFrom(
		zlib.constants.Z_DEFAULT_STRATEGY,
		zlib.constants.Z_FIXED,
		zlib.constants.Z_HUFFMAN_ONLY,
		zlib.constants.Z_RLE,
	),
});
const compressed = fc.tuple(inputs, options).map(([bytes, how]) => zlib.deflateRawSync(bytes, how));

/** A stream of bits, lowest first, from pairs of a value and its bits. */
function bits(...fields: readonly (readonly [value: number, count: number])[]): Uint8Array {
	const bytes: number[] = [];
	let at = 0;
	for (const [value, count] of fields)
		for (let i = 0; i < count; i++, at++) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (((value >> i) & 1) << (at & 7));
	return Uint8Array.from(bytes);
}

/** A dynamic block of the lengths that codes have, each told with a code of its own of 4 or 5 bits. */
function dynamicBlock(literals: readonly number[], distances: readonly number[], data: [number, number][]): Uint8Array {
	const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
	// lengths 0 to 12 take 4 bits, 13 to 18 take 5: a full set
	const bitsOf = (symbol: number) => (symbol < 13 ? 4 : 5);
	const codeOf = (symbol: number) => (symbol < 13 ? symbol : 26 + symbol - 13);
	const reversed = (code: number, count: number) => {
		let result = 0;
		for (let i = 0; i < count; i++) result |= ((code >> i) & 1) << (count - 1 - i);
		return result;
	};
	return bits(
		[1, 1],
		[2, 2],
		[literals.length - 257, 5],
		[distances.length - 1, 5],
		[15, 4],
		...order.map((symbol): [number, number] => [bitsOf(symbol), 3]),
		...[...literals, ...distances].map((length): [number, number] => [
			reversed(codeOf(length), bitsOf(length)),
			bitsOf(length),
		]),
		...data,
	);
}

function lengths(count: number, given: Readonly<Record<number, number>>): number[] {
	return Array.from({ length: count }, (_, symbol) => given[symbol] ?? 0);
}

describe.each(['in JavaScript', 'with the kernel'])('inflateRawInto, %s', (how) => {
	beforeAll(async () => {
		vi.resetModules();
		if (how === 'in JavaScript') vi.stubGlobal('WebAssembly', undefined);
		({ inflateRawInto } = await import('../../src/codec/inflate.ts'));
		// enough blocks of fixed codes to open the kernel, or to try
		const source = zlib.deflateRawSync(Buffer.from('warm'), { strategy: zlib.constants.Z_FIXED });
		for (let i = 0; i < 100; i++) checkSame(source);
		vi.unstubAllGlobals();
	});

	it('expands what zlib compressed, as zlib does', () => {
		fc.assert(
			fc.property(compressed, (source) => {
				expect(expected(source)).toBeDefined();
				checkSame(source);
			}),
			{ numRuns: 500 },
		);
	});

	it('refuses what zlib refuses of damaged data, and reads the same from the rest', () => {
		const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 });
		fc.assert(
			fc.property(compressed, damage, (source, changes) => {
				const damaged = Uint8Array.from(source);
				for (const [at, change] of changes) {
					// most of what can go wrong does so in the head of a block
					const place = at % Math.min(damaged.length, at % 2 === 0 ? 80 : damaged.length);
					damaged[place] = (damaged[place] as number) ^ change;
				}
				if ((expected(damaged)?.length ?? 0) <= ROOM) checkSame(damaged);
			}),
			{ numRuns: 3000 },
		);
	});

	it('agrees with zlib about bytes of any kind', () => {
		fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), checkSame), { numRuns: 5000 });
	});

	it('agrees with zlib about dynamic blocks of any lengths of codes', () => {
		const length = fc.oneof(fc.integer({ min: 0, max: 15 }), fc.constantFrom(0, 1, 9));
		const arbitrary = fc.tuple(
			fc.array(fc.tuple(fc.nat(285), length), { maxLength: 12 }),
			fc.array(length, { minLength: 1, maxLength: 30 }),
			fc.uint8Array({ maxLength: 20 }),
		);
		fc.assert(
			fc.property(arbitrary, ([literals, distances, data]) => {
				const given = { 256: 1, ...Object.fromEntries(literals) };
				const tail = [...data].map((byte): [number, number] => [byte, 8]);
				checkSame(dynamicBlock(lengths(286, given), distances, tail));
			}),
			{ numRuns: 3000 },
		);
	});

	it('refuses each cut, and ignores what follows the end', () => {
		const source = zlib.deflateRawSync(Buffer.from('a quick brown fox jumps over a lazy dog. '.repeat(9)));
		for (let length = 0; length < source.length; length++) expect(found(source.subarray(0, length))).toBeUndefined();
		checkSame(Buffer.concat([source, Buffer.from([1, 2, 3])]));
		expect(found(Buffer.concat([source, Buffer.from([1, 2, 3])]))).toHaveLength(41 * 9);
	});

	it('finds where there is no room, without writing beyond', () => {
		for (const strategy of [zlib.constants.Z_FIXED, zlib.constants.Z_HUFFMAN_ONLY, zlib.constants.Z_DEFAULT_STRATEGY])
			for (const level of [0, 9]) {
				const source = zlib.deflateRawSync(Buffer.from('abcabcabcabcabcabc'.repeat(20)), { level, strategy });
				for (const room of [0, 1, 3, 200, 359]) expect(() => found(source, room)).toThrow('no room');
				expect(found(source, 360)).toHaveLength(360);
			}
	});

	it.each<[string, Uint8Array, boolean]>([
		['a block of the type that does not exist', bits([1, 1], [3, 2], [0, 29]), false],
		['a stored block whose length and complement differ', bits([1, 3], [0, 5], [1, 16], [0xffff, 16], [7, 8]), false],
		['a stored block of 0 bytes', bits([1, 3], [0, 5], [0, 16], [0xffff, 16]), true],
		['a match before any byte', bits([1, 1], [1, 2], [0b0100000, 7], [0, 5], [0, 7]), false],
		['a literal code that does not exist', bits([1, 1], [1, 2], [0b01100011, 8], [0, 16]), false],
		['a distance code that does not exist', bits([1, 1], [1, 2], [0b00001100, 8], [0b1000000, 7], [0b01111, 5]), false],
		['only an end, of a code of one bit', dynamicBlock(lengths(257, { 256: 1 }), [0], [[0, 1]]), true],
		['the unused code of two', dynamicBlock(lengths(257, { 256: 1 }), [0], [[1, 8]]), false],
		['no code for the end', dynamicBlock(lengths(257, { 1: 1, 2: 1 }), [0], [[0, 8]]), false],
		['too many codes of one length', dynamicBlock(lengths(257, { 1: 1, 2: 1, 256: 1 }), [0], [[0, 8]]), false],
		['too few codes', dynamicBlock(lengths(257, { 1: 2, 256: 2 }), [0], [[0, 8]]), false],
		['codes of 15 bits', dynamicBlock(lengths(257, fifteen()), [1], [[0x7fff, 15]]), true],
	])('%s', (_, source, isValid) => {
		expect(found(source) !== undefined).toBe(isValid);
		checkSame(source);
	});
});

describe('the kernel', () => {
	it('is what its source compiles to', async () => {
		const { compileKernel } = (await import('../../scripts/build-kernel.mjs' as string)) as {
			compileKernel(kernel: string): Promise<string>;
		};
		const found = readFileSync(new URL('../../src/codec/inflate-kernel-module.ts', import.meta.url), 'utf8');
		expect(found).toBe(await compileKernel('inflate'));
	}, 60_000);

	it('takes each length and distance, up to the last byte of its memory', () => {
		const { literals, distances } = fixedTables();
		const kernel = openInflateKernel(literals, distances);
		const expand = (source: Uint8Array, room: number) => {
			const target = new Uint8Array(room);
			const end = kernel?.expand(source, 0, source.length, target, 0);
			return end === -1 ? undefined : target.subarray(0, end);
		};
		const fixed = { strategy: zlib.constants.Z_FIXED, level: 9 };
		const noise = Buffer.from(Array.from({ length: 7000 }, (_, i) => (i * i * 31 + (i >> 3)) & 0x7f));
		const far = Array.from({ length: 60 }, (_, i) => noise.subarray(i * 97, i * 97 + 3 + i * 4));
		for (const bytes of [noise, Buffer.concat([noise, ...far]), Buffer.alloc(65_536, 7), Buffer.alloc(0)]) {
			const source = zlib.deflateRawSync(bytes, fixed);
			expect(source.length).toBeLessThanOrEqual(8192);
			expect(Buffer.compare(expand(source, 70_000) ?? Buffer.from('none'), bytes)).toBe(0);
			expect(Buffer.compare(expand(source, bytes.length) ?? Buffer.from('none'), bytes)).toBe(0);
			if (bytes.length > 0) expect(expand(source, bytes.length - 1)).toBeUndefined();
			for (let cut = 1; cut < 20 && cut < source.length; cut++)
				expect(expand(source.subarray(0, source.length - cut), 70_000)).toBeUndefined();
		}
		expect(expand(zlib.deflateRawSync(Buffer.alloc(65_537, 7), fixed), 70_000)).toBeUndefined();
	});
});

/** One code of each length from 1 to 14 and two of 15, of which the last is the end's. */
function fifteen(): Record<number, number> {
	return { ...Object.fromEntries(Array.from({ length: 15 }, (_, i) => [i, i + 1])), 256: 15 };
}
