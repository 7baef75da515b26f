/** What a stress test and its writers, processes of their own, say to each other: JSON, a line each. */
import { IcebergError } from '../../errors/iceberg-error.ts';

/** What is appended to: a table, or, to compare, a JSON file that each append reads, changes and writes. */
export type Contender = 'table' | 'plain-files';
export type Until = 'committed' | 'journaled';

export interface WriterSettings {
	readonly contender: Contender;
	/** of the table, or the JSON file */
	readonly location: string;
	/** distinct for each process, also for one that stands in for another that was killed */
	readonly writer: number;
	/** most appends */
	readonly operations: number;
	/** appends before the start; their rows are checked, but they are not measured */
	readonly warmUp: number;
	/** appends at once */
	readonly inFlight: number;
	readonly until: Until;
	/** Tell of each append at once: what was told outlives the process. Otherwise ten times a second, which costs less. */
	readonly eager: boolean;
	/** go on after an append that failed; otherwise the writer ends */
	readonly persistent: boolean;
	/** rest after each append, ms; default none */
	readonly pauseMs?: number;
}

/** Number of an append, when it was acknowledged (ms since 1970), how long it took (ms). */
export type ToldAppend = readonly [operation: number, atMs: number, tookMs: number];

/** From a writer. The start, and the end of its standard input, which tells it to stop, are all that it is told. */
export type WriterMessage =
	| { readonly kind: 'ready'; readonly warmUp: readonly number[] }
	| { readonly kind: 'appended'; readonly appends: readonly ToldAppend[] }
	| { readonly kind: 'failed'; readonly operation: number; readonly code: string; readonly message: string }
	| { readonly kind: 'end'; readonly cpuMs: number; readonly maxRssBytes: number };

/** @throws `INVALID_ARGUMENT` for what no stress test says */
export function writerSettings(text: string): WriterSettings {
	const settings = parsed(text) as Partial<WriterSettings> | undefined;
	const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
	if (
		typeof settings?.location === 'string' &&
		(settings.contender === 'table' || settings.contender === 'plain-files') &&
		isCount(settings.writer) &&
		isCount(settings.operations) &&
		isCount(settings.warmUp) &&
		isCount(settings.inFlight)
	)
		return settings as WriterSettings;
	throw new IcebergError('INVALID_ARGUMENT', 'a writer of the stress test is started by the stress test only');
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
