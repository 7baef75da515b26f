/** Waiting for a table to change. */
import type { FileIO } from '../io/file-io.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { Clock } from '../util/ports.ts';
import { DEFAULT_POLL_INTERVAL_MS } from './follow-options.ts';

/** How often a table is looked at although its storage tells of changes, ms: it may not know of those of other hosts. */
export const SAFETY_POLL_INTERVAL_MS = 1_000;
/** How long after a change a look is taken, ms: a commit makes several changes, and others may follow at once. */
export const SETTLE_MS = 5;
/** Files of commits that have not happened yet. */
const NOISE = /\.(?:avro|tmp|crc|puffin|stats)$/;

/** Tells when a table may have changed, as soon as its storage does, and every now and then. */
export class TableWatch {
	readonly #io: FileIO;
	readonly #folder: string;
	readonly #clock: Clock;
	readonly #pollIntervalMs: number | undefined;
	#stop: (() => void) | undefined;
	#isWatched = false;
	#hasBegun = false;
	#changed = false;
	#wake: (() => void) | undefined;

	/** @param folder that of the metadata files. Nothing is watched before the first {@link next} */
	constructor(io: FileIO, folder: string, clock: Clock, pollIntervalMs: number | undefined) {
		this.#io = io;
		this.#folder = folder;
		this.#clock = clock;
		this.#pollIntervalMs = pollIntervalMs;
	}

	/** Resolves when it is time for a look. @throws `ABORTED` */
	async next(signal: AbortSignal | undefined): Promise<void> {
		throwIfAborted(signal);
		if (!this.#hasBegun) {
			// What came before the watch began is seen by a look at once.
			this.#begin();
			return;
		}
		if (!this.#changed) await this.#wait(signal);
		if (this.#changed) await this.#sleep(SETTLE_MS, signal);
		this.#changed = false;
	}

	/** Stops watching. */
	close(): void {
		this.#stop?.();
		this.#stop = undefined;
		this.#isWatched = false;
	}

	#begin(): void {
		this.#hasBegun = true;
		this.#stop = this.#io.watchFolder?.(this.#folder, (event) => {
			if (event.kind === 'lost') this.#isWatched = false;
			else if (event.name !== undefined && NOISE.test(event.name)) return;
			this.#changed = true;
			this.#wake?.();
		});
		this.#isWatched = this.#stop !== undefined;
	}

	async #wait(signal: AbortSignal | undefined): Promise<void> {
		const pollMs = this.#pollIntervalMs ?? (this.#isWatched ? SAFETY_POLL_INTERVAL_MS : DEFAULT_POLL_INTERVAL_MS);
		const woken = new AbortController();
		const wake = (): void => woken.abort();
		this.#wake = wake;
		signal?.addEventListener('abort', wake, { once: true });
		try {
			await this.#clock.sleep(pollMs, woken.signal);
		} catch {
			throwIfAborted(signal);
		} finally {
			this.#wake = undefined;
			signal?.removeEventListener('abort', wake);
		}
	}

	async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
		try {
			await this.#clock.sleep(ms, signal);
		} catch (error) {
			throwIfAborted(signal);
			throw error;
		}
	}
}
