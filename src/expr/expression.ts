/**
 * Predicates, unbound and bound.
 *
 * A null matches `isNull`, `notEq`, `notIn`, `notStartsWith` and `notNaN`, and nothing else: Iceberg's `notEq` and
 * `notIn` keep nulls, unlike SQL's. NaN sorts above all other numbers and equals itself; -0.0 sorts below 0.0. `not` is
 * pushed down to the predicates (`not (a < 5)` is `a >= 5`), so it never makes a null match a comparison.
 */
import type { Type, Value } from '../spec/types.ts';

export type UnaryOp = 'is-null' | 'not-null' | 'is-nan' | 'not-nan';
export type ComparisonOp = 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq' | 'not-eq';
export type PrefixOp = 'starts-with' | 'not-starts-with';
export type SetOp = 'in' | 'not-in';

/** A literal that says its type: `date '2024-02-29'` as where-text writes it, or a decimal beyond a double's digits. */
export interface TypedLiteral {
	readonly type: 'date' | 'time' | 'timestamp' | 'uuid' | 'decimal';
	readonly text: string;
}

/** A literal as a user writes it; converted to the column's type when the predicate is bound. */
export type LiteralInput = boolean | number | bigint | string | Date | Uint8Array | TypedLiteral;

/** A column by its full name (`a`, `a.b` for a struct's child). */
export interface Reference {
	readonly name: string;
}

export type Expression =
	| { readonly op: 'true' }
	| { readonly op: 'false' }
	| { readonly op: 'and' | 'or'; readonly children: readonly Expression[] }
	| { readonly op: 'not'; readonly child: Expression }
	| { readonly op: UnaryOp; readonly ref: Reference }
	| { readonly op: ComparisonOp; readonly ref: Reference; readonly literal: LiteralInput }
	| { readonly op: PrefixOp; readonly ref: Reference; readonly literal: string }
	| { readonly op: SetOp; readonly ref: Reference; readonly literals: readonly LiteralInput[] };

/** A column that has been found in a schema. */
export interface BoundReference {
	readonly name: string;
	readonly fieldId: number;
	/** nested types occur only in `is-null` and `not-null` */
	readonly type: Type;
	/** positions in the nested struct values, from the row down */
	readonly path: readonly number[];
	/** false when the field and all its parents are required */
	readonly nullable: boolean;
}

export interface BoundUnary {
	readonly op: UnaryOp;
	readonly ref: BoundReference;
}
export interface BoundComparison {
	readonly op: ComparisonOp;
	readonly ref: BoundReference;
	/** never null or NaN */
	readonly literal: Value;
}
export interface BoundPrefix {
	readonly op: PrefixOp;
	/** of type string; binary only in projections through a truncated binary column */
	readonly ref: BoundReference;
	readonly literal: string | Uint8Array;
}
export interface BoundSet {
	readonly op: SetOp;
	readonly ref: BoundReference;
	/** ascending, distinct, two at least; never null or NaN */
	readonly literals: readonly Value[];
}
export type BoundPredicate = BoundUnary | BoundComparison | BoundPrefix | BoundSet;

/** Bound and free of `not`; literals are engine values of the reference's type. */
export type BoundExpression =
	| { readonly op: 'true' }
	| { readonly op: 'false' }
	| { readonly op: 'and' | 'or'; readonly children: readonly BoundExpression[] }
	| BoundPredicate;
