/** What a stress test takes, checked. */
import { IcebergError } from '../../errors/iceberg-error.ts';
import type { Contender, Until } from './writer-protocol.ts';

export interface StressOptions {
	/** Folder of the table, which must not be there yet. Default: one in the system's folder for temporary files. */
	readonly location?: string;
	/** writers, a process each. Default 12 */
	readonly processes?: number;
	/** appends of one record by each writer. Default 10,000; without end when `durationMs` is given */
	readonly operations?: number;
	/** Writers stop after this time, ms, if they have not ended before. */
	readonly durationMs?: number;
	/** appends that each writer has under way at once. Default 1 */
	readonly inFlight?: number;
	/** what an append waits for. Default 'committed' */
	readonly until?: Until;
	/** appends of each writer before the start: checked, but not measured. Default 0 */
	readonly warmUp?: number;
	/** Table properties. */
	readonly properties?: Readonly<Record<string, string>>;
	/** Leave the table where it is. Default: it is removed when all is well. */
	readonly keep?: boolean;
	/** The same with plain files, for so long, to compare; ms. 0: not at all. Default 3 seconds */
	readonly compareMs?: number;
	/** Folder into which each process writes profiles of its processor time. */
	readonly cpuProfFolder?: string;
	/** Called ten times a second. */
	readonly onProgress?: (progress: StressProgress) => void;
	readonly signal?: AbortSignal;
}

export interface StressProgress {
	/** what is being done, in words */
	readonly phase: string;
	readonly contender: Contender;
	readonly acknowledged: number;
	/** to be acknowledged in all; undefined without a bound */
	readonly expected: number | undefined;
	readonly failed: number;
	readonly elapsedMs: number;
	/** acknowledged in the last second or so, for each second */
	readonly ratePerSecond: number;
	/** ms */
	readonly p50: number;
	readonly p99: number;
	readonly max: number;
}

/** Most writers: each is a process with a heap of its own. */
export const MAX_PROCESSES = 1_000;
/** Most appends of one writer: two bits of memory each. */
export const MAX_OPERATIONS = 100_000_000;
export const MAX_IN_FLIGHT = 10_000;
/** longest run, ms: a week */
const MAX_DURATION_MS = 7 * 86_400_000;
const DEFAULT_COMPARE_MS = 3_000;

export interface CheckedStressOptions {
	readonly processes: number;
	readonly operations: number;
	readonly durationMs: number | undefined;
	readonly inFlight: number;
	readonly until: Until;
	readonly warmUp: number;
	readonly compareMs: number;
}

/** @throws `INVALID_ARGUMENT` naming the option */
export function checkStressOptions(options: StressOptions): CheckedStressOptions {
	const { durationMs, until = 'committed' } = options;
	if (until !== 'committed' && until !== 'journaled')
		throw new IcebergError('INVALID_ARGUMENT', `until is 'committed' or 'journaled', not '${String(until)}'`);
	return {
		processes: whole('processes', options.processes, 12, 1, MAX_PROCESSES),
		operations: whole(
			'operations',
			options.operations,
			durationMs === undefined ? 10_000 : MAX_OPERATIONS,
			1,
			MAX_OPERATIONS,
		),
		durationMs: durationMs === undefined ? undefined : whole('durationMs', durationMs, 0, 1, MAX_DURATION_MS),
		inFlight: whole('inFlight', options.inFlight, 1, 1, MAX_IN_FLIGHT),
		until,
		warmUp: whole('warmUp', options.warmUp, 0, 0, MAX_OPERATIONS),
		compareMs: whole('compareMs', options.compareMs, DEFAULT_COMPARE_MS, 0, MAX_DURATION_MS),
	};
}

function whole(name: string, value: number | undefined, fallback: number, least: number, most: number): number {
	if (value === undefined) return fallback;
	if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
	throw new IcebergError(
		'INVALID_ARGUMENT',
		`${name} is a whole number from ${least} to ${most}, not ${String(value)}`,
		{
			context: { [name]: value },
		},
	);
}
