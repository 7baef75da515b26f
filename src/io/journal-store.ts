/**
 * The port for files that grow: journals of one table, each appended to by its creator alone and read by others while it
 * grows. Storage that has no such files has no `JournalStore`.
 *
 * Errors: `ALREADY_EXISTS`, `PERMISSION_DENIED`, `STORAGE` (a full disk among them), `CLOSED`, `INVALID_ARGUMENT` (a name
 * that is none of a journal).
 */
import { IcebergError } from '../errors/iceberg-error.ts';

/** Local storage answers at once, other storage later; `await` takes both. */
export type Awaitable<T> = T | Promise<T>;

export interface JournalStore {
	/** A new, empty file that only the caller appends to. Durable, its name too, with the first `sync`. @throws `ALREADY_EXISTS` */
	create(name: string): Awaitable<JournalAppendFile>;
	/** `undefined` when there is none. A file that is removed afterwards can be read until it is closed. */
	open(name: string): Awaitable<JournalReadFile | undefined>;
	/** In no promised order; none when nothing was ever created. */
	list(): Awaitable<readonly JournalListing[]>;
	/**
	 * That the file is gone is durable when this is done, also when somebody else had removed it: false then. What its
	 * creator still appends is lost.
	 */
	remove(name: string): Awaitable<boolean>;
}

export interface JournalListing {
	readonly name: string;
	/** may be more than was appended: zeros may stand behind it */
	readonly sizeBytes: number;
	/** milliseconds since 1970 by the storage's clock */
	readonly modifiedMs: number;
}

export interface JournalAppendFile {
	/** bytes appended so far */
	readonly size: number;
	/**
	 * Puts bytes behind those before, where readers see them, not yet durably. They may be reused once this is done. Either
	 * all of them are appended or none: after a failure the file is as it was and may be appended to again, or, where it
	 * cannot be made so, every further call fails.
	 *
	 * @param syncFollows `sync` is called next: a store that can do both at once may do so now. What of that fails is told by
	 * `sync`
	 */
	append(bytes: Uint8Array, syncFollows?: boolean): Awaitable<void>;
	/**
	 * Durable when this is done: what was appended before the call, and the file's name. Calls that come while one is under
	 * way share the next one. After a failure every further call fails: what is on the disk is not known any more.
	 */
	sync(): Awaitable<void>;
	/** Waits for a `sync` that is under way. Does not make durable what was not. */
	close(): Awaitable<void>;
}

export interface JournalReadFile {
	/** bytes: all that were appended, perhaps with zeros behind them */
	size(): Awaitable<number>;
	/**
	 * Up to `maxLength` bytes from `offset`, fewer only where the file ends, none beyond. The result is the caller's own. What
	 * is being appended may be seen in parts.
	 */
	read(offset: number, maxLength: number): Awaitable<Uint8Array>;
	close(): Awaitable<void>;
}

const NAME = /^[a-z0-9-]{1,200}\.journal$/;

/** Whether a file's name is one of a journal. */
export function isJournalName(name: string): boolean {
	return NAME.test(name);
}

/** @throws `INVALID_ARGUMENT` for a name that no journal has */
export function checkJournalName(name: string): void {
	if (!isJournalName(name))
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`'${name.slice(0, 200)}' is no name of a journal: expected lower-case letters, digits and '-', then '.journal'`,
			{ context: { name } },
		);
}

/** @throws `INVALID_ARGUMENT` for what is no range of bytes */
export function checkJournalRange(name: string, offset: number, maxLength: number): void {
	if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(maxLength) || maxLength < 0)
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`${name}: cannot read ${maxLength} bytes from ${offset}: expected whole numbers, not negative`,
		);
}
