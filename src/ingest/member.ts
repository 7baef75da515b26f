/**
 * An appender among others: it writes its records to a journal of its own, and whoever leads folds them into the table
 * (`leader-contact.ts` is the way there). It folds its own journal where no leader can be reached.
 */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { snapshotById } from '../spec/table-metadata-lookup.ts';
import type { LoadedMetadata } from '../transaction/committer.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { type Deferred, deferred } from '../util/deferred.ts';
import { inTime, nextTurn } from '../util/waits.ts';
import type { Appended } from './appended.ts';
import { journalFileName } from './followed-journal.ts';
import { HeldBytes } from './held-bytes.ts';
import { LeaderContact, type LeaderContactOptions, type Led, WATCH_MS } from './leader-contact.ts';
import { snapshotFromText } from './link-messages.ts';
import { type JournalPorts, type MemberRecord, OwnJournal, type Pending } from './own-journal.ts';

export interface MemberOptions extends JournalPorts, LeaderContactOptions {
	/** looks for the newest state */
	readonly load: () => Promise<LoadedMetadata>;
	/** within which journaled rows are to be in a snapshot, ms */
	readonly commitIntervalMs: () => number;
}

/** A journal that has grown so far is followed by a new one. */
const JOURNAL_LIMIT_BYTES = 16 * 1024 * 1024;
/** Bytes of rows that are not folded yet at which further appends wait before they are taken. */
const HELD_LIMIT_BYTES = 64 * 1024 * 1024;
/** Journaled rows that are not folded so long after the interval, ms, hold back further ones, but not for longer than this. */
const LAG_MS = 25;
const CATCH_UP_MS = 250;
/** After so much quiet a member leaves, ms. */
export const MEMBER_IDLE_MS = 10_000;
/** So long a leader may fail to commit before those who wait are told, ms. */
export const TROUBLE_PATIENCE_MS = 10_000;

/** A record that waits for the next write. */
interface Queued extends Pending {
	readonly signal: AbortSignal | undefined;
}

export class Member implements Led {
	readonly #options: MemberOptions;
	readonly #contact: LeaderContact;
	#journal: OwnJournal | undefined;
	#queue: Queued[] = [];
	/** of records that are not known to be folded */
	readonly #held = new HeldBytes(HELD_LIMIT_BYTES);
	#writing: Promise<void> | undefined;
	#watching = false;
	#troubleSinceMs: number | undefined;
	#trouble: IcebergError | undefined;
	/** the table was found to be gone, or to be another: nothing is taken before it is there again */
	#isGone = false;
	/** age at which the oldest record holds back others, ms */
	#lagLimitMs: number;
	#catchingUp: Promise<void> | undefined;
	#nextFold: Deferred<void> | undefined;
	/** the oldest record when a fold was last waited for */
	#waitedFor: Pending | undefined;
	#lastUsedMs = 0;
	#left = false;

	constructor(options: MemberOptions) {
		this.#options = options;
		this.#contact = new LeaderContact(options, this);
		this.#lagLimitMs = options.commitIntervalMs() + LAG_MS;
	}

