/** What a plan looked at and what it could leave out. */

export interface ManifestCounts {
	/** in the snapshot */
	readonly total: number;
	/** without live files */
	readonly skippedEmpty: number;
	/** ruled out by their partition summaries */
	readonly skippedByPartition: number;
}

/** Counts of one plan, complete once its tasks have all been taken. */
export interface PlanReport {
	readonly dataManifests: ManifestCounts;
	readonly deleteManifests: ManifestCounts;
	/** live data files in the manifests that were read */
	readonly dataFiles: {
		readonly read: number;
		readonly planned: number;
		/** ruled out by their partition values */
		readonly skippedByPartition: number;
		/** ruled out by their column metrics */
		readonly skippedByMetrics: number;
	};
	/** live delete files in the manifests that were read */
	readonly deleteFiles: {
		readonly read: number;
		/** kept because they may apply to files of the plan */
		readonly indexed: number;
	};
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };
export type PlanCounters = Mutable<PlanReport>;

export function newPlanCounters(): PlanCounters {
	return {
		dataManifests: { total: 0, skippedEmpty: 0, skippedByPartition: 0 },
		deleteManifests: { total: 0, skippedEmpty: 0, skippedByPartition: 0 },
		dataFiles: { read: 0, planned: 0, skippedByPartition: 0, skippedByMetrics: 0 },
		deleteFiles: { read: 0, indexed: 0 },
	};
}
