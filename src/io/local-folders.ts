/** Walking local folders. */
import { lstatSync, statSync } from 'node:fs';
import { opendir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { FileEntry, ListOptions } from './file-io.ts';
import { errnoOf, fsError, isAbsent } from './fs-error.ts';
import { withoutTrailingSlash } from './location.ts';

/** Entries of a folder that are fetched at once. */
const LIST_BATCH = 256;
/** Deepest nesting of folders that is followed. */
const MAX_DEPTH = 512;

/**
 * Files below a folder. Folders that are symbolic links are not entered; links to files count as files.
 * @param root the folder's path
 * @param prefix its location: that of each file begins with it
 * @param checkOpen throws when the storage was closed meanwhile
 */
export async function* listFolder(
	root: string,
	prefix: string,
	options: ListOptions,
	checkOpen: () => void,
): AsyncGenerator<FileEntry, void, undefined> {
	const top = withoutTrailingSlash(prefix);
	const folders = [''];
	for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
		for await (const entry of entriesOf(join(root, below), prefix)) {
			throwIfAborted(options.signal);
			checkOpen();
			const relative = below === '' ? entry.name : `${below}/${entry.name}`;
			if (entry.isFolder) {
				if (options.recursive === false) continue;
				if (relative.split('/').length > MAX_DEPTH) throw tooDeep(prefix);
				folders.push(relative);
				continue;
			}
			const stat = statSync(join(root, relative), { throwIfNoEntry: false });
			// Gone in the meantime, or neither a file nor a link to one.
			if (stat?.isFile() !== true) continue;
			yield {
				location: top === '/' ? `/${relative}` : `${top}/${relative}`,
				sizeBytes: stat.size,
				modifiedMs: stat.mtimeMs,
			};
		}
	}
}

/**
 * Removes the folder at `path` and those below it, as far as there is no file in them.
 * @param onRemoved called for each one that went
 */
export async function removeIfEmpty(
	path: string,
	location: string,
	onRemoved: (folder: string) => void,
	depth = 0,
): Promise<void> {
	if (depth > MAX_DEPTH) throw tooDeep(location);
	if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
	await removeEmptyBelow(path, location, onRemoved, depth);
	try {
		await rmdir(path);
		onRemoved(path);
	} catch (error) {
		const errno = errnoOf(error);
		if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST' && errno !== 'ENOENT')
			throw fsError(error, 'remove the folder', location);
	}
}

/** As {@link removeIfEmpty}, but the folder at `path` itself stays. */
export async function removeEmptyBelow(
	path: string,
	location: string,
	onRemoved: (folder: string) => void,
	depth = 0,
): Promise<void> {
	for await (const entry of entriesOf(path, location))
		if (entry.isFolder) await removeIfEmpty(join(path, entry.name), location, onRemoved, depth + 1);
}

/** A folder that is not there, or not any more, has none. */
async function* entriesOf(
	path: string,
	location: string,
): AsyncGenerator<{ readonly name: string; readonly isFolder: boolean }> {
	try {
		for await (const entry of await opendir(path, { bufferSize: LIST_BATCH }))
			yield { name: entry.name, isFolder: entry.isDirectory() };
	} catch (error) {
		if (!isAbsent(error)) throw fsError(error, 'list', location);
	}
}

function tooDeep(location: string): IcebergError {
	return new IcebergError('LIMIT_EXCEEDED', `folders below ${location} nest deeper than ${MAX_DEPTH}`, {
		context: { location },
	});
}
