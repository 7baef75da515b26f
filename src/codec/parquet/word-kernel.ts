/** Columns of numbers in a kernel: the host's side of kernel/word-kernel.ts. */
import { type KernelExports, Region, viewOf } from './kernel.ts';

export type WordKind = 'int32' | 'int64' | 'float' | 'double';

/** Where kernel/word-kernel.ts leaves the least and the greatest value. */
const EXTREMES = 16;

/** Values of one column chunk, page by page. What it returns as views is valid until the next call. */
export class WordKernel {
	readonly #exports: KernelExports;
	readonly #words: 1 | 2;
	readonly #measure: (from: number, count: number) => void;
	#pageValues = 0;

	constructor(exports: KernelExports, kind: WordKind) {
		this.#exports = exports;
		this.#words = wordsOfKind(kind);
		this.#measure = {
			int32: exports.measureInt32,
			int64: exports.measureInt64,
			float: exports.measureFloat,
			double: exports.measureDouble,
		}[kind];
	}

	beginChunk(): void {
		this.#exports.beginWordChunk();
		this.#pageValues = 0;
	}

	beginPage(): void {
		this.#exports.beginWordPage();
		this.#pageValues = 0;
	}

	/** Appends to the page `count` values: those that follow one another from `base` on, or those at `positions`. */
	append(source: Int32Array, base: number, positions: Int32Array | null, count: number): void {
		const { reserve, memory } = this.#exports;
		const words = this.#words;
		const [used, added] = [this.#pageValues * words, count * words];
		const at = reserve(Region.PAGE, (used + added) * 4, used * 4) >>> 0;
		const page = new Int32Array(memory.buffer, at + used * 4, added);
		if (positions === null) page.set(source.subarray(base * words, (base + count) * words));
		else gather(source, positions, words, page);
		this.#measure(this.#pageValues, count);
		this.#pageValues += count;
	}

	/** Finds the entries of the `count` values appended last, made where there were none. */
	lookUp(count: number): void {
		const from = this.#pageValues - count;
		if (this.#words === 1) this.#exports.lookUp32(from, count);
		else this.#exports.lookUp64(from, count);
	}

	/** The indices of the page, of which all values were looked up, in the hybrid of runs and packed bits. */
	packedIndices(bitWidth: number): Uint8Array {
		const length = this.#exports.packIndices(this.#pageValues, bitWidth) >>> 0;
		return viewOf(this.#exports, Region.PACKED, 0, length);
	}

	get pageLength(): number {
		return this.#pageValues * this.#words * 4;
	}

	/** The page, PLAIN. */
	page(): Uint8Array {
		return viewOf(this.#exports, Region.PAGE, 0, this.pageLength);
	}

	get entryCount(): number {
		return this.#exports.wordEntryCount.value >>> 0;
	}

	get entriesLength(): number {
		return this.entryCount * this.#words * 4;
	}

	/** The entries, PLAIN. */
	entries(): Uint8Array {
		return viewOf(this.#exports, Region.ENTRIES, 0, this.entriesLength);
	}

	get nanCount(): number {
		return this.#exports.nanCount.value >>> 0;
	}

	/** Copies of the least and greatest of the page; `undefined` when there is none. */
	extremes(): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
		const { hasExtremes, memory } = this.#exports;
		if (hasExtremes.value === 0) return undefined;
		const length = this.#words * 4;
		return {
			min: new Uint8Array(memory.buffer, EXTREMES, length).slice(),
			max: new Uint8Array(memory.buffer, EXTREMES + 8, length).slice(),
		};
	}
}

export function wordsOfKind(kind: WordKind): 1 | 2 {
	return kind === 'int32' || kind === 'float' ? 1 : 2;
}

function gather(source: Int32Array, positions: Int32Array, words: 1 | 2, out: Int32Array): void {
	if (words === 1) for (let i = 0; i < out.length; i++) out[i] = source[positions[i] as number] as number;
	else {
		for (let i = 0; i < positions.length; i++) {
			const position = (positions[i] as number) * 2;
			out[i * 2] = source[position] as number;
			out[i * 2 + 1] = source[position + 1] as number;
		}
	}
}
