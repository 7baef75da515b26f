/** Bound predicates as functions of rows, and of batches of columns. */
import type { NestedField, Value } from '../spec/types.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { compileMask } from './batch-mask.ts';
import type { BoundExpression } from './expression.ts';
import { compileValueTest } from './value-test.ts';

/** True when the row matches. */
export type RowFilter = (row: readonly Value[]) => boolean;

/**
 * The predicate as a function of a row: engine values in the order of the schema's (or partition type's) fields that it
 * was bound to. A null struct makes its fields null; a field that the row is too short for is null.
 */
export function compileRowFilter(expr: BoundExpression): RowFilter {
	switch (expr.op) {
		case 'true':
			return () => true;
		case 'false':
			return () => false;
		case 'and': {
			const children = expr.children.map(compileRowFilter);
			return (row) => {
				for (const child of children) if (!child(row)) return false;
				return true;
			};
		}
		case 'or': {
			const children = expr.children.map(compileRowFilter);
			return (row) => {
				for (const child of children) if (child(row)) return true;
				return false;
			};
		}
		default: {
			const test = compileValueTest(expr);
			const { path } = expr.ref;
			if (path.length === 1) {
				const position = path[0] as number;
				return (row) => test(row[position] ?? null);
			}
			return (row) => {
				let value: Value = row;
				for (const position of path) {
					if (value === null) break;
					value = (value as readonly Value[])[position] ?? null;
				}
				return test(value);
			};
		}
	}
}

/** Indexes of the rows that match, ascending, or `all` when every row does. The array is the caller's. */
export type BatchFilter = (batch: ColumnBatch) => Uint32Array | 'all';

/**
 * The predicate as a function of batches with the given fields. Columns are found by field id, at any depth of structs;
 * evaluated column by column over the vectors' buffers, strings as UTF-8 bytes, dictionaries entry by entry.
 *
 * @throws `INVALID_ARGUMENT` when a column of the predicate is not among the fields, or is of another type there
 */
export function compileBatchFilter(expr: BoundExpression, fields: readonly NestedField[]): BatchFilter {
	if (expr.op === 'true') return () => 'all';
	if (expr.op === 'false') return () => new Uint32Array(0);
	const fill = compileMask(expr, fields);
	let mask = new Uint8Array(0);
	return (batch) => {
		const { length } = batch;
		if (mask.length < length) mask = new Uint8Array(length);
		fill(batch, mask);
		let count = 0;
		for (let i = 0; i < length; i++) count += mask[i] as number;
		if (count === length) return 'all';
		const selected = new Uint32Array(count);
		let next = 0;
		// Writing always and advancing by the bit avoids a branch that no processor could foresee.
		for (let i = 0; next < count; i++) {
			selected[next] = i;
			next += mask[i] as number;
		}
		return selected;
	};
}
