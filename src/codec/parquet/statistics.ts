/**
 * Minimum and maximum of leaves as engine values. Parquet spec: parquet.thrift Statistics, ColumnOrder, ColumnIndex.
 * What cannot be trusted is left out: the order of the deprecated fields for anything but signed numbers, bounds with NaN,
 * INT96, malformed values.
 */
import { bytesToUuid } from '../../spec/single-value.ts';
import type { Type, Value } from '../../spec/types.ts';
import type { LeafStatistics } from './api.ts';
import { viewOf } from './decode-bits.ts';
import { PhysicalType, type SchemaElement, type Statistics } from './format.ts';
import { logicalTypeOf, type SchemaNode } from './schema-mapping-file.ts';

/** A leaf whose statistics are asked for. */
export interface StatisticsLeaf {
	readonly node: SchemaNode;
	/** its type in the file */
	readonly type: Type;
	/** whether the footer says that the order of its bounds is that of its type */
	readonly hasTypeOrder: boolean;
}

/** Encoded bounds, as they stand in a footer or a column index. */
export interface EncodedBounds {
	readonly min: Uint8Array | undefined;
	readonly max: Uint8Array | undefined;
	/** what the file says about truncation; `undefined` where it says nothing */
	readonly isMinExact: boolean | undefined;
	readonly isMaxExact: boolean | undefined;
}

/** `valueCount`: values of the chunk, nulls included. */
export function chunkStatistics(leaf: StatisticsLeaf, statistics: Statistics, valueCount: number): LeafStatistics {
	const { minValue, maxValue } = statistics;
	const isNew = minValue !== undefined || maxValue !== undefined;
	const bounds = isNew
		? decodeBounds(leaf, {
				min: minValue,
				max: maxValue,
				isMinExact: statistics.isMinValueExact,
				isMaxExact: statistics.isMaxValueExact,
			})
		: isSigned(leaf)
			? decodeBounds(leaf, { min: statistics.min, max: statistics.max, isMinExact: true, isMaxExact: true })
			: { exact: false };
	const { nullCount } = statistics;
	// writers count nulls of nested leaves in different ways
	const isTrusted = leaf.node.path.length === 1 && nullCount !== undefined && nullCount <= valueCount;
	return isTrusted ? { ...bounds, nullCount } : bounds;
}

/** Bounds in the order of the leaf's type; none where that order is not known to be the one that was used. */
export function decodeBounds(leaf: StatisticsLeaf, encoded: EncodedBounds): LeafStatistics {
	if (!leaf.hasTypeOrder && !isSigned(leaf)) return { exact: false };
	const { element } = leaf.node;
	const min = encoded.min === undefined ? undefined : boundValue(element, leaf.type, encoded.min, 'min');
	const max = encoded.max === undefined ? undefined : boundValue(element, leaf.type, encoded.max, 'max');
	if (isDisordered(min, max)) return { exact: false };
	const isBytes = element.type === PhysicalType.BYTE_ARRAY;
	const exact =
		min !== undefined && max !== undefined && (encoded.isMinExact ?? !isBytes) && (encoded.isMaxExact ?? !isBytes);
	return { ...(min !== undefined && { min }), ...(max !== undefined && { max }), exact };
}

/**
 * Statistics of a leaf of type `found` as those of a column of type `wanted` that it is read into. Iceberg spec: Schema
 * Evolution, type promotion.
 */
export function promoteStatistics(statistics: LeafStatistics, found: Type, wanted: Type): LeafStatistics {
	if (found.kind === wanted.kind) return statistics;
	const { min, max, ...rest } = statistics;
	const lower = min === undefined ? undefined : promoteBound(min, found, wanted, 'min');
	const upper = max === undefined ? undefined : promoteBound(max, found, wanted, 'max');
	return {
		...rest,
		exact: rest.exact && lower !== undefined && upper !== undefined && !isRounded(found, wanted),
		...(lower !== undefined && { min: lower }),
		...(upper !== undefined && { max: upper }),
	};
}

/** Whether promoted bounds may lie a little outside of the values. */
function isRounded(found: Type, wanted: Type): boolean {
	return found.kind.endsWith('_ns') && !wanted.kind.endsWith('_ns');
}

type Side = 'min' | 'max';

const MICROS_PER_DAY = 86_400_000_000n;

function promoteBound(value: Value, found: Type, wanted: Type, side: Side): Value | undefined {
	switch (`${found.kind} ${wanted.kind}`) {
		case 'int long':
			return BigInt(value as number);
		case 'float double':
		case 'timestamp timestamptz':
		case 'timestamptz timestamp':
		case 'timestamp_ns timestamptz_ns':
		case 'timestamptz_ns timestamp_ns':
			return value;
		case 'date timestamp':
		case 'date timestamptz':
			return BigInt(value as number) * MICROS_PER_DAY;
		case 'date timestamp_ns':
		case 'date timestamptz_ns':
			return BigInt(value as number) * MICROS_PER_DAY * 1000n;
		default:
	}
	if (found.kind.startsWith('timestamp') && wanted.kind.startsWith('timestamp')) {
		const ticks = value as bigint;
		if (wanted.kind.endsWith('_ns')) return ticks * 1000n;
		const floor = ticks / 1000n - (ticks % 1000n < 0n ? 1n : 0n);
		return side === 'min' || ticks % 1000n === 0n ? floor : floor + 1n;
	}
	if (wanted.kind === 'string' && found.kind === 'binary') return textBound(value as Uint8Array, side);
	return undefined;
}

