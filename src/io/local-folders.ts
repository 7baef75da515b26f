/** Walking local folders. */
import { join } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { FileEntry, ListOptions } from './file-io.ts';
import { errnoOf, fsError, isAbsent } from './fs-error.ts';
import type { FolderEntry, FsLooks } from './fs-looks.ts';
import { withoutTrailingSlash } from './location.ts';

/** Deepest nesting of folders that is followed. */
const MAX_DEPTH = 512;

/**
 * Files below a folder. Folders that are symbolic links are not entered; links to files count as files.
 * @param root the folder's path
 * @param prefix its location: that of each file begins with it
 * @param checkOpen throws when the storage was closed meanwhile
 */
export async function* listFolder(
	looks: FsLooks,
	root: string,
	prefix: string,
	options: ListOptions,
	checkOpen: () => void,
): AsyncGenerator<FileEntry, void, undefined> {
	const top = withoutTrailingSlash(prefix);
	const folders = [''];
	for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
		for await (const entry of entriesOf(looks, join(root, below), prefix)) {
			throwIfAborted(options.signal);
			checkOpen();
			const relative = below === '' ? entry.name : `${below}/${entry.name}`;
			if (entry.isFolder) {
				if (options.recursive === false) continue;
				if (relative.split('/').length > MAX_DEPTH) throw tooDeep(prefix);
				folders.push(relative);
				continue;
			}
			const stat = looks.stat(join(root, relative));
			// Gone in the meantime, or neither a file nor a link to one.
			if (stat?.kind !== 'file') continue;
			yield {
				location: top === '/' ? `/${relative}` : `${top}/${relative}`,
				sizeBytes: stat.sizeBytes,
				modifiedMs: stat.modifiedMs,
			};
		}
	}
}

/**
 * Removes the folder at `path` and those below it, as far as there is no file in them.
 * @param onRemoved called for each one that went
 */
export async function removeIfEmpty(
	looks: FsLooks,
	path: string,
	location: string,
	onRemoved: (folder: string) => void,
	depth = 0,
): Promise<void> {
	if (depth > MAX_DEPTH) throw tooDeep(location);
	if (looks.lstat(path)?.kind !== 'folder') return;
	await removeEmptyBelow(looks, path, location, onRemoved, depth);
	try {
		await looks.removeFolder(path);
		onRemoved(path);
	} catch (error) {
		const errno = errnoOf(error);
		if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST' && errno !== 'ENOENT')
			throw fsError(error, 'remove the folder', location);
	}
}

/** As {@link removeIfEmpty}, but the folder at `path` itself stays. */
export async function removeEmptyBelow(
	looks: FsLooks,
	path: string,
	location: string,
	onRemoved: (folder: string) => void,
	depth = 0,
): Promise<void> {
	for await (const entry of entriesOf(looks, path, location))
		if (entry.isFolder) await removeIfEmpty(looks, join(path, entry.name), location, onRemoved, depth + 1);
}

/** A folder that is not there, or not any more, has none. */
async function* entriesOf(looks: FsLooks, path: string, location: string): AsyncGenerator<FolderEntry> {
	try {
		yield* looks.entries(path);
	} catch (error) {
		if (!isAbsent(error)) throw fsError(error, 'list', location);
	}
}

function tooDeep(location: string): IcebergError {
	return new IcebergError('LIMIT_EXCEEDED', `folders below ${location} nest deeper than ${MAX_DEPTH}`, {
		context: { location },
	});
}
