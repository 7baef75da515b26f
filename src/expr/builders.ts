/** Predicates as a user builds them. Columns by full name; literals are converted when the predicate is bound. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { ComparisonOp, Expression, LiteralInput, PrefixOp, SetOp, UnaryOp } from './expression.ts';

const TRUE: Expression = Object.freeze({ op: 'true' });
const FALSE: Expression = Object.freeze({ op: 'false' });

/** Matches every row. */
export function alwaysTrue(): Expression {
	return TRUE;
}

/** Matches no row. */
export function alwaysFalse(): Expression {
	return FALSE;
}

/** Rows whose column equals the literal. NaN is asked for by {@link isNaN_}, null by {@link isNull}. @throws `INVALID_FILTER` */
export function eq(column: string, literal: LiteralInput): Expression {
	return comparison('eq', column, literal);
}

/** Rows whose column differs from the literal; nulls are kept. @throws `INVALID_FILTER` */
export function notEq(column: string, literal: LiteralInput): Expression {
	return comparison('not-eq', column, literal);
}

/** Rows whose column is below the literal. @throws `INVALID_FILTER` */
export function lt(column: string, literal: LiteralInput): Expression {
	return comparison('lt', column, literal);
}

/** Rows whose column is the literal or below. @throws `INVALID_FILTER` */
export function ltEq(column: string, literal: LiteralInput): Expression {
	return comparison('lt-eq', column, literal);
}

/** Rows whose column is above the literal; NaN is above all numbers. @throws `INVALID_FILTER` */
export function gt(column: string, literal: LiteralInput): Expression {
	return comparison('gt', column, literal);
}

/** Rows whose column is the literal or above; NaN is above all numbers. @throws `INVALID_FILTER` */
export function gtEq(column: string, literal: LiteralInput): Expression {
	return comparison('gt-eq', column, literal);
}

/** Rows whose column equals one of the literals; none of them: no row. @throws `INVALID_FILTER` */
export function isIn(column: string, literals: Iterable<LiteralInput>): Expression {
	return set('in', column, literals);
}

/** Rows whose column equals none of the literals; nulls are kept. @throws `INVALID_FILTER` */
export function notIn(column: string, literals: Iterable<LiteralInput>): Expression {
	return set('not-in', column, literals);
}

/** Rows whose column is null, or a parent struct of it is. @throws `INVALID_FILTER` */
export function isNull(column: string): Expression {
	return unary('is-null', column);
}

/** Rows whose column has a value. @throws `INVALID_FILTER` */
export function notNull(column: string): Expression {
	return unary('not-null', column);
}

/** Rows whose float or double column is NaN. @throws `INVALID_FILTER` */
export function isNaN_(column: string): Expression {
	return unary('is-nan', column);
}

/** Rows whose float or double column is not NaN; nulls are kept. @throws `INVALID_FILTER` */
export function notNaN(column: string): Expression {
	return unary('not-nan', column);
}

/** Rows whose string column begins with the prefix. @throws `INVALID_FILTER` */
export function startsWith(column: string, prefix: string): Expression {
	return prefixTest('starts-with', column, prefix);
}

/** Rows whose string column does not begin with the prefix; nulls are kept. @throws `INVALID_FILTER` */
export function notStartsWith(column: string, prefix: string): Expression {
	return prefixTest('not-starts-with', column, prefix);
}

/** Rows that match all of the expressions; without any: every row. @throws `INVALID_FILTER` */
export function and(...children: readonly Expression[]): Expression {
	return connect('and', children, TRUE);
}

/** Rows that match one of the expressions at least; without any: no row. @throws `INVALID_FILTER` */
export function or(...children: readonly Expression[]): Expression {
	return connect('or', children, FALSE);
}

/** The opposite, pushed down to the predicates: `not(lt(a, 5))` is `gtEq(a, 5)`, which a null does not match either. */
export function not(child: Expression): Expression {
	checkExpression(child);
	if (child.op === 'true') return FALSE;
	if (child.op === 'false') return TRUE;
	return child.op === 'not' ? child.child : { op: 'not', child };
}

function comparison(op: ComparisonOp, column: string, literal: LiteralInput): Expression {
	return { op, ref: { name: checkName(column) }, literal: checkLiteral(column, literal) };
}

function set(op: SetOp, column: string, literals: Iterable<LiteralInput>): Expression {
	const given: unknown = literals;
	if (typeof given !== 'object' || given === null || !(Symbol.iterator in given))
		throw new IcebergError('INVALID_FILTER', `column '${column}': expected a list of literals`, {
			context: { column },
		});
	return {
		op,
		ref: { name: checkName(column) },
		literals: Array.from(literals, (literal) => checkLiteral(column, literal)),
	};
}

function unary(op: UnaryOp, column: string): Expression {
	return { op, ref: { name: checkName(column) } };
}

function prefixTest(op: PrefixOp, column: string, prefix: string): Expression {
	checkName(column);
	if (typeof prefix !== 'string')
		throw new IcebergError('INVALID_FILTER', `column '${column}': a prefix must be text, found ${typeof prefix}`, {
			context: { column },
		});
	return { op, ref: { name: column }, literal: prefix };
}

function connect(op: 'and' | 'or', children: readonly Expression[], neutral: Expression): Expression {
	for (const child of children) checkExpression(child);
	const kept = children.filter((child) => child.op !== neutral.op);
	if (kept.length === 0) return neutral;
	return kept.length === 1 ? (kept[0] as Expression) : { op, children: kept };
}

function checkExpression(child: unknown): void {
	if (typeof child !== 'object' || child === null || typeof (child as { op?: unknown }).op !== 'string')
		throw new IcebergError('INVALID_FILTER', `expected an expression, found ${child === null ? 'null' : typeof child}`);
}

function checkName(column: unknown): string {
	if (typeof column !== 'string' || column === '')
		throw new IcebergError('INVALID_FILTER', `expected the name of a column, found ${String(column) || "''"}`);
	return column;
}

function checkLiteral(column: string, literal: unknown): LiteralInput {
	if (literal === null || literal === undefined)
		throw new IcebergError(
			'INVALID_FILTER',
			`column '${column}': nothing compares with ${String(literal)}; use isNull('${column}') or notNull('${column}')`,
			{ context: { column } },
		);
	if (typeof literal === 'number' && Number.isNaN(literal))
		throw new IcebergError(
			'INVALID_FILTER',
			`column '${column}': NaN is no literal; use isNaN_('${column}') or notNaN('${column}')`,
			{ context: { column } },
		);
	return literal as LiteralInput;
}
