/** Rows of a row group that its page index cannot rule out. Parquet spec: Page Index. */
import { boundDomain } from './bound-domain.ts';
import type { BoundExpression, BoundPredicate } from './expression.ts';
import { compileMayMatch } from './inclusive.ts';
import { type StatisticsLike, statisticsFacts } from './statistics-evaluator.ts';

/** Rows [from, to) of a row group. */
export interface RowRangeLike {
	readonly from: number;
	readonly to: number;
}
export interface PagesLike {
	readonly rowCount: number;
	/** the pages of a leaf in order, covering all rows; `undefined` where there is no page index for it */
	pages(fieldId: number): Promise<readonly (StatisticsLike & RowRangeLike)[] | undefined>;
}

/**
 * The ranges of rows, ascending and apart, in which a row may match; `undefined` for all rows. Pages of different columns
 * need not begin at the same rows: each predicate is asked of its own column's pages, and the ranges are then combined.
 */
export function compilePageFilter(
	expr: BoundExpression,
): (source: PagesLike) => Promise<readonly RowRangeLike[] | undefined> {
	const select = compileRanges(expr);
	return async (source) => {
		const ranges = await select(source);
		if (source.rowCount === 0) return ranges;
		const [first] = ranges;
		return ranges.length === 1 && first?.from === 0 && first.to === source.rowCount ? undefined : ranges;
	};
}

type SelectRanges = (source: PagesLike) => Promise<readonly RowRangeLike[]>;

function compileRanges(expr: BoundExpression): SelectRanges {
	switch (expr.op) {
		case 'true':
			return async (source) => allRows(source);
		case 'false':
			return async () => [];
		case 'and': {
			const children = expr.children.map(compileRanges);
			return async (source) => {
				let ranges: readonly RowRangeLike[] = allRows(source);
				for (const child of children) {
					if (ranges.length === 0) break;
					ranges = intersect(ranges, await child(source));
				}
				return ranges;
			};
		}
		case 'or': {
			const children = expr.children.map(compileRanges);
			return async (source) => {
				const ranges: RowRangeLike[] = [];
				for (const child of children) ranges.push(...(await child(source)));
				return merge(ranges.sort((a, b) => a.from - b.from));
			};
		}
		default:
			return predicateRanges(expr);
	}
}

function predicateRanges(pred: BoundPredicate): SelectRanges {
	const mayMatch = compileMayMatch(pred);
	const domain = boundDomain(pred.ref.type);
	return async (source) => {
		const pages = await source.pages(pred.ref.fieldId);
		if (pages === undefined) return allRows(source);
		const kept = pages.filter(
			(page) => page.to > page.from && mayMatch((ref) => statisticsFacts(page, page.to - page.from, ref, domain)),
		);
		return merge(kept);
	};
}

function allRows(source: PagesLike): readonly RowRangeLike[] {
	return source.rowCount === 0 ? [] : [{ from: 0, to: source.rowCount }];
}

/** Ranges that touch or overlap joined. They must ascend by `from`. */
function merge(ranges: readonly RowRangeLike[]): RowRangeLike[] {
	const merged: { from: number; to: number }[] = [];
	for (const { from, to } of ranges) {
		const last = merged.at(-1);
		if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
		else merged.push({ from, to });
	}
	return merged;
}

function intersect(a: readonly RowRangeLike[], b: readonly RowRangeLike[]): RowRangeLike[] {
	const shared: RowRangeLike[] = [];
	let i = 0;
	let j = 0;
	while (i < a.length && j < b.length) {
		const x = a[i] as RowRangeLike;
		const y = b[j] as RowRangeLike;
		const from = Math.max(x.from, y.from);
		const to = Math.min(x.to, y.to);
		if (from < to) shared.push({ from, to });
		if (x.to < y.to) i++;
		else j++;
	}
	return shared;
}
