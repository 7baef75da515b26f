import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoundExpression, BoundReference } from '../../src/expr/expression.ts';
import { compileManifestEvaluator, type FieldSummaryLike } from '../../src/expr/manifest-evaluator.ts';
import { compileInclusiveMetrics, compileStrictMetrics, type MetricsLike } from '../../src/expr/metrics-evaluators.ts';
import { compilePageFilter, type PagesLike } from '../../src/expr/page-filter.ts';
import { compileRowFilter } from '../../src/expr/row-filter.ts';
import { compileStatisticsEvaluator, type StatisticsLike } from '../../src/expr/statistics-evaluator.ts';
import { compareValues } from '../../src/spec/compare.ts';
import { toBinary } from '../../src/spec/single-value.ts';
import { truncateLower, truncateUpper } from '../../src/spec/truncate-bounds.ts';
import type { StructValue, Type, Value } from '../../src/spec/types.ts';
import { typeToString } from '../../src/spec/type-json.ts';
import { expression, predicate, PRIMITIVES, referencesTo, rowsOf } from './arbitraries.ts';

const isNaNValue = (value: Value): boolean => value !== value;

/** What a correct writer could say of a column; `known` decides what it leaves out. */
interface Facts {
	readonly values: number;
	readonly nulls: number;
	readonly nans: number;
	readonly min: Value | undefined;
	readonly max: Value | undefined;
}

function factsOf(type: Type, column: readonly Value[]): Facts {
	const compare = compareValues(type);
	const numbers = column.filter((value) => value !== null && !isNaNValue(value)).sort(compare);
	return {
		values: column.length,
		nulls: column.filter((value) => value === null).length,
		nans: column.filter(isNaNValue).length,
		min: numbers[0],
		max: numbers.at(-1),
	};
}

const known = fc.record({
	nulls: fc.boolean(),
	values: fc.boolean(),
	nans: fc.boolean(),
	lower: fc.boolean(),
	upper: fc.boolean(),
	width: fc.constantFrom<number>(1, 2, 16),
});

type Known = typeof known extends fc.Arbitrary<infer T> ? T : never;

function metricsOf(types: readonly Type[], rows: readonly StructValue[], what: Known): MetricsLike {
	const maps = {
		valueCounts: new Map<number, number>(),
		nullValueCounts: new Map<number, number>(),
		nanValueCounts: new Map<number, number>(),
		lowerBounds: new Map<number, Uint8Array>(),
		upperBounds: new Map<number, Uint8Array>(),
	};
	types.forEach((type, i) => {
		const facts = factsOf(
			type,
			rows.map((row) => row[i] as Value),
		);
		const id = i + 1;
		if (what.values) maps.valueCounts.set(id, facts.values);
		if (what.nulls) maps.nullValueCounts.set(id, facts.nulls);
		if (what.nans && (type.kind === 'float' || type.kind === 'double')) maps.nanValueCounts.set(id, facts.nans);
		const width = type.kind === 'string' || type.kind === 'binary' ? what.width : 16;
		if (what.lower && facts.min !== undefined)
			maps.lowerBounds.set(id, toBinary(type, truncateLower(type, facts.min, width)));
		const upper = facts.max === undefined ? undefined : truncateUpper(type, facts.max, width);
		if (what.upper && upper !== undefined) maps.upperBounds.set(id, toBinary(type, upper));
	});
	return { recordCount: rows.length, ...maps };
}

function statisticsOf(
	types: readonly Type[],
	rows: readonly StructValue[],
	what: Known,
): (id: number) => StatisticsLike {
	return (id) => {
		const facts = factsOf(
			types[id - 1] as Type,
			rows.map((row) => row[id - 1] as Value),
		);
		return {
			...(what.lower && facts.min !== undefined ? { min: facts.min } : {}),
			...(what.upper && facts.max !== undefined ? { max: facts.max } : {}),
			...(what.nulls ? { nullCount: facts.nulls } : {}),
		};
	};
}

