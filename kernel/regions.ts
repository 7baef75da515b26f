/** The memory of a kernel: regions that grow, each from the table at its own entry. They move as they grow. */

const REGION_TABLE: usize = 64;
const FIRST_FREE: u32 = 1024;
/** Whole words are read and written: so many bytes beyond a region's end belong to it. */
const SLACK: u32 = 16;

let top: u32 = FIRST_FREE;

/** Where values come from. */
export const SOURCE: u32 = 0;
/** start and end of each value in the source, as offsets from `origin` */
export const OFFSETS: u32 = 1;
/** entry of each value of the page */
export const INDICES: u32 = 2;
/** the dictionary's entries, PLAIN */
export const ENTRIES: u32 = 3;
/** of each entry: where its bytes start in ENTRIES, and their count */
export const RANGES: u32 = 4;
/** open addressing over the entries */
export const SLOTS: u32 = 5;
/** of each entry: the page in which it was last compared with the extremes */
export const COMPARED: u32 = 6;
/** the page's values, PLAIN */
export const PAGE: u32 = 7;
/** the page's indices, RLE_DICTIONARY */
export const PACKED: u32 = 8;
/** of a source that is a dictionary itself: the place in it of each value */
export const PLACES: u32 = 9;
/** of each place in such a source: the number of our entry + 1, or 0 where it was not looked up yet */
export const KNOWN: u32 = 10;
/** entries of numbers by their distance from the least of the first page: the entry's number + 1, or 0 */
export const NEAR: u32 = 11;

/** Where a region is now. */
// @ts-ignore: decorator
@inline export function at(region: u32): usize {
	return load<u32>(REGION_TABLE + (region << 3));
}

/** Makes a region hold `needed` bytes, keeping the first `used`. Returns where it is now. */
export function reserve(region: u32, needed: u32, used: u32): usize {
	const entry: usize = REGION_TABLE + (region << 3);
	const capacity = load<u32>(entry, 4);
	if (needed <= capacity) return load<u32>(entry);
	const grown = (max(needed, capacity * 2) + 15) & ~15;
	const end: u64 = (<u64>top) + grown + SLACK;
	const have: u64 = (<u64>memory.size()) << 16;
	if (end > have && memory.grow(<i32>((end - have + 0xffff) >> 16)) < 0) unreachable();
	memory.copy(top, load<u32>(entry), used);
	store<u32>(entry, top);
	store<u32>(entry, grown, 4);
	top = <u32>end;
	return load<u32>(entry);
}
