/**
 * Numbers of 32 and 64 bits: INT32, INT64, FLOAT, DOUBLE. They are handled as words of 32 bits in the machine's order,
 * which Arrow's layout and Parquet's PLAIN encoding share on little-endian machines, the only ones that Node.js
 * supports on its first tiers.
 */
import type { DecimalVector, Vector } from '../../column/vector.ts';
import { IcebergError } from '../../errors/iceberg-error.ts';
import { type GrowingBytes, GrowingInts } from './encode-buffer.ts';
import { DictionaryPolicy, INITIAL_TABLE_SIZE, mix, writeIndices } from './encode-dictionary.ts';
import type { DictionaryPage, EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { FloatStatistics, Int32Statistics, Int64Statistics } from './encode-word-statistics.ts';
import { Encoding } from './format.ts';
import type { Levels } from './levels.ts';
import { type WordKind, wordsOfKind } from './word-kernel.ts';

const NO_SLOTS = new Int32Array(0);

/** Open addressing over the words of the dictionary's entries. */
class WordTable {
	readonly entries = new GrowingInts();
	count = 0;
	readonly #wordsPerValue: 1 | 2;
	/** entry number + 1; 0: free */
	#slots: Int32Array = NO_SLOTS;

	constructor(wordsPerValue: 1 | 2) {
		this.#wordsPerValue = wordsPerValue;
	}

	/** Appends to `indices` the entry of each value, made where there was none. */
	lookUp(source: Int32Array, levels: Levels, from: number, to: number, indices: GrowingInts): void {
		const { positions, base } = levels;
		indices.reserve(to - from);
		const out = indices.values;
		let at = indices.length;
		const double = this.#wordsPerValue === 2;
		let lastLow = 0;
		let lastHigh = 0;
		let last = -1;
		for (let i = from; i < to; i++) {
			const position = positions === null ? base + i : (positions[i] as number);
			const low = source[double ? position * 2 : position] as number;
			const high = double ? (source[position * 2 + 1] as number) : 0;
			if (low !== lastLow || high !== lastHigh || last < 0) {
				last = this.#entry(low, high);
				lastLow = low;
				lastHigh = high;
			}
			out[at++] = last;
		}
		indices.length = at;
	}

	#entry(low: number, high: number): number {
		const words = this.#wordsPerValue;
		if (this.count * 2 >= this.#slots.length) this.#grow();
		const slots = this.#slots;
		const mask = slots.length - 1;
		let slot = mix(low ^ Math.imul(high, 0x9e3779b1)) & mask;
		for (;;) {
			const entry = (slots[slot] as number) - 1;
			if (entry < 0) break;
			const { values } = this.entries;
			if (values[entry * words] === low && (words === 1 || values[entry * 2 + 1] === high)) return entry;
			slot = (slot + 1) & mask;
		}
		const { entries } = this;
		entries.reserve(2);
		entries.values[entries.length++] = low;
		if (words === 2) entries.values[entries.length++] = high;
		slots[slot] = ++this.count;
		return this.count - 1;
	}

	#grow(): void {
		const slots = new Int32Array(Math.max(INITIAL_TABLE_SIZE, this.#slots.length * 4));
		const mask = slots.length - 1;
		const { values } = this.entries;
		const words = this.#wordsPerValue;
		for (let entry = 0; entry < this.count; entry++) {
			const high = words === 2 ? (values[entry * 2 + 1] as number) : 0;
			let slot = mix((values[entry * words] as number) ^ Math.imul(high, 0x9e3779b1)) & mask;
			while (slots[slot] !== 0) slot = (slot + 1) & mask;
			slots[slot] = entry + 1;
		}
		this.#slots = slots;
	}
}

export class WordEncoder implements ValueEncoder {
	readonly #words: 1 | 2;
	readonly #options: EncoderOptions;
	readonly #policy: DictionaryPolicy;
	/** of the page, while the dictionary is active */
	readonly #indices = new GrowingInts();
	/** the page's values when no dictionary is active */
	readonly #page = new GrowingInts();
	readonly #statistics: Int32Statistics | Int64Statistics | FloatStatistics;
	/** for decimals: 10^precision */
	readonly #decimalLimit: bigint | undefined;
	readonly #name: string;
	#table: WordTable;
	#source: Int32Array = NO_SLOTS;
	#floats: Float32Array | Float64Array | undefined;

	/** `decimalPrecision` for decimals stored as integers. `name` is the column's, for messages. */
	constructor(kind: WordKind, options: EncoderOptions, name: string, decimalPrecision?: number) {
		this.#words = wordsOfKind(kind);
		this.#options = options;
		this.#name = name;
		this.#policy = new DictionaryPolicy(options.dictSizeBytes);
		this.#table = new WordTable(this.#words);
		this.#decimalLimit = decimalPrecision === undefined ? undefined : 10n ** BigInt(decimalPrecision);
		if (kind === 'int32') this.#statistics = new Int32Statistics();
		else if (kind === 'int64') this.#statistics = new Int64Statistics();
		else this.#statistics = new FloatStatistics(kind === 'double');
	}

	bind(vector: Vector): void {
		this.#floats = undefined;
		switch (vector.layout) {
			case 'int32':
				this.#source = vector.values;
				break;
			case 'int64':
				this.#source = wordsOf(vector.values, vector.length * 2);
				break;
			case 'float32':
				this.#source = wordsOf(vector.values, vector.length);
				this.#floats = vector.values;
				break;
			case 'float64':
				this.#source = wordsOf(vector.values, vector.length * 2);
				this.#floats = vector.values;
				break;
			case 'decimal128':
				this.#source = this.#narrow(vector);
				break;
			default:
				throw new IcebergError(
					'INVALID_ARGUMENT',
					`column '${this.#name}' cannot be written from a vector of ${vector.layout}`,
				);
		}
	}

	/** of the bound vector's values */
	get words(): Int32Array {
		return this.#source;
	}

	plainSize(_levels: Levels, from: number, to: number): number {
		return (to - from) * this.#words * 4;
	}

	mostPlainBytes(count: number): number {
		return count * this.#words * 4;
	}

	append(levels: Levels, from: number, to: number): void {
		const statistics = this.#statistics;
		if (statistics instanceof FloatStatistics) {
			if (this.#floats !== undefined) statistics.add(this.#floats, levels, from, to);
		} else statistics.add(this.#source, levels, from, to);
		const policy = this.#policy;
		if (policy.active) {
			this.#table.lookUp(this.#source, levels, from, to, this.#indices);
			policy.pageValues += to - from;
			policy.pagePlainBytes += (to - from) * this.#words * 4;
		} else this.#appendPlain(levels, from, to);
	}

	get room(): number {
		if (this.#policy.active) return this.#policy.room(this.#table.entries.length * 4, this.#table.count);
		return Math.max(0, this.#options.pageSizeBytes - this.#page.length * 4);
	}

	get pageSizeBytes(): number {
		return this.#policy.active ? this.#indices.length * 2 : this.#page.length * 4;
	}

	get dictionarySizeBytes(): number {
		return this.#table.entries.length * 4;
	}

	statistics(): ValueStatistics {
		const { found, nanCount } = this.#statistics;
		return {
			min: found ? this.#statistics.min() : undefined,
			max: found ? this.#statistics.max() : undefined,
			nanCount,
		};
	}

	finishPage(out: GrowingBytes): number {
		this.#statistics.clear();
		const policy = this.#policy;
		if (policy.active) {
			const keep = policy.endPage(this.dictionarySizeBytes, this.#table.count);
			if (keep) writeIndices(out, this.#indices, this.#table.count);
			else {
				appendEntries(out, this.#table.entries.values, this.#indices, this.#words);
				this.#table = new WordTable(this.#words);
			}
			policy.clearPage();
			this.#indices.clear();
			return keep ? Encoding.RLE_DICTIONARY : Encoding.PLAIN;
		}
		out.append(bytesOf(this.#page));
		this.#page.clear();
		return Encoding.PLAIN;
	}

	dictionaryPage(): DictionaryPage | undefined {
		if (!this.#policy.used) return undefined;
		return { valueCount: this.#table.count, bytes: bytesOf(this.#table.entries) };
	}

	reset(): void {
		this.#policy.reset();
		this.#indices.clear();
		this.#table = new WordTable(this.#words);
	}

	#appendPlain(levels: Levels, from: number, to: number): void {
		const page = this.#page;
		const words = this.#words;
		const source = this.#source;
		const { positions, base } = levels;
		page.reserve((to - from) * words);
		if (positions === null) {
			page.values.set(source.subarray((base + from) * words, (base + to) * words), page.length);
			page.length += (to - from) * words;
			return;
		}
		const out = page.values;
		let at = page.length;
		if (words === 1) for (let i = from; i < to; i++) out[at++] = source[positions[i] as number] as number;
		else {
			for (let i = from; i < to; i++) {
				const position = (positions[i] as number) * 2;
				out[at++] = source[position] as number;
				out[at++] = source[position + 1] as number;
			}
		}
		page.length = at;
	}

	/** A decimal's low words, once each value is known to fit the precision (and so these words). */
	#narrow(vector: DecimalVector): Int32Array {
		const limit = this.#decimalLimit ?? 0n;
		const words = this.#words;
		const { values, validity } = vector;
		const wide = wordsOf(values, vector.length * 4);
		const narrow = new Int32Array(vector.length * words);
		for (let i = 0; i < vector.length; i++) {
			if (validity !== null && (((validity[i >>> 3] as number) >>> (i & 7)) & 1) === 0) continue;
			const low = values[i * 2] as bigint;
			if (low >= limit || low <= -limit || (values[i * 2 + 1] as bigint) !== low >> 63n) {
				const unscaled = ((values[i * 2 + 1] as bigint) << 64n) | BigInt.asUintN(64, low);
				throw new IcebergError(
					'INVALID_DATA',
					`column '${this.#name}': the unscaled value ${unscaled} has too many digits`,
					{
						context: { column: this.#name, value: unscaled },
					},
				);
			}
			narrow[i * words] = wide[i * 4] as number;
			if (words === 2) narrow[i * 2 + 1] = wide[i * 4 + 1] as number;
		}
		return narrow;
	}
}

function wordsOf(values: BigInt64Array | Float32Array | Float64Array, wordCount: number): Int32Array {
	return new Int32Array(values.buffer, values.byteOffset, wordCount);
}

function bytesOf(ints: GrowingInts): Uint8Array {
	return new Uint8Array(ints.values.buffer, 0, ints.length * 4);
}

/** The entries that `indices` name, PLAIN. */
function appendEntries(out: GrowingBytes, entries: Int32Array, indices: GrowingInts, words: 1 | 2): void {
	const plain = new Int32Array(indices.length * words);
	for (let i = 0; i < indices.length; i++) {
		const entry = (indices.values[i] as number) * words;
		plain[i * words] = entries[entry] as number;
		if (words === 2) plain[i * 2 + 1] = entries[entry + 1] as number;
	}
	out.append(new Uint8Array(plain.buffer));
}
