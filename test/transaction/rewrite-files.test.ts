import { describe, expect, it } from 'vitest';
import { MemoryFileIO } from '../../src/index.ts';
import { encodeManifest } from '../../src/manifest/encode-manifest.ts';
import { encodeManifestList } from '../../src/manifest/manifest-list.ts';
import type { DataFile, ManifestEntry } from '../../src/manifest/types.ts';
import type { Action } from '../../src/transaction/action.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { RewriteFilesAction } from '../../src/transaction/rewrite-files.ts';
import { currentSnapshot } from '../../src/spec/table-metadata-lookup.ts';
import { append, appendOf, dataFile, freshLook, makeTable, quick, T } from './support.ts';

type Committer = Awaited<ReturnType<typeof makeTable>>['committer'];

/** Commits a delete file, as another engine would. */
async function commitDeletes(io: MemoryFileIO, committer: Committer, changes: Partial<DataFile>): Promise<void> {
	const { metadata } = await committer.load();
	const parent = currentSnapshot(metadata);
	const snapshotId = 77n;
	const file = { ...(await dataFile(io)), content: 'position-deletes', ...changes } as DataFile;
	const entry: ManifestEntry = { status: 'added', snapshotId, sequenceNumber: null, fileSequenceNumber: null, file };
	const write = { formatVersion: 2 as const, table: metadata, snapshotId, specId: 0, content: 'deletes' as const };
	const { bytes, manifest } = await encodeManifest([entry], write);
	await io.write(`${T}/metadata/deletes-m0.avro`, bytes);
	const before = (await freshLook(io)).current.manifests;
	const sequenceNumber = metadata.lastSequenceNumber + 1n;
	const list = await encodeManifestList([{ ...manifest, location: `${T}/metadata/deletes-m0.avro` }, ...before], {
		formatVersion: 2,
		snapshotId,
		sequenceNumber,
	});
	await io.write(`${T}/metadata/snap-77.avro`, list.bytes);
	const snapshot = {
		snapshotId,
		...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
		sequenceNumber,
		timestampMs: Date.now(),
		manifestList: `${T}/metadata/snap-77.avro`,
		summary: { operation: 'delete' },
	};
	const nothing = async (): Promise<void> => undefined;
	const action: Action = {
		name: 'delete',
		apply: async () => ({
			updates: [
				{ action: 'add-snapshot', snapshot },
				{ action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId } },
			],
			requirements: [],
			newFiles: [],
		}),
		committed: nothing,
		abandoned: nothing,
	};
	await commitActions(committer, await committer.load(), [action], quick);
}

async function twoFiles() {
	const io = new MemoryFileIO();
	const { committer } = await makeTable(io);
	const files = [await dataFile(io), await dataFile(io)];
	await append(committer, files);
	const starting = (await committer.load()).metadata.lastSequenceNumber;
	const merged = await dataFile(io, undefined, { recordCount: 20 });
	const action = new RewriteFilesAction({
		removed: files.map((file) => ({ file, sequenceNumber: starting })),
		added: [merged],
		startingSequenceNumber: starting,
	});
	const rewrite = async () => commitActions(committer, await committer.load(), [action], quick);
	return { io, committer, files, merged, starting, rewrite };
}

