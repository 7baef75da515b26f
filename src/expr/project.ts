/** Row predicates as predicates on partition tuples. Iceberg spec: Scan Planning. */
import { type PartitionSpec, partitionType } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { NestedField } from '../spec/types.ts';
import { BOUND_FALSE, BOUND_TRUE, boundAnd, boundOr } from './bound.ts';
import type { BoundExpression, BoundPredicate, BoundReference } from './expression.ts';
import { projectPredicate } from './project-transform.ts';

/**
 * The inclusive projection: if a row matches `expr`, its partition tuple matches the result. Bound to the spec's
 * partition type, positions in the order of the spec's fields. Unknown transforms project to `true`.
 *
 * @param schema the schema that `expr` was bound to
 */
export function projectInclusive(expr: BoundExpression, spec: PartitionSpec, schema: Schema): BoundExpression {
	const parts = partsBySource(spec, schema);
	return project(expr, (pred) =>
		boundAnd(
			(parts.get(pred.ref.fieldId) ?? []).map(
				({ field, ref }) => projectPredicate('inclusive', pred, field.transform, ref) ?? BOUND_TRUE,
			),
		),
	);
}

/** The strict projection: if a partition tuple matches the result, every row in it matches `expr`. */
export function projectStrict(expr: BoundExpression, spec: PartitionSpec, schema: Schema): BoundExpression {
	const parts = partsBySource(spec, schema);
	return project(expr, (pred) =>
		boundOr(
			(parts.get(pred.ref.fieldId) ?? []).map(
				({ field, ref }) => projectPredicate('strict', pred, field.transform, ref) ?? BOUND_FALSE,
			),
		),
	);
}

export interface PartitionPart {
	readonly field: PartitionSpec['fields'][number];
	readonly ref: BoundReference;
}

/** The fields of a spec by their source column, as references into partition tuples. */
export function partsBySource(spec: PartitionSpec, schema: Schema): ReadonlyMap<number, readonly PartitionPart[]> {
	const types = partitionType(spec, schema).fields;
	const parts = new Map<number, PartitionPart[]>();
	spec.fields.forEach((field, position) => {
		// A transform of several columns says nothing about one of them that could be computed from it alone.
		if (field.sourceIds !== undefined && field.sourceIds.length > 1) return;
		const { type } = types[position] as NestedField;
		const ref = { name: field.name, fieldId: field.fieldId, type, path: [position], nullable: true };
		const others = parts.get(field.sourceId);
		if (others === undefined) parts.set(field.sourceId, [{ field, ref }]);
		else others.push({ field, ref });
	});
	return parts;
}

function project(expr: BoundExpression, predicate: (pred: BoundPredicate) => BoundExpression): BoundExpression {
	switch (expr.op) {
		case 'true':
		case 'false':
			return expr;
		case 'and':
			return boundAnd(expr.children.map((child) => project(child, predicate)));
		case 'or':
			return boundOr(expr.children.map((child) => project(child, predicate)));
		default:
			return predicate(expr);
	}
}
