/**
 * Columns in memory, laid out as Arrow lays them out (Arrow columnar format), typed by Iceberg types.
 * All vectors start at element 0 (no offset); `values` may be longer than `length` needs.
 */
import type { NestedField, Type } from '../spec/types.ts';

interface VectorBase {
	readonly type: Type;
	/** number of elements */
	readonly length: number;
	/** number of nulls, exact */
	readonly nullCount: number;
	/** Bit i (least significant first) is 1 when element i is not null; `null` when there are no nulls. */
	readonly validity: Uint8Array | null;
}
/** boolean: bit-packed, least significant bit first */
export interface BooleanVector extends VectorBase {
	readonly layout: 'boolean';
	readonly values: Uint8Array;
}
/** int, date */
export interface Int32Vector extends VectorBase {
	readonly layout: 'int32';
	readonly values: Int32Array;
}
/** long, time, timestamp, timestamptz, timestamp_ns, timestamptz_ns */
export interface Int64Vector extends VectorBase {
	readonly layout: 'int64';
	readonly values: BigInt64Array;
}
export interface Float32Vector extends VectorBase {
	readonly layout: 'float32';
	readonly values: Float32Array;
}
export interface Float64Vector extends VectorBase {
	readonly layout: 'float64';
	readonly values: Float64Array;
}
/** decimal: two words an element, low word first, 128-bit two's complement (Arrow Decimal128) */
export interface DecimalVector extends VectorBase {
	readonly layout: 'decimal128';
	readonly values: BigInt64Array;
}
/** uuid (16 bytes, big-endian order as printed), fixed */
export interface FixedVector extends VectorBase {
	readonly layout: 'fixed';
	/** bytes of one element */
	readonly width: number;
	readonly values: Uint8Array;
}
/** string (UTF-8), binary, geometry, geography */
export interface BytesVector extends VectorBase {
	readonly layout: 'bytes';
	/** length + 1 offsets into `values`; `offsets[0]` may be above 0 */
	readonly offsets: Int32Array;
	readonly values: Uint8Array;
}
/** string, binary: indices into a dictionary without nulls. Made by readers and of repeated texts; {@link flatten} makes it plain. */
export interface DictionaryVector extends VectorBase {
	readonly layout: 'dictionary';
	readonly indices: Int32Array;
	readonly dictionary: BytesVector;
}
export interface StructVector extends VectorBase {
	readonly layout: 'struct';
	/** in the order of the type's fields, each of `length` elements */
	readonly children: readonly Vector[];
}
export interface ListVector extends VectorBase {
	readonly layout: 'list';
	/** length + 1 offsets into `child` */
	readonly offsets: Int32Array;
	readonly child: Vector;
}
export interface MapVector extends VectorBase {
	readonly layout: 'map';
	readonly offsets: Int32Array;
	readonly keys: Vector;
	readonly items: Vector;
}
/** variant: two binary children */
export interface VariantVector extends VectorBase {
	readonly layout: 'variant';
	readonly metadata: BytesVector;
	readonly value: BytesVector;
}
/** unknown: all null; `nullCount` equals `length` and `validity` is `null` */
export interface NullVector extends VectorBase {
	readonly layout: 'null';
}
export type Vector =
	| BooleanVector
	| Int32Vector
	| Int64Vector
	| Float32Vector
	| Float64Vector
	| DecimalVector
	| FixedVector
	| BytesVector
	| DictionaryVector
	| StructVector
	| ListVector
	| MapVector
	| VariantVector
	| NullVector;

/** Rows as columns. `columns[i]` holds `fields[i]` and has `length` elements. */
export interface ColumnBatch {
	readonly fields: readonly NestedField[];
	readonly length: number;
	readonly columns: readonly Vector[];
}
