import { describe, expect, test } from 'vitest';
import { metadataText, readAvroHeader } from '../../src/codec/avro/container-reader.ts';
import { encodeManifest, encodeManifests } from '../../src/manifest/encode-manifest.ts';
import { decodeManifest } from '../../src/manifest/manifest.ts';
import { detachMetrics } from '../../src/manifest/detach-metrics.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from '../../src/manifest/manifest-writer.ts';
import type { ManifestTable } from '../../src/manifest/partition-type.ts';
import type { DataFile, ManifestEntry } from '../../src/manifest/types.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { added, contextOf, deleted, existing, fileOf, LONGS, listed, SNAPSHOT_ID, tableOf } from './fixtures.ts';

const METRICS: Partial<DataFile> = {
	columnSizes: new Map([[1, 40]]),
	valueCounts: new Map([
		[1, 10],
		[2, Number.MAX_SAFE_INTEGER],
	]),
	nullValueCounts: new Map([[1, 0]]),
	nanValueCounts: new Map(),
	lowerBounds: new Map([[1, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)]]),
	upperBounds: new Map([
		[1, Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)],
		[200, new Uint8Array(0)],
	]),
	keyMetadata: Uint8Array.of(7),
	splitOffsets: [4, 2 ** 40],
	sortOrderId: 1,
};

/** Lazy maps as plain ones. */
function plain(entries: readonly ManifestEntry[]): ManifestEntry[] {
	return entries.map((entry) => ({ ...entry, file: detachMetrics(entry.file, 'all') }));
}

