/** Ids from the {@link Random} port. */
import type { Random } from './ports.ts';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A random UUID, version 4 (RFC 9562), lower-case with dashes. */
export function randomUuid(random: Random): string {
	const bytes = random.bytes(16);
	bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
	let text = '';
	for (let i = 0; i < 16; i++) {
		if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
		text += HEX[bytes[i] as number];
	}
	return text;
}

/** `length` random bytes as lower-case hex, two digits a byte. */
export function randomHex(random: Random, length: number): string {
	let text = '';
	for (const byte of random.bytes(length)) text += HEX[byte];
	return text;
}

/** A random positive 63-bit number: 1 to 2^63 - 1. Iceberg's snapshot ids are such. */
export function randomPositiveLong(random: Random): bigint {
	for (;;) {
		const bytes = random.bytes(8);
		const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) & 0x7fff_ffff_ffff_ffffn;
		if (value !== 0n) return value;
	}
}
