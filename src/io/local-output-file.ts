/** Writing one local file. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { OutputFile } from './file-io.ts';
import { type FsCalls, unlinkQuietly, writeFully } from './fs-calls.ts';
import { fsError } from './fs-error.ts';
import type { DeferredFlushes } from './deferred-flushes.ts';
import type { SyncPacer } from './sync-pacer.ts';

/** Bytes gathered before a system call is made. */
const BUFFER_BYTES = 256 * 1024;

export interface LocalWriteTarget {
	readonly location: string;
	/** of the file being written: the final name, or a temporary one */
	readonly path: string;
	/** where it goes at the end, when `path` is temporary */
	readonly renameTo: string | undefined;
	readonly fd: number;
	readonly pacer: SyncPacer;
	/** takes the file over when its flush may wait */
	readonly deferred: DeferredFlushes | undefined;
	readonly signal: AbortSignal | undefined;
}

/** The buffer starts with this and doubles: most files of a small commit are smaller. */
const FIRST_BUFFER_BYTES = 16 * 1024;

type State = 'open' | 'failed' | 'closed' | 'aborted';

/** Small writes are gathered; `close` flushes to the device, or hands the file over to be flushed with others. After a failure only `abort` is of use. */
export class LocalOutputFile implements OutputFile {
	readonly #target: LocalWriteTarget;
	#buffer = new Uint8Array(0);
	#gathered = 0;
	#written = 0;
	#state: State = 'open';
	#descriptorOpen = true;
	#failure: unknown;
	#running: Promise<void> | undefined;

	constructor(target: LocalWriteTarget) {
		this.#target = target;
	}

	get location(): string {
		return this.#target.location;
	}

	get bytesWritten(): number {
		return this.#written;
	}

	write(bytes: Uint8Array): Promise<void> {
		return this.#exclusively(async () => {
			if (this.#gathered + bytes.length > BUFFER_BYTES) await this.#drain();
			if (bytes.length >= BUFFER_BYTES) await writeFully(this.#calls(bytes.length), this.#target.fd, bytes);
			else this.#gather(bytes);
			this.#written += bytes.length;
		});
	}

	close(): Promise<void> {
		return this.#exclusively(async () => {
			const { fd, path, renameTo, pacer, deferred } = this.#target;
			await this.#drain();
			if (deferred?.hasRoomFor(this.#written) === true) {
				deferred.add(path, fd);
				this.#descriptorOpen = false;
				this.#state = 'closed';
				return;
			}
			const calls = this.#calls(this.#written);
			await pacer.flush(calls, fd);
			this.#descriptorOpen = false;
			await calls.close(fd);
			if (renameTo !== undefined) await calls.rename(path, renameTo);
			this.#state = 'closed';
		});
	}

	async abort(): Promise<void> {
		if (this.#state === 'closed' || this.#state === 'aborted') return;
		this.#state = 'aborted';
		// A descriptor must not be closed, and perhaps reused, while a write is on its way to it.
		await this.#running?.catch(() => undefined);
		const calls = this.#calls(0);
		if (this.#descriptorOpen) {
			this.#descriptorOpen = false;
			try {
				await calls.close(this.#target.fd);
			} catch {
				// The file goes anyway.
			}
		}
		await unlinkQuietly(calls, this.#target.path);
	}

	async #exclusively(work: () => Promise<void>): Promise<void> {
		if (this.#state === 'failed') throw this.#failure;
		if (this.#state !== 'open')
			throw new IcebergError('CLOSED', `${this.location} is ${this.#state}: it takes no more writes`);
		if (this.#running !== undefined)
			throw new IcebergError('INVALID_ARGUMENT', `${this.location}: a write began before the one before it ended`);
		throwIfAborted(this.#target.signal);
		try {
			this.#running = work();
			await this.#running;
		} catch (error) {
			this.#failure = fsError(error, 'write', this.location);
			if (this.#state === 'open') this.#state = 'failed';
			throw this.#failure;
		} finally {
			this.#running = undefined;
		}
	}

	/** Copies: the caller may reuse its bytes. */
	#gather(bytes: Uint8Array): void {
		const needed = this.#gathered + bytes.length;
		if (needed > this.#buffer.length) {
			const size = Math.min(BUFFER_BYTES, Math.max(FIRST_BUFFER_BYTES, needed, this.#buffer.length * 2));
			const larger = new Uint8Array(Math.max(size, needed));
			larger.set(this.#buffer.subarray(0, this.#gathered));
			this.#buffer = larger;
		}
		this.#buffer.set(bytes, this.#gathered);
		this.#gathered = needed;
	}

	async #drain(): Promise<void> {
		if (this.#gathered === 0) return;
		await writeFully(this.#calls(this.#gathered), this.#target.fd, this.#buffer.subarray(0, this.#gathered));
		this.#gathered = 0;
	}

	#calls(sizeBytes: number): FsCalls {
		return this.#target.pacer.forWrite(sizeBytes);
	}
}
