/** Compiles Iceberg types to functions that write engine values in the schema of {@link avroSchemaOf}. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { uuidToBytes } from '../../spec/single-value.ts';
import type { MapValue, NestedField, StructType, StructValue, Type, Value, VariantValue } from '../../spec/types.ts';
import type { AvroBuffer } from './buffer.ts';
import { decimalBytes } from './iceberg-schema.ts';

export type Encode = (buffer: AvroBuffer, value: Value) => void;

/** @throws (when called) `INVALID_DATA` for null in a required field; `UNSUPPORTED` for types that cannot be written */
export function compileStructEncoder(struct: StructType): (buffer: AvroBuffer, values: StructValue) => void {
	const fields = struct.fields.map(compileField);
	return (buffer, values) => {
		for (let i = 0; i < fields.length; i++) (fields[i] as Encode)(buffer, values[i] ?? null);
	};
}

function compileField(field: NestedField): Encode {
	return compileNullable(field.type, field.required, field.name);
}

function compileNullable(type: Type, required: boolean, name: string): Encode {
	if (type.kind === 'unknown') return () => {};
	const encode = compileValue(type, name);
	if (required) {
		return (buffer, value) => {
			if (value === null) {
				throw new IcebergError('INVALID_DATA', `null in the required column '${name}'`, { context: { column: name } });
			}
			encode(buffer, value);
		};
	}
	return (buffer, value) => {
		if (value === null) {
			buffer.writeByte(0);
		} else {
			buffer.writeByte(2);
			encode(buffer, value);
		}
	};
}

function compileValue(type: Type, name: string): Encode {
	switch (type.kind) {
		case 'boolean':
			return (buffer, value) => buffer.writeBoolean(value as boolean);
		case 'int':
		case 'date':
			return (buffer, value) => buffer.writeNumber(value as number);
		case 'long':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return (buffer, value) => buffer.writeLong(value as bigint);
		case 'float':
			return (buffer, value) => buffer.writeFloat(value as number);
		case 'double':
			return (buffer, value) => buffer.writeDouble(value as number);
		case 'string':
			return (buffer, value) => buffer.writeString(value as string);
		case 'binary':
		case 'geometry':
		case 'geography':
			return (buffer, value) => buffer.writeBytes(value as Uint8Array);
		case 'uuid':
			return (buffer, value) => buffer.writeRaw(uuidToBytes(value as string));
		case 'fixed':
			return compileFixed(type.length, name);
		case 'decimal':
			return compileDecimal(decimalBytes(type.precision), name);
		case 'variant':
			return (buffer, value) => {
				buffer.writeBytes((value as VariantValue).metadata);
				buffer.writeBytes((value as VariantValue).value);
			};
		case 'struct': {
			const encode = compileStructEncoder(type);
			return (buffer, value) => encode(buffer, value as StructValue);
		}
		case 'list':
			return compileItems(compileNullable(type.element, type.elementRequired, `${name}.element`));
		case 'map': {
			const key = compileNullable(type.key, true, `${name}.key`);
			const item = compileNullable(type.value, type.valueRequired, `${name}.value`);
			return compileItems((buffer, pair) => {
				const [pairKey, pairValue] = pair as unknown as MapValue[number];
				key(buffer, pairKey);
				item(buffer, pairValue);
			});
		}
		default:
			throw new IcebergError('UNSUPPORTED', `the column '${name}' is of a type that cannot be written to Avro`, {
				context: { column: name },
			});
	}
}

/** One block of all items, then the empty block that ends them. */
function compileItems(encode: Encode): Encode {
	return (buffer, value) => {
		const items = value as readonly Value[];
		if (items.length > 0) {
			buffer.writeNumber(items.length);
			for (const item of items) encode(buffer, item);
		}
		buffer.writeByte(0);
	};
}

function compileFixed(length: number, name: string): Encode {
	return (buffer, value) => {
		const bytes = value as Uint8Array;
		if (bytes.length !== length) {
			throw new IcebergError('INVALID_DATA', `${bytes.length} bytes in the column '${name}' of fixed(${length})`, {
				context: { column: name, length: bytes.length },
			});
		}
		buffer.writeRaw(bytes);
	};
}

function compileDecimal(size: number, name: string): Encode {
	const bytes = new Uint8Array(size);
	const limit = 1n << BigInt(size * 8 - 1);
	return (buffer, value) => {
		let rest = value as bigint;
		if (rest >= limit || rest < -limit) {
			throw new IcebergError(
				'INVALID_DATA',
				`${rest} in the column '${name}' has too many digits for its decimal type`,
				{
					context: { column: name, value: rest },
				},
			);
		}
		for (let i = size - 1; i >= 0; i--) {
			bytes[i] = Number(rest & 0xffn);
			rest >>= 8n;
		}
		buffer.writeRaw(bytes);
	};
}
