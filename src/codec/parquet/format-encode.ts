/** Parquet's metadata structures to bytes: the inverse of format-decode.ts. */
import type {
	ColumnChunk,
	ColumnIndex,
	ColumnMetaData,
	FileMetaData,
	LogicalType,
	OffsetIndex,
	PageHeader,
	RowGroup,
	SchemaElement,
	SizeStatistics,
	Statistics,
	TimeUnit,
} from './format.ts';
import { ThriftType, ThriftWriter } from './thrift.ts';

export function encodeFileMetaData(m: FileMetaData): Uint8Array {
	const w = new ThriftWriter(4096);
	w.beginStruct();
	w.i32Field(1, m.version);
	w.listField(2, ThriftType.STRUCT, m.schema.length);
	for (const element of m.schema) writeSchemaElement(w, element);
	w.i64Field(3, m.numRows);
	w.listField(4, ThriftType.STRUCT, m.rowGroups.length);
	for (const group of m.rowGroups) writeRowGroup(w, group);
	if (m.keyValueMetadata.length > 0) {
		w.listField(5, ThriftType.STRUCT, m.keyValueMetadata.length);
		for (const { key, value } of m.keyValueMetadata) {
			w.beginStruct();
			w.stringField(1, key);
			if (value !== undefined) w.stringField(2, value);
			w.endStruct();
		}
	}
	if (m.createdBy !== undefined) w.stringField(6, m.createdBy);
	if (m.columnOrders !== undefined) {
		w.listField(7, ThriftType.STRUCT, m.columnOrders.length);
		for (let i = 0; i < m.columnOrders.length; i++) {
			w.beginStruct();
			w.structField(1);
			w.endStruct();
			w.endStruct();
		}
	}
	w.endStruct();
	return w.finish();
}

export function encodePageHeader(h: PageHeader): Uint8Array {
	const w = new ThriftWriter(64);
	w.beginStruct();
	w.i32Field(1, h.type);
	w.i32Field(2, h.uncompressedPageSize);
	w.i32Field(3, h.compressedPageSize);
	if (h.crc !== undefined) w.i32Field(4, h.crc);
	if (h.dataPageHeader !== undefined) {
		const d = h.dataPageHeader;
		w.structField(5);
		w.i32Field(1, d.numValues);
		w.i32Field(2, d.encoding);
		w.i32Field(3, d.definitionLevelEncoding);
		w.i32Field(4, d.repetitionLevelEncoding);
		if (d.statistics !== undefined) writeStatistics(w, 5, d.statistics);
		w.endStruct();
	}
	if (h.dictionaryPageHeader !== undefined) {
		const d = h.dictionaryPageHeader;
		w.structField(7);
		w.i32Field(1, d.numValues);
		w.i32Field(2, d.encoding);
		if (d.isSorted !== undefined) w.boolField(3, d.isSorted);
		w.endStruct();
	}
	if (h.dataPageHeaderV2 !== undefined) {
		const d = h.dataPageHeaderV2;
		w.structField(8);
		w.i32Field(1, d.numValues);
		w.i32Field(2, d.numNulls);
		w.i32Field(3, d.numRows);
		w.i32Field(4, d.encoding);
		w.i32Field(5, d.definitionLevelsByteLength);
		w.i32Field(6, d.repetitionLevelsByteLength);
		w.boolField(7, d.isCompressed);
		if (d.statistics !== undefined) writeStatistics(w, 8, d.statistics);
		w.endStruct();
	}
	w.endStruct();
	return w.finish();
}

export function encodeColumnIndex(c: ColumnIndex): Uint8Array {
	const w = new ThriftWriter(128);
	w.beginStruct();
	w.listField(1, ThriftType.TRUE, c.nullPages.length);
	for (const allNull of c.nullPages) w.bool(allNull);
	w.listField(2, ThriftType.BINARY, c.minValues.length);
	for (const value of c.minValues) w.binary(value);
	w.listField(3, ThriftType.BINARY, c.maxValues.length);
	for (const value of c.maxValues) w.binary(value);
	w.i32Field(4, c.boundaryOrder);
	if (c.nullCounts !== undefined) integerList(w, 5, c.nullCounts);
	w.endStruct();
	return w.finish();
}

