/** Bitmaps as Arrow has them: bit i is bit `i & 7` of byte `i >> 3`. */

/** Bytes that hold `length` bits. */
export function bitmapBytes(length: number): number {
	return (length + 7) >> 3;
}

export function getBit(bits: Uint8Array, i: number): boolean {
	return (((bits[i >> 3] as number) >> (i & 7)) & 1) === 1;
}

export function setBit(bits: Uint8Array, i: number): void {
	bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
}

export function clearBit(bits: Uint8Array, i: number): void {
	bits[i >> 3] = (bits[i >> 3] as number) & ~(1 << (i & 7));
}

/** A bitmap of `length` ones; bits beyond are zero. */
export function onesBitmap(length: number): Uint8Array {
	const bits = new Uint8Array(bitmapBytes(length)).fill(0xff);
	if ((length & 7) !== 0) bits[bits.length - 1] = (1 << (length & 7)) - 1;
	return bits;
}

const ONES_IN_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
	let ones = 0;
	for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
	return ones;
});

/** How many of the first `length` bits are zero. */
export function countZeros(bits: Uint8Array, length: number): number {
	const wholeBytes = length >> 3;
	let ones = 0;
	for (let i = 0; i < wholeBytes; i++) ones += ONES_IN_BYTE[bits[i] as number] as number;
	const rest = length & 7;
	if (rest !== 0) ones += ONES_IN_BYTE[(bits[wholeBytes] as number) & ((1 << rest) - 1)] as number;
	return length - ones;
}

/** Bits [from, to) moved to the front of a new bitmap. */
export function sliceBits(bits: Uint8Array, from: number, to: number): Uint8Array {
	const length = to - from;
	const out = new Uint8Array(bitmapBytes(length));
	copyBits(bits, from, out, 0, length);
	return out;
}

/** Copies `length` bits; the target bits must be zero before. */
export function copyBits(source: Uint8Array, from: number, target: Uint8Array, at: number, length: number): void {
	if (length === 0) return;
	if ((at & 7) === 0) {
		copyToByteStart(source, from, target, at >> 3, length);
		return;
	}
	for (let i = 0; i < length; i++) if (getBit(source, from + i)) setBit(target, at + i);
}

function copyToByteStart(source: Uint8Array, from: number, target: Uint8Array, byteAt: number, length: number): void {
	const bytes = bitmapBytes(length);
	const shift = from & 7;
	const first = from >> 3;
	if (shift === 0) target.set(source.subarray(first, first + bytes), byteAt);
	else {
		for (let i = 0; i < bytes; i++)
			target[byteAt + i] = ((source[first + i] as number) >> shift) | ((source[first + i + 1] ?? 0) << (8 - shift));
	}
	if ((length & 7) !== 0)
		target[byteAt + bytes - 1] = (target[byteAt + bytes - 1] as number) & ((1 << (length & 7)) - 1);
}

/** Bits at the given positions, in their order. */
export function takeBits(bits: Uint8Array, indexes: Uint32Array): Uint8Array {
	const out = new Uint8Array(bitmapBytes(indexes.length));
	for (let i = 0; i < indexes.length; i++) {
		const from = indexes[i] as number;
		if ((((bits[from >> 3] as number) >> (from & 7)) & 1) === 1) out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7));
	}
	return out;
}

/** Sets `length` bits from `at`. */
export function fillBits(bits: Uint8Array, at: number, length: number): void {
	let i = at;
	const end = at + length;
	for (; i < end && (i & 7) !== 0; i++) setBit(bits, i);
	for (; i + 8 <= end; i += 8) bits[i >> 3] = 0xff;
	for (; i < end; i++) setBit(bits, i);
}
