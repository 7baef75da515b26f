/** Binding: names become columns of a schema, literals values of the column's type. */
import { valueForContext } from '../column/invalid-value.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from '../spec/schema.ts';
import { typeToString } from '../spec/type-json.ts';
import type { Type, Value } from '../spec/types.ts';
import { BOUND_FALSE, BOUND_TRUE, boundAnd, boundOr, boundSet } from './bound.ts';
import type {
	BoundExpression,
	BoundReference,
	ComparisonOp,
	Expression,
	LiteralInput,
	SetOp,
	UnaryOp,
} from './expression.ts';
import { type ColumnFinder, columnFinder } from './find-column.ts';
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES, MAX_SET_LITERALS } from './limits.ts';
import { type ConvertedLiteral, convertLiteral, describeLiteral } from './literal.ts';

export interface BindOptions {
	/** Default true. */
	readonly caseSensitive?: boolean;
}

/**
 * Binds a predicate to a schema: pushes `not` down, finds the columns, converts the literals exactly, and folds what no
 * value of the column can decide. A literal between two values of the type (1.5 for a long) moves the comparison to the
 * value below; a literal beyond them all (2^40 for an int) leaves a null test or a constant.
 *
 * @throws `INVALID_FILTER` for unknown columns and literals of the wrong type, naming column, type and value;
 *   `LIMIT_EXCEEDED` beyond {@link MAX_EXPRESSION_DEPTH}, {@link MAX_EXPRESSION_NODES} or {@link MAX_SET_LITERALS}
 */
export function bindExpression(expr: Expression, schema: Schema, options: BindOptions = {}): BoundExpression {
	return new Binder(columnFinder(schema, options.caseSensitive ?? true)).bind(expr, false, 1);
}

const NEGATED_UNARY: Record<UnaryOp, UnaryOp> = {
	'is-null': 'not-null',
	'not-null': 'is-null',
	'is-nan': 'not-nan',
	'not-nan': 'is-nan',
};
const NEGATED_COMPARISON: Record<ComparisonOp, ComparisonOp> = {
	lt: 'gt-eq',
	'lt-eq': 'gt',
	gt: 'lt-eq',
	'gt-eq': 'lt',
	eq: 'not-eq',
	'not-eq': 'eq',
};

class Binder {
	readonly #columns: ColumnFinder;
	#nodes = 0;

	constructor(columns: ColumnFinder) {
		this.#columns = columns;
	}