export function encodeOffsetIndex(o: OffsetIndex): Uint8Array {
	const w = new ThriftWriter(128);
	w.beginStruct();
	w.listField(1, ThriftType.STRUCT, o.pageLocations.length);
	for (const location of o.pageLocations) {
		w.beginStruct();
		w.i64Field(1, location.offset);
		w.i32Field(2, location.compressedPageSize);
		w.i64Field(3, location.firstRowIndex);
		w.endStruct();
	}
	w.endStruct();
	return w.finish();
}

function writeSchemaElement(w: ThriftWriter, e: SchemaElement): void {
	w.beginStruct();
	if (e.type !== undefined) w.i32Field(1, e.type);
	if (e.typeLength !== undefined) w.i32Field(2, e.typeLength);
	if (e.repetition !== undefined) w.i32Field(3, e.repetition);
	w.stringField(4, e.name);
	if (e.numChildren !== undefined) w.i32Field(5, e.numChildren);
	if (e.convertedType !== undefined) w.i32Field(6, e.convertedType);
	if (e.scale !== undefined) w.i32Field(7, e.scale);
	if (e.precision !== undefined) w.i32Field(8, e.precision);
	if (e.fieldId !== undefined) w.i32Field(9, e.fieldId);
	if (e.logicalType !== undefined) writeLogicalType(w, e.logicalType);
	w.endStruct();
}

const PLAIN_LOGICAL_TYPE_IDS: Readonly<Record<string, number>> = {
	string: 1,
	map: 2,
	list: 3,
	enum: 4,
	date: 6,
	unknown: 11,
	json: 12,
	bson: 13,
	uuid: 14,
	float16: 15,
};
const UNIT_IDS: Readonly<Record<TimeUnit, number>> = { millis: 1, micros: 2, nanos: 3 };

/** `interval` has only a converted type, and an unrecognised type cannot be written: both leave the field out. */
function writeLogicalType(w: ThriftWriter, type: LogicalType): void {
	if (type.kind === 'interval' || type.kind === 'unrecognised') return;
	w.structField(10);
	switch (type.kind) {
		case 'decimal':
			w.structField(5);
			w.i32Field(1, type.scale);
			w.i32Field(2, type.precision);
			break;
		case 'time':
		case 'timestamp':
			w.structField(type.kind === 'time' ? 7 : 8);
			w.boolField(1, type.isAdjustedToUtc);
			w.structField(2);
			w.structField(UNIT_IDS[type.unit]);
			w.endStruct();
			w.endStruct();
			break;
		case 'integer':
			w.structField(10);
			w.i8Field(1, type.bitWidth);
			w.boolField(2, type.isSigned);
			break;
		case 'variant':
			w.structField(16);
			w.i8Field(1, type.specificationVersion);
			break;
		case 'geometry':
			w.structField(17);
			if (type.crs !== undefined) w.stringField(1, type.crs);
			break;
		case 'geography':
			w.structField(18);
			if (type.crs !== undefined) w.stringField(1, type.crs);
			if (type.algorithm !== undefined) w.i32Field(2, type.algorithm);
			break;
		default:
			w.structField(PLAIN_LOGICAL_TYPE_IDS[type.kind] as number);
	}
	w.endStruct();
	w.endStruct();
}

function writeRowGroup(w: ThriftWriter, g: RowGroup): void {
	w.beginStruct();
	w.listField(1, ThriftType.STRUCT, g.columns.length);
	for (const chunk of g.columns) writeColumnChunk(w, chunk);
	w.i64Field(2, g.totalByteSize);
	w.i64Field(3, g.numRows);
	if (g.fileOffset !== undefined) w.i64Field(5, g.fileOffset);
	if (g.totalCompressedSize !== undefined) w.i64Field(6, g.totalCompressedSize);
	if (g.ordinal !== undefined) w.i16Field(7, g.ordinal);
	w.endStruct();
}

