import type { DataFile } from '../manifest/types.ts';
import { partitionKey } from '../scan/partition-key.ts';
import type { Summary } from './snapshot-summary.ts';

/** What a snapshot that replaces data files tells of them. Iceberg spec: Optional Snapshot Summary Fields. */
export function replacedFilesSummary(removed: readonly DataFile[], added: readonly DataFile[]): Summary {
	const rows = (files: readonly DataFile[]): string =>
		String(files.reduce((sum, file) => sum + BigInt(file.recordCount), 0n));
	const bytes = (files: readonly DataFile[]): string =>
		String(files.reduce((sum, file) => sum + BigInt(file.fileSizeInBytes), 0n));
	const partitions = new Set([...removed, ...added].map((file) => partitionKey(file.specId, file.partition)));
	return {
		'added-data-files': String(added.length),
		'deleted-data-files': String(removed.length),
		'added-records': rows(added),
		'deleted-records': rows(removed),
		'added-files-size': bytes(added),
		'removed-files-size': bytes(removed),
		'changed-partition-count': String(partitions.size),
	};
}
