/** Tables by their folder: opened, made; and metadata files opened read-only. Iceberg spec: File System Tables. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { isLocalLocation, joinLocation, withoutTrailingSlash } from '../io/location.ts';
import type { LocalFileIOOptions } from '../io/local-file-io.ts';
import { openFileIO } from '../io/resolve.ts';
import { maintenanceProperties } from '../metadata/maintenance-properties.ts';
import { newTableUpdates } from '../metadata/new-table.ts';
import { applyUpdates } from '../metadata/reduce.ts';
import { checkProperties, type Properties, TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { Committer, LoadedMetadata, SwapOutcome } from '../transaction/committer.ts';
import type { Clock, Random } from '../util/ports.ts';
import { systemClock, systemRandom } from '../util/system-ports.ts';
import { randomUuid } from '../util/uuid.ts';
import { checkWriteProperties } from '../write/write-properties.ts';
import { FolderCommitter } from './folder-committer.ts';
import { readMetadataFile } from './metadata-file.ts';
import { METADATA_FOLDER, VersionFiles } from './version-files.ts';

export interface OpenedTable {
	readonly io: FileIO;
	readonly committer: Committer;
	readonly loaded: LoadedMetadata;
}

export interface OpenOptions {
	/** Storage of the table. Default: by the location's scheme, with writes confined to the table's own places. */
	readonly io?: FileIO;
	/** for storage that is opened here, in the file system */
	readonly local?: Pick<LocalFileIOOptions, 'makesFilesAhead'>;
	readonly signal?: AbortSignal;
}

/** Properties that name folders, besides the table's own, to which its data may go. */
const FOLDER_PROPERTIES: readonly string[] = [
	TABLE_PROPERTY.dataPath,
	'write.object-storage.path',
	'write.folder-storage.path',
];

/**
 * Opens the table in a folder.
 *
 * @param location absolute, as `absoluteLocation` makes it
 * @throws `NOT_FOUND` without such a folder; `NOT_A_TABLE` for a folder without a table, and for one whose table a
 *   catalog manages (the message names a metadata file that can be opened instead); `CORRUPT`, naming the file;
 *   `UNSUPPORTED` for a newer format version
 */
export async function openFolderTable(location: string, options: OpenOptions = {}): Promise<OpenedTable> {
	const folder = withoutTrailingSlash(location);
	if (options.io !== undefined) return open(folder, options.io, options.signal);
	const io = openFileIO(folder, { ...options.local, roots: [folder] });
	const opened = await closingOnFailure(io, () => open(folder, io, options.signal));
	const roots = writableRoots(folder, opened.loaded.metadata.properties);
	if (roots.length === 1) return opened;
	// The table keeps its data elsewhere, and says so itself: that place may be written to as well.
	await io.close();
	const widened = openFileIO(folder, { ...options.local, roots });
	return { io: widened, committer: new FolderCommitter(widened, folder), loaded: opened.loaded };
}

/** The folders to which writes of a table are confined: its own, and those that its properties name. */
export function writableRoots(location: string, properties: Properties): string[] {
	const named = FOLDER_PROPERTIES.map((name) => textProperty(properties, name) ?? '').filter(isLocalLocation);
	return [...new Set([location, ...named])];
}

export interface NewTable {
	/** Its field ids become the table's. */
	readonly schema: Schema;
	readonly partitionSpec: PartitionSpec;
	readonly sortOrder: SortOrder;
	readonly properties: Properties;
	readonly formatVersion: FormatVersion;
}

export interface CreateTableOptions extends OpenOptions {
	readonly clock?: Clock;
	readonly random?: Random;
}

/**
 * Makes a table in a folder, which may exist and hold other files, but no table. Of several that make one at the same
 * time exactly one succeeds. Old metadata files are deleted as the table grows unless its properties say otherwise.
 *
 * @param location absolute, as `absoluteLocation` makes it
 * @throws `ALREADY_EXISTS` when there is a table; `INVALID_ARGUMENT`, `INVALID_SCHEMA` for what cannot be a table;
 *   `COMMIT_STATE_UNKNOWN` when the storage did not tell whether it was made
 */
