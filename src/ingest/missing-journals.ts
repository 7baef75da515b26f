/** Entries of journals whose files are not to be seen. */
import type { Clock } from '../util/ports.ts';

/** An entry is dropped after this, ms: longer than network file systems remember names. */
const MISSING_MS = 120_000;

/** The file of an entry goes first: what has an entry and no file, and has had none for long, was folded and removed. */
export class MissingJournals {
	readonly #clock: Clock;
	/** since when they were seen so, by the monotonic clock */
	readonly #sinceMs = new Map<string, number>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Those of the entries that have had no file for long. */
	longGone(entries: readonly string[], present: ReadonlySet<string>): string[] {
		const now = this.#clock.monotonicMs();
		const missing = entries.filter((id) => !present.has(id));
		for (const id of this.#sinceMs.keys()) if (!missing.includes(id)) this.#sinceMs.delete(id);
		for (const id of missing) if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, now);
		return missing.filter((id) => now - (this.#sinceMs.get(id) ?? now) >= MISSING_MS);
	}
}
