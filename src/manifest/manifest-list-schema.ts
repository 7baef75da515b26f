/** The type of a manifest list's rows. Iceberg spec: Manifest Lists. */
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

/** All fields of all format versions, in the order of v3; those that some version lacks are optional. */
export const MANIFEST_FILE_TYPE: StructType = {
	kind: 'struct',
	fields: [
		field(LIST.location, 'manifest_path', { kind: 'string' }, true),
		field(LIST.length, 'manifest_length', LONG, true),
		field(LIST.specId, 'partition_spec_id', INT, true),
		field(LIST.content, 'content', INT, false),
		field(LIST.sequenceNumber, 'sequence_number', LONG, false),
		field(LIST.minSequenceNumber, 'min_sequence_number', LONG, false),
		field(LIST.addedSnapshotId, 'added_snapshot_id', LONG, true),
		field(LIST.addedFilesCount, 'added_files_count', INT, false),
		field(LIST.existingFilesCount, 'existing_files_count', INT, false),
		field(LIST.deletedFilesCount, 'deleted_files_count', INT, false),
		field(LIST.addedRowsCount, 'added_rows_count', LONG, false),
		field(LIST.existingRowsCount, 'existing_rows_count', LONG, false),
		field(LIST.deletedRowsCount, 'deleted_rows_count', LONG, false),
		field(
			LIST.partitions,
			'partitions',
			{ kind: 'list', elementId: 508, elementRequired: true, element: FIELD_SUMMARY_TYPE },
			false,
		),
		field(LIST.keyMetadata, 'key_metadata', BINARY, false),
		field(LIST.firstRowId, 'first_row_id', LONG, false),
	],
};

function field(id: number, name: string, type: Type, required: boolean): NestedField {
	return { id, name, required, type };
}
