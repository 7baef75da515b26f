/** Kernels over booleans, 32-bit integers and floating-point numbers. */
import type { BooleanVector, Float64Vector, Int32Vector } from '../column/vector.ts';
import type { BoundPredicate } from './expression.ts';
import type { Kernel } from './kernel.ts';
import { compileValueTest } from './value-test.ts';

export function booleanKernel(pred: BoundPredicate): Kernel {
	const test = compileValueTest(pred);
	const ofFalse = test(false) ? 1 : 0;
	const ofTrue = test(true) ? 1 : 0;
	return (vector, length, mask) => {
		const { values } = vector as BooleanVector;
		for (let i = 0; i < length; i++) mask[i] = ((values[i >> 3] as number) >> (i & 7)) & 1 ? ofTrue : ofFalse;
	};
}

export function int32Kernel(pred: BoundPredicate): Kernel {
	if (pred.op === 'in' || pred.op === 'not-in') {
		const members = new Set(pred.literals as readonly number[]);
		const hit = pred.op === 'in' ? 1 : 0;
		return (vector, length, mask) => {
			const { values } = vector as Int32Vector;
			for (let i = 0; i < length; i++) mask[i] = members.has(values[i] as number) ? hit : 1 - hit;
		};
	}
	// Every comparison of integers is one of a range, or its opposite.
	const [low, high, inside] = int32Range(pred);
	return (vector, length, mask) => {
		const { values } = vector as Int32Vector;
		for (let i = 0; i < length; i++) {
			const value = values[i] as number;
			mask[i] = value >= low && value <= high ? inside : 1 - inside;
		}
	};
}

const INT_MIN = -0x80000000;
const INT_MAX = 0x7fffffff;

function int32Range(pred: BoundPredicate): [low: number, high: number, inside: 0 | 1] {
	const literal = 'literal' in pred ? (pred.literal as number) : 0;
	switch (pred.op) {
		case 'lt':
			return [INT_MIN, literal - 1, 1];
		case 'lt-eq':
			return [INT_MIN, literal, 1];
		case 'gt':
			return [literal + 1, INT_MAX, 1];
		case 'gt-eq':
			return [literal, INT_MAX, 1];
		default:
			return [literal, literal, pred.op === 'eq' ? 1 : 0];
	}
}

/** Numbers in their total order: -0.0 below 0.0, NaN above all. */
export function floatKernel(pred: BoundPredicate): Kernel {
	switch (pred.op) {
		case 'is-nan':
		case 'not-nan': {
			const ofNaN = pred.op === 'is-nan' ? 1 : 0;
			return (vector, length, mask) => {
				const { values } = vector as Float64Vector;
				for (let i = 0; i < length; i++) mask[i] = values[i] === values[i] ? 1 - ofNaN : ofNaN;
			};
		}
		case 'lt':
		case 'lt-eq':
		case 'gt':
		case 'gt-eq':
		case 'eq':
		case 'not-eq': {
			if (pred.literal === 0) break;
			return nonZeroKernel(pred.op, pred.literal as number);
		}
		default:
	}
	// Zeros need their signs told apart, sets a search: rare enough for one test a value.
	const test = compileValueTest(pred);
	return (vector, length, mask) => {
		const { values } = vector as Float64Vector;
		for (let i = 0; i < length; i++) mask[i] = test(values[i] as number) ? 1 : 0;
	};
}

function nonZeroKernel(op: 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq' | 'not-eq', literal: number): Kernel {
	switch (op) {
		case 'lt':
		case 'gt-eq': {
			// NaN is not below anything, so it falls to the other side, where it belongs.
			const below = op === 'lt' ? 1 : 0;
			return (vector, length, mask) => {
				const { values } = vector as Float64Vector;
				for (let i = 0; i < length; i++) mask[i] = (values[i] as number) < literal ? below : 1 - below;
			};
		}
		case 'lt-eq':
		case 'gt': {
			const notAbove = op === 'lt-eq' ? 1 : 0;
			return (vector, length, mask) => {
				const { values } = vector as Float64Vector;
				for (let i = 0; i < length; i++) mask[i] = (values[i] as number) <= literal ? notAbove : 1 - notAbove;
			};
		}
		default: {
			const equal = op === 'eq' ? 1 : 0;
			return (vector, length, mask) => {
				const { values } = vector as Float64Vector;
				for (let i = 0; i < length; i++) mask[i] = values[i] === literal ? equal : 1 - equal;
			};
		}
	}
}
