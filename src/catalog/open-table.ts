/** The entrance: tables by their place. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { absoluteLocation, isLocalLocation, JOURNAL_FOLDER, localPathOf } from '../io/location.ts';
import { DEFAULT_FORMAT_VERSION } from '../metadata/new-table.ts';
import { GroupAppender, type OpenJournaling } from '../ingest/group-appender.ts';
import { LazyMaintenance } from '../maintenance/lazy-maintenance.ts';
import { parsePartitionSpec } from '../spec/partition-spec.ts';
import type { Row, RowInput } from '../spec/row-types.ts';
import { Schema, type SchemaOptions } from '../spec/schema.ts';
import { parseSortOrder } from '../spec/sort-order.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { CALL_KEYS, checkOptions } from '../table/check-options.ts';
import { Table } from '../table/table.ts';
import { type CallOptions, within } from '../util/deadline.ts';
import type { Clock, Random } from '../util/ports.ts';
import { systemClock, systemRandom } from '../util/system-ports.ts';
import type { DropOptions, DropResult } from './drop-folder-table.ts';
import {
	createFolderTable,
	isMetadataFileLocation,
	type OpenedTable,
	openFolderTable,
	openMetadataFile,
} from './folder-table.ts';

/** Where time and chance come from; for tests. */
export interface Ports {
	readonly clock?: Clock;
	readonly random?: Random;
}

export interface LoadTableOptions extends Ports, CallOptions {
	/** Storage of the table. Default: the file system, with writes confined to the table's own places. */
	readonly io?: FileIO;
	/**
	 * Whether this opening looks after the table in the background while it appends: see `docs/maintenance.md`. Default true; the
	 * table property `datashard.maintenance.enabled` says it for all.
	 */
	readonly maintenance?: boolean;
	/** Told of what went wrong in the background: it is tried again, and no append fails for it. */
	readonly onMaintenanceError?: (error: unknown) => void;
}

export interface CreateTableOptions extends LoadTableOptions {
	/** Partition fields: `day(started_at)`, `bucket(16, id)`, `truncate(4, name)`, `region`. Default: not partitioned. */
	readonly partitionBy?: readonly string[];
	/** Order of the rows within each file: `started_at desc nulls last`. Default: as they come. */
	readonly sortBy?: readonly string[];
	/** Iceberg's table properties, text to text. */
	readonly properties?: Readonly<Record<string, string>>;
	/** Default 2. 3 is needed for nanoseconds, variant, geometry, geography, unknown and defaults. */
	readonly formatVersion?: FormatVersion;
}

const LOAD_KEYS: readonly (keyof LoadTableOptions)[] = [
	'io',
	'clock',
	'random',
	'maintenance',
	'onMaintenanceError',
	...CALL_KEYS,
];
const CREATE_KEYS: readonly (keyof CreateTableOptions)[] = [
	...LOAD_KEYS,
	'partitionBy',
	'sortBy',
	'properties',
	'formatVersion',
];
const DROP_KEYS: readonly (keyof DropOptions)[] = ['io', ...CALL_KEYS];

/**
 * Makes a table in a folder and opens it. The folder is made when it is not there; it may hold other files, but no table.
 *
 * @param location a path (a relative one is taken from the current folder now, once and for all) or a `file:` URL
 * @throws `ALREADY_EXISTS` when a table is there; `INVALID_SCHEMA`, `INVALID_ARGUMENT` for what cannot be a table: nothing
 *   is written then; `PERMISSION_DENIED`, `STORAGE`, `COMMIT_STATE_UNKNOWN`
 */
export async function createTable<In = RowInput, Out = Row>(
	location: string | URL,
	schema: Schema<In, Out> | SchemaOptions,
	options: CreateTableOptions = {},
): Promise<Table<In, Out>> {
	checkOptions('createTable', options, CREATE_KEYS);
	const { partitionBy, sortBy, properties, formatVersion, clock, random, io } = options;
	const place = absoluteLocation(location, process.cwd());
	const tableSchema = asSchema(schema);
	const table = {
		schema: tableSchema,
		partitionSpec: parsePartitionSpec(tableSchema, namesIn('partitionBy', partitionBy)),
		sortOrder: parseSortOrder(tableSchema, namesIn('sortBy', sortBy)),
		properties: properties ?? {},
		formatVersion: formatVersion ?? DEFAULT_FORMAT_VERSION,
	};
	const call = { name: `createTable of ${place}`, effect: 'commit', ...given({ clock }) } as const;
	const opened = await within(call, options, (signal) =>
		createFolderTable(place, table, given({ clock, random, io, signal })),
	);
	return tableOf(place, opened, false, options);
}