	/** Appends; resolves when it is committed, or durable in the journal, as the record says. */
	async append(record: MemberRecord, signal?: AbortSignal): Promise<Appended> {
		if (this.#left) throw new IcebergError('CLOSED', `the table ${this.#options.location} has been closed`);
		while (this.#held.isFull) await this.#held.whenRoom();
		const caughtUp = record.until === 'journaled' ? this.#letLeaderCatchUp() : undefined;
		if (caughtUp !== undefined) await caughtUp;
		throwIfAborted(signal);
		const sinceMs = this.#options.clock.monotonicMs();
		this.#lastUsedMs = sinceMs;
		if (this.#isGone) await this.#lookAgain();
		this.#held.take(record.body.length);
		return new Promise((resolve, reject) => {
			this.#queue.push({ record, isTold: false, sinceMs, resolve, reject, signal });
			this.#writing ??= this.#writeQueued();
		});
	}

	/**
	 * Who journals faster than the leader folds would take the processor from it, and what was journaled would be seen late:
	 * a fold is waited for. Once only, so that a leader that does not come delays nobody for long.
	 */
	#letLeaderCatchUp(): Promise<void> | undefined {
		const first = this.#journal?.first;
		if (first === undefined || first === this.#waitedFor) return undefined;
		if (this.#options.clock.monotonicMs() - first.sinceMs <= this.#lagLimitMs) return undefined;
		this.#catchingUp ??= this.#waitForFold(first);
		return this.#catchingUp;
	}

	async #waitForFold(first: Pending): Promise<void> {
		const fold = deferred<void>();
		this.#nextFold = fold;
		await inTime(this.#options.clock, CATCH_UP_MS, fold.promise);
		this.#waitedFor = first;
		this.#nextFold = undefined;
		this.#catchingUp = undefined;
	}

	/** What is written to the journal of a table that is gone could never get into it. @throws when it still is */
	async #lookAgain(): Promise<void> {
		await this.newest();
		this.#isGone = false;
	}

	/** @throws `NOT_FOUND` when another table has taken the place of ours */
	async newest(): Promise<TableMetadata> {
		const { load, location, tableUuid } = this.#options;
		const { metadata } = await load();
		if (metadata.tableUuid === tableUuid) return metadata;
		throw new IcebergError('NOT_FOUND', `the table in ${location} is not there any more: another has replaced it`, {
			context: { location, found: metadata.tableUuid, expected: tableUuid },
		});
	}

	get hasNoJournal(): boolean {
		return this.#journal === undefined;
	}

	get journalId(): string | undefined {
		return this.#journal?.id;
	}

	get isWaiting(): boolean {
		return this.#journal !== undefined && this.#journal.pendingCount > 0;
	}

	/** True when it has had nothing to do for long enough to go its own ways again. */
	get isIdle(): boolean {
		return !this.isWaiting && this.#options.clock.monotonicMs() - this.#lastUsedMs >= MEMBER_IDLE_MS;
	}

	/** Lets a commit of our own be made while the leader waits; undefined when it does not. The result ends the turn. */
	async takeTurn(): Promise<(() => void) | undefined> {
		this.#lastUsedMs = this.#options.clock.monotonicMs();
		return this.#contact.takeTurn();
	}

	/** Waits until all is folded, then says good-bye. */
	async leave(): Promise<void> {
		await this.#writing;
		const journal = this.#journal;
		await journal?.whenEmpty();
		this.#left = true;
		this.#contact.end();
		if (journal !== undefined) await this.#closeJournal(journal);
		await this.#contact.close();
	}

	/** Writes what has been gathered, in one call for each turn of the event loop, and wakes the leader. */
	async #writeQueued(): Promise<void> {
		while (this.#queue.length > 0) {
			await nextTurn();
			const queued = this.#queue;
			this.#queue = [];
			const records = queued.some(({ signal }) => signal !== undefined) ? this.#withoutAborted(queued) : queued;
			if (records.length === 0) continue;
			const isJournaled = records.some(({ record }) => record.until === 'journaled');
			let journal: OwnJournal | undefined;
			try {
				journal = this.#usableJournal() ?? (await this.#openJournal());
				if (journal.pendingCount === 0) this.#contact.listen(this.#options.clock.monotonicMs());
				const written = journal.write(records, isJournaled);
				if (written !== undefined) await written;
			} catch (error) {
				if (journal !== undefined) journal.failed = true;
				// Nothing of it is in the journal.
				for (const pending of records) this.#drop(pending, error);
				continue;
			}
			if (!this.#watching) void this.#watchWhilePending();
			this.#contact.wake(records.some(({ record }) => record.until === 'committed'));
			if (isJournaled) void this.#acknowledge(journal, records);
		}
		this.#writing = undefined;
	}

	#withoutAborted(queued: readonly Queued[]): Queued[] {
		return queued.filter((pending) => {
			try {
				throwIfAborted(pending.signal);
				return true;
			} catch (error) {
				this.#drop(pending, error);
				return false;
			}
		});
	}

	#drop({ record, reject }: Pending, error: unknown): void {
		this.#held.release(record.body.length);
		reject(error);
	}

	/** Tells those who only want to be in the journal, once it is flushed. */
	async #acknowledge(journal: OwnJournal, records: readonly Pending[]): Promise<void> {
		try {
			const synced = journal.file.sync();
			if (synced !== undefined) await synced;
		} catch {
			// What is folded is as durable as can be: they wait for that.
			journal.failed = true;
			this.#contact.wake(true);
			return;
		}
		for (const pending of records) {
			const { record, resolve } = pending;
			if (record.until === 'committed') continue;
			pending.isTold = true;
			resolve({ rowCount: record.rowCount, snapshot: undefined, repeated: false, journaled: true });
		}
	}

