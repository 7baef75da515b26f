/** The type of a manifest list's rows. Iceberg spec: Manifest Lists. */
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { NestedField, StructType, Type } from '../spec/types.ts';
import { LIST, SUMMARY } from './field-ids.ts';

const INT: Type = { kind: 'int' };
const LONG: Type = { kind: 'long' };
const BINARY: Type = { kind: 'binary' };

const FIELD_SUMMARY_TYPE: StructType = {
	kind: 'struct',
	fields: [
		field(
			SUMMARY.containsNull,
			'contains_null',
			{ kind: 'boolean' },
			true,
			'True if any file has a null partition value',
		),
		field(
			SUMMARY.containsNan,
			'contains_nan',
			{ kind: 'boolean' },
			false,
			'True if any file has a nan partition value',
		),
		field(SUMMARY.lowerBound, 'lower_bound', BINARY, false, 'Partition lower bound for all files'),
		field(SUMMARY.upperBound, 'upper_bound', BINARY, false, 'Partition upper bound for all files'),
	],
};
const PARTITIONS: Type = { kind: 'list', elementId: 508, elementRequired: true, element: FIELD_SUMMARY_TYPE };

/** All fields of all format versions, in the order of v3; those that some version lacks are optional. For reading. */
export const MANIFEST_FILE_TYPE: StructType = manifestFileType(3, false);

/**
 * The struct that a format version writes.
 * @param strict whether the fields that the version requires are required
 */
export function manifestFileType(formatVersion: FormatVersion, strict = true): StructType {
	const isV1 = formatVersion === 1;
	const counted = strict && !isV1;
	return {
		kind: 'struct',
		fields: [
			field(LIST.location, 'manifest_path', { kind: 'string' }, true, 'Location URI with FS scheme'),
			field(LIST.length, 'manifest_length', LONG, true, 'Total file size in bytes'),
			field(LIST.specId, 'partition_spec_id', INT, true, 'Spec ID used to write'),
			...(isV1
				? []
				: [
						field(LIST.content, 'content', INT, strict, 'Contents of the manifest: 0=data, 1=deletes'),
						field(LIST.sequenceNumber, 'sequence_number', LONG, strict, 'Sequence number when the manifest was added'),
						field(
							LIST.minSequenceNumber,
							'min_sequence_number',
							LONG,
							strict,
							'Lowest sequence number in the manifest',
						),
					]),
			field(LIST.addedSnapshotId, 'added_snapshot_id', LONG, true, 'Snapshot ID that added the manifest'),
			field(LIST.addedFilesCount, 'added_files_count', INT, counted, 'Added entry count'),
			field(LIST.existingFilesCount, 'existing_files_count', INT, counted, 'Existing entry count'),
			field(LIST.deletedFilesCount, 'deleted_files_count', INT, counted, 'Deleted entry count'),
			field(LIST.addedRowsCount, 'added_rows_count', LONG, counted, 'Added rows count'),
			field(LIST.existingRowsCount, 'existing_rows_count', LONG, counted, 'Existing rows count'),
			field(LIST.deletedRowsCount, 'deleted_rows_count', LONG, counted, 'Deleted rows count'),
			field(LIST.partitions, 'partitions', PARTITIONS, false, 'Summary for each partition'),
			field(LIST.keyMetadata, 'key_metadata', BINARY, false, 'Encryption key metadata blob'),
			...(formatVersion >= 3
				? [
						field(
							LIST.firstRowId,
							'first_row_id',
							LONG,
							false,
							'Starting row ID to assign to new rows in ADDED data files',
						),
					]
				: []),
		],
	};
}

function field(id: number, name: string, type: Type, required: boolean, doc: string): NestedField {
	return { id, name, required, type, doc };
}
