import { describe, expect, it } from 'vitest';
import { openFolderTable } from '../../src/catalog/folder-table.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { SetPropertiesAction } from '../../src/transaction/set-properties.ts';
import { UpgradeFormatAction } from '../../src/transaction/upgrade-format.ts';
import { VERSION } from '../../src/util/version.ts';
import {
	append,
	appendOf,
	byRegion,
	contentsOf,
	dataFile,
	fixedClock,
	freshLook,
	garbage,
	makeTable,
	namesBelow,
	quick,
	T,
} from './support.ts';

describe('an append', () => {
	it('adds one snapshot with the files, numbered and counted', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		const first = await append(committer, [
			await dataFile(io, 'a', { recordCount: 3 }),
			await dataFile(io, 'b', { recordCount: 4 }),
		]);
		expect(first).toMatchObject({ committed: true, attempts: 1 });
		const second = await append(committer, [await dataFile(io, 'c', { recordCount: 5 })]);
		const { metadata, current } = await freshLook(io);
		expect(metadata).toEqual(second.loaded.metadata);
		expect(current.files).toEqual(['a', 'b', 'c']);
		const [one, two] = metadata.snapshots;
		expect(one).toMatchObject({ sequenceNumber: 1n, schemaId: 0 });
		expect(one).not.toHaveProperty('parentSnapshotId');
		expect(two).toMatchObject({ sequenceNumber: 2n, parentSnapshotId: one?.snapshotId });
		expect(metadata).toMatchObject({ lastSequenceNumber: 2n, currentSnapshotId: two?.snapshotId });
		expect(metadata.refs['main']).toEqual({ type: 'branch', snapshotId: two?.snapshotId });
		expect(one?.snapshotId).not.toBe(two?.snapshotId);
		expect(one?.snapshotId).toBeGreaterThan(0n);
		expect(two?.summary).toEqual({
			operation: 'append',
			'added-data-files': '1',
			'added-records': '5',
			'added-files-size': '4',
			'changed-partition-count': '1',
			'total-records': '12',
			'total-files-size': '12',
			'total-data-files': '3',
			'total-delete-files': '0',
			'total-position-deletes': '0',
			'total-equality-deletes': '0',
			'manifests-created': '1',
			'manifests-kept': '1',
			'manifests-replaced': '0',
			'engine-name': 'datashard',
			'engine-version': VERSION,
			'datashard.commit-id': second.commitId,
		});
		expect(current.manifests.map((manifest) => [manifest.sequenceNumber, manifest.addedFilesCount])).toEqual([
			[2n, 1],
			[1n, 2],
		]);
		expect(
			current.entries.map((entry) => [entry.status, entry.sequenceNumber, entry.fileSequenceNumber, entry.snapshotId]),
		).toEqual([
			['added', 2n, 2n, two?.snapshotId],
			['added', 1n, 1n, one?.snapshotId],
			['added', 1n, 1n, one?.snapshotId],
		]);
		expect(await garbage(io)).toEqual([]);
	});

	it('of nothing changes nothing and writes nothing', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const { committer, loaded } = await makeTable(io);
		const before = await namesBelow(io, T);
		const result = await append(committer, []);
		expect(result).toMatchObject({ committed: false, attempts: 0 });
		expect(result.loaded).toBe(loaded);
		expect(await namesBelow(io, T)).toEqual(before);
	});

	it('refuses delete files and files given twice', async () => {
		const io = new MemoryFileIO();
		const file = await dataFile(io);
		const action = appendOf([file]);
		expect(() => action.addFile(file)).toThrow(/added to the append before/);
		expect(() => action.addFile({ ...file, location: 'x', content: 'position-deletes' })).toThrow(/position-deletes/);
	});

	it('flushes data, manifests and list, and persists their names, before the swap', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const { committer } = await makeTable(io);
		const file = await dataFile(io);
		io.calls.length = 0;
		await append(committer, [file]);
		const order = io.calls.filter((call) =>
			['write', 'persistNames', 'putIfAbsent', 'replace'].includes(call.operation),
		);
		expect(order.map((call) => call.operation)).toEqual(['write', 'write', 'persistNames', 'putIfAbsent', 'replace']);
		expect(order[2]?.location).toContain(file.location);
		for (const write of order.slice(0, 2)) expect(order[2]?.location).toContain(write.location);
	});

	it('tells the changes of each partition up to the limit that the table sets', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, {
			spec: byRegion,
			properties: { 'write.summary.partition-limit': '2' },
		});
		const file = (region: string | null, recordCount: number) =>
			dataFile(io, undefined, { partition: [region], recordCount });
		const two = await append(committer, [await file('n/e', 1), await file('n/e', 2), await file(null, 4)]);
		expect(two.loaded.metadata.snapshots[0]?.summary).toMatchObject({
			'changed-partition-count': '2',
			'partition-summaries-included': 'true',
			'partitions.region=n%2Fe': 'added-data-files=2,added-records=3,added-files-size=8',
			'partitions.region=null': 'added-data-files=1,added-records=4,added-files-size=4',
		});
		const three = await append(committer, [await file('a', 1), await file('b', 2), await file('c', 4)]);
		const summary = three.loaded.metadata.snapshots[1]?.summary ?? {};
		expect(summary['changed-partition-count']).toBe('3');
		expect(Object.keys(summary).filter((key) => key.startsWith('partition'))).toEqual([]);
	});

	it('leaves out totals that the parent does not tell', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		await append(committer, [await dataFile(io)]);
		const { loaded } = await openFolderTable(T, { io });
		const foreign = JSON.parse(
			new TextDecoder().decode(await io.input(loaded.metadataLocation).readAll()),
			(key, value) => (key === 'total-records' || key === 'total-files-size' ? undefined : value),
		);
		// Ids of snapshots do not survive JSON.parse.
		const text = JSON.stringify(foreign).replaceAll(
			/"(snapshot-id|current-snapshot-id)":\d+/g,
			(_, key) => `"${key}":77`,
		);
		await io.write(loaded.metadataLocation, new TextEncoder().encode(text), { overwrite: true });
		const result = await append(committer, [await dataFile(io)]);
		const summary = result.loaded.metadata.snapshots.at(-1)?.summary ?? {};
		expect(summary['total-data-files']).toBe('2');
		expect(summary).not.toHaveProperty('total-records');
		expect(summary).not.toHaveProperty('total-files-size');
	});

	it('never dates a snapshot before the one it builds on', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		const clocks = [5_000_000_000_000, 1_000, 5_000_000_000_001];
		for (const now of clocks)
			await append(committer, [await dataFile(io)], {}, { ...quick, clock: fixedClock(() => now) });
		const { metadata } = await freshLook(io);
		expect(metadata.snapshots.map((snapshot) => snapshot.timestampMs)).toEqual([
			5_000_000_000_000, 5_000_000_000_000, 5_000_000_000_001,
		]);
		expect(metadata.snapshotLog.map((entry) => entry.timestampMs)).toEqual([
			5_000_000_000_000, 5_000_000_000_000, 5_000_000_000_001,
		]);
		expect(metadata.lastUpdatedMs).toBe(5_000_000_000_001);
	});

	it('to a v1 table has no sequence numbers; to an upgraded one it has', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, { formatVersion: 1 });
		await append(committer, [await dataFile(io, 'v1')]);
		const before = await freshLook(io);
		expect(before.metadata).toMatchObject({ formatVersion: 1, lastSequenceNumber: 0n });
		await commitActions(committer, await committer.load(), [new UpgradeFormatAction(2)], quick);
		await append(committer, [await dataFile(io, 'v2')]);
		const { metadata, current } = await freshLook(io);
		expect(metadata).toMatchObject({ formatVersion: 2, lastSequenceNumber: 1n });
		expect(current.entries.map((entry) => [entry.file.location.slice(-10, -8), entry.sequenceNumber])).toEqual([
			['v2', 1n],
			['v1', 0n],
		]);
	});

	it('to a v3 table assigns row ids, also to files from before the upgrade', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, { formatVersion: 2 });
		await append(committer, [await dataFile(io, 'old', { recordCount: 7 })]);
		await commitActions(committer, await committer.load(), [new UpgradeFormatAction(3)], quick);
		await append(committer, [await dataFile(io, 'a', { recordCount: 3 }), await dataFile(io, 'b', { recordCount: 4 })]);
		await append(committer, [await dataFile(io, 'c', { recordCount: 5 })]);
		const { metadata, current } = await freshLook(io);
		expect(metadata.nextRowId).toBe(19n);
		expect(metadata.snapshots.map((snapshot) => [snapshot.firstRowId, snapshot.addedRows])).toEqual([
			[undefined, undefined],
			[0n, 14n],
			[14n, 5n],
		]);
		const rows = current.entries.map((entry) => [entry.file.location.slice(T.length + 6, -8), entry.file.firstRowId]);
		expect(rows).toEqual([
			['c', 14n],
			['a', 0n],
			['b', 3n],
			['old', 7n],
		]);
	});

	it('rolls manifests at the target size, and writes one for each spec', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, {
			properties: { 'commit.manifest.target-size-bytes': '20000', 'write.manifest.compression-codec': 'uncompressed' },
		});
		const files = [];
		for (let i = 0; i < 1000; i++) files.push(await dataFile(io));
		await append(committer, files);
		const { current } = await freshLook(io);
		expect(current.manifests.length).toBeGreaterThan(4);
		for (const manifest of current.manifests) expect(manifest.length).toBeLessThan(25_000);
		expect(current.files).toHaveLength(1000);
	});

	it.each(['zstd', 'snappy', 'uncompressed'])('writes manifests with %s where the table asks for it', async (codec) => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, { properties: { 'write.manifest.compression-codec': codec } });
		await append(committer, [await dataFile(io, 'a')]);
		const { current } = await freshLook(io);
		expect(current.files).toEqual(['a']);
		const bytes = await io.input(current.manifests[0]?.location as string).readAll();
		const name = { zstd: 'zstandard', snappy: 'snappy', uncompressed: 'null' }[codec] as string;
		expect(Buffer.from(bytes).includes(`avro.codec${String.fromCharCode(name.length * 2)}${name}`)).toBe(true);
	});

	it('goes to a branch, and leaves main alone', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		const first = await append(committer, [await dataFile(io, 'a')]);
		const snapshotId = first.loaded.metadata.currentSnapshotId as bigint;
		await expect(append(committer, [await dataFile(io)], { branch: 'audit' })).rejects.toMatchObject({
			code: 'NOT_FOUND',
		});
		const refs = ['branch', 'tag'].map((type) => ({
			action: 'set-snapshot-ref' as const,
			refName: type === 'tag' ? 'v1' : 'audit',
			ref: { type: type as 'branch' | 'tag', snapshotId, ...(type === 'branch' ? { minSnapshotsToKeep: 3 } : {}) },
		}));
		const setRefs = {
			name: 'refs',
			apply: async () => ({ updates: refs, requirements: [], newFiles: [] }),
			committed: async () => undefined,
			abandoned: async () => undefined,
		};
		await commitActions(committer, await committer.load(), [setRefs], quick);
		await append(committer, [await dataFile(io, 'b')], { branch: 'audit' });
		await expect(append(committer, [await dataFile(io)], { branch: 'v1' })).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
		const { metadata, current } = await freshLook(io);
		expect(current.files).toEqual(['a']);
		expect(metadata.refs['audit']).toMatchObject({ type: 'branch', minSnapshotsToKeep: 3 });
		const branch = metadata.snapshots.find((each) => each.snapshotId === metadata.refs['audit']?.snapshotId);
		expect((await contentsOf(io, metadata, branch as never)).files).toEqual(['a', 'b']);
	});

	it('refuses an encrypted table', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io, { properties: { 'encryption.key-id': 'k' } });
		await expect(append(committer, [await dataFile(io)])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
	});
});

