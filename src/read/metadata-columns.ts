/** Iceberg spec: Reserved Field IDs. Columns that a reader makes rather than finds in the file. */
import type { NestedField } from '../spec/types.ts';

const RESERVED = 2147483647;

/** location of the row's file */
export const FILE_COLUMN: NestedField = { id: RESERVED - 1, name: '_file', required: true, type: { kind: 'string' } };
/** position of the row in its file */
export const POS_COLUMN: NestedField = { id: RESERVED - 2, name: '_pos', required: true, type: { kind: 'long' } };
/** id of the partition spec that the row's file was written with */
export const SPEC_ID_COLUMN: NestedField = {
	id: RESERVED - 4,
	name: '_spec_id',
	required: true,
	type: { kind: 'int' },
};
/** v3 row lineage: assigned once, kept for ever; null where the table had none when the row was written */
export const ROW_ID_COLUMN: NestedField = {
	id: RESERVED - 107,
	name: '_row_id',
	required: false,
	type: { kind: 'long' },
};
/** v3 row lineage: sequence number of the commit that last changed the row */
export const LAST_UPDATED_COLUMN: NestedField = {
	id: RESERVED - 108,
	name: '_last_updated_sequence_number',
	required: false,
	type: { kind: 'long' },
};

const ALL = [FILE_COLUMN, POS_COLUMN, SPEC_ID_COLUMN, ROW_ID_COLUMN, LAST_UPDATED_COLUMN];

/** A metadata column by its name; a column of the table with that name hides it. */
export function metadataColumn(name: string): NestedField | undefined {
	return ALL.find((field) => field.name === name);
}

/** True for ids that the spec keeps for metadata columns. */
export function isMetadataColumn(id: number): boolean {
	return ALL.some((field) => field.id === id);
}
