import { IcebergError } from '../errors/iceberg-error.ts';
import type { RowInput } from '../spec/row-types.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { currentSchema } from '../spec/table-metadata-lookup.ts';
import { AppendAction } from '../transaction/append.ts';
import { deleteQuietly } from '../transaction/action.ts';
import type { CommitOptions, CommitResult } from '../transaction/commit-actions.ts';
import { snapshotsOfCommit } from '../transaction/commit-id.ts';
import { SetPropertiesAction } from '../transaction/set-properties.ts';
import type { TransactionCore } from '../transaction/transaction.ts';
import type { LoadedMetadata } from '../transaction/committer.ts';
import { UpgradeFormatAction } from '../transaction/upgrade-format.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { type CallOptions, within } from '../util/deadline.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';
import { writeDataFiles } from '../write/data-writer.ts';
import { checkWriteProperties } from '../write/write-properties.ts';
import { type AppendInput, type AppendOptions, batchesOf } from './append-input.ts';
import { checkOptions } from './check-options.ts';
import type { TransactionResult } from './results.ts';

export interface TransactionOptions {
	/**
	 * `merge` (default): manifests are merged when there are many, so that the table stays quick to plan. `fast`: each append
	 * only adds a manifest.
	 */
	readonly append?: 'merge' | 'fast';
	/** added to the summary of the snapshots */
	readonly summary?: Readonly<Record<string, string>>;
}

/**
 * Several changes that become visible together, or not at all. Rows are written to files at once by {@link appendData};
 * nothing of them is in the table until {@link commit} resolves.
 *
 * When `commit` rejects with `COMMIT_CONFLICT` or `STORAGE`, the transaction can be committed again or rolled back. After
 * `COMMIT_STATE_UNKNOWN` it is over, and nothing was deleted. Leaving an `await using` block rolls back what was not committed.
 */
export class TableTransaction<In = RowInput> implements AsyncDisposable {
	readonly #core: TransactionCore;
	readonly #random: Random;
	readonly #onCommitted: (loaded: LoadedMetadata) => void;
	readonly #options: TransactionOptions;
	readonly #clock: Clock;
	readonly #processes: Processes | undefined;
	#rowCount = 0;
	#writing = 0;
	#committing: Promise<unknown> | undefined;

	/** Not for users: transactions come from `table.newTransaction()`. */
	constructor(
		core: TransactionCore,
		{ clock, random, processes }: Pick<CommitOptions, 'clock' | 'random' | 'processes'>,
		onCommitted: (loaded: LoadedMetadata) => void,
		options: TransactionOptions,
	) {
		this.#core = core;
		this.#clock = clock;
		this.#random = random;
		this.#processes = processes;
		this.#onCommitted = onCommitted;
		this.#options = options;
	}

	/** True while it takes changes: it is neither committed nor rolled back, and its outcome is not unknown. */
	get isOpen(): boolean {
		return this.#core.state === 'open' || this.#core.state === 'failed';
	}

