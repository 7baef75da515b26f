/** A position in bytes of a journal. Each read is checked against the end; what does not fit is `CORRUPT`. */
import { decodeUtf8 } from '../column/vector-values.ts';
import { IcebergError } from '../errors/iceberg-error.ts';

const word = new DataView(new ArrayBuffer(8));
const wordBytes = new Uint8Array(word.buffer);

export class ByteReader {
	readonly bytes: Uint8Array;
	/** what the bytes are, for messages */
	readonly #what: string;
	position: number;
	readonly end: number;

	constructor(bytes: Uint8Array, what: string, position = 0) {
		this.bytes = bytes;
		this.#what = what;
		this.position = position;
		this.end = bytes.length;
	}

	/** An error to throw. */
	corrupt(reason: string): IcebergError {
		return new IcebergError('CORRUPT', `${this.#what} is corrupt: ${reason} at byte ${this.position}`, {
			context: { position: this.position },
		});
	}

	get left(): number {
		return this.end - this.position;
	}

	byte(): number {
		if (this.position >= this.end) throw this.corrupt('it ends too early');
		return this.bytes[this.position++] as number;
	}

	/** A safe integer that is not negative. */
	varint(): number {
		let byte = this.byte();
		if (byte < 0x80) return byte;
		let value = byte & 0x7f;
		for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
			if (factor > 2 ** 49) throw this.corrupt('a number beyond 2^53');
			byte = this.byte();
			value += (byte & 0x7f) * factor;
		}
		if (value > Number.MAX_SAFE_INTEGER) throw this.corrupt('a number beyond 2^53');
		return value;
	}

	/** A safe integer. */
	integer(): number {
		const sign = this.byte();
		if (sign > 1) throw this.corrupt(`${sign} is no sign`);
		const value = this.varint();
		return sign === 1 ? -value : value;
	}

	int64(): bigint {
		this.#word(8);
		return word.getBigInt64(0, true);
	}

	float64(): number {
		this.#word(8);
		return word.getFloat64(0, true);
	}

	text(): string {
		const length = this.varint();
		const start = this.take(length);
		try {
			return decodeUtf8(this.bytes.subarray(start, start + length));
		} catch {
			throw this.corrupt('text that is not UTF-8');
		}
	}

	/** A copy. */
	copy(): Uint8Array {
		const length = this.varint();
		const start = this.take(length);
		return this.bytes.slice(start, start + length);
	}

	/** Moves over `count` bytes and returns where they start. */
	take(count: number): number {
		const start = this.position;
		if (!(count >= 0 && count <= this.end - start))
			throw this.corrupt(`${count} bytes where ${this.end - start} are left`);
		this.position = start + count;
		return start;
	}

	/** @throws `CORRUPT` when anything is left */
	finish(): void {
		if (this.position !== this.end) throw this.corrupt(`${this.left} bytes too many`);
	}

	#word(count: number): void {
		const start = this.take(count);
		for (let i = 0; i < count; i++) wordBytes[i] = this.bytes[start + i] as number;
	}
}
