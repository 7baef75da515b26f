/** Rows of several files in the order of their sequence numbers, in bounded memory. */
import type { ColumnBatch, Vector } from '../column/vector.ts';
import { concatBatches, sliceBatch, takeBatch } from '../column/vector-ops.ts';
import { isNullAt } from '../column/vector-values.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { boundAnd } from '../expr/bound.ts';
import type { BoundReference } from '../expr/expression.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { type NumberedFile, unfiltered } from './appended-files.ts';
import { LAST_UPDATED_COLUMN } from './metadata-columns.ts';
import type { ReadContext } from './read-task.ts';
import { scanBatches } from './scan-batches.ts';

/** Bytes of rows that are held to be put in order, roughly. */
export const WINDOW_LIMIT_BYTES = 32 * 1024 * 1024;
/** Rows that are held to be put in order. */
export const WINDOW_LIMIT_ROWS = 1_000_000;
const LEAST_WINDOW_ROWS = 1_024;
/** How much larger rows are in memory than in files, roughly. */
const IN_MEMORY_FACTOR = 4;
/** Most places that sequence numbers are counted in. */
const MAX_BUCKETS = 65_536;
/** Rows of a batch that was put in order. */
const BATCH_ROWS = 8_192;

/** Files, and the rows of them with sequence numbers from `first` to `last`: all of these, and no other file has such. */
export interface Window {
	readonly first: bigint;
	readonly last: bigint;
	readonly files: readonly NumberedFile[];
}

export interface OrderedBatch {
	readonly batch: ColumnBatch;
	/** All rows up to this sequence number have been given; `undefined` while the first of them are being given. */
	readonly through: bigint | undefined;
	/** false when rows of a number have been given, but not all of them */
	readonly isBoundary: boolean;
}

/**
 * Windows in ascending order, each small enough to be put in order in memory, but for single sequence numbers: these need
 * no order. Files of one sequence number are not opened; of the others the numbers are read.
 */
export async function* windowsInOrder(
	files: readonly NumberedFile[],
	context: ReadContext,
	descending = false,
): AsyncGenerator<Window> {
	const overlapping = overlaps(files);
	for (const window of descending ? overlapping.toReversed() : overlapping) {
		const parts = await split(window, context);
		yield* descending ? parts.reverse() : parts;
	}
}

/** The rows of a window in order, in batches that are not empty. */
export async function* readWindow(window: Window, context: ReadContext): AsyncGenerator<OrderedBatch> {
	if (window.first !== window.last) {
		yield* sorted(window, context);
		return;
	}
	// Only the last batch completes the number.
	let held: ColumnBatch | undefined;
	for await (const batch of unsorted(window, context)) {
		if (held !== undefined) yield { batch: held, through: undefined, isBoundary: false };
		held = batch;
	}
	if (held !== undefined) yield { batch: held, through: window.last, isBoundary: true };
}

/** The number of rows with sequence numbers greater than `after`, whatever the filter. */
export async function countRowsAfter(
	files: readonly NumberedFile[],
	after: bigint,
	context: ReadContext,
): Promise<bigint> {
	let count = 0n;
	for (const file of files) {
		if (file.isCut)
			for await (const numbers of numbersOf(file, context))
				for (const number of numbers) count += number > after ? 1n : 0n;
		else count += BigInt(file.task.file.recordCount);
	}
	return count;
}

/** Files whose ranges overlap, together; in ascending order. */
function overlaps(files: readonly NumberedFile[]): Window[] {
	const ascending = files.toSorted((a, b) => Number(a.first < b.first ? -1 : a.first > b.first));
	const groups: { first: bigint; last: bigint; files: NumberedFile[] }[] = [];
	for (const file of ascending) {
		const group = groups.at(-1);
		if (group === undefined || file.first > group.last)
			groups.push({ first: file.first, last: file.last, files: [file] });
		else {
			group.files.push(file);
			if (file.last > group.last) group.last = file.last;
		}
	}
	return groups;
}

