import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FolderCommitter } from '../../src/catalog/folder-committer.ts';
import { encodeMetadataFile } from '../../src/catalog/metadata-file.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { LocalFileIO } from '../../src/io/local-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import type { Committer, LoadedMetadata } from '../../src/transaction/committer.ts';
import { bytesOf, commitProperties, filesBelow, newTable, propertyCommit, snapshotCommit, textOf } from './support.ts';

const T = 'memory:/t';
const hint = `${T}/metadata/version-hint.text`;
const version = (n: number): string => `${T}/metadata/v${n}.metadata.json`;

describe('a folder table', () => {
	it('has a file for each version and a hint to the newest', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io);
		expect(await filesBelow(io, T)).toEqual(['metadata/v1.metadata.json', 'metadata/version-hint.text']);
		expect(await textOf(io, hint)).toBe('1');
		const outcome = await committer.swap(propertyCommit(loaded, 'a', 'b'));
		expect(outcome).toMatchObject({ outcome: 'committed', loaded: { metadataLocation: version(2) } });
		expect(await textOf(io, hint)).toBe('2');
		const fresh = await new FolderCommitter(io, `${T}/`).load();
		expect(fresh.metadata.properties['a']).toBe('b');
		expect(fresh.metadata.metadataLog.map((entry) => entry.metadataFile)).toEqual([version(1)]);
		expect(fresh.metadata).toEqual((await committer.load()).metadata);
	});

	it('gives one of two commits on the same version the swap, and tells the other so', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io);
		const other = new FolderCommitter(io, T);
		expect((await other.swap(propertyCommit(loaded, 'winner', 'other'))).outcome).toBe('committed');
		expect((await committer.swap(propertyCommit(loaded, 'winner', 'committer'))).outcome).toBe('conflict');
		expect((await committer.load()).metadata.properties['winner']).toBe('other');
		expect((await filesBelow(io, T)).filter((name) => name.includes('.json'))).toHaveLength(2);
	});

	it.each([
		['missing', undefined],
		['empty', ''],
		['garbage', 'no number'],
		['negative', '-3'],
		['too large for a version', '99999999999'],
		['of a version that does not exist', '77'],
		['binary', '\0\0\0'],
		['long', '1'.repeat(1000)],
		['old', '1'],
		['old, with a line end', '2\n'],
	])('is read and written with a hint that is %s', async (_name, content) => {
		const io = new MemoryFileIO();
		const { committer } = await newTable(T, io);
		await commitProperties(committer, 2, 5);
		if (content === undefined) await io.delete(hint);
		else await io.replace(hint, bytesOf(content));
		const other = new FolderCommitter(io, T);
		const loaded = await other.load();
		expect(loaded.metadataLocation).toBe(version(5));
		expect((await other.swap(propertyCommit(loaded, 'n', '6'))).outcome).toBe('committed');
		expect(await textOf(io, hint)).toBe('6');
	});

	it('does not point the hint back when it is slow', async () => {
		const io = new MemoryFileIO();
		const faulty = new FaultyFileIO(io);
		const slow = (await newTable(T, io)).committer;
		const delayed = new FolderCommitter(faulty, T);
		const base = await delayed.load();
		faulty.addRule({
			operation: 'readAll',
			location: /hint/,
			fault: { kind: 'delay', until: async () => void (await commitProperties(slow, 3, 6)) },
		});
		expect((await delayed.swap(propertyCommit(base, 'n', '2'))).outcome).toBe('committed');
		expect(await textOf(io, hint)).toBe('6');
	});

	it('sees through its cache, on a disk too, that the table was dropped and made anew, or put back', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'datashard-committer-'));
		try {
			const table = join(folder, 't');
			const io = new FaultyFileIO(new LocalFileIO({ roots: [table] }));
			const { committer, loaded } = await newTable(table, io);
			const first = await committer.load();
			expect(await committer.load()).toBe(first);
			io.calls.length = 0;
			expect(await committer.load()).toBe(first);
			expect(io.calls.filter(({ operation }) => operation === 'readAll')).toEqual([]);
			cpSync(table, join(folder, 'backup'), { recursive: true });
			for (const name of await filesBelow(io, table)) await io.delete(`${table}/${name}`);
			await expect(committer.load()).rejects.toMatchObject({ code: 'NOT_A_TABLE' });
			const again = await newTable(table, io);
			expect((await committer.load()).metadata.tableUuid).toBe(again.loaded.metadata.tableUuid);
			rmSync(table, { recursive: true });
			cpSync(join(folder, 'backup'), table, { recursive: true });
			expect((await committer.load()).metadata).toEqual(loaded.metadata);
			await commitProperties(new FolderCommitter(io, table), 2, 4);
			expect((await committer.load()).metadata.properties['n']).toBe('4');
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	});

	it('sees through its cache that the table was dropped and made anew', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io);
		for (const name of await filesBelow(io, T)) await io.delete(`${T}/${name}`);
		const again = await newTable(T, io);
		expect((await committer.load()).metadata.tableUuid).toBe(again.loaded.metadata.tableUuid);
		expect(again.loaded.metadata.tableUuid).not.toBe(loaded.metadata.tableUuid);
	});

	it('parses a version once', async () => {
		const { committer } = await newTable(T, new MemoryFileIO());
		expect(await committer.load()).toBe(await committer.load());
	});

	it('writes gzip from the version after the one that asks for it, and reads every spelling', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io, { 'write.metadata.compression-codec': 'gzip' });
		const second = await committer.swap(propertyCommit(loaded, 'a', '1'));
		if (second.outcome !== 'committed') throw new Error(second.outcome);
		expect(second.loaded.metadataLocation).toBe(`${T}/metadata/v2.gz.metadata.json`);
		expect([...(await io.input(second.loaded.metadataLocation).readAll()).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
		const fresh = await new FolderCommitter(io, T).load();
		expect(fresh.metadata).toEqual(second.loaded.metadata);
		// as Java wrote it before 1.0
		await io.write(`${T}/metadata/v3.metadata.json.gz`, await io.input(second.loaded.metadataLocation).readAll());
		expect((await committer.load()).metadataLocation).toBe(`${T}/metadata/v3.metadata.json.gz`);
		expect((await committer.swap(propertyCommit(second.loaded, 'a', '2'))).outcome).toBe('conflict');
	});

	it('refuses to commit from a moved or copied folder, but reads it', async () => {
		const io = new MemoryFileIO();
		await newTable(T, io);
		const copy = 'memory:/copy';
		for (const name of await filesBelow(io, T))
			await io.write(`${copy}/${name}`, await io.input(`${T}/${name}`).readAll());
		const committer = new FolderCommitter(io, copy);
		const loaded = await committer.load();
		expect(loaded.metadata.location).toBe(T);
		await expect(committer.swap(propertyCommit(loaded, 'a', 'b'))).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringMatching(/memory:\/copy says that its location is memory:\/t: it was moved or copied/),
		});
		expect(await filesBelow(io, copy)).toEqual(await filesBelow(io, T));
	});

	it('refuses to be relocated, or to keep its metadata elsewhere', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io);
		const moving = propertyCommit(loaded, 'write.metadata.path', 'memory:/elsewhere');
		await expect(committer.swap(moving)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
		const relocating = { ...moving, next: { ...loaded.metadata, location: 'memory:/x' } };
		await expect(committer.swap(relocating)).rejects.toThrow(/cannot be relocated/);
		expect(await io.exists(version(2))).toBe(false);
	});
});

