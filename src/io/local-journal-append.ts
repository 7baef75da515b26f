/** The writing end of a journal as a local file. */
import { closeSync, constants, fdatasync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Clock } from '../util/ports.ts';
import { fsError } from './fs-error.ts';
import type { Awaitable, JournalAppendFile } from './journal-store.ts';
import { RunningTime } from '../util/running-time.ts';

/**
 * Zeros are written ahead in steps of so many bytes: a flush that finds the file's length and blocks unchanged need not
 * wait for the file system's own journal, which all processes share.
 */
const AHEAD_BYTES = 64 * 1024;
const ZEROS = new Uint8Array(AHEAD_BYTES);
/** ms; while flushes take less in the mean, one that blocks costs less than the way to another thread and back. */
const SLOW_FLUSH_MS = 4;
/** Weight of the newest flush in the mean. */
const NEWEST_WEIGHT = 0.2;

/** The system calls that appending makes; another set is for tests. Blocking but for `fdatasync`. */
export interface JournalCalls {
	write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
	truncate(fd: number, length: number): void;
	fdatasync(fd: number): Promise<void>;
	/** absent: no flush blocks */
	fdatasyncNow?(fd: number): void;
	/** Opens the file of `fd` again, so that each write is durable when it returns. Absent, or undefined: it cannot be done */
	openDurable?(fd: number): number | undefined;
}

export const systemJournalCalls: JournalCalls = {
	write: writeSync,
	truncate: ftruncateSync,
	fdatasync: (fd) =>
		new Promise((resolve, reject) => {
			fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
		}),
	fdatasyncNow: fdatasyncSync,
	openDurable: openDurable,
};

/** By descriptor, so that it is the same file whatever has become of its name. */
function openDurable(fd: number): number | undefined {
	if (process.platform !== 'linux') return undefined;
	try {
		return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_DSYNC);
	} catch {
		return undefined;
	}
}

/** How long flushes of one store have taken. */
export class FlushPace {
	readonly #clock: Clock;
	readonly #time: RunningTime;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#time = new RunningTime(clock, NEWEST_WEIGHT);
	}

	get isQuick(): boolean {
		return this.#time.meanMs <= SLOW_FLUSH_MS;
	}

	start(): number {
		return this.#clock.monotonicMs();
	}

	end(startMs: number): void {
		this.#time.endedNow(startMs);
	}
}

export class LocalJournalAppendFile implements JournalAppendFile {
	readonly #path: string;
	readonly #fd: number;
	readonly #calls: JournalCalls;
	readonly #pace: FlushPace;
	readonly #persistName: () => Promise<void>;
	/** opened when it is first needed; null where that is not possible */
	#durableFd: number | null | undefined;
	#size = 0;
	/** where the zeros end that were written ahead */
	#ahead = 0;
	/** something was written that no flush has begun after */
	#dirty = true;
	#named = false;
	/** why nothing works any more */
	#failure: IcebergError | undefined;
	#closed = false;
	/** the flush that is under way */
	#running: Promise<void> | undefined;
	/** the one that begins when it has ended */
	#waiting: Promise<void> | undefined;

	constructor(path: string, fd: number, calls: JournalCalls, pace: FlushPace, persistName: () => Promise<void>) {
		this.#path = path;
		this.#fd = fd;
		this.#calls = calls;
		this.#pace = pace;
		this.#persistName = persistName;
	}

	get size(): number {
		return this.#size;
	}