/**
 * Opens a table: by its folder, to read and write; or by one of its metadata files (`….metadata.json`), to be read as that
 * file has it. Rows that a process had journaled before it was killed are appended when the table is opened by its folder.
 *
 * @throws `NOT_FOUND`; `NOT_A_TABLE` for a folder without a table; `CORRUPT` naming the file; `UNSUPPORTED` for a table of a
 *   newer format; `PERMISSION_DENIED`, `STORAGE`
 */
export async function loadTable<In = RowInput, Out = Row>(
	location: string | URL,
	options: LoadTableOptions = {},
): Promise<Table<In, Out>> {
	checkOptions('loadTable', options, LOAD_KEYS);
	const place = absoluteLocation(location, process.cwd());
	const { io, clock } = options;
	const readOnly = isMetadataFileLocation(place);
	const open = readOnly ? openMetadataFile : openFolderTable;
	const call = { name: `loadTable of ${place}`, effect: 'none', ...given({ clock }) } as const;
	const opened = await within(call, options, (signal) => open(place, given({ io, signal })));
	if (readOnly || !mayHaveJournals(place, options)) return tableOf(place, opened, readOnly, options);
	const { takeInLeftJournals } = await import('./open-journaling.ts');
	return tableOf(place, await takeInLeftJournals(opened, place), readOnly, options);
}

/**
 * Deletes a table with its files. Other files in its folder stay.
 * @throws `NOT_FOUND`, `NOT_A_TABLE` when there is none: nothing is deleted; `VALIDATION_FAILED` when the table says that its
 *   files may belong to others
 */
export async function dropTable(location: string | URL, options: DropOptions = {}): Promise<DropResult> {
	checkOptions('dropTable', options, DROP_KEYS);
	const place = absoluteLocation(location, process.cwd());
	if (isMetadataFileLocation(place)) {
		throw new IcebergError('INVALID_ARGUMENT', `${place} is a metadata file; give the table's folder to drop it`, {
			context: { location: place },
		});
	}
	const { dropFolderTable } = await import('./drop-folder-table.ts');
	const { timeoutMs: _, ...rest } = options;
	return within({ name: `dropTable of ${place}`, effect: 'steps' }, options, (signal) =>
		dropFolderTable(place, signal === undefined ? rest : { ...rest, signal }),
	);
}

function tableOf<In, Out>(
	location: string,
	opened: OpenedTable,
	readOnly: boolean,
	options: LoadTableOptions,
): Table<In, Out> {
	const clock = options.clock ?? systemClock;
	const random = options.random ?? systemRandom;
	const { maintenance: isWanted = true, onMaintenanceError: onError } = options;
	if (typeof isWanted !== 'boolean')
		throw new IcebergError('INVALID_ARGUMENT', `maintenance is true or false, not ${String(isWanted)}`);
	const { committer } = opened;
	const parts = { committer, location, clock, random, ...given({ onError }) };
	const maintenance = readOnly || !isWanted ? undefined : new LazyMaintenance(parts);
	return new Table<In, Out>({
		location,
		committer: opened.committer,
		loaded: opened.loaded,
		readOnly,
		clock,
		random,
		createAppender: (host) =>
			new GroupAppender(maintenance === undefined ? host : { ...host, maintenance }, journalingOf(location, options)),
		background: {
			async close() {
				await maintenance?.close();
				await committer.tidy?.();
			},
		},
	});
}

function mayHaveJournals(location: string, { io }: LoadTableOptions): boolean {
	return io === undefined && isLocalLocation(location) && existsSync(join(localPathOf(location), JOURNAL_FOLDER));
}

/** Journals are for tables in local folders that nobody has put a storage of their own under. */
function journalingOf(location: string, { io }: LoadTableOptions): OpenJournaling | undefined {
	if (io !== undefined || !isLocalLocation(location)) return undefined;
	return async (host) => (await import('./open-journaling.ts')).openJournaling(host, location);
}

function asSchema(schema: unknown): Schema {
	if (schema instanceof Schema) return schema as Schema;
	if (typeof schema === 'object' && schema !== null && Array.isArray((schema as SchemaOptions).fields)) {
		return new Schema(schema as SchemaOptions);
	}
	throw new IcebergError('INVALID_ARGUMENT', 'a table needs a Schema: schema({ … }) or new Schema({ fields: [ … ] })');
}

function namesIn(option: string, names: unknown): readonly string[] {
	if (names === undefined) return [];
	if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names as string[];
	throw new IcebergError('INVALID_ARGUMENT', `${option} is an array of texts such as 'day(started_at)'`, {
		context: { option },
	});
}

/** The keys that have a value. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
		[K in keyof T]?: Exclude<T[K], undefined>;
	};
}
