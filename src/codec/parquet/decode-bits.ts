/** Unpacking of little-endian bit-packed integers (Parquet spec: Encodings, Run Length Encoding / Bit-Packing Hybrid). */

/** A view over exactly the bytes of an array. */
export function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Unpacks `count` integers of `width` bits (1 to 32), least significant bit first, from bit `bit` (0 to 7) of byte
 * `pos`. The caller has made sure that the bits are there; bytes after them are never read past the end of `bytes`.
 */
export function unpackInts(
	bytes: Uint8Array,
	view: DataView,
	pos: number,
	bit: number,
	width: number,
	out: Int32Array,
	at: number,
	count: number,
): void {
	const mask = width === 32 ? -1 : (1 << width) - 1;
	// values whose five-byte window lies inside of the bytes
	const windowBits = (bytes.length - pos - 5) * 8 - bit;
	const quick = windowBits < 0 ? 0 : Math.min(count, Math.floor(windowBits / width) + 1);
	let i = 0;
	if (width === 8 && bit === 0) {
		for (; i < count; i++) out[at + i] = bytes[pos + i] as number;
		return;
	}
	if (width <= 25) {
		for (; i < quick; i++) {
			out[at + i] = (view.getInt32(pos + (bit >>> 3), true) >>> (bit & 7)) & mask;
			bit += width;
		}
	} else {
		for (; i < quick; i++) {
			const p = pos + (bit >>> 3);
			const shift = bit & 7;
			const low = view.getInt32(p, true) >>> shift;
			out[at + i] = (shift === 0 ? low : low | ((bytes[p + 4] as number) << (32 - shift))) & mask;
			bit += width;
		}
	}
	for (; i < count; i++) {
		let value = 0;
		let have = 0;
		let p = pos + (bit >>> 3);
		let shift = bit & 7;
		while (have < width) {
			const byte = (bytes[p++] ?? 0) >>> shift;
			value |= byte << have;
			have += 8 - shift;
			shift = 0;
		}
		out[at + i] = value & mask;
		bit += width;
	}
}

/** As {@link unpackInts}, for widths up to 8, into bytes. */
export function unpackBytes(
	bytes: Uint8Array,
	pos: number,
	bit: number,
	width: number,
	out: Uint8Array,
	at: number,
	count: number,
): void {
	const mask = (1 << width) - 1;
	for (let i = 0; i < count; i++) {
		const p = pos + (bit >>> 3);
		out[at + i] = (((bytes[p] as number) | ((bytes[p + 1] ?? 0) << 8)) >>> (bit & 7)) & mask;
		bit += width;
	}
}

/**
 * Copies `count` bits from bit `sourceBit` of `source` to bit `targetBit` of `target` (least significant bit first).
 * The target's bits there must be 0. Returns how many of them are 1.
 */
export function copyBits(
	source: Uint8Array,
	sourceBit: number,
	target: Uint8Array,
	targetBit: number,
	count: number,
): number {
	let ones = 0;
	let done = 0;
	while (done < count) {
		const to = targetBit + done;
		const room = 8 - (to & 7);
		const take = Math.min(room, count - done);
		const from = sourceBit + done;
		const p = Math.floor(from / 8);
		const bits =
			(((source[p] ?? 0) | ((source[p + 1] ?? 0) << 8)) >>> (from & 7)) & (take === 8 ? 0xff : (1 << take) - 1);
		const t = to >>> 3;
		target[t] = (target[t] as number) | (bits << (to & 7));
		ones += popCount8(bits);
		done += take;
	}
	return ones;
}

/** Sets `count` bits from bit `at` on. */
export function setBits(target: Uint8Array, at: number, count: number): void {
	let bit = at;
	const end = at + count;
	while (bit < end && (bit & 7) !== 0) {
		target[bit >>> 3] = (target[bit >>> 3] as number) | (1 << (bit & 7));
		bit++;
	}
	const whole = (end - bit) >>> 3;
	if (whole > 0) {
		target.fill(0xff, bit >>> 3, (bit >>> 3) + whole);
		bit += whole * 8;
	}
	while (bit < end) {
		target[bit >>> 3] = (target[bit >>> 3] as number) | (1 << (bit & 7));
		bit++;
	}
}

function popCount8(value: number): number {
	let v = value - ((value >>> 1) & 0x55);
	v = (v & 0x33) + ((v >>> 2) & 0x33);
	return (v + (v >>> 4)) & 0x0f;
}
