/** Parquet spec: Encodings, Dictionary Encoding (PLAIN_DICTIONARY = 2 and RLE_DICTIONARY = 8). */
import { corruptPage } from './decode-error.ts';
import { RleDecoder } from './decode-rle.ts';
import { type BytesDictionary, type BytesSink, badIndex, type FixedSink, type ValueDecoder } from './decode-sink.ts';

/** Indices decoded at a time, so that they stay in the processor's cache. */
const INDEX_BLOCK = 4096;

/** Values of a fixed width: looked up at once. */
export interface FixedDictionary {
	readonly length: number;
	readonly width: number;
	/** length x width bytes, at an address that is a multiple of 8 */
	readonly bytes: Uint8Array;
	/** the same as words; empty when the width is no multiple of 4 */
	readonly ints: Int32Array;
}

/** @throws CORRUPT when the page holds fewer values than its header says */
export function plainFixedDictionary(bytes: Uint8Array, count: number, width: number): FixedDictionary {
	if (count * width > bytes.length)
		throw corruptPage(`a dictionary of ${count} values of ${width} bytes in ${bytes.length} bytes`);
	const copy = bytes.slice(0, count * width);
	const ints = width % 4 === 0 ? new Int32Array(copy.buffer, 0, (count * width) / 4) : new Int32Array(0);
	return { length: count, width, bytes: copy, ints };
}

export class DictionaryFixedDecoder implements ValueDecoder<FixedSink> {
	readonly #indices: RleDecoder;
	readonly #dictionary: FixedDictionary;
	readonly #block: Int32Array;

	/** `pos` is at the byte with the indices' width; `block` is scratch of {@link INDEX_BLOCK} elements. */
	constructor(bytes: Uint8Array, pos: number, dictionary: FixedDictionary, block: Int32Array) {
		this.#indices = indexDecoder(bytes, pos);
		this.#dictionary = dictionary;
		this.#block = block;
	}

	read(sink: FixedSink, at: number, count: number): void {
		const block = this.#block;
		const dictionary = this.#dictionary;
		for (let done = 0; done < count; done += INDEX_BLOCK) {
			const take = Math.min(INDEX_BLOCK, count - done);
			this.#indices.readInts(block, 0, take);
			if (sink.words === 1) gather1(sink.ints, at + done, block, take, dictionary);
			else if (sink.words === 2) gather2(sink.ints, at + done, block, take, dictionary);
			else gatherBytes(sink.bytes, at + done, block, take, dictionary);
		}
	}

	skip(count: number): void {
		this.#indices.skip(count);
	}
}

/** Byte arrays: the indices are kept. */
export class DictionaryBytesDecoder implements ValueDecoder<BytesSink> {
	readonly #indices: RleDecoder;
	readonly #dictionary: BytesDictionary;

	constructor(bytes: Uint8Array, pos: number, dictionary: BytesDictionary) {
		this.#indices = indexDecoder(bytes, pos);
		this.#dictionary = dictionary;
	}

	read(sink: BytesSink, at: number, count: number): void {
		const out = sink.useDictionary(this.#dictionary, at);
		this.#indices.readInts(out, at, count);
		const length = this.#dictionary.length;
		for (let i = at; i < at + count; i++) {
			const index = out[i] as number;
			if (index < 0 || index >= length) throw badIndex(index, length);
		}
	}

	skip(count: number): void {
		this.#indices.skip(count);
	}
}

export function indexBlock(): Int32Array {
	return new Int32Array(INDEX_BLOCK);
}

function indexDecoder(bytes: Uint8Array, pos: number): RleDecoder {
	const width = bytes[pos];
	// a page of nulls alone may hold no indices at all
	if (width === undefined) return new RleDecoder(bytes, pos, 1);
	return new RleDecoder(bytes, pos + 1, width);
}

function gather1(out: Int32Array, at: number, block: Int32Array, count: number, dictionary: FixedDictionary): void {
	const { ints, length } = dictionary;
	for (let i = 0; i < count; i++) {
		const index = block[i] as number;
		if (index < 0 || index >= length) throw badIndex(index, length);
		out[at + i] = ints[index] as number;
	}
}

function gather2(out: Int32Array, at: number, block: Int32Array, count: number, dictionary: FixedDictionary): void {
	const { ints, length } = dictionary;
	let to = at * 2;
	for (let i = 0; i < count; i++) {
		const index = block[i] as number;
		if (index < 0 || index >= length) throw badIndex(index, length);
		out[to++] = ints[2 * index] as number;
		out[to++] = ints[2 * index + 1] as number;
	}
}

function gatherBytes(out: Uint8Array, at: number, block: Int32Array, count: number, dictionary: FixedDictionary): void {
	const { bytes, length, width } = dictionary;
	let to = at * width;
	for (let i = 0; i < count; i++) {
		const index = block[i] as number;
		if (index < 0 || index >= length) throw badIndex(index, length);
		const from = index * width;
		for (let k = 0; k < width; k++) out[to++] = bytes[from + k] as number;
	}
}
