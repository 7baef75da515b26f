/** Iceberg spec: Schemas and Data Types. In-memory form of types; immutable plain objects told apart by `kind`. */

/** Any JSON value as the lossless parser of `util/json.ts` gives it: integers beyond 2^53 are `bigint`. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | { [key: string]: JsonValue };

export type SimplePrimitiveKind =
	| 'boolean'
	| 'int'
	| 'long'
	| 'float'
	| 'double'
	| 'date'
	| 'time'
	| 'timestamp'
	| 'timestamptz'
	| 'timestamp_ns'
	| 'timestamptz_ns'
	| 'string'
	| 'uuid'
	| 'binary'
	| 'unknown'
	| 'variant';

export interface SimpleType<K extends SimplePrimitiveKind = SimplePrimitiveKind> {
	readonly kind: K;
}
export interface DecimalType {
	readonly kind: 'decimal';
	/** 1 to 38 */
	readonly precision: number;
	/** 0 to precision */
	readonly scale: number;
}
export interface FixedType {
	readonly kind: 'fixed';
	/** bytes */
	readonly length: number;
}
export interface GeometryType {
	readonly kind: 'geometry';
	/** `OGC:CRS84` when the schema names none */
	readonly crs: string;
}
export interface GeographyType {
	readonly kind: 'geography';
	readonly crs: string;
	/** `spherical` when the schema names none */
	readonly algorithm: string;
}
/** A type that this version does not know. Kept as it was, so that a schema can be written back unchanged. */
export interface UnsupportedType {
	readonly kind: 'unsupported';
	readonly json: JsonValue;
}
export interface StructType {
	readonly kind: 'struct';
	readonly fields: readonly NestedField[];
}
export interface ListType {
	readonly kind: 'list';
	readonly elementId: number;
	readonly elementRequired: boolean;
	readonly element: Type;
}
export interface MapType {
	readonly kind: 'map';
	readonly keyId: number;
	readonly key: Type;
	readonly valueId: number;
	readonly valueRequired: boolean;
	readonly value: Type;
}
export type PrimitiveType = SimpleType | DecimalType | FixedType | GeometryType | GeographyType | UnsupportedType;
export type NestedType = StructType | ListType | MapType;
export type Type = PrimitiveType | NestedType;

export interface NestedField {
	readonly id: number;
	readonly name: string;
	readonly required: boolean;
	readonly type: Type;
	readonly doc?: string;
	/** An engine value; absent means null. Iceberg spec: Default values. */
	readonly initialDefault?: Value;
	readonly writeDefault?: Value;
	/** JSON keys of the field that this version does not know, kept for writing back. */
	readonly extra?: Readonly<Record<string, JsonValue>>;
}

/**
 * An engine value: the one in-memory form that all layers below `table/` use for single values.
 *
 * | type | value |
 * | --- | --- |
 * | boolean | `boolean` |
 * | int | `number`, an integer |
 * | date | `number`, days from 1970-01-01 |
 * | long | `bigint` |
 * | time | `bigint`, microseconds from midnight |
 * | timestamp, timestamptz | `bigint`, microseconds from 1970-01-01 (UTC) |
 * | timestamp_ns, timestamptz_ns | `bigint`, nanoseconds |
 * | float, double | `number` (a float already rounded by `Math.fround`) |
 * | decimal | `bigint`, the unscaled value |
 * | string | `string`, well-formed |
 * | uuid | `string`, lower-case with dashes |
 * | fixed, binary, geometry, geography (WKB) | `Uint8Array` |
 * | variant | {@link VariantValue} |
 * | unknown | `null` |
 * | struct | {@link StructValue}: array of values in field order |
 * | list | array of values |
 * | map | {@link MapValue}: array of `[key, value]` |
 *
 * `null` stands for a missing value of any type.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array | VariantValue | readonly Value[] | MapValue;
export type StructValue = readonly Value[];
export type MapValue = readonly (readonly [Value, Value])[];

/** A variant as its two binary parts (Parquet spec: Variant Binary Encoding). */
export interface VariantValue {
	readonly metadata: Uint8Array;
	readonly value: Uint8Array;
}