	/** A new one follows when it has grown large or cannot be written. */
	#usableJournal(): OwnJournal | undefined {
		const journal = this.#journal;
		return journal === undefined || journal.failed || journal.file.size >= JOURNAL_LIMIT_BYTES ? undefined : journal;
	}

	async #openJournal(): Promise<OwnJournal> {
		const last = this.#journal;
		if (last !== undefined) {
			await last.whenEmpty();
			await this.#closeJournal(last);
		}
		const journal = await OwnJournal.create(this.#options, this.#held);
		await this.#checkPlace(journal);
		this.#journal = journal;
		return journal;
	}

	/** A journal goes where its table goes; one that was made where a table has been would be nobody's. */
	async #checkPlace({ id, file }: OwnJournal): Promise<void> {
		try {
			await this.newest();
		} catch (error) {
			await file.close();
			await Promise.resolve(this.#options.journals.remove(journalFileName(id))).catch(() => undefined);
			throw error;
		}
	}

	/** Nothing more is written to it; whoever leads removes it. */
	async #closeJournal(journal: OwnJournal): Promise<void> {
		await journal.file.close();
		await this.#contact.farewell();
		this.#journal = undefined;
	}

	folded(upTo: number, snapshotText: string): void {
		this.#trouble = undefined;
		this.#troubleSinceMs = undefined;
		let snapshot: Snapshot | undefined;
		this.#journal?.folded(upTo, () => (snapshot ??= snapshotFromText(snapshotText)));
		this.#lagLimitMs = this.#options.commitIntervalMs() + LAG_MS;
		this.#nextFold?.resolve();
		// It came after the leader had looked; one that is waited for was told with a message of its own.
		if (this.#journal?.first?.record.until === 'journaled') this.#contact.askSoon();
	}

	repeated(record: number, snapshotId: bigint): void {
		const pending = this.#journal?.take(record);
		if (pending === undefined) return;
		const { resolve, reject } = pending;
		void this.#options
			.load()
			.then(
				({ metadata }) => resolve({ rowCount: 0, snapshot: snapshotById(metadata, snapshotId), repeated: true }),
				reject,
			);
	}

	refused(record: number, error: IcebergError): void {
		this.#journal?.take(record)?.reject(error);
	}

	/** Somebody has removed the journal under us. */
	journalGone(cause: IcebergError): void {
		const journal = this.#journal;
		if (journal === undefined) return;
		this.#journal = undefined;
		const { location } = this.#options;
		journal.rejectAll(
			new IcebergError(
				'COMMIT_STATE_UNKNOWN',
				`the journal ${journal.id} of ${location} was removed before its rows were known to be appended`,
				{ cause, context: { location, journal: journal.id } },
			),
		);
		void journal.file.close();
	}

	troubled(error: unknown): boolean {
		if (isIcebergError(error, 'NOT_FOUND', 'NOT_A_TABLE', 'CORRUPT', 'UNSUPPORTED')) {
			// The journal went with the table: when that is there again, another is begun.
			this.#isGone = true;
			if (this.#journal !== undefined) this.#journal.failed = true;
			this.#journal?.rejectAll(error);
			return true;
		}
		this.#trouble = isIcebergError(error) ? error : new IcebergError('STORAGE', String(error), { cause: error });
		this.#troubleSinceMs ??= this.#options.clock.monotonicMs();
		return false;
	}

	/** Passes by a leader that says nothing; the wait keeps the process alive until all is folded. */
	async #watchWhilePending(): Promise<void> {
		const { clock } = this.#options;
		this.#watching = true;
		while (this.isWaiting && !this.#left) {
			const before = clock.monotonicMs();
			await clock.sleep(WATCH_MS);
			const now = clock.monotonicMs();
			// Asleep for longer than asked for: it was we who did not listen.
			if (now - before > 3 * WATCH_MS) this.#contact.listen(now);
			this.#tellTrouble(now);
			this.#contact.passByIfSilent(now);
		}
		this.#watching = false;
	}

	#tellTrouble(now: number): void {
		if (this.#troubleSinceMs === undefined || now - this.#troubleSinceMs < TROUBLE_PATIENCE_MS) return;
		const { location } = this.#options;
		this.#journal?.rejectAll(
			new IcebergError(
				'COMMIT_STATE_UNKNOWN',
				`the rows stand in the journal ${this.#journal.id} of ${location} and are appended as soon as that is possible; ` +
					`so far it is not: ${this.#trouble?.message}`,
				{ cause: this.#trouble, context: { location, journal: this.#journal.id } },
			),
		);
		this.#troubleSinceMs = undefined;
	}
}
