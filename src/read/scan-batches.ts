/** Many planned files as one stream of batches. */
import type { ColumnBatch } from '../column/vector.ts';
import { sliceBatch } from '../column/vector-ops.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import { assertReadable, type ReadContext, TaskReader } from './read-task.ts';

/** Files of which the first batch is fetched ahead of its turn. */
const PREFETCHED_FILES = 2;
/** Tasks that are looked at before the first row is given, so that what cannot be read is refused before. */
const CHECKED_TASKS_LIMIT = 10_000;

export interface ScanContext extends ReadContext {
	/** most rows; default all */
	readonly limit?: number;
}

/**
 * The rows of all tasks, in their order, in batches that are never empty. While one file is read, the first batch of the
 * next is fetched; so memory is bounded by a few batches, whatever the size of the files. Files that cannot be read are
 * refused before the first row, in scans of up to 10,000 files.
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
		const checked = checkedAhead(tasks);
		for await (const { first, rest } of mapBounded(checked, PREFETCHED_FILES, start, context.signal)) {
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

/** The tasks again, the first ones after all of them have been checked, the others each in its turn. */
async function* checkedAhead(
	tasks: Iterable<FileScanTask> | AsyncIterable<FileScanTask>,
): AsyncGenerator<FileScanTask, void, undefined> {
	const ahead: FileScanTask[] = [];
	let given = false;
	for await (const task of tasks) {
		assertReadable(task);
		if (given) {
			yield task;
			continue;
		}
		ahead.push(task);
		if (ahead.length < CHECKED_TASKS_LIMIT) continue;
		given = true;
		yield* ahead.splice(0);
	}
	yield* ahead;
}

interface StartedFile {
	readonly first: IteratorResult<ColumnBatch>;
	readonly rest: AsyncGenerator<ColumnBatch>;
}
