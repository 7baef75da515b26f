/** Predicates on single engine values. */
import { compareDoubles, compareStrings, compareValues } from '../spec/compare.ts';
import type { Value } from '../spec/types.ts';
import type { BoundPredicate, ComparisonOp } from './expression.ts';

/** True when the value matches; null is a value like any other here. */
export type ValueTest = (value: Value) => boolean;

/** The predicate as a function of its column's value. Values must be engine values of the reference's type. */
export function compileValueTest(pred: BoundPredicate): ValueTest {
	switch (pred.op) {
		case 'is-null':
			return (value) => value === null;
		case 'not-null':
			return (value) => value !== null;
		case 'is-nan':
			return (value) => value !== value;
		case 'not-nan':
			return (value) => value === value;
		case 'starts-with':
			return prefixTest(pred.literal);
		case 'not-starts-with': {
			const test = prefixTest(pred.literal);
			return (value) => !test(value);
		}
		case 'in':
			return memberTest(pred.ref.type.kind, pred.literals, compareValues(pred.ref.type));
		case 'not-in': {
			const test = memberTest(pred.ref.type.kind, pred.literals, compareValues(pred.ref.type));
			return (value) => !test(value);
		}
		default:
			return comparisonTest(pred.op, pred.ref.type.kind, pred.literal, compareValues(pred.ref.type));
	}
}

type Order = (a: Value, b: Value) => number;

function comparisonTest(op: ComparisonOp, kind: string, literal: Value, compare: Order): ValueTest {
	switch (kind) {
		case 'float':
		case 'double':
			return ordered(op, literal, compareDoubles as Order);
		case 'string':
			if (op === 'eq') return (value) => value === literal;
			if (op === 'not-eq') return (value) => value !== literal;
			return ordered(op, literal, compareStrings as Order);
		case 'fixed':
		case 'binary':
			return ordered(op, literal, compare);
		default:
			return plain(op, literal as bigint);
	}
}

/** Numbers, bigints, booleans and uuid texts: the language's own order is the type's. */
function plain(op: ComparisonOp, literal: bigint): ValueTest {
	switch (op) {
		case 'lt':
			return (value) => value !== null && (value as bigint) < literal;
		case 'lt-eq':
			return (value) => value !== null && (value as bigint) <= literal;
		case 'gt':
			return (value) => value !== null && (value as bigint) > literal;
		case 'gt-eq':
			return (value) => value !== null && (value as bigint) >= literal;
		case 'eq':
			return (value) => value === literal;
		case 'not-eq':
			return (value) => value !== literal;
	}
}

function ordered(op: ComparisonOp, literal: Value, compare: Order): ValueTest {
	switch (op) {
		case 'lt':
			return (value) => value !== null && compare(value, literal) < 0;
		case 'lt-eq':
			return (value) => value !== null && compare(value, literal) <= 0;
		case 'gt':
			return (value) => value !== null && compare(value, literal) > 0;
		case 'gt-eq':
			return (value) => value !== null && compare(value, literal) >= 0;
		case 'eq':
			return (value) => value !== null && compare(value, literal) === 0;
		case 'not-eq':
			return (value) => value === null || compare(value, literal) !== 0;
	}
}

function memberTest(kind: string, literals: readonly Value[], compare: Order): ValueTest {
	if (kind === 'fixed' || kind === 'binary' || kind === 'float' || kind === 'double')
		return (value) => value !== null && isMember(literals, value, compare);
	const members = new Set(literals);
	return (value) => members.has(value);
}

/** Whether a value is among literals that ascend in the given order. */
export function isMember(literals: readonly Value[], value: Value, compare: Order): boolean {
	const at = firstNotBelow(literals, value, compare);
	return at < literals.length && compare(literals[at] as Value, value) === 0;
}

/** The position of the first of ascending literals that is not below the value. */
export function firstNotBelow(literals: readonly Value[], value: Value, compare: Order): number {
	let low = 0;
	let high = literals.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (compare(literals[middle] as Value, value) < 0) low = middle + 1;
		else high = middle;
	}
	return low;
}

function prefixTest(prefix: string | Uint8Array): ValueTest {
	if (typeof prefix === 'string') return (value) => value !== null && (value as string).startsWith(prefix);
	return (value) => value !== null && hasPrefix(value as Uint8Array, prefix);
}

export function hasPrefix(bytes: Uint8Array, prefix: Uint8Array): boolean {
	if (bytes.length < prefix.length) return false;
	for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
	return true;
}
