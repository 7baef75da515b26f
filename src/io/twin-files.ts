/** Small files that are replaced many times a second, without a new file for each time. */
import { constants } from 'node:fs';
import { type FsCalls, unlinkQuietly, withOpenFile, writeFully } from './fs-calls.ts';

/** A file that is replaced less often is replaced by new ones. */
const REPLACED_BEFORE = 32;
/** Of the content: what a processor copies at once. */
const MAX_BYTES = 8;
const MAX_PATHS = 16;

/**
 * Two files take turns at one name. The one whose turn it is not is written in place, then gets the name; the other keeps a
 * temporary name of its own and waits. Contents are of one length, so that a reader that opened the file two turns ago finds
 * a whole content as well, a later one.
 */
export class TwinFiles {
	readonly #temporaryBeside: (path: string) => string;
	readonly #byPath = new Map<string, { replaced: number; length: number; keepers: string[] }>();

	/** @param temporaryBeside gives a new name of a temporary file in the folder of a path */
	constructor(temporaryBeside: (path: string) => string) {
		this.#temporaryBeside = temporaryBeside;
	}

	/** False: not done, and to be done with a new file. */
	async replace(calls: FsCalls, path: string, bytes: Uint8Array): Promise<boolean> {
		let twins = this.#byPath.get(path);
		if (twins === undefined) {
			if (this.#byPath.size >= MAX_PATHS) return false;
			this.#byPath.set(path, (twins = { replaced: 0, length: bytes.length, keepers: [] }));
		}
		if (bytes.length > MAX_BYTES || ++twins.replaced < REPLACED_BEFORE) return false;
		if (twins.length !== bytes.length) {
			await this.#forget(calls, path);
			return false;
		}
		const temporary = this.#temporaryBeside(path);
		try {
			const isNew = twins.keepers.length < 2;
			const keeper = isNew ? this.#temporaryBeside(path) : (twins.keepers.shift() as string);
			twins.keepers.push(keeper);
			const flags = constants.O_WRONLY | (isNew ? constants.O_CREAT | constants.O_EXCL : 0);
			await withOpenFile(calls, keeper, flags, (fd) => writeFully(calls, fd, bytes));
			await calls.link(keeper, temporary);
			await calls.rename(temporary, path);
			return true;
		} catch {
			await unlinkQuietly(calls, temporary);
			await this.#forget(calls, path);
			return false;
		}
	}

	async close(calls: FsCalls): Promise<void> {
		for (const path of this.#byPath.keys()) await this.#forget(calls, path);
	}

	async #forget(calls: FsCalls, path: string): Promise<void> {
		const twins = this.#byPath.get(path);
		this.#byPath.delete(path);
		for (const keeper of twins?.keepers ?? []) await unlinkQuietly(calls, keeper);
	}
}
