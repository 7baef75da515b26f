import { describe, expect, it } from 'vitest';
import { FolderCommitter } from '../../src/catalog/folder-committer.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { snapshotsOfCommit } from '../../src/transaction/commit-id.ts';
import { RemoveSnapshotsAction } from '../../src/transaction/remove-snapshots.ts';
import { RewriteFilesAction } from '../../src/transaction/rewrite-files.ts';
import { UpgradeFormatAction } from '../../src/transaction/upgrade-format.ts';
import { append, appendOf, contentsOf, dataFile, freshLook, garbage, makeTable, quick, T } from './support.ts';

const nameOf = (location: string): string => location.slice(`${T}/data/`.length, -'.parquet'.length);

/** A table with one file, `old`, and the actions that append `new`, then put `old` and `new` into `both`. */
async function appendAndRewrite(io: MemoryFileIO, formatVersion: 1 | 2 | 3 = 2) {
	const { committer } = await makeTable(io, { formatVersion });
	const old = await dataFile(io, 'old');
	const { loaded } = await append(committer, [old]);
	const starting = loaded.metadata.lastSequenceNumber;
	const added = await dataFile(io, 'new');
	const both = await dataFile(io, 'both', { recordCount: 20 });
	const rewrite = new RewriteFilesAction({
		removed: [
			{ file: old, sequenceNumber: starting },
			{ file: added, sequenceNumber: undefined },
		],
		added: [both],
		startingSequenceNumber: starting,
	});
	return { committer, actions: [appendOf([added]), rewrite] };
}

describe('an append and a rewrite of what it appends, in one commit', () => {
	it.each([1, 2] as const)('are one version of the table with two snapshots (format version %i)', async (version) => {
		const io = new MemoryFileIO();
		const { committer, actions } = await appendAndRewrite(io, version);
		const before = await committer.load();
		const { loaded, commitId } = await commitActions(committer, before, actions, quick);
		expect(loaded.metadataLocation).toBe(`${T}/metadata/v3.metadata.json`);
		expect(loaded.metadata.metadataLog.at(-1)?.metadataFile).toBe(before.metadataLocation);
		const { metadata, current } = await freshLook(io);
		expect(metadata.snapshots.map((snapshot) => snapshot.summary?.['operation'])).toEqual([
			'append',
			'append',
			'replace',
		]);
		expect(metadata.snapshots.map((snapshot) => snapshot.parentSnapshotId)).toEqual([
			undefined,
			...metadata.snapshots.slice(0, 2).map((snapshot) => snapshot.snapshotId),
		]);
		expect(snapshotsOfCommit(metadata, commitId)).toEqual(metadata.snapshots.slice(1));
		// What was current only within the commit was never current to anybody.
		expect(metadata.snapshotLog.map((entry) => entry.snapshotId)).toEqual([
			metadata.snapshots[0]?.snapshotId,
			metadata.snapshots[2]?.snapshotId,
		]);
		expect(current.files).toEqual(['both']);
		expect(metadata.snapshots.at(-1)?.summary).toMatchObject({ 'total-data-files': '1', 'total-records': '20' });
		const appended = metadata.snapshots[1];
		if (appended === undefined) throw new Error('no snapshot');
		expect((await contentsOf(io, metadata, appended)).files).toEqual(['new', 'old']);
		if (version === 2) expect(metadata.snapshots.map((each) => each.sequenceNumber)).toEqual([1n, 2n, 3n]);
	});

	it('are applied anew, with the numbers of each attempt, when others commit first', async () => {
		const io = new MemoryFileIO();
		const { committer: rival, actions } = await appendAndRewrite(io);
		const faulty = new FaultyFileIO(io);
		let theirs = 0;
		const until = async (): Promise<void> =>
			void (await append(rival, [await dataFile(io, `theirs-${++theirs}`)], { manifests: 'fast' }));
		faulty.addRule({ operation: 'putIfAbsent', times: 2, fault: { kind: 'delay', until } });
		const committer = new FolderCommitter(faulty, T);
		const result = await commitActions(committer, await committer.load(), actions, quick);
		expect(result.attempts).toBe(3);
		const { metadata, current } = await freshLook(io);
		expect(metadata.snapshots.map((snapshot) => snapshot.sequenceNumber)).toEqual([1n, 2n, 3n, 4n, 5n]);
		expect(current.files).toEqual(['both', 'theirs-1', 'theirs-2']);
		const entries = new Map(current.entries.map((entry) => [nameOf(entry.file.location), entry]));
		expect(entries.get('new')).toMatchObject({ status: 'deleted', sequenceNumber: 4n, fileSequenceNumber: 4n });
		expect(entries.get('old')).toMatchObject({ status: 'deleted', sequenceNumber: 1n });
		// Not before the append: deletes that others committed meanwhile are not for its rows.
		expect(entries.get('both')).toMatchObject({ status: 'added', sequenceNumber: 4n, fileSequenceNumber: 5n });
		expect(await garbage(io)).toEqual([]);
	});

	it('go together with the removal of snapshots, the one of the append among them', async () => {
		const io = new MemoryFileIO();
		const { committer, actions } = await appendAndRewrite(io);
		const thinning = new RemoveSnapshotsAction({ retainLast: 1, olderThanMs: 0 });
		await commitActions(committer, await committer.load(), [...actions, thinning], quick);
		const { metadata, current } = await freshLook(io);
		expect(metadata.snapshots.map((snapshot) => snapshot.summary?.['operation'])).toEqual(['replace']);
		expect(metadata.snapshotLog).toHaveLength(1);
		expect(metadata.lastSequenceNumber).toBe(3n);
		expect(current.files).toEqual(['both']);
		await append(committer, [await dataFile(io, 'next')]);
		expect((await freshLook(io)).current.files).toEqual(['both', 'next']);
	});

	it('are refused as a whole where rows have ids, which new files would have to tell', async () => {
		const io = new MemoryFileIO();
		const { committer, actions } = await appendAndRewrite(io, 3);
		const before = await committer.load();
		await expect(commitActions(committer, before, actions, quick)).rejects.toMatchObject({
			code: 'VALIDATION_FAILED',
			message: expect.stringContaining('its rows were given ids meanwhile'),
		});
		expect((await committer.load()).metadataLocation).toBe(before.metadataLocation);
		expect((await freshLook(io)).current.files).toEqual(['old']);
		expect(await garbage(io)).toEqual(['data/both.parquet', 'data/new.parquet']);
	});

	it('may follow an upgrade in the same commit', async () => {
		const io = new MemoryFileIO();
		const { committer, actions } = await appendAndRewrite(io, 1);
		await commitActions(committer, await committer.load(), [new UpgradeFormatAction(2), ...actions], quick);
		const { metadata, current } = await freshLook(io);
		expect(metadata.formatVersion).toBe(2);
		expect(metadata.snapshots.map((snapshot) => snapshot.sequenceNumber)).toEqual([0n, 1n, 2n]);
		expect(current.files).toEqual(['both']);
	});
});
