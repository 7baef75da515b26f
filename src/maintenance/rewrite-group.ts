/** The rows of some files, written anew. Iceberg spec: Row Lineage. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile, FileMetrics } from '../manifest/types.ts';
import { isMetadataColumn, LAST_UPDATED_COLUMN, ROW_ID_COLUMN } from '../read/metadata-columns.ts';
import { scanBatches } from '../read/scan-batches.ts';
import { deleteQuietly } from '../transaction/action.ts';
import { Schema } from '../spec/schema.ts';
import { currentSchema } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Processes } from '../util/process-identity.ts';
import type { Random } from '../util/ports.ts';
import { writeDataFiles } from '../write/data-writer.ts';
import type { CompactionGroup } from './plan-compaction.ts';

export interface RewriteContext {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	readonly random: Random;
	readonly processes?: Processes | undefined;
	readonly targetFileSizeBytes: number;
	readonly signal: AbortSignal | undefined;
}

/**
 * Writes the rows of a group to new files of the table's current schema, partition spec and sort order. In v3 tables each
 * row's id, and the sequence number of its last change, go with it as columns. Files are in no snapshot yet; when this
 * rejects there are none.
 *
 * @throws `CORRUPT` when a file has more or fewer rows than its manifest says; and what reading and writing throw
 */
export async function rewriteGroup(group: CompactionGroup, context: RewriteContext): Promise<readonly DataFile[]> {
	const { io, metadata, random, processes, targetFileSizeBytes, signal } = context;
	const schema = currentSchema(metadata);
	const lineage = metadata.formatVersion >= 3 ? [ROW_ID_COLUMN, LAST_UPDATED_COLUMN] : [];
	const fields = [...schema.fields, ...lineage];
	const hidden = lineage.find((column) => schema.fields.some((field) => field.name === column.name));
	if (hidden !== undefined) {
		throw new IcebergError(
			'UNSUPPORTED',
			`the table has a column '${hidden.name}', where row lineage has to be: its files cannot be rewritten`,
			{ context: { location: metadata.location, column: hidden.name } },
		);
	}
	const abort = signal === undefined ? {} : { signal };
	const rows = scanBatches(group.tasks, { io, metadata, schema, fields, ...abort });
	const { files, rowCount } = await writeDataFiles(rows, {
		io,
		metadata: {
			...metadata,
			properties: { ...metadata.properties, 'write.target-file-size-bytes': String(targetFileSizeBytes) },
		},
		random,
		processes,
		schema: Schema.parsed({ schemaId: schema.schemaId, fields, identifierFieldIds: schema.identifierFieldIds }),
		...abort,
	});
	const expected = group.tasks.reduce((sum, { file }) => sum + file.recordCount, 0);
	if (rowCount !== expected) {
		await deleteQuietly(
			io,
			files.map((file) => file.location),
		);
		const first = group.tasks[0]?.file.location;
		throw new IcebergError(
			'CORRUPT',
			`${first} and the ${group.tasks.length - 1} files read with it have ${rowCount} rows, their manifests say ${expected}`,
			{ context: { location: first, rowCount, expected } },
		);
	}
	return lineage.length === 0 ? files : files.map(withoutLineageMetrics);
}

const METRICS = [
	'columnSizes',
	'valueCounts',
	'nullValueCounts',
	'nanValueCounts',
	'lowerBounds',
	'upperBounds',
] as const;

/** Metrics are of the table's columns. */
function withoutLineageMetrics(file: DataFile): DataFile {
	const changed: Record<string, ReadonlyMap<number, unknown>> = {};
	for (const name of METRICS) {
		const metrics: ReadonlyMap<number, unknown> | undefined = file[name];
		if (metrics !== undefined) changed[name] = new Map([...metrics].filter(([id]) => !isMetadataColumn(id)));
	}
	return { ...file, ...(changed as FileMetrics) };
}