async function split(window: Window, context: ReadContext): Promise<Window[]> {
	const { first, last, files } = window;
	if (first === last) return [window];
	const width = (last - first) / BigInt(MAX_BUCKETS) + 1n;
	const counts = new Float64Array(Number((last - first) / width) + 1);
	let least = last;
	let greatest = first;
	const count = (number: bigint, rows: number): void => {
		if (number < first || number > last) return;
		if (number < least) least = number;
		if (number > greatest) greatest = number;
		const bucket = Number((number - first) / width);
		counts[bucket] = (counts[bucket] as number) + rows;
	};
	for (const file of files) {
		if (!file.isMixed) count(file.first, file.task.file.recordCount);
		else for await (const numbers of numbersOf(file, context)) for (const number of numbers) count(number, 1);
	}
	if (least > greatest) return [];
	// Ranges that were only guessed at.
	if (width > 1n && (greatest - least) * 4n < last - first)
		return split({ first: least, last: greatest, files }, context);
	const limit = rowLimit(files);
	const parts: Window[] = [];
	let from = 0;
	let rows = 0;
	const cut = async (to: number): Promise<void> => {
		if (to <= from || rows === 0) return;
		const start = first + BigInt(from) * width;
		const end = first + BigInt(to) * width - 1n;
		const part = { first: start, last: end < last ? end : last, files: filesIn(files, start, end) };
		if (rows > limit && width > 1n && to - from === 1) parts.push(...(await split(part, context)));
		else parts.push(part);
	};
	for (let bucket = 0; bucket < counts.length; bucket++) {
		const inBucket = counts[bucket] as number;
		if (rows > 0 && rows + inBucket > limit) {
			await cut(bucket);
			from = bucket;
			rows = 0;
		}
		if (rows === 0) from = bucket;
		rows += inBucket;
	}
	await cut(counts.length);
	return parts.map(singleWherePossible);
}

/** A window of one plain file needs no order, whatever numbers it might have had. */
function singleWherePossible(window: Window): Window {
	const { files } = window;
	const [only] = files;
	if (only === undefined || files.some((file) => file.isMixed || file.first !== only.first)) return window;
	return { first: only.first, last: only.first, files };
}

function filesIn(files: readonly NumberedFile[], first: bigint, last: bigint): NumberedFile[] {
	return files.filter((file) => file.first <= last && file.last >= first);
}

function rowLimit(files: readonly NumberedFile[]): number {
	let bytes = 0;
	let rows = 0;
	for (const { task } of files) {
		bytes += task.file.fileSizeInBytes;
		rows += task.file.recordCount;
	}
	const rowBytes = rows === 0 ? 1 : Math.max(1, (bytes / rows) * IN_MEMORY_FACTOR);
	return Math.min(WINDOW_LIMIT_ROWS, Math.max(LEAST_WINDOW_ROWS, Math.floor(WINDOW_LIMIT_BYTES / rowBytes)));
}

/** The numbers of all rows of a mixed file. */
async function* numbersOf(file: NumberedFile, context: ReadContext): AsyncGenerator<BigInt64Array> {
	const columns = { ...context, fields: [LAST_UPDATED_COLUMN] };
	for await (const batch of scanBatches([unfiltered(file.task)], columns)) yield numbersIn(batch, 0, file);
}

function numbersIn(batch: ColumnBatch, column: number, { task }: NumberedFile): BigInt64Array {
	const vector = batch.columns[column] as Vector;
	if (vector.layout !== 'int64')
		throw new IcebergError('CORRUPT', `${task.file.location} holds no sequence numbers where its manifest says so`, {
			context: { location: task.file.location },
		});
	if (vector.nullCount === 0) return vector.values;
	const numbers = vector.values.slice(0, vector.length);
	for (let i = 0; i < numbers.length; i++) if (isNullAt(vector, i)) numbers[i] = task.sequenceNumber;
	return numbers;
}

