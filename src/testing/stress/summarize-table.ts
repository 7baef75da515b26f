/** What a stress test left: how large the table is, how quickly it is read, whether it is sound. */
import { rm } from 'node:fs/promises';
import { createTable, loadTable } from '../../catalog/open-table.ts';
import { removeOrphans } from '../../maintenance/tasks.ts';
import { verifyTable } from '../../maintenance/verify-table.ts';
import { systemClock } from '../../util/system-ports.ts';
import { diskUsage } from './disk-usage.ts';
import type { TableSummary } from './stress-report.ts';
import { taskLogSchema, type TaskRow } from './task-log.ts';

/** Reads of each table, of which the best counts. */
const READS = 3;

/**
 * Sums a table up.
 * @param atOnce folder for a table of the same rows that are appended at once, to compare; it is removed again
 */
export async function summarizeTable(
	location: string,
	atOnce: string,
	signal: AbortSignal | undefined,
): Promise<TableSummary> {
	const signalled = signal === undefined ? {} : { signal };
	await using table = await loadTable<TaskRow, TaskRow>(location, signalled);
	const snapshots = await table.snapshots();
	const files = await table.dataFiles();
	const liveDataBytes = files.reduce((sum, file) => sum + Number(file.fileSizeInBytes), 0);
	const disk = await diskUsage(location);
	const unreferenced = await removeOrphans(table, {
		olderThanMs: 0,
		graceMs: 0,
		force: true,
		dryRun: true,
		...signalled,
	});
	const { ok, problemCount, rowCount } = await verifyTable(table, { deep: true, ...signalled });
	try {
		{
			await using copy = await createTable<TaskRow, TaskRow>(atOnce, taskLogSchema);
			await copy.append(table.scan(signalled), signalled);
		}
		const best = { readMs: Number.POSITIVE_INFINITY, readAtOnceMs: Number.POSITIVE_INFINITY };
		for (let i = 0; i < READS; i++) {
			best.readMs = Math.min(best.readMs, await readMs(location));
			best.readAtOnceMs = Math.min(best.readAtOnceMs, await readMs(atOnce));
		}
		return {
			formatVersion: table.formatVersion,
			snapshotCount: snapshots.length,
			oldestSequenceNumber: Number(snapshots[0]?.sequenceNumber ?? 0n),
			newestSequenceNumber: Number(snapshots.at(-1)?.sequenceNumber ?? 0n),
			liveDataFileCount: files.length,
			liveDataBytes,
			disk,
			metadataRatio: liveDataBytes === 0 ? 0 : disk.metadata.sizeBytes / liveDataBytes,
			unreferencedFileCount: unreferenced.fileCount,
			...best,
			readRatio: best.readMs / best.readAtOnceMs,
			verify: { ok, problemCount, rowCount },
		};
	} finally {
		await rm(atOnce, { recursive: true, force: true });
	}
}

/** Opens a table anew and reads all its rows. */
async function readMs(location: string): Promise<number> {
	const startedMs = systemClock.monotonicMs();
	await using table = await loadTable(location);
	for await (const _ of table.scan().rowChunks());
	return systemClock.monotonicMs() - startedMs;
}
