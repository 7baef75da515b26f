import type { Clock } from '../../src/util/ports.ts';

interface Sleeper {
	readonly atMs: number;
	readonly wake: () => void;
}

/** A clock that stands still until it is moved; then those wake up whose time has come. */
export class StepClock implements Clock {
	ms = 1_700_000_000_000;
	#sleepers: Sleeper[] = [];

	get sleeperCount(): number {
		return this.#sleepers.length;
	}

	nowMs(): number {
		return this.ms;
	}

	monotonicMs(): number {
		return this.ms;
	}

	sleep(ms: number, signal?: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const sleeper = { atMs: this.ms + ms, wake: resolve };
			this.#sleepers.push(sleeper);
			signal?.addEventListener('abort', () => {
				this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
				reject(signal.reason);
			});
		});
	}

	/** Moves on, and lets those who woke up run until nothing happens any more without I/O. */
	async advance(ms: number): Promise<void> {
		this.ms += ms;
		const due = this.#sleepers.filter(({ atMs }) => atMs <= this.ms);
		this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.ms);
		for (const { wake } of due) wake();
		await new Promise((resolve) => setImmediate(resolve));
	}
}
