import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	type ColumnIndex,
	type FileMetaData,
	type LogicalType,
	type OffsetIndex,
	type PageHeader,
	PageType,
	PhysicalType,
} from '../../../src/codec/parquet/format.ts';
import {
	decodeColumnIndex,
	decodeFileMetaData,
	decodeOffsetIndex,
	decodePageHeader,
} from '../../../src/codec/parquet/format-decode.ts';
import {
	encodeColumnIndex,
	encodeFileMetaData,
	encodeOffsetIndex,
	encodePageHeader,
} from '../../../src/codec/parquet/format-encode.ts';
import { MAX_THRIFT_DEPTH, ThriftReader, ThriftType, ThriftWriter } from '../../../src/codec/parquet/thrift.ts';

const bytes = (...values: number[]) => new Uint8Array(values);
const corrupt = expect.objectContaining({ code: 'CORRUPT' });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const smallCount = fc.nat({ max: 0x7fffffff });
const data = fc.uint8Array({ maxLength: 20 });

const logicalTypes: fc.Arbitrary<LogicalType> = fc.oneof(
	fc
		.constantFrom('string', 'map', 'list', 'enum', 'date', 'unknown', 'json', 'bson', 'uuid', 'float16')
		.map((kind) => ({ kind }) as LogicalType),
	fc.record({ kind: fc.constant('decimal' as const), precision: smallCount, scale: smallCount }),
	fc.record({
		kind: fc.constantFrom('time' as const, 'timestamp' as const),
		isAdjustedToUtc: fc.boolean(),
		unit: fc.constantFrom('millis' as const, 'micros' as const, 'nanos' as const),
	}),
	fc.record({
		kind: fc.constant('integer' as const),
		bitWidth: fc.constantFrom(8, 16, 32, 64),
		isSigned: fc.boolean(),
	}),
	fc.record({ kind: fc.constant('variant' as const), specificationVersion: fc.constantFrom(1, 2) }),
	fc.record({ kind: fc.constant('geometry' as const), crs: fc.option(fc.string(), { nil: undefined }) }),
	fc.record({
		kind: fc.constant('geography' as const),
		crs: fc.option(fc.string(), { nil: undefined }),
		algorithm: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
	}),
);

const statistics = fc.record(
	{
		max: data,
		min: data,
		nullCount: count,
		distinctCount: count,
		maxValue: data,
		minValue: data,
		isMaxValueExact: fc.boolean(),
		isMinValueExact: fc.boolean(),
	},
	{ requiredKeys: [] },
);

const columnChunks = fc.record(
	{
		filePath: fc.string(),
		fileOffset: count,
		metaData: fc.record(
			{
				type: fc.constantFrom(...Object.values(PhysicalType)),
				encodings: fc.array(fc.nat({ max: 9 }), { maxLength: 20 }),
				pathInSchema: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 }),
				codec: fc.nat({ max: 7 }),
				numValues: count,
				totalUncompressedSize: count,
				totalCompressedSize: count,
				dataPageOffset: count,
				indexPageOffset: count,
				dictionaryPageOffset: count,
				statistics,
				encodingStats: fc.array(fc.record({ pageType: smallCount, encoding: smallCount, count: smallCount }), {
					maxLength: 3,
				}),
				bloomFilterOffset: count,
				bloomFilterLength: smallCount,
				sizeStatistics: fc.record(
					{
						unencodedByteArrayDataBytes: count,
						repetitionLevelHistogram: fc.array(count, { maxLength: 18 }),
						definitionLevelHistogram: fc.array(count, { maxLength: 3 }),
					},
					{ requiredKeys: [] },
				),
			},
			{
				requiredKeys: [
					'type',
					'encodings',
					'pathInSchema',
					'codec',
					'numValues',
					'totalUncompressedSize',
					'totalCompressedSize',
					'dataPageOffset',
				],
			},
		),
		offsetIndexOffset: count,
		offsetIndexLength: smallCount,
		columnIndexOffset: count,
		columnIndexLength: smallCount,
	},
	{ requiredKeys: ['fileOffset', 'metaData'] },
);

