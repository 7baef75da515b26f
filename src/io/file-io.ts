/**
 * The storage port. Locations are absolute URIs or absolute plain paths, exactly as they stand in table metadata;
 * an implementation maps them to places when it opens them and never rewrites the strings.
 *
 * Errors: `NOT_FOUND`, `ALREADY_EXISTS`, `PERMISSION_DENIED`, `STORAGE` (with `retryable`), `ABORTED`, `CLOSED`,
 * `INVALID_ARGUMENT` (a location that this storage does not serve).
 */
export interface FileIO {
	/** What this storage is, for messages: `local`, `memory`, `s3`. */
	readonly name: string;

	/** Nothing is opened yet. `knownLength` (bytes), where the caller has it, saves a request. */
	input(location: string, knownLength?: number): InputFile;

	/**
	 * Starts a new file. Data become visible at `location`, whole, no sooner than `close` resolves on stores that can
	 * hide them, and are durable when it has, unless `deferSync` says that this may wait. On a file system the name itself
	 * is durable after {@link persistNames}.
	 * Parent folders are made as needed. @throws `ALREADY_EXISTS` unless `overwrite`.
	 */
	create(location: string, options?: CreateOptions): Promise<OutputFile>;

	/** `create`, `write`, `close` in one. */
	write(location: string, bytes: Uint8Array, options?: CreateOptions): Promise<void>;

	/**
	 * Makes files that were created durable: their names (fsyncs each distinct folder once; nothing on object stores), and
	 * contents of which that was put off.
	 */
	persistNames(locations: readonly string[]): Promise<void>;

	/**
	 * The swap: puts `bytes` at `location` atomically and durably if nothing is there.
	 * - `created`: durable, name included
	 * - `exists`: somebody else's file is there; nothing of ours is left behind
	 * Any rejection with code `STORAGE` may have happened or not: the outcome is unknown to the caller, who must read
	 * back. A rejection with `retryable: false` and `context.notWritten === true` says that nothing was put there; such is
	 * the one when what it comes `after` cannot be made durable.
	 */
	putIfAbsent(location: string, bytes: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'>;

	/**
	 * Replaces or creates a small file atomically (readers see the old or the new content whole), beside others: no folder is made
	 * for it. Not durable by itself.
	 */
	replace(location: string, bytes: Uint8Array): Promise<void>;

	exists(location: string): Promise<boolean>;

	/**
	 * Where a look is cheaper than reading: a text that is another one once another file has been put at the location;
	 * `undefined` when there is none. Files that are changed in place need not be told apart.
	 */
	fingerprint?(location: string): Promise<string | undefined>;

	/** Deletes one file. Resolves to false when there was none. Never removes folders. */
	delete(location: string): Promise<boolean>;

	/** All files below a folder (recursively) or prefix, in no promised order. A missing folder gives none. */
	list(prefix: string, options?: ListOptions): AsyncIterable<FileEntry>;

	/** Removes empty folders at and below `location`; does nothing on object stores. */
	removeEmptyFolders(location: string): Promise<void>;

	/**
	 * Tells soon of changes to the files of a folder, until the returned function is called; keeps no process alive. It may tell
	 * too much, and need not know of changes by other hosts. Absent, or `undefined`: who wants to know has to look.
	 */
	watchFolder?(folder: string, listener: FolderListener): (() => void) | undefined;

	/** Frees what this object holds. Further calls fail with `CLOSED`. */
	close(): Promise<void>;
}

/** What a watch tells. */
export type FolderEvent =
	/** something changed; `name` is the file's, where the system says so */
	| { readonly kind: 'changed'; readonly name: string | undefined }
	/** the watch has ended by itself: there is nothing more to come from it */
	| { readonly kind: 'lost' };

export type FolderListener = (event: FolderEvent) => void;

export interface CreateOptions {
	/** Replace a file that is there. Default false. */
	readonly overwrite?: boolean;
	/**
	 * The content need not be durable before {@link FileIO.persistNames} has resolved for the location, or a
	 * {@link FileIO.putIfAbsent} that comes after it: many files are flushed together in the time of one. Default false.
	 */
	readonly deferSync?: boolean;
	readonly signal?: AbortSignal;
}
export interface PutOptions {
	/** Files, as for {@link FileIO.persistNames}, that are made durable before the new one can be seen. */
	readonly after?: readonly string[];
}
export interface ListOptions {
	/** Default true. */
	readonly recursive?: boolean;
	readonly signal?: AbortSignal;
}
export interface FileEntry {
	/** spelled with the prefix that was asked for */
	readonly location: string;
	readonly sizeBytes: number;
	/** milliseconds since 1970 by the storage's clock */
	readonly modifiedMs: number;
}

export interface InputFile {
	readonly location: string;
	/** bytes */
	length(): Promise<number>;
	/**
	 * Exactly `length` bytes from `offset`. The result may be a view that the caller must not write to.
	 * @throws `CORRUPT` when the file ends before
	 */
	read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
	/** The whole file. @throws `LIMIT_EXCEEDED` when it is larger than `maxBytes` (default 1 GiB) */
	readAll(options?: { readonly maxBytes?: number; readonly signal?: AbortSignal }): Promise<Uint8Array>;
	/** Frees the handle, if one is open. The file may be read again afterwards. */
	close(): Promise<void>;
}

export interface OutputFile {
	readonly location: string;
	/** bytes written so far */
	readonly bytesWritten: number;
	/** The bytes may be reused by the caller once the promise resolves. */
	write(bytes: Uint8Array): Promise<void>;
	/** Durable when resolved, unless that was put off. Call once. */
	close(): Promise<void>;
	/** Gives up: nothing stays at the location. Does nothing after `close`. */
	abort(): Promise<void>;
}
