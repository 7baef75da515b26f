/** Files that grow, on a simulated disk, as a simulated process has them. */
import { constants } from 'node:fs';
import { IcebergError } from '../../errors/iceberg-error.ts';
import { fsError } from '../../io/fs-error.ts';
import {
	checkJournalName,
	checkJournalRange,
	isJournalName,
	type JournalAppendFile,
	type JournalListing,
	type JournalReadFile,
	type JournalStore,
} from '../../io/journal-store.ts';
import type { SimDisk, SimFile } from './sim-disk.ts';
import type { SimFsCalls } from './sim-fs-calls.ts';
import type { SimRandom } from './sim-random.ts';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** {@link JournalStore} by simulated system calls. What is appended may be seen, and be cut off by a crash, in parts. */
export class SimJournalStore implements JournalStore {
	readonly #calls: SimFsCalls;
	readonly #disk: SimDisk;
	readonly #random: SimRandom;
	readonly #table: string;

	/** @param table its folder */
	constructor(calls: SimFsCalls, disk: SimDisk, random: SimRandom, table: string) {
		this.#calls = calls;
		this.#disk = disk;
		this.#random = random.fork('journals');
		this.#table = table;
	}

	async create(name: string): Promise<JournalAppendFile> {
		checkJournalName(name);
		const path = this.#path(name);
		return this.#doing('create', name, async () => {
			await this.#calls.mkdir(this.#folder);
			const fd = await this.#calls.open(path, CREATE);
			return new SimAppendFile(this.#calls, this.#random, fd, [this.#folder, this.#table]);
		});
	}

	async open(name: string): Promise<JournalReadFile | undefined> {
		checkJournalName(name);
		return this.#doing('open', name, async () => {
			await this.#calls.pause('look for', name);
			const file = this.#disk.look(this.#path(name));
			return file?.kind === 'file' ? new SimReadFile(this.#calls, name, file) : undefined;
		});
	}

	async list(): Promise<readonly JournalListing[]> {
		const listings: JournalListing[] = [];
		if (this.#disk.look(this.#folder) === undefined) return listings;
		return this.#doing('list', this.#folder, async () => {
			for await (const { name } of this.#calls.looks.entries(this.#folder)) {
				const file = this.#disk.look(this.#path(name));
				if (file?.kind === 'file' && isJournalName(name))
					listings.push({ name, sizeBytes: file.length, modifiedMs: file.modifiedMs });
			}
			return listings;
		});
	}

	async remove(name: string): Promise<boolean> {
		checkJournalName(name);
		return this.#doing('remove', name, async () => {
			let wasThere = true;
			try {
				await this.#calls.unlink(this.#path(name));
			} catch (error) {
				if ((error as { readonly code?: unknown }).code !== 'ENOENT') throw error;
				wasThere = false;
			}
			await flushFolder(this.#calls, this.#folder);
			return wasThere;
		});
	}

	get #folder(): string {
		return `${this.#table}/_journal`;
	}

	#path(name: string): string {
		return `${this.#folder}/${name}`;
	}

	async #doing<T>(what: string, name: string, work: () => Promise<T>): Promise<T> {
		try {
			return await work();
		} catch (error) {
			throw fsError(error, what, name);
		}
	}
}

class SimAppendFile implements JournalAppendFile {
	readonly #calls: SimFsCalls;
	readonly #random: SimRandom;
	readonly #fd: number;
	/** whose entries have to be durable before the file is */
	#folders: readonly string[];
	#syncing: Promise<void> | undefined;
	#failure: unknown;
	#isClosed = false;
	size = 0;

	constructor(calls: SimFsCalls, random: SimRandom, fd: number, folders: readonly string[]) {
		this.#calls = calls;
		this.#random = random;
		this.#fd = fd;
		this.#folders = folders;
	}

	async append(bytes: Uint8Array): Promise<void> {
		if (this.#failure !== undefined) throw this.#failure;
		try {
			const first = this.#random.chance(0.3) ? this.#random.between(0, bytes.length) : bytes.length;
			await this.#write(bytes.slice(0, first));
			await this.#write(bytes.slice(first));
			this.size += bytes.length;
		} catch (error) {
			// Some of it may be there.
			this.#failure = fsError(error, 'append to', `journal ${this.#fd}`);
			throw this.#failure;
		}
	}

	/** Calls that come while one is under way share the next. */
	async sync(): Promise<void> {
		if (this.#syncing !== undefined) await this.#syncing.catch(() => undefined);
		if (this.#failure !== undefined) throw this.#failure;
		this.#syncing ??= this.#sync().finally(() => {
			this.#syncing = undefined;
		});
		await this.#syncing;
	}

	async close(): Promise<void> {
		await this.#syncing?.catch(() => undefined);
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#failure ??= new IcebergError('CLOSED', `journal ${this.#fd} was closed`);
		await this.#calls.close(this.#fd);
	}

	async #sync(): Promise<void> {
		try {
			await this.#calls.fsync(this.#fd);
			for (const folder of this.#folders) await flushFolder(this.#calls, folder);
			this.#folders = [];
		} catch (error) {
			this.#failure = fsError(error, 'flush', `journal ${this.#fd}`);
			throw this.#failure;
		}
	}

	async #write(bytes: Uint8Array): Promise<void> {
		for (let at = 0; at < bytes.length; ) at += await this.#calls.write(this.#fd, bytes, at, bytes.length - at);
	}
}

class SimReadFile implements JournalReadFile {
	readonly #calls: SimFsCalls;
	readonly #name: string;
	readonly #file: SimFile;

	constructor(calls: SimFsCalls, name: string, file: SimFile) {
		this.#calls = calls;
		this.#name = name;
		this.#file = file;
	}

	size(): number {
		return this.#file.length;
	}

	async read(offset: number, maxLength: number): Promise<Uint8Array> {
		checkJournalRange(this.#name, offset, maxLength);
		await this.#calls.pause('read journal', this.#name);
		return this.#file.bytes.slice(offset, offset + maxLength);
	}

	close(): void {
		// Nothing is held.
	}
}

async function flushFolder(calls: SimFsCalls, folder: string): Promise<void> {
	const fd = await calls.open(folder, constants.O_RDONLY);
	try {
		await calls.fsync(fd);
	} finally {
		await calls.close(fd);
	}
}
