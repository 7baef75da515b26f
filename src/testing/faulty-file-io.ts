/** A {@link FileIO} that fails as scripted: what a test needs to see that nothing is lost. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type {
	CreateOptions,
	FileEntry,
	FileIO,
	InputFile,
	ListOptions,
	OutputFile,
	PutOptions,
} from '../io/file-io.ts';

export type FileIOOperation =
	| 'length'
	| 'read'
	| 'readAll'
	| 'create'
	| 'outputWrite'
	| 'outputClose'
	| 'outputAbort'
	| 'write'
	| 'persistNames'
	| 'putIfAbsent'
	| 'replace'
	| 'exists'
	| 'delete'
	| 'list'
	| 'removeEmptyFolders';

export type Fault =
	/** rejects; nothing was done */
	| { readonly kind: 'fail'; readonly error?: unknown }
	/** does it, then rejects: the reply was lost */
	| { readonly kind: 'lose-reply'; readonly error?: unknown }
	/** `write`, `outputWrite`: the first `bytes` are stored, then it rejects. The torn file stays, as after a crash */
	| { readonly kind: 'tear'; readonly bytes: number; readonly error?: unknown }
	/** waits for `until` before doing it: a slow storage, a stopped process */
	| { readonly kind: 'delay'; readonly until: () => Promise<void> }
	/** the process dies before, or after, doing it: this and every later call rejects and does nothing */
	| { readonly kind: 'crash'; readonly after?: boolean }
	/** gives this answer without doing anything */
	| { readonly kind: 'answer'; readonly value: unknown };

export interface FaultRule {
	/** Absent: any. */
	readonly operation?: FileIOOperation;
	/** matched against the location; for `persistNames` against each. Absent: any */
	readonly location?: RegExp;
	/** the first matching call that is hit, from 1. Default 1 */
	readonly from?: number;
	/** how many matching calls are hit from there. Default 1 */
	readonly times?: number;
	readonly fault: Fault;
}

export interface RecordedCall {
	readonly operation: FileIOOperation;
	readonly location: string;
	/** whether a rule hit it */
	readonly faulty: boolean;
}

/** Rejection of every call after a `crash`. Not an `IcebergError`: the process is gone, nobody sees it. */
export class SimulatedCrash extends Error {
	override readonly name = 'SimulatedCrash';
}

/** Wraps another storage. Rules count on their own; the first one that hits decides. */
export class FaultyFileIO implements FileIO {
	readonly name: string;
	/** every call so far, in order */
	readonly calls: RecordedCall[] = [];
	/** there if the other storage has it; counts as `exists` */
	readonly fingerprint?: (location: string) => Promise<string | undefined>;
	readonly #inner: FileIO;
	readonly #rules: { readonly rule: FaultRule; seen: number }[] = [];
	#crashed = false;

	constructor(inner: FileIO, rules: readonly FaultRule[] = []) {
		this.#inner = inner;
		this.name = inner.name;
		if (inner.fingerprint !== undefined)
			this.fingerprint = (location) => this.#run('exists', [location], async () => inner.fingerprint?.(location));
		for (const rule of rules) this.addRule(rule);
	}

	/** Counts from now on. */
	addRule(rule: FaultRule): void {
		this.#rules.push({ rule, seen: 0 });
	}

	/** Forgets all rules; a crash stays. */
	clearRules(): void {
		this.#rules.length = 0;
	}

	get crashed(): boolean {
		return this.#crashed;
	}

	input(location: string, knownLength?: number): InputFile {
		const file = this.#inner.input(location, knownLength);
		return {
			location,
			length: () => this.#run('length', [location], () => file.length()),
			read: (offset, length, signal) => this.#run('read', [location], () => file.read(offset, length, signal)),
			readAll: (options) => this.#run('readAll', [location], () => file.readAll(options)),
			close: () => file.close(),
		};
	}

