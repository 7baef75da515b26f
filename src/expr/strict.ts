/** Whether every row must match, given what is known of the columns. Iceberg spec: Scan Planning, note 1. */
import type { Value } from '../spec/types.ts';
import type { BoundDomain } from './bound-domain.ts';
import type { ColumnFacts, FactsOf } from './column-facts.ts';
import type { BoundExpression, BoundPredicate } from './expression.ts';
import { compileOverFacts, type FactsTest } from './facts-test.ts';
import { firstNotBelow, hasPrefix } from './value-test.ts';

/** True only when every row certainly matches. */
export type MustMatch = (factsOf: FactsOf) => boolean;

/** Compiles the strict evaluation of an expression. False says nothing: rows may match or not. */
export function compileMustMatch(expr: BoundExpression): MustMatch {
	return compileOverFacts(expr, predicateTest);
}

function predicateTest(pred: BoundPredicate, domain: BoundDomain | undefined): FactsTest {
	switch (pred.op) {
		case 'is-null':
			return (facts) => !facts.mayContainValue;
		case 'not-null':
			return (facts) => !facts.mayContainNull;
		case 'is-nan':
			return (facts) => facts.onlyNaN && !facts.mayContainNull;
		case 'not-nan':
			return (facts) => !facts.mayContainNaN || !facts.mayContainValue;
		default:
	}
	if (domain === undefined) return () => false;
	const { compare } = domain;
	if (pred.op === 'in' || pred.op === 'not-in') {
		const literals = pred.literals.map(domain.ofValue);
		if (pred.op === 'in')
			return (facts) => {
				const { lower, upper } = facts;
				if (!numbersOnly(facts) || lower === undefined || upper === undefined || compare(lower, upper) !== 0)
					return false;
				const at = firstNotBelow(literals, lower, compare);
				return at < literals.length && compare(literals[at] as Value, lower) === 0;
			};
		return (facts) => noneEqual(facts) || noneWithin(facts, literals, compare);
	}
	const literal = domain.ofValue((pred as { readonly literal: Value }).literal);
	switch (pred.op) {
		case 'lt':
			return (facts) => numbersOnly(facts) && facts.upper !== undefined && compare(facts.upper, literal) < 0;
		case 'lt-eq':
			return (facts) => numbersOnly(facts) && facts.upper !== undefined && compare(facts.upper, literal) <= 0;
		case 'gt':
			return (facts) =>
				!facts.mayContainNull && (facts.onlyNaN || (facts.lower !== undefined && compare(facts.lower, literal) > 0));
		case 'gt-eq':
			return (facts) =>
				!facts.mayContainNull && (facts.onlyNaN || (facts.lower !== undefined && compare(facts.lower, literal) >= 0));
		case 'eq':
			return (facts) =>
				numbersOnly(facts) &&
				facts.lower !== undefined &&
				facts.upper !== undefined &&
				compare(facts.lower, literal) === 0 &&
				compare(facts.upper, literal) === 0;
		case 'not-eq':
			return (facts) => noneEqual(facts) || noneWithin(facts, [literal], compare);
		case 'starts-with':
			return (facts) =>
				!facts.mayContainNull &&
				facts.lower !== undefined &&
				facts.upper !== undefined &&
				hasPrefix(facts.lower as Uint8Array, literal as Uint8Array) &&
				hasPrefix(facts.upper as Uint8Array, literal as Uint8Array);
		default:
			return (facts) => !facts.mayContainValue || noPrefixWithin(facts, literal as Uint8Array, compare);
	}
}

type Compare = BoundDomain['compare'];

/** Neither nulls nor NaN: the bounds speak of every row. */
function numbersOnly(facts: ColumnFacts): boolean {
	return !facts.mayContainNull && !facts.mayContainNaN;
}

/** Nulls and NaN equal no literal. */
function noneEqual(facts: ColumnFacts): boolean {
	return !facts.mayContainValue || facts.onlyNaN;
}

function noneWithin(facts: ColumnFacts, literals: readonly Value[], compare: Compare): boolean {
	const { lower, upper } = facts;
	if (lower === undefined && upper === undefined) return false;
	const first = literals[lower === undefined ? 0 : firstNotBelow(literals, lower, compare)];
	return first === undefined || (upper !== undefined && compare(first, upper) > 0);
}

function noPrefixWithin(facts: ColumnFacts, prefix: Uint8Array, compare: Compare): boolean {
	const lower = facts.lower as Uint8Array | undefined;
	const upper = facts.upper as Uint8Array | undefined;
	if (upper !== undefined && compare(upper, prefix) < 0) return true;
	return lower !== undefined && compare(lower, prefix) > 0 && !hasPrefix(lower, prefix);
}
