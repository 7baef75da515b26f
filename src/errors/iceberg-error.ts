/**
 * Error codes. Each one tells a caller to act differently; messages are for people and free to change.
 *
 * | code | meaning | what to do |
 * | --- | --- | --- |
 * | `INVALID_ARGUMENT` | a call's arguments are wrong | mend the call |
 * | `INVALID_SCHEMA` | a schema, partition spec or sort order that breaks a rule | mend the definition |
 * | `INVALID_DATA` | a value that does not fit its column; nothing of the batch was written | mend the row |
 * | `INVALID_FILTER` | a predicate that cannot be parsed or bound | mend the predicate |
 * | `NOT_FOUND` | a file, table, snapshot or ref that does not exist | check the name |
 * | `ALREADY_EXISTS` | a table or file where a new one was to be | choose another place |
 * | `NOT_A_TABLE` | the location holds no table | check the location |
 * | `CORRUPT` | bytes that are not what their format says | restore the file |
 * | `UNSUPPORTED` | valid, but not something that this version can do | use another engine or a newer version |
 * | `COMMIT_CONFLICT` | another commit won, and retrying did not help | refresh and try again |
 * | `COMMIT_STATE_UNKNOWN` | the commit may or may not have happened; nothing was deleted | look before repeating |
 * | `VALIDATION_FAILED` | the commit's conditions no longer hold | decide anew |
 * | `PERMISSION_DENIED` | the system refused access | change permissions |
 * | `STORAGE` | any other fault of the storage | look at `cause`; try again if `retryable` |
 * | `ABORTED` | the caller's `AbortSignal` or deadline ended the call | |
 * | `CLOSED` | used after it was closed | open it again |
 * | `LIMIT_EXCEEDED` | a named limit was reached | raise the limit or ask for less |
 */
export type IcebergErrorCode =
	| 'INVALID_ARGUMENT'
	| 'INVALID_SCHEMA'
	| 'INVALID_DATA'
	| 'INVALID_FILTER'
	| 'NOT_FOUND'
	| 'ALREADY_EXISTS'
	| 'NOT_A_TABLE'
	| 'CORRUPT'
	| 'UNSUPPORTED'
	| 'COMMIT_CONFLICT'
	| 'COMMIT_STATE_UNKNOWN'
	| 'VALIDATION_FAILED'
	| 'PERMISSION_DENIED'
	| 'STORAGE'
	| 'ABORTED'
	| 'CLOSED'
	| 'LIMIT_EXCEEDED';

export interface IcebergErrorOptions {
	/** Facts for programs: location, row, column, value, … Values are JSON-like or `bigint`. */
	readonly context?: Readonly<Record<string, unknown>>;
	/** True when the same call may succeed later without a change by the caller. Default false. */
	readonly retryable?: boolean;
	readonly cause?: unknown;
}

/** The only error class that this package throws on purpose. */
export class IcebergError extends Error {
	override readonly name = 'IcebergError';
	readonly code: IcebergErrorCode;
	readonly retryable: boolean;
	readonly context: Readonly<Record<string, unknown>>;

	constructor(code: IcebergErrorCode, message: string, options: IcebergErrorOptions = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.code = code;
		this.retryable = options.retryable ?? false;
		this.context = options.context ?? {};
	}
}

/** True for an `IcebergError`, optionally of one of the given codes. */
export function isIcebergError(error: unknown, ...codes: IcebergErrorCode[]): error is IcebergError {
	return error instanceof IcebergError && (codes.length === 0 || codes.includes(error.code));
}
