/** Rows as users give them to batches of columns. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField } from '../spec/types.ts';
import { builderOf } from './builder.ts';
import type { VectorBuilder } from './builder-base.ts';
import { isRecordLike, missingValue } from './coerce.ts';
import { describeValue, inRow, unknownMember } from './invalid-value.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { ColumnBatch } from './vector.ts';

/** Rows after which a batch is handed on. */
export const ROW_BATCH_LIMIT = 32_768;
/** Bytes in vectors after which a batch is handed on. */
export const ROW_BATCH_LIMIT_BYTES = 16 << 20;
/** Rows that are gathered from an iterator before they go into vectors, column by column. */
const CHUNK_ROWS = 1_024;

export interface RowsOptions {
	/** number of the first row, for messages. Default 0 */
	readonly firstRowNumber?: number;
	readonly signal?: AbortSignal;
}

/** What {@link batchesFromRows} takes. */
export type RowSource = Iterable<unknown> | AsyncIterable<unknown>;

/**
 * An array of rows as one batch. The columns are the fields, in their order.
 * @throws `INVALID_DATA` with `context: { row, column, value, expected }` for a row that is no object, an unknown or
 * missing field, or a value that does not fit; `LIMIT_EXCEEDED` for more than 2 GiB in a text column
 */
export function rowsToBatch(
	fields: readonly NestedField[],
	rows: readonly unknown[],
	options?: RowsOptions,
): ColumnBatch {
	const builder = new BatchBuilder(fields, options?.firstRowNumber ?? 0);
	for (let from = 0; from < rows.length; from += CHUNK_ROWS)
		builder.add(rows, from, Math.min(rows.length, from + CHUNK_ROWS));
	return builder.finish();
}

/**
 * Rows from any iterable, as batches of bounded size. Nothing is read ahead of what a batch needs; when a row is refused,
 * the iterator is closed and the error thrown: what was yielded before must not be committed.
 * @throws `INVALID_ARGUMENT` when `rows` is not iterable (or is text); else as {@link rowsToBatch}, `ABORTED`
 */
export async function* batchesFromRows(
	fields: readonly NestedField[],
	rows: RowSource,
	options?: RowsOptions,
): AsyncGenerator<ColumnBatch> {
	const builder = new BatchBuilder(fields, options?.firstRowNumber ?? 0);
	if (Array.isArray(rows)) {
		for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
			throwIfAborted(options?.signal);
			builder.add(rows, from, Math.min(rows.length, from + CHUNK_ROWS));
			if (builder.isFull) yield builder.finish();
		}
	} else {
		const chunk: unknown[] = [];
		const flush = (): boolean => {
			throwIfAborted(options?.signal);
			builder.add(chunk, 0, chunk.length);
			chunk.length = 0;
			return builder.isFull;
		};
		if (isSyncIterable(rows)) {
			for (const row of rows) if (chunk.push(row) === CHUNK_ROWS && flush()) yield builder.finish();
		} else if (isAsyncIterable(rows)) {
			for await (const row of rows) if (chunk.push(row) === CHUNK_ROWS && flush()) yield builder.finish();
		} else throw notIterable(rows);
		if (chunk.length > 0) flush();
	}
	if (builder.length > 0) yield builder.finish();
}

/** True for what {@link batchesFromRows} takes: iterable, and neither text nor bytes. */
export function isRowSource(input: unknown): input is RowSource {
	return isSyncIterable(input) || isAsyncIterable(input);
}

