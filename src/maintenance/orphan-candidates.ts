/** Files in a table's folders that could be garbage, before it is known what the table refers to. */
import type { FileEntry, FileIO } from '../io/file-io.ts';
import { TEMPORARY_FILE_NAME } from '../io/local-file-io.ts';
import { baseName, joinLocation, withoutTrailingSlash } from '../io/location.ts';
import { TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { CleanedFileKind } from './cleanup-report.ts';
import { FileKeys, nameKey } from './file-key.ts';
import type { GoneWriters } from './gone-writers.ts';

export interface CandidateOptions {
	readonly nowMs: number;
	/** age from which files go whose writers may live */
	readonly olderThanMs: number;
	/** since when it is known which files the table referred to, ms since 1970: what is younger goes with its writer */
	readonly historySinceMs: number;
	readonly goneWriters: GoneWriters;
	readonly signal?: AbortSignal;
}

/** Temporary files of `LocalFileIO` are renamed, linked or deleted within moments; their writer is gone when older, ms. */
export const TEMPORARY_FILE_AGE_MS = 900_000;
/** Files held in memory at once; more are handled in several passes over the folders. */
export const CANDIDATES_PER_PASS = 500_000;

const CATALOG_METADATA_NAME = /^\d+-[^/]*\.metadata\.json(?:\.gz)?$/;
const METADATA_NAME = /\.metadata\.json(?:\.gz)?$/;
const VERSION_NAME = /^v(\d{1,10})(?:\.gz)?\.metadata\.json(?:\.gz)?$/;

export interface Candidate {
	readonly location: string;
	readonly kind: CleanedFileKind;
	readonly sizeBytes: number;
	readonly modifiedMs: number;
	/** of a metadata file that stands directly in its folder, named by a version */
	readonly version: number | undefined;
}

/** What is in the folders of a table that matters beside candidates. */
export interface FolderFindings {
	/** metadata files of names that catalogs give */
	readonly catalogMetadata: readonly string[];
	/** versions of which there is a metadata file, in no order */
	readonly versions: readonly number[];
	/** folders of other tables, below this table's */
	readonly nestedTables: readonly string[];
	/** files looked at */
	readonly fileCount: number;
}

/** The folders whose whole content is the table's. Those that its properties name count only inside of its own folder. */
export function ownFolders(metadata: TableMetadata): string[] {
	const table = withoutTrailingSlash(metadata.location);
	const keys = new FileKeys();
	const named = [
		TABLE_PROPERTY.dataPath,
		TABLE_PROPERTY.metadataPath,
		'write.object-storage.path',
		'write.folder-storage.path',
	]
		.map((name) => textProperty(metadata.properties, name))
		.filter((folder) => folder !== undefined)
		.map(withoutTrailingSlash)
		.filter((folder) => keys.isBelow(folder, table));
	const folders = [joinLocation(table, 'data'), joinLocation(table, 'metadata'), ...named];
	return folders.filter(
		(folder, i) =>
			!folders.some(
				(other, k) =>
					k !== i &&
					(keys.isBelow(folder, other) || (k < i && keys.of(folder).some((key) => keys.of(other).includes(key)))),
			),
	);
}

/**
 * Lists the folders and hands over each file that is old enough and of a kind that may go. Hidden names (`_x`, `.x`, but not
 * partition folders such as `_x=1`) are passed over, being none of Iceberg's; temporary files of this library are not.
 */
export async function findCandidates(
	io: FileIO,
	folders: readonly string[],
	options: CandidateOptions,
	take: (candidate: Candidate) => void,
): Promise<FolderFindings> {
	const { nowMs, olderThanMs, historySinceMs, goneWriters, signal } = options;
	const catalogMetadata: string[] = [];
	const versions: number[] = [];
	const nestedTables = new Set<string>();
	let fileCount = 0;
	for (const folder of folders) {
		for await (const entry of io.list(folder, signal === undefined ? {} : { signal })) {
			fileCount++;
			const path = entry.location.slice(folder.length + 1);
			const name = baseName(path);
			const isDirect = !path.includes('/');
			if (METADATA_NAME.test(name)) {
				const nested = /^(?:(.*)\/)?metadata\/[^/]*$/.exec(path);
				if (nested !== null) nestedTables.add(nested[1] === undefined ? folder : `${folder}/${nested[1]}`);
				if (isDirect && CATALOG_METADATA_NAME.test(name)) catalogMetadata.push(entry.location);
			}
			const candidate = candidateOf(entry, path, name);
			if (candidate === undefined) continue;
			if (candidate.version !== undefined) versions.push(candidate.version);
			const isTemporary = candidate.kind === 'temporary';
			const leastAgeMs = isTemporary ? Math.min(TEMPORARY_FILE_AGE_MS, olderThanMs) : olderThanMs;
			const isDue =
				nowMs - entry.modifiedMs >= leastAgeMs ||
				((isTemporary || entry.modifiedMs >= historySinceMs) && (await goneWriters.wrote(name)));
			if (isDue) take(candidate);
		}
	}
	return { catalogMetadata, versions, nestedTables: [...nestedTables], fileCount };
}

function candidateOf(entry: FileEntry, path: string, name: string): Candidate | undefined {
	const { location, sizeBytes, modifiedMs } = entry;
	const parts = path.split('/');
	const isHidden = (part: string): boolean => /^[._]/.test(part) && !part.includes('=');
	if (parts.slice(0, -1).some(isHidden)) return undefined;
	if (TEMPORARY_FILE_NAME.test(name)) return { location, kind: 'temporary', sizeBytes, modifiedMs, version: undefined };
	if (isHidden(name) || name === 'version-hint.text') return undefined;
	const version = path === name ? VERSION_NAME.exec(name)?.[1] : undefined;
	return {
		location,
		kind: kindOf(name),
		sizeBytes,
		modifiedMs,
		version: version === undefined ? undefined : Number(version),
	};
}

function kindOf(name: string): CleanedFileKind {
	if (METADATA_NAME.test(name)) return 'metadata';
	if (name.endsWith('.stats')) return 'statistics';
	if (/^snap-.*\.avro$/.test(name)) return 'manifest-list';
	if (/-m\d+\.avro$/.test(name)) return 'manifest';
	if (/\.(?:parquet|orc|avro)$/.test(name)) return 'data';
	return name.endsWith('.puffin') ? 'deletes' : 'unknown';
}

/** Candidates that nothing is known to refer to, by place and by name. */
export class CandidateSet {
	readonly #byKey = new Map<string, Candidate>();
	readonly #byName = new Map<string, Set<string>>();
	readonly #keys: FileKeys;
	readonly #keptByName: Candidate[] = [];

	constructor(keys: FileKeys) {
		this.#keys = keys;
	}

	get size(): number {
		return this.#byKey.size;
	}

	/** candidates that were left because a file in use elsewhere has their name: perhaps another spelling of the place */
	get keptByName(): readonly Candidate[] {
		return this.#keptByName;
	}

	add(candidate: Candidate): void {
		const key = this.#keys.of(candidate.location)[0] as string;
		this.#byKey.set(key, candidate);
		const name = nameKey(candidate.location);
		const same = this.#byName.get(name);
		if (same === undefined) this.#byName.set(name, new Set([key]));
		else same.add(key);
	}

	/** Takes away what a location in use names, and what has its name. */
	use(location: string): void {
		const keys = this.#keys.of(location);
		for (const key of keys) this.#byKey.delete(key);
		for (const name of new Set(keys.map((key) => key.slice(key.lastIndexOf('/') + 1)))) {
			const same = this.#byName.get(name);
			if (same === undefined) continue;
			for (const key of same) {
				const candidate = this.#byKey.get(key);
				if (candidate === undefined || !this.#byKey.delete(key)) continue;
				this.#keptByName.push(candidate);
			}
			this.#byName.delete(name);
		}
	}

	values(): Iterable<Candidate> {
		return this.#byKey.values();
	}
}
