/**
 * Decoded leaves as vectors of the wanted type: Parquet's physical forms and units, and Iceberg's promotions (Iceberg
 * spec: Schema Evolution, Parquet). No value is ever rounded: what does not fit is refused.
 */
import type { BytesVector, DictionaryVector, Vector } from '../../column/vector.ts';
import { flatten } from '../../column/vector-ops.ts';
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { Type } from '../../spec/types.ts';
import { dateToTicks, int96ToTicks, scaleDown, scaleUp } from './assemble-time.ts';
import { widenBytes, widenFixed, widenInt32, widenInt64 } from './assemble-decimal.ts';
import { BATCH_COLUMN_BYTES_LIMIT, BytesSink, type FixedSink } from './decode-sink.ts';
import { PhysicalType, type SchemaElement } from './format.ts';
import type { LeafBatch } from './reader-leaf.ts';
import { logicalTypeOf } from './schema-mapping-file.ts';

/** Makes a vector of a batch. */
export type LeafAssembler = (batch: LeafBatch) => Vector;

/**
 * How a leaf of the file becomes a vector of `wanted`; `undefined` when there is no lossless way that Iceberg allows.
 * `found` is the Iceberg type of the leaf in the file.
 */
export function leafAssembler(element: SchemaElement, found: Type, wanted: Type): LeafAssembler | undefined {
	switch (wanted.kind) {
		case 'boolean':
			return found.kind === 'boolean' ? (batch) => booleanVector(batch, wanted) : undefined;
		case 'int':
		case 'date':
			return found.kind === wanted.kind ? (batch) => int32Vector(batch, wanted) : undefined;
		case 'long':
			return longAssembler(element, found, wanted);
		case 'float':
			if (found.kind !== 'float') return undefined;
			return element.type === PhysicalType.FLOAT
				? (batch) => float32Vector(batch, wanted)
				: (batch) => ({ layout: 'float32', type: wanted, ...nulls(batch), values: widenHalves(batch) });
		case 'double':
			if (found.kind === 'double') return (batch) => float64Vector(batch, wanted);
			if (found.kind !== 'float') return undefined;
			return element.type === PhysicalType.FLOAT
				? (batch) => widenedFloatVector(batch, wanted)
				: (batch) => ({
						layout: 'float64',
						type: wanted,
						...nulls(batch),
						values: new Float64Array(widenHalves(batch)),
					});
		case 'time':
		case 'timestamp':
		case 'timestamptz':
		case 'timestamp_ns':
		case 'timestamptz_ns':
			return ticksAssembler(element, found, wanted);
		case 'decimal':
			return decimalAssembler(element, found, wanted);
		case 'string':
			return found.kind === 'string' || found.kind === 'binary' ? (batch) => bytesVector(batch, wanted) : undefined;
		case 'binary':
			if (found.kind === 'binary' || found.kind === 'string') return (batch) => bytesVector(batch, wanted);
			return found.kind === 'fixed' ? (batch) => fixedAsBytes(batch, wanted) : undefined;
		case 'geometry':
		case 'geography':
			return found.kind === wanted.kind || found.kind === 'binary'
				? (batch) => flatBytes(bytesVector(batch, wanted))
				: undefined;
		case 'fixed':
			return widthOf(found) === wanted.length ? (batch) => fixedVector(batch, wanted, wanted.length) : undefined;
		case 'uuid':
			return widthOf(found) === 16 ? (batch) => fixedVector(batch, wanted, 16) : undefined;
		default:
			return undefined;
	}
}

/** Byte arrays with any dictionary expanded. @throws `LIMIT_EXCEEDED` */
export function flatBytes(vector: Vector): BytesVector {
	const flat = flatten(vector);
	if (flat.layout !== 'bytes') throw new TypeError(`a ${flat.layout} vector where byte arrays should be`);
	return flat;
}

function longAssembler(element: SchemaElement, found: Type, wanted: Type): LeafAssembler | undefined {
	if (found.kind !== 'long' && found.kind !== 'int') return undefined;
	if (element.type === PhysicalType.INT64) return (batch) => int64Vector(batch, wanted);
	const isUnsigned = isUnsignedInteger(element);
	return (batch) => {
		const from = fixedSink(batch).ints;
		const out = new Int32Array(batch.slots * 2);
		for (let i = 0; i < batch.slots; i++) {
			const value = from[i] as number;
			out[2 * i] = value;
			out[2 * i + 1] = isUnsigned ? 0 : value >> 31;
		}
		return wordsVector(batch, wanted, out);
	};
}

