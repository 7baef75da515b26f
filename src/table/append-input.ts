/** Whatever an append takes, as batches of columns of the table's schema. */
import type { ArrowLike } from '../column/arrow-in.ts';
import { type ColumnsInput, isColumnsInput } from '../column/columns-input.ts';
import { batchesFromRows, isRowSource, notIterable } from '../column/rows.ts';
import type { ColumnBatch } from '../column/vector.ts';
import type { RowInput } from '../spec/row-types.ts';
import type { Schema } from '../spec/schema.ts';
import type { NestedField } from '../spec/types.ts';
import { type CallOptions, untilAborted } from '../util/deadline.ts';

/** Gives batches of the columns that it is asked for, as a file that was opened by `openImport` does. */
export interface BatchSource {
	batches(fields: readonly NestedField[], options?: { readonly signal?: AbortSignal }): AsyncIterable<ColumnBatch>;
}

/**
 * What an append takes: rows from an array, any iterable or async iterable (a stream); columns (`columns({ … })`); an
 * Arrow table or record batch of `apache-arrow` or `@uwdata/flechette`, or Arrow IPC bytes; a file of another format
 * (`openImport`).
 */
export type AppendInput<In = RowInput> =
	| Iterable<In>
	| AsyncIterable<In>
	| ColumnsInput
	| ArrowLike
	| Uint8Array
	| BatchSource;

export interface AppendOptions extends CallOptions {
	/** added to the snapshot's summary */
	readonly summary?: Readonly<Record<string, string>>;
}

export interface AppendOnceOptions extends AppendOptions {
	/**
	 * A text that names this append for ever, such as a job's id and step. An append with a key that the table remembers
	 * appends nothing and gives the earlier one's result, also from another process and after a lost reply. The newest
	 * 1,000 keys are remembered; the table property `datashard.append-keys.limit` says otherwise.
	 */
	readonly idempotencyKey?: string;
	/**
	 * When the append resolves. `committed` (default): the rows are in a snapshot, visible to every reader. `journaled`: they
	 * are durable, and in a snapshot within the table's `datashard.commit-interval-ms` (100) and the time of a commit: fewer,
	 * larger snapshots, and the speed of a log. Not for appends with a `summary`.
	 */
	readonly until?: 'committed' | 'journaled';
}

/** Most rows that are taken as they are, without a way for more to follow. */
const ROWS_AT_HAND_LIMIT = 1024;

/** An array of few rows. */
export function isRowsAtHand(input: unknown): input is readonly unknown[] {
	return Array.isArray(input) && input.length <= ROWS_AT_HAND_LIMIT;
}

/**
 * Batches of the schema's columns. Values are checked as they are read; batches before a refused row must not be committed.
 * @throws at once `INVALID_ARGUMENT` for something that holds no rows; while iterating `INVALID_DATA` with row, column and value
 */
export function batchesOf(schema: Schema, input: unknown, signal: AbortSignal | undefined): AsyncIterable<ColumnBatch> {
	const batches = columnsOf(schema, input, signal === undefined ? {} : { signal });
	return signal === undefined ? batches : untilAborted(batches, signal);
}

function columnsOf(
	schema: Schema,
	input: unknown,
	options: { readonly signal?: AbortSignal },
): AsyncIterable<ColumnBatch> {
	if (isColumnsInput(input)) return columnBatches(schema, input, options);
	if (mayBeArrow(input)) return arrowBatches(schema, input, options);
	if (isRowSource(input)) return batchesFromRows(schema.fields, input, options);
	if (isBatchSource(input)) return checkedBatches(schema, input, options);
	throw notIterable(input);
}

async function* columnBatches(
	schema: Schema,
	input: ColumnsInput,
	options: { readonly signal?: AbortSignal },
): AsyncGenerator<ColumnBatch> {
	const { batchesFromColumns } = await import('../column/columns-in.ts');
	yield* batchesFromColumns(schema.fields, input, options);
}

/** Arrow is loaded only for what looks like it. */
function mayBeArrow(input: unknown): input is ArrowLike | Uint8Array {
	if (input instanceof Uint8Array) return true;
	return typeof input === 'object' && input !== null && Array.isArray((input as Partial<ArrowLike>).schema?.fields);
}

async function* arrowBatches(
	schema: Schema,
	input: ArrowLike | Uint8Array,
	options: { readonly signal?: AbortSignal },
): AsyncGenerator<ColumnBatch> {
	const { batchesFromArrow, isArrowLike } = await import('../column/arrow-in.ts');
	if (!isArrowLike(input)) throw notIterable(input);
	const { isCompressedArrowIpc } = await import('../column/arrow-ipc.ts');
	if (!(input instanceof Uint8Array && isCompressedArrowIpc(input))) {
		yield* batchesFromArrow(schema.fields, input, options);
		return;
	}
	const { loadArrowDecompressors } = await import('../codec/arrow-decompressors.ts');
	yield* batchesFromArrow(schema.fields, input, { ...options, decompressors: await loadArrowDecompressors() });
}

function isBatchSource(input: unknown): input is BatchSource {
	return typeof input === 'object' && input !== null && typeof (input as Partial<BatchSource>).batches === 'function';
}

async function* checkedBatches(
	schema: Schema,
	source: BatchSource,
	options: { readonly signal?: AbortSignal },
): AsyncGenerator<ColumnBatch> {
	const { checkBatch } = await import('../column/check-batch.ts');
	let firstRow = 1;
	for await (const batch of source.batches(schema.fields, options)) {
		checkBatch(schema.fields, batch, firstRow);
		firstRow += batch.length;
		yield batch;
	}
}
