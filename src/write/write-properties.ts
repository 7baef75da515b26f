/** Table properties that say how data files are written. Iceberg: Configuration, Write properties. */
import type { MetricsMode, ParquetCodec, ParquetWriteOptions } from '../codec/parquet/api.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import {
	booleanProperty,
	choiceProperty,
	integerProperty,
	type Properties,
	textProperty,
} from '../metadata/table-properties.ts';
import type { Schema } from '../spec/schema.ts';
import { type SortOrder, UNSORTED } from '../spec/sort-order.ts';
import type { NestedField, Type } from '../spec/types.ts';

const CODECS: readonly ParquetCodec[] = ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw'];
const METRICS_DEFAULT = 'write.metadata.metrics.default';
const METRICS_COLUMN = 'write.metadata.metrics.column.';
const INFERRED_COLUMNS = 'write.metadata.metrics.max-inferred-column-defaults';
const DEFAULT_TARGET_FILE_SIZE_BYTES = 512 * 1024 * 1024;
const DEFAULT_INFERRED_COLUMNS = 100;
const DEFAULT_MODE: MetricsMode = { truncate: 16 };

/** @throws `INVALID_ARGUMENT` for a value that makes no sense, `UNSUPPORTED` for a format that cannot be written */
export function targetFileSizeBytes(properties: Properties): number {
	const format = textProperty(properties, 'write.format.default')?.toLowerCase() ?? 'parquet';
	if (format !== 'parquet') {
		throw new IcebergError('UNSUPPORTED', `write.format.default is '${format}'; only parquet can be written`, {
			context: { property: 'write.format.default', value: format },
		});
	}
	return targetFileSize(properties);
}

function targetFileSize(properties: Properties): number {
	return integerProperty(properties, 'write.target-file-size-bytes', DEFAULT_TARGET_FILE_SIZE_BYTES, { min: 1 });
}

/** @throws `INVALID_ARGUMENT` naming property and value */
export function parquetOptions(properties: Properties, schema: Schema, order: SortOrder): ParquetWriteOptions {
	const integer = (name: string, fallback: number): number => integerProperty(properties, name, fallback, { min: 1 });
	const codec = choiceProperty(properties, 'write.parquet.compression-codec', CODECS, 'zstd');
	const level = textProperty(properties, 'write.parquet.compression-level');
	return {
		codec,
		...(level === undefined
			? {}
			: { codecLevel: integerProperty(properties, 'write.parquet.compression-level', 3, { max: 22 }) }),
		rowGroupSizeBytes: integer('write.parquet.row-group-size-bytes', 128 * 1024 * 1024),
		pageSizeBytes: integer('write.parquet.page-size-bytes', 1024 * 1024),
		pageRowLimit: integer('write.parquet.page-row-limit', 20_000),
		dictSizeBytes: integer('write.parquet.dict-size-bytes', 2 * 1024 * 1024),
		pageVersion: choiceProperty(properties, 'write.parquet.page-version', ['v1', 'v2'], 'v1') === 'v2' ? 2 : 1,
		metricsMode: metricsModes(properties, schema, order),
	};
}

/**
 * Checks properties that are about to be set: those of this module make sense. A format that cannot be written may be
 * asked for; it is other engines that then write.
 * @throws `INVALID_ARGUMENT` naming property and value
 */
export function checkWriteProperties(properties: Properties, schema: Schema): void {
	parquetOptions(properties, schema, UNSORTED);
	targetFileSize(properties);
	for (const name of ['write.object-storage.enabled', 'write.object-storage.partitioned-paths'])
		booleanProperty(properties, name, false);
}

/**
 * The metrics mode of each column: its own property, else the default property; without one, `truncate(16)` for the first
 * hundred columns and `none` for further ones. Columns of the sort order keep bounds.
 */
export function metricsModes(
	properties: Properties,
	schema: Schema,
	order: SortOrder,
): (fieldId: number) => MetricsMode {
	const given = textProperty(properties, METRICS_DEFAULT);
	const fallback = given === undefined ? DEFAULT_MODE : parseMode(METRICS_DEFAULT, given);
	const modes = new Map<number, MetricsMode>();
	if (given === undefined) {
		const limit = integerProperty(properties, INFERRED_COLUMNS, DEFAULT_INFERRED_COLUMNS);
		leavesInOrder(schema.fields).forEach((id, i) => {
			if (i >= limit) modes.set(id, 'none');
		});
	}
	for (const { sourceId } of order.fields) {
		const mode = modes.get(sourceId) ?? fallback;
		if (mode === 'none' || mode === 'counts') modes.set(sourceId, DEFAULT_MODE);
	}
	for (const [name, value] of Object.entries(properties)) {
		if (!name.startsWith(METRICS_COLUMN)) continue;
		const field = schema.findFieldByName(name.slice(METRICS_COLUMN.length));
		// A column that has been dropped or renamed since is no reason to refuse a write.
		if (field !== undefined) modes.set(field.id, parseMode(name, value));
	}
	return (fieldId) => modes.get(fieldId) ?? fallback;
}

function parseMode(property: string, text: string): MetricsMode {
	const mode = text.trim().toLowerCase();
	if (mode === 'none' || mode === 'counts' || mode === 'full') return mode;
	const width = /^truncate\((\d{1,9})\)$/.exec(mode)?.[1];
	if (width !== undefined && Number(width) > 0) return { truncate: Number(width) };
	throw new IcebergError('INVALID_ARGUMENT', `${property} is none, counts, truncate(n) or full, not '${text}'`, {
		context: { property, value: text },
	});
}

/** Leaves level by level, so that columns count before what is nested in them. */
function leavesInOrder(fields: readonly NestedField[]): number[] {
	const leaves: number[] = [];
	let level: { readonly id: number; readonly type: Type }[] = [...fields];
	while (level.length > 0) {
		const next: typeof level = [];
		for (const { id, type } of level) {
			if (type.kind === 'struct') next.push(...type.fields);
			else if (type.kind === 'list') next.push({ id: type.elementId, type: type.element });
			else if (type.kind === 'map')
				next.push({ id: type.keyId, type: type.key }, { id: type.valueId, type: type.value });
			else leaves.push(id);
		}
		level = next;
	}
	return leaves;
}
