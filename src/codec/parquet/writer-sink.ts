/** Gathers small pieces, so that the sink sees few and large writes. */
import type { ByteSink } from './api.ts';
import { GrowingBytes } from './encode-buffer.ts';

/** Pieces are gathered up to this many bytes; larger ones go to the sink as they are. */
export const SINK_BUFFER_BYTES = 1024 * 1024;

export class BufferedSink {
	readonly #sink: ByteSink;
	readonly #buffer = new GrowingBytes();
	#written = 0;

	constructor(sink: ByteSink) {
		this.#sink = sink;
	}

	/** Bytes taken so far: the offset in the file of what comes next. */
	get position(): number {
		return this.#written + this.#buffer.length;
	}

	async write(bytes: Uint8Array): Promise<void> {
		if (this.#buffer.length + bytes.length > SINK_BUFFER_BYTES) await this.flush();
		if (bytes.length > SINK_BUFFER_BYTES / 2) {
			await this.#sink.write(bytes);
			this.#written += bytes.length;
		} else this.#buffer.append(bytes);
	}

	async flush(): Promise<void> {
		const { length } = this.#buffer;
		if (length === 0) return;
		await this.#sink.write(this.#buffer.content());
		this.#written += length;
		this.#buffer.clear();
	}
}
