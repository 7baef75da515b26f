/**
 * Parquet's metadata structures from untrusted bytes. Required fields must be there, counts, sizes and offsets must not
 * be negative, parallel lists must agree; what a page or file then holds is for the reader to check.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import {
	type ColumnChunk,
	type ColumnIndex,
	type ColumnMetaData,
	type DataPageHeader,
	type DataPageHeaderV2,
	type DictionaryPageHeader,
	type FileMetaData,
	type KeyValue,
	type LogicalType,
	type OffsetIndex,
	type PageEncodingStats,
	type PageHeader,
	type PageLocation,
	PageType,
	type PhysicalType,
	type Repetition,
	type RowGroup,
	type SchemaElement,
	type SizeStatistics,
	type Statistics,
	type TimeUnit,
} from './format.ts';
import { ThriftReader, ThriftType } from './thrift.ts';

/** An object under construction: the readonly fields of `T`, all optional. */
type Draft<T> = { -readonly [K in keyof T]?: T[K] | undefined };

/** @param what names the file, for messages. @throws `CORRUPT`, `UNSUPPORTED` for an encrypted file */
export function decodeFileMetaData(bytes: Uint8Array, what: string): FileMetaData {
	const r = new ThriftReader(bytes, 0, `${what}: Parquet footer`);
	const m: Draft<FileMetaData> = {};
	readStruct(r, (id) => {
		if (id === 1) m.version = r.fieldI32();
		else if (id === 2) m.schema = structList(r, readSchemaElement);
		else if (id === 3) m.numRows = size64(r, 'num_rows');
		else if (id === 4) m.rowGroups = structList(r, readRowGroup);
		else if (id === 5) m.keyValueMetadata = structList(r, readKeyValue);
		else if (id === 6) m.createdBy = r.fieldString();
		else if (id === 7) m.columnOrders = structList(r, readColumnOrder);
		else if (id === 8) throw new IcebergError('UNSUPPORTED', `${what} is encrypted, which is not supported`);
		else r.skip();
	});
	m.keyValueMetadata ??= [];
	return complete<FileMetaData>(r, 'FileMetaData', m, ['version', 'schema', 'numRows', 'rowGroups']);
}

/** The header that starts at `position`, and the position after it. @throws `CORRUPT` */
export function decodePageHeader(
	bytes: Uint8Array,
	position: number,
	what: string,
): { header: PageHeader; end: number } {
	const r = new ThriftReader(bytes, position, `${what}: Parquet page header`);
	const h: Draft<PageHeader> = {};
	readStruct(r, (id) => {
		if (id === 1) h.type = r.fieldI32();
		else if (id === 2) h.uncompressedPageSize = size32(r, 'uncompressed_page_size');
		else if (id === 3) h.compressedPageSize = size32(r, 'compressed_page_size');
		else if (id === 4) h.crc = r.fieldI32();
		else if (id === 5) h.dataPageHeader = structField(r, readDataPageHeader);
		else if (id === 7) h.dictionaryPageHeader = structField(r, readDictionaryPageHeader);
		else if (id === 8) h.dataPageHeaderV2 = structField(r, readDataPageHeaderV2);
		else r.skip();
	});
	const header = complete<PageHeader>(r, 'PageHeader', h, ['type', 'uncompressedPageSize', 'compressedPageSize']);
	const there =
		header.type === PageType.DATA_PAGE
			? header.dataPageHeader
			: header.type === PageType.DATA_PAGE_V2
				? header.dataPageHeaderV2
				: header.type === PageType.DICTIONARY_PAGE
					? header.dictionaryPageHeader
					: header;
	if (there === undefined) r.fail(`a page of type ${header.type} without the header of that type`);
	return { header, end: r.position };
}

