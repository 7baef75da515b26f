/** Building and walking bound expressions. */
import { compareValues } from '../spec/compare.ts';
import type { Value } from '../spec/types.ts';
import type { BoundExpression, BoundPredicate, BoundReference, SetOp } from './expression.ts';

export const BOUND_TRUE: BoundExpression = Object.freeze({ op: 'true' });
export const BOUND_FALSE: BoundExpression = Object.freeze({ op: 'false' });

/** The conjunction, flattened, with constants folded: `true` for none. */
export function boundAnd(children: readonly BoundExpression[]): BoundExpression {
	return combine('and', children, BOUND_TRUE, BOUND_FALSE);
}

/** The disjunction, flattened, with constants folded: `false` for none. */
export function boundOr(children: readonly BoundExpression[]): BoundExpression {
	return combine('or', children, BOUND_FALSE, BOUND_TRUE);
}

/** `in` or `not-in` over engine values without nulls, made canonical: sorted, distinct; one literal becomes a comparison. */
export function boundSet(op: SetOp, ref: BoundReference, values: readonly Value[]): BoundExpression {
	const compare = compareValues(ref.type);
	const sorted = [...values].sort(compare);
	const literals = sorted.filter((value, i) => i === 0 || compare(sorted[i - 1] as Value, value) !== 0);
	if (literals.length === 0) return op === 'in' ? BOUND_FALSE : BOUND_TRUE;
	if (literals.length === 1) return { op: op === 'in' ? 'eq' : 'not-eq', ref, literal: literals[0] as Value };
	return { op, ref, literals };
}

/** Every predicate of the expression, left to right. */
export function* predicatesOf(expr: BoundExpression): Iterable<BoundPredicate> {
	const stack: BoundExpression[] = [expr];
	for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
		if (next.op === 'and' || next.op === 'or')
			for (let i = next.children.length - 1; i >= 0; i--) stack.push(next.children[i] as BoundExpression);
		else if (next.op !== 'true' && next.op !== 'false') yield next as BoundPredicate;
	}
}

/** The ids of the fields that the expression looks at. */
export function referencedFieldIds(expr: BoundExpression): Set<number> {
	const ids = new Set<number>();
	for (const { ref } of predicatesOf(expr)) ids.add(ref.fieldId);
	return ids;
}

function combine(
	op: 'and' | 'or',
	children: readonly BoundExpression[],
	neutral: BoundExpression,
	absorbing: BoundExpression,
): BoundExpression {
	const kept: BoundExpression[] = [];
	for (const child of children) {
		if (child.op === absorbing.op) return absorbing;
		if (child.op === neutral.op) continue;
		if (child.op === op) kept.push(...child.children);
		else kept.push(child);
	}
	if (kept.length === 0) return neutral;
	return kept.length === 1 ? (kept[0] as BoundExpression) : { op, children: kept };
}
