/** Manifests judged by the summaries of their partition fields. Iceberg spec: Manifest Lists, `field_summary`. */
import type { BoundDomain } from './bound-domain.ts';
import { type ColumnFacts, noFacts, trustedBounds } from './column-facts.ts';
import type { BoundExpression, BoundReference } from './expression.ts';
import { compileMayMatch } from './inclusive.ts';

/** A summary of one partition field; bounds in single-value binary form of the field's type. */
export interface FieldSummaryLike {
	readonly containsNull: boolean;
	readonly containsNan?: boolean;
	readonly lowerBound?: Uint8Array;
	readonly upperBound?: Uint8Array;
}

/**
 * The inclusive evaluation of a predicate on partition tuples: false only when no partition of the manifest can match.
 *
 * @param partitionFilter bound to the partition type of the manifest's own spec
 */
export function compileManifestEvaluator(
	partitionFilter: BoundExpression,
): (summaries: readonly FieldSummaryLike[] | undefined) => boolean {
	const mayMatch = compileMayMatch(partitionFilter);
	return (summaries) => mayMatch((ref, domain) => factsOf(summaries?.[ref.path[0] as number], ref, domain));
}

function factsOf(
	summary: FieldSummaryLike | undefined,
	ref: BoundReference,
	domain: BoundDomain | undefined,
): ColumnFacts {
	const unknown = noFacts(ref, domain);
	if (summary === undefined || domain === undefined) return unknown;
	const { containsNull, containsNan, lowerBound, upperBound } = summary;
	const mayContainNaN = domain.hasNaN && containsNan !== false;
	// Bounds are left out where there is no value but null and NaN.
	const unbounded = lowerBound === undefined && upperBound === undefined;
	const { lower, upper } = trustedBounds(
		domain,
		lowerBound === undefined ? undefined : domain.ofBinary(lowerBound),
		upperBound === undefined ? undefined : domain.ofBinary(upperBound),
	);
	return {
		mayContainNull: containsNull,
		mayContainValue: !(unbounded && containsNull && !mayContainNaN),
		mayContainNaN,
		onlyNaN: unbounded && domain.hasNaN && containsNan === true,
		lower,
		upper,
	};
}