/** @throws `CORRUPT` */
export function decodeColumnIndex(bytes: Uint8Array, what: string): ColumnIndex {
	const r = new ThriftReader(bytes, 0, `${what}: Parquet column index`);
	const c: Draft<ColumnIndex> = {};
	readStruct(r, (id) => {
		if (id === 1) c.nullPages = list(r, ThriftType.TRUE, () => r.listBool());
		else if (id === 2) c.minValues = list(r, ThriftType.BINARY, () => r.listBinary());
		else if (id === 3) c.maxValues = list(r, ThriftType.BINARY, () => r.listBinary());
		else if (id === 4) c.boundaryOrder = r.fieldI32();
		else if (id === 5) c.nullCounts = sizeList(r, 'null_counts');
		else r.skip();
	});
	const index = complete<ColumnIndex>(r, 'ColumnIndex', c, ['nullPages', 'minValues', 'maxValues', 'boundaryOrder']);
	const pages = index.nullPages.length;
	if (
		index.minValues.length !== pages ||
		index.maxValues.length !== pages ||
		(index.nullCounts?.length ?? pages) !== pages
	) {
		r.fail(`lists of different lengths for ${pages} pages`);
	}
	return index;
}

/** @throws `CORRUPT` */
export function decodeOffsetIndex(bytes: Uint8Array, what: string): OffsetIndex {
	const r = new ThriftReader(bytes, 0, `${what}: Parquet offset index`);
	const o: Draft<OffsetIndex> = {};
	readStruct(r, (id) => {
		if (id === 1) o.pageLocations = structList(r, readPageLocation);
		else r.skip();
	});
	return complete<OffsetIndex>(r, 'OffsetIndex', o, ['pageLocations']);
}

function readSchemaElement(r: ThriftReader): SchemaElement {
	const e: Draft<SchemaElement> = {};
	readStruct(r, (id) => {
		if (id === 1) e.type = enumeration(r, 7, 'type') as PhysicalType;
		else if (id === 2) e.typeLength = size32(r, 'type_length');
		else if (id === 3) e.repetition = enumeration(r, 2, 'repetition_type') as Repetition;
		else if (id === 4) e.name = r.fieldString();
		else if (id === 5) e.numChildren = size32(r, 'num_children');
		else if (id === 6) e.convertedType = r.fieldI32();
		else if (id === 7) e.scale = r.fieldI32();
		else if (id === 8) e.precision = r.fieldI32();
		else if (id === 9) e.fieldId = r.fieldI32();
		else if (id === 10) e.logicalType = structField(r, readLogicalType);
		else r.skip();
	});
	return complete<SchemaElement>(r, 'SchemaElement', e, ['name']);
}

const PLAIN_LOGICAL_TYPES: Readonly<Record<number, LogicalType>> = {
	1: { kind: 'string' },
	2: { kind: 'map' },
	3: { kind: 'list' },
	4: { kind: 'enum' },
	6: { kind: 'date' },
	11: { kind: 'unknown' },
	12: { kind: 'json' },
	13: { kind: 'bson' },
	14: { kind: 'uuid' },
	15: { kind: 'float16' },
};

function readLogicalType(r: ThriftReader): LogicalType {
	let type: LogicalType | undefined;
	readStruct(r, (id) => {
		if (type !== undefined) r.fail('a logical type with two members');
		const plain = PLAIN_LOGICAL_TYPES[id];
		if (plain !== undefined) r.skip();
		if (plain !== undefined) type = plain;
		else if (id === 5) type = structField(r, readDecimal);
		else if (id === 7) type = structField(r, () => readTime(r, 'time'));
		else if (id === 8) type = structField(r, () => readTime(r, 'timestamp'));
		else if (id === 10) type = structField(r, readInteger);
		else if (id === 16) type = structField(r, readVariant);
		else if (id === 17) type = structField(r, readGeometry);
		else if (id === 18) type = structField(r, readGeography);
		else {
			type = { kind: 'unrecognised', id };
			r.skip();
		}
	});
	return type ?? { kind: 'unrecognised', id: 0 };
}

function readDecimal(r: ThriftReader): LogicalType {
	let scale: number | undefined;
	let precision: number | undefined;
	readStruct(r, (id) => {
		if (id === 1) scale = r.fieldI32();
		else if (id === 2) precision = r.fieldI32();
		else r.skip();
	});
	if (scale === undefined || precision === undefined) r.fail('a decimal without precision or scale');
	return { kind: 'decimal', precision, scale };
}

