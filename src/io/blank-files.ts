/** Empty files made ahead, where making one takes long. */
import { closeQuietly, type FsCalls, FILE_MODE, unlinkQuietly } from './fs-calls.ts';

export interface BlankFile {
	/** a temporary name */
	readonly path: string;
	/** open, empty, nothing written */
	readonly fd: number;
}

/** Files ready in one folder: as many as one commit makes in it. */
const READY_PER_FOLDER = 3;
/** Folders that have files ready: a table's `data` and `metadata`, and then some partitions. */
const MAX_FOLDERS = 4;

/**
 * A name costs a trip to the server on a network file system, and ext4 without a journal looks long for a number that was not
 * used lately. A writer that commits many times a second has the next files made by the thread pool while it does something else.
 */
export class BlankFiles {
	readonly #calls: FsCalls;
	readonly #flags: number;
	readonly #temporaryIn: (folder: string) => string;
	readonly #ready = new Map<string, BlankFile[]>();
	readonly #making = new Map<string, Promise<void>>();
	#closed = false;

	/** @param temporaryIn gives a new name of a temporary file in a folder */
	constructor(calls: FsCalls, flags: number, temporaryIn: (folder: string) => string) {
		this.#calls = calls;
		this.#flags = flags;
		this.#temporaryIn = temporaryIn;
	}

	/** A file that is the caller's from now on; `undefined` when none is ready. Others are made when {@link refill} says so. */
	take(folder: string): BlankFile | undefined {
		if (this.#closed) return undefined;
		let ready = this.#ready.get(folder);
		if (ready === undefined) {
			if (this.#ready.size >= MAX_FOLDERS) return undefined;
			this.#ready.set(folder, (ready = []));
		}
		return ready.shift();
	}

	/** There is time to make files now. */
	refill(): void {
		if (this.#closed) return;
		for (const [folder, ready] of this.#ready)
			if (ready.length < READY_PER_FOLDER && !this.#making.has(folder))
				this.#making.set(folder, this.#make(folder, ready));
	}

	/** Removes those that nobody took. */
	async close(): Promise<void> {
		this.#closed = true;
		await Promise.all(this.#making.values());
		for (const { path, fd } of [...this.#ready.values()].flat()) {
			await closeQuietly(this.#calls, fd);
			await unlinkQuietly(this.#calls, path);
		}
		this.#ready.clear();
	}

	/** One after the other: the system makes names in one folder one at a time. A fault is met again by who needs the file. */
	async #make(folder: string, ready: BlankFile[]): Promise<void> {
		try {
			while (!this.#closed && ready.length < READY_PER_FOLDER) {
				const path = this.#temporaryIn(folder);
				ready.push({ path, fd: await this.#calls.open(path, this.#flags, FILE_MODE) });
			}
		} catch {
			// The folder may be gone.
			if (ready.length === 0) this.#ready.delete(folder);
		} finally {
			this.#making.delete(folder);
		}
	}
}
