import { IcebergError } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../manifest/types.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Row, RowInput, RowTyped } from '../spec/row-types.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot, SnapshotRef } from '../spec/snapshot.ts';
import type { SortOrder } from '../spec/sort-order.ts';
import type { FormatVersion, TableMetadata } from '../spec/table-metadata.ts';
import {
	currentSchema,
	currentSnapshot,
	defaultSortOrder,
	defaultSpec,
	isAncestorOf,
	snapshotById,
} from '../spec/table-metadata-lookup.ts';
import type { CommitOptions } from '../transaction/commit-actions.ts';
import { TransactionCore } from '../transaction/transaction.ts';
import type { Committer, LoadedMetadata } from '../transaction/committer.ts';
import { type CallEffect, type CallOptions, within } from '../util/deadline.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { type AppendInput, type AppendOnceOptions, batchesOf, isRowsAtHand } from './append-input.ts';
import type { AppendResult, HistoryEntry } from './results.ts';
import { CALL_KEYS, checkAppendOptions, checkOptions, STATE_READ_KEYS } from './check-options.ts';
import { checkFollowOptions, type FollowOptions } from './follow-options.ts';
import { TableAsOf, type TimeTravelTarget } from './table-as-of.ts';
import type { ScanOptions, SelectableRow } from './scan-options.ts';
import { TableFollow } from './table-follow.ts';
import { TableScan } from './table-scan.ts';
import type * as StateReads from './state-reads.ts';
import {
	snapshotIdFrom,
	selectSnapshot,
	type SnapshotSelector,
	type StateReadOptions,
	type TableState,
} from './table-source.ts';
import { TableTransaction, type TransactionOptions } from './table-transaction.ts';

export interface TableParts {
	readonly location: string;
	readonly committer: Committer;
	readonly loaded: LoadedMetadata;
	/** true for a table that was opened by a metadata file */
	readonly readOnly: boolean;
	readonly clock: Clock;
	readonly random: Random;
	/** who writes, and who is gone. Default: this system's processes */
	readonly processes?: Processes | undefined;
	/** how appends are committed */
	readonly createAppender: (host: AppenderHost) => Appender;
	/** what goes on in the background while the table is open */
	readonly background?: { close(): Promise<void> };
}

/** What an {@link Appender} needs of its table. */
export interface AppenderHost {
	readonly committer: Committer;
	readonly clock: Clock;
	readonly random: Random;
	readonly processes?: Processes | undefined;
	/** the newest state that the table has seen */
	loaded(): LoadedMetadata;
	/** takes the state that a commit made */
	advance(loaded: LoadedMetadata): void;
}

/** The port through which a table appends; `ingest/` has the implementation. */
export interface Appender {
	/** @param rows a few that are at hand, taken at once, or batches of the columns of `schema`, checked */
	append(
		schema: Schema,
		rows: readonly unknown[] | AsyncIterable<ColumnBatch>,
		request: AppendOnceOptions,
	): Promise<{
		readonly rowCount: number;
		readonly snapshot: Snapshot | undefined;
		readonly repeated: boolean;
		readonly journaled?: boolean;
	}>;
	/** for commits of other kinds: what they do when they have lost against appends */
	readonly onConflict?: CommitOptions['onConflict'];
	/** resolves when all appends are in snapshots; no more are taken */
	close(): Promise<void>;
}

/**
 * An Iceberg table. Reads start from the newest committed state each time; a scan that has begun keeps the snapshot that
 * it began with. One object may be used by many callers at once.
 */
export class Table<In = RowInput, Out = Row> implements RowTyped<In, Out>, AsyncDisposable {
	declare readonly '~rows'?: { readonly in: In; readonly out: Out };
	/** of the table's folder, absolute; of the metadata file for a table opened by one */
	readonly location: string;
	/** True when nothing can be committed: the table was opened by a metadata file. */
	readonly readOnly: boolean;
	readonly #parts: TableParts;
	readonly #appender: Appender;
	#loaded: LoadedMetadata;
	readonly #closing = new AbortController();
	#closed = false;

