/**
 * The inner loops of writing text columns, in AssemblyScript: looking values up in a dictionary, laying them out as
 * PLAIN pages, and finding the least and greatest on the way. The host's side, and what the calls mean together, is
 * src/codec/parquet/text-kernel.ts.
 *
 * An instance holds one column chunk at a time.
 */
import { at, COMPARED, ENTRIES, INDICES, KNOWN, OFFSETS, PAGE, PLACES, RANGES, reserve, SLOTS, SOURCE } from './regions';

const FIRST_SLOTS: u32 = 64;
const LONG_BYTES: u32 = 64;

// of each slot: hash, and the number of the entry + 1 or 0 where it is free
let slotCount: u32 = 0;
let pageNumber: u32 = 0;

export let entryCount: u32 = 0;
export let entriesLength: u32 = 0;
export let pageLength: u32 = 0;

// The extremes: whether there are any, where in ENTRIES or PAGE, and their first eight bytes as a number.
export let found: bool = false;
export let minStart: u32 = 0;
export let minLength: u32 = 0;
export let maxStart: u32 = 0;
export let maxLength: u32 = 0;
let minKey: u64 = 0;
let maxKey: u64 = 0;

/** Starts the next column chunk. */
export function beginChunk(): void {
	if (slotCount > 0) memory.fill(at(SLOTS), 0, slotCount << 3);
	if (entryCount > 0) memory.fill(at(COMPARED), 0, entryCount << 2);
	entryCount = 0;
	entriesLength = 0;
	beginPage();
}

/** Starts the next page. */
export function beginPage(): void {
	pageNumber++;
	pageLength = 0;
	found = false;
}

/**
 * Entries of `count` values, made where there were none, into INDICES from `indexAt` on. Value i is from offset
 * `i * stride` to the one behind it.
 */
export function lookUp(count: u32, stride: u32, origin: u32, indexAt: u32): void {
	reserve(INDICES, (indexAt + count) << 2, indexAt << 2);
	const source = at(SOURCE) - origin;
	const offsets = at(OFFSETS);
	const out = at(INDICES) + (indexAt << 2);
	for (let i: u32 = 0; i < count; i++) {
		const offset = offsets + ((i * stride) << 2);
		const start = load<u32>(offset);
		const length = load<u32>(offset, 4) - start;
		const entry = entryOf(source + start, length);
		store<u32>(out + (i << 2), entry);
		compareEntry(entry);
	}
}

/** Makes the `count` values of the source places of a dictionary. */
export function beginPlaces(count: u32): void {
	reserve(KNOWN, count << 2, 0);
	memory.fill(at(KNOWN), 0, count << 2);
}

/** {@link lookUp} of the values at `count` PLACES. Returns how many bytes they have. */
export function lookUpPlaces(count: u32, origin: u32, indexAt: u32): u32 {
	reserve(INDICES, (indexAt + count) << 2, indexAt << 2);
	const source = at(SOURCE) - origin;
	const offsets = at(OFFSETS);
	const places = at(PLACES);
	const known = at(KNOWN);
	const out = at(INDICES) + (indexAt << 2);
	let total: u32 = 0;
	for (let i: u32 = 0; i < count; i++) {
		const place = load<u32>(places + (i << 2)) << 2;
		const start = load<u32>(offsets + place);
		const length = load<u32>(offsets + place, 4) - start;
		let entry = load<u32>(known + place) - 1;
		if (entry === <u32>-1) {
			entry = entryOf(source + start, length);
			store<u32>(known + place, entry + 1);
		}
		store<u32>(out + (i << 2), entry);
		compareEntry(entry);
		total += length;
	}
	return total;
}

/** Each entry is compared with the extremes once a page, however often it occurs. */
// @ts-ignore: decorator
@inline function compareEntry(entry: u32): void {
	const compared = at(COMPARED) + (entry << 2);
	if (load<u32>(compared) === pageNumber) return;
	store<u32>(compared, pageNumber);
	const range = at(RANGES) + (entry << 3);
	compare(at(ENTRIES), load<u32>(range), load<u32>(range, 4));
}

/** Appends `count` values to PAGE, which take `size` bytes with their lengths. */
export function appendPlain(count: u32, stride: u32, origin: u32, size: u32): void {
	reserve(PAGE, pageLength + size, pageLength);
	const source = at(SOURCE) - origin;
	const offsets = at(OFFSETS);
	const page = at(PAGE);
	let to = pageLength;
	for (let i: u32 = 0; i < count; i++) {
		const offset = offsets + ((i * stride) << 2);
		const start = load<u32>(offset);
		const length = load<u32>(offset, 4) - start;
		store<u32>(page + to, length);
		to += 4;
		copy(page + to, source + start, length);
		compare(page, to, length);
		to += length;
	}
	pageLength = to;
}

/** Appends the values of the first `count` INDICES to PAGE. */
export function expand(count: u32, size: u32): void {
	reserve(PAGE, pageLength + size, pageLength);
	const indices = at(INDICES);
	const entries = at(ENTRIES);
	const ranges = at(RANGES);
	const page = at(PAGE);
	let to = pageLength;
	for (let i: u32 = 0; i < count; i++) {
		const range = ranges + (load<u32>(indices + (i << 2)) << 3);
		const length = load<u32>(range, 4);
		store<u32>(page + to, length);
		copy(page + to + 4, entries + load<u32>(range), length);
		to += 4 + length;
	}
	pageLength = to;
}

