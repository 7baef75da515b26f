/** Which encoder writes a column chunk: one in JavaScript, or, where many values come at once, one in WebAssembly. */
import type { Vector } from '../../column/vector.ts';
import type { GrowingBytes } from './encode-buffer.ts';
import type { DictionaryPage, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { KERNEL_VALUES } from './kernel.ts';
import type { Levels } from './levels.ts';

/**
 * Chooses for each column chunk: its first values go to a kernel where they are many, else to the encoder in JavaScript.
 * Both write the same bytes.
 */
export class ChosenEncoder implements ValueEncoder {
	readonly #script: ValueEncoder;
	readonly #openKernel: () => ValueEncoder | undefined;
	#kernel: ValueEncoder | undefined;
	/** what the chunk is written by; `undefined` before its first value */
	#chosen: ValueEncoder | undefined;
	#vector: Vector | undefined;

	/** The script takes every vector first, so that what `openKernel` opens need not check it. */
	constructor(script: ValueEncoder, openKernel: () => ValueEncoder | undefined) {
		this.#script = script;
		this.#openKernel = openKernel;
	}

	bind(vector: Vector): void {
		this.#script.bind(vector);
		this.#vector = vector;
		this.#kernel?.bind(vector);
	}

	plainSize(levels: Levels, from: number, to: number): number {
		return this.#script.plainSize(levels, from, to);
	}

	mostPlainBytes(count: number): number {
		return this.#script.mostPlainBytes(count);
	}

	append(levels: Levels, from: number, to: number): void {
		if (this.#chosen === undefined && to > from) this.#chosen = this.#choose(to - from);
		this.#chosen?.append(levels, from, to);
	}

	get room(): number {
		return this.#current.room;
	}

	get pageSizeBytes(): number {
		return this.#current.pageSizeBytes;
	}

	get dictionarySizeBytes(): number {
		return this.#current.dictionarySizeBytes;
	}

	statistics(): ValueStatistics {
		return this.#current.statistics();
	}

	finishPage(out: GrowingBytes): number {
		return this.#current.finishPage(out);
	}

	dictionaryPage(): DictionaryPage | undefined {
		return this.#current.dictionaryPage();
	}

	reset(): void {
		this.#current.reset();
		this.#chosen = undefined;
	}

	get #current(): ValueEncoder {
		return this.#chosen ?? this.#script;
	}

	#choose(count: number): ValueEncoder {
		const vector = this.#vector;
		if (count < KERNEL_VALUES || vector === undefined) return this.#script;
		if (this.#kernel === undefined) {
			this.#kernel = this.#openKernel();
			this.#kernel?.bind(vector);
		}
		return this.#kernel ?? this.#script;
	}
}
