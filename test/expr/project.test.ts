import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectInclusive, projectStrict } from '../../src/expr/project.ts';
import type { BoundExpression, BoundReference } from '../../src/expr/expression.ts';
import { compileResidual } from '../../src/expr/residual.ts';
import { compileRowFilter } from '../../src/expr/row-filter.ts';
import type { PartitionSpec, Transform } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import { bindTransform, canTransform, transformToString } from '../../src/spec/transform.ts';
import type { NestedField, StructValue, Type, Value } from '../../src/spec/types.ts';
import { typeToString } from '../../src/spec/type-json.ts';
import { expression, predicate, PRIMITIVES, referencesTo, rowsOf } from './arbitraries.ts';

const TRANSFORMS: readonly Transform[] = [
	{ kind: 'identity' },
	{ kind: 'bucket', buckets: 3 },
	{ kind: 'truncate', width: 1 },
	{ kind: 'truncate', width: 2 },
	{ kind: 'truncate', width: 10 },
	{ kind: 'year' },
	{ kind: 'month' },
	{ kind: 'day' },
	{ kind: 'hour' },
	{ kind: 'void' },
];

function schemaOf(types: readonly Type[]): Schema {
	return new Schema({
		fields: types.map((type, i): NestedField => ({ id: i + 1, name: `c${i}`, required: false, type })),
	});
}

function specOf(transforms: readonly { readonly source: number; readonly transform: Transform }[]): PartitionSpec {
	return {
		specId: 0,
		fields: transforms.map(({ source, transform }, i) => ({
			sourceId: source + 1,
			fieldId: 1000 + i,
			name: `p${i}`,
			transform,
		})),
	};
}

/** The partition of a row. */
function partitioner(spec: PartitionSpec, types: readonly Type[]): (row: StructValue) => StructValue {
	const parts = spec.fields.map((field) => {
		const position = field.sourceId - 1;
		const apply = bindTransform(field.transform, types[position] as Type);
		return (row: StructValue): Value => apply(row[position] as Value);
	});
	return (row) => parts.map((part) => part(row));
}

/** What writers up to Java's 0.10.0 put for times before 1970: one too high. */
function oldValue(transform: Transform, source: Type, value: Value): Value {
	const time = ['year', 'month', 'day', 'hour'].includes(transform.kind);
	if (!time || typeof value !== 'number' || value >= 0) return value;
	return transform.kind === 'day' && source.kind === 'date' ? value : value + 1;
}

describe('projections through a transform', () => {
	for (const type of PRIMITIVES) {
		for (const transform of TRANSFORMS) {
			if (!canTransform(transform, type)) continue;
			it(`${transformToString(transform)} of ${typeToString(type)}: inclusive keeps every match, strict lets in matches only`, () => {
				const ref = referencesTo([type])[0] as BoundReference;
				const schema = schemaOf([type]);
				const spec = specOf([{ source: 0, transform }]);
				const partitionOf = partitioner(spec, [type]);
				fc.assert(
					fc.property(rowsOf([type]), predicate(ref), (rows, expr) => {
						const matches = compileRowFilter(expr);
						const inclusive = compileRowFilter(projectInclusive(expr, spec, schema));
						const strict = compileRowFilter(projectStrict(expr, spec, schema));
						const residual = compileResidual(expr, spec, schema);
						for (const row of rows) {
							const right = partitionOf(row);
							for (const partition of [right, [oldValue(transform, type, right[0] as Value)]]) {
								if (matches(row)) expect(inclusive(partition)).toBe(true);
								if (strict(partition)) expect(matches(row)).toBe(true);
								expect(compileRowFilter(residual(partition))(row)).toBe(matches(row));
							}
						}
					}),
					{ numRuns: 200 },
				);
			});
		}
	}
});

describe('projections of whole expressions', () => {
	it('hold for several fields over several columns', () => {
		const types: Type[] = [{ kind: 'timestamp' }, { kind: 'string' }, { kind: 'int' }];
		const schema = schemaOf(types);
		const spec = specOf([
			{ source: 0, transform: { kind: 'day' } },
			{ source: 0, transform: { kind: 'hour' } },
			{ source: 1, transform: { kind: 'truncate', width: 2 } },
			{ source: 2, transform: { kind: 'bucket', buckets: 4 } },
		]);
		const partitionOf = partitioner(spec, types);
		fc.assert(
			fc.property(rowsOf(types, 30), expression(referencesTo(types)), (rows, expr) => {
				const matches = compileRowFilter(expr);
				const inclusive = compileRowFilter(projectInclusive(expr, spec, schema));
				const strict = compileRowFilter(projectStrict(expr, spec, schema));
				const residual = compileResidual(expr, spec, schema);
				for (const row of rows) {
					const partition = partitionOf(row);
					if (matches(row)) expect(inclusive(partition)).toBe(true);
					if (strict(partition)) expect(matches(row)).toBe(true);
					expect(compileRowFilter(residual(partition))(row)).toBe(matches(row));
				}
			}),
			{ numRuns: 300 },
		);
	});

	const day = specOf([{ source: 0, transform: { kind: 'day' } }]);
	const schema = schemaOf([{ kind: 'timestamp' }]);
	const ref = referencesTo([{ kind: 'timestamp' }])[0] as BoundReference;
	const DAY = 86_400_000_000n;

	it('narrow: a range of days leaves out the days beside it', () => {
		const expr: BoundExpression = {
			op: 'and',
			children: [
				{ op: 'gt-eq', ref, literal: 10n * DAY + 1n },
				{ op: 'lt', ref, literal: 12n * DAY },
			],
		};
		const inclusive = compileRowFilter(projectInclusive(expr, day, schema));
		expect([9, 10, 11, 12, null].map((value) => inclusive([value]))).toEqual([false, true, true, false, false]);
		const residual = compileResidual(expr, day, schema);
		expect(residual([10])).toEqual(expr.children[0]);
		expect(residual([11])).toEqual({ op: 'true' });
		expect(residual([12])).toEqual({ op: 'false' });
	});

	it('know nothing of unknown transforms, and of dropped columns', () => {
		const spec = specOf([{ source: 0, transform: { kind: 'unknown', text: 'zorder' } }]);
		expect(projectInclusive({ op: 'eq', ref, literal: 1n }, spec, schema)).toEqual({ op: 'true' });
		expect(projectStrict({ op: 'eq', ref, literal: 1n }, spec, schema)).toEqual({ op: 'false' });
		const other = specOf([{ source: 5, transform: { kind: 'identity' } }]);
		expect(projectInclusive({ op: 'eq', ref, literal: 1n }, other, schema)).toEqual({ op: 'true' });
	});

	it('do not let a truncation that wraps round lose rows', () => {
		const types: Type[] = [{ kind: 'long' }];
		const spec = specOf([{ source: 0, transform: { kind: 'truncate', width: 10 } }]);
		const low = referencesTo(types)[0] as BoundReference;
		const min = -(2n ** 63n);
		const partition = partitioner(spec, types)([min]);
		expect((partition[0] as bigint) > 0n).toBe(true);
		const inclusive = projectInclusive({ op: 'lt', ref: low, literal: 0n }, spec, schemaOf(types));
		expect(compileRowFilter(inclusive)(partition)).toBe(true);
		const strict = projectStrict({ op: 'gt', ref: low, literal: 0n }, spec, schemaOf(types));
		expect(compileRowFilter(strict)(partition)).toBe(false);
	});
});
