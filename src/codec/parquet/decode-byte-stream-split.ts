/** Parquet spec: Encodings, Byte Stream Split (BYTE_STREAM_SPLIT = 9). */
import { corruptPage } from './decode-error.ts';
import type { FixedSink, ValueDecoder } from './decode-sink.ts';

/** Byte k of value i stands at `k * n + i`, where the page has n values. */
export class ByteStreamSplitDecoder implements ValueDecoder<FixedSink> {
	readonly #bytes: Uint8Array;
	readonly #start: number;
	readonly #width: number;
	readonly #values: number;
	#done = 0;

	/** @throws CORRUPT when the bytes are no whole number of values */
	constructor(bytes: Uint8Array, pos: number, width: number) {
		this.#bytes = bytes;
		this.#start = pos;
		this.#width = width;
		const values = width === 0 ? 0 : (bytes.length - pos) / width;
		if (!Number.isInteger(values))
			throw corruptPage(`${bytes.length - pos} bytes of split streams are no multiple of ${width}`);
		this.#values = values;
	}

	read(sink: FixedSink, at: number, count: number): void {
		const first = this.#start + this.#done;
		this.skip(count);
		const out = sink.bytes;
		const bytes = this.#bytes;
		const width = this.#width;
		for (let k = 0; k < width; k++) {
			const from = first + k * this.#values;
			let to = at * width + k;
			for (let i = 0; i < count; i++, to += width) out[to] = bytes[from + i] as number;
		}
	}

	skip(count: number): void {
		if (this.#done + count > this.#values)
			throw corruptPage(
				`a page of ${this.#values} split values has ${this.#values - this.#done} left where ${count} are looked for`,
			);
		this.#done += count;
	}
}
