/** Column metrics apart from the manifest that they came from. */
import type { DataFile } from './types.ts';

const METRICS = [
	'columnSizes',
	'valueCounts',
	'nullValueCounts',
	'nanValueCounts',
	'lowerBounds',
	'upperBounds',
] as const satisfies readonly (keyof DataFile)[];

/**
 * A copy of a file that holds on to none of its manifest's bytes: metrics of the wanted fields become plain `Map`s, the
 * rest is left out. For files that are kept longer than the manifest's entries, or sent to a worker.
 */
export function detachMetrics(file: DataFile, metricsFor: ReadonlySet<number> | 'all' | 'none'): DataFile {
	const copy: { -readonly [K in keyof DataFile]: DataFile[K] } = { ...file };
	for (const key of METRICS) {
		const metrics: ReadonlyMap<number, unknown> | undefined = file[key];
		delete copy[key];
		if (metrics === undefined || metricsFor === 'none') continue;
		const selected = new Map<number, unknown>();
		for (const [id, value] of metrics) if (metricsFor === 'all' || metricsFor.has(id)) selected.set(id, value);
		Object.assign(copy, { [key]: selected });
	}
	return copy;
}
