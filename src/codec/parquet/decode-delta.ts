/** Parquet spec: Encodings, Delta Encoding (DELTA_BINARY_PACKED = 5). */
import { unpackInts, viewOf } from './decode-bits.ts';
import { corruptPage } from './decode-error.ts';
import type { FixedSink, ValueDecoder } from './decode-sink.ts';

/** Most values of a block; writers use 128 or 1,024 or so. */
const BLOCK_VALUES_LIMIT = 1 << 24;
/** Values unpacked at a time. */
const UNPACK_BLOCK = 512;

/**
 * Reads delta-packed integers of 32 or 64 bits piece by piece, with the wrap-around of that many bits. Nothing is
 * allocated by what the header claims.
 */
export class DeltaReader {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	#pos: number;
	readonly #blockValues: number;
	readonly #miniBlocks: number;
	readonly #miniBlockValues: number;
	/** values not yet given out */
	#left: number;
	#firstPending: boolean;
	#low = 0;
	#high = 0;
	#minDeltaLow = 0;
	#minDeltaHigh = 0;
	/** position of the bit widths of the current block */
	#widthsPos = 0;
	/** index of the current miniblock; `#miniBlocks` when a new block is due */
	#miniBlock: number;
	#width = 0;
	/** deltas left in the current miniblock, padding included */
	#miniLeft = 0;
	/** next delta of the current miniblock */
	#bitPos = 0;
	#bit = 0;
	readonly #scratch = new Int32Array(UNPACK_BLOCK);

	/** @throws CORRUPT */
	constructor(bytes: Uint8Array, pos: number) {
		this.#bytes = bytes;
		this.#view = viewOf(bytes);
		this.#pos = pos;
		this.#blockValues = this.#varint('block size');
		this.#miniBlocks = this.#varint('number of miniblocks');
		this.#left = this.#varint('number of values');
		const values = this.#blockValues / this.#miniBlocks;
		if (
			this.#blockValues === 0 ||
			this.#blockValues > BLOCK_VALUES_LIMIT ||
			this.#miniBlocks === 0 ||
			!Number.isInteger(values) ||
			values % 8 !== 0
		) {
			throw corruptPage(`a delta block of ${this.#blockValues} values in ${this.#miniBlocks} miniblocks`);
		}
		this.#miniBlockValues = values;
		this.#miniBlock = this.#miniBlocks;
		this.#zigzag();
		this.#low = this.#varLow;
		this.#high = this.#varHigh;
		this.#firstPending = this.#left > 0;
	}

	/** values not yet given out */
	get left(): number {
		return this.#left;
	}

