/** How much memory records take that wait, so that whoever brings more waits as well. */
import { type Deferred, deferred } from '../util/deferred.ts';

export class HeldBytes {
	readonly #limitBytes: number;
	#sizeBytes = 0;
	#room: Deferred<void> | undefined;

	constructor(limitBytes: number) {
		this.#limitBytes = limitBytes;
	}

	get isFull(): boolean {
		return this.#sizeBytes > this.#limitBytes;
	}

	/** Resolves when some of it has gone. */
	whenRoom(): Promise<void> {
		this.#room ??= deferred<void>();
		return this.#room.promise;
	}

	take(sizeBytes: number): void {
		this.#sizeBytes += sizeBytes;
	}

	release(sizeBytes: number): void {
		this.#sizeBytes -= sizeBytes;
		this.#room?.resolve();
		this.#room = undefined;
	}
}
