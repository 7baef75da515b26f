/**
 * Parquet spec: Encodings, Delta-length byte array (DELTA_LENGTH_BYTE_ARRAY = 6) and Delta Strings
 * (DELTA_BYTE_ARRAY = 7).
 */
import { DeltaReader } from './decode-delta.ts';
import { corruptPage } from './decode-error.ts';
import { BytesSink, type FixedSink, type ValueDecoder } from './decode-sink.ts';

/** Lengths decoded at a time. */
const LENGTH_BLOCK = 1024;

/** All lengths first, then all bytes. */
export class DeltaLengthBytesDecoder implements ValueDecoder<BytesSink> {
	readonly #bytes: Uint8Array;
	readonly #lengths: DeltaReader;
	readonly #block = new Int32Array(LENGTH_BLOCK);
	#pos: number;

	constructor(bytes: Uint8Array, pos: number) {
		this.#bytes = bytes;
		this.#lengths = new DeltaReader(bytes, pos);
		this.#pos = new DeltaReader(bytes, pos).end();
	}

	read(sink: BytesSink, at: number, count: number): void {
		sink.reservePlain(count);
		const { offsets } = sink;
		const first = sink.plainCount;
		const base = sink.usedBytes;
		const start = this.#pos;
		this.#scan(count, (total, index) => {
			offsets[first + 1 + index] = base + total;
		});
		const total = this.#pos - start;
		sink.reserveBytes(total);
		sink.values.set(this.#bytes.subarray(start, this.#pos), base);
		sink.usedBytes = base + total;
		sink.plainAppended(at, count);
	}

	skip(count: number): void {
		this.#scan(count, () => {});
	}

	#scan(count: number, onValue: (total: number, index: number) => void): void {
		const limit = this.#bytes.length - this.#pos;
		const block = this.#block;
		let total = 0;
		for (let done = 0; done < count; done += LENGTH_BLOCK) {
			const take = Math.min(LENGTH_BLOCK, count - done);
			this.#lengths.read32(block, 0, take);
			for (let i = 0; i < take; i++) {
				const length = block[i] as number;
				if (length < 0 || length > limit - total)
					throw corruptPage(`a byte array of ${length} bytes where ${limit - total} are left`);
				total += length;
				onValue(total, done + i);
			}
		}
		this.#pos += total;
	}
}

/** Each value shares a prefix with the one before. */
export class DeltaBytesDecoder implements ValueDecoder<BytesSink> {
	readonly #bytes: Uint8Array;
	readonly #prefixes: DeltaReader;
	readonly #suffixes: DeltaReader;
	readonly #prefixBlock = new Int32Array(LENGTH_BLOCK);
	readonly #suffixBlock = new Int32Array(LENGTH_BLOCK);
	#pos: number;
	/** the value before the next one */
	#last: Uint8Array = new Uint8Array(0);

	constructor(bytes: Uint8Array, pos: number) {
		this.#bytes = bytes;
		this.#prefixes = new DeltaReader(bytes, pos);
		const suffixesPos = new DeltaReader(bytes, pos).end();
		this.#suffixes = new DeltaReader(bytes, suffixesPos);
		this.#pos = new DeltaReader(bytes, suffixesPos).end();
	}

	read(sink: BytesSink, at: number, count: number): void {
		sink.reservePlain(count);
		for (let done = 0; done < count; done += LENGTH_BLOCK) {
			const take = Math.min(LENGTH_BLOCK, count - done);
			this.#append(sink, at + done, take);
		}
	}

	skip(count: number): void {
		for (let done = 0; done < count; done += LENGTH_BLOCK) {
			const take = Math.min(LENGTH_BLOCK, count - done);
			this.#append(new BytesSink(take), 0, take);
		}
	}

	/** At most {@link LENGTH_BLOCK} values. */
	#append(sink: BytesSink, at: number, count: number): void {
		const prefixes = this.#prefixBlock;
		const suffixes = this.#suffixBlock;
		this.#prefixes.read32(prefixes, 0, count);
		this.#suffixes.read32(suffixes, 0, count);
		const { offsets } = sink;
		const bytes = this.#bytes;
		let total = 0;
		let pos = this.#pos;
		let lastLength = this.#last.length;
		for (let i = 0; i < count; i++) {
			const prefix = prefixes[i] as number;
			const suffix = suffixes[i] as number;
			if (prefix < 0 || prefix > lastLength)
				throw corruptPage(`a shared prefix of ${prefix} bytes after a value of ${lastLength}`);
			if (suffix < 0 || suffix > bytes.length - pos)
				throw corruptPage(`a suffix of ${suffix} bytes where ${bytes.length - pos} are left`);
			pos += suffix;
			lastLength = prefix + suffix;
			total += lastLength;
		}
		sink.reserveBytes(total);
		const { values } = sink;
		const first = sink.plainCount;
		let to = sink.usedBytes;
		let last = this.#last;
		let lastStart = 0;
		pos = this.#pos;
		for (let i = 0; i < count; i++) {
			const prefix = prefixes[i] as number;
			const suffix = suffixes[i] as number;
			const start = to;
			if (prefix <= 32) for (let k = 0; k < prefix; k++) values[to + k] = last[lastStart + k] as number;
			else values.set(last.subarray(lastStart, lastStart + prefix), to);
			to += prefix;
			if (suffix <= 32) for (let k = 0; k < suffix; k++) values[to + k] = bytes[pos + k] as number;
			else values.set(bytes.subarray(pos, pos + suffix), to);
			to += suffix;
			pos += suffix;
			offsets[first + 1 + i] = to;
			last = values;
			lastStart = start;
		}
		if (count > 0) this.#last = values.slice(lastStart, to);
		this.#pos = pos;
		sink.usedBytes = to;
		sink.plainAppended(at, count);
	}
}

/** FIXED_LEN_BYTE_ARRAY in DELTA_BYTE_ARRAY. */
export class DeltaFixedDecoder implements ValueDecoder<FixedSink> {
	readonly #values: DeltaBytesDecoder;
	readonly #width: number;

	constructor(bytes: Uint8Array, pos: number, width: number) {
		this.#values = new DeltaBytesDecoder(bytes, pos);
		this.#width = width;
	}

	read(sink: FixedSink, at: number, count: number): void {
		const width = this.#width;
		for (let done = 0; done < count; done += LENGTH_BLOCK) {
			const take = Math.min(LENGTH_BLOCK, count - done);
			const block = new BytesSink(take);
			this.#values.read(block, 0, take);
			for (let i = 0; i <= take; i++) {
				if (block.offsets[i] !== i * width)
					throw corruptPage(`a value of another length where all have ${width} bytes`);
			}
			sink.bytes.set(block.values.subarray(0, take * width), (at + done) * width);
		}
	}

	skip(count: number): void {
		this.#values.skip(count);
	}
}