describe('a manifest', () => {
	test.each<FormatVersion>([1, 2, 3])('of v%i comes back with what it inherits', async (formatVersion) => {
		const entries = [
			added(METRICS),
			existing(4n, { location: 'b', partition: [null] }),
			deleted(5n, { location: 'c' }),
		];
		const { bytes, manifest } = await encodeManifest(entries, contextOf(formatVersion));
		const isV1 = formatVersion === 1;
		const row = listed(manifest, isV1 ? { sequenceNumber: 0n, minSequenceNumber: 0n } : {});
		const numbers = (n: bigint) => ({ sequenceNumber: isV1 ? 0n : n, fileSequenceNumber: isV1 ? 0n : n });
		expect(plain(await decodeManifest(bytes, row, LONGS))).toEqual([
			{ ...entries[0], snapshotId: SNAPSHOT_ID, ...numbers(9n) },
			{ ...entries[1], ...numbers(4n) },
			{ ...entries[2], ...numbers(5n) },
		]);
	});

	test.each<FormatVersion>([1, 2, 3])(
		'of v%i is left uncompressed only where it is small, and asked for',
		async (version) => {
			const codecOf = async (count: number, change: object): Promise<string> => {
				const entries = Array.from({ length: count }, (_, i) => added({ location: `file-${i}` }));
				const { bytes, manifest } = await encodeManifest(entries, { ...contextOf(version), ...change });
				expect(manifest.length).toBe(bytes.length);
				expect(
					await decodeManifest(bytes, listed(manifest, { sequenceNumber: version === 1 ? 0n : 9n }), LONGS),
				).toHaveLength(count);
				return readAvroHeader(bytes, 'm').codec;
			};
			expect(await codecOf(2, { plainWhenSmall: true })).toBe('null');
			expect(await codecOf(400, { plainWhenSmall: true })).toBe('deflate');
			expect(await codecOf(4000, { plainWhenSmall: true })).toBe('deflate');
			expect(await codecOf(2, {})).toBe('deflate');
		},
	);

	test('tells counts, rows and the summary of its partitions', async () => {
		const entries = [
			added({ partition: [5n], recordCount: 1 }),
			added({ partition: [-7n], recordCount: 2 }),
			existing(4n, { partition: [null], recordCount: 4 }),
			existing(3n, { recordCount: 8 }),
			deleted(2n, { partition: [900n], recordCount: 16 }),
		];
		const { bytes, manifest } = await encodeManifest(entries, contextOf(2));
		expect(manifest).toEqual({
			length: bytes.length,
			specId: 2,
			content: 'data',
			sequenceNumber: UNASSIGNED_SEQUENCE_NUMBER,
			minSequenceNumber: 3n,
			addedSnapshotId: SNAPSHOT_ID,
			addedFilesCount: 2,
			existingFilesCount: 2,
			deletedFilesCount: 1,
			addedRowsCount: 3n,
			existingRowsCount: 12n,
			deletedRowsCount: 16n,
			partitions: [
				{
					containsNull: true,
					containsNan: false,
					lowerBound: Uint8Array.of(0xf9, 255, 255, 255, 255, 255, 255, 255),
					upperBound: Uint8Array.of(0x84, 3, 0, 0, 0, 0, 0, 0),
				},
			],
		});
	});

	test('summaries keep NaN out of bounds, and -0 below 0', async () => {
		const table = tableOf([{ kind: 'double' }, { kind: 'string' }]);
		const entries = [
			[0, 'b'],
			[Number.NaN, 'ab'],
			[-0, 'é'],
		].map((partition) => added({ partition }));
		const { manifest } = await encodeManifest(entries, contextOf(2, { table }));
		expect(manifest.partitions).toEqual([
			{
				containsNull: false,
				containsNan: true,
				lowerBound: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80),
				upperBound: new Uint8Array(8),
			},
			{
				containsNull: false,
				containsNan: false,
				lowerBound: new TextEncoder().encode('ab'),
				upperBound: new TextEncoder().encode('é'),
			},
		]);
		const allNull = await encodeManifest([added({ partition: [null, null] })], contextOf(2, { table }));
		expect(allNull.manifest.partitions).toEqual([
			{ containsNull: true, containsNan: false },
			{ containsNull: true, containsNan: false },
		]);
	});

	test.each<[FormatVersion, string | undefined]>([
		[1, undefined],
		[2, 'deletes'],
		[3, 'deletes'],
	])('of v%i carries the metadata that the specification asks for', async (formatVersion, content) => {
		const context = contextOf(formatVersion, content === undefined ? {} : { content: 'deletes' });
		const header = readAvroHeader((await encodeManifest([], context)).bytes, 'm');
		const text = (key: string): string | undefined => metadataText(header, key, 'm');
		expect(JSON.parse(text('schema') ?? '')).toMatchObject({
			type: 'struct',
			'schema-id': 3,
			fields: [{ id: 1, name: 'c1' }],
		});
		expect(text('schema-id')).toBe('3');
		expect(JSON.parse(text('partition-spec') ?? '')).toEqual([
			{ 'source-id': 1, 'field-id': 1000, name: 'p 1', transform: 'identity' },
		]);
		expect(text('partition-spec-id')).toBe('2');
		expect(text('format-version')).toBe(String(formatVersion));
		expect(text('content')).toBe(content);
	});

	test('is rolled at a target size, without an empty one', async () => {
		const entries = Array.from({ length: 5000 }, (_, i) => added({ location: `f${i}`, partition: [BigInt(i)] }));
		const location = new Map<string, number>();
		let manifests = 0;
		for await (const { bytes, manifest } of encodeManifests(entries, contextOf(2), 20_000)) {
			manifests++;
			expect(bytes.length).toBeLessThan(40_000);
			for (const entry of await decodeManifest(bytes, listed(manifest), LONGS))
				location.set(entry.file.location, manifests);
		}
		expect(manifests).toBeGreaterThan(1);
		expect(location.size).toBe(5000);
		for await (const _ of encodeManifests([], contextOf(2), 20_000)) expect.unreachable();
	});
});

