/** A transaction: actions gathered, then committed as one or given up. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import { type Action, deleteQuietly } from './action.ts';
import { commitActions, type CommitOptions, type CommitResult } from './commit-actions.ts';
import type { Committer, LoadedMetadata } from './committer.ts';

/**
 * - `open`: takes actions
 * - `committing`
 * - `committed`
 * - `failed`: known not to have happened; may be committed again, or rolled back
 * - `unknown`: dead. It may have happened; nothing was deleted and nothing will be
 * - `rolled-back`
 */
export type TransactionState = 'open' | 'committing' | 'committed' | 'failed' | 'unknown' | 'rolled-back';

/** Not safe for use by several callers at once. */
export class TransactionCore {
	readonly committer: Committer;
	/** the table as it was when the transaction began */
	readonly base: LoadedMetadata;
	readonly #options: CommitOptions;
	readonly #actions: Action[] = [];
	readonly #dataFiles = new Set<string>();
	#state: TransactionState = 'open';

	constructor(committer: Committer, base: LoadedMetadata, options: CommitOptions) {
		this.committer = committer;
		this.base = base;
		this.#options = options;
	}

	get state(): TransactionState {
		return this.#state;
	}

	get actionCount(): number {
		return this.#actions.length;
	}

	/** Actions are applied in the order in which they were added. @throws `CLOSED` when the transaction has ended */
	add(action: Action): void {
		this.#requireUsable('take a change');
		this.#actions.push(action);
	}

	/** Files that are being written, or were, for this transaction: a rollback deletes them. */
	trackDataFiles(locations: Iterable<string>): void {
		for (const location of locations) this.#dataFiles.add(location);
	}

	/**
	 * Commits all actions as one.
	 * @throws as `commitActions`. The state tells what can be done then
	 */
	async commit(signal: AbortSignal | undefined = this.#options.signal): Promise<CommitResult> {
		this.#requireUsable('be committed');
		this.#state = 'committing';
		try {
			const { signal: _, ...options } = this.#options;
			const result = await commitActions(this.committer, this.base, this.#actions, {
				...options,
				...(signal === undefined ? {} : { signal }),
			});
			this.#state = 'committed';
			return result;
		} catch (error) {
			this.#state = isIcebergError(error, 'COMMIT_STATE_UNKNOWN') ? 'unknown' : 'failed';
			throw error;
		}
	}

	/**
	 * Gives up what was not committed and deletes its data files. After a commit, a rollback, or an unknown outcome it does
	 * nothing. Files that cannot be deleted stay as garbage.
	 */
	async rollback(): Promise<void> {
		if (this.#state === 'committing')
			throw new IcebergError('INVALID_ARGUMENT', 'the transaction is being committed: it cannot be rolled back');
		if (this.#state !== 'open' && this.#state !== 'failed') return;
		this.#state = 'rolled-back';
		for (const action of this.#actions) await action.abandoned(this.committer.io);
		await deleteQuietly(this.committer.io, this.#dataFiles);
	}

	#requireUsable(what: string): void {
		if (this.#state === 'open' || this.#state === 'failed') return;
		throw new IcebergError('CLOSED', `the transaction is ${this.#state}: it cannot ${what}`, {
			context: { state: this.#state },
		});
	}
}
