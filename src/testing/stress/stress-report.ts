/** What a stress test found. */
import type { VerifyReport } from '../../maintenance/verify-report.ts';
import type { FailedAppend } from './acknowledgements.ts';
import type { RowCheck } from './check-rows.ts';
import type { DiskUsage } from './disk-usage.ts';
import type { AgeingSummary, LatencySummary } from './latencies.ts';
import type { Visibility } from './visibility.ts';
import type { Until } from './writer-protocol.ts';

export interface StressReport {
	/** No acknowledged row is lost, doubled or altered; nothing failed; the table verifies. */
	readonly ok: boolean;
	/** What is not well, in words; empty when `ok`. */
	readonly problems: readonly string[];
	readonly location: string;
	/** whether the table is still there */
	readonly kept: boolean;
	readonly processes: number;
	/** appends of each writer that were asked for; undefined for a run by time */
	readonly operations: number | undefined;
	readonly inFlight: number;
	readonly until: Until;
	readonly appends: AppendSummary;
	readonly check: RowCheck;
	readonly visibility: Visibility;
	readonly table: TableSummary;
	/** undefined when it was not asked for */
	readonly plainFiles: PlainFilesSummary | undefined;
}

export interface AppendSummary {
	readonly elapsedMs: number;
	readonly ratePerSecond: number;
	readonly latencyMs: LatencySummary;
	/** undefined for fewer than 3,000 appends */
	readonly ageing: AgeingSummary | undefined;
	/** longest time between two acknowledgements, of whichever writers, ms */
	readonly longestGapMs: number;
	readonly failureCount: number;
	/** the first ones */
	readonly failures: readonly FailedAppend[];
	/** processor time of all writers, ms for each append */
	readonly cpuMsEach: number;
	/** of the largest writer */
	readonly maxRssBytes: number;
}

export interface TableSummary {
	readonly formatVersion: number;
	readonly snapshotCount: number;
	/** sequence number of the oldest snapshot: 1 when they reach back to the start */
	readonly oldestSequenceNumber: number;
	readonly newestSequenceNumber: number;
	readonly liveDataFileCount: number;
	readonly liveDataBytes: number;
	readonly disk: DiskUsage;
	/** metadata on disk to live data */
	readonly metadataRatio: number;
	/** files that nothing refers to, without any grace */
	readonly unreferencedFileCount: number;
	/** open and read all, best of three, ms */
	readonly readMs: number;
	/** the same rows, appended at once to another table */
	readonly readAtOnceMs: number;
	readonly readRatio: number;
	readonly verify: Pick<VerifyReport, 'ok' | 'problemCount' | 'rowCount'>;
}

export interface PlainFilesSummary {
	readonly elapsedMs: number;
	readonly ratePerSecond: number;
	readonly latencyMs: LatencySummary;
	/** appends that met a half-written file */
	readonly failureCount: number;
	/** undefined when the file is no JSON any more: then all is lost */
	readonly rowCount: number | undefined;
	readonly acknowledgedCount: number;
	readonly lostCount: number;
}

/** What of a report is not as it must be. */
export function problemsOf(report: Pick<StressReport, 'appends' | 'check' | 'table' | 'visibility'>): string[] {
	const { check, appends, table, visibility } = report;
	const problems: string[] = [];
	const tell = (count: number, what: string, examples: readonly string[]): void => {
		if (count === 0) return;
		problems.push(`${count} ${what}: ${examples.join(', ')}${count > examples.length ? ', …' : ''}`);
	};
	tell(check.lost.count, 'acknowledged rows are lost', check.lost.examples);
	tell(check.doubled.count, 'rows are there more than once', check.doubled.examples);
	tell(check.altered.count, 'rows are not as they were appended', check.altered.examples);
	tell(check.foreign.count, 'rows are of no writer', check.foreign.examples);
	tell(check.unacknowledged.count, 'rows are there that nobody was told of', check.unacknowledged.examples);
	const messages = [
		...new Set(appends.failures.map(({ writer, code, message }) => `writer ${writer}: ${code}: ${message}`)),
	];
	tell(appends.failureCount, 'appends failed', messages.slice(0, 3));
	tell(visibility.failureCount, 'reads failed meanwhile', [visibility.firstFailure ?? '']);
	if (!table.verify.ok) problems.push(`verify found ${table.verify.problemCount} problems`);
	return problems;
}
