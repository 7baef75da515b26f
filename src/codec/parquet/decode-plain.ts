/** Parquet spec: Encodings, Plain (PLAIN = 0). */
import { viewOf } from './decode-bits.ts';
import { corruptPage } from './decode-error.ts';
import type { BytesDictionary, BytesSink, FixedSink, ValueDecoder } from './decode-sink.ts';

/** Values of 4, 8, 12 or any other number of bytes, one after the other. */
export class PlainFixedDecoder implements ValueDecoder<FixedSink> {
	readonly #bytes: Uint8Array;
	readonly #width: number;
	#pos: number;

	constructor(bytes: Uint8Array, pos: number, width: number) {
		this.#bytes = bytes;
		this.#pos = pos;
		this.#width = width;
	}

	read(sink: FixedSink, at: number, count: number): void {
		const from = this.#pos;
		this.skip(count);
		sink.bytes.set(this.#bytes.subarray(from, this.#pos), at * this.#width);
	}

	skip(count: number): void {
		const end = this.#pos + count * this.#width;
		if (end > this.#bytes.length) {
			throw corruptPage(
				`a page of plain values ends after ${this.#bytes.length} bytes, ${end - this.#bytes.length} too early`,
			);
		}
		this.#pos = end;
	}
}

/** Bits, least significant first, to one byte a value. */
export class PlainBooleanDecoder implements ValueDecoder<FixedSink> {
	readonly #bytes: Uint8Array;
	/** next bit, from the start of the bytes */
	#bit: number;

	constructor(bytes: Uint8Array, pos: number) {
		this.#bytes = bytes;
		this.#bit = pos * 8;
	}

	read(sink: FixedSink, at: number, count: number): void {
		let bit = this.#bit;
		this.skip(count);
		const out = sink.bytes;
		const bytes = this.#bytes;
		for (let i = at; i < at + count; i++, bit++) out[i] = ((bytes[Math.floor(bit / 8)] as number) >>> (bit & 7)) & 1;
	}

	skip(count: number): void {
		if (this.#bit + count > this.#bytes.length * 8) throw corruptPage('a page of booleans ends before its last value');
		this.#bit += count;
	}
}

/** Byte arrays, each after its length of 4 bytes. */
export class PlainBytesDecoder implements ValueDecoder<BytesSink> {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	#pos: number;

	constructor(bytes: Uint8Array, pos: number) {
		this.#bytes = bytes;
		this.#view = viewOf(bytes);
		this.#pos = pos;
	}

	read(sink: BytesSink, at: number, count: number): void {
		sink.reservePlain(count);
		const start = this.#pos;
		const base = sink.usedBytes;
		const first = sink.plainCount;
		const { offsets } = sink;
		const end = scanLengths(this.#bytes, this.#view, start, offsets, first, count);
		const total = end - start - 4 * count;
		sink.reserveBytes(total);
		copyValues(this.#bytes, this.#view, start, offsets, first, base, count, sink.values);
		sink.usedBytes = base + total;
		sink.plainAppended(at, count);
		this.#pos = end;
	}

	skip(count: number): void {
		const limit = this.#bytes.length;
		let pos = this.#pos;
		for (let i = 0; i < count; i++) {
			if (pos + 4 > limit) throw endsEarly(i, count);
			pos += 4 + this.#view.getUint32(pos, true);
		}
		if (pos > limit) throw endsEarly(count, count);
		this.#pos = pos;
	}
}

/**
 * Decodes a dictionary page of byte arrays whole.
 * @throws CORRUPT when the page holds fewer values than its header says
 */
export function plainBytesDictionary(bytes: Uint8Array, count: number): BytesDictionary {
	if (count * 4 > bytes.length) throw corruptPage(`a dictionary of ${count} values in ${bytes.length} bytes`);
	const view = viewOf(bytes);
	const offsets = new Int32Array(count + 1);
	const end = scanLengths(bytes, view, 0, offsets, 0, count);
	const total = end - 4 * count;
	const values = new Uint8Array(total + 8);
	copyValues(bytes, view, 0, offsets, 0, 0, count, values);
	return { length: count, offsets, values: values.subarray(0, total) };
}

/** Checks the lengths and puts the values' ends, without the lengths, into `offsets[first + 1..]`. Returns the end's place. */
function scanLengths(
	bytes: Uint8Array,
	view: DataView,
	start: number,
	offsets: Int32Array,
	first: number,
	count: number,
): number {
	const limit = bytes.length;
	let pos = start;
	let to = offsets[first] as number;
	for (let i = 0; i < count; i++) {
		if (pos + 4 > limit) throw endsEarly(i, count);
		const length = view.getInt32(pos, true);
		if (length < 0 || length > limit - pos - 4) {
			throw corruptPage(`a byte array of ${length >>> 0} bytes where ${limit - pos - 4} are left`);
		}
		pos += 4 + length;
		to += length;
		offsets[first + 1 + i] = to;
	}
	return pos;
}

function copyValues(
	bytes: Uint8Array,
	view: DataView,
	start: number,
	offsets: Int32Array,
	first: number,
	base: number,
	count: number,
	out: Uint8Array,
): void {
	const target = viewOf(out);
	// copies by words read up to 3 bytes past a value
	const limit = bytes.length - 3;
	let pos = start;
	let to = base;
	for (let i = 0; i < count; i++) {
		pos += 4;
		const end = offsets[first + 1 + i] as number;
		const length = end - to;
		if (length <= 64 && pos + length <= limit) {
			for (let k = 0; k < length; k += 4) target.setInt32(to + k, view.getInt32(pos + k, true), true);
		} else out.set(bytes.subarray(pos, pos + length), to);
		pos += length;
		to = end;
	}
}

function endsEarly(done: number, count: number): Error {
	return corruptPage(`a page of byte arrays ends after ${done} of the ${count} values looked for`);
}
