/** Kernels over strings (as UTF-8) and binary of varying length. */
import type { BytesVector } from '../column/vector.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Value } from '../spec/types.ts';
import { byteSet } from './byte-set.ts';
import type { BoundPredicate } from './expression.ts';
import { type Kernel, outcomes } from './kernel.ts';

const encoder = new TextEncoder();

export function bytesOf(value: Value): Uint8Array {
	return typeof value === 'string' ? encoder.encode(value) : (value as Uint8Array);
}

export function bytesKernel(pred: BoundPredicate): Kernel {
	if (pred.op === 'starts-with' || pred.op === 'not-starts-with')
		return prefixKernel(bytesOf(pred.literal), pred.op === 'starts-with' ? 1 : 0);
	const { literals, ofBelow, ofEqual, ofAbove, set } = outcomes(pred);
	if (set) return setKernel(literals.map(bytesOf), ofEqual);
	const literal = bytesOf(literals[0] as Value);
	return ofBelow === ofAbove ? equalKernel(literal, ofEqual) : orderKernel(literal, ofBelow, ofEqual, ofAbove);
}

function equalKernel(literal: Uint8Array, ofEqual: 0 | 1): Kernel {
	const size = literal.length;
	return (vector, length, mask) => {
		const { offsets, values } = checked(vector as BytesVector);
		let start = offsets[0] as number;
		for (let i = 0; i < length; i++) {
			const end = offsets[i + 1] as number;
			let equal = end - start === size;
			// From the end: values of one column tend to begin alike.
			for (let k = size - 1; equal && k >= 0; k--) equal = values[start + k] === literal[k];
			mask[i] = equal ? ofEqual : 1 - ofEqual;
			start = end;
		}
	};
}

function orderKernel(literal: Uint8Array, ofBelow: 0 | 1, ofEqual: 0 | 1, ofAbove: 0 | 1): Kernel {
	const size = literal.length;
	return (vector, length, mask) => {
		const { offsets, values } = checked(vector as BytesVector);
		let start = offsets[0] as number;
		for (let i = 0; i < length; i++) {
			const end = offsets[i + 1] as number;
			const shared = Math.min(size, end - start);
			let difference = 0;
			for (let k = 0; k < shared && difference === 0; k++)
				difference = (values[start + k] as number) - (literal[k] as number);
			if (difference === 0) difference = end - start - size;
			mask[i] = difference < 0 ? ofBelow : difference > 0 ? ofAbove : ofEqual;
			start = end;
		}
	};
}

function prefixKernel(prefix: Uint8Array, ofPrefixed: 0 | 1): Kernel {
	const size = prefix.length;
	return (vector, length, mask) => {
		const { offsets, values } = checked(vector as BytesVector);
		let start = offsets[0] as number;
		for (let i = 0; i < length; i++) {
			const end = offsets[i + 1] as number;
			let equal = end - start >= size;
			for (let k = 0; equal && k < size; k++) equal = values[start + k] === prefix[k];
			mask[i] = equal ? ofPrefixed : 1 - ofPrefixed;
			start = end;
		}
	};
}

function setKernel(literals: readonly Uint8Array[], ofMember: 0 | 1): Kernel {
	const has = byteSet(literals);
	return (vector, length, mask) => {
		const { offsets, values } = checked(vector as BytesVector);
		for (let i = 0; i < length; i++)
			mask[i] = has(values, offsets[i] as number, offsets[i + 1] as number) ? ofMember : 1 - ofMember;
	};
}

function checked(vector: BytesVector): BytesVector {
	if (vector.layout === 'bytes') return vector;
	throw new IcebergError('INVALID_ARGUMENT', `expected bytes, found a column laid out as ${String(vector['layout'])}`);
}
