/** Latencies in bounded memory: a histogram, and the times of the first and of the last appends. */

/** Each bucket of the histogram is wider than the one before by this factor: what it tells is exact to two per cent. */
const BUCKET_RATIO = 1.02;
/** Upper bound of the first bucket, ms. */
const FIRST_BUCKET_MS = 0.001;
/** Acknowledgements come in bundles, not quite in the order of time: so many are kept at either end to be sorted. */
const KEPT_AT_EITHER_END = 20_000;
const WINDOW = 1_000;

/** One append: when it was acknowledged, since the start, and how long it took; ms. */
export interface Timing {
	readonly endMs: number;
	readonly tookMs: number;
}

export interface LatencySummary {
	readonly count: number;
	/** ms */
	readonly p50: number;
	readonly p99: number;
	readonly max: number;
	readonly mean: number;
}

/** How the last 1,000 appends compare with those from 1,000 to 2,000. 1.2: they took a fifth longer. */
export interface AgeingSummary {
	/** of the time from the first to the last of them */
	readonly timeRatio: number;
	/** of their mean latency */
	readonly latencyRatio: number;
}

export class Latencies {
	readonly #buckets: number[] = [];
	readonly #first: Timing[] = [];
	readonly #last: Timing[] = [];
	#next = 0;
	#count = 0;
	#sum = 0;
	#max = 0;
	#lastEndMs = 0;

	/** when the last append was acknowledged, since the start, ms */
	get lastEndMs(): number {
		return this.#lastEndMs;
	}

	add(timing: Timing): void {
		const { tookMs } = timing;
		const bucket =
			tookMs <= FIRST_BUCKET_MS ? 0 : Math.ceil(Math.log(tookMs / FIRST_BUCKET_MS) / Math.log(BUCKET_RATIO));
		this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
		this.#count++;
		this.#lastEndMs = Math.max(this.#lastEndMs, timing.endMs);
		this.#sum += tookMs;
		this.#max = Math.max(this.#max, tookMs);
		if (this.#first.length < KEPT_AT_EITHER_END) this.#first.push(timing);
		this.#last[this.#next] = timing;
		this.#next = (this.#next + 1) % KEPT_AT_EITHER_END;
	}

	summary(): LatencySummary {
		return {
			count: this.#count,
			p50: this.#percentile(0.5),
			p99: this.#percentile(0.99),
			max: this.#max,
			mean: this.#count === 0 ? 0 : this.#sum / this.#count,
		};
	}

	/** undefined for fewer than 3,000 appends: the two thousands would overlap */
	ageing(): AgeingSummary | undefined {
		if (this.#count < 3 * WINDOW) return undefined;
		const early = byTime(this.#first).slice(WINDOW, 2 * WINDOW);
		const late = byTime(this.#last).slice(-WINDOW);
		return { timeRatio: span(late) / span(early), latencyRatio: meanOf(late) / meanOf(early) };
	}

	#percentile(share: number): number {
		let left = Math.ceil(this.#count * share);
		for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
			left -= this.#buckets[bucket] ?? 0;
			if (left <= 0) return Math.min(this.#max, FIRST_BUCKET_MS * BUCKET_RATIO ** bucket);
		}
		return this.#max;
	}
}

function byTime(timings: readonly Timing[]): Timing[] {
	return [...timings].sort((a, b) => a.endMs - b.endMs);
}

function span(timings: readonly Timing[]): number {
	return (timings.at(-1)?.endMs ?? 0) - (timings[0]?.endMs ?? 0);
}

function meanOf(timings: readonly Timing[]): number {
	return timings.reduce((sum, { tookMs }) => sum + tookMs, 0) / timings.length;
}
