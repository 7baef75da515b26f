/** The Iceberg type that an Avro primitive stands for. Iceberg spec: Appendix A, Avro, read from right to left. */
import type { PrimitiveType } from '../../spec/types.ts';
import type { AvroSchema } from './schema.ts';

/** `undefined` for nested types and for what Iceberg has no type for. */
export function primitiveTypeOfAvro(schema: AvroSchema): PrimitiveType | undefined {
	const logical = 'logicalType' in schema ? schema.logicalType : undefined;
	switch (schema.kind) {
		case 'null':
			return { kind: 'unknown' };
		case 'boolean':
		case 'float':
		case 'double':
			return { kind: schema.kind };
		case 'int':
			if (logical === 'date') return { kind: 'date' };
			return logical === 'time-millis' ? { kind: 'time' } : { kind: 'int' };
		case 'long':
			return typeOfLong(logical, schema.adjustToUtc);
		case 'string':
			return logical === 'uuid' ? { kind: 'uuid' } : { kind: 'string' };
		case 'enum':
			return { kind: 'string' };
		case 'bytes':
			return logical === 'decimal' ? decimalOf(schema.precision, schema.scale) : { kind: 'binary' };
		case 'fixed':
			if (logical === 'decimal') return decimalOf(schema.precision, schema.scale);
			return logical === 'uuid' && schema.size === 16 ? { kind: 'uuid' } : { kind: 'fixed', length: schema.size };
		default:
			return undefined;
	}
}

function typeOfLong(logical: string | undefined, adjustToUtc: boolean | undefined): PrimitiveType {
	switch (logical) {
		case 'time-micros':
			return { kind: 'time' };
		case 'timestamp-millis':
		case 'timestamp-micros':
			return { kind: adjustToUtc === true ? 'timestamptz' : 'timestamp' };
		case 'timestamp-nanos':
			return { kind: adjustToUtc === true ? 'timestamptz_ns' : 'timestamp_ns' };
		case 'local-timestamp-millis':
		case 'local-timestamp-micros':
			return { kind: 'timestamp' };
		case 'local-timestamp-nanos':
			return { kind: 'timestamp_ns' };
		default:
			return { kind: 'long' };
	}
}

function decimalOf(precision: number | undefined, scale: number | undefined): PrimitiveType | undefined {
	if (precision === undefined || precision < 1 || precision > 38 || (scale ?? 0) > precision) return undefined;
	return { kind: 'decimal', precision, scale: scale ?? 0 };
}
