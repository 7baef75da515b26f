/** Chooses between blocking system calls and the thread pool by payload size and by how fast the disk has been. */
import type { Clock } from '../util/ports.ts';
import type { FsCalls } from './fs-calls.ts';
import { RunningTime } from '../util/running-time.ts';

/** ms; above this mean, flushes go through the thread pool, where several run at once and block nobody. */
const SLOW_FLUSH_MS = 2;
/** ms; likewise all else. A trip through the pool costs more than a name on a busy disk; this is for slow networks. */
const SLOW_CREATE_MS = 10;
/** ms; up to this mean (a disk in memory) a flush costs less than the way to another thread. */
const QUICK_FLUSH_MS = 0.05;
/** ms; above this mean, new files are worth making ahead. */
const SLOW_NAME_MS = 0.1;
/** Threads that Node.js has for calls of the file system, unless told otherwise. */
const POOL_THREADS = 4;
/** Weight of the newest measurement in the running mean. */
const NEWEST_WEIGHT = 0.2;

export class SyncPacer {
	readonly #blocking: FsCalls;
	readonly #pooled: FsCalls;
	readonly #limitBytes: number;
	readonly #clock: Clock;
	readonly #flushing: RunningTime;
	readonly #creating: RunningTime;

	constructor(blocking: FsCalls, pooled: FsCalls, limitBytes: number, clock: Clock) {
		this.#blocking = blocking;
		this.#pooled = pooled;
		this.#limitBytes = limitBytes;
		this.#clock = clock;
		this.#flushing = new RunningTime(clock, NEWEST_WEIGHT);
		this.#creating = new RunningTime(clock, NEWEST_WEIGHT);
	}

	isSmall(sizeBytes: number): boolean {
		return sizeBytes <= this.#limitBytes || this.#limitBytes === 0;
	}

	/** For reading `sizeBytes`. */
	forRead(sizeBytes: number): FsCalls {
		return sizeBytes <= this.#limitBytes && this.#limitBytes > 0 ? this.#blocking : this.#pooled;
	}

	/** For writing `sizeBytes`, all but the flush: into the system's memory, and names on a file system that is quick. */
	forWrite(sizeBytes: number): FsCalls {
		return this.#creating.meanMs > SLOW_CREATE_MS ? this.#pooled : this.forRead(sizeBytes);
	}

	/** For deleting: a name takes as long to go as the file system has to do for it, and nobody is in a hurry. */
	get forDelete(): FsCalls {
		return this.#pooled;
	}

	/** True where a new file costs more than a few looks at old ones. */
	get isSlowToCreate(): boolean {
		return this.#creating.meanMs > SLOW_NAME_MS;
	}

	/** Makes a new file, and remembers how long it took. */
	async create(calls: FsCalls, path: string, flags: number, mode: number): Promise<number> {
		const startMs = this.#clock.monotonicMs();
		const fd = await calls.open(path, flags, mode);
		this.#creating.endedNow(startMs);
		return fd;
	}

	/** Flushes, and remembers how long it took. */
	async flush(calls: FsCalls, fd: number): Promise<void> {
		const startMs = this.#clock.monotonicMs();
		await (this.#flushing.meanMs > SLOW_FLUSH_MS ? this.#pooled : calls).fsync(fd);
		this.#flushing.endedNow(startMs);
	}

	/**
	 * Flushes all, side by side: a device, and the journal of a file system, serve several in little more time than one.
	 * @throws the first failure, when none is under way any more
	 */
	async flushTogether(calls: FsCalls, fds: readonly number[]): Promise<void> {
		const rest = [...fds];
		while (rest.length === 1 || (rest.length > 0 && this.#flushing.meanMs <= QUICK_FLUSH_MS))
			await this.flush(calls, rest.shift() as number);
		if (rest.length === 0) return;
		const startMs = this.#clock.monotonicMs();
		// While the pool is at it, this thread does its share, unless the disk is slow.
		const ownCount = this.#flushing.meanMs > SLOW_FLUSH_MS ? 0 : Math.ceil(rest.length / (POOL_THREADS + 1));
		const own = rest.splice(rest.length - ownCount);
		const pooled = rest.map(async (fd) => this.#pooled.fsync(fd));
		const inTurn = async (): Promise<void> => {
			for (const fd of own) await calls.fsync(fd);
		};
		const failed = (await Promise.allSettled([...pooled, inTurn()])).find((result) => result.status === 'rejected');
		if (failed !== undefined) throw failed.reason;
		this.#flushing.endedNow(startMs);
	}
}
