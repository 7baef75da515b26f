/**
 * Blocks of DEFLATE with fixed codes, which is what small blocks have, expanded in WebAssembly (kernel/inflate.ts): it is as
 * quick from the first block on as JavaScript is once it has been optimised, tens of milliseconds later.
 */
import type { CodeTable } from './inflate-codes.ts';
import { INFLATE_KERNEL_BASE64 } from './inflate-kernel-module.ts';

// The memory, as kernel/inflate.ts has it.
const LITERAL_TABLE = 1024;
const DISTANCE_TABLE = 3072;
const SOURCE = 4096;
const TARGET = 16384;

/** Longest source and longest result of a block that the kernel takes, bytes. */
const SOURCE_LIMIT_BYTES = 8192;
const TARGET_LIMIT_BYTES = 65536;

interface Exports {
	readonly memory: { readonly buffer: ArrayBuffer };
	expandFixed(length: number, room: number): number;
}
interface WebAssemblyLike {
	readonly Module: new (bytes: Uint8Array) => object;
	readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** The kernel with these codes in it; `undefined` where there is no WebAssembly. */
export function openInflateKernel(literals: CodeTable, distances: CodeTable): InflateKernel | undefined {
	try {
		const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyLike }).WebAssembly;
		const kernel = new Instance(new Module(Buffer.from(INFLATE_KERNEL_BASE64, 'base64')));
		return new InflateKernel(kernel.exports as Exports, literals, distances);
	} catch {
		// there is no WebAssembly here, or no room for its memory: JavaScript does the same
		return undefined;
	}
}

export class InflateKernel {
	readonly #expandFixed: Exports['expandFixed'];
	readonly #memory: Uint8Array;

	constructor(exports: Exports, literals: CodeTable, distances: CodeTable) {
		this.#expandFixed = exports.expandFixed;
		const { buffer } = exports.memory;
		this.#memory = new Uint8Array(buffer);
		new Int32Array(buffer, LITERAL_TABLE).set(literals.root);
		new Int32Array(buffer, DISTANCE_TABLE).set(distances.root);
	}

	/**
	 * Expands the last block of DEFLATE data, of fixed codes, from `start` to `end` of `source` to `target` from `at` on. Returns
	 * where it ends, or -1 for anything that is not plain: then nothing is written.
	 */
	expand(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
		if (end - start > SOURCE_LIMIT_BYTES) return -1;
		const memory = this.#memory;
		memory.set(source.subarray(start, end), SOURCE);
		const length = this.#expandFixed(end - start, Math.min(target.length - at, TARGET_LIMIT_BYTES));
		if (length < 0) return -1;
		target.set(memory.subarray(TARGET, TARGET + length), at);
		return at + length;
	}
}
