/** The commit: actions applied, swapped, and applied again where somebody else was first. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import { joinLocation, withoutTrailingSlash } from '../io/location.ts';
import { applyUpdates } from '../metadata/reduce.ts';
import { checkRequirements } from '../metadata/requirements.ts';
import { TABLE_PROPERTY, textProperty } from '../metadata/table-properties.ts';
import type { TableRequirement, TableUpdate } from '../metadata/table-update.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';
import { Backoff, type BackoffOptions } from '../util/retry.ts';
import { systemProcesses } from '../util/system-processes.ts';
import { randomUuid } from '../util/uuid.ts';
import type { Action } from './action.ts';
import { historyHasCommit } from './commit-id.ts';
import type { Committer, LoadedMetadata, SwapOutcome, SwapRequest } from './committer.ts';
import { FOLDER_TABLE_RETRIES, retryPolicy } from './retry-policy.ts';

export interface CommitOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** Default: this system's. */
	readonly processes?: Processes | undefined;
	/** used where the table's properties do not say. Default {@link FOLDER_TABLE_RETRIES} */
	readonly retryDefaults?: BackoffOptions;
	/**
	 * Called after each lost swap, before the wait. A function says that there is nothing to wait for: who kept winning gives
	 * us a turn, which the function ends. What it throws ends the commit.
	 * @param attempt how many were lost, from 1
	 */
	readonly onConflict?: ((attempt: number) => Promise<(() => void) | undefined>) | undefined;
	readonly signal?: AbortSignal;
}

export interface CommitResult {
	/** false: the actions had nothing to change, and nothing was written */
	readonly committed: boolean;
	/** the table after the commit; others may have committed since */
	readonly loaded: LoadedMetadata;
	readonly commitId: string;
	/** attempts made, 0 when there was nothing to change */
	readonly attempts: number;
}

/** How often the history is looked at, with waits between, to find a commit of unknown outcome. */
const MAX_STATUS_CHECKS = 4;
const STATUS_CHECK_BACKOFF: BackoffOptions = {
	maxRetries: MAX_STATUS_CHECKS - 1,
	minWaitMs: 20,
	maxWaitMs: 500,
	totalTimeoutMs: 10_000,
};

/**
 * Commits actions as one: all of them, or none.
 *
 * Only a lost swap is tried again, on the newest metadata, as often as the table's `commit.retry.*` allow. An outcome
 * that the storage did not tell is settled by looking for the commit's id in the history; failing that, nothing is
 * deleted. After any other failure the files of the attempts are deleted and the actions may be committed anew.
 *
 * @param base where the caller knows it. It need not be the newest
 * @throws `COMMIT_CONFLICT` when the retries are used up; `COMMIT_STATE_UNKNOWN`; `VALIDATION_FAILED` when the table was
 *   replaced by another; `ABORTED`; and what the actions and the storage throw
 */
export async function commitActions(
	committer: Committer,
	base: LoadedMetadata,
	actions: readonly Action[],
	options: CommitOptions,
): Promise<CommitResult> {
	const run = new CommitRun(committer, base, actions, options);
	try {
		return await run.run();
	} catch (error) {
		if (!isIcebergError(error, 'COMMIT_STATE_UNKNOWN')) await run.abandon();
		throw error;
	} finally {
		run.endTurn();
	}
}

class CommitRun {
	readonly #committer: Committer;
	readonly #io: FileIO;
	readonly #first: LoadedMetadata;
	readonly #actions: readonly Action[];
	readonly #options: CommitOptions;
	readonly #commitId: string;
	#attempts = 0;
	#endTurn: (() => void) | undefined;

	constructor(committer: Committer, base: LoadedMetadata, actions: readonly Action[], options: CommitOptions) {
		this.#committer = committer;
		this.#io = committer.io;
		this.#first = base;
		this.#actions = actions;
		this.#options = options;
		this.#commitId = randomUuid(options.random);
	}

