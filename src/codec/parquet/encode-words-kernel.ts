/** INT32, INT64, FLOAT and DOUBLE, many values at a time in WebAssembly. */
import { KernelEncoder } from './encode-by-kernel.ts';
import type { EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { WordEncoder } from './encode-words.ts';
import { ChosenEncoder } from './encode-choice.ts';
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

class KernelWordEncoder extends KernelEncoder<WordKernel> {
	readonly #valueBytes: number;
	readonly #bound: { readonly words: Int32Array };

	/** `bound` has the words of the vector that is bound. */
	constructor(kernel: WordKernel, kind: WordKind, options: EncoderOptions, bound: { readonly words: Int32Array }) {
		super(kernel, options);
		this.#valueBytes = wordsOfKind(kind) * 4;
		this.#bound = bound;
	}

	override bind(): void {}

	override plainSize(_levels: Levels, from: number, to: number): number {
		return (to - from) * this.#valueBytes;
	}

	override mostPlainBytes(count: number): number {
		return count * this.#valueBytes;
	}

	override append({ positions, base }: Levels, from: number, to: number): void {
		const count = to - from;
		if (count === 0) return;
		this.kernel.append(this.#bound.words, base + from, positions?.subarray(from, to) ?? null, count);
		const { policy } = this;
		if (!policy.active) return;
		this.kernel.lookUp(count);
		policy.pageValues += count;
		policy.pagePlainBytes += count * this.#valueBytes;
	}

	override statistics(): ValueStatistics {
		const extremes = this.kernel.extremes();
		return { min: extremes?.min, max: extremes?.max, nanCount: this.kernel.nanCount };
	}

	protected override packedIndices(width: number): Uint8Array {
		return this.kernel.packedIndices(width);
	}

	/** They stand there in any case. */
	protected override expand(): void {}
}
