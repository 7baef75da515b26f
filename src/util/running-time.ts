import type { Clock } from './ports.ts';

/** How long something takes lately: a mean in which the newest measurement has a fixed weight. */
export class RunningTime {
	readonly #clock: Clock;
	readonly #newestWeight: number;
	#meanMs: number;

	/** @param firstMs the mean before anything was measured */
	constructor(clock: Clock, newestWeight: number, firstMs = 0) {
		this.#clock = clock;
		this.#newestWeight = newestWeight;
		this.#meanMs = firstMs;
	}

	get meanMs(): number {
		return this.#meanMs;
	}

	/** It began at `startMs` of the monotonic clock, and ends now. */
	endedNow(startMs: number): void {
		this.#meanMs += (this.#clock.monotonicMs() - startMs - this.#meanMs) * this.#newestWeight;
	}
}
