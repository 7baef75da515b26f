/** Columns of text in a kernel: the host's side of kernel/text-kernel.ts. */
import { type KernelExports, Region, viewOf } from './kernel.ts';

/** Values of one column chunk, page by page. What it returns as views is valid until the next call. */
export class TextKernel {
	readonly #exports: KernelExports;
	#origin = 0;
	#stride = 1;

	constructor(exports: KernelExports) {
		this.#exports = exports;
	}

	beginChunk(): void {
		this.#exports.beginChunk();
	}

	beginPage(): void {
		this.#exports.beginPage();
	}

	/**
	 * Takes values in. `bounds` are offsets into `source` from `origin` on: `count + 1` of values that follow one another
	 * (`stride` 1), or the start and end of each (`stride` 2).
	 */
	load(source: Uint8Array, bounds: Int32Array, stride: 1 | 2, origin: number): void {
		const { reserve, memory } = this.#exports;
		// regions move only as they are reserved
		reserve(Region.SOURCE, source.length, 0);
		const offsetsAt = reserve(Region.OFFSETS, bounds.byteLength, 0) >>> 0;
		const sourceAt = reserve(Region.SOURCE, source.length, 0) >>> 0;
		new Uint8Array(memory.buffer, sourceAt, source.length).set(source);
		new Int32Array(memory.buffer, offsetsAt, bounds.length).set(bounds);
		this.#origin = origin;
		this.#stride = stride;
	}

	/** Finds the entries of the first `count` values taken in, made where there were none: the page's from `indexAt` on. */
	lookUp(count: number, indexAt: number): void {
		this.#exports.lookUp(count, this.#stride, this.#origin, indexAt);
	}

	/** Makes the first `count` values taken in places of a dictionary, for {@link lookUpPlaces}. */
	beginPlaces(count: number): void {
		this.#exports.beginPlaces(count);
	}

	/**
	 * {@link lookUp} of values by their places: those that follow one another from `from` on, or those at `positions`. The
	 * call of {@link load} was of `stride` 1. Returns how many bytes they have.
	 */
	lookUpPlaces(places: Int32Array, from: number, positions: Int32Array | null, count: number, indexAt: number): number {
		const { reserve, memory, lookUpPlaces } = this.#exports;
		const at = reserve(Region.PLACES, count * 4, 0) >>> 0;
		const taken = new Int32Array(memory.buffer, at, count);
		if (positions === null) taken.set(places.subarray(from, from + count));
		else for (let i = 0; i < count; i++) taken[i] = places[positions[i] as number] as number;
		return lookUpPlaces(count, this.#origin, indexAt) >>> 0;
	}

	/** Appends the first `count` values taken in, of `size` bytes with their lengths, to the page. */
	appendPlain(count: number, size: number): void {
		this.#exports.appendPlain(count, this.#stride, this.#origin, size);
	}

	/** Appends the values that the page's first `count` indices name, of `size` bytes with their lengths. */
	expand(count: number, size: number): void {
		this.#exports.expand(count, size);
	}

	/** The page's first `count` indices in the hybrid of runs and packed bits. */
	packedIndices(count: number, bitWidth: number): Uint8Array {
		const length = this.#exports.packIndices(count, bitWidth) >>> 0;
		return viewOf(this.#exports, Region.PACKED, 0, length);
	}

	get entryCount(): number {
		return this.#exports.entryCount.value >>> 0;
	}

	/** bytes of the entries with their lengths */
	get entriesLength(): number {
		return this.#exports.entriesLength.value >>> 0;
	}

	get pageLength(): number {
		return this.#exports.pageLength.value >>> 0;
	}

	/** The entries, PLAIN. */
	entries(): Uint8Array {
		return viewOf(this.#exports, Region.ENTRIES, 0, this.entriesLength);
	}

	/** The page, PLAIN. */
	page(): Uint8Array {
		return viewOf(this.#exports, Region.PAGE, 0, this.pageLength);
	}

	/** Copies of the least and greatest of the page, which is in the entries or PLAIN; `undefined` when it is empty. */
	extremes(isInEntries: boolean): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
		const { found, minStart, minLength, maxStart, maxLength } = this.#exports;
		if (found.value === 0) return undefined;
		const region = isInEntries ? Region.ENTRIES : Region.PAGE;
		return {
			min: viewOf(this.#exports, region, minStart.value >>> 0, minLength.value >>> 0).slice(),
			max: viewOf(this.#exports, region, maxStart.value >>> 0, maxLength.value >>> 0).slice(),
		};
	}
}
