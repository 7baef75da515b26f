/**
 * Reading of Parquet files: any nesting, encoding and codec, straight from pages to vectors. Bytes are untrusted: each count and
 * offset is checked, and memory is bounded by pieces of column chunks and batches, not by the file.
 */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { NestedField } from '../../spec/types.ts';
import type {
	ByteSource,
	LeafStatistics,
	ParquetFileInfo,
	ParquetOpenOptions,
	ParquetProjection,
	ParquetReader,
	ParquetReadOptions,
	ParquetRowGroupInfo,
	PositionedBatch,
	RowRange,
} from './api.ts';
import { planRead } from './assemble-plan.ts';
import { atSpot, corruptPage } from './decode-error.ts';
import type { ColumnChunk, FileMetaData, OffsetIndex, RowGroup } from './format.ts';
import { pageStatisticsSource, readOffsetIndex } from './page-index.ts';
import { FOOTER_SIZE_HINT_BYTES, type Footer, readFooter } from './reader-footer.ts';
import { readRowGroup, throwIfAborted } from './reader-row-group.ts';
import { type FileField, type FileSchema, fileSchemaOf, toNestedField } from './schema-mapping-file.ts';
import { chunkStatistics, promoteStatistics, type StatisticsLeaf } from './statistics.ts';

/** Rows of a batch when the caller asks for no number. */
export const DEFAULT_BATCH_ROW_LIMIT = 65_536;
/** Most rows of a batch that can be asked for. */
export const BATCH_ROW_LIMIT = 1 << 24;

/**
 * Reads the footer (one read for most files) and checks it.
 * @throws `CORRUPT` for what is no whole Parquet file, `UNSUPPORTED` for an encrypted one, and whatever the source throws
 */
export async function openParquet(source: ByteSource, options: ParquetOpenOptions = {}): Promise<ParquetReader> {
	const footer = await readFooter(source, options.footerSizeHintBytes ?? FOOTER_SIZE_HINT_BYTES, options.signal);
	const schema = fileSchemaOf(footer.metaData.schema, source.location, options.nameMapping);
	checkCounts(footer.metaData, schema, source.location);
	return new ParquetFile(source, footer, schema);
}

class ParquetFile implements ParquetReader {
	readonly info: ParquetFileInfo;
	readonly #source: ByteSource;
	readonly #footer: Footer;
	readonly #schema: FileSchema;
	readonly #leaves: ReadonlyMap<number, StatisticsLeaf>;

	constructor(source: ByteSource, footer: Footer, schema: FileSchema) {
		this.#source = source;
		this.#footer = footer;
		this.#schema = schema;
		this.#leaves = leavesById(schema.fields, footer.metaData.columnOrders);
		const { metaData } = footer;
		let firstRow = 0;
		this.info = {
			rowCount: metaData.numRows,
			fields: schema.fields.map(toNestedField),
			hasIds: schema.hasIds,
			rowGroups: metaData.rowGroups.map((rowGroup) => {
				const info = this.#rowGroupInfo(rowGroup, firstRow);
				firstRow += rowGroup.numRows;
				return info;
			}),
			keyValueMetadata: new Map(metaData.keyValueMetadata.map(({ key, value }) => [key, value ?? ''])),
			createdBy: metaData.createdBy,
		};
	}

	async *read(projection: ParquetProjection, options: ParquetReadOptions = {}): AsyncGenerator<PositionedBatch> {
		const { metaData, footerStart } = this.#footer;
		const batchRowLimit = options.batchRowLimit ?? DEFAULT_BATCH_ROW_LIMIT;
		if (!Number.isInteger(batchRowLimit) || batchRowLimit < 1 || batchRowLimit > BATCH_ROW_LIMIT)
			throw new IcebergError('INVALID_ARGUMENT', `batchRowLimit is ${batchRowLimit}, not 1 to ${BATCH_ROW_LIMIT}`);
		const plan = planRead(this.#schema.fields, projection, this.#source.location);
		for (const index of options.rowGroups ?? metaData.rowGroups.keys()) {
			throwIfAborted(options.signal);
			const rowGroup = metaData.rowGroups[index];
			const info = this.info.rowGroups[index];
			if (rowGroup === undefined || info === undefined)
				throw new IcebergError(
					'INVALID_ARGUMENT',
					`row group ${index} of ${metaData.rowGroups.length} in ${this.#source.location}`,
				);
			const offsetIndex = this.#offsetIndexes(rowGroup, options.signal);
			const ranges = await this.#select(rowGroup, index, projection, options, offsetIndex);
			yield* readRowGroup({
				source: this.#source,
				plan,
				rowGroup,
				index,
				firstRow: info.firstRow,
				dataEnd: footerStart,
				hasShortChunks: hasShortChunks(metaData.createdBy),
				ranges,
				batchRowLimit,
				offsetIndex,
				signal: options.signal,
			});
		}
	}

	async #select(
		rowGroup: RowGroup,
		index: number,
		projection: ParquetProjection,
		options: ParquetReadOptions,
		offsetIndex: (chunk: ColumnChunk) => Promise<OffsetIndex | undefined>,
	): Promise<readonly RowRange[]> {
		const all = [{ from: 0, to: rowGroup.numRows }];
		if (options.selectRows === undefined) return normalRanges(all, rowGroup.numRows);
		const wanted = typesById(projection.fields);
		const pages = pageStatisticsSource({
			source: this.#source,
			fileLength: this.#footer.fileLength,
			rowGroup: index,
			rowCount: rowGroup.numRows,
			signal: options.signal,
			offsetIndex,
			find: (fieldId) => {
				const leaf = this.#leaves.get(fieldId);
				const chunk = leaf === undefined ? undefined : rowGroup.columns[leaf.node.leafIndex];
				if (leaf === undefined || chunk === undefined) return undefined;
				const type = wanted.get(fieldId) ?? leaf.type;
				return { leaf, chunk, promote: (statistics) => promoteStatistics(statistics, leaf.type, type) };
			},
		});
		return normalRanges((await options.selectRows(pages, index)) ?? all, rowGroup.numRows);
	}

