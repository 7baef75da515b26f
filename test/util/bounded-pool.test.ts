import { describe, expect, it } from 'vitest';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { mapAllBounded, mapBounded, Semaphore, throwIfAborted } from '../../src/util/bounded-pool.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('mapBounded', () => {
	it('yields results in the order of the items and never runs more than the limit', async () => {
		let running = 0;
		let most = 0;
		const results = await mapAllBounded([5, 1, 4, 2, 3, 0], 3, async (turns) => {
			most = Math.max(most, ++running);
			for (let i = 0; i < turns; i++) await turn();
			running--;
			return turns * 10;
		});
		expect(results).toEqual([50, 10, 40, 20, 30, 0]);
		expect(most).toBe(3);
	});

	it('hands out a result while the source is still slow to give the next item', async () => {
		let release: () => void = () => undefined;
		const gate = new Promise<void>((resolve) => {
			release = resolve;
		});
		async function* slow() {
			yield 1;
			await gate;
			yield 2;
		}
		const results = mapBounded(slow(), 4, async (n) => n);
		expect((await results.next()).value).toBe(1);
		release();
		expect((await results.next()).value).toBe(2);
		expect((await results.next()).done).toBe(true);
	});

	it('waits for what was started before it throws, starts nothing more and closes the source', async () => {
		const started: number[] = [];
		let ended = 0;
		let closed = false;
		function* source() {
			try {
				for (let i = 0; i < 100; i++) yield i;
			} finally {
				closed = true;
			}
		}
		const work = mapAllBounded(source(), 4, async (i) => {
			started.push(i);
			await turn();
			ended++;
			if (i === 1) throw new Error('second fails');
		});
		await expect(work).rejects.toThrow('second fails');
		expect(ended).toBe(started.length);
		expect(started.length).toBeLessThan(8);
		expect(closed).toBe(true);
	});

	it('throws what the source throws', async () => {
		async function* broken() {
			yield 1;
			throw new Error('source broke');
		}
		await expect(mapAllBounded(broken(), 2, async (n) => n)).rejects.toThrow('source broke');
	});

	it('stops when aborted', async () => {
		const controller = new AbortController();
		const work = mapAllBounded(
			(function* () {
				for (;;) yield 0;
			})(),
			2,
			async () => {
				await turn();
				controller.abort(new Error('enough'));
			},
			controller.signal,
		);
		await expect(work).rejects.toMatchObject({ code: 'ABORTED' });
	});

	it('refuses a limit below one', async () => {
		await expect(mapAllBounded([1], 0, async () => 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		expect(() => new Semaphore(1.5)).toThrow(/1\.5/);
	});
});

describe('Semaphore', () => {
	it('serves the waiting in order and counts a release once', async () => {
		const semaphore = new Semaphore(1);
		const order: string[] = [];
		const release = await semaphore.acquire();
		const second = semaphore.run(async () => {
			order.push('second');
		});
		const third = semaphore.run(async () => {
			order.push('third');
		});
		order.push('first');
		release();
		release();
		await Promise.all([second, third]);
		expect(order).toEqual(['first', 'second', 'third']);
	});
});

describe('throwIfAborted', () => {
	it('throws ABORTED with the reason as cause', () => {
		const reason = new Error('deadline');
		try {
			throwIfAborted(AbortSignal.abort(reason));
			expect.unreachable();
		} catch (error) {
			expect(isIcebergError(error, 'ABORTED')).toBe(true);
			expect((error as Error).cause).toBe(reason);
		}
		expect(() => throwIfAborted(new AbortController().signal)).not.toThrow();
	});
});
