/** Open files, of which only so many are kept. */
import type { FsLooks } from './fs-looks.ts';

export interface Handle {
	readonly fd: number;
	/** bytes, when it was opened or last looked at */
	sizeBytes: number;
	/** calls that use it now */
	users: number;
	closed: boolean;
	/** to be closed with its last user */
	discarded: boolean;
}

/**
 * Keeps at most `limit` idle handles, closing the one that was used least recently. Handles in use are never closed,
 * so that more may be open for a moment, at most one for each read in flight.
 */
export class HandlePool {
	readonly #limit: number;
	readonly #looks: Pick<FsLooks, 'closeNow'>;
	/** in the order of last use */
	readonly #handles = new Set<Handle>();

	constructor(limit: number, looks: Pick<FsLooks, 'closeNow'>) {
		this.#limit = limit;
		this.#looks = looks;
	}

	/** handles open now */
	get size(): number {
		return this.#handles.size;
	}

	/** Takes a newly opened file in, used by one. */
	add(fd: number, sizeBytes: number): Handle {
		const handle: Handle = { fd, sizeBytes, users: 1, closed: false, discarded: false };
		this.#handles.add(handle);
		this.#trim();
		return handle;
	}

	use(handle: Handle): Handle {
		handle.users++;
		this.#handles.delete(handle);
		this.#handles.add(handle);
		return handle;
	}

	release(handle: Handle): void {
		handle.users--;
		if (handle.discarded && handle.users === 0) this.#close(handle);
		else this.#trim();
	}

	/** Closes it now, or with its last user: a descriptor must not be reused while a read is on its way to it. */
	discard(handle: Handle): void {
		if (handle.closed) return;
		if (handle.users === 0) this.#close(handle);
		else handle.discarded = true;
	}

	discardAll(): void {
		for (const handle of this.#handles) this.discard(handle);
	}

	#trim(): void {
		if (this.#handles.size <= this.#limit) return;
		for (const handle of this.#handles) {
			if (handle.users === 0) this.#close(handle);
			if (this.#handles.size <= this.#limit) return;
		}
	}

	#close(handle: Handle): void {
		handle.closed = true;
		this.#handles.delete(handle);
		try {
			this.#looks.closeNow(handle.fd);
		} catch {
			// It was open for reading: nothing is lost.
		}
	}
}
