/** Parquet's forms of decimals to 128-bit words (four 32-bit words a value, lowest first). */
import type { BytesVector } from '../../column/vector.ts';
import { corruptPage } from './decode-error.ts';

export function widenInt32(from: Int32Array, count: number, out: Int32Array): void {
	for (let i = 0; i < count; i++) {
		const value = from[i] as number;
		const sign = value >> 31;
		out[4 * i] = value;
		out[4 * i + 1] = sign;
		out[4 * i + 2] = sign;
		out[4 * i + 3] = sign;
	}
}

/** `from`: two words a value */
export function widenInt64(from: Int32Array, count: number, isUnsigned: boolean, out: Int32Array): void {
	for (let i = 0; i < count; i++) {
		const high = from[2 * i + 1] as number;
		const sign = isUnsigned ? 0 : high >> 31;
		out[4 * i] = from[2 * i] as number;
		out[4 * i + 1] = high;
		out[4 * i + 2] = sign;
		out[4 * i + 3] = sign;
	}
}

/** Big-endian two's complement of `width` bytes. @throws CORRUPT for a value beyond 128 bits */
export function widenFixed(from: Uint8Array, width: number, count: number, out: Int32Array): void {
	for (let i = 0; i < count; i++) widen(from, i * width, (i + 1) * width, out, 4 * i);
}

/** As {@link widenFixed}, each value with a width of its own. */
export function widenBytes(from: BytesVector, out: Int32Array): void {
	const { offsets, values, validity } = from;
	for (let i = 0; i < from.length; i++) {
		if (validity !== null && (((validity[i >>> 3] as number) >>> (i & 7)) & 1) === 0) continue;
		widen(values, offsets[i] as number, offsets[i + 1] as number, out, 4 * i);
	}
}

function widen(bytes: Uint8Array, start: number, end: number, out: Int32Array, at: number): void {
	if (start === end) throw corruptPage('a decimal of no bytes');
	const sign = (bytes[start] as number) >= 0x80 ? -1 : 0;
	let first = start;
	for (; end - first > 16; first++) {
		if (bytes[first] !== (sign & 0xff)) throw corruptPage(`a decimal of ${end - start} bytes that needs more than 16`);
	}
	if (first > start && (bytes[first] as number) >= 0x80 !== (sign === -1))
		throw corruptPage(`a decimal of ${end - start} bytes that needs more than 16`);
	let p = end - 1;
	for (let word = 0; word < 4; word++) {
		let value = 0;
		for (let shift = 0; shift < 32; shift += 8, p--) {
			value |= (p >= first ? (bytes[p] as number) : sign & 0xff) << shift;
		}
		out[at + word] = value;
	}
}