const files: fc.Arbitrary<FileMetaData> = fc.record(
	{
		version: fc.integer({ min: 1, max: 2 }),
		schema: fc.array(
			fc.record(
				{
					name: fc.string({ unit: 'grapheme' }),
					type: fc.constantFrom(...Object.values(PhysicalType)),
					typeLength: smallCount,
					repetition: fc.constantFrom(0 as const, 1 as const, 2 as const),
					numChildren: smallCount,
					convertedType: fc.nat({ max: 21 }),
					scale: fc.integer(),
					precision: fc.integer(),
					fieldId: fc.integer(),
					logicalType: logicalTypes,
				},
				{ requiredKeys: ['name'] },
			),
			{ maxLength: 20 },
		),
		numRows: count,
		rowGroups: fc.array(
			fc.record(
				{
					columns: fc.array(columnChunks, { maxLength: 2 }),
					totalByteSize: count,
					numRows: count,
					fileOffset: count,
					totalCompressedSize: count,
					ordinal: fc.nat({ max: 32767 }),
				},
				{ requiredKeys: ['columns', 'totalByteSize', 'numRows'] },
			),
			{ maxLength: 2 },
		),
		keyValueMetadata: fc.array(fc.record({ key: fc.string(), value: fc.string() }, { requiredKeys: ['key'] }), {
			maxLength: 3,
		}),
		createdBy: fc.string({ unit: 'grapheme' }),
	},
	{ requiredKeys: ['version', 'schema', 'numRows', 'rowGroups', 'keyValueMetadata'] },
);

const v1 = { numValues: smallCount, encoding: smallCount };
const pageHeaders: fc.Arbitrary<PageHeader> = fc
	.tuple(
		fc.record(
			{ uncompressedPageSize: smallCount, compressedPageSize: smallCount, crc: fc.integer() },
			{ requiredKeys: ['uncompressedPageSize', 'compressedPageSize'] },
		),
		fc.oneof(
			fc.record({
				type: fc.constant(PageType.DATA_PAGE),
				dataPageHeader: fc.record(
					{ ...v1, definitionLevelEncoding: smallCount, repetitionLevelEncoding: smallCount, statistics },
					{ requiredKeys: ['numValues', 'encoding', 'definitionLevelEncoding', 'repetitionLevelEncoding'] },
				),
			}),
			fc.record({
				type: fc.constant(PageType.DICTIONARY_PAGE),
				dictionaryPageHeader: fc.record({ ...v1, isSorted: fc.boolean() }, { requiredKeys: ['numValues', 'encoding'] }),
			}),
			fc.record({
				type: fc.constant(PageType.DATA_PAGE_V2),
				dataPageHeaderV2: fc.record({
					...v1,
					numNulls: smallCount,
					numRows: smallCount,
					definitionLevelsByteLength: smallCount,
					repetitionLevelsByteLength: smallCount,
					isCompressed: fc.boolean(),
				}),
			}),
		),
	)
	.map(([sizes, rest]) => ({ ...sizes, ...rest }) as PageHeader);

const columnIndexes: fc.Arbitrary<ColumnIndex> = fc
	.array(fc.record({ allNull: fc.boolean(), min: data, max: data, nulls: count }), { maxLength: 40 })
	.chain((pages) =>
		fc.record(
			{
				nullPages: fc.constant(pages.map((page) => page.allNull)),
				minValues: fc.constant(pages.map((page) => page.min)),
				maxValues: fc.constant(pages.map((page) => page.max)),
				boundaryOrder: fc.nat({ max: 2 }),
				nullCounts: fc.constant(pages.map((page) => page.nulls)),
			},
			{ requiredKeys: ['nullPages', 'minValues', 'maxValues', 'boundaryOrder'] },
		),
	);

const offsetIndexes: fc.Arbitrary<OffsetIndex> = fc.record({
	pageLocations: fc.array(fc.record({ offset: count, compressedPageSize: smallCount, firstRowIndex: count }), {
		maxLength: 20,
	}),
});

describe('metadata structures come back from their bytes', () => {
	it('footers', () => {
		fc.assert(
			fc.property(files, (file) => {
				expect(decodeFileMetaData(encodeFileMetaData(file), 'x')).toEqual(file);
			}),
			{ numRuns: 300 },
		);
	});

	it('page headers, anywhere in a file', () => {
		fc.assert(
			fc.property(pageHeaders, data, (header, before) => {
				const encoded = encodePageHeader(header);
				const file = new Uint8Array(Buffer.concat([before, encoded, before]));
				const decoded = decodePageHeader(file, before.length, 'x');
				expect(decoded).toEqual({ header, end: before.length + encoded.length });
			}),
		);
	});

	it('page indexes', () => {
		fc.assert(
			fc.property(columnIndexes, offsetIndexes, (column, offset) => {
				expect(decodeColumnIndex(encodeColumnIndex(column), 'x')).toEqual(column);
				expect(decodeOffsetIndex(encodeOffsetIndex(offset), 'x')).toEqual(offset);
			}),
		);
	});
});

