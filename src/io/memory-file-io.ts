/** Files in memory. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { Clock } from '../util/ports.ts';
import { systemClock } from '../util/system-ports.ts';
import type {
	CreateOptions,
	FileEntry,
	FileIO,
	FolderListener,
	InputFile,
	ListOptions,
	OutputFile,
	PutOptions,
} from './file-io.ts';
import { baseName, joinLocation } from './location.ts';
import { checkRange, checkReadAll, endsEarly } from './read-checks.ts';

interface StoredFile {
	/** never written to once stored */
	readonly bytes: Uint8Array;
	readonly modifiedMs: number;
}

/**
 * {@link FileIO} over a map, for tests and short-lived tables. Locations are keys, compared character by character; any
 * scheme will do. Files become visible, whole, at `close`. It holds what is written until it is deleted.
 */
export class MemoryFileIO implements FileIO {
	readonly name = 'memory';
	readonly #files = new Map<string, StoredFile>();
	readonly #watches = new Set<{ readonly folder: string; readonly listener: FolderListener }>();
	readonly #clock: Clock;
	#closed = false;

	constructor(options: { readonly clock?: Clock } = {}) {
		this.#clock = options.clock ?? systemClock;
	}

	input(location: string, knownLength?: number): InputFile {
		this.#checkOpen();
		const file = (): StoredFile => {
			this.#checkOpen();
			const found = this.#files.get(location);
			if (found === undefined)
				throw new IcebergError('NOT_FOUND', `cannot read ${location}: there is no such file`, {
					context: { location },
				});
			return found;
		};
		return new MemoryInputFile(location, knownLength, file);
	}

	async create(location: string, options?: CreateOptions): Promise<OutputFile> {
		this.#check(location);
		throwIfAborted(options?.signal);
		if (options?.overwrite !== true && this.#files.has(location)) throw taken(location);
		return new MemoryOutputFile(location, (bytes) => {
			this.#checkOpen();
			throwIfAborted(options?.signal);
			if (options?.overwrite !== true && this.#files.has(location)) throw taken(location);
			this.#put(location, bytes);
		});
	}

	async write(location: string, bytes: Uint8Array, options?: CreateOptions): Promise<void> {
		const file = await this.create(location, options);
		await file.write(bytes);
		await file.close();
	}

	async persistNames(locations: readonly string[]): Promise<void> {
		for (const location of locations) this.#check(location);
	}

	async putIfAbsent(location: string, bytes: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'> {
		this.#check(location);
		for (const each of options?.after ?? []) this.#check(each);
		if (this.#files.has(location)) return 'exists';
		this.#put(location, copyOf(bytes));
		return 'created';
	}

	async replace(location: string, bytes: Uint8Array): Promise<void> {
		this.#check(location);
		this.#put(location, copyOf(bytes));
	}

	async exists(location: string): Promise<boolean> {
		this.#check(location);
		return this.#files.has(location);
	}

	async delete(location: string): Promise<boolean> {
		this.#check(location);
		return this.#files.delete(location);
	}

	async *list(prefix: string, options?: ListOptions): AsyncGenerator<FileEntry, void, undefined> {
		this.#checkOpen();
		const folder = prefix.endsWith('/') ? prefix : `${prefix}/`;
		// A copy of the keys: files that come and go meanwhile must not disturb the walk.
		for (const location of Array.from(this.#files.keys())) {
			throwIfAborted(options?.signal);
			if (!location.startsWith(folder)) continue;
			if (options?.recursive === false && location.includes('/', folder.length)) continue;
			const file = this.#files.get(location);
			if (file !== undefined) yield { location, sizeBytes: file.bytes.length, modifiedMs: file.modifiedMs };
		}
	}

	async removeEmptyFolders(location: string): Promise<void> {
		this.#check(location);
	}

	watchFolder(folder: string, listener: FolderListener): () => void {
		this.#check(folder);
		const watch = { folder, listener };
		this.#watches.add(watch);
		return () => void this.#watches.delete(watch);
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#files.clear();
		this.#watches.clear();
	}

	#put(location: string, bytes: Uint8Array): void {
		this.#files.set(location, { bytes, modifiedMs: this.#clock.nowMs() });
		const name = baseName(location);
		for (const { folder, listener } of this.#watches)
			if (joinLocation(folder, name) === location) listener({ kind: 'changed', name });
	}

	#check(location: string): void {
		this.#checkOpen();
		if (location === '' || location.includes('\0') || location.split('/').includes('..'))
			throw new IcebergError(
				'INVALID_ARGUMENT',
				`the location '${location.replaceAll('\0', '\\0')}' is empty or contains '..' or a NUL: refused`,
				{ context: { location } },
			);
	}

	#checkOpen(): void {
		if (this.#closed) throw new IcebergError('CLOSED', 'the memory storage was closed');
	}
}

class MemoryInputFile implements InputFile {
	readonly location: string;
	readonly #knownLength: number | undefined;
	readonly #file: () => StoredFile;

	constructor(location: string, knownLength: number | undefined, file: () => StoredFile) {
		this.location = location;
		this.#knownLength = knownLength;
		this.#file = file;
	}

	async length(): Promise<number> {
		const file = this.#knownLength === undefined ? this.#file() : undefined;
		return file === undefined ? (this.#knownLength as number) : file.bytes.length;
	}

	async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
		throwIfAborted(signal);
		checkRange(this.location, offset, length);
		const { bytes } = this.#file();
		if (offset + length > bytes.length) throw endsEarly(this.location, offset, length, bytes.length);
		return bytes.subarray(offset, offset + length);
	}

	async readAll(options?: { readonly maxBytes?: number; readonly signal?: AbortSignal }): Promise<Uint8Array> {
		throwIfAborted(options?.signal);
		const { bytes } = this.#file();
		checkReadAll(this.location, bytes.length, options?.maxBytes);
		return bytes;
	}

	async close(): Promise<void> {
		// Nothing is held.
	}
}

class MemoryOutputFile implements OutputFile {
	readonly location: string;
	readonly #finish: (bytes: Uint8Array) => void;
	#parts: Uint8Array[] = [];
	#written = 0;
	#state: 'open' | 'failed' | 'closed' | 'aborted' = 'open';

	constructor(location: string, finish: (bytes: Uint8Array) => void) {
		this.location = location;
		this.#finish = finish;
	}

	get bytesWritten(): number {
		return this.#written;
	}

	async write(bytes: Uint8Array): Promise<void> {
		this.#checkOpen();
		this.#parts.push(copyOf(bytes));
		this.#written += bytes.length;
	}

	async close(): Promise<void> {
		this.#checkOpen();
		this.#state = 'failed';
		this.#finish(copyOf(Buffer.concat(this.#parts, this.#written)));
		this.#parts = [];
		this.#state = 'closed';
	}

	async abort(): Promise<void> {
		if (this.#state === 'closed') return;
		this.#state = 'aborted';
		this.#parts = [];
	}

	#checkOpen(): void {
		if (this.#state !== 'open')
			throw new IcebergError('CLOSED', `${this.location} is ${this.#state}: it takes no more writes`);
	}
}

/** A plain `Uint8Array` with a buffer of its own, also for a `Buffer`. */
function copyOf(bytes: Uint8Array): Uint8Array {
	const copy = new Uint8Array(bytes.length);
	copy.set(bytes);
	return copy;
}

function taken(location: string): IcebergError {
	return new IcebergError('ALREADY_EXISTS', `cannot create ${location}: a file is there already`, {
		context: { location, notWritten: true },
	});
}
