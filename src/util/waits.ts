/** Waits that end early. */
import type { Clock } from './ports.ts';

/** Waits without keeping the process alive, until the signal or the time ends it. */
export async function doze(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
	try {
		signal?.throwIfAborted();
		await (clock.doze === undefined ? clock.sleep(ms, signal) : clock.doze(ms, signal));
	} catch (error) {
		if (signal === undefined || !signal.aborted) throw error;
	}
}

/** What `promise` gives, or undefined after `ms`. */
export async function inTime<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
	return firstOf(promise, (signal) => clock.sleep(ms, signal));
}

/** {@link inTime} that does not keep the process alive. */
export async function inTimeDozing<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
	return firstOf(promise, (signal) => doze(clock, ms, signal));
}

/** After the callbacks that are due now: timers, and what the system has to say, get their turn. */
export function nextTurn(): Promise<void> {
	return new Promise((resolve) => void setImmediate(resolve));
}

/** Made once: an exception for each wait would cost more than the wait. */
const ENDED = new Error('the wait was over');

async function firstOf<T>(promise: Promise<T>, wait: (signal: AbortSignal) => Promise<void>): Promise<T | undefined> {
	const timer = new AbortController();
	const late = wait(timer.signal).then(
		() => undefined,
		() => undefined,
	);
	try {
		return await Promise.race([promise, late]);
	} finally {
		timer.abort(ENDED);
	}
}
