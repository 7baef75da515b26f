import { describe, expect, it } from 'vitest';
import { FolderCommitter } from '../../src/catalog/folder-committer.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { MAX_MERGES_PER_COMMIT } from '../../src/transaction/manifest-merge.ts';
import { UpgradeFormatAction } from '../../src/transaction/upgrade-format.ts';
import { append, byRegion, dataFile, freshLook, garbage, makeTable, quick, T } from './support.ts';

describe('merging of manifests', () => {
	it('keeps their number small, and every entry as it was', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, { properties: { 'commit.manifest.min-count-to-merge': '5' } });
		const expected: [string, bigint, bigint, bigint | undefined][] = [];
		for (let i = 0; i < 23; i++) {
			const name = `f${String(i).padStart(2, '0')}`;
			const result = await append(committer, [await dataFile(io, name, { recordCount: i + 1, splitOffsets: [4] })]);
			expected.push([name, BigInt(i + 1), BigInt(i + 1), result.loaded.metadata.currentSnapshotId]);
		}
		const { metadata, current } = await freshLook(io);
		expect(current.manifests.length).toBeLessThanOrEqual(5);
		const found = current.entries.map((entry) => [
			entry.file.location.slice(T.length + 6, -8),
			entry.sequenceNumber,
			entry.fileSequenceNumber,
			entry.snapshotId,
		]);
		// Newest first, and nothing out of its order.
		expect(found).toEqual(expected.toReversed());
		for (const { status, snapshotId, file } of current.entries) {
			expect(status).toBe(snapshotId === metadata.currentSnapshotId ? 'added' : 'existing');
			expect(file.splitOffsets).toEqual([4]);
			expect(file.lowerBounds?.get(1)).toEqual(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
			expect(file.valueCounts?.get(1)).toBe(10);
		}
		expect(metadata.snapshots.at(-1)?.summary?.['total-records']).toBe(String((23 * 24) / 2));
		const replaced = metadata.snapshots.map((snapshot) => Number(snapshot.summary?.['manifests-replaced']));
		expect(replaced.filter((count) => count > 0).length).toBeGreaterThan(3);
		expect(await garbage(io)).toEqual([]);
	});

	it('does not happen for a fast append, or when the table turns it off', async () => {
		for (const [properties, options] of [
			[{ 'commit.manifest.min-count-to-merge': '2' }, { manifests: 'fast' }],
			[{ 'commit.manifest.min-count-to-merge': '2', 'commit.manifest-merge.enabled': 'false' }, {}],
			[{}, {}],
		] as const) {
			const io = new MemoryFileIO();
			const { committer } = await makeTable(io, { properties });
			for (let i = 0; i < 10; i++) await append(committer, [await dataFile(io)], options);
			expect((await freshLook(io)).current.manifests).toHaveLength(10);
		}
	});

	it('is used again on a retry, together with what others appended, and not redone', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io, { properties: { 'commit.manifest.min-count-to-merge': '4' } });
		for (let i = 0; i < 3; i++) await append(rival, [await dataFile(io)]);
		const faulty = new FaultyFileIO(io);
		faulty.addRule({
			operation: 'putIfAbsent',
			times: 3,
			fault: {
				kind: 'delay',
				until: async () => void (await append(rival, [await dataFile(io)], { manifests: 'fast' })),
			},
		});
		const result = await append(new FolderCommitter(faulty, T), [await dataFile(io, 'mine')]);
		expect(result.attempts).toBe(4);
		const manifests = faulty.calls.filter((call) => call.operation === 'write' && /-m\d+\.avro$/.test(call.location));
		expect(manifests).toHaveLength(2);
		const { current } = await freshLook(io);
		expect(current.files).toHaveLength(7);
		expect(current.manifests.map((manifest) => manifest.existingFilesCount)).toEqual([0, 0, 0, 0, 3]);
		expect(await garbage(io)).toEqual([]);
	});

	it('is done again when a commit meanwhile gave the rows their ids', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io, { properties: { 'commit.manifest.min-count-to-merge': '4' } });
		for (let i = 0; i < 3; i++) await append(rival, [await dataFile(io, `old-${i}`)]);
		await commitActions(rival, await rival.load(), [new UpgradeFormatAction(3)], quick);
		const faulty = new FaultyFileIO(io);
		const rowIds = async (): Promise<Map<string, bigint | undefined>> =>
			new Map((await freshLook(io)).current.entries.map(({ file }) => [file.location, file.firstRowId]));
		let given = new Map<string, bigint | undefined>();
		const until = async (): Promise<void> => {
			await append(rival, [await dataFile(io, 'theirs')], { manifests: 'fast' });
			given = await rowIds();
		};
		faulty.addRule({ operation: 'putIfAbsent', fault: { kind: 'delay', until } });
		await append(new FolderCommitter(faulty, T), [await dataFile(io, 'mine')]);
		expect(given.size).toBe(4);
		const after = await rowIds();
		expect(after.size).toBe(5);
		for (const [location, firstRowId] of given) expect([location, after.get(location)]).toEqual([location, firstRowId]);
		expect(await garbage(io)).toEqual([]);
	});

	it('that others made first is thrown away', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io, { properties: { 'commit.manifest.min-count-to-merge': '4' } });
		for (let i = 0; i < 3; i++) await append(rival, [await dataFile(io)]);
		const faulty = new FaultyFileIO(io);
		faulty.addRule({
			operation: 'putIfAbsent',
			fault: { kind: 'delay', until: async () => void (await append(rival, [await dataFile(io)])) },
		});
		await append(new FolderCommitter(faulty, T), [await dataFile(io, 'mine')]);
		const { current } = await freshLook(io);
		expect(current.files).toHaveLength(5);
		expect(await garbage(io)).toEqual([]);
	});

	it('keeps partition specs apart, and bounds what one commit does', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, {
			spec: byRegion,
			properties: {
				'commit.manifest.min-count-to-merge': '30',
				'commit.manifest.target-size-bytes': '20000',
				'write.manifest.compression-codec': 'uncompressed',
			},
		});
		const addSpec = {
			name: 'spec',
			apply: async () => ({
				updates: [
					{ action: 'add-spec' as const, spec: { specId: 1, fields: [] } },
					{ action: 'set-default-spec' as const, specId: -1 },
				],
				requirements: [],
				newFiles: [],
			}),
			committed: async () => undefined,
			abandoned: async () => undefined,
		};
		for (let i = 0; i < 40; i++)
			await append(committer, [await dataFile(io, undefined, { partition: ['eu'] })], { manifests: 'fast' });
		await commitActions(committer, await committer.load(), [addSpec], quick);
		for (let i = 0; i < 40; i++)
			await append(committer, [await dataFile(io, undefined, { specId: 1 })], { manifests: 'fast' });
		const before = (await freshLook(io)).current;
		expect(before.manifests).toHaveLength(80);
		await append(committer, [await dataFile(io, undefined, { specId: 1 })]);
		const after = (await freshLook(io)).current;
		const merged = after.manifests.filter((manifest) => (manifest.existingFilesCount ?? 0) > 0);
		expect(merged).toHaveLength(MAX_MERGES_PER_COMMIT);
		for (const manifest of merged) expect(manifest.length).toBeLessThan(20_000);
		for (let i = 0; i < 20; i++) await append(committer, [await dataFile(io, undefined, { specId: 1 })]);
		const { current } = await freshLook(io);
		expect(current.files).toHaveLength(101);
		expect(new Set(current.manifests.map((manifest) => manifest.specId))).toEqual(new Set([0, 1]));
		for (const entry of current.entries) expect(entry.file.partition).toEqual(entry.file.specId === 0 ? ['eu'] : []);
		expect(current.manifests.length).toBeLessThan(60);
	});

	it('does not rewrite a large manifest for each small one that comes', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, {
			properties: { 'commit.manifest.min-count-to-merge': '3', 'write.manifest.compression-codec': 'uncompressed' },
		});
		const many = [];
		for (let i = 0; i < 300; i++) many.push(await dataFile(io));
		await append(committer, many);
		await append(committer, [await dataFile(io)]);
		const { loaded } = await append(committer, [await dataFile(io)]);
		expect(loaded.metadata.snapshots.at(-1)?.summary?.['manifests-replaced']).toBe('0');
		const next = await append(committer, [await dataFile(io)]);
		// Three of them are enough to be worth it.
		expect(next.loaded.metadata.snapshots.at(-1)?.summary?.['manifests-replaced']).toBe('3');
	});

	it('keeps row ids of v3 tables, and manifests of v1 tables readable', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, {
			formatVersion: 1,
			properties: { 'commit.manifest.min-count-to-merge': '3' },
		});
		for (const name of ['a', 'b', 'c', 'd']) await append(committer, [await dataFile(io, name)]);
		const v1 = await freshLook(io);
		expect(v1.current.files).toEqual(['a', 'b', 'c', 'd']);
		expect(v1.current.manifests.length).toBeLessThan(4);
		await commitActions(committer, await committer.load(), [new UpgradeFormatAction(3)], quick);
		const ids = new Map<string, bigint>();
		for (const name of ['e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']) {
			await append(committer, [await dataFile(io, name)]);
			const { current } = await freshLook(io);
			const seen = new Set<bigint>();
			for (const { file } of current.entries) {
				const id = file.firstRowId as bigint;
				expect(ids.get(file.location) ?? id, `the row ids of ${file.location} stay`).toBe(id);
				ids.set(file.location, id);
				expect(seen.has(id)).toBe(false);
				seen.add(id);
			}
		}
		expect(ids.size).toBe(12);
		const { metadata, current } = await freshLook(io);
		expect(current.manifests.length).toBeLessThan(5);
		expect(metadata.nextRowId).toBeGreaterThanOrEqual(120n);
	});

	it('reads no manifest that was written here a moment ago', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const { committer } = await makeTable(io, { properties: { 'commit.manifest.min-count-to-merge': '5' } });
		for (let i = 0; i < 12; i++) await append(committer, [await dataFile(io)]);
		const ofManifests = io.calls.filter(({ location }) => /-m\d+\.avro$/.test(location));
		expect(ofManifests.filter(({ operation }) => operation === 'write').length).toBeGreaterThan(12);
		expect(ofManifests.filter(({ operation }) => /read/.test(operation))).toEqual([]);
		expect((await freshLook(io)).current.files).toHaveLength(12);
	});

	it('passes over a damaged manifest: the append goes through', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, { properties: { 'commit.manifest.min-count-to-merge': '3' } });
		await append(committer, [await dataFile(io)]);
		await append(committer, [await dataFile(io)]);
		const { current } = await freshLook(io);
		const damaged = current.manifests[1]?.location as string;
		const bytes = await io.input(damaged).readAll();
		await io.write(damaged, bytes.subarray(0, bytes.length - 20), { overwrite: true });
		// As another process: this one remembers what it wrote.
		const other = new FolderCommitter(new FaultyFileIO(io), T);
		const result = await append(other, [await dataFile(io)]);
		expect(result.loaded.metadata.snapshots.at(-1)?.summary).toMatchObject({
			'manifests-replaced': '0',
			'total-data-files': '3',
		});
	});
});
