/** How often and how soon a commit that lost the swap tries again. */
import { commitRetryProperties, type Properties } from '../metadata/table-properties.ts';
import type { BackoffOptions } from '../util/retry.ts';

/**
 * For tables whose swap is a name in a folder. Other engines' defaults (4 retries, waits of 100 ms to a minute) suit a
 * catalog service and few writers. Here an attempt takes milliseconds and many processes may write at once: short
 * waits, jittered from zero, so many that only the total time ends them.
 */
export const FOLDER_TABLE_RETRIES: BackoffOptions = {
	maxRetries: 100_000,
	minWaitMs: 2,
	maxWaitMs: 250,
	totalTimeoutMs: 1_800_000,
};

/** The table's `commit.retry.*`, where set, over the defaults. @throws `INVALID_ARGUMENT` */
export function retryPolicy(properties: Properties, defaults: BackoffOptions): BackoffOptions {
	const set = { ...defaults, ...commitRetryProperties(properties) };
	return { ...set, maxWaitMs: Math.max(set.maxWaitMs, set.minWaitMs) };
}
