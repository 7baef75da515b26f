import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { detachMetrics } from '../../src/manifest/detach-metrics.ts';
import { encodeManifest } from '../../src/manifest/encode-manifest.ts';
import { decodeManifest } from '../../src/manifest/manifest.ts';
import { decodeManifestList, encodeManifestList } from '../../src/manifest/manifest-list.ts';
import type { DataFile, ManifestEntry } from '../../src/manifest/types.ts';
import { compareValues } from '../../src/spec/compare.ts';
import { fromBinary } from '../../src/spec/single-value.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import type { Type, Value } from '../../src/spec/types.ts';
import { mutated, valueOf } from '../codec/avro/arbitrary.ts';
import { corpusTables } from '../support/corpus.ts';
import { corpusBytes, corpusMetadata, manifestTableOf } from './corpus-manifests.ts';
import { added, contextOf, LONGS, listed, tableOf } from './fixtures.ts';

const partitionTypes: readonly Type[] = [
	{ kind: 'boolean' },
	{ kind: 'int' },
	{ kind: 'long' },
	{ kind: 'float' },
	{ kind: 'double' },
	{ kind: 'date' },
	{ kind: 'time' },
	{ kind: 'timestamp' },
	{ kind: 'timestamptz' },
	{ kind: 'timestamp_ns' },
	{ kind: 'timestamptz_ns' },
	{ kind: 'string' },
	{ kind: 'uuid' },
	{ kind: 'uuid' },
	{ kind: 'binary' },
	{ kind: 'fixed', length: 5 },
	{ kind: 'fixed', length: 5 },
	{ kind: 'decimal', precision: 9, scale: 2 },
	{ kind: 'decimal', precision: 9, scale: 2 },
	{ kind: 'decimal', precision: 38, scale: 10 },
	{ kind: 'unknown' },
];
const TABLE = tableOf(partitionTypes);

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const id = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const counts = fc.option(fc.array(fc.tuple(id, count), { maxLength: 5 }).map((pairs) => new Map(pairs)));
const bounds = fc.option(
	fc.array(fc.tuple(id, fc.uint8Array({ maxLength: 40 })), { maxLength: 5 }).map((pairs) => new Map(pairs)),
);
const sequenceNumber = fc.bigInt({ min: 0n, max: 2n ** 62n });

const file: fc.Arbitrary<DataFile> = fc
	.record({
		location: fc.string({ unit: 'grapheme', maxLength: 60 }),
		format: fc.constantFrom('parquet', 'avro', 'orc'),
		partition: fc.tuple(...partitionTypes.map((type) => valueOf(type, false))),
		recordCount: count,
		fileSizeInBytes: count,
		columnSizes: counts,
		valueCounts: counts,
		nullValueCounts: counts,
		nanValueCounts: counts,
		lowerBounds: bounds,
		upperBounds: bounds,
		keyMetadata: fc.option(fc.uint8Array({ maxLength: 10 })),
		splitOffsets: fc.option(fc.array(count, { maxLength: 4 })),
		sortOrderId: fc.option(fc.nat({ max: 100 })),
	})
	.map((parts) => {
		const present = Object.entries(parts).filter(([, value]) => value !== null);
		return { content: 'data', specId: 2, ...Object.fromEntries(present) } as unknown as DataFile;
	});

const entry: fc.Arbitrary<ManifestEntry> = fc.oneof(
	file.map((f) => ({
		status: 'added' as const,
		snapshotId: null,
		sequenceNumber: null,
		fileSequenceNumber: null,
		file: f,
	})),
	fc
		.tuple(
			file,
			fc.constantFrom('existing' as const, 'deleted' as const),
			sequenceNumber,
			sequenceNumber,
			fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
		)
		.map(([f, status, data, fileNumber, snapshotId]) => ({
			status,
			snapshotId,
			sequenceNumber: data,
			fileSequenceNumber: fileNumber,
			file: f,
		})),
);
const codec = fc.constantFrom('deflate' as const, 'null' as const, 'zstandard' as const, 'snappy' as const);

describe('generated manifests', () => {
	test.each<FormatVersion>([1, 2, 3])('of v%i come back exactly', async (formatVersion) => {
		await fc.assert(
			fc.asyncProperty(fc.array(entry, { maxLength: 6 }), codec, async (entries, compression) => {
				const context = contextOf(formatVersion, { table: TABLE, codec: compression });
				const { bytes, manifest } = await encodeManifest(entries, context);
				const isV1 = formatVersion === 1;
				const row = listed(manifest, isV1 ? { sequenceNumber: 0n } : {});
				const decoded = await decodeManifest(bytes, row, TABLE);
				expect(decoded.map((found) => ({ ...found, file: detachMetrics(found.file, 'all') }))).toEqual(
					entries.map((wanted) => ({
						...wanted,
						snapshotId: wanted.snapshotId ?? context.snapshotId,
						sequenceNumber: isV1 ? 0n : (wanted.sequenceNumber ?? 9n),
						fileSequenceNumber: isV1 ? 0n : (wanted.fileSequenceNumber ?? 9n),
					})),
				);
			}),
			{ numRuns: 60 },
		);
	});

	test('have summaries that hold all their partition values', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 8 }), async (entries) => {
				const { manifest } = await encodeManifest(entries, contextOf(2, { table: TABLE }));
				partitionTypes.forEach((type, i) => {
					const summary = manifest.partitions?.[i];
					const values = entries.map((one) => one.file.partition[i] as Value);
					const proper = values.filter((value) => value !== null && !Number.isNaN(value));
					expect(summary?.containsNull).toBe(values.includes(null));
					expect(summary?.containsNan).toBe(values.some((value) => Number.isNaN(value)));
					if (proper.length === 0) {
						expect(summary).not.toHaveProperty('lowerBound');
						expect(summary).not.toHaveProperty('upperBound');
						return;
					}
					const sorted = proper.toSorted(compareValues(type));
					expect(fromBinary(type, summary?.lowerBound as Uint8Array)).toEqual(sorted[0]);
					expect(fromBinary(type, summary?.upperBound as Uint8Array)).toEqual(sorted.at(-1));
				});
			}),
			{ numRuns: 60 },
		);
	});
});

