/** One column chunk after the other: splits values into pages, compresses them and keeps them until the row group ends. */
import { crc32 } from 'node:zlib';
import type { Vector } from '../../column/vector.ts';
import { type CompressionCodec, compressSync, DEFAULT_ZSTD_LEVEL } from '../compression.ts';
import { BACKGROUND_LAST_BYTES, type BackgroundCompressor } from '../compression-background.ts';
import { BooleanEncoder } from './encode-boolean.ts';
import { GrowingBytes } from './encode-buffer.ts';
import { BytesEncoder } from './encode-bytes.ts';
import { bitWidthOf, encodeHybrid, encodeRun } from './encode-hybrid.ts';
import { type StatisticComparator, statisticComparator, storedMax, storedMin } from './encode-statistics.ts';
import { textValuesEncoder } from './encode-text.ts';
import type { DictionaryPage, EncoderOptions, ValueEncoder } from './encode-values.ts';
import { wordValuesEncoder } from './encode-words-kernel.ts';
import { BoundaryOrder, type ColumnIndex, Encoding, type PageHeader, PageType, PhysicalType } from './format.ts';
import { encodePageHeader } from './format-encode.ts';
import type { Levels } from './levels.ts';
import type { WriteLeaf } from './schema-mapping.ts';

/** Chunks of fewer bytes are stored uncompressed: there is nothing to gain, and the codec need not be loaded. */
export const MIN_COMPRESSED_CHUNK_BYTES = 1024;

export interface ColumnOptions extends EncoderOptions {
	readonly codec: CompressionCodec;
	readonly codecLevel: number | undefined;
	readonly pageRowLimit: number;
	readonly pageVersion: 1 | 2;
}

/** A page as it goes to the file. */
export interface FinishedPage {
	readonly header: Uint8Array;
	/** levels of a V2 page, which are never compressed */
	readonly levels: Uint8Array | undefined;
	readonly body: Uint8Array;
	/** within the row group; absent for a dictionary */
	readonly firstRow: number | undefined;
}

export interface FinishedChunk {
	readonly codec: CompressionCodec;
	readonly dictionaryPage: FinishedPage | undefined;
	readonly dataPages: readonly FinishedPage[];
	readonly dataPageType: number;
	/** entries, nulls included */
	readonly valueCount: number;
	readonly nullCount: number;
	readonly nanCount: number;
	readonly min: Uint8Array | undefined;
	readonly max: Uint8Array | undefined;
	/** headers included */
	readonly uncompressedSizeBytes: number;
	readonly compressedSizeBytes: number;
	/** data pages by encoding */
	readonly pagesByEncoding: ReadonlyMap<number, number>;
	/** absent where a page has values but no min and max */
	readonly columnIndex: ColumnIndex | undefined;
}

/** A page that is encoded but not yet compressed. */
interface RawPage {
	readonly levels: Uint8Array | undefined;
	/** of a page that was compressed as it ended: no longer its bytes, and still as many */
	readonly body: Uint8Array;
	readonly entries: number;
	readonly nullCount: number;
	readonly rowCount: number;
	readonly firstRow: number;
	readonly encoding: number;
	readonly levelLengths: readonly [repetition: number, definition: number];
}

const EMPTY = new Uint8Array(0);

export class ColumnWriter {
	readonly leaf: WriteLeaf;
	readonly #encoder: ValueEncoder;
	readonly #options: ColumnOptions;
	readonly #compareStatistics: StatisticComparator;
	readonly #scratch: GrowingBytes;
	/** whether the codec is there, so that pages can be compressed as they end */
	#ready = false;
	#background: BackgroundCompressor | undefined;

	// the page under construction
	readonly #repetition = new GrowingBytes();
	/** empty while all entries of the page are present */
	readonly #definition = new GrowingBytes();
	#entries = 0;
	#rows = 0;
	#present = 0;

	// the chunk under construction
	#raw: RawPage[] = [];
	/** in order; `undefined` while a page is compressed elsewhere */
	#pages: (FinishedPage | undefined)[] = [];
	#dictionaryPage: FinishedPage | undefined;
	#inFlight: Promise<void>[] = [];
	#compressing = false;
	#rawBytes = 0;
	#pendingBytes = 0;
	#uncompressedSizeBytes = 0;
	#compressedSizeBytes = 0;
	#chunkRows = 0;
	#chunkEntries = 0;
	#chunkNulls = 0;
	#chunkNans = 0;
	#min: Uint8Array | undefined;
	#max: Uint8Array | undefined;
	#pagesByEncoding = new Map<number, number>();
	#index = new IndexBuilder();