	/**
	 * Writes rows to data files that the commit will add. Each call that brings rows becomes a snapshot of its own.
	 * @returns the number of rows
	 * @throws `INVALID_DATA` naming row, column and value: none of this call's rows is kept, earlier calls stand;
	 *   `INVALID_ARGUMENT` for something that holds no rows; `CLOSED`
	 */
	async appendData(data: AppendInput<In>, options: AppendOptions = {}): Promise<number> {
		this.#assertOpen();
		checkOptions('appendData', options, ['summary', 'signal', 'timeoutMs']);
		const call = { name: `appendData to ${this.#location}`, effect: 'none', clock: this.#clock } as const;
		return within(call, options, (signal) => this.#appendData(data, options, signal));
	}

	async #appendData(data: AppendInput<In>, options: AppendOptions, signal: AbortSignal | undefined): Promise<number> {
		const { committer, base } = this.#core;
		this.#writing += 1;
		try {
			const { files, rowCount } = await writeDataFiles(batchesOf(currentSchema(base.metadata), data, signal), {
				io: committer.io,
				metadata: base.metadata,
				random: this.#random,
				processes: this.#processes,
				...(signal === undefined ? {} : { signal }),
			});
			if (files.length === 0) return 0;
			const locations = files.map((file) => file.location);
			if (!this.isOpen || signal?.aborted === true) {
				await deleteQuietly(committer.io, locations);
				throwIfAborted(signal);
				this.#assertOpen();
			}
			this.#core.trackDataFiles(locations);
			const append = new AppendAction({
				manifests: this.#options.append ?? 'merge',
				summary: { ...this.#options.summary, ...options.summary },
			});
			for (const file of files) append.addFile(file);
			this.#core.add(append);
			this.#rowCount += rowCount;
			return rowCount;
		} finally {
			this.#writing -= 1;
		}
	}

	/** Sets table properties. @throws `INVALID_ARGUMENT` naming property and value; `CLOSED` */
	setProperties(properties: Readonly<Record<string, string>>): this {
		const action = new SetPropertiesAction(properties);
		checkWriteProperties(properties, currentSchema(this.#core.base.metadata));
		this.#core.add(action);
		return this;
	}

	/** Removes table properties; names that are not set are passed over. @throws `CLOSED` */
	removeProperties(...names: readonly string[]): this {
		this.#core.add(new SetPropertiesAction({}, names));
		return this;
	}

	/** Raises the format version; the commit refuses a lower one. Iceberg spec: Format Versioning. @throws `UNSUPPORTED`, `CLOSED` */
	upgradeFormatVersion(formatVersion: FormatVersion): this {
		this.#core.add(new UpgradeFormatAction(formatVersion));
		return this;
	}

	/**
	 * Makes all changes visible at once. Other commits in between are no obstacle: the changes are applied anew to the
	 * table as it then is, without writing rows again.
	 *
	 * @throws `COMMIT_CONFLICT` when others won each time, `COMMIT_STATE_UNKNOWN`, `VALIDATION_FAILED`, `STORAGE`, `CLOSED`;
	 *   `ABORTED`, where `context.mayBeCommitted` tells whether the transaction can be committed again (false), or whether to
	 *   look first
	 */
	async commit(options: CallOptions = {}): Promise<TransactionResult> {
		this.#assertOpen();
		checkOptions('commit', options, ['signal', 'timeoutMs']);
		if (this.#writing > 0) {
			throw new IcebergError('INVALID_ARGUMENT', 'await each appendData before commit: one is still writing');
		}
		const call = { name: `commit to ${this.#location}`, effect: 'commit', clock: this.#clock } as const;
		const result = await within(call, options, (signal) => {
			const committing = this.#commit(signal);
			this.#committing = committing;
			return committing;
		});
		return {
			committed: result.committed,
			appendedRowCount: this.#rowCount,
			snapshot: snapshotsOfCommit(result.loaded.metadata, result.commitId).at(-1),
			metadataLocation: result.loaded.metadataLocation,
		};
	}

	async #commit(signal: AbortSignal | undefined): Promise<CommitResult> {
		const result = await this.#core.commit(signal);
		this.#onCommitted(result.loaded);
		return result;
	}

	/**
	 * Gives up: deletes the files that were written. Does nothing when the transaction is over. A commit that was left at
	 * its deadline is waited for.
	 */
	async rollback(): Promise<void> {
		if (this.#core.state === 'committing') await this.#committing?.catch(() => undefined);
		await this.#core.rollback();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.rollback();
	}

	get #location(): string {
		return this.#core.base.metadata.location;
	}

	#assertOpen(): void {
		if (this.isOpen) return;
		throw new IcebergError('CLOSED', `the transaction is ${this.#core.state}; start a new one`, {
			context: { state: this.#core.state },
		});
	}
}
