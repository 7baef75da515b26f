/** A growing buffer that records are encoded into, made once and used for many. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { isWellFormed } from '../util/well-formed.ts';
import { LOOPED_COPY_BYTES } from './batch-codec-layout.ts';

/** Texts up to this length are copied by a loop while they are ASCII; their length is one byte. */
const LOOPED_TEXT_LIMIT = 48;

const word = new DataView(new ArrayBuffer(8));
const wordBytes = new Uint8Array(word.buffer);

export class ByteWriter {
	#bytes: Buffer;
	/** bytes written */
	length = 0;

	constructor(capacity = 1024) {
		this.#bytes = Buffer.allocUnsafeSlow(capacity);
	}

	/** What was written from `start` on; a view that the next write makes stale. */
	view(start = 0): Uint8Array {
		return new Uint8Array(this.#bytes.buffer, start, this.length - start);
	}

	/** What was written, as bytes of their own. */
	copy(): Uint8Array {
		const bytes = Buffer.allocUnsafe(this.length);
		this.#bytes.copy(bytes, 0, 0, this.length);
		return bytes;
	}

	/** Forgets what was written behind the first `length` bytes and keeps the memory. */
	cut(length: number): void {
		this.length = length;
	}

	byte(value: number): void {
		this.reserve(1);
		this.#bytes[this.length++] = value;
	}

	/** A whole number that is not negative, seven bits a byte, low ones first. */
	varint(value: number): void {
		this.reserve(8);
		let at = this.length;
		let rest = value;
		for (; rest >= 0x8000_0000; rest = Math.floor(rest / 128)) this.#bytes[at++] = (rest % 128) | 0x80;
		for (; rest > 0x7f; rest >>>= 7) this.#bytes[at++] = (rest & 0x7f) | 0x80;
		this.#bytes[at++] = rest;
		this.length = at;
	}

	/** A safe integer. */
	integer(value: number): void {
		this.byte(value < 0 ? 1 : 0);
		this.varint(Math.abs(value));
	}

	int64(value: bigint): void {
		word.setBigInt64(0, value, true);
		this.#word(8);
	}

	int32(value: number): void {
		this.reserve(4);
		const at = this.length;
		this.#bytes[at] = value;
		this.#bytes[at + 1] = value >> 8;
		this.#bytes[at + 2] = value >> 16;
		this.#bytes[at + 3] = value >> 24;
		this.length = at + 4;
	}

	float64(value: number): void {
		word.setFloat64(0, value, true);
		this.#word(8);
	}

	float32(value: number): void {
		word.setFloat32(0, value, true);
		this.#word(4);
	}

	/** Length and UTF-8 bytes. @throws `INVALID_DATA` for text with a lone surrogate, which UTF-8 cannot hold */
	text(text: string): void {
		if (!isWellFormed(text))
			throw new IcebergError('INVALID_DATA', 'text with half of a surrogate pair cannot be written as UTF-8', {
				context: { value: text.slice(0, 100) },
			});
		this.#utf8(text);
	}

	/** {@link text} of text that is known to be well-formed. */
	wellFormed(text: string): void {
		const count = text.length;
		if (count > LOOPED_TEXT_LIMIT) return this.#utf8(text);
		this.reserve(count + 1);
		const bytes = this.#bytes;
		const start = this.length + 1;
		for (let i = 0; i < count; i++) {
			const unit = text.charCodeAt(i);
			if (unit > 0x7f) return this.#utf8(text);
			bytes[start + i] = unit;
		}
		bytes[start - 1] = count;
		this.length = start + count;
	}

	/** Length and bytes. */
	bytes(bytes: Uint8Array): void {
		this.varint(bytes.length);
		this.raw(bytes, 0, bytes.length);
	}

	/** The bytes [from, to) alone. */
	raw(bytes: Uint8Array, from: number, to: number): void {
		const count = to - from;
		this.reserve(count);
		if (count > LOOPED_COPY_BYTES) this.#bytes.set(bytes.subarray(from, to), this.length);
		else for (let i = 0; i < count; i++) this.#bytes[this.length + i] = bytes[from + i] as number;
		this.length += count;
	}

	/** Room for `count` bytes that {@link putUint32} fills in later. */
	skip(count: number): void {
		this.reserve(count);
		this.length += count;
	}

	putUint32(at: number, value: number): void {
		this.#bytes.writeUInt32LE(value, at);
	}

	reserve(count: number): void {
		const needed = this.length + count;
		if (needed <= this.#bytes.length) return;
		const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
		this.#bytes.copy(grown, 0, 0, this.length);
		this.#bytes = grown;
	}

	#utf8(text: string): void {
		const length = Buffer.byteLength(text);
		this.varint(length);
		this.reserve(length);
		this.#bytes.write(text, this.length, length, 'utf8');
		this.length += length;
	}

	#word(count: number): void {
		this.reserve(count);
		for (let i = 0; i < count; i++) this.#bytes[this.length + i] = wordBytes[i] as number;
		this.length += count;
	}
}
