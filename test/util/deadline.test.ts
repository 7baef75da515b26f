import { describe, expect, it } from 'vitest';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { throwIfAborted } from '../../src/util/bounded-pool.ts';
import {
	type CallEffect,
	checkCallOptions,
	SETTLE_GRACE_MS,
	streamWithin,
	untilAborted,
	within,
} from '../../src/util/deadline.ts';
import { deferred } from '../../src/util/deferred.ts';
import { StepClock } from '../support/step-clock.ts';

const failure = (promise: Promise<unknown>): Promise<Error & { context: Record<string, unknown>; code: string }> =>
	promise.then(
		() => expect.fail('it succeeded'),
		(error: unknown) => error as never,
	);

function call(effect: CallEffect) {
	const clock = new StepClock();
	return { clock, limits: { name: 'the work', effect, clock } };
}

/** Work that stops when it is told to. */
const obedient = (signal: AbortSignal | undefined): Promise<never> =>
	new Promise((_, reject) => {
		signal?.addEventListener('abort', () => {
			try {
				throwIfAborted(signal);
			} catch (error) {
				reject(error as Error);
			}
		});
	});

describe('options of calls', () => {
	it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, 5n])(
		'refuse the time %s',
		async (timeoutMs) => {
			const options = { timeoutMs: timeoutMs as number };
			expect(() => checkCallOptions(options)).toThrow(/timeoutMs is a whole number of milliseconds from 1 up, not/);
			const error = await failure(within(call('none').limits, options, async () => 1));
			expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', context: { timeoutMs } });
		},
	);

	it('refuse a signal that is none', () => {
		const signal = new AbortController() as unknown as AbortSignal;
		expect(() => checkCallOptions({ signal })).toThrow(/signal is an AbortSignal/);
	});
});

describe('a call with a deadline', () => {
	it('gives what the work gives, and leaves no timer', async () => {
		const { clock, limits } = call('none');
		expect(await within(limits, { timeoutMs: 5 }, async () => 7)).toBe(7);
		await expect(
			within(limits, { timeoutMs: 5 }, async () => {
				throw new Error('its own');
			}),
		).rejects.toThrow('its own');
		expect(clock.sleeperCount).toBe(0);
	});

	it('ends a read at once, even one that does not stop', async () => {
		const { clock, limits } = call('none');
		const ended = failure(within(limits, { timeoutMs: 5 }, () => new Promise(() => undefined)));
		await clock.advance(5);
		const error = await ended;
		expect(isIcebergError(error, 'ABORTED')).toBe(true);
		expect(error.message).toBe('the work did not end within 5 ms');
		expect(error.context).toEqual({ call: 'the work', timeoutMs: 5, mayBeCommitted: false });
		expect(clock.sleeperCount).toBe(0);
	});

	it('says that nothing was committed when the work stopped before', async () => {
		const { clock, limits } = call('commit');
		const ended = failure(within(limits, { timeoutMs: 5 }, obedient));
		await clock.advance(5);
		const error = await ended;
		expect(error).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: false } });
		expect(error.message).toBe('the work did not end within 5 ms; nothing was committed');
	});

	it('gives the outcome of a commit that comes a little late', async () => {
		const { clock, limits } = call('commit');
		const work = deferred<string>();
		const ended = within(limits, { timeoutMs: 5 }, () => work.promise);
		await clock.advance(5);
		work.resolve('committed');
		expect(await ended).toBe('committed');
		expect(clock.sleeperCount).toBe(0);
	});

	it('says that it may be committed when the outcome does not come', async () => {
		const { clock, limits } = call('commit');
		const ended = failure(within(limits, { timeoutMs: 5 }, () => new Promise(() => undefined)));
		await clock.advance(5);
		await clock.advance(SETTLE_GRACE_MS);
		const error = await ended;
		expect(error).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: true } });
		expect(error.message).toMatch(/may have been committed, or may yet be: look before you repeat it/);
	});

	it('says that the steps of a task stand', async () => {
		const { clock, limits } = call('steps');
		const ended = failure(within(limits, { timeoutMs: 5 }, obedient));
		await clock.advance(5);
		const error = await ended;
		expect(error).toMatchObject({ code: 'ABORTED', context: { mayBeCommitted: true } });
		expect(error.message).toMatch(/what it had done by then stands/);
	});

	it('heeds the signal beside it', async () => {
		const { clock, limits } = call('commit');
		const controller = new AbortController();
		const ended = failure(within(limits, { timeoutMs: 5, signal: controller.signal }, obedient));
		controller.abort(new Error('enough'));
		const error = await ended;
		expect(error).toMatchObject({ code: 'ABORTED', message: 'the call was aborted' });
		expect((error.cause as Error).message).toBe('enough');
		expect(clock.sleeperCount).toBe(0);
		const before = AbortSignal.abort();
		await expect(
			within(limits, { timeoutMs: 5, signal: before }, async (signal) => throwIfAborted(signal)),
		).rejects.toMatchObject({ code: 'ABORTED' });
	});
});

describe('a stream with a deadline', () => {
	it('ends while a step is waited for, and closes the source', async () => {
		const { clock, limits } = call('none');
		let closed = false;
		const stream = streamWithin(limits, { timeoutMs: 5 }, async function* (signal) {
			try {
				yield 1;
				await obedient(signal);
			} finally {
				closed = true;
			}
		});
		expect(await stream.next()).toEqual({ done: false, value: 1 });
		const ended = failure(stream.next());
		await clock.advance(5);
		expect(await ended).toMatchObject({ code: 'ABORTED', context: { timeoutMs: 5 } });
		expect(closed).toBe(true);
		expect(clock.sleeperCount).toBe(0);
	});

	it('ends also for a reader that takes its time, and for a source that hangs', async () => {
		const { clock, limits } = call('none');
		const stream = streamWithin(limits, { timeoutMs: 5 }, async function* () {
			yield 1;
			await new Promise(() => undefined);
		});
		await stream.next();
		await clock.advance(5);
		expect(await failure(stream.next())).toMatchObject({ code: 'ABORTED' });
	});

	it('closes its source when it is left, and leaves no timer', async () => {
		const { clock, limits } = call('none');
		let closed = false;
		const stream = streamWithin(limits, { timeoutMs: 5 }, async function* () {
			try {
				yield 1;
				yield 2;
			} finally {
				closed = true;
			}
		});
		for await (const _ of stream) break;
		expect(closed).toBe(true);
		expect(clock.sleeperCount).toBe(0);
	});
});

describe('steps until aborted', () => {
	it('end while a step is waited for', async () => {
		const controller = new AbortController();
		const steps = untilAborted(
			(async function* () {
				yield 1;
				await new Promise(() => undefined);
			})(),
			controller.signal,
		);
		expect((await steps.next()).value).toBe(1);
		const ended = failure(steps.next());
		controller.abort();
		expect(await ended).toMatchObject({ code: 'ABORTED' });
	});

	it('close their source, and pass its error on', async () => {
		const { signal } = new AbortController();
		let closed = 0;
		const source = async function* () {
			try {
				yield 1;
				throw new Error('its own');
			} finally {
				closed++;
			}
		};
		for await (const _ of untilAborted(source(), signal)) break;
		expect(closed).toBe(1);
		await expect(
			(async () => {
				for await (const _ of untilAborted(source(), signal));
			})(),
		).rejects.toThrow('its own');
		expect(closed).toBe(2);
	});
});