function readTime(r: ThriftReader, kind: 'time' | 'timestamp'): LogicalType {
	let isAdjustedToUtc: boolean | undefined;
	let unit: TimeUnit | undefined;
	readStruct(r, (id) => {
		if (id === 1) isAdjustedToUtc = r.fieldBool();
		else if (id === 2) {
			unit = structField(r, () => {
				let found: TimeUnit | undefined;
				readStruct(r, (unitId) => {
					found = unitId === 1 ? 'millis' : unitId === 2 ? 'micros' : unitId === 3 ? 'nanos' : undefined;
					r.skip();
				});
				return found;
			});
		} else r.skip();
	});
	if (isAdjustedToUtc === undefined || unit === undefined) r.fail(`a ${kind} without a known unit`);
	return { kind, isAdjustedToUtc, unit };
}

function readInteger(r: ThriftReader): LogicalType {
	let bitWidth: number | undefined;
	let isSigned: boolean | undefined;
	readStruct(r, (id) => {
		if (id === 1) bitWidth = r.fieldI8();
		else if (id === 2) isSigned = r.fieldBool();
		else r.skip();
	});
	if (bitWidth === undefined || isSigned === undefined) r.fail('an integer type without width or sign');
	return { kind: 'integer', bitWidth, isSigned };
}

function readVariant(r: ThriftReader): LogicalType {
	let specificationVersion = 1;
	readStruct(r, (id) => {
		if (id === 1) specificationVersion = r.fieldI8();
		else r.skip();
	});
	return { kind: 'variant', specificationVersion };
}

function readGeometry(r: ThriftReader): LogicalType {
	let crs: string | undefined;
	readStruct(r, (id) => {
		if (id === 1) crs = r.fieldString();
		else r.skip();
	});
	return { kind: 'geometry', crs };
}

function readGeography(r: ThriftReader): LogicalType {
	let crs: string | undefined;
	let algorithm: number | undefined;
	readStruct(r, (id) => {
		if (id === 1) crs = r.fieldString();
		else if (id === 2) algorithm = r.fieldI32();
		else r.skip();
	});
	return { kind: 'geography', crs, algorithm };
}

function readRowGroup(r: ThriftReader): RowGroup {
	const g: Draft<RowGroup> = {};
	readStruct(r, (id) => {
		if (id === 1) g.columns = structList(r, readColumnChunk);
		else if (id === 2) g.totalByteSize = r.fieldI64();
		else if (id === 3) g.numRows = size64(r, 'num_rows');
		else if (id === 5) g.fileOffset = r.fieldI64();
		else if (id === 6) g.totalCompressedSize = r.fieldI64();
		else if (id === 7) g.ordinal = r.fieldI32();
		else r.skip();
	});
	return complete<RowGroup>(r, 'RowGroup', g, ['columns', 'totalByteSize', 'numRows']);
}

function readColumnChunk(r: ThriftReader): ColumnChunk {
	const c: Draft<ColumnChunk> = {};
	readStruct(r, (id) => {
		if (id === 1) c.filePath = r.fieldString();
		else if (id === 2) c.fileOffset = r.fieldI64();
		else if (id === 3) c.metaData = structField(r, readColumnMetaData);
		else if (id === 4) c.offsetIndexOffset = size64(r, 'offset_index_offset');
		else if (id === 5) c.offsetIndexLength = size32(r, 'offset_index_length');
		else if (id === 6) c.columnIndexOffset = size64(r, 'column_index_offset');
		else if (id === 7) c.columnIndexLength = size32(r, 'column_index_length');
		else if (id === 8) throw new IcebergError('UNSUPPORTED', `${r.what}: encrypted columns are not supported`);
		else r.skip();
	});
	return complete<ColumnChunk>(r, 'ColumnChunk', c, ['fileOffset', 'metaData']);
}

