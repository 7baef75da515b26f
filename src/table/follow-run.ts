/** A follow at work: looks, steps and waits. Loaded when a first follow starts. */
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { Expression } from '../expr/expression.ts';
import { parentLocation } from '../io/location.ts';
import { type HistoryPoint, type HistoryStep, nextHistoryStep, oldestState } from '../scan/append-history.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { currentSchema, currentSnapshot, snapshotById } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { FollowBatch } from './follow-batch.ts';
import type { FollowOptions, StartPoint } from './follow-options.ts';
import {
	lastRowsOf,
	type Look,
	planAppends,
	type PlannedStep,
	planSnapshot,
	planState,
	totalRecordsOf,
} from './follow-reading.ts';
import type { OrderedBatch } from '../read/in-order.ts';
import { fieldsOfScan } from './reading.ts';
import type { FollowSource } from './table-source.ts';
import { TableWatch } from './table-watch.ts';

/** How often the table is looked at anew, in a row, because files that a look led to were gone. */
const MAX_OUTDATED_LOOKS = 20;

type State = Awaited<ReturnType<FollowSource['state']>>;

interface GivenBatch<Out> {
	readonly batch: FollowBatch<Out>;
	/** where the follow stands after it; undefined while the rows that it begins with are being given */
	readonly point: HistoryPoint | undefined;
}

export class FollowRun {
	/** where it begins */
	readonly start: HistoryPoint;
	readonly #source: FollowSource;
	readonly #options: FollowOptions;
	readonly #filter: Expression | undefined;
	readonly #kind: StartPoint;
	readonly #tableUuid: string | undefined;

	private constructor(
		source: FollowSource,
		kind: StartPoint,
		options: FollowOptions,
		filter: Expression | undefined,
		start: HistoryPoint,
		tableUuid: string | undefined,
	) {
		this.#source = source;
		this.#kind = kind;
		this.#options = options;
		this.#filter = filter;
		this.start = start;
		this.#tableUuid = tableUuid;
	}

	/** Rows are given before all that come later. */
	get hasInitialRows(): boolean {
		return this.#kind.kind === 'start' || this.#kind.kind === 'last';
	}

	/** The first look. */
	static async begin(
		source: FollowSource,
		kind: StartPoint,
		options: FollowOptions,
		filter: Expression | undefined,
	): Promise<FollowRun> {
		const { signal } = options;
		for (let looks = 1; ; looks++) {
			const state = await source.state(signal);
			try {
				const start = await startOf(state, kind, signal);
				return new FollowRun(source, kind, options, filter, start, state.metadata.tableUuid);
			} catch (error) {
				const isOutdated = isIcebergError(error, 'NOT_FOUND') && error.context['reason'] === undefined;
				if (!isOutdated || looks >= MAX_OUTDATED_LOOKS) throw error;
			}
		}
	}

	/**
	 * The rows from a point on, or from the start.
	 * @param advance told of each point that is reached without rows
	 */
	async *batches<Out>(
		from: HistoryPoint | undefined,
		advance: (point: HistoryPoint) => void,
		signal: AbortSignal | undefined,
	): AsyncGenerator<GivenBatch<Out>> {
		let state = await this.#state(signal);
		const folder = parentLocation(state.metadataLocation);
		const { pollIntervalMs, until } = this.#options;
		const watch = new TableWatch(state.io, folder, this.#source.clock, pollIntervalMs);
		let point = from;
		let outdated = 0;
		try {
			for (;;) {
				throwIfAborted(signal);
				const progress = { point, isPartial: false };
				try {
					const look = this.#look(state, signal);
					const step = await this.#step(state.metadata, point, look);
					if (step === 'none') {
						if (until === 'now') return;
						await watch.next(signal);
						state = await this.#state(signal);
						continue;
					}
					yield* this.#give<Out>(step, point, look, progress);
					point = progress.point ?? this.start;
					advance(point);
					outdated = 0;
				} catch (error) {
					if (!isIcebergError(error, 'NOT_FOUND') || progress.isPartial || ++outdated >= MAX_OUTDATED_LOOKS)
						throw error;
					point = progress.point;
					const newer = await this.#state(signal);
					// Others have compacted and expired meanwhile; unless nothing changed: then the file is missing.
					if (newer.metadata === state.metadata) throw error;
					state = newer;
				}
			}
		} finally {
			watch.close();
		}
	}

	/** What comes next; the way to there without rows is gone at once. */
	async #step(metadata: TableMetadata, point: HistoryPoint | undefined, look: Look): Promise<PlannedStep | 'none'> {
		if (point === undefined) {
			const initial = await this.#initial(metadata, look);
			if (initial !== undefined) return initial;
		}
		const from = point ?? this.start;
		const step = nextHistoryStep(metadata, from, this.#options.onChange === 'skip');
		switch (step.kind) {
			case 'none':
				return 'none';
			case 'appends':
				return planAppends(step, from, look);
			case 'snapshot':
				return step.rows ? planSnapshot(step.target, look) : { target: step.target, rows: noRows() };
			case 'change':
				return this.#pastChange(step, metadata);
		}
	}

	/** What is given before all steps. */
	async #initial(metadata: TableMetadata, look: Look): Promise<PlannedStep | undefined> {
		const { start } = this;
		const kind = this.#kind;
		if (start.snapshotId === undefined || (kind.kind !== 'start' && kind.kind !== 'last')) return undefined;
		const target = snapshotById(metadata, start.snapshotId);
		if (target === undefined)
			throw new IcebergError(
				'VALIDATION_FAILED',
				`${metadata.location} does not have snapshot ${start.snapshotId} any more, with which the follow begins`,
				{ context: { location: metadata.location, snapshotId: start.snapshotId, reason: 'position-lost' } },
			);
		if (kind.kind !== 'last') return planState(target, look);
		return { target, rows: fromArray(await lastRowsOf(target, kind.rows, look)) };
	}

