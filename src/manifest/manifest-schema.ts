/**
 * The types of manifest rows by format version, without texts that explain them: they would stand in each manifest.
 * Iceberg spec: Manifest Entry Fields, Data File Fields.
 */
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
		...since(2, version, required(FILE.content, 'content', INT)),
		required(FILE.location, 'file_path', STRING),
		required(FILE.format, 'file_format', STRING),
		required(FILE.partition, 'partition', partition),
		required(FILE.recordCount, 'record_count', LONG),
		required(FILE.fileSizeInBytes, 'file_size_in_bytes', LONG),
		...(version === 1 ? [required(FILE.blockSizeInBytes, 'block_size_in_bytes', LONG)] : []),
		optional(FILE.columnSizes, 'column_sizes', map(117, 118, LONG)),
		optional(FILE.valueCounts, 'value_counts', map(119, 120, LONG)),
		optional(FILE.nullValueCounts, 'null_value_counts', map(121, 122, LONG)),
		optional(FILE.nanValueCounts, 'nan_value_counts', map(138, 139, LONG)),
		optional(FILE.lowerBounds, 'lower_bounds', map(126, 127, BINARY)),
		optional(FILE.upperBounds, 'upper_bounds', map(129, 130, BINARY)),
		optional(FILE.keyMetadata, 'key_metadata', BINARY),
		optional(FILE.splitOffsets, 'split_offsets', list(133, LONG)),
		...since(2, version, optional(FILE.equalityIds, 'equality_ids', list(136, INT))),
		optional(FILE.sortOrderId, 'sort_order_id', INT),
		...since(3, version, optional(FILE.firstRowId, 'first_row_id', LONG)),
		...since(2, version, optional(FILE.referencedDataFile, 'referenced_data_file', STRING)),
		...since(3, version, optional(FILE.contentOffset, 'content_offset', LONG)),
		...since(3, version, optional(FILE.contentSizeInBytes, 'content_size_in_bytes', LONG)),
	];
}

function since(first: FormatVersion, version: FormatVersion, field: NestedField): NestedField[] {
	return version >= first ? [field] : [];
}

function required(id: number, name: string, type: Type): NestedField {
	return { id, name, required: true, type };
}

function optional(id: number, name: string, type: Type): NestedField {
	return { id, name, required: false, type };
}

function map(keyId: number, valueId: number, value: Type): Type {
	return { kind: 'map', keyId, key: INT, valueId, valueRequired: true, value };
}

function list(elementId: number, element: Type): Type {
	return { kind: 'list', elementId, elementRequired: true, element };
}