	async run(): Promise<CommitResult> {
		const { clock, random, signal, retryDefaults = FOLDER_TABLE_RETRIES } = this.#options;
		let backoff: Backoff | undefined;
		for (;;) {
			const base = await this.#committer.load(signal);
			this.#checkSameTable(base.metadata);
			// A swap that was reported lost may have been won all the same.
			if (this.#attempts > 0 && historyHasCommit(base.metadata, this.#commitId))
				return this.#succeeded(await this.#findInHistory(undefined));
			const request = await this.#prepare(base);
			if (request === undefined) {
				await this.abandon();
				return { committed: false, loaded: base, commitId: this.#commitId, attempts: this.#attempts };
			}
			// Taken from what the properties will be: a commit may be what mends them.
			backoff ??= new Backoff(retryPolicy(request.next.properties, retryDefaults), clock, random);
			this.#attempts++;
			const swapped = await this.#swap(request);
			if (swapped.outcome === 'committed') return this.#succeeded(swapped.loaded);
			if (swapped.outcome === 'unknown') return this.#succeeded(await this.#findInHistory(swapped.cause));
			this.endTurn();
			this.#endTurn = await this.#options.onConflict?.(this.#attempts);
			if (!(await backoff.next(signal, this.#endTurn !== undefined))) throw this.#conflict(backoff, swapped.cause);
		}
	}

	endTurn(): void {
		this.#endTurn?.();
		this.#endTurn = undefined;
	}

	/** Deletes what the attempts wrote. */
	async abandon(): Promise<void> {
		for (const action of this.#actions) await action.abandoned(this.#io);
	}

	async #prepare(base: LoadedMetadata): Promise<SwapRequest | undefined> {
		const { clock, random, signal, processes = systemProcesses } = this.#options;
		throwIfAborted(signal);
		// The clock may have stepped back; a table's time does not.
		const nowMs = Math.max(clock.nowMs(), base.metadata.lastUpdatedMs);
		const metadataFolder = metadataFolderOf(base.metadata);
		const writer = processes.self;
		const context = { io: this.#io, random, writer, commitId: this.#commitId, nowMs, metadataFolder, signal };
		const updates: TableUpdate[] = [];
		const requirements: TableRequirement[] = [];
		const newFiles: string[] = [];
		let next = base.metadata;
		for (const action of this.#actions) {
			const result = await action.apply(next, context);
			if (result.updates.length === 0) continue;
			checkRequirements(next, result.requirements);
			// What an earlier action of this commit did cannot be required of the base.
			if (updates.length === 0) requirements.push(...result.requirements);
			updates.push(...result.updates);
			newFiles.push(...result.newFiles);
			next = applyUpdates(base.metadata, updates, { nowMs, metadataLocation: base.metadataLocation });
		}
		if (updates.length === 0) return undefined;
		if (base.metadata.tableUuid !== undefined)
			requirements.unshift({ type: 'assert-table-uuid', uuid: base.metadata.tableUuid });
		return {
			base,
			requirements,
			updates,
			next,
			newFiles,
			commitId: this.#commitId,
			...(signal === undefined ? {} : { signal }),
		};
	}

	async #swap(request: SwapRequest): Promise<SwapOutcome> {
		try {
			return await this.#committer.swap(request);
		} catch (error) {
			// A rejection says that nothing was committed. A fault that is none of ours says nothing.
			if (error instanceof IcebergError) throw error;
			return { outcome: 'unknown', cause: error };
		}
	}

	async #findInHistory(cause: unknown): Promise<LoadedMetadata> {
		const { clock, random } = this.#options;
		const backoff = new Backoff(STATUS_CHECK_BACKOFF, clock, random);
		do {
			try {
				const now = await this.#committer.load();
				if (!historyHasCommit(now.metadata, this.#commitId)) continue;
				// That it can be seen does not say that it is durable: flushing the name may be what failed.
				await this.#io.persistNames([now.metadataLocation]);
				return now;
			} catch {
				// Whatever it is, it settles nothing.
			}
		} while (await backoff.next());
		throw new IcebergError(
			'COMMIT_STATE_UNKNOWN',
			`whether the commit to ${this.#first.metadata.location} happened is not known: nothing was deleted. ` +
				`Look for a snapshot whose summary has 'datashard.commit-id' = '${this.#commitId}' before repeating it`,
			{ cause, context: { location: this.#first.metadata.location, commitId: this.#commitId } },
		);
	}

	async #succeeded(loaded: LoadedMetadata): Promise<CommitResult> {
		for (const action of this.#actions) await action.committed(loaded.metadata, this.#io);
		return { committed: true, loaded, commitId: this.#commitId, attempts: this.#attempts };
	}

	#checkSameTable(metadata: TableMetadata): void {
		const expected = this.#first.metadata.tableUuid;
		if (expected === undefined || metadata.tableUuid === expected) return;
		throw new IcebergError(
			'VALIDATION_FAILED',
			`${metadata.location} holds another table than when the transaction began: ${metadata.tableUuid}, not ${expected}`,
			{ context: { location: metadata.location, expected, found: metadata.tableUuid } },
		);
	}

	#conflict(backoff: Backoff, cause: unknown): IcebergError {
		const { location } = this.#first.metadata;
		return new IcebergError(
			'COMMIT_CONFLICT',
			`the commit to ${location} lost against others ${this.#attempts} times in ${Math.round(backoff.elapsedMs)} ms; ` +
				`the table properties 'commit.retry.*' say how long it goes on trying`,
			{ cause, retryable: true, context: { location, attempts: this.#attempts } },
		);
	}
}

function metadataFolderOf(metadata: TableMetadata): string {
	const set = textProperty(metadata.properties, TABLE_PROPERTY.metadataPath);
	return set === undefined ? joinLocation(metadata.location, 'metadata') : withoutTrailingSlash(set);
}