describe('several actions', () => {
	it('are one commit, in their order', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await makeTable(io);
		const actions = [
			appendOf([await dataFile(io, 'a')]),
			new UpgradeFormatAction(3),
			new SetPropertiesAction({ owner: 'me' }),
			appendOf([await dataFile(io, 'b')]),
		];
		const result = await commitActions(committer, loaded, actions, quick);
		const { metadata, current } = await freshLook(io);
		expect(metadata).toEqual(result.loaded.metadata);
		expect(result.loaded.metadataLocation).toBe(`${T}/metadata/v2.metadata.json`);
		expect(metadata.snapshots.map((snapshot) => snapshot.sequenceNumber)).toEqual([1n, 2n]);
		expect(metadata).toMatchObject({ formatVersion: 3, nextRowId: 20n });
		expect(metadata.properties['owner']).toBe('me');
		expect(current.files).toEqual(['a', 'b']);
		expect(await garbage(io)).toEqual([]);
	});

	it('do nothing at all when one of them cannot be applied', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await makeTable(io, { formatVersion: 3 });
		const file = await dataFile(io, 'a');
		const actions = [appendOf([file]), new UpgradeFormatAction(2)];
		await expect(commitActions(committer, loaded, actions, quick)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
		expect((await freshLook(io)).metadata.snapshots).toEqual([]);
		expect(await garbage(io)).toEqual(['data/a.parquet']);
	});
});

