/** Calls that end by a given time. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import { abortedError, throwIfAborted } from './bounded-pool.ts';
import type { Clock } from './ports.ts';
import { systemClock } from './system-ports.ts';

/** What every call that reads or writes takes. */
export interface CallOptions {
	/** ends the call with `ABORTED` */
	readonly signal?: AbortSignal;
	/**
	 * Milliseconds that the call may take, a whole number from 1 up; then it ends with `ABORTED`, and `context.mayBeCommitted`
	 * tells whether something may have been committed. A commit that is at its swap by then gets up to
	 * {@link SETTLE_GRACE_MS} more, to tell what became of it. Default: as long as it takes.
	 */
	readonly timeoutMs?: number;
}

/** Milliseconds that a commit may take after its deadline to tell its outcome. */
export const SETTLE_GRACE_MS = 250;

/** What a call leaves behind: nothing; one commit, or none; several steps, each of which stands. */
export type CallEffect = 'none' | 'commit' | 'steps';

/** A call, as its error names it. */
export interface LimitedCall {
	/** such as `append to /tables/runs` */
	readonly name: string;
	readonly effect: CallEffect;
	readonly clock?: Clock;
}

/** @throws `INVALID_ARGUMENT` for a time that is none, and a signal that is no `AbortSignal` */
export function checkCallOptions({ signal, timeoutMs }: CallOptions): void {
	if (timeoutMs !== undefined && !(Number.isSafeInteger(timeoutMs) && timeoutMs > 0)) {
		const given = typeof timeoutMs === 'string' ? `'${timeoutMs as string}'` : String(timeoutMs);
		throw new IcebergError('INVALID_ARGUMENT', `timeoutMs is a whole number of milliseconds from 1 up, not ${given}`, {
			context: { timeoutMs },
		});
	}
	if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function')
		throw new IcebergError('INVALID_ARGUMENT', 'signal is an AbortSignal, such as the `signal` of an AbortController');
}

/**
 * Runs a call under its signal and its deadline. What the call does is asked to stop by the signal that it is given; when
 * it does not, it goes on by itself, and nobody waits for it.
 *
 * @throws `ABORTED` when the time is up; `INVALID_ARGUMENT` as {@link checkCallOptions}; and what the work throws
 */
export async function within<T>(
	call: LimitedCall,
	options: CallOptions,
	work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
	checkCallOptions(options);
	if (options.timeoutMs === undefined) return work(options.signal);
	const deadline = new Deadline(call, options.signal, options.timeoutMs);
	try {
		return await deadline.race(work(deadline.signal));
	} finally {
		deadline.end();
	}
}

/** {@link within} for what is read step by step: the time runs from the first step to the last, the reader's own included. */
export function streamWithin<T>(
	call: LimitedCall,
	options: CallOptions,
	work: (signal: AbortSignal | undefined) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
	// Where steps are small, one more generator for each of them is felt.
	if (options.timeoutMs === undefined && options.signal === undefined) return work(undefined);
	return limitedStream(call, options, work);
}

async function* limitedStream<T>(
	call: LimitedCall,
	options: CallOptions,
	work: (signal: AbortSignal | undefined) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
	checkCallOptions(options);
	if (options.timeoutMs === undefined) {
		yield* work(options.signal);
		return;
	}
	const deadline = new Deadline(call, options.signal, options.timeoutMs);
	const steps = work(deadline.signal)[Symbol.asyncIterator]();
	let ended = false;
	try {
		for (;;) {
			const step = await deadline.race(steps.next());
			ended = step.done === true;
			if (step.done === true) return;
			yield step.value;
		}
	} finally {
		const closing = ended ? undefined : steps.return?.();
		// A step that hangs cannot be closed; it is given up.
		if (deadline.isOver) closing?.catch(() => undefined);
		else await closing;
		deadline.end();
	}
}

/**
 * The steps of a source until the signal is aborted, also while a step is being waited for.
 * @throws `ABORTED`, and what the source throws
 */
export async function* untilAborted<T>(
	source: AsyncIterable<T>,
	signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
	if (signal === undefined) {
		yield* source;
		return;
	}
	const steps = source[Symbol.asyncIterator]();
	let rejectWaiting: ((error: unknown) => void) | undefined;
	let ended = false;
	const abort = (): void => rejectWaiting?.(abortedError(signal));
	signal.addEventListener('abort', abort, { once: true });
	try {
		for (;;) {
			throwIfAborted(signal);
			const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
				rejectWaiting = reject;
				steps.next().then(resolve, (error: unknown) => {
					ended = true;
					reject(error);
				});
			});
			ended = step.done === true;
			if (step.done === true) return;
			yield step.value;
		}
	} finally {
		signal.removeEventListener('abort', abort);
		const closing = ended ? undefined : steps.return?.();
		if (signal.aborted) closing?.catch(() => undefined);
		else await closing;
	}
}

class Deadline {
	readonly #call: LimitedCall;
	readonly #timeoutMs: number;
	readonly #outer: AbortSignal | undefined;
	readonly #stopped = new AbortController();
	readonly #ended = new AbortController();
	readonly #forward: () => void;
	#late: IcebergError | undefined;
	#rejectWaiting: ((error: IcebergError) => void) | undefined;
	isOver = false;

	constructor(call: LimitedCall, outer: AbortSignal | undefined, timeoutMs: number) {
		this.#call = call;
		this.#outer = outer;
		this.#timeoutMs = timeoutMs;
		this.#forward = () => this.#stopped.abort(outer?.reason);
		if (outer?.aborted === true) this.#forward();
		else outer?.addEventListener('abort', this.#forward, { once: true });
		void this.#expire();
	}

	/** aborted by the caller's signal, or when the time is up */
	get signal(): AbortSignal {
		return this.#stopped.signal;
	}

	/** What the work gives, or the end of the time. One at a time. */
	race<T>(work: Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			this.#rejectWaiting = reject;
			work.then(resolve, (error: unknown) => {
				const stopped = this.isOver && isIcebergError(error, 'ABORTED');
				reject(stopped ? this.#error(this.#call.effect === 'steps', error) : error);
			});
			if (this.#late !== undefined) reject(this.#late);
		});
	}

	end(): void {
		this.#outer?.removeEventListener('abort', this.#forward);
		this.#ended.abort();
	}

	async #expire(): Promise<void> {
		const { effect, clock = systemClock } = this.#call;
		try {
			await clock.sleep(this.#timeoutMs, this.#ended.signal);
			this.isOver = true;
			this.#stopped.abort(this.#error(effect === 'steps'));
			// The work has its chance to tell what became of it.
			if (effect !== 'none') await clock.sleep(SETTLE_GRACE_MS, this.#ended.signal);
		} catch {
			return;
		}
		this.#late = this.#error(effect !== 'none');
		this.#rejectWaiting?.(this.#late);
	}

	#error(mayBeCommitted: boolean, cause?: unknown): IcebergError {
		const { name, effect } = this.#call;
		const consequence: Record<CallEffect, string> = {
			none: '',
			commit: mayBeCommitted
				? '; it may have been committed, or may yet be: look before you repeat it'
				: '; nothing was committed',
			steps: '; what it had done by then stands',
		};
		return new IcebergError('ABORTED', `${name} did not end within ${this.#timeoutMs} ms${consequence[effect]}`, {
			context: { call: name, timeoutMs: this.#timeoutMs, mayBeCommitted },
			...(cause === undefined ? {} : { cause }),
		});
	}
}
