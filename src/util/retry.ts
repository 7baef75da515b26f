/** Bounded, jittered, exponential back-off. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from './bounded-pool.ts';
import type { Clock, Random } from './ports.ts';

export interface BackoffOptions {
	/** most waits; 0: a single attempt */
	readonly maxRetries: number;
	/** ms, scale of the first wait */
	readonly minWaitMs: number;
	/** ms, no wait is longer */
	readonly maxWaitMs: number;
	/** ms since the start after which no further attempt is begun */
	readonly totalTimeoutMs: number;
}

/**
 * Doles out waits. Each is uniform between 0 and min(maxWaitMs, minWaitMs * 2^n), so that contenders spread.
 */
export class Backoff {
	readonly #options: BackoffOptions;
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #startMs: number;
	#retries = 0;

	constructor(options: BackoffOptions, clock: Clock, random: Random) {
		this.#options = options;
		this.#clock = clock;
		this.#random = random;
		this.#startMs = clock.monotonicMs();
	}

	/** waits so far */
	get retries(): number {
		return this.#retries;
	}

	/** ms since this object was made */
	get elapsedMs(): number {
		return this.#clock.monotonicMs() - this.#startMs;
	}

	/**
	 * Waits before the next attempt. Resolves to false, at once, when count or time are used up.
	 * @param atOnce the attempt counts, but there is no wait before it
	 * @throws `ABORTED`
	 */
	async next(signal?: AbortSignal, atOnce = false): Promise<boolean> {
		throwIfAborted(signal);
		const { maxRetries, minWaitMs, maxWaitMs, totalTimeoutMs } = this.#options;
		if (this.#retries >= maxRetries) return false;
		const ceilingMs = Math.min(maxWaitMs, minWaitMs * 2 ** Math.min(this.#retries, 52));
		const waitMs = atOnce ? 0 : ceilingMs * this.#random.float();
		if (this.elapsedMs + waitMs > totalTimeoutMs) return false;
		this.#retries++;
		if (atOnce) return true;
		try {
			await this.#clock.sleep(waitMs, signal);
		} catch (error) {
			throwIfAborted(signal);
			throw error;
		}
		return true;
	}
}

/**
 * Repeats `work` while it fails with an `IcebergError` whose `retryable` is true and the back-off allows it.
 * Only for work that is safe to repeat. @throws the last failure, `ABORTED`
 */
export async function retrying<T>(
	work: () => Promise<T>,
	options: BackoffOptions,
	ports: { readonly clock: Clock; readonly random: Random; readonly signal?: AbortSignal },
): Promise<T> {
	const backoff = new Backoff(options, ports.clock, ports.random);
	for (;;) {
		throwIfAborted(ports.signal);
		try {
			return await work();
		} catch (error) {
			if (!(error instanceof IcebergError && error.retryable)) throw error;
			if (!(await backoff.next(ports.signal))) throw error;
		}
	}
}
