/** Putting small files together. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { Expression } from '../expr/expression.ts';
import { parseWhere } from '../expr/parse-where.ts';
import type { DataFile } from '../manifest/types.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { MAIN_BRANCH, refByName, snapshotById } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { deleteQuietly } from '../transaction/action.ts';
import { commitActions } from '../transaction/commit-actions.ts';
import { snapshotsOfCommit } from '../transaction/commit-id.ts';
import { RewriteFilesAction } from '../transaction/rewrite-files.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { targetFileSizeBytes } from '../write/write-properties.ts';
import type { MaintainableTable } from './maintainable-table.ts';
import { type CompactionGroup, type CompactionLimits, type CompactionPlan, planCompaction } from './plan-compaction.ts';
import { rewriteGroup } from './rewrite-group.ts';
import type { CallOptions } from '../util/deadline.ts';

/** Files of a partition from which on they are put together, where they do not fill a file of the target size. */
export const DEFAULT_MIN_INPUT_FILES = 5;
/** Bytes of files that are rewritten together, at most: 10 GiB. */
export const DEFAULT_MAX_GROUP_BYTES = 10 * 1024 ** 3;
/** How often files are chosen anew because others changed them meanwhile, without anything having been committed between. */
const MAX_PLANNING_ATTEMPTS = 4;
/** Most files that a result lists. */
export const SKIPPED_LIST_LIMIT = 1000;

export interface CompactOptions extends CallOptions {
	/** Only files that may hold such rows; they are rewritten whole. Default: all. */
	readonly where?: Expression | string;
	/** Default: the table's `write.target-file-size-bytes`, else 512 MiB. */
	readonly targetFileSizeBytes?: number;
	/** Files of one partition from which on they are put together. Default {@link DEFAULT_MIN_INPUT_FILES}, at least 2. */
	readonly minInputFiles?: number;
	/** Bytes of files that are read and written as one group. Default {@link DEFAULT_MAX_GROUP_BYTES}. */
	readonly maxGroupBytes?: number;
	/** Commit each group by itself: what was done stays done when a later one fails. Default false: all as one. */
	readonly partialProgress?: boolean;
	/** Default `main`. */
	readonly branch?: string;
	/** Only tells what would be rewritten. Default false. */
	readonly dryRun?: boolean;
	/** Called after each group that was written. */
	readonly onProgress?: (progress: { readonly groupCount: number; readonly groupsDone: number }) => void;
}

export interface SkippedFile {
	readonly location: string;
	readonly reason: string;
}

export interface CompactResult {
	readonly dryRun: boolean;
	/** false when there was nothing to do; and in a dry run */
	readonly committed: boolean;
	/** of the commits, oldest first */
	readonly snapshots: readonly Snapshot[];
	readonly groupCount: number;
	readonly rewrittenFileCount: number;
	readonly rewrittenBytes: number;
	/** 0 in a dry run */
	readonly addedFileCount: number;
	/** 0 in a dry run */
	readonly addedBytes: number;
	readonly rowCount: number;
	/** small files that were left, each with the reason: the first {@link SKIPPED_LIST_LIMIT} */
	readonly skipped: readonly SkippedFile[];
	readonly skippedCount: number;
}

/** The task itself; see `tasks.ts`. */
export async function compact(table: MaintainableTable, options: CompactOptions = {}): Promise<CompactResult> {
	await table.refresh(options.signal);
	return new Compaction(table, options).run();
}

class Compaction {
	readonly #table: MaintainableTable;
	readonly #options: CompactOptions;
	readonly #ports: ReturnType<MaintainableTable['commitPorts']>;
	readonly #filter: Expression | undefined;
	readonly #branch: string;
	readonly #snapshots: Snapshot[] = [];
	#skipped = new Map<string, string>();
	/** groups whose rewriting brought no fewer files: not tried again */
	readonly #futile = new Set<string>();
	#groupCount = 0;
	#removedCount = 0;
	#removedBytes = 0;
	#addedCount = 0;
	#addedBytes = 0;
	#rowCount = 0;

	constructor(table: MaintainableTable, options: CompactOptions) {
		this.#table = table;
		this.#options = options;
		this.#ports = table.commitPorts();
		const { where } = options;
		this.#filter = typeof where === 'string' ? parseWhere(where) : where;
		this.#branch = options.branch ?? MAIN_BRANCH;
	}

