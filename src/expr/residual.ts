/** What is left to ask of the rows of a file once its partition is known. Iceberg spec: Scan Planning, note 1. */
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { StructValue } from '../spec/types.ts';
import { BOUND_FALSE, BOUND_TRUE, boundAnd, boundOr } from './bound.ts';
import type { BoundExpression, BoundPredicate } from './expression.ts';
import { partsBySource, type PartitionPart } from './project.ts';
import { projectPredicate } from './project-transform.ts';
import { compileRowFilter, type RowFilter } from './row-filter.ts';

/** The residual for a partition tuple. For the rows of that partition it matches exactly when the whole predicate does. */
export type ResidualOf = (partition: StructValue) => BoundExpression;

/**
 * Compiles the residuals of a predicate under a spec: a predicate that its strict projection answers becomes `true`,
 * one that its inclusive projection rules out becomes `false`, all others stay.
 *
 * @param schema the schema that `expr` was bound to
 */
export function compileResidual(expr: BoundExpression, spec: PartitionSpec, schema: Schema): ResidualOf {
	const parts = partsBySource(spec, schema);
	const compile = (part: BoundExpression): ResidualOf => {
		switch (part.op) {
			case 'true':
			case 'false':
				return () => part;
			case 'and':
			case 'or': {
				const children = part.children.map(compile);
				const combine = part.op === 'and' ? boundAnd : boundOr;
				return (partition) => {
					const residuals = children.map((child) => child(partition));
					return residuals.every((residual, i) => residual === part.children[i]) ? part : combine(residuals);
				};
			}
			default:
				return compilePredicate(part, parts.get(part.ref.fieldId) ?? []);
		}
	};
	return compile(expr);
}

function compilePredicate(pred: BoundPredicate, parts: readonly PartitionPart[]): ResidualOf {
	const allMatch: RowFilter[] = [];
	const someMatch: RowFilter[] = [];
	for (const { field, ref } of parts) {
		const strict = projectPredicate('strict', pred, field.transform, ref);
		const inclusive = projectPredicate('inclusive', pred, field.transform, ref);
		if (strict !== undefined) allMatch.push(compileRowFilter(strict));
		if (inclusive !== undefined) someMatch.push(compileRowFilter(inclusive));
	}
	if (allMatch.length === 0 && someMatch.length === 0) return () => pred;
	return (partition) => {
		for (const test of allMatch) if (test(partition)) return BOUND_TRUE;
		for (const test of someMatch) if (!test(partition)) return BOUND_FALSE;
		return pred;
	};
}
