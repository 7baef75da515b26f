/** The updates that make a table. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { type PartitionSpec, UNPARTITIONED, validatePartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { type SortOrder, UNSORTED, validateSortOrder } from '../spec/sort-order.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { MAX_FORMAT_VERSION } from '../spec/table-metadata-json.ts';
import { checkSchemaForTable } from './check-schema.ts';
import { RESERVED_PROPERTIES } from './table-properties.ts';
import type { TableUpdate } from './table-update.ts';

/** The format version of new tables that ask for none. */
export const DEFAULT_FORMAT_VERSION: FormatVersion = 2;

/** Properties that are set for new tables unless they say otherwise: other writers would not all take zstd by default. */
const NEW_TABLE_PROPERTIES: Readonly<Record<string, string>> = { 'write.parquet.compression-codec': 'zstd' };

const COLUMN_METRICS_PREFIX = 'write.metadata.metrics.column.';

export interface NewTable {
	readonly schema: Schema;
	/** Default: unpartitioned. */
	readonly spec?: PartitionSpec;
	/** Default: unsorted. */
	readonly sortOrder?: SortOrder;
	readonly location: string;
	readonly properties?: Readonly<Record<string, string>>;
	/** Default {@link DEFAULT_FORMAT_VERSION}. */
	readonly formatVersion?: FormatVersion;
	readonly uuid: string;
}

/**
 * The updates that make a new table, checked as a whole. Field ids are the schema's own; those of partition fields count
 * from 1000.
 *
 * @throws `INVALID_SCHEMA` for a schema, spec or order that the format version does not take; `INVALID_ARGUMENT` for
 *   properties that cannot be set; `UNSUPPORTED` for an unknown format version
 */
export function newTableUpdates(table: NewTable): TableUpdate[] {
	const { schema, location, uuid } = table;
	const spec = table.spec ?? UNPARTITIONED;
	const sortOrder = table.sortOrder ?? UNSORTED;
	const formatVersion = table.formatVersion ?? DEFAULT_FORMAT_VERSION;
	if (!Number.isInteger(formatVersion) || formatVersion < 1 || formatVersion > MAX_FORMAT_VERSION) {
		throw new IcebergError(
			'UNSUPPORTED',
			`there is no format version ${String(formatVersion)} (there are 1 to ${MAX_FORMAT_VERSION})`,
		);
	}
	if (location === '') throw new IcebergError('INVALID_ARGUMENT', 'a table needs a location');
	checkSchemaForTable(schema, [], formatVersion);
	if (schema.fields.length === 0) throw new IcebergError('INVALID_SCHEMA', 'a table needs at least one column');
	validatePartitionSpec(spec, schema);
	validateSortOrder(sortOrder, schema);
	const properties = { ...NEW_TABLE_PROPERTIES, ...table.properties };
	checkProperties(properties, schema);
	return [
		{ action: 'assign-uuid', uuid },
		{ action: 'upgrade-format-version', formatVersion },
		{ action: 'set-location', location },
		{ action: 'add-schema', schema, lastColumnId: schema.highestFieldId },
		{ action: 'set-current-schema', schemaId: -1 },
		{ action: 'add-spec', spec },
		{ action: 'set-default-spec', specId: -1 },
		{ action: 'add-sort-order', sortOrder },
		{ action: 'set-default-sort-order', sortOrderId: -1 },
		{ action: 'set-properties', updates: properties },
	];
}

function checkProperties(properties: Readonly<Record<string, string>>, schema: Schema): void {
	for (const [key, value] of Object.entries(properties)) {
		if (typeof value !== 'string') {
			throw new IcebergError('INVALID_ARGUMENT', `the property '${key}' has to be text, not ${String(value)}`);
		}
		if (RESERVED_PROPERTIES.has(key)) {
			throw new IcebergError(
				'INVALID_ARGUMENT',
				`the property '${key}' is reserved: it stands elsewhere in the metadata`,
			);
		}
		const column = key.startsWith(COLUMN_METRICS_PREFIX) ? key.slice(COLUMN_METRICS_PREFIX.length) : undefined;
		if (column !== undefined && schema.findFieldByName(column) === undefined) {
			throw new IcebergError(
				'INVALID_ARGUMENT',
				`the property '${key}' names a column that is not in the schema: '${column}'`,
			);
		}
	}
}