/** Dates and times of day to ticks of the wanted unit. Whether the file adjusts to UTC changes no value. */
function ticksAssembler(element: SchemaElement, found: Type, wanted: Type): LeafAssembler | undefined {
	const toNanos = wanted.kind.endsWith('_ns');
	if (wanted.kind !== 'time' && found.kind === 'date') {
		return (batch) => wordsVector(batch, wanted, dateToTicks(fixedSink(batch).ints, batch.slots, toNanos));
	}
	const isTime = wanted.kind === 'time';
	if (isTime ? found.kind !== 'time' : !found.kind.startsWith('timestamp')) return undefined;
	if (element.type === PhysicalType.INT96) {
		return (batch) => {
			const ticks = int96ToTicks(fixedSink(batch).ints, batch.slots, batch.validity, toNanos);
			return wordsVector(batch, wanted, ticks);
		};
	}
	const logical = logicalTypeOf(element);
	if (logical?.kind !== 'time' && logical?.kind !== 'timestamp') return undefined;
	const perSecond = { millis: 1e3, micros: 1e6, nanos: 1e9 }[logical.unit];
	const wantedPerSecond = toNanos ? 1e9 : 1e6;
	if (element.type === PhysicalType.INT32) {
		return (batch) => {
			const from = fixedSink(batch).ints;
			const out = new Int32Array(batch.slots * 2);
			for (let i = 0; i < batch.slots; i++) {
				out[2 * i] = from[i] as number;
				out[2 * i + 1] = (from[i] as number) >> 31;
			}
			scaleUp(out, batch.slots, wantedPerSecond / perSecond);
			return wordsVector(batch, wanted, out);
		};
	}
	if (perSecond === wantedPerSecond) return (batch) => int64Vector(batch, wanted);
	return (batch) => {
		const { ints } = fixedSink(batch);
		if (perSecond < wantedPerSecond) scaleUp(ints, batch.slots, wantedPerSecond / perSecond);
		else scaleDown(ints, batch.slots, perSecond / wantedPerSecond);
		return int64Vector(batch, wanted);
	};
}

function decimalAssembler(
	element: SchemaElement,
	found: Type,
	wanted: Type & { kind: 'decimal' },
): LeafAssembler | undefined {
	if (found.kind !== 'decimal' || found.scale !== wanted.scale || found.precision > wanted.precision) return undefined;
	const isUnsigned = isUnsignedInteger(element);
	return (batch) => {
		const out = new Int32Array(batch.slots * 4);
		const { sink, slots } = batch;
		if (sink instanceof BytesSink) {
			const flat = flatBytes(bytesVector(batch, wanted));
			widenBytes(flat, out);
		} else {
			const { ints, bytes, width } = fixedSink(batch);
			if (element.type === PhysicalType.INT32) widenInt32(ints, slots, out);
			else if (element.type === PhysicalType.INT64) widenInt64(ints, slots, isUnsigned, out);
			else widenFixed(bytes, width, slots, out);
		}
		return {
			layout: 'decimal128',
			type: wanted,
			...nulls(batch),
			values: new BigInt64Array(out.buffer, 0, slots * 2),
		};
	};
}

function booleanVector(batch: LeafBatch, type: Type): Vector {
	const { bytes } = fixedSink(batch);
	const { slots } = batch;
	const values = new Uint8Array((slots + 7) >>> 3);
	for (let i = 0; i < slots; i++) {
		if (bytes[i] !== 0) values[i >>> 3] = (values[i >>> 3] as number) | (1 << (i & 7));
	}
	return { layout: 'boolean', type, ...nulls(batch), values };
}

function int32Vector(batch: LeafBatch, type: Type): Vector {
	return { layout: 'int32', type, ...nulls(batch), values: fixedSink(batch).ints.subarray(0, batch.slots) };
}

function int64Vector(batch: LeafBatch, type: Type): Vector {
	return wordsVector(batch, type, fixedSink(batch).ints);
}

/** `words`: low word first, from the start of their buffer */
function wordsVector(batch: LeafBatch, type: Type, words: Int32Array): Vector {
	return { layout: 'int64', type, ...nulls(batch), values: new BigInt64Array(words.buffer, 0, batch.slots) };
}

function float32Vector(batch: LeafBatch, type: Type): Vector {
	const { buffer } = fixedSink(batch).bytes;
	return { layout: 'float32', type, ...nulls(batch), values: new Float32Array(buffer, 0, batch.slots) };
}

