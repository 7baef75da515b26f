/** Bounded concurrency. */
import { IcebergError } from '../errors/iceberg-error.ts';

/** Lets at most `limit` holders in at a time; the others wait in order. */
export class Semaphore {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	/** @throws `INVALID_ARGUMENT` unless `limit` is a whole number of at least 1 */
	constructor(limit: number) {
		this.#free = checkLimit(limit);
	}

	/** Resolves once a place is free. The caller calls the result exactly once, when it is done; more calls do nothing. */
	async acquire(): Promise<() => void> {
		if (this.#free > 0) this.#free--;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
		let held = true;
		return () => {
			if (!held) return;
			held = false;
			const next = this.#waiting.shift();
			if (next === undefined) this.#free++;
			else next();
		};
	}

	async run<T>(work: () => Promise<T>): Promise<T> {
		const release = await this.acquire();
		try {
			return await work();
		} finally {
			release();
		}
	}
}

/**
 * Applies `work` to each item, at most `limit` at a time, and yields the results in the order of the items. At most
 * `limit` results wait to be taken. After a failure no further item is taken, and the failure is thrown only when
 * everything that was started has ended; so it is when the consumer stops early.
 */
export async function* mapBounded<T, R>(
	items: Iterable<T> | AsyncIterable<T>,
	limit: number,
	work: (item: T, index: number) => Promise<R>,
	signal?: AbortSignal,
): AsyncGenerator<R, void, undefined> {
	checkLimit(limit);
	const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
	const started: Promise<R>[] = [];
	let index = 0;
	let exhausted = false;
	let failed = false;
	let sourceFailure: { readonly error: unknown } | undefined;
	let pulling: Promise<void> | undefined;

	const take = (next: IteratorResult<T>): void => {
		if (next.done === true) {
			exhausted = true;
			return;
		}
		const result = work(next.value, index++);
		// A rejection is seen when its turn comes; until then it must not count as unhandled.
		result.catch(() => undefined);
		started.push(result);
	};
	const pull = async (): Promise<void> => {
		try {
			take(await source.next());
		} catch (error) {
			// Thrown when its turn comes: after the results of the items before it.
			exhausted = true;
			sourceFailure = { error };
		} finally {
			pulling = undefined;
		}
	};

	try {
		for (;;) {
			throwIfAborted(signal);
			if (!exhausted && pulling === undefined && started.length < limit) {
				pulling = pull();
			}
			const first = started[0];
			if (pulling !== undefined) {
				// A slow source must not hold back results that are there.
				if (first === undefined) await pulling;
				else if ((await Promise.race([pulling.then(() => 'pulled'), first.then(isDone, isDone)])) === 'pulled')
					continue;
			}
			if (first === undefined) {
				if (sourceFailure !== undefined) throw sourceFailure.error;
				if (exhausted) return;
				continue;
			}
			yield await first;
			started.shift();
		}
	} catch (error) {
		failed = true;
		throw error;
	} finally {
		await pulling;
		await Promise.allSettled(started);
		if (!exhausted) {
			// Closing the source must not hide the failure that ended the work.
			if (failed) await Promise.resolve(source.return?.()).catch(() => undefined);
			else await source.return?.();
		}
	}
}

const isDone = (): 'done' => 'done';

/** {@link mapBounded} for its effects, or for all results at once. */
export async function mapAllBounded<T, R>(
	items: Iterable<T> | AsyncIterable<T>,
	limit: number,
	work: (item: T, index: number) => Promise<R>,
	signal?: AbortSignal,
): Promise<R[]> {
	const results: R[] = [];
	for await (const result of mapBounded(items, limit, work, signal)) results.push(result);
	return results;
}

/** @throws `ABORTED`, with the signal's reason as cause, when the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
	if (signal?.aborted === true) throw abortedError(signal);
}

/** What an aborted call rejects with: the signal's reason where that says it all. */
export function abortedError(signal: AbortSignal): IcebergError {
	if (signal.reason instanceof IcebergError) return signal.reason;
	return new IcebergError('ABORTED', 'the call was aborted', { cause: signal.reason });
}

function checkLimit(limit: number): number {
	if (!Number.isSafeInteger(limit) || limit < 1)
		throw new IcebergError('INVALID_ARGUMENT', `concurrency must be a whole number of at least 1, not ${limit}`);
	return limit;
}
