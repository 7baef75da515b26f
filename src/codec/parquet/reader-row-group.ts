/** Batches of one row group. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { ByteSource, PositionedBatch, RowRange } from './api.ts';
import { assembleColumn } from './assemble.ts';
import type { LeafPlan, ReadPlan } from './assemble-nodes.ts';
import { atSpot, corruptPage } from './decode-error.ts';
import type { ColumnChunk, OffsetIndex, RowGroup } from './format.ts';
import { valueWidth } from './page-reader.ts';
import { type ByteRange, type ChunkBytes, openChunks } from './reader-bytes.ts';
import { type LeafBatch, LeafReader } from './reader-leaf.ts';

/** Bytes that a batch should take at most; batches of wide rows have fewer rows than asked for. */
export const BATCH_BYTES_TARGET = 64 << 20;

/** Bytes by which chunks may be longer than their size says, where {@link RowGroupContext.hasShortChunks}. */
const SHORT_CHUNK_BYTES = 100;

export interface RowGroupContext {
	readonly source: ByteSource;
	readonly plan: ReadPlan;
	readonly rowGroup: RowGroup;
	/** position in the file */
	readonly index: number;
	/** position in the file of its first row */
	readonly firstRow: number;
	/** offset in the file behind which no pages can be */
	readonly dataEnd: number;
	/** whether the writer left the dictionary page's header out of chunks' sizes (PARQUET-816) */
	readonly hasShortChunks: boolean;
	/** wanted rows, in order, without overlaps, within the row group; never empty ranges */
	readonly ranges: readonly RowRange[];
	readonly batchRowLimit: number;
	readonly offsetIndex: (chunk: ColumnChunk) => Promise<OffsetIndex | undefined>;
	readonly signal: AbortSignal | undefined;
}

/** @throws `CORRUPT`, `UNSUPPORTED`, `LIMIT_EXCEEDED`, `ABORTED`, and whatever the source throws */
export async function* readRowGroup(context: RowGroupContext): AsyncGenerator<PositionedBatch> {
	const { plan, ranges, firstRow } = context;
	const { numRows } = context.rowGroup;
	if (ranges.length === 0) return;
	const chunks = plan.leaves.map((leaf) => chunkOf(context, leaf));
	const bytes = openChunks(
		context.source,
		chunks.map(({ range }) => range),
		context.signal,
	);
	const leaves = plan.leaves.map((leaf, i) => {
		const { metaData } = (chunks[i] as FoundChunk).chunk;
		return new LeafReader(leaf.node, metaData, bytes[i] as ChunkBytes, numRows, leaf, spotOf(context, leaf));
	});
	await Promise.all(leaves.map((leaf) => leaf.start()));
	const isPartial = ranges.length > 1 || ranges[0]?.from !== 0 || ranges[0]?.to !== numRows;
	if (isPartial) {
		for (const [i, leaf] of leaves.entries()) {
			const index = await context.offsetIndex((chunks[i] as FoundChunk).chunk);
			if (index !== undefined) leaf.useOffsetIndex(index);
		}
	}
	const batchRows = Math.min(context.batchRowLimit, rowsWithinTarget(plan.leaves, chunks, numRows));
	let row = 0;
	for (const range of ranges) {
		if (range.from > row) for (const leaf of leaves) await leaf.skip(range.from - row);
		row = range.from;
		while (row < range.to) {
			throwIfAborted(context.signal);
			const rows = Math.min(batchRows, range.to - row);
			const batches: LeafBatch[] = [];
			for (const leaf of leaves) batches.push(await leaf.read(rows));
			const columns = plan.columns.map((column, i) => {
				try {
					return assembleColumn(column, batches, rows);
				} catch (error) {
					throw atSpot(error, {
						location: context.source.location,
						column: plan.fields[i]?.name ?? '',
						rowGroup: context.index,
					});
				}
			});
			yield { batch: { fields: plan.fields, length: rows, columns }, firstRow: firstRow + row };
			row += rows;
		}
	}
}

/** @throws `ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
	if (signal?.aborted)
		throw new IcebergError('ABORTED', 'reading a Parquet file was aborted', { cause: signal.reason });
}

interface FoundChunk {
	readonly chunk: ColumnChunk;
	readonly range: ByteRange;
}

/** The chunk of a leaf, checked against the schema and the file. */
function chunkOf(context: RowGroupContext, leaf: LeafPlan): FoundChunk {
	const { rowGroup, dataEnd } = context;
	try {
		const chunk = rowGroup.columns[leaf.node.leafIndex];
		if (chunk === undefined) throw corruptPage(`the row group has only ${rowGroup.columns.length} columns`);
		const meta = chunk.metaData;
		if (chunk.filePath !== undefined && chunk.filePath !== '')
			throw new IcebergError('UNSUPPORTED', `its pages are in another file, '${chunk.filePath}'`);
		if (meta.type !== leaf.node.element.type)
			throw corruptPage(`its chunk has the physical type ${meta.type}, the schema ${leaf.node.element.type}`);
		const found = meta.pathInSchema.join('\0');
		if (found !== leaf.node.path.join('\0')) throw corruptPage(`its chunk is that of '${meta.pathInSchema.join('.')}'`);
		const isFlat = leaf.node.repetitionLevel === 0;
		if (isFlat ? meta.numValues !== rowGroup.numRows : meta.numValues < rowGroup.numRows)
			throw corruptPage(`its chunk has ${meta.numValues} values for ${rowGroup.numRows} rows`);
		const dictionary = meta.dictionaryPageOffset;
		const hasDictionary = dictionary !== undefined && dictionary > 0 && dictionary < meta.dataPageOffset;
		const start = hasDictionary ? dictionary : meta.dataPageOffset;
		const slack = context.hasShortChunks ? Math.min(SHORT_CHUNK_BYTES, dataEnd - start - meta.totalCompressedSize) : 0;
		const end = start + meta.totalCompressedSize + Math.max(0, slack);
		if (start < 4 || end > dataEnd)
			throw corruptPage(`its chunk at ${start} of ${meta.totalCompressedSize} bytes is outside of the file's data`);
		return { chunk, range: { start, end } };
	} catch (error) {
		throw atSpot(error, spotOf(context, leaf));
	}
}

function spotOf(context: RowGroupContext, leaf: LeafPlan): { location: string; column: string; rowGroup: number } {
	return { location: context.source.location, column: leaf.node.path.join('.'), rowGroup: context.index };
}

/** Rows whose columns take about {@link BATCH_BYTES_TARGET}, by what the footer tells of the row group's averages. */
function rowsWithinTarget(leaves: readonly LeafPlan[], chunks: readonly FoundChunk[], numRows: number): number {
	let total = 0;
	leaves.forEach((leaf, i) => {
		const { numValues, totalUncompressedSize } = (chunks[i] as FoundChunk).chunk.metaData;
		const width = valueWidth(leaf.node.element);
		const levels = leaf.node.repetitionLevel > 0 ? 2 * numValues : 0;
		total += levels + (width === undefined ? totalUncompressedSize + 4 * numValues : width * numValues);
	});
	return total <= BATCH_BYTES_TARGET ? numRows : Math.max(1, Math.floor((numRows / total) * BATCH_BYTES_TARGET));
}
