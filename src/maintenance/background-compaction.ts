/** Putting small files together a step at a time, while others append. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { DataFile } from '../manifest/types.ts';
import { maintenanceProperties } from '../metadata/maintenance-properties.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { currentSnapshot } from '../spec/table-metadata-lookup.ts';
import { deleteQuietly } from '../transaction/action.ts';
import { commitActions } from '../transaction/commit-actions.ts';
import type { Committer, LoadedMetadata, SwapOutcome, SwapRequest } from '../transaction/committer.ts';
import { RewriteFilesAction } from '../transaction/rewrite-files.ts';
import { thinHistoryAction } from '../transaction/thin-history.ts';
import { CommitMutex } from '../util/commit-mutex.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';
import { targetFileSizeBytes } from '../write/write-properties.ts';
import { rewriteGroup } from './rewrite-group.ts';
import type { RowBuffer } from './row-buffer.ts';
import { type SmallFile, SmallFiles } from './small-files.ts';
import { chooseTier } from './tiers.ts';

/** Files that one step puts together, at most, in all partitions. */
export const STEP_FILES_LIMIT = 4096;
/** Partitions that one step works on, at most. */
export const STEP_PARTITIONS_LIMIT = 64;
/** How often a step's commit is tried when others win the swap. */
const COMMIT_ATTEMPTS = 4;
const RETRY_WAIT_MS = 10;

export interface CompactionPorts {
	readonly committer: Committer;
	readonly clock: Clock;
	readonly random: Random;
	readonly processes?: Processes;
}

export interface CompactionStep {
	readonly loaded: LoadedMetadata;
	readonly removed: readonly FileScanTask[];
	readonly added: readonly DataFile[];
}

/** - `nothing`: no level of any partition is full. - `lost`: others changed the files; what was written is deleted again */
export type CompactionOutcome = CompactionStep | 'nothing' | 'lost';

export class BackgroundCompaction {
	readonly #ports: CompactionPorts;
	readonly #rows: RowBuffer;
	readonly #small = new SmallFiles();
	/** first files of choices that gave no fewer files: not tried again as they are */
	readonly #futile = new Set<string>();

	constructor(ports: CompactionPorts, rows: RowBuffer) {
		this.#ports = ports;
		this.#rows = rows;
	}

