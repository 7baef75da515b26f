import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync, mkdirSync, existsSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
	compact,
	createTable,
	expireSnapshots,
	loadTable,
	MemoryFileIO,
	removeOrphans,
	rewriteManifests,
	vacuum,
} from '../../src/index.ts';
import { FileKeys } from '../../src/maintenance/file-key.ts';
import type { ProcessIdentity } from '../../src/util/process-identity.ts';
import { systemProcesses } from '../../src/util/system-processes.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { checkAllSnapshots, DAY, fill, filesOf, idsOf, newTable, open, range, runs, T, TestClock } from './support.ts';

const scratch = mkdtempSync(join(tmpdir(), 'datashard-orphans-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const bytes = new TextEncoder().encode('PAR1');

describe('removeOrphans', () => {
	it('deletes what nothing refers to, with a reason for each, and leaves the rest', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock, { partitionBy: ['region'] });
		await fill(table, clock, range(0, 3));
		const orphans = [
			'data/region=x/dead.parquet',
			'metadata/snap-1-1-dead.avro',
			'metadata/dead-m0.avro',
			'metadata/.datashard-0123456789abcdef.tmp',
		];
		const others = [
			'notes.txt',
			'data/_hidden/x.parquet',
			'data/.hidden.parquet',
			'data/readme.md',
			'_journal/1',
			'other/x.parquet',
			'data/sub/metadata/v1.metadata.json',
			'data/sub/data/x.parquet',
		];
		for (const name of [...orphans, ...others]) await io.write(`${T}/${name}`, bytes);
		const before = await filesOf(io);
		expect(await removeOrphans(table)).toMatchObject({ fileCount: 0 });
		clock.pass(3 * DAY);
		await io.write(`${T}/data/young.parquet`, bytes);
		const dry = await removeOrphans(table, { dryRun: true });
		expect(await filesOf(io)).toEqual([...before, `${T}/data/young.parquet`].sort());
		const result = await removeOrphans(table);
		expect({ ...dry, dryRun: false }).toEqual(result);
		expect(result.files.map((file) => file.location).sort()).toEqual(orphans.map((name) => `${T}/${name}`).sort());
		expect(result.files.map((file) => `${file.kind}: ${file.reason}`).sort()[0]).toBe(
			'data: nothing in the table refers to it; last changed 3 days ago',
		);
		expect(result.sizeBytes).toBe(16);
		expect(result.kept.map((file) => file.location.slice(T.length + 1)).sort()).toEqual([
			'data/readme.md',
			'data/sub/data/x.parquet',
			'data/sub/metadata/v1.metadata.json',
		]);
		expect(await idsOf(table)).toEqual([0, 1, 2]);
		await checkAllSnapshots(io, clock);
	});

	it('recognises temporary files of dead writers soon', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock);
		await io.write(`${T}/metadata/.datashard-0123456789abcdef.tmp`, bytes);
		clock.pass(899_999);
		expect((await removeOrphans(table)).fileCount).toBe(0);
		clock.pass(1);
		expect((await removeOrphans(table)).files).toMatchObject([{ kind: 'temporary' }]);
	});

	it('deletes what writers left that are gone, at once', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 3));
		const uuid = 'f79c3e09-677c-4bbd-a479-3f349cb785e7';
		const gone = '00000001-1-a';
		const alive = '00000001-2-a';
		const left = (writer: string): string[] => [
			`data/00000-0-${uuid}-${writer}-00001.parquet`,
			`metadata/${uuid}-${writer}-m0.avro`,
			`metadata/snap-17-1-${uuid}-${writer}.avro`,
			`metadata/.datashard-${writer}-0123456789abcdef.tmp`,
		];
		const orphans = left(gone);
		const write = async (name: string): Promise<void> => io.write(`${T}/${name}`, bytes);
		await write(`data/00000-0-${uuid}-${gone}-00002.parquet`);
		clock.pass(60_000);
		await expireSnapshots(table, { retainLast: 1, olderThanMs: 0, metadataOnly: true });
		for (const name of [...orphans, ...left(alive), ...left('00000002-1-a')]) await write(name);
		const processes = {
			self: systemProcesses.self,
			isGone: ({ host, pid }: ProcessIdentity) => (host === '00000001' ? pid === 1 : undefined),
		};
		// A journal of its own, or of who knows whom, may still hand over what it wrote.
		for (const journal of [`_journal/${gone}-1.log`, `_journal/${uuid}.log`]) {
			await write(journal);
			expect((await removeOrphans(table, { processes })).fileCount).toBe(0);
			await io.delete(`${T}/${journal}`);
		}
		await write(`_journal/${alive}-${uuid}.log`);
		const { files } = await removeOrphans(table, { processes });
		expect(files.map((file) => file.location.slice(T.length + 1)).sort()).toEqual(
			[...orphans, `data/00000-0-${uuid}-${gone}-00002.parquet`].sort(),
		);
		expect(await idsOf(table)).toEqual([0, 1, 2]);
		await checkAllSnapshots(io, clock);
	});

	it('waits for the age of what the log of metadata does not reach back to', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock, { properties: { 'write.metadata.previous-versions-max': '1' } });
		const name = `${T}/data/00000-0-f79c3e09-677c-4bbd-a479-3f349cb785e7-00000001-1-a-00001.parquet`;
		await io.write(name, bytes);
		await fill(table, clock, range(0, 3));
		const processes = { self: systemProcesses.self, isGone: () => true };
		expect((await removeOrphans(table, { processes })).files).toEqual([]);
		clock.pass(3 * DAY);
		expect((await removeOrphans(table, { processes })).files).toMatchObject([{ location: name }]);
	});

	it('spares what was let go of within the grace period, and what a retained log names', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 6));
		await compact(table);
		clock.pass(10 * DAY);
		await expireSnapshots(table, { metadataOnly: true });
		expect((await removeOrphans(table)).fileCount).toBe(0);
		clock.pass(3_600_000);
		const { files } = await removeOrphans(table);
		expect(files.filter((file) => file.kind === 'data')).toHaveLength(6);
		expect(files.filter((file) => file.kind === 'metadata')).toHaveLength(0);
		await checkAllSnapshots(io, clock);
	});

	it('goes on where snapshots were let go, and their files deleted, a moment ago', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 6));
		await compact(table);
		expect((await expireSnapshots(table, { olderThanMs: 0, graceMs: 0 })).fileCount).toBeGreaterThan(12);
		expect(await removeOrphans(table, { olderThanMs: 0, force: true })).toMatchObject({ fileCount: 0, keptCount: 0 });
		expect((await expireSnapshots(table, { olderThanMs: 0 })).fileCount).toBe(0);
		await checkAllSnapshots(io, clock);
	});

	it('deletes old metadata files beyond the window, oldest first', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock, { properties: { 'write.metadata.delete-after-commit.enabled': 'false' } });
		for (let i = 0; i < 110; i++) await table.setProperties({ i: String(i) });
		clock.pass(4 * DAY);
		const { files } = await removeOrphans(table);
		expect(files.map((file) => file.location.slice(T.length + 10))).toEqual(
			range(1, 11).map((version) => `v${version}.metadata.json`),
		);
		expect((await open(io, clock)).properties['i']).toBe('109');
	});

	it('refuses ages that are not safe, shared files, moved tables, and catalogs that it does not know', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock);
		await fill(table, clock, [1]);
		await expect(removeOrphans(table, { olderThanMs: DAY - 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await io.write(`${T}/data/x.parquet`, bytes);
		expect((await removeOrphans(table, { olderThanMs: 0, force: true })).fileCount).toBe(1);
		await io.write(`${T}/metadata/00003-11111111-2222-3333-4444-555555555555.metadata.json`, bytes);
		await expect(removeOrphans(table)).rejects.toMatchObject({
			code: 'VALIDATION_FAILED',
			message: expect.stringContaining('catalog'),
		});
		await table.setProperties({ 'gc.enabled': 'false' });
		await expect(removeOrphans(table)).rejects.toMatchObject({
			code: 'VALIDATION_FAILED',
			message: expect.stringContaining('gc.enabled'),
		});
		await expect(vacuum(table)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
	});

	it('deletes nothing when what is in use cannot be read', async () => {
		const clock = new TestClock();
		const io = new MemoryFileIO({ clock });
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 3));
		await io.write(`${T}/data/x.parquet`, bytes);
		clock.pass(4 * DAY);
		const [manifest] = await table.manifests();
		await io.replace(manifest?.location as string, bytes);
		const before = await filesOf(io);
		await expect(removeOrphans(table)).rejects.toMatchObject({ code: 'CORRUPT' });
		expect(await filesOf(io)).toEqual(before);
	});

	it('never deletes what is committed while it looks', async () => {
		let interleavings = 0;
		for (let n = 1; ; n += 2) {
			const clock = new TestClock();
			const inner = new MemoryFileIO({ clock });
			const writer = await newTable(inner, clock);
			await fill(writer, clock, [0, 1]);
			await inner.write(`${T}/data/x.parquet`, bytes);
			const io = new FaultyFileIO(inner);
			const table = await open(io, clock);
			clock.pass(4 * DAY);
			let appended = false;
			const until = async (): Promise<void> => {
				appended = true;
				await fill(writer, clock, [2]);
				await compact(writer, { minInputFiles: 2 });
			};
			io.addRule({ from: n, fault: { kind: 'delay', until } });
			const result = await removeOrphans(table);
			if (!appended) break;
			interleavings++;
			expect(result.fileCount).toBe(1);
			expect(await idsOf(await open(inner, clock))).toEqual([0, 1, 2]);
			await checkAllSnapshots(inner, clock);
		}
		expect(interleavings).toBeGreaterThan(6);
	});

	it('knows a file by every spelling of its place', async () => {
		const place = join(scratch, 'real');
		mkdirSync(place);
		symlinkSync(place, join(scratch, 'link'));
		const keys = new FileKeys();
		const same = ['/link/a b.parquet', '/real/a b.parquet', '/real//a b.parquet'].map((name) => scratch + name);
		const all = [...same, `file:${same[1]}`, `file://${same[0]}`].map((location) => keys.of(location)[0]);
		expect(new Set(all).size).toBe(1);
		expect(keys.of(`file://${scratch}/real/a%20b.parquet`)).toContain(all[0]);
		expect(keys.of('s3a://b/k')).toEqual(keys.of('s3://b/k'));
		expect(keys.isBelow(`${scratch}/link/x/y`, `${scratch}/real`)).toBe(true);
		expect(keys.isBelow(`${scratch}/really/x`, `${scratch}/real`)).toBe(false);
	});

	it('works on a file system, through a link, and refuses a copied table', async () => {
		const place = join(scratch, 'table');
		const made = await createTable(place, runs);
		for (const id of range(0, 6)) await made.append([{ id: BigInt(id), region: 'x' }]);
		await made.close();
		symlinkSync(place, join(scratch, 'alias'));
		const dead = join(place, 'data', 'dead.parquet');
		writeFileSync(dead, 'PAR1');
		for (const file of [dead]) utimesSync(file, 1, 1);
		await using table = await loadTable(join(scratch, 'alias'));
		const result = await removeOrphans(table, { olderThanMs: 0, force: true });
		expect(result.files.map((file) => file.location)).toEqual([expect.stringContaining('dead.parquet')]);
		expect(existsSync(dead)).toBe(false);
		expect(
			await vacuum(table, { graceMs: 0, expire: { olderThanMs: 0 }, orphans: { olderThanMs: 0, force: true } }),
		).toMatchObject({
			compact: { rewrittenFileCount: 6 },
			deletedFileCount: expect.any(Number),
		});
		expect(await table.scan().count()).toBe(6);
		cpSync(place, join(scratch, 'copy'), { recursive: true });
		await using copy = await loadTable(join(scratch, 'copy'));
		await expect(removeOrphans(copy, { olderThanMs: 0, force: true })).rejects.toMatchObject({
			code: 'VALIDATION_FAILED',
		});
		await expect(expireSnapshots(copy, { olderThanMs: 0, dryRun: true })).rejects.toMatchObject({
			code: 'VALIDATION_FAILED',
		});
	});
});

