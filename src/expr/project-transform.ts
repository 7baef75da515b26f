/** One predicate on a column as one on a partition value made from it. Iceberg spec: Partition Transforms; Scan Planning. */
import type { Transform } from '../spec/partition-spec.ts';
import { bindTransform, canTransform } from '../spec/transform.ts';
import { truncateText } from '../spec/truncate-bounds.ts';
import type { Type, Value } from '../spec/types.ts';
import { BOUND_FALSE, boundAnd, boundOr, boundSet } from './bound.ts';
import type {
	BoundComparison,
	BoundExpression,
	BoundPredicate,
	BoundPrefix,
	BoundReference,
	ComparisonOp,
} from './expression.ts';
import { fixInclusiveTime, fixStrictTime } from './project-time.ts';

/**
 * A predicate's projection onto a partition field; `undefined` when the field says nothing about it.
 *
 * - inclusive: every row that matches the predicate lies in a partition that matches the projection
 * - strict: every row of a partition that matches the projection matches the predicate
 *
 * @param part the partition field in the partition tuple, typed by the transform's result
 */
export function projectPredicate(
	mode: 'inclusive' | 'strict',
	pred: BoundPredicate,
	transform: Transform,
	part: BoundReference,
): BoundExpression | undefined {
	const source = pred.ref.type;
	if (transform.kind === 'void' || !canTransform(transform, source)) return undefined;
	if (transform.kind === 'identity') return { ...pred, ref: part } as BoundExpression;
	// A transform gives null for null and for nothing else.
	if (pred.op === 'is-null' || pred.op === 'not-null') return { op: pred.op, ref: part };
	if (pred.op === 'is-nan' || pred.op === 'not-nan') return undefined;
	const apply = bindTransform(transform, source);
	if (pred.op === 'in' || pred.op === 'not-in') {
		if (pred.op !== (mode === 'inclusive' ? 'in' : 'not-in')) return undefined;
		return fixed(mode, transform, source, boundSet(pred.op, part, pred.literals.map(apply)));
	}
	const compared = pred as BoundComparison | BoundPrefix;
	if (transform.kind === 'bucket') {
		if (compared.op !== 'eq' && compared.op !== 'not-eq') return undefined;
		if ((compared.op === 'eq') !== (mode === 'inclusive')) return undefined;
		return { op: compared.op, ref: part, literal: apply(compared.literal) };
	}
	if (compared.op === 'starts-with' || compared.op === 'not-starts-with') {
		if (transform.kind !== 'truncate' || typeof compared.literal !== 'string') return undefined;
		return projectPrefix(mode, compared.op, compared.literal, transform.width, part);
	}
	if (transform.kind === 'truncate' && (source.kind === 'string' || source.kind === 'binary'))
		return projectCut(mode, compared.op, compared.literal, apply, part);
	const ranged = projectOrdered(mode, compared.op, compared.literal, source, apply, part);
	if (ranged === undefined) return undefined;
	if (transform.kind === 'truncate') return withWrapped(mode, compared.op, ranged, source, transform.width, part);
	return fixed(mode, transform, source, ranged);
}

function fixed(
	mode: 'inclusive' | 'strict',
	transform: Transform,
	source: Type,
	projected: BoundExpression,
): BoundExpression | undefined {
	const { kind } = transform;
	if (kind === 'day' && source.kind === 'date') return projected;
	if (kind !== 'year' && kind !== 'month' && kind !== 'day' && kind !== 'hour') return projected;
	return mode === 'inclusive' ? fixInclusiveTime(projected) : fixStrictTime(projected);
}

