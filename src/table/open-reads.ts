/** Reads of this thread that are under way, so that what they may still need is not deleted. */
import { withoutTrailingSlash } from '../io/location.ts';
import type { Clock } from '../util/ports.ts';

/** A read that has not ended after this long was forgotten by its caller: it holds nothing back any more, ms. */
export const FORGOTTEN_READ_MS = 3_600_000;

const byLocation = new Map<string, Set<{ readonly startMs: number }>>();

/** Notes that a read of a table begins. The caller calls the result when it has ended; more calls do nothing. */
export function beginRead(tableLocation: string, clock: Clock): () => void {
	const location = withoutTrailingSlash(tableLocation);
	let reads = byLocation.get(location);
	if (reads === undefined) byLocation.set(location, (reads = new Set()));
	const read = { startMs: clock.monotonicMs() };
	reads.add(read);
	return () => {
		const all = byLocation.get(location);
		if (all?.delete(read) === true && all.size === 0) byLocation.delete(location);
	};
}

/**
 * When the oldest read of a table that is under way began, by the clock's monotonic time; `undefined` when there is none. A file
 * that was let go before then is none that it needs.
 */
export function oldestReadMs(tableLocation: string, clock: Clock): number | undefined {
	const reads = byLocation.get(withoutTrailingSlash(tableLocation));
	if (reads === undefined) return undefined;
	const nowMs = clock.monotonicMs();
	let oldest: number | undefined;
	// Sets keep the order in which reads began.
	for (const read of reads) {
		if (nowMs - read.startMs >= FORGOTTEN_READ_MS) reads.delete(read);
		else oldest = Math.min(oldest ?? read.startMs, read.startMs);
	}
	return oldest;
}
