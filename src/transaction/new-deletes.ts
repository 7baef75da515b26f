/** Deletes that were committed while files were being rewritten. Iceberg spec: Scan Planning. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { DeleteIndex } from '../scan/delete-index.ts';
import type { DeleteFile } from '../scan/file-scan-task.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { UNPARTITIONED } from '../spec/partition-spec.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { specById } from '../spec/table-metadata-lookup.ts';
import { mapAllBounded } from '../util/bounded-pool.ts';
import type { ActionContext } from './action.ts';
import { entriesOf } from './live-entries.ts';

const READ_CONCURRENCY = 8;

interface Rewritten {
	readonly file: DataFile;
	/** `undefined`: of the commit */
	readonly sequenceNumber: bigint | undefined;
}

/** Checks, for each base of a commit, whether rows that are being moved to new files have been deleted meanwhile. */
export class NewDeletes {
	readonly #removed: readonly Rewritten[];
	/** of the new files: an equality delete in such a one applies to them as it did to the old ones */
	readonly #partitions: ReadonlySet<string>;
	readonly #startingSequenceNumber: bigint;
	readonly #entries = new Map<string, readonly ManifestEntry[]>();

	/** @param startingSequenceNumber of the snapshot whose deletes were taken into account already */
	constructor(removed: readonly Rewritten[], added: readonly DataFile[], startingSequenceNumber: bigint) {
		this.#removed = removed;
		this.#startingSequenceNumber = startingSequenceNumber;
		this.#partitions = new Set(added.map((file) => partitionKey(file.specId, file.partition)));
	}

	/**
	 * @param ownNumber of files that the commit itself added; all new files then have it
	 * @throws `VALIDATION_FAILED` naming the data file and the deletes
	 */
	async check(
		base: TableMetadata,
		manifests: readonly ManifestFile[],
		context: ActionContext,
		ownNumber: bigint | undefined,
	): Promise<void> {
		const deletes = manifests.filter((manifest) => manifest.content === 'deletes');
		if (deletes.length === 0) return;
		const entries = await mapAllBounded(
			deletes,
			READ_CONCURRENCY,
			async (manifest) => {
				const known = this.#entries.get(manifest.location);
				if (known !== undefined) return known;
				const read = await entriesOf(context.io, manifest, base, 'all', context.signal);
				this.#entries.set(manifest.location, read);
				return read;
			},
			context.signal,
		);
		const index = new DeleteIndex({
			spec: (specId) => specById(base, specId) ?? UNPARTITIONED,
			field: (fieldId) => base.schemas.map((schema) => schema.findField(fieldId)).find((field) => field !== undefined),
			topLevelIds: new Set(base.schemas.flatMap((schema) => schema.fields.map((field) => field.id))),
		});
		for (const entry of entries.flat()) index.add(entry);
		for (const { file, sequenceNumber = ownNumber ?? 0n } of this.#removed) {
			const escaped = index.forDataFile(file, sequenceNumber).find((each) => this.#escapes(each, file, ownNumber));
			if (escaped === undefined) continue;
			throw new IcebergError(
				'VALIDATION_FAILED',
				`rows of ${file.location} were deleted by ${escaped.location} while they were being rewritten`,
				{ retryable: true, context: { location: file.location, deletes: escaped.location } },
			);
		}
	}

	/** Positions are of the old file. Equality deletes reach the new files, if these stand in the same partition. */
	#escapes(deletes: DeleteFile, file: DataFile, ownNumber: bigint | undefined): boolean {
		if (deletes.content !== 'equality-deletes') return true;
		if (deletes.sequenceNumber <= this.#startingSequenceNumber) return false;
		return ownNumber !== undefined || !this.#partitions.has(partitionKey(file.specId, file.partition));
	}
}
