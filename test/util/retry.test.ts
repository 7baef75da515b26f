import { describe, expect, it } from 'vitest';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import type { Clock, Random } from '../../src/util/ports.ts';
import { Backoff, retrying } from '../../src/util/retry.ts';

function simulated(floats: () => number): { clock: Clock; random: Random; waits: number[] } {
	let now = 0;
	const waits: number[] = [];
	return {
		waits,
		clock: {
			nowMs: () => now,
			monotonicMs: () => now,
			sleep: async (ms, signal) => {
				signal?.throwIfAborted();
				waits.push(ms);
				now += ms;
			},
		},
		random: { bytes: (n) => new Uint8Array(n), float: floats },
	};
}
const options = { maxRetries: 5, minWaitMs: 10, maxWaitMs: 60, totalTimeoutMs: 1_000_000 };

describe('Backoff', () => {
	it('doubles the wait up to the longest one and ends after the number of retries', async () => {
		const { clock, random, waits } = simulated(() => 1);
		const backoff = new Backoff(options, clock, random);
		const answers = [];
		for (let i = 0; i < 6; i++) answers.push(await backoff.next());
		expect(waits).toEqual([10, 20, 40, 60, 60]);
		expect(answers).toEqual([true, true, true, true, true, false]);
		expect(backoff.retries).toBe(5);
	});

	it('jitters between nothing and the whole wait', async () => {
		const { clock, random, waits } = simulated(() => 0.25);
		await new Backoff(options, clock, random).next();
		expect(waits).toEqual([2.5]);
	});

	it('counts an attempt at once among the others, and ends all the same', async () => {
		const { clock, random, waits } = simulated(() => 1);
		const backoff = new Backoff({ ...options, maxRetries: 3 }, clock, random);
		const answers = [await backoff.next(undefined, true), await backoff.next(), await backoff.next(undefined, true)];
		expect([...answers, await backoff.next(undefined, true)]).toEqual([true, true, true, false]);
		expect(waits).toEqual([20]);
	});

	it('does not wait past the total time', async () => {
		const { clock, random, waits } = simulated(() => 1);
		const backoff = new Backoff({ ...options, totalTimeoutMs: 35 }, clock, random);
		expect([await backoff.next(), await backoff.next(), await backoff.next()]).toEqual([true, true, false]);
		expect(waits).toEqual([10, 20]);
		expect(backoff.elapsedMs).toBe(30);
	});

	it('is ended by the signal', async () => {
		const { clock, random } = simulated(() => 1);
		const backoff = new Backoff(options, clock, random);
		await expect(backoff.next(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
	});
});

describe('retrying', () => {
	it('repeats only what is retryable', async () => {
		const { clock, random } = simulated(() => 0);
		let calls = 0;
		const result = await retrying(
			async () => {
				if (++calls < 3) throw new IcebergError('STORAGE', 'busy', { retryable: true });
				return calls;
			},
			options,
			{ clock, random },
		);
		expect(result).toBe(3);
		calls = 0;
		await expect(
			retrying(
				async () => {
					calls++;
					throw new IcebergError('STORAGE', 'broken');
				},
				options,
				{ clock, random },
			),
		).rejects.toThrow('broken');
		expect(calls).toBe(1);
	});

	it('throws the last failure when the retries are used up', async () => {
		const { clock, random } = simulated(() => 0);
		let calls = 0;
		await expect(
			retrying(
				async () => {
					throw new IcebergError('STORAGE', `busy ${++calls}`, { retryable: true });
				},
				options,
				{ clock, random },
			),
		).rejects.toThrow('busy 6');
	});
});
