/** Many planned files as one stream of batches. */
import type { ColumnBatch } from '../column/vector.ts';
import { sliceBatch } from '../column/vector-ops.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import { type ReadContext, TaskReader } from './read-task.ts';

/** Files of which the first batch is fetched ahead of its turn. */
const PREFETCHED_FILES = 2;

export interface ScanContext extends ReadContext {
	/** most rows; default all */
	readonly limit?: number;
}

/**
 * The rows of all tasks, in their order, in batches that are never empty. While one file is read, the first batch of the
 * next is fetched; so memory is bounded by a few batches, whatever the number and size of the files.
 * @throws as {@link TaskReader.read}
 */
export async function* scanBatches(
	tasks: Iterable<FileScanTask> | AsyncIterable<FileScanTask>,
	context: ScanContext,
): AsyncGenerator<ColumnBatch> {
	let left = context.limit ?? Number.POSITIVE_INFINITY;
	if (left === 0) return;
	const reader = new TaskReader(context);
	const open = new Set<AsyncGenerator<ColumnBatch>>();
	const start = async (task: FileScanTask): Promise<StartedFile> => {
		const rest = reader.read(task);
		open.add(rest);
		return { first: await rest.next(), rest };
	};
	try {
		for await (const { first, rest } of mapBounded(tasks, PREFETCHED_FILES, start, context.signal)) {
			for (let next = first; next.done !== true; next = await rest.next()) {
				const batch = next.value;
				if (batch.length === 0) continue;
				yield batch.length <= left ? batch : sliceBatch(batch, 0, left);
				left -= batch.length;
				if (left <= 0) return;
			}
			open.delete(rest);
		}
	} finally {
		await Promise.all([...open].map((rest) => rest.return(undefined)));
	}
}

interface StartedFile {
	readonly first: IteratorResult<ColumnBatch>;
	readonly rest: AsyncGenerator<ColumnBatch>;
}
