/** The distinct values of a BYTE_ARRAY or FIXED_LEN_BYTE_ARRAY column chunk, found by hashing. */
import { GrowingBytes, GrowingInts } from './encode-buffer.ts';
import { INITIAL_TABLE_SIZE, mix } from './encode-dictionary.ts';

const NO_SLOTS = new Int32Array(0);
/** Values up to this length stand whole in a slot, as three words. */
const SLOT_BYTES = 12;
/** Low bits of a slot's last word: the value's length. Above them: the entry's number + 1. */
const SLOT_LENGTH_BITS = 4;

/** Open addressing over the entries' bytes, which are kept in PLAIN form, as the dictionary page wants them. */
export class BytesTable {
	readonly plain = new GrowingBytes();
	/** of each entry: where its bytes start in `plain`, and how many they are */
	readonly ranges = new GrowingInts();
	count = 0;
	readonly #prefixBytes: 0 | 4;
	/** of each slot: the hash, and the entry's number + 1 or 0 when it is free */
	#slots: Int32Array = NO_SLOTS;
	#longCount = 0;
	/** For short values, which need no look elsewhere. Of each slot: three words, and length and entry's number or 0. */
	#shortSlots: Int32Array = NO_SLOTS;
	#shortCount = 0;

	constructor(prefixBytes: 0 | 4) {
		this.#prefixBytes = prefixBytes;
	}

	/** The entry of these bytes, made if there was none. */
	entry(source: Uint8Array, view: DataView, start: number, length: number): number {
		if (length <= SLOT_BYTES) return this.#shortEntry(source, view, start, length);
		if (this.#longCount * 4 >= this.#slots.length) this.#grow();
		let hash = length;
		let at = start;
		const end = start + length;
		for (; at + 4 <= end; at += 4) {
			hash = Math.imul(hash ^ view.getInt32(at, true), 0x85ebca6b);
			hash ^= hash >>> 15;
		}
		for (; at < end; at++) hash = Math.imul(hash ^ (source[at] as number), 0x01000193);
		hash = mix(hash);
		const slots = this.#slots;
		const mask = slots.length / 2 - 1;
		let slot = hash & mask;
		for (;;) {
			const entry = (slots[slot * 2 + 1] as number) - 1;
			if (entry < 0) break;
			if (slots[slot * 2] === hash && this.#equals(entry, source, view, start, length)) return entry;
			slot = (slot + 1) & mask;
		}
		slots[slot * 2] = hash;
		slots[slot * 2 + 1] = this.count + 1;
		this.#longCount++;
		return this.#add(source, start, length);
	}

	/** The first, second and last four bytes, which may overlap, and the length tell a short value from all others. */
	#shortEntry(source: Uint8Array, view: DataView, start: number, length: number): number {
		if (this.#shortCount * 8 >= this.#shortSlots.length) this.#growShort();
		let first = 0;
		let second = 0;
		let last = 0;
		if (length >= 4) {
			first = view.getInt32(start, true);
			last = view.getInt32(start + length - 4, true);
			if (length > 8) second = view.getInt32(start + 4, true);
		} else for (let i = 0; i < length; i++) first |= (source[start + i] as number) << (i * 8);
		const slots = this.#shortSlots;
		const mask = slots.length / 4 - 1;
		let slot = shortHash(first, second, last) & mask;
		for (;;) {
			const at = slot * 4;
			const tag = slots[at + 3] as number;
			if (tag === 0) break;
			if (
				slots[at] === first &&
				slots[at + 2] === last &&
				slots[at + 1] === second &&
				(tag & ((1 << SLOT_LENGTH_BITS) - 1)) === length
			)
				return (tag >>> SLOT_LENGTH_BITS) - 1;
			slot = (slot + 1) & mask;
		}
		slots[slot * 4] = first;
		slots[slot * 4 + 1] = second;
		slots[slot * 4 + 2] = last;
		slots[slot * 4 + 3] = ((this.count + 1) << SLOT_LENGTH_BITS) | length;
		this.#shortCount++;
		return this.#add(source, start, length);
	}

	#equals(entry: number, source: Uint8Array, view: DataView, start: number, length: number): boolean {
		const ranges = this.ranges.values;
		if (ranges[entry * 2 + 1] !== length) return false;
		const at = ranges[entry * 2] as number;
		const { bytes, view: plainView } = this.plain;
		let i = 0;
		for (; i + 4 <= length; i += 4) if (plainView.getInt32(at + i) !== view.getInt32(start + i)) return false;
		for (; i < length; i++) if (bytes[at + i] !== source[start + i]) return false;
		return true;
	}

	#add(source: Uint8Array, start: number, length: number): number {
		if (this.#prefixBytes > 0) this.plain.uint32(length);
		const { ranges } = this;
		ranges.reserve(2);
		ranges.values[ranges.length++] = this.plain.length;
		ranges.values[ranges.length++] = length;
		this.plain.append(source.subarray(start, start + length));
		return this.count++;
	}

	#grow(): void {
		const old = this.#slots;
		const slots = new Int32Array(Math.max(INITIAL_TABLE_SIZE * 2, old.length * 4));
		const mask = slots.length / 2 - 1;
		for (let from = 0; from < old.length; from += 2) {
			if (old[from + 1] === 0) continue;
			let slot = (old[from] as number) & mask;
			while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
			slots[slot * 2] = old[from] as number;
			slots[slot * 2 + 1] = old[from + 1] as number;
		}
		this.#slots = slots;
	}

	#growShort(): void {
		const old = this.#shortSlots;
		const slots = new Int32Array(Math.max(INITIAL_TABLE_SIZE * 4, old.length * 4));
		const mask = slots.length / 4 - 1;
		for (let from = 0; from < old.length; from += 4) {
			if (old[from + 3] === 0) continue;
			let slot = shortHash(old[from] as number, old[from + 1] as number, old[from + 2] as number) & mask;
			while (slots[slot * 4 + 3] !== 0) slot = (slot + 1) & mask;
			slots.set(old.subarray(from, from + 4), slot * 4);
		}
		this.#shortSlots = slots;
	}
}

function shortHash(first: number, second: number, last: number): number {
	let hash = Math.imul(first, 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 15) ^ second, 0xc2b2ae35);
	return mix(hash ^ (hash >>> 13) ^ last);
}
