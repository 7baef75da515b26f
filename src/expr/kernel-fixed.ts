/** Kernels over values of one width: uuid and fixed. */
import type { FixedVector } from '../column/vector.ts';
import { uuidToBytes } from '../spec/single-value.ts';
import type { Value } from '../spec/types.ts';
import { byteSet } from './byte-set.ts';
import type { BoundPredicate } from './expression.ts';
import { type Kernel, outcomes } from './kernel.ts';

export function fixedKernel(pred: BoundPredicate): Kernel {
	const { literals, ofBelow, ofEqual, ofAbove, set } = outcomes(pred);
	const members = literals.map(bytesOf);
	if (set) {
		const has = byteSet(members);
		return (vector, length, mask) => {
			const { values, width } = vector as FixedVector;
			for (let i = 0; i < length; i++) mask[i] = has(values, i * width, (i + 1) * width) ? ofEqual : 1 - ofEqual;
		};
	}
	const literal = members[0] as Uint8Array;
	return (vector, length, mask) => {
		const { values, width } = vector as FixedVector;
		for (let i = 0; i < length; i++) {
			const start = i * width;
			let difference = 0;
			for (let k = 0; k < width && difference === 0; k++)
				difference = (values[start + k] as number) - (literal[k] as number);
			mask[i] = difference < 0 ? ofBelow : difference > 0 ? ofAbove : ofEqual;
		}
	};
}

function bytesOf(value: Value): Uint8Array {
	return typeof value === 'string' ? uuidToBytes(value) : (value as Uint8Array);
}
