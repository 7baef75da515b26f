/** DataShard: ACID tables on plain files, each an Apache Iceberg table. */
export {
	createTable,
	type CreateTableOptions,
	dropTable,
	loadTable,
	type LoadTableOptions,
} from './catalog/open-table.ts';
export type { DropOptions, DropResult } from './catalog/drop-folder-table.ts';
export { type ColumnInput, columns, type ColumnsInput } from './column/columns-input.ts';
export type { ArrowLike } from './column/arrow-in.ts';
export type { ColumnBatch, Vector } from './column/vector.ts';
export {
	IcebergError,
	type IcebergErrorCode,
	type IcebergErrorOptions,
	isIcebergError,
} from './errors/iceberg-error.ts';
export {
	alwaysFalse,
	alwaysTrue,
	and,
	eq,
	gt,
	gtEq,
	isIn,
	isNaN_,
	isNull,
	lt,
	ltEq,
	not,
	notEq,
	notIn,
	notNaN,
	notNull,
	notStartsWith,
	or,
	startsWith,
} from './expr/builders.ts';
export type { Expression, LiteralInput } from './expr/expression.ts';
export { parseWhere } from './expr/parse-where.ts';
export { toText } from './expr/to-text.ts';
export { formatOfName, openImport, type OpenImportOptions } from './import/open-import.ts';
export type { ImportFormat, ImportSource, InferredSchema } from './import/import-source.ts';
export { parseSchemaText } from './import/schema-text.ts';
export type { FileEntry, FileIO, FolderEvent, FolderListener, InputFile, OutputFile } from './io/file-io.ts';
export { LocalFileIO, type LocalFileIOOptions } from './io/local-file-io.ts';
export { MemoryFileIO } from './io/memory-file-io.ts';
export type { CleanedFile, CleanedFileKind, CleanupReport, KeptFile } from './maintenance/cleanup-report.ts';
export type { CompactOptions, CompactResult, SkippedFile } from './maintenance/compact.ts';
export type { ExpireOptions, ExpireResult } from './maintenance/expire-snapshots.ts';
export type { MaintainableTable } from './maintenance/maintainable-table.ts';
export type { RemoveOrphansOptions, RemoveOrphansResult } from './maintenance/remove-orphans.ts';
export type { RewriteManifestsResult, RewriteTableManifestsOptions } from './maintenance/rewrite-manifests.ts';
export { compact, expireSnapshots, removeOrphans, rewriteManifests, vacuum } from './maintenance/tasks.ts';
export type { VacuumOptions, VacuumResult } from './maintenance/vacuum.ts';
export { verifyTable, type VerifyTableOptions } from './maintenance/verify-table.ts';
export type { UncheckedFile, VerifyProblem, VerifyProblemKind, VerifyReport } from './maintenance/verify-report.ts';
export type { DataFile, FieldSummary, FileContent, FileFormat, ManifestEntry, ManifestFile } from './manifest/types.ts';
export type { FileScanTask } from './scan/file-scan-task.ts';
export type { PlanReport } from './scan/plan-report.ts';
export { partitionPath } from './spec/partition-path.ts';
export { type PartitionField, type PartitionSpec, partitionType, type Transform } from './spec/partition-spec.ts';
export type { InferInput, InferRow, Row, RowInput } from './spec/row-types.ts';
export { Schema, type SchemaOptions } from './spec/schema.ts';
export {
	binary,
	boolean,
	date,
	decimal,
	double,
	fixed,
	float,
	geography,
	geometry,
	int,
	list,
	long,
	map,
	schema,
	string,
	struct,
	time,
	timestamp,
	timestampNs,
	timestamptz,
	timestamptzNs,
	unknown,
	uuid,
	variant,
} from './spec/schema-builder.ts';
export { schemaFromJson, schemaToJson } from './spec/schema-json.ts';
export type { Snapshot, SnapshotOperation, SnapshotRef } from './spec/snapshot.ts';
export type { SortField, SortOrder } from './spec/sort-order.ts';
export type { FormatVersion, TableMetadata } from './spec/table-metadata.ts';
export { transformToString } from './spec/transform.ts';
export { typeToString } from './spec/type-text.ts';
export type { NestedField, Type, Value } from './spec/types.ts';
export type { AppendInput, AppendOptions, BatchSource } from './table/append-input.ts';
export type { FollowBatch } from './table/follow-batch.ts';
export type { FollowOptions, FollowPosition, FollowStart } from './table/follow-options.ts';
export type { AppendResult, HistoryEntry, TransactionResult } from './table/results.ts';
export { Table } from './table/table.ts';
export { TableAsOf, type TimeTravelTarget } from './table/table-as-of.ts';
export type { MetadataColumns, ScanOptions } from './table/scan-options.ts';
export { TableFollow } from './table/table-follow.ts';
export { TableScan } from './table/table-scan.ts';
export type { SnapshotSelector, StateReadOptions } from './table/table-source.ts';
export { TableTransaction, type TransactionOptions } from './table/table-transaction.ts';
export type { CallOptions } from './util/deadline.ts';
export { parseJson, stringifyJson } from './util/json.ts';
export type { Clock, Random } from './util/ports.ts';
export type { Processes, ProcessIdentity } from './util/process-identity.ts';
export { systemClock, systemRandom } from './util/system-ports.ts';
