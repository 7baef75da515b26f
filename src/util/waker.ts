import { deferred } from './deferred.ts';
import type { Clock } from './ports.ts';
import { inTimeDozing } from './waits.ts';

/** Somebody who sleeps until there is something to do. A call that comes while nobody sleeps ends the next sleep at once. */
export class Waker {
	readonly #clock: Clock;
	#called = deferred<void>();
	#isCalled = false;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	wake(): void {
		this.#isCalled = true;
		this.#called.resolve();
	}

	/** Until the call, or for so many ms; it does not keep the process alive. */
	async sleep(ms: number): Promise<void> {
		if (!this.#isCalled) await inTimeDozing(this.#clock, Math.max(0, ms), this.#called.promise);
		if (this.#isCalled) this.#called = deferred<void>();
		this.#isCalled = false;
	}
}
