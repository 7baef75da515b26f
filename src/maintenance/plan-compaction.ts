/** Which small files are to be put together. */
import { BOUND_TRUE } from '../expr/bound.ts';
import type { Expression } from '../expr/expression.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile } from '../manifest/types.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { planFiles } from '../scan/plan.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** A file of at least this share of the target is left as it is. */
const SMALL_SHARE = 0.75;
/**
 * Rows are sorted in runs that fit into memory, and each run becomes a file: sorted files from this size on are taken to be
 * as large as they get, bytes.
 */
const SORTED_FILE_BYTES = 16 * 1024 * 1024;
/** Small files looked at in one round; when there are more, further rounds follow. */
export const FILES_PER_ROUND = 100_000;

export interface CompactionLimits {
	readonly targetFileSizeBytes: number;
	readonly minInputFiles: number;
	readonly maxGroupBytes: number;
}

/** Files that are rewritten together. */
export interface CompactionGroup {
	readonly tasks: readonly FileScanTask[];
	readonly sizeBytes: number;
	/** true when all of them are of the spec that they are rewritten to, and of one partition */
	readonly isCurrentSpec: boolean;
}

export interface CompactionPlan {
	readonly groups: readonly CompactionGroup[];
	/** there were more small files than a round takes */
	readonly isCut: boolean;
}

export interface PlanCompactionOptions {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	readonly snapshot: Snapshot;
	readonly filter: Expression | undefined;
	readonly limits: CompactionLimits;
	/** called for each small file that cannot be rewritten */
	readonly onSkipped: (task: FileScanTask, reason: string) => void;
	readonly signal: AbortSignal | undefined;
}

/**
 * Finds the small files of a snapshot that may hold rows of the filter, by partition. Files of older partition specs come
 * together: they are rewritten to the table's current one, as other engines do.
 * @throws as `planFiles`
 */
export async function planCompaction(options: PlanCompactionOptions): Promise<CompactionPlan> {
	const { io, metadata, snapshot, filter, limits, onSkipped, signal } = options;
	const plan = planFiles({
		io,
		metadata,
		snapshot,
		...(filter === undefined ? {} : { filter }),
		...(signal === undefined ? {} : { signal }),
	});
	const byPartition = new Map<string, Map<string, FileScanTask>>();
	const twice = new Set<string>();
	let count = 0;
	let isCut = false;
	for await (const task of plan) {
		const { file } = task;
		if (!isSmall(file, metadata, limits)) continue;
		const reason = whyNot(task);
		if (reason !== undefined) {
			onSkipped(task, reason);
			continue;
		}
		if (++count > FILES_PER_ROUND) {
			isCut = true;
			break;
		}
		const key = file.specId === metadata.defaultSpecId ? partitionKey(file.specId, file.partition) : OTHER_SPECS;
		let tasks = byPartition.get(key);
		if (tasks === undefined) byPartition.set(key, (tasks = new Map()));
		if (tasks.has(file.location)) twice.add(file.location);
		// All rows of the file move, whatever the filter chose it for.
		tasks.set(file.location, { ...task, residual: BOUND_TRUE });
	}
	const groups: CompactionGroup[] = [];
	for (const [key, byLocation] of byPartition) {
		const tasks = [...byLocation.values()].filter(({ file }) => !twice.has(file.location));
		for (const bin of pack(tasks, limits.maxGroupBytes)) {
			const sizeBytes = bin.reduce((sum, { file }) => sum + file.fileSizeInBytes, 0);
			const isWorthwhile =
				bin.length >= limits.minInputFiles || (bin.length > 1 && sizeBytes >= limits.targetFileSizeBytes);
			if (isWorthwhile) groups.push({ tasks: bin, sizeBytes, isCurrentSpec: key !== OTHER_SPECS });
		}
	}
	return { groups, isCut };
}

const OTHER_SPECS = 'other';

/** Whether a file is worth being put together with others. */
export function isSmall(
	file: DataFile,
	metadata: TableMetadata,
	{ targetFileSizeBytes }: Pick<CompactionLimits, 'targetFileSizeBytes'>,
): boolean {
	const isSorted = metadata.defaultSortOrderId !== 0 && file.sortOrderId === metadata.defaultSortOrderId;
	const least = isSorted ? Math.min(targetFileSizeBytes, SORTED_FILE_BYTES) : targetFileSizeBytes;
	return file.fileSizeInBytes < least * SMALL_SHARE;
}

/** Why a file cannot be rewritten; `undefined`: it can. */
export function whyNot({ file, deletes }: Pick<FileScanTask, 'file' | 'deletes'>): string | undefined {
	if (deletes.length > 0) return `${deletes.length} delete file(s) apply to it, which this version cannot apply`;
	if (file.format !== 'parquet' && file.format !== 'avro')
		return `it is ${file.format}, which this version cannot read`;
	return file.keyMetadata !== undefined && file.keyMetadata.length > 0 ? 'it is encrypted' : undefined;
}

/** Neighbours stay together. */
function* pack(tasks: readonly FileScanTask[], maxBytes: number): Generator<readonly FileScanTask[]> {
	let bin: FileScanTask[] = [];
	let sizeBytes = 0;
	for (const task of tasks) {
		if (bin.length > 0 && sizeBytes + task.file.fileSizeInBytes > maxBytes) {
			yield bin;
			bin = [];
			sizeBytes = 0;
		}
		bin.push(task);
		sizeBytes += task.file.fileSizeInBytes;
	}
	if (bin.length > 0) yield bin;
}
