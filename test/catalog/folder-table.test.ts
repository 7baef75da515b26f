import { execFileSync } from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dropFolderTable } from '../../src/catalog/drop-folder-table.ts';
import {
	createFolderTable,
	isMetadataFileLocation,
	openFolderTable,
	openMetadataFile,
} from '../../src/catalog/folder-table.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { UNPARTITIONED } from '../../src/spec/partition-spec.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import { FaultyFileIO, SimulatedCrash } from '../../src/testing/faulty-file-io.ts';
import { bytesOf, filesBelow, newTable, propertyCommit, schema, snapshotCommit } from './support.ts';

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'datashard-table-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const definition = {
	schema,
	partitionSpec: UNPARTITIONED,
	sortOrder: UNSORTED,
	properties: {},
	formatVersion: 2,
} as const;
const entries = (below: string): string[] => readdirSync(below, { recursive: true }).map(String).sort();
const metadataFile = (table: string, version = 1): string => join(table, `metadata/v${version}.metadata.json`);

describe('creating a table', () => {
	it('makes the folder, one metadata file and the hint, and nothing else', async () => {
		const table = join(folder, 'a/b/runs');
		const { loaded } = await createFolderTable(table, definition);
		expect(entries(table)).toEqual(['metadata', 'metadata/v1.metadata.json', 'metadata/version-hint.text']);
		const json = JSON.parse(readFileSync(metadataFile(table), 'utf8'));
		expect(json).toMatchObject({
			'format-version': 2,
			location: table,
			'table-uuid': loaded.metadata.tableUuid,
			properties: { 'write.metadata.delete-after-commit.enabled': 'true' },
		});
	});

	it('refuses a folder that holds a table, of whatever kind, and leaves it alone', async () => {
		const table = join(folder, 't');
		await createFolderTable(table, definition);
		const before = readFileSync(metadataFile(table));
		await expect(createFolderTable(table, definition)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
		await expect(createFolderTable(`${table}/`, definition)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
		expect(readFileSync(metadataFile(table))).toEqual(before);
		const catalogTable = join(folder, 'catalog');
		mkdirSync(join(catalogTable, 'metadata'), { recursive: true });
		writeFileSync(join(catalogTable, 'metadata/00000-5e2c.metadata.json'), before);
		await expect(createFolderTable(catalogTable, definition)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
		expect(entries(catalogTable)).toHaveLength(2);
	});

	it('takes a folder with other files in it, and a stale hint', async () => {
		const table = join(folder, 't');
		mkdirSync(join(table, 'metadata'), { recursive: true });
		writeFileSync(join(table, 'notes.txt'), 'mine');
		writeFileSync(join(table, 'metadata/version-hint.text'), '57');
		await createFolderTable(table, definition);
		expect(readFileSync(join(table, 'metadata/version-hint.text'), 'utf8')).toBe('1');
		expect((await openFolderTable(table)).loaded.metadataLocation).toBe(metadataFile(table));
		expect(readFileSync(join(table, 'notes.txt'), 'utf8')).toBe('mine');
	});

	it('lets exactly one of several creators win, and leaves nothing of the others', async () => {
		for (let round = 0; round < 5; round++) {
			const table = join(folder, `race-${round}`);
			const results = await Promise.allSettled(Array.from({ length: 8 }, () => createFolderTable(table, definition)));
			const winners = results.filter((result) => result.status === 'fulfilled');
			expect(winners).toHaveLength(1);
			for (const result of results)
				if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ALREADY_EXISTS' });
			const uuid = winners[0]?.value.loaded.metadata.tableUuid;
			expect((await openFolderTable(table)).loaded.metadata.tableUuid).toBe(uuid);
			expect(entries(table)).toEqual(['metadata', 'metadata/v1.metadata.json', 'metadata/version-hint.text']);
		}
	});

	it('does not take the place of a table that was made and went far while it slept', async () => {
		const io = new MemoryFileIO();
		const faulty = new FaultyFileIO(io, [
			{
				operation: 'putIfAbsent',
				fault: {
					kind: 'delay',
					until: async () => {
						const { committer } = await newTable('memory:/t', io);
						const second = await committer.swap(propertyCommit(await committer.load(), 'a', 'b'));
						if (second.outcome !== 'committed') throw new Error(second.outcome);
						await io.delete('memory:/t/metadata/v1.metadata.json');
					},
				},
			},
		]);
		await expect(newTable('memory:/t', faulty)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
		expect(await filesBelow(io, 'memory:/t')).toEqual(['metadata/v2.metadata.json', 'metadata/version-hint.text']);
	});

	it('says that it does not know when the storage does not tell', async () => {
		const io = new FaultyFileIO(new MemoryFileIO(), [{ operation: 'putIfAbsent', times: 99, fault: { kind: 'fail' } }]);
		await expect(newTable('memory:/t', io)).rejects.toMatchObject({ code: 'COMMIT_STATE_UNKNOWN' });
	});

	it('refuses nonsense properties, naming property and value, and writes nothing', async () => {
		for (const [name, value] of [
			['commit.retry.num-retries', 'many'],
			['write.metadata.previous-versions-max', '0'],
			['write.metadata.compression-codec', 'lzma'],
			['commit.manifest-merge.enabled', 'yes'],
			['commit.manifest.target-size-bytes', '-1'],
			['format-version', '3'],
		] as const) {
			const creating = createFolderTable(join(folder, 't'), { ...definition, properties: { [name]: value } });
			const error = await creating.catch((e) => e);
			expect(error, name).toMatchObject({ code: 'INVALID_ARGUMENT', context: { property: name } });
			expect(error.message).toContain(name);
			if (name !== 'format-version') expect(error.message).toContain(`'${value}'`);
		}
		expect(existsSync(join(folder, 't'))).toBe(false);
	});

	it('refuses a place that is a file or lies below one', async () => {
		writeFileSync(join(folder, 'file'), '');
		for (const place of ['file', 'file/below'])
			await expect(createFolderTable(join(folder, place), definition)).rejects.toMatchObject({
				code: 'INVALID_ARGUMENT',
			});
	});
});

describe('opening a folder', () => {
	it('tells a folder that is missing from one without a table', async () => {
		await expect(openFolderTable(join(folder, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
		await expect(openFolderTable(folder)).rejects.toMatchObject({ code: 'NOT_A_TABLE' });
		mkdirSync(join(folder, 'metadata'));
		writeFileSync(join(folder, 'metadata/other.json'), '{}');
		await expect(openFolderTable(folder)).rejects.toMatchObject({ code: 'NOT_A_TABLE' });
		writeFileSync(join(folder, 'metadata/version-hint.text'), '3');
		await expect(openFolderTable(folder)).rejects.toMatchObject({ code: 'CORRUPT' });
		expect(entries(folder)).toEqual(['metadata', 'metadata/other.json', 'metadata/version-hint.text']);
	});

	it("refuses a catalog's table, and names a metadata file that can be opened instead", async () => {
		const table = join(folder, 't');
		await createFolderTable(table, definition);
		const text = readFileSync(metadataFile(table));
		rmSync(join(table, 'metadata'), { recursive: true });
		mkdirSync(join(table, 'metadata'));
		const names = ['00000-a.metadata.json', '00001-b.gz.metadata.json'];
		writeFileSync(join(table, 'metadata', names[0] as string), text);
		writeFileSync(join(table, 'metadata', names[1] as string), gzipSync(text));
		const error = await openFolderTable(table).catch((e) => e);
		const newest = join(table, 'metadata', names[1] as string);
		expect(error).toMatchObject({ code: 'NOT_A_TABLE', context: { newestMetadataLocation: newest } });
		const opened = await openMetadataFile(newest);
		expect(opened.loaded.metadata.location).toBe(table);
		await expect(opened.committer.swap(propertyCommit(opened.loaded, 'a', 'b'))).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringContaining('read only'),
		});
		expect(await opened.committer.load()).toBe(opened.loaded);
		await expect(opened.io.write(join(table, 'x'), bytesOf('x'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('knows metadata files by their names', () => {
		for (const name of ['/t/metadata/v3.metadata.json', 's3://b/00001-x.gz.metadata.json', 'v1.metadata.json.gz'])
			expect(isMetadataFileLocation(name), name).toBe(true);
		for (const name of ['/t', '/t/metadata', '/t/metadata.json', '/t.json'])
			expect(isMetadataFileLocation(name), name).toBe(false);
	});

	it('refuses a newer format version, naming it', async () => {
		const table = join(folder, 't');
		await createFolderTable(table, definition);
		const text = readFileSync(metadataFile(table), 'utf8').replace('"format-version":2', '"format-version":5');
		writeFileSync(metadataFile(table), text);
		await expect(openFolderTable(table)).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringMatching(/v1\.metadata\.json.*5/),
		});
	});

	it('says CORRUPT, naming the file, wherever the metadata are cut off', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable('memory:/t', io);
		const outcome = await committer.swap(snapshotCommit(loaded));
		if (outcome.outcome !== 'committed') throw new Error(outcome.outcome);
		const location = outcome.loaded.metadataLocation;
		const bytes = await io.input(location).readAll();
		for (const whole of [bytes, new Uint8Array(gzipSync(bytes))]) {
			for (let length = 0; length < whole.length; length++) {
				await io.write(location, whole.subarray(0, length), { overwrite: true });
				const error = await openFolderTable('memory:/t', { io }).catch((e) => e);
				expect(error.code, `${length} of ${whole.length} bytes: ${error}`).toBe('CORRUPT');
				expect(error.message).toContain('v2.metadata.json');
			}
			await io.write(location, whole, { overwrite: true });
			expect((await openFolderTable('memory:/t', { io })).loaded.metadata).toEqual(outcome.loaded.metadata);
		}
	});

	it('never takes flipped bits of metadata for anything but metadata or an error', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await newTable('memory:/t', io);
		const outcome = await committer.swap(snapshotCommit(loaded));
		if (outcome.outcome !== 'committed') throw new Error(outcome.outcome);
		const location = outcome.loaded.metadataLocation;
		const bytes = new Uint8Array(await io.input(location).readAll());
		const codes = new Set<string>();
		for (let bit = 0; bit < bytes.length * 8; bit += 3) {
			const at = bit >> 3;
			bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
			await io.write(location, bytes, { overwrite: true });
			try {
				await openFolderTable('memory:/t', { io });
			} catch (error) {
				codes.add((error as { code: string }).code);
			}
			bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
		}
		expect(
			[...codes].every((code) => ['CORRUPT', 'UNSUPPORTED'].includes(code)),
			[...codes].join(),
		).toBe(true);
		expect(codes.has('CORRUPT')).toBe(true);
	});

	it('does not inflate a bomb', async () => {
		const table = join(folder, 't');
		await createFolderTable(table, definition);
		const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024));
		writeFileSync(metadataFile(table), Buffer.concat(Array.from({ length: 12 }, () => zeros)));
		await expect(openFolderTable(table)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
	});

	it('allows writing to its own folder, and to the one that its properties name, only', async () => {
		const table = join(folder, 't');
		const data = join(folder, 'data-elsewhere');
		await createFolderTable(table, { ...definition, properties: { 'write.data.path': data } });
		const { io } = await openFolderTable(table);
		await io.write(join(data, 'x'), bytesOf('x'));
		await io.write(join(table, 'data/x'), bytesOf('x'));
		await expect(io.write(join(folder, 'x'), bytesOf('x'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('opens a table whose properties name places that are not local', async () => {
		const table = join(folder, 't');
		const { committer, loaded } = await createFolderTable(table, definition);
		await committer.swap(propertyCommit(loaded, 'write.data.path', 's3://bucket/data'));
		const { io } = await openFolderTable(table);
		await io.write(join(table, 'data/x'), bytesOf('x'));
		await expect(io.write('s3://bucket/data/x', bytesOf('x'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('commits through a symbolic link to its folder', async () => {
		const table = join(folder, 't');
		await createFolderTable(table, definition);
		symlinkSync(table, join(folder, 'alias'));
		const { committer, loaded } = await openFolderTable(join(folder, 'alias'));
		expect((await committer.swap(propertyCommit(loaded, 'a', 'b'))).outcome).toBe('committed');
		expect((await openFolderTable(table)).loaded.metadata.properties['a']).toBe('b');
	});

	it('refuses a folder that was copied', async () => {
		const table = join(folder, 't');
		await createFolderTable(table, definition);
		execFileSync('cp', ['-r', table, join(folder, 'copy')]);
		const { committer, loaded } = await openFolderTable(join(folder, 'copy'));
		await expect(committer.swap(propertyCommit(loaded, 'a', 'b'))).rejects.toThrow(/moved or copied/);
	});
});

describe('dropping a table', () => {
	const UUID = 'f79c3e09-677c-4bbd-a479-3f349cb785e7';

	async function filled(io: MemoryFileIO, location = 'memory:/t'): Promise<void> {
		const { committer } = await newTable(location, io);
		for (let i = 0; i < 3; i++) {
			const commit = snapshotCommit(await committer.load());
			expect((await committer.swap(commit)).outcome).toBe('committed');
			await io.write(commit.next.snapshots.at(-1)?.manifestList as string, bytesOf('list'));
		}
		for (const name of [`data/a-${UUID}.parquet`, `data/p=1/b-${UUID}.parquet`, 'metadata/m0.avro', '_journal/x'])
			await io.write(`${location}/${name}`, bytesOf(name));
	}

	it('deletes what is the table’s, tells what it left alone, and touches nothing outside', async () => {
		const table = join(folder, 't');
		const { committer, loaded, io } = await createFolderTable(table, definition);
		await committer.swap(propertyCommit(loaded, 'a', 'b'));
		await io.write(join(table, `data/00000-0-${UUID}-00001.parquet`), bytesOf('x'));
		writeFileSync(join(table, 'notes.txt'), 'mine');
		mkdirSync(join(folder, 'outside'));
		writeFileSync(join(folder, 'outside/f'), 'mine');
		symlinkSync(join(folder, 'outside'), join(table, 'data/link'));
		const result = await dropFolderTable(table);
		expect(result).toEqual({ deletedFileCount: 4, keptFiles: [join(table, 'notes.txt')], keptFileCount: 1 });
		expect(entries(table).filter((name) => !name.startsWith('data/link/'))).toEqual(['data', 'data/link', 'notes.txt']);
		expect(entries(folder)).toContain('outside/f');
		await expect(openFolderTable(table)).rejects.toMatchObject({ code: 'NOT_A_TABLE' });
	});

	it('leaves alone what people had put into a folder of the name that data files have', async () => {
		mkdirSync(join(folder, 'data/raw'), { recursive: true });
		for (const name of ['data/precious.csv', 'data/raw/precious.parquet']) writeFileSync(join(folder, name), 'mine');
		await createFolderTable(folder, definition);
		const result = await dropFolderTable(folder);
		expect(result).toMatchObject({ deletedFileCount: 2, keptFileCount: 2 });
		expect(entries(folder)).toEqual(['data', 'data/precious.csv', 'data/raw', 'data/raw/precious.parquet']);
	});

	it('drops through a symbolic link to the folder, which stays and can be used again', async () => {
		mkdirSync(join(folder, 'real'));
		const link = join(folder, 'link');
		symlinkSync(join(folder, 'real'), link);
		await createFolderTable(link, definition);
		expect(await dropFolderTable(link)).toEqual({ deletedFileCount: 2, keptFiles: [], keptFileCount: 0 });
		expect(entries(join(folder, 'real'))).toEqual([]);
		await createFolderTable(link, definition);
		expect(existsSync(join(folder, 'real/metadata/v1.metadata.json'))).toBe(true);
	});

	it('leaves no folder when nothing else was in it', async () => {
		const table = join(folder, 't');
		await createFolderTable(table, definition);
		expect(await dropFolderTable(`${table}/`)).toEqual({ deletedFileCount: 2, keptFiles: [], keptFileCount: 0 });
		expect(existsSync(table)).toBe(false);
		expect(existsSync(folder)).toBe(true);
	});

	it('refuses what is no table, and deletes nothing', async () => {
		writeFileSync(join(folder, 'precious'), 'x');
		mkdirSync(join(folder, 'data'));
		writeFileSync(join(folder, 'data/precious'), 'x');
		await expect(dropFolderTable(folder)).rejects.toMatchObject({ code: 'NOT_A_TABLE' });
		await expect(dropFolderTable(join(folder, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
		mkdirSync(join(folder, 'metadata'));
		writeFileSync(join(folder, 'metadata/v1.metadata.json'), '{');
		await expect(dropFolderTable(folder)).rejects.toMatchObject({ code: 'CORRUPT' });
		expect(entries(folder)).toEqual(['data', 'data/precious', 'metadata', 'metadata/v1.metadata.json', 'precious']);
	});

	it('refuses a table that says its files may be shared', async () => {
		const io = new MemoryFileIO();
		await newTable('memory:/t', io, { 'gc.enabled': 'false' });
		await expect(dropFolderTable('memory:/t', { io })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
		expect(await filesBelow(io, 'memory:/t')).toHaveLength(2);
	});

	it('is still a table that can be dropped, wherever it is cut short', async () => {
		for (let step = 1; ; step++) {
			const io = new MemoryFileIO();
			await filled(io);
			const faulty = new FaultyFileIO(io, [{ operation: 'delete', from: step, fault: { kind: 'crash' } }]);
			const dropping = dropFolderTable('memory:/t', { io: faulty });
			if (
				!(await dropping.then(
					() => false,
					(error) => error instanceof SimulatedCrash,
				))
			) {
				expect(faulty.crashed).toBe(false);
				expect(step).toBeGreaterThan(10);
				break;
			}
			expect((await openFolderTable('memory:/t', { io })).loaded.metadata.snapshots).toHaveLength(3);
			await dropFolderTable('memory:/t', { io });
			expect(await filesBelow(io, 'memory:/t')).toEqual([]);
		}
	});

	it('takes along a version that a writer still commits', async () => {
		const io = new MemoryFileIO();
		await filled(io);
		const { committer, loaded } = await openFolderTable('memory:/t', { io });
		const faulty = new FaultyFileIO(io, [
			{
				operation: 'delete',
				location: /m0\.avro/,
				fault: { kind: 'delay', until: async () => void (await committer.swap(propertyCommit(loaded, 'late', 'yes'))) },
			},
		]);
		await dropFolderTable('memory:/t', { io: faulty });
		expect(await filesBelow(io, 'memory:/t')).toEqual([]);
	});
});
