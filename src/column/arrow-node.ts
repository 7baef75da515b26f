/**
 * One view of Arrow data, whichever library holds it: tables of `@uwdata/flechette`, and tables, record batches and
 * vectors of `apache-arrow` (any recent version; known by their shape, never imported).
 */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Type } from '../spec/types.ts';
import { sliceBits } from './bitmap.ts';

/** Numbers of Arrow's types (Arrow format: Schema.fbs), which both libraries use. */
export const ARROW = {
	dictionary: -1,
	null: 1,
	int: 2,
	float: 3,
	binary: 4,
	utf8: 5,
	bool: 6,
	decimal: 7,
	date: 8,
	time: 9,
	timestamp: 10,
	interval: 11,
	list: 12,
	struct: 13,
	union: 14,
	fixedSizeBinary: 15,
	fixedSizeList: 16,
	map: 17,
	duration: 18,
	largeBinary: 19,
	largeUtf8: 20,
	largeList: 21,
	runEndEncoded: 22,
	binaryView: 23,
	utf8View: 24,
	listView: 25,
	largeListView: 26,
} as const;

export interface ArrowType {
	readonly id: number;
	/** int, decimal, time */
	readonly bitWidth: number;
	readonly signed: boolean;
	/** decimal: digits; float: 0 half, 1 single, 2 double */
	readonly precision: number;
	readonly scale: number;
	/** date: 0 day, 1 ms; time and timestamp: 0 s, 1 ms, 2 us, 3 ns */
	readonly unit: number;
	/** '' when there is none */
	readonly timezone: string;
	/** elements of a fixed-size list, bytes of a fixed-size binary */
	readonly stride: number;
	readonly children: readonly ArrowField[];
	/** of a dictionary: the type of its entries */
	readonly dictionary?: ArrowType;
	/** in IPC: what dictionary batches name it by */
	readonly dictionaryId?: number;
}
export interface ArrowField {
	readonly name: string;
	readonly nullable: boolean;
	readonly type: ArrowType;
}

export type ArrowValues =
	| Int8Array
	| Int16Array
	| Int32Array
	| Uint8Array
	| Uint16Array
	| Uint32Array
	| BigInt64Array
	| BigUint64Array
	| Float32Array
	| Float64Array;

/** One array. All buffers start at element 0; none is checked yet. */
export interface ArrowNode {
	readonly type: ArrowType;
	readonly length: number;
	/** `null`: no nulls */
	readonly validity: Uint8Array | null;
	readonly values: ArrowValues | undefined;
	readonly offsets: Int32Array | BigInt64Array | undefined;
	/** list views */
	readonly sizes: Int32Array | BigInt64Array | undefined;
	readonly children: readonly ArrowNode[];
	/** chunks of the dictionary, in order */
	readonly dictionary: readonly ArrowNode[];
	/** data buffers of views */
	readonly buffers: readonly Uint8Array[];
}

/** What all vectors have that are made of an array. */
export interface ConvertedBase {
	readonly type: Type;
	readonly length: number;
	readonly nullCount: number;
	readonly validity: Uint8Array | null;
}

export interface ArrowBatch {
	readonly length: number;
	readonly columns: readonly ArrowNode[];
}
/** A table: its fields, and the batches one after another. */
export interface ArrowSource {
	readonly fields: readonly ArrowField[];
	readonly batches: Iterable<ArrowBatch>;
}

/** Arrow data that was decoded here. */
export class DecodedArrow {
	readonly schema: { readonly fields: readonly ArrowField[] };
	readonly source: ArrowSource;

	constructor(fields: readonly ArrowField[], batches: Iterable<ArrowBatch>) {
		this.schema = { fields };
		this.source = { fields, batches };
	}
}

/** Most elements of one Arrow array that are taken. */
export const ARROW_LENGTH_LIMIT = 1 << 28;

type Loose = Readonly<Record<string, unknown>>;

function isObject(input: unknown): input is Loose {
	return typeof input === 'object' && input !== null;
}

/** The Arrow view of a table, record batch or struct vector of either library; `undefined` for anything else. */
export function arrowSourceOf(input: unknown): ArrowSource | undefined {
	if (input instanceof DecodedArrow) return input.source;
	if (!isObject(input) || !isObject(input.schema) || !Array.isArray(input.schema.fields)) return undefined;
	const fields = (input.schema.fields as Loose[]).map(fieldOf);
	if (Array.isArray(input.batches)) return { fields, batches: apacheBatches(input.batches as Loose[]) };
	if (isObject(input.data) && Array.isArray(input.data.children)) return { fields, batches: apacheBatches([input]) };
	if (Array.isArray(input.children) && Array.isArray(input.names))
		return { fields, batches: flechetteBatches(input.children as Loose[]) };
	return undefined;
}

