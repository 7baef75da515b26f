/** What every file format offers to an import. */
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from '../spec/schema.ts';
import type { NestedField } from '../spec/types.ts';
import type { ImportProgress } from './byte-feed.ts';
import type { InferredColumn } from './json-shape.ts';

export type ImportFormat = 'csv' | 'ndjson' | 'json' | 'parquet' | 'arrow';

export interface InferredSchema {
	/** ids count from 1; all columns of text formats are optional */
	readonly schema: Schema;
	/** in the schema's order */
	readonly columns: readonly InferredColumn[];
	/** rows that were looked at; `undefined` where the format tells types without looking */
	readonly rowCount: number | undefined;
	/** false when there are more rows than were looked at, which may not fit */
	readonly complete: boolean;
}

export interface ImportReadOptions {
	readonly signal?: AbortSignal;
}

/** An opened file or stream of rows. */
export interface ImportSource {
	readonly format: ImportFormat;
	/** for messages */
	readonly name: string;
	/** bytes of the input; `undefined` for a stream */
	readonly sizeBytes: number | undefined;
	readonly progress: ImportProgress;

	/**
	 * The schema that the data suggest. A file of text is read once in full for it, a stream up to
	 * `SAMPLE_LIMIT_BYTES`; Parquet and Arrow tell their own.
	 * @throws `INVALID_DATA` for text that is not of the format; `CORRUPT` for files that are broken
	 */
	inferSchema(options?: ImportReadOptions): Promise<InferredSchema>;

	/**
	 * The rows as columns of a table: its `fields`, in its order, found in the data by name at every level. A field that
	 * the data lack is null or has its write default. A stream can be read once, a file any number of times.
	 * @throws `INVALID_DATA` with row, column and value for what does not fit, for a column that the table lacks, and for
	 * a null in a required field. What was yielded before must not be committed then.
	 */
	batches(fields: readonly NestedField[], options?: ImportReadOptions): AsyncIterable<ColumnBatch>;
}

/** The refusal of a column of the data that the table has no place for. */
export function unknownColumn(name: string, column: string, fields: readonly NestedField[]): IcebergError {
	const known = fields.map((field) => `'${field.name}'`);
	const shown = known.length > 20 ? [...known.slice(0, 20), '…'] : known;
	return new IcebergError('INVALID_DATA', `${name}: the table has no column '${column}'; it has ${shown.join(', ')}`, {
		context: { column },
	});
}

/** The refusal of data that lack a column which the table requires. */
export function missingColumn(name: string, column: string): IcebergError {
	return new IcebergError('INVALID_DATA', `${name}: there is no column '${column}', which the table requires`, {
		context: { column },
	});
}

/** The refusal of a null. @param row from 1 */
export function nullInRequired(name: string, row: number, column: string): IcebergError {
	return new IcebergError('INVALID_DATA', `${name}, row ${row}, column '${column}': null, but the column is required`, {
		context: { row, column, value: null },
	});
}

/** The same refusal, with the advice that helps when only a part of a stream was looked at. */
export function withSampleAdvice(error: unknown, rowCount: number): unknown {
	if (!(error instanceof IcebergError) || error.code !== 'INVALID_DATA') return error;
	return new IcebergError(
		error.code,
		`${error.message} (the schema was inferred from the first ${rowCount} rows of a stream; give one to import what follows)`,
		{ context: error.context, cause: error },
	);
}