	create(location: string, options?: CreateOptions): Promise<OutputFile> {
		return this.#run('create', [location], async () => {
			const file = await this.#inner.create(location, options);
			return new FaultyOutputFile(file, (operation, run, tear) => this.#run(operation, [location], run, tear));
		});
	}

	write(location: string, bytes: Uint8Array, options?: CreateOptions): Promise<void> {
		return this.#run(
			'write',
			[location],
			() => this.#inner.write(location, bytes, options),
			(length) => this.#inner.write(location, bytes.subarray(0, length), options),
		);
	}

	persistNames(locations: readonly string[]): Promise<void> {
		return this.#run('persistNames', locations, () => this.#inner.persistNames(locations));
	}

	/** Two calls: what it comes after is made durable by a `persistNames`, as far as rules and the record go. */
	async putIfAbsent(location: string, bytes: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'> {
		const after = options?.after ?? [];
		try {
			if (after.length > 0) await this.persistNames(after);
		} catch (error) {
			if (!(error instanceof IcebergError)) throw error;
			throw new IcebergError(error.code, error.message, {
				cause: error,
				context: { ...error.context, notWritten: true },
			});
		}
		return this.#run('putIfAbsent', [location], () => this.#inner.putIfAbsent(location, bytes));
	}

	replace(location: string, bytes: Uint8Array): Promise<void> {
		return this.#run('replace', [location], () => this.#inner.replace(location, bytes));
	}

	exists(location: string): Promise<boolean> {
		return this.#run('exists', [location], () => this.#inner.exists(location));
	}

	delete(location: string): Promise<boolean> {
		return this.#run('delete', [location], () => this.#inner.delete(location));
	}

	async *list(prefix: string, options?: ListOptions): AsyncGenerator<FileEntry, void, undefined> {
		yield* await this.#run('list', [prefix], async () => this.#inner.list(prefix, options));
	}

	removeEmptyFolders(location: string): Promise<void> {
		return this.#run('removeEmptyFolders', [location], () => this.#inner.removeEmptyFolders(location));
	}

	close(): Promise<void> {
		return this.#inner.close();
	}

	async #run<T>(
		operation: FileIOOperation,
		locations: readonly string[],
		run: () => Promise<T>,
		tear?: (length: number) => Promise<unknown>,
	): Promise<T> {
		if (this.#crashed) throw new SimulatedCrash(`${operation} ${locations.join(', ')} after the crash`);
		const fault = this.#faultFor(operation, locations);
		this.calls.push({ operation, location: locations.join(', '), faulty: fault !== undefined });
		const failure = (given: unknown): unknown =>
			given ??
			new IcebergError('STORAGE', `scripted fault: ${operation} ${locations.join(', ')}`, {
				context: { location: locations[0] },
			});
		switch (fault?.kind) {
			case undefined:
				return run();
			case 'fail':
				throw failure(fault.error);
			case 'lose-reply':
				await run();
				throw failure(fault.error);
			case 'tear':
				if (tear === undefined)
					throw new IcebergError('INVALID_ARGUMENT', `${operation} cannot be torn: the script is wrong`);
				await tear(fault.bytes);
				throw failure(fault.error);
			case 'delay':
				await fault.until();
				return run();
			case 'answer':
				return fault.value as T;
			case 'crash':
				if (fault.after === true) await run();
				this.#crashed = true;
				throw new SimulatedCrash(`crash at ${operation} ${locations.join(', ')}`);
		}
	}

	#faultFor(operation: FileIOOperation, locations: readonly string[]): Fault | undefined {
		let fault: Fault | undefined;
		for (const entry of this.#rules) {
			const { rule } = entry;
			if (rule.operation !== undefined && rule.operation !== operation) continue;
			const pattern = rule.location;
			if (pattern !== undefined && !locations.some((location) => location.search(pattern) >= 0)) continue;
			entry.seen++;
			const from = rule.from ?? 1;
			if (entry.seen >= from && entry.seen < from + (rule.times ?? 1)) fault ??= rule.fault;
		}
		return fault;
	}
}

type RunOutput = <T>(
	operation: 'outputWrite' | 'outputClose' | 'outputAbort',
	run: () => Promise<T>,
	tear?: (length: number) => Promise<unknown>,
) => Promise<T>;

class FaultyOutputFile implements OutputFile {
	readonly #inner: OutputFile;
	readonly #run: RunOutput;

	constructor(inner: OutputFile, run: RunOutput) {
		this.#inner = inner;
		this.#run = run;
	}

	get location(): string {
		return this.#inner.location;
	}

	get bytesWritten(): number {
		return this.#inner.bytesWritten;
	}

	write(bytes: Uint8Array): Promise<void> {
		return this.#run(
			'outputWrite',
			() => this.#inner.write(bytes),
			(length) => this.#inner.write(bytes.subarray(0, length)),
		);
	}

	close(): Promise<void> {
		return this.#run('outputClose', () => this.#inner.close());
	}

	abort(): Promise<void> {
		return this.#run('outputAbort', () => this.#inner.abort());
	}
}
