/** Parquet's metadata structures (parquet.thrift) in memory. Fields that nothing here uses are not kept. */

export const PhysicalType = {
	BOOLEAN: 0,
	INT32: 1,
	INT64: 2,
	INT96: 3,
	FLOAT: 4,
	DOUBLE: 5,
	BYTE_ARRAY: 6,
	FIXED_LEN_BYTE_ARRAY: 7,
} as const;
export type PhysicalType = (typeof PhysicalType)[keyof typeof PhysicalType];

export const Repetition = { REQUIRED: 0, OPTIONAL: 1, REPEATED: 2 } as const;
export type Repetition = (typeof Repetition)[keyof typeof Repetition];

export const ConvertedType = {
	UTF8: 0,
	MAP: 1,
	MAP_KEY_VALUE: 2,
	LIST: 3,
	ENUM: 4,
	DECIMAL: 5,
	DATE: 6,
	TIME_MILLIS: 7,
	TIME_MICROS: 8,
	TIMESTAMP_MILLIS: 9,
	TIMESTAMP_MICROS: 10,
	UINT_8: 11,
	UINT_16: 12,
	UINT_32: 13,
	UINT_64: 14,
	INT_8: 15,
	INT_16: 16,
	INT_32: 17,
	INT_64: 18,
	JSON: 19,
	BSON: 20,
	INTERVAL: 21,
} as const;

export const Encoding = {
	PLAIN: 0,
	PLAIN_DICTIONARY: 2,
	RLE: 3,
	BIT_PACKED: 4,
	DELTA_BINARY_PACKED: 5,
	DELTA_LENGTH_BYTE_ARRAY: 6,
	DELTA_BYTE_ARRAY: 7,
	RLE_DICTIONARY: 8,
	BYTE_STREAM_SPLIT: 9,
} as const;

export const CompressionCodecId = {
	UNCOMPRESSED: 0,
	SNAPPY: 1,
	GZIP: 2,
	LZO: 3,
	BROTLI: 4,
	LZ4: 5,
	ZSTD: 6,
	LZ4_RAW: 7,
} as const;

export const PageType = { DATA_PAGE: 0, INDEX_PAGE: 1, DICTIONARY_PAGE: 2, DATA_PAGE_V2: 3 } as const;

export const BoundaryOrder = { UNORDERED: 0, ASCENDING: 1, DESCENDING: 2 } as const;

export type TimeUnit = 'millis' | 'micros' | 'nanos';

