/** Files of the operating system, written durably. POSIX systems. */
import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { Clock, Random } from '../util/ports.ts';
import { identityText, type Processes } from '../util/process-identity.ts';
import { systemProcesses } from '../util/system-processes.ts';
import { systemClock, systemRandom } from '../util/system-ports.ts';
import { randomHex } from '../util/uuid.ts';
import { type BlankFile, BlankFiles } from './blank-files.ts';
import { DeferredFlushes } from './deferred-flushes.ts';
import type {
	CreateOptions,
	FileEntry,
	FileIO,
	FolderListener,
	InputFile,
	ListOptions,
	OutputFile,
	PutOptions,
} from './file-io.ts';
import { FolderPersister } from './folder-persister.ts';
import { type FolderWatches, systemFolderWatches } from './folder-watch.ts';
import {
	blockingCalls,
	closeQuietly,
	type FsCalls,
	FILE_MODE,
	pooledCalls,
	unlinkQuietly,
	withFile,
	writeFully,
} from './fs-calls.ts';
import { errnoOf, fsError, isAbsent } from './fs-error.ts';
import { type FsLooks, systemLooks } from './fs-looks.ts';
import { HandlePool } from './handle-pool.ts';
import { linkIfAbsent } from './link-if-absent.ts';
import { listFolder, removeEmptyBelow, removeIfEmpty } from './local-folders.ts';
import { LocalInputFile } from './local-input-file.ts';
import { LocalOutputFile } from './local-output-file.ts';
import { decodedLocalPathOf, localPathOf, withoutTrailingSlash } from './location.ts';
import { PathGuard } from './path-guard.ts';
import { RealPaths } from './real-paths.ts';
import { SyncPacer } from './sync-pacer.ts';
import { TwinFiles } from './twin-files.ts';

export interface LocalFileIOOptions {
	/**
	 * Folders that writes, deletes and the removal of folders are confined to, symbolic links followed; anything else
	 * is refused with `INVALID_ARGUMENT`. Absent: no confinement. Reading is not confined by it: a table may hold files
	 * that were imported from elsewhere, and its metadata says where. `..` is refused in any case.
	 */
	readonly roots?: readonly string[];
	/** Folders that reading is confined to, likewise. Absent: no confinement. */
	readonly readRoots?: readonly string[];
	/**
	 * Payloads up to so many bytes are read and written by blocking calls, which are quicker on local disks than the
	 * thread pool. 0: never block. Default 256 KiB. When flushes turn out slow, the thread pool takes over by itself.
	 */
	readonly blockingLimitBytes?: number;
	/**
	 * For a writer that commits many times a second and closes this storage when it is done: files are made ahead, and the
	 * version hint is not a new file each time, where the file system is slow to make files. Default false
	 */
	readonly makesFilesAhead?: boolean;
	/** most idle open files. Default 64 */
	readonly openFilesLimit?: number;
	readonly clock?: Clock;
	readonly random?: Random;
	/** names the writer of temporary files. Default: this system's */
	readonly processes?: Processes;
	/** Where folders are watched. Default: by this process's watches */
	readonly watches?: FolderWatches;
	/** The system calls; another set is for tests and the simulator only. */
	readonly calls?: { readonly blocking: FsCalls; readonly pooled: FsCalls; readonly looks?: FsLooks };
}

const DEFAULT_BLOCKING_LIMIT_BYTES = 256 * 1024;
const DEFAULT_OPEN_FILES_LIMIT = 64;
/** How often a folder is made anew that somebody else removes, being empty, before a file is in it. */
const MAX_FOLDER_ATTEMPTS = 5;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** Names of temporary files: of writers that run now, or garbage of ones that died. Never read by anybody. */
export const TEMPORARY_FILE_NAME = /^\.datashard-(?:[0-9a-z]+-[0-9a-z]+-[0-9a-z]+-)?[0-9a-f]{16}\.tmp$/;

