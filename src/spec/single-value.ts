/** Iceberg spec: Appendix D: Single-value serialization. The binary form; the JSON form beside it. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { fromHex, toHex } from '../util/hex.ts';
import { fitsPrecision } from './decimal-text.ts';
import { typeToString } from './type-text.ts';
import type { Type, Value } from './types.ts';

export { valueFromJson, valueToJson } from './single-value-json.ts';

const MICROS_PER_DAY = 86_400_000_000n;
/** A decimal of 38 digits takes 16 bytes; other writers pad, but not beyond this. */
const MAX_DECIMAL_BYTES = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The binary form of a non-null value, as bounds and partition summaries carry it. Geometry and geography values are
 * WKB (their bounds are points, which this is not).
 *
 * @throws `INVALID_ARGUMENT` for null and for types without this form: nested ones, variant, unknown, unsupported
 */
export function toBinary(type: Type, value: Value): Uint8Array {
	if (value === null) throw new IcebergError('INVALID_ARGUMENT', 'null has no binary form');
	switch (type.kind) {
		case 'boolean':
			return Uint8Array.of(value === true ? 1 : 0);
		case 'int':
		case 'date': {
			const view = new DataView(new ArrayBuffer(4));
			view.setInt32(0, value as number, true);
			return new Uint8Array(view.buffer);
		}
		case 'long':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns': {
			const view = new DataView(new ArrayBuffer(8));
			view.setBigInt64(0, value as bigint, true);
			return new Uint8Array(view.buffer);
		}
		case 'float': {
			const view = new DataView(new ArrayBuffer(4));
			view.setFloat32(0, value as number, true);
			return new Uint8Array(view.buffer);
		}
		case 'double': {
			const view = new DataView(new ArrayBuffer(8));
			view.setFloat64(0, value as number, true);
			return new Uint8Array(view.buffer);
		}
		case 'decimal':
			return bigintToBytes(value as bigint);
		case 'string':
			return encoder.encode(value as string);
		case 'uuid':
			return uuidToBytes(value as string);
		case 'fixed':
		case 'binary':
		case 'geometry':
		case 'geography':
			return (value as Uint8Array).slice();
		default:
			throw noForm(type);
	}
}

/** The first bytes of the value that is being read. */
const numberBytes = new Uint8Array(8);
const numberView = new DataView(numberBytes.buffer);

/**
 * Reads the binary form. Forms of types that were since promoted are taken: int for long, float for double, a date for
 * a timestamp, a decimal of lower precision. The result shares no memory with `bytes`.
 *
 * @throws `CORRUPT` for bytes that no value of the type has; `INVALID_ARGUMENT` for types without this form
 */
export function fromBinary(type: Type, bytes: Uint8Array): Value {
	// a view of small bytes of their own would first move them out of the heap
	for (let i = 0; i < bytes.length && i < numberBytes.length; i++) numberBytes[i] = bytes[i] as number;
	const view = numberView;
	switch (type.kind) {
		case 'boolean':
			checkLength(type, bytes, 1);
			return bytes[0] !== 0;
		case 'int':
		case 'date':
			checkLength(type, bytes, 4);
			return view.getInt32(0, true);
		case 'long':
			if (bytes.length === 4) return BigInt(view.getInt32(0, true));
			checkLength(type, bytes, 8);
			return view.getBigInt64(0, true);
		case 'timestamp':
		case 'timestamptz':
			if (bytes.length === 4) return BigInt(view.getInt32(0, true)) * MICROS_PER_DAY;
			checkLength(type, bytes, 8);
			return view.getBigInt64(0, true);
		case 'timestamp_ns':
		case 'timestamptz_ns':
			if (bytes.length === 4) return nanosOfDays(type, bytes, view.getInt32(0, true));
			checkLength(type, bytes, 8);
			return view.getBigInt64(0, true);
		case 'time':
			checkLength(type, bytes, 8);
			return view.getBigInt64(0, true);
		case 'float':
			checkLength(type, bytes, 4);
			return view.getFloat32(0, true);
		case 'double':
			if (bytes.length === 4) return view.getFloat32(0, true);
			checkLength(type, bytes, 8);
			return view.getFloat64(0, true);
		case 'decimal': {
			if (bytes.length === 0 || bytes.length > MAX_DECIMAL_BYTES) throw corrupt(type, bytes, 'has no such length');
			const unscaled = bytesToBigint(bytes);
			if (!fitsPrecision(unscaled, type.precision))
				throw corrupt(type, bytes, `has more than ${type.precision} digits`);
			return unscaled;
		}
		case 'string':
			try {
				return decoder.decode(bytes);
			} catch {
				throw corrupt(type, bytes, 'is not UTF-8');
			}
		case 'uuid':
			checkLength(type, bytes, 16);
			return bytesToUuid(bytes);
		case 'fixed':
			checkLength(type, bytes, type.length);
			return bytes.slice();
		case 'binary':
		case 'geometry':
		case 'geography':
			return bytes.slice();
		default:
			throw noForm(type);
	}
}

/** Two's complement, big-endian, in as few bytes as hold the value (one for 0). */
export function bigintToBytes(value: bigint): Uint8Array {
	let length = 1;
	// One byte holds -128 to 127; each further one 8 bits more.
	while (BigInt.asIntN(8 * length, value) !== value) length++;
	const bytes = new Uint8Array(length);
	let rest = value;
	for (let i = length - 1; i >= 0; i--) {
		bytes[i] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	return bytes;
}

/** The value of two's complement big-endian bytes; 0 for none. */
export function bytesToBigint(bytes: Uint8Array): bigint {
	let value = 0n;
	for (let i = 0; i < bytes.length; i++) value = (value << 8n) | BigInt(bytes[i] as number);
	return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, value);
}

/** The 16 bytes of a uuid's text, in the order in which they are printed. @throws `INVALID_ARGUMENT` when it is none */
export function uuidToBytes(text: string): Uint8Array {
	const bytes = text.length === 36 ? fromHex(text.replaceAll('-', '')) : undefined;
	if (bytes?.length !== 16)
		throw new IcebergError('INVALID_ARGUMENT', `'${text}' is no uuid`, { context: { value: text } });
	return bytes;
}

/** The text of 16 bytes as a uuid, lower-case with dashes. `bytes` must have 16 from `start` on. */
export function bytesToUuid(bytes: Uint8Array, start = 0): string {
	const hex = toHex(bytes.subarray(start, start + 16));
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function nanosOfDays(type: Type, bytes: Uint8Array, days: number): bigint {
	const nanos = BigInt(days) * MICROS_PER_DAY * 1_000n;
	if (BigInt.asIntN(64, nanos) !== nanos) throw corrupt(type, bytes, 'is a day beyond the range of the type');
	return nanos;
}

function checkLength(type: Type, bytes: Uint8Array, length: number): void {
	if (bytes.length !== length) throw corrupt(type, bytes, `should have ${length} bytes`);
}

function corrupt(type: Type, bytes: Uint8Array, reason: string): IcebergError {
	const shown = toHex(bytes.subarray(0, 32)) + (bytes.length > 32 ? '…' : '');
	return new IcebergError(
		'CORRUPT',
		`the ${bytes.length} bytes ${shown} are no ${typeToString(type)} in its single-value form: the value ${reason}`,
		{ context: { type: typeToString(type), bytes: shown } },
	);
}

function noForm(type: Type): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `values of type ${typeToString(type)} have no binary single-value form`);
}
