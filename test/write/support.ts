import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { getValue } from '../../src/column/vector-values.ts';
import type { DataFile } from '../../src/manifest/types.ts';
import { openParquet } from '../../src/codec/parquet/reader.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { createMetadata } from '../../src/metadata/reduce.ts';
import { newTableUpdates } from '../../src/metadata/new-table.ts';
import { parsePartitionSpec } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import { parseSortOrder } from '../../src/spec/sort-order.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import type { NestedField, Value } from '../../src/spec/types.ts';
import { systemRandom } from '../../src/util/system-ports.ts';
import { writeDataFiles, type WrittenFiles } from '../../src/write/data-writer.ts';

export const LOCATION = 'memory:/tables/t';

export interface TableOptions {
	readonly partitionBy?: readonly string[];
	readonly sortBy?: readonly string[];
	readonly properties?: Readonly<Record<string, string>>;
}

/** Metadata of a new table in memory. */
export function tableOf(fields: readonly NestedField[], options: TableOptions = {}): TableMetadata {
	const schema = new Schema({ fields });
	return createMetadata(
		newTableUpdates({
			schema,
			spec: parsePartitionSpec(schema, options.partitionBy ?? []),
			sortOrder: parseSortOrder(schema, options.sortBy ?? []),
			properties: options.properties ?? {},
			location: LOCATION,
			formatVersion: 3,
			uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
		}),
		0,
	);
}

export async function write(
	metadata: TableMetadata,
	batches: Iterable<ColumnBatch> | AsyncIterable<ColumnBatch>,
	io: FileIO = new MemoryFileIO(),
	signal?: AbortSignal,
): Promise<WrittenFiles & { io: FileIO }> {
	async function* each(): AsyncGenerator<ColumnBatch> {
		yield* batches;
	}
	const written = await writeDataFiles(each(), {
		io,
		metadata,
		random: systemRandom,
		...(signal === undefined ? {} : { signal }),
	});
	return { ...written, io };
}

/** The rows of a data file as engine values, in the file's order. */
export async function rowsOf(io: FileIO, file: DataFile, fields: readonly NestedField[]): Promise<Value[][]> {
	const source = io.input(file.location);
	const reader = await openParquet(source);
	const rows: Value[][] = [];
	for await (const { batch } of reader.read({ fields }))
		for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => getValue(column, i)));
	await source.close();
	return rows;
}

export async function listed(io: FileIO): Promise<string[]> {
	const names: string[] = [];
	for await (const { location } of io.list(LOCATION)) names.push(location);
	return names.sort();
}
