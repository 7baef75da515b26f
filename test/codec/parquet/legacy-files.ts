/** Parquet files put together byte by byte: what writers of today make no more, and must be read all the same. */
import { crc32, gzipSync } from 'node:zlib';
import { compressSync } from '../../../src/codec/compression.ts';
import { encodePageHeader } from '../../../src/codec/parquet/format-encode.ts';
import {
	CompressionCodecId,
	ConvertedType,
	Encoding,
	PARQUET_MAGIC,
	PageType,
	type PageHeader,
	PhysicalType,
	Repetition,
	type SchemaElement,
} from '../../../src/codec/parquet/format.ts';
import { withFooter } from './edit-footer.ts';

const { OPTIONAL, REPEATED, REQUIRED } = Repetition;
const { BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, INT32, INT64 } = PhysicalType;

/** A page: its stored bytes, and what its header says beside sizes. */
export interface HandMadePage {
	readonly bytes: Uint8Array;
	readonly uncompressedBytes?: number;
	readonly header: Omit<PageHeader, 'uncompressedPageSize' | 'compressedPageSize'>;
}

export interface HandMadeColumn {
	/** from below the root down to the leaf */
	readonly elements: readonly SchemaElement[];
	readonly rows: number;
	/** with nulls and each element of lists */
	readonly values: number;
	readonly codec?: number;
	readonly pages: readonly HandMadePage[];
	/** as writers that know it; without, the first page may be one all the same */
	readonly dictionaryPageOffset?: number;
}

/** A file of one column. */
export function handMadeFile(column: HandMadeColumn): Uint8Array {
	const pages = column.pages.flatMap(({ bytes, uncompressedBytes, header }) => [
		encodePageHeader({
			...header,
			uncompressedPageSize: uncompressedBytes ?? bytes.length,
			compressedPageSize: bytes.length,
		}),
		bytes,
	]);
	const body = new Uint8Array(Buffer.concat([PARQUET_MAGIC, ...pages]));
	const size = body.length - 4;
	const leaf = column.elements.at(-1)!;
	const { dictionaryPageOffset } = column;
	return withFooter(body, {
		version: 1,
		schema: [{ name: 'root', numChildren: 1 }, ...column.elements],
		numRows: column.rows,
		keyValueMetadata: [],
		rowGroups: [
			{
				numRows: column.rows,
				totalByteSize: size,
				columns: [
					{
						fileOffset: 4,
						metaData: {
							type: leaf.type!,
							encodings: [Encoding.PLAIN],
							pathInSchema: column.elements.map(({ name }) => name),
							codec: column.codec ?? CompressionCodecId.UNCOMPRESSED,
							numValues: column.values,
							totalUncompressedSize: size,
							totalCompressedSize: size,
							dataPageOffset: 4,
							...(dictionaryPageOffset !== undefined && { dictionaryPageOffset }),
						},
					},
				],
			},
		],
	});
}

export function dataPage(
	numValues: number,
	bytes: Uint8Array,
	encoding: number = Encoding.PLAIN,
	levels: number = Encoding.RLE,
): HandMadePage {
	const dataPageHeader = { numValues, encoding, definitionLevelEncoding: levels, repetitionLevelEncoding: levels };
	return { bytes, header: { type: PageType.DATA_PAGE, dataPageHeader } };
}

export const int32s = (...values: number[]): Uint8Array => new Uint8Array(new Int32Array(values).buffer);
export const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
export const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
/** Levels of a V1 page in RLE: runs of one, with the length before them. */
export function levels(...values: number[]): Uint8Array {
	return joined(int32s(2 * values.length), bytes(...values.flatMap((value) => [2, value])));
}
const texts = (...values: string[]): Uint8Array =>
	joined(...values.flatMap((value) => [int32s(value.length), new Uint8Array(Buffer.from(value))]));
const bigEndian = (...values: number[]): Uint8Array => {
	const out = Buffer.alloc(4 * values.length);
	values.forEach((value, i) => out.writeUInt32BE(value, 4 * i));
	return new Uint8Array(out);
};

