import { Semaphore } from './bounded-pool.ts';

/**
 * One commit at a time among those of one thread to one table: commits of appends and of maintenance that know of each other
 * need not race for the swap. Who waits is served in order. It is for speed: the swap decides, with or without it.
 */
export class CommitMutex {
	readonly #semaphore = new Semaphore(1);
	static readonly #byOwner = new WeakMap<object, CommitMutex>();

	/** The mutex of a committer: the same for all who hold that object. */
	static of(owner: object): CommitMutex {
		let mutex = CommitMutex.#byOwner.get(owner);
		if (mutex === undefined) CommitMutex.#byOwner.set(owner, (mutex = new CommitMutex()));
		return mutex;
	}

	/** Runs `commit` when those before it have ended, however they ended. */
	run<T>(commit: () => Promise<T>): Promise<T> {
		return this.#semaphore.run(commit);
	}
}
