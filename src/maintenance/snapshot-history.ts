/** Which snapshots a table has, and which it has let go, told by the metadata files in its log. */
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { joinLocation } from '../io/location.ts';
import { TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { parseTableMetadata } from '../spec/table-metadata-json.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import { FileKeys } from './file-key.ts';

/** Metadata files read at once. */
const READ_CONCURRENCY = 4;
/** Largest metadata file that is read, also when inflated. */
const MAX_METADATA_BYTES = 512 * 1024 * 1024;

/** A snapshot, and metadata that has it. */
export interface KnownSnapshot {
	readonly snapshot: Snapshot;
	readonly metadata: TableMetadata;
}

export interface SnapshotHistory {
	/** in the table now */
	readonly current: readonly KnownSnapshot[];
	/** let go, but so lately that somebody may still read them */
	readonly pending: readonly KnownSnapshot[];
	/** let go at least the grace period ago */
	readonly released: readonly KnownSnapshot[];
	/** locations of statistics files, in the same three sorts; the first two together */
	readonly statistics: ReadonlySet<string>;
	readonly releasedStatistics: ReadonlySet<string>;
	/** when the last of `pending` will have outlived the grace period, ms since 1970; undefined without any */
	readonly pendingUntilMs: number | undefined;
}

export interface HistoryOptions {
	readonly io: FileIO;
	readonly nowMs: number;
	readonly graceMs: number;
	/** metadata that is known to be of the history, whether or not the log still has it */
	readonly earlier?: TableMetadata;
	/** what would come next; the history is told as of then */
	readonly next?: TableMetadata;
	readonly signal?: AbortSignal;
}

/** `releasedMs` undefined: it is there still. */
interface Tracked<T> {
	value: T;
	releasedMs: number | undefined;
}

/**
 * Reads the metadata files in the log of the newest metadata. One that is gone or damaged is passed over: what it alone had
 * is not known then, and counts as neither pending nor released.
 */
export async function readSnapshotHistory(metadata: TableMetadata, options: HistoryOptions): Promise<SnapshotHistory> {
	const { nowMs, graceMs } = options;
	const snapshots = new Map<bigint, Tracked<KnownSnapshot>>();
	const statistics = new Map<string, Tracked<string>>();
	for await (const version of versionsOf(metadata, options)) {
		track(
			snapshots,
			version.snapshots.map((snapshot) => [snapshot.snapshotId, { snapshot, metadata: version }]),
			version.lastUpdatedMs,
		);
		track(
			statistics,
			statisticsOf(version).map((location) => [location, location]),
			version.lastUpdatedMs,
		);
	}
	const isPending = (releasedMs: number): boolean => nowMs - releasedMs < graceMs;
	const current: KnownSnapshot[] = [];
	const pending: KnownSnapshot[] = [];
	const released: KnownSnapshot[] = [];
	let pendingUntilMs: number | undefined;
	for (const { value, releasedMs } of snapshots.values()) {
		if (releasedMs === undefined) current.push(value);
		else if (!isPending(releasedMs)) released.push(value);
		else {
			pending.push(value);
			pendingUntilMs = Math.max(pendingUntilMs ?? 0, releasedMs + graceMs);
		}
	}
	const kept = new Set<string>();
	const releasedStatistics = new Set<string>();
	for (const { value, releasedMs } of statistics.values())
		(releasedMs === undefined || isPending(releasedMs) ? kept : releasedStatistics).add(value);
	return { current, pending, released, statistics: kept, releasedStatistics, pendingUntilMs };
}

function track<K, T>(all: Map<K, Tracked<T>>, present: readonly (readonly [K, T])[], timeMs: number): void {
	const here = new Set(present.map(([key]) => key));
	for (const [key, tracked] of all) if (!here.has(key)) tracked.releasedMs ??= timeMs;
	for (const [key, value] of present) all.set(key, { value, releasedMs: undefined });
}

/** Locations of statistics files that metadata names. */
export function statisticsOf(metadata: TableMetadata): string[] {
	return [...metadata.statistics, ...metadata.partitionStatistics].flatMap(({ json }) => {
		const path = json['statistics-path'];
		return typeof path === 'string' ? [path] : [];
	});
}

/** Oldest first, the newest metadata last. Metadata of another table, or from elsewhere, is no part of the history. */
async function* versionsOf(metadata: TableMetadata, options: HistoryOptions): AsyncGenerator<TableMetadata> {
	const keys = new FileKeys();
	const set = textProperty(metadata.properties, TABLE_PROPERTY.metadataPath);
	const folder = set ?? joinLocation(metadata.location, 'metadata');
	const own = metadata.metadataLog.filter((entry) => keys.isBelow(entry.metadataFile, folder));
	const read = async ({ metadataFile }: { readonly metadataFile: string }): Promise<TableMetadata | undefined> => {
		try {
			return await readMetadata(options.io, metadataFile, options.signal);
		} catch (error) {
			if (isIcebergError(error, 'NOT_FOUND', 'CORRUPT', 'UNSUPPORTED', 'LIMIT_EXCEEDED')) return undefined;
			throw error;
		}
	};
	let { earlier } = options;
	for await (const version of mapBounded(own, READ_CONCURRENCY, read, options.signal)) {
		if (version === undefined || version.tableUuid !== metadata.tableUuid) continue;
		if (earlier !== undefined && version.lastUpdatedMs > earlier.lastUpdatedMs) {
			yield earlier;
			earlier = undefined;
		}
		yield version;
	}
	if (earlier !== undefined) yield earlier;
	yield metadata;
	if (options.next !== undefined) yield options.next;
}

async function readMetadata(io: FileIO, location: string, signal: AbortSignal | undefined): Promise<TableMetadata> {
	const input = io.input(location);
	try {
		const bytes = await input.readAll({
			maxBytes: MAX_METADATA_BYTES,
			...(signal === undefined ? {} : { signal }),
		});
		const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? await inflate(bytes) : bytes;
		return parseTableMetadata(new TextDecoder().decode(plain), location);
	} finally {
		await input.close();
	}
}

/** Damaged data give no text that can be parsed. */
async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
	const { gunzipSync } = await import('node:zlib');
	try {
		return gunzipSync(bytes, { maxOutputLength: MAX_METADATA_BYTES });
	} catch {
		return new Uint8Array(0);
	}
}