export const int = (repetition: Repetition, name = 'c'): SchemaElement => ({
	name,
	type: INT32,
	repetition,
	fieldId: 1,
});
const list = (name: string): SchemaElement => ({
	name,
	numChildren: 1,
	repetition: OPTIONAL,
	convertedType: ConvertedType.LIST,
	fieldId: 1,
});

export interface LegacyFile {
	readonly name: string;
	readonly bytes: Uint8Array;
	/** values of the one column, as `canonical` of fixtures.ts has them */
	readonly values: readonly unknown[];
}

export function legacyFiles(): LegacyFile[] {
	const numbers = Array.from({ length: 500 }, (_, i) => (i * i) % 97);
	const plain = int32s(...numbers);
	const compressed = (codec: number, stored: Uint8Array): Uint8Array =>
		handMadeFile({
			elements: [int(REQUIRED)],
			rows: 500,
			values: 500,
			codec,
			pages: [{ ...dataPage(500, stored), uncompressedBytes: plain.length }],
		});
	const block = (from: number, to: number): Uint8Array => compressSync('lz4_raw', plain.subarray(from, to));
	const framed = (from: number, to: number): Uint8Array =>
		joined(bigEndian(to - from, block(from, to).length), block(from, to));
	const { GZIP, LZ4 } = CompressionCodecId;
	const half = plain.length / 2;
	const optional = { elements: [int(OPTIONAL)], rows: 4, values: 4 };
	const dictionary = (encoding: number): HandMadePage => ({
		bytes: texts('a', 'bc'),
		header: { type: PageType.DICTIONARY_PAGE, dictionaryPageHeader: { numValues: 2, encoding } },
	});
	// three values of one bit each, bit-packed: 0 1 0
	const indexes = dataPage(3, bytes(1, 3, 0b010), Encoding.PLAIN_DICTIONARY);
	const text: SchemaElement = {
		name: 'c',
		type: BYTE_ARRAY,
		repetition: REQUIRED,
		convertedType: ConvertedType.UTF8,
		fieldId: 1,
	};
	const checked = int32s(1, 2, 3, 4);
	return [
		{
			name: 'bit-packed definition levels',
			bytes: handMadeFile({
				...optional,
				pages: [dataPage(4, joined(bytes(0b10110000), int32s(7, 8, 9)), Encoding.PLAIN, Encoding.BIT_PACKED)],
			}),
			values: [7, null, 8, 9],
		},
		{
			// repetition levels 0 1 0 0, definition levels 2 2 1 0 of two bits
			name: 'bit-packed levels of a list of two levels',
			bytes: handMadeFile({
				elements: [list('l'), int(REPEATED, 'array')],
				rows: 3,
				values: 4,
				pages: [dataPage(4, joined(bytes(0b01000000, 0b10100100), int32s(5, 6)), Encoding.PLAIN, Encoding.BIT_PACKED)],
			}),
			values: [[5, 6], [], null],
		},
		{
			name: 'a repeated leaf without a list around it',
			bytes: handMadeFile({
				elements: [int(REPEATED)],
				rows: 3,
				values: 4,
				pages: [dataPage(4, joined(levels(0, 1, 0, 0), levels(1, 1, 0, 1), int32s(1, 2, 3)))],
			}),
			values: [[1, 2], [], [3]],
		},
		{
			name: 'a list of unknown elements',
			bytes: handMadeFile({
				elements: [
					list('l'),
					{ name: 'list', numChildren: 1, repetition: REPEATED },
					{ name: 'element', type: INT32, repetition: OPTIONAL, logicalType: { kind: 'unknown' }, fieldId: 2 },
				],
				rows: 3,
				values: 4,
				pages: [dataPage(4, joined(levels(0, 0, 1, 0), levels(1, 2, 2, 0)))],
			}),
			values: [[], [null, null], null],
		},
		{ name: 'LZ4 in one frame of Hadoop', bytes: compressed(LZ4, framed(0, plain.length)), values: numbers },
		{
			name: 'LZ4 in two frames of Hadoop',
			bytes: compressed(LZ4, joined(framed(0, half), framed(half, plain.length))),
			values: numbers,
		},
		{ name: 'LZ4 without frames', bytes: compressed(LZ4, block(0, plain.length)), values: numbers },
		{
			name: 'several gzip members',
			bytes: compressed(GZIP, joined(gzipSync(plain.subarray(0, 600)), gzipSync(plain.subarray(600)))),
			values: numbers,
		},
		{
			name: 'half floats',
			bytes: handMadeFile({
				elements: [
					{
						name: 'c',
						type: FIXED_LEN_BYTE_ARRAY,
						typeLength: 2,
						repetition: OPTIONAL,
						logicalType: { kind: 'float16' },
						fieldId: 1,
					},
				],
				rows: 10,
				values: 10,
				pages: [
					dataPage(
						10,
						joined(
							levels(1, 1, 1, 1, 0, 1, 1, 1, 1, 1),
							new Uint8Array(
								new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x8000, 0x7c00, 0xfc00, 0x7e00]).buffer,
							),
						),
					),
				],
			}),
			values: [1, -2, 65504, 2 ** -24, null, 1023 * 2 ** -24, -0, 'Infinity', '-Infinity', 'NaN'],
		},
		{
			name: 'unsigned integers of 64 bits',
			bytes: handMadeFile({
				elements: [{ name: 'c', type: INT64, repetition: REQUIRED, convertedType: ConvertedType.UINT_64, fieldId: 1 }],
				rows: 3,
				values: 3,
				pages: [dataPage(3, new Uint8Array(new BigUint64Array([0n, 2n ** 63n, 2n ** 64n - 1n]).buffer))],
			}),
			values: ['0', '9223372036854775808', '18446744073709551615'],
		},
		{
			name: 'decimals as bytes of any length',
			bytes: handMadeFile({
				elements: [
					{
						name: 'c',
						type: BYTE_ARRAY,
						repetition: REQUIRED,
						convertedType: ConvertedType.DECIMAL,
						precision: 20,
						scale: 2,
						fieldId: 1,
					},
				],
				rows: 4,
				values: 4,
				pages: [
					dataPage(
						4,
						joined(
							...[
								bytes(0xff),
								bytes(0, 150),
								bytes(0x80, 0),
								bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5),
							].flatMap((value) => [int32s(value.length), value]),
						),
					),
				],
			}),
			values: ['-1', '150', '-32768', '5'],
		},
		...[undefined, 4, 0].map((dictionaryPageOffset) => ({
			name: `PLAIN_DICTIONARY with a dictionary page at ${dictionaryPageOffset}`,
			bytes: handMadeFile({
				elements: [text],
				rows: 3,
				values: 3,
				pages: [dictionary(Encoding.PLAIN_DICTIONARY), indexes],
				...(dictionaryPageOffset !== undefined && { dictionaryPageOffset }),
			}),
			values: ['a', 'bc', 'a'],
		})),
		{
			name: 'a compressed page of the second version without values',
			bytes: handMadeFile({
				...optional,
				codec: CompressionCodecId.SNAPPY,
				pages: [
					{
						bytes: bytes(8, 0),
						header: {
							type: PageType.DATA_PAGE_V2,
							dataPageHeaderV2: {
								numValues: 4,
								numNulls: 4,
								numRows: 4,
								encoding: Encoding.PLAIN,
								definitionLevelsByteLength: 2,
								repetitionLevelsByteLength: 0,
								isCompressed: true,
							},
						},
					},
				],
			}),
			values: [null, null, null, null],
		},
		{
			name: 'pages without values, and index pages, between others',
			bytes: handMadeFile({
				...optional,
				elements: [int(REQUIRED)],
				pages: [
					dataPage(0, bytes()),
					dataPage(1, int32s(1)),
					{ bytes: bytes(9, 9, 9), header: { type: PageType.INDEX_PAGE } },
					dataPage(0, bytes()),
					dataPage(3, int32s(2, 3, 4)),
				],
			}),
			values: [1, 2, 3, 4],
		},
		{
			name: 'a checksum above 2^31',
			bytes: handMadeFile({
				...optional,
				elements: [int(REQUIRED)],
				pages: [{ ...dataPage(4, checked), header: { ...dataPage(4, checked).header, crc: crc32(checked) | 0 } }],
			}),
			values: [1, 2, 3, 4],
		},
	];
}
