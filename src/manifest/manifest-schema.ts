/** The types of manifest rows by format version. Iceberg spec: Manifest Entry Fields, Data File Fields. */
import type { NestedField, StructType, Type } from '../spec/types.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { ENTRY, FILE } from './field-ids.ts';

const INT: Type = { kind: 'int' };
const LONG: Type = { kind: 'long' };
const STRING: Type = { kind: 'string' };
const BINARY: Type = { kind: 'binary' };

/** The `manifest_entry` struct that the format version writes, around a partition tuple. */
export function manifestEntryType(formatVersion: FormatVersion, partition: StructType): StructType {
	const file: StructType = { kind: 'struct', fields: dataFileFields(formatVersion, partition) };
	const isV1 = formatVersion === 1;
	return {
		kind: 'struct',
		fields: [
			required(ENTRY.status, 'status', INT),
			{ id: ENTRY.snapshotId, name: 'snapshot_id', required: isV1, type: LONG },
			...(isV1
				? []
				: [
						optional(ENTRY.sequenceNumber, 'sequence_number', LONG),
						optional(ENTRY.fileSequenceNumber, 'file_sequence_number', LONG),
					]),
			required(ENTRY.dataFile, 'data_file', file),
		],
	};
}

function dataFileFields(version: FormatVersion, partition: StructType): NestedField[] {
	return [
		...since(
			2,
			version,
			required(FILE.content, 'content', INT, 'Contents of the file: 0=data, 1=position deletes, 2=equality deletes'),
		),
		required(FILE.location, 'file_path', STRING, 'Location URI with FS scheme'),
		required(FILE.format, 'file_format', STRING, 'File format name: avro, orc, or parquet'),
		required(FILE.partition, 'partition', partition, 'Partition data tuple, schema based on the partition spec'),
		required(FILE.recordCount, 'record_count', LONG, 'Number of records in the file'),
		required(FILE.fileSizeInBytes, 'file_size_in_bytes', LONG, 'Total file size in bytes'),
		...(version === 1 ? [required(FILE.blockSizeInBytes, 'block_size_in_bytes', LONG)] : []),
		optional(FILE.columnSizes, 'column_sizes', map(117, 118, LONG), 'Map of column id to total size on disk'),
		optional(FILE.valueCounts, 'value_counts', map(119, 120, LONG), 'Map of column id to total count'),
		optional(FILE.nullValueCounts, 'null_value_counts', map(121, 122, LONG), 'Map of column id to null value count'),
		optional(FILE.nanValueCounts, 'nan_value_counts', map(138, 139, LONG), 'Map of column id to number of NaN values'),
		optional(FILE.lowerBounds, 'lower_bounds', map(126, 127, BINARY), 'Map of column id to lower bound'),
		optional(FILE.upperBounds, 'upper_bounds', map(129, 130, BINARY), 'Map of column id to upper bound'),
		optional(FILE.keyMetadata, 'key_metadata', BINARY, 'Encryption key metadata blob'),
		optional(FILE.splitOffsets, 'split_offsets', list(133, LONG), 'Splittable offsets'),
		...since(2, version, optional(FILE.equalityIds, 'equality_ids', list(136, INT), 'Equality comparison field IDs')),
		optional(FILE.sortOrderId, 'sort_order_id', INT, 'Sort order ID'),
		...since(3, version, optional(FILE.firstRowId, 'first_row_id', LONG, 'Row ID of the first row in the data file')),
		...since(
			2,
			version,
			optional(
				FILE.referencedDataFile,
				'referenced_data_file',
				STRING,
				'Fully qualified location (URI with FS scheme) of a data file that all deletes reference',
			),
		),
		...since(3, version, optional(FILE.contentOffset, 'content_offset', LONG, 'Where the content starts in the file')),
		...since(3, version, optional(FILE.contentSizeInBytes, 'content_size_in_bytes', LONG, 'Length of the content')),
	];
}

function since(first: FormatVersion, version: FormatVersion, field: NestedField): NestedField[] {
	return version >= first ? [field] : [];
}

function required(id: number, name: string, type: Type, doc?: string): NestedField {
	return { id, name, required: true, type, ...(doc === undefined ? {} : { doc }) };
}

function optional(id: number, name: string, type: Type, doc?: string): NestedField {
	return { id, name, required: false, type, ...(doc === undefined ? {} : { doc }) };
}

function map(keyId: number, valueId: number, value: Type): Type {
	return { kind: 'map', keyId, key: INT, valueId, valueRequired: true, value };
}

function list(elementId: number, element: Type): Type {
	return { kind: 'list', elementId, elementRequired: true, element };
}