describe('properties and format version', () => {
	it('are changed only where they differ', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await makeTable(io, { properties: { a: '1', b: '2' } });
		const same = [new SetPropertiesAction({ a: '1' }, ['missing']), new UpgradeFormatAction(2)];
		expect(await commitActions(committer, loaded, same, quick)).toMatchObject({ committed: false, loaded });
		const change = [new SetPropertiesAction({ a: '3', c: '' }, ['b', 'missing'])];
		const { loaded: after } = await commitActions(committer, loaded, change, quick);
		expect(after.metadata.properties).toMatchObject({ a: '3', c: '' });
		expect(after.metadata.properties).not.toHaveProperty('b');
	});

	it('are refused when they are nonsense, naming property and value', () => {
		expect(() => new SetPropertiesAction({ 'commit.retry.min-wait-ms': '-1' })).toThrow(
			/commit\.retry\.min-wait-ms.*'-1'/,
		);
		expect(() => new SetPropertiesAction({ uuid: 'x' })).toThrow(/reserved/);
		expect(() => new SetPropertiesAction({ a: 'x' }, ['a'])).toThrow(/both set and removed/);
		expect(() => new SetPropertiesAction({ a: '\ud800' })).toThrow(/surrogate/);
		expect(() => new SetPropertiesAction({ a: 1 as unknown as string })).toThrow(/text/);
		for (const version of [0, 4, 2.5, Number.NaN])
			expect(() => new UpgradeFormatAction(version)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
	});

	it.each(['commit.manifest.min-count-to-merge', 'commit.retry.min-wait-ms', 'write.metadata.compression-codec'])(
		'of the table that are nonsense (%s) stop an append, and can be mended',
		async (property) => {
			const io = new MemoryFileIO();
			const { committer, loaded } = await makeTable(io);
			const text = new TextDecoder().decode(await io.input(loaded.metadataLocation).readAll());
			const broken = text.replace('"properties":{', `"properties":{"${property}":"lots",`);
			await io.write(loaded.metadataLocation, new TextEncoder().encode(broken), { overwrite: true });
			const file = await dataFile(io, 'a');
			await expect(append(committer, [file])).rejects.toMatchObject({
				code: 'INVALID_ARGUMENT',
				message: expect.stringMatching(new RegExp(`${property}.*'lots'`)),
			});
			expect(await garbage(io)).toEqual(['data/a.parquet']);
			await commitActions(committer, await committer.load(), [new SetPropertiesAction({}, [property])], quick);
			await append(committer, [file]);
			expect((await freshLook(io)).current.files).toEqual(['a']);
		},
	);
});
