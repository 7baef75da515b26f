/** Hostile bytes: whatever stands in a file, reading it ends soon with rows or with a clear error. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openParquet } from '../../../src/codec/parquet/reader.ts';
import { DeltaReader } from '../../../src/codec/parquet/decode-delta.ts';
import { RleDecoder } from '../../../src/codec/parquet/decode-rle.ts';
import { isIcebergError } from '../../../src/errors/iceberg-error.ts';
import { annotateVariants } from './edit-footer.ts';
import { expectedRows, fixtureBytes, fixtureIndex, readAll, sourceOf } from './fixtures.ts';
import { legacyFiles } from './legacy-files.ts';

const VARIANTS = new URL('../../fixtures/variant/', import.meta.url);
const seeds: readonly (readonly [string, Uint8Array])[] = [
	...Object.keys(fixtureIndex.files).map((name) => [name, fixtureBytes(name)] as const),
	...readdirSync(VARIANTS)
		.filter((name) => name.endsWith('.parquet'))
		.map((name) => [name, annotateVariants(new Uint8Array(readFileSync(new URL(name, VARIANTS))))] as const),
	...legacyFiles().map(({ name, bytes }) => [name, bytes] as const),
];
/** Rows after which a test has seen enough: a few bytes may honestly stand for billions of equal values. */
const ROWS_LIMIT = 200_000;
const CASE_LIMIT_MS = 5_000;
const CASE_BYTES_LIMIT = 1 << 30;

/** Reads all that can be read, through every path: statistics, page index, ranges, batches. */
async function readWhole(bytes: Uint8Array, name: string): Promise<'read' | 'refused'> {
	const source = sourceOf(bytes, name);
	try {
		const reader = await openParquet(source);
		for (const group of reader.info.rowGroups) for (const { id } of reader.info.fields) group.statistics(id);
		const fields = reader.info.fields.filter(({ type }) => type.kind !== 'unsupported');
		let rows = 0;
		const batches = reader.read(
			{ fields },
			{
				batchRowLimit: 1000,
				selectRows: async (pages) => {
					for (const { id } of fields) await pages.pages(id);
					return [
						{ from: 1, to: 17 },
						{ from: 30, to: Number.MAX_SAFE_INTEGER },
					];
				},
			},
		);
		for await (const { batch } of batches) {
			rows += batch.length;
			if (rows > ROWS_LIMIT) break;
		}
		return 'read';
	} catch (error) {
		if (!isIcebergError(error, 'CORRUPT', 'UNSUPPORTED', 'LIMIT_EXCEEDED')) throw error;
		expect(error.message).toContain(name);
		return 'refused';
	}
}

async function check(bytes: Uint8Array, name: string): Promise<'read' | 'refused'> {
	const start = performance.now();
	const outcome = await readWhole(bytes, name);
	expect(performance.now() - start).toBeLessThan(CASE_LIMIT_MS);
	expect(process.memoryUsage().rss).toBeLessThan(CASE_BYTES_LIMIT);
	return outcome;
}

const anySeed = fc.constantFrom(...seeds);
const anyByte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff));

describe('mutated files', () => {
	test('end with rows or a refusal that names the file', async () => {
		const outcomes = { read: 0, refused: 0 };
		await fc.assert(
			fc.asyncProperty(
				anySeed,
				fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), anyByte), {
					minLength: 1,
					maxLength: 5,
				}),
				fc.boolean(),
				async ([name, seed], mutations, inFooter) => {
					const bytes = seed.slice();
					const from = inFooter ? bytes.length - 8 - (bytes.at(-8)! | (bytes.at(-7)! << 8)) : 0;
					for (const [place, byte] of mutations) bytes[from + Math.floor(place * (bytes.length - from))] = byte;
					outcomes[await check(bytes, name)]++;
				},
			),
			{ numRuns: 1500, interruptAfterTimeLimit: 45_000 },
		);
		expect(outcomes.read).toBeGreaterThan(0);
		expect(outcomes.refused).toBeGreaterThan(0);
	});

	test('cut anywhere are refused', async () => {
		await fc.assert(
			fc.asyncProperty(
				anySeed,
				fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
				async ([name, seed], at) => {
					expect(await check(seed.slice(0, Math.floor(at * seed.length)), name)).toBe('refused');
				},
			),
			{ numRuns: 300 },
		);
	});

	test('with a stretch taken out or doubled end with rows or a refusal', async () => {
		await fc.assert(
			fc.asyncProperty(
				anySeed,
				fc.nat(),
				fc.integer({ min: 1, max: 40 }),
				fc.boolean(),
				async ([name, seed], at, size, double) => {
					const start = at % seed.length;
					const parts = double
						? [seed.subarray(0, start + size), seed.subarray(start)]
						: [seed.subarray(0, start), seed.subarray(start + size)];
					await check(new Uint8Array(Buffer.concat(parts)), name);
				},
			),
			{ numRuns: 500, interruptAfterTimeLimit: 30_000 },
		);
	});

	test('every byte of pages with checksums counts', async () => {
		const seed = fixtureBytes('types-v1');
		const expected = expectedRows('types-v1');
		const footerStart = seed.length - 8 - (seed.at(-8)! | (seed.at(-7)! << 8));
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 4, max: footerStart - 1 }),
				fc.integer({ min: 1, max: 255 }),
				async (at, flip) => {
					const bytes = seed.slice();
					bytes[at]! ^= flip;
					const rows = await openParquet(sourceOf(bytes))
						.then((reader) => readAll(reader))
						.catch((error: unknown) => error);
					// page headers are not covered: a flip there may change nothing that counts, but never a value
					if (!isIcebergError(rows, 'CORRUPT', 'UNSUPPORTED', 'LIMIT_EXCEEDED')) expect(rows).toEqual(expected);
				},
			),
			{ numRuns: 400 },
		);
	});
});

