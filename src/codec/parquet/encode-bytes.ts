/** BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY: text, binary, uuid, fixed, shapes, variants' parts and wide decimals. */
import type { Vector } from '../../column/vector.ts';
import { IcebergError } from '../../errors/iceberg-error.ts';
import { GrowingBytes, GrowingInts } from './encode-buffer.ts';
import { DictionaryPolicy, INITIAL_TABLE_SIZE, mix } from './encode-dictionary.ts';
import type { DictionaryPage, EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { Encoding } from './format.ts';
import type { Levels } from './levels.ts';
import type { StatisticsOrder } from './schema-mapping.ts';

/** Up to this length bytes are copied one by one: cheaper than the call that copies a range. */
const SHORT_BYTES = 48;

/** Open addressing over the entries' bytes, which are kept in PLAIN form, as the dictionary page wants them. */
class BytesTable {
	readonly plain = new GrowingBytes(256);
	/** where the bytes of each entry start in `plain` */
	readonly starts = new GrowingInts(64);
	readonly lengths = new GrowingInts(64);
	readonly #hashes = new GrowingInts(64);
	readonly #prefixBytes: 0 | 4;
	#slots = new Int32Array(0);

	constructor(prefixBytes: 0 | 4) {
		this.#prefixBytes = prefixBytes;
	}

	get count(): number {
		return this.starts.length;
	}

	/** The entry of these bytes, made if there was none. */
	entry(source: Uint8Array, start: number, length: number): number {
		if (this.count * 2 >= this.#slots.length) this.#grow();
		let hash = length;
		for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ (source[i] as number), 0x01000193);
		hash = mix(hash);
		const slots = this.#slots;
		const mask = slots.length - 1;
		let slot = hash & mask;
		for (;;) {
			const entry = (slots[slot] as number) - 1;
			if (entry < 0) break;
			if (this.#hashes.values[entry] === hash && this.#equals(entry, source, start, length)) return entry;
			slot = (slot + 1) & mask;
		}
		slots[slot] = this.#add(source, start, length, hash) + 1;
		return this.count - 1;
	}

	#equals(entry: number, source: Uint8Array, start: number, length: number): boolean {
		if (this.lengths.values[entry] !== length) return false;
		const at = this.starts.values[entry] as number;
		const { bytes } = this.plain;
		for (let i = 0; i < length; i++) if (bytes[at + i] !== source[start + i]) return false;
		return true;
	}

	#add(source: Uint8Array, start: number, length: number, hash: number): number {
		const entry = this.count;
		if (this.#prefixBytes > 0) this.plain.uint32(length);
		push(this.starts, this.plain.length);
		push(this.lengths, length);
		push(this.#hashes, hash);
		this.plain.append(source.subarray(start, start + length));
		return entry;
	}

	#grow(): void {
		const slots = new Int32Array(Math.max(INITIAL_TABLE_SIZE, this.#slots.length * 2));
		const mask = slots.length - 1;
		for (let entry = 0; entry < this.count; entry++) {
			let slot = (this.#hashes.values[entry] as number) & mask;
			while (slots[slot] !== 0) slot = (slot + 1) & mask;
			slots[slot] = entry + 1;
		}
		this.#slots = slots;
	}
}

function push(ints: GrowingInts, value: number): void {
	ints.reserve(1);
	ints.values[ints.length++] = value;
}

export class BytesEncoder implements ValueEncoder {
	/** bytes of each value, or 0 where they differ */
	readonly #width: number;
	readonly #options: EncoderOptions;
	readonly #order: StatisticsOrder;
	/** turns the order of the first byte into that of signed numbers */
	readonly #signFlip: number;
	readonly #decimalLimit: bigint | undefined;
	readonly #name: string;
	readonly #policy: DictionaryPolicy;
	readonly #page = new GrowingBytes(256);
	#table: BytesTable;
	#values: Uint8Array = new Uint8Array(0);
	#offsets: Int32Array | undefined;
	/** of a vector with a dictionary: what its indices name */
	#indirect: Int32Array | undefined;
	/** our entry of each of the source dictionary's values; -1: not looked up yet */
	#known: Int32Array | undefined;
	/** the page in which an entry was last compared with min and max */
	readonly #comparedIn = new GrowingInts(64);
	#pageNumber = 1;
	#min: Uint8Array | undefined;
	#max: Uint8Array | undefined;

	/** `width` is 0 for values of any length; `decimalPrecision` for decimals stored as fixed bytes. */
	constructor(width: number, order: StatisticsOrder, options: EncoderOptions, name: string, decimalPrecision?: number) {
		this.#width = width;
		this.#order = order;
		this.#signFlip = order === 'signed-bytes' ? 0x80 : 0;
		this.#options = options;
		this.#name = name;
		this.#decimalLimit = decimalPrecision === undefined ? undefined : 10n ** BigInt(decimalPrecision);
		this.#policy = new DictionaryPolicy(options.dictSizeBytes);
		this.#table = new BytesTable(width === 0 ? 4 : 0);
	}

	bind(vector: Vector): void {
		this.#indirect = undefined;
		this.#known = undefined;
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

	append(levels: Levels, from: number, to: number): void {
		if (this.#policy.active) this.#appendToDictionary(levels, from, to);
		else this.#appendPlain(levels, from, to);
	}

	get room(): number {
		if (this.#policy.active) return this.#policy.room(this.#table.plain.length, this.#table.count);
		return Math.max(0, this.#options.pageSizeBytes - this.#page.length);
	}

	get pageSizeBytes(): number {
		return this.#policy.active ? this.#policy.indices.length * 2 : this.#page.length;
	}

	get dictionarySizeBytes(): number {
		return this.#table.plain.length;
	}

	statistics(): ValueStatistics {
		return { min: this.#min, max: this.#max, nanCount: 0 };
	}

	finishPage(out: GrowingBytes): number {
		this.#min = undefined;
		this.#max = undefined;
		this.#pageNumber++;
		const policy = this.#policy;
		if (!policy.active) {
			out.append(this.#page.view());
			this.#page.clear();
			return Encoding.PLAIN;
		}
		const table = this.#table;
		const keep = policy.endPage(table.plain.length, table.count);
		if (keep) policy.writeIndices(out, table.count);
		else {
			this.#appendEntries(out);
			this.#dropTable();
		}
		policy.clearPage();
		return keep ? Encoding.RLE_DICTIONARY : Encoding.PLAIN;
	}

	dictionaryPage(): DictionaryPage | undefined {
		if (!this.#policy.used) return undefined;
		return { valueCount: this.#table.count, bytes: this.#table.plain.view() };
	}

	reset(): void {
		this.#policy.reset();
		this.#dropTable();
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
		const offsets = this.#offsets;
		const indirect = this.#indirect;
		const known = this.#known;
		const table = this.#table;
		const policy = this.#policy;
		policy.indices.reserve(to - from);
		const out = policy.indices.values;
		let at = policy.indices.length;
		let plainBytes = 0;
		for (let i = from; i < to; i++) {
			let position = positions === null ? base + i : (positions[i] as number);
			if (indirect !== undefined) position = indirect[position] as number;
			const start = offsets === undefined ? position * width : (offsets[position] as number);
			const length = offsets === undefined ? width : (offsets[position + 1] as number) - start;
			let entry = known === undefined ? -1 : (known[position] as number);
			if (entry < 0) {
				entry = table.entry(source, start, length);
				if (known !== undefined) known[position] = entry;
			}
			out[at++] = entry;
			plainBytes += length;
			if (this.#comparedIn.values[entry] !== this.#pageNumber) this.#compareEntry(entry, source, start, length);
		}
		policy.indices.length = at;
		policy.pagePlainBytes += plainBytes + (width === 0 ? 4 * (to - from) : 0);
	}

	/** Each entry is compared once a page, however often it occurs. */
	#compareEntry(entry: number, source: Uint8Array, start: number, length: number): void {
		const compared = this.#comparedIn;
		if (entry >= compared.values.length) {
			compared.length = compared.values.length;
			compared.reserve(entry + 1 - compared.length);
		}
		compared.values[entry] = this.#pageNumber;
		if (this.#order !== 'none') this.#compare(source, start, length);
	}

	#appendPlain(levels: Levels, from: number, to: number): void {
		const { positions, base } = levels;
		const width = this.#width;
		const source = this.#values;
		const offsets = this.#offsets;
		const indirect = this.#indirect;
		const page = this.#page;
		page.reserve(this.plainSize(levels, from, to));
		const out = page.bytes;
		let at = page.length;
		const ordered = this.#order !== 'none';
		for (let i = from; i < to; i++) {
			let position = positions === null ? base + i : (positions[i] as number);
			if (indirect !== undefined) position = indirect[position] as number;
			const start = offsets === undefined ? position * width : (offsets[position] as number);
			const length = offsets === undefined ? width : (offsets[position + 1] as number) - start;
			if (width === 0) {
				out[at] = length & 0xff;
				out[at + 1] = (length >>> 8) & 0xff;
				out[at + 2] = (length >>> 16) & 0xff;
				out[at + 3] = length >>> 24;
				at += 4;
			}
			if (length <= SHORT_BYTES) for (let k = 0; k < length; k++) out[at + k] = source[start + k] as number;
			else out.set(source.subarray(start, start + length), at);
			at += length;
			if (ordered) this.#compare(source, start, length);
		}
		page.length = at;
	}

	#compare(source: Uint8Array, start: number, length: number): void {
		const max = this.#max;
		if (max === undefined || this.#min === undefined) {
			this.#min = source.slice(start, start + length);
			this.#max = this.#min;
			return;
		}
		if (compareToRange(max, source, start, length, this.#signFlip) < 0) this.#max = source.slice(start, start + length);
		else if (compareToRange(this.#min, source, start, length, this.#signFlip) > 0) {
			this.#min = source.slice(start, start + length);
		}
	}

	#appendEntries(out: GrowingBytes): void {
		const { indices } = this.#policy;
		const { plain, starts, lengths } = this.#table;
		out.reserve(this.#policy.pagePlainBytes);
		for (let i = 0; i < indices.length; i++) {
			const entry = indices.values[i] as number;
			const length = lengths.values[entry] as number;
			const start = starts.values[entry] as number;
			if (this.#width === 0) out.uint32(length);
			const to = out.length;
			if (length <= SHORT_BYTES) for (let k = 0; k < length; k++) out.bytes[to + k] = plain.bytes[start + k] as number;
			else out.bytes.set(plain.bytes.subarray(start, start + length), to);
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

/** Order of `a` and a range of `source`; `flip` is applied to the first byte of both. */
function compareToRange(a: Uint8Array, source: Uint8Array, start: number, length: number, flip: number): number {
	const shared = Math.min(a.length, length);
	if (shared > 0) {
		const difference = ((a[0] as number) ^ flip) - ((source[start] as number) ^ flip);
		if (difference !== 0) return difference;
	}
	for (let i = 1; i < shared; i++) {
		const difference = (a[i] as number) - (source[start + i] as number);
		if (difference !== 0) return difference;
	}
	return a.length - length;
}