/** Parquet: LogicalTypes. `unrecognised` is a member of the union that this version does not know. */
export type LogicalType =
	| {
			readonly kind:
				| 'string'
				| 'map'
				| 'list'
				| 'enum'
				| 'date'
				| 'unknown'
				| 'json'
				| 'bson'
				| 'uuid'
				| 'float16'
				| 'interval';
	  }
	| { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
	| { readonly kind: 'time' | 'timestamp'; readonly isAdjustedToUtc: boolean; readonly unit: TimeUnit }
	| { readonly kind: 'integer'; readonly bitWidth: number; readonly isSigned: boolean }
	| { readonly kind: 'variant'; readonly specificationVersion: number }
	| { readonly kind: 'geometry'; readonly crs: string | undefined }
	| { readonly kind: 'geography'; readonly crs: string | undefined; readonly algorithm: number | undefined }
	| { readonly kind: 'unrecognised'; readonly id: number };

/** Parquet: EdgeInterpolationAlgorithm, by number. */
export const EDGE_ALGORITHMS = ['spherical', 'vincenty', 'thomas', 'andoyer', 'karney'] as const;

export interface SchemaElement {
	readonly name: string;
	/** absent for groups */
	readonly type?: PhysicalType;
	/** bytes of a FIXED_LEN_BYTE_ARRAY */
	readonly typeLength?: number;
	/** absent for the root */
	readonly repetition?: Repetition;
	/** absent for leaves */
	readonly numChildren?: number;
	readonly convertedType?: number;
	readonly scale?: number;
	readonly precision?: number;
	readonly fieldId?: number;
	readonly logicalType?: LogicalType;
}

export interface Statistics {
	/** deprecated: compared as signed, whatever the type */
	readonly max?: Uint8Array;
	/** deprecated */
	readonly min?: Uint8Array;
	readonly nullCount?: number;
	readonly distinctCount?: number;
	readonly maxValue?: Uint8Array;
	readonly minValue?: Uint8Array;
	readonly isMaxValueExact?: boolean;
	readonly isMinValueExact?: boolean;
}

export interface PageEncodingStats {
	readonly pageType: number;
	readonly encoding: number;
	readonly count: number;
}

export interface SizeStatistics {
	readonly unencodedByteArrayDataBytes?: number;
	readonly repetitionLevelHistogram?: readonly number[];
	readonly definitionLevelHistogram?: readonly number[];
}

export interface ColumnMetaData {
	readonly type: PhysicalType;
	readonly encodings: readonly number[];
	readonly pathInSchema: readonly string[];
	/** one of {@link CompressionCodecId}, or a number that this version does not know */
	readonly codec: number;
	/** with nulls, and each element of lists counted */
	readonly numValues: number;
	/** page headers included */
	readonly totalUncompressedSize: number;
	/** page headers included */
	readonly totalCompressedSize: number;
	readonly dataPageOffset: number;
	readonly indexPageOffset?: number;
	readonly dictionaryPageOffset?: number;
	readonly statistics?: Statistics;
	readonly encodingStats?: readonly PageEncodingStats[];
	readonly bloomFilterOffset?: number;
	readonly bloomFilterLength?: number;
	readonly sizeStatistics?: SizeStatistics;
}

export interface ColumnChunk {
	/** another file that holds the chunk; never written */
	readonly filePath?: string;
	readonly fileOffset: number;
	/** absent only when encrypted, which is refused */
	readonly metaData: ColumnMetaData;
	readonly offsetIndexOffset?: number;
	readonly offsetIndexLength?: number;
	readonly columnIndexOffset?: number;
	readonly columnIndexLength?: number;
}

export interface RowGroup {
	/** in the order of the schema's leaves */
	readonly columns: readonly ColumnChunk[];
	/** uncompressed */
	readonly totalByteSize: number;
	readonly numRows: number;
	readonly fileOffset?: number;
	readonly totalCompressedSize?: number;
	readonly ordinal?: number;
}

export interface KeyValue {
	readonly key: string;
	readonly value?: string;
}

export interface FileMetaData {
	readonly version: number;
	/** the tree depth first, the root first */
	readonly schema: readonly SchemaElement[];
	readonly numRows: number;
	readonly rowGroups: readonly RowGroup[];
	readonly keyValueMetadata: readonly KeyValue[];
	readonly createdBy?: string;
	/** one for each leaf: true when its min and max follow the order of its type, the only order known */
	readonly columnOrders?: readonly boolean[];
}

export interface DataPageHeader {
	/** with nulls */
	readonly numValues: number;
	readonly encoding: number;
	readonly definitionLevelEncoding: number;
	readonly repetitionLevelEncoding: number;
	readonly statistics?: Statistics;
}
export interface DataPageHeaderV2 {
	readonly numValues: number;
	readonly numNulls: number;
	readonly numRows: number;
	readonly encoding: number;
	/** bytes; these levels are never compressed */
	readonly definitionLevelsByteLength: number;
	readonly repetitionLevelsByteLength: number;
	readonly isCompressed: boolean;
	readonly statistics?: Statistics;
}
export interface DictionaryPageHeader {
	readonly numValues: number;
	readonly encoding: number;
	readonly isSorted?: boolean;
}
export interface PageHeader {
	/** one of {@link PageType}; pages of other types are passed over */
	readonly type: number;
	/** without this header; for V2 pages the levels are included */
	readonly uncompressedPageSize: number;
	readonly compressedPageSize: number;
	/** CRC-32 of the page's bytes as stored, where the writer made one */
	readonly crc?: number;
	/** present exactly when `type` says so */
	readonly dataPageHeader?: DataPageHeader;
	readonly dictionaryPageHeader?: DictionaryPageHeader;
	readonly dataPageHeaderV2?: DataPageHeaderV2;
}

/** All lists have one element a page. */
export interface ColumnIndex {
	readonly nullPages: readonly boolean[];
	/** empty for pages of nulls */
	readonly minValues: readonly Uint8Array[];
	readonly maxValues: readonly Uint8Array[];
	readonly boundaryOrder: number;
	readonly nullCounts?: readonly number[];
}

export interface PageLocation {
	/** of the page's header in the file */
	readonly offset: number;
	/** header included */
	readonly compressedPageSize: number;
	/** within the row group */
	readonly firstRowIndex: number;
}
export interface OffsetIndex {
	readonly pageLocations: readonly PageLocation[];
}

/** The four bytes at both ends of a file. */
export const PARQUET_MAGIC = new Uint8Array([0x50, 0x41, 0x52, 0x31]);