describe('bytes that are no Parquet file', () => {
	test.each([
		['nothing', ''],
		['one byte', 'P'],
		['the magic alone', 'PAR1'],
		['two magics', 'PAR1PAR1'],
		['text', 'this is not a Parquet file at all, just text'],
		['a footer longer than the file', 'PAR1\xff\xff\xff\x7fPAR1'],
		['an empty footer', 'PAR1\0\0\0\0PAR1'],
		['another start', 'XXXX\0\0\0\0PAR1'],
	])('%s', async (_, text) => {
		const error = await openParquet(sourceOf(Buffer.from(text, 'latin1'), 'what.parquet')).catch((e: unknown) => e);
		expect(isIcebergError(error, 'CORRUPT')).toBe(true);
		expect((error as Error).message).toContain('what.parquet');
	});

	test('an encrypted file is unsupported', async () => {
		const bytes = Buffer.from('PARE\0\0\0\0PARE', 'latin1');
		const error = await openParquet(sourceOf(bytes, 'secret.parquet')).catch((e: unknown) => e);
		expect(isIcebergError(error, 'UNSUPPORTED')).toBe(true);
		expect((error as Error).message).toContain('secret.parquet');
	});

	test('random bytes between magics', async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (body) => {
				const length = new Uint8Array(new Uint32Array([body.length]).buffer);
				const magic = Buffer.from('PAR1');
				const bytes = new Uint8Array(Buffer.concat([magic, body, length, magic]));
				await check(bytes, 'random.parquet');
			}),
			{ numRuns: 500 },
		);
	});
});

describe('claims beyond the bytes', () => {
	test('a run of 2^31 values costs nothing until it is read, and then only what was asked for', () => {
		const runs = new RleDecoder(new Uint8Array([0xfe, 0xff, 0xff, 0xff, 0x0f, 1]), 0, 1);
		runs.skip(2_000_000_000);
		const out = new Int32Array(4);
		runs.readInts(out, 0, 4);
		expect([...out]).toEqual([1, 1, 1, 1]);
		expect(() => runs.skip(200_000_000)).toThrow('ends before its last value');
	});

	test('random runs never read outside of their bytes', () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 60 }),
				fc.integer({ min: 0, max: 32 }),
				fc.nat(500),
				(bytes, width, count) => {
					const out = new Int32Array(count + 1).fill(77);
					try {
						new RleDecoder(bytes, 0, width).readInts(out, 0, count);
					} catch (error) {
						if (!isIcebergError(error, 'CORRUPT')) throw error;
					}
					expect(out[count]).toBe(77);
				},
			),
		);
	});

	test('random deltas never read outside of their bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(500), fc.boolean(), (bytes, count, wide) => {
				// a plausible header, so that blocks are reached
				const all = new Uint8Array([0x80, 1, 4, 0xff, 3, ...bytes]);
				const out = new Int32Array(2 * count + 1).fill(77);
				try {
					const reader = new DeltaReader(all, 0);
					if (wide) reader.read64(out, 0, count);
					else reader.read32(out, 0, count);
				} catch (error) {
					if (!isIcebergError(error, 'CORRUPT')) throw error;
				}
				expect(out[wide ? 2 * count : count]).toBe(77);
			}),
		);
	});
});
