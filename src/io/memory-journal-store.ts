/** Journals in memory. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Clock } from '../util/ports.ts';
import { systemClock } from '../util/system-ports.ts';
import {
	checkJournalName,
	checkJournalRange,
	type JournalAppendFile,
	type JournalListing,
	type JournalReadFile,
	type JournalStore,
} from './journal-store.ts';

const FIRST_BYTES = 1024;

/** {@link JournalStore} over a map, for tests and tables in memory. */
export class MemoryJournalStore implements JournalStore {
	readonly #files = new Map<string, GrowingFile>();
	readonly #clock: Clock;

	constructor(options: { readonly clock?: Clock } = {}) {
		this.#clock = options.clock ?? systemClock;
	}

	create(name: string): JournalAppendFile {
		checkJournalName(name);
		if (this.#files.has(name))
			throw new IcebergError('ALREADY_EXISTS', `cannot create ${name}: a file is there already`, {
				context: { location: name, notWritten: true },
			});
		const file = new GrowingFile(this.#clock);
		this.#files.set(name, file);
		return new MemoryAppendFile(name, file);
	}

	open(name: string): JournalReadFile | undefined {
		checkJournalName(name);
		const file = this.#files.get(name);
		return file === undefined ? undefined : new MemoryReadFile(name, file);
	}

	list(): readonly JournalListing[] {
		return Array.from(this.#files, ([name, { length, modifiedMs }]) => ({ name, sizeBytes: length, modifiedMs }));
	}

	remove(name: string): boolean {
		checkJournalName(name);
		return this.#files.delete(name);
	}
}

class GrowingFile {
	readonly #clock: Clock;
	#bytes = new Uint8Array(FIRST_BYTES);
	length = 0;
	modifiedMs: number;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.modifiedMs = clock.nowMs();
	}

	append(bytes: Uint8Array): void {
		const needed = this.length + bytes.length;
		if (needed > this.#bytes.length) {
			const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
			grown.set(this.#bytes.subarray(0, this.length));
			this.#bytes = grown;
		}
		this.#bytes.set(bytes, this.length);
		this.length = needed;
		this.modifiedMs = this.#clock.nowMs();
	}

	read(offset: number, maxLength: number): Uint8Array {
		return this.#bytes.slice(Math.min(offset, this.length), Math.min(offset + maxLength, this.length));
	}
}

class MemoryAppendFile implements JournalAppendFile {
	readonly #name: string;
	readonly #file: GrowingFile;
	#closed = false;

	constructor(name: string, file: GrowingFile) {
		this.#name = name;
		this.#file = file;
	}
	get size(): number {
		return this.#file.length;
	}
	append(bytes: Uint8Array): void {
		if (this.#closed) throw closed(this.#name);
		this.#file.append(bytes);
	}
	async sync(): Promise<void> {
		if (this.#closed) throw closed(this.#name);
	}
	close(): void {
		this.#closed = true;
	}
}

class MemoryReadFile implements JournalReadFile {
	readonly #name: string;
	readonly #file: GrowingFile;
	#closed = false;

	constructor(name: string, file: GrowingFile) {
		this.#name = name;
		this.#file = file;
	}
	size(): number {
		if (this.#closed) throw closed(this.#name);
		return this.#file.length;
	}
	read(offset: number, maxLength: number): Uint8Array {
		if (this.#closed) throw closed(this.#name);
		checkJournalRange(this.#name, offset, maxLength);
		return this.#file.read(offset, maxLength);
	}
	close(): void {
		this.#closed = true;
	}
}

function closed(name: string): IcebergError {
	return new IcebergError('CLOSED', `${name} was closed`);
}