/** Runs what a reader of the table would; true when the bytes were refused. */
async function refuses(read: () => Promise<unknown>): Promise<boolean> {
	try {
		await read();
		return false;
	} catch (error) {
		if (!isIcebergError(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
		return true;
	}
}

function touch(entries: readonly ManifestEntry[]): void {
	for (const { file: found } of entries) detachMetrics(found, 'all');
}

describe('hostile bytes in place of', () => {
	test('a manifest are refused or read as another, never anything else', async () => {
		let refused = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.array(entry, { minLength: 1, maxLength: 3 }),
				codec,
				fc.gen(),
				async (entries, compression, gen) => {
					const { bytes, manifest } = await encodeManifest(entries, contextOf(2, { table: TABLE, codec: compression }));
					for (let i = 0; i < 10; i++) {
						const hostile = gen(() => mutated(bytes));
						if (await refuses(async () => touch(await decodeManifest(hostile, listed(manifest), TABLE)))) refused++;
						await refuses(() => decodeManifest(hostile, listed(manifest), TABLE, { metricsFor: new Set([1, 2]) }));
					}
				},
			),
			{ numRuns: 150 },
		);
		expect(refused).toBeGreaterThan(500);
	});

	test('a manifest list are refused or read as another, never anything else', async () => {
		const { manifest } = await encodeManifest([], contextOf(3));
		const { bytes } = await encodeManifestList([listed(manifest), listed(manifest)], {
			...contextOf(3),
			sequenceNumber: 9n,
			firstRowId: 0n,
			codec: 'null',
		});
		let refused = 0;
		await fc.assert(
			fc.asyncProperty(mutated(bytes), async (hostile) => {
				if (await refuses(() => decodeManifestList(hostile, 'l'))) refused++;
			}),
			{ numRuns: 1500 },
		);
		expect(refused).toBeGreaterThan(300);
	});

	test('a manifest cut short at any byte are refused', async () => {
		const { bytes, manifest } = await encodeManifest([], contextOf(2, { codec: 'null' }));
		const full = await encodeManifest(
			[
				{
					status: 'added',
					snapshotId: null,
					sequenceNumber: null,
					fileSequenceNumber: null,
					file: {
						content: 'data',
						location: 'a',
						format: 'parquet',
						specId: 2,
						partition: [1n],
						recordCount: 1,
						fileSizeInBytes: 1,
					},
				},
			],
			contextOf(2, { codec: 'null' }),
		);
		for (let end = 0; end < full.bytes.length; end++) {
			// the header alone is a manifest without entries
			if (end === bytes.length) continue;
			expect(await refuses(() => decodeManifest(full.bytes.subarray(0, end), listed(manifest), LONGS))).toBe(true);
		}
	});

	test('a manifest that expands to entries without end are refused before they fill the memory', async () => {
		const entries = Array.from({ length: 150_000 }, () => added({ location: '' }));
		const { bytes, manifest } = await encodeManifest(entries, contextOf(2));
		expect(bytes.length).toBeLessThan(100_000);
		await expect(decodeManifest(bytes, listed(manifest), LONGS)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringMatching(/more than 1\d{5} rows in \d+ bytes/),
		});
	});

	test.skipIf(corpusTables().length === 0)(
		"other writers' manifests are refused or read as others (skipped: ../shared is not there)",
		async () => {
			const samples: [Uint8Array, Parameters<typeof decodeManifest>[1], ReturnType<typeof manifestTableOf>][] = [];
			for (const table of corpusTables()) {
				const metadata = corpusMetadata(table);
				const list = metadata.snapshots?.at(-1)?.['manifest-list'];
				if (list === undefined) continue;
				for (const manifest of (await decodeManifestList(corpusBytes(list), list)).slice(0, 1)) {
					samples.push([corpusBytes(manifest.location), manifest, manifestTableOf(metadata)]);
				}
			}
			expect(samples.length).toBeGreaterThan(50);
			await fc.assert(
				fc.asyncProperty(fc.constantFrom(...samples), fc.gen(), async ([bytes, manifest, table], gen) => {
					const hostile = gen(() => mutated(bytes));
					await refuses(async () => touch(await decodeManifest(hostile, manifest, table)));
				}),
				{ numRuns: 1500 },
			);
		},
	);
});
