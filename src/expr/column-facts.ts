/** What is known of the values of one column in a file, a manifest, a row group or a page. */
import type { Value } from '../spec/types.ts';
import type { BoundDomain } from './bound-domain.ts';
import type { BoundReference } from './expression.ts';

export interface ColumnFacts {
	/** false only when there is certainly no null */
	readonly mayContainNull: boolean;
	/** false only when there are certainly nothing but nulls */
	readonly mayContainValue: boolean;
	/** false only when there is certainly no NaN */
	readonly mayContainNaN: boolean;
	/** true only when every value that is not null is certainly NaN */
	readonly onlyNaN: boolean;
	/** not above any value, NaN aside; `undefined` when not known. In the domain of the column's type */
	readonly lower: Value | undefined;
	/** not below any value, NaN aside */
	readonly upper: Value | undefined;
}

/** Gives the facts of a column. `domain` is that of the reference's type. */
export type FactsOf = (ref: BoundReference, domain: BoundDomain | undefined) => ColumnFacts;

/** Nothing is known. */
export function noFacts(ref: BoundReference, domain: BoundDomain | undefined): ColumnFacts {
	return {
		mayContainNull: ref.nullable,
		mayContainValue: true,
		mayContainNaN: domain?.hasNaN ?? false,
		onlyNaN: false,
		lower: undefined,
		upper: undefined,
	};
}

/**
 * Bounds as far as they can be trusted: a NaN is none (some writers let it hide all other values), zeros take the sign
 * that bounds the other one (some writers ignore it), and bounds that cross are none (uuid bounds by writers that
 * order the bytes as signed do).
 */
export function trustedBounds(
	domain: BoundDomain,
	lower: Value | undefined,
	upper: Value | undefined,
): { readonly lower: Value | undefined; readonly upper: Value | undefined } {
	let low = lower;
	let high = upper;
	if (domain.hasNaN) {
		if (low !== low || high !== high) return { lower: undefined, upper: undefined };
		if (low === 0) low = -0;
		if (high === 0) high = 0;
	}
	if (low !== undefined && high !== undefined && domain.compare(low, high) > 0)
		return { lower: undefined, upper: undefined };
	return { lower: low, upper: high };
}
