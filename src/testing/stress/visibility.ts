/** Looks at a table while it is written to: when what was acknowledged became visible. */
import type { Snapshot } from '../../spec/snapshot.ts';
import { systemClock } from '../../util/system-ports.ts';
import type { Acknowledgements } from './acknowledgements.ts';

const LOOK_EVERY_MS = 50;

/** `Table` fits it. */
interface Watched {
	currentSnapshot(): Promise<Snapshot | undefined>;
}

export interface Visibility {
	readonly lookCount: number;
	/**
	 * Longest time for which fewer rows were visible than had been acknowledged before, ms, as coarse as the looks: 0 when no
	 * look found fewer.
	 */
	readonly longestLagMs: number;
	/** looks that failed, and the first one's message: a reader must never fail */
	readonly failureCount: number;
	readonly firstFailure: string | undefined;
}

/** Looks, from its making to {@link end}, at how many rows the newest snapshot has. */
export class VisibilityWatch {
	readonly #table: Watched;
	readonly #acknowledgements: Acknowledgements;
	readonly #stopped = new AbortController();
	readonly #looking: Promise<void>;
	/** when so many rows had been acknowledged as no look has found since */
	#missing: { readonly rowCount: number; readonly sinceMs: number } | undefined;
	#lookCount = 0;
	#longestLagMs = 0;
	#failureCount = 0;
	#firstFailure: string | undefined;

	constructor(table: Watched, acknowledgements: Acknowledgements) {
		this.#table = table;
		this.#acknowledgements = acknowledgements;
		this.#looking = this.#look();
	}

	/** Looks until all that was acknowledged is visible, or `patienceMs` have passed. */
	async end(patienceMs: number): Promise<Visibility> {
		const deadlineMs = systemClock.monotonicMs() + patienceMs;
		const { count } = this.#acknowledgements;
		while ((await this.#rowCount()) < count && systemClock.monotonicMs() < deadlineMs)
			await systemClock.sleep(LOOK_EVERY_MS);
		this.#stopped.abort();
		await this.#looking;
		return {
			lookCount: this.#lookCount,
			longestLagMs: this.#longestLagMs,
			failureCount: this.#failureCount,
			firstFailure: this.#firstFailure,
		};
	}

	async #look(): Promise<void> {
		const { signal } = this.#stopped;
		while (!signal.aborted) {
			const { count } = this.#acknowledgements;
			const askedMs = systemClock.monotonicMs();
			const visible = await this.#rowCount();
			const nowMs = systemClock.monotonicMs();
			this.#lookCount++;
			if (this.#missing !== undefined) {
				this.#longestLagMs = Math.max(this.#longestLagMs, nowMs - this.#missing.sinceMs);
				if (visible >= this.#missing.rowCount) this.#missing = undefined;
			}
			if (this.#missing === undefined && visible < count) this.#missing = { rowCount: count, sinceMs: askedMs };
			await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
		}
	}

	/** Rows of the newest snapshot, by its summary. */
	async #rowCount(): Promise<number> {
		try {
			const snapshot = await this.#table.currentSnapshot();
			return Number(snapshot?.summary?.['total-records'] ?? 0);
		} catch (error) {
			this.#failureCount++;
			this.#firstFailure ??= error instanceof Error ? error.message : String(error);
			return 0;
		}
	}
}