function isSyncIterable(input: unknown): input is Iterable<unknown> {
	return (
		typeof input === 'object' &&
		input !== null &&
		!ArrayBuffer.isView(input) &&
		!(input instanceof Map) &&
		typeof (input as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
	);
}

function isAsyncIterable(input: unknown): input is AsyncIterable<unknown> {
	return (
		typeof input === 'object' &&
		input !== null &&
		typeof (input as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
	);
}

/** The refusal of records that cannot be iterated over. */
export function notIterable(input: unknown): IcebergError {
	const hint =
		input instanceof Promise
			? '; await it first'
			: typeof input === 'function'
				? '; call it first, if it is a generator function'
				: isRecordLike(input)
					? '; put a single row into an array'
					: '';
	return new IcebergError(
		'INVALID_ARGUMENT',
		`rows must come as an array, an iterable or an async iterable of objects, found ${describeValue(input)}${hint}`,
		{ context: { found: describeValue(input) } },
	);
}

/** Collects rows column by column. After a refusal it is of no more use. */
export class BatchBuilder {
	readonly fields: readonly NestedField[];
	readonly #columns: readonly VectorBuilder[];
	readonly #names: readonly string[];
	readonly #known: ReadonlySet<string>;
	/** rows in the batch so far */
	length = 0;
	#rowNumber: number;

	constructor(fields: readonly NestedField[], firstRowNumber = 0) {
		this.fields = fields;
		this.#columns = fields.map((field) => builderOf(field.type));
		this.#names = fields.map((field) => field.name);
		this.#known = new Set(this.#names);
		this.#rowNumber = firstRowNumber;
	}

	/** about how many bytes the batch takes */
	get byteLength(): number {
		return this.#columns.reduce((sum, column) => sum + column.byteLength, 0);
	}

	/** True once the batch should be handed on. */
	get isFull(): boolean {
		return this.length >= ROW_BATCH_LIMIT || this.byteLength >= ROW_BATCH_LIMIT_BYTES;
	}

	/** Adds `rows[from]` to `rows[to - 1]`. @throws `INVALID_DATA`, `LIMIT_EXCEEDED` */
	add(rows: readonly unknown[], from: number, to: number): void {
		for (let i = from; i < to; i++) checkRow(rows[i], this.#rowNumber + i - from, this.#names, this.#known);
		for (let k = 0; k < this.#columns.length; k++) this.#addColumn(rows as Record<string, unknown>[], from, to, k);
		this.length += to - from;
		this.#rowNumber += to - from;
	}

	/** The rows so far as a batch; the builder is empty afterwards, and goes on counting rows. */
	finish(): ColumnBatch {
		const { length } = this;
		this.length = 0;
		return { fields: this.fields, length, columns: this.#columns.map((column) => column.finish()) };
	}

	#addColumn(rows: readonly Record<string, unknown>[], from: number, to: number, k: number): void {
		const field = this.fields[k] as NestedField;
		const column = this.#columns[k] as VectorBuilder;
		const { name, required } = field;
		const inherited = name in Object.prototype;
		const hasDefault = field.writeDefault !== undefined;
		let i = from;
		try {
			for (; i < to; i++) {
				const row = rows[i] as Record<string, unknown>;
				const input = inherited && !Object.hasOwn(row, name) ? undefined : row[name];
				if (input !== null && input !== undefined) column.append(input);
				else if (hasDefault || required) this.#addMissing(field, column, input);
				else column.appendNull();
			}
		} catch (error) {
			throw inRow(error, this.#rowNumber + i - from, name);
		}
	}

	#addMissing(field: NestedField, column: VectorBuilder, input: unknown): void {
		const value = missingValue(field, input);
		if (value === null) column.appendNull();
		else column.appendValue(value);
	}
}

/**
 * Rows are objects, and their keys name columns. Keys in the order of the columns are the quick case.
 * @param known the set of `names`, which are the columns'
 * @throws `INVALID_DATA` naming the row
 */
export function checkRow(
	row: unknown,
	rowNumber: number,
	names: readonly string[],
	known: ReadonlySet<string>,
): asserts row is Record<string, unknown> {
	if (!isRecordLike(row))
		throw new IcebergError('INVALID_DATA', `row ${rowNumber}: expected an object, found ${describeValue(row)}`, {
			context: { row: rowNumber, value: describeValue(row), expected: 'an object' },
		});
	let next = 0;
	for (const key in row) {
		if (key === names[next]) next++;
		else if (!known.has(key) && Object.hasOwn(row, key)) throw unknownKey(key, row[key], rowNumber, names);
	}
}

function unknownKey(key: string, value: unknown, rowNumber: number, names: readonly string[]): IcebergError {
	const refusal = unknownMember(key, value, names);
	return new IcebergError('INVALID_DATA', `row ${rowNumber}, column '${key}': ${String(refusal.context.problem)}`, {
		context: { row: rowNumber, column: key, value: refusal.context.value, expected: refusal.context.expected },
	});
}
