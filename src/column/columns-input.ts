import type { Vector } from './vector.ts';

export type NumberArray =
	| Int8Array
	| Int16Array
	| Int32Array
	| Uint8Array
	| Uint8ClampedArray
	| Uint16Array
	| Uint32Array
	| Float32Array
	| Float64Array
	| BigInt64Array
	| BigUint64Array;

/** One column: values as in rows, numbers in a typed array, or a vector of the column's type. */
export type ColumnInput = readonly unknown[] | NumberArray | Vector;

/** Columns by name, to be told from a row. Made by {@link columns}. */
export class ColumnsInput {
	readonly byName: Readonly<Record<string, ColumnInput>>;
	constructor(byName: Readonly<Record<string, ColumnInput>>) {
		this.byName = byName;
	}
}

/**
 * Marks an object of columns as such: `table.append(columns({ id: ids, score: scores }))`. All have the same length; those
 * that the table has and this lacks are null or have their write default.
 */
export function columns(byName: Readonly<Record<string, ColumnInput>>): ColumnsInput {
	return new ColumnsInput(byName);
}

/** True for what {@link columns} makes. */
export function isColumnsInput(input: unknown): input is ColumnsInput {
	return input instanceof ColumnsInput;
}
