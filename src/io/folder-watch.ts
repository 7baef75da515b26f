/** Changes of folders, as the operating system tells of them. One watch of a folder serves all who want it. */
import { watch } from 'node:fs';
import type { FolderListener } from './file-io.ts';

/** `fs.watch`, as far as it is needed. */
export type WatchCall = (
	path: string,
	options: { readonly persistent: false },
	listener: (event: string, name: string | null) => void,
) => Watcher;

interface Watcher {
	on(event: 'error', listener: (error: Error) => void): unknown;
	close(): void;
}

interface SharedWatch {
	readonly watcher: Watcher;
	readonly listeners: Set<FolderListener>;
}

/** The watches of a process. They keep no process alive. */
export class FolderWatches {
	readonly #watch: WatchCall;
	readonly #byPath = new Map<string, SharedWatch>();

	constructor(call: WatchCall = watch) {
		this.#watch = call;
	}

	/** folders that are being watched */
	get size(): number {
		return this.#byPath.size;
	}

	/**
	 * Tells of changes in a folder until the returned function is called. `undefined` when the system cannot: there are no
	 * watches left (`ENOSPC`), or no such folder.
	 */
	add(path: string, listener: FolderListener): (() => void) | undefined {
		let shared = this.#byPath.get(path);
		if (shared === undefined) {
			shared = this.#open(path);
			if (shared === undefined) return undefined;
			this.#byPath.set(path, shared);
		}
		const own = shared;
		// Each listener counts, also one that listens twice.
		const entry: FolderListener = (event) => listener(event);
		own.listeners.add(entry);
		return () => {
			if (own.listeners.delete(entry) && own.listeners.size === 0) this.#end(path, own);
		};
	}

	#open(path: string): SharedWatch | undefined {
		const listeners = new Set<FolderListener>();
		try {
			const watcher = this.#watch(path, { persistent: false }, (_, name) => {
				for (const listener of listeners) listener({ kind: 'changed', name: name ?? undefined });
			});
			const shared = { watcher, listeners };
			watcher.on('error', () => {
				const told = [...listeners];
				listeners.clear();
				this.#end(path, shared);
				for (const listener of told) listener({ kind: 'lost' });
			});
			return shared;
		} catch {
			return undefined;
		}
	}

	#end(path: string, shared: SharedWatch): void {
		if (this.#byPath.get(path) === shared) this.#byPath.delete(path);
		shared.watcher.close();
	}
}

/** Those of this process. */
export const systemFolderWatches = new FolderWatches();