	/** Position after the last value; passes over all values that are left. */
	end(): number {
		if (this.#firstPending) {
			this.#firstPending = false;
			this.#left--;
		}
		while (this.#left > 0) {
			if (this.#miniLeft === 0) this.#nextMiniBlock();
			const take = Math.min(this.#left, this.#miniLeft);
			this.#left -= take;
			this.#miniLeft -= take;
		}
		return this.#pos;
	}

	/** The low 32 bits of the next `count` values. */
	read32(out: Int32Array, at: number, count: number): void {
		this.#check(count);
		let i = at;
		const end = at + count;
		let low = this.#low;
		if (this.#firstPending && i < end) {
			this.#firstPending = false;
			this.#left--;
			out[i++] = low;
		}
		const scratch = this.#scratch;
		while (i < end) {
			if (this.#miniLeft === 0) this.#nextMiniBlock();
			const take = Math.min(end - i, this.#miniLeft, UNPACK_BLOCK);
			const min = this.#minDeltaLow;
			if (this.#width === 0) {
				for (let k = 0; k < take; k++) {
					low = (low + min) | 0;
					out[i++] = low;
				}
			} else if (this.#width <= 32) {
				unpackInts(this.#bytes, this.#view, this.#bitPos, this.#bit, this.#width, scratch, 0, take);
				for (let k = 0; k < take; k++) {
					low = (low + min + (scratch[k] as number)) | 0;
					out[i++] = low;
				}
			} else {
				for (let k = 0; k < take; k++) {
					low = (low + min + this.#bitsAt(k * this.#width, 32)) | 0;
					out[i++] = low;
				}
			}
			this.#consume(take);
		}
		this.#low = low;
	}

	/** The next `count` values as pairs of words, low word first, from word `2 * at`. */
	read64(out: Int32Array, at: number, count: number): void {
		this.#check(count);
		let i = 2 * at;
		const end = 2 * (at + count);
		if (this.#firstPending && i < end) {
			this.#firstPending = false;
			this.#left--;
			out[i++] = this.#low;
			out[i++] = this.#high;
		}
		const scratch = this.#scratch;
		while (i < end) {
			if (this.#miniLeft === 0) this.#nextMiniBlock();
			const take = Math.min((end - i) / 2, this.#miniLeft, UNPACK_BLOCK);
			const minLow = this.#minDeltaLow >>> 0;
			const minHigh = this.#minDeltaHigh;
			const width = this.#width;
			let low = this.#low >>> 0;
			let high = this.#high;
			if (width !== 0 && width <= 32)
				unpackInts(this.#bytes, this.#view, this.#bitPos, this.#bit, width, scratch, 0, take);
			for (let k = 0; k < take; k++) {
				let deltaLow = 0;
				let deltaHigh = 0;
				if (width > 32) {
					deltaLow = this.#bitsAt(k * width, 32) >>> 0;
					deltaHigh = this.#bitsAt(k * width + 32, width - 32);
				} else if (width !== 0) deltaLow = (scratch[k] as number) >>> 0;
				const sum = low + minLow + deltaLow;
				low = sum >>> 0;
				high = (high + minHigh + deltaHigh + (sum - low) / 4294967296) | 0;
				out[i++] = low;
				out[i++] = high;
			}
			this.#low = low | 0;
			this.#high = high;
			this.#consume(take);
		}
	}

	#check(count: number): void {
		if (count > this.#left)
			throw corruptPage(`a delta-encoded page has ${this.#left} values left where ${count} are looked for`);
	}

	#consume(count: number): void {
		this.#left -= count;
		this.#miniLeft -= count;
		const bits = this.#bit + count * this.#width;
		this.#bitPos += bits >>> 3;
		this.#bit = bits & 7;
	}

	#nextMiniBlock(): void {
		if (this.#miniBlock === this.#miniBlocks) {
			this.#zigzag();
			this.#minDeltaLow = this.#varLow;
			this.#minDeltaHigh = this.#varHigh;
			this.#widthsPos = this.#pos;
			this.#pos += this.#miniBlocks;
			if (this.#pos > this.#bytes.length) throw corruptPage('a delta block ends within its bit widths');
			this.#miniBlock = 0;
		}
		this.#width = this.#bytes[this.#widthsPos + this.#miniBlock] as number;
		if (this.#width > 64) throw corruptPage(`a delta of ${this.#width} bits`);
		this.#miniBlock++;
		this.#miniLeft = this.#miniBlockValues;
		this.#bitPos = this.#pos;
		this.#bit = 0;
		// writers may leave out the padding of the last miniblock
		const needed = Math.ceil((Math.min(this.#miniBlockValues, this.#left) * this.#width) / 8);
		if (this.#pos + needed > this.#bytes.length) throw corruptPage('a delta miniblock ends before its last value');
		this.#pos = Math.min(this.#pos + (this.#miniBlockValues / 8) * this.#width, this.#bytes.length);
	}

	/** `count` bits (up to 32) from `offset` bits past the next delta on */
	#bitsAt(offset: number, count: number): number {
		const bytes = this.#bytes;
		const start = this.#bit + offset;
		let p = this.#bitPos + (start >>> 3);
		let shift = start & 7;
		let value = 0;
		let have = 0;
		while (have < count) {
			value |= ((bytes[p++] as number) >>> shift) << have;
			have += 8 - shift;
			shift = 0;
		}
		return count === 32 ? value : value & ((1 << count) - 1);
	}

	#varint(what: string): number {
		let value = 0;
		let scale = 1;
		for (let i = 0; i < 5; i++) {
			const byte = this.#bytes[this.#pos++];
			if (byte === undefined) throw corruptPage(`a delta-encoded page ends within its ${what}`);
			value += (byte & 0x7f) * scale;
			if (byte < 0x80) {
				if (value > 0x7fffffff) break;
				return value;
			}
			scale *= 128;
		}
		throw corruptPage(`a delta-encoded page with a ${what} beyond 31 bits`);
	}

	#varLow = 0;
	#varHigh = 0;

	/** A zigzag varint of up to 64 bits, into two words. */
	#zigzag(): void {
		let low = 0;
		let high = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = this.#bytes[this.#pos++];
			if (byte === undefined) throw corruptPage('a delta-encoded page ends within an integer');
			const bits = byte & 0x7f;
			if (shift < 28) low |= bits << shift;
			else if (shift === 28) {
				low |= bits << 28;
				high = bits >>> 4;
			} else if (shift < 63) high |= bits << (shift - 32);
			else if (shift === 63 && byte <= 1) high |= bits << 31;
			else throw corruptPage('a delta-encoded page with an integer beyond 64 bits');
			if (byte < 0x80) break;
		}
		const sign = -(low & 1);
		this.#varLow = ((low >>> 1) | (high << 31)) ^ sign;
		this.#varHigh = (high >>> 1) ^ sign;
	}
}

/** INT32 and INT64 pages. */
export class DeltaIntDecoder implements ValueDecoder<FixedSink> {
	readonly #reader: DeltaReader;
	readonly #scratch: Int32Array;

	/** `scratch`: of any length above 0, for values passed over */
	constructor(bytes: Uint8Array, pos: number, scratch: Int32Array) {
		this.#reader = new DeltaReader(bytes, pos);
		this.#scratch = scratch;
	}

	read(sink: FixedSink, at: number, count: number): void {
		if (sink.words === 1) this.#reader.read32(sink.ints, at, count);
		else this.#reader.read64(sink.ints, at, count);
	}

	skip(count: number): void {
		const step = this.#scratch.length >>> 1;
		for (let done = 0; done < count; done += step) this.#reader.read64(this.#scratch, 0, Math.min(step, count - done));
	}
}