/** Transforms of whole numbers that keep their order: times of all units, truncated ints, longs and decimals. */
function projectOrdered(
	mode: 'inclusive' | 'strict',
	op: ComparisonOp,
	literal: Value,
	source: Type,
	apply: (value: Value) => Value,
	part: BoundReference,
): BoundExpression | undefined {
	let wrapped = false;
	const at = (step: -1 | 0 | 1): Value | undefined => {
		const moved = typeof literal === 'number' ? literal + step : (literal as bigint) + BigInt(step);
		if (!withinType(source, moved)) return undefined;
		const value = apply(moved);
		// Wrapped round: the value says nothing of the order. (Times are far smaller than their sources.)
		if (op !== 'eq' && op !== 'not-eq' && sameType(source, part.type) && (value as bigint) > moved) wrapped = true;
		return value;
	};
	const make = (made: ComparisonOp, value: Value | undefined): BoundExpression | undefined =>
		value === undefined || wrapped ? undefined : { op: made, ref: part, literal: value };
	if (mode === 'inclusive') {
		switch (op) {
			case 'lt':
				return make('lt-eq', at(-1)) ?? (wrapped ? undefined : BOUND_FALSE);
			case 'lt-eq':
				return make('lt-eq', at(0));
			case 'gt':
				return make('gt-eq', at(1)) ?? (wrapped ? undefined : BOUND_FALSE);
			case 'gt-eq':
				return make('gt-eq', at(0));
			case 'eq':
				return make('eq', at(0));
			default:
				return undefined;
		}
	}
	switch (op) {
		case 'lt':
			return make('lt', at(0));
		case 'lt-eq':
			return make('lt', at(1));
		case 'gt':
			return make('gt', at(0));
		case 'gt-eq':
			return make('gt', at(-1));
		case 'not-eq':
			return make('not-eq', at(0));
		default:
			return undefined;
	}
}

function sameType(a: Type, b: Type): boolean {
	return a.kind === b.kind && (a.kind === 'int' || a.kind === 'long');
}

function withinType(type: Type, value: number | bigint): boolean {
	if (typeof value === 'number') return value >= -0x80000000 && value <= 0x7fffffff;
	return type.kind === 'decimal' || BigInt.asIntN(64, value) === value;
}

/**
 * Truncation of an int or long near the smallest one wraps round to the largest: such partitions are kept by inclusive
 * projections of upper bounds, and left out of strict ones of lower bounds.
 */
function withWrapped(
	mode: 'inclusive' | 'strict',
	op: ComparisonOp,
	projected: BoundExpression,
	source: Type,
	width: number,
	part: BoundReference,
): BoundExpression {
	if (source.kind !== 'int' && source.kind !== 'long') return projected;
	const limit: Value = source.kind === 'int' ? 0x7fffffff - width : 0x7fffffffffffffffn - BigInt(width);
	if (mode === 'inclusive' && (op === 'lt' || op === 'lt-eq') && projected.op !== 'false')
		return boundOr([projected, { op: 'gt', ref: part, literal: limit }]);
	if (mode === 'strict' && (op === 'gt' || op === 'gt-eq'))
		return boundAnd([projected, { op: 'lt-eq', ref: part, literal: limit }]);
	return projected;
}

/** Text and bytes cut to a width: a cut value is not above its source, and comparing cut values keeps the order. */
function projectCut(
	mode: 'inclusive' | 'strict',
	op: ComparisonOp,
	literal: Value,
	apply: (value: Value) => Value,
	part: BoundReference,
): BoundExpression | undefined {
	const cut = apply(literal);
	if (mode === 'inclusive') {
		switch (op) {
			case 'lt':
			case 'lt-eq':
				return { op: 'lt-eq', ref: part, literal: cut };
			case 'gt':
			case 'gt-eq':
				return { op: 'gt-eq', ref: part, literal: cut };
			case 'eq':
				return { op, ref: part, literal: cut };
			default:
				return undefined;
		}
	}
	switch (op) {
		case 'lt':
		case 'lt-eq':
			return { op: 'lt', ref: part, literal: cut };
		case 'gt':
		case 'gt-eq':
			return { op: 'gt', ref: part, literal: cut };
		case 'not-eq':
			return { op, ref: part, literal: cut };
		default:
			return undefined;
	}
}

function projectPrefix(
	mode: 'inclusive' | 'strict',
	op: 'starts-with' | 'not-starts-with',
	prefix: string,
	width: number,
	part: BoundReference,
): BoundExpression | undefined {
	const cut = truncateText(prefix, width);
	const positive = op === 'starts-with';
	// A prefix of as many characters as the partition keeps is the partition's whole value, if that is not shorter.
	if (cut === prefix) {
		const full = Array.from(prefix).length === width;
		if (full) return { op: positive ? 'eq' : 'not-eq', ref: part, literal: prefix };
		return { op, ref: part, literal: prefix };
	}
	if (mode === 'inclusive') return positive ? { op: 'eq', ref: part, literal: cut } : undefined;
	return positive ? undefined : { op: 'not-eq', ref: part, literal: cut };
}
