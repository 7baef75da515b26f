/** Reading one local file. */
import { constants } from 'node:fs';
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { InputFile } from './file-io.ts';
import { FILE_MODE, type FsCalls } from './fs-calls.ts';
import { fsError, isAbsent } from './fs-error.ts';
import type { FsLooks } from './fs-looks.ts';
import type { Handle, HandlePool } from './handle-pool.ts';
import { checkRange, checkReadAll, endsEarly } from './read-checks.ts';

/** Largest single read: system calls move no more than 2 GiB at once. */
const MAX_CALL_BYTES = 1024 ** 3;
/** A FIFO must not block the process that opens it; regular files ignore the flag. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** What a local file needs of the storage that made it. */
export interface LocalReadContext {
	readonly pool: HandlePool;
	readonly looks: FsLooks;
	callsFor(sizeBytes: number): FsCalls;
	/** @throws `CLOSED` */
	checkOpen(): void;
}

export class LocalInputFile implements InputFile {
	readonly location: string;
	readonly #paths: readonly string[];
	readonly #context: LocalReadContext;
	#knownLength: number | undefined;
	#handle: Handle | undefined;

	/** @param paths places to look, the first that exists counts */
	constructor(location: string, paths: readonly string[], knownLength: number | undefined, context: LocalReadContext) {
		this.location = location;
		this.#paths = paths;
		this.#knownLength = knownLength;
		this.#context = context;
	}

	async length(): Promise<number> {
		this.#context.checkOpen();
		if (this.#knownLength === undefined) {
			const handle = await this.#acquire();
			this.#knownLength = handle.sizeBytes;
			this.#context.pool.release(handle);
		}
		return this.#knownLength;
	}

	async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
		throwIfAborted(signal);
		checkRange(this.location, offset, length);
		const handle = await this.#acquire();
		try {
			if (offset + length > handle.sizeBytes) this.#lookAgain(handle);
			// Before memory is taken: the numbers may come from a corrupt file.
			if (offset + length > handle.sizeBytes) throw endsEarly(this.location, offset, length, handle.sizeBytes);
			const bytes = allocate(length);
			const read = await this.#fill(handle.fd, bytes, offset);
			if (read < length) throw endsEarly(this.location, offset, length, offset + read);
			return bytes;
		} finally {
			this.#context.pool.release(handle);
		}
	}

	async readAll(options?: { readonly maxBytes?: number; readonly signal?: AbortSignal }): Promise<Uint8Array> {
		throwIfAborted(options?.signal);
		const wasOpen = this.#handle !== undefined && !this.#handle.closed;
		const handle = await this.#acquire();
		try {
			if (wasOpen) this.#lookAgain(handle);
			checkReadAll(this.location, handle.sizeBytes, options?.maxBytes);
			const bytes = allocate(handle.sizeBytes);
			const read = await this.#fill(handle.fd, bytes, 0);
			return read === bytes.length ? bytes : bytes.subarray(0, read);
		} finally {
			this.#context.pool.release(handle);
			if (!wasOpen) await this.close();
		}
	}

	async close(): Promise<void> {
		if (this.#handle !== undefined) this.#context.pool.discard(this.#handle);
		this.#handle = undefined;
	}

	async #acquire(): Promise<Handle> {
		this.#context.checkOpen();
		if (this.#handle !== undefined && !this.#handle.closed && !this.#handle.discarded)
			return this.#context.pool.use(this.#handle);
		const fd = await this.#open();
		let sizeBytes: number;
		try {
			const stat = this.#context.looks.fstat(fd);
			if (stat.kind !== 'file')
				throw new IcebergError('INVALID_ARGUMENT', `cannot read ${this.location}: it is not a regular file`, {
					context: { location: this.location },
				});
			sizeBytes = stat.sizeBytes;
		} catch (error) {
			await this.#context.callsFor(0).close(fd);
			throw fsError(error, 'read', this.location);
		}
		const handle = this.#context.pool.add(fd, sizeBytes);
		// Two calls may have opened it at once: one handle is kept, the other goes with its user.
		if (this.#handle !== undefined && !this.#handle.closed && !this.#handle.discarded) handle.discarded = true;
		else this.#handle = handle;
		return handle;
	}

	async #open(): Promise<number> {
		let absent: unknown;
		for (const path of this.#paths) {
			try {
				return await this.#context.callsFor(0).open(path, OPEN_FLAGS, FILE_MODE);
			} catch (error) {
				if (!isAbsent(error)) throw fsError(error, 'read', this.location);
				absent ??= error;
			}
		}
		throw new IcebergError('NOT_FOUND', `cannot read ${this.location}: there is no such file`, {
			cause: absent,
			context: { location: this.location },
		});
	}

	/** A file that grew since it was opened is read to its present end. */
	#lookAgain(handle: Handle): void {
		try {
			handle.sizeBytes = this.#context.looks.fstat(handle.fd).sizeBytes;
		} catch (error) {
			throw fsError(error, 'read', this.location);
		}
	}

	/** Bytes read: fewer than asked for only at the end of the file. */
	async #fill(fd: number, target: Uint8Array, position: number): Promise<number> {
		const calls = this.#context.callsFor(target.length);
		let filled = 0;
		try {
			while (filled < target.length) {
				const part = Math.min(target.length - filled, MAX_CALL_BYTES);
				const read = await calls.read(fd, target, filled, part, position + filled);
				if (read === 0) break;
				filled += read;
			}
		} catch (error) {
			throw fsError(error, 'read', this.location);
		}
		return filled;
	}
}

/** Memory that is about to be filled: not zeroed, and a plain `Uint8Array` of a buffer of its own. */
function allocate(length: number): Uint8Array {
	const buffer = Buffer.allocUnsafeSlow(length);
	return new Uint8Array(buffer.buffer, buffer.byteOffset, length);
}