/** A busy writer, a slow one that has read its base, and a sleep in which 40 commits go by. */
async function sleeper(settings = {}) {
	const io = new MemoryFileIO();
	const { committer: busy } = await newTable(T, io, { 'write.metadata.previous-versions-max': '20', ...settings });
	const faulty = new FaultyFileIO(io);
	const slow = new FolderCommitter(faulty, T);
	await commitProperties(busy, 2, 5);
	const base = await slow.load();
	const sleep = async (): Promise<void> => void (await commitProperties(busy, 6, 45));
	return { io, busy, faulty, slow, base, sleep };
}

describe('a writer that slept through the whole window', () => {
	it('before it looked whether its base is there: a conflict, nothing is written', async () => {
		const { io, slow, base, faulty, sleep } = await sleeper();
		faulty.addRule({ operation: 'exists', location: /v5\.metadata/, fault: { kind: 'delay', until: sleep } });
		expect((await slow.swap(snapshotCommit(base))).outcome).toBe('conflict');
		expect(await io.exists(version(6))).toBe(false);
	});

	it.each([
		['a snapshot', 'the hint'],
		['properties', 'the hint'],
		['a snapshot', 'no hint'],
		['properties', 'no hint'],
	])(
		'between looking and linking: its version, of %s, is a ghost (with %s), which it removes, and a conflict',
		async (kind, hintState) => {
			const { io, busy, slow, base, faulty, sleep } = await sleeper();
			const until = async (): Promise<void> => {
				await sleep();
				if (hintState === 'no hint') await io.delete(hint);
			};
			faulty.addRule({ operation: 'putIfAbsent', fault: { kind: 'delay', until } });
			const commit = kind === 'a snapshot' ? snapshotCommit(base) : propertyCommit(base, 'ghost', 'yes');
			const outcome = await slow.swap(commit);
			expect(outcome.outcome).toBe('conflict');
			expect(faulty.calls.filter((call) => call.operation === 'putIfAbsent')).toHaveLength(1);
			expect(await io.exists(version(6))).toBe(false);
			expect((await slow.load()).metadataLocation).toBe(version(45));
			expect((await busy.load()).metadata.properties['ghost']).toBeUndefined();
			expect((await slow.swap(snapshotCommit(await slow.load()))).outcome).toBe('committed');
		},
	);

	it('after linking: it was committed, and finds its commit in the history', async () => {
		const { io, busy, slow, base, faulty, sleep } = await sleeper();
		const commit = snapshotCommit(base, 'the-commit');
		faulty.addRule({
			operation: 'exists',
			location: /v5\.metadata/,
			from: 2,
			fault: { kind: 'delay', until: sleep },
		});
		expect((await slow.swap(commit)).outcome).toBe('committed');
		expect(await io.exists(version(6))).toBe(false);
		const now = await busy.load();
		expect(now.metadata.snapshots.map((snapshot) => snapshot.summary?.['datashard.commit-id'])).toEqual(['the-commit']);
		expect(await textOf(io, hint)).toBe(String((now.token as { version: number }).version));
	});

	it('is told by the metadata log of later commits where it added no snapshot', async () => {
		const { io, busy, slow, base, faulty } = await sleeper();
		faulty.addRule({
			operation: 'readAll',
			location: /hint/,
			fault: { kind: 'delay', until: async () => void (await commitProperties(busy, 7, 9)) },
		});
		expect((await slow.swap(propertyCommit(base, 'kept', 'yes'))).outcome).toBe('committed');
		expect((await busy.load()).metadata.properties['kept']).toBe('yes');
		expect(await io.exists(version(6))).toBe(true);
	});

	it('says unknown, and deletes nothing, when the history no longer tells', async () => {
		// Linked, then slept; the log is one entry long and the commit added no snapshot.
		const { io, slow, base, faulty, busy } = await sleeper({ 'write.metadata.previous-versions-max': '1' });
		faulty.addRule({
			operation: 'exists',
			location: /v5\.metadata/,
			from: 2,
			fault: { kind: 'delay', until: async () => void (await commitProperties(busy, 7, 26)) },
		});
		const before = await filesBelow(io, T);
		expect((await slow.swap(propertyCommit(base, 'kept', 'yes'))).outcome).toBe('unknown');
		expect(await io.exists(version(6))).toBe(true);
		expect(before.length).toBeLessThanOrEqual((await filesBelow(io, T)).length);
		expect((await busy.load()).metadata.properties['kept']).toBe('yes');
	});

	it('does not bring back a table that was dropped meanwhile, or disturb one that was made in its place', async () => {
		for (const remake of [false, true]) {
			const io = new MemoryFileIO();
			await newTable(T, io);
			const faulty = new FaultyFileIO(io);
			const slow = new FolderCommitter(faulty, T);
			const first = await slow.swap(snapshotCommit(await slow.load()));
			if (first.outcome !== 'committed') throw new Error(first.outcome);
			await io.write(first.loaded.metadata.snapshots[0]?.manifestList as string, bytesOf('list'));
			faulty.addRule({
				operation: 'putIfAbsent',
				fault: {
					kind: 'delay',
					until: async () => {
						for (const name of await filesBelow(io, T)) await io.delete(`${T}/${name}`);
						if (remake) {
							const { committer } = await newTable(T, io);
							await commitProperties(committer, 2, 50);
							for (let i = 1; i < 30; i++) await io.delete(version(i));
						}
					},
				},
			});
			expect((await slow.swap(snapshotCommit(first.loaded))).outcome).toBe('conflict');
			expect(await io.exists(version(3))).toBe(false);
			if (remake) expect((await slow.load()).metadata.properties['n']).toBe('50');
			else await expect(slow.load()).rejects.toThrow(IcebergError);
		}
	});
});

