/** The data files of a state that hold rows which were appended since an earlier one. Iceberg spec: Row Lineage. */
import { openParquet } from '../codec/parquet/reader.ts';
import { BOUND_TRUE } from '../expr/bound.ts';
import type { Expression } from '../expr/expression.ts';
import type { FileIO } from '../io/file-io.ts';
import type { AppendStep } from '../scan/append-history.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { planFiles } from '../scan/plan.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { mapBounded } from '../util/bounded-pool.ts';
import { LAST_UPDATED_COLUMN } from './metadata-columns.ts';

/** A file, and the sequence numbers of its rows that are wanted. */
export interface NumberedFile {
	/** without deletes: rows are given as they were appended */
	readonly task: FileScanTask;
	/** not above any wanted row's */
	readonly first: bigint;
	/** not below any wanted row's */
	readonly last: bigint;
	/** The rows tell their own, in a column of the file. */
	readonly isMixed: boolean;
	/** some rows are not wanted: they stood in the table before */
	readonly isCut: boolean;
	/** each row of the column certainly has a value */
	readonly isNullFree: boolean;
}

export interface AppendedFilesContext {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	readonly schema: Schema;
	readonly filter?: Expression;
	readonly caseSensitive?: boolean;
	readonly signal?: AbortSignal;
}

export interface AppendedFiles {
	readonly files: readonly NumberedFile[];
	/** a file of which it cannot be told which rows are new: others have rewritten it, and dropped the numbers */
	readonly lost: { readonly location: string; readonly sequenceNumber: bigint } | undefined;
}

/** Files whose footers are read at once. */
const PROBE_CONCURRENCY = 4;
const METRICS: ReadonlySet<number> = new Set([LAST_UPDATED_COLUMN.id]);

/**
 * Finds the files of the step's target that have rows with sequence numbers greater than `after`. Files that were there
 * before are not looked at, nor are manifests that have no others.
 */
export async function findAppendedFiles(
	step: AppendStep,
	after: bigint,
	context: AppendedFilesContext,
): Promise<AppendedFiles> {
	const { io, metadata, schema, filter, caseSensitive, signal } = context;
	const plan = planFiles({
		io,
		metadata,
		snapshot: step.target,
		schema,
		addedAfter: after,
		metricsFor: METRICS,
		...(filter === undefined ? {} : { filter }),
		...(caseSensitive === undefined ? {} : { caseSensitive }),
		...(signal === undefined ? {} : { signal }),
	});
	const known = new Map(step.known.map((snapshot) => [snapshot.snapshotId, snapshot]));
	const files: NumberedFile[] = [];
	let lost: AppendedFiles['lost'];
	const judge = (task: FileScanTask): Promise<NumberedFile | 'none' | 'lost'> =>
		judgeFile(task, after, known, step.without, context);
	for await (const { task, verdict } of mapBounded(
		plan,
		PROBE_CONCURRENCY,
		async (task) => ({ task, verdict: await judge(task) }),
		signal,
	)) {
		if (verdict === 'lost') {
			const sequenceNumber = addedAt(task);
			if (lost === undefined || sequenceNumber < lost.sequenceNumber)
				lost = { location: task.file.location, sequenceNumber };
		} else if (verdict !== 'none') files.push(verdict);
	}
	return { files, lost };
}

/** All files of planned tasks, each with the sequence numbers that its rows may have; their deletes stay with them. */
export async function numberedFiles(plan: AsyncIterable<FileScanTask>): Promise<NumberedFile[]> {
	const files: NumberedFile[] = [];
	for await (const task of plan) {
		const stored = storedRange(task);
		const plain = { task, first: task.sequenceNumber, last: task.sequenceNumber, isMixed: false, isCut: false };
		files.push(
			stored === undefined ? { ...plain, isNullFree: false } : { task, ...stored, isMixed: true, isCut: false },
		);
	}
	return files;
}

/** Metrics that {@link numberedFiles} needs. */
export const NUMBER_METRICS = METRICS;