describe('hostile metadata', () => {
	const decoders = [
		(input: Uint8Array) => decodeFileMetaData(input, 'x'),
		(input: Uint8Array) => decodePageHeader(input, 0, 'x'),
		(input: Uint8Array) => decodeColumnIndex(input, 'x'),
		(input: Uint8Array) => decodeOffsetIndex(input, 'x'),
	];

	const safe = (input: Uint8Array) => {
		for (const decode of decoders) {
			try {
				decode(input);
			} catch (error) {
				expect(['CORRUPT', 'UNSUPPORTED']).toContain((error as { code?: string }).code);
			}
		}
	};

	it('of random bytes is refused', () => {
		fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), safe), { numRuns: 3000 });
	});

	it('with a flipped byte or cut short is refused or decoded', () => {
		fc.assert(
			fc.property(files, fc.nat(), fc.integer({ min: 1, max: 255 }), (file, at, flip) => {
				const encoded = encodeFileMetaData(file).slice();
				safe(encoded.subarray(0, at % encoded.length));
				const place = at % encoded.length;
				encoded[place] = (encoded[place] as number) ^ flip;
				safe(encoded);
			}),
			{ numRuns: 1000 },
		);
	});

	it('whose lists claim more elements than there are bytes is refused', () => {
		// field 2, a list of 2^28 structs
		expect(() => decodeFileMetaData(bytes(0x15, 2, 0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 1), 'x')).toThrow(corrupt);
		// an unknown field with a map of 2^28 entries
		expect(() => decodeFileMetaData(bytes(0xfb, 0x80, 0x80, 0x80, 0x80, 1, 0x88), 'x')).toThrow(corrupt);
	});

	it('that nests too deep is refused', () => {
		const nested = new Uint8Array(1000).fill(0xfc);
		expect(() => decodeFileMetaData(nested, 'x')).toThrow(`nesting deeper than ${MAX_THRIFT_DEPTH}`);
		const lists = new Uint8Array(1000).fill(0x19);
		lists[0] = 0xf9;
		expect(() => decodeFileMetaData(lists, 'x')).toThrow(corrupt);
	});

	it('with numbers beyond what is plausible is refused', () => {
		const header = encodePageHeader({
			type: PageType.DICTIONARY_PAGE,
			uncompressedPageSize: 1,
			compressedPageSize: 1,
			dictionaryPageHeader: { numValues: 1, encoding: 0 },
		});
		expect(decodePageHeader(header, 0, 'x').end).toBe(header.length);
		const negative = header.slice();
		// the zigzag form of -1 where compressed_page_size stands
		negative[5] = 1;
		expect(() => decodePageHeader(negative, 0, 'x')).toThrow(corrupt);
		const w = new ThriftWriter();
		w.beginStruct();
		w.i64Field(1, Number.MAX_SAFE_INTEGER);
		w.endStruct();
		const r = new ThriftReader(w.finish(), 0, 'x');
		r.nextField(0);
		expect(r.fieldI64()).toBe(Number.MAX_SAFE_INTEGER);
		const beyond = new ThriftReader(bytes(0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), 0, 'x');
		beyond.nextField(0);
		expect(() => beyond.fieldI64()).toThrow(corrupt);
	});

	it('that is encrypted is named so', () => {
		const w = new ThriftWriter();
		w.beginStruct();
		w.structField(8);
		w.endStruct();
		w.endStruct();
		expect(() => decodeFileMetaData(w.finish(), 'the file')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
	});
});

describe('fields of newer versions', () => {
	it('are passed over, whatever their type', () => {
		const w = new ThriftWriter();
		w.beginStruct();
		w.listField(1, ThriftType.STRUCT, 0);
		w.boolField(40, true);
		w.i8Field(41, -1);
		w.i64Field(42, -5);
		w.binaryField(43, bytes(1, 2, 3));
		w.listField(44, ThriftType.TRUE, 2);
		w.bool(true);
		w.bool(false);
		w.structField(45);
		w.listField(1, ThriftType.BINARY, 1);
		w.string('x');
		w.endStruct();
		w.endStruct();
		expect(decodeOffsetIndex(w.finish(), 'x')).toEqual({ pageLocations: [] });
	});
});
