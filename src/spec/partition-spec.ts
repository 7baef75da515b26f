/** Iceberg spec: Partitioning. */
import type { JsonValue } from './types.ts';

/** Iceberg spec: Partition Transforms. `unknown` keeps a transform that this version does not know. */
export type Transform =
	| { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' }
	| { readonly kind: 'bucket'; readonly buckets: number }
	| { readonly kind: 'truncate'; readonly width: number }
	| { readonly kind: 'unknown'; readonly text: string };

export interface PartitionField {
	/** field id of the source column; the first one of a multi-argument transform */
	readonly sourceId: number;
	/** v3, only where there is more than one */
	readonly sourceIds?: readonly number[];
	/** 1000 and up */
	readonly fieldId: number;
	readonly name: string;
	readonly transform: Transform;
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

export interface PartitionSpec {
	readonly specId: number;
	readonly fields: readonly PartitionField[];
}
