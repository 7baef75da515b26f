/** Journals as local files, in the folder `_journal` of a table. POSIX systems. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Clock } from '../util/ports.ts';
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
import { FlushPace, type JournalCalls, LocalJournalAppendFile, systemJournalCalls } from './local-journal-append.ts';
import { JOURNAL_FOLDER, localPathOf, withoutTrailingSlash } from './location.ts';
import { PathGuard } from './path-guard.ts';
import { SyncPacer } from './sync-pacer.ts';

const CREATE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;
/** How often the folder is made anew that somebody else removes, being empty, before a file is in it. */
const MAX_FOLDER_ATTEMPTS = 5;

export interface LocalJournalStoreOptions {
	readonly calls?: JournalCalls;
	/** tells how long flushes take */
	readonly clock?: Clock;
}

/** {@link JournalStore} over the file system. Reading and appending block; flushing does where the disk is quick. */
export class LocalJournalStore implements JournalStore {
	readonly #folder: string;
	readonly #guard: PathGuard;
	readonly #persister: FolderPersister;
	readonly #calls: JournalCalls;
	readonly #pace: FlushPace;

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
		this.#calls = options.calls ?? systemJournalCalls;
		this.#pace = new FlushPace(options.clock ?? systemClock);
	}

	create(name: string): JournalAppendFile {
		const path = this.#pathOf(name);
		const fd = this.#openNew(path);
		return new LocalJournalAppendFile(path, fd, this.#calls, this.#pace, () => this.#persister.persist([this.#folder]));
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
