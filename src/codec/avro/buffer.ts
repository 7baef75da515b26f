/** A growing buffer of Avro's binary encoding. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { isWellFormed } from '../../util/well-formed.ts';

const TWO_32 = 0x1_0000_0000;
const words = new Int32Array(2);
const bigWord = new BigInt64Array(words.buffer);
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;
const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

export class AvroBuffer {
	#bytes: Buffer;
	/** bytes written */
	length = 0;

	constructor(capacity = 1024) {
		this.#bytes = Buffer.allocUnsafe(capacity);
	}

	/** What was written; a view that the next write may make stale. */
	view(): Uint8Array {
		return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.length);
	}

	/** Forgets what was written and keeps the memory. */
	clear(): void {
		this.length = 0;
	}

	reserve(count: number): void {
		const needed = this.length + count;
		if (needed <= this.#bytes.length) return;
		const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
		this.#bytes.copy(grown, 0, 0, this.length);
		this.#bytes = grown;
	}

	writeByte(byte: number): void {
		this.reserve(1);
		this.#bytes[this.length++] = byte;
	}

	writeBoolean(value: boolean): void {
		this.writeByte(value ? 1 : 0);
	}

	/** An int or long; `value` is a safe integer. @throws `INVALID_ARGUMENT` when it is not */
	writeNumber(value: number): void {
		if (value >= -0x4000_0000 && value < 0x4000_0000 && Number.isInteger(value)) {
			this.#writeSmall(((value << 1) ^ (value >> 31)) >>> 0);
			return;
		}
		if (!Number.isSafeInteger(value)) {
			throw new IcebergError('INVALID_ARGUMENT', `${value} cannot be written as a 64-bit integer`, {
				context: { value },
			});
		}
		const high = Math.floor(value / TWO_32);
		this.#writeWords(value - high * TWO_32, high);
	}

	/** @throws `INVALID_ARGUMENT` beyond 64 bits */
	writeLong(value: bigint): void {
		if (value < MIN_LONG || value > MAX_LONG) {
			throw new IcebergError('INVALID_ARGUMENT', `${value} cannot be written as a 64-bit integer`, {
				context: { value },
			});
		}
		bigWord[0] = value;
		this.#writeWords(words[LOW] as number, words[HIGH] as number);
	}

	writeFloat(value: number): void {
		this.reserve(4);
		this.#bytes.writeFloatLE(value, this.length);
		this.length += 4;
	}

	writeDouble(value: number): void {
		this.reserve(8);
		this.#bytes.writeDoubleLE(value, this.length);
		this.length += 8;
	}

	/** Length and bytes. */
	writeBytes(bytes: Uint8Array): void {
		this.writeNumber(bytes.length);
		this.writeRaw(bytes);
	}

	/** Bytes alone. */
	writeRaw(bytes: Uint8Array): void {
		const { length } = bytes;
		this.reserve(length);
		if (length > 24) this.#bytes.set(bytes, this.length);
		else for (let i = 0; i < length; i++) this.#bytes[this.length + i] = bytes[i] as number;
		this.length += length;
	}

	/** Length and UTF-8 bytes. @throws `INVALID_DATA` for text with a lone surrogate, which UTF-8 cannot hold */
	writeString(text: string): void {
		if (!isWellFormed(text)) {
			throw new IcebergError('INVALID_DATA', 'text with half of a surrogate pair cannot be written as UTF-8', {
				context: { value: text.slice(0, 100) },
			});
		}
		const length = Buffer.byteLength(text);
		this.writeNumber(length);
		this.reserve(length);
		this.#bytes.write(text, this.length, length, 'utf8');
		this.length += length;
	}

	#writeSmall(value: number): void {
		this.reserve(5);
		const bytes = this.#bytes;
		let at = this.length;
		let rest = value;
		while (rest > 0x7f) {
			bytes[at++] = (rest & 0x7f) | 0x80;
			rest >>>= 7;
		}
		bytes[at++] = rest;
		this.length = at;
	}

	/** Zigzag and base 128 of a 64-bit integer given as two words. */
	#writeWords(low: number, high: number): void {
		this.reserve(10);
		const sign = high >> 31;
		let lowRest = ((low << 1) ^ sign) >>> 0;
		let highRest = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
		const bytes = this.#bytes;
		let at = this.length;
		while (highRest !== 0 || lowRest > 0x7f) {
			bytes[at++] = (lowRest & 0x7f) | 0x80;
			lowRest = ((lowRest >>> 7) | (highRest << 25)) >>> 0;
			highRest >>>= 7;
		}
		bytes[at++] = lowRest;
		this.length = at;
	}
}
