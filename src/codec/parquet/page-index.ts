/** Statistics and places of single pages. Parquet spec: Page Index. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { ByteSource, LeafStatistics, PageStatisticsSource, RowRange } from './api.ts';
import { atSpot, corruptPage } from './decode-error.ts';
import type { ColumnChunk, ColumnIndex, OffsetIndex } from './format.ts';
import { decodeColumnIndex, decodeOffsetIndex } from './format-decode.ts';
import { readExactly } from './reader-bytes.ts';
import { decodeBounds, type StatisticsLeaf } from './statistics.ts';

/** Most bytes of a column index or offset index. */
export const PAGE_INDEX_BYTES_LIMIT = 64 << 20;

/**
 * `undefined` where the file has none. Rows strictly rise from page to page, except for columns below lists (`isRepeated`): some
 * writers let the last row go on in a page of its own.
 * @throws `CORRUPT`
 */
export async function readOffsetIndex(
	source: ByteSource,
	chunk: ColumnChunk,
	rowCount: number,
	isRepeated: boolean,
	fileLength: number,
	signal: AbortSignal | undefined,
): Promise<OffsetIndex | undefined> {
	const { offsetIndexOffset: offset, offsetIndexLength: length } = chunk;
	if (offset === undefined || length === undefined || length === 0) return undefined;
	const bytes = await readIndex(source, offset, length, fileLength, signal);
	const index = decodeOffsetIndex(bytes, source.location);
	let row = -1;
	let end = 0;
	for (const page of index.pageLocations) {
		const isLater = isRepeated ? page.firstRowIndex >= row : page.firstRowIndex > row;
		if (!isLater || page.firstRowIndex >= rowCount || page.offset < end)
			throw corruptPage('an offset index whose pages are out of order');
		row = page.firstRowIndex;
		end = page.offset + page.compressedPageSize;
	}
	if (rowCount > 0 && index.pageLocations[0]?.firstRowIndex !== 0)
		throw corruptPage('an offset index that does not start at the first row');
	return index;
}

/** `undefined` where the file has none. @throws `CORRUPT` */
async function readColumnIndex(
	source: ByteSource,
	chunk: ColumnChunk,
	fileLength: number,
	signal: AbortSignal | undefined,
): Promise<ColumnIndex | undefined> {
	const { columnIndexOffset: offset, columnIndexLength: length } = chunk;
	if (offset === undefined || length === undefined || length === 0) return undefined;
	return decodeColumnIndex(await readIndex(source, offset, length, fileLength, signal), source.location);
}

async function readIndex(
	source: ByteSource,
	offset: number,
	length: number,
	fileLength: number,
	signal: AbortSignal | undefined,
): Promise<Uint8Array> {
	if (offset + length > fileLength)
		throw corruptPage(`a page index at ${offset} of ${length} bytes in a file of ${fileLength}`);
	if (length > PAGE_INDEX_BYTES_LIMIT)
		throw new IcebergError('LIMIT_EXCEEDED', `a page index of ${length} bytes`, {
			context: { limit: 'PAGE_INDEX_BYTES_LIMIT' },
		});
	return readExactly(source, offset, length, signal);
}

/** Where the page statistics of a row group come from. */
export interface PageStatisticsContext {
	readonly source: ByteSource;
	readonly fileLength: number;
	readonly rowGroup: number;
	readonly rowCount: number;
	readonly signal: AbortSignal | undefined;
	/** the leaf with a field id (of the file, after name mapping), its chunk, and what its statistics are to be turned into */
	readonly find: (fieldId: number) =>
		| {
				readonly leaf: StatisticsLeaf;
				readonly chunk: ColumnChunk;
				readonly promote: (statistics: LeafStatistics) => LeafStatistics;
		  }
		| undefined;
	/** shared with the reading of pages */
	readonly offsetIndex: (chunk: ColumnChunk) => Promise<OffsetIndex | undefined>;
}

export function pageStatisticsSource(context: PageStatisticsContext): PageStatisticsSource {
	return {
		rowCount: context.rowCount,
		pages: async (fieldId) => {
			const found = context.find(fieldId);
			if (found === undefined) return undefined;
			const { source, rowGroup } = context;
			try {
				return await pagesOf(context, found.leaf, found.chunk, found.promote);
			} catch (error) {
				throw atSpot(error, { location: source.location, column: found.leaf.node.path.join('.'), rowGroup });
			}
		},
	};
}

async function pagesOf(
	context: PageStatisticsContext,
	leaf: StatisticsLeaf,
	chunk: ColumnChunk,
	promote: (statistics: LeafStatistics) => LeafStatistics,
): Promise<readonly (LeafStatistics & RowRange & { readonly allNull: boolean })[] | undefined> {
	const offsets = await context.offsetIndex(chunk);
	const columns = await readColumnIndex(context.source, chunk, context.fileLength, context.signal);
	if (offsets === undefined || columns === undefined) return undefined;
	const locations = offsets.pageLocations;
	if (columns.nullPages.length !== locations.length)
		throw corruptPage(
			`a column index of ${columns.nullPages.length} pages beside an offset index of ${locations.length}`,
		);
	return locations.map((location, i) => {
		const from = location.firstRowIndex;
		const to = locations[i + 1]?.firstRowIndex ?? context.rowCount;
		const allNull = columns.nullPages[i] === true;
		const nullCount = allNull ? to - from : columns.nullCounts?.[i];
		const bounds = allNull
			? { exact: true }
			: promote(
					decodeBounds(leaf, {
						min: columns.minValues[i],
						max: columns.maxValues[i],
						isMinExact: undefined,
						isMaxExact: undefined,
					}),
				);
		const isTrusted = leaf.node.path.length === 1 && nullCount !== undefined && nullCount <= to - from;
		return { ...bounds, ...(isTrusted && { nullCount }), from, to, allNull };
	});
}
