/** Iceberg spec: Partition Transforms; Bucket Transform Details; Truncate Transform Details. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { murmur3Bytes, murmur3Long } from '../util/murmur3.ts';
import { civilFromDays, daysFromMicros, floorDiv, formatDate, formatYear } from './date-time-text.ts';
import { bigintToBytes, uuidToBytes } from './single-value.ts';
import { truncateText } from './truncate-bounds.ts';
import { typeToString } from './type-text.ts';
import type { Type, Value } from './types.ts';
import { formatValue } from './value-text.ts';

/** Iceberg spec: Partition Transforms. `unknown` keeps a transform that this version does not know. */
export type Transform =
	| { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' }
	| { readonly kind: 'bucket'; readonly buckets: number }
	| { readonly kind: 'truncate'; readonly width: number }
	| { readonly kind: 'unknown'; readonly text: string };

const WITH_PARAMETER = /^(bucket|truncate)\[(\d{1,10})\]$/;
const MAX_PARAMETER = 0x7fffffff;
const MICROS_PER_HOUR = 3_600_000_000n;

const encoder = new TextEncoder();

/** A transform from its name in JSON: `day`, `bucket[16]`. A name that this version does not know is kept as `unknown`. */
export function parseTransform(text: string): Transform {
	const name = text.toLowerCase();
	switch (name) {
		case 'identity':
		case 'year':
		case 'month':
		case 'day':
		case 'hour':
		case 'void':
			return { kind: name };
		default: {
			const match = WITH_PARAMETER.exec(name);
			const parameter = Number(match?.[2] ?? 0);
			if (match === null || parameter < 1 || parameter > MAX_PARAMETER) return { kind: 'unknown', text };
			return match[1] === 'bucket' ? { kind: 'bucket', buckets: parameter } : { kind: 'truncate', width: parameter };
		}
	}
}

/** The name of a transform in JSON. */
export function transformToString(transform: Transform): string {
	switch (transform.kind) {
		case 'bucket':
			return `bucket[${transform.buckets}]`;
		case 'truncate':
			return `truncate[${transform.width}]`;
		case 'unknown':
			return transform.text;
		default:
			return transform.kind;
	}
}

/** True when both are the same function. */
export function transformsEqual(a: Transform, b: Transform): boolean {
	return transformToString(a) === transformToString(b);
}

/** True when values of the type can be transformed. Unknown transforms can be asked of no value. */
export function canTransform(transform: Transform, sourceType: Type): boolean {
	const kind = sourceType.kind;
	switch (transform.kind) {
		case 'void':
			return true;
		case 'unknown':
			return false;
		case 'identity':
			return !['struct', 'list', 'map', 'variant', 'geometry', 'geography', 'unsupported'].includes(kind);
		case 'bucket':
			return (
				!['boolean', 'float', 'double', 'unknown'].includes(kind) && canTransform({ kind: 'identity' }, sourceType)
			);
		case 'truncate':
			return ['int', 'long', 'decimal', 'string', 'binary'].includes(kind);
		case 'hour':
			return kind.startsWith('timestamp');
		default:
			return kind === 'date' || kind.startsWith('timestamp');
	}
}

/**
 * The type of a transform's results: int for bucket, year, month and hour; date for day; the source's for identity,
 * truncate and void; string for a transform that this version does not know.
 */
export function transformResultType(transform: Transform, sourceType: Type): Type {
	switch (transform.kind) {
		case 'bucket':
		case 'year':
		case 'month':
		case 'hour':
			return { kind: 'int' };
		case 'day':
			return { kind: 'date' };
		case 'unknown':
			return { kind: 'string' };
		default:
			return sourceType;
	}
}

/**
 * The transform as a function from an engine value of the source type to one of the result type; null gives null.
 *
 * @throws `INVALID_SCHEMA` when the transform does not take the type; `UNSUPPORTED` for an unknown transform
 */
export function bindTransform(transform: Transform, sourceType: Type): (value: Value) => Value {
	if (transform.kind === 'unknown') {
		throw new IcebergError('UNSUPPORTED', `the transform '${transform.text}' is not known to this version`);
	}
	if (!canTransform(transform, sourceType)) {
		throw new IcebergError('INVALID_SCHEMA', `${transformToString(transform)} takes no ${typeToString(sourceType)}`);
	}
	const apply = nonNullTransform(transform, sourceType);
	return (value) => (value === null ? null : apply(value));
}

/**
 * The 32-bit hash of a non-null value, signed. Equal for an int and the same long, and for a timestamp in micro- and
 * nanoseconds. Iceberg spec: Appendix B: 32-bit Hash Requirements.
 *
 * @throws `INVALID_SCHEMA` for types without a hash
 */
export function bindHash(type: Type): (value: Value) => number {
	switch (type.kind) {
		case 'int':
		case 'date':
			return (value) => murmur3Long(BigInt(value as number));
		case 'long':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
			return (value) => murmur3Long(value as bigint);
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return (value) => murmur3Long(floorDiv(value as bigint, 1_000n));
		case 'decimal':
			return (value) => murmur3Bytes(bigintToBytes(value as bigint));
		case 'string':
			return (value) => murmur3Bytes(encoder.encode(value as string));
		case 'uuid':
			return (value) => murmur3Bytes(uuidToBytes(value as string));
		case 'fixed':
		case 'binary':
			return (value) => murmur3Bytes(value as Uint8Array);
		default:
			throw new IcebergError('INVALID_SCHEMA', `bucket takes no ${typeToString(type)}`);
	}
}

/**
 * A transformed value as partition paths show it: `2024`, `2024-02`, `2024-02-29`, `2024-02-29-13`, digits of a bucket,
 * the text of a value; `null` for null; binary in base64.
 */
export function formatTransformed(transform: Transform, resultType: Type, value: Value): string {
	if (value === null) return 'null';
	switch (transform.kind) {
		case 'year':
			return formatYear(1970 + (value as number));
		case 'month': {
			const year = Math.floor((value as number) / 12);
			return `${formatYear(1970 + year)}-${String((value as number) - year * 12 + 1).padStart(2, '0')}`;
		}
		case 'day':
			return formatDate(value as number);
		case 'hour': {
			const day = Math.floor((value as number) / 24);
			return `${formatDate(day)}-${String((value as number) - day * 24).padStart(2, '0')}`;
		}
		default:
			if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
			return formatValue(resultType, value);
	}
}

function nonNullTransform(transform: Transform, type: Type): (value: Value) => Value {
	switch (transform.kind) {
		case 'identity':
			return (value) => value;
		case 'bucket': {
			const hash = bindHash(type);
			const buckets = transform.buckets;
			return (value) => (hash(value) & 0x7fffffff) % buckets;
		}
		case 'truncate':
			return bindTruncate(type, transform.width);
		case 'year':
		case 'month':
		case 'day': {
			const daysOf = bindDays(type);
			if (transform.kind === 'day') return daysOf;
			if (transform.kind === 'year') return (value) => civilFromDays(daysOf(value)).year - 1970;
			return (value) => {
				const { year, month } = civilFromDays(daysOf(value));
				return (year - 1970) * 12 + month - 1;
			};
		}
		case 'hour': {
			const perHour = type.kind.endsWith('_ns') ? MICROS_PER_HOUR * 1_000n : MICROS_PER_HOUR;
			return (value) => Number(floorDiv(value as bigint, perHour));
		}
		default:
			return () => null;
	}
}

function bindDays(type: Type): (value: Value) => number {
	if (type.kind === 'date') return (value) => value as number;
	if (type.kind.endsWith('_ns')) return (value) => daysFromMicros(floorDiv(value as bigint, 1_000n));
	return (value) => daysFromMicros(value as bigint);
}

function bindTruncate(type: Type, width: number): (value: Value) => Value {
	switch (type.kind) {
		case 'int':
			// Below the smallest int the result wraps round, as it does for all other engines.
			return (value) => ((value as number) - ((((value as number) % width) + width) % width)) | 0;
		case 'long': {
			const step = BigInt(width);
			return (value) => BigInt.asIntN(64, floorDiv(value as bigint, step) * step);
		}
		case 'decimal': {
			const step = BigInt(width);
			return (value) => floorDiv(value as bigint, step) * step;
		}
		case 'string':
			return (value) => truncateText(value as string, width);
		default:
			return (value) => {
				const bytes = value as Uint8Array;
				return bytes.length <= width ? bytes : bytes.slice(0, width);
			};
	}
}