function readColumnMetaData(r: ThriftReader): ColumnMetaData {
	const c: Draft<ColumnMetaData> = {};
	readStruct(r, (id) => {
		if (id === 1) c.type = enumeration(r, 7, 'type') as PhysicalType;
		else if (id === 2) c.encodings = list(r, ThriftType.I32, () => r.listI32());
		else if (id === 3) c.pathInSchema = list(r, ThriftType.BINARY, () => r.listString());
		else if (id === 4) c.codec = r.fieldI32();
		else if (id === 5) c.numValues = size64(r, 'num_values');
		else if (id === 6) c.totalUncompressedSize = size64(r, 'total_uncompressed_size');
		else if (id === 7) c.totalCompressedSize = size64(r, 'total_compressed_size');
		else if (id === 9) c.dataPageOffset = size64(r, 'data_page_offset');
		else if (id === 10) c.indexPageOffset = size64(r, 'index_page_offset');
		else if (id === 11) c.dictionaryPageOffset = size64(r, 'dictionary_page_offset');
		else if (id === 12) c.statistics = structField(r, readStatistics);
		else if (id === 13) c.encodingStats = structList(r, readEncodingStats);
		else if (id === 14) c.bloomFilterOffset = size64(r, 'bloom_filter_offset');
		else if (id === 15) c.bloomFilterLength = size32(r, 'bloom_filter_length');
		else if (id === 16) c.sizeStatistics = structField(r, readSizeStatistics);
		else r.skip();
	});
	return complete<ColumnMetaData>(r, 'ColumnMetaData', c, [
		'type',
		'encodings',
		'pathInSchema',
		'codec',
		'numValues',
		'totalUncompressedSize',
		'totalCompressedSize',
		'dataPageOffset',
	]);
}

function readStatistics(r: ThriftReader): Statistics {
	const s: Draft<Statistics> = {};
	readStruct(r, (id) => {
		if (id === 1) s.max = r.fieldBinary();
		else if (id === 2) s.min = r.fieldBinary();
		// a negative count is some writers' way to say that they do not know
		else if (id === 3) s.nullCount = knownCount(r.fieldI64());
		else if (id === 4) s.distinctCount = knownCount(r.fieldI64());
		else if (id === 5) s.maxValue = r.fieldBinary();
		else if (id === 6) s.minValue = r.fieldBinary();
		else if (id === 7) s.isMaxValueExact = r.fieldBool();
		else if (id === 8) s.isMinValueExact = r.fieldBool();
		else r.skip();
	});
	return complete<Statistics>(r, 'Statistics', s, []);
}

function knownCount(count: number): number | undefined {
	return count < 0 ? undefined : count;
}

function readEncodingStats(r: ThriftReader): PageEncodingStats {
	const s: Draft<PageEncodingStats> = {};
	readStruct(r, (id) => {
		if (id === 1) s.pageType = r.fieldI32();
		else if (id === 2) s.encoding = r.fieldI32();
		else if (id === 3) s.count = size32(r, 'count');
		else r.skip();
	});
	return complete<PageEncodingStats>(r, 'PageEncodingStats', s, ['pageType', 'encoding', 'count']);
}

function readSizeStatistics(r: ThriftReader): SizeStatistics {
	const s: Draft<SizeStatistics> = {};
	readStruct(r, (id) => {
		if (id === 1) s.unencodedByteArrayDataBytes = size64(r, 'unencoded_byte_array_data_bytes');
		else if (id === 2) s.repetitionLevelHistogram = sizeList(r, 'repetition_level_histogram');
		else if (id === 3) s.definitionLevelHistogram = sizeList(r, 'definition_level_histogram');
		else r.skip();
	});
	return complete<SizeStatistics>(r, 'SizeStatistics', s, []);
}

function readKeyValue(r: ThriftReader): KeyValue {
	const k: Draft<KeyValue> = {};
	readStruct(r, (id) => {
		if (id === 1) k.key = r.fieldString();
		else if (id === 2) k.value = r.fieldString();
		else r.skip();
	});
	return complete<KeyValue>(r, 'KeyValue', k, ['key']);
}

function readColumnOrder(r: ThriftReader): boolean {
	let typeOrder = false;
	readStruct(r, (id) => {
		typeOrder = id === 1;
		r.skip();
	});
	return typeOrder;
}

function readDataPageHeader(r: ThriftReader): DataPageHeader {
	const h: Draft<DataPageHeader> = {};
	readStruct(r, (id) => {
		if (id === 1) h.numValues = size32(r, 'num_values');
		else if (id === 2) h.encoding = r.fieldI32();
		else if (id === 3) h.definitionLevelEncoding = r.fieldI32();
		else if (id === 4) h.repetitionLevelEncoding = r.fieldI32();
		else if (id === 5) h.statistics = structField(r, readStatistics);
		else r.skip();
	});
	return complete<DataPageHeader>(r, 'DataPageHeader', h, [
		'numValues',
		'encoding',
		'definitionLevelEncoding',
		'repetitionLevelEncoding',
	]);
}

