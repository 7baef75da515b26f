/** Least and greatest of numbers, over ranges of vectors, without an allocation for each value. */

/** Positions of values: `positions[i]`, or `base + i` where that is `null`, for i from `from` up to `to`. */
export interface Selection {
	readonly positions: Int32Array | null;
	readonly base: number;
}

export interface NumberStatistics {
	/** whether there is a least and greatest value */
	readonly found: boolean;
	readonly nanCount: number;
	clear(): void;
	min(): Uint8Array;
	max(): Uint8Array;
}

export class Int32Statistics implements NumberStatistics {
	found = false;
	readonly nanCount = 0;
	#min = 0;
	#max = 0;

	add(values: Int32Array, selection: Selection, from: number, to: number): void {
		if (from >= to) return;
		const { positions, base } = selection;
		let min = this.found ? this.#min : 0x7fffffff;
		let max = this.found ? this.#max : -0x80000000;
		for (let i = from; i < to; i++) {
			const value = values[positions === null ? base + i : (positions[i] as number)] as number;
			if (value < min) min = value;
			if (value > max) max = value;
		}
		this.found = true;
		this.#min = min;
		this.#max = max;
	}

	clear(): void {
		this.found = false;
	}

	min(): Uint8Array {
		return bytesOf(new Int32Array([this.#min]));
	}

	max(): Uint8Array {
		return bytesOf(new Int32Array([this.#max]));
	}
}

/** Numbers of 64 bits as two words, low word first. Low words compare unsigned: signed after a flip of the top bit. */
export class Int64Statistics implements NumberStatistics {
	found = false;
	readonly nanCount = 0;
	#minHigh = 0;
	#minLow = 0;
	#maxHigh = 0;
	#maxLow = 0;

	add(words: Int32Array, selection: Selection, from: number, to: number): void {
		if (from >= to) return;
		const { positions, base } = selection;
		let minHigh = this.found ? this.#minHigh : 0x7fffffff;
		let minLow = this.found ? this.#minLow : 0x7fffffff;
		let maxHigh = this.found ? this.#maxHigh : -0x80000000;
		let maxLow = this.found ? this.#maxLow : -0x80000000;
		for (let i = from; i < to; i++) {
			const at = (positions === null ? base + i : (positions[i] as number)) * 2;
			const low = (words[at] as number) ^ -0x80000000;
			const high = words[at + 1] as number;
			if (high < minHigh || (high === minHigh && low < minLow)) {
				minHigh = high;
				minLow = low;
			}
			if (high > maxHigh || (high === maxHigh && low > maxLow)) {
				maxHigh = high;
				maxLow = low;
			}
		}
		this.found = true;
		this.#minHigh = minHigh;
		this.#minLow = minLow;
		this.#maxHigh = maxHigh;
		this.#maxLow = maxLow;
	}

	clear(): void {
		this.found = false;
	}

	min(): Uint8Array {
		return bytesOf(new Int32Array([this.#minLow ^ -0x80000000, this.#minHigh]));
	}

	max(): Uint8Array {
		return bytesOf(new Int32Array([this.#maxLow ^ -0x80000000, this.#maxHigh]));
	}
}

/** NaN is counted and left out; -0.0 is below 0.0. */
export class FloatStatistics implements NumberStatistics {
	found = false;
	nanCount = 0;
	#min = 0;
	#max = 0;
	readonly #isDouble: boolean;

	constructor(isDouble: boolean) {
		this.#isDouble = isDouble;
	}

	add(values: Float32Array | Float64Array, selection: Selection, from: number, to: number): void {
		const { positions, base } = selection;
		let min = Number.POSITIVE_INFINITY;
		let max = Number.NEGATIVE_INFINITY;
		let nanCount = 0;
		let negativeZero = false;
		let positiveZero = false;
		for (let i = from; i < to; i++) {
			const value = values[positions === null ? base + i : (positions[i] as number)] as number;
			if (value !== value) nanCount++;
			else {
				if (value < min) min = value;
				if (value > max) max = value;
				if (value === 0) {
					if (1 / value < 0) negativeZero = true;
					else positiveZero = true;
				}
			}
		}
		this.nanCount += nanCount;
		if (to - from === nanCount) return;
		if (min === 0) min = negativeZero ? -0 : 0;
		if (max === 0) max = positiveZero ? 0 : -0;
		if (!this.found || isBelow(min, this.#min)) this.#min = min;
		if (!this.found || isBelow(this.#max, max)) this.#max = max;
		this.found = true;
	}

	clear(): void {
		this.found = false;
		this.nanCount = 0;
	}

	min(): Uint8Array {
		return this.#encode(this.#min);
	}

	max(): Uint8Array {
		return this.#encode(this.#max);
	}

	#encode(value: number): Uint8Array {
		return bytesOf(this.#isDouble ? new Float64Array([value]) : new Float32Array([value]));
	}
}

function isBelow(a: number, b: number): boolean {
	return a < b || (a === b && a === 0 && Object.is(a, -0) && Object.is(b, 0));
}

function bytesOf(values: Int32Array | Float32Array | Float64Array): Uint8Array {
	return new Uint8Array(values.buffer, 0, values.byteLength);
}