describe('the outcome of a swap', () => {
	const lost = { kind: 'lose-reply' } as const;
	const failed = { kind: 'fail' } as const;

	async function table(): Promise<{
		io: MemoryFileIO;
		faulty: FaultyFileIO;
		committer: Committer;
		loaded: LoadedMetadata;
	}> {
		const io = new MemoryFileIO();
		await newTable(T, io);
		const faulty = new FaultyFileIO(io);
		const committer = new FolderCommitter(faulty, T);
		return { io, faulty, committer, loaded: await committer.load() };
	}

	it('is committed when the reply of the put is lost', async () => {
		for (const make of [
			(base: LoadedMetadata) => snapshotCommit(base),
			(base: LoadedMetadata) => propertyCommit(base, 'a', 'b'),
		]) {
			const { io, faulty, committer, loaded } = await table();
			faulty.addRule({ operation: 'putIfAbsent', fault: lost });
			expect((await committer.swap(make(loaded))).outcome).toBe('committed');
			expect(await io.exists(version(2))).toBe(true);
			expect(await textOf(io, hint)).toBe('2');
		}
	});

	it('is committed when the put fails once without effect', async () => {
		const { io, faulty, committer, loaded } = await table();
		faulty.addRule({ operation: 'putIfAbsent', fault: failed });
		expect((await committer.swap(snapshotCommit(loaded))).outcome).toBe('committed');
		expect(await io.exists(version(2))).toBe(true);
	});

	it('is committed when the storage meets its own file on trying again', async () => {
		const { io, faulty, committer, loaded } = await table();
		const commit = snapshotCommit(loaded);
		const bytes = await encodeMetadataFile(commit.next, 'none');
		faulty.addRule({
			operation: 'putIfAbsent',
			fault: { kind: 'delay', until: async () => void (await io.putIfAbsent(version(2), bytes)) },
		});
		expect((await committer.swap(commit)).outcome).toBe('committed');
		expect((await filesBelow(io, T)).filter((name) => name.endsWith('.json'))).toHaveLength(2);
	});

	it('is a conflict when the put fails and another version is there', async () => {
		const { io, faulty, committer, loaded } = await table();
		faulty.addRule({
			operation: 'putIfAbsent',
			fault: {
				kind: 'delay',
				until: async () => {
					await new FolderCommitter(io, T).swap(snapshotCommit(loaded));
					throw new IcebergError('STORAGE', 'connection lost');
				},
			},
		});
		expect((await committer.swap(snapshotCommit(loaded))).outcome).toBe('conflict');
	});

	it('is unknown when neither the put nor the look afterwards tells', async () => {
		for (const fault of [lost, failed]) {
			const { io, faulty, committer, loaded } = await table();
			faulty.addRule({ operation: 'putIfAbsent', times: 99, fault });
			faulty.addRule({ operation: 'exists', from: 5, times: 99, fault: failed });
			const before = await filesBelow(io, T);
			expect((await committer.swap(snapshotCommit(loaded))).outcome).toBe('unknown');
			for (const name of before) expect(await io.exists(`${T}/${name}`)).toBe(true);
			expect(faulty.calls.filter((call) => call.operation === 'delete')).toEqual([]);
		}
	});

	it('is unknown when the put never gets through', async () => {
		const { io, faulty, committer, loaded } = await table();
		faulty.addRule({ operation: 'putIfAbsent', times: 99, fault: failed });
		expect((await committer.swap(snapshotCommit(loaded))).outcome).toBe('unknown');
		expect(await io.exists(version(2))).toBe(false);
	});

	it('is unknown when the base cannot be looked up afterwards', async () => {
		const { faulty, committer, loaded } = await table();
		faulty.addRule({ operation: 'exists', location: /v1\./, from: 2, fault: failed });
		expect((await committer.swap(snapshotCommit(loaded))).outcome).toBe('unknown');
	});

	it('is committed when only hint and clean-up fail', async () => {
		const { io, faulty, committer, loaded } = await table();
		faulty.addRule({ operation: 'replace', times: 99, fault: failed });
		const outcome = await committer.swap(snapshotCommit(loaded));
		expect(outcome.outcome).toBe('committed');
		expect(await textOf(io, hint)).toBe('1');
		expect((await new FolderCommitter(io, T).load()).metadataLocation).toBe(version(2));
	});

	it('is a rejection where it is known that nothing was written and trying again is of no use', async () => {
		for (const error of [
			new IcebergError('STORAGE', 'the disk is full', { context: { notWritten: true } }),
			new IcebergError('PERMISSION_DENIED', 'no'),
			new IcebergError('UNSUPPORTED', 'no links', { context: { notWritten: true } }),
		]) {
			const { io, faulty, committer, loaded } = await table();
			faulty.addRule({ operation: 'putIfAbsent', fault: { kind: 'fail', error } });
			await expect(committer.swap(snapshotCommit(loaded))).rejects.toBe(error);
			expect(await io.exists(version(2))).toBe(false);
		}
	});

	it('is a conflict where nothing was written and trying again may help', async () => {
		const { faulty, committer, loaded } = await table();
		const error = new IcebergError('STORAGE', 'too many files', { retryable: true, context: { notWritten: true } });
		faulty.addRule({ operation: 'putIfAbsent', fault: { kind: 'fail', error } });
		expect(await committer.swap(snapshotCommit(loaded))).toEqual({ outcome: 'conflict', cause: error });
	});

	it("gives way to another engine's file under the version's other name", async () => {
		const { io, faulty, committer } = await table();
		const zipped = await committer.swap(
			propertyCommit(await committer.load(), 'write.metadata.compression-codec', 'gzip'),
		);
		if (zipped.outcome !== 'committed') throw new Error(zipped.outcome);
		faulty.addRule({
			operation: 'putIfAbsent',
			fault: { kind: 'delay', until: () => io.write(version(3), bytesOf('theirs')) },
		});
		expect((await committer.swap(snapshotCommit(zipped.loaded))).outcome).toBe('conflict');
		expect((await filesBelow(io, T)).filter((name) => name.includes('v3'))).toEqual(['metadata/v3.metadata.json']);
	});
});