describe('first row ids', () => {
	test('are given to live data files without one, in file order, also where entries are filtered', async () => {
		const entries = [
			existing(4n, { location: 'a', recordCount: 25, firstRowId: 800n, partition: [1n] }),
			added({ location: 'b', recordCount: 50, partition: [2n] }),
			deleted(4n, { location: 'c', recordCount: 99, partition: [1n] }),
			existing(4n, { location: 'd', recordCount: 7, partition: [2n] }),
			added({ location: 'e', recordCount: 50, partition: [1n] }),
		];
		const { bytes, manifest } = await encodeManifest(entries, contextOf(3));
		const ids = async (change: object, options = {}): Promise<unknown[]> => {
			const found = await decodeManifest(bytes, listed(manifest, change), LONGS, options);
			return found.map((entry) => [entry.file.location, entry.file.firstRowId]);
		};
		expect(await ids({ firstRowId: 1000n })).toEqual([
			['a', 800n],
			['b', 1000n],
			['c', undefined],
			['d', 1050n],
			['e', 1057n],
		]);
		expect(
			await ids({ firstRowId: 1000n }, { liveOnly: true, partitionFilter: (p: unknown[]) => p[0] === 1n }),
		).toEqual([
			['a', 800n],
			['e', 1057n],
		]);
		// a snapshot from before v3
		expect((await ids({})).every((pair) => (pair as unknown[])[1] === undefined)).toBe(true);
	});

	test('are never given to delete files', async () => {
		const vector = {
			content: 'position-deletes',
			format: 'puffin',
			referencedDataFile: 'a',
			contentOffset: 4,
			contentSizeInBytes: 40,
		} as const;
		const { bytes, manifest } = await encodeManifest([added(vector)], contextOf(3, { content: 'deletes' }));
		const [entry] = await decodeManifest(bytes, listed(manifest, { firstRowId: 1000n }), LONGS);
		expect(entry?.file).toEqual(fileOf(vector));
	});
});

describe('what cannot stand in a manifest is refused', () => {
	const puffin = { content: 'position-deletes', format: 'puffin' } as const;
	test.each<[string, FormatVersion, ManifestEntry, Partial<Parameters<typeof contextOf>[1]>, RegExp]>([
		[
			'a delete file among data',
			2,
			added({ content: 'equality-deletes', equalityIds: [1] }),
			{},
			/content is 'equality-deletes'/,
		],
		['a data file among deletes', 2, added(), { content: 'deletes' }, /content is 'data'/],
		['another spec', 2, added({ specId: 0 }), {}, /partition spec 0, the manifest of 2/],
		['a short partition', 2, added({ partition: [] }), {}, /0 partition values, its spec 1 fields/],
		['a negative count', 2, added({ recordCount: -1 }), {}, /record count is -1/],
		['a fractional size', 2, added({ fileSizeInBytes: 1.5 }), {}, /size is 1.5/],
		[
			'an existing file without sequence number',
			2,
			{ ...existing(1n), sequenceNumber: null },
			{},
			/existing and has no sequence number/,
		],
		[
			'a file that another snapshot added, without a number',
			2,
			{ ...added(), snapshotId: 3n },
			{},
			/added by snapshot 3/,
		],
		[
			'equality deletes without ids',
			2,
			added({ content: 'equality-deletes' }),
			{ content: 'deletes' },
			/no equality ids/,
		],
		['a deletion vector in v2', 2, added(puffin), { content: 'deletes' }, /need a v3 table/],
		['a deletion vector without its data file', 3, added(puffin), { content: 'deletes' }, /without the data file/],
		[
			'a deletion vector without its place',
			3,
			added({ ...puffin, referencedDataFile: 'a' }),
			{ content: 'deletes' },
			/without its place/,
		],
		[
			'new position deletes in v3',
			3,
			added({ content: 'position-deletes' }),
			{ content: 'deletes' },
			/deletion vectors only/,
		],
	])('%s', async (_name, formatVersion, entry, change, message) => {
		await expect(encodeManifest([entry], contextOf(formatVersion, change ?? {}))).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringMatching(message),
		});
	});

	test('deletes in v1, a spec that the table does not have, half a surrogate pair', async () => {
		await expect(encodeManifest([], contextOf(1, { content: 'deletes' }))).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
		await expect(encodeManifest([], contextOf(2, { specId: 8 }))).rejects.toMatchObject({ code: 'CORRUPT' });
		await expect(encodeManifest([added({ location: 'a\ud800' })], contextOf(2))).rejects.toMatchObject({
			code: 'INVALID_DATA',
		});
	});
});