	bind(expr: Expression, negated: boolean, depth: number): BoundExpression {
		if (depth > MAX_EXPRESSION_DEPTH)
			throw new IcebergError('LIMIT_EXCEEDED', `the predicate is nested deeper than ${MAX_EXPRESSION_DEPTH}`);
		if (++this.#nodes > MAX_EXPRESSION_NODES)
			throw new IcebergError('LIMIT_EXCEEDED', `the predicate has more than ${MAX_EXPRESSION_NODES} parts`);
		switch (expr?.op) {
			case 'true':
			case 'false':
				return (expr.op === 'true') !== negated ? BOUND_TRUE : BOUND_FALSE;
			case 'not':
				return this.bind(expr.child, !negated, depth + 1);
			case 'and':
			case 'or': {
				const children = expr.children.map((child) => this.bind(child, negated, depth + 1));
				return (expr.op === 'and') !== negated ? boundAnd(children) : boundOr(children);
			}
			case 'is-null':
			case 'not-null':
			case 'is-nan':
			case 'not-nan':
				return bindUnary(negated ? NEGATED_UNARY[expr.op] : expr.op, this.#find(expr.ref));
			case 'lt':
			case 'lt-eq':
			case 'gt':
			case 'gt-eq':
			case 'eq':
			case 'not-eq':
				return bindComparison(negated ? NEGATED_COMPARISON[expr.op] : expr.op, this.#find(expr.ref), expr.literal);
			case 'starts-with':
			case 'not-starts-with':
				return bindPrefix((expr.op === 'starts-with') !== negated, this.#find(expr.ref), expr.literal);
			case 'in':
			case 'not-in':
				return bindSet((expr.op === 'in') !== negated ? 'in' : 'not-in', this.#find(expr.ref), expr.literals);
			default:
				throw new IcebergError('INVALID_FILTER', `no such predicate: ${String((expr as { op?: unknown } | null)?.op)}`);
		}
	}

	#find(ref: { readonly name: string } | undefined): BoundReference {
		if (typeof ref?.name !== 'string') throw new IcebergError('INVALID_FILTER', 'a predicate names no column');
		return this.#columns.find(ref.name);
	}
}

function bindUnary(op: UnaryOp, ref: BoundReference): BoundExpression {
	if (op === 'is-nan' || op === 'not-nan') {
		if (ref.type.kind !== 'float' && ref.type.kind !== 'double')
			throw new IcebergError(
				'INVALID_FILTER',
				`column '${ref.name}' of type ${typeToString(ref.type)} has no NaN: only float and double columns do`,
				{ context: { column: ref.name, type: typeToString(ref.type) } },
			);
		return { op, ref };
	}
	if (!ref.nullable) return op === 'is-null' ? BOUND_FALSE : BOUND_TRUE;
	if (ref.type.kind === 'unknown') return op === 'is-null' ? BOUND_TRUE : BOUND_FALSE;
	return { op, ref };
}

/** What is left of a comparison that every value of the column passes: only nulls do not. */
function anyValue(ref: BoundReference): BoundExpression {
	return bindUnary('not-null', ref);
}

function bindComparison(op: ComparisonOp, ref: BoundReference, literal: LiteralInput): BoundExpression {
	const converted = convert(ref, literal);
	if (converted.kind === 'value') {
		if (converted.exact) return { op, ref, literal: converted.value };
		if (op === 'eq') return BOUND_FALSE;
		if (op === 'not-eq') return BOUND_TRUE;
		return { op: op === 'lt' || op === 'lt-eq' ? 'lt-eq' : 'gt', ref, literal: converted.value };
	}
	if (op === 'eq') return BOUND_FALSE;
	if (op === 'not-eq') return BOUND_TRUE;
	const below = op === 'lt' || op === 'lt-eq';
	return below === (converted.kind === 'above') ? anyValue(ref) : BOUND_FALSE;
}

function bindPrefix(positive: boolean, ref: BoundReference, prefix: string): BoundExpression {
	if (ref.type.kind !== 'string')
		throw new IcebergError(
			'INVALID_FILTER',
			`column '${ref.name}' of type ${typeToString(ref.type)} has no prefix: only string columns do`,
			{ context: { column: ref.name, type: typeToString(ref.type) } },
		);
	const converted = convert(ref, prefix);
	const literal = (converted as { readonly value: Value }).value as string;
	if (literal === '') return positive ? anyValue(ref) : bindUnary('is-null', ref);
	return { op: positive ? 'starts-with' : 'not-starts-with', ref, literal };
}

function bindSet(op: SetOp, ref: BoundReference, literals: readonly LiteralInput[]): BoundExpression {
	if (!Array.isArray(literals))
		throw new IcebergError('INVALID_FILTER', `column '${ref.name}': expected a list of literals`, {
			context: { column: ref.name },
		});
	if (literals.length > MAX_SET_LITERALS)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`column '${ref.name}': ${literals.length} literals are more than ${MAX_SET_LITERALS}`,
			{ context: { column: ref.name } },
		);
	const values: Value[] = [];
	for (const literal of literals) {
		const converted = convert(ref, literal);
		if (converted.kind === 'value' && converted.exact) values.push(converted.value);
	}
	if (values.length === 0) return op === 'in' ? BOUND_FALSE : BOUND_TRUE;
	return boundSet(op, ref, values);
}

function convert(ref: BoundReference, literal: LiteralInput): ConvertedLiteral {
	const given: unknown = literal;
	if (given === null || given === undefined)
		throw new IcebergError(
			'INVALID_FILTER',
			`column '${ref.name}': nothing compares with ${String(given)}; use isNull('${ref.name}'), or '${ref.name} is null'`,
			{ context: { column: ref.name } },
		);
	if (Number.isNaN(given) && typeof given === 'number')
		throw new IcebergError(
			'INVALID_FILTER',
			`column '${ref.name}': NaN is no literal; use isNaN_('${ref.name}'), or '${ref.name} is nan'`,
			{ context: { column: ref.name } },
		);
	const converted = convertLiteral(ref.type, literal);
	if (typeof converted !== 'string') return converted;
	throw mismatch(ref.name, ref.type, given, converted);
}

function mismatch(column: string, type: Type, literal: unknown, expected: string): IcebergError {
	const kind = typeToString(type);
	return new IcebergError(
		'INVALID_FILTER',
		`column '${column}' of type ${kind}: expected ${expected}, found ${describeLiteral(literal)}`,
		{ context: { column, type: kind, value: valueForContext(literal) } },
	);
}
