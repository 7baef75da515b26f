/** Rows to the bytes that `batch-codec.ts` makes of a batch; one row without a batch between. */
import { builderOf } from '../column/builder.ts';
import { type Coercer, coercerOf, fieldOf, missingValue } from '../column/coerce.ts';
import { inRow } from '../column/invalid-value.ts';
import { checkRow, rowsToBatch } from '../column/rows.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { uuidToBytes } from '../spec/single-value.ts';
import type { Schema } from '../spec/schema.ts';
import type { NestedField, Type, Value } from '../spec/types.ts';
import { encodeBatch, encodeVector } from './batch-codec.ts';
import { ALL_NULL, BATCH_FORMAT, NO_NULLS } from './batch-codec-layout.ts';
import { ByteWriter } from './batch-codec-writer.ts';

const UUID_BYTES = 16;

/** Writes an engine value of one type. */
type ValueWriter = (writer: ByteWriter, value: Value) => void;

/** Takes a user's value, or an engine's (a default), neither null, with its byte that tells of nulls. */
interface ColumnEncoder {
	input(writer: ByteWriter, input: unknown): void;
	value(writer: ByteWriter, value: Value): void;
}

/** Makes bodies of records, of the rows of one schema. */
export class BodyEncoder {
	readonly schema: Schema;
	readonly #writer = new ByteWriter();
	#row: RowEncoder | undefined;

	constructor(schema: Schema) {
		this.schema = schema;
	}

	/** @throws `INVALID_DATA`, as `rowsToBatch` does */
	rows(rows: readonly unknown[]): Uint8Array {
		if (rows.length !== 1) return this.batch(rowsToBatch(this.schema.fields, rows));
		this.#row ??= new RowEncoder(this.schema.fields);
		this.#writer.cut(0);
		this.#row.encode(this.#writer, rows[0]);
		return this.#writer.copy();
	}

	/** @param batch of the columns of the schema, checked */
	batch(batch: ColumnBatch): Uint8Array {
		this.#writer.cut(0);
		encodeBatch(this.#writer, batch);
		return this.#writer.copy();
	}
}

/** Made once for a schema. What it takes and refuses is what `rowsToBatch` does. */
export class RowEncoder {
	readonly #fields: readonly NestedField[];
	readonly #names: readonly string[];
	readonly #known: ReadonlySet<string>;
	readonly #columns: readonly ColumnEncoder[];

	/** @throws `UNSUPPORTED` for a type that this version does not know */
	constructor(fields: readonly NestedField[]) {
		this.#fields = fields;
		this.#names = fields.map(({ name }) => name);
		this.#known = new Set(this.#names);
		this.#columns = fields.map(({ type }) => columnEncoderOf(type));
	}

	/**
	 * Puts the row behind what is in `writer`.
	 * @throws `INVALID_DATA` naming column and value, as of row 0; `writer` then holds what came before that
	 */
	encode(writer: ByteWriter, row: unknown): void {
		checkRow(row, 0, this.#names, this.#known);
		writer.byte(BATCH_FORMAT);
		writer.varint(1);
		writer.varint(this.#fields.length);
		for (let k = 0; k < this.#fields.length; k++) {
			const field = this.#fields[k] as NestedField;
			try {
				encodeField(writer, field, this.#columns[k] as ColumnEncoder, fieldOf(row, field.name));
			} catch (error) {
				throw inRow(error, 0, field.name);
			}
		}
	}
}

function encodeField(writer: ByteWriter, field: NestedField, column: ColumnEncoder, input: unknown): void {
	if (input !== null && input !== undefined) return column.input(writer, input);
	const value = missingValue(field, input);
	if (value !== null) column.value(writer, value);
	else if (field.type.kind !== 'unknown') writer.byte(ALL_NULL);
}

function columnEncoderOf(type: Type): ColumnEncoder {
	const write = valueWriterOf(type);
	return write === undefined ? new VectorColumn(type) : new ValueColumn(coercerOf(type), write);
}

class ValueColumn implements ColumnEncoder {
	readonly #coerce: Coercer;
	readonly #write: ValueWriter;

	constructor(coerce: Coercer, write: ValueWriter) {
		this.#coerce = coerce;
		this.#write = write;
	}

	input(writer: ByteWriter, input: unknown): void {
		this.value(writer, this.#coerce(input));
	}

	value(writer: ByteWriter, value: Value): void {
		writer.byte(NO_NULLS);
		this.#write(writer, value);
	}
}

/** By way of a vector of one element: for types that have parts. */
class VectorColumn implements ColumnEncoder {
	readonly #type: Type;

	constructor(type: Type) {
		builderOf(type);
		this.#type = type;
	}

	input(writer: ByteWriter, input: unknown): void {
		const builder = builderOf(this.#type);
		builder.append(input);
		encodeVector(writer, builder.finish(), 0, 1);
	}

	value(writer: ByteWriter, value: Value): void {
		const builder = builderOf(this.#type);
		builder.appendValue(value);
		encodeVector(writer, builder.finish(), 0, 1);
	}
}

/** Undefined for types whose values are written as vectors. */
function valueWriterOf(type: Type): ValueWriter | undefined {
	switch (type.kind) {
		case 'boolean':
			return (writer, value) => writer.byte(value === true ? 1 : 0);
		case 'int':
		case 'date':
			return (writer, value) => writer.int32(value as number);
		case 'long':
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return (writer, value) => writer.int64(value as bigint);
		case 'float':
			return (writer, value) => writer.float32(value as number);
		case 'double':
			return (writer, value) => writer.float64(value as number);
		case 'decimal':
			return (writer, value) => {
				writer.int64(BigInt.asIntN(64, value as bigint));
				writer.int64((value as bigint) >> 64n);
			};
		case 'uuid':
			return (writer, value) => writer.raw(uuidToBytes(value as string), 0, UUID_BYTES);
		case 'fixed':
			return (writer, value) => writer.raw(value as Uint8Array, 0, type.length);
		case 'string':
			return (writer, value) => writer.wellFormed(value as string);
		case 'binary':
		case 'geometry':
		case 'geography':
			return (writer, value) => writer.bytes(value as Uint8Array);
		default:
			return undefined;
	}
}
