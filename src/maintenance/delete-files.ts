import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import type { CleanedFile, CleanupTally } from './cleanup-report.ts';

/** Files deleted at once: few, so that those who flush files meanwhile find a thread of the pool free. */
const DELETE_CONCURRENCY = 2;

export interface DeleteContext {
	readonly io: FileIO;
	readonly dryRun: boolean;
	readonly tally: CleanupTally;
	readonly signal?: AbortSignal;
}

/**
 * Deletes files, or in a dry run looks which of them are there; those that are not, are passed over.
 * @returns false when one could not be deleted; the report says which
 * @throws `ABORTED`, `CLOSED`; faults that are none of the storage's
 */
export async function deleteFiles(files: Iterable<CleanedFile>, context: DeleteContext): Promise<boolean> {
	const { io, dryRun, tally, signal } = context;
	let whole = true;
	const work = async (file: CleanedFile): Promise<void> => {
		try {
			const wasThere = dryRun ? await io.exists(file.location) : await io.delete(file.location);
			if (wasThere) tally.add(file);
		} catch (error) {
			if (!(error instanceof IcebergError) || error.code === 'ABORTED' || error.code === 'CLOSED') throw error;
			whole = false;
			tally.keep(file.location, `it could not be deleted: ${error.message}`);
		}
	};
	for await (const _ of mapBounded(files, DELETE_CONCURRENCY, work, signal));
	return whole;
}