async function* unsorted(window: Window, context: ReadContext): AsyncGenerator<ColumnBatch> {
	const plain = window.files.filter((file) => !file.isMixed).map(({ task }) => task);
	yield* scanBatches(plain, context);
	for (const file of window.files) {
		if (!file.isMixed) continue;
		for await (const { batch } of rowsIn(window, file, context)) yield batch;
	}
}

async function* sorted(window: Window, context: ReadContext): AsyncGenerator<OrderedBatch> {
	const batches: ColumnBatch[] = [];
	const numbers: bigint[] = [];
	for (const file of window.files) {
		if (file.isMixed) {
			for await (const part of rowsIn(window, file, context)) {
				batches.push(part.batch);
				for (const number of part.numbers) numbers.push(number);
			}
			continue;
		}
		for await (const batch of scanBatches([file.task], context)) {
			batches.push(batch);
			for (let i = 0; i < batch.length; i++) numbers.push(file.first);
		}
	}
	if (batches.length === 0) return;
	const all = concatBatches(batches);
	const order = Uint32Array.from(numbers.keys());
	if (!isAscending(numbers)) {
		const indexes = [...order].sort((a, b) => compare(numbers[a] as bigint, numbers[b] as bigint) || a - b);
		order.set(indexes);
	}
	const numberAt = (i: number): bigint => numbers[order[i] as number] as bigint;
	let through: bigint | undefined;
	for (let from = 0; from < order.length; from += BATCH_ROWS) {
		const to = Math.min(order.length, from + BATCH_ROWS);
		let isBoundary = false;
		for (let i = from; i < to; i++) {
			const isLast = i + 1 === order.length;
			isBoundary = isLast || numberAt(i + 1) !== numberAt(i);
			if (isBoundary) through = isLast ? window.last : numberAt(i);
		}
		yield { batch: takeBatch(all, order.subarray(from, to)), through, isBoundary };
	}
}

/** Rows of a mixed file with numbers of the window, which come beside them. */
async function* rowsIn(
	window: Window,
	file: NumberedFile,
	context: ReadContext,
): AsyncGenerator<{ readonly batch: ColumnBatch; readonly numbers: BigInt64Array }> {
	const { fields } = context;
	const at = fields.indexOf(LAST_UPDATED_COLUMN);
	const wanted = at < 0 ? [...fields, LAST_UPDATED_COLUMN] : fields;
	const task = file.isNullFree ? limitedTo(file.task, window) : file.task;
	for await (const batch of scanBatches([task], { ...context, fields: wanted })) {
		const numbers = numbersIn(batch, at < 0 ? fields.length : at, file);
		const kept: number[] = [];
		for (let i = 0; i < batch.length; i++) {
			const number = numbers[i] as bigint;
			if (number >= window.first && number <= window.last) kept.push(i);
		}
		if (kept.length === 0) continue;
		const rows = { ...batch, fields, columns: batch.columns.slice(0, fields.length) };
		if (kept.length === batch.length) {
			yield { batch: sliceBatch(rows, 0, rows.length), numbers: numbers.slice(0, batch.length) };
			continue;
		}
		const indexes = Uint32Array.from(kept);
		yield { batch: takeBatch(rows, indexes), numbers: BigInt64Array.from(kept, (i) => numbers[i] as bigint) };
	}
}

const NUMBER: BoundReference = {
	name: LAST_UPDATED_COLUMN.name,
	fieldId: LAST_UPDATED_COLUMN.id,
	type: LAST_UPDATED_COLUMN.type,
	path: [],
	nullable: true,
};

/** Row groups and pages without numbers of the window need not be read. */
function limitedTo(task: FileScanTask, window: Window): FileScanTask {
	const residual = boundAnd([
		task.residual,
		{ op: 'gt-eq', ref: NUMBER, literal: window.first },
		{ op: 'lt-eq', ref: NUMBER, literal: window.last },
	]);
	return { ...task, residual };
}

function isAscending(numbers: readonly bigint[]): boolean {
	for (let i = 1; i < numbers.length; i++) if ((numbers[i] as bigint) < (numbers[i - 1] as bigint)) return false;
	return true;
}

function compare(a: bigint, b: bigint): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
