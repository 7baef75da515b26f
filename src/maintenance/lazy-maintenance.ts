/** The maintenance of an opened table, loaded when there is something to maintain: most processes append little. */
import type { ColumnBatch } from '../column/vector.ts';
import type { DataFile } from '../manifest/types.ts';
import type { LoadedMetadata } from '../transaction/committer.ts';
import { doze } from '../util/waits.ts';
import type { SelfMaintenance, SelfMaintenanceOptions } from './self-maintenance.ts';

/** Commits of a process after which it maintains the table in the background, … */
const COMMITS_BEFORE_START = 8;
/** … or how long after its first one, ms. */
const START_AFTER_MS = 10_000;
/**
 * A process that ends before that does, when it closes the table, what is due by then, if one of its commits has a sequence
 * number that this divides: so tables of many short processes are maintained too.
 */
const CLOSING_SHARE = 16n;

export interface NotedAppend {
	readonly added: readonly DataFile[];
	readonly rows?: ColumnBatch;
}

export class LazyMaintenance {
	readonly #options: SelfMaintenanceOptions;
	#maintenance: SelfMaintenance | undefined;
	#loading: Promise<void> | undefined;
	#commits = 0;
	#last: LoadedMetadata | undefined;
	#isDueAtEnd = false;
	/** set while it is paused: resolves when the step in hand has ended */
	#pausing: Promise<void> | undefined;
	#closed = false;
	readonly #closing = new AbortController();

	constructor(options: SelfMaintenanceOptions) {
		this.#options = options;
	}

	/** Called after each commit of an append, before the next one begins. */
	noteCommit(loaded: LoadedMetadata, append: NotedAppend): void {
		if (this.#maintenance !== undefined) {
			this.#maintenance.noteCommit(loaded, append);
			if (this.#pausing !== undefined && ++this.#commits >= COMMITS_BEFORE_START) this.#goOn(this.#maintenance);
			return;
		}
		this.#last = loaded;
		this.#isDueAtEnd ||= loaded.metadata.lastSequenceNumber % CLOSING_SHARE === 0n;
		if (this.#closed) return;
		this.#commits++;
		if (this.#commits === 1) void this.#startLater();
		if (this.#commits >= COMMITS_BEFORE_START) this.#start();
	}

	async #startLater(): Promise<void> {
		await doze(this.#options.clock, START_AFTER_MS, this.#closing.signal);
		this.#start();
	}

	#start(): void {
		if (this.#closed) return;
		// A module that cannot be loaded is the next commit's concern.
		this.#loading ??= this.#load().catch((error: unknown) => {
			this.#loading = undefined;
			this.#options.onError?.(error);
		});
	}

	/** Stops what goes on in the background until this process has made some more commits. */
	pause(): void {
		this.#commits = 0;
		this.#isDueAtEnd = false;
		this.#pausing ??= this.#maintenance?.stop();
	}

	#goOn(maintenance: SelfMaintenance): void {
		const pausing = this.#pausing;
		this.#pausing = undefined;
		void pausing?.then(() => {
			if (!this.#closed && this.#pausing === undefined) maintenance.start();
		});
	}

	/** Ends it; the step in hand is given up. Its errors do not come out: what was appended is appended. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#closing.abort();
		await this.#loading;
		if (this.#maintenance !== undefined) await this.#maintenance.close();
		else if (this.#isDueAtEnd) await this.#maintainOnce();
	}

	async #load(): Promise<void> {
		const maintenance = await this.#create();
		this.#maintenance = maintenance;
		if (!this.#closed) maintenance.start();
	}

	async #maintainOnce(): Promise<void> {
		try {
			await (await this.#create()).runAtEnd();
		} catch (error) {
			this.#options.onError?.(error);
		}
	}

	async #create(): Promise<SelfMaintenance> {
		const { SelfMaintenance } = await import('./self-maintenance.ts');
		const maintenance = new SelfMaintenance(this.#options);
		if (this.#last !== undefined) maintenance.noteCommit(this.#last, { lookNow: true });
		this.#last = undefined;
		return maintenance;
	}
}
