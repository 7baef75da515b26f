/** BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY: text, binary, uuid, fixed, shapes, variants' parts and wide decimals. */
import type { Vector } from '../../column/vector.ts';
import { IcebergError } from '../../errors/iceberg-error.ts';
import { GrowingBytes, GrowingInts } from './encode-buffer.ts';
import { BytesExtremes } from './encode-bytes-extremes.ts';
import { BytesTable } from './encode-bytes-table.ts';
import { DictionaryPolicy, writeIndices } from './encode-dictionary.ts';
import type { DictionaryPage, EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { Encoding } from './format.ts';
import type { Levels } from './levels.ts';
import type { StatisticsOrder } from './schema-mapping.ts';

/** Up to this length bytes are copied word by word: cheaper than the call that copies a range. */
const SHORT_BYTES = 128;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer);

export class BytesEncoder implements ValueEncoder {
	/** bytes of each value, or 0 where they differ */
	readonly #width: number;
	readonly #options: EncoderOptions;
	readonly #order: StatisticsOrder;
	readonly #decimalLimit: bigint | undefined;
	readonly #name: string;
	readonly #policy: DictionaryPolicy;
	/** of the page, while the dictionary is active */
	readonly #indices = new GrowingInts();
	readonly #page = new GrowingBytes();
	#table: BytesTable;
	#values: Uint8Array = NO_BYTES;
	#view: DataView = NO_VIEW;
	#offsets: Int32Array | undefined;
	/** of a vector with a dictionary: what its indices name */
	#indirect: Int32Array | undefined;
	/** our entry of each of the source dictionary's values; -1: not looked up yet */
	#known: Int32Array | undefined;
	/** bytes of the longest value that the vector's dictionary has; below 0: not known */
	#longest = -1;
	/** the page in which an entry was last compared with min and max */
	readonly #comparedIn = new GrowingInts();
	#pageNumber = 1;
	readonly #extremes: BytesExtremes;

	/** `width` is 0 for values of any length; `decimalPrecision` for decimals stored as fixed bytes. */
	constructor(width: number, order: StatisticsOrder, options: EncoderOptions, name: string, decimalPrecision?: number) {
		this.#width = width;
		this.#order = order;
		this.#extremes = new BytesExtremes(order === 'signed-bytes');
		this.#options = options;
		this.#name = name;
		this.#decimalLimit = decimalPrecision === undefined ? undefined : 10n ** BigInt(decimalPrecision);
		this.#policy = new DictionaryPolicy(options.dictSizeBytes);
		this.#table = new BytesTable(width === 0 ? 4 : 0);
	}

