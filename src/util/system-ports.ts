/** The real clock and the real randomness. The one place, with tests and benchmarks, that may touch the ambient ones. */
import { closeSync, openSync, readSync } from 'node:fs';
import { nodeCrypto } from './lazy-builtin.ts';
import type { Clock, Random } from './ports.ts';

/** Longest single timer of Node (2^31 - 1 ms); longer sleeps are made of several. */
const MAX_TIMER_MS = 2_147_483_647;
/** The system is asked for this many bytes at a time: small requests are served from a buffer. */
const RANDOM_POOL_BYTES = 1024;

/** The system's clock. */
export const systemClock: Clock = {
	nowMs: () => Date.now(),
	// `performance` would load ten modules
	monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
	sleep: (ms, signal) => wait(ms, signal, true),
	doze: (ms, signal) => wait(ms, signal, false),
};

async function wait(ms: number, signal: AbortSignal | undefined, keepAlive: boolean): Promise<void> {
	let left = Math.max(0, ms);
	do {
		const part = Math.min(left, MAX_TIMER_MS);
		await timer(part, signal, keepAlive);
		left -= part;
	} while (left > 0);
}

function timer(ms: number, signal: AbortSignal | undefined, keepAlive: boolean): Promise<void> {
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
		if (!keepAlive) handle.unref();
		signal?.addEventListener('abort', onAbort, { once: true });
	});
}

class SystemRandom implements Random {
	#pool: Uint8Array | undefined;
	#used = RANDOM_POOL_BYTES;

	bytes(length: number): Uint8Array {
		if (length > RANDOM_POOL_BYTES) return nodeCrypto().randomFillSync(new Uint8Array(length));
		this.#pool ??= new Uint8Array(RANDOM_POOL_BYTES);
		if (this.#used + length > RANDOM_POOL_BYTES) {
			fillPool(this.#pool);
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

/**
 * A process that appends one row needs nothing of `node:crypto` but these bytes, and would take longer to load it than to
 * write the row. The kernel's own generator is what it would ask.
 */
function fillPool(pool: Uint8Array): void {
	try {
		const file = openSync('/dev/urandom', 'r');
		try {
			if (readSync(file, pool) === pool.length) return;
		} finally {
			closeSync(file);
		}
	} catch {
		// a system without it
	}
	nodeCrypto().randomFillSync(pool);
}

/** Cryptographic bytes for ids; `float` is for jitter only. */
export const systemRandom: Random = new SystemRandom();
