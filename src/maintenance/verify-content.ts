/** Holds the rows of a data file against what its metrics, its row groups' statistics and its partition say of them. */
import type { ParquetReader } from '../codec/parquet/api.ts';
import type { Vector } from '../column/vector.ts';
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { DataFile } from '../manifest/types.ts';
import { compareValues, valuesEqual } from '../spec/compare.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { fromBinary } from '../spec/single-value.ts';
import { bindTransform, canTransform, transformToString } from '../spec/transform.ts';
import type { NestedField, Value } from '../spec/types.ts';
import { formatValue } from '../spec/value-text.ts';
import { getValue } from '../column/vector-values.ts';
import { addFacts, type LeafFacts, leafVector, leavesOf, newFacts, presentRows } from './column-facts.ts';
import type { VerifyFindings } from './verify-report.ts';

/** Problems of one kind that are listed for one file; more of them are only counted. */
const PROBLEMS_OF_FILE_LIMIT = 20;

export interface ContentContext {
	readonly schema: Schema;
	readonly spec: PartitionSpec | undefined;
	readonly findings: VerifyFindings;
	readonly signal?: AbortSignal;
}

/**
 * Reads all rows of the columns that the schema has. Counts the rows that come out.
 * @throws what reading throws: `CORRUPT`, …
 */
export async function verifyContent(reader: ParquetReader, file: DataFile, context: ContentContext): Promise<void> {
	const { schema, findings } = context;
	const report = limited((message) => findings.add('statistics', file.location, message));
	const inFile = new Set(reader.info.fields.map((field) => field.id));
	const fields = schema.fields.filter((field) => inFile.has(field.id));
	const leaves = leavesOf(fields);
	const whole = leaves.map(newFacts);
	const partition = partitionCheck(file, fields, context);
	let rows = 0;
	for (const [index, rowGroup] of reader.info.rowGroups.entries()) {
		const facts = leaves.map(newFacts);
		const options = { rowGroups: [index], ...(context.signal === undefined ? {} : { signal: context.signal }) };
		for await (const { batch } of reader.read({ fields }, options)) {
			rows += batch.length;
			for (const [i, leaf] of leaves.entries()) {
				const { vector, parents } = leafVector(batch.columns, leaf.path);
				addFacts(facts[i] as LeafFacts, vector, parents);
			}
			partition(batch.columns, rows - batch.length);
		}
		for (const [i, one] of facts.entries()) {
			const statistics = rowGroup.statistics(one.field.id);
			if (statistics !== undefined) checkBounds(one, statistics.min, statistics.max, `row group ${index}`, report);
			if (statistics?.nullCount !== undefined)
				checkCount(one, 'nulls', one.nullCount, statistics.nullCount, `row group ${index}`, report);
			merge(whole[i] as LeafFacts, one);
		}
	}
	if (rows !== file.recordCount)
		findings.add('count', file.location, `${rows} rows could be read, the manifest says ${file.recordCount}`);
	for (const facts of whole) checkMetrics(facts, file, report);
}

function limited(add: (message: string) => void): (message: string) => void {
	let count = 0;
	return (message) => {
		if (++count <= PROBLEMS_OF_FILE_LIMIT) add(message);
	};
}

function merge(whole: LeafFacts, part: LeafFacts): void {
	whole.valueCount += part.valueCount;
	whole.nullCount += part.nullCount;
	whole.nanCount += part.nanCount;
	if (part.min === undefined || part.max === undefined) return;
	const compare = compareValues(whole.field.type);
	if (whole.min === undefined || compare(part.min, whole.min) < 0) whole.min = part.min;
	if (whole.max === undefined || compare(part.max, whole.max) > 0) whole.max = part.max;
}

