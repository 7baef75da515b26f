/** Parquet files from columns. Parquet: File Format; Iceberg spec: Parquet (Appendix A). */
import type { ColumnBatch, Vector } from '../../column/vector.ts';
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { Schema } from '../../spec/schema.ts';
import { loadCodec } from '../compression.ts';
import { type BackgroundCompressor, openBackgroundCompressor } from '../compression-background.ts';
import type { ByteSink, ParquetWriteOptions, ParquetWriter, ParquetWriteResult } from './api.ts';
import { GrowingBytes } from './encode-buffer.ts';
import { type KeyValue, PARQUET_MAGIC, type PageLocation } from './format.ts';
import { encodeFileMetaData } from './format-encode.ts';
import { applyValidity, expandLists, type Levels, type LevelsContext, rootLevels } from './levels.ts';
import { DEFAULT_METRICS_MODE, MetricsCollector } from './metrics.ts';
import { type WriteLeaf, type WriteNode, type WriteSchema, writeSchemaOf } from './schema-mapping.ts';
import { ColumnWriter, type FinishedChunk, type FinishedPage } from './writer-column.ts';
import {
	CODEC_IDS,
	type WritableCodec,
	type WrittenChunk,
	type WrittenGroup,
	writePageIndexes,
} from './writer-footer.ts';
import { BufferedSink } from './writer-sink.ts';

const DEFAULT_ROW_GROUP_SIZE_BYTES = 128 * 1024 * 1024;
const DEFAULT_ROW_GROUP_ROW_LIMIT = 1_048_576;
const DEFAULT_PAGE_SIZE_BYTES = 1024 * 1024;
const DEFAULT_PAGE_ROW_LIMIT = 20_000;
const DEFAULT_DICT_SIZE_BYTES = 2 * 1024 * 1024;
const DEFAULT_CREATED_BY = 'datashard version 0.1.0';

/** Encoded bytes of a file from which on other threads help to compress. */
export const BACKGROUND_START_BYTES = 4 * 1024 * 1024;

/** Rows whose levels are made at a time, fewer where lists spread them out. */
const SLICE_ROWS = 20_000;
const SLICE_ENTRIES = 1_000_000;

/**
 * Starts a file. Nothing is written before the first row group is full, and what a row group holds is kept in memory,
 * encoded and compressed. A call of `write` blocks the event loop for about as long as its batch takes to encode (some
 * 2 million cells a second and more), so give large tables in batches.
 *
 * After any error the writer is of no use, and what the sink has is no file.
 *
 * `write` throws
 * - `INVALID_DATA` for a null in a required field or a decimal with too many digits
 * - `INVALID_ARGUMENT` for a batch that is not of the schema
 * - `CLOSED` after `finish` or an error
 *
 * @throws `UNSUPPORTED` for a schema that Parquet cannot hold; `INVALID_ARGUMENT` for options out of range
 */
export function openParquetWriter(sink: ByteSink, schema: Schema, options: ParquetWriteOptions = {}): ParquetWriter {
	return new FileWriter(sink, schema, options);
}

class FileWriter implements ParquetWriter {
	readonly #schema: Schema;
	readonly #layout: WriteSchema;
	readonly #columns: readonly ColumnWriter[];
	readonly #sink: BufferedSink;
	readonly #metrics: MetricsCollector;
	readonly #codec: WritableCodec;
	readonly #rowGroupSizeBytes: number;
	readonly #rowGroupRowLimit: number;
	readonly #keyValueMetadata: readonly KeyValue[];
	readonly #createdBy: string;
	readonly #groups: WrittenGroup[] = [];
	readonly #isLarge: boolean;
	#background: BackgroundCompressor | undefined;
	#groupRows = 0;
	#rowCount = 0;
	#state: 'open' | 'busy' | 'closed' = 'open';

