/** Whatever an append takes, as batches of columns of the table's schema. */
import type { ArrowLike } from '../column/arrow-in.ts';
import { batchesFromColumns, type ColumnsInput, isColumnsInput } from '../column/columns-in.ts';
import { batchesFromRows, isRowSource, notIterable } from '../column/rows.ts';
import type { ColumnBatch } from '../column/vector.ts';
import type { RowInput } from '../spec/row-types.ts';
import type { Schema } from '../spec/schema.ts';

/**
 * What an append takes: rows from an array, any iterable or async iterable (a stream); columns (`columns({ … })`); an
 * Arrow table or record batch of `apache-arrow` or `@uwdata/flechette`, or Arrow IPC bytes.
 */
export type AppendInput<In = RowInput> = Iterable<In> | AsyncIterable<In> | ColumnsInput | ArrowLike | Uint8Array;

export interface AppendOptions {
	/** added to the snapshot's summary */
	readonly summary?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal;
}

/**
 * Batches of the schema's columns. Values are checked as they are read; batches before a refused row must not be committed.
 * @throws at once `INVALID_ARGUMENT` for something that holds no rows; while iterating `INVALID_DATA` with row, column and value
 */
export function batchesOf(schema: Schema, input: unknown, signal: AbortSignal | undefined): AsyncIterable<ColumnBatch> {
	const options = signal === undefined ? {} : { signal };
	if (isColumnsInput(input)) return batchesFromColumns(schema.fields, input, options);
	if (mayBeArrow(input)) return arrowBatches(schema, input, options);
	if (isRowSource(input)) return batchesFromRows(schema.fields, input, options);
	throw notIterable(input);
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
	yield* batchesFromArrow(schema.fields, input, options);
}
