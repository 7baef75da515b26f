/** BOOLEAN: PLAIN, a bit a value. */
import type { Vector } from '../../column/vector.ts';
import { IcebergError } from '../../errors/iceberg-error.ts';
import { GrowingBytes } from './encode-buffer.ts';
import type { DictionaryPage, EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import { Encoding } from './format.ts';
import type { Levels } from './levels.ts';

const NO_BYTES = new Uint8Array(0);

export class BooleanEncoder implements ValueEncoder {
	readonly dictionarySizeBytes = 0;
	readonly #options: EncoderOptions;
	readonly #name: string;
	/** packed bits of the page, `#count` of them */
	readonly #page = new GrowingBytes();
	#count = 0;
	#trueCount = 0;
	#source: Uint8Array = NO_BYTES;

	constructor(options: EncoderOptions, name: string) {
		this.#options = options;
		this.#name = name;
	}

	bind(vector: Vector): void {
		if (vector.layout !== 'boolean') {
			throw new IcebergError(
				'INVALID_ARGUMENT',
				`column '${this.#name}' cannot be written from a vector of ${vector.layout}`,
			);
		}
		this.#source = vector.values;
	}

	plainSize(_levels: Levels, from: number, to: number): number {
		return Math.ceil((to - from) / 8);
	}

	mostPlainBytes(count: number): number {
		return Math.ceil(count / 8);
	}

	append(levels: Levels, from: number, to: number): void {
		const { positions, base } = levels;
		const source = this.#source;
		const page = this.#page;
		const bytesNeeded = (this.#count + to - from + 7) >>> 3;
		page.fill(0, bytesNeeded - page.length);
		let at = this.#count;
		let trueCount = 0;
		for (let i = from; i < to; i++) {
			const position = positions === null ? base + i : (positions[i] as number);
			const bit = ((source[position >>> 3] as number) >>> (position & 7)) & 1;
			page.bytes[at >>> 3] = (page.bytes[at >>> 3] as number) | (bit << (at & 7));
			trueCount += bit;
			at++;
		}
		this.#count = at;
		this.#trueCount += trueCount;
	}

	get room(): number {
		return Math.max(0, this.#options.pageSizeBytes - this.#page.length);
	}

	get pageSizeBytes(): number {
		return this.#page.length;
	}

	statistics(): ValueStatistics {
		if (this.#count === 0) return { min: undefined, max: undefined, nanCount: 0 };
		return {
			min: new Uint8Array([this.#trueCount === this.#count ? 1 : 0]),
			max: new Uint8Array([this.#trueCount > 0 ? 1 : 0]),
			nanCount: 0,
		};
	}

	finishPage(out: GrowingBytes): number {
		out.append(this.#page.content());
		this.#page.clear();
		this.#count = 0;
		this.#trueCount = 0;
		return Encoding.PLAIN;
	}

	dictionaryPage(): DictionaryPage | undefined {
		return undefined;
	}

	reset(): void {}
}