	constructor(sink: ByteSink, schema: Schema, options: ParquetWriteOptions) {
		const { codec = 'zstd', pageVersion = 1 } = options;
		if (!Object.hasOwn(CODEC_IDS, codec)) {
			throw new IcebergError('INVALID_ARGUMENT', `Parquet cannot be written with the codec '${codec}'`);
		}
		if (pageVersion !== 1 && pageVersion !== 2) {
			throw new IcebergError('INVALID_ARGUMENT', `there is no data page version ${pageVersion as number}`);
		}
		this.#schema = schema;
		this.#layout = writeSchemaOf(schema);
		this.#codec = codec as WritableCodec;
		this.#rowGroupSizeBytes = positive(options, 'rowGroupSizeBytes', DEFAULT_ROW_GROUP_SIZE_BYTES);
		this.#rowGroupRowLimit = positive(options, 'rowGroupRowLimit', DEFAULT_ROW_GROUP_ROW_LIMIT);
		const columnOptions = {
			codec: this.#codec,
			codecLevel: options.codecLevel,
			pageVersion,
			pageSizeBytes: positive(options, 'pageSizeBytes', DEFAULT_PAGE_SIZE_BYTES),
			pageRowLimit: positive(options, 'pageRowLimit', DEFAULT_PAGE_ROW_LIMIT),
			dictSizeBytes: positive(options, 'dictSizeBytes', DEFAULT_DICT_SIZE_BYTES, 0),
		};
		const scratch = new GrowingBytes();
		this.#columns = this.#layout.leaves.map((leaf) => {
			const name = schema.nameOf(leaf.fieldId ?? leaf.variantFieldId ?? -1) ?? leaf.path.join('.');
			return new ColumnWriter(leaf, name, columnOptions, scratch);
		});
		this.#metrics = new MetricsCollector(this.#layout.leaves, options.metricsMode ?? (() => DEFAULT_METRICS_MODE));
		this.#keyValueMetadata = [
			{ key: 'iceberg.schema', value: this.#layout.icebergJson },
			...Object.entries(options.keyValueMetadata ?? {}).map(([key, value]) => ({ key, value })),
		];
		this.#createdBy = options.createdBy ?? DEFAULT_CREATED_BY;
		this.#sink = new BufferedSink(sink);
		this.#isLarge = (options.expectedBytes ?? 0) >= BACKGROUND_START_BYTES;
		// errors are those of the call that needs the codec
		if (this.#isLarge) this.#loadCodec().catch(() => undefined);
	}

	get estimatedSizeBytes(): number {
		let size = this.#sink.position;
		for (const column of this.#columns) size += column.estimatedSizeBytes;
		return size;
	}

	get rowCount(): number {
		return this.#rowCount;
	}

	write(batch: ColumnBatch): Promise<void> {
		return this.#exclusive('open', () => this.#write(batch));
	}

	finish(): Promise<ParquetWriteResult> {
		return this.#exclusive('closed', () => this.#finish());
	}

	/** One call at a time; an error leaves the writer closed. */
	async #exclusive<T>(stateAfter: 'open' | 'closed', work: () => Promise<T>): Promise<T> {
		if (this.#state === 'busy') {
			throw new IcebergError('INVALID_ARGUMENT', 'a Parquet writer takes one call at a time: await the one before');
		}
		if (this.#state === 'closed') throw new IcebergError('CLOSED', 'the Parquet writer is finished or has failed');
		this.#state = 'busy';
		try {
			const result = await work();
			this.#state = stateAfter;
			return result;
		} catch (error) {
			this.#state = 'closed';
			throw error;
		}
	}

	async #write(batch: ColumnBatch): Promise<void> {
		this.#check(batch);
		await this.#start();
		for (const { index, node } of this.#layout.columns) this.#bind(node, batch.columns[index] as Vector);
		const sliceRows = sliceRowsOf(batch);
		const firstRow = this.#rowCount;
		for (let from = 0; from < batch.length; ) {
			const rows = Math.min(sliceRows, batch.length - from, this.#rowGroupRowLimit - this.#groupRows);
			const root = rootLevels(from, rows);
			const context = { firstRow, from };
			for (const { index, node } of this.#layout.columns) {
				this.#append(node, batch.columns[index] as Vector, root, 0, context);
			}
			from += rows;
			this.#groupRows += rows;
			this.#rowCount += rows;
			await this.#compress();
			if (this.#groupRows >= this.#rowGroupRowLimit || this.#uncompressedSize() >= this.#rowGroupSizeBytes) {
				await this.#endRowGroup();
			}
		}
	}

	async #finish(): Promise<ParquetWriteResult> {
		await this.#start();
		if (this.#groupRows > 0) await this.#endRowGroup();
		const rowGroups = await writePageIndexes(this.#groups, this.#sink);
		const footer = encodeFileMetaData({
			version: 1,
			schema: this.#layout.elements,
			numRows: this.#rowCount,
			rowGroups,
			keyValueMetadata: this.#keyValueMetadata,
			createdBy: this.#createdBy,
			columnOrders: this.#layout.leaves.map(() => true),
		});
		await this.#sink.write(footer);
		const tail = new Uint8Array(8);
		new DataView(tail.buffer).setUint32(0, footer.length, true);
		tail.set(PARQUET_MAGIC, 4);
		await this.#sink.write(tail);
		await this.#sink.flush();
		return {
			recordCount: this.#rowCount,
			fileSizeInBytes: this.#sink.position,
			splitOffsets: this.#groups.map((group) => group.offset),
			...this.#metrics.result(),
		};
	}

	async #start(): Promise<void> {
		if (this.#sink.position === 0) await this.#sink.write(PARQUET_MAGIC);
	}

	#check(batch: ColumnBatch): void {
		const { fields } = this.#schema;
		const matches =
			batch.columns.length === fields.length &&
			batch.fields.length === fields.length &&
			fields.every((field, i) => batch.fields[i]?.id === field.id && batch.columns[i]?.length === batch.length);
		if (matches) return;
		const found = batch.fields.map((field, i) => `${field.id}: ${field.name} (${batch.columns[i]?.length} rows)`);
		throw new IcebergError(
			'INVALID_ARGUMENT',
			`a batch of ${batch.length} rows with the columns [${found.join(', ')}] is not of the file's schema ` +
				`[${fields.map((field) => `${field.id}: ${field.name}`).join(', ')}]`,
		);
	}

	#bind(node: WriteNode, vector: Vector): void {
		switch (node.shape) {
			case 'leaf':
				(this.#columns[node.leaf.index] as ColumnWriter).bind(vector);
				return;
			case 'struct':
				if (vector.layout !== 'struct') throw misfit(node, vector);
				for (const child of node.children) this.#bind(child.node, childOf(vector.children[child.index], node));
				return;
			case 'list':
				if (vector.layout !== 'list') throw misfit(node, vector);
				this.#bind(node.element, vector.child);
				return;
			case 'map':
				if (vector.layout !== 'map') throw misfit(node, vector);
				this.#bind(node.key, vector.keys);
				this.#bind(node.value, vector.items);
				return;
			case 'variant':
				if (vector.layout !== 'variant') throw misfit(node, vector);
				(this.#columns[node.metadata.index] as ColumnWriter).bind(vector.metadata);
				(this.#columns[node.value.index] as ColumnWriter).bind(vector.value);
		}
	}

	#append(node: WriteNode, vector: Vector, parent: Levels, depth: number, context: LevelsContext): void {
		const levels = applyValidity(parent, vector, node.optional, node.name, context);
		if (node.shape === 'leaf') (this.#columns[node.leaf.index] as ColumnWriter).append(levels);
		else if (node.shape === 'struct' && vector.layout === 'struct') {
			for (const { index, node: child } of node.children) {
				this.#append(child, vector.children[index] as Vector, levels, depth, context);
			}
		} else if (node.shape === 'list' && vector.layout === 'list') {
			this.#append(node.element, vector.child, expandLists(levels, vector.offsets, depth + 1), depth + 1, context);
		} else if (node.shape === 'map' && vector.layout === 'map') {
			const entries = expandLists(levels, vector.offsets, depth + 1);
			this.#append(node.key, vector.keys, entries, depth + 1, context);
			this.#append(node.value, vector.items, entries, depth + 1, context);
		} else if (node.shape === 'variant') {
			(this.#columns[node.metadata.index] as ColumnWriter).append(levels);
			(this.#columns[node.value.index] as ColumnWriter).append(levels);
		}
	}

	#uncompressedSize(): number {
		let size = 0;
		for (const column of this.#columns) size += column.uncompressedSizeBytes;
		return size;
	}

	async #compress(): Promise<void> {
		const columns = this.#columns.filter(({ wantsCodec }) => wantsCodec);
		if (columns.length === 0) return;
		await this.#loadCodec();
		this.#background?.poll();
		for (const column of columns) column.compressPages();
	}

	/** Much data are worth the start of a worker. */
	async #loadCodec(): Promise<void> {
		const wantsHelp = this.#isLarge || this.#sink.position + this.#uncompressedSize() >= BACKGROUND_START_BYTES;
		const opening =
			wantsHelp && this.#codec === 'zstd' && this.#background === undefined ? openBackgroundCompressor() : undefined;
		await loadCodec(this.#codec, 'compress');
		if (opening !== undefined) this.#background = await opening;
		for (const column of this.#columns) column.useCodec(this.#background);
	}

	async #endRowGroup(): Promise<void> {
		const offset = this.#sink.position;
		const chunks: WrittenChunk[] = [];
		for (const column of this.#columns) column.endPages();
		if (this.#columns.some(({ wantsCodec }) => wantsCodec)) await this.#loadCodec();
		this.#background?.poll();
		for (const column of this.#columns) column.finishPages();
		for (const column of this.#columns) {
			const chunk = await column.finishChunk();
			this.#metrics.add(column.leaf.index, chunk);
			chunks.push(await this.#writeChunk(column.leaf, chunk));
		}
		this.#groups.push({ chunks, rowCount: this.#groupRows, offset });
		this.#groupRows = 0;
	}

	async #writeChunk(leaf: WriteLeaf, chunk: FinishedChunk): Promise<WrittenChunk> {
		let dictionaryPageOffset: number | undefined;
		if (chunk.dictionaryPage !== undefined) {
			dictionaryPageOffset = this.#sink.position;
			await this.#writePage(chunk.dictionaryPage);
		}
		const dataPageOffset = this.#sink.position;
		const pageLocations: PageLocation[] = [];
		for (const page of chunk.dataPages) {
			const offset = this.#sink.position;
			await this.#writePage(page);
			pageLocations.push({
				offset,
				compressedPageSize: this.#sink.position - offset,
				firstRowIndex: page.firstRow ?? 0,
			});
		}
		// the pages are in the sink: only what the footer needs is kept
		const { dictionaryPage: _dictionary, dataPages: _pages, ...rest } = chunk;
		return {
			chunk: rest,
			leaf,
			dictionaryPageOffset,
			dataPageOffset,
			offsetIndex: { pageLocations },
		};
	}

	async #writePage(page: FinishedPage): Promise<void> {
		await this.#sink.write(page.header);
		if (page.levels !== undefined) await this.#sink.write(page.levels);
		await this.#sink.write(page.body);
	}
}

function childOf(vector: Vector | undefined, node: WriteNode): Vector {
	if (vector === undefined) {
		throw new IcebergError('INVALID_ARGUMENT', `column '${node.name}': a struct vector with too few children`);
	}
	return vector;
}

function misfit(node: WriteNode, vector: Vector): IcebergError {
	return new IcebergError(
		'INVALID_ARGUMENT',
		`column '${node.name}' cannot be written from a vector of ${vector.layout}`,
	);
}

function positive(
	options: ParquetWriteOptions,
	name: 'rowGroupSizeBytes' | 'rowGroupRowLimit' | 'pageSizeBytes' | 'pageRowLimit' | 'dictSizeBytes',
	otherwise: number,
	least = 1,
): number {
	const value = options[name] ?? otherwise;
	if (!Number.isSafeInteger(value) || value < least) {
		throw new IcebergError('INVALID_ARGUMENT', `${name} must be an integer of at least ${least}, not ${value}`);
	}
	return value;
}

/** Rows of which no column has many more than {@link SLICE_ENTRIES} entries, if rows are alike. */
function sliceRowsOf(batch: ColumnBatch): number {
	const entries = Math.max(1, ...batch.columns.map(entriesOf));
	return Math.max(1, Math.min(SLICE_ROWS, Math.floor((batch.length / entries) * SLICE_ENTRIES)));
}

function entriesOf(vector: Vector): number {
	switch (vector.layout) {
		case 'struct':
			return Math.max(vector.length, ...vector.children.map(entriesOf));
		case 'list':
			return entriesOf(vector.child);
		case 'map':
			return Math.max(entriesOf(vector.keys), entriesOf(vector.items));
		default:
			return vector.length;
	}
}
