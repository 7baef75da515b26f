import { describe, expect, test } from 'vitest';
import { metadataText, readAvroHeader } from '../../src/codec/avro/container-reader.ts';
import { hasCounts, withCounts } from '../../src/manifest/assign-numbers.ts';
import { mayHoldLiveFiles } from '../../src/manifest/live-files.ts';
import {
	decodeManifestList,
	encodeManifestList,
	encodeManifestListSync,
	type ManifestListContext,
} from '../../src/manifest/manifest-list.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from '../../src/manifest/manifest-writer.ts';
import type { ManifestFile } from '../../src/manifest/types.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { added, deleted, existing, SNAPSHOT_ID } from './fixtures.ts';

const LOCATION = 'file:///warehouse/t/metadata/snap-1.avro';

function manifestOf(change: Partial<ManifestFile> = {}): ManifestFile {
	return {
		location: 'file:///warehouse/t/metadata/m.avro',
		length: 4321,
		specId: 2,
		content: 'data',
		sequenceNumber: 4n,
		minSequenceNumber: 2n,
		addedSnapshotId: 1n,
		addedFilesCount: 1,
		existingFilesCount: 2,
		deletedFilesCount: 3,
		addedRowsCount: 100n,
		existingRowsCount: 2n ** 60n,
		deletedRowsCount: 0n,
		partitions: [
			{ containsNull: false, containsNan: true, lowerBound: Uint8Array.of(1), upperBound: Uint8Array.of(2, 3) },
			{ containsNull: true },
		],
		keyMetadata: Uint8Array.of(9, 9),
		...change,
	};
}

function contextOf(formatVersion: FormatVersion, change: Partial<ManifestListContext> = {}): ManifestListContext {
	return {
		formatVersion,
		snapshotId: SNAPSHOT_ID,
		sequenceNumber: 9n,
		...(formatVersion === 3 ? { firstRowId: 1000n } : {}),
		...change,
	};
}

const unassigned = {
	sequenceNumber: UNASSIGNED_SEQUENCE_NUMBER,
	minSequenceNumber: UNASSIGNED_SEQUENCE_NUMBER,
	addedSnapshotId: SNAPSHOT_ID,
};

