/** Least and greatest of byte strings, found without copying more than the two of each range. */

/** XORed to words, it makes their signed order that of unsigned ones. */
const TOP_BIT = -0x80000000;

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));

/** Between {@link begin} and {@link end} values are ranges of one array; in between ranges, `min` and `max` are copies. */
export class BytesExtremes {
	min: Uint8Array | undefined;
	max: Uint8Array | undefined;
	/** applied to the first word: byte order, or that of signed big-endian numbers */
	readonly #firstWordFlip: number;
	#view: DataView = NO_VIEW;
	#found = false;
	#minStart = 0;
	#minLength = 0;
	#minWord = 0;
	#maxStart = 0;
	#maxLength = 0;
	#maxWord = 0;

	constructor(isSigned: boolean) {
		this.#firstWordFlip = isSigned ? 0 : TOP_BIT;
	}

	clear(): void {
		this.min = undefined;
		this.max = undefined;
	}

	/** `view` is of the array that the next values are ranges of. */
	begin(view: DataView): void {
		this.#view = view;
		this.#found = false;
	}

	add(start: number, length: number): void {
		const word = this.#firstWord(start, length);
		if (!this.#found) {
			this.#found = true;
			this.#minStart = this.#maxStart = start;
			this.#minLength = this.#maxLength = length;
			this.#minWord = this.#maxWord = word;
			return;
		}
		// most values are told apart by their first four bytes
		if (word > this.#minWord && word < this.#maxWord) return;
		if (word >= this.#maxWord && this.#isGreater(word, start, length)) {
			this.#maxStart = start;
			this.#maxLength = length;
			this.#maxWord = word;
		} else if (word <= this.#minWord && this.#isLess(word, start, length)) {
			this.#minStart = start;
			this.#minLength = length;
			this.#minWord = word;
		}
	}

	end(): void {
		if (!this.#found) return;
		this.#found = false;
		const min = this.#copy(this.#minStart, this.#minLength);
		const max = this.#copy(this.#maxStart, this.#maxLength);
		if (this.min === undefined || this.#compareCopies(min, this.min) < 0) this.min = min;
		if (this.max === undefined || this.#compareCopies(max, this.max) > 0) this.max = max;
	}

	#copy(start: number, length: number): Uint8Array {
		const view = this.#view;
		return new Uint8Array(view.buffer, view.byteOffset + start, length).slice();
	}

	#compareCopies(a: Uint8Array, b: Uint8Array): number {
		if (this.#firstWordFlip === 0) {
			const difference = (((a[0] ?? 0) << 24) >> 24) - (((b[0] ?? 0) << 24) >> 24);
			if (difference !== 0) return difference;
		}
		return Buffer.compare(a, b);
	}

	#isGreater(word: number, start: number, length: number): boolean {
		return word > this.#maxWord || compareRanges(this.#view, start, length, this.#maxStart, this.#maxLength) > 0;
	}

	#isLess(word: number, start: number, length: number): boolean {
		return word < this.#minWord || compareRanges(this.#view, start, length, this.#minStart, this.#minLength) < 0;
	}

	/** The first four bytes as a number; shorter values are filled up with zeros. */
	#firstWord(start: number, length: number): number {
		const view = this.#view;
		if (length >= 4) return view.getInt32(start, false) ^ this.#firstWordFlip;
		let word = 0;
		for (let i = 0; i < length; i++) word |= view.getUint8(start + i) << (24 - i * 8);
		return word ^ this.#firstWordFlip;
	}
}

/** Order of two ranges whose first words are equal: by bytes, the shorter first. */
function compareRanges(view: DataView, a: number, aLength: number, b: number, bLength: number): number {
	const shared = Math.min(aLength, bLength);
	let i = 0;
	for (; i + 4 <= shared; i += 4) {
		const left = view.getInt32(a + i, false);
		const right = view.getInt32(b + i, false);
		if (left !== right) return (left ^ TOP_BIT) < (right ^ TOP_BIT) ? -1 : 1;
	}
	for (; i < shared; i++) {
		const difference = view.getUint8(a + i) - view.getUint8(b + i);
		if (difference !== 0) return difference;
	}
	return aLength - bLength;
}