async function judgeFile(
	task: FileScanTask,
	after: bigint,
	known: ReadonlyMap<bigint, Snapshot>,
	without: bigint | undefined,
	context: AppendedFilesContext,
): Promise<NumberedFile | 'none' | 'lost'> {
	if (task.snapshotId !== null && task.snapshotId === without) return 'none';
	const plain: FileScanTask = { ...task, deletes: [] };
	const stored = storedRange(task);
	if (stored !== undefined) return mixed(plain, stored, after);
	// What was rewritten from before holds nothing new.
	if (task.sequenceNumber <= after) return 'none';
	const adding = task.snapshotId === null ? undefined : known.get(task.snapshotId);
	const isRewrite = adding?.summary?.['operation'] === 'replace';
	if (task.sequenceNumber >= addedAt(task) && !isRewrite) {
		const { sequenceNumber } = task;
		return {
			task: plain,
			first: sequenceNumber,
			last: sequenceNumber,
			isMixed: false,
			isCut: false,
			isNullFree: false,
		};
	}
	const probed = await probedRange(task, context);
	if (probed !== undefined) return mixed(plain, probed, after);
	// All that a rewrite had to read was there before.
	return isRewrite && adding !== undefined && adding.sequenceNumber === after + 1n ? 'none' : 'lost';
}

interface NumberRange {
	readonly first: bigint;
	readonly last: bigint;
	readonly isNullFree: boolean;
}

function mixed(task: FileScanTask, range: NumberRange, after: bigint): NumberedFile | 'none' {
	if (range.last <= after) return 'none';
	const isCut = range.first <= after;
	return { task, ...range, first: isCut ? after + 1n : range.first, isMixed: true, isCut };
}

/** Sequence number of the commit that brought the file. */
function addedAt(task: FileScanTask): bigint {
	return task.fileSequenceNumber ?? task.sequenceNumber;
}

/** The numbers that the file's metrics tell of; `undefined` when there are none. */
function storedRange({ file, sequenceNumber }: FileScanTask): NumberRange | undefined {
	const { id } = LAST_UPDATED_COLUMN;
	const nullCount = file.nullValueCounts?.get(id);
	if (nullCount !== undefined && nullCount === file.recordCount)
		return { first: sequenceNumber, last: sequenceNumber, isNullFree: false };
	const lower = longOf(file.lowerBounds?.get(id));
	const upper = longOf(file.upperBounds?.get(id));
	if (lower === undefined || upper === undefined || lower > upper) return undefined;
	return withInherited(lower, upper, nullCount, sequenceNumber);
}

/** Rows without a number of their own have that of their file. */
function withInherited(lower: bigint, upper: bigint, nullCount: number | undefined, own: bigint): NumberRange {
	if (nullCount === 0) return { first: lower, last: upper, isNullFree: true };
	return { first: lower < own ? lower : own, last: upper > own ? upper : own, isNullFree: false };
}

/** The numbers that the file itself tells of: writers may leave them out of manifests. */
async function probedRange(task: FileScanTask, context: AppendedFilesContext): Promise<NumberRange | undefined> {
	const { file } = task;
	if (file.format !== 'parquet') return undefined;
	const { id } = LAST_UPDATED_COLUMN;
	const source = context.io.input(file.location, file.fileSizeInBytes);
	try {
		const { info } = await openParquet(source, context.signal === undefined ? {} : { signal: context.signal });
		if (!info.fields.some((field) => field.id === id && field.type.kind === 'long')) return undefined;
		let range: NumberRange | undefined;
		for (const group of info.rowGroups) {
			const { min, max, nullCount } = group.statistics(id) ?? {};
			if (typeof min !== 'bigint' || typeof max !== 'bigint') return UNBOUNDED;
			const own = withInherited(min, max, nullCount, task.sequenceNumber);
			range = {
				first: range === undefined || own.first < range.first ? own.first : range.first,
				last: range === undefined || own.last > range.last ? own.last : range.last,
				isNullFree: own.isNullFree && (range?.isNullFree ?? true),
			};
		}
		return range;
	} finally {
		await source.close();
	}
}

const UNBOUNDED: NumberRange = { first: 0n, last: 2n ** 63n - 1n, isNullFree: false };

function longOf(bytes: Uint8Array | undefined): bigint | undefined {
	if (bytes?.length !== 8) return undefined;
	return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
}

/** A task for all rows of a file, whatever the filter. */
export function unfiltered(task: FileScanTask): FileScanTask {
	return { ...task, residual: BOUND_TRUE };
}
