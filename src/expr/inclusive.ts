/** Whether rows may match, given what is known of the columns. Iceberg spec: Scan Planning. */
import type { Value } from '../spec/types.ts';
import type { BoundDomain } from './bound-domain.ts';
import type { ColumnFacts, FactsOf } from './column-facts.ts';
import type { BoundExpression, BoundPredicate } from './expression.ts';
import { compileOverFacts, type FactsTest } from './facts-test.ts';
import { firstNotBelow, hasPrefix } from './value-test.ts';

/** False only when no row can match. */
export type MayMatch = (factsOf: FactsOf) => boolean;

/** Compiles the inclusive evaluation of an expression; what it is told of the columns decides what it is used for. */
export function compileMayMatch(expr: BoundExpression): MayMatch {
	return compileOverFacts(expr, predicateTest);
}

function predicateTest(pred: BoundPredicate, domain: BoundDomain | undefined): FactsTest {
	switch (pred.op) {
		case 'is-null':
			return (facts) => facts.mayContainNull;
		case 'not-null':
			return (facts) => facts.mayContainValue;
		case 'is-nan':
			return (facts) => facts.mayContainValue && facts.mayContainNaN;
		case 'not-nan':
			return (facts) => facts.mayContainNull || !facts.onlyNaN;
		default:
	}
	// Without an order nothing but null tests could be bound; should one be, it prunes nothing.
	if (domain === undefined) return () => true;
	const { compare } = domain;
	if (pred.op === 'in' || pred.op === 'not-in') {
		const literals = pred.literals.map(domain.ofValue);
		if (pred.op === 'in') return (facts) => mayHoldNumber(facts) && mayHoldOneOf(facts, literals, compare);
		return (facts) => {
			const only = onlyValue(facts, compare);
			if (only === undefined) return true;
			const at = firstNotBelow(literals, only, compare);
			return at >= literals.length || compare(literals[at] as Value, only) !== 0;
		};
	}
	const literal = domain.ofValue((pred as { readonly literal: Value }).literal);
	switch (pred.op) {
		case 'lt':
			return (facts) => mayHoldNumber(facts) && (facts.lower === undefined || compare(facts.lower, literal) < 0);
		case 'lt-eq':
			return (facts) => mayHoldNumber(facts) && (facts.lower === undefined || compare(facts.lower, literal) <= 0);
		case 'gt':
			return (facts) =>
				facts.mayContainValue &&
				(facts.mayContainNaN || facts.upper === undefined || compare(facts.upper, literal) > 0);
		case 'gt-eq':
			return (facts) =>
				facts.mayContainValue &&
				(facts.mayContainNaN || facts.upper === undefined || compare(facts.upper, literal) >= 0);
		case 'eq':
			return (facts) =>
				mayHoldNumber(facts) &&
				(facts.lower === undefined || compare(facts.lower, literal) <= 0) &&
				(facts.upper === undefined || compare(facts.upper, literal) >= 0);
		case 'not-eq':
			return (facts) => {
				const only = onlyValue(facts, compare);
				return only === undefined || compare(only, literal) !== 0;
			};
		case 'starts-with':
			return (facts) => facts.mayContainValue && mayHoldPrefix(facts, literal as Uint8Array, compare);
		default:
			return (facts) =>
				facts.mayContainNull ||
				!(
					facts.lower !== undefined &&
					facts.upper !== undefined &&
					hasPrefix(facts.lower as Uint8Array, literal as Uint8Array) &&
					hasPrefix(facts.upper as Uint8Array, literal as Uint8Array)
				);
	}
}

type Compare = BoundDomain['compare'];

/** Some value that is neither null nor NaN, of which alone the bounds speak. */
function mayHoldNumber(facts: ColumnFacts): boolean {
	return facts.mayContainValue && !facts.onlyNaN;
}

function mayHoldOneOf(facts: ColumnFacts, literals: readonly Value[], compare: Compare): boolean {
	const { lower, upper } = facts;
	const first = literals[lower === undefined ? 0 : firstNotBelow(literals, lower, compare)];
	return first !== undefined && (upper === undefined || compare(first, upper) <= 0);
}

/** The value of every row, where bounds leave no other. */
function onlyValue(facts: ColumnFacts, compare: Compare): Value | undefined {
	const { lower, upper } = facts;
	if (facts.mayContainNull || facts.mayContainNaN || lower === undefined || upper === undefined) return undefined;
	return compare(lower, upper) === 0 ? lower : undefined;
}

/** Texts with a prefix lie between the prefix and the greatest text that begins with it. */
function mayHoldPrefix(facts: ColumnFacts, prefix: Uint8Array, compare: Compare): boolean {
	const lower = facts.lower as Uint8Array | undefined;
	const upper = facts.upper as Uint8Array | undefined;
	if (upper !== undefined && compare(upper, prefix) < 0) return false;
	return lower === undefined || compare(lower, prefix) <= 0 || hasPrefix(lower, prefix);
}
