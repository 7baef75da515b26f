/** Iceberg spec: Sorting. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from './schema.ts';
import { type Transform, transformsEqual } from './transform.ts';
import { checkSource, parseTransformedColumn } from './transform-text.ts';
import type { JsonValue } from './types.ts';

export interface SortField {
	readonly sourceId: number;
	readonly sourceIds?: readonly number[];
	readonly transform: Transform;
	readonly direction: 'asc' | 'desc';
	readonly nullOrder: 'nulls-first' | 'nulls-last';
	readonly extra?: Readonly<Record<string, JsonValue>>;
}
/** Order 0 is the unsorted order and has no fields. */
export interface SortOrder {
	readonly orderId: number;
	readonly fields: readonly SortField[];
	/** JSON keys that this version does not know, kept for writing back */
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

/** The order of a table that is not sorted. */
export const UNSORTED: SortOrder = { orderId: 0, fields: [] };

const SUFFIX = /^(.*?)(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$/is;

/**
 * A sort order from texts such as `ts desc nulls last` or `bucket(16, id)`. Ascending when nothing is said; nulls first
 * where ascending, last where descending. No texts give {@link UNSORTED}.
 *
 * @param options `orderId`: 1 when left out
 * @throws `INVALID_SCHEMA` for columns and transforms that do not fit, as `parseTransformedColumn`
 */
export function parseSortOrder(
	schema: Schema,
	texts: readonly string[],
	options: { readonly orderId?: number } = {},
): SortOrder {
	if (texts.length === 0) return UNSORTED;
	const fields = texts.map((text): SortField => {
		const plain = schema.findFieldByName(text.trim()) !== undefined;
		const match = plain ? null : SUFFIX.exec(text.trim());
		const { transform, field } = parseTransformedColumn(schema, match?.[1] ?? text, 'sort field');
		const direction = match?.[2]?.toLowerCase() === 'desc' ? 'desc' : 'asc';
		const nulls = match?.[3]?.toLowerCase() ?? (direction === 'asc' ? 'first' : 'last');
		return { sourceId: field.id, transform, direction, nullOrder: nulls === 'first' ? 'nulls-first' : 'nulls-last' };
	});
	const order = { orderId: options.orderId ?? 1, fields };
	validateSortOrder(order, schema);
	return order;
}

/** @throws `INVALID_SCHEMA` when a source column is missing or of a type that cannot be sorted by */
export function validateSortOrder(order: SortOrder, schema: Schema): void {
	if (order.orderId === 0 && order.fields.length > 0) {
		throw new IcebergError('INVALID_SCHEMA', 'sort order 0 is the unsorted order: it has no fields');
	}
	for (const field of order.fields) {
		const source = schema.findField(field.sourceId);
		if (source === undefined) {
			throw new IcebergError('INVALID_SCHEMA', `sort order: there is no column with the id ${field.sourceId}`);
		}
		checkSource(schema, source, field.transform, `sort field '${schema.nameOf(source.id)}'`);
	}
}

/** True when both have the same fields in the same order. */
export function sortOrdersEqual(a: SortOrder, b: SortOrder): boolean {
	return (
		a.fields.length === b.fields.length &&
		a.fields.every((field, i) => {
			const other = b.fields[i] as SortField;
			return (
				field.sourceId === other.sourceId &&
				(field.sourceIds ?? []).join() === (other.sourceIds ?? []).join() &&
				field.direction === other.direction &&
				field.nullOrder === other.nullOrder &&
				transformsEqual(field.transform, other.transform)
			);
		})
	);
}
