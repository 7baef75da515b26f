/** Iceberg spec: Reserved Field IDs. Columns that a reader makes rather than finds in the file. */
import type { TableMetadata } from '../spec/table-metadata.ts';
import { partitionTypeIn } from '../spec/table-metadata-lookup.ts';
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

/** Id of `_partition`, whose type depends on the table. */
export const PARTITION_COLUMN_ID = RESERVED - 5;

/**
 * The partition of the row's file: a struct of all partition fields that any spec of the table has; null in those that the
 * file's own spec lacks. `undefined` for a table that never had one.
 */
export function partitionColumn(metadata: TableMetadata): NestedField | undefined {
	const fields = new Map<number, NestedField>();
	const names = new Set<string>();
	for (const spec of metadata.partitionSpecs.toSorted((a, b) => b.specId - a.specId)) {
		const { fields: types } = partitionTypeIn(metadata, spec);
		spec.fields.forEach(({ fieldId, name, transform }, i) => {
			// a field that was replaced may leave its name behind with a void one
			if (fields.has(fieldId) || names.has(name) || transform.kind === 'unknown') return;
			fields.set(fieldId, types[i] as NestedField);
			names.add(name);
		});
	}
	if (fields.size === 0) return undefined;
	const type = { kind: 'struct', fields: [...fields.values()] } as const;
	return { id: PARTITION_COLUMN_ID, name: '_partition', required: false, type };
}

/**
 * A metadata column by its name; a column of the table with that name hides it. `_partition` needs the table's metadata.
 */
export function metadataColumn(name: string, metadata?: TableMetadata): NestedField | undefined {
	if (name === '_partition') return metadata === undefined ? undefined : partitionColumn(metadata);
	return ALL.find((field) => field.name === name);
}

/** True for ids that the spec keeps for metadata columns. */
export function isMetadataColumn(id: number): boolean {
	return id === PARTITION_COLUMN_ID || ALL.some((field) => field.id === id);
}