describe('rewriteManifests', () => {
	it.each([1, 2, 3] as const)(
		'puts entries in order of partition into few manifests and changes none, in v%i',
		async (formatVersion) => {
			const clock = new TestClock();
			const io = new MemoryFileIO({ clock });
			const table = await newTable(io, clock, { formatVersion, partitionBy: ['region'] });
			for (const [i, region] of ['c', 'a', 'b', 'a', 'c', 'b'].entries()) await fill(table, clock, [i], region);
			const facts = async () => {
				const all = await Promise.all((await table.manifests()).map((manifest) => table.manifestEntries(manifest)));
				return all
					.flat()
					.map(({ snapshotId, sequenceNumber, fileSequenceNumber, file }) =>
						[file.location, snapshotId, sequenceNumber, fileSequenceNumber, file.firstRowId, file.recordCount].join(),
					)
					.sort();
			};
			const before = await facts();
			const result = await rewriteManifests(table);
			expect(result).toMatchObject({
				committed: true,
				rewrittenManifestCount: 6,
				addedManifestCount: 1,
				entryCount: 6,
			});
			expect(result.snapshot?.summary).toMatchObject({
				operation: 'replace',
				'entries-processed': '6',
				'total-records': '6',
			});
			const [manifest] = await table.manifests();
			expect(manifest).toMatchObject({ existingFilesCount: 6, addedFilesCount: 0, deletedFilesCount: 0 });
			expect((await table.manifestEntries(manifest as never)).map((entry) => entry.file.partition[0])).toEqual([
				'a',
				'a',
				'b',
				'b',
				'c',
				'c',
			]);
			expect(await facts()).toEqual(before);
			expect(await idsOf(table)).toEqual(range(0, 6));
			await checkAllSnapshots(io, clock);
			expect((await rewriteManifests(table)).committed).toBe(false);
			expect((await rewriteManifests(table, { force: true, targetSizeBytes: 1 })).addedManifestCount).toBe(6);
		},
	);

	it('gives way to appends that come at any moment', async () => {
		for (let n = 1; ; n += 2) {
			const inner = new MemoryFileIO();
			const clock = new TestClock();
			const writer = await newTable(inner, clock, { formatVersion: 3 });
			await fill(writer, clock, range(0, 4));
			const io = new FaultyFileIO(inner);
			const table = await open(io, clock);
			let appended = false;
			const until = async (): Promise<void> => {
				appended = true;
				await fill(writer, clock, [4]);
				await compact(writer, { minInputFiles: n % 3 === 0 ? 2 : 100 });
			};
			io.addRule({ from: n, fault: { kind: 'delay', until } });
			await rewriteManifests(table);
			if (!appended) break;
			expect(await idsOf(await open(inner, clock))).toEqual(range(0, 5));
			await checkAllSnapshots(inner, clock);
		}
	});
});