	/** Not for users: tables come from `createTable` and `loadTable`. */
	constructor(parts: TableParts) {
		this.location = parts.location;
		this.readOnly = parts.readOnly;
		this.#parts = parts;
		this.#loaded = parts.loaded;
		const { committer, clock, random, processes } = parts;
		this.#appender = parts.createAppender({
			committer,
			clock,
			random,
			processes,
			loaded: () => this.#loaded,
			advance: (loaded) => this.#advance(loaded),
		});
	}

	/** The metadata as of the last call that looked; {@link refresh} looks. */
	get metadata(): TableMetadata {
		return this.#loaded.metadata;
	}
	/** Where {@link metadata} was read from. */
	get metadataLocation(): string {
		return this.#loaded.metadataLocation;
	}
	get schema(): Schema<In, Out> {
		return currentSchema(this.metadata) as Schema<In, Out>;
	}
	/** How new data is partitioned. */
	get spec(): PartitionSpec {
		return defaultSpec(this.metadata);
	}
	get sortOrder(): SortOrder {
		return defaultSortOrder(this.metadata);
	}
	get properties(): Readonly<Record<string, string>> {
		return this.metadata.properties;
	}
	get formatVersion(): FormatVersion {
		return this.metadata.formatVersion;
	}
	/** undefined only for v1 tables of old writers */
	get uuid(): string | undefined {
		return this.metadata.tableUuid;
	}
	get refs(): Readonly<Record<string, SnapshotRef>> {
		return this.metadata.refs;
	}
	get io(): FileIO {
		return this.#parts.committer.io;
	}

	/** Not for users: what maintenance commits with. @throws `UNSUPPORTED` for a read-only table, `CLOSED` */
	commitPorts(): Pick<TableParts, 'committer' | 'clock' | 'random' | 'processes'> & Pick<Appender, 'onConflict'> {
		this.#assertWritable();
		const { committer, clock, random, processes } = this.#parts;
		return { committer, clock, random, processes, onConflict: this.#appender.onConflict };
	}

	/**
	 * Looks for a newer committed state. A signal may be given by itself, too.
	 * @throws `NOT_FOUND`, `NOT_A_TABLE` when the table is gone; `CORRUPT`, `ABORTED`
	 */
	async refresh(options: CallOptions | AbortSignal = {}): Promise<this> {
		const given = options instanceof AbortSignal ? { signal: options } : options;
		await this.#read('refresh', given, () => undefined);
		return this;
	}

	/** The newest snapshot; undefined while the table has none. */
	async currentSnapshot(options: CallOptions = {}): Promise<Snapshot | undefined> {
		return this.#read('currentSnapshot', options, ({ metadata }) => currentSnapshot(metadata));
	}

	/** All snapshots that the table still has, oldest first. */
	async snapshots(options: CallOptions = {}): Promise<readonly Snapshot[]> {
		return this.#read('snapshots', options, ({ metadata }) => [...metadata.snapshots]);
	}

	/** A snapshot by its id; undefined when the table has (no longer) one. @throws `INVALID_ARGUMENT` for what is no id */
	async snapshotById(id: bigint | number | string, options: CallOptions = {}): Promise<Snapshot | undefined> {
		return this.#read('snapshotById', options, ({ metadata }) => snapshotById(metadata, snapshotIdFrom(id)));
	}

	/** Which snapshot was current since when, oldest first. Iceberg spec: Table Metadata Fields, `snapshot-log`. */
	async history(options: CallOptions = {}): Promise<readonly HistoryEntry[]> {
		return this.#read('history', options, ({ metadata }) =>
			metadata.snapshotLog.map(({ snapshotId, timestampMs }) => {
				const snapshot = snapshotById(metadata, snapshotId);
				return {
					madeCurrentAtMs: timestampMs,
					snapshotId,
					parentSnapshotId: snapshot?.parentSnapshotId,
					isCurrentAncestor: isAncestorOf(metadata, metadata.currentSnapshotId, snapshotId),
					snapshot,
				};
			}),
		);
	}

	/**
	 * The table as it was: at a snapshot, at an instant, or at a branch or tag.
	 * @throws `NOT_FOUND` when there is no such state (any more); `INVALID_ARGUMENT`
	 */
	async timeTravel(to: TimeTravelTarget, options: CallOptions = {}): Promise<TableAsOf<Out>> {
		checkOptions('timeTravel', to, ['snapshotId', 'timestampMs', 'ref']);
		const { timestampMs, ...rest } = to;
		const selector: SnapshotSelector = timestampMs === undefined ? rest : { ...rest, asOfMs: timestampMs };
		if (Object.keys(selector).length === 0) {
			throw new IcebergError('INVALID_ARGUMENT', 'timeTravel takes one of snapshotId, timestampMs, ref');
		}
		return this.#read('timeTravel', options, (state) => {
			const { snapshot, schema } = selectSnapshot(state.metadata, selector);
			const { clock } = this.#parts;
			return new TableAsOf<Out>({ ...state, clock }, snapshot, schema as Schema<RowInput, Out>, selector);
		});
	}

	/**
	 * Rows, columns or Arrow of the newest state, or of an earlier one. Reading starts when the result is iterated over.
	 * @throws `INVALID_ARGUMENT`, `INVALID_FILTER`; while iterating as {@link TableScan.batches}
	 */
	scan<const K extends keyof SelectableRow<Out> & string>(
		options: ScanOptions & { readonly select: readonly K[] },
	): TableScan<Pick<SelectableRow<Out>, K>>;
	scan(options?: ScanOptions): TableScan<Out>;
	scan(options: ScanOptions = {}): TableScan<Out> {
		this.#assertOpen();
		const { location } = this;
		const { clock } = this.#parts;
		return new TableScan<Out>({ location, clock, state: (signal) => this.#state(signal) }, options);
	}

	/**
	 * The rows that are appended to the table, by whatever process or engine: each once, in the order of the commits, soon after
	 * they were committed. See {@link TableFollow}. Rows of snapshots that were compacted, thinned or expired since are given,
	 * too: a {@link FollowPosition} stays good.
	 *
	 * @throws `INVALID_ARGUMENT`, `INVALID_FILTER`; `UNSUPPORTED` for a table that was opened by a metadata file, unless `until`
	 *   says when to end; `CLOSED`; while iterating as {@link TableFollow.batches}
	 */
	follow<const K extends keyof SelectableRow<Out> & string>(
		options: FollowOptions & { readonly select: readonly K[] },
	): TableFollow<Pick<SelectableRow<Out>, K>>;
	follow(options?: FollowOptions): TableFollow<Out>;
	follow(options: FollowOptions = {}): TableFollow<Out> {
		this.#assertOpen();
		checkFollowOptions(options);
		if (options.until === undefined) this.#assertWritable();
		const source = {
			location: this.location,
			clock: this.#parts.clock,
			closing: this.#closing.signal,
			state: async (signal?: AbortSignal) => {
				const state = await this.#state(signal);
				return { ...state, metadataLocation: this.#loaded.metadataLocation };
			},
		};
		return new TableFollow<Out>(source, options);
	}

	/** The manifests of a state, as its manifest list has them. Iceberg spec: Manifest Lists. */
	async manifests(options: StateReadOptions = {}): Promise<readonly ManifestFile[]> {
		return this.#readState('manifests', options, (reads, ...state) => reads.manifestsOf(...state));
	}

	/** The entries of one manifest, deleted ones included, with inherited values filled in. Iceberg spec: Manifests. */
	async manifestEntries(manifest: ManifestFile, options: CallOptions = {}): Promise<readonly ManifestEntry[]> {
		return this.#readState(
			'manifestEntries',
			options,
			(reads, state, _, signal) => reads.manifestEntriesOf(state, manifest, signal),
			CALL_KEYS,
		);
	}

	/** The live data files of a state. */
	async dataFiles(options: StateReadOptions = {}): Promise<readonly DataFile[]> {
		return this.#readState('dataFiles', options, (reads, ...state) => reads.dataFilesOf(...state));
	}

	/**
	 * The number of rows of a state, from metadata alone.
	 * @throws `UNSUPPORTED` when rows are deleted by delete files: metadata does not tell how many
	 */
	async rowCount(options: StateReadOptions = {}): Promise<number> {
		return this.#readState('rowCount', options, (reads, ...state) => reads.rowCountOf(...state));
	}

	/**
	 * Appends rows: all of them become visible in one snapshot, or none when this rejects. Resolves when they are durable
	 * and visible to every reader. Appends that come while a commit is in flight share the next one, and its snapshot.
	 * Rows are checked against the schema; the first that does not fit refuses all of its append. Where many processes append,
	 * one of them commits for all, from journals of theirs in the table's folder.
	 *
	 * @throws `INVALID_DATA` naming row, column and value; `INVALID_ARGUMENT` for something that holds no rows;
	 *   `COMMIT_CONFLICT` when other writers won each try; `COMMIT_STATE_UNKNOWN` when the outcome cannot be told;
	 *   `UNSUPPORTED` for a read-only table; `STORAGE`, `PERMISSION_DENIED`; `ABORTED`, where `context.mayBeCommitted` is true
	 *   when `timeoutMs` was over in the middle of the commit: an `idempotencyKey` makes it safe to repeat then
	 */
	async append(data: AppendInput<In>, options: AppendOnceOptions = {}): Promise<AppendResult> {
		this.#assertWritable();
		checkAppendOptions(options);
		const { rowCount, snapshot, repeated, journaled } = await this.#within('append to', 'commit', options, (signal) => {
			const schema = currentSchema(this.metadata);
			const { timeoutMs: _, ...request } = options;
			const rows = isRowsAtHand(data) ? data : batchesOf(schema, data, signal);
			return this.#appender.append(schema, rows, withSignal(request, signal));
		});
		if (repeated) {
			const message = 'nothing to append: an earlier append with this idempotencyKey has appended the rows';
			return { committed: false, rowCount, snapshot, message };
		}
		if (rowCount === 0) {
			return { committed: false, rowCount, snapshot: undefined, message: 'nothing to append: no rows were given' };
		}
		const rows = `${rowCount} row${rowCount === 1 ? '' : 's'}`;
		if (journaled === true) {
			const message = `journaled ${rows}: durable, and in a snapshot soon`;
			return { committed: false, journaled: true, rowCount, snapshot, message };
		}
		return { committed: true, rowCount, snapshot, message: `appended ${rows} as snapshot ${snapshot?.snapshotId}` };
	}

	/** {@link append} by the name that users of the Python library know. */
	appendRecords(records: AppendInput<In>, options: AppendOnceOptions = {}): Promise<AppendResult> {
		return this.append(records, options);
	}

	/** Several changes as one commit. @throws `UNSUPPORTED` for a read-only table, `CLOSED` */
	newTransaction(options: TransactionOptions = {}): TableTransaction<In> {
		this.#assertWritable();
		checkOptions('newTransaction', options, ['append', 'summary']);
		if (options.append !== undefined && options.append !== 'merge' && options.append !== 'fast') {
			throw new IcebergError('INVALID_ARGUMENT', `append is 'merge' or 'fast', not ${String(options.append)}`);
		}
		const { committer, clock, random, processes, onConflict } = this.commitPorts();
		const core = new TransactionCore(committer, this.#loaded, { clock, random, processes, onConflict });
		return new TableTransaction<In>(core, { clock, random, processes }, (loaded) => this.#advance(loaded), options);
	}

	/** Sets table properties, in a commit of its own. */
	async setProperties(properties: Readonly<Record<string, string>>, options: CallOptions = {}): Promise<this> {
		await this.newTransaction().setProperties(properties).commit(options);
		return this;
	}

	/** Removes table properties, in a commit of its own. */
	removeProperties(...names: readonly string[]): Promise<this>;
	removeProperties(names: readonly string[], options?: CallOptions): Promise<this>;
	async removeProperties(...given: readonly unknown[]): Promise<this> {
		const [names, options = {}] = Array.isArray(given[0]) ? given : [given];
		await this.newTransaction()
			.removeProperties(...(names as readonly string[]))
			.commit(options as CallOptions);
		return this;
	}

	/** Raises the format version, in a commit of its own. Iceberg spec: Format Versioning. */
	async upgradeFormatVersion(formatVersion: FormatVersion, options: CallOptions = {}): Promise<this> {
		await this.newTransaction().upgradeFormatVersion(formatVersion).commit(options);
		return this;
	}

	/** Waits for appends that are under way, then frees file handles. Further calls, and follows, fail with `CLOSED`. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#closing.abort(this.#closedError());
		await this.#appender.close();
		await this.#parts.background?.close();
		await this.io.close();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	#assertWritable(): void {
		this.#assertOpen();
		if (!this.readOnly) return;
		throw new IcebergError('UNSUPPORTED', `${this.location} is a metadata file, opened to be read only`, {
			context: { location: this.location },
		});
	}

	#closedError(): IcebergError {
		return new IcebergError('CLOSED', `the table ${this.location} has been closed`);
	}

	#assertOpen(): void {
		if (this.#closed) throw this.#closedError();
	}

	async #within<T>(
		what: string,
		effect: CallEffect,
		options: CallOptions,
		work: (signal: AbortSignal | undefined) => Promise<T>,
	): Promise<T> {
		return within({ name: `${what} ${this.location}`, effect, clock: this.#parts.clock }, options, work);
	}

	/** What a call takes from the newest state. */
	async #read<T>(name: string, options: CallOptions, take: (state: TableState) => T): Promise<T> {
		checkOptions(name, options, CALL_KEYS);
		return this.#within(`${name} of`, 'none', options, async (signal) => take(await this.#state(signal)));
	}

	/** What a call reads of metadata files. What reads them is loaded by the first such call. */
	async #readState<T>(
		name: string,
		options: StateReadOptions,
		read: (reads: typeof StateReads, ...of: StateReads.StateRead) => Promise<T>,
		known: readonly string[] = STATE_READ_KEYS,
	): Promise<T> {
		checkOptions(name, options, known);
		const { signal: _, timeoutMs: __, ...selector } = options;
		return this.#within(`${name} of`, 'none', options, async (signal) => {
			const reads = await import('./state-reads.ts');
			return read(reads, await this.#state(signal), selector, signal);
		});
	}

	async #state(signal?: AbortSignal): Promise<TableState> {
		this.#assertOpen();
		const loaded = await this.#parts.committer.load(signal);
		this.#loaded = loaded;
		return { io: this.io, metadata: loaded.metadata };
	}

	/** Takes a state that a commit made, unless a newer one has been seen since. */
	#advance(loaded: LoadedMetadata): void {
		if (!this.#closed && !isOlder(loaded.metadata, this.metadata)) this.#loaded = loaded;
	}
}

function withSignal<T extends object>(request: T, signal: AbortSignal | undefined): T & { signal?: AbortSignal } {
	return signal === undefined ? request : { ...request, signal };
}

/** Whether a state of a table is certainly older than another one of it. */
function isOlder(a: TableMetadata, b: TableMetadata): boolean {
	if (a.tableUuid !== b.tableUuid) return false;
	if (a.lastSequenceNumber !== b.lastSequenceNumber) return a.lastSequenceNumber < b.lastSequenceNumber;
	return a.lastUpdatedMs < b.lastUpdatedMs;
}