function writeColumnChunk(w: ThriftWriter, c: ColumnChunk): void {
	w.beginStruct();
	if (c.filePath !== undefined) w.stringField(1, c.filePath);
	w.i64Field(2, c.fileOffset);
	writeColumnMetaData(w, 3, c.metaData);
	if (c.offsetIndexOffset !== undefined) w.i64Field(4, c.offsetIndexOffset);
	if (c.offsetIndexLength !== undefined) w.i32Field(5, c.offsetIndexLength);
	if (c.columnIndexOffset !== undefined) w.i64Field(6, c.columnIndexOffset);
	if (c.columnIndexLength !== undefined) w.i32Field(7, c.columnIndexLength);
	w.endStruct();
}

function writeColumnMetaData(w: ThriftWriter, id: number, c: ColumnMetaData): void {
	w.structField(id);
	w.i32Field(1, c.type);
	integerList(w, 2, c.encodings, ThriftType.I32);
	w.listField(3, ThriftType.BINARY, c.pathInSchema.length);
	for (const name of c.pathInSchema) w.string(name);
	w.i32Field(4, c.codec);
	w.i64Field(5, c.numValues);
	w.i64Field(6, c.totalUncompressedSize);
	w.i64Field(7, c.totalCompressedSize);
	w.i64Field(9, c.dataPageOffset);
	if (c.indexPageOffset !== undefined) w.i64Field(10, c.indexPageOffset);
	if (c.dictionaryPageOffset !== undefined) w.i64Field(11, c.dictionaryPageOffset);
	if (c.statistics !== undefined) writeStatistics(w, 12, c.statistics);
	if (c.encodingStats !== undefined) {
		w.listField(13, ThriftType.STRUCT, c.encodingStats.length);
		for (const stats of c.encodingStats) {
			w.beginStruct();
			w.i32Field(1, stats.pageType);
			w.i32Field(2, stats.encoding);
			w.i32Field(3, stats.count);
			w.endStruct();
		}
	}
	if (c.bloomFilterOffset !== undefined) w.i64Field(14, c.bloomFilterOffset);
	if (c.bloomFilterLength !== undefined) w.i32Field(15, c.bloomFilterLength);
	if (c.sizeStatistics !== undefined) writeSizeStatistics(w, 16, c.sizeStatistics);
	w.endStruct();
}

function writeStatistics(w: ThriftWriter, id: number, s: Statistics): void {
	w.structField(id);
	if (s.max !== undefined) w.binaryField(1, s.max);
	if (s.min !== undefined) w.binaryField(2, s.min);
	if (s.nullCount !== undefined) w.i64Field(3, s.nullCount);
	if (s.distinctCount !== undefined) w.i64Field(4, s.distinctCount);
	if (s.maxValue !== undefined) w.binaryField(5, s.maxValue);
	if (s.minValue !== undefined) w.binaryField(6, s.minValue);
	if (s.isMaxValueExact !== undefined) w.boolField(7, s.isMaxValueExact);
	if (s.isMinValueExact !== undefined) w.boolField(8, s.isMinValueExact);
	w.endStruct();
}

function writeSizeStatistics(w: ThriftWriter, id: number, s: SizeStatistics): void {
	w.structField(id);
	if (s.unencodedByteArrayDataBytes !== undefined) w.i64Field(1, s.unencodedByteArrayDataBytes);
	if (s.repetitionLevelHistogram !== undefined) integerList(w, 2, s.repetitionLevelHistogram);
	if (s.definitionLevelHistogram !== undefined) integerList(w, 3, s.definitionLevelHistogram);
	w.endStruct();
}

function integerList(
	w: ThriftWriter,
	id: number,
	values: readonly number[],
	type: typeof ThriftType.I32 | typeof ThriftType.I64 = ThriftType.I64,
): void {
	w.listField(id, type, values.length);
	for (const value of values) w.integer(value);
}
