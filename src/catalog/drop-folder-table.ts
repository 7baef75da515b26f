/** Removing a folder table with its files. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { baseName, JOURNAL_FOLDER, joinLocation, withoutTrailingSlash } from '../io/location.ts';
import { TEMPORARY_FILE_NAME } from '../io/local-file-io.ts';
import { openFileIO } from '../io/resolve.ts';
import { booleanProperty, TABLE_PROPERTY } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { CallOptions } from '../util/deadline.ts';
import { FolderCommitter } from './folder-committer.ts';
import { versionOf } from './metadata-file.ts';
import { reachableFiles } from './reachable-files.ts';
import { METADATA_FOLDER, VersionFiles } from './version-files.ts';

export interface DropOptions extends CallOptions {
	readonly io?: FileIO;
}

export interface DropResult {
	readonly deletedFileCount: number;
	/** files in the table's folder that are not the table's, and were left alone: the first {@link MAX_REPORTED_FILES} */
	readonly keptFiles: readonly string[];
	readonly keptFileCount: number;
}

export const MAX_REPORTED_FILES = 1000;
/** How often versions are looked for that a writer still committed while the table was dropped. */
const MAX_SWEEPS = 10;
/** Folders whose whole content is the table's. */
const OWN_FOLDERS: readonly string[] = [METADATA_FOLDER, JOURNAL_FOLDER];
/** Where a table's data files are unless it says otherwise; people have folders of this name, too. */
const DATA_FOLDER = 'data';
/** Every engine's data files have such a name, those that were never committed as well. */
const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/i;

/**
 * Deletes a table: all files in `metadata/` and `_journal/` of its folder, those anywhere in the folder that its
 * snapshots refer to, and those in `data/` that have a UUID in their names (leftovers of writers that failed). Other
 * files in the folder stay, and so does everything outside of it.
 *
 * The newest metadata file goes last. Cut short at any point, what is left is still recognised as a table (whose files
 * are gone), and dropping it again finishes the work.
 *
 * @param location absolute, as `absoluteLocation` makes it
 * @throws `NOT_FOUND`, `NOT_A_TABLE` when there is no table: nothing is deleted; `VALIDATION_FAILED` when the table
 *   property `gc.enabled` is false: its files may belong to other tables, too
 */
export async function dropFolderTable(location: string, options: DropOptions = {}): Promise<DropResult> {
	const folder = withoutTrailingSlash(location);
	const io = options.io ?? openFileIO(folder, { roots: [folder] });
	try {
		const { metadata } = await new FolderCommitter(io, folder).load(options.signal);
		if (!booleanProperty(metadata.properties, TABLE_PROPERTY.gcEnabled, true))
			throw new IcebergError(
				'VALIDATION_FAILED',
				`the table ${folder} is not dropped: its property '${TABLE_PROPERTY.gcEnabled}' is 'false', which says that ` +
					'its files may belong to other tables, too. Remove the property first',
				{ context: { location: folder } },
			);
		return await drop(io, folder, metadata, options.signal);
	} finally {
		if (options.io === undefined) await io.close();
	}
}

async function drop(
	io: FileIO,
	folder: string,
	metadata: TableMetadata,
	signal: AbortSignal | undefined,
): Promise<DropResult> {
	const ownFolders = OWN_FOLDERS.map((name) => `${joinLocation(folder, name)}/`);
	const dataFolder = `${joinLocation(folder, DATA_FOLDER)}/`;
	const isOwn = (location: string): boolean =>
		ownFolders.some((own) => location.startsWith(own)) ||
		(location.startsWith(dataFolder) && isLeftoverName(baseName(location)));
	// Only where there are other files does it matter which of them the snapshots refer to.
	const hasOthers = await some(io.list(folder), ({ location }) => !isOwn(location));
	const elsewhere = hasOthers
		? await reachableFiles(io, folder, metadata, (location) => !isOwn(location))
		: new Set<string>();
	const metadataFolder = `${joinLocation(folder, METADATA_FOLDER)}/`;
	let deletedFileCount = 0;
	let keptFileCount = 0;
	const keptFiles: string[] = [];
	const remove = async (file: string): Promise<void> => {
		throwIfAborted(signal);
		if (await io.delete(file)) deletedFileCount++;
	};
	for await (const { location } of io.list(folder, signal === undefined ? {} : { signal })) {
		if (location.startsWith(metadataFolder)) continue;
		if (isOwn(location) || elsewhere.has(location)) await remove(location);
		else {
			keptFileCount++;
			if (keptFiles.length < MAX_REPORTED_FILES) keptFiles.push(location);
		}
	}
	const files = new VersionFiles(io, folder);
	for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
		for await (const { location } of io.list(metadataFolder.slice(0, -1)))
			if (location !== files.hintLocation && versionOf(baseName(location)) === undefined) await remove(location);
		const versions = [...(await files.list()).versions.keys()].sort((a, b) => a - b);
		if (versions.length === 0) break;
		for (const version of versions) {
			if (version === versions.at(-1)) await remove(files.hintLocation);
			for (let file = await files.find(version); file !== undefined; file = await files.find(version))
				await remove(file.location);
		}
	}
	await io.removeEmptyFolders(folder);
	return { deletedFileCount, keptFiles, keptFileCount };
}

function isLeftoverName(name: string): boolean {
	return UUID.test(name) || TEMPORARY_FILE_NAME.test(name);
}

async function some<T>(items: AsyncIterable<T>, test: (item: T) => boolean): Promise<boolean> {
	for await (const item of items) if (test(item)) return true;
	return false;
}
