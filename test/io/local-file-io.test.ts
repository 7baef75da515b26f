import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blockingCalls, type FsCalls } from '../../src/io/fs-calls.ts';
import { LocalFileIO, TEMPORARY_FILE_NAME } from '../../src/io/local-file-io.ts';
import { openFileIO } from '../../src/io/resolve.ts';

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'datashard-local-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = new Uint8Array([1, 2, 3]);
const errno = (code: string): Error => Object.assign(new Error(`${code}: scripted`), { code });

/** The real calls, but for some; every call is recorded. */
function scripted(changes: (real: FsCalls) => Partial<FsCalls>): { io: LocalFileIO; log: string[] } {
	const log: string[] = [];
	const opened = new Map<number, string>();
	const recording: FsCalls = {
		...blockingCalls,
		open(path, flags, mode) {
			const fd = blockingCalls.open(path, flags, mode) as number;
			opened.set(fd, path);
			return fd;
		},
		fsync(fd) {
			log.push(`fsync ${opened.get(fd)}`);
			return blockingCalls.fsync(fd);
		},
		link(existing, name) {
			log.push(`link ${name}`);
			return blockingCalls.link(existing, name);
		},
		unlink(path) {
			if (!path.endsWith('.crc')) log.push(`unlink ${path}`);
			return blockingCalls.unlink(path);
		},
	};
	const calls = { ...recording, ...changes(recording) };
	return { io: new LocalFileIO({ roots: [folder], calls: { blocking: calls, pooled: calls } }), log };
}
const entries = (below = folder): string[] => readdirSync(below, { recursive: true }).map(String).sort();
const readable = (log: readonly string[]): string[] =>
	log.map((line) => line.replace(/\.datashard-[-0-9a-z]+\.tmp/, 'TMP').replaceAll(folder, ''));