describe('evaluators over metrics', () => {
	for (const type of PRIMITIVES) {
		it(`of ${typeToString(type)}: inclusive never drops a file with a match, strict only tells of files that match whole`, () => {
			const ref = referencesTo([type])[0] as BoundReference;
			fc.assert(
				fc.property(rowsOf([type], 6), predicate(ref), known, (rows, expr, what) => {
					const matches = rows.map(compileRowFilter(expr));
					const file = metricsOf([type], rows, what);
					if (matches.includes(true)) expect(compileInclusiveMetrics(expr)(file)).toBe(true);
					if (compileStrictMetrics(expr)(file)) expect(matches).not.toContain(false);
					const group = { rowCount: rows.length, statistics: statisticsOf([type], rows, what) };
					if (matches.includes(true)) expect(compileStatisticsEvaluator(expr)(group)).toBe(true);
				}),
				{ numRuns: 400 },
			);
		});
	}

	it('over several columns hold as well', () => {
		const types: Type[] = [{ kind: 'int' }, { kind: 'string' }, { kind: 'double' }];
		fc.assert(
			fc.property(rowsOf(types, 5), expression(referencesTo(types)), known, (rows, expr, what) => {
				const matches = rows.map(compileRowFilter(expr));
				const file = metricsOf(types, rows, what);
				if (matches.includes(true)) expect(compileInclusiveMetrics(expr)(file)).toBe(true);
				if (compileStrictMetrics(expr)(file)) expect(matches).not.toContain(false);
			}),
			{ numRuns: 500 },
		);
	});

	it('over pages keep every row that matches, and never more than all', async () => {
		const types: Type[] = [{ kind: 'int' }, { kind: 'string' }];
		await fc.assert(
			fc.asyncProperty(
				rowsOf(types, 30),
				expression(referencesTo(types)),
				known,
				fc.integer({ min: 1, max: 7 }),
				fc.integer({ min: 1, max: 7 }),
				async (rows, expr, what, first, second) => {
					const source: PagesLike = {
						rowCount: rows.length,
						pages: async (id) => {
							if (!what.values && id === 2) return undefined;
							const size = id === 1 ? first : second;
							return Array.from({ length: Math.ceil(rows.length / size) }, (_, k) => {
								const [from, to] = [k * size, Math.min(rows.length, (k + 1) * size)];
								const part = rows.slice(from, to);
								const allNull = part.every((row) => row[id - 1] === null);
								return { from, to, allNull, ...statisticsOf(types, part, what)(id) };
							});
						},
					};
					const ranges = (await compilePageFilter(expr)(source)) ?? [{ from: 0, to: rows.length }];
					const matches = compileRowFilter(expr);
					rows.forEach((row, i) => {
						if (matches(row)) expect(ranges.some(({ from, to }) => from <= i && i < to)).toBe(true);
					});
					ranges.forEach(({ from, to }, k) => {
						expect(from >= (ranges[k - 1]?.to ?? 0) && to <= rows.length).toBe(true);
					});
				},
			),
			{ numRuns: 300 },
		);
	});

	for (const type of PRIMITIVES) {
		it(`over the partition summaries of ${typeToString(type)} never drop a manifest with a match`, () => {
			const ref = referencesTo([type])[0] as BoundReference;
			fc.assert(
				fc.property(
					rowsOf([type], 5).filter((rows) => rows.length > 0),
					predicate(ref),
					fc.boolean(),
					(rows, expr, nans) => {
						const facts = factsOf(
							type,
							rows.map((row) => row[0] as Value),
						);
						const summary: FieldSummaryLike = {
							containsNull: facts.nulls > 0,
							...(nans ? { containsNan: facts.nans > 0 } : {}),
							...(facts.min === undefined ? {} : { lowerBound: toBinary(type, facts.min) }),
							...(facts.max === undefined ? {} : { upperBound: toBinary(type, facts.max) }),
						};
						const mayMatch = compileManifestEvaluator(expr);
						if (rows.some(compileRowFilter(expr))) expect(mayMatch([summary])).toBe(true);
						expect(mayMatch(undefined)).toBe(true);
					},
				),
				{ numRuns: 200 },
			);
		});
	}
});

