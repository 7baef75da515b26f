/**
 * The system calls that local storage makes, blocking and not, behind one shape. A blocking call on a page-cached file
 * takes microseconds where a trip through the thread pool takes a hundred; for large payloads and slow disks it is the
 * other way round. See `SyncPacer` for the choice.
 */
import {
	closeSync,
	close as closeWithCallback,
	fsyncSync,
	fsync as fsyncWithCallback,
	linkSync,
	link as linkWithCallback,
	mkdirSync,
	mkdir as mkdirWithCallback,
	openSync,
	open as openWithCallback,
	readSync,
	read as readWithCallback,
	renameSync,
	rename as renameWithCallback,
	unlinkSync,
	unlink as unlinkWithCallback,
	writeSync,
	write as writeWithCallback,
} from 'node:fs';

type Result<T> = T | Promise<T>;

/** Failures are thrown or rejected with Node's error, `code` being the errno name. */
export interface FsCalls {
	open(path: string, flags: number, mode: number): Result<number>;
	/** bytes read; 0 at the end */
	read(fd: number, target: Uint8Array, offset: number, length: number, position: number): Result<number>;
	/** bytes written at the current position, perhaps fewer than asked for */
	write(fd: number, source: Uint8Array, offset: number, length: number): Result<number>;
	fsync(fd: number): Result<void>;
	close(fd: number): Result<void>;
	link(existing: string, name: string): Result<void>;
	rename(from: string, to: string): Result<void>;
	unlink(path: string): Result<void>;
	/** Makes a folder and its parents. Returns the topmost one made, `undefined` when it was there. */
	mkdir(path: string): Result<string | undefined>;
}

/** Folders and files are made with all rights that the process's umask leaves. */
const FOLDER_MODE = 0o777;
export const FILE_MODE = 0o666;

export const blockingCalls: FsCalls = {
	open: openSync,
	read: readSync,
	write: (fd, source, offset, length) => writeSync(fd, source, offset, length),
	fsync: fsyncSync,
	close: closeSync,
	link: linkSync,
	rename: renameSync,
	unlink: unlinkSync,
	mkdir: (path) => mkdirSync(path, { recursive: true, mode: FOLDER_MODE }),
};

export const pooledCalls: FsCalls = {
	open: (path, flags, mode) => promised((done) => openWithCallback(path, flags, mode, done)),
	read: (fd, target, offset, length, position) =>
		promised((done) => readWithCallback(fd, target, offset, length, position, done)),
	write: (fd, source, offset, length) => promised((done) => writeWithCallback(fd, source, offset, length, null, done)),
	fsync: (fd) => promised<void>((done) => fsyncWithCallback(fd, done)),
	close: (fd) => promised<void>((done) => closeWithCallback(fd, done)),
	link: (existing, name) => promised<void>((done) => linkWithCallback(existing, name, done)),
	rename: (from, to) => promised<void>((done) => renameWithCallback(from, to, done)),
	unlink: (path) => promised<void>((done) => unlinkWithCallback(path, done)),
	mkdir: (path) => promised((done) => mkdirWithCallback(path, { recursive: true, mode: FOLDER_MODE }, done)),
};

function promised<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> {
	return new Promise((resolve, reject) => {
		start((error, value) => {
			if (error) reject(error);
			else resolve(value as T);
		});
	});
}

/** Writes all of `bytes` at the current position. */
export async function writeFully(calls: FsCalls, fd: number, bytes: Uint8Array): Promise<void> {
	let offset = 0;
	while (offset < bytes.length) {
		const written = await calls.write(fd, bytes, offset, bytes.length - offset);
		if (written <= 0) throw Object.assign(new Error('the system wrote nothing'), { code: 'EIO' });
		offset += written;
	}
}

/** Runs, then closes the descriptor; a failure to close counts only when nothing failed before it. */
export async function withFile<T>(calls: FsCalls, fd: number, use: () => Promise<T>): Promise<T> {
	let result: T;
	try {
		result = await use();
	} catch (error) {
		try {
			await calls.close(fd);
		} catch {
			// The first fault is the one to report.
		}
		throw error;
	}
	await calls.close(fd);
	return result;
}

/** {@link withFile} of a path. */
export async function withOpenFile<T>(
	calls: FsCalls,
	path: string,
	flags: number,
	use: (fd: number) => Promise<T>,
): Promise<T> {
	const fd = await calls.open(path, flags, FILE_MODE);
	return withFile(calls, fd, () => use(fd));
}

/** Closes what is flushed, or not wanted: a failure says nothing about the content. */
export async function closeQuietly(calls: FsCalls, fd: number): Promise<void> {
	try {
		await calls.close(fd);
	} catch {
		// The descriptor is gone either way.
	}
}

/** Unlinks, whatever happens: for what must not stay behind on a path that reports another fault. */
export async function unlinkQuietly(calls: FsCalls, path: string): Promise<void> {
	try {
		await calls.unlink(path);
	} catch {
		// Nobody refers to it.
	}
}
