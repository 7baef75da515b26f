/** Chooses between blocking system calls and the thread pool by payload size and by how fast the disk has been. */
import type { Clock } from '../util/ports.ts';
import type { FsCalls } from './fs-calls.ts';

/** ms; above this mean, flushes go through the thread pool, where several run at once and block nobody. */
const SLOW_FLUSH_MS = 2;
/** Weight of the newest measurement in the running mean. */
const NEWEST_WEIGHT = 0.2;

export class SyncPacer {
	readonly #blocking: FsCalls;
	readonly #pooled: FsCalls;
	readonly #limitBytes: number;
	readonly #clock: Clock;
	#meanFlushMs = 0;

	constructor(blocking: FsCalls, pooled: FsCalls, limitBytes: number, clock: Clock) {
		this.#blocking = blocking;
		this.#pooled = pooled;
		this.#limitBytes = limitBytes;
		this.#clock = clock;
	}

	/** For reading `sizeBytes`. */
	forRead(sizeBytes: number): FsCalls {
		return sizeBytes <= this.#limitBytes && this.#limitBytes > 0 ? this.#blocking : this.#pooled;
	}

	/** For writing `sizeBytes` and flushing them. */
	forWrite(sizeBytes: number): FsCalls {
		return this.#meanFlushMs > SLOW_FLUSH_MS ? this.#pooled : this.forRead(sizeBytes);
	}

	/** Flushes, and remembers how long it took. */
	async flush(calls: FsCalls, fd: number): Promise<void> {
		const startMs = this.#clock.monotonicMs();
		await calls.fsync(fd);
		this.#meanFlushMs += (this.#clock.monotonicMs() - startMs - this.#meanFlushMs) * NEWEST_WEIGHT;
	}
}
