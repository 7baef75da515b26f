/** Avro's primitive types to engine values, with the promotions of Iceberg and the units of imported files. */
import type { PrimitiveType, Value } from '../../spec/types.ts';
import type { AvroCursor } from './cursor.ts';
import type { AvroSchema } from './schema.ts';

/** Reads one value of an Avro type as an engine value. */
export type Decode = (cursor: AvroCursor) => Value;

const DAY_MICROS = 86_400_000_000n;
const DAY_NANOS = 86_400_000_000_000n;

/** `undefined` when values of the Avro type cannot be read as the Iceberg type. */
export function compilePrimitive(schema: AvroSchema, type: PrimitiveType): Decode | undefined {
	const { kind } = schema;
	const logical = 'logicalType' in schema ? schema.logicalType : undefined;
	switch (type.kind) {
		case 'boolean':
			return kind === 'boolean' ? (cursor) => cursor.readBoolean() : undefined;
		case 'int':
		case 'date':
			return kind === 'int' || kind === 'long' ? (cursor) => cursor.readInt() : undefined;
		case 'long':
			return kind === 'int' || kind === 'long' ? readLong : undefined;
		case 'time':
			if (kind === 'int') return logical === 'time-millis' ? (cursor) => cursor.readLong() * 1000n : undefined;
			return kind === 'long' ? readLong : undefined;
		case 'timestamp':
		case 'timestamptz':
			if (kind === 'int') return logical === 'date' ? (cursor) => cursor.readLong() * DAY_MICROS : undefined;
			if (kind !== 'long' || logical?.endsWith('-nanos') === true) return undefined;
			return isMillis(logical) ? (cursor) => cursor.readLong() * 1000n : readLong;
		case 'timestamp_ns':
		case 'timestamptz_ns':
			if (kind === 'int') return logical === 'date' ? (cursor) => cursor.readLong() * DAY_NANOS : undefined;
			if (kind !== 'long') return undefined;
			if (isMillis(logical)) return (cursor) => cursor.readLong() * 1_000_000n;
			return logical?.endsWith('-micros') === true ? (cursor) => cursor.readLong() * 1000n : readLong;
		case 'float':
			return kind === 'float' ? (cursor) => cursor.readFloat() : undefined;
		case 'double':
			if (kind === 'float') return (cursor) => cursor.readFloat();
			return kind === 'double' ? (cursor) => cursor.readDouble() : undefined;
		case 'string':
			if (kind === 'enum') return enumReader(schema.symbols);
			return kind === 'string' || kind === 'bytes' ? (cursor) => cursor.readString() : undefined;
		case 'binary':
		case 'geometry':
		case 'geography':
			if (kind === 'fixed') return fixedReader(schema.size);
			return kind === 'bytes' || kind === 'string' ? (cursor) => cursor.readBytes() : undefined;
		case 'fixed':
			if (kind === 'fixed') return schema.size === type.length ? fixedReader(type.length) : undefined;
			return kind === 'bytes' ? checkedBytes(type.length) : undefined;
		case 'uuid':
			if (kind === 'fixed' && schema.size === 16) return (cursor) => uuidAt(cursor, cursor.take(16));
			return kind === 'string' ? readUuidText : undefined;
		case 'decimal':
			if ('scale' in schema && schema.scale !== undefined && schema.scale !== type.scale) return undefined;
			// an absent scale stands for 0
			if (logical === 'decimal' && !('scale' in schema) && type.scale !== 0) return undefined;
			if (kind === 'fixed') return (cursor) => unscaledAt(cursor, cursor.take(schema.size), schema.size);
			return kind === 'bytes' ? readDecimalBytes : undefined;
		default:
			return undefined;
	}
}

function isMillis(logicalType: string | undefined): boolean {
	return logicalType?.endsWith('-millis') === true;
}

function readLong(cursor: AvroCursor): bigint {
	return cursor.readLong();
}

function fixedReader(size: number): Decode {
	return (cursor) => cursor.copy(size);
}

function checkedBytes(length: number): Decode {
	return (cursor) => {
		const start = cursor.position;
		const bytes = cursor.readBytes();
		if (bytes.length !== length) throw cursor.corrupt(`${bytes.length} bytes where ${length} should be`, start);
		return bytes;
	};
}

function enumReader(symbols: readonly string[]): Decode {
	return (cursor) => {
		const start = cursor.position;
		const symbol = symbols[cursor.readInt()];
		if (symbol === undefined) throw cursor.corrupt('a symbol that the enum does not have', start);
		return symbol;
	};
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const UUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

function uuidAt(cursor: AvroCursor, start: number): string {
	let text = '';
	for (let i = 0; i < 16; i++) {
		if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
		text += HEX[cursor.bytes[start + i] as number];
	}
	return text;
}

function readUuidText(cursor: AvroCursor): string {
	const start = cursor.position;
	const text = cursor.readString();
	if (!UUID.test(text)) throw cursor.corrupt(`'${text.slice(0, 64)}' is no uuid`, start);
	return text.toLowerCase();
}

function readDecimalBytes(cursor: AvroCursor): bigint {
	const start = cursor.position;
	const length = cursor.readLength();
	if (length === 0) throw cursor.corrupt('a decimal of no bytes', start);
	return unscaledAt(cursor, cursor.take(length), length);
}

/** Widest decimal is 38 digits, 16 bytes; longer forms are only allowed as sign extension. */
function unscaledAt(cursor: AvroCursor, start: number, length: number): bigint {
	const { bytes } = cursor;
	if (length === 0) throw cursor.corrupt('a decimal of no bytes', start);
	const negative = (bytes[start] as number) >= 0x80;
	let first = start;
	const end = start + length;
	for (; end - first > 16; first++) {
		if (bytes[first] !== (negative ? 0xff : 0)) throw cursor.corrupt('a decimal of more than 38 digits', start);
	}
	let value = negative ? -1n : 0n;
	for (let i = first; i < end; i++) value = (value << 8n) | BigInt(bytes[i] as number);
	return value;
}
