/** Arrow tables, record batches and IPC bytes to batches of a table's columns. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField } from '../spec/types.ts';
import { convertArrow } from './arrow-convert.ts';
import { decodeArrowIpc, isArrowIpc } from './arrow-ipc.ts';
import type { ArrowDecompressors } from './arrow-ipc-batch.ts';
import { type ArrowBatch, type ArrowSource, arrowSourceOf } from './arrow-node.ts';
import { checkColumn } from './check-batch.ts';
import { missingColumn } from './columns-in.ts';
import { refusalInRow } from './element-refusal.ts';
import { unknownMember } from './invalid-value.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { ColumnBatch, Vector } from './vector.ts';

/** A table or record batch of `@uwdata/flechette` or `apache-arrow`, known by its shape. */
export interface ArrowLike {
	readonly schema: { readonly fields: readonly unknown[] };
}

/** True for {@link ArrowLike}, and for bytes that start as an Arrow IPC file or stream does. */
export function isArrowLike(input: unknown): input is ArrowLike | Uint8Array {
	return input instanceof Uint8Array ? isArrowIpc(input) : arrowSourceOf(input) !== undefined;
}

export interface ArrowInOptions {
	/** number of the first row, for messages. Default 0 */
	readonly firstRowNumber?: number;
	readonly signal?: AbortSignal;
	/** for IPC bytes with compressed buffers */
	readonly decompressors?: ArrowDecompressors;
}

/**
 * The rows of an Arrow table or record batch, or of IPC bytes, as batches with the given fields. Columns go by name; those
 * that Arrow has not are null or have their write default. Values are cast where that is exact: integers and floats of any
 * width, decimals of any scale, time units, dictionaries, large and view layouts. Buffers are shared where layouts agree.
 * @throws `INVALID_ARGUMENT` for what is no Arrow data; `INVALID_DATA` with row and column for a value that would change,
 * for unknown columns and missing required ones, and for types that do not go together; `CORRUPT` for unsound buffers;
 * `UNSUPPORTED` for compressed IPC without a decompressor; `ABORTED`
 */
export async function* batchesFromArrow(
	fields: readonly NestedField[],
	input: ArrowLike | Uint8Array,
	options: ArrowInOptions = {},
): AsyncGenerator<ColumnBatch> {
	const table = input instanceof Uint8Array ? decodeArrowIpc(input, options.decompressors) : input;
	const source = arrowSourceOf(table);
	if (source === undefined) throw new IcebergError('INVALID_ARGUMENT', 'this is no Arrow table or record batch');
	const positions = matchColumns(fields, source);
	let firstRow = options.firstRowNumber ?? 0;
	for (const batch of source.batches) {
		throwIfAborted(options.signal);
		const columns = fields.map((field, k) => convertColumn(field, batch, positions[k] as number, firstRow));
		if (batch.length > 0) yield { fields, length: batch.length, columns };
		firstRow += batch.length;
	}
}

function convertColumn(field: NestedField, batch: ArrowBatch, at: number, firstRow: number): Vector {
	const node = at < 0 ? undefined : batch.columns[at];
	if (node === undefined) return missingColumn(field, batch.length, firstRow);
	try {
		const vector = convertArrow({ ...node, length: batch.length }, field.type);
		checkColumn(field, vector, firstRow);
		return vector;
	} catch (error) {
		throw inColumn(refusalInRow(error, firstRow, field.name), field.name);
	}
}

function matchColumns(fields: readonly NestedField[], source: ArrowSource): number[] {
	const names = fields.map((field) => field.name);
	const seen = new Set<string>();
	for (const { name } of source.fields) {
		if (seen.has(name)) throw new IcebergError('INVALID_DATA', `the Arrow table has two columns '${name}'`);
		seen.add(name);
		if (names.includes(name)) continue;
		const { problem } = unknownMember(name, undefined, names).context;
		throw new IcebergError('INVALID_DATA', `column '${name}': ${String(problem)}`, { context: { column: name } });
	}
	return names.map((name) => source.fields.findIndex((field) => field.name === name));
}

/** Names the column in errors that do not say it yet. */
function inColumn(error: unknown, column: string): unknown {
	if (!(error instanceof IcebergError) || error.context.column !== undefined) return error;
	return new IcebergError(error.code, `column '${column}': ${error.message}`, {
		context: { ...error.context, column },
		cause: error,
	});
}

/**
 * Decodes an Arrow IPC file or stream, for {@link batchesFromArrow} and `schemaFromArrow`. Its buffers are views of `bytes`.
 * @throws `CORRUPT` for bytes that are none; `UNSUPPORTED` for compressed buffers without a decompressor
 */
export async function tableFromArrowIpc(bytes: Uint8Array, decompressors: ArrowDecompressors = {}): Promise<ArrowLike> {
	return decodeArrowIpc(bytes, decompressors);
}
