import { IcebergError } from '../errors/iceberg-error.ts';
import type { Expression } from '../expr/expression.ts';
import { parseWhere } from '../expr/parse-where.ts';
import type { HistoryPoint } from '../scan/append-history.ts';
import type { Row } from '../spec/row-types.ts';
import { streamWithin } from '../util/deadline.ts';
import type { FollowBatch } from './follow-batch.ts';
import { checkFollowOptions, type FollowOptions, type FollowPosition, type StartPoint } from './follow-options.ts';
import type { FollowRun } from './follow-run.ts';
import type { FollowSource } from './table-source.ts';

/**
 * The rows that are appended to a table, by whatever process or engine: each once, in the order of the commits. Iterating
 * it gives rows, and waits for more; nothing is read before it is asked for. It ends when it is left (`break`), with
 * `ABORTED` by its signal, and with `CLOSED` when the table is closed.
 *
 * Iterated again it goes on from its {@link position}.
 */
export class TableFollow<Out = Row> implements AsyncIterable<Out> {
	readonly #source: FollowSource;
	readonly #options: FollowOptions;
	readonly #start: StartPoint;
	readonly #filter: Expression | undefined;
	#run: Promise<FollowRun> | undefined;
	#point: HistoryPoint | undefined;
	#isIterated = false;

	/** @throws `INVALID_ARGUMENT` naming the option, `INVALID_FILTER` for a `where` text that cannot be parsed */
	constructor(source: FollowSource, options: FollowOptions) {
		this.#start = checkFollowOptions(options);
		const { where } = options;
		this.#source = source;
		this.#options = options;
		this.#filter = typeof where === 'string' ? parseWhere(where) : where;
		// What is there now must be looked at now.
		if (this.#start.kind === 'now' || this.#start.kind === 'last') this.#begin().catch(() => undefined);
	}

	/**
	 * How far rows have been handed out; undefined before the first look, and while the rows that a follow begins with are
	 * being given.
	 */
	get position(): FollowPosition | undefined {
		return this.#point === undefined ? undefined : positionOf(this.#point);
	}

	/**
	 * Looks at the table for the first time, unless that has been done. What is committed after it has resolved is given for
	 * certain, where the follow begins `now`.
	 *
	 * @throws `NOT_FOUND` when the table does not have the snapshot to begin with (any more); what loading metadata throws
	 */
	async ready(): Promise<void> {
		await this.#begin();
	}

	/** The rows, one object each. @throws as {@link batches} */
	async *[Symbol.asyncIterator](): AsyncIterator<Out> {
		for await (const { batch, point } of this.#batches()) {
			const { rows } = batch;
			const last = rows.length - 1;
			for (let i = 0; i < last; i++) yield rows[i] as Out;
			this.#point = point ?? this.#point;
			yield rows[last] as Out;
		}
	}

	/**
	 * The rows in batches, each with the position to go on from after it.
	 *
	 * @throws `VALIDATION_FAILED` (`context.reason`): at a snapshot that changed rows (`changed`), when the table was rolled back
	 *   (`rolled-back`) or another one is in its place (`replaced`), and when it cannot be told what came after the position
	 *   (`position-lost`); `NOT_FOUND` for a snapshot that is not there, and for a table that was dropped; `INVALID_FILTER`,
	 *   `INVALID_ARGUMENT` for names that are no columns; `CORRUPT`, `UNSUPPORTED`; `ABORTED`; `CLOSED`
	 */
	async *batches(): AsyncGenerator<FollowBatch<Out>> {
		for await (const { batch, point } of this.#batches()) {
			this.#point = point ?? this.#point;
			yield batch;
		}
	}

	async *#batches(): AsyncGenerator<{ readonly batch: FollowBatch<Out>; readonly point: HistoryPoint | undefined }> {
		if (this.#isIterated) {
			throw new IcebergError('INVALID_ARGUMENT', 'a follow is iterated by one at a time; make another one for another');
		}
		this.#isIterated = true;
		const stopped = linkedSignal(this.#options.signal, this.#source.closing);
		try {
			const limits = {
				name: `the follow of ${this.#source.location}`,
				effect: 'none',
				clock: this.#source.clock,
			} as const;
			const options = { ...this.#options, signal: stopped.signal };
			const begin = (): Promise<FollowRun> => this.#begin();
			const advance = (point: HistoryPoint): void => {
				this.#point = point;
			};
			const reached = (): HistoryPoint | undefined => this.#point;
			yield* streamWithin(limits, options, async function* (signal) {
				const run = await begin();
				yield* run.batches<Out>(reached(), advance, signal);
			});
		} finally {
			this.#isIterated = false;
			stopped.unlink();
		}
	}

	/** What reads is loaded by the first follow: most processes never do. */
	#begin(): Promise<FollowRun> {
		this.#run ??= (async () => {
			const { FollowRun } = await import('./follow-run.ts');
			const run = await FollowRun.begin(this.#source, this.#start, this.#options, this.#filter);
			if (!run.hasInitialRows) this.#point ??= run.start;
			return run;
		})().catch((error: unknown) => {
			// It may go better the next time.
			this.#run = undefined;
			throw error;
		});
		return this.#run;
	}
}

function positionOf({ sequenceNumber, snapshotId, totalRecords }: HistoryPoint): FollowPosition {
	return {
		sequenceNumber,
		...(snapshotId === undefined ? {} : { snapshotId }),
		...(totalRecords === undefined ? {} : { totalRecords }),
	};
}

/** A signal that is aborted by either of two. */
function linkedSignal(
	outer: AbortSignal | undefined,
	closing: AbortSignal,
): { readonly signal: AbortSignal; unlink(): void } {
	const controller = new AbortController();
	const abort = (): void => controller.abort(outer?.aborted === true ? outer.reason : closing.reason);
	for (const signal of [outer, closing]) {
		if (signal?.aborted === true) abort();
		signal?.addEventListener('abort', abort, { once: true });
	}
	return {
		signal: controller.signal,
		unlink: () => {
			for (const signal of [outer, closing]) signal?.removeEventListener('abort', abort);
		},
	};
}