export async function createFolderTable(
	location: string,
	table: NewTable,
	options: CreateTableOptions = {},
): Promise<OpenedTable> {
	const folder = withoutTrailingSlash(location);
	checkProperties(table.properties);
	maintenanceProperties(table.properties);
	checkWriteProperties(table.properties, table.schema);
	const random = options.random ?? systemRandom;
	const updates = newTableUpdates({
		schema: table.schema,
		spec: table.partitionSpec,
		sortOrder: table.sortOrder,
		location: folder,
		properties: { [TABLE_PROPERTY.metadataDeleteAfterCommit]: 'true', ...table.properties },
		formatVersion: table.formatVersion,
		uuid: randomUuid(random),
	});
	const next = applyUpdates(undefined, updates, { nowMs: (options.clock ?? systemClock).nowMs() });
	const io = options.io ?? openFileIO(folder, { roots: writableRoots(folder, table.properties) });
	const create = async (): Promise<OpenedTable> => {
		const { versions, catalogWritten } = await new VersionFiles(io, folder).list();
		if (versions.size > 0 || catalogWritten.length > 0) throw alreadyThere(folder);
		const committer = new FolderCommitter(io, folder);
		const swapped = await committer.swap({
			base: undefined,
			requirements: [{ type: 'assert-create' }],
			updates,
			next,
			commitId: randomUuid(random),
			...(options.signal === undefined ? {} : { signal: options.signal }),
		});
		if (swapped.outcome === 'committed') return { io, committer, loaded: swapped.loaded };
		if (swapped.outcome === 'conflict') throw alreadyThere(folder, swapped.cause);
		throw new IcebergError('COMMIT_STATE_UNKNOWN', `whether the table ${folder} was created is not known`, {
			cause: swapped.cause,
			context: { location: folder },
		});
	};
	return options.io === undefined ? closingOnFailure(io, create) : create();
}

/**
 * Opens one metadata file, of any name, to be read only: what it says stays what it says, whatever is committed.
 * @throws `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED`
 */
export async function openMetadataFile(location: string, options: OpenOptions = {}): Promise<OpenedTable> {
	const io = options.io ?? openFileIO(location, { roots: [] });
	const open = async (): Promise<OpenedTable> => {
		const { metadata } = await readMetadataFile(io, location, options.signal);
		const loaded: LoadedMetadata = { metadata, metadataLocation: location, token: undefined };
		return { io, committer: new ReadOnlyCommitter(io, loaded), loaded };
	};
	return options.io === undefined ? closingOnFailure(io, open) : open();
}

/** True for a location that names a metadata file rather than a folder. */
export function isMetadataFileLocation(location: string): boolean {
	return /\.metadata\.json(?:\.gz)?$/.test(location);
}

class ReadOnlyCommitter implements Committer {
	readonly io: FileIO;
	readonly #loaded: LoadedMetadata;

	constructor(io: FileIO, loaded: LoadedMetadata) {
		this.io = io;
		this.#loaded = loaded;
	}

	async load(): Promise<LoadedMetadata> {
		return this.#loaded;
	}

	async swap(): Promise<SwapOutcome> {
		throw new IcebergError(
			'UNSUPPORTED',
			`${this.#loaded.metadataLocation} was opened as a metadata file, to be read only: nothing can be committed to it`,
			{ context: { metadataLocation: this.#loaded.metadataLocation } },
		);
	}
}

async function open(folder: string, io: FileIO, signal: AbortSignal | undefined): Promise<OpenedTable> {
	const committer = new FolderCommitter(io, folder);
	return { io, committer, loaded: await committer.load(signal) };
}

async function closingOnFailure<T>(io: FileIO, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		await io.close();
		throw error;
	}
}

function alreadyThere(folder: string, cause?: unknown): IcebergError {
	return new IcebergError('ALREADY_EXISTS', `there is a table in ${folder} already`, {
		context: { location: folder, metadataFolder: joinLocation(folder, METADATA_FOLDER) },
		...(isIcebergError(cause) ? { cause } : {}),
	});
}
