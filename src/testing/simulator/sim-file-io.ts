/** Storage as a simulated process sees it: another one behind virtual time, with failures that the contract allows. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type {
	CreateOptions,
	FileEntry,
	FileIO,
	InputFile,
	ListOptions,
	OutputFile,
	PutOptions,
} from '../../io/file-io.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRandom } from './sim-random.ts';

/** Probabilities, 0 to 1. */
export interface StorageFaults {
	/** an operation that changes something is done and then reported as failed with `STORAGE` */
	readonly lostReply: number;
	/** an operation fails with `STORAGE` and does nothing; the caller is not told that it did nothing */
	readonly fail: number;
}

export const NO_STORAGE_FAULTS: StorageFaults = { lostReply: 0, fail: 0 };

const OPERATION_MS = 0.1;

/** Each operation begins some virtual time after it was called, so that others come between. */
export class SimFileIO implements FileIO {
	readonly name = 'simulated';
	/** May be replaced at any time. */
	faults: StorageFaults = NO_STORAGE_FAULTS;
	/** operations so far */
	operationCount = 0;
	readonly #inner: FileIO;
	readonly #process: SimProcess;
	readonly #random: SimRandom;

	constructor(inner: FileIO, process: SimProcess) {
		this.#inner = inner;
		this.#process = process;
		this.#random = process.random.fork('storage');
	}

	input(location: string, knownLength?: number): InputFile {
		const file = this.#inner.input(location, knownLength);
		return {
			location,
			length: () => file.length(),
			read: (offset, length, signal) => this.#look('read', location, () => file.read(offset, length, signal)),
			readAll: (options) => this.#look('readAll', location, () => file.readAll(options)),
			close: () => file.close(),
		};
	}

	create(location: string, options?: CreateOptions): Promise<OutputFile> {
		return this.#look('create', location, () => this.#inner.create(location, options));
	}

	write(location: string, bytes: Uint8Array, options?: CreateOptions): Promise<void> {
		return this.#change('write', location, () => this.#inner.write(location, bytes, options));
	}

	persistNames(locations: readonly string[]): Promise<void> {
		return this.#change('persistNames', locations[0] ?? '', () => this.#inner.persistNames(locations));
	}

	putIfAbsent(location: string, bytes: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'> {
		return this.#change('putIfAbsent', location, () => this.#inner.putIfAbsent(location, bytes, options));
	}

	replace(location: string, bytes: Uint8Array): Promise<void> {
		return this.#change('replace', location, () => this.#inner.replace(location, bytes));
	}

	exists(location: string): Promise<boolean> {
		return this.#look('exists', location, () => this.#inner.exists(location));
	}

	delete(location: string): Promise<boolean> {
		return this.#change('delete', location, () => this.#inner.delete(location));
	}

	async *list(prefix: string, options?: ListOptions): AsyncGenerator<FileEntry, void, undefined> {
		await this.#look('list', prefix, async () => undefined);
		yield* this.#inner.list(prefix, options);
	}

	removeEmptyFolders(location: string): Promise<void> {
		return this.#change('removeEmptyFolders', location, () => this.#inner.removeEmptyFolders(location));
	}

	close(): Promise<void> {
		return this.#inner.close();
	}

	async #look<T>(name: string, location: string, work: () => Promise<T>): Promise<T> {
		this.operationCount++;
		await this.#process.wait(OPERATION_MS, `${name} ${location}`);
		if (this.#random.chance(this.faults.fail)) throw this.#fault(name, location, 'failed');
		return work();
	}

	async #change<T>(name: string, location: string, work: () => Promise<T>): Promise<T> {
		const losesReply = this.#random.chance(this.faults.lostReply);
		const result = await this.#look(name, location, work);
		if (losesReply) throw this.#fault(name, location, 'was done, and its reply was lost');
		return result;
	}

	#fault(name: string, location: string, what: string): IcebergError {
		this.#process.scheduler.note(`${this.#process.name} ${name} ${location} ${what}`);
		return new IcebergError('STORAGE', `simulated: ${name} ${location} ${what}`, { context: { location } });
	}
}
