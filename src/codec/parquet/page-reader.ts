/** The pages of a column chunk, one after the other. Parquet spec: Data Pages; parquet.thrift: PageHeader. */
import { crc32 } from 'node:zlib';
import { IcebergError, isIcebergError } from '../../errors/iceberg-error.ts';
import { type CompressionCodec, decompressSync, loadCodec } from '../compression.ts';
import { ByteStreamSplitDecoder } from './decode-byte-stream-split.ts';
import { DeltaIntDecoder } from './decode-delta.ts';
import { DeltaBytesDecoder, DeltaFixedDecoder, DeltaLengthBytesDecoder } from './decode-delta-bytes.ts';
import {
	DictionaryBytesDecoder,
	DictionaryFixedDecoder,
	type FixedDictionary,
	indexBlock,
	plainFixedDictionary,
} from './decode-dictionary.ts';
import { corruptPage } from './decode-error.ts';
import { type LevelDecoder, levelsV1, rleLevels } from './decode-levels.ts';
import { PlainBooleanDecoder, PlainBytesDecoder, PlainFixedDecoder, plainBytesDictionary } from './decode-plain.ts';
import { RleBooleanDecoder } from './decode-rle.ts';
import type { BytesDictionary, BytesSink, FixedSink, ValueDecoder } from './decode-sink.ts';
import {
	type ColumnMetaData,
	CompressionCodecId,
	Encoding,
	type PageHeader,
	PageType,
	PhysicalType,
	type SchemaElement,
} from './format.ts';
import { decodePageHeader } from './format-decode.ts';
import type { ChunkBytes } from './reader-bytes.ts';
import type { SchemaNode } from './schema-mapping-file.ts';

/** Most bytes of a page header. They carry statistics, so a few KiB are common. */
export const PAGE_HEADER_BYTES_LIMIT = 16 << 20;
/** Bytes that are looked at first for a page header. */
const PAGE_HEADER_BYTES_GUESS = 16 << 10;
/** Widest FIXED_LEN_BYTE_ARRAY that is read, bytes. */
export const FIXED_WIDTH_BYTES_LIMIT = 16 << 20;

/** What the codecs can expand a byte to at the very most; a page that claims more is not worth an allocation. */
const EXPANSION_LIMITS: Readonly<Partial<Record<CompressionCodec, number>>> = {
	snappy: 64,
	gzip: 1100,
	lz4_raw: 300,
	lz4: 300,
	zstd: 65536,
};

export type ColumnSink = FixedSink | BytesSink;

/** A data page whose header was read; its content is expanded when first asked for. */
export interface DataPage {
	/** levels, or values of a column without levels */
	readonly numValues: number;
	/** rows that start in it, where the header tells */
	readonly numRows: number | undefined;
	/** file offset of its header */
	readonly offset: number;
	/** Reads and expands the page. @throws CORRUPT, UNSUPPORTED */
	open(): Promise<OpenPage>;
}
export interface OpenPage {
	/** absent for columns without such levels */
	readonly repetition: LevelDecoder | undefined;
	readonly definition: LevelDecoder | undefined;
	/** Made at first use: a page of nulls alone may have no values section at all. */
	values(): ValueDecoder<ColumnSink>;
}

/** Bytes of one value; `undefined` for byte arrays. Booleans count as one byte. */
export function valueWidth(element: SchemaElement): number | undefined {
	switch (element.type) {
		case PhysicalType.BOOLEAN:
			return 1;
		case PhysicalType.INT32:
		case PhysicalType.FLOAT:
			return 4;
		case PhysicalType.INT64:
		case PhysicalType.DOUBLE:
			return 8;
		case PhysicalType.INT96:
			return 12;
		case PhysicalType.FIXED_LEN_BYTE_ARRAY:
			return element.typeLength ?? 0;
		default:
			return undefined;
	}
}

export class PageReader {
	readonly #node: SchemaNode;
	readonly #bytes: ChunkBytes;
	readonly #codec: CompressionCodec;
	readonly #width: number | undefined;
	readonly #scratch = indexBlock();
	#offset: number;
	#bytesDictionary: BytesDictionary | undefined;
	#fixedDictionary: FixedDictionary | undefined;
	/** values of the pages still to come; `undefined` after a jump */
	#valuesLeft: number | undefined;