function* apacheBatches(batches: readonly Loose[]): Generator<ArrowBatch> {
	for (const batch of batches) {
		const data = batch.data as Loose;
		yield { length: Number(data.length), columns: (data.children as Loose[]).map(apacheNode) };
	}
}

function* flechetteBatches(columns: readonly Loose[]): Generator<ArrowBatch> {
	const chunks = columns.map((column) => column.data as Loose[]);
	const count = chunks[0]?.length ?? 0;
	for (let i = 0; i < count; i++) {
		const nodes = chunks.map((data) => {
			if (data[i] === undefined || data.length !== count)
				throw new IcebergError('INVALID_ARGUMENT', 'the columns of the Arrow table have different batches');
			return flechetteNode(data[i] as Loose);
		});
		const length = nodes[0]?.length ?? 0;
		if (nodes.some((node) => node.length !== length))
			throw new IcebergError('INVALID_ARGUMENT', 'the columns of the Arrow table have different lengths');
		yield { length, columns: nodes };
	}
}

function fieldOf(field: Loose): ArrowField {
	return { name: String(field.name), nullable: field.nullable !== false, type: typeOf(field.type as Loose) };
}

/** Both libraries name the parts of a type nearly alike. */
function typeOf(type: Loose): ArrowType {
	const number = (...candidates: unknown[]): number => Number(candidates.find((part) => typeof part === 'number') ?? 0);
	return {
		id: number(type.typeId),
		bitWidth: number(type.bitWidth),
		signed: type.signed !== false && type.isSigned !== false,
		precision: number(type.precision),
		scale: number(type.scale),
		unit: number(type.unit),
		timezone: typeof type.timezone === 'string' ? type.timezone : '',
		stride: number(type.stride, type.byteWidth, type.listSize),
		children: Array.isArray(type.children) ? (type.children as Loose[]).map(fieldOf) : [],
		...(isObject(type.dictionary) ? { dictionary: typeOf(type.dictionary) } : {}),
	};
}

function flechetteNode(batch: Loose): ArrowNode {
	const dictionary = batch.dictionary as Loose | undefined;
	const hasNulls = Number(batch.nullCount) !== 0 && (batch.validity as Uint8Array | undefined)?.length;
	return {
		type: typeOf(batch.type as Loose),
		length: Number(batch.length),
		validity: hasNulls ? (batch.validity as Uint8Array) : null,
		values: batch.values as ArrowValues | undefined,
		offsets: batch.offsets as Int32Array | undefined,
		sizes: batch.sizes as Int32Array | undefined,
		children: Array.isArray(batch.children) ? (batch.children as Loose[]).map(flechetteNode) : [],
		dictionary: isObject(dictionary) ? (dictionary.data as Loose[]).map(flechetteNode) : [],
		buffers: Array.isArray(batch.data) ? (batch.data as Uint8Array[]) : [],
	};
}

/** In `apache-arrow` only bitmaps keep an offset when data are sliced; other buffers are cut. */
function apacheNode(data: Loose): ArrowNode {
	const offset = Number(data.offset ?? 0);
	const length = Number(data.length);
	const type = typeOf(data.type as Loose);
	const bitmap = data.nullBitmap as Uint8Array | null | undefined;
	const hasNulls = Number(data.nullCount) !== 0 && bitmap !== null && bitmap !== undefined && bitmap.length > 0;
	const values = data.values as ArrowValues | undefined;
	const dictionary = data.dictionary as Loose | undefined;
	return {
		type,
		length,
		validity: hasNulls ? sliceBits(bitmap, offset, offset + length) : null,
		values: type.id === ARROW.bool && offset !== 0 ? sliceBits(values as Uint8Array, offset, offset + length) : values,
		offsets: data.valueOffsets as Int32Array | undefined,
		sizes: undefined,
		children: Array.isArray(data.children) ? (data.children as Loose[]).map(apacheNode) : [],
		dictionary: isObject(dictionary) ? (dictionary.data as Loose[]).map(apacheNode) : [],
		buffers: Array.isArray(data.variadicBuffers) ? (data.variadicBuffers as Uint8Array[]) : [],
	};
}
