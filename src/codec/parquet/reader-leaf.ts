/** One leaf column of one row group: pages in, batches of decoded values and levels out. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { atSpot, corruptPage, type FileSpot } from './decode-error.ts';
import { BATCH_SLOTS_LIMIT, BytesSink, FixedSink, type ValueDecoder } from './decode-sink.ts';
import type { ColumnMetaData, OffsetIndex } from './format.ts';
import { type ColumnSink, type DataPage, type OpenPage, PageReader, valueWidth } from './page-reader.ts';
import type { ChunkBytes } from './reader-bytes.ts';
import type { SchemaNode } from './schema-mapping-file.ts';

/** Levels decoded at a time for columns below lists. */
const LEVEL_BLOCK = 4096;

/** What a leaf is read for. */
export interface LeafWish {
	/** false: only its levels, to tell which of its ancestors are null */
	readonly values: boolean;
	/** whether the definition levels are wanted, for the validity of structs above */
	readonly levels: boolean;
	/** definition level of the innermost list above, 0 without one: lower levels are no slots */
	readonly slotLevel: number;
}

/** Some rows of a leaf. */
export interface LeafBatch {
	/** values and nulls, but not the places of empty or missing lists above */
	readonly slots: number;
	/** slots that are not null */
	readonly present: number;
	/** a bit for each slot; `undefined` when none is null */
	readonly validity: Uint8Array | undefined;
	/** absent when only levels were wished for */
	readonly sink: ColumnSink | undefined;
	/** levels; one for each slot unless lists are above */
	readonly entries: number;
	/** absent when not wished for */
	readonly definition: Uint8Array | undefined;
	/** absent without lists above */
	readonly repetition: Uint8Array | undefined;
}

interface CurrentPage {
	readonly page: DataPage;
	readonly open: OpenPage;
	decoder: ValueDecoder<ColumnSink> | undefined;
	/** levels, or values of a column without levels, that were not yet taken from the decoders */
	left: number;
}

export class LeafReader {
	readonly node: SchemaNode;
	readonly #wish: LeafWish;
	readonly #pages: PageReader;
	readonly #spot: FileSpot;
	readonly #rowCount: number;
	readonly #width: number | undefined;
	/** a page whose header only was read */
	#ahead: DataPage | undefined;
	#page: CurrentPage | undefined;
	/** rows given out or passed over */
	#row = 0;
	/** of the batch before; saves growing a batch's buffer step by step */
	#bytesPerValue = 0;
	#index: OffsetIndex | undefined;
	/** position in the offset index of the page that comes next */
	#indexPage = 0;
	// levels decoded, but not yet given out (columns below lists)
	readonly #blockDefinition: Uint8Array;
	readonly #blockRepetition: Uint8Array;
	#blockStart = 0;
	#blockEnd = 0;

	/** @throws `UNSUPPORTED` */
	constructor(
		node: SchemaNode,
		meta: ColumnMetaData,
		bytes: ChunkBytes,
		rowCount: number,
		wish: LeafWish,
		spot: FileSpot,
	) {
		this.node = node;
		this.#wish = wish;
		this.#spot = spot;
		this.#rowCount = rowCount;
		this.#width = valueWidth(node.element);
		const block = node.repetitionLevel > 0 ? LEVEL_BLOCK : 0;
		this.#blockDefinition = new Uint8Array(block);
		this.#blockRepetition = new Uint8Array(block);
		try {
			this.#pages = new PageReader(node, meta, bytes);
		} catch (error) {
			throw atSpot(error, spot);
		}
	}

