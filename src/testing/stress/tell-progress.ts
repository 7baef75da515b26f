/** Tells how far a stress test has come, ten times a second. */
import { systemClock } from '../../util/system-ports.ts';
import type { StressProgress } from './stress-options.ts';
import type { WriterGroup } from './writer-group.ts';
import type { Contender } from './writer-protocol.ts';

const TELL_EVERY_MS = 100;
/** Tellings over which the rate is taken: a second. */
const RATE_TELLINGS = 10;

export class ProgressTeller {
	readonly #onProgress: ((progress: StressProgress) => void) | undefined;
	#phase: AbortController | undefined;

	constructor(onProgress: ((progress: StressProgress) => void) | undefined) {
		this.#onProgress = onProgress;
	}

	/** Tells of what writers do until the next phase, or the end. */
	watch(phase: string, group: WriterGroup, expected: number | undefined, contender: Contender = 'table'): void {
		this.end();
		if (this.#onProgress === undefined) return;
		const over = new AbortController();
		this.#phase = over;
		void this.#tellOf(group, { phase, contender, expected }, over.signal);
	}

	/** Tells of something in which nothing is counted. */
	phase(phase: string): void {
		this.end();
		const nothing = { acknowledged: 0, expected: undefined, failed: 0, elapsedMs: 0, ratePerSecond: 0 };
		this.#onProgress?.({ phase, contender: 'table', ...nothing, p50: 0, p99: 0, max: 0 });
	}

	end(): void {
		this.#phase?.abort();
		this.#phase = undefined;
	}

	async #tellOf(
		group: WriterGroup,
		what: Pick<StressProgress, 'phase' | 'contender' | 'expected'>,
		signal: AbortSignal,
	): Promise<void> {
		const { acknowledgements } = group;
		const past: { readonly count: number; readonly atMs: number }[] = [];
		while (!signal.aborted) {
			const now = { count: acknowledgements.count, atMs: systemClock.monotonicMs() };
			past.push(now);
			if (past.length > RATE_TELLINGS) past.shift();
			const [then = now] = past;
			const { p50, p99, max } = acknowledgements.latencies.summary();
			this.#onProgress?.({
				...what,
				acknowledged: now.count,
				failed: acknowledgements.failureCount,
				elapsedMs: group.elapsedMs,
				ratePerSecond: now.atMs === then.atMs ? 0 : ((now.count - then.count) * 1000) / (now.atMs - then.atMs),
				p50,
				p99,
				max,
			});
			await systemClock.sleep(TELL_EVERY_MS, signal).catch(() => undefined);
		}
	}
}