/**
 * {@link FileIO} over the file system.
 *
 * Locations are absolute paths or `file:` URIs, taken literally, as Hadoop and PyIceberg do; where nothing is found
 * there, reading and deleting try the percent-decoded path. New files have mode 0666 and folders 0777 less the umask.
 *
 * A new file is made in place under its final name (`O_EXCL`): until `close` it may be seen partly written, and a crash
 * may leave it so; no metadata refers to it then. What must appear whole goes through `putIfAbsent` or `replace`. These
 * and `delete` also remove the checksum side file (`.name.crc`) that Hadoop would hold the new content against.
 */
export class LocalFileIO implements FileIO {
	readonly name = 'local';
	readonly #writeGuard: PathGuard;
	readonly #readGuard: PathGuard | undefined;
	readonly #looks: FsLooks;
	readonly #pool: HandlePool;
	readonly #pacer: SyncPacer;
	readonly #persister: FolderPersister;
	readonly #deferred: DeferredFlushes;
	readonly #blanks: BlankFiles | undefined;
	readonly #twins: TwinFiles | undefined;
	readonly #paths: RealPaths;
	readonly #random: Random;
	readonly #processes: Processes;
	readonly #watches: FolderWatches;
	#closed = false;

	constructor(options: LocalFileIOOptions = {}) {
		const limitBytes = count(options.blockingLimitBytes, DEFAULT_BLOCKING_LIMIT_BYTES, 0, 'blockingLimitBytes');
		const openFiles = count(options.openFilesLimit, DEFAULT_OPEN_FILES_LIMIT, 1, 'openFilesLimit');
		const calls = options.calls ?? { blocking: blockingCalls, pooled: pooledCalls };
		this.#looks = options.calls?.looks ?? systemLooks;
		const clock = options.clock ?? systemClock;
		this.#paths = new RealPaths(this.#looks, clock);
		this.#writeGuard = new PathGuard(options.roots, this.#looks, this.#paths);
		this.#readGuard = options.readRoots === undefined ? undefined : new PathGuard(options.readRoots, this.#looks);
		this.#pool = new HandlePool(openFiles, this.#looks);
		this.#pacer = new SyncPacer(calls.blocking, calls.pooled, limitBytes, clock);
		this.#deferred = new DeferredFlushes(this.#pacer);
		this.#persister = new FolderPersister(this.#pacer, this.#writeGuard, this.#paths);
		this.#random = options.random ?? systemRandom;
		this.#processes = options.processes ?? systemProcesses;
		this.#watches = options.watches ?? systemFolderWatches;
		if (options.makesFilesAhead !== true) return;
		this.#blanks = new BlankFiles(calls.pooled, CREATE_FLAGS, (folder) => this.#temporaryIn(folder));
		this.#twins = new TwinFiles((path) => this.#temporaryBeside(path));
	}

