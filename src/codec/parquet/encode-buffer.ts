/** Growing buffers of the encoder. They keep their memory when cleared, so that pages reuse it. */

const NO_BYTES = new Uint8Array(0);
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer);
const NO_INTS = new Int32Array(0);
const MIN_CAPACITY_BYTES = 64;

export class GrowingBytes {
	bytes: Uint8Array = NO_BYTES;
	/** of `bytes` */
	view: DataView = NO_VIEW;
	length = 0;

	/** Makes room for `count` more bytes. */
	reserve(count: number): void {
		const needed = this.length + count;
		if (needed <= this.bytes.length) return;
		const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2, MIN_CAPACITY_BYTES));
		grown.set(this.bytes.subarray(0, this.length));
		this.bytes = grown;
		this.view = new DataView(grown.buffer);
	}

	append(bytes: Uint8Array): void {
		this.reserve(bytes.length);
		this.bytes.set(bytes, this.length);
		this.length += bytes.length;
	}

	/** `count` times `value` */
	fill(value: number, count: number): void {
		this.reserve(count);
		this.bytes.fill(value, this.length, this.length + count);
		this.length += count;
	}

	byte(value: number): void {
		this.reserve(1);
		this.bytes[this.length++] = value;
	}

	uint32(value: number): void {
		this.reserve(4);
		this.setUint32(this.length, value);
		this.length += 4;
	}

	setUint32(at: number, value: number): void {
		this.view.setUint32(at, value, true);
	}

	/** unsigned, 7 bits a byte, least significant first */
	varint(value: number): void {
		this.reserve(5);
		let rest = value >>> 0;
		while (rest >= 0x80) {
			this.bytes[this.length++] = (rest & 0x7f) | 0x80;
			rest >>>= 7;
		}
		this.bytes[this.length++] = rest;
	}

	/** What is in it: valid until the next change. */
	content(): Uint8Array {
		return this.bytes.subarray(0, this.length);
	}

	copy(): Uint8Array {
		return this.bytes.slice(0, this.length);
	}

	clear(): void {
		this.length = 0;
	}
}

export class GrowingInts {
	values: Int32Array = NO_INTS;
	length = 0;

	/** Makes room for `count` more. */
	reserve(count: number): void {
		const needed = this.length + count;
		if (needed <= this.values.length) return;
		const grown = new Int32Array(Math.max(needed, this.values.length * 2, MIN_CAPACITY_BYTES / 4));
		grown.set(this.values.subarray(0, this.length));
		this.values = grown;
	}

	clear(): void {
		this.length = 0;
	}
}
