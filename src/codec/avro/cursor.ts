/** A position in Avro bytes. Each read is checked against the end; what does not fit is `CORRUPT`. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import { AVRO_DEPTH_LIMIT, AVRO_ZERO_WIDTH_LIMIT } from './limits.ts';

const words = new Int32Array(2);
const bigWord = new BigInt64Array(words.buffer);
/** index of the low word in `words` */
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;
const TWO_32 = 0x1_0000_0000;
const floatView = new DataView(new ArrayBuffer(8));
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class AvroCursor {
	readonly bytes: Uint8Array;
	/** the same memory, for text; made when it is needed */
	#buffer: Buffer | undefined;
	readonly location: string;
	/** says in messages what positions count from */
	readonly #part: string;
	/** where positions in messages count from */
	#origin = 0;
	/** the place in the file of the expanded block that the cursor is in; -1: in none */
	#blockAt = -1;
	position: number;
	end: number;
	/** words of the last long read, for those that need no bigint */
	low = 0;
	high = 0;
	#depth = 0;

	constructor(bytes: Uint8Array, location: string, part = 'byte', position = 0, end = bytes.length) {
		this.bytes = bytes;
		this.location = location;
		this.#part = part;
		this.position = position;
		this.end = end;
	}

	/**
	 * Moves to a part of the bytes, which messages tell positions in from then on.
	 *
	 * @param blockAt where the block that was expanded to them stands in the file
	 */
	enterPart(start: number, end: number, blockAt = -1): void {
		this.#origin = start;
		this.#blockAt = blockAt;
		this.position = start;
		this.end = end;
	}

	/** An error to throw: `what` completes "…: <what> at <position>". */
	corrupt(what: string, at = this.position): IcebergError {
		const position = at - this.#origin;
		const part = this.#blockAt < 0 ? this.#part : `block at byte ${this.#blockAt}, expanded byte`;
		return new IcebergError('CORRUPT', `corrupt Avro file ${this.location}: ${what} at ${part} ${position}`, {
			context: { location: this.location, position },
		});
	}

	readBoolean(): boolean {
		if (this.position >= this.end) throw this.corrupt('ends within a boolean');
		const byte = this.bytes[this.position++] as number;
		if (byte > 1) throw this.corrupt(`${byte} is no boolean`, this.position - 1);
		return byte === 1;
	}

	/** A 32-bit integer. */
	readInt(): number {
		if (this.position < this.end) {
			const byte = this.bytes[this.position] as number;
			if (byte < 0x80) {
				this.position++;
				return (byte >>> 1) ^ -(byte & 1);
			}
		}
		const start = this.position;
		this.readWords();
		if (this.high !== this.low >> 31) throw this.corrupt('a number beyond 32 bits', start);
		return this.low;
	}

	/** A long that must be a safe integer. */
	readSafeLong(): number {
		if (this.position < this.end) {
			const byte = this.bytes[this.position] as number;
			if (byte < 0x80) {
				this.position++;
				return (byte >>> 1) ^ -(byte & 1);
			}
		}
		const start = this.position;
		this.readWords();
		const value = this.high * TWO_32 + (this.low >>> 0);
		if (!Number.isSafeInteger(value)) throw this.corrupt('a number beyond 2^53', start);
		return value;
	}

	readLong(): bigint {
		this.readWords();
		return this.bigint();
	}

	/** The last long read with {@link readWords}. */
	bigint(): bigint {
		words[LOW] = this.low;
		words[HIGH] = this.high;
		return bigWord[0] as bigint;
	}

	/** Reads a long into `low` and `high` (two's complement). */
	readWords(): void {
		const bytes = this.bytes;
		const end = this.end;
		let at = this.position;
		let first = 0;
		let second = 0;
		let third = 0;
		let byte = 0x80;
		for (let shift = 0; shift < 28 && byte >= 0x80; shift += 7) {
			if (at >= end) throw this.corrupt('ends within a number');
			byte = bytes[at++] as number;
			first |= (byte & 0x7f) << shift;
		}
		for (let shift = 0; shift < 28 && byte >= 0x80; shift += 7) {
			if (at >= end) throw this.corrupt('ends within a number');
			byte = bytes[at++] as number;
			second |= (byte & 0x7f) << shift;
		}
		for (let shift = 0; shift < 14 && byte >= 0x80; shift += 7) {
			if (at >= end) throw this.corrupt('ends within a number');
			byte = bytes[at++] as number;
			if (shift === 7 && byte > 1) throw this.corrupt('a number beyond 64 bits');
			third |= (byte & 0x7f) << shift;
		}
		const low = first | (second << 28);
		const high = (second >>> 4) | (third << 24);
		const sign = -(low & 1);
		this.low = ((low >>> 1) | (high << 31)) ^ sign;
		this.high = (high >>> 1) ^ sign;
		this.position = at;
	}

	skipLong(): void {
		const { bytes } = this;
		const start = this.position;
		const stop = Math.min(this.end, start + 10);
		let at = start;
		while (at < stop) if ((bytes[at++] as number) < 0x80) return void (this.position = at);
		throw this.corrupt(at - start === 10 ? 'a number beyond 64 bits' : 'ends within a number');
	}

	skipLongs(count: number): void {
		const { bytes, end } = this;
		let at = this.position;
		let start = at;
		for (let left = count; left > 0; ) {
			if (at >= end || at - start === 10) {
				this.position = start;
				return this.skipLong();
			}
			if ((bytes[at++] as number) >= 0x80) continue;
			start = at;
			left--;
		}
		this.position = at;
	}

	/** Moves over `count` pairs of a long and of bytes. */
	skipKeyedBytes(count: number): void {
		const { bytes, end } = this;
		let at = this.position;
		for (let i = 0; i < count; i++) {
			// most keys and lengths take one byte, and a length is even as it is not negative
			const next = at + 2 + ((bytes[at + 1] as number) >>> 1);
			if (next <= end && (bytes[at] as number) < 0x80 && ((bytes[at + 1] as number) & 0x81) === 0) {
				at = next;
				continue;
			}
			this.position = at;
			this.skipLong();
			this.skipBytes();
			at = this.position;
		}
		this.position = at;
	}

	readFloat(): number {
		return floatAt(this.bytes, this.take(4));
	}

	readDouble(): number {
		return doubleAt(this.bytes, this.take(8));
	}

	/** Moves over `count` bytes and returns where they start. */
	take(count: number): number {
		const start = this.position;
		if (count < 0 || count > this.end - start) {
			throw this.corrupt(`${count} bytes where ${this.end - start} are left`);
		}
		this.position = start + count;
		return start;
	}

	/** The length of bytes or text, checked against what is left. */
	readLength(): number {
		const start = this.position;
		const length = this.readSafeLong();
		if (length < 0 || length > this.end - this.position) {
			throw this.corrupt(`a length of ${length} where ${this.end - this.position} bytes are left`, start);
		}
		return length;
	}

	skipBytes(): void {
		const length = this.readLength();
		this.position += length;
	}

	/** A copy. */
	readBytes(): Uint8Array {
		return this.copy(this.readLength());
	}

	/** A copy of the next `length` bytes. */
	copy(length: number): Uint8Array {
		const start = this.take(length);
		const { bytes } = this;
		const result = new Uint8Array(length);
		if (length > 24) result.set(bytes.subarray(start, start + length));
		else for (let i = 0; i < length; i++) result[i] = bytes[start + i] as number;
		return result;
	}

	readString(): string {
		const length = this.readLength();
		const start = this.position;
		this.position = start + length;
		return this.text(start, this.position);
	}

	/** Bytes as UTF-8. @throws `CORRUPT` when they are not */
	text(start: number, end: number): string {
		this.#buffer ??= Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
		const text = this.#buffer.toString('utf8', start, end);
		// the decoder puts U+FFFD for what is not UTF-8, but the text may hold it by right
		if (text.includes('\ufffd')) {
			try {
				strictUtf8.decode(this.bytes.subarray(start, end));
			} catch {
				throw this.corrupt('text that is not UTF-8', start);
			}
		}
		return text;
	}

	/**
	 * The number of items in the next block of an array or map; 0 at its end. `minimumSize` is the fewest bytes of an item.
	 * The size in bytes that may go before is left out.
	 */
	readBlockCount(minimumSize: number): number {
		const start = this.position;
		let count = this.readSafeLong();
		if (count < 0) {
			count = -count;
			const size = this.readSafeLong();
			if (size < 0 || size > this.end - this.position) throw this.corrupt(`a block of ${size} bytes`, start);
		}
		this.checkCount(count, minimumSize, start);
		return count;
	}

	/** As {@link readBlockCount}, but moves over blocks that tell their size. */
	skipBlockCount(minimumSize: number): number {
		for (;;) {
			const start = this.position;
			const count = this.readSafeLong();
			if (count >= 0) {
				this.checkCount(count, minimumSize, start);
				return count;
			}
			this.skipBytes();
		}
	}

	checkCount(count: number, minimumSize: number, position: number): void {
		const most = minimumSize === 0 ? AVRO_ZERO_WIDTH_LIMIT : (this.end - this.position) / minimumSize;
		if (count > most) {
			throw this.corrupt(`${count} items where ${this.end - this.position} bytes are left`, position);
		}
	}

	/** Before a value of a type that may hold itself. */
	enter(): void {
		if (++this.#depth > AVRO_DEPTH_LIMIT) throw this.corrupt(`values nested deeper than ${AVRO_DEPTH_LIMIT}`);
	}

	leave(): void {
		this.#depth--;
	}
}

function floatAt(bytes: Uint8Array, start: number): number {
	for (let i = 0; i < 4; i++) floatView.setUint8(i, bytes[start + i] as number);
	return floatView.getFloat32(0, true);
}

function doubleAt(bytes: Uint8Array, start: number): number {
	for (let i = 0; i < 8; i++) floatView.setUint8(i, bytes[start + i] as number);
	return floatView.getFloat64(0, true);
}