	input(location: string, knownLength?: number): InputFile {
		this.#checkOpen();
		return new LocalInputFile(location, this.#placesToRead(location), knownLength, {
			pool: this.#pool,
			looks: this.#looks,
			callsFor: (sizeBytes) => this.#pacer.forRead(sizeBytes),
			checkOpen: () => this.#checkOpen(),
		});
	}

	async create(location: string, options?: CreateOptions): Promise<OutputFile> {
		this.#checkOpen();
		throwIfAborted(options?.signal);
		const final = this.#placeToWrite(location);
		const path = options?.overwrite === true ? this.#temporaryBeside(final) : final;
		const fd = await (path === final
			? this.#openFinal(path, location)
			: this.#openNew(this.#pacer.forWrite(0), path, location));
		return new LocalOutputFile({
			location,
			path,
			renameTo: path === final ? undefined : final,
			fd,
			pacer: this.#pacer,
			deferred: options?.deferSync === true && path === final ? this.#deferred : undefined,
			signal: options?.signal,
		});
	}

	async write(location: string, bytes: Uint8Array, options?: CreateOptions): Promise<void> {
		this.#checkOpen();
		throwIfAborted(options?.signal);
		const final = this.#placeToWrite(location);
		const path = options?.overwrite === true ? this.#temporaryBeside(final) : final;
		const calls = this.#pacer.forWrite(bytes.length);
		const isDeferred = options?.deferSync === true && path === final && this.#deferred.hasRoomFor(bytes.length);
		await this.#writeNew(calls, path, bytes, location, isDeferred ? 'deferred' : 'now');
		if (path === final) return;
		try {
			await calls.rename(path, final);
		} catch (error) {
			await unlinkQuietly(calls, path);
			throw fsError(error, 'write', location, true);
		}
	}

	async persistNames(locations: readonly string[]): Promise<void> {
		this.#checkOpen();
		const paths = locations.map((location) => this.#placeToWrite(location));
		if (paths.length > 0) await this.#persist(paths, paths[0] as string);
	}

	async putIfAbsent(location: string, bytes: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'> {
		this.#checkOpen();
		const path = this.#placeToWrite(location);
		const before = (options?.after ?? []).map((each) => this.#placeToWrite(each));
		const folder = dirname(path);
		const calls = this.#pacer.forWrite(bytes.length);
		// Saves the loser of a race the flush; the swap itself does not rely on it.
		if (isThere(this.#looks, path, location)) return 'exists';
		const blank = this.#blankIn(folder);
		const temporary = blank?.path ?? this.#temporaryBeside(path);
		try {
			const fd = blank?.fd ?? (await this.#openNew(calls, temporary, location));
			await withFile(calls, fd, async () => {
				await writeFully(calls, fd, bytes);
				await this.#persist(before, location, { fd, folder });
			});
		} catch (error) {
			await unlinkQuietly(calls, temporary);
			throw fsError(error, 'write', location, true);
		}
		let outcome: 'created' | 'exists';
		try {
			outcome = await linkIfAbsent(calls, this.#looks, temporary, path, location);
		} finally {
			await unlinkQuietly(calls, temporary);
		}
		if (outcome === 'exists') return 'exists';
		await this.#removeChecksum(calls, path);
		try {
			await this.#persister.flushFolder(folder);
			this.#blanks?.refill();
		} catch (error) {
			throw new IcebergError(
				'STORAGE',
				`${location} was put in place, but its folder could not be flushed: it may be gone after a power loss`,
				{ cause: error, context: { location, errno: errnoOf(error) } },
			);
		}
		return 'created';
	}

	async replace(location: string, bytes: Uint8Array): Promise<void> {
		this.#checkOpen();
		const path = this.#placeToWrite(location);
		const calls = this.#pacer.forWrite(bytes.length);
		if (this.#pacer.isSlowToCreate && (await this.#twins?.replace(calls, path, bytes)) === true) return;
		const temporary = this.#temporaryBeside(path);
		try {
			// A folder that is gone was moved or removed with all that was in it: nothing is put where it was.
			const fd = await this.#openNew(calls, temporary, location, 0);
			await withFile(calls, fd, () => writeFully(calls, fd, bytes));
			await this.#removeChecksum(calls, path);
			await calls.rename(temporary, path);
		} catch (error) {
			await unlinkQuietly(calls, temporary);
			throw fsError(error, 'replace', location);
		}
	}

	async exists(location: string): Promise<boolean> {
		this.#checkOpen();
		return this.#placesToRead(location).some((path) => isThere(this.#looks, path, location));
	}

	async fingerprint(location: string): Promise<string | undefined> {
		this.#checkOpen();
		for (const path of this.#placesToRead(location)) {
			try {
				const status = this.#looks.stat(path);
				const identity = this.#looks.identity(path);
				// Numbers of files are used again; times and sizes with them are not.
				if (status !== undefined && identity !== undefined)
					return `${identity}:${status.sizeBytes}:${status.modifiedMs}`;
			} catch (error) {
				if (!isAbsent(error)) throw fsError(error, 'look for', location);
			}
		}
		return undefined;
	}

	async delete(location: string): Promise<boolean> {
		this.#checkOpen();
		const calls = this.#pacer.forDelete;
		for (const path of candidates(location)) {
			this.#writeGuard.check(path, location);
			await this.#deferred.drop(path, calls);
			try {
				await calls.unlink(path);
			} catch (error) {
				if (isAbsent(error)) continue;
				throw fsError(error, 'delete', location);
			}
			await this.#removeChecksum(calls, path);
			return true;
		}
		return false;
	}

	/** Folders that are symbolic links are not entered; links to files count as files. */
	async *list(prefix: string, options?: ListOptions): AsyncGenerator<FileEntry, void, undefined> {
		this.#checkOpen();
		const root = this.#placesToRead(withoutTrailingSlash(prefix)).find((path) => isThere(this.#looks, path, prefix));
		if (root !== undefined) yield* listFolder(this.#looks, root, prefix, options ?? {}, () => this.#checkOpen());
	}

	async removeEmptyFolders(location: string): Promise<void> {
		this.#checkOpen();
		const path = localPathOf(withoutTrailingSlash(location));
		const removed = (folder: string): void => {
			this.#persister.folderRemoved(folder);
			this.#paths.clear();
		};
		const linked = this.#writeGuard.linkedRoot(path);
		if (linked !== undefined) return removeEmptyBelow(this.#looks, linked, location, removed);
		this.#writeGuard.check(path, location);
		await removeIfEmpty(this.#looks, path, location, removed);
	}

	watchFolder(folder: string, listener: FolderListener): (() => void) | undefined {
		this.#checkOpen();
		const path = this.#placesToRead(withoutTrailingSlash(folder)).find((place) => isThere(this.#looks, place, folder));
		return path === undefined ? undefined : this.#watches.add(path, listener);
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#pool.discardAll();
		await this.#deferred.dropAll(this.#pacer.forWrite(0));
		await this.#blanks?.close();
		await this.#twins?.close(this.#pacer.forWrite(0));
	}

	#checkOpen(): void {
		if (this.#closed) throw new IcebergError('CLOSED', 'the local storage was closed');
	}

	#placesToRead(location: string): readonly string[] {
		const places = candidates(location);
		if (this.#readGuard !== undefined) for (const path of places) this.#readGuard.check(path, location);
		return places;
	}

	#placeToWrite(location: string): string {
		const path = localPathOf(location);
		if (path.endsWith('/'))
			throw new IcebergError('INVALID_ARGUMENT', `the location '${location}' names a folder, not a file`);
		this.#writeGuard.check(path, location);
		return path;
	}

	#temporaryBeside(path: string): string {
		return this.#temporaryIn(dirname(path));
	}

	#temporaryIn(folder: string): string {
		return join(folder, `.datashard-${identityText(this.#processes.self)}-${randomHex(this.#random, 8)}.tmp`);
	}

	#blankIn(folder: string): BlankFile | undefined {
		return this.#pacer.isSlowToCreate ? this.#blanks?.take(folder) : undefined;
	}

	/** Opens a new file under its own name: one that was made ahead gets that name. */
	async #openFinal(path: string, location: string): Promise<number> {
		const calls = this.#pacer.forWrite(0);
		const blank = this.#blankIn(dirname(path));
		if (blank === undefined) return this.#openNew(calls, path, location);
		try {
			await calls.link(blank.path, path);
			return blank.fd;
		} catch (error) {
			await closeQuietly(calls, blank.fd);
			if (errnoOf(error) === 'EEXIST') throw fsError(error, 'create', location, true);
			return await this.#openNew(calls, path, location);
		} finally {
			await unlinkQuietly(calls, blank.path);
		}
	}

	/** Opens a file that must not be there, making its folder if need be. @param attempts to make the folder */
	async #openNew(calls: FsCalls, path: string, location: string, attempts = MAX_FOLDER_ATTEMPTS): Promise<number> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await this.#pacer.create(calls, path, CREATE_FLAGS, FILE_MODE);
			} catch (error) {
				if (errnoOf(error) !== 'ENOENT' || attempt > attempts) throw fsError(error, 'create', location, true);
			}
			try {
				const first = await calls.mkdir(dirname(path));
				this.#persister.folderMade(dirname(path), first);
			} catch (error) {
				throw fsError(error, 'create', location, true);
			}
		}
	}

	/** Writes a whole new file; leaves none when it fails. */
	async #writeNew(
		calls: FsCalls,
		path: string,
		bytes: Uint8Array,
		location: string,
		flush: 'now' | 'deferred',
	): Promise<void> {
		const fd = await (flush === 'deferred' ? this.#openFinal(path, location) : this.#openNew(calls, path, location));
		try {
			await writeFully(calls, fd, bytes);
			if (flush === 'deferred') return this.#deferred.add(path, fd);
			await this.#pacer.flush(calls, fd);
		} catch (error) {
			await closeQuietly(calls, fd);
			await unlinkQuietly(calls, path);
			throw fsError(error, 'write', location, true);
		}
		try {
			await calls.close(fd);
		} catch (error) {
			await unlinkQuietly(calls, path);
			throw fsError(error, 'write', location, true);
		}
	}

	/**
	 * Makes files durable, names and contents, all at once.
	 * @param open a file that is to be flushed with them, in a folder that gains a name afterwards
	 */
	async #persist(
		paths: readonly string[],
		location: string,
		open?: { readonly fd: number; readonly folder: string },
	): Promise<void> {
		const lost = this.#deferred.lostAmong(paths);
		if (lost !== undefined)
			throw new IcebergError(
				'STORAGE',
				`${lost} could not be flushed before: what it holds may be gone. Write it anew`,
				{
					context: { location: lost, notWritten: true },
				},
			);
		const waiting = this.#deferred.waitingAmong(paths);
		const fds = this.#deferred.take(waiting);
		try {
			const folders = new Set(paths.map((path) => dirname(path)));
			await this.#persister.persist(folders, open === undefined ? fds : [open.fd, ...fds], open?.folder);
		} catch (error) {
			const fault = fsError(error, 'write', location, true);
			// A flush that failed must not be tried again: the system forgets what it could not write.
			this.#deferred.lose(waiting);
			throw fds.length === 0
				? fault
				: new IcebergError('STORAGE', fault.message, { cause: error, context: fault.context });
		} finally {
			for (const fd of fds) await closeQuietly(this.#pacer.forWrite(0), fd);
		}
	}

	/** A checksum that Hadoop left for an earlier file of the name. Looking is cheaper than a fault. */
	async #removeChecksum(calls: FsCalls, path: string): Promise<void> {
		const checksum = checksumFileOf(path);
		try {
			if (this.#looks.lstat(checksum) === undefined) return;
		} catch {
			// It may be there.
		}
		await unlinkQuietly(calls, checksum);
	}
}

/** The literal path, then the percent-decoded one. */
function candidates(location: string): readonly string[] {
	const literal = localPathOf(location);
	const decoded = decodedLocalPathOf(location);
	return decoded === undefined ? [literal] : [literal, decoded];
}

/** A file, or a folder. */
function isThere(looks: FsLooks, path: string, location: string): boolean {
	try {
		return looks.stat(path) !== undefined;
	} catch (error) {
		if (isAbsent(error)) return false;
		throw fsError(error, 'look for', location);
	}
}

function checksumFileOf(path: string): string {
	return join(dirname(path), `.${basename(path)}.crc`);
}

function count(value: number | undefined, fallback: number, least: number, name: string): number {
	const result = value ?? fallback;
	if (!Number.isSafeInteger(result) || result < least)
		throw new IcebergError('INVALID_ARGUMENT', `${name} must be a whole number of at least ${least}, not ${result}`);
	return result;
}
