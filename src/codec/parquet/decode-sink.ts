/** Where decoded values of one column and batch are gathered, in the layout of the vectors. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { corruptPage } from './decode-error.ts';

/** Most bytes of the values of one variable-width column in one batch. */
export const BATCH_COLUMN_BYTES_LIMIT = 1 << 30;
/** Most slots (values and nulls) of one column in one batch. */
export const BATCH_SLOTS_LIMIT = 1 << 27;

/** Most bytes that are set aside on a guess. */
const EXPECTED_BYTES_LIMIT = 64 << 20;

/** Values of a fixed width in bytes (1 for booleans, one byte each). Little-endian as in the file. */
export class FixedSink {
	readonly width: number;
	/** 32-bit words of a value; 0 when the width is no multiple of 4 */
	readonly words: number;
	bytes: Uint8Array;
	ints: Int32Array;

	constructor(width: number, capacity: number) {
		this.width = width;
		this.words = width % 4 === 0 ? width / 4 : 0;
		const buffer = allocate(capacity, width);
		this.bytes = new Uint8Array(buffer);
		this.ints = new Int32Array(this.words === 0 ? new ArrayBuffer(0) : buffer);
	}

	/** Makes room for `slots` values in all. */
	reserve(slots: number): void {
		if (slots * this.width <= this.bytes.length) return;
		const held = this.width === 0 ? 0 : this.bytes.length / this.width;
		const buffer = allocate(grownCapacity(slots, held), this.width);
		const bytes = new Uint8Array(buffer);
		bytes.set(this.bytes);
		this.bytes = bytes;
		if (this.words !== 0) this.ints = new Int32Array(buffer);
	}

	/**
	 * Moves the `present` values at `at` apart to the slots whose bit in `validity` (from bit `at` on) is 1, `slots` in
	 * all; the others become zeros.
	 */
	expand(at: number, slots: number, present: number, validity: Uint8Array): void {
		if (present === slots) return;
		let from = at + present;
		if (this.words === 1) {
			const ints = this.ints;
			for (let i = at + slots - 1; i >= at; i--)
				ints[i] = ((validity[i >>> 3] as number) >>> (i & 7)) & 1 ? (ints[--from] as number) : 0;
		} else if (this.words === 2) {
			const ints = this.ints;
			for (let i = at + slots - 1; i >= at; i--) {
				if (((validity[i >>> 3] as number) >>> (i & 7)) & 1) {
					from--;
					ints[2 * i] = ints[2 * from] as number;
					ints[2 * i + 1] = ints[2 * from + 1] as number;
				} else {
					ints[2 * i] = 0;
					ints[2 * i + 1] = 0;
				}
			}
		} else {
			const { bytes, width } = this;
			for (let i = at + slots - 1; i >= at; i--) {
				if (((validity[i >>> 3] as number) >>> (i & 7)) & 1) {
					from--;
					bytes.copyWithin(i * width, from * width, (from + 1) * width);
				} else bytes.fill(0, i * width, (i + 1) * width);
			}
		}
	}
}

/** A decoded dictionary page of byte arrays. */
export interface BytesDictionary {
	readonly length: number;
	/** length + 1, from 0 */
	readonly offsets: Int32Array;
	readonly values: Uint8Array;
}

/**
 * Byte arrays of one batch. As long as all values are plain, slot i is `values[offsets[i]..offsets[i + 1])`. From the first
 * dictionary value on, slots hold indices: below the dictionary's length into the dictionary, above it into the plain values.
 */
export class BytesSink {
	offsets: Int32Array;
	values: Uint8Array;
	/** plain values so far (and nulls among them while there are no indices) */
	plainCount = 0;
	/** bytes of the plain values so far */
	usedBytes = 0;
	indices: Int32Array | undefined;
	dictionary: BytesDictionary | undefined;
	#capacity: number;
	readonly #expectedBytes: number;

	/** `expectedBytes`: a guess of the bytes of all values */
	constructor(capacity: number, expectedBytes = 0) {
		this.#capacity = capacity;
		this.offsets = new Int32Array(allocate(capacity + 1, 4));
		this.#expectedBytes = Math.min(Math.ceil(expectedBytes * 1.05), EXPECTED_BYTES_LIMIT);
		this.values = new Uint8Array(0);
	}

