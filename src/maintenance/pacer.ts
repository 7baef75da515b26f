/** Keeps work in the background to a share of the time. */
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { Clock } from '../util/ports.ts';
import { doze } from '../util/waits.ts';

/** Work after which a pause is due, ms. */
const SLICE_MS = 10;
/** Longest pause, ms. */
const MAX_PAUSE_MS = 2_000;

export class Pacer {
	readonly #clock: Clock;
	readonly #signal: AbortSignal | undefined;
	#sinceMs: number;

	constructor(clock: Clock, signal: AbortSignal | undefined) {
		this.#clock = clock;
		this.#signal = signal;
		this.#sinceMs = clock.monotonicMs();
	}

	/**
	 * To be awaited between pieces of work: pauses for as long as the work since the last pause deserves.
	 * @param leastMs work for which there is no pause
	 * @throws `ABORTED`
	 */
	async pause(dutyPercent: number, leastMs: number = SLICE_MS): Promise<void> {
		throwIfAborted(this.#signal);
		const workedMs = this.#clock.monotonicMs() - this.#sinceMs;
		if (workedMs < leastMs) return;
		await doze(this.#clock, Math.min(MAX_PAUSE_MS, workedMs * (100 / dutyPercent - 1)), this.#signal);
		throwIfAborted(this.#signal);
		this.#sinceMs = this.#clock.monotonicMs();
	}
}
