/** What reading a snapshot takes. Loaded when a first read starts: a process that only appends does without. */
import { compileRowOutput, ROW_CHUNK, rowChunks } from '../column/rows-out.ts';
import type { ColumnBatch } from '../column/vector.ts';
import type { Expression } from '../expr/expression.ts';
import { metadataColumn } from '../read/metadata-columns.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { type FilePlan, planFiles } from '../scan/plan.ts';
import type { Schema } from '../spec/schema.ts';
import { selectFields } from '../spec/select-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { NestedField } from '../spec/types.ts';
import type { ScanOptions } from './scan-options.ts';
import type { SelectedSnapshot, TableState } from './table-source.ts';

/** A scan resolved to one snapshot. */
export interface ResolvedScan extends SelectedSnapshot {
	readonly state: TableState;
	readonly fields: readonly NestedField[];
}

/** The columns that come out. @throws `INVALID_ARGUMENT` for names that are no columns */
export function fieldsOfScan(schema: Schema, metadata: TableMetadata, options: ScanOptions): readonly NestedField[] {
	const { select, caseSensitive } = options;
	if (select === undefined) return schema.fields;
	return selectFields(schema, select, {
		caseSensitive: caseSensitive ?? true,
		others: (name) => metadataColumn(name, metadata),
	});
}

/** The files to read. Nothing is opened before it is iterated. */
export function planScan(resolved: ResolvedScan, filter: Expression | undefined, options: ScanOptions): FilePlan {
	const { state, snapshot, schema } = resolved;
	const { signal, caseSensitive } = options;
	return planFiles({
		io: state.io,
		metadata: state.metadata,
		snapshot,
		schema,
		...(filter === undefined ? {} : { filter }),
		...(caseSensitive === undefined ? {} : { caseSensitive }),
		...(signal === undefined ? {} : { signal }),
	});
}

/** The rows of planned files, as columns. What opens data files is loaded here: who only plans does without. */
export async function* readScan(
	tasks: Iterable<FileScanTask> | AsyncIterable<FileScanTask>,
	resolved: ResolvedScan,
	options: ScanOptions,
): AsyncGenerator<ColumnBatch, void, undefined> {
	const { limit, signal } = options;
	const { scanBatches } = await import('../read/scan-batches.ts');
	yield* scanBatches(tasks, {
		io: resolved.state.io,
		metadata: resolved.state.metadata,
		schema: resolved.schema,
		fields: resolved.fields,
		...(limit === undefined ? {} : { limit }),
		...(signal === undefined ? {} : { signal }),
	});
}

/** The rows as objects, in arrays of about a thousand. */
export async function* rowsOfScan(
	batches: AsyncIterable<ColumnBatch>,
	fields: readonly NestedField[],
	options: ScanOptions,
): AsyncGenerator<unknown[]> {
	const output = compileRowOutput(fields, options);
	let firstRow = 0;
	for await (const batch of batches) {
		yield* rowChunks(output, batch, firstRow);
		firstRow += batch.length;
	}
}

/** The rows as texts, in arrays of about a thousand. */
export async function* textsOfScan(
	batches: AsyncIterable<ColumnBatch>,
	output: (batch: ColumnBatch, from: number, to: number) => string[],
): AsyncGenerator<string[]> {
	for await (const batch of batches)
		for (let from = 0; from < batch.length; from += ROW_CHUNK)
			yield output(batch, from, Math.min(batch.length, from + ROW_CHUNK));
}
