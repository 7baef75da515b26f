/** The real clock and the real randomness. The one place, with tests and benchmarks, that may touch the ambient ones. */
import { randomFillSync } from 'node:crypto';
import type { Clock, Random } from './ports.ts';

/** Longest single timer of Node (2^31 - 1 ms); longer sleeps are made of several. */
const MAX_TIMER_MS = 2_147_483_647;
/** `crypto` is asked for this many bytes at a time: small requests are served from a buffer. */
const RANDOM_POOL_BYTES = 1024;

/** The system's clock. */
export const systemClock: Clock = {
	nowMs: () => Date.now(),
	monotonicMs: () => performance.now(),
	async sleep(ms: number, signal?: AbortSignal): Promise<void> {
		let left = Math.max(0, ms);
		do {
			const part = Math.min(left, MAX_TIMER_MS);
			await timer(part, signal);
			left -= part;
		} while (left > 0);
	},
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(signal.reason);
			return;
		}
		const onAbort = (): void => {
			clearTimeout(handle);
			reject(signal?.reason);
		};
		const handle = setTimeout(() => {
			signal?.removeEventListener('abort', onAbort);
			resolve();
		}, ms);
		signal?.addEventListener('abort', onAbort, { once: true });
	});
}

class SystemRandom implements Random {
	#pool: Uint8Array | undefined;
	#used = RANDOM_POOL_BYTES;

	bytes(length: number): Uint8Array {
		if (length > RANDOM_POOL_BYTES) return randomFillSync(new Uint8Array(length));
		this.#pool ??= new Uint8Array(RANDOM_POOL_BYTES);
		if (this.#used + length > RANDOM_POOL_BYTES) {
			randomFillSync(this.#pool);
			this.#used = 0;
		}
		const result = this.#pool.slice(this.#used, this.#used + length);
		this.#used += length;
		return result;
	}

	float(): number {
		return Math.random();
	}
}

/** Cryptographic bytes for ids; `float` is for jitter only. */
export const systemRandom: Random = new SystemRandom();
