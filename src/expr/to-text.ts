/** Predicates printed as where-text that parses back to them. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { toHex } from '../util/hex.ts';
import type { Expression, LiteralInput } from './expression.ts';
import { MAX_EXPRESSION_DEPTH } from './limits.ts';
import { RESERVED_WORDS } from './parse-where.ts';

/**
 * Where-text of a predicate: `parseWhere(toText(e))` binds as `e` does. A `Date` prints as the timestamp that it is, in
 * UTC and with its offset; a name is quoted where it must be.
 *
 * @throws `INVALID_FILTER` for a literal that where-text has no form for (NaN, an invalid Date)
 */
export function toText(expr: Expression): string {
	return print(expr, 1);
}

const COMPARISON_SIGNS = { eq: '=', 'not-eq': '!=', lt: '<', 'lt-eq': '<=', gt: '>', 'gt-eq': '>=' } as const;
const SIMPLE_NAME = /^[\p{L}_][\p{L}\p{N}\p{M}_$]*$/u;

function print(expr: Expression, depth: number): string {
	if (depth > MAX_EXPRESSION_DEPTH)
		throw new IcebergError('LIMIT_EXCEEDED', `the predicate is nested deeper than ${MAX_EXPRESSION_DEPTH}`);
	switch (expr.op) {
		case 'true':
		case 'false':
			return expr.op;
		case 'and':
		case 'or':
			if (expr.children.length === 0) return expr.op === 'and' ? 'true' : 'false';
			if (expr.children.length === 1) return print(expr.children[0] as Expression, depth + 1);
			return expr.children.map((child) => grouped(child, depth)).join(` ${expr.op} `);
		case 'not':
			return `not ${grouped(expr.child, depth)}`;
		case 'is-null':
			return `${printName(expr.ref.name)} is null`;
		case 'not-null':
			return `${printName(expr.ref.name)} is not null`;
		case 'is-nan':
			return `${printName(expr.ref.name)} is nan`;
		case 'not-nan':
			return `${printName(expr.ref.name)} is not nan`;
		case 'starts-with':
		case 'not-starts-with': {
			const not = expr.op === 'starts-with' ? '' : 'not ';
			return `${printName(expr.ref.name)} ${not}starts with ${quote(expr.literal, "'")}`;
		}
		case 'in':
		case 'not-in': {
			const not = expr.op === 'in' ? '' : 'not ';
			return `${printName(expr.ref.name)} ${not}in (${expr.literals.map(printLiteral).join(', ')})`;
		}
		default:
			return `${printName(expr.ref.name)} ${COMPARISON_SIGNS[expr.op]} ${printLiteral(expr.literal)}`;
	}
}

function grouped(child: Expression, depth: number): string {
	const text = print(child, depth + 1);
	return (child.op === 'and' || child.op === 'or') && child.children.length > 1 ? `(${text})` : text;
}

function printName(name: string): string {
	const parts = name.split('.');
	const simple = parts.every((part, i) => SIMPLE_NAME.test(part) && (i > 0 || !RESERVED_WORDS.has(part.toLowerCase())));
	return simple ? name : quote(name, '"');
}

function quote(text: string, mark: string): string {
	return mark + text.replaceAll(mark, mark + mark) + mark;
}

function printLiteral(literal: LiteralInput): string {
	switch (typeof literal) {
		case 'boolean':
		case 'bigint':
			return String(literal);
		case 'string':
			return quote(literal, "'");
		case 'number':
			return printNumber(literal);
		default:
			if (literal instanceof Uint8Array) return `x'${toHex(literal)}'`;
			if (literal instanceof Date) {
				if (Number.isNaN(literal.getTime())) throw new IcebergError('INVALID_FILTER', 'an invalid Date has no text');
				return `timestamp '${literal.toISOString()}'`;
			}
			return literal.type === 'decimal' ? literal.text : `${literal.type} ${quote(literal.text, "'")}`;
	}
}

function printNumber(value: number): string {
	if (Number.isNaN(value)) throw new IcebergError('INVALID_FILTER', 'NaN is no literal; use isNaN_ or notNaN');
	if (!Number.isFinite(value)) return value > 0 ? 'infinity' : '-infinity';
	if (Object.is(value, -0)) return '-0.0';
	const text = String(value);
	return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