	/** Reads the first bytes, the dictionary among them. @throws `CORRUPT`, `UNSUPPORTED` */
	async start(): Promise<void> {
		try {
			await this.#pages.load();
			this.#ahead = await this.#pages.next();
		} catch (error) {
			throw atSpot(error, this.#spot);
		}
	}

	/** Lets {@link skip} step over whole pages without reading them. */
	useOffsetIndex(index: OffsetIndex): void {
		this.#index = index;
	}

	/** The next `rows` rows. @throws `CORRUPT` when there are fewer */
	async read(rows: number): Promise<LeafBatch> {
		try {
			const isFlat = this.node.repetitionLevel === 0;
			const batch = isFlat ? await this.#readFlat(rows, true) : await this.#readRepeated(rows, true);
			this.#row += rows;
			if (batch.sink instanceof BytesSink) this.#bytesPerValue = batch.sink.usedBytes / Math.max(1, batch.slots);
			if (this.#row === this.#rowCount && this.#blockStart < this.#blockEnd)
				throw corruptPage(`the column has more than the ${this.#rowCount} rows of its row group`);
			return batch;
		} catch (error) {
			throw atSpot(error, this.#spot);
		}
	}

	/** Passes over the next `rows` rows. */
	async skip(rows: number): Promise<void> {
		try {
			const target = this.#row + rows;
			await this.#jumpTo(target);
			while (this.#row < target) {
				const take = Math.min(target - this.#row, await this.#wholePageRows(target - this.#row));
				if (take > 0) this.#row += take;
				else {
					const step = Math.min(target - this.#row, LEVEL_BLOCK);
					if (this.node.repetitionLevel === 0) await this.#readFlat(step, false);
					else await this.#readRepeated(step, false);
					this.#row += step;
				}
			}
		} catch (error) {
			throw atSpot(error, this.#spot);
		}
	}

	/** Goes to the start of the page that holds row `target`, when the offset index says where that is. */
	async #jumpTo(target: number): Promise<void> {
		const locations = this.#index?.pageLocations;
		if (locations === undefined) return;
		let page = this.#indexPage;
		for (let next = page + 1; next < locations.length; next++) {
			const row = locations[next]?.firstRowIndex ?? 0;
			if (row > target) break;
			// a page that goes on with the row of the page before is no place to start
			if (row > (locations[page]?.firstRowIndex ?? 0)) page = next;
		}
		const location = locations[page];
		if (location === undefined || location.firstRowIndex <= this.#row) return;
		this.#indexPage = page;
		this.#pages.jump(location.offset);
		this.#page = undefined;
		this.#blockStart = this.#blockEnd;
		this.#ahead = await this.#pages.next();
		// Pages without values, which some writers make, are passed over: the row starts in the first page that has some.
		while (
			this.#ahead !== undefined &&
			locations[page + 1]?.firstRowIndex === location.firstRowIndex &&
			(locations[page]?.offset ?? 0) < this.#ahead.offset
		)
			page++;
		if (this.#ahead === undefined || this.#ahead.offset !== locations[page]?.offset)
			throw corruptPage(`the offset index points to ${location.offset}, where no data page starts`);
		this.#indexPage = page;
		const next = locations[page + 1]?.firstRowIndex ?? this.#rowCount;
		const { numRows } = this.#ahead;
		if (this.node.repetitionLevel === 0 && numRows !== next - location.firstRowIndex)
			throw corruptPage(
				`the page at ${location.offset} has ${numRows} rows, the offset index says ${next - location.firstRowIndex}`,
			);
		this.#row = location.firstRowIndex;
	}

	/** Drops the next page unread if it has at most `limit` rows; returns how many it had, 0 if it stays. */
	async #wholePageRows(limit: number): Promise<number> {
		if (this.node.repetitionLevel > 0 || (this.#page !== undefined && this.#page.left > 0)) return 0;
		this.#ahead ??= await this.#pages.next();
		const rows = this.#ahead?.numRows;
		if (rows === undefined || rows > limit) return 0;
		this.#ahead = undefined;
		return rows;
	}

	/** The page that the next levels come from, or `undefined` after the last. */
	async #current(): Promise<CurrentPage | undefined> {
		if (this.#page !== undefined && this.#page.left > 0) return this.#page;
		const page = this.#ahead ?? (await this.#pages.next());
		this.#ahead = undefined;
		this.#page = undefined;
		if (page === undefined) return undefined;
		this.#page = { page, open: await page.open(), decoder: undefined, left: page.numValues };
		return this.#page;
	}

	#newSink(capacity: number): ColumnSink | undefined {
		if (!this.#wish.values) return undefined;
		if (this.#width !== undefined) return new FixedSink(this.#width, capacity);
		return new BytesSink(capacity, this.#bytesPerValue * capacity);
	}

	/** `keep`: false passes over the values. */
	async #readFlat(rows: number, keep: boolean): Promise<LeafBatch> {
		const maxLevel = this.node.definitionLevel;
		const sink = keep ? this.#newSink(rows) : undefined;
		const validity = maxLevel > 0 ? new Uint8Array((rows + 7) >>> 3) : undefined;
		const definition = maxLevel > 1 || (maxLevel === 1 && this.#wish.levels) ? new Uint8Array(rows) : undefined;
		let at = 0;
		let present = 0;
		while (at < rows) {
			const current = await this.#current();
			if (current === undefined) throw corruptPage(`the column ends ${rows - at} rows too early`);
			const take = Math.min(rows - at, current.left);
			let here = take;
			const levels = current.open.definition;
			if (levels !== undefined && validity !== undefined) {
				if (definition === undefined) here = levels.readBitmap(validity, at, take);
				else {
					levels.read(definition, at, take);
					here = levelsToBits(definition, at, take, maxLevel, validity, at);
				}
			}
			this.#takeValues(current, sink, at, take, here, validity);
			current.left -= take;
			at += take;
			present += here;
		}
		return {
			slots: rows,
			present,
			validity: present === rows ? undefined : validity,
			sink,
			entries: rows,
			definition,
			repetition: undefined,
		};
	}

	/** `keep`: false passes over the values. */
	async #readRepeated(rows: number, keep: boolean): Promise<LeafBatch> {
		const maxLevel = this.node.definitionLevel;
		const { slotLevel } = this.#wish;
		const sink = keep ? this.#newSink(rows) : undefined;
		let definition = new Uint8Array(Math.max(rows, 64));
		let repetition = new Uint8Array(Math.max(rows, 64));
		let validity = new Uint8Array((Math.max(rows, 64) + 7) >>> 3);
		let entries = 0;
		let slots = 0;
		let present = 0;
		let rowsSeen = 0;
		for (;;) {
			const current = await this.#levelBlock();
			if (current === undefined) break;
			const start = this.#blockStart;
			let end = start;
			for (; end < this.#blockEnd; end++) {
				if (this.#blockRepetition[end] !== 0) continue;
				if (rowsSeen === rows) break;
				rowsSeen++;
			}
			const take = end - start;
			if (take === 0) break;
			if (entries === 0 && this.#blockRepetition[start] !== 0)
				throw corruptPage('a page starts in the middle of a row');
			definition = grown(definition, entries + take);
			repetition = grown(repetition, entries + take);
			validity = grown(validity, (slots + take + 7) >>> 3);
			definition.set(this.#blockDefinition.subarray(start, end), entries);
			repetition.set(this.#blockRepetition.subarray(start, end), entries);
			let here = 0;
			const slotsBefore = slots;
			for (let i = entries; i < entries + take; i++) {
				const level = definition[i] as number;
				if (level < slotLevel) continue;
				if (level === maxLevel) {
					validity[slots >>> 3] = (validity[slots >>> 3] as number) | (1 << (slots & 7));
					here++;
				}
				slots++;
			}
			this.#takeValues(current, sink, slotsBefore, slots - slotsBefore, here, validity);
			entries += take;
			present += here;
			this.#blockStart = end;
			if (end < this.#blockEnd) break;
		}
		if (rowsSeen < rows) throw corruptPage(`the column ends ${rows - rowsSeen} rows too early`);
		return {
			slots,
			present,
			validity: present === slots ? undefined : validity,
			sink,
			entries,
			definition,
			repetition,
		};
	}

	/** Makes sure that levels are in the block. Values of a block's levels all come from the returned page. */
	async #levelBlock(): Promise<CurrentPage | undefined> {
		if (this.#blockStart < this.#blockEnd) return this.#page;
		const current = await this.#current();
		if (current === undefined) return undefined;
		const take = Math.min(current.left, LEVEL_BLOCK);
		current.open.repetition?.read(this.#blockRepetition, 0, take);
		if (current.open.definition === undefined) this.#blockDefinition.fill(0, 0, take);
		else current.open.definition.read(this.#blockDefinition, 0, take);
		current.left -= take;
		this.#blockStart = 0;
		this.#blockEnd = take;
		return current;
	}

	#takeValues(
		current: CurrentPage,
		sink: ColumnSink | undefined,
		at: number,
		slots: number,
		present: number,
		validity: Uint8Array | undefined,
	): void {
		if (!this.#wish.values) return;
		sink?.reserve(at + slots);
		if (present > 0) {
			current.decoder ??= current.open.values();
			if (sink === undefined) current.decoder.skip(present);
			else current.decoder.read(sink, at, present);
		}
		if (sink !== undefined && validity !== undefined) sink.expand(at, slots, present, validity);
	}
}

/** Sets bit `bit + i` where level `at + i` is the highest; returns how many. */
function levelsToBits(
	levels: Uint8Array,
	at: number,
	count: number,
	maxLevel: number,
	bits: Uint8Array,
	bit: number,
): number {
	let ones = 0;
	for (let i = 0; i < count; i++) {
		if (levels[at + i] !== maxLevel) continue;
		const b = bit + i;
		bits[b >>> 3] = (bits[b >>> 3] as number) | (1 << (b & 7));
		ones++;
	}
	return ones;
}

function grown(bytes: Uint8Array<ArrayBuffer>, wanted: number): Uint8Array<ArrayBuffer> {
	if (wanted <= bytes.length) return bytes;
	if (wanted > BATCH_SLOTS_LIMIT)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`one batch has more than ${BATCH_SLOTS_LIMIT} list elements; ask for fewer rows in a batch`,
			{ context: { limit: 'BATCH_SLOTS_LIMIT' } },
		);
	const out = new Uint8Array(Math.max(wanted, Math.min(bytes.length * 2, BATCH_SLOTS_LIMIT)));
	out.set(bytes);
	return out;
}
