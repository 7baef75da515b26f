/** BYTE_ARRAY of text and binary, many values at a time in WebAssembly. */
import type { BytesVector, Vector } from '../../column/vector.ts';
import { KernelEncoder } from './encode-by-kernel.ts';
import { BytesEncoder } from './encode-bytes.ts';
import { ChosenEncoder } from './encode-choice.ts';
import type { EncoderOptions, ValueEncoder, ValueStatistics } from './encode-values.ts';
import type { Levels } from './levels.ts';
import { openKernel } from './kernel.ts';
import { TextKernel } from './text-kernel.ts';

/** `name` is the column's, for messages. */
export function textValuesEncoder(options: EncoderOptions, name: string): ValueEncoder {
	return new ChosenEncoder(new BytesEncoder(0, 'unsigned-bytes', options, name), () => {
		const exports = openKernel();
		return exports && new KernelTextEncoder(new TextKernel(exports), options);
	});
}

const NO_BYTES = new Uint8Array(0);
const NO_OFFSETS = new Int32Array(1);

class KernelTextEncoder extends KernelEncoder<TextKernel> {
	#values: Uint8Array = NO_BYTES;
	#offsets: Int32Array = NO_OFFSETS;
	#indirect: Int32Array | undefined;
	/** values of the vector's dictionary where it is worth to look each of them up but once; else 0 */
	#placeCount = 0;
	/** whether the kernel has that dictionary, and what was looked up of it is still so */
	#hasPlaces = false;

	/** A vector that {@link BytesEncoder} takes. */
	override bind(vector: Vector): void {
		const isDictionary = vector.layout === 'dictionary';
		const bytes = (isDictionary ? vector.dictionary : vector) as BytesVector;
		this.#values = bytes.values;
		this.#offsets = bytes.offsets;
		this.#indirect = isDictionary ? vector.indices : undefined;
		this.#placeCount = isDictionary && bytes.length <= vector.length ? bytes.length : 0;
		this.#hasPlaces = false;
	}

	override plainSize(): number {
		throw new TypeError('asked of the encoder in JavaScript');
	}

	override mostPlainBytes(): number {
		throw new TypeError('asked of the encoder in JavaScript');
	}

	override append(levels: Levels, from: number, to: number): void {
		const count = to - from;
		if (count === 0) return;
		const policy = this.policy;
		if (!policy.active) {
			this.kernel.appendPlain(count, this.#load(levels, from, to) + 4 * count);
			return;
		}
		let valueBytes: number;
		if (this.#placeCount > 0) valueBytes = this.#lookUpPlaces(levels, from, count);
		else {
			valueBytes = this.#load(levels, from, to);
			this.kernel.lookUp(count, policy.pageValues);
		}
		policy.pageValues += count;
		policy.pagePlainBytes += valueBytes + 4 * count;
	}

	override statistics(): ValueStatistics {
		const extremes = this.kernel.extremes(this.policy.active);
		return { min: extremes?.min, max: extremes?.max, nanCount: 0 };
	}

	protected override packedIndices(width: number): Uint8Array {
		return this.kernel.packedIndices(this.policy.pageValues, width);
	}

	protected override expand(): void {
		this.kernel.expand(this.policy.pageValues, this.policy.pagePlainBytes);
	}

	protected override beginChunk(): void {
		super.beginChunk();
		this.#hasPlaces = false;
	}

	/** Looks values of a vector with a dictionary up; returns how many bytes they have. */
	#lookUpPlaces({ positions, base }: Levels, from: number, count: number): number {
		const kernel = this.kernel;
		if (!this.#hasPlaces) {
			const offsets = this.#offsets.subarray(0, this.#placeCount + 1);
			const start = offsets[0] as number;
			kernel.load(this.#values.subarray(start, offsets[this.#placeCount]), offsets, 1, start);
			kernel.beginPlaces(this.#placeCount);
			this.#hasPlaces = true;
		}
		const taken = positions?.subarray(from, from + count) ?? null;
		return kernel.lookUpPlaces(this.#indirect as Int32Array, base + from, taken, count, this.policy.pageValues);
	}

	/** Gives the values to the kernel; returns how many bytes they have. */
	#load(levels: Levels, from: number, to: number): number {
		const { positions, base } = levels;
		const offsets = this.#offsets;
		const indirect = this.#indirect;
		const count = to - from;
		if (positions === null && indirect === undefined) {
			const start = offsets[base + from] as number;
			const end = offsets[base + to] as number;
			this.kernel.load(this.#values.subarray(start, end), offsets.subarray(base + from, base + to + 1), 1, start);
			return end - start;
		}
		const bounds = new Int32Array(count * 2);
		let least = Number.POSITIVE_INFINITY;
		let greatest = 0;
		let total = 0;
		for (let i = 0; i < count; i++) {
			let position = positions === null ? base + from + i : (positions[from + i] as number);
			if (indirect !== undefined) position = indirect[position] as number;
			const start = offsets[position] as number;
			const end = offsets[position + 1] as number;
			bounds[i * 2] = start;
			bounds[i * 2 + 1] = end;
			total += end - start;
			if (start < least) least = start;
			if (end > greatest) greatest = end;
		}
		if (greatest - least <= 2 * total) {
			this.kernel.load(this.#values.subarray(least, greatest), bounds, 2, least);
			return total;
		}
		// few of the bytes in between are theirs
		const gathered = new Uint8Array(total);
		let at = 0;
		for (let i = 0; i < count; i++) {
			const part = this.#values.subarray(bounds[i * 2], bounds[i * 2 + 1]);
			gathered.set(part, at);
			bounds[i * 2] = at;
			at += part.length;
			bounds[i * 2 + 1] = at;
		}
		this.kernel.load(gathered, bounds, 2, 0);
		return total;
	}
}
