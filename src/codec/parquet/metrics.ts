/**
 * Column metrics of a data file from its finished column chunks, as Iceberg's manifests carry them. Iceberg spec: Data
 * File Fields. Leaves under lists and maps have a size only, as in Iceberg's Java implementation.
 */
import type { MetricsMode, ParquetWriteResult } from './api.ts';
import { lowerBound, type StatisticComparator, statisticComparator, upperBound } from './encode-statistics.ts';
import type { WriteLeaf } from './schema-mapping.ts';
import type { FinishedChunk } from './writer-column.ts';

/** Iceberg: `write.metadata.metrics.default`. */
export const DEFAULT_METRICS_MODE: MetricsMode = { truncate: 16 };

export type ColumnMetrics = Pick<
	ParquetWriteResult,
	'columnSizes' | 'valueCounts' | 'nullValueCounts' | 'nanValueCounts' | 'lowerBounds' | 'upperBounds'
>;

/** Sums over the row groups of a file. */
export class MetricsCollector {
	readonly #leaves: LeafMetrics[];

	constructor(leaves: readonly WriteLeaf[], modeOf: (fieldId: number) => MetricsMode) {
		this.#leaves = leaves.map((leaf) => {
			const fieldId = leaf.fieldId ?? leaf.variantFieldId;
			return {
				leaf,
				fieldId,
				mode: fieldId === undefined ? 'none' : modeOf(fieldId),
				compare: statisticComparator(leaf),
				sizeBytes: 0,
				valueCount: 0,
				nullCount: 0,
				nanCount: 0,
				min: undefined,
				max: undefined,
			};
		});
	}

	/** Chunks come in any order of leaves, each leaf's once a row group. */
	add(leafIndex: number, chunk: FinishedChunk): void {
		const m = this.#leaves[leafIndex] as LeafMetrics;
		m.sizeBytes += chunk.compressedSizeBytes;
		m.valueCount += chunk.valueCount;
		m.nullCount += chunk.nullCount;
		m.nanCount += chunk.nanCount;
		const { min, max } = chunk;
		if (min !== undefined && (m.min === undefined || m.compare(min, m.min) < 0)) m.min = min;
		if (max !== undefined && (m.max === undefined || m.compare(max, m.max) > 0)) m.max = max;
	}

	result(): ColumnMetrics {
		const columnSizes = new Map<number, number>();
		const valueCounts = new Map<number, number>();
		const nullValueCounts = new Map<number, number>();
		const nanValueCounts = new Map<number, number>();
		const lowerBounds = new Map<number, Uint8Array>();
		const upperBounds = new Map<number, Uint8Array>();
		for (const { leaf, fieldId, mode, ...m } of this.#leaves) {
			if (fieldId === undefined || mode === 'none') continue;
			if (leaf.fieldId !== undefined) columnSizes.set(fieldId, m.sizeBytes);
			if (leaf.maxRepetitionLevel > 0) continue;
			valueCounts.set(fieldId, m.valueCount);
			nullValueCounts.set(fieldId, m.nullCount);
			if (leaf.order === 'float') nanValueCounts.set(fieldId, m.nanCount);
			const lower = m.min === undefined ? undefined : lowerBound(leaf, m.min, mode);
			const upper = m.max === undefined ? undefined : upperBound(leaf, m.max, mode);
			if (lower !== undefined) lowerBounds.set(fieldId, lower);
			if (upper !== undefined) upperBounds.set(fieldId, upper);
		}
		return { columnSizes, valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds };
	}
}

interface LeafMetrics {
	readonly leaf: WriteLeaf;
	readonly fieldId: number | undefined;
	readonly mode: MetricsMode;
	readonly compare: StatisticComparator;
	sizeBytes: number;
	valueCount: number;
	nullCount: number;
	nanCount: number;
	min: Uint8Array | undefined;
	max: Uint8Array | undefined;
}
