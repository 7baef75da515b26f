/**
 * Least and greatest values of pages, chunks and files in PLAIN form: their order, how they are written to the file, and
 * how they become Iceberg's bounds. Parquet: Statistics, ColumnOrder; Iceberg spec: Single-value serialization.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { compareDoubles } from '../../spec/compare.ts';
import { bigintToBytes, bytesToBigint } from '../../spec/single-value.ts';
import { truncateLower, truncateUpper } from '../../spec/truncate-bounds.ts';
import type { Type } from '../../spec/types.ts';
import type { MetricsMode } from './api.ts';
import { PhysicalType } from './format.ts';
import type { WriteLeaf } from './schema-mapping.ts';

/** Longest text (code points) and binary (bytes) in the file's statistics and indexes; longer ones are truncated to this. */
export const STATISTICS_TRUNCATE_LENGTH = 64;

export type StatisticComparator = (a: Uint8Array, b: Uint8Array) => number;

/** The order of a leaf's values; of use only for leaves whose `order` is not `none`. */
export function statisticComparator(leaf: WriteLeaf): StatisticComparator {
	switch (leaf.physical) {
		case PhysicalType.BOOLEAN:
			return (a, b) => (a[0] as number) - (b[0] as number);
		case PhysicalType.INT32:
			return (a, b) => viewOf(a).getInt32(0, true) - viewOf(b).getInt32(0, true);
		case PhysicalType.INT64:
			return (a, b) => {
				const left = viewOf(a).getBigInt64(0, true);
				const right = viewOf(b).getBigInt64(0, true);
				return left < right ? -1 : left > right ? 1 : 0;
			};
		case PhysicalType.FLOAT:
			return (a, b) => compareDoubles(viewOf(a).getFloat32(0, true), viewOf(b).getFloat32(0, true));
		case PhysicalType.DOUBLE:
			return (a, b) => compareDoubles(viewOf(a).getFloat64(0, true), viewOf(b).getFloat64(0, true));
		default:
			return leaf.order === 'signed-bytes' ? compareSigned : Buffer.compare;
	}
}

function compareSigned(a: Uint8Array, b: Uint8Array): number {
	const signs = (((a[0] ?? 0) << 24) >> 31) - (((b[0] ?? 0) << 24) >> 31);
	return signs !== 0 ? signs : Buffer.compare(a, b);
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A bound as the file has it; `exact` is false when it is only a bound. */
export interface StoredStatistic {
	readonly value: Uint8Array;
	readonly exact: boolean;
}

/** A lower bound of at most {@link STATISTICS_TRUNCATE_LENGTH}. Zeros are written as -0.0, since readers may not tell them apart. */
export function storedMin(leaf: WriteLeaf, min: Uint8Array): StoredStatistic {
	if (leaf.order === 'float') return { value: isZero(min) ? zero(min.length, true) : min, exact: true };
	return truncate(leaf.type, min, STATISTICS_TRUNCATE_LENGTH, false) ?? { value: min, exact: true };
}

/** An upper bound, likewise; the value in full where no shorter bound exists. Zeros are written as 0.0. */
export function storedMax(leaf: WriteLeaf, max: Uint8Array): StoredStatistic {
	if (leaf.order === 'float') return { value: isZero(max) ? zero(max.length, false) : max, exact: true };
	return truncate(leaf.type, max, STATISTICS_TRUNCATE_LENGTH, true) ?? { value: max, exact: true };
}

function isZero(bytes: Uint8Array): boolean {
	return (bytes.length === 4 ? viewOf(bytes).getFloat32(0, true) : viewOf(bytes).getFloat64(0, true)) === 0;
}

function zero(length: number, negative: boolean): Uint8Array {
	const bytes = new Uint8Array(length);
	if (negative) bytes[length - 1] = 0x80;
	return bytes;
}

/** Iceberg's lower bound; `undefined` where the mode wants none. */
export function lowerBound(leaf: WriteLeaf, min: Uint8Array, mode: MetricsMode): Uint8Array | undefined {
	return bound(leaf.type, min, mode, false);
}

/** Iceberg's upper bound; `undefined` where the mode wants none, or no value of the mode's length is an upper bound. */
export function upperBound(leaf: WriteLeaf, max: Uint8Array, mode: MetricsMode): Uint8Array | undefined {
	return bound(leaf.type, max, mode, true);
}

function bound(type: Type, value: Uint8Array, mode: MetricsMode, upper: boolean): Uint8Array | undefined {
	if (mode === 'none' || mode === 'counts') return undefined;
	if (type.kind === 'decimal') return bigintToBytes(unscaled(value, type.precision));
	return mode === 'full' ? value : truncate(type, value, mode.truncate, upper)?.value;
}

/** Little-endian where stored as an integer, big-endian where stored as fixed bytes. */
function unscaled(value: Uint8Array, precision: number): bigint {
	if (precision > 18) return bytesToBigint(value);
	return precision <= 9 ? BigInt(viewOf(value).getInt32(0, true)) : viewOf(value).getBigInt64(0, true);
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/** `undefined` when no bound of that length exists. Only text and binary are ever truncated. */
function truncate(type: Type, value: Uint8Array, length: number, upper: boolean): StoredStatistic | undefined {
	// text of so few bytes has no more code points
	if ((type.kind !== 'string' && type.kind !== 'binary') || value.length <= length) return { value, exact: true };
	const engineValue = type.kind === 'string' ? decodeText(value) : value;
	const truncated = upper ? truncateUpper(type, engineValue, length) : truncateLower(type, engineValue, length);
	if (truncated === undefined) return undefined;
	if (truncated === engineValue) return { value, exact: true };
	return {
		value: typeof truncated === 'string' ? utf8Encoder.encode(truncated) : (truncated as Uint8Array),
		exact: false,
	};
}

function decodeText(bytes: Uint8Array): string {
	try {
		return utf8Decoder.decode(bytes);
	} catch (cause) {
		throw new IcebergError('INVALID_DATA', `a string of ${bytes.length} bytes is not UTF-8`, { cause });
	}
}
