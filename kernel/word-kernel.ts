/**
 * The inner loops of writing columns of numbers of 32 and 64 bits, in AssemblyScript: looking values up in a dictionary,
 * and finding the least and greatest. The host's side is src/codec/parquet/word-kernel.ts.
 *
 * The host puts a page's values into PAGE; an instance holds one column chunk at a time.
 */
import { at, ENTRIES, INDICES, NEAR, PAGE, reserve, SLOTS } from './regions';

const FIRST_SLOTS: u32 = 64;
/** Up to here slots are made four times as many at a time. */
const MANY_SLOTS: u32 = 1 << 16;
/** Where the least and the greatest value are, 8 bytes each, once there is one. */
const EXTREMES: usize = 16;

/** Numbers this near to the first page's least have a place of their own, which is found without hashing. */
const NEAR_VALUES: u64 = 1 << 18;

let nearFrom: u64 = 0;
/** places that the first page made; 0: none yet, or its numbers were far apart */
let nearCount: u64 = 0;
/** of each slot: the number of the entry + 1, or 0 where it is free */
let wordSlots: u32 = 0;
export let wordEntryCount: u32 = 0;
/** entries that are found by hashing */
let farEntryCount: u32 = 0;
export let hasExtremes: bool = false;
export let nanCount: u32 = 0;
let least: i64 = 0;
let greatest: i64 = 0;

/** Starts the next column chunk. */
export function beginWordChunk(): void {
	if (wordSlots > 0) memory.fill(at(SLOTS), 0, wordSlots << 2);
	if (nearCount > 0) memory.fill(at(NEAR), 0, <usize>nearCount << 2);
	nearCount = 0;
	wordEntryCount = 0;
	farEntryCount = 0;
	beginWordPage();
}

/** Starts the next page. */
export function beginWordPage(): void {
	hasExtremes = false;
	nanCount = 0;
}

/** Entries of the page's values at [from, from + count), made where there were none, into INDICES at the same places. */
export function lookUp32(from: u32, count: u32): void {
	lookUpAll<i32>(from, count);
}

/** The same for values of 64 bits. */
export function lookUp64(from: u32, count: u32): void {
	lookUpAll<i64>(from, count);
}

/** Takes the page's values at [from, from + count) into the extremes. */
export function measureInt32(from: u32, count: u32): void {
	measureIntegers<i32>(from, count);
	store<i32>(EXTREMES, <i32>least);
	store<i32>(EXTREMES, <i32>greatest, 8);
}

/** The same for values of 64 bits. */
export function measureInt64(from: u32, count: u32): void {
	measureIntegers<i64>(from, count);
	store<i64>(EXTREMES, least);
	store<i64>(EXTREMES, greatest, 8);
}

/** The same for floats: NaN is counted and left out; -0.0 is below 0.0. */
export function measureFloat(from: u32, count: u32): void {
	measureFloats<i32>(from, count, 0x7f800000);
	store<i32>(EXTREMES, inOrder<i32>(<i32>least));
	store<i32>(EXTREMES, inOrder<i32>(<i32>greatest), 8);
}

/** The same for doubles. */
export function measureDouble(from: u32, count: u32): void {
	measureFloats<i64>(from, count, 0x7ff0000000000000);
	store<i64>(EXTREMES, inOrder<i64>(least));
	store<i64>(EXTREMES, inOrder<i64>(greatest), 8);
}

// @ts-ignore: decorator
@inline function measureIntegers<T>(from: u32, count: u32): void {
	if (count === 0) return;
	let value = at(PAGE) + from * sizeof<T>();
	const end = value + count * sizeof<T>();
	let low: i64 = hasExtremes ? least : i64.MAX_VALUE;
	let high: i64 = hasExtremes ? greatest : i64.MIN_VALUE;
	for (; value < end; value += sizeof<T>()) {
		const number = <i64>load<T>(value);
		low = min(low, number);
		high = max(high, number);
	}
	hasExtremes = true;
	least = low;
	greatest = high;
}

// @ts-ignore: decorator
@inline function measureFloats<T>(from: u32, count: u32, infinity: T): void {
	let value = at(PAGE) + from * sizeof<T>();
	const end = value + count * sizeof<T>();
	let low: i64 = hasExtremes ? least : i64.MAX_VALUE;
	let high: i64 = hasExtremes ? greatest : i64.MIN_VALUE;
	let nans: u32 = 0;
	for (; value < end; value += sizeof<T>()) {
		const bits = load<T>(value);
		if ((bits & <T>(sizeof<T>() === 4 ? 0x7fffffff : i64.MAX_VALUE)) > infinity) {
			nans++;
			continue;
		}
		const number = <i64>inOrder<T>(bits);
		low = min(low, number);
		high = max(high, number);
	}
	nanCount += nans;
	if (nans < count) hasExtremes = true;
	least = low;
	greatest = high;
}

