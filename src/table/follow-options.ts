/** Where a follow begins, and what it gives. */
import type { RowOutputOptions } from '../column/rows-out.ts';
import { describeValue } from '../column/invalid-value.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { CallOptions } from '../util/deadline.ts';
import { CALL_KEYS, checkOptions, checkScanOptions } from './check-options.ts';
import type { ScanOptions } from './scan-options.ts';
import { snapshotIdFrom } from './table-source.ts';

/**
 * How far a table has been followed: all rows of the commits up to this one have been given, no others. It outlives
 * snapshots: what it tells stays true when they are thinned, expired or compacted. Kept as JSON (`stringifyJson`), it can
 * be given back as it is.
 */
export interface FollowPosition {
	/** of the newest commit whose rows have all been given; 0n before the first, and in tables of format v1 */
	readonly sequenceNumber: bigint;
	/** of the snapshot that was looked at, where the position is that snapshot's; needed for tables of format v1 */
	readonly snapshotId?: bigint;
	/** rows of the table at that snapshot: by it a later follow proves that none was missed where snapshots are gone */
	readonly totalRecords?: bigint;
}

type Id = bigint | number | string;

/**
 * Where a follow begins:
 * - `now`: with what is committed after the call
 * - `start`: with all rows of the oldest state from which on the table still has every snapshot
 * - a snapshot's id, or `{ snapshotId }`: with what was appended after that snapshot, which the table must still have
 * - a {@link FollowPosition}: with what was appended after it
 * - `{ lastRows }`: with the last rows that are there, then with what is committed after the call
 */
export type FollowStart =
	| 'now'
	| 'start'
	| bigint
	| { readonly snapshotId: Id }
	| { readonly sequenceNumber: Id; readonly snapshotId?: Id; readonly totalRecords?: Id }
	| { readonly lastRows: number };

export interface FollowOptions
	extends RowOutputOptions,
		CallOptions,
		Pick<ScanOptions, 'select' | 'where' | 'caseSensitive'> {
	/** Default `now`. */
	readonly from?: FollowStart;
	/** `now`: ends when it has given what was there at the first look. Default: goes on until it is stopped. */
	readonly until?: 'now';
	/**
	 * What to do at a snapshot that changed or removed rows, rather than appending some: `fail` (default) with
	 * `VALIDATION_FAILED` once all rows before it have been given; or `skip` it. Rows that were removed before they could be
	 * given are not given then.
	 */
	readonly onChange?: 'fail' | 'skip';
	/**
	 * How often to look, ms. Default: whenever the storage tells of a change, and once a second; every
	 * {@link DEFAULT_POLL_INTERVAL_MS} where it tells of none.
	 */
	readonly pollIntervalMs?: number;
}

/** How often a table is looked at whose storage does not tell of changes, ms. */
export const DEFAULT_POLL_INTERVAL_MS = 50;
/** Most rows that `lastRows` takes: they are held in memory. */
export const LAST_ROWS_LIMIT = 1_000_000;

/** A start as the follow uses it. */
export type StartPoint =
	| { readonly kind: 'now' | 'start' }
	| { readonly kind: 'snapshot'; readonly snapshotId: bigint }
	| { readonly kind: 'position'; readonly position: FollowPosition }
	| { readonly kind: 'last'; readonly rows: number };

const KEYS: readonly (keyof FollowOptions)[] = [
	'from',
	'until',
	'onChange',
	'pollIntervalMs',
	'select',
	'where',
	'caseSensitive',
	'longs',
	'timestamps',
	...CALL_KEYS,
];

/** @throws `INVALID_ARGUMENT` naming the option and its value */
export function checkFollowOptions(options: FollowOptions): StartPoint {
	checkOptions('a follow', options, KEYS);
	const { from = 'now', until, onChange, pollIntervalMs, ...scan } = options;
	checkScanOptions(scan);
	if (until !== undefined && until !== 'now') throw refused('until', until, "'now'");
	if (onChange !== undefined && onChange !== 'fail' && onChange !== 'skip')
		throw refused('onChange', onChange, "'fail' or 'skip'");
	if (pollIntervalMs !== undefined && !(Number.isSafeInteger(pollIntervalMs) && pollIntervalMs > 0))
		throw refused('pollIntervalMs', pollIntervalMs, 'a whole number of milliseconds from 1 up');
	return startPoint(from);
}

function startPoint(from: FollowStart): StartPoint {
	if (from === 'now' || from === 'start') return { kind: from };
	if (typeof from === 'bigint') return { kind: 'snapshot', snapshotId: from };
	if (typeof from !== 'object' || from === null) throw refusedStart(from);
	if ('lastRows' in from) {
		checkOptions('from', from, ['lastRows']);
		const { lastRows } = from;
		if (Number.isSafeInteger(lastRows) && lastRows >= 0 && lastRows <= LAST_ROWS_LIMIT)
			return { kind: 'last', rows: lastRows };
		throw refused('from.lastRows', lastRows, `a whole number from 0 to ${LAST_ROWS_LIMIT}`);
	}
	checkOptions('from', from, ['sequenceNumber', 'snapshotId', 'totalRecords']);
	const { snapshotId } = from;
	if (!('sequenceNumber' in from)) {
		if (snapshotId === undefined) throw refusedStart(from);
		return { kind: 'snapshot', snapshotId: snapshotIdFrom(snapshotId) };
	}
	return {
		kind: 'position',
		position: {
			sequenceNumber: countFrom('from.sequenceNumber', from.sequenceNumber),
			...(snapshotId === undefined ? {} : { snapshotId: snapshotIdFrom(snapshotId) }),
			...(from.totalRecords === undefined ? {} : { totalRecords: countFrom('from.totalRecords', from.totalRecords) }),
		},
	};
}

function countFrom(option: string, value: unknown): bigint {
	if (typeof value === 'bigint' && value >= 0n) return value;
	if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
	if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return BigInt(value);
	throw refused(option, value, 'a bigint from 0 up, or its digits as text');
}

function refusedStart(from: unknown): IcebergError {
	return refused(
		'from',
		from,
		"'now', 'start', a snapshot id as bigint, { snapshotId }, { lastRows } or a position { sequenceNumber, … }",
	);
}

function refused(option: string, value: unknown, expected: string): IcebergError {
	return new IcebergError('INVALID_ARGUMENT', `${option} is ${expected}, not ${describeValue(value)}`, {
		context: { option, value: describeValue(value) },
	});
}
