import { compileJsonOutput } from '../column/json-out.ts';
import { compileRowOutput, type RowOutputOptions } from '../column/rows-out.ts';
import type { ColumnBatch } from '../column/vector.ts';
import type { Row } from '../spec/row-types.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { FollowPosition } from './follow-options.ts';

/** Some rows that were appended, of one or more commits, in the order of the commits. Never empty. */
export class FollowBatch<Out = Row> {
	/** the rows as columns in Arrow's layout */
	readonly columns: ColumnBatch;
	/**
	 * Where a follow goes on that begins after these rows. Of a commit whose rows come in several batches only the last tells
	 * of it: from the position of the others the whole commit would come again.
	 */
	readonly position: FollowPosition;
	/** the state that the rows were read from: that of their commit, or a later one */
	readonly snapshot: Snapshot;
	readonly #output: RowOutputOptions;
	#rows: Out[] | undefined;

	/** Not for users: batches come from `table.follow().batches()`. */
	constructor(columns: ColumnBatch, position: FollowPosition, snapshot: Snapshot, output: RowOutputOptions) {
		this.columns = columns;
		this.position = position;
		this.snapshot = snapshot;
		this.#output = output;
	}

	/** The rows, one object each. @throws `INVALID_DATA` when `longs` or `timestamps` cannot hold a value */
	get rows(): Out[] {
		this.#rows ??= compileRowOutput(this.columns.fields, this.#output)(this.columns) as Out[];
		return this.#rows;
	}

	/** The rows as JSON texts without line ends, as those of `TableScan.jsonLines`. */
	jsonLines(): string[] {
		return compileJsonOutput(this.columns.fields)(this.columns);
	}
}
