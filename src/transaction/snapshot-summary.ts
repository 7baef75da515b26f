/** The summary of a snapshot. Iceberg spec: Optional Snapshot Summary Fields. */
import type { DataFile } from '../manifest/types.ts';
import { partitionPath } from '../spec/partition-path.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { StructType } from '../spec/types.ts';
import { VERSION } from '../util/version.ts';

export type Summary = Readonly<Record<string, string>>;

/** Which engine made a snapshot. Iceberg spec: Optional Snapshot Summary Fields, `engine-name`. */
export const ENGINE_SUMMARY: Summary = { 'engine-name': 'datashard', 'engine-version': VERSION };

/** What changed, counted: in the whole, or in one partition. */
class FileCounts {
	dataFiles = 0;
	records = 0n;
	sizeBytes = 0n;

	add(file: DataFile): void {
		this.dataFiles++;
		this.records += BigInt(file.recordCount);
		this.sizeBytes += BigInt(file.fileSizeInBytes);
	}

	/** Counts of zero are left out, as other engines do. */
	entries(): [string, string][] {
		const counts: [string, bigint][] = [
			['added-data-files', BigInt(this.dataFiles)],
			['added-records', this.records],
			['added-files-size', this.sizeBytes],
		];
		return counts.filter(([, count]) => count > 0n).map(([name, count]) => [name, String(count)]);
	}
}

/** Counts the data files that a snapshot adds. */
export class AddedFilesSummary {
	readonly #whole = new FileCounts();
	readonly #partitions = new Map<string, FileCounts>();

	/** @param type the spec's partition type */
	add(file: DataFile, spec: PartitionSpec, type: StructType): void {
		this.#whole.add(file);
		const path = partitionPath(spec, type, file.partition);
		let counts = this.#partitions.get(path);
		if (counts === undefined) this.#partitions.set(path, (counts = new FileCounts()));
		counts.add(file);
	}

	/** @param partitionLimit most changed partitions for which each one's counts are told */
	build(partitionLimit: number): Summary {
		const summary: Record<string, string> = Object.fromEntries(this.#whole.entries());
		summary['changed-partition-count'] = String(this.#partitions.size);
		if (this.#partitions.size === 0 || this.#partitions.size > partitionLimit) return summary;
		summary['partition-summaries-included'] = 'true';
		for (const [path, counts] of this.#partitions) {
			if (path === '') continue;
			summary[`partitions.${path}`] = counts
				.entries()
				.map(([name, count]) => `${name}=${count}`)
				.join(',');
		}
		return summary;
	}
}

/** total, what adds to it, what takes from it */
const TOTALS: readonly (readonly [total: string, added: string, removed: string])[] = [
	['total-records', 'added-records', 'deleted-records'],
	['total-files-size', 'added-files-size', 'removed-files-size'],
	['total-data-files', 'added-data-files', 'deleted-data-files'],
	['total-delete-files', 'added-delete-files', 'removed-delete-files'],
	['total-position-deletes', 'added-position-deletes', 'removed-position-deletes'],
	['total-equality-deletes', 'added-equality-deletes', 'removed-equality-deletes'],
];

/**
 * The totals after a change. A total that the parent does not tell, or that would be wrong, is left out.
 * @param parent summary of the snapshot before; `undefined` when there is none, so that totals start at 0
 */
export function totals(parent: Summary | undefined, changes: Summary): Summary {
	const result: Record<string, string> = {};
	for (const [total, added, removed] of TOTALS) {
		const before = parent === undefined ? 0n : count(parent[total]);
		if (before === undefined) continue;
		const after = before + (count(changes[added]) ?? 0n) - (count(changes[removed]) ?? 0n);
		if (after >= 0n) result[total] = String(after);
	}
	return result;
}

function count(text: string | undefined): bigint | undefined {
	return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}