	/** @throws `UNSUPPORTED` for a codec that is not known */
	constructor(node: SchemaNode, meta: ColumnMetaData, bytes: ChunkBytes) {
		this.#node = node;
		this.#bytes = bytes;
		this.#codec = codecOf(meta.codec);
		this.#width = valueWidth(node.element);
		if ((this.#width ?? 0) > FIXED_WIDTH_BYTES_LIMIT)
			throw new IcebergError('UNSUPPORTED', `values of ${this.#width} bytes`, {
				context: { limit: 'FIXED_WIDTH_BYTES_LIMIT' },
			});
		this.#offset = bytes.start;
		this.#valuesLeft = meta.numValues;
	}

	/** Loads what the codec needs. Call before the first page. */
	async load(): Promise<void> {
		await loadCodec(this.#codec, 'decompress');
	}

	/**
	 * The next data page with values, or `undefined` after the last one. Dictionary pages are decoded on the way.
	 * @throws `CORRUPT` when the chunk ends before all its values
	 */
	async next(): Promise<DataPage | undefined> {
		for (;;) {
			if (this.#valuesLeft === 0) return undefined;
			if (this.#offset >= this.#bytes.end) {
				if (this.#valuesLeft === undefined) return undefined;
				throw corruptPage(`the column chunk ends ${this.#valuesLeft} values too early`);
			}
			const start = this.#offset;
			const { header, end } = await this.#header(start);
			const payload = start + end;
			this.#offset = payload + header.compressedPageSize;
			if (this.#offset > this.#bytes.end) {
				throw corruptPage(
					`a page of ${header.compressedPageSize} bytes at ${payload} in a column chunk that ends at ${this.#bytes.end}`,
				);
			}
			if (header.type === PageType.DICTIONARY_PAGE) await this.#readDictionary(header, payload);
			const data = header.dataPageHeader ?? header.dataPageHeaderV2;
			const isData = header.type === PageType.DATA_PAGE || header.type === PageType.DATA_PAGE_V2;
			if (!isData || data === undefined) continue;
			if (this.#valuesLeft !== undefined) {
				if (data.numValues > this.#valuesLeft)
					throw corruptPage(`a page of ${data.numValues} values where ${this.#valuesLeft} are left`);
				this.#valuesLeft -= data.numValues;
			}
			if (data.numValues === 0) continue;
			const flat = this.#node.repetitionLevel === 0;
			return {
				numValues: data.numValues,
				numRows: flat ? data.numValues : header.dataPageHeaderV2?.numRows,
				offset: start,
				open: async () => this.#open(header, await this.#payload(header, payload)),
			};
		}
	}

	/** Goes on at the page whose header is at a file offset within the chunk. The dictionary must have been read. */
	jump(offset: number): void {
		if (offset < this.#bytes.start || offset >= this.#bytes.end)
			throw corruptPage(`the offset index points to ${offset}, outside of ${this.#bytes.start} to ${this.#bytes.end}`);
		this.#offset = offset;
		this.#valuesLeft = undefined;
	}

	async #header(start: number): Promise<{ header: PageHeader; end: number }> {
		for (let size = PAGE_HEADER_BYTES_GUESS; ; size *= 8) {
			const bytes = await this.#bytes.at(start, size);
			try {
				return decodePageHeader(bytes, 0, `page at ${start}`);
			} catch (error) {
				const isWhole = start + bytes.length >= this.#bytes.end || bytes.length >= PAGE_HEADER_BYTES_LIMIT;
				if (isWhole || !isIcebergError(error, 'CORRUPT')) throw error;
			}
		}
	}

	async #payload(header: PageHeader, offset: number): Promise<Uint8Array> {
		const size = header.compressedPageSize;
		const bytes = (await this.#bytes.at(offset, size)).subarray(0, size);
		if (header.crc !== undefined) {
			const found = crc32(bytes);
			if (found !== header.crc >>> 0)
				throw corruptPage(
					`the page at ${offset} has the CRC ${hex32(found)}, its header says ${hex32(header.crc >>> 0)}`,
				);
		}
		return bytes;
	}

	#expand(bytes: Uint8Array, size: number): Uint8Array {
		if (size === 0) return new Uint8Array(0);
		const limit = EXPANSION_LIMITS[this.#codec];
		if (limit !== undefined && size > 1024 + bytes.length * limit)
			throw corruptPage(`a page of ${bytes.length} bytes of ${this.#codec} claims to expand to ${size}`);
		const expanded = decompressSync(this.#codec, bytes, size);
		if (expanded.length !== size)
			throw corruptPage(`a page expands to ${expanded.length} bytes, its header says ${size}`);
		return expanded;
	}

	async #readDictionary(header: PageHeader, offset: number): Promise<void> {
		const dictionary = header.dictionaryPageHeader;
		if (dictionary === undefined) return;
		if (this.#bytesDictionary !== undefined || this.#fixedDictionary !== undefined)
			throw corruptPage('a second dictionary page');
		if (dictionary.encoding !== Encoding.PLAIN && dictionary.encoding !== Encoding.PLAIN_DICTIONARY)
			throw corruptPage(`a dictionary page in encoding ${dictionary.encoding} (expected PLAIN)`);
		const bytes = this.#expand(await this.#payload(header, offset), header.uncompressedPageSize);
		if (this.#width === undefined) this.#bytesDictionary = plainBytesDictionary(bytes, dictionary.numValues);
		else if (this.#node.element.type === PhysicalType.BOOLEAN) throw corruptPage('a dictionary of booleans');
		else this.#fixedDictionary = plainFixedDictionary(bytes, dictionary.numValues, this.#width);
	}

	#open(header: PageHeader, payload: Uint8Array): OpenPage {
		const { repetitionLevel: maxRepetition, definitionLevel: maxDefinition } = this.#node;
		const v2 = header.dataPageHeaderV2;
		if (v2 !== undefined) {
			const repetitionSize = v2.repetitionLevelsByteLength;
			const levelsSize = repetitionSize + v2.definitionLevelsByteLength;
			if (levelsSize > payload.length || levelsSize > header.uncompressedPageSize)
				throw corruptPage(`levels of ${levelsSize} bytes in a page of ${payload.length}`);
			const size = header.uncompressedPageSize - levelsSize;
			const rest = payload.subarray(levelsSize);
			const values = v2.isCompressed ? this.#expand(rest, size) : rest;
			if (values.length !== size) throw corruptPage(`a page has ${values.length} bytes, its header says ${size}`);
			return {
				repetition: maxRepetition === 0 ? undefined : rleLevels(payload.subarray(0, repetitionSize), maxRepetition),
				definition:
					maxDefinition === 0 ? undefined : rleLevels(payload.subarray(repetitionSize, levelsSize), maxDefinition),
				values: () => this.#decoder(v2.encoding, values, 0),
			};
		}
		const v1 = header.dataPageHeader;
		if (v1 === undefined) throw corruptPage('a data page without its header');
		const bytes = this.#expand(payload, header.uncompressedPageSize);
		let pos = 0;
		let repetition: LevelDecoder | undefined;
		let definition: LevelDecoder | undefined;
		if (maxRepetition > 0) {
			const found = levelsV1(bytes, pos, v1.repetitionLevelEncoding, maxRepetition, v1.numValues);
			repetition = found.levels;
			pos = found.end;
		}
		if (maxDefinition > 0) {
			const found = levelsV1(bytes, pos, v1.definitionLevelEncoding, maxDefinition, v1.numValues);
			definition = found.levels;
			pos = found.end;
		}
		return { repetition, definition, values: () => this.#decoder(v1.encoding, bytes, pos) };
	}

	#decoder(encoding: number, bytes: Uint8Array, pos: number): ValueDecoder<ColumnSink> {
		const decoder =
			this.#width === undefined
				? this.#bytesDecoder(encoding, bytes, pos)
				: this.#fixedDecoder(encoding, bytes, pos, this.#width);
		// the sink's kind follows from the column's type, as the decoder's does
		return decoder as ValueDecoder<ColumnSink>;
	}

	#bytesDecoder(encoding: number, bytes: Uint8Array, pos: number): ValueDecoder<BytesSink> {
		switch (encoding) {
			case Encoding.PLAIN:
				return new PlainBytesDecoder(bytes, pos);
			case Encoding.PLAIN_DICTIONARY:
			case Encoding.RLE_DICTIONARY:
				if (this.#bytesDictionary === undefined) throw noDictionary();
				return new DictionaryBytesDecoder(bytes, pos, this.#bytesDictionary);
			case Encoding.DELTA_LENGTH_BYTE_ARRAY:
				return new DeltaLengthBytesDecoder(bytes, pos);
			case Encoding.DELTA_BYTE_ARRAY:
				return new DeltaBytesDecoder(bytes, pos);
			default:
				throw this.#badEncoding(encoding);
		}
	}

	#fixedDecoder(encoding: number, bytes: Uint8Array, pos: number, width: number): ValueDecoder<FixedSink> {
		const { type } = this.#node.element;
		if (type === PhysicalType.BOOLEAN) {
			if (encoding === Encoding.PLAIN) return new PlainBooleanDecoder(bytes, pos);
			if (encoding === Encoding.RLE) return new RleBooleanDecoder(bytes, pos);
			throw this.#badEncoding(encoding);
		}
		switch (encoding) {
			case Encoding.PLAIN:
				return new PlainFixedDecoder(bytes, pos, width);
			case Encoding.PLAIN_DICTIONARY:
			case Encoding.RLE_DICTIONARY:
				if (this.#fixedDictionary === undefined) throw noDictionary();
				return new DictionaryFixedDecoder(bytes, pos, this.#fixedDictionary, this.#scratch);
			case Encoding.BYTE_STREAM_SPLIT:
				if (type === PhysicalType.INT96) throw this.#badEncoding(encoding);
				return new ByteStreamSplitDecoder(bytes, pos, width);
			case Encoding.DELTA_BINARY_PACKED:
				if (type !== PhysicalType.INT32 && type !== PhysicalType.INT64) throw this.#badEncoding(encoding);
				return new DeltaIntDecoder(bytes, pos, this.#scratch);
			case Encoding.DELTA_BYTE_ARRAY:
				if (type !== PhysicalType.FIXED_LEN_BYTE_ARRAY) throw this.#badEncoding(encoding);
				return new DeltaFixedDecoder(bytes, pos, width);
			default:
				throw this.#badEncoding(encoding);
		}
	}

	#badEncoding(encoding: number): IcebergError {
		const known = Object.entries(Encoding).find(([, id]) => id === encoding)?.[0];
		if (known === undefined) return new IcebergError('UNSUPPORTED', `pages in the unknown encoding ${encoding}`);
		return corruptPage(`a page in encoding ${known}, which the physical type ${this.#node.element.type} has not`);
	}
}

function noDictionary(): IcebergError {
	return corruptPage('a dictionary-encoded page without a dictionary page before it');
}

function codecOf(id: number): CompressionCodec {
	switch (id) {
		case CompressionCodecId.UNCOMPRESSED:
			return 'uncompressed';
		case CompressionCodecId.SNAPPY:
			return 'snappy';
		case CompressionCodecId.GZIP:
			return 'gzip';
		case CompressionCodecId.BROTLI:
			return 'brotli';
		case CompressionCodecId.LZ4:
			return 'lz4';
		case CompressionCodecId.ZSTD:
			return 'zstd';
		case CompressionCodecId.LZ4_RAW:
			return 'lz4_raw';
		default: {
			const name = id === CompressionCodecId.LZO ? 'LZO' : `number ${id}`;
			throw new IcebergError('UNSUPPORTED', `the compression codec ${name} is not supported`, {
				context: { codec: id },
			});
		}
	}
}

function hex32(value: number): string {
	return `0x${value.toString(16).padStart(8, '0')}`;
}
