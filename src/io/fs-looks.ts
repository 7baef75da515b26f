/**
 * What local storage asks the system besides the calls of `FsCalls`: what is where. Answers come from the kernel's
 * memory; they are fetched at once, without the thread pool, but for the entries of folders.
 */
import { closeSync, fstatSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { opendir, rmdir } from 'node:fs/promises';

export interface FileStatus {
	readonly kind: 'file' | 'folder' | 'link' | 'other';
	readonly sizeBytes: number;
	/** milliseconds since 1970 */
	readonly modifiedMs: number;
}

export interface FolderEntry {
	readonly name: string;
	readonly isFolder: boolean;
}

/** Failures are thrown or rejected with Node's error, `code` being the errno name. */
export interface FsLooks {
	/** Links are followed; `undefined` where nothing is. */
	stat(path: string): FileStatus | undefined;
	/** Links are not followed; `undefined` where nothing is. */
	lstat(path: string): FileStatus | undefined;
	fstat(fd: number): FileStatus;
	/** Equal for two names of one file, links not followed; `undefined` where nothing is. */
	identity(path: string): string | undefined;
	/** The path with all links followed. */
	realPath(path: string): string;
	entries(folder: string): AsyncIterable<FolderEntry>;
	/** Removes a folder that is empty. */
	removeFolder(path: string): Promise<void>;
	/** Closes a descriptor that was open for reading. */
	closeNow(fd: number): void;
}

/** Entries of a folder that are fetched at once. */
const LIST_BATCH = 256;

export const systemLooks: FsLooks = {
	stat: (path) => statusOf(statSync(path, { throwIfNoEntry: false })),
	lstat: (path) => statusOf(lstatSync(path, { throwIfNoEntry: false })),
	fstat: (fd) => statusOf(fstatSync(fd)) as FileStatus,
	identity(path) {
		const stat = lstatSync(path, { throwIfNoEntry: false, bigint: true });
		return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
	},
	realPath: realpathSync.native,
	async *entries(folder) {
		for await (const entry of await opendir(folder, { bufferSize: LIST_BATCH }))
			yield { name: entry.name, isFolder: entry.isDirectory() };
	},
	removeFolder: (path) => rmdir(path),
	closeNow: closeSync,
};

interface Stat {
	readonly size: number;
	readonly mtimeMs: number;
	isFile(): boolean;
	isDirectory(): boolean;
	isSymbolicLink(): boolean;
}

function statusOf(stat: Stat | undefined): FileStatus | undefined {
	if (stat === undefined) return undefined;
	const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other';
	return { kind, sizeBytes: stat.size, modifiedMs: stat.mtimeMs };
}
