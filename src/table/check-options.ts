/** Options of programs that no compiler checks: a misspelt one must not be passed over in silence. */
import { nearNames } from '../column/near-names.ts';
import { describeValue } from '../column/invalid-value.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import { type CallOptions, checkCallOptions } from '../util/deadline.ts';
import type { AppendOnceOptions } from './append-input.ts';
import type { ScanOptions } from './scan-options.ts';
import type { StateReadOptions } from './table-source.ts';

export const CALL_KEYS: readonly (keyof CallOptions)[] = ['signal', 'timeoutMs'];
export const STATE_READ_KEYS: readonly (keyof StateReadOptions)[] = ['snapshotId', 'asOfMs', 'ref', ...CALL_KEYS];

/** @throws `INVALID_ARGUMENT` for what is no object, and for a key that is none of `known`, with those that are near */
export function checkOptions(what: string, options: unknown, known: readonly string[]): void {
	if (typeof options !== 'object' || options === null || Array.isArray(options)) {
		throw new IcebergError('INVALID_ARGUMENT', `${what} takes its options as an object, not ${describeValue(options)}`);
	}
	for (const option of Object.keys(options)) {
		if (known.includes(option)) continue;
		throw new IcebergError('INVALID_ARGUMENT', `${what} has no option '${option}'${nearNames(option, known)}`, {
			context: { option },
		});
	}
}

const APPEND_KEYS: readonly (keyof AppendOnceOptions)[] = ['summary', 'idempotencyKey', 'until', ...CALL_KEYS];

/** @throws `INVALID_ARGUMENT` naming the option and its value */
export function checkAppendOptions(options: AppendOnceOptions): void {
	checkOptions('append', options, APPEND_KEYS);
	const { until, summary } = options;
	if (until !== undefined && until !== 'committed' && until !== 'journaled')
		throw new IcebergError('INVALID_ARGUMENT', `until is 'committed' or 'journaled', not ${describeValue(until)}`, {
			context: { option: 'until', value: describeValue(until) },
		});
	if (until === 'journaled' && summary !== undefined)
		throw new IcebergError(
			'INVALID_ARGUMENT',
			"a summary belongs to a snapshot of the append's own: it cannot be given with until: 'journaled'",
			{ context: { option: 'summary' } },
		);
}

const SCAN_KEYS: readonly (keyof ScanOptions)[] = [
	'select',
	'where',
	'limit',
	'snapshotId',
	'asOfMs',
	'ref',
	'longs',
	'timestamps',
	'caseSensitive',
	...CALL_KEYS,
];

/** @throws `INVALID_ARGUMENT` naming the option and its value; names of columns and snapshots are looked up later */
export function checkScanOptions(options: ScanOptions): void {
	checkOptions('a scan', options, SCAN_KEYS);
	checkCallOptions(options);
	const { select, where, limit, longs, timestamps, caseSensitive } = options as { [K in keyof ScanOptions]: unknown };
	const refuse = (option: string, value: unknown, expected: string): never => {
		throw new IcebergError('INVALID_ARGUMENT', `${option} is ${expected}, not ${describeValue(value)}`, {
			context: { option, value: describeValue(value) },
		});
	};
	if (select !== undefined && !(Array.isArray(select) && select.every((name) => typeof name === 'string')))
		refuse('select', select, "an array of column names such as ['id', 'place.city']");
	if (where !== undefined && typeof where !== 'string' && typeof (where as { op?: unknown } | null)?.op !== 'string')
		refuse('where', where, "a text such as 'id > 5' or a predicate such as gt('id', 5)");
	if (limit !== undefined && !(Number.isInteger(limit) && (limit as number) >= 0))
		refuse('limit', limit, 'a whole number from 0 up');
	if (longs !== undefined && longs !== 'bigint' && longs !== 'number') refuse('longs', longs, "'bigint' or 'number'");
	if (timestamps !== undefined && timestamps !== 'string' && timestamps !== 'date' && timestamps !== 'bigint')
		refuse('timestamps', timestamps, "'string', 'date' or 'bigint'");
	if (caseSensitive !== undefined && typeof caseSensitive !== 'boolean')
		refuse('caseSensitive', caseSensitive, 'true or false');
}
