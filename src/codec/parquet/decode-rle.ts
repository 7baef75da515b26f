/** Parquet spec: Encodings, Run Length Encoding / Bit-Packing Hybrid (RLE = 3). */
import { copyBits, setBits, unpackBytes, unpackInts, viewOf } from './decode-bits.ts';
import { corruptPage } from './decode-error.ts';
import type { FixedSink, ValueDecoder } from './decode-sink.ts';

/**
 * Reads the hybrid piece by piece. Nothing is allocated by what a run claims: a run of 2^31 values costs nothing until
 * its values are asked for. @throws CORRUPT when the bytes end before
 */
export class RleDecoder {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	readonly #width: number;
	#pos: number;
	/** values left in the current run */
	#left = 0;
	#packed = false;
	/** of an RLE run */
	#value = 0;
	/** of a bit-packed run: the next value's first byte and bit */
	#packedPos = 0;
	#packedBit = 0;

	/** `width`: bits of a value, 0 to 32. Width 0 has zeros without end. */
	constructor(bytes: Uint8Array, pos: number, width: number) {
		if (width > 32) throw corruptPage(`a bit width of ${width} (expected 0 to 32)`);
		this.#bytes = bytes;
		this.#view = viewOf(bytes);
		this.#pos = pos;
		this.#width = width;
	}

	readInts(out: Int32Array, at: number, count: number): void {
		if (this.#width === 0) {
			out.fill(0, at, at + count);
			return;
		}
		let done = 0;
		while (done < count) {
			const take = this.#take(count - done);
			if (this.#packed)
				unpackInts(this.#bytes, this.#view, this.#packedPos, this.#packedBit, this.#width, out, at + done, take);
			else out.fill(this.#value, at + done, at + done + take);
			this.#advance(take);
			done += take;
		}
	}

	/** For widths up to 8. */
	readBytes(out: Uint8Array, at: number, count: number): void {
		if (this.#width === 0) {
			out.fill(0, at, at + count);
			return;
		}
		let done = 0;
		while (done < count) {
			const take = this.#take(count - done);
			if (this.#packed) unpackBytes(this.#bytes, this.#packedPos, this.#packedBit, this.#width, out, at + done, take);
			else out.fill(this.#value, at + done, at + done + take);
			this.#advance(take);
			done += take;
		}
	}

	/** Width 1 only: writes the values as bits (which must be 0 before) and returns how many are 1. */
	readBitmap(out: Uint8Array, at: number, count: number): number {
		let ones = 0;
		let done = 0;
		while (done < count) {
			const take = this.#take(count - done);
			if (this.#packed) {
				const source = this.#packedPos === 0 ? this.#bytes : this.#bytes.subarray(this.#packedPos);
				ones += copyBits(source, this.#packedBit, out, at + done, take);
			} else if (this.#value === 1) {
				setBits(out, at + done, take);
				ones += take;
			}
			this.#advance(take);
			done += take;
		}
		return ones;
	}

	skip(count: number): void {
		if (this.#width === 0) return;
		let done = 0;
		while (done < count) {
			const take = this.#take(count - done);
			this.#advance(take);
			done += take;
		}
	}

	#take(wanted: number): number {
		while (this.#left === 0) this.#nextRun();
		// keeps bit positions within 32 bits
		return Math.min(wanted, this.#left, 0x2000000);
	}

	#advance(count: number): void {
		this.#left -= count;
		if (!this.#packed) return;
		const bits = this.#packedBit + count * this.#width;
		this.#packedPos += bits >>> 3;
		this.#packedBit = bits & 7;
	}

	#nextRun(): void {
		const bytes = this.#bytes;
		if (this.#pos >= bytes.length) throw corruptPage('a run-length encoded stream ends before its last value');
		let header = 0;
		let scale = 1;
		for (;;) {
			const byte = bytes[this.#pos++];
			if (byte === undefined) throw corruptPage('a run-length encoded stream ends within a run header');
			header += (byte & 0x7f) * scale;
			if (byte < 0x80) break;
			scale *= 128;
			if (scale > 0x10000000) throw corruptPage('a run header of more than 5 bytes');
		}
		if (header > 0xffffffff) throw corruptPage(`a run header of more than 32 bits`);
		if (header % 2 === 1) {
			const groups = (header - 1) / 2;
			const available = bytes.length - this.#pos;
			// writers may leave out the padding of the last run
			const size = Math.min(groups * this.#width, available);
			this.#packed = true;
			this.#packedPos = this.#pos;
			this.#packedBit = 0;
			this.#left = size === groups * this.#width ? groups * 8 : Math.floor((size * 8) / this.#width);
			this.#pos += size;
			return;
		}
		const byteWidth = (this.#width + 7) >>> 3;
		if (this.#pos + byteWidth > bytes.length) throw corruptPage('a run-length encoded stream ends within a run');
		let value = 0;
		for (let i = 0; i < byteWidth; i++) value |= (bytes[this.#pos + i] as number) << (8 * i);
		if (this.#width < 32 && value >>> this.#width !== 0)
			throw corruptPage(`a run's value ${value >>> 0} does not fit ${this.#width} bits`);
		this.#pos += byteWidth;
		this.#packed = false;
		this.#value = value;
		this.#left = header / 2;
	}
}

/** Booleans in RLE: a length of 4 bytes, then the hybrid of width 1; one byte a value. */
export class RleBooleanDecoder implements ValueDecoder<FixedSink> {
	readonly #runs: RleDecoder;

	constructor(bytes: Uint8Array, pos: number) {
		if (pos + 4 > bytes.length) throw corruptPage('a page of booleans ends before its length');
		const length = viewOf(bytes).getUint32(pos, true);
		const start = pos + 4;
		if (length > bytes.length - start)
			throw corruptPage(`booleans of ${length} bytes where ${bytes.length - start} are left`);
		this.#runs = new RleDecoder(bytes.subarray(start, start + length), 0, 1);
	}

	read(sink: FixedSink, at: number, count: number): void {
		this.#runs.readBytes(sink.bytes, at, count);
	}

	skip(count: number): void {
		this.#runs.skip(count);
	}
}
