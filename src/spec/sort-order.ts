/** Iceberg spec: Sorting. */
import type { Transform } from './partition-spec.ts';
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
}
