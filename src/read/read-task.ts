/** One planned file as batches of the wanted columns, filtered. Iceberg spec: Column Projection. */
import { decodeAvro } from '../codec/avro/data-file.ts';
import type { NameToId, ParquetReader, PositionedBatch } from '../codec/parquet/api.ts';
import { openParquet } from '../codec/parquet/reader.ts';
import { promoteStatistics } from '../codec/parquet/statistics.ts';
import type { ColumnBatch, Vector } from '../column/vector.ts';
import { takeBatch } from '../column/vector-ops.ts';
import { constantVector, isNullAt, vectorOf } from '../column/vector-values.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { referencedFieldIds } from '../expr/bound.ts';
import type { BoundExpression } from '../expr/expression.ts';
import { compilePageFilter } from '../expr/page-filter.ts';
import { compileBatchFilter } from '../expr/row-filter.ts';
import { compileStatisticsEvaluator } from '../expr/statistics-evaluator.ts';
import type { FileIO, InputFile } from '../io/file-io.ts';
import type { DataFile } from '../manifest/types.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { DEFAULT_NAME_MAPPING, parseNameMapping } from '../spec/name-mapping.ts';
import type { Schema } from '../spec/schema.ts';
import { selectFields } from '../spec/select-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { NestedField, StructType, Type, Value } from '../spec/types.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import {
	FILE_COLUMN,
	isMetadataColumn,
	LAST_UPDATED_COLUMN,
	PARTITION_COLUMN_ID,
	POS_COLUMN,
	ROW_ID_COLUMN,
	SPEC_ID_COLUMN,
} from './metadata-columns.ts';
import { mergeFields, projectBatch } from './project-vector.ts';

/** Largest Avro data file that is read: it is held in memory whole. */
export const AVRO_FILE_LIMIT_BYTES = 1024 * 1024 * 1024;

/** Rows of a batch that no column of the file is read for. */
const MADE_BATCH_ROWS = 65_536;
const MICROS_PER_DAY = 86_400_000_000n;

export interface ReadContext {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	/** the schema that the tasks' residuals are bound to */
	readonly schema: Schema;
	/** The wanted columns: of `schema`, possibly cut to nested parts, and metadata columns. */
	readonly fields: readonly NestedField[];
	/**
	 * Rows of a file that are at hand, in the order of the file: it is not opened then. Asked for whole files only, and passed
	 * over where they lack a wanted column.
	 */
	readonly rowsAtHand?: (file: DataFile) => ColumnBatch | undefined;
	/** Whether rows of files without a first row id, too, have the file's sequence number as that of their last change. */
	readonly numberAllRows?: boolean;
	readonly signal?: AbortSignal;
}

/** Reads tasks of one scan: what does not change from file to file is worked out once. */
export class TaskReader {
	readonly #context: ReadContext;
	readonly #tableFields: readonly NestedField[];
	readonly #metadataFields: readonly NestedField[];
	readonly #nameToId: NameToId | undefined;

	constructor(context: ReadContext) {
		this.#context = context;
		this.#tableFields = context.fields.filter(({ id }) => !isMetadataColumn(id));
		this.#metadataFields = context.fields.filter(({ id }) => isMetadataColumn(id));
		const mapping = context.metadata.properties[DEFAULT_NAME_MAPPING];
		const parsed = mapping === undefined ? undefined : parseNameMapping(mapping);
		this.#nameToId = parsed === undefined ? undefined : (path) => parsed.find(path);
	}

	/**
	 * The rows of a task that match its residual, in the order of the file. Batches may be empty.
	 * @throws `UNSUPPORTED`, before any row, for a file with deletes that apply, or of a format that cannot be read;
	 *   `NOT_FOUND`, `CORRUPT` naming the file; `ABORTED`
	 */
	async *read(task: FileScanTask): AsyncGenerator<ColumnBatch> {
		assertReadable(task);
		throwIfAborted(this.#context.signal);
		const atHand = this.#atHand(task);
		if (atHand !== undefined) {
			yield* this.#finish(task, [{ batch: atHand, firstRow: 0 }]);
			return;
		}
		const source = this.#context.io.input(task.file.location, task.file.fileSizeInBytes);
		try {
			yield* this.#finish(task, task.file.format === 'avro' ? this.#avro(task, source) : this.#parquet(task, source));
		} catch (error) {
			throw inFile(error, task.file.location);
		} finally {
			await source.close();
		}
	}

	#atHand({ file, residual }: FileScanTask): ColumnBatch | undefined {
		if (residual.op !== 'true') return undefined;
		const batch = this.#context.rowsAtHand?.(file);
		if (batch === undefined || batch.length !== file.recordCount) return undefined;
		return this.#tableFields.every((field) => batch.fields.includes(field)) ? batch : undefined;
	}

