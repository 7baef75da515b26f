/** The type of a manifest list's rows, without texts that explain them. Iceberg spec: Manifest Lists. */
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { NestedField, StructType, Type } from '../spec/types.ts';
import { LIST, SUMMARY } from './field-ids.ts';

const INT: Type = { kind: 'int' };
const LONG: Type = { kind: 'long' };
const BINARY: Type = { kind: 'binary' };

const FIELD_SUMMARY_TYPE: StructType = {
	kind: 'struct',
	fields: [
		field(SUMMARY.containsNull, 'contains_null', { kind: 'boolean' }, true),
		field(SUMMARY.containsNan, 'contains_nan', { kind: 'boolean' }, false),
		field(SUMMARY.lowerBound, 'lower_bound', BINARY, false),
		field(SUMMARY.upperBound, 'upper_bound', BINARY, false),
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
			field(LIST.location, 'manifest_path', { kind: 'string' }, true),
			field(LIST.length, 'manifest_length', LONG, true),
			field(LIST.specId, 'partition_spec_id', INT, true),
			...(isV1
				? []
				: [
						field(LIST.content, 'content', INT, strict),
						field(LIST.sequenceNumber, 'sequence_number', LONG, strict),
						field(LIST.minSequenceNumber, 'min_sequence_number', LONG, strict),
					]),
			field(LIST.addedSnapshotId, 'added_snapshot_id', LONG, true),
			field(LIST.addedFilesCount, 'added_files_count', INT, counted),
			field(LIST.existingFilesCount, 'existing_files_count', INT, counted),
			field(LIST.deletedFilesCount, 'deleted_files_count', INT, counted),
			field(LIST.addedRowsCount, 'added_rows_count', LONG, counted),
			field(LIST.existingRowsCount, 'existing_rows_count', LONG, counted),
			field(LIST.deletedRowsCount, 'deleted_rows_count', LONG, counted),
			field(LIST.partitions, 'partitions', PARTITIONS, false),
			field(LIST.keyMetadata, 'key_metadata', BINARY, false),
			...(formatVersion >= 3 ? [field(LIST.firstRowId, 'first_row_id', LONG, false)] : []),
		],
	};
}

function field(id: number, name: string, type: Type, required: boolean): NestedField {
	return { id, name, required, type };
}