	/**
	 * One step: reads the newest state, puts together what one commit takes, and commits. An append waits for the commit alone.
	 * @param onCommitted called before the next commit of this thread can begin
	 * @throws what reading, writing and committing throw; nothing is left behind then, unless the outcome is unknown
	 */
	async step(
		signal: AbortSignal | undefined,
		breathe: () => Promise<void>,
		onCommitted: (step: CompactionStep) => void,
	): Promise<CompactionOutcome> {
		const { committer } = this.#ports;
		const { metadata } = await committer.load(signal);
		const snapshot = currentSnapshot(metadata);
		if (snapshot === undefined) return 'nothing';
		const targetSizeBytes = targetFileSizeBytes(metadata.properties);
		const { fanIn } = maintenanceProperties(metadata.properties).compaction;
		const context = { io: committer.io, metadata, targetFileSizeBytes: targetSizeBytes, signal, breathe };
		let partitions: Map<string, SmallFile[]>;
		try {
			partitions = await this.#small.byPartition(snapshot, context);
		} catch (error) {
			// The state that was to be read has been thinned away and cleaned up already.
			if (isIcebergError(error, 'NOT_FOUND')) return 'lost';
			throw error;
		}
		const choices = this.#choose(partitions, fanIn, targetSizeBytes);
		if (choices.length === 0) return 'nothing';
		const removed: FileScanTask[] = [];
		const added: DataFile[] = [];
		const discard = (): Promise<void> =>
			deleteQuietly(
				committer.io,
				added.map(({ location }) => location),
			);
		try {
			for (const files of choices) {
				const written = await rewriteGroup(
					{ tasks: files.map(({ task }) => task) },
					{ ...context, random: this.#ports.random, rowsAtHand: (file) => this.#rows.get(file.location) },
				);
				added.push(...written);
				if (written.length >= files.length) {
					this.#futile.add(nameOf(files));
					await deleteQuietly(
						committer.io,
						added.splice(added.length - written.length).map(({ location }) => location),
					);
					continue;
				}
				removed.push(...files.map(({ task }) => task));
			}
			if (removed.length === 0) return 'nothing';
			const step = await this.#commit(removed, added, snapshot, signal, onCommitted);
			for (const { file } of removed) this.#rows.delete(file.location);
			return step;
		} catch (error) {
			if (!(error instanceof IcebergError) || error.code === 'COMMIT_STATE_UNKNOWN') throw error;
			await discard();
			const isLost =
				error.code === 'COMMIT_CONFLICT' ||
				error.code === 'NOT_FOUND' ||
				(error.code === 'VALIDATION_FAILED' && error.retryable);
			if (isLost) return 'lost';
			throw error;
		}
	}

	#choose(
		partitions: ReadonlyMap<string, readonly SmallFile[]>,
		fanIn: number,
		targetSizeBytes: number,
	): readonly (readonly SmallFile[])[] {
		const choices: (readonly SmallFile[])[] = [];
		let fileCount = 0;
		let sizeBytes = 0;
		for (const files of partitions.values()) {
			const room = STEP_FILES_LIMIT - fileCount;
			if (choices.length === STEP_PARTITIONS_LIMIT || room < fanIn || sizeBytes >= targetSizeBytes) break;
			const chosen = chooseTier(files, { fanIn, targetSizeBytes, maxFiles: room });
			if (chosen === undefined || this.#futile.has(nameOf(chosen))) continue;
			choices.push(chosen);
			fileCount += chosen.length;
			sizeBytes += chosen.reduce((sum, file) => sum + file.sizeBytes, 0);
		}
		return choices;
	}

	/** Each attempt holds the mutex by itself: between them appends go on. */
	async #commit(
		removed: readonly FileScanTask[],
		added: readonly DataFile[],
		base: Snapshot,
		signal: AbortSignal | undefined,
		onCommitted: (step: CompactionStep) => void,
	): Promise<CompactionStep> {
		const { committer, clock, random, processes } = this.#ports;
		const mutex = CommitMutex.of(committer);
		const rewrite = new RewriteFilesAction({
			removed: removed.map(({ file, sequenceNumber }) => ({ file, sequenceNumber })),
			added,
			startingSequenceNumber: base.sequenceNumber,
		});
		for (let attempt = 1; ; attempt++) {
			try {
				return await mutex.run(async () => {
					const loaded = await committer.load(signal);
					const thin = thinHistoryAction(loaded.metadata.properties);
					const result = await commitActions(
						new SingleAttempt(committer),
						loaded,
						thin === undefined ? [rewrite] : [rewrite, thin],
						{
							clock,
							random,
							...(processes === undefined ? {} : { processes }),
							...(signal === undefined ? {} : { signal }),
						},
					);
					const step = { loaded: result.loaded, removed, added };
					onCommitted(step);
					return step;
				});
			} catch (error) {
				if (!isIcebergError(error, 'COMMIT_CONFLICT') || attempt === COMMIT_ATTEMPTS) throw error;
				await clock.sleep(RETRY_WAIT_MS * attempt * random.float(), signal);
			}
		}
	}
}

/** A lost swap is an error at once: who waits for another attempt must not hold the mutex. */
class SingleAttempt implements Committer {
	readonly io: Committer['io'];
	readonly #committer: Committer;

	constructor(committer: Committer) {
		this.io = committer.io;
		this.#committer = committer;
	}

	load(signal?: AbortSignal): Promise<LoadedMetadata> {
		return this.#committer.load(signal);
	}

	async swap(request: SwapRequest): Promise<SwapOutcome> {
		const outcome = await this.#committer.swap(request);
		if (outcome.outcome !== 'conflict') return outcome;
		throw new IcebergError('COMMIT_CONFLICT', 'another commit was first', { retryable: true, cause: outcome.cause });
	}
}

function nameOf(files: readonly SmallFile[]): string {
	return `${files[0]?.task.file.location} ${files.length}`;
}
