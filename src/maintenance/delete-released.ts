/** Deleting the files of snapshots that a table has let go. */
import { isIcebergError } from '../errors/iceberg-error.ts';
import { TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { CleanedFile } from './cleanup-report.ts';
import { type DeleteContext, deleteFiles } from './delete-files.ts';
import { FileKeys } from './file-key.ts';
import { entriesOf, keptManifests, type KnownManifest, liveEntriesOf, manifestsOfAll } from './reachable-files.ts';
import type { KnownSnapshot, SnapshotHistory } from './snapshot-history.ts';

/** Files that are held in memory at once; more are handled in several passes over the manifests that stay. */
const FILES_PER_PASS = 500_000;
const FOLDER_PROPERTIES: readonly string[] = [
	TABLE_PROPERTY.dataPath,
	TABLE_PROPERTY.metadataPath,
	'write.object-storage.path',
	'write.folder-storage.path',
];

/**
 * Deletes what released snapshots reach and no other does: data and delete files first, then manifests, lists last, so
 * that a run that was cut short is finished by the next one.
 *
 * Everything that stays is read before the first file goes.
 * @throws what reading a manifest of a snapshot that stays throws: nothing was deleted then that it reaches
 */
export async function deleteReleased(
	metadata: TableMetadata,
	history: SnapshotHistory,
	context: DeleteContext,
): Promise<void> {
	await new ReleasedFiles(metadata, history, context).delete();
}

class ReleasedFiles {
	readonly #metadata: TableMetadata;
	readonly #history: SnapshotHistory;
	readonly #context: DeleteContext;
	readonly #keys = new FileKeys();
	readonly #places: readonly string[];
	#whole = true;

	constructor(metadata: TableMetadata, history: SnapshotHistory, context: DeleteContext) {
		this.#metadata = metadata;
		this.#history = history;
		this.#context = context;
		const named = FOLDER_PROPERTIES.map((name) => textProperty(metadata.properties, name));
		this.#places = [metadata.location, ...named.filter((place) => place !== undefined)];
	}

	async delete(): Promise<void> {
		const { io, signal } = this.#context;
		const { current, pending, released, statistics, releasedStatistics } = this.#history;
		if (released.length === 0 && releasedStatistics.size === 0) return;
		const kept = [...current, ...pending];
		const manifestsToKeep = await keptManifests(io, this.#history, signal);
		const keptKeys = new Set([
			...this.#keysOf(manifestsToKeep.keys()),
			...this.#keysOf(
				kept.flatMap(({ snapshot }) => (snapshot.manifestList === undefined ? [] : [snapshot.manifestList])),
			),
			...this.#keysOf(statistics),
			...this.#keysOf(this.#metadata.metadataLog.map((entry) => entry.metadataFile)),
		]);
		const isFree = (location: string): boolean => !this.#keys.of(location).some((key) => keptKeys.has(key));
		const manifests = await this.#releasedManifests(released, isFree);
		await this.#deleteContents(manifests, [...manifestsToKeep.values()]);
		// What was not deleted is found again by the next run only through its manifest.
		if (!this.#whole) return;
		await this.#remove(
			manifests.map(
				({ manifest }): CleanedFile => ({
					location: manifest.location,
					kind: 'manifest',
					sizeBytes: manifest.length,
					reason: 'only removed snapshots had this manifest',
				}),
			),
		);
		if (!this.#whole) return;
		const lists = released.flatMap(({ snapshot }) => (snapshot.manifestList === undefined ? [] : [snapshot]));
		const files: CleanedFile[] = [];
		for (const { manifestList, snapshotId } of lists) {
			const location = manifestList as string;
			if (!isFree(location)) continue;
			const reason = `snapshot ${snapshotId} was removed from the table`;
			files.push({ location, kind: 'manifest-list', sizeBytes: await this.#sizeOf(location), reason });
		}
		for (const location of releasedStatistics) {
			if (!isFree(location)) continue;
			const reason = 'its snapshot was removed from the table';
			files.push({ location, kind: 'statistics', sizeBytes: await this.#sizeOf(location), reason });
		}
		await this.#remove(files);
	}

	async #releasedManifests(
		released: readonly KnownSnapshot[],
		isFree: (location: string) => boolean,
	): Promise<readonly KnownManifest[]> {
		const { io, signal, tally } = this.#context;
		const found = new Map<string, KnownManifest>();
		for (const each of released) {
			try {
				for (const [location, manifest] of await manifestsOfAll(io, [each], signal))
					if (!found.has(location) && isFree(location)) found.set(location, manifest);
			} catch (error) {
				// Gone: an earlier run, or another engine, has cleaned up after this snapshot.
				if (isIcebergError(error, 'NOT_FOUND')) continue;
				if (!isIcebergError(error, 'CORRUPT', 'UNSUPPORTED', 'LIMIT_EXCEEDED')) throw error;
				this.#whole = false;
				tally.keep(each.snapshot.manifestList ?? '', `what it names cannot be told: ${error.message}`);
			}
		}
		return [...found.values()];
	}

	/** Data and delete files. */
	async #deleteContents(manifests: readonly KnownManifest[], kept: readonly KnownManifest[]): Promise<void> {
		const { io, signal, tally } = this.#context;
		let files = new Map<string, CleanedFile>();
		const flush = async (): Promise<void> => {
			if (files.size === 0) return;
			const pass = files;
			files = new Map();
			for await (const entries of liveEntriesOf(io, kept, signal))
				for (const { file } of entries) for (const key of this.#keys.of(file.location)) pass.delete(key);
			await this.#remove(pass.values());
		};
		for (const each of manifests) {
			try {
				for (const { file } of await entriesOf(io, each, false, signal)) {
					const key = this.#keys.of(file.location)[0] as string;
					files.set(key, {
						location: file.location,
						kind: file.content === 'data' ? 'data' : 'deletes',
						sizeBytes: file.fileSizeInBytes,
						reason: 'only removed snapshots had this file',
					});
				}
			} catch (error) {
				if (isIcebergError(error, 'NOT_FOUND')) continue;
				if (!isIcebergError(error, 'CORRUPT', 'UNSUPPORTED', 'LIMIT_EXCEEDED')) throw error;
				this.#whole = false;
				tally.keep(each.manifest.location, `what it names cannot be told: ${error.message}`);
			}
			if (files.size >= FILES_PER_PASS) await flush();
		}
		await flush();
	}

	/** Deletes what is the table's own; a table may refer to files elsewhere that it did not write. */
	async #remove(files: Iterable<CleanedFile>): Promise<void> {
		const own: CleanedFile[] = [];
		for (const file of files) {
			if (this.#places.some((place) => this.#keys.isBelow(file.location, place))) own.push(file);
			else this.#context.tally.keep(file.location, "it is outside of the table's folders");
		}
		if (!(await deleteFiles(own, this.#context))) this.#whole = false;
	}

	#keysOf(locations: Iterable<string>): string[] {
		return [...locations].flatMap((location) => this.#keys.of(location));
	}

	async #sizeOf(location: string): Promise<number | undefined> {
		const input = this.#context.io.input(location);
		try {
			return await input.length();
		} catch (error) {
			if (isIcebergError(error, 'ABORTED', 'CLOSED')) throw error;
			return undefined;
		} finally {
			await input.close();
		}
	}
}