describe('loading', () => {
	it('starts anew when the newest file is deleted before it is read', async () => {
		const io = new MemoryFileIO();
		const { committer } = await newTable(T, io, { 'write.metadata.previous-versions-max': '1' });
		const faulty = new FaultyFileIO(io);
		faulty.addRule({
			operation: 'readAll',
			location: /v1\./,
			fault: { kind: 'delay', until: async () => void (await commitProperties(committer, 2, 40)) },
		});
		expect((await new FolderCommitter(faulty, T).load()).metadata.properties['n']).toBe('40');
	});

	it('gives up in the end, and says that it may be tried again', async () => {
		const io = new MemoryFileIO();
		await newTable(T, io);
		const faulty = new FaultyFileIO(io, [
			{
				operation: 'readAll',
				location: /\.json/,
				times: 999,
				fault: { kind: 'fail', error: new IcebergError('NOT_FOUND', 'gone') },
			},
		]);
		await expect(new FolderCommitter(faulty, T).load()).rejects.toMatchObject({ code: 'STORAGE', retryable: true });
	});

	it('ends when aborted', async () => {
		const { committer } = await newTable(T, new MemoryFileIO());
		await expect(committer.load(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
	});

	it('refuses a token of another catalog', async () => {
		const { committer, loaded } = await newTable(T, new MemoryFileIO());
		await expect(committer.swap(snapshotCommit({ ...loaded, token: 'etag' }))).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
	});
});
