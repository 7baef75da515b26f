/**
 * The inner loops of columns of text in WebAssembly (kernel/text-kernel.ts). They are as quick from the first row on as
 * JavaScript is once it has been optimised, which in a process that appends one table it hardly ever is in time.
 */
import { TEXT_KERNEL_BASE64 } from './text-kernel-module.ts';

/** Most kernels at a time, each with a memory of its own. */
export const TEXT_KERNEL_LIMIT = 256;

const [SOURCE, OFFSETS, INDICES, ENTRIES, PAGE] = [0, 1, 2, 3, 7];

interface Global {
	readonly value: number;
}
interface Exports {
	readonly memory: { readonly buffer: ArrayBuffer };
	readonly entryCount: Global;
	readonly entriesLength: Global;
	readonly pageLength: Global;
	readonly valueBytes: Global;
	readonly found: Global;
	readonly minStart: Global;
	readonly minLength: Global;
	readonly maxStart: Global;
	readonly maxLength: Global;
	reserve(region: number, needed: number, used: number): number;
	beginChunk(): void;
	beginPage(): void;
	lookUp(count: number, stride: number, origin: number, indexAt: number): void;
	appendPlain(count: number, stride: number, origin: number, size: number): void;
	expand(count: number, size: number): void;
}
interface WebAssemblyLike {
	readonly Module: new (bytes: Uint8Array) => object;
	readonly Instance: new (module: object) => { readonly exports: unknown };
}

let compiled: object | undefined;
let liveCount = 0;
const collected = new FinalizationRegistry<undefined>(() => {
	liveCount--;
});

/** A new kernel; `undefined` where there are too many or no WebAssembly. */
export function openTextKernel(): TextKernel | undefined {
	if (liveCount >= TEXT_KERNEL_LIMIT) return undefined;
	try {
		const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyLike }).WebAssembly;
		compiled ??= new Module(Buffer.from(TEXT_KERNEL_BASE64, 'base64'));
		const kernel = new TextKernel(new Instance(compiled).exports as Exports);
		collected.register(kernel, undefined);
		liveCount++;
		return kernel;
	} catch {
		// there is no WebAssembly here, or no room for one more memory: JavaScript does the same
		return undefined;
	}
}

/** Values of one column chunk, page by page. What it returns as views is valid until the next call. */
export class TextKernel {
	readonly #exports: Exports;
	#origin = 0;
	#stride = 1;

	constructor(exports: Exports) {
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
		reserve(SOURCE as number, source.length, 0);
		const offsetsAt = reserve(OFFSETS as number, bounds.byteLength, 0) >>> 0;
		const sourceAt = reserve(SOURCE as number, source.length, 0) >>> 0;
		new Uint8Array(memory.buffer, sourceAt, source.length).set(source);
		new Int32Array(memory.buffer, offsetsAt, bounds.length).set(bounds);
		this.#origin = origin;
		this.#stride = stride;
	}

	/** Entries of the first `count` values taken in, made where there were none, as the page's from `indexAt` on. */
	lookUp(count: number, indexAt: number): Int32Array {
		const { lookUp, reserve, memory } = this.#exports;
		lookUp(count, this.#stride, this.#origin, indexAt);
		const at = reserve(INDICES as number, 0, 0) >>> 0;
		return new Int32Array(memory.buffer, at + indexAt * 4, count);
	}

	/** Appends the first `count` values taken in, of `size` bytes with their lengths, to the page. */
	appendPlain(count: number, size: number): void {
		this.#exports.appendPlain(count, this.#stride, this.#origin, size);
	}

	/** Appends the values that the page's first `count` indices name, of `size` bytes with their lengths. */
	expand(count: number, size: number): void {
		this.#exports.expand(count, size);
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

	/** bytes, without their lengths, of the values looked up last */
	get valueBytes(): number {
		return this.#exports.valueBytes.value >>> 0;
	}

	/** The entries, PLAIN. */
	entries(): Uint8Array {
		return this.#view(ENTRIES as number, 0, this.entriesLength);
	}

	/** The page, PLAIN. */
	page(): Uint8Array {
		return this.#view(PAGE as number, 0, this.pageLength);
	}

	/** Copies of the least and greatest of the page, which is in the entries or PLAIN; `undefined` when it is empty. */
	extremes(isInEntries: boolean): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined {
		const { found, minStart, minLength, maxStart, maxLength } = this.#exports;
		if (found.value === 0) return undefined;
		const region = (isInEntries ? ENTRIES : PAGE) as number;
		return {
			min: this.#view(region, minStart.value >>> 0, minLength.value >>> 0).slice(),
			max: this.#view(region, maxStart.value >>> 0, maxLength.value >>> 0).slice(),
		};
	}

	#view(region: number, start: number, length: number): Uint8Array {
		const { reserve, memory } = this.#exports;
		const at = reserve(region, 0, 0) >>> 0;
		return new Uint8Array(memory.buffer, at + start, length);
	}
}
