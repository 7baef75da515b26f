/** Deleting metadata files that have left a table's window, behind its commits. */
import type { FileIO } from '../io/file-io.ts';
import { baseName } from '../io/location.ts';
import { metadataFileProperties, TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { versionOf } from './metadata-file.ts';
import type { VersionFiles } from './version-files.ts';

/**
 * Metadata files before the current one that are kept, whatever `write.metadata.previous-versions-max` says. A commit
 * whose base has left the window cannot be told from one that came too late without reading back; and a reader that
 * found a version must have time to open it.
 */
export const MIN_METADATA_WINDOW = 20;
/**
 * How long a version stays after it was overtaken, ms, where the property is not set: engines that commit by folder need
 * the version that they began with, and each one after it, to be there still.
 */
export const YOUNG_MS = 10_000;
/** Versions that stay for their age alone, at most, and bytes that they take, about. */
export const YOUNG_LIMIT = 2_000;
const YOUNG_BYTES_LIMIT = 64 * 1024 * 1024;
/** Versions outside of the window that wait to be deleted together. */
const BATCH = 8;
/** Files that are deleted behind one commit at most; what is left goes with the next ones. */
const MAX_DELETES_PER_COMMIT = 32;
/** How often it is remembered when a version was current, ms. */
const MARK_MS = 100;

interface Version {
	readonly version: number;
	readonly metadata: TableMetadata;
	/** of the metadata file */
	readonly sizeBytes: number;
}

/**
 * Old versions of one folder table. They go oldest first and one by one, so that what is left is always an unbroken run up
 * to the current one: that a base still exists proves that all versions after it do.
 */
export class OldMetadata {
	readonly #io: FileIO;
	readonly #files: VersionFiles;
	/** versions that were current at a time, ascending */
	#marks: { readonly version: number; readonly atMs: number }[] = [];
	/** the oldest version that is left; undefined when that must be looked for */
	#oldest: number | undefined;
	#running: Promise<void> | undefined;
	#newest: Version | undefined;

	constructor(io: FileIO, files: VersionFiles) {
		this.#io = io;
		this.#files = files;
	}

	/** To be called after each commit; what is due is deleted behind it. Faults are ignored: the next commit comes by here again. */
	note(newest: Version): void {
		// Of another table in the same place nothing is known.
		if (newest.metadata.tableUuid !== this.#newest?.metadata.tableUuid) this.#oldest = undefined;
		this.#newest = newest;
		this.#mark(newest);
		const end = this.#newestToDelete(newest, true);
		if (end === undefined || this.#running !== undefined) return;
		if (this.#oldest !== undefined && end < this.#oldest + BATCH - 1) return;
		this.#running = this.#delete(end, MAX_DELETES_PER_COMMIT).finally(() => {
			this.#running = undefined;
		});
	}

	/** Deletes all that is outside of the window, however young, if the last commit noted is still the newest. */
	async tidy(): Promise<void> {
		await this.#running;
		const newest = this.#newest;
		if (newest === undefined) return;
		const end = this.#newestToDelete(newest, false);
		if (end === undefined || end < (this.#oldest ?? 1)) return;
		try {
			if ((await this.#files.find(newest.version + 1)) !== undefined) return;
		} catch {
			return;
		}
		await this.#delete(end, Number.POSITIVE_INFINITY);
	}

	#mark({ version, metadata }: Version): void {
		const atMs = metadata.lastUpdatedMs;
		const last = this.#marks.at(-1);
		if (last !== undefined && version <= last.version) this.#marks = [];
		else if (last !== undefined && atMs - last.atMs < MARK_MS) return;
		this.#marks.push({ version, atMs });
		// The newest of those that are old enough is all that is needed of them.
		const young = this.#marks.findIndex((mark) => mark.atMs > atMs - YOUNG_MS);
		if (young > 1) this.#marks.splice(0, young - 1);
	}

	#newestToDelete({ version, metadata, sizeBytes }: Version, sparesYoung: boolean): number | undefined {
		let end: number;
		try {
			const { deleteAfterCommit, previousVersionsMax } = metadataFileProperties(metadata.properties);
			if (!deleteAfterCommit) return undefined;
			if (textProperty(metadata.properties, TABLE_PROPERTY.metadataPreviousVersionsMax) === undefined) {
				end = Math.min(version - MIN_METADATA_WINDOW, oldestLogged(metadata) ?? 1) - 1;
				if (sparesYoung) end = Math.min(end, this.#newestThatIsOld(version, metadata, sizeBytes));
			} else end = version - Math.max(previousVersionsMax, MIN_METADATA_WINDOW) - 1;
		} catch {
			return undefined;
		}
		return end < 1 ? undefined : end;
	}

	/** The newest version that was overtaken long enough ago, as far as that is known, or that there is no room for. */
	#newestThatIsOld(version: number, metadata: TableMetadata, sizeBytes: number): number {
		const limit = Math.max(MIN_METADATA_WINDOW, Math.min(YOUNG_LIMIT, Math.floor(YOUNG_BYTES_LIMIT / sizeBytes)));
		const sinceMs = metadata.lastUpdatedMs - YOUNG_MS;
		let old = this.#marks.findLast(({ atMs }) => atMs <= sinceMs)?.version ?? 1;
		const logged = metadata.metadataLog.findLast(({ timestampMs }) => timestampMs <= sinceMs);
		if (logged !== undefined) old = Math.max(old, versionOf(baseName(logged.metadataFile)) ?? 1);
		return Math.max(old - 1, version - limit - 1);
	}

	async #delete(end: number, limit: number): Promise<void> {
		try {
			if (this.#oldest === undefined || this.#oldest > end) this.#oldest = await oldestOfRun(this.#files, end);
			if (this.#oldest === undefined) {
				this.#oldest = end + 1;
				return;
			}
			for (let count = 0; this.#oldest <= end && count < limit; count++) {
				for (let file = await this.#files.find(this.#oldest); file !== undefined; ) {
					await this.#io.delete(file.location);
					file = await this.#files.find(this.#oldest);
				}
				this.#oldest++;
			}
		} catch {
			this.#oldest = undefined;
		}
	}
}

/** The first version that the log names; undefined when it names none. */
function oldestLogged({ metadataLog }: TableMetadata): number | undefined {
	const [first] = metadataLog;
	return first === undefined ? undefined : versionOf(baseName(first.metadataFile));
}

/** The first version of the unbroken run that ends at `version`: mostly itself, else found in a logarithmic number of looks. */
async function oldestOfRun(files: VersionFiles, version: number): Promise<number | undefined> {
	if (version < 1 || (await files.find(version)) === undefined) return undefined;
	let present = version;
	let absent = 0;
	for (let step = 1; present - step > 0; step *= 2) {
		if ((await files.find(present - step)) === undefined) {
			absent = present - step;
			break;
		}
		present -= step;
	}
	while (present - absent > 1) {
		const middle = absent + Math.floor((present - absent) / 2);
		if ((await files.find(middle)) === undefined) absent = middle;
		else present = middle;
	}
	return present;
}
