/** What columns whose values are in WebAssembly have in common: pages, and the dictionary while it pays. */
import type { Vector } from '../../column/vector.ts';
import type { GrowingBytes } from './encode-buffer.ts';
import { DictionaryPolicy, indexWidth } from './encode-dictionary.ts';
import type { DictionaryPage, EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { Encoding } from './format.ts';
import type { Levels } from './levels.ts';

/** The kernel's side of a column chunk. */
export interface ChunkKernel {
	/** bytes of the dictionary's entries */
	readonly entriesLength: number;
	readonly entryCount: number;
	/** bytes of the page in hand, without a dictionary */
	readonly pageLength: number;
	beginPage(): void;
	beginChunk(): void;
	/** the page in hand, plain */
	page(): Uint8Array;
	/** the dictionary, plain */
	entries(): Uint8Array;
}

export abstract class KernelEncoder<K extends ChunkKernel> implements ValueEncoder {
	protected readonly kernel: K;
	protected readonly policy: DictionaryPolicy;
	readonly #pageSizeBytes: number;

	constructor(kernel: K, options: EncoderOptions) {
		this.kernel = kernel;
		this.policy = new DictionaryPolicy(options.dictSizeBytes);
		this.#pageSizeBytes = options.pageSizeBytes;
		kernel.beginChunk();
	}

	abstract bind(vector: Vector): void;
	abstract plainSize(levels: Levels, from: number, to: number): number;
	abstract mostPlainBytes(count: number): number;
	abstract append(levels: Levels, from: number, to: number): void;
	abstract statistics(): ValueStatistics;

	/** Places in the dictionary of the page's values. */
	protected abstract packedIndices(width: number): Uint8Array;
	/** Has the page's values stand in the kernel's page: they were looked up only. */
	protected abstract expand(): void;

	get room(): number {
		const { entriesLength, entryCount, pageLength } = this.kernel;
		if (this.policy.active) return this.policy.room(entriesLength, entryCount);
		return Math.max(0, this.#pageSizeBytes - pageLength);
	}

	get pageSizeBytes(): number {
		return this.policy.active ? this.policy.pageValues * 2 : this.kernel.pageLength;
	}

	get dictionarySizeBytes(): number {
		return this.kernel.entriesLength;
	}

	finishPage(out: GrowingBytes): number {
		const { kernel, policy } = this;
		let encoding: number = Encoding.PLAIN;
		if (!policy.active) out.append(kernel.page());
		else {
			const { entriesLength, entryCount } = kernel;
			if (policy.endPage(entriesLength, entryCount)) {
				const width = indexWidth(entryCount);
				out.byte(width);
				out.append(this.packedIndices(width));
				encoding = Encoding.RLE_DICTIONARY;
			} else {
				this.expand();
				out.append(kernel.page());
				this.beginChunk();
			}
			policy.clearPage();
		}
		kernel.beginPage();
		return encoding;
	}

	dictionaryPage(): DictionaryPage | undefined {
		if (!this.policy.used) return undefined;
		return { valueCount: this.kernel.entryCount, bytes: this.kernel.entries() };
	}

	reset(): void {
		this.policy.reset();
		this.beginChunk();
	}

	protected beginChunk(): void {
		this.kernel.beginChunk();
	}
}
