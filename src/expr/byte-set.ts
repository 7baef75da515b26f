/** A set of byte strings, asked with ranges of a buffer. */

/** True when the bytes [start, end) of the buffer are a member. */
export type ByteSet = (bytes: Uint8Array, start: number, end: number) => boolean;

/** An open hash table: no allocation for a look-up. */
export function byteSet(members: readonly Uint8Array[]): ByteSet {
	let size = 4;
	while (size < 2 * members.length) size *= 2;
	const slots = new Int32Array(size).fill(-1);
	const hashes = new Int32Array(members.length);
	members.forEach((member, k) => {
		hashes[k] = hashBytes(member, 0, member.length);
		let slot = (hashes[k] as number) & (size - 1);
		while (slots[slot] !== -1) slot = (slot + 1) & (size - 1);
		slots[slot] = k;
	});
	return (bytes, start, end) => {
		const hash = hashBytes(bytes, start, end);
		let slot = hash & (size - 1);
		for (let k = slots[slot] as number; k !== -1; k = slots[slot] as number) {
			if (hashes[k] === hash && sameBytes(members[k] as Uint8Array, bytes, start, end)) return true;
			slot = (slot + 1) & (size - 1);
		}
		return false;
	};
}

function sameBytes(member: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
	if (member.length !== end - start) return false;
	for (let k = 0; k < member.length; k++) if (member[k] !== bytes[start + k]) return false;
	return true;
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
	let hash = 0x811c9dc5;
	for (let k = start; k < end; k++) hash = Math.imul(hash ^ (bytes[k] as number), 0x01000193);
	return hash ^ (hash >>> 15);
}