function readDictionaryPageHeader(r: ThriftReader): DictionaryPageHeader {
	const h: Draft<DictionaryPageHeader> = {};
	readStruct(r, (id) => {
		if (id === 1) h.numValues = size32(r, 'num_values');
		else if (id === 2) h.encoding = r.fieldI32();
		else if (id === 3) h.isSorted = r.fieldBool();
		else r.skip();
	});
	return complete<DictionaryPageHeader>(r, 'DictionaryPageHeader', h, ['numValues', 'encoding']);
}

function readDataPageHeaderV2(r: ThriftReader): DataPageHeaderV2 {
	const h: Draft<DataPageHeaderV2> = { isCompressed: true };
	readStruct(r, (id) => {
		if (id === 1) h.numValues = size32(r, 'num_values');
		else if (id === 2) h.numNulls = size32(r, 'num_nulls');
		else if (id === 3) h.numRows = size32(r, 'num_rows');
		else if (id === 4) h.encoding = r.fieldI32();
		else if (id === 5) h.definitionLevelsByteLength = size32(r, 'definition_levels_byte_length');
		else if (id === 6) h.repetitionLevelsByteLength = size32(r, 'repetition_levels_byte_length');
		else if (id === 7) h.isCompressed = r.fieldBool();
		else if (id === 8) h.statistics = structField(r, readStatistics);
		else r.skip();
	});
	return complete<DataPageHeaderV2>(r, 'DataPageHeaderV2', h, [
		'numValues',
		'numNulls',
		'numRows',
		'encoding',
		'definitionLevelsByteLength',
		'repetitionLevelsByteLength',
	]);
}

function readPageLocation(r: ThriftReader): PageLocation {
	const l: Draft<PageLocation> = {};
	readStruct(r, (id) => {
		if (id === 1) l.offset = size64(r, 'offset');
		else if (id === 2) l.compressedPageSize = size32(r, 'compressed_page_size');
		else if (id === 3) l.firstRowIndex = size64(r, 'first_row_index');
		else r.skip();
	});
	return complete<PageLocation>(r, 'PageLocation', l, ['offset', 'compressedPageSize', 'firstRowIndex']);
}

function readStruct(r: ThriftReader, onField: (id: number) => void): void {
	r.enter();
	for (let id = r.nextField(0); id !== 0; id = r.nextField(id)) onField(id);
	r.leave();
}

function structField<T>(r: ThriftReader, read: (r: ThriftReader) => T): T {
	r.fieldStruct();
	return read(r);
}

function list<T>(r: ThriftReader, elementType: ThriftType, read: () => T): T[] {
	const size = r.fieldList(elementType);
	const out: T[] = [];
	for (let i = 0; i < size; i++) out.push(read());
	return out;
}

function structList<T>(r: ThriftReader, read: (r: ThriftReader) => T): T[] {
	return list(r, ThriftType.STRUCT, () => read(r));
}

function sizeList(r: ThriftReader, name: string): number[] {
	return list(r, ThriftType.I64, () => notNegative(r, r.listI64(), name));
}

function size32(r: ThriftReader, name: string): number {
	return notNegative(r, r.fieldI32(), name);
}

function size64(r: ThriftReader, name: string): number {
	return notNegative(r, r.fieldI64(), name);
}

function notNegative(r: ThriftReader, value: number, name: string): number {
	if (value < 0) r.fail(`${name} of ${value}`);
	return value;
}

function enumeration(r: ThriftReader, highest: number, name: string): number {
	const value = r.fieldI32();
	if (value < 0 || value > highest) r.fail(`the unknown ${name} ${value}`);
	return value;
}

function complete<T>(r: ThriftReader, name: string, draft: Draft<T>, required: readonly (keyof T & string)[]): T {
	for (const key of required) if (draft[key] === undefined) r.fail(`a ${name} without ${key}`);
	for (const key in draft) if (draft[key] === undefined) delete draft[key];
	return draft as T;
}
