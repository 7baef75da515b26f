/**
 * Predicates, unbound: columns by name, literals as users give them or as engine values.
 * Missing semantics follow Java's Iceberg: `notEq`, `notIn`, `notStartsWith` keep nulls; NaN sorts above all other
 * numbers; -0.0 sorts below 0.0.
 */
import type { Value } from '../spec/types.ts';

export type UnaryOp = 'is-null' | 'not-null' | 'is-nan' | 'not-nan';
export type ComparisonOp = 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq' | 'not-eq';
export type PrefixOp = 'starts-with' | 'not-starts-with';
export type SetOp = 'in' | 'not-in';

/** A literal as a user writes it; converted to the column's type when the predicate is bound. */
export type LiteralInput = boolean | number | bigint | string | Date | Uint8Array;

/** A column by its full name (`a`, `a.b` for a struct's child), or a transform of one. */
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
	readonly type: import('../spec/types.ts').PrimitiveType;
	/** positions in the nested struct values, from the row down */
	readonly path: readonly number[];
	/** false when the field and all its parents are required */
	readonly nullable: boolean;
}

/** Bound and free of `not`; literals are engine values of the reference's type. */
export type BoundExpression =
	| { readonly op: 'true' }
	| { readonly op: 'false' }
	| { readonly op: 'and' | 'or'; readonly children: readonly BoundExpression[] }
	| { readonly op: UnaryOp; readonly ref: BoundReference }
	| { readonly op: ComparisonOp; readonly ref: BoundReference; readonly literal: Value }
	| { readonly op: PrefixOp; readonly ref: BoundReference; readonly literal: string | Uint8Array }
	| { readonly op: SetOp; readonly ref: BoundReference; readonly literals: readonly Value[] };
