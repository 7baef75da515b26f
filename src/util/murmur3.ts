/** Murmur3, 32-bit, x86 variant, seed 0. Iceberg spec: Appendix B: 32-bit Hash Requirements. */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Hash of `bytes[start, end)` as a signed 32-bit number. */
export function murmur3Bytes(bytes: Uint8Array, start = 0, end = bytes.length): number {
	let hash = 0;
	let at = start;
	const wordsEnd = start + ((end - start) & ~3);
	for (; at < wordsEnd; at += 4) {
		hash = mixHash(
			hash,
			(bytes[at] as number) |
				((bytes[at + 1] as number) << 8) |
				((bytes[at + 2] as number) << 16) |
				((bytes[at + 3] as number) << 24),
		);
	}
	let tail = 0;
	for (let i = end - 1; i >= at; i--) tail = (tail << 8) | (bytes[i] as number);
	if (at < end) hash ^= mixWord(tail);
	return finish(hash, end - start);
}

/** Hash of the 8 little-endian bytes of a 64-bit integer, given as its two 32-bit words. */
export function murmur3Words(low: number, high: number): number {
	return finish(mixHash(mixHash(0, low | 0), high | 0), 8);
}

/** Hash of the 8 little-endian bytes of a 64-bit integer. */
export function murmur3Long(value: bigint): number {
	return murmur3Words(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

function mixWord(word: number): number {
	const mixed = Math.imul(word, C1);
	return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}

function mixHash(hash: number, word: number): number {
	const mixed = hash ^ mixWord(word);
	return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, length: number): number {
	let mixed = hash ^ length;
	mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
	mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
	return mixed ^ (mixed >>> 16);
}