	async *#parquet(task: FileScanTask, source: InputFile): AsyncGenerator<PositionedBatch> {
		const { signal } = this.#context;
		const reader = await openParquet(source, {
			...(this.#nameToId === undefined ? {} : { nameMapping: this.#nameToId }),
			...(signal === undefined ? {} : { signal }),
		});
		const fields = this.#fieldsToRead(task.residual, reader.info.fields);
		if (fields.length === 0) {
			// Only the number of rows is wanted; no column need be read. Metadata columns may yet be made for them.
			for (let firstRow = 0; firstRow < reader.info.rowCount; firstRow += MADE_BATCH_ROWS) {
				const length = Math.min(MADE_BATCH_ROWS, reader.info.rowCount - firstRow);
				yield { batch: { fields: [], length, columns: [] }, firstRow };
			}
			return;
		}
		const filters = task.residual.op !== 'true';
		yield* reader.read(
			{ fields, defaults: missingValueOf(task) },
			{
				...(filters ? { rowGroups: matchingRowGroups(reader, task.residual, fields) } : {}),
				...(filters ? { selectRows: compilePageFilter(task.residual) } : {}),
				...(signal === undefined ? {} : { signal }),
			},
		);
	}

	async *#avro(task: FileScanTask, source: InputFile): AsyncGenerator<PositionedBatch> {
		const { signal } = this.#context;
		const bytes = await source.readAll({
			maxBytes: AVRO_FILE_LIMIT_BYTES,
			...(signal === undefined ? {} : { signal }),
		});
		const fields = this.#fieldsToRead(task.residual, this.#metadataFields);
		const rowLineageMissing = (field: NestedField): Value => (isMetadataColumn(field.id) ? null : missing(field));
		const missing = missingValueOf(task);
		let firstRow = 0;
		for await (const rows of decodeAvro(
			bytes,
			{ kind: 'struct', fields },
			{
				location: source.location,
				missing: rowLineageMissing,
				...(this.#nameToId === undefined ? {} : { nameToId: this.#nameToId }),
			},
		)) {
			throwIfAborted(signal);
			const columns = fields.map((field, i) =>
				vectorOf(
					field.type,
					rows.map((row) => row[i] as Value),
				),
			);
			yield { batch: { fields, length: rows.length, columns }, firstRow };
			firstRow += rows.length;
		}
	}

	/** Output and filter columns, and the row lineage that the file stores. */
	#fieldsToRead(residual: BoundExpression, inFile: readonly NestedField[]): NestedField[] {
		const { schema } = this.#context;
		const names = [...referencedFieldIds(residual)].map((id) => schema.nameOf(id)).filter((name) => name !== undefined);
		const stored = this.#metadataFields.filter(
			(field) => (field === ROW_ID_COLUMN || field === LAST_UPDATED_COLUMN) && inFile.some(({ id }) => id === field.id),
		);
		return [...mergeFields(this.#tableFields, selectFields(schema, names)), ...stored];
	}

	async *#finish(
		task: FileScanTask,
		batches: AsyncIterable<PositionedBatch> | Iterable<PositionedBatch>,
	): AsyncGenerator<ColumnBatch> {
		const { fields } = this.#context;
		let filter: ((batch: ColumnBatch) => Uint32Array | 'all') | undefined;
		for await (const { batch, firstRow } of batches) {
			const whole = this.#withMetadataColumns(task, batch, firstRow);
			filter ??= compileBatchFilter(task.residual, whole.fields);
			const selected = filter(whole);
			const projected = projectBatch(whole, fields);
			yield selected === 'all' ? projected : takeBatch(projected, selected);
		}
	}

	#withMetadataColumns(task: FileScanTask, batch: ColumnBatch, firstRow: number): ColumnBatch {
		if (this.#metadataFields.length === 0) return batch;
		const kept = batch.fields.flatMap((field, i) => (isMetadataColumn(field.id) ? [] : [i]));
		const found = (id: number): Vector | undefined => batch.columns[batch.fields.findIndex((field) => field.id === id)];
		return {
			length: batch.length,
			fields: [...kept.map((i) => batch.fields[i] as NestedField), ...this.#metadataFields],
			columns: [
				...kept.map((i) => batch.columns[i] as Vector),
				...this.#metadataFields.map((field) =>
					metadataVector(field, task, firstRow, batch.length, found(field.id), this.#context.numberAllRows === true),
				),
			],
		};
	}
}

function metadataVector(
	field: NestedField,
	task: FileScanTask,
	firstRow: number,
	length: number,
	stored: Vector | undefined,
	numberAllRows: boolean,
): Vector {
	const { type } = field;
	switch (field.id) {
		case FILE_COLUMN.id:
			return constantVector(type, task.file.location, length);
		case SPEC_ID_COLUMN.id:
			return constantVector(type, task.file.specId, length);
		case PARTITION_COLUMN_ID:
			return constantVector(type, partitionTuple(task, type as StructType), length);
		case POS_COLUMN.id:
			return countingVector(type, BigInt(firstRow), length, undefined);
		case ROW_ID_COLUMN.id: {
			const { firstRowId } = task.file;
			if (firstRowId === undefined) return stored ?? constantVector(type, null, length);
			return countingVector(type, firstRowId + BigInt(firstRow), length, stored);
		}
		default: {
			// Iceberg spec: Row Lineage. Rows of files without a first row id have no lineage.
			const hasLineage = numberAllRows || task.file.firstRowId !== undefined;
			return inheritingVector(type, hasLineage ? task.sequenceNumber : null, length, stored);
		}
	}
}

