/**
 * Kernels over 64-bit integers and 128-bit decimals. Values are compared as 32-bit words, the highest signed and the
 * others unsigned: exact, and without a `bigint` for each value.
 */
import type { DecimalVector, Int64Vector } from '../column/vector.ts';
import type { Value } from '../spec/types.ts';
import type { BoundPredicate } from './expression.ts';
import { type Kernel, outcomes } from './kernel.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const LOW = LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;

export function int64Kernel(pred: BoundPredicate): Kernel {
	const { literals, ofBelow, ofEqual, ofAbove, set } = outcomes(pred);
	if (set) return setKernel(literals, 1, ofEqual);
	const [literal] = literals as [bigint];
	const high = Number(literal >> 32n);
	const low = Number(BigInt.asUintN(32, literal));
	return (vector, length, mask) => {
		const words = signedWords((vector as Int64Vector).values);
		const unsigned = new Uint32Array(words.buffer, words.byteOffset, words.length);
		for (let i = 0; i < length; i++) {
			const h = words[2 * i + HIGH] as number;
			if (h !== high) mask[i] = h < high ? ofBelow : ofAbove;
			else {
				const l = unsigned[2 * i + LOW] as number;
				mask[i] = l < low ? ofBelow : l > low ? ofAbove : ofEqual;
			}
		}
	};
}

export function decimalKernel(pred: BoundPredicate): Kernel {
	const { literals, ofBelow, ofEqual, ofAbove, set } = outcomes(pred);
	if (set) return setKernel(literals, 2, ofEqual);
	const [literal] = literals as [bigint];
	const [w3, w2, w1, w0] = [
		Number(BigInt.asIntN(32, literal >> 96n)),
		Number(BigInt.asUintN(32, literal >> 64n)),
		Number(BigInt.asUintN(32, literal >> 32n)),
		Number(BigInt.asUintN(32, literal)),
	];
	return (vector, length, mask) => {
		const words = signedWords((vector as DecimalVector).values);
		const unsigned = new Uint32Array(words.buffer, words.byteOffset, words.length);
		for (let i = 0; i < length; i++) {
			const at = 4 * i;
			let difference = (words[at + 2 + HIGH] as number) - w3;
			if (difference === 0) difference = (unsigned[at + 2 + LOW] as number) - w2;
			if (difference === 0) difference = (unsigned[at + HIGH] as number) - w1;
			if (difference === 0) difference = (unsigned[at + LOW] as number) - w0;
			mask[i] = difference < 0 ? ofBelow : difference > 0 ? ofAbove : ofEqual;
		}
	};
}

/** Members are looked up in an open hash table of their words. */
function setKernel(literals: readonly Value[], longs: 1 | 2, ofMember: 0 | 1): Kernel {
	const width = 2 * longs;
	const table = new BigInt64Array(literals.length * longs);
	literals.forEach((literal, k) => {
		table[k * longs] = BigInt.asIntN(64, literal as bigint);
		if (longs === 2) table[k * longs + 1] = (literal as bigint) >> 64n;
	});
	const members = signedWords(table);
	let size = 4;
	while (size < 2 * literals.length) size *= 2;
	const slots = new Int32Array(size).fill(-1);
	for (let k = 0; k < literals.length; k++) {
		let slot = hashWords(members, k * width, width) & (size - 1);
		while (slots[slot] !== -1) slot = (slot + 1) & (size - 1);
		slots[slot] = k;
	}
	return (vector, length, mask) => {
		const words = signedWords((vector as Int64Vector).values);
		for (let i = 0; i < length; i++) {
			let slot = hashWords(words, i * width, width) & (size - 1);
			let found = 0;
			for (let k = slots[slot] as number; k !== -1 && found === 0; k = slots[slot] as number) {
				let w = 0;
				while (w < width && words[i * width + w] === members[k * width + w]) w++;
				if (w === width) found = 1;
				slot = (slot + 1) & (size - 1);
			}
			mask[i] = found === 1 ? ofMember : 1 - ofMember;
		}
	};
}

function hashWords(words: Int32Array, at: number, width: number): number {
	let hash = 0;
	for (let w = 0; w < width; w++) {
		hash = Math.imul(hash ^ (words[at + w] as number), 0x9e3779b1);
		hash ^= hash >>> 15;
	}
	return hash;
}

function signedWords(values: BigInt64Array): Int32Array {
	return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}