/** Types whose order as signed numbers is the only one that a writer can have meant. */
function isSigned({ node, type }: StatisticsLeaf): boolean {
	const { element } = node;
	switch (type.kind) {
		case 'boolean':
		case 'float':
		case 'double':
		case 'int':
		case 'date':
		case 'time':
			return true;
		case 'long':
			return !isUnsigned(element);
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
		case 'decimal':
			return (element.type === PhysicalType.INT32 || element.type === PhysicalType.INT64) && !isUnsigned(element);
		default:
			return false;
	}
}

function isUnsigned(element: SchemaElement): boolean {
	const logical = logicalTypeOf(element);
	return logical?.kind === 'integer' && !logical.isSigned;
}

function boundValue(element: SchemaElement, type: Type, bytes: Uint8Array, side: Side): Value | undefined {
	switch (element.type) {
		case PhysicalType.BOOLEAN:
			return bytes.length === 1 && type.kind === 'boolean' ? bytes[0] !== 0 : undefined;
		case PhysicalType.INT32:
			return bytes.length === 4 ? int32Bound(element, type, viewOf(bytes).getInt32(0, true)) : undefined;
		case PhysicalType.INT64:
			return bytes.length === 8 ? int64Bound(element, type, viewOf(bytes).getBigInt64(0, true)) : undefined;
		case PhysicalType.FLOAT:
			return bytes.length === 4 ? floatBound(viewOf(bytes).getFloat32(0, true), side) : undefined;
		case PhysicalType.DOUBLE:
			return bytes.length === 8 ? floatBound(viewOf(bytes).getFloat64(0, true), side) : undefined;
		case PhysicalType.FIXED_LEN_BYTE_ARRAY:
			if (type.kind === 'decimal') return decimalBound(bytes);
			if (bytes.length !== element.typeLength) return undefined;
			return type.kind === 'uuid' ? bytesToUuid(bytes) : type.kind === 'fixed' ? bytes : undefined;
		case PhysicalType.BYTE_ARRAY:
			if (type.kind === 'decimal') return decimalBound(bytes);
			if (type.kind === 'string') return textBound(bytes, side);
			return type.kind === 'binary' ? bytes : undefined;
		default:
			return undefined;
	}
}

function int32Bound(element: SchemaElement, type: Type, value: number): Value | undefined {
	switch (type.kind) {
		case 'int':
		case 'date':
			return value;
		case 'long':
			return BigInt(isUnsigned(element) ? value >>> 0 : value);
		case 'time':
			return BigInt(value) * 1000n;
		case 'decimal':
			return BigInt(value);
		default:
			return undefined;
	}
}

function int64Bound(element: SchemaElement, type: Type, value: bigint): Value | undefined {
	const logical = logicalTypeOf(element);
	switch (type.kind) {
		case 'long':
			return value;
		case 'decimal':
			return isUnsigned(element) ? BigInt.asUintN(64, value) : value;
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns': {
			if (logical?.kind !== 'time' && logical?.kind !== 'timestamp') return undefined;
			if (logical.unit === 'millis') return value * 1000n;
			// times of day in nanoseconds are read as microseconds, whole ones only
			return type.kind === 'time' && logical.unit === 'nanos' ? value / 1000n : value;
		}
		default:
			return undefined;
	}
}

/** A bound of zero may stand for either zero. */
function floatBound(value: number, side: Side): number | undefined {
	if (Number.isNaN(value)) return undefined;
	return value === 0 ? (side === 'min' ? -0 : 0) : value;
}

function decimalBound(bytes: Uint8Array): bigint | undefined {
	if (bytes.length === 0 || bytes.length > 32) return undefined;
	let value = BigInt(((bytes[0] as number) << 24) >> 24);
	for (let i = 1; i < bytes.length; i++) value = (value << 8n) | BigInt(bytes[i] as number);
	return value;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A lower bound that was cut within a character is still one without that character; an upper bound is not. */
function textBound(bytes: Uint8Array, side: Side): string | undefined {
	const cuts = side === 'min' ? Math.min(3, bytes.length) : 0;
	for (let cut = 0; cut <= cuts; cut++) {
		try {
			return strictUtf8.decode(bytes.subarray(0, bytes.length - cut));
		} catch {
			// cut within a character, or no text at all
		}
	}
	return undefined;
}

/** True for bounds that contradict each other, of the types whose engine values JavaScript compares as their type does. */
function isDisordered(min: Value | undefined, max: Value | undefined): boolean {
	if (typeof min === 'number' && typeof max === 'number') return min > max;
	if (typeof min === 'bigint' && typeof max === 'bigint') return min > max;
	return false;
}
