/** One filter as it applies to the manifests and files of one partition spec. */
import type { BoundExpression } from '../expr/expression.ts';
import { compileManifestEvaluator } from '../expr/manifest-evaluator.ts';
import { compileInclusiveMetrics } from '../expr/metrics-evaluators.ts';
import { projectInclusive } from '../expr/project.ts';
import { compileResidual, type ResidualOf } from '../expr/residual.ts';
import { compileRowFilter } from '../expr/row-filter.ts';
import type { DataFile, ManifestFile } from '../manifest/types.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { StructValue } from '../spec/types.ts';

export class SpecPlanner {
	readonly spec: PartitionSpec;
	/** Asked of partition tuples; `undefined` when no partition can be ruled out. */
	readonly partitionFilter: ((partition: StructValue) => boolean) | undefined;
	readonly residualOf: ResidualOf;
	readonly #filter: BoundExpression;
	readonly #mayMatchSummaries: (summaries: ManifestFile['partitions']) => boolean;
	readonly #mayMatchMetrics: (file: DataFile) => boolean;

	/** @param filter bound to `schema` */
	constructor(spec: PartitionSpec, filter: BoundExpression, schema: Schema) {
		this.spec = spec;
		this.#filter = filter;
		const projected = projectInclusive(filter, spec, schema);
		this.#mayMatchSummaries = compileManifestEvaluator(projected);
		this.partitionFilter = projected.op === 'true' ? undefined : compileRowFilter(projected);
		this.residualOf = compileResidual(filter, spec, schema);
		this.#mayMatchMetrics = compileInclusiveMetrics(filter);
	}

	mayMatchManifest(manifest: ManifestFile): boolean {
		return this.#mayMatchSummaries(manifest.partitions);
	}

	/** @param residual of the file's partition */
	mayMatchFile(file: DataFile, residual: BoundExpression): boolean {
		if (residual === this.#filter) return this.#mayMatchMetrics(file);
		return compileInclusiveMetrics(residual)(file);
	}
}