/** The bits of a float as an integer in the order of floats, and back. */
// @ts-ignore: decorator
@inline function inOrder<T>(bits: T): T {
	return bits < 0 ? <T>(bits ^ <T>(sizeof<T>() === 4 ? 0x7fffffff : i64.MAX_VALUE)) : bits;
}

// @ts-ignore: decorator
@inline function lookUpAll<T>(from: u32, count: u32): void {
	reserve(INDICES, (from + count) << 2, from << 2);
	if (wordEntryCount === 0) makeNear<T>();
	const values = at(PAGE) + from * sizeof<T>();
	const indices = at(INDICES) + (from << 2);
	let last: T = 0;
	let entry: u32 = 0;
	let isKnown = false;
	for (let i: u32 = 0; i < count; i++) {
		const value = load<T>(values + i * sizeof<T>());
		if (value !== last || !isKnown) {
			const distance = <u64>value - nearFrom;
			entry = distance < nearCount ? nearEntry<T>(<usize>distance, value) : farEntry<T>(value);
			last = value;
			isKnown = true;
		}
		store<u32>(indices + (i << 2), entry);
	}
}

/** Makes places for the numbers near to the least, once that is known and they are not spread out. */
// @ts-ignore: decorator
@inline function makeNear<T>(): void {
	nearFrom = <u64>least;
	if (!hasExtremes || <u64>greatest - nearFrom >= NEAR_VALUES) return;
	reserve(NEAR, <u32>NEAR_VALUES << 2, 0);
	nearCount = NEAR_VALUES;
}

// @ts-ignore: decorator
@inline function nearEntry<T>(distance: usize, value: T): u32 {
	const place = at(NEAR) + (distance << 2);
	const entry = load<u32>(place);
	if (entry !== 0) return entry - 1;
	store<u32>(place, wordEntryCount + 1);
	return addEntry<T>(value);
}

// @ts-ignore: decorator
@inline function farEntry<T>(value: T): u32 {
	if (farEntryCount << 1 >= wordSlots) growWordSlots<T>();
	const slots = at(SLOTS);
	const entries = at(ENTRIES);
	const mask = wordSlots - 1;
	let slot = spread(<u64>value) & mask;
	for (;;) {
		const entry = load<u32>(slots + (slot << 2));
		if (entry === 0) break;
		if (load<T>(entries + (entry - 1) * sizeof<T>()) === value) return entry - 1;
		slot = (slot + 1) & mask;
	}
	store<u32>(slots + (slot << 2), wordEntryCount + 1);
	farEntryCount++;
	return addEntry<T>(value);
}

// @ts-ignore: decorator
@inline function addEntry<T>(value: T): u32 {
	reserve(ENTRIES, (wordEntryCount + 1) * <u32>sizeof<T>(), wordEntryCount * <u32>sizeof<T>());
	store<T>(at(ENTRIES) + wordEntryCount * sizeof<T>(), value);
	return wordEntryCount++;
}

function growWordSlots<T>(): void {
	const old = wordSlots;
	const grown = old === 0 ? FIRST_SLOTS : old < MANY_SLOTS ? old << 2 : old << 1;
	const from = at(SLOTS);
	// always a new place, whose memory is zero
	reserve(SLOTS, grown << 2, 0);
	wordSlots = grown;
	const slots = at(SLOTS);
	const entries = at(ENTRIES);
	const mask = grown - 1;
	for (let i: u32 = 0; i < old; i++) {
		const entry = load<u32>(from + (i << 2));
		if (entry === 0) continue;
		let slot = spread(<u64>load<T>(entries + (entry - 1) * sizeof<T>())) & mask;
		while (load<u32>(slots + (slot << 2)) !== 0) slot = (slot + 1) & mask;
		store<u32>(slots + (slot << 2), entry);
	}
}

// @ts-ignore: decorator
@inline function spread(value: u64): u32 {
	let hash = (value ^ (value >>> 33)) * 0xff51afd7ed558ccd;
	hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53;
	return <u32>(hash ^ (hash >>> 33));
}