	append(bytes: Uint8Array, syncFollows = false): void {
		this.#checkUsable();
		const end = this.#size + bytes.length;
		try {
			if (end > this.#ahead) this.#writeAhead(end);
		} catch (error) {
			throw this.#undo(fsError(error, 'append to', this.#path));
		}
		if (!(syncFollows && this.#writeDurably(bytes))) {
			this.#dirty = true;
			try {
				this.#writeAt(this.#fd, bytes, bytes.length, this.#size);
			} catch (error) {
				this.#failure = fsError(error, 'append to', this.#path);
				throw this.#undo(this.#failure);
			}
		}
		this.#size = end;
	}

	/** Where all before is durable already. False when it was not done; the flush tells why if it should have been. */
	#writeDurably(bytes: Uint8Array): boolean {
		if (this.#dirty || this.#running !== undefined || !this.#named || !this.#pace.isQuick) return false;
		this.#durableFd ??= this.#calls.openDurable?.(this.#fd) ?? null;
		if (this.#durableFd === null) return false;
		const startMs = this.#pace.start();
		try {
			this.#writeAt(this.#durableFd, bytes, bytes.length, this.#size);
			return true;
		} catch (error) {
			this.#failure = fsError(error, 'make durable', this.#path);
			return false;
		} finally {
			this.#pace.end(startMs);
		}
	}

	sync(): Awaitable<void> {
		if (this.#closed) return Promise.reject(this.#closedError());
		if (this.#failure !== undefined) return Promise.reject(this.#failure);
		if (this.#running === undefined) return this.#dirty || !this.#named ? this.#startSync() : undefined;
		const start = (): Promise<void> => this.#startSync();
		this.#waiting ??= this.#running.then(start, start);
		return this.#waiting;
	}

	#startSync(): Promise<void> {
		this.#waiting = undefined;
		const running = this.#flush();
		this.#running = running;
		const ended = (): void => {
			if (this.#waiting === undefined) this.#running = undefined;
		};
		running.then(ended, ended);
		return running;
	}

	async #flush(): Promise<void> {
		if (this.#failure !== undefined) throw this.#failure;
		const startMs = this.#pace.start();
		this.#dirty = false;
		try {
			const { fdatasyncNow } = this.#calls;
			if (fdatasyncNow !== undefined && this.#pace.isQuick) fdatasyncNow(this.#fd);
			else await this.#calls.fdatasync(this.#fd);
			this.#pace.end(startMs);
			if (!this.#named) await this.#persistName();
			this.#named = true;
		} catch (error) {
			this.#failure ??= fsError(error, 'make durable', this.#path);
			throw this.#failure;
		}
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await (this.#waiting ?? this.#running)?.catch(() => undefined);
		try {
			if (this.#failure === undefined && this.#ahead > this.#size) this.#calls.truncate(this.#fd, this.#size);
		} catch {
			// zeros behind the end mean nothing
		}
		if (typeof this.#durableFd === 'number') closeSync(this.#durableFd);
		closeSync(this.#fd);
	}

	/**
	 * Zeros up to `end`, and more where there is room. What there is no room for fails here, where no reader sees anything of
	 * it: of several records in one append, some would be whole before all are, and could not be taken back.
	 */
	#writeAhead(end: number): void {
		const target = Math.ceil((end + 1) / AHEAD_BYTES) * AHEAD_BYTES;
		this.#dirty = true;
		for (let at = Math.max(this.#ahead, this.#size); at < target; at = this.#ahead) {
			const count = Math.min(AHEAD_BYTES, target - at);
			try {
				this.#writeAt(this.#fd, ZEROS, count, at);
				this.#ahead = at + count;
			} catch (error) {
				if (end <= this.#ahead) return;
				if (at + count < end) throw error;
				this.#writeAt(this.#fd, ZEROS, end - at, at);
				this.#ahead = end;
				return;
			}
		}
	}

	#writeAt(fd: number, bytes: Uint8Array, length: number, position: number): void {
		let done = 0;
		while (done < length) {
			const written = this.#calls.write(fd, bytes, done, length - done, position + done);
			if (written <= 0) throw Object.assign(new Error('the system wrote nothing'), { code: 'EIO' });
			done += written;
		}
	}

	/** Takes back what was written in part: nothing sound may ever stand behind it. */
	#undo(failure: IcebergError): IcebergError {
		this.#dirty = true;
		try {
			this.#calls.truncate(this.#fd, this.#size);
			this.#ahead = 0;
		} catch {
			this.#failure = failure;
		}
		return failure;
	}

	#checkUsable(): void {
		if (this.#failure !== undefined) throw this.#failure;
		if (this.#closed) throw this.#closedError();
	}

	#closedError(): IcebergError {
		return new IcebergError('CLOSED', `${this.#path} was closed: it takes no more records`);
	}
}
