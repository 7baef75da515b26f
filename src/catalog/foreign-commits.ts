/** Commits of other engines that are under way in a table's folder, and a gap for them among ours. */
import type { FileIO } from '../io/file-io.ts';
import { joinLocation } from '../io/location.ts';
import type { Clock } from '../util/ports.ts';
import { writerOf } from '../util/process-identity.ts';
import { versionOf } from './metadata-file.ts';
import { METADATA_FOLDER } from './version-files.ts';

/**
 * How long a foreign commit is waited for, ms, from its first sign on. Its base was overtaken before the sign was seen, mostly: what
 * the gap has room for is its next attempt, 100 ms later in Java's default.
 */
const GAP_MS = 600;
/** A further sign of it, as a second manifest list, makes the gap longer by so much, up to the longest, ms. */
const FURTHER_MS = 400;
const LONGEST_GAP_MS = 900;
/** After a gap that nobody used, signs are passed over for so long, ms. */
const REST_MS = 1000;

/** What an engine writes before the swap: a manifest list, or the next version under a temporary name. */
const SIGN = /^(?:snap-[^/]+\.avro|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?:\.gz)?\.metadata\.json)$/;

/**
 * Between reading a version and putting the next one, other engines take longer than a leader between two commits: without a
 * gap none of theirs would ever succeed.
 */
export class ForeignCommits {
	readonly #io: FileIO;
	readonly #folder: string;
	readonly #clock: Clock;
	readonly #newestVersion: () => number;
	#stop: (() => void) | undefined;
	#gap: { readonly startMs: number; untilMs: number; readonly overtakes: number } | undefined;
	#restsUntilMs = 0;

	/** @param newestVersion of ours, or that we know */
	constructor(io: FileIO, location: string, clock: Clock, newestVersion: () => number) {
		this.#io = io;
		this.#folder = joinLocation(location, METADATA_FOLDER);
		this.#clock = clock;
		this.#newestVersion = newestVersion;
	}

	/** Where folders cannot be watched there are no gaps. */
	start(): void {
		this.#stop ??= this.#io.watchFolder?.(this.#folder, (event) => {
			if (event.kind === 'changed' && event.name !== undefined) this.#look(event.name);
		});
	}

	stop(): void {
		this.#stop?.();
		this.#stop = undefined;
		this.#gap = undefined;
	}

	/** How long the next commit of ours should wait, ms; 0: not at all. */
	waitMs(): number {
		if (this.#gap === undefined) return 0;
		const left = this.#gap.untilMs - this.#clock.monotonicMs();
		if (left > 0) return left;
		this.#gap = undefined;
		this.#restsUntilMs = this.#clock.monotonicMs() + REST_MS;
		return 0;
	}

	#look(name: string): void {
		if (this.#gap !== undefined && (versionOf(name) ?? 0) > this.#gap.overtakes) this.#gap = undefined;
		else if (SIGN.test(name) && writerOf(name) === undefined) void this.#check(name);
	}

	/** A file that goes makes itself heard as well. */
	async #check(name: string): Promise<void> {
		try {
			if (await this.#io.exists(joinLocation(this.#folder, name))) this.#seen();
		} catch {
			// The storage was closed, or the folder is gone.
		}
	}

	#seen(): void {
		const nowMs = this.#clock.monotonicMs();
		if (this.#gap !== undefined)
			this.#gap.untilMs = Math.max(this.#gap.untilMs, Math.min(this.#gap.startMs + LONGEST_GAP_MS, nowMs + FURTHER_MS));
		else if (nowMs >= this.#restsUntilMs)
			this.#gap = { startMs: nowMs, untilMs: nowMs + GAP_MS, overtakes: this.#newestVersion() + 1 };
	}
}
