/** Arrays of an IPC record batch (Arrow format: Message.fbs). */
import { IcebergError } from '../errors/iceberg-error.ts';
import { ARROW, ARROW_LENGTH_LIMIT, type ArrowNode, type ArrowType, type ArrowValues } from './arrow-node.ts';
import { type FlatTable, safeInt64 } from './flatbuffer.ts';

/** Expands one compressed buffer of an IPC message to `length` bytes. */
export type ArrowDecompressor = (bytes: Uint8Array, length: number) => Uint8Array;

export interface ArrowDecompressors {
	readonly lz4Frame?: ArrowDecompressor;
	readonly zstd?: ArrowDecompressor;
}

/** Most bytes that the compressed buffers of one record batch may expand to. */
export const ARROW_EXPANDED_LIMIT_BYTES = 2 ** 31;
/** Bytes of a field node: length and count of nulls. */
const NODE_BYTES = 16;

type ArrayType = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrowValues;

/** Takes the arrays of a record batch one by one, in the order of the schema's fields. */
export class RecordBatchReader {
	/** rows */
	readonly length: number;
	readonly #header: FlatTable;
	readonly #body: Uint8Array;
	readonly #dictionaries: ReadonlyMap<number, ArrowNode[]>;
	readonly #decompress: ArrowDecompressor | undefined;
	readonly #nodes: { readonly start: number; readonly count: number };
	readonly #buffers: { readonly start: number; readonly count: number };
	readonly #variadic: { readonly start: number; readonly count: number };
	#node = 0;
	#buffer = 0;
	#view = 0;
	#expandedBytes = 0;

	/** @throws `RangeError` for an unsound header; `UNSUPPORTED` for a compression without a decompressor */
	constructor(
		header: FlatTable,
		body: Uint8Array,
		dictionaries: ReadonlyMap<number, ArrowNode[]>,
		decompressors: ArrowDecompressors,
	) {
		this.#header = header;
		this.#body = body;
		this.#dictionaries = dictionaries;
		this.#nodes = header.vector(1, NODE_BYTES);
		this.#buffers = header.vector(2, 16);
		this.#variadic = header.vector(4, 8);
		this.#decompress = decompressorOf(header.table(3), decompressors);
		this.length = checkedLength(header.int64(0));
	}