	#pastChange({ snapshot }: Extract<HistoryStep, { kind: 'change' }>, metadata: TableMetadata): PlannedStep {
		if (this.#options.onChange === 'skip') return { target: snapshot, rows: noRows() };
		const operation = snapshot.summary?.['operation'] ?? 'unknown operation';
		const { snapshotId, sequenceNumber } = snapshot;
		throw new IcebergError(
			'VALIDATION_FAILED',
			`snapshot ${snapshotId} of ${metadata.location} (${operation}) changed or removed rows; a follow gives rows that were ` +
				"appended. Say onChange: 'skip' to go past it",
			{ context: { location: metadata.location, snapshotId, sequenceNumber, operation, reason: 'changed' } },
		);
	}

	/** The rows of a step; `progress` tells how far they go, also when it fails. */
	async *#give<Out>(
		step: PlannedStep,
		from: HistoryPoint | undefined,
		look: Look,
		progress: { point: HistoryPoint | undefined; isPartial: boolean },
	): AsyncGenerator<GivenBatch<Out>> {
		const { target } = step;
		const end: HistoryPoint = {
			sequenceNumber: target.sequenceNumber,
			snapshotId: target.snapshotId,
			totalRecords: await totalRecordsOf(target, look.io, look.signal),
		};
		const given = (columns: ColumnBatch, point: HistoryPoint | undefined): GivenBatch<Out> => ({
			batch: new FollowBatch<Out>(columns, positionAt(point ?? this.#before()), target, this.#options),
			point,
		});
		let at = from;
		let held: { readonly columns: ColumnBatch; readonly point: typeof at; readonly isBoundary: boolean } | undefined;
		for await (const { batch, through, isBoundary } of step.rows) {
			if (held !== undefined) {
				progress.point = held.point;
				progress.isPartial = !held.isBoundary || held.point === undefined;
				yield given(held.columns, held.point);
			}
			if (at !== undefined && through !== undefined && through > at.sequenceNumber)
				at = { sequenceNumber: through, snapshotId: undefined, totalRecords: undefined };
			held = { columns: batch, point: at, isBoundary };
		}
		progress.point = end;
		progress.isPartial = false;
		if (held !== undefined) yield given(held.columns, end);
	}

	/** What the first of the rows that a follow begins with come after. */
	#before(): HistoryPoint {
		return this.#kind.kind === 'start' ? EMPTY : this.start;
	}

	#look({ io, metadata }: State, signal: AbortSignal | undefined): Look {
		const { select, caseSensitive } = this.#options;
		const columns = {
			...(select === undefined ? {} : { select }),
			...(caseSensitive === undefined ? {} : { caseSensitive }),
		};
		const fields = fieldsOfScan(currentSchema(metadata), metadata, columns);
		return { io, metadata, fields, filter: this.#filter, caseSensitive, signal };
	}

	/** @throws `VALIDATION_FAILED` when another table is in its place */
	async #state(signal: AbortSignal | undefined): Promise<State> {
		const state = await this.#source.state(signal);
		const { tableUuid, location } = state.metadata;
		if (tableUuid === this.#tableUuid) return state;
		throw new IcebergError(
			'VALIDATION_FAILED',
			`${location} holds another table than when the follow began: ${tableUuid}, not ${this.#tableUuid}`,
			{ context: { location, expected: this.#tableUuid, found: tableUuid, reason: 'replaced' } },
		);
	}
}

async function startOf(
	{ io, metadata }: State,
	start: StartPoint,
	signal: AbortSignal | undefined,
): Promise<HistoryPoint> {
	switch (start.kind) {
		case 'position': {
			const { sequenceNumber, snapshotId, totalRecords } = start.position;
			return { sequenceNumber, snapshotId, totalRecords };
		}
		case 'snapshot': {
			const snapshot = snapshotById(metadata, start.snapshotId);
			if (snapshot !== undefined) return pointOf(snapshot);
			throw new IcebergError(
				'NOT_FOUND',
				`${metadata.location} has no snapshot ${start.snapshotId} (any more). Snapshots are thinned and expired; the ` +
					'position that comes with the rows of a follow, { sequenceNumber, … }, outlives them: begin from one',
				{ context: { location: metadata.location, snapshotId: start.snapshotId, reason: 'position-lost' } },
			);
		}
		default: {
			const snapshot = start.kind === 'start' ? oldestState(metadata) : currentSnapshot(metadata);
			return snapshot === undefined ? EMPTY : pointOf(snapshot);
		}
	}

	async function pointOf(snapshot: Snapshot): Promise<HistoryPoint> {
		const { sequenceNumber, snapshotId } = snapshot;
		return { sequenceNumber, snapshotId, totalRecords: await totalRecordsOf(snapshot, io, signal) };
	}
}

/** A table without a snapshot. */
const EMPTY: HistoryPoint = { sequenceNumber: 0n, snapshotId: undefined, totalRecords: 0n };

function positionAt({ sequenceNumber, snapshotId, totalRecords }: HistoryPoint): FollowBatch['position'] {
	return {
		sequenceNumber,
		...(snapshotId === undefined ? {} : { snapshotId }),
		...(totalRecords === undefined ? {} : { totalRecords }),
	};
}

async function* noRows(): AsyncGenerator<never> {
	// A state without rows to give.
}

async function* fromArray(batches: readonly ColumnBatch[]): AsyncGenerator<OrderedBatch> {
	for (const batch of batches) yield { batch, through: undefined, isBoundary: false };
}