	/** Makes room for `slots` in all. */
	reserve(slots: number): void {
		if (slots <= this.#capacity) return;
		this.#capacity = grownCapacity(slots, this.#capacity);
		if (this.indices !== undefined) {
			const indices = new Int32Array(allocate(this.#capacity, 4));
			indices.set(this.indices);
			this.indices = indices;
		} else this.#growOffsets(this.#capacity);
	}

	/** Makes room for `count` more plain values. */
	reservePlain(count: number): void {
		const wanted = this.plainCount + count;
		if (wanted + 1 > this.offsets.length) this.#growOffsets(grownCapacity(wanted, this.offsets.length));
	}

	/** Makes room for `count` more bytes, with 8 more behind them for copies by words. */
	reserveBytes(count: number): void {
		const wanted = this.usedBytes + count;
		if (wanted > BATCH_COLUMN_BYTES_LIMIT) {
			throw new IcebergError(
				'LIMIT_EXCEEDED',
				`the values of one batch take more than ${BATCH_COLUMN_BYTES_LIMIT} bytes; ask for fewer rows in a batch`,
				{ context: { limit: 'BATCH_COLUMN_BYTES_LIMIT' } },
			);
		}
		if (wanted + 8 <= this.values.length) return;
		const doubled = Math.min(this.values.length * 2, BATCH_COLUMN_BYTES_LIMIT + 8);
		const values = new Uint8Array(Math.max(wanted + 8, doubled, this.#expectedBytes));
		values.set(this.values.subarray(0, this.usedBytes));
		this.values = values;
	}

	/** Says that slots from `at` on hold indices into this dictionary. There is one dictionary in a batch. */
	useDictionary(dictionary: BytesDictionary, at: number): Int32Array {
		if (this.indices !== undefined) return this.indices;
		this.dictionary = dictionary;
		const indices = new Int32Array(allocate(this.#capacity, 4));
		for (let i = 0; i < at; i++) indices[i] = dictionary.length + i;
		this.indices = indices;
		return indices;
	}

	/** Enters the `count` plain values that a decoder has just appended as the slots from `at` on. */
	plainAppended(at: number, count: number): void {
		const { indices, dictionary } = this;
		if (indices !== undefined && dictionary !== undefined) {
			const first = dictionary.length + this.plainCount;
			for (let i = 0; i < count; i++) indices[at + i] = first + i;
		}
		this.plainCount += count;
	}

	/** As {@link FixedSink.expand}. */
	expand(at: number, slots: number, present: number, validity: Uint8Array): void {
		if (present === slots) return;
		const { indices } = this;
		if (indices !== undefined) {
			let from = at + present;
			for (let i = at + slots - 1; i >= at; i--)
				indices[i] = ((validity[i >>> 3] as number) >>> (i & 7)) & 1 ? (indices[--from] as number) : 0;
			return;
		}
		const { offsets } = this;
		let from = at + present;
		for (let i = at + slots - 1; i >= at; i--) {
			offsets[i + 1] = offsets[from] as number;
			if (((validity[i >>> 3] as number) >>> (i & 7)) & 1) from--;
		}
		this.plainCount = at + slots;
	}

	#growOffsets(capacity: number): void {
		const offsets = new Int32Array(allocate(capacity + 1, 4));
		offsets.set(this.offsets);
		this.offsets = offsets;
	}
}

/** The values of one kind of column out of one page. Reading past the page's end throws `CORRUPT`. */
export interface ValueDecoder<S> {
	/** Appends `count` values at slot `at`; the sink has room for the slots. */
	read(sink: S, at: number, count: number): void;
	skip(count: number): void;
}

/** Checks an index into a dictionary. */
export function badIndex(index: number, length: number): IcebergError {
	return corruptPage(`dictionary index ${index >>> 0} is outside of a dictionary of ${length} values`);
}

function allocate(count: number, width: number): ArrayBuffer {
	return new ArrayBuffer(Math.ceil((count * width) / 8) * 8);
}

function grownCapacity(wanted: number, held: number): number {
	if (wanted > BATCH_SLOTS_LIMIT) {
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`one batch has more than ${BATCH_SLOTS_LIMIT} values; ask for fewer rows in a batch`,
			{ context: { limit: 'BATCH_SLOTS_LIMIT' } },
		);
	}
	return Math.max(wanted, Math.min(held * 2, BATCH_SLOTS_LIMIT), 64);
}