	/** The next array. @throws `RangeError` when nodes or buffers run out or leave the body */
	read(type: ArrowType): ArrowNode {
		const { length, nullCount } = this.#nextNode();
		const none = { type, length, validity: null, values: undefined, offsets: undefined, sizes: undefined };
		const node = { ...none, children: [], dictionary: [], buffers: [] };
		switch (type.id) {
			case ARROW.null:
				return node;
			case ARROW.union: {
				const values = this.#array(Int8Array);
				const offsets = type.unit === 1 ? this.#array(Int32Array) : undefined;
				return { ...node, values, offsets: offsets as Int32Array | undefined, children: this.#children(type) };
			}
			case ARROW.runEndEncoded:
				return { ...node, children: this.#children(type) };
			default:
		}
		const validity = this.#bytes();
		if (nullCount > 0 && validity.length === 0) throw new RangeError('nulls without a validity bitmap');
		const nullable = { ...node, validity: nullCount === 0 ? null : validity };
		switch (type.id) {
			case ARROW.binary:
			case ARROW.utf8:
				return { ...nullable, offsets: this.#array(Int32Array) as Int32Array, values: this.#bytes() };
			case ARROW.largeBinary:
			case ARROW.largeUtf8:
				return { ...nullable, offsets: this.#array(BigInt64Array) as BigInt64Array, values: this.#bytes() };
			case ARROW.binaryView:
			case ARROW.utf8View: {
				const values = this.#bytes();
				return { ...nullable, values, buffers: this.#viewBuffers() };
			}
			case ARROW.list:
			case ARROW.map:
				return { ...nullable, offsets: this.#array(Int32Array) as Int32Array, children: this.#children(type) };
			case ARROW.largeList:
				return { ...nullable, offsets: this.#array(BigInt64Array) as BigInt64Array, children: this.#children(type) };
			case ARROW.listView: {
				const offsets = this.#array(Int32Array) as Int32Array;
				return { ...nullable, offsets, sizes: this.#array(Int32Array) as Int32Array, children: this.#children(type) };
			}
			case ARROW.largeListView: {
				const offsets = this.#array(BigInt64Array) as BigInt64Array;
				const sizes = this.#array(BigInt64Array) as BigInt64Array;
				return { ...nullable, offsets, sizes, children: this.#children(type) };
			}
			case ARROW.fixedSizeList:
			case ARROW.struct:
				return { ...nullable, children: this.#children(type) };
			case ARROW.dictionary: {
				const dictionary = this.#dictionaries.get(type.dictionaryId ?? -1) ?? [];
				return { ...nullable, values: this.#array(integerArray(type)), dictionary };
			}
			default:
				return { ...nullable, values: this.#array(valuesArray(type)) };
		}
	}

	#children(type: ArrowType): ArrowNode[] {
		return type.children.map((child) => this.read(child.type));
	}

	#nextNode(): { length: number; nullCount: number } {
		if (this.#node >= this.#nodes.count) throw new RangeError('a record batch with too few arrays');
		const at = this.#nodes.start + NODE_BYTES * this.#node++;
		const { view } = this.#header;
		return { length: checkedLength(safeInt64(view, at)), nullCount: safeInt64(view, at + 8) };
	}

	#bytes(): Uint8Array {
		if (this.#buffer >= this.#buffers.count) throw new RangeError('a record batch with too few buffers');
		const at = this.#buffers.start + 16 * this.#buffer++;
		const offset = safeInt64(this.#header.view, at);
		const length = safeInt64(this.#header.view, at + 8);
		if (offset < 0 || length < 0 || offset + length > this.#body.length)
			throw new RangeError(`a buffer of ${length} bytes at ${offset} in a body of ${this.#body.length}`);
		const bytes = this.#body.subarray(offset, offset + length);
		return this.#decompress === undefined || length === 0 ? bytes : this.#expand(bytes, this.#decompress);
	}

	#expand(bytes: Uint8Array, decompress: ArrowDecompressor): Uint8Array {
		const length = safeInt64(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
		const content = bytes.subarray(8);
		if (length === -1) return content;
		if (length < 0) throw new RangeError(`a compressed buffer of ${length} bytes`);
		this.#expandedBytes += length;
		if (this.#expandedBytes > ARROW_EXPANDED_LIMIT_BYTES)
			throw new IcebergError('LIMIT_EXCEEDED', 'an Arrow record batch that expands to more than 2 GiB', {
				context: { limit: 'ARROW_EXPANDED_LIMIT_BYTES' },
			});
		const expanded = decompress(content, length);
		if (expanded.length !== length) throw new RangeError(`a buffer of ${expanded.length} bytes, not ${length}`);
		return expanded;
	}

	#array(ArrayType: unknown): ArrowValues {
		const bytes = this.#bytes();
		const Type = ArrayType as ArrayType & { readonly BYTES_PER_ELEMENT: number };
		const width = Type.BYTES_PER_ELEMENT;
		const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
		return new Type(aligned.buffer, aligned.byteOffset, Math.floor(aligned.length / width));
	}

	#viewBuffers(): Uint8Array[] {
		if (this.#view >= this.#variadic.count) throw new RangeError('a view without a count of its buffers');
		const count = safeInt64(this.#header.view, this.#variadic.start + 8 * this.#view++);
		if (count < 0 || count > this.#buffers.count) throw new RangeError(`${count} buffers of a view`);
		return Array.from({ length: count }, () => this.#bytes());
	}
}

function checkedLength(length: number): number {
	if (length < 0) throw new RangeError(`an array of ${length} elements`);
	if (length > ARROW_LENGTH_LIMIT)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`an Arrow array of ${length} elements; at most ${ARROW_LENGTH_LIMIT} are taken`,
			{
				context: { limit: 'ARROW_LENGTH_LIMIT', length },
			},
		);
	return length;
}

/** Whether a record batch's buffers are compressed. */
export function isCompressed(header: FlatTable): boolean {
	return header.table(3) !== undefined;
}

function decompressorOf(
	compression: FlatTable | undefined,
	decompressors: ArrowDecompressors,
): ArrowDecompressor | undefined {
	if (compression === undefined) return undefined;
	const codec = compression.uint8(0);
	const decompress = codec === 0 ? decompressors.lz4Frame : codec === 1 ? decompressors.zstd : undefined;
	if (decompress === undefined || compression.uint8(1) !== 0) {
		const name = ['lz4', 'zstd'][codec] ?? `codec ${codec}`;
		throw new IcebergError('UNSUPPORTED', `Arrow IPC with buffers compressed by ${name}`, { context: { codec: name } });
	}
	return decompress;
}

function integerArray({ bitWidth, signed }: ArrowType): unknown {
	switch (bitWidth) {
		case 8:
			return signed ? Int8Array : Uint8Array;
		case 16:
			return signed ? Int16Array : Uint16Array;
		case 32:
			return signed ? Int32Array : Uint32Array;
		case 64:
			return signed ? BigInt64Array : BigUint64Array;
		default:
			throw new RangeError(`integers of ${bitWidth} bits`);
	}
}

const DAY = 0;

function valuesArray(type: ArrowType): unknown {
	switch (type.id) {
		case ARROW.int:
			return integerArray(type);
		case ARROW.float:
			return [Uint16Array, Float32Array, Float64Array][type.precision] ?? Uint8Array;
		case ARROW.date:
			return type.unit === DAY ? Int32Array : BigInt64Array;
		case ARROW.time:
			return type.bitWidth === 32 ? Int32Array : BigInt64Array;
		case ARROW.timestamp:
		case ARROW.duration:
			return BigInt64Array;
		default:
			return Uint8Array;
	}
}
