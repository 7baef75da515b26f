/** Makes the names in folders, and the folders' own names, survive a power loss. */
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { closeQuietly, FILE_MODE, withOpenFile } from './fs-calls.ts';
import { type PathGuard, type RealPathSource, realPlace } from './path-guard.ts';
import type { SyncPacer } from './sync-pacer.ts';

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY;
/** Folders remembered as durable; when there are more, all are forgotten and flushed once more. */
const MAX_REMEMBERED_FOLDERS = 4096;

/**
 * A folder's name is an entry of its parent, which somebody has to flush. That somebody may be another process that
 * made the folder a moment ago and has not come to it; so each folder below a root is taken care of once by each
 * process, whoever made it. Folders outside of all roots are taken care of when this process made them.
 */
export class FolderPersister {
	readonly #pacer: SyncPacer;
	readonly #guard: PathGuard;
	readonly #looks: RealPathSource;
	readonly #made = new Set<string>();
	readonly #durable = new Set<string>();

	constructor(pacer: SyncPacer, guard: PathGuard, looks: RealPathSource) {
		this.#looks = looks;
		this.#pacer = pacer;
		this.#guard = guard;
	}

	/** @param first the topmost folder made on the way to `folder`; `undefined` when all were there */
	folderMade(folder: string, first: string | undefined): void {
		if (first === undefined) return;
		const top = realPlace(first, this.#looks);
		for (let each = realPlace(folder, this.#looks); ; each = dirname(each)) {
			this.#made.add(each);
			this.#durable.delete(each);
			if (each === top || dirname(each) === each) return;
		}
	}

	folderRemoved(folder: string): void {
		const place = realPlace(folder, this.#looks);
		this.#made.delete(place);
		this.#durable.delete(place);
	}

	/**
	 * Flushes each folder once, and what is needed above them, together with open files.
	 * @param fds of the files
	 * @param newName a folder that is about to gain a name, whose own name has to be durable
	 */
	async persist(folders: Iterable<string>, fds: readonly number[] = [], newName?: string): Promise<void> {
		const flush = new Set<string>();
		const made = new Set<string>();
		for (const folder of folders) {
			flush.add(realPlace(folder, this.#looks));
			for (const each of this.#notDurableUpFrom(folder)) {
				made.add(each);
				flush.add(dirname(each));
			}
		}
		for (const each of newName === undefined ? [] : this.#notDurableUpFrom(newName)) {
			made.add(each);
			flush.add(dirname(each));
		}
		await this.#flushAll([...flush], fds);
		this.#remember(made);
	}

	/** Flushes the entries of one folder. */
	async flushFolder(folder: string): Promise<void> {
		const calls = this.#pacer.forWrite(0);
		await withOpenFile(calls, folder, FOLDER_FLAGS, (fd) => this.#pacer.flush(calls, fd));
	}

	#notDurableUpFrom(folder: string): string[] {
		const result: string[] = [];
		const root = this.#guard.rootOf(folder);
		let belowRoot = root !== undefined;
		for (let each = realPlace(folder, this.#looks); dirname(each) !== each; each = dirname(each)) {
			if (each === root) belowRoot = false;
			if (this.#durable.has(each) || !(belowRoot || this.#made.has(each))) break;
			result.push(each);
		}
		return result;
	}

	async #flushAll(folders: readonly string[], files: readonly number[]): Promise<void> {
		const calls = this.#pacer.forWrite(0);
		const opened: number[] = [];
		try {
			for (const folder of folders) opened.push(await calls.open(folder, FOLDER_FLAGS, FILE_MODE));
			await this.#pacer.flushTogether(calls, [...files, ...opened]);
		} finally {
			for (const fd of opened) await closeQuietly(calls, fd);
		}
	}

	#remember(folders: Iterable<string>): void {
		for (const folder of folders) {
			if (this.#durable.size >= MAX_REMEMBERED_FOLDERS) this.#durable.clear();
			this.#made.delete(folder);
			this.#durable.add(folder);
		}
	}
}
