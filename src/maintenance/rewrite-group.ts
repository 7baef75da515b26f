/** The rows of some files, written anew. Iceberg spec: Row Lineage. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile, FileMetrics } from '../manifest/types.ts';
import { isMetadataColumn, LAST_UPDATED_COLUMN, ROW_ID_COLUMN } from '../read/metadata-columns.ts';
import { scanBatches } from '../read/scan-batches.ts';
import { deleteQuietly } from '../transaction/action.ts';
import { concatBatches } from '../column/vector-ops.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { Schema } from '../spec/schema.ts';
import type { NestedField } from '../spec/types.ts';
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
	/** rows of files that need not be read back */
	readonly rowsAtHand?: (file: DataFile) => ColumnBatch | undefined;
	/** awaited now and then */
	readonly breathe?: () => Promise<void>;
	readonly signal: AbortSignal | undefined;
}

/** Rows that are handed on together: many small files come as many small batches. */
const GATHERED_ROWS = 4096;

/**
 * Writes the rows of a group to new files of the table's current schema, partition spec and sort order. The sequence number of
 * each row's last change, and in v3 tables its id, go with it as columns; in v2 tables so that rows can be followed from a
 * sequence number on. Files are in no snapshot yet; when this rejects there are none.
 *
 * @throws `CORRUPT` when a file has more or fewer rows than its manifest says; and what reading and writing throw
 */
export async function rewriteGroup(
	group: Pick<CompactionGroup, 'tasks'>,
	context: RewriteContext,
): Promise<readonly DataFile[]> {
	const { io, metadata, random, processes, targetFileSizeBytes, signal, rowsAtHand } = context;
	const schema = currentSchema(metadata);
	const lineage = lineageColumns(metadata, schema);
	const fields = [...schema.fields, ...lineage];
	const abort = signal === undefined ? {} : { signal };
	const rows = scanBatches(group.tasks, {
		io,
		metadata,
		schema,
		fields,
		numberAllRows: metadata.formatVersion === 2,
		...(rowsAtHand === undefined ? {} : { rowsAtHand }),
		...abort,
	});
	const { files, rowCount } = await writeDataFiles(gathered(rows, context.breathe), {
		io,
		metadata: {
			...metadata,
			properties: {
				...metadata.properties,
				[`write.metadata.metrics.column.${LAST_UPDATED_COLUMN.name}`]: 'full',
				'write.target-file-size-bytes': String(targetFileSizeBytes),
			},
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

/** @throws `UNSUPPORTED` where a column of the table has the name of one that must be there */
function lineageColumns(metadata: TableMetadata, schema: Schema): readonly NestedField[] {
	if (metadata.formatVersion === 1) return [];
	const isV3 = metadata.formatVersion >= 3;
	const columns = isV3 ? [ROW_ID_COLUMN, LAST_UPDATED_COLUMN] : [LAST_UPDATED_COLUMN];
	const hidden = columns.find((column) => schema.fields.some((field) => field.name === column.name));
	if (hidden === undefined) return columns;
	if (!isV3) return [];
	throw new IcebergError(
		'UNSUPPORTED',
		`the table has a column '${hidden.name}', where row lineage has to be: its files cannot be rewritten`,
		{ context: { location: metadata.location, column: hidden.name } },
	);
}

async function* gathered(
	batches: AsyncIterable<ColumnBatch>,
	breathe: (() => Promise<void>) | undefined,
): AsyncGenerator<ColumnBatch> {
	let waiting: ColumnBatch[] = [];
	let rowCount = 0;
	for await (const batch of batches) {
		waiting.push(batch);
		rowCount += batch.length;
		if (rowCount < GATHERED_ROWS) continue;
		yield concatBatches(waiting);
		waiting = [];
		rowCount = 0;
		await breathe?.();
	}
	if (waiting.length > 0) yield concatBatches(waiting);
}

const METRICS = [
	'columnSizes',
	'valueCounts',
	'nullValueCounts',
	'nanValueCounts',
	'lowerBounds',
	'upperBounds',
] as const;
const BOUNDS: ReadonlySet<string> = new Set(['lowerBounds', 'upperBounds']);

/** Metrics are of the table's columns; only when rows were changed is told besides: who follows the table looks for that. */
function withoutLineageMetrics(file: DataFile): DataFile {
	const changed: Record<string, ReadonlyMap<number, unknown>> = {};
	for (const name of METRICS) {
		const metrics: ReadonlyMap<number, unknown> | undefined = file[name];
		if (metrics === undefined) continue;
		const stays = (id: number): boolean => !isMetadataColumn(id) || (id === LAST_UPDATED_COLUMN.id && BOUNDS.has(name));
		changed[name] = new Map([...metrics].filter(([id]) => stays(id)));
	}
	return { ...file, ...(changed as FileMetrics) };
}
