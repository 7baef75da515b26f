/** Batches to Arrow: tables of `@uwdata/flechette` and IPC bytes. Buffers are shared, not copied. */
import type { Batch, Column, DataType, Field, Table } from '@uwdata/flechette';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { NestedField } from '../spec/types.ts';
import { arrowFieldsOf } from './arrow-schema.ts';
import { bitmapBytes } from './bitmap.ts';
import type { ColumnBatch, ListVector, MapVector, Vector } from './vector.ts';
import { flatten, slice } from './vector-ops.ts';

type Flechette = typeof import('@uwdata/flechette');

/** What flechette makes of values when asked for single ones: nothing is rounded. */
const EXACT = { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true } as const;
const NO_BYTES = new Uint8Array(0);

/**
 * The batches as one Arrow table. uuid becomes fixed-size binary of 16 bytes, decimal decimal128, time and timestamps
 * microseconds (nanoseconds for `_ns`), timestamptz in 'UTC', geometry and geography binary (WKB), variant a struct of two
 * binaries, unknown null. Field ids stand in the fields' metadata as `PARQUET:field_id`.
 */
export async function arrowTable(fields: readonly NestedField[], batches: readonly ColumnBatch[]): Promise<Table> {
	return tableOf(await import('@uwdata/flechette'), fields, batches);
}

/**
 * The batches in Arrow's IPC stream format, a part a batch: concatenated they are one stream, with its schema first. A
 * stream without batches is whole as well.
 */
export async function* arrowIpcStream(
	fields: readonly NestedField[],
	batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
): AsyncGenerator<Uint8Array> {
	const flechette = await import('@uwdata/flechette');
	// the encoding of no batches is the schema's message and the end mark of 8 bytes; that of one has its message between
	const empty = encode(flechette, tableOf(flechette, fields, []));
	const schemaBytes = empty.length - END_MARK_BYTES;
	yield empty.subarray(0, schemaBytes);
	for await (const batch of batches) {
		const bytes = encode(flechette, tableOf(flechette, fields, [batch]));
		yield bytes.subarray(schemaBytes, bytes.length - END_MARK_BYTES);
	}
	yield empty.subarray(schemaBytes);
}

const END_MARK_BYTES = 8;

function encode(flechette: Flechette, table: Table): Uint8Array {
	const bytes = flechette.tableToIPC(table, { format: 'stream' });
	if (bytes === null) throw new Error('no bytes of an in-memory encoding');
	return bytes;
}

function tableOf(flechette: Flechette, fields: readonly NestedField[], batches: readonly ColumnBatch[]): Table {
	const arrowFields = arrowFieldsOf(flechette, fields);
	const columns: Column<unknown>[] = arrowFields.map((field, k) => {
		const parts = batches.map((batch) => arrowBatch(flechette, field.type, flatten(batch.columns[k] as Vector)));
		return new flechette.Column(parts, field.type);
	});
	const schema = {
		version: flechette.Version.V5,
		endianness: flechette.Endianness.Little,
		fields: arrowFields,
		metadata: null,
	};
	return new flechette.Table(schema, columns);
}

interface Buffers {
	readonly values?: unknown;
	readonly offsets?: Int32Array;
	readonly children?: Batch<unknown>[];
}

function make(flechette: Flechette, type: DataType, vector: Vector, buffers: Buffers): Batch<unknown> {
	const { length } = vector;
	const nullCount = vector.layout === 'null' ? length : vector.nullCount;
	const validity = vector.validity === null ? NO_BYTES : vector.validity.subarray(0, bitmapBytes(length));
	const BatchType = flechette.batchType(type, EXACT) as new (options: object) => Batch<unknown>;
	return new BatchType({ type, length, nullCount, validity, ...buffers });
}

function arrowBatch(flechette: Flechette, type: DataType, vector: Vector): Batch<unknown> {
	const { length } = vector;
	switch (vector.layout) {
		case 'boolean':
			return make(flechette, type, vector, { values: vector.values.subarray(0, bitmapBytes(length)) });
		case 'int32':
		case 'int64':
		case 'float32':
		case 'float64':
			return make(flechette, type, vector, { values: vector.values.subarray(0, length) });
		case 'decimal128': {
			const { buffer, byteOffset } = vector.values;
			return make(flechette, type, vector, { values: new BigUint64Array(buffer, byteOffset, 2 * length) });
		}
		case 'fixed':
			return make(flechette, type, vector, { values: vector.values.subarray(0, vector.width * length) });
		case 'bytes': {
			const start = vector.offsets[0] as number;
			const values = vector.values.subarray(start, vector.offsets[length]);
			return make(flechette, type, vector, { offsets: fromZero(vector.offsets, length), values });
		}
		case 'struct':
			return make(flechette, type, vector, {
				children: vector.children.map((child, k) => arrowBatch(flechette, childType(type, k), child)),
			});
		case 'list': {
			const inner = trimmed(vector, vector.child);
			return make(flechette, type, vector, {
				offsets: fromZero(vector.offsets, length),
				children: [arrowBatch(flechette, childType(type, 0), inner)],
			});
		}
		case 'map': {
			const entries = childType(type, 0);
			const keys = arrowBatch(flechette, childType(entries, 0), trimmed(vector, vector.keys));
			const items = trimmed(vector, vector.items);
			const values = arrowBatch(flechette, childType(entries, 1), items);
			const BatchType = flechette.batchType(entries, EXACT) as new (options: object) => Batch<unknown>;
			const pairs = new BatchType({
				type: entries,
				length: keys.length,
				nullCount: 0,
				validity: NO_BYTES,
				children: [keys, values],
			});
			return make(flechette, type, vector, { offsets: fromZero(vector.offsets, length), children: [pairs] });
		}
		case 'variant':
			return make(flechette, type, vector, {
				children: [
					arrowBatch(flechette, childType(type, 0), vector.metadata),
					arrowBatch(flechette, childType(type, 1), vector.value),
				],
			});
		case 'null':
			return make(flechette, type, vector, {});
		case 'dictionary':
			throw new IcebergError('INVALID_ARGUMENT', 'a dictionary that was not flattened');
	}
}

function childType(type: DataType, k: number): DataType {
	return ((type as unknown as { children: Field[] }).children[k] as Field).type;
}

/** The inner vector of a list or map from its first element to its last. */
function trimmed(vector: ListVector | MapVector, inner: Vector): Vector {
	return slice(inner, vector.offsets[0] as number, vector.offsets[vector.length] as number);
}

function fromZero(offsets: Int32Array, length: number): Int32Array {
	const start = offsets[0] as number;
	if (start === 0) return offsets.subarray(0, length + 1);
	return offsets.subarray(0, length + 1).map((offset) => offset - start);
}