describe('RewriteFilesAction', () => {
	it('gives the new files the data sequence number of the snapshot that was read', async () => {
		const { io, committer, merged, starting, rewrite } = await twoFiles();
		const other = await dataFile(io);
		await append(committer, [other]);
		await rewrite();
		const { current, metadata } = await freshLook(io);
		const entry = current.entries.find((each) => each.file.location === merged.location);
		expect(entry).toMatchObject({
			status: 'added',
			sequenceNumber: starting,
			fileSequenceNumber: metadata.lastSequenceNumber,
		});
		expect(current.files).toEqual(['file-3', 'file-4']);
	});

	it('fails when rows were deleted by position meanwhile, and leaves the table as it is', async () => {
		const { io, committer, files, rewrite } = await twoFiles();
		await commitDeletes(io, committer, { referencedDataFile: files[0]?.location as string });
		const before = (await committer.load()).metadataLocation;
		await expect(rewrite()).rejects.toMatchObject({ code: 'VALIDATION_FAILED', retryable: true });
		expect((await committer.load()).metadataLocation).toBe(before);
		expect(await io.exists(files[0]?.location as string)).toBe(true);
	});

	it('goes on when rows were deleted by equality meanwhile: these deletes apply to the new files', async () => {
		const { io, committer, merged, starting, rewrite } = await twoFiles();
		await commitDeletes(io, committer, { content: 'equality-deletes', equalityIds: [1] });
		await rewrite();
		const { current } = await freshLook(io);
		const deletes = current.entries.find((each) => each.file.content === 'equality-deletes');
		const data = current.entries.find((each) => each.file.location === merged.location);
		expect(deletes?.sequenceNumber).toBe(starting + 1n);
		expect(data?.sequenceNumber).toBe(starting);
	});

	it('fails when rows were deleted by equality meanwhile and go together with newer rows of the same commit', async () => {
		const { io, committer, files, starting } = await twoFiles();
		await commitDeletes(io, committer, { content: 'equality-deletes', equalityIds: [1] });
		const added = await dataFile(io);
		const removed = [added, ...files].map((file) => ({ file, sequenceNumber: file === added ? undefined : starting }));
		const merged = await dataFile(io, undefined, { recordCount: 30 });
		const together = new RewriteFilesAction({ removed, added: [merged], startingSequenceNumber: starting });
		const alone = new RewriteFilesAction({
			removed: removed.slice(0, 1),
			added: [merged],
			startingSequenceNumber: starting,
		});
		const commit = async (rewrite: Action) =>
			commitActions(committer, await committer.load(), [appendOf([added]), rewrite], quick);
		await expect(commit(together)).rejects.toMatchObject({ code: 'VALIDATION_FAILED', retryable: true });
		await commit(alone);
		const entry = (await freshLook(io)).current.entries.find((each) => each.file.location === merged.location);
		expect(entry?.sequenceNumber).toBe(starting + 2n);
	});

	it('fails when a file was replaced by another rewrite', async () => {
		const { files, committer, io, starting, rewrite } = await twoFiles();
		const first = files[0] as DataFile;
		const replacement = await dataFile(io);
		const other = new RewriteFilesAction({
			removed: [{ file: first, sequenceNumber: starting }],
			added: [replacement],
			startingSequenceNumber: starting,
		});
		await commitActions(committer, await committer.load(), [other], quick);
		await expect(rewrite()).rejects.toMatchObject({
			code: 'VALIDATION_FAILED',
			message: expect.stringContaining(first.location),
		});
	});

	it('tells of files of many small manifests in one, and leaves others alone', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		const files: DataFile[] = [];
		for (let i = 0; i < 6; i++) {
			files.push(await dataFile(io));
			await append(committer, files.slice(-1));
		}
		const before = (await freshLook(io)).current.manifests;
		expect(before).toHaveLength(6);
		const merged = await dataFile(io, undefined, { recordCount: 40 });
		const action = new RewriteFilesAction({
			removed: files.slice(1, 5).map((file, i) => ({ file, sequenceNumber: BigInt(i + 2) })),
			added: [merged],
			startingSequenceNumber: 6n,
		});
		await commitActions(committer, await committer.load(), [action], quick);
		const { current } = await freshLook(io);
		expect(
			current.manifests.map((each) => [each.addedFilesCount, each.existingFilesCount, each.deletedFilesCount]),
		).toEqual([
			[1, 0, 0],
			[1, 0, 0],
			[0, 0, 4],
			[1, 0, 0],
		]);
		const kept = new Set(before.map(({ location }) => location));
		expect(current.manifests.filter(({ location }) => kept.has(location))).toHaveLength(2);
		await append(committer, [await dataFile(io)]);
		expect((await freshLook(io)).current.manifests).toHaveLength(4);
	});

	it('refuses what is no rewrite', async () => {
		const io = new MemoryFileIO();
		const file = await dataFile(io);
		const removed = [{ file, sequenceNumber: 1n }];
		const make = (changes: object) => () =>
			new RewriteFilesAction({ removed, added: [], startingSequenceNumber: 1n, ...changes });
		expect(make({ removed: [] })).toThrow(/no file/);
		expect(make({ added: [file] })).toThrow(/twice/);
		expect(make({ added: [{ ...file, location: 'x', content: 'position-deletes' }] })).toThrow(/only data/);
	});
});
