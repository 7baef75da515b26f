import type { TableMetadata } from '../spec/table-metadata.ts';
import type { FileIO } from '../io/file-io.ts';
import { selectSnapshot, type SnapshotSelector } from '../table/table-source.ts';
import type { VerifyReport } from './verify-report.ts';
import { type CallOptions, within } from '../util/deadline.ts';

export interface VerifyTableOptions extends SnapshotSelector, CallOptions {
	/** Read every row and hold it against the statistics, bounds and partitions. Default false. */
	readonly deep?: boolean;
	/** files looked at at once. Default 4 */
	readonly concurrency?: number;
	/** Called after each data or delete file, with the number of files so far. */
	readonly onFile?: (fileCount: number) => void;
}

/** What a verification needs of a table; `Table` fits it. */
export interface VerifiableTable {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	refresh(signal?: AbortSignal): Promise<unknown>;
}

/**
 * Verifies the newest state of a table, or an earlier one: opens every file that the snapshot reaches and compares
 * existence, lengths, counts, partition summaries and checksums; with `deep` every row with the statistics that readers
 * trust. Problems are reported, not thrown. A table without a snapshot is sound.
 *
 * @throws `NOT_FOUND` when there is no such snapshot or ref; `INVALID_ARGUMENT`; `ABORTED`; and what loading the newest
 *   metadata throws
 */
export async function verifyTable(table: VerifiableTable, options: VerifyTableOptions = {}): Promise<VerifyReport> {
	const { deep, concurrency, onFile, signal: _, timeoutMs: __, ...selector } = options;
	const call = { name: `verifyTable of ${table.metadata.location}`, effect: 'none' } as const;
	return within(call, options, (signal) => verify(table, { deep, concurrency, onFile }, selector, signal));
}

async function verify(
	table: VerifiableTable,
	{ deep, concurrency, onFile }: { [K in 'deep' | 'concurrency' | 'onFile']: VerifyTableOptions[K] | undefined },
	selector: SnapshotSelector,
	signal: AbortSignal | undefined,
): Promise<VerifyReport> {
	await table.refresh(signal);
	const { metadata } = table;
	const { snapshot } = selectSnapshot(metadata, selector);
	const { verifySnapshot } = await import('./verify.ts');
	return verifySnapshot(table.io, metadata, {
		...(snapshot === undefined ? {} : { snapshot }),
		...(deep === undefined ? {} : { deep }),
		...(concurrency === undefined ? {} : { concurrency }),
		...(onFile === undefined ? {} : { onFile }),
		...(signal === undefined ? {} : { signal }),
	});
}
