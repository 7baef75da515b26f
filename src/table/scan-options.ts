import type { RowOutputOptions } from '../column/rows-out.ts';
import type { Expression } from '../expr/expression.ts';
import type { StateReadOptions } from './table-source.ts';

/**
 * What to read and how to give it out. A deadline is that of one read, from its first row to its last, the time that the
 * reader takes included.
 */
export interface ScanOptions extends StateReadOptions, RowOutputOptions {
	/**
	 * Full names of columns (`a`, `a.b`), in the order wanted; default all columns of the schema. The metadata columns
	 * {@link MetadataColumns} can be named too; a column of the table that has such a name hides it.
	 */
	readonly select?: readonly string[];
	/** A predicate, or its text (`"status = 'failed' and duration_ms > 1000"`). */
	readonly where?: Expression | string;
	/** most rows to give; default all */
	readonly limit?: number;
	/** whether names in `select` and `where` must match case; default true */
	readonly caseSensitive?: boolean;
}

/** What a scan can tell of each row besides the table's columns. Iceberg spec: Reserved Field IDs; Row Lineage. */
export interface MetadataColumns {
	/** location of the file that the row stands in */
	readonly _file: string;
	/** position of the row in that file, from 0 */
	readonly _pos: bigint;
	/** id of the partition spec that the file was written with */
	readonly _spec_id: number;
	/** v3: the row's id, assigned once; null where the table had none when the row was written */
	readonly _row_id: bigint | null;
	/** v3: sequence number of the commit that last changed the row */
	readonly _last_updated_sequence_number: bigint | null;
}

/** Names that `select` takes. */
export type SelectableRow<Out> = Out & Omit<MetadataColumns, keyof Out>;