	bind(vector: Vector): void {
		this.#indirect = undefined;
		this.#known = undefined;
		this.#longest = -1;
		this.#offsets = undefined;
		switch (vector.layout) {
			case 'bytes':
				this.#values = vector.values;
				this.#offsets = vector.offsets;
				break;
			case 'dictionary':
				this.#indirect = vector.indices;
				this.#values = vector.dictionary.values;
				this.#offsets = vector.dictionary.offsets;
				if (vector.dictionary.length <= vector.length) this.#known = new Int32Array(vector.dictionary.length).fill(-1);
				break;
			case 'fixed':
				if (vector.width !== this.#width) {
					throw new IcebergError(
						'INVALID_DATA',
						`column '${this.#name}': values of ${vector.width} bytes where ${this.#width} are needed`,
						{ context: { column: this.#name } },
					);
				}
				this.#values = vector.values;
				break;
			case 'decimal128':
				this.#values = this.#bigEndian(vector.values, vector.validity, vector.length);
				break;
			default:
				throw new IcebergError(
					'INVALID_ARGUMENT',
					`column '${this.#name}' cannot be written from a vector of ${vector.layout}`,
				);
		}
		this.#view = viewOf(this.#values);
	}

	plainSize(levels: Levels, from: number, to: number): number {
		if (this.#width > 0) return (to - from) * this.#width;
		const offsets = this.#offsets as Int32Array;
		const { positions, base } = levels;
		const indirect = this.#indirect;
		if (to <= from) return 0;
		if (positions === null && indirect === undefined) {
			return (to - from) * 4 + (offsets[base + to] as number) - (offsets[base + from] as number);
		}
		let size = (to - from) * 4;
		for (let i = from; i < to; i++) {
			let position = positions === null ? base + i : (positions[i] as number);
			if (indirect !== undefined) position = indirect[position] as number;
			size += (offsets[position + 1] as number) - (offsets[position] as number);
		}
		return size;
	}

	mostPlainBytes(count: number): number {
		if (this.#width > 0) return count * this.#width;
		return this.#indirect === undefined ? Number.POSITIVE_INFINITY : count * (4 + this.#longestOfDictionary());
	}

	append(levels: Levels, from: number, to: number): void {
		if (this.#policy.active) this.#appendToDictionary(levels, from, to);
		else this.#appendPlain(levels, from, to);
	}

	get room(): number {
		if (this.#policy.active) return this.#policy.room(this.#table.plain.length, this.#table.count);
		return Math.max(0, this.#options.pageSizeBytes - this.#page.length);
	}

	get pageSizeBytes(): number {
		return this.#policy.active ? this.#indices.length * 2 : this.#page.length;
	}

	get dictionarySizeBytes(): number {
		return this.#table.plain.length;
	}

	statistics(): ValueStatistics {
		return { min: this.#extremes.min, max: this.#extremes.max, nanCount: 0 };
	}

	finishPage(out: GrowingBytes): number {
		this.#extremes.clear();
		this.#pageNumber++;
		const policy = this.#policy;
		if (!policy.active) {
			out.append(this.#page.content());
			this.#page.clear();
			return Encoding.PLAIN;
		}
		const table = this.#table;
		const keep = policy.endPage(table.plain.length, table.count);
		if (keep) writeIndices(out, this.#indices, table.count);
		else {
			this.#appendEntries(out);
			this.#dropTable();
		}
		policy.clearPage();
		this.#indices.clear();
		return keep ? Encoding.RLE_DICTIONARY : Encoding.PLAIN;
	}

	dictionaryPage(): DictionaryPage | undefined {
		if (!this.#policy.used) return undefined;
		return { valueCount: this.#table.count, bytes: this.#table.plain.content() };
	}

	reset(): void {
		this.#policy.reset();
		this.#indices.clear();
		this.#dropTable();
	}

	#longestOfDictionary(): number {
		if (this.#longest < 0 && this.#known !== undefined) {
			const offsets = this.#offsets as Int32Array;
			for (let i = 0; i < this.#known.length; i++)
				this.#longest = Math.max(this.#longest, (offsets[i + 1] as number) - (offsets[i] as number));
		}
		return this.#longest < 0 ? Number.POSITIVE_INFINITY : this.#longest;
	}

	#dropTable(): void {
		this.#table = new BytesTable(this.#width === 0 ? 4 : 0);
		this.#comparedIn.values.fill(0);
		this.#comparedIn.clear();
		this.#known?.fill(-1);
	}

	#appendToDictionary(levels: Levels, from: number, to: number): void {
		const { positions, base } = levels;
		const width = this.#width;
		const source = this.#values;
		const view = this.#view;
		const offsets = this.#offsets;
		const indirect = this.#indirect;
		const known = this.#known;
		const table = this.#table;
		const policy = this.#policy;
		const extremes = this.#extremes;
		const ordered = this.#order !== 'none';
		extremes.begin(view);
		const indices = this.#indices;
		indices.reserve(to - from);
		const out = indices.values;
		let at = indices.length;
		let compared = this.#comparedIn.values;
		const page = this.#pageNumber;
		let plainBytes = 0;
		for (let i = from; i < to; i++) {
			let position = positions === null ? base + i : (positions[i] as number);
			if (indirect !== undefined) position = indirect[position] as number;
			const start = offsets === undefined ? position * width : (offsets[position] as number);
			const length = offsets === undefined ? width : (offsets[position + 1] as number) - start;
			let entry = known === undefined ? -1 : (known[position] as number);
			if (entry < 0) {
				entry = table.entry(source, view, start, length);
				if (known !== undefined) known[position] = entry;
			}
			out[at++] = entry;
			plainBytes += length;
			if (entry >= compared.length) compared = this.#growCompared(entry);
			// each entry is compared once a page, however often it occurs
			if (compared[entry] !== page) {
				compared[entry] = page;
				if (ordered) extremes.add(start, length);
			}
		}
		extremes.end();
		indices.length = at;
		policy.pageValues = at;
		policy.pagePlainBytes += plainBytes + (width === 0 ? 4 * (to - from) : 0);
	}

	#growCompared(entry: number): Int32Array {
		const compared = this.#comparedIn;
		compared.length = compared.values.length;
		compared.reserve(entry + 1 - compared.length);
		return compared.values;
	}

	#appendPlain(levels: Levels, from: number, to: number): void {
		const { positions, base } = levels;
		const width = this.#width;
		const source = this.#values;
		const view = this.#view;
		const offsets = this.#offsets;
		const indirect = this.#indirect;
		const page = this.#page;
		page.reserve(this.plainSize(levels, from, to));
		const { bytes: out, view: outView } = page;
		let at = page.length;
		const extremes = this.#extremes;
		const ordered = this.#order !== 'none';
		extremes.begin(view);
		for (let i = from; i < to; i++) {
			let position = positions === null ? base + i : (positions[i] as number);
			if (indirect !== undefined) position = indirect[position] as number;
			const start = offsets === undefined ? position * width : (offsets[position] as number);
			const length = offsets === undefined ? width : (offsets[position + 1] as number) - start;
			if (width === 0) {
				outView.setInt32(at, length, true);
				at += 4;
			}
			copyBytes(source, view, start, length, out, outView, at);
			at += length;
			if (ordered) extremes.add(start, length);
		}
		extremes.end();
		page.length = at;
	}

	#appendEntries(out: GrowingBytes): void {
		const indices = this.#indices;
		const { plain, ranges } = this.#table;
		out.reserve(this.#policy.pagePlainBytes);
		for (let i = 0; i < indices.length; i++) {
			const entry = indices.values[i] as number;
			const length = ranges.values[entry * 2 + 1] as number;
			const start = ranges.values[entry * 2] as number;
			if (this.#width === 0) out.uint32(length);
			copyBytes(plain.bytes, plain.view, start, length, out.bytes, out.view, out.length);
			out.length += length;
		}
	}

	/** Decimals as big-endian two's complement of the column's width. */
	#bigEndian(words: BigInt64Array, validity: Uint8Array | null, length: number): Uint8Array {
		const width = this.#width;
		const limit = this.#decimalLimit ?? 0n;
		const source = new Uint8Array(words.buffer, words.byteOffset, length * 16);
		const out = new Uint8Array(length * width);
		for (let i = 0; i < length; i++) {
			if (validity !== null && (((validity[i >>> 3] as number) >>> (i & 7)) & 1) === 0) continue;
			const high = words[i * 2 + 1] as bigint;
			const unscaled = (high << 64n) | BigInt.asUintN(64, words[i * 2] as bigint);
			if (unscaled >= limit || unscaled <= -limit) {
				throw new IcebergError(
					'INVALID_DATA',
					`column '${this.#name}': the unscaled value ${unscaled} has too many digits`,
					{
						context: { column: this.#name, value: unscaled },
					},
				);
			}
			for (let k = 0; k < width; k++) out[i * width + width - 1 - k] = source[i * 16 + k] as number;
		}
		return out;
	}
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `view` and `outView` are of `source` and `out`. */
function copyBytes(
	source: Uint8Array,
	view: DataView,
	start: number,
	length: number,
	out: Uint8Array,
	outView: DataView,
	at: number,
): void {
	if (length > SHORT_BYTES) {
		out.set(source.subarray(start, start + length), at);
		return;
	}
	let i = 0;
	for (; i + 4 <= length; i += 4) outView.setInt32(at + i, view.getInt32(start + i));
	for (; i < length; i++) out[at + i] = source[start + i] as number;
}
