/** INT32, INT64, FLOAT and DOUBLE, many values at a time in WebAssembly. */
import type { GrowingBytes } from './encode-buffer.ts';
import { DictionaryPolicy, indexWidth } from './encode-dictionary.ts';
import type { DictionaryPage, EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { WordEncoder } from './encode-words.ts';
import { ChosenEncoder } from './encode-choice.ts';
import { Encoding } from './format.ts';
import { openKernel } from './kernel.ts';
import type { Levels } from './levels.ts';
import { type WordKind, WordKernel, wordsOfKind } from './word-kernel.ts';

/** `name` is the column's, for messages; `decimalPrecision` for decimals stored as integers. */
export function wordValuesEncoder(
	kind: WordKind,
	options: EncoderOptions,
	name: string,
	decimalPrecision?: number,
): ValueEncoder {
	const script = new WordEncoder(kind, options, name, decimalPrecision);
	return new ChosenEncoder(script, () => {
		const exports = openKernel();
		return exports && new KernelWordEncoder(new WordKernel(exports, kind), kind, options, script);
	});
}

class KernelWordEncoder implements ValueEncoder {
	readonly #kernel: WordKernel;
	readonly #valueBytes: number;
	readonly #options: EncoderOptions;
	readonly #policy: DictionaryPolicy;
	readonly #bound: { readonly words: Int32Array };

	/** `bound` has the words of the vector that is bound. */
	constructor(kernel: WordKernel, kind: WordKind, options: EncoderOptions, bound: { readonly words: Int32Array }) {
		this.#kernel = kernel;
		this.#valueBytes = wordsOfKind(kind) * 4;
		this.#options = options;
		this.#bound = bound;
		this.#policy = new DictionaryPolicy(options.dictSizeBytes);
		kernel.beginChunk();
	}

	bind(): void {}

	plainSize(_levels: Levels, from: number, to: number): number {
		return (to - from) * this.#valueBytes;
	}

	mostPlainBytes(count: number): number {
		return count * this.#valueBytes;
	}

	append({ positions, base }: Levels, from: number, to: number): void {
		const count = to - from;
		if (count === 0) return;
		this.#kernel.append(this.#bound.words, base + from, positions?.subarray(from, to) ?? null, count);
		const policy = this.#policy;
		if (!policy.active) return;
		this.#kernel.lookUp(count);
		policy.pageValues += count;
		policy.pagePlainBytes += count * this.#valueBytes;
	}

	get room(): number {
		const { entriesLength, entryCount, pageLength } = this.#kernel;
		if (this.#policy.active) return this.#policy.room(entriesLength, entryCount);
		return Math.max(0, this.#options.pageSizeBytes - pageLength);
	}

	get pageSizeBytes(): number {
		return this.#policy.active ? this.#policy.pageValues * 2 : this.#kernel.pageLength;
	}

	get dictionarySizeBytes(): number {
		return this.#kernel.entriesLength;
	}

	statistics(): ValueStatistics {
		const extremes = this.#kernel.extremes();
		return { min: extremes?.min, max: extremes?.max, nanCount: this.#kernel.nanCount };
	}

	finishPage(out: GrowingBytes): number {
		const kernel = this.#kernel;
		const policy = this.#policy;
		let encoding: number = Encoding.PLAIN;
		if (!policy.active) out.append(kernel.page());
		else {
			const { entriesLength, entryCount } = kernel;
			if (policy.endPage(entriesLength, entryCount)) {
				const width = indexWidth(entryCount);
				out.byte(width);
				out.append(kernel.packedIndices(width));
				encoding = Encoding.RLE_DICTIONARY;
			} else {
				out.append(kernel.page());
				kernel.beginChunk();
			}
			policy.clearPage();
		}
		kernel.beginPage();
		return encoding;
	}

	dictionaryPage(): DictionaryPage | undefined {
		if (!this.#policy.used) return undefined;
		return { valueCount: this.#kernel.entryCount, bytes: this.#kernel.entries() };
	}

	reset(): void {
		this.#policy.reset();
		this.#kernel.beginChunk();
	}
}