describe('what metrics rule out', () => {
	const int = referencesTo([{ kind: 'int' }])[0] as BoundReference;
	const text = referencesTo([{ kind: 'string' }])[0] as BoundReference;
	const double = referencesTo([{ kind: 'double' }])[0] as BoundReference;
	const full = { nulls: true, values: true, nans: true, lower: true, upper: true, width: 2 };
	const may = (type: Type, column: Value[], expr: BoundExpression, what: Known = full): boolean =>
		compileInclusiveMetrics(expr)(
			metricsOf(
				[type],
				column.map((value) => [value]),
				what,
			),
		);
	const must = (type: Type, column: Value[], expr: BoundExpression, what: Known = full): boolean =>
		compileStrictMetrics(expr)(
			metricsOf(
				[type],
				column.map((value) => [value]),
				what,
			),
		);

	it('by bounds', () => {
		const column = [3, 5, 9];
		const verdicts = (op: 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq', literals: number[]): boolean[] =>
			literals.map((literal) => may({ kind: 'int' }, column, { op, ref: int, literal }));
		expect(verdicts('lt', [3, 4])).toEqual([false, true]);
		expect(verdicts('lt-eq', [2, 3])).toEqual([false, true]);
		expect(verdicts('gt', [9, 8])).toEqual([false, true]);
		expect(verdicts('gt-eq', [10, 9])).toEqual([false, true]);
		expect(verdicts('eq', [2, 4, 10])).toEqual([false, true, false]);
		expect(may({ kind: 'int' }, column, { op: 'in', ref: int, literals: [1, 2, 10, 11] })).toBe(false);
		expect(may({ kind: 'int' }, column, { op: 'in', ref: int, literals: [1, 4, 11] })).toBe(true);
		expect(may({ kind: 'int' }, [7, 7], { op: 'not-eq', ref: int, literal: 7 })).toBe(false);
		expect(may({ kind: 'int' }, [7, null], { op: 'not-eq', ref: int, literal: 7 })).toBe(true);
		expect(may({ kind: 'int' }, [7, 7], { op: 'not-in', ref: int, literals: [5, 7] })).toBe(false);
	});

	it('by null counts', () => {
		expect(may({ kind: 'int' }, [1, 2], { op: 'is-null', ref: int })).toBe(false);
		expect(may({ kind: 'int' }, [null, null], { op: 'not-null', ref: int })).toBe(false);
		expect(may({ kind: 'int' }, [null, null], { op: 'eq', ref: int, literal: 1 })).toBe(false);
		expect(must({ kind: 'int' }, [null, null], { op: 'is-null', ref: int })).toBe(true);
		expect(must({ kind: 'int' }, [null, null], { op: 'not-eq', ref: int, literal: 1 })).toBe(true);
	});

	it('by NaN counts, but never a file whose NaN a greater-than asks for', () => {
		const ref = double;
		expect(may({ kind: 'double' }, [1, 2], { op: 'is-nan', ref })).toBe(false);
		expect(may({ kind: 'double' }, [NaN, NaN], { op: 'lt', ref, literal: 5 })).toBe(false);
		expect(may({ kind: 'double' }, [NaN, NaN], { op: 'not-nan', ref })).toBe(false);
		expect(may({ kind: 'double' }, [1, 2], { op: 'gt', ref, literal: 5 })).toBe(false);
		expect(may({ kind: 'double' }, [1, NaN], { op: 'gt', ref, literal: 5 })).toBe(true);
		expect(may({ kind: 'double' }, [1, 2], { op: 'gt', ref, literal: 5 }, { ...full, nans: false })).toBe(true);
		expect(must({ kind: 'double' }, [6, NaN], { op: 'gt', ref, literal: 5 })).toBe(true);
		expect(must({ kind: 'double' }, [6, NaN], { op: 'lt', ref, literal: 7 })).toBe(false);
	});

	it('by truncated text bounds and prefixes', () => {
		const column = ['abcdef', 'abzzzz'];
		expect(may({ kind: 'string' }, column, { op: 'starts-with', ref: text, literal: 'b' })).toBe(false);
		expect(may({ kind: 'string' }, column, { op: 'starts-with', ref: text, literal: 'aa' })).toBe(false);
		expect(may({ kind: 'string' }, column, { op: 'starts-with', ref: text, literal: 'abcx' })).toBe(true);
		expect(may({ kind: 'string' }, column, { op: 'gt', ref: text, literal: 'abzzzzz' })).toBe(true);
		expect(may({ kind: 'string' }, column, { op: 'gt', ref: text, literal: 'ac' })).toBe(false);
		expect(may({ kind: 'string' }, ['ab', 'ab'], { op: 'not-starts-with', ref: text, literal: 'a' })).toBe(false);
		expect(must({ kind: 'string' }, ['ab', 'ab'], { op: 'starts-with', ref: text, literal: 'a' })).toBe(true);
	});

	it('takes bounds of a narrower type that was promoted, and no bound that is broken', () => {
		const ref = referencesTo([{ kind: 'long' }])[0] as BoundReference;
		const evaluate = (lower: number[], upper: number[], literal: bigint): boolean =>
			compileInclusiveMetrics({ op: 'eq', ref, literal })({
				recordCount: 1,
				lowerBounds: new Map([[1, Uint8Array.from(lower)]]),
				upperBounds: new Map([[1, Uint8Array.from(upper)]]),
			});
		expect(evaluate([5, 0, 0, 0], [9, 0, 0, 0], 4n)).toBe(false);
		expect(evaluate([5, 0, 0, 0], [9, 0, 0, 0], 7n)).toBe(true);
		expect(evaluate([5, 0], [9], 4n)).toBe(true);
		expect(evaluate([9, 0, 0, 0], [5, 0, 0, 0], 4n)).toBe(true);
	});

	it('takes no bound that is NaN, and lets either zero stand for both', () => {
		const evaluate = (low: number, high: number, expr: BoundExpression): boolean =>
			compileInclusiveMetrics(expr)({
				recordCount: 2,
				nanValueCounts: new Map([[1, 0]]),
				lowerBounds: new Map([[1, toBinary({ kind: 'double' }, low)]]),
				upperBounds: new Map([[1, toBinary({ kind: 'double' }, high)]]),
			});
		expect(evaluate(NaN, NaN, { op: 'lt', ref: double, literal: 1 })).toBe(true);
		expect(evaluate(0, 0, { op: 'eq', ref: double, literal: -0 })).toBe(true);
		expect(evaluate(-0, -0, { op: 'eq', ref: double, literal: 0 })).toBe(true);
		expect(evaluate(0, 1, { op: 'lt', ref: double, literal: 0 })).toBe(true);
	});

	it('trusts no null count of a nested field', () => {
		const ref: BoundReference = { ...int, path: [0, 0] };
		const file = { recordCount: 3, valueCounts: new Map([[1, 3]]), nullValueCounts: new Map([[1, 0]]) };
		expect(compileInclusiveMetrics({ op: 'is-null', ref })(file)).toBe(true);
		expect(compileStrictMetrics({ op: 'not-null', ref })(file)).toBe(false);
	});

	it('knows that an empty file holds nothing', () => {
		expect(compileInclusiveMetrics({ op: 'true' })({ recordCount: 0 })).toBe(false);
		expect(compileStatisticsEvaluator({ op: 'true' })({ rowCount: 0, statistics: () => undefined })).toBe(false);
	});

	it('takes statistics of the type that the file has', () => {
		const ref = referencesTo([{ kind: 'timestamp' }])[0] as BoundReference;
		const literal = 86_400_000_000n * 10n;
		const group = (min: Value, max: Value) => ({
			rowCount: 3,
			statistics: () => ({ min, max, exact: true, nullCount: 0 }),
		});
		const may = compileStatisticsEvaluator({ op: 'gt', ref, literal });
		expect(may(group(1, 10))).toBe(false);
		expect(may(group(1, 11))).toBe(true);
		expect(may(group('x', 'y'))).toBe(true);
	});
});
