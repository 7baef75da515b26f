/** Whether equality deletes can hit rows of a data file, by the metrics of both. */
import { type BoundDomain, boundDomain } from '../expr/bound-domain.ts';
import { trustedBounds } from '../expr/column-facts.ts';
import type { DataFile, FileMetrics } from '../manifest/types.ts';
import type { NestedField, Value } from '../spec/types.ts';

/** A column that equality deletes compare. */
export interface EqualityField {
	readonly field: NestedField;
	/** a column of the table, not a field of a struct */
	readonly topLevel: boolean;
	/** `undefined` for types without an order */
	readonly domain: BoundDomain | undefined;
}

/** @param topLevelIds ids of the table's columns */
export function equalityField(field: NestedField, topLevelIds: ReadonlySet<number>): EqualityField {
	return { field, topLevel: topLevelIds.has(field.id), domain: boundDomain(field.type) };
}

/**
 * False only when, by some column, no row of the data file equals a deleted one. Null equals null and NaN equals NaN.
 */
export function mayDeleteRowsOf(deletes: DataFile, data: DataFile, fields: readonly EqualityField[]): boolean {
	return fields.every((field) => mayShareValue(field, deletes, data));
}

function mayShareValue({ field, topLevel, domain }: EqualityField, deletes: DataFile, data: DataFile): boolean {
	const { id } = field;
	const inDeletes = nullsOf(deletes, id, topLevel);
	const inData = nullsOf(data, id, topLevel);
	if (inDeletes !== 'none' && inData !== 'none') return true;
	if (inDeletes === 'all' || inData === 'all') return false;
	if (domain === undefined) return true;
	if (domain.hasNaN && deletes.nanValueCounts?.get(id) !== 0 && data.nanValueCounts?.get(id) !== 0) return true;
	const ofDeletes = boundsOf(domain, deletes, id);
	const ofData = boundsOf(domain, data, id);
	return !above(domain, ofDeletes.lower, ofData.upper) && !above(domain, ofData.lower, ofDeletes.upper);
}

function nullsOf(file: DataFile, id: number, topLevel: boolean): 'none' | 'some' | 'all' {
	// Writers disagree on how a null parent counts.
	if (!topLevel) return 'some';
	const nulls = file.nullValueCounts?.get(id);
	if (nulls === undefined) return 'some';
	if (nulls === 0) return 'none';
	return nulls === file.valueCounts?.get(id) ? 'all' : 'some';
}

function boundsOf(domain: BoundDomain, file: FileMetrics, id: number): ReturnType<typeof trustedBounds> {
	const lower = file.lowerBounds?.get(id);
	const upper = file.upperBounds?.get(id);
	return trustedBounds(
		domain,
		lower === undefined ? undefined : domain.ofBinary(lower),
		upper === undefined ? undefined : domain.ofBinary(upper),
	);
}

function above(domain: BoundDomain, lower: Value | undefined, upper: Value | undefined): boolean {
	return lower !== undefined && upper !== undefined && domain.compare(lower, upper) > 0;
}