describe('names and modes', () => {
	it('replaces no file in a folder that was moved away', async () => {
		const io = new LocalFileIO();
		await expect(io.replace(`${folder}/gone/hint`, bytes)).rejects.toMatchObject({ code: 'NOT_FOUND' });
		expect(entries()).toEqual([]);
	});

	it('gives files and folders the rights that the umask leaves', async () => {
		const previous = process.umask(0o027);
		try {
			const io = new LocalFileIO();
			await io.write(`${folder}/a/file`, bytes);
			await io.putIfAbsent(`${folder}/a/put`, bytes);
			await io.replace(`${folder}/a/hint`, bytes);
		} finally {
			process.umask(previous);
		}
		const mode = (path: string): number => statSync(join(folder, path)).mode & 0o777;
		expect([mode('a'), mode('a/file'), mode('a/put'), mode('a/hint')]).toEqual([0o750, 0o640, 0o640, 0o640]);
	});

	it('looks at a percent sign as it stands first, then decoded, but writes only as it stands', async () => {
		writeFileSync(join(folder, 'a b'), 'decoded');
		const io = new LocalFileIO({ roots: [folder] });
		const text = async (location: string): Promise<string> =>
			Buffer.from(await io.input(location).readAll()).toString();
		expect(await text(`file://${folder}/a%20b`)).toBe('decoded');
		expect(await io.exists(`file:${folder}/a%20b`)).toBe(true);
		expect(await io.exists(`${folder}/a%20b`)).toBe(false);
		await io.write(`file://${folder}/a%20b`, Buffer.from('literal'));
		expect(entries()).toEqual(['a b', 'a%20b']);
		expect(await text(`file://${folder}/a%20b`)).toBe('literal');
		expect([await io.delete(`file://${folder}/a%20b`), entries()]).toEqual([true, ['a b']]);
		expect([await io.delete(`file://${folder}/a%20b`), entries()]).toEqual([true, []]);
	});

	it('removes checksum side files that would contradict new content', async () => {
		for (const name of ['.hint.crc', '.gone.crc', '.v2.crc', '.other.crc']) writeFileSync(join(folder, name), 'crc');
		writeFileSync(join(folder, 'gone'), '');
		const io = new LocalFileIO();
		await io.replace(`${folder}/hint`, bytes);
		await io.delete(`${folder}/gone`);
		await io.putIfAbsent(`${folder}/v2`, bytes);
		expect(entries()).toEqual(['.other.crc', 'hint', 'v2']);
	});

	it('is not held up by a FIFO or a folder where a file should be', async () => {
		const { execFileSync } = await import('node:child_process');
		execFileSync('mkfifo', [join(folder, 'fifo')]);
		mkdirSync(join(folder, 'dir'));
		const io = new LocalFileIO();
		for (const name of ['fifo', 'dir'])
			await expect(io.input(`${folder}/${name}`).readAll()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('says INVALID_ARGUMENT for locations that are not local, and for nonsense options', () => {
		const io = new LocalFileIO();
		expect(() => io.input('s3://bucket/x')).toThrow(/scheme 's3'/);
		expect(() => io.input('relative/x')).toThrow(/not absolute/);
		expect(() => new LocalFileIO({ roots: ['relative'] })).toThrow(/not absolute/);
		expect(() => new LocalFileIO({ openFilesLimit: 0 })).toThrow(/openFilesLimit/);
		expect(() => new LocalFileIO({ blockingLimitBytes: -1 })).toThrow(/blockingLimitBytes/);
		expect(openFileIO('file:///tmp').name).toBe('local');
		expect(() => openFileIO('s3://b/x')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
		expect(() => openFileIO('memory:/x')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
	});
});

describe('roots', () => {
	it('confine writes and deletes, also through symbolic links, and leave reading free', async () => {
		const inside = join(folder, 'table');
		const outside = join(folder, 'outside');
		mkdirSync(inside);
		mkdirSync(outside);
		writeFileSync(join(outside, 'file'), 'x');
		symlinkSync(outside, join(inside, 'escape'));
		symlinkSync(join(outside, 'file'), join(inside, 'link'));
		const io = new LocalFileIO({ roots: [inside] });
		for (const location of [
			`${outside}/file`,
			`file://${outside}/file`,
			`${inside}/escape/file`,
			`${inside}/escape/new/file`,
			`${inside}x/file`,
			`/etc/passwd`,
		]) {
			const refused = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('outside of') };
			await expect(io.write(location, bytes, { overwrite: true }), location).rejects.toMatchObject(refused);
			await expect(io.create(location), location).rejects.toMatchObject(refused);
			await expect(io.putIfAbsent(location, bytes), location).rejects.toMatchObject(refused);
			await expect(io.replace(location, bytes), location).rejects.toMatchObject(refused);
			await expect(io.delete(location), location).rejects.toMatchObject(refused);
			await expect(io.removeEmptyFolders(location), location).rejects.toMatchObject(refused);
		}
		expect(await io.input(`${outside}/file`).readAll()).toHaveLength(1);
		// A link in the table is a name in the table: it goes, what it points to stays.
		await io.write(`${inside}/link`, bytes, { overwrite: true });
		await io.delete(`${inside}/link`);
		expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('x');
		expect(entries(outside)).toEqual(['file']);
	});

	it('may be links themselves, and need not exist yet', async () => {
		mkdirSync(join(folder, 'real'));
		symlinkSync(join(folder, 'real'), join(folder, 'alias'));
		const io = new LocalFileIO({ roots: [join(folder, 'alias'), join(folder, 'later/on')] });
		await io.write(`${folder}/alias/a/x`, bytes);
		await io.write(`${folder}/real/b/y`, bytes);
		await io.write(`${folder}/later/on/z`, bytes);
		await expect(io.write(`${folder}/later/other`, bytes)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await io.persistNames([`${folder}/alias/a/x`, `${folder}/real/b/y`, `${folder}/later/on/z`]);
	});

	it('can confine reading too', async () => {
		writeFileSync(join(folder, 'secret'), 'x');
		const io = new LocalFileIO({ readRoots: [join(folder, 'table')] });
		expect(() => io.input(`${folder}/secret`)).toThrow(/outside of/);
		await expect(io.exists(`${folder}/secret`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});
});

describe('durability', () => {
	it('flushes the content, then links, then removes the temporary name, then flushes the folder', async () => {
		const { io, log } = scripted(() => ({}));
		mkdirSync(join(folder, 'm'));
		await io.putIfAbsent(`${folder}/m/v1`, bytes);
		expect(readable(log)).toEqual(['fsync /m/TMP', 'fsync ', 'link /m/v1', 'unlink /m/TMP', 'fsync /m']);
		log.length = 0;
		await io.putIfAbsent(`${folder}/m/v2`, bytes);
		expect(readable(log)).toEqual(['fsync /m/TMP', 'link /m/v2', 'unlink /m/TMP', 'fsync /m']);
	});

	it('flushes what was put off, its names and the new content before it links', async () => {
		const { io, log } = scripted(() => ({}));
		await io.write(`${folder}/m/v1`, bytes);
		await io.persistNames([`${folder}/m/v1`]);
		log.length = 0;
		await io.write(`${folder}/m/list`, bytes, { deferSync: true });
		const file = await io.create(`${folder}/data/a`, { deferSync: true });
		await file.write(bytes);
		await file.close();
		expect(log).toEqual([]);
		const after = [`${folder}/m/list`, `${folder}/data/a`];
		expect(await io.putIfAbsent(`${folder}/m/v2`, bytes, { after })).toBe('created');
		const order = readable(log);
		expect(order.slice(0, order.indexOf('link /m/v2')).sort()).toEqual(
			['fsync ', 'fsync /data', 'fsync /data/a', 'fsync /m', 'fsync /m/TMP', 'fsync /m/list'].sort(),
		);
		expect(order.slice(order.indexOf('link /m/v2'))).toEqual(['link /m/v2', 'unlink /m/TMP', 'fsync /m']);
		log.length = 0;
		await io.putIfAbsent(`${folder}/m/v3`, bytes, { after });
		expect(log.filter((line) => /list|data\/a/.test(line))).toEqual([]);
	});

	it('flushes what was put off with the names, and only what is small, and so many', async () => {
		const { io, log } = scripted(() => ({}));
		const locations = Array.from({ length: 65 }, (_, i) => `${folder}/d/${i}`);
		for (const location of locations) await io.write(location, bytes, { deferSync: true });
		expect(readable(log)).toEqual(['fsync /d/64']);
		await io.persistNames(locations);
		expect(log.filter((line) => /d\/\d/.test(line))).toHaveLength(65);
		log.length = 0;
		await io.write(`${folder}/d/large`, new Uint8Array(300_000), { deferSync: true });
		await io.write(`${folder}/d/0`, bytes, { deferSync: true, overwrite: true });
		expect(readable(log)).toEqual(['fsync /d/large', 'fsync /d/TMP']);
	});

	it('keeps no file open that was deleted before its flush', async () => {
		const open = new Set<number>();
		const { io, log } = scripted((real) => ({
			open(path, flags, mode) {
				const fd = real.open(path, flags, mode) as number;
				open.add(fd);
				return fd;
			},
			close(fd) {
				open.delete(fd);
				return real.close(fd);
			},
		}));
		for (const name of ['a', 'b']) await io.write(`${folder}/${name}`, bytes, { deferSync: true });
		expect(open.size).toBe(2);
		expect(await io.delete(`${folder}/a`)).toBe(true);
		expect(open.size).toBe(1);
		await io.close();
		expect(open.size).toBe(0);
		expect(log.filter((line) => line.startsWith('fsync'))).toEqual([]);
	});

	it('puts nothing in place when what comes before it cannot be made durable, and does not try that again', async () => {
		for (const name of ['EIO', 'EAGAIN']) {
			let failing = true;
			const { io, log } = scripted((real) => ({
				fsync(fd) {
					const result = real.fsync(fd);
					if (failing && log.at(-1)?.endsWith('/d/a') === true) throw errno(name);
					return result;
				},
			}));
			await io.write(`${folder}/d/a`, bytes, { deferSync: true });
			const after = [`${folder}/d/a`];
			await expect(io.putIfAbsent(`${folder}/d/v1`, bytes, { after })).rejects.toMatchObject({
				code: 'STORAGE',
				retryable: false,
				context: { notWritten: true },
			});
			expect(entries(join(folder, 'd'))).toEqual(['a']);
			failing = false;
			// Nor does a flush that succeeds now say anything: the system has forgotten what it could not write.
			for (const again of [io.putIfAbsent(`${folder}/d/v1`, bytes, { after }), io.persistNames(after)])
				await expect(again).rejects.toMatchObject({ code: 'STORAGE', retryable: false, context: { notWritten: true } });
			await io.delete(`${folder}/d/a`);
			await io.write(`${folder}/d/a`, bytes, { deferSync: true });
			expect(await io.putIfAbsent(`${folder}/d/v1`, bytes, { after })).toBe('created');
			await io.delete(`${folder}/d/v1`);
			await io.delete(`${folder}/d/a`);
		}
	});

	it('flushes each folder that gained a name once, and the folders above new ones', async () => {
		const { io, log } = scripted(() => ({}));
		const locations = ['data/p=1/a', 'data/p=1/b', 'data/p=2/c', 'm/d'].map((name) => `${folder}/${name}`);
		for (const location of locations) await io.write(location, bytes);
		log.length = 0;
		await io.persistNames(locations);
		expect(readable(log).sort()).toEqual(['fsync ', 'fsync /data', 'fsync /data/p=1', 'fsync /data/p=2', 'fsync /m']);
		log.length = 0;
		await io.write(`${folder}/data/p=1/e`, bytes);
		await io.persistNames([`${folder}/data/p=1/e`]);
		expect(readable(log)).toEqual(['fsync /data/p=1/e', 'fsync /data/p=1']);
	});

	it('flushes the parents of folders that another process made and may not have flushed', async () => {
		mkdirSync(join(folder, 'data/p=1'), { recursive: true });
		const { io, log } = scripted(() => ({}));
		await io.write(`${folder}/data/p=1/a`, bytes);
		log.length = 0;
		await io.persistNames([`${folder}/data/p=1/a`]);
		expect(readable(log).sort()).toEqual(['fsync ', 'fsync /data', 'fsync /data/p=1']);
	});

	it('flushes again what was removed and made anew', async () => {
		const { io, log } = scripted(() => ({}));
		const location = `${folder}/data/a`;
		await io.write(location, bytes);
		await io.persistNames([location]);
		await io.delete(location);
		await io.removeEmptyFolders(`${folder}/data`);
		await io.write(location, bytes);
		log.length = 0;
		await io.persistNames([location]);
		expect(readable(log).sort()).toEqual(['fsync ', 'fsync /data']);
	});

	it('flushes side by side as soon as a flush takes time, and one by one where it takes none', async () => {
		for (const flushMs of [0, 1]) {
			let now = 0;
			const used: string[] = [];
			const timed = (name: string): FsCalls => ({
				...blockingCalls,
				fsync: () => {
					used.push(name);
					now += flushMs;
				},
			});
			const io = new LocalFileIO({
				calls: { blocking: timed('blocking'), pooled: timed('pooled') },
				clock: { nowMs: () => now, monotonicMs: () => now, sleep: async () => undefined },
			});
			const names = ['a', 'b', 'c'].map((name) => `${folder}/${flushMs}/${name}`);
			for (const name of names) await io.write(name, bytes, { deferSync: true });
			await io.persistNames(names);
			const other = flushMs === 0 ? 'blocking' : 'pooled';
			expect(used.slice(0, 3)).toEqual(['blocking', other, other]);
		}
	});

	it('goes on through the thread pool when the disk turns out slow', async () => {
		let now = 0;
		const used: string[] = [];
		const slow = (name: string): FsCalls => ({
			...blockingCalls,
			fsync: () => {
				used.push(name);
				now += 10;
			},
		});
		const io = new LocalFileIO({
			calls: { blocking: slow('blocking'), pooled: slow('pooled') },
			clock: { nowMs: () => now, monotonicMs: () => now, sleep: async () => undefined },
		});
		for (let i = 0; i < 4; i++) await io.write(`${folder}/${i}`, bytes);
		expect(used).toEqual(['blocking', 'blocking', 'pooled', 'pooled']);
	});
});

describe('faults', () => {
	const noTemporaryFiles = (): void => {
		expect(entries().filter((name) => TEMPORARY_FILE_NAME.test(name.slice(name.lastIndexOf('/') + 1)))).toEqual([]);
	};

	it.each([
		['ENOSPC', 'STORAGE', 'the disk is full'],
		['EDQUOT', 'STORAGE', 'quota'],
		['EIO', 'STORAGE', 'the device failed'],
		['EACCES', 'PERMISSION_DENIED', 'refused access'],
		['EROFS', 'PERMISSION_DENIED', 'read-only'],
	])('%s while writing is %s, says so, and leaves nothing behind', async (name, code, text) => {
		for (const call of ['write', 'fsync'] as const) {
			const { io } = scripted(() => ({
				[call]: () => {
					throw errno(name);
				},
			}));
			const expected = { code, message: expect.stringContaining(text), context: { errno: name, notWritten: true } };
			await expect(io.write(`${folder}/f`, bytes)).rejects.toMatchObject(expected);
			await expect(io.write(`${folder}/f`, bytes, { overwrite: true })).rejects.toMatchObject(expected);
			await expect(io.putIfAbsent(`${folder}/f`, bytes)).rejects.toMatchObject(expected);
			if (call === 'write') await expect(io.replace(`${folder}/f`, bytes)).rejects.toMatchObject({ code });
			const file = await io.create(`${folder}/f`);
			await file.write(bytes);
			await expect(file.close()).rejects.toMatchObject({ code });
			await file.abort();
			expect(entries()).toEqual([]);
		}
	});

	it('writes on after short writes', async () => {
		const { io } = scripted((real) => ({
			write: (fd, source, offset, length) => real.write(fd, source, offset, Math.min(length, 2)),
		}));
		await io.write(`${folder}/f`, new Uint8Array([1, 2, 3, 4, 5]));
		expect([...readFileSync(join(folder, 'f'))]).toEqual([1, 2, 3, 4, 5]);
	});

	it('reads on after short reads', async () => {
		writeFileSync(join(folder, 'f'), 'abcdefgh');
		const { io } = scripted((real) => ({
			read: (fd, target, offset, length, position) => real.read(fd, target, offset, Math.min(length, 3), position),
		}));
		expect(Buffer.from(await io.input(`${folder}/f`).readAll()).toString()).toBe('abcdefgh');
		expect(Buffer.from(await io.input(`${folder}/f`).read(1, 6)).toString()).toBe('bcdefg');
	});

	it('does not call a put unknown when it is known that the name was there or was not given', async () => {
		// sshfs: EPERM for a name that another writer took
		const sshfs = scripted(() => ({
			link: (_existing, name) => {
				writeFileSync(name, 'theirs');
				throw errno('EPERM');
			},
		}));
		expect(await sshfs.io.putIfAbsent(`${folder}/taken`, bytes)).toBe('exists');
		expect(readFileSync(join(folder, 'taken'), 'utf8')).toBe('theirs');
		// EPERM once, the name free when looked at: a second attempt
		let calls = 0;
		const freed = scripted((real) => ({
			link: (existing, name) => {
				if (calls++ === 0) throw errno('EPERM');
				return real.link(existing, name);
			},
		}));
		expect(await freed.io.putIfAbsent(`${folder}/freed`, bytes)).toBe('created');
		// the folder went away, the disk is full, rights were taken
		for (const name of ['ENOENT', 'ENOSPC', 'EACCES']) {
			const { io } = scripted(() => ({
				link: () => {
					throw errno(name);
				},
			}));
			await expect(io.putIfAbsent(`${folder}/x`, bytes)).rejects.toMatchObject({ context: { notWritten: true } });
		}
		noTemporaryFiles();
	});

	it('sees its own file behind a lost reply', async () => {
		for (const name of ['EEXIST', 'EIO', 'EPERM']) {
			const { io } = scripted((real) => ({
				link: (existing, target) => {
					real.link(existing, target);
					throw errno(name);
				},
			}));
			expect(await io.putIfAbsent(`${folder}/${name}`, bytes)).toBe('created');
		}
		noTemporaryFiles();
	});

	it.each(['ENOSYS', 'EOPNOTSUPP', 'EPERM', 'EMLINK'])('refuses a file system without links (%s)', async (name) => {
		const { io } = scripted(() => ({
			link: () => {
				throw errno(name);
			},
		}));
		await expect(io.putIfAbsent(`${folder}/v1`, bytes)).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringContaining('hard links'),
			context: { notWritten: true },
		});
		expect(entries()).toEqual([]);
	});

	it('calls a put unknown when the system cannot tell, or the folder could not be flushed', async () => {
		const cannotTell = scripted(() => ({
			link: () => {
				throw errno('EIO');
			},
		}));
		const error = await cannotTell.io.putIfAbsent(`${folder}/v1`, bytes).catch((e) => e);
		expect(error).toMatchObject({ code: 'STORAGE', retryable: false });
		expect(error.context).not.toHaveProperty('notWritten');
		let flushes = 0;
		const notFlushed = scripted((real) => ({
			fsync: (fd) => {
				if (++flushes === 3) throw errno('EIO');
				return real.fsync(fd);
			},
		}));
		mkdirSync(join(folder, 'm'));
		const afterLink = await notFlushed.io.putIfAbsent(`${folder}/m/v1`, bytes).catch((e) => e);
		expect(afterLink).toMatchObject({ code: 'STORAGE', message: expect.stringContaining('could not be flushed') });
		expect(afterLink.context).not.toHaveProperty('notWritten');
		expect(entries()).toEqual(['m', 'm/v1']);
	});

	it('keeps few files open and survives being closed between reads', async () => {
		let open = 0;
		let most = 0;
		const { io } = scripted((real) => ({
			open: (path, flags, mode) => {
				most = Math.max(most, ++open);
				return real.open(path, flags, mode);
			},
		}));
		const limited = new LocalFileIO({ openFilesLimit: 3 });
		for (let i = 0; i < 10; i++) writeFileSync(join(folder, `${i}`), `${i}`);
		const before = readdirSync('/proc/self/fd').length;
		const files = Array.from({ length: 10 }, (_, i) => limited.input(`${folder}/${i}`));
		for (let round = 0; round < 3; round++)
			for (const [i, file] of files.entries()) expect((await file.read(0, 1))[0]).toBe(48 + i);
		expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(3);
		await Promise.all(files.map((file) => file.read(0, 1)));
		expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(3);
		await limited.close();
		expect(readdirSync('/proc/self/fd').length).toBe(before);
		await io.write(`${folder}/w`, bytes);
		expect(most).toBe(1);
	});

	it('reads what was appended since the file was opened', async () => {
		writeFileSync(join(folder, 'f'), 'ab');
		const file = new LocalFileIO().input(`${folder}/f`);
		await file.read(0, 2);
		writeFileSync(join(folder, 'f'), 'cd', { flag: 'a' });
		expect(Buffer.from(await file.read(2, 2)).toString()).toBe('cd');
		writeFileSync(join(folder, 'f'), 'ef', { flag: 'a' });
		expect(Buffer.from(await file.readAll()).toString()).toBe('abcdef');
		await file.close();
	});
});