function float64Vector(batch: LeafBatch, type: Type): Vector {
	const { buffer } = fixedSink(batch).bytes;
	return { layout: 'float64', type, ...nulls(batch), values: new Float64Array(buffer, 0, batch.slots) };
}

function widenedFloatVector(batch: LeafBatch, type: Type): Vector {
	const { buffer } = fixedSink(batch).bytes;
	const values = new Float64Array(new Float32Array(buffer, 0, batch.slots));
	return { layout: 'float64', type, ...nulls(batch), values };
}

function fixedVector(batch: LeafBatch, type: Type, width: number): Vector {
	const values = fixedSink(batch).bytes.subarray(0, batch.slots * width);
	return { layout: 'fixed', type, ...nulls(batch), width, values };
}

function fixedAsBytes(batch: LeafBatch, type: Type): Vector {
	const { bytes, width } = fixedSink(batch);
	const { slots } = batch;
	const offsets = new Int32Array(slots + 1);
	for (let i = 1; i <= slots; i++) offsets[i] = i * width;
	return { layout: 'bytes', type, ...nulls(batch), offsets, values: bytes.subarray(0, slots * width) };
}

function bytesVector(batch: LeafBatch, type: Type): BytesVector | DictionaryVector {
	const { sink, slots } = batch;
	if (!(sink instanceof BytesSink)) throw new TypeError('a column of byte arrays was decoded as another type');
	const plain: BytesVector = {
		layout: 'bytes',
		type,
		length: sink.plainCount,
		nullCount: 0,
		validity: null,
		offsets: sink.offsets.subarray(0, sink.plainCount + 1),
		values: sink.values.subarray(0, sink.usedBytes),
	};
	const { indices, dictionary } = sink;
	if (indices === undefined || dictionary === undefined) return { ...plain, ...nulls(batch) };
	const entries: BytesVector = { ...plain, ...dictionary };
	return {
		layout: 'dictionary',
		type,
		...nulls(batch),
		indices: indices.subarray(0, slots),
		dictionary: sink.plainCount === 0 ? entries : joined(entries, plain),
	};
}

/** The values of both, one after the other. */
function joined(a: BytesVector, b: BytesVector): BytesVector {
	const size = a.values.length + b.values.length;
	const length = a.length + b.length;
	if (size > BATCH_COLUMN_BYTES_LIMIT)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`the values of one batch take more than ${BATCH_COLUMN_BYTES_LIMIT} bytes; ask for fewer rows in a batch`,
			{ context: { limit: 'BATCH_COLUMN_BYTES_LIMIT' } },
		);
	const values = new Uint8Array(size);
	values.set(a.values);
	values.set(b.values, a.values.length);
	const offsets = new Int32Array(length + 1);
	offsets.set(a.offsets);
	for (let i = 1; i <= b.length; i++) offsets[a.length + i] = a.values.length + (b.offsets[i] as number);
	return { ...a, length, offsets, values };
}

/** FLOAT16: IEEE 754 binary16, little-endian. */
function widenHalves(batch: LeafBatch): Float32Array {
	const { bytes } = fixedSink(batch);
	const out = new Float32Array(batch.slots);
	for (let i = 0; i < batch.slots; i++) {
		const bits = (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8);
		const exponent = (bits >>> 10) & 0x1f;
		const fraction = bits & 0x3ff;
		const size =
			exponent === 0x1f
				? fraction === 0
					? Infinity
					: Number.NaN
				: exponent === 0
					? fraction * 2 ** -24
					: (1 + fraction / 1024) * 2 ** (exponent - 15);
		out[i] = bits >= 0x8000 ? -size : size;
	}
	return out;
}

function isUnsignedInteger(element: SchemaElement): boolean {
	const logical = logicalTypeOf(element);
	return logical?.kind === 'integer' && !logical.isSigned;
}

function nulls(batch: LeafBatch): { length: number; nullCount: number; validity: Uint8Array | null } {
	return { length: batch.slots, nullCount: batch.slots - batch.present, validity: batch.validity ?? null };
}

function fixedSink(batch: LeafBatch): FixedSink {
	if (batch.sink === undefined || batch.sink instanceof BytesSink)
		throw new TypeError('a column of fixed width was decoded as another type');
	return batch.sink;
}

function widthOf(type: Type): number | undefined {
	return type.kind === 'fixed' ? type.length : type.kind === 'uuid' ? 16 : undefined;
}
