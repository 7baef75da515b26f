/** Journals as local files, in the folder `_journal` of a table. POSIX systems. */
import {
	closeSync,
	constants,
	fdatasync,
	fstatSync,
	ftruncateSync,
	openSync,
	readdirSync,
	readSync,
	statSync,
	unlinkSync,
	writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';
import { systemClock } from '../util/system-ports.ts';
import { FolderPersister } from './folder-persister.ts';
import { blockingCalls, FILE_MODE, pooledCalls } from './fs-calls.ts';
import { errnoOf, fsError } from './fs-error.ts';
import { systemLooks } from './fs-looks.ts';
import {
	checkJournalName,
	checkJournalRange,
	isJournalName,
	type JournalAppendFile,
	type JournalListing,
	type JournalReadFile,
	type JournalStore,
} from './journal-store.ts';
import { JOURNAL_FOLDER, localPathOf, withoutTrailingSlash } from './location.ts';
import { PathGuard } from './path-guard.ts';
import { SyncPacer } from './sync-pacer.ts';

/**
 * Zeros are written ahead in steps of so many bytes: a flush that finds the file's length and blocks unchanged need not
 * wait for the file system's own journal, which all processes share.
 */
const AHEAD_BYTES = 64 * 1024;
const CREATE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;
/** How often the folder is made anew that somebody else removes, being empty, before a file is in it. */
const MAX_FOLDER_ATTEMPTS = 5;
const ZEROS = new Uint8Array(AHEAD_BYTES);

/** The system calls that appending makes; another set is for tests. Blocking but for `fdatasync`. */
export interface JournalCalls {
	write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
	truncate(fd: number, length: number): void;
	fdatasync(fd: number): Promise<void>;
}

const systemCalls: JournalCalls = {
	write: writeSync,
	truncate: ftruncateSync,
	fdatasync: (fd) =>
		new Promise((resolve, reject) => {
			fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
		}),
};

export interface LocalJournalStoreOptions {
	readonly calls?: JournalCalls;
}

/** {@link JournalStore} over the file system. Reading and appending block; flushing does not. */
export class LocalJournalStore implements JournalStore {
	readonly #folder: string;
	readonly #guard: PathGuard;
	readonly #persister: FolderPersister;
	readonly #calls: JournalCalls;

	/** @param tableLocation an absolute path or `file:` URI. @throws `INVALID_ARGUMENT` for another */
	constructor(tableLocation: string, options: LocalJournalStoreOptions = {}) {
		const table = localPathOf(withoutTrailingSlash(tableLocation));
		this.#folder = join(table, JOURNAL_FOLDER);
		this.#guard = new PathGuard([table], systemLooks);
		this.#persister = new FolderPersister(
			new SyncPacer(blockingCalls, pooledCalls, 0, systemClock),
			this.#guard,
			systemLooks,
		);
		this.#calls = options.calls ?? systemCalls;
	}

	create(name: string): JournalAppendFile {
		const path = this.#pathOf(name);
		const fd = this.#openNew(path);
		return new LocalAppendFile(path, fd, this.#calls, () => this.#persister.persist([this.#folder]));
	}

	open(name: string): JournalReadFile | undefined {
		const path = this.#pathOf(name);
		try {
			return new LocalReadFile(path, openSync(path, READ_FLAGS));
		} catch (error) {
			if (errnoOf(error) === 'ENOENT') return undefined;
			throw fsError(error, 'open', path);
		}
	}

	list(): readonly JournalListing[] {
		let names: string[];
		try {
			names = readdirSync(this.#folder);
		} catch (error) {
			if (errnoOf(error) === 'ENOENT') return [];
			throw fsError(error, 'list', this.#folder);
		}
		const listings: JournalListing[] = [];
		for (const name of names) {
			if (!isJournalName(name)) continue;
			const stat = statSync(join(this.#folder, name), { throwIfNoEntry: false });
			if (stat?.isFile() === true) listings.push({ name, sizeBytes: stat.size, modifiedMs: stat.mtimeMs });
		}
		return listings;
	}

	async remove(name: string): Promise<boolean> {
		const path = this.#pathOf(name);
		const found = unlinked(path);
		try {
			await this.#persister.flushFolder(this.#folder);
		} catch (error) {
			// somebody removed the folder with all in it: that is what has to be durable then
			if (errnoOf(error) !== 'ENOENT') throw fsError(error, 'make the removal durable of', path);
			await this.#flushParent(path);
		}
		return found;
	}

	async #flushParent(path: string): Promise<void> {
		try {
			await this.#persister.flushFolder(join(this.#folder, '..'));
		} catch (error) {
			if (errnoOf(error) !== 'ENOENT') throw fsError(error, 'make the removal durable of', path);
		}
	}

	#pathOf(name: string): string {
		checkJournalName(name);
		const path = join(this.#folder, name);
		this.#guard.check(path, path);
		return path;
	}

	#openNew(path: string): number {
		for (let attempt = 1; ; attempt++) {
			try {
				return openSync(path, CREATE_FLAGS, FILE_MODE);
			} catch (error) {
				if (errnoOf(error) !== 'ENOENT' || attempt > MAX_FOLDER_ATTEMPTS) throw fsError(error, 'create', path, true);
			}
			this.#makeFolder();
		}
	}

	#makeFolder(): void {
		try {
			const first = blockingCalls.mkdir(this.#folder) as string | undefined;
			this.#persister.folderMade(this.#folder, first);
		} catch (error) {
			if (errnoOf(error) === 'EEXIST')
				throw new IcebergError('INVALID_ARGUMENT', `cannot make the folder ${this.#folder}: a file is in its place`, {
					cause: error,
					context: { location: this.#folder },
				});
			throw fsError(error, 'make the folder', this.#folder, true);
		}
	}
}

function unlinked(path: string): boolean {
	try {
		unlinkSync(path);
		return true;
	} catch (error) {
		if (errnoOf(error) === 'ENOENT') return false;
		throw fsError(error, 'remove', path);
	}
}

class LocalAppendFile implements JournalAppendFile {
	readonly #path: string;
	readonly #fd: number;
	readonly #calls: JournalCalls;
	readonly #persistName: () => Promise<void>;
	#size = 0;
	/** where the zeros end that were written ahead */
	#ahead = 0;
	#named = false;
	/** why nothing works any more */
	#failure: IcebergError | undefined;
	#closed = false;
	/** the flush that is under way */
	#running: Promise<void> | undefined;
	/** the one that begins when it has ended */
	#waiting: Promise<void> | undefined;

	constructor(path: string, fd: number, calls: JournalCalls, persistName: () => Promise<void>) {
		this.#path = path;
		this.#fd = fd;
		this.#calls = calls;
		this.#persistName = persistName;
	}

	get size(): number {
		return this.#size;
	}

	append(bytes: Uint8Array): void {
		this.#checkUsable();
		const end = this.#size + bytes.length;
		try {
			if (end > this.#ahead) this.#writeAhead(end);
		} catch (error) {
			throw this.#undo(fsError(error, 'append to', this.#path));
		}
		try {
			this.#writeAt(bytes, bytes.length, this.#size);
		} catch (error) {
			this.#failure = fsError(error, 'append to', this.#path);
			throw this.#undo(this.#failure);
		}
		this.#size = end;
	}

	sync(): Promise<void> {
		if (this.#closed) return Promise.reject(this.#closedError());
		if (this.#running === undefined) return this.#startSync();
		const start = (): Promise<void> => this.#startSync();
		this.#waiting ??= this.#running.then(start, start);
		return this.#waiting;
	}

	#startSync(): Promise<void> {
		this.#waiting = undefined;
		const running = this.#flush();
		this.#running = running;
		const ended = (): void => {
			if (this.#waiting === undefined) this.#running = undefined;
		};
		running.then(ended, ended);
		return running;
	}

	async #flush(): Promise<void> {
		if (this.#failure !== undefined) throw this.#failure;
		try {
			await this.#calls.fdatasync(this.#fd);
			if (!this.#named) await this.#persistName();
			this.#named = true;
		} catch (error) {
			this.#failure ??= fsError(error, 'make durable', this.#path);
			throw this.#failure;
		}
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await (this.#waiting ?? this.#running)?.catch(() => undefined);
		try {
			if (this.#failure === undefined && this.#ahead > this.#size) this.#calls.truncate(this.#fd, this.#size);
		} catch {
			// zeros behind the end mean nothing
		}
		closeSync(this.#fd);
	}

	/**
	 * Zeros up to `end`, and more where there is room. What there is no room for fails here, where no reader sees anything of
	 * it: of several records in one append, some would be whole before all are, and could not be taken back.
	 */
	#writeAhead(end: number): void {
		const target = Math.ceil((end + 1) / AHEAD_BYTES) * AHEAD_BYTES;
		for (let at = Math.max(this.#ahead, this.#size); at < target; at = this.#ahead) {
			const count = Math.min(AHEAD_BYTES, target - at);
			try {
				this.#writeAt(ZEROS, count, at);
				this.#ahead = at + count;
			} catch (error) {
				if (end <= this.#ahead) return;
				if (at + count < end) throw error;
				this.#writeAt(ZEROS, end - at, at);
				this.#ahead = end;
				return;
			}
		}
	}

	#writeAt(bytes: Uint8Array, length: number, position: number): void {
		let done = 0;
		while (done < length) {
			const written = this.#calls.write(this.#fd, bytes, done, length - done, position + done);
			if (written <= 0) throw Object.assign(new Error('the system wrote nothing'), { code: 'EIO' });
			done += written;
		}
	}

	/** Takes back what was written in part: nothing sound may ever stand behind it. */
	#undo(failure: IcebergError): IcebergError {
		try {
			this.#calls.truncate(this.#fd, this.#size);
			this.#ahead = 0;
		} catch {
			this.#failure = failure;
		}
		return failure;
	}

	#checkUsable(): void {
		if (this.#failure !== undefined) throw this.#failure;
		if (this.#closed) throw this.#closedError();
	}

	#closedError(): IcebergError {
		return new IcebergError('CLOSED', `${this.#path} was closed: it takes no more records`);
	}
}

class LocalReadFile implements JournalReadFile {
	readonly #path: string;
	#fd: number | undefined;

	constructor(path: string, fd: number) {
		this.#path = path;
		this.#fd = fd;
	}

	size(): number {
		try {
			return fstatSync(this.#descriptor()).size;
		} catch (error) {
			throw fsError(error, 'look at', this.#path);
		}
	}

	read(offset: number, maxLength: number): Uint8Array {
		const fd = this.#descriptor();
		checkJournalRange(this.#path, offset, maxLength);
		const length = Math.min(maxLength, Math.max(0, this.size() - offset));
		const bytes = new Uint8Array(length);
		let done = 0;
		try {
			while (done < length) {
				const count = readSync(fd, bytes, done, length - done, offset + done);
				if (count === 0) break;
				done += count;
			}
		} catch (error) {
			throw fsError(error, 'read', this.#path);
		}
		return done === length ? bytes : bytes.subarray(0, done);
	}

	close(): void {
		if (this.#fd === undefined) return;
		const fd = this.#fd;
		this.#fd = undefined;
		closeSync(fd);
	}

	#descriptor(): number {
		if (this.#fd === undefined) throw new IcebergError('CLOSED', `${this.#path} was closed`);
		return this.#fd;
	}
}