	async run(): Promise<CompactResult> {
		let failures = 0;
		for (;;) {
			throwIfAborted(this.#options.signal);
			const { metadata } = this.#table;
			const snapshot = this.#snapshotIn(metadata);
			if (snapshot === undefined) break;
			const plan = await this.#plan(metadata, snapshot);
			if (plan.groups.length === 0) break;
			if (this.#options.dryRun === true) {
				for (const group of plan.groups) this.#count(group, []);
				break;
			}
			try {
				await this.#rewriteAll(plan.groups, metadata, snapshot);
				failures = 0;
				if (!plan.isCut) break;
			} catch (error) {
				await this.#table.refresh(this.#options.signal);
				if (++failures >= MAX_PLANNING_ATTEMPTS || !this.#isOutdated(error, snapshot)) throw error;
				continue;
			}
			await this.#table.refresh(this.#options.signal);
		}
		if (this.#snapshots.length > 0) await this.#table.refresh(this.#options.signal);
		return this.#result();
	}

	/** True when planning anew may help: the table is not what the plan was made from. */
	#isOutdated(error: unknown, planned: Snapshot): boolean {
		if (isIcebergError(error, 'VALIDATION_FAILED')) return error.retryable;
		// A file that was rewritten by another, and deleted, before it was read here.
		return isIcebergError(error, 'NOT_FOUND') && this.#snapshotIn(this.#table.metadata) !== planned;
	}

	#snapshotIn(metadata: TableMetadata): Snapshot | undefined {
		const ref = refByName(metadata, this.#branch);
		if (ref !== undefined) return snapshotById(metadata, ref.snapshotId);
		if (this.#branch === MAIN_BRANCH) return undefined;
		throw new IcebergError('NOT_FOUND', `the table has no branch '${this.#branch}'`, {
			context: { branch: this.#branch },
		});
	}

	async #plan(metadata: TableMetadata, snapshot: Snapshot): Promise<CompactionPlan> {
		this.#skipped = new Map();
		const plan = await planCompaction({
			io: this.#table.io,
			metadata,
			snapshot,
			filter: this.#filter,
			limits: limitsOf(metadata, this.#options),
			onSkipped: ({ file }, reason) => this.#skipped.set(file.location, reason),
			signal: this.#options.signal,
		});
		return { ...plan, groups: plan.groups.filter((group) => !this.#futile.has(nameOf(group))) };
	}

	async #rewriteAll(groups: readonly CompactionGroup[], metadata: TableMetadata, base: Snapshot): Promise<void> {
		const { io } = this.#table;
		const written: { readonly group: CompactionGroup; readonly files: readonly DataFile[] }[] = [];
		const discard = async (): Promise<void> => {
			for (const { files } of written.splice(0))
				await deleteQuietly(
					io,
					files.map((file) => file.location),
				);
		};
		const commit = async (): Promise<void> => {
			if (written.length === 0) return;
			try {
				await this.#commit(written, base);
			} catch (error) {
				// Only a failure that is known to be one: an unknown outcome deletes nothing.
				if (error instanceof IcebergError && error.code !== 'COMMIT_STATE_UNKNOWN') await discard();
				throw error;
			}
			written.length = 0;
		};
		for (const [i, group] of groups.entries()) {
			let files: readonly DataFile[];
			try {
				files = await rewriteGroup(group, {
					io,
					metadata,
					random: this.#ports.random,
					processes: this.#ports.processes,
					targetFileSizeBytes: limitsOf(metadata, this.#options).targetFileSizeBytes,
					signal: this.#options.signal,
				});
			} catch (error) {
				if (error instanceof IcebergError) await discard();
				throw error;
			}
			if (group.isCurrentSpec && files.length >= group.tasks.length) {
				this.#futile.add(nameOf(group));
				await deleteQuietly(
					io,
					files.map((file) => file.location),
				);
			} else written.push({ group, files });
			this.#options.onProgress?.({ groupCount: groups.length, groupsDone: i + 1 });
			if (this.#options.partialProgress === true) await commit();
		}
		await commit();
	}

	async #commit(
		written: readonly { readonly group: CompactionGroup; readonly files: readonly DataFile[] }[],
		base: Snapshot,
	): Promise<void> {
		const { committer, clock, random, processes, onConflict } = this.#ports;
		const { signal } = this.#options;
		const action = new RewriteFilesAction({
			removed: written.flatMap(({ group }) =>
				group.tasks.map(({ file, sequenceNumber }) => ({ file, sequenceNumber })),
			),
			added: written.flatMap(({ files }) => files),
			startingSequenceNumber: base.sequenceNumber,
			branch: this.#branch,
		});
		const loaded = await committer.load(signal);
		const options = { clock, random, processes, onConflict, ...(signal === undefined ? {} : { signal }) };
		const result = await commitActions(committer, loaded, [action], options);
		this.#snapshots.push(...snapshotsOfCommit(result.loaded.metadata, result.commitId));
		for (const { group, files } of written) this.#count(group, files);
	}

	#count(group: CompactionGroup, files: readonly DataFile[]): void {
		this.#groupCount++;
		this.#removedCount += group.tasks.length;
		this.#removedBytes += group.sizeBytes;
		this.#addedCount += files.length;
		this.#addedBytes += files.reduce((sum, file) => sum + file.fileSizeInBytes, 0);
		this.#rowCount += group.tasks.reduce((sum, { file }) => sum + file.recordCount, 0);
	}

	#result(): CompactResult {
		return {
			dryRun: this.#options.dryRun === true,
			committed: this.#snapshots.length > 0,
			snapshots: this.#snapshots,
			groupCount: this.#groupCount,
			rewrittenFileCount: this.#removedCount,
			rewrittenBytes: this.#removedBytes,
			addedFileCount: this.#addedCount,
			addedBytes: this.#addedBytes,
			rowCount: this.#rowCount,
			skipped: [...this.#skipped].slice(0, SKIPPED_LIST_LIMIT).map(([location, reason]) => ({ location, reason })),
			skippedCount: this.#skipped.size,
		};
	}
}

function nameOf(group: CompactionGroup): string {
	return group.tasks.map(({ file }) => file.location).join('\n');
}

function limitsOf(metadata: TableMetadata, options: CompactOptions): CompactionLimits {
	const count = (name: 'targetFileSizeBytes' | 'minInputFiles' | 'maxGroupBytes', fallback: number, least: number) => {
		const value = options[name] ?? fallback;
		if (Number.isSafeInteger(value) && value >= least) return value;
		throw new IcebergError('INVALID_ARGUMENT', `${name} is a whole number of at least ${least}, not ${value}`, {
			context: { [name]: value },
		});
	};
	return {
		targetFileSizeBytes: count('targetFileSizeBytes', targetFileSizeBytes(metadata.properties), 1),
		minInputFiles: count('minInputFiles', DEFAULT_MIN_INPUT_FILES, 2),
		maxGroupBytes: count('maxGroupBytes', DEFAULT_MAX_GROUP_BYTES, 1),
	};
}
