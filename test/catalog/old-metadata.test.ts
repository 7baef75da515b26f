import { describe, expect, it } from 'vitest';
import { FolderCommitter } from '../../src/catalog/folder-committer.ts';
import { MIN_METADATA_WINDOW, YOUNG_LIMIT, YOUNG_MS } from '../../src/catalog/old-metadata.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import type { Committer, LoadedMetadata } from '../../src/transaction/committer.ts';
import { commitProperties, filesBelow, newTable, propertyCommit } from './support.ts';

const T = 'memory:/t';
const version = (n: number): string => `${T}/metadata/v${n}.metadata.json`;

async function versionsIn(io: FileIO): Promise<number[]> {
	const names = (await filesBelow(io, T)).flatMap((name) => /^metadata\/v(\d+)\.metadata\.json$/.exec(name)?.[1] ?? []);
	return names.map(Number).sort((a, b) => a - b);
}

describe('old metadata files', () => {
	it('are deleted oldest first, a window of them is kept, and the newest never goes', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const { committer } = await newTable(T, io, { 'write.metadata.previous-versions-max': '25' });
		await commitProperties(committer, 2, 60);
		const versions = (await filesBelow(io, T)).filter((name) => name.endsWith('.json'));
		expect(versions).toHaveLength(26);
		expect(await io.exists(version(35))).toBe(true);
		expect(await io.exists(version(34))).toBe(false);
		const deleted = io.calls.filter((call) => call.operation === 'delete').map((call) => call.location);
		expect(deleted).toEqual(Array.from({ length: 34 }, (_, i) => version(i + 1)));
		expect((await committer.load()).metadata.metadataLog).toHaveLength(25);
	});

	it('keep their least window whatever the property says', async () => {
		const io = new MemoryFileIO();
		const { committer } = await newTable(T, io, { 'write.metadata.previous-versions-max': '1' });
		await commitProperties(committer, 2, 50);
		expect((await filesBelow(io, T)).filter((name) => name.endsWith('.json'))).toHaveLength(MIN_METADATA_WINDOW + 1);
	});

	it('stay when the table says so, and a backlog goes bit by bit behind the commits', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const { committer } = await newTable(T, io, {
			'write.metadata.delete-after-commit.enabled': 'false',
			'write.metadata.previous-versions-max': '20',
		});
		let loaded = await commitProperties(committer, 2, 100);
		expect(await versionsIn(io)).toHaveLength(100);
		let isReleased: () => void = () => {};
		const released = new Promise<void>((resolve) => {
			isReleased = resolve;
		});
		io.addRule({ operation: 'delete', fault: { kind: 'delay', until: () => released } });
		for (let i = 0; i < 4; i++) {
			// A deletion that takes long holds up no commit, and no second one is begun beside it.
			const outcome = await committer.swap(
				propertyCommit(loaded, 'write.metadata.delete-after-commit.enabled', 'true'),
			);
			if (outcome.outcome !== 'committed') throw new Error(outcome.outcome);
			loaded = outcome.loaded;
		}
		expect(await versionsIn(io)).toHaveLength(104);
		isReleased();
		await committer.tidy?.();
		expect(await versionsIn(io)).toEqual(Array.from({ length: 21 }, (_, i) => 84 + i));
		const deleted = io.calls.filter((call) => call.operation === 'delete').map((call) => call.location);
		expect(deleted).toEqual(Array.from({ length: 83 }, (_, i) => version(i + 1)));
	});

	it('that cannot be deleted do not disturb a commit', async () => {
		const io = new FaultyFileIO(new MemoryFileIO());
		const { committer } = await newTable(T, io, { 'write.metadata.previous-versions-max': '1' });
		io.addRule({ operation: 'delete', times: 1000, fault: { kind: 'fail' } });
		await commitProperties(committer, 2, 40);
		io.clearRules();
		await commitProperties(committer, 41, 42);
		expect((await filesBelow(io, T)).filter((name) => name.endsWith('.json'))).toHaveLength(MIN_METADATA_WINDOW + 1);
	});

	/** Commits with a time between them. */
	async function commitEvery(
		committer: Committer,
		ms: number,
		count: number,
		startMs: number,
	): Promise<LoadedMetadata> {
		let loaded = await committer.load();
		for (let i = 0; i < count; i++) {
			const outcome = await committer.swap(propertyCommit(loaded, 'n', String(i), startMs + i * ms));
			if (outcome.outcome !== 'committed') throw new Error(outcome.outcome);
			loaded = outcome.loaded;
			await new Promise((resolve) => setImmediate(resolve));
		}
		return loaded;
	}

	it('stay for some seconds where their number is not set, and then no more than the log names', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io);
		const startMs = loaded.metadata.lastUpdatedMs + 1;
		await commitEvery(committer, 20, 900, startMs);
		const busy = await versionsIn(io);
		expect(busy.at(-1)).toBe(901);
		expect(busy).toEqual(busy.map((_, i) => (busy[0] as number) + i));
		// Those that were overtaken a moment ago, and some that wait to be deleted together.
		expect(busy.length).toBeGreaterThan(YOUNG_MS / 20);
		expect(busy.length).toBeLessThan(YOUNG_MS / 20 + 50);
		// A reader of before needs its version, and those after it, to find the newest.
		const other = new FolderCommitter(io, T);
		expect((await other.load()).metadataLocation).toBe(version(901));
		await committer.tidy?.();
		const { metadata } = await committer.load();
		expect(metadata.metadataLog.length).toBeGreaterThanOrEqual(MIN_METADATA_WINDOW);
		expect(await versionsIn(io)).toHaveLength(metadata.metadataLog.length + 1);
	});

	it('are bounded in number however quickly commits come', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io);
		await commitEvery(committer, 0, YOUNG_LIMIT + 200, loaded.metadata.lastUpdatedMs + 1);
		const busy = await versionsIn(io);
		expect(busy.length).toBeGreaterThanOrEqual(YOUNG_LIMIT);
		expect(busy.length).toBeLessThan(YOUNG_LIMIT + 50);
	});

	it('of a slow table are those in its log, by another writer each time', async () => {
		const io = new MemoryFileIO();
		const { loaded } = await newTable(T, io);
		const startMs = loaded.metadata.lastUpdatedMs + 1;
		for (let i = 0; i < 200; i++) {
			const committer = new FolderCommitter(io, T);
			await commitEvery(committer, 0, 1, startMs + i * 60_000);
		}
		const left = await versionsIn(io);
		const { metadata } = await new FolderCommitter(io, T).load();
		expect(metadata.metadataLog).toHaveLength(100);
		expect(left).toEqual(Array.from({ length: 101 }, (_, i) => 101 + i));
	});

	it('stay young when a writer ends that was overtaken: others go on', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable(T, io);
		await commitEvery(committer, 1, 300, loaded.metadata.lastUpdatedMs + 1);
		const other = new FolderCommitter(io, T);
		await commitEvery(other, 1, 1, loaded.metadata.lastUpdatedMs + 400);
		await committer.tidy?.();
		expect(await versionsIn(io)).toHaveLength(302);
	});
});