	/** `scratch` may be shared by columns that are not used at the same time. */
	constructor(leaf: WriteLeaf, name: string, options: ColumnOptions, scratch: GrowingBytes) {
		this.leaf = leaf;
		this.#options = options;
		this.#scratch = scratch;
		this.#encoder = encoderOf(leaf, name, options);
		this.#compareStatistics = statisticComparator(leaf);
	}

	bind(vector: Vector): void {
		this.#encoder.bind(vector);
	}

	/** bytes of the chunk so far, encoded but not compressed */
	get uncompressedSizeBytes(): number {
		return this.#rawBytes + this.#encoder.pageSizeBytes + this.#encoder.dictionarySizeBytes;
	}

	/** About what the chunk so far will take in the file. */
	get estimatedSizeBytes(): number {
		const compressed = this.#rawBytes - this.#pendingBytes;
		const ratio = compressed > 0 ? this.#compressedSizeBytes / compressed : 1;
		const waiting = this.#pendingBytes + this.#encoder.pageSizeBytes + this.#encoder.dictionarySizeBytes;
		return this.#compressedSizeBytes + Math.ceil(waiting * ratio);
	}

	/** Whether anything of the chunk will be compressed; final after {@link endPages}. */
	get wantsCodec(): boolean {
		return this.#compressing;
	}

	/** The codec is loaded: pages are compressed from now on, beside this thread as far as `background` takes them. */
	useCodec(background: BackgroundCompressor | undefined): void {
		this.#ready = true;
		this.#background = background;
	}