describe('reading', () => {
	test('metrics of chosen columns alone, or none', async () => {
		const { bytes, manifest } = await encodeManifest([added(METRICS)], contextOf(2));
		const files = async (metricsFor: ReadonlySet<number> | 'none'): Promise<DataFile | undefined> => {
			const [entry] = plain(await decodeManifest(bytes, listed(manifest), LONGS, { metricsFor }));
			return entry?.file;
		};
		const rest = fileOf({ keyMetadata: Uint8Array.of(7), splitOffsets: [4, 2 ** 40], sortOrderId: 1 });
		expect(await files('none')).toEqual(rest);
		expect(await files(new Set([200, 2]))).toEqual({
			...rest,
			columnSizes: new Map(),
			valueCounts: new Map([[2, Number.MAX_SAFE_INTEGER]]),
			nullValueCounts: new Map(),
			nanValueCounts: new Map(),
			lowerBounds: new Map(),
			upperBounds: new Map([[200, new Uint8Array(0)]]),
		});
	});

	test('a filter of entries sees what it may ask for, and what it leaves out is not there', async () => {
		const files = [1, 2, 3].map((count) =>
			added({
				location: `f${count}`,
				recordCount: count,
				valueCounts: new Map([
					[1, count],
					[2, 20 * count],
				]),
			}),
		);
		const { bytes, manifest } = await encodeManifest(files, contextOf(2));
		for (const metricsFor of ['all', new Set([2]), 'none'] as const) {
			const seen: unknown[] = [];
			const entries = await decodeManifest(bytes, listed(manifest), LONGS, {
				metricsFor,
				entryFilter: ({ file }) => {
					seen.push([file.location, file.valueCounts?.get(1), file.valueCounts?.get(2)]);
					return file.recordCount !== 2;
				},
			});
			const [one, two] = [metricsFor === 'all', metricsFor !== 'none'];
			expect(seen).toEqual([1, 2, 3].map((n) => [`f${n}`, one ? n : undefined, two ? 20 * n : undefined]));
			expect(entries.map(({ file }) => [file.location, file.valueCounts?.get(2)])).toEqual([
				['f1', two ? 20 : undefined],
				['f3', two ? 60 : undefined],
			]);
			expect(entries.map(({ file }) => file.valueCounts?.size)).toEqual(
				one ? [2, 2] : two ? [1, 1] : [undefined, undefined],
			);
		}
	});

	test('chosen metrics look like a map of the chosen ids alone, also when written again', async () => {
		const { bytes, manifest } = await encodeManifest([added(METRICS)], contextOf(2));
		const chosen = await decodeManifest(bytes, listed(manifest), LONGS, { metricsFor: new Set([2]) });
		const counts = chosen[0]?.file.valueCounts;
		expect([counts?.get(1), counts?.has(1), counts?.get(2), counts?.size]).toEqual([
			undefined,
			false,
			Number.MAX_SAFE_INTEGER,
			1,
		]);
		const again = await encodeManifest(chosen, contextOf(2));
		const [entry] = plain(await decodeManifest(again.bytes, listed(again.manifest), LONGS));
		expect(entry?.file.valueCounts).toEqual(new Map([[2, Number.MAX_SAFE_INTEGER]]));
		expect(entry?.file.upperBounds).toEqual(new Map());
	});

	test('lazy metrics are maps in all they can do, before and after they are decoded', async () => {
		const { bytes, manifest } = await encodeManifest([added(METRICS)], contextOf(2));
		const [entry] = await decodeManifest(bytes, listed(manifest), LONGS);
		const counts = entry?.file.valueCounts;
		for (let i = 0; i < 10; i++) {
			expect(counts?.get(2)).toBe(Number.MAX_SAFE_INTEGER);
			expect(counts?.get(3)).toBeUndefined();
			expect(counts?.has(1)).toBe(true);
			expect(counts?.has(3)).toBe(false);
		}
		expect(counts?.size).toBe(2);
		expect([...(counts ?? [])]).toEqual([
			[1, 10],
			[2, Number.MAX_SAFE_INTEGER],
		]);
		expect([...(counts?.keys() ?? [])]).toEqual([1, 2]);
		expect([...(counts?.values() ?? [])]).toEqual([10, Number.MAX_SAFE_INTEGER]);
		expect([...(counts?.entries() ?? [])]).toEqual([...(counts ?? [])]);
		const seen: [number, number][] = [];
		counts?.forEach((value, key) => seen.push([key, value]));
		expect(seen).toEqual([...(counts ?? [])]);
		expect(entry?.file.upperBounds?.get(1)).toEqual(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0));
	});

	test('lazy metrics are written into another manifest as they were', async () => {
		const first = await encodeManifest([added(METRICS)], contextOf(2));
		const decoded = await decodeManifest(first.bytes, listed(first.manifest), LONGS);
		const second = await encodeManifest(
			decoded.map((entry) => ({ ...entry, status: 'existing' as const })),
			contextOf(3),
		);
		const [entry] = plain(await decodeManifest(second.bytes, listed(second.manifest), LONGS));
		expect(entry).toEqual({ ...existing(9n, METRICS), snapshotId: SNAPSHOT_ID });
	});

	test('partition values follow promoted columns, and dropped ones their old schema', async () => {
		const old = tableOf([{ kind: 'int' }, { kind: 'decimal', precision: 5, scale: 2 }, { kind: 'date' }]);
		const { bytes, manifest } = await encodeManifest(
			[added({ partition: [5, 250n, -1] })],
			contextOf(2, { table: old }),
		);
		const promoted: ManifestTable = {
			partitionSpecs: old.partitionSpecs,
			schemas: [
				...old.schemas,
				new Schema({
					schemaId: 4,
					fields: [
						{ id: 1, name: 'c1', required: false, type: { kind: 'long' } },
						{ id: 2, name: 'c2', required: false, type: { kind: 'decimal', precision: 30, scale: 2 } },
					],
				}),
			],
			currentSchemaId: 4,
		};
		const [entry] = await decodeManifest(bytes, listed(manifest), promoted);
		expect(entry?.file.partition).toEqual([5n, 250n, -1]);
		// once more, by the compiled reader that may be kept
		expect((await decodeManifest(bytes, listed(manifest), old))[0]?.file.partition).toEqual([5, 250n, -1]);
		expect((await decodeManifest(bytes, listed(manifest), promoted))[0]?.file.partition).toEqual([5n, 250n, -1]);
	});

	test('values of a transform that nobody knows are kept as they are', async () => {
		const [unpartitioned] = LONGS.partitionSpecs;
		const table: ManifestTable = {
			...LONGS,
			partitionSpecs: [
				unpartitioned as (typeof LONGS.partitionSpecs)[number],
				{
					specId: 2,
					fields: [{ sourceId: 1, fieldId: 1000, name: 'z', transform: { kind: 'unknown', text: 'zorder[7]' } }],
				},
			],
		};
		const first = await encodeManifest([added({ partition: ['zz'] })], contextOf(2, { table }));
		const entries = await decodeManifest(first.bytes, listed(first.manifest), table);
		expect(entries[0]?.file.partition).toEqual(['zz']);
		await expect(encodeManifest([added({ partition: [5] })], contextOf(2, { table }))).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringContaining('of a type that the table does not tell'),
		});
	});

	test('a manifest of another content, spec or version than its list says is refused', async () => {
		const { bytes, manifest } = await encodeManifest([added()], contextOf(2));
		await expect(decodeManifest(bytes, listed(manifest, { content: 'deletes' }), LONGS)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringMatching(/says that it holds 'data', the manifest list says 'deletes'/),
		});
		await expect(decodeManifest(bytes, listed(manifest, { specId: 5 }), LONGS)).rejects.toMatchObject({
			code: 'CORRUPT',
		});
		const wider = tableOf([{ kind: 'long' }, { kind: 'long' }]);
		await expect(decodeManifest(bytes, listed(manifest), wider)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringContaining("lacks the partition field 'p 2' (1001)"),
		});
		const v4 = Buffer.from(bytes);
		const at = v4.indexOf('format-version') + 'format-version'.length + 1;
		expect(v4.toString('latin1', at, at + 1)).toBe('2');
		v4[at] = 0x34;
		await expect(decodeManifest(v4, listed(manifest), LONGS)).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringContaining("format version '4'"),
		});
	});

	test('an unknown file format is refused by name', async () => {
		const { bytes, manifest } = await encodeManifest([added({ format: 'lance' as never })], contextOf(2));
		await expect(decodeManifest(bytes, listed(manifest), LONGS)).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringContaining("'LANCE'"),
		});
	});
});
