/** Row groups and pages judged by their statistics. */
import type { Value } from '../spec/types.ts';
import type { BoundDomain } from './bound-domain.ts';
import { type ColumnFacts, noFacts, trustedBounds } from './column-facts.ts';
import type { BoundExpression, BoundReference } from './expression.ts';
import { compileMayMatch } from './inclusive.ts';

/** Statistics of one leaf column; min and max are engine values of the file's type, NaN left out of them. */
export interface StatisticsLike {
	readonly min?: Value;
	readonly max?: Value;
	readonly nullCount?: number;
	/** true when every value is certainly null */
	readonly allNull?: boolean;
	/** absent: not known */
	readonly nanCount?: number;
}

export interface RowGroupLike {
	readonly rowCount: number;
	statistics(fieldId: number): StatisticsLike | undefined;
}

/**
 * The inclusive evaluation over a row group: false only when no row of it can match. Columns without statistics (also
 * those that the file lacks: their default stands for them) prune nothing.
 */
export function compileStatisticsEvaluator(expr: BoundExpression): (group: RowGroupLike) => boolean {
	const mayMatch = compileMayMatch(expr);
	return (group) =>
		group.rowCount !== 0 &&
		mayMatch((ref, domain) => statisticsFacts(group.statistics(ref.fieldId), group.rowCount, ref, domain));
}

/** What statistics over `rowCount` rows say of a column. */
export function statisticsFacts(
	statistics: StatisticsLike | undefined,
	rowCount: number,
	ref: BoundReference,
	domain: BoundDomain | undefined,
): ColumnFacts {
	const unknown = noFacts(ref, domain);
	if (statistics === undefined) return unknown;
	let { mayContainNull, mayContainValue, mayContainNaN } = unknown;
	// Null counts of nested columns are wrong in files of several writers.
	if (ref.path.length === 1) {
		if (statistics.nullCount === 0) mayContainNull = false;
		if (statistics.nullCount === rowCount || statistics.allNull === true) mayContainValue = false;
	}
	if (statistics.nanCount === 0) mayContainNaN = false;
	if (domain === undefined) return { ...unknown, mayContainNull, mayContainValue };
	const { min, max } = statistics;
	const { lower, upper } = trustedBounds(
		domain,
		min === undefined || min === null ? undefined : domain.ofPromoted(min),
		max === undefined || max === null ? undefined : domain.ofPromoted(max),
	);
	return { mayContainNull, mayContainValue, mayContainNaN, onlyNaN: false, lower, upper };
}
