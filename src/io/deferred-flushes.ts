/** Files that were written and are to be flushed together with others, later. */
import { closeQuietly, type FsCalls } from './fs-calls.ts';
import type { SyncPacer } from './sync-pacer.ts';

/** Files that wait at once, at most: each takes a descriptor. */
const MAX_DEFERRED_FILES = 64;
const MAX_LOST_FILES = 100_000;

/**
 * The descriptor of each file stays open until its flush: a fault on the way to the device is told to those alone who
 * had the file open when it happened.
 */
export class DeferredFlushes {
	readonly #pacer: SyncPacer;
	readonly #fds = new Map<string, number>();
	/** whose flush failed, until they are deleted: the oldest are forgotten when there are many */
	readonly #lost = new Set<string>();

	constructor(pacer: SyncPacer) {
		this.#pacer = pacer;
	}

	/** False: there is no room for one of that size, which has to be flushed now. */
	hasRoomFor(sizeBytes: number): boolean {
		return this.#fds.size < MAX_DEFERRED_FILES && this.#pacer.isSmall(sizeBytes);
	}

	/** Takes over an open file that was written whole. */
	add(path: string, fd: number): void {
		this.#fds.set(path, fd);
	}

	/** Those of the files that wait for their flush. */
	waitingAmong(paths: readonly string[]): string[] {
		return paths.filter((path) => this.#fds.has(path));
	}

	/** The open files among `paths`, which are the caller's from now on, to flush and close. */
	take(paths: Iterable<string>): number[] {
		const fds: number[] = [];
		for (const path of paths) {
			const fd = this.#fds.get(path);
			if (fd === undefined) continue;
			this.#fds.delete(path);
			fds.push(fd);
		}
		return fds;
	}

	/** The flush of one of them failed: what the system could not write it has forgotten, and a later flush says nothing. */
	lose(paths: Iterable<string>): void {
		for (const path of paths) {
			if (this.#lost.size >= MAX_LOST_FILES)
				for (const oldest of [...this.#lost].slice(0, 1000)) this.#lost.delete(oldest);
			this.#lost.add(path);
		}
	}

	/** The first of the files whose content may be gone. */
	lostAmong(paths: readonly string[]): string | undefined {
		return this.#lost.size === 0 ? undefined : paths.find((path) => this.#lost.has(path));
	}

	/** The file is to be deleted: its content does not matter any more. */
	async drop(path: string, calls: FsCalls): Promise<void> {
		this.#lost.delete(path);
		for (const fd of this.take([path])) await closeQuietly(calls, fd);
	}

	async dropAll(calls: FsCalls): Promise<void> {
		for (const fd of this.take([...this.#fds.keys()])) await closeQuietly(calls, fd);
	}
}