function entryOf(value: usize, length: u32): u32 {
	if (entryCount << 1 >= slotCount) growSlots();
	const hash = hashOf(value, length);
	const slots = at(SLOTS);
	const mask = slotCount - 1;
	let slot = hash & mask;
	for (;;) {
		const found = load<u32>(slots + (slot << 3), 4);
		if (found === 0) break;
		if (load<u32>(slots + (slot << 3)) === hash && isEntry(found - 1, value, length)) return found - 1;
		slot = (slot + 1) & mask;
	}
	store<u32>(slots + (slot << 3), hash);
	store<u32>(slots + (slot << 3), entryCount + 1, 4);
	reserve(COMPARED, (entryCount + 1) << 2, entryCount << 2);
	reserve(RANGES, (entryCount + 1) << 3, entryCount << 3);
	reserve(ENTRIES, entriesLength + 4 + length, entriesLength);
	const entry = at(ENTRIES) + entriesLength;
	store<u32>(entry, length);
	copy(entry + 4, value, length);
	store<u32>(at(COMPARED) + (entryCount << 2), 0);
	store<u32>(at(RANGES) + (entryCount << 3), entriesLength + 4);
	store<u32>(at(RANGES) + (entryCount << 3), length, 4);
	entriesLength += 4 + length;
	return entryCount++;
}

function growSlots(): void {
	const old = slotCount;
	const grown = old === 0 ? FIRST_SLOTS : old << 2;
	const from = at(SLOTS);
	// always a new place, whose memory is zero
	reserve(SLOTS, grown << 3, 0);
	slotCount = grown;
	for (let slot: u32 = 0; slot < old; slot++) {
		const entry = load<u32>(from + (slot << 3), 4);
		if (entry !== 0) place(load<u32>(from + (slot << 3)), entry);
	}
}

// @ts-ignore: decorator
@inline function place(hash: u32, entry: u32): void {
	const slots = at(SLOTS);
	const mask = slotCount - 1;
	let slot = hash & mask;
	while (load<u32>(slots + (slot << 3), 4) !== 0) slot = (slot + 1) & mask;
	store<u32>(slots + (slot << 3), hash);
	store<u32>(slots + (slot << 3), entry, 4);
}

/** The bytes of a word that are the value's, where fewer than eight are left. */
// @ts-ignore: decorator
@inline function masked(word: u64, bytes: u32): u64 {
	return word & ((<u64>1 << (<u64>bytes << 3)) - 1);
}

// @ts-ignore: decorator
@inline function hashOf(value: usize, length: u32): u32 {
	let hash: u64 = (<u64>length) * 0x9e3779b97f4a7c15;
	let left = length;
	for (; left >= 8; left -= 8) {
		hash = (hash ^ load<u64>(value)) * 0x9fb21c651e98df25;
		hash ^= hash >>> 32;
		value += 8;
	}
	if (left > 0) {
		hash = (hash ^ masked(load<u64>(value), left)) * 0x9fb21c651e98df25;
		hash ^= hash >>> 32;
	}
	return <u32>(hash ^ (hash >>> 15));
}

function isEntry(entry: u32, value: usize, length: u32): bool {
	const range = at(RANGES) + (entry << 3);
	if (load<u32>(range, 4) !== length) return false;
	let other = at(ENTRIES) + load<u32>(range);
	let left = length;
	for (; left >= 8; left -= 8) {
		if (load<u64>(value) !== load<u64>(other)) return false;
		value += 8;
		other += 8;
	}
	return left === 0 || masked(load<u64>(value) ^ load<u64>(other), left) === 0;
}

// @ts-ignore: decorator
@inline function copy(to: usize, from: usize, length: u32): void {
	if (length > LONG_BYTES) memory.copy(to, from, length);
	else for (let i: u32 = 0; i < length; i += 8) store<u64>(to + i, load<u64>(from + i));
}

/** Takes the value at `start` of the region at `base` as an extreme if it is one. */
// @ts-ignore: decorator
@inline function compare(base: usize, start: u32, length: u32): void {
	const word = load<u64>(base + start);
	const key = bswap<u64>(length >= 8 ? word : masked(word, length));
	if (found && key > minKey && key < maxKey) return;
	compareWhole(base, start, length, key);
}

function compareWhole(base: usize, start: u32, length: u32, key: u64): void {
	if (!found || isLess(base, start, length, key, minStart, minLength, minKey)) {
		minStart = start;
		minLength = length;
		minKey = key;
	}
	if (!found || isLess(base, maxStart, maxLength, maxKey, start, length, key)) {
		maxStart = start;
		maxLength = length;
		maxKey = key;
	}
	found = true;
}

/** Order by unsigned bytes, the shorter first. */
function isLess(base: usize, a: u32, aLength: u32, aKey: u64, b: u32, bLength: u32, bKey: u64): bool {
	if (aKey !== bKey) return aKey < bKey;
	const shared = min(aLength, bLength);
	let i: u32 = 8;
	for (; i + 8 <= shared; i += 8) {
		const left = load<u64>(base + a + i);
		const right = load<u64>(base + b + i);
		if (left !== right) return bswap<u64>(left) < bswap<u64>(right);
	}
	for (; i < shared; i++) {
		const left = load<u8>(base + a + i);
		const right = load<u8>(base + b + i);
		if (left !== right) return left < right;
	}
	return aLength < bLength;
}