function checkMetrics(facts: LeafFacts, file: DataFile, report: (message: string) => void): void {
	const { id, type } = facts.field;
	const where = 'the manifest';
	checkCount(facts, 'values', facts.valueCount, file.valueCounts?.get(id), where, report);
	checkCount(facts, 'nulls', facts.nullCount, file.nullValueCounts?.get(id), where, report);
	if (type.kind === 'float' || type.kind === 'double')
		checkCount(facts, 'NaNs', facts.nanCount, file.nanValueCounts?.get(id), where, report);
	const bound = (bytes: Uint8Array | undefined, name: string): Value | undefined => {
		if (bytes === undefined) return undefined;
		try {
			return fromBinary(type, bytes);
		} catch (error) {
			if (!isIcebergError(error)) throw error;
			report(`column '${facts.name}': the ${name} bound in the manifest cannot be read: ${error.message}`);
			return undefined;
		}
	};
	checkBounds(
		facts,
		bound(file.lowerBounds?.get(id), 'lower'),
		bound(file.upperBounds?.get(id), 'upper'),
		where,
		report,
	);
}

function checkCount(
	facts: LeafFacts,
	what: string,
	found: number,
	stated: number | undefined,
	where: string,
	report: (message: string) => void,
): void {
	if (stated !== undefined && stated !== found)
		report(`column '${facts.name}': ${found} ${what}, ${where} says ${stated}`);
}

function checkBounds(
	facts: LeafFacts,
	lower: Value | undefined,
	upper: Value | undefined,
	where: string,
	report: (message: string) => void,
): void {
	const { type } = facts.field;
	const compare = compareValues(type);
	// zeros of either sign are one bound: writers do not agree on it
	const isBelow = (a: Value, b: Value): boolean => compare(a, b) < 0 && !(a === 0 && b === 0);
	const isNan = (bound: Value | undefined): boolean => typeof bound === 'number' && Number.isNaN(bound);
	if (lower !== undefined && lower !== null && !isNan(lower) && facts.min !== undefined && isBelow(facts.min, lower))
		report(
			`column '${facts.name}': ${formatValue(type, facts.min)} is below the lower bound ${formatValue(type, lower)} of ${where}`,
		);
	if (upper !== undefined && upper !== null && !isNan(upper) && facts.max !== undefined && isBelow(upper, facts.max))
		report(
			`column '${facts.name}': ${formatValue(type, facts.max)} is above the upper bound ${formatValue(type, upper)} of ${where}`,
		);
}

/** Checks that each row is of the file's partition. @returns a function of a batch's columns and its first row */
function partitionCheck(
	file: DataFile,
	fields: readonly NestedField[],
	{ spec, findings }: ContentContext,
): (columns: readonly Vector[], firstRow: number) => void {
	const leaves = leavesOf(fields);
	const checks = (spec?.fields ?? []).flatMap((field, index) => {
		const leaf = leaves.find((one) => one.field.id === field.sourceId);
		const { transform } = field;
		if (leaf === undefined || transform.kind === 'void' || transform.kind === 'unknown') return [];
		if (!canTransform(transform, leaf.field.type)) return [];
		const apply = bindTransform(transform, leaf.field.type);
		const expected = file.partition[index] ?? null;
		return [{ field, leaf, apply, expected, text: transformToString(transform), reported: false }];
	});
	return (columns, firstRow) => {
		for (const check of checks) {
			if (check.reported) continue;
			const { vector, parents } = leafVector(columns, check.leaf.path);
			const isPresent = presentRows(vector, parents);
			for (let row = 0; row < vector.length; row++) {
				const value = isPresent(row) ? getValue(vector, row) : null;
				const found = check.apply(value);
				if (sameValue(found, check.expected)) continue;
				check.reported = true;
				const shown = formatValue(check.leaf.field.type, value);
				findings.add(
					'partition',
					file.location,
					`row ${firstRow + row}: ${check.leaf.name} is ${shown}, which is not of the file's partition '${check.field.name}' (${check.text})`,
				);
				break;
			}
		}
	};
}

function sameValue(a: Value, b: Value): boolean {
	if (a === null || b === null) return a === b;
	if (a instanceof Uint8Array && b instanceof Uint8Array) return valuesEqual({ kind: 'binary' }, a, b);
	return a === b || (typeof a === 'number' && typeof b === 'number' && Number.isNaN(a) && Number.isNaN(b));
}