describe('a manifest list', () => {
	test.each<FormatVersion>([1, 2, 3])(
		'of v%i is left uncompressed only where it is small, and asked for',
		async (version) => {
			const row = manifestOf({ existingRowsCount: 2n });
			const codecOf = async (count: number, change: Partial<ManifestListContext>): Promise<string> => {
				const manifests = Array.from({ length: count }, (_, i) => ({ ...row, location: `${row.location}-${i}` }));
				const { bytes } = await encodeManifestList(manifests, contextOf(version, change));
				expect(await decodeManifestList(bytes, LOCATION)).toHaveLength(count);
				return readAvroHeader(bytes, LOCATION).codec;
			};
			expect(await codecOf(3, { plainWhenSmall: true })).toBe('null');
			expect(await codecOf(0, { plainWhenSmall: true })).toBe('null');
			expect(await codecOf(200, { plainWhenSmall: true })).toBe('deflate');
			expect(await codecOf(3, {})).toBe('deflate');
			expect(await codecOf(3, { codec: 'zstandard' })).toBe('zstandard');
		},
	);

	test('encodes a row anew for another format version', async () => {
		const manifest = manifestOf();
		for (const version of [2, 1, 3, 2] as const) {
			const { bytes } = await encodeManifestList([manifest], contextOf(version));
			const [row] = await decodeManifestList(bytes, LOCATION);
			expect(row?.sequenceNumber).toBe(version === 1 ? 0n : 4n);
			expect(row?.firstRowId).toBe(version === 3 ? 1000n : undefined);
		}
	});

	test.each<FormatVersion>([1, 2, 3])('of v%i comes back', async (formatVersion) => {
		const manifest = manifestOf(formatVersion === 3 ? { firstRowId: 5n } : {});
		const { bytes, manifests } = await encodeManifestList([manifest], contextOf(formatVersion));
		expect(manifests).toEqual([manifest]);
		expect(await decodeManifestList(bytes, LOCATION)).toEqual([
			formatVersion === 1 ? { ...manifest, sequenceNumber: 0n, minSequenceNumber: 0n } : manifest,
		]);
		expect(encodeManifestListSync([manifest], contextOf(formatVersion)).bytes).toEqual(bytes);
	});

	test('of v1 may lack counts and partitions', async () => {
		const bare: ManifestFile = {
			location: 'm',
			length: 1,
			specId: 0,
			content: 'data',
			sequenceNumber: 0n,
			minSequenceNumber: 0n,
			addedSnapshotId: 5n,
		};
		expect(hasCounts(bare)).toBe(false);
		expect(await decodeManifestList((await encodeManifestList([bare], contextOf(1))).bytes, LOCATION)).toEqual([bare]);
		await expect(encodeManifestList([bare], contextOf(2))).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringContaining('lacks counts'),
		});
		const entries = [added({ recordCount: 1 }), existing(1n, { recordCount: 2 }), deleted(1n, { recordCount: 4 })];
		const counted = withCounts(bare, entries);
		expect(counted).toMatchObject({ addedFilesCount: 1, existingRowsCount: 2n, deletedRowsCount: 4n });
		expect(await decodeManifestList((await encodeManifestList([counted], contextOf(2))).bytes, LOCATION)).toEqual([
			counted,
		]);
	});

	test('gives its sequence number to the manifests of its own commit alone', async () => {
		const manifests = [
			manifestOf(unassigned),
			manifestOf({ ...unassigned, minSequenceNumber: 3n }),
			manifestOf({ content: 'deletes' }),
		];
		const { bytes } = await encodeManifestList(manifests, contextOf(2));
		const numbers = (await decodeManifestList(bytes, LOCATION)).map((m) => [
			m.sequenceNumber,
			m.minSequenceNumber,
			m.content,
		]);
		expect(numbers).toEqual([
			[9n, 9n, 'data'],
			[9n, 3n, 'data'],
			[4n, 2n, 'deletes'],
		]);
		await expect(
			encodeManifestList([manifestOf({ ...unassigned, addedSnapshotId: 2n })], contextOf(2)),
		).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringContaining('another snapshot, 2'),
		});
	});

	test('of v3 gives row ids as in the example of the specification', async () => {
		const rows = (location: string, addedRows: bigint, existingRows: bigint, change = {}): ManifestFile =>
			manifestOf({ ...unassigned, location, addedRowsCount: addedRows, existingRowsCount: existingRows, ...change });
		const manifests = [
			rows('existing', 75n, 0n, { firstRowId: 925n }),
			rows('deletes', 5n, 0n, { content: 'deletes' }),
			rows('added1', 100n, 25n),
			rows('added2', 0n, 100n),
			rows('added3', 125n, 25n),
		];
		const { bytes, nextRowId } = await encodeManifestList(manifests, contextOf(3));
		const ids = (await decodeManifestList(bytes, LOCATION)).map((m) => [m.location, m.firstRowId]);
		expect(ids).toEqual([
			['existing', 925n],
			['deletes', undefined],
			['added1', 1000n],
			['added2', 1125n],
			['added3', 1225n],
		]);
		expect(nextRowId).toBe(1375n);
		expect((await encodeManifestList(manifests, contextOf(2))).nextRowId).toBeUndefined();
		const { firstRowId: _, ...without } = contextOf(3);
		await expect(encodeManifestList(manifests, without)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	test.each([
		{ sequenceNumber: -2n },
		{ minSequenceNumber: -2n },
		{ addedFilesCount: -1 },
		{ existingRowsCount: -1n },
	] satisfies Partial<ManifestFile>[])('with a negative number is refused: %o', async (change) => {
		const { bytes } = await encodeManifestList([manifestOf(change)], contextOf(2));
		await expect(decodeManifestList(bytes, LOCATION)).rejects.toMatchObject({ code: 'CORRUPT' });
	});

	test('does not hide a manifest that by one count has no files, and by another has rows', () => {
		const none = { addedFilesCount: 0, existingFilesCount: 0, addedRowsCount: 0n, existingRowsCount: 0n };
		expect(mayHoldLiveFiles(manifestOf(none))).toBe(false);
		const { addedRowsCount: _, existingRowsCount: __, ...filesOnly } = manifestOf(none);
		expect(mayHoldLiveFiles(filesOnly)).toBe(false);
		for (const change of [
			{ addedFilesCount: 1 },
			{ existingFilesCount: 1 },
			{ addedRowsCount: 1n },
			{ existingRowsCount: 1n },
		])
			expect(mayHoldLiveFiles(manifestOf({ ...none, ...change }))).toBe(true);
	});

	test('carries the metadata that other writers write', async () => {
		const text = async (context: ManifestListContext): Promise<Record<string, string | undefined>> => {
			const header = readAvroHeader((await encodeManifestList([], context)).bytes, LOCATION);
			const keys = ['snapshot-id', 'parent-snapshot-id', 'sequence-number', 'first-row-id', 'format-version'];
			return Object.fromEntries(keys.map((key) => [key, metadataText(header, key, LOCATION)]));
		};
		const id = String(SNAPSHOT_ID);
		expect(await text(contextOf(1))).toEqual({
			'snapshot-id': id,
			'parent-snapshot-id': 'null',
			'format-version': '1',
		});
		expect(await text(contextOf(3, { parentSnapshotId: 8n }))).toEqual({
			'snapshot-id': id,
			'parent-snapshot-id': '8',
			'sequence-number': '9',
			'first-row-id': '1000',
			'format-version': '3',
		});
	});

	test('has no delete manifests in v1', async () => {
		await expect(encodeManifestList([manifestOf({ content: 'deletes' })], contextOf(1))).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
	});

	test('of many manifests spans blocks', async () => {
		const manifests = Array.from({ length: 3000 }, (_, i) => manifestOf({ location: `m${i}`, length: i }));
		const { bytes } = await encodeManifestList(manifests, contextOf(2));
		expect(await decodeManifestList(bytes, LOCATION)).toEqual(manifests);
	});

	test('that is none, or a manifest in its place, is refused', async () => {
		await expect(decodeManifestList(new Uint8Array(0), LOCATION)).rejects.toMatchObject({ code: 'CORRUPT' });
		await expect(decodeManifestList(Buffer.from('PAR1PAR1'), LOCATION)).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringContaining(`${LOCATION}: no Avro container file`),
		});
	});
});