	/** The offset indexes of a row group, each read once. */
	#offsetIndexes(
		rowGroup: RowGroup,
		signal: AbortSignal | undefined,
	): (chunk: ColumnChunk) => Promise<OffsetIndex | undefined> {
		const known = new Map<ColumnChunk, Promise<OffsetIndex | undefined>>();
		return (chunk) => {
			const before = known.get(chunk);
			if (before !== undefined) return before;
			const leaf = this.#schema.leaves[rowGroup.columns.indexOf(chunk)];
			const isRepeated = (leaf?.repetitionLevel ?? 0) > 0;
			const { fileLength } = this.#footer;
			const index = readOffsetIndex(this.#source, chunk, rowGroup.numRows, isRepeated, fileLength, signal).catch(
				(error: unknown) => {
					const column = chunk.metaData.pathInSchema.join('.');
					throw atSpot(error, { location: this.#source.location, column });
				},
			);
			known.set(chunk, index);
			return index;
		};
	}

	#rowGroupInfo(rowGroup: RowGroup, firstRow: number): ParquetRowGroupInfo {
		const first = rowGroup.columns[0]?.metaData;
		const compressed = rowGroup.columns.reduce((sum, { metaData }) => sum + metaData.totalCompressedSize, 0);
		return {
			rowCount: rowGroup.numRows,
			firstRow,
			offset: first === undefined ? 0 : Math.min(first.dataPageOffset, first.dictionaryPageOffset || Infinity),
			compressedSizeBytes: compressed,
			statistics: (fieldId) => this.#statistics(rowGroup, fieldId),
		};
	}

	#statistics(rowGroup: RowGroup, fieldId: number): LeafStatistics | undefined {
		const leaf = this.#leaves.get(fieldId);
		const meta = leaf === undefined ? undefined : rowGroup.columns[leaf.node.leafIndex]?.metaData;
		if (leaf === undefined || meta?.statistics === undefined) return undefined;
		return chunkStatistics(leaf, meta.statistics, meta.numValues);
	}
}

/** @throws `CORRUPT` when the row groups do not add up to the file */
function checkCounts(metaData: FileMetaData, schema: FileSchema, location: string): void {
	let rows = 0;
	metaData.rowGroups.forEach((rowGroup, i) => {
		rows += rowGroup.numRows;
		if (rowGroup.columns.length !== schema.leaves.length)
			throw atSpot(corruptPage(`${rowGroup.columns.length} column chunks for ${schema.leaves.length} columns`), {
				location,
				rowGroup: i,
			});
	});
	if (rows !== metaData.numRows)
		throw atSpot(corruptPage(`its row groups have ${rows} rows, its footer says ${metaData.numRows}`), { location });
}

/** True for parquet-mr before 1.2.9. */
function hasShortChunks(createdBy: string | undefined): boolean {
	const match = /^parquet-mr(?: version (\d+)\.(\d+)\.(\d+))?/.exec(createdBy ?? '');
	if (match === null) return false;
	const [major = 0, minor = 0, patch = 0] = match.slice(1).map(Number).filter(Number.isFinite);
	return major < 1 || (major === 1 && (minor < 2 || (minor === 2 && patch < 9)));
}

/** Leaves outside of lists, maps and variants. */
function leavesById(
	fields: readonly FileField[],
	columnOrders: readonly boolean[] | undefined,
): Map<number, StatisticsLeaf> {
	const out = new Map<number, StatisticsLeaf>();
	const visit = (field: FileField): void => {
		if (field.shape === 'struct') field.children.forEach(visit);
		else if (field.shape === 'leaf') {
			const hasTypeOrder = columnOrders?.[field.node.leafIndex] === true;
			out.set(field.id, { node: field.node, type: field.type, hasTypeOrder });
		}
	};
	fields.forEach(visit);
	return out;
}

/** Types of the fields outside of lists and maps. */
function typesById(fields: readonly NestedField[]): Map<number, NestedField['type']> {
	const out = new Map<number, NestedField['type']>();
	const visit = (field: NestedField): void => {
		out.set(field.id, field.type);
		if (field.type.kind === 'struct') field.type.fields.forEach(visit);
	};
	fields.forEach(visit);
	return out;
}

/** In order, merged, within [0, rowCount), none empty. */
function normalRanges(ranges: readonly RowRange[], rowCount: number): readonly RowRange[] {
	const out: { from: number; to: number }[] = [];
	const sorted = [...ranges].sort((a, b) => a.from - b.from);
	for (const range of sorted) {
		const from = Math.max(0, range.from);
		const to = Math.min(rowCount, range.to);
		if (!(from < to)) continue;
		const last = out.at(-1);
		if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
		else out.push({ from, to });
	}
	return out;
}
