/**
 * The inner loops of columns in WebAssembly (kernel/). They are as quick from the first row on as JavaScript is once it
 * has been optimised, which in a process that appends one table it hardly ever is in time.
 */
import { KERNEL_BASE64 } from './kernel-module.ts';

/** Most kernels at a time, each with a memory of its own. */
export const KERNEL_LIMIT = 256;

/** Values at once that are worth a kernel. */
export const KERNEL_VALUES = 8_192;

/** Regions of a kernel's memory, as kernel/regions.ts has them. */
export const Region = { SOURCE: 0, OFFSETS: 1, INDICES: 2, ENTRIES: 3, PAGE: 7, PACKED: 8, PLACES: 9 } as const;

interface Global {
	readonly value: number;
}
export interface KernelExports {
	readonly memory: { readonly buffer: ArrayBuffer };
	reserve(region: number, needed: number, used: number): number;
	packIndices(count: number, bitWidth: number): number;

	readonly entryCount: Global;
	readonly entriesLength: Global;
	readonly pageLength: Global;
	readonly found: Global;
	readonly minStart: Global;
	readonly minLength: Global;
	readonly maxStart: Global;
	readonly maxLength: Global;
	beginChunk(): void;
	beginPage(): void;
	lookUp(count: number, stride: number, origin: number, indexAt: number): void;
	beginPlaces(count: number): void;
	lookUpPlaces(count: number, origin: number, indexAt: number): number;
	appendPlain(count: number, stride: number, origin: number, size: number): void;
	expand(count: number, size: number): void;

	readonly wordEntryCount: Global;
	readonly hasExtremes: Global;
	readonly nanCount: Global;
	beginWordChunk(): void;
	beginWordPage(): void;
	lookUp32(from: number, count: number): void;
	lookUp64(from: number, count: number): void;
	measureInt32(from: number, count: number): void;
	measureInt64(from: number, count: number): void;
	measureFloat(from: number, count: number): void;
	measureDouble(from: number, count: number): void;
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
export function openKernel(): KernelExports | undefined {
	if (liveCount >= KERNEL_LIMIT) return undefined;
	try {
		const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyLike }).WebAssembly;
		compiled ??= new Module(Buffer.from(KERNEL_BASE64, 'base64'));
		const exports = new Instance(compiled).exports as KernelExports;
		collected.register(exports, undefined);
		liveCount++;
		return exports;
	} catch {
		// there is no WebAssembly here, or no room for one more memory: JavaScript does the same
		return undefined;
	}
}

/** A region's bytes at [start, start + length): valid until the next call. */
export function viewOf({ reserve, memory }: KernelExports, region: number, start: number, length: number): Uint8Array {
	const at = reserve(region, 0, 0) >>> 0;
	return new Uint8Array(memory.buffer, at + start, length);
}