	/** Appends all entries. They start with a row. */
	append(levels: Levels): void {
		let entry = 0;
		let present = 0;
		while (entry < levels.entries) {
			const rowsLeft = this.#options.pageRowLimit - this.#rows;
			const part = rowsLeft > 0 ? this.#fit(levels, entry, present, rowsLeft) : undefined;
			if (part === undefined) {
				this.#endPage();
				continue;
			}
			this.#encoder.append(levels, present, part.present);
			this.#appendLevels(levels, entry, part.entry, part.present - present);
			this.#rows += part.rows;
			entry = part.entry;
			present = part.present;
			if (this.#rows >= this.#options.pageRowLimit || this.#encoder.room <= 0) this.#endPage();
		}
	}

	/** Compresses the pages that wait, after {@link useCodec}, if {@link wantsCodec}. */
	compressPages(): void {
		for (const page of this.#raw) this.#compress(page);
		this.#raw = [];
	}

	/** Ends the last page; then {@link finishPages} can be called, with the codec loaded if {@link wantsCodec}. */
	endPages(): void {
		if (this.#entries > 0) this.#endPage();
		const dictionary = this.#encoder.dictionaryPage();
		if (this.#rawBytes + (dictionary?.bytes.length ?? 0) >= MIN_COMPRESSED_CHUNK_BYTES) this.#compressing = true;
	}

	/** Compresses all that is left, as {@link compressPages} does: nothing else is to be done meanwhile. */
	finishPages(): void {
		const dictionary = this.#encoder.dictionaryPage();
		if (dictionary !== undefined) {
			// the encoder's own are its again before the page is written
			const bytes = dictionary.bytes.slice();
			const place = (body: Uint8Array): void => {
				this.#dictionaryPage = this.#finishedDictionary(dictionary, body);
			};
			if (this.#compressing) this.#run(bytes, BACKGROUND_LAST_BYTES, place);
			else place(bytes);
		}
		for (const page of this.#raw) {
			if (this.#compressing) this.#compress(page, BACKGROUND_LAST_BYTES);
			else this.#pages.push(this.#finishedData(page, page.body, false));
		}
		this.#raw = [];
	}

	#compress(page: RawPage, queueBytes?: number): void {
		const slot = this.#pages.length;
		this.#pages.push(undefined);
		this.#run(page.body, queueBytes, (compressed) => this.#place(slot, page, compressed));
	}

	#run(bytes: Uint8Array, queueBytes: number | undefined, place: (compressed: Uint8Array) => void): void {
		const { codec, codecLevel } = this.#options;
		const offered = this.#background?.offer(bytes, codecLevel ?? DEFAULT_ZSTD_LEVEL, queueBytes);
		if (offered === undefined) place(compressSync(codec, bytes, codecLevel));
		else this.#inFlight.push(offered.then(place));
	}

	/** The chunk, after {@link finishPages}; the writer is then ready for the next. */
	async finishChunk(): Promise<FinishedChunk> {
		await Promise.all(this.#inFlight);
		const chunk: FinishedChunk = {
			codec: this.#compressing ? this.#options.codec : 'uncompressed',
			dictionaryPage: this.#dictionaryPage,
			dataPages: this.#pages as FinishedPage[],
			dataPageType: this.#options.pageVersion === 1 ? PageType.DATA_PAGE : PageType.DATA_PAGE_V2,
			valueCount: this.#chunkEntries,
			nullCount: this.#chunkNulls,
			nanCount: this.#chunkNans,
			min: this.#min,
			max: this.#max,
			uncompressedSizeBytes: this.#uncompressedSizeBytes,
			compressedSizeBytes: this.#compressedSizeBytes,
			pagesByEncoding: this.#pagesByEncoding,
			columnIndex: this.#index.finish(this.#compareStatistics),
		};
		this.#reset();
		return chunk;
	}

	#reset(): void {
		this.#encoder.reset();
		this.#raw = [];
		this.#pages = [];
		this.#dictionaryPage = undefined;
		this.#inFlight = [];
		this.#compressing = false;
		this.#rawBytes = 0;
		this.#pendingBytes = 0;
		this.#uncompressedSizeBytes = 0;
		this.#compressedSizeBytes = 0;
		this.#chunkRows = 0;
		this.#chunkEntries = 0;
		this.#chunkNulls = 0;
		this.#chunkNans = 0;
		this.#min = undefined;
		this.#max = undefined;
		this.#pagesByEncoding = new Map();
		this.#index = new IndexBuilder();
	}

	/** How far entries fit the page: whole rows, at least one for an empty page; `undefined` when the page must end first. */
	#fit(levels: Levels, entry: number, present: number, rowsLeft: number): Part | undefined {
		const { room } = this.#encoder;
		let part = advance(levels, entry, present, rowsLeft);
		if (this.#encoder.mostPlainBytes(part.present - present) <= room) return part;
		for (;;) {
			const size = this.#encoder.plainSize(levels, present, part.present);
			if (size <= room) return part;
			if (part.rows === 1) return this.#rows === 0 ? part : undefined;
			const rows = Math.floor((part.rows * room) / size);
			part = advance(levels, entry, present, Math.max(1, Math.min(part.rows - 1, rows)));
		}
	}

	#appendLevels(levels: Levels, from: number, to: number, present: number): void {
		const count = to - from;
		if (this.leaf.maxRepetitionLevel > 0) {
			if (levels.repetition === null) this.#repetition.fill(0, count);
			else this.#repetition.append(levels.repetition.subarray(from, to));
		}
		if (this.leaf.maxDefinitionLevel > 0) {
			const wasFull = this.#present === this.#entries;
			if (present < count && wasFull) this.#definition.fill(this.leaf.maxDefinitionLevel, this.#entries);
			if (present < count || !wasFull) {
				if (levels.definition === null) this.#definition.fill(this.leaf.maxDefinitionLevel, count);
				else this.#definition.append(levels.definition.subarray(from, to));
			}
		}
		this.#entries += count;
		this.#present += present;
	}

	/** Whether a page can be compressed as it ends: after those before it, and into memory of its own. */
	get #compressesNow(): boolean {
		return this.#ready && this.#compressing && this.#raw.length === 0 && this.#options.codec !== 'uncompressed';
	}

	#endPage(): void {
		const statistics = this.#encoder.statistics();
		const nullCount = this.#entries - this.#present;
		this.#addStatistics(statistics.min, statistics.max, statistics.nanCount);
		this.#index.add(this.leaf, statistics.min, statistics.max, nullCount, this.#present === 0);
		const scratch = this.#scratch;
		scratch.clear();
		const withLengths = this.#options.pageVersion === 1;
		const repetitionLength = this.#writeRepetition(scratch, withLengths);
		const definitionLength = this.#writeDefinition(scratch, withLengths);
		let levels: Uint8Array | undefined;
		if (!withLengths) {
			levels = scratch.copy();
			scratch.clear();
		}
		const encoding = this.#encoder.finishPage(scratch);
		const sizeBytes = scratch.length + (levels?.length ?? 0);
		this.#rawBytes += sizeBytes;
		this.#pendingBytes += sizeBytes;
		if (this.#rawBytes >= MIN_COMPRESSED_CHUNK_BYTES) this.#compressing = true;
		// what is compressed at once is not looked at again; of version 2 it may be stored as it is
		const isCopied = !this.#compressesNow || levels !== undefined;
		const page: RawPage = {
			levels,
			body: isCopied ? scratch.copy() : scratch.content(),
			entries: this.#entries,
			nullCount,
			rowCount: this.#rows,
			firstRow: this.#chunkRows,
			encoding,
			levelLengths: [repetitionLength, definitionLength],
		};
		if (isCopied) this.#raw.push(page);
		else this.#compress(page);
		this.#pagesByEncoding.set(encoding, (this.#pagesByEncoding.get(encoding) ?? 0) + 1);
		this.#chunkRows += this.#rows;
		this.#chunkEntries += this.#entries;
		this.#chunkNulls += nullCount;
		this.#rows = 0;
		this.#entries = 0;
		this.#present = 0;
		this.#repetition.clear();
		this.#definition.clear();
	}

	#addStatistics(min: Uint8Array | undefined, max: Uint8Array | undefined, nanCount: number): void {
		const compare = this.#compareStatistics;
		if (min !== undefined && (this.#min === undefined || compare(min, this.#min) < 0)) this.#min = min;
		if (max !== undefined && (this.#max === undefined || compare(max, this.#max) > 0)) this.#max = max;
		this.#chunkNans += nanCount;
	}

	#writeRepetition(out: GrowingBytes, withLength: boolean): number {
		if (this.leaf.maxRepetitionLevel === 0) return 0;
		const start = beginLevels(out, withLength);
		encodeHybrid(this.#repetition.bytes, this.#entries, bitWidthOf(this.leaf.maxRepetitionLevel), out);
		return endLevels(out, start, withLength);
	}

	#writeDefinition(out: GrowingBytes, withLength: boolean): number {
		const { maxDefinitionLevel } = this.leaf;
		if (maxDefinitionLevel === 0) return 0;
		const width = bitWidthOf(maxDefinitionLevel);
		const start = beginLevels(out, withLength);
		if (this.#present === this.#entries) encodeRun(maxDefinitionLevel, this.#entries, width, out);
		else encodeHybrid(this.#definition.bytes, this.#entries, width, out);
		return endLevels(out, start, withLength);
	}

	#place(slot: number, page: RawPage, compressed: Uint8Array): void {
		// pages of version 2 tell each for itself whether they are compressed
		const pays = page.levels === undefined || compressed.length < page.body.length;
		const isCompressed = pays && this.#options.codec !== 'uncompressed';
		this.#pages[slot] = this.#finishedData(page, pays ? compressed : page.body, isCompressed);
		this.#pendingBytes -= page.body.length + (page.levels?.length ?? 0);
	}

	#finishedData(page: RawPage, body: Uint8Array, isCompressed: boolean): FinishedPage {
		const levelsLength = page.levels?.length ?? 0;
		const header: PageHeader = {
			type: page.levels === undefined ? PageType.DATA_PAGE : PageType.DATA_PAGE_V2,
			uncompressedPageSize: levelsLength + page.body.length,
			compressedPageSize: levelsLength + body.length,
			crc: crcOf(page.levels, body),
			...(page.levels === undefined
				? {
						dataPageHeader: {
							numValues: page.entries,
							encoding: page.encoding,
							definitionLevelEncoding: Encoding.RLE,
							repetitionLevelEncoding: Encoding.RLE,
						},
					}
				: {
						dataPageHeaderV2: {
							numValues: page.entries,
							numNulls: page.nullCount,
							numRows: page.rowCount,
							encoding: page.encoding,
							repetitionLevelsByteLength: page.levelLengths[0],
							definitionLevelsByteLength: page.levelLengths[1],
							isCompressed,
						},
					}),
		};
		return this.#finished(header, page.levels, body, page.firstRow);
	}

	#finishedDictionary(dictionary: DictionaryPage, body: Uint8Array): FinishedPage {
		const header: PageHeader = {
			type: PageType.DICTIONARY_PAGE,
			uncompressedPageSize: dictionary.bytes.length,
			compressedPageSize: body.length,
			crc: crc32(body) | 0,
			dictionaryPageHeader: { numValues: dictionary.valueCount, encoding: Encoding.PLAIN },
		};
		return this.#finished(header, undefined, body, undefined);
	}

	#finished(
		header: PageHeader,
		levels: Uint8Array | undefined,
		body: Uint8Array,
		firstRow: number | undefined,
	): FinishedPage {
		const headerBytes = encodePageHeader(header);
		this.#uncompressedSizeBytes += headerBytes.length + header.uncompressedPageSize;
		this.#compressedSizeBytes += headerBytes.length + header.compressedPageSize;
		return { header: headerBytes, levels, body, firstRow };
	}
}

interface Part {
	/** positions after the part */
	readonly entry: number;
	readonly present: number;
	readonly rows: number;
}

/** The entries of at most `rowLimit` rows from `entry` on. */
function advance(levels: Levels, entry: number, present: number, rowLimit: number): Part {
	const { entries, repetition, definition } = levels;
	let end: number;
	let rows: number;
	if (repetition === null) {
		rows = Math.min(rowLimit, entries - entry);
		end = entry + rows;
	} else {
		rows = 1;
		for (end = entry + 1; end < entries; end++) if (repetition[end] === 0 && ++rows > rowLimit) break;
		rows = Math.min(rows, rowLimit);
	}
	if (end === entries) return { entry: end, present: levels.present, rows };
	if (definition === null) return { entry: end, present: present + end - entry, rows };
	let found = present;
	for (let i = entry; i < end; i++) if (definition[i] === levels.presentLevel) found++;
	return { entry: end, present: found, rows };
}

function beginLevels(out: GrowingBytes, withLength: boolean): number {
	if (withLength) out.uint32(0);
	return out.length;
}

function endLevels(out: GrowingBytes, start: number, withLength: boolean): number {
	const length = out.length - start;
	if (withLength) out.setUint32(start - 4, length);
	return length;
}

function encoderOf(leaf: WriteLeaf, name: string, options: ColumnOptions): ValueEncoder {
	const precision = leaf.type.kind === 'decimal' ? leaf.type.precision : undefined;
	switch (leaf.physical) {
		case PhysicalType.BOOLEAN:
			return new BooleanEncoder(options, name);
		case PhysicalType.INT32:
			return wordValuesEncoder('int32', options, name, precision);
		case PhysicalType.INT64:
			return wordValuesEncoder('int64', options, name, precision);
		case PhysicalType.FLOAT:
			return wordValuesEncoder('float', options, name);
		case PhysicalType.DOUBLE:
			return wordValuesEncoder('double', options, name);
		case PhysicalType.BYTE_ARRAY:
			return leaf.order === 'unsigned-bytes'
				? textValuesEncoder(options, name)
				: new BytesEncoder(0, leaf.order, options, name);
		default:
			return new BytesEncoder(leaf.typeLength, leaf.order, options, name, precision);
	}
}

/** The column index of a chunk, page by page. */
class IndexBuilder {
	readonly #nullPages: boolean[] = [];
	readonly #mins: Uint8Array[] = [];
	readonly #maxs: Uint8Array[] = [];
	readonly #nullCounts: number[] = [];
	#complete = true;

	add(
		leaf: WriteLeaf,
		min: Uint8Array | undefined,
		max: Uint8Array | undefined,
		nullCount: number,
		allNull: boolean,
	): void {
		if (!allNull && (min === undefined || max === undefined)) this.#complete = false;
		this.#nullPages.push(allNull);
		this.#nullCounts.push(nullCount);
		this.#mins.push(min === undefined ? EMPTY : storedMin(leaf, min).value);
		this.#maxs.push(max === undefined ? EMPTY : storedMax(leaf, max).value);
	}

	finish(compare: StatisticComparator): ColumnIndex | undefined {
		if (!this.#complete) return undefined;
		const order = (lists: readonly Uint8Array[][], sign: number): boolean =>
			lists.every((list) => {
				const values = list.filter((_, page) => !this.#nullPages[page]);
				return values.every((value, i) => i === 0 || sign * compare(values[i - 1] as Uint8Array, value) <= 0);
			});
		const bounds = [this.#mins, this.#maxs];
		return {
			nullPages: this.#nullPages,
			minValues: this.#mins,
			maxValues: this.#maxs,
			boundaryOrder: order(bounds, 1)
				? BoundaryOrder.ASCENDING
				: order(bounds, -1)
					? BoundaryOrder.DESCENDING
					: BoundaryOrder.UNORDERED,
			nullCounts: this.#nullCounts,
		};
	}
}

/** CRC-32 of a page as stored. Node.js forgets the start value for bytes without memory, so none are passed to it. */
function crcOf(levels: Uint8Array | undefined, body: Uint8Array): number {
	const start = levels === undefined || levels.length === 0 ? 0 : crc32(levels);
	return (body.length === 0 ? start : crc32(body, start)) | 0;
}
