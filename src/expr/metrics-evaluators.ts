/** Files judged by the metrics that manifests keep of their columns. Iceberg spec: Scan Planning; Data File Fields. */
import type { BoundDomain } from './bound-domain.ts';
import { type ColumnFacts, noFacts, trustedBounds } from './column-facts.ts';
import type { BoundExpression, BoundReference } from './expression.ts';
import { compileMayMatch } from './inclusive.ts';
import { compileMustMatch } from './strict.ts';

/** The metrics of a data or delete file, by field id; bounds in single-value binary form. */
export interface MetricsLike {
	readonly recordCount: number;
	readonly valueCounts?: ReadonlyMap<number, number>;
	readonly nullValueCounts?: ReadonlyMap<number, number>;
	readonly nanValueCounts?: ReadonlyMap<number, number>;
	readonly lowerBounds?: ReadonlyMap<number, Uint8Array>;
	readonly upperBounds?: ReadonlyMap<number, Uint8Array>;
}

/** The inclusive evaluation: false only when no row of the file can match. Metrics that are missing prune nothing. */
export function compileInclusiveMetrics(expr: BoundExpression): (file: MetricsLike) => boolean {
	const mayMatch = compileMayMatch(expr);
	return (file) => file.recordCount !== 0 && mayMatch((ref, domain) => factsOf(file, ref, domain));
}

/** The strict evaluation: true only when every row of the file matches. */
export function compileStrictMetrics(expr: BoundExpression): (file: MetricsLike) => boolean {
	const mustMatch = compileMustMatch(expr);
	return (file) => file.recordCount === 0 || mustMatch((ref, domain) => factsOf(file, ref, domain));
}

function factsOf(file: MetricsLike, ref: BoundReference, domain: BoundDomain | undefined): ColumnFacts {
	const id = ref.fieldId;
	let { mayContainNull, mayContainValue, mayContainNaN, onlyNaN } = noFacts(ref, domain);
	const nulls = file.nullValueCounts?.get(id);
	const values = file.valueCounts?.get(id);
	const nans = mayContainNaN ? file.nanValueCounts?.get(id) : undefined;
	// Writers disagree on how a null parent counts, so that the null count of a nested field says nothing.
	if (ref.path.length === 1) {
		if (nulls === 0) mayContainNull = false;
		if (nulls !== undefined && values !== undefined && nulls === values) mayContainValue = false;
		if (nans !== undefined && nans > 0 && values !== undefined && nans + (nulls ?? 0) === values) onlyNaN = true;
	}
	if (nans === 0) mayContainNaN = false;
	if (domain === undefined)
		return { mayContainNull, mayContainValue, mayContainNaN, onlyNaN, lower: undefined, upper: undefined };
	const low = file.lowerBounds?.get(id);
	const high = file.upperBounds?.get(id);
	const { lower, upper } = trustedBounds(
		domain,
		low === undefined ? undefined : domain.ofBinary(low),
		high === undefined ? undefined : domain.ofBinary(high),
	);
	return { mayContainNull, mayContainValue, mayContainNaN, onlyNaN, lower, upper };
}
