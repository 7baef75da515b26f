import { describe, expect, test } from 'vitest';
import { describeEmbeddedManifest } from '../../src/manifest/embedded-manifest.ts';
import { decodeManifest } from '../../src/manifest/manifest.ts';
import { decodeManifestList } from '../../src/manifest/manifest-list.ts';
import { type ManifestTable, specOf, typedPartitionFields } from '../../src/manifest/partition-type.ts';
import type { ManifestEntry, ManifestFile } from '../../src/manifest/types.ts';
import { valueFromJson } from '../../src/spec/single-value.ts';
import { type CorpusTable, corpusTables, type Loose } from '../support/corpus.ts';
import { corpusBytes, corpusMetadata, manifestTableOf } from './corpus-manifests.ts';

const tables = corpusTables();

async function manifestsOf(snapshot: Loose): Promise<ManifestFile[]> {
	const list = snapshot['manifest-list'];
	if (list !== undefined) return decodeManifestList(corpusBytes(list), list);
	return snapshot.manifests.map((location: string) =>
		describeEmbeddedManifest(corpusBytes(location), location, BigInt(snapshot['snapshot-id'])),
	);
}

/** A file as the corpus tells it; there an absent map is an empty one. */
function planned(entry: ManifestEntry, table: ManifestTable): Loose {
	const { file } = entry;
	const fields = typedPartitionFields(table, specOf(table, file.specId, file.location));
	const partition = fields.map(({ name }, i) => [name, file.partition[i]]);
	return {
		path: file.location,
		content: file.content.replace('-', '_'),
		format: file.format,
		'spec-id': file.specId,
		partition: Object.fromEntries(partition),
		'record-count': file.recordCount,
		'file-size': file.fileSizeInBytes,
		'data-sequence-number': Number(entry.sequenceNumber),
		'file-sequence-number': Number(entry.fileSequenceNumber),
		'sort-order-id': file.sortOrderId ?? null,
		...(file.content === 'data'
			? {
					'first-row-id': file.firstRowId?.toString() ?? null,
					'value-counts': Object.fromEntries(file.valueCounts ?? []),
					'null-counts': Object.fromEntries(file.nullValueCounts ?? []),
					'nan-counts': Object.fromEntries(file.nanValueCounts ?? []),
					'lower-bounds': hexOf(file.lowerBounds),
					'upper-bounds': hexOf(file.upperBounds),
				}
			: {
					...(file.content === 'equality-deletes' ? { 'equality-ids': file.equalityIds } : {}),
					'referenced-data-file': file.referencedDataFile ?? null,
					'content-offset': file.contentOffset ?? null,
					'content-size': file.contentSizeInBytes ?? null,
				}),
	};
}

/** The corpus' JSON of a partition as engine values. */
function partitionValues(json: Loose, specId: number, table: ManifestTable): Loose {
	const fields = typedPartitionFields(table, specOf(table, specId, ''));
	return Object.fromEntries(
		Object.entries(json).map(([name, value]: [string, Loose]) => {
			const type = fields.find((field) => field.name === name)?.type;
			if (value === null || type === undefined) return [name, value];
			if (type.kind === 'long') return [name, BigInt(value)];
			return [name, valueFromJson(type, type.kind === 'binary' ? value.toLowerCase() : value)];
		}),
	);
}

function expectFile(entry: ManifestEntry | undefined, table: ManifestTable, file: Loose): void {
	expect(entry).toBeDefined();
	const partition = partitionValues(file.partition, file['spec-id'], table);
	expect(planned(entry as ManifestEntry, table)).toEqual({ ...file, partition });
}

function hexOf(bounds: ReadonlyMap<number, Uint8Array> | undefined): Loose {
	return Object.fromEntries([...(bounds ?? [])].map(([id, bytes]) => [id, Buffer.from(bytes).toString('hex')]));
}

describe.skipIf(tables.length === 0)('manifests of other writers (skipped: ../shared is not there)', () => {
	test.each(tables.map((table): [string, CorpusTable] => [table.name, table]))(
		'%s: files, partitions, metrics and sequence numbers are those that Java plans',
		async (_name, table) => {
			const metadata = corpusMetadata(table);
			const context = manifestTableOf(metadata);
			const current = metadata['current-snapshot-id'];
			const snapshot = (metadata.snapshots ?? []).find((candidate: Loose) => candidate['snapshot-id'] === current);
			const entries: ManifestEntry[] = [];
			if (snapshot !== undefined) {
				for (const manifest of await manifestsOf(snapshot)) {
					entries.push(
						...(await decodeManifest(corpusBytes(manifest.location), manifest, context, { liveOnly: true })),
					);
				}
			}
			const expected = table.expected().plan ?? [];
			const found = new Map(entries.map((entry) => [entry.file.location + (entry.file.contentOffset ?? ''), entry]));
			const data = entries.filter((entry) => entry.file.content === 'data');
			expect(data.map((entry) => entry.file.location).sort()).toEqual(expected.map((file: Loose) => file.path).sort());
			for (const { deletes, ...file } of expected) {
				expectFile(found.get(file.path), context, file);
				for (const deleted of deletes) {
					const entry = found.get(deleted.path + (deleted['content-offset'] ?? ''));
					expectFile(entry, context, deleted);
				}
			}
		},
	);

	test('every manifest of every snapshot decodes to the counts that its list tells', async () => {
		let lists = 0;
		let manifests = 0;
		for (const table of tables) {
			const metadata = corpusMetadata(table);
			const context = manifestTableOf(metadata);
			for (const snapshot of metadata.snapshots ?? []) {
				lists++;
				for (const manifest of await manifestsOf(snapshot)) {
					manifests++;
					const bytes = corpusBytes(manifest.location);
					expect(bytes.length).toBe(manifest.length);
					const entries = await decodeManifest(bytes, manifest, context);
					const count = (status: string): number => entries.filter((entry) => entry.status === status).length;
					if (manifest.addedFilesCount !== undefined) expect(count('added')).toBe(manifest.addedFilesCount);
					if (manifest.existingFilesCount !== undefined) expect(count('existing')).toBe(manifest.existingFilesCount);
					if (manifest.deletedFilesCount !== undefined) expect(count('deleted')).toBe(manifest.deletedFilesCount);
				}
			}
		}
		expect(lists).toBeGreaterThan(200);
		expect(manifests).toBeGreaterThan(400);
	});
});