/** The file's partition values in the places that the table's partition type has for them. */
function partitionTuple({ file, spec }: FileScanTask, type: StructType): Value {
	return type.fields.map((field) => {
		const at = spec.fields.findIndex(({ fieldId }) => fieldId === field.id);
		return at < 0 ? null : promoted(file.partition[at] ?? null, field.type);
	});
}

/** start, start + 1, …, but what is stored where something is. */
function countingVector(type: Type, start: bigint, length: number, stored: Vector | undefined): Vector {
	const values = new BigInt64Array(length);
	for (let i = 0; i < length; i += 1) {
		values[i] = stored?.layout === 'int64' && !isNullAt(stored, i) ? (stored.values[i] as bigint) : start + BigInt(i);
	}
	return { layout: 'int64', type, length, nullCount: 0, validity: null, values };
}

function inheritingVector(type: Type, value: bigint | null, length: number, stored: Vector | undefined): Vector {
	if (stored?.layout !== 'int64') return constantVector(type, value, length);
	if (stored.nullCount === 0 || value === null) return stored;
	const values = new BigInt64Array(length);
	for (let i = 0; i < length; i += 1) values[i] = isNullAt(stored, i) ? value : (stored.values[i] as bigint);
	return { layout: 'int64', type, length, nullCount: 0, validity: null, values };
}

/** Row groups that the statistics do not rule out. */
function matchingRowGroups(reader: ParquetReader, residual: BoundExpression, fields: readonly NestedField[]): number[] {
	const mayMatch = compileStatisticsEvaluator(residual);
	const wanted = leafTypes(fields);
	const found = leafTypes(reader.info.fields);
	return reader.info.rowGroups.flatMap((group, i) => {
		const statistics = (id: number) => {
			const before = group.statistics(id);
			const [from, to] = [found.get(id), wanted.get(id)];
			return before === undefined || from === undefined || to === undefined
				? before
				: promoteStatistics(before, from, to);
		};
		return mayMatch({ rowCount: group.rowCount, statistics }) ? [i] : [];
	});
}

function leafTypes(fields: readonly NestedField[], into = new Map<number, Type>()): Map<number, Type> {
	for (const { id, type } of fields) {
		if (type.kind === 'struct') leafTypes(type.fields, into);
		else into.set(id, type);
	}
	return into;
}

/** What a column holds that the file lacks: the partition's value where the spec keeps it whole, else the initial default. */
function missingValueOf(task: FileScanTask): (field: NestedField) => Value {
	const constants = new Map<number, Value>();
	task.spec.fields.forEach((field, i) => {
		const value = task.file.partition[i];
		if (field.transform.kind === 'identity' && value !== undefined) constants.set(field.sourceId, value);
	});
	return (field) => {
		const constant = constants.get(field.id);
		return constant === undefined ? (field.initialDefault ?? null) : promoted(constant, field.type);
	};
}

/** A partition value of a file that was written before its column's type was widened. Iceberg spec: Schema Evolution. */
function promoted(value: Value, type: Type): Value {
	if (typeof value !== 'number') return value;
	switch (type.kind) {
		case 'long':
			return BigInt(value);
		case 'timestamp':
			return BigInt(value) * MICROS_PER_DAY;
		case 'timestamp_ns':
			return BigInt(value) * MICROS_PER_DAY * 1_000n;
		default:
			return value;
	}
}

/** @throws `UNSUPPORTED` for a file with deletes that apply to it, or of a format that cannot be read */
export function assertReadable({ file, deletes }: FileScanTask): void {
	if (deletes.length > 0) {
		throw new IcebergError(
			'UNSUPPORTED',
			`${file.location} has rows deleted by ${deletes.length} delete file(s) (${deletes[0]?.location}), which this version cannot apply`,
			{ context: { location: file.location, deletes: deletes.map(({ location }) => location) } },
		);
	}
	if (file.format !== 'parquet' && file.format !== 'avro') {
		throw new IcebergError('UNSUPPORTED', `${file.location} is ${file.format}, which this version cannot read`, {
			context: { location: file.location, format: file.format },
		});
	}
}

function inFile(error: unknown, location: string): unknown {
	if (!(error instanceof IcebergError) || error.context.location !== undefined) return error;
	return new IcebergError(error.code, `${location}: ${error.message}`, {
		context: { ...error.context, location },
		retryable: error.retryable,
		cause: error,
	});
}
