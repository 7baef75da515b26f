/** Files of a commit that are being written side by side. */
import type { FileIO } from '../io/file-io.ts';

/** Bytes that may be on their way to the storage at once. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024;

/** Remembers every location before it is written, so that none is forgotten when writing fails. */
export class PendingWrites {
	readonly #io: FileIO;
	readonly #remember: (location: string) => void;
	#writes: Promise<void>[] = [];
	#bytes = 0;

	constructor(io: FileIO, remember: (location: string) => void) {
		this.#io = io;
		this.#remember = remember;
	}

	/** Starts a write; waits only when much is under way. */
	async add(location: string, bytes: Uint8Array): Promise<void> {
		this.#remember(location);
		const write = this.#io.write(location, bytes, { deferSync: true });
		// Its failure is thrown by `done`.
		write.catch(() => undefined);
		this.#writes.push(write);
		this.#bytes += bytes.length;
		if (this.#bytes > MAX_PENDING_BYTES) await this.done();
	}

	/** Resolves when all are written; they are durable with the swap that comes after them. @throws the first failure, after all have ended */
	async done(): Promise<void> {
		const writes = this.#writes;
		this.#writes = [];
		this.#bytes = 0;
		const failed = (await Promise.allSettled(writes)).find((result) => result.status === 'rejected');
		if (failed !== undefined) throw failed.reason;
	}

	/** Resolves when none is under way, failed or not. */
	async ended(): Promise<void> {
		await Promise.allSettled(this.#writes);
		this.#writes = [];
	}
}
