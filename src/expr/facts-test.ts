/** Expressions as tests of what is known of columns: what the inclusive and the strict evaluation have in common. */
import { type BoundDomain, boundDomain } from './bound-domain.ts';
import type { ColumnFacts, FactsOf } from './column-facts.ts';
import type { BoundExpression, BoundPredicate } from './expression.ts';

/** What the facts of a predicate's column say of it. */
export type FactsTest = (facts: ColumnFacts) => boolean;

/**
 * An expression as a test of the columns' facts: `testOf` gives the test of each predicate, `and` and `or` join them.
 * @param testOf is told the domain in which the column's bounds are; `undefined` where its type has no order
 */
export function compileOverFacts(
	expr: BoundExpression,
	testOf: (pred: BoundPredicate, domain: BoundDomain | undefined) => FactsTest,
): (factsOf: FactsOf) => boolean {
	switch (expr.op) {
		case 'true':
			return () => true;
		case 'false':
			return () => false;
		case 'and': {
			const children = expr.children.map((child) => compileOverFacts(child, testOf));
			return (factsOf) => children.every((child) => child(factsOf));
		}
		case 'or': {
			const children = expr.children.map((child) => compileOverFacts(child, testOf));
			return (factsOf) => children.some((child) => child(factsOf));
		}
		default: {
			const domain = boundDomain(expr.ref.type);
			const test = testOf(expr, domain);
			return (factsOf) => test(factsOf(expr.ref, domain));
		}
	}
}
