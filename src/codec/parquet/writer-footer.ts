/** What follows the row groups: page indexes, and the row groups' part of the footer. */
import type { ParquetCodec } from './api.ts';
import { storedMax, storedMin } from './encode-statistics.ts';
import {
	type ColumnChunk,
	CompressionCodecId,
	Encoding,
	type OffsetIndex,
	type PageEncodingStats,
	PageType,
	type RowGroup,
	type Statistics,
} from './format.ts';
import { encodeColumnIndex, encodeOffsetIndex } from './format-encode.ts';
import type { WriteLeaf } from './schema-mapping.ts';
import type { FinishedChunk } from './writer-column.ts';
import type { BufferedSink } from './writer-sink.ts';

export type WritableCodec = Exclude<ParquetCodec, 'brotli'>;

export const CODEC_IDS: Readonly<Record<WritableCodec, number>> = {
	uncompressed: CompressionCodecId.UNCOMPRESSED,
	snappy: CompressionCodecId.SNAPPY,
	gzip: CompressionCodecId.GZIP,
	zstd: CompressionCodecId.ZSTD,
	lz4_raw: CompressionCodecId.LZ4_RAW,
};

/** A chunk whose pages are in the file. */
export interface WrittenChunk {
	readonly chunk: Omit<FinishedChunk, 'dictionaryPage' | 'dataPages'>;
	readonly leaf: WriteLeaf;
	readonly dictionaryPageOffset: number | undefined;
	readonly dataPageOffset: number;
	readonly offsetIndex: OffsetIndex;
}

export interface WrittenGroup {
	readonly chunks: readonly WrittenChunk[];
	readonly rowCount: number;
	/** of its first page */
	readonly offset: number;
}

/** Ordinals of row groups are 16-bit numbers; a further group has none. */
const MAX_ORDINAL = 32_767;

interface IndexPlace {
	readonly offset: number;
	readonly length: number;
}

/** Writes all column indexes, then all offset indexes, and returns the footer's row groups, which refer to them. */
export async function writePageIndexes(groups: readonly WrittenGroup[], sink: BufferedSink): Promise<RowGroup[]> {
	const columnIndexes = new Map<WrittenChunk, IndexPlace>();
	const offsetIndexes = new Map<WrittenChunk, IndexPlace>();
	const put = async (bytes: Uint8Array): Promise<IndexPlace> => {
		const { position: offset } = sink;
		await sink.write(bytes);
		return { offset, length: bytes.length };
	};
	for (const written of groups.flatMap((group) => group.chunks)) {
		const { columnIndex } = written.chunk;
		if (columnIndex !== undefined) columnIndexes.set(written, await put(encodeColumnIndex(columnIndex)));
	}
	for (const written of groups.flatMap((group) => group.chunks)) {
		offsetIndexes.set(written, await put(encodeOffsetIndex(written.offsetIndex)));
	}
	return groups.map((group, ordinal) => ({
		columns: group.chunks.map((written) =>
			columnChunkOf(written, columnIndexes.get(written), offsetIndexes.get(written)),
		),
		totalByteSize: sum(group, (chunk) => chunk.uncompressedSizeBytes),
		numRows: group.rowCount,
		fileOffset: group.offset,
		totalCompressedSize: sum(group, (chunk) => chunk.compressedSizeBytes),
		...(ordinal <= MAX_ORDINAL ? { ordinal } : {}),
	}));
}

function sum(group: WrittenGroup, of: (chunk: WrittenChunk['chunk']) => number): number {
	return group.chunks.reduce((total, written) => total + of(written.chunk), 0);
}

function columnChunkOf(
	written: WrittenChunk,
	columnIndex: IndexPlace | undefined,
	offsetIndex: IndexPlace | undefined,
): ColumnChunk {
	const { chunk, leaf, dictionaryPageOffset } = written;
	const encodingStats = encodingStatsOf(written);
	const levelEncoding = leaf.maxDefinitionLevel + leaf.maxRepetitionLevel > 0 ? [Encoding.RLE] : [];
	return {
		// deprecated: to be 0
		fileOffset: 0,
		metaData: {
			type: leaf.physical,
			encodings: [...new Set([...encodingStats.map((stats) => stats.encoding), ...levelEncoding])],
			pathInSchema: leaf.path,
			codec: CODEC_IDS[chunk.codec as WritableCodec],
			numValues: chunk.valueCount,
			totalUncompressedSize: chunk.uncompressedSizeBytes,
			totalCompressedSize: chunk.compressedSizeBytes,
			dataPageOffset: written.dataPageOffset,
			...(dictionaryPageOffset === undefined ? {} : { dictionaryPageOffset }),
			statistics: statisticsOf(chunk, leaf),
			encodingStats,
		},
		...(offsetIndex === undefined
			? {}
			: { offsetIndexOffset: offsetIndex.offset, offsetIndexLength: offsetIndex.length }),
		...(columnIndex === undefined
			? {}
			: { columnIndexOffset: columnIndex.offset, columnIndexLength: columnIndex.length }),
	};
}

function encodingStatsOf({ chunk, dictionaryPageOffset }: WrittenChunk): PageEncodingStats[] {
	const stats: PageEncodingStats[] = [];
	if (dictionaryPageOffset !== undefined) {
		stats.push({ pageType: PageType.DICTIONARY_PAGE, encoding: Encoding.PLAIN, count: 1 });
	}
	for (const [encoding, count] of chunk.pagesByEncoding) stats.push({ pageType: chunk.dataPageType, encoding, count });
	return stats;
}

function statisticsOf(chunk: WrittenChunk['chunk'], leaf: WriteLeaf): Statistics {
	const max = chunk.max === undefined ? undefined : storedMax(leaf, chunk.max);
	const min = chunk.min === undefined ? undefined : storedMin(leaf, chunk.min);
	return {
		nullCount: chunk.nullCount,
		...(max === undefined ? {} : { maxValue: max.value, isMaxValueExact: max.exact }),
		...(min === undefined ? {} : { minValue: min.value, isMinValueExact: min.exact }),
	};
}
