/**
 * An appender among others: it writes its records to a journal of its own, and whoever leads folds them into the table. It
 * follows the leader, takes the lead when nobody has it or the leader is silent, and folds its own journal where no leader
 * can be reached.
 */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { snapshotById } from '../spec/table-metadata-lookup.ts';
import type { LoadedMetadata } from '../transaction/committer.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { type Deferred, deferred } from '../util/deferred.ts';
import { inTime, nextTurn } from '../util/waits.ts';
import { parseIdentity, type ProcessIdentity } from '../util/process-identity.ts';
import type { Appended } from './appended.ts';
import { ByteWriter } from './batch-codec-writer.ts';
import { encodeRecord } from './journal-format.ts';
import { foldStateOf } from './journal-positions.ts';
import type { LeaderHost } from './leader-host.ts';
import type { LinkConnection } from './leader-link.ts';
import { journalFileName } from './followed-journal.ts';
import { errorFromText, snapshotFromText } from './link-messages.ts';
import {
	createJournal,
	type JournalPorts,
	journalRecord,
	type MemberRecord,
	notAborted,
	type OwnJournal,
	type Pending,
	type Queued,
} from './own-journal.ts';

export interface MemberOptions extends JournalPorts {
	readonly location: string;
	/** looks for the newest state */
	readonly load: () => Promise<LoadedMetadata>;
	readonly host: LeaderHost;
	/** told when a leader has been found */
	readonly onFollow?: () => void;
}

/** A leader that says nothing for so long is passed by when its process is stopped or cannot be looked at, ms. */
export const SILENCE_MS = 250;
/** A leader whose process runs may be short of processor time: it is passed by after this, ms. */
const BUSY_SILENCE_MS = 2000;
const WATCH_MS = 50;
/** How long a leader's welcome, and a turn, are waited for, ms. */
const WELCOME_MS = 1500;
/** Generations beyond the known one that are tried for a leader that answers. */
const MAX_GENERATIONS = 16;
/** How long the removal of a journal is waited for, ms, and how many leaders are asked for it. */
const FAREWELL_MS = 1000;
const MAX_FAREWELLS = 3;
/** A journal that has grown so far is followed by a new one. */
const JOURNAL_LIMIT_BYTES = 16 * 1024 * 1024;
/** Bytes of rows that are not folded yet at which further appends wait before they are taken. */
const HELD_LIMIT_BYTES = 64 * 1024 * 1024;
/** After so much quiet a member leaves, ms. */
export const MEMBER_IDLE_MS = 10_000;
/** So long a leader may fail to commit before those who wait are told, ms. */
export const TROUBLE_PATIENCE_MS = 10_000;

export class Member {
	readonly #options: MemberOptions;
	#journal: OwnJournal | undefined;
	#queue: Queued[] = [];
	/** of records that are not known to be folded */
	#heldBytes = 0;
	/** resolved and replaced whenever some of it goes */
	#room = deferred<void>();
	readonly #writer = new ByteWriter();
	#writing: Promise<void> | undefined;
	#connection: LinkConnection | undefined;
	/** the process that leads, where it is known */
	#leader: ProcessIdentity | undefined;
	/** the journal that the leader was told of, and the number of the telling, which its answers repeat */
	#toldJournal: string | undefined;
	#tellings = 0;
	#connecting: Promise<void> | undefined;
	#reconnecting: Promise<void> | undefined;
	/** a leader has been asked to fold soon, and has not answered yet */
	#soonAsked = false;
	#heardMs = 0;
	#watching = false;
	/** generations below are not asked any more */
	#leastGeneration = 0;
	#troubleSinceMs: number | undefined;
	#trouble: IcebergError | undefined;
	/** the table was found to be gone, or to be another: nothing is taken before it is there again */
	#isGone = false;
	#turn: Deferred<boolean> | undefined;
	/** the leader has removed the journal that was given up */
	#farewell: Deferred<boolean> | undefined;
	#lastUsedMs = 0;
	#left = false;

	constructor(options: MemberOptions) {
		this.#options = options;
	}

	/** Appends; resolves when it is committed, or durable in the journal, as the record says. */
	async append(record: MemberRecord, signal?: AbortSignal): Promise<Appended> {
		if (this.#left) throw new IcebergError('CLOSED', `the table ${this.#options.location} has been closed`);
		while (this.#heldBytes > HELD_LIMIT_BYTES) await this.#room.promise;
		throwIfAborted(signal);
		this.#lastUsedMs = this.#options.clock.monotonicMs();
		if (this.#isGone) await this.#lookAgain();
		this.#heldBytes += record.sizeBytes;
		const result = deferred<Appended>();
		const written = deferred<OwnJournal>();
		const released = (): void => this.#release(record.sizeBytes);
		result.promise.then(released, released);
		this.#queue.push({ record, result, written, signal });
		this.#writing ??= this.#writeQueued();
		let journal: OwnJournal;
		try {
			journal = await written.promise;
		} catch (error) {
			this.#release(record.sizeBytes);
			throw error;
		}
		if (record.until === 'committed') return result.promise;
		try {
			await journal.file.sync();
		} catch {
			// What is folded is as durable as can be.
			this.#wakeLeader(true);
			return result.promise;
		}
		return { rowCount: record.rowCount, snapshot: undefined, repeated: false, journaled: true };
	}

	/** What is written to the journal of a table that is gone could never get into it. @throws when it still is */
	async #lookAgain(): Promise<void> {
		await this.#newest();
		this.#isGone = false;
	}

	/** @throws `NOT_FOUND` when another table has taken the place of ours */
	async #newest(): Promise<TableMetadata> {
		const { load, location, tableUuid } = this.#options;
		const { metadata } = await load();
		if (metadata.tableUuid === tableUuid) return metadata;
		throw new IcebergError('NOT_FOUND', `the table in ${location} is not there any more: another has replaced it`, {
			context: { location, found: metadata.tableUuid, expected: tableUuid },
		});
	}

	#release(sizeBytes: number): void {
		this.#heldBytes -= sizeBytes;
		this.#room.resolve();
		this.#room = deferred<void>();
	}

	get hasNoJournal(): boolean {
		return this.#journal === undefined;
	}

	get pendingCount(): number {
		return this.#journal?.pending.size ?? 0;
	}

	/** True when it has had nothing to do for long enough to go its own ways again. */
	get isIdle(): boolean {
		return this.pendingCount === 0 && this.#options.clock.monotonicMs() - this.#lastUsedMs >= MEMBER_IDLE_MS;
	}

	/** Lets a commit of our own be made while the leader waits; undefined when it does not. The result ends the turn. */
	async takeTurn(): Promise<(() => void) | undefined> {
		this.#lastUsedMs = this.#options.clock.monotonicMs();
		if (this.#connection === undefined) await this.#connect();
		const connection = this.#connection;
		if (connection === undefined || this.#turn !== undefined) return undefined;
		const turn = deferred<boolean>();
		this.#turn = turn;
		connection.send('turn');
		const isOurs = await inTime(this.#options.clock, WELCOME_MS, turn.promise);
		this.#turn = undefined;
		return isOurs === true ? () => connection.send('done') : undefined;
	}

	/** Waits until all is folded, then says good-bye. */
	async leave(): Promise<void> {
		await this.#writing;
		const journal = this.#journal;
		if (journal !== undefined)
			await Promise.allSettled([...journal.pending.values()].map(({ result }) => result.promise));
		this.#left = true;
		if (journal !== undefined) await this.#closeJournal(journal);
		// A search for a leader that is under way must not end with our leading, or following, after this.
		await this.#reconnecting;
		await this.#connecting?.catch(() => undefined);
		this.#connection?.close();
		this.#connection = undefined;
	}

	/** Writes what has been gathered, in one call for each turn of the event loop, and wakes the leader. */
	async #writeQueued(): Promise<void> {
		while (this.#queue.length > 0) {
			await nextTurn();
			const queued = this.#queue.filter(notAborted);
			this.#queue = [];
			if (queued.length === 0) continue;
			let journal: OwnJournal | undefined;
			try {
				journal = await this.#openJournal();
				await this.#write(journal, queued);
			} catch (error) {
				if (journal !== undefined) journal.failed = true;
				// Nothing of it is in the journal.
				for (const { written } of queued) written.reject(error);
				continue;
			}
			for (const { written } of queued) written.resolve(journal);
			this.#watch();
			this.#wakeLeader(queued.some(({ record }) => record.until === 'committed'));
		}
		this.#writing = undefined;
	}

	/** The journal to write to: a new one for the first record, and when the last has grown large or cannot be written. */
	async #openJournal(): Promise<OwnJournal> {
		const last = this.#journal;
		const isFull = last !== undefined && (last.failed || last.file.size >= JOURNAL_LIMIT_BYTES);
		if (last !== undefined && !isFull) return last;
		if (last !== undefined) {
			await Promise.allSettled([...last.pending.values()].map(({ result }) => result.promise));
			await this.#closeJournal(last);
		}
		const journal = await createJournal(this.#options);
		await this.#checkPlace(journal);
		this.#journal = journal;
		return journal;
	}

	/** A journal goes where its table goes; one that was made where a table has been would be nobody's. */
	async #checkPlace({ id, file }: OwnJournal): Promise<void> {
		try {
			await this.#newest();
		} catch (error) {
			await file.close();
			await Promise.resolve(this.#options.journals.remove(journalFileName(id))).catch(() => undefined);
			throw error;
		}
	}

	/** Nothing more is written to it; whoever leads removes it, now or when this process is gone. */
	async #closeJournal(journal: OwnJournal): Promise<void> {
		await journal.file.close();
		for (let attempt = 0; attempt < MAX_FAREWELLS; attempt++) {
			// Where no leader can be found, a later one sees that this process is gone.
			if (this.#connection === undefined) await this.#connect().catch(() => undefined);
			if (this.#connection === undefined) break;
			const farewell = deferred<boolean>();
			this.#farewell = farewell;
			this.#connection.send('bye');
			const removed = await inTime(this.#options.clock, FAREWELL_MS, farewell.promise);
			if (removed !== false) break;
		}
		this.#farewell = undefined;
		this.#journal = undefined;
	}

	async #write(journal: OwnJournal, queued: readonly Queued[]): Promise<void> {
		let seq = journal.nextRecord;
		this.#writer.cut(0);
		for (const { record } of queued) encodeRecord(this.#writer, journalRecord(record, seq++));
		await journal.file.append(this.#writer.view());
		if (journal.pending.size === 0) this.#heardMs = this.#options.clock.monotonicMs();
		for (const { record, result } of queued) journal.pending.set(journal.nextRecord++, { record, result });
	}

	#wakeLeader(urgent: boolean): void {
		if (this.#connection === undefined) this.#reconnect();
		else if (this.#journal !== undefined && this.#toldJournal !== this.#journal.id) this.#introduce(this.#connection);
		else if (urgent) this.#connection.send('w');
		else if (!this.#soonAsked) {
			this.#soonAsked = true;
			this.#connection.send('j');
		}
	}

	async #connect(): Promise<void> {
		this.#connecting ??= this.#findLeader().finally(() => {
			this.#connecting = undefined;
		});
		return this.#connecting;
	}

	/** The leader of the newest generation that answers; ourselves when nobody does. */
	async #findLeader(): Promise<void> {
		const { host } = this.#options;
		const { link } = host;
		if (link === undefined) return this.#leadPrivately();
		const known = await this.#knownGeneration(link.namespace);
		const first = Math.max(known, this.#leastGeneration);
		for (let generation = first; generation < first + MAX_GENERATIONS; generation++) {
			let connection = await link.connect(generation);
			if (connection === undefined && generation > known) {
				await host.lead(generation);
				connection = await link.connect(generation);
			}
			if (connection === undefined) continue;
			if (await this.#greet(connection)) return this.#use(connection, generation);
			connection.close();
		}
		return this.#leadPrivately();
	}

	async #leadPrivately(): Promise<void> {
		const connection = await this.#options.host.leadPrivately();
		if (await this.#greet(connection)) this.#use(connection, 0);
	}

	async #knownGeneration(namespace: string): Promise<number> {
		const { location } = this.#options;
		const metadata = await this.#newest();
		try {
			const leader = foldStateOf(metadata.properties, location)?.leader;
			return leader?.namespace === namespace ? leader.generation : 0;
		} catch {
			// It is the leader's to say what is wrong with the property.
			return 0;
		}
	}

	async #greet(connection: LinkConnection): Promise<boolean> {
		const answer = deferred<boolean>();
		connection.onMessage((message) => {
			if (message.startsWith('welcome ')) {
				this.#leader = parseIdentity(message.slice('welcome '.length));
				answer.resolve(true);
			} else this.#take(connection, message);
		});
		connection.onClose(() => answer.resolve(false));
		this.#introduce(connection);
		return (await inTime(this.#options.clock, WELCOME_MS, answer.promise)) === true;
	}

	#introduce(connection: LinkConnection): void {
		this.#toldJournal = this.#journal?.id;
		this.#tellings += 1;
		connection.send(this.#toldJournal === undefined ? 'hello' : `hello ${this.#tellings} ${this.#toldJournal}`);
	}

	#use(connection: LinkConnection, generation: number): void {
		this.#connection = connection;
		this.#options.onFollow?.();
		this.#soonAsked = false;
		this.#leastGeneration = Math.max(this.#leastGeneration, generation);
		this.#heardMs = this.#options.clock.monotonicMs();
		if (this.#journal !== undefined && this.#toldJournal !== this.#journal.id) this.#introduce(connection);
		connection.onClose(() => {
			if (this.#connection !== connection) return;
			this.#connection = undefined;
			this.#turn?.resolve(false);
			this.#farewell?.resolve(false);
			if (this.pendingCount > 0 && !this.#left) this.#reconnect();
		});
	}

	#reconnect(): void {
		this.#reconnecting ??= this.#connectAtLast().finally(() => {
			this.#reconnecting = undefined;
		});
	}

	async #connectAtLast(): Promise<void> {
		for (;;) {
			try {
				await this.#connect();
			} catch (error) {
				if (this.#isFatal(error)) {
					this.#giveUpTable(error);
					return;
				}
				this.#note(error);
			}
			if (this.pendingCount === 0 || this.#connection !== undefined || this.#left) return;
			await this.#options.clock.sleep(WATCH_MS);
		}
	}

	#take(connection: LinkConnection, message: string): void {
		this.#heardMs = this.#options.clock.monotonicMs();
		const space = message.indexOf(' ');
		const verb = space < 0 ? message : message.slice(0, space);
		const rest = space < 0 ? '' : message.slice(space + 1);
		switch (verb) {
			case 'f':
			case 'r':
			case 'x':
				this.#told(verb, rest);
				break;
			case 'trouble': {
				const error = errorFromText(rest);
				if (this.#isFatal(error)) this.#giveUpTable(error);
				else this.#note(error);
				break;
			}
			case 'moved':
				this.#leastGeneration = Math.max(this.#leastGeneration, Number(rest));
				connection.close();
				break;
			case 'no': {
				const [telling = ''] = rest.split(' ', 1);
				if (Number(telling) !== this.#tellings) break;
				const error = errorFromText(rest.slice(telling.length + 1));
				if (this.#connection === connection) this.#connection = undefined;
				connection.close();
				if (error.code === 'NOT_FOUND') void this.#giveUpJournal(error);
				// It cannot read our journal: we fold it ourselves.
				else void this.#leadPrivately();
				break;
			}
			case 'farewell':
				if (Number(rest) === this.#tellings) this.#farewell?.resolve(true);
				break;
			case 'go':
				this.#turn?.resolve(true);
				break;
			default:
			// 'p' says only that the leader lives.
		}
	}

	/** Somebody has removed the journal under us. */
	async #giveUpJournal(cause: IcebergError): Promise<void> {
		const journal = this.#journal;
		if (journal === undefined) return;
		this.#journal = undefined;
		const { location } = this.#options;
		const error = new IcebergError(
			'COMMIT_STATE_UNKNOWN',
			`the journal ${journal.id} of ${location} was removed before its rows were known to be appended`,
			{ cause, context: { location, journal: journal.id } },
		);
		for (const { result } of journal.pending.values()) result.reject(error);
		journal.pending.clear();
		await journal.file.close();
	}

	/** What became of records: folded up to one, one whose key was known, one that was refused. */
	#told(verb: 'f' | 'r' | 'x', message: string): void {
		const [telling = '', seq = ''] = message.split(' ', 2);
		// It speaks of a journal that was given up since.
		if (Number(telling) !== this.#tellings) return;
		const rest = message.slice(telling.length + seq.length + 2);
		if (verb === 'f') this.#folded(Number(seq), rest);
		else if (verb === 'r') this.#repeated(Number(seq), BigInt(rest));
		else this.#settle(Number(seq), ({ result }) => result.reject(errorFromText(rest)));
	}

	#folded(upTo: number, snapshotText: string): void {
		this.#soonAsked = false;
		this.#trouble = undefined;
		this.#troubleSinceMs = undefined;
		const journal = this.#journal;
		if (journal === undefined) return;
		let snapshot: Snapshot | undefined;
		for (const [at, { record, result }] of journal.pending) {
			if (at > upTo) break;
			snapshot ??= snapshotFromText(snapshotText);
			journal.pending.delete(at);
			result.resolve({ rowCount: record.rowCount, snapshot, repeated: false });
		}
		if (journal.pending.size > 0) this.#askAgain(journal);
	}

	/** Records that came after the leader had looked are asked for by the message that was sent with them. */
	#askAgain(journal: OwnJournal): void {
		const [first] = journal.pending.values();
		if (first?.record.until === 'journaled' && !this.#soonAsked) {
			this.#soonAsked = true;
			this.#connection?.send('j');
		}
	}

	#repeated(number: number, snapshotId: bigint): void {
		this.#settle(number, ({ result }) => {
			void this.#options.load().then(
				({ metadata }) => result.resolve({ rowCount: 0, snapshot: snapshotById(metadata, snapshotId), repeated: true }),
				(error: unknown) => result.reject(error),
			);
		});
	}

	#settle(number: number, how: (pending: Pending) => void): void {
		const pending = this.#journal?.pending.get(number);
		if (pending === undefined) return;
		this.#journal?.pending.delete(number);
		how(pending);
	}

	#isFatal(error: unknown): boolean {
		return isIcebergError(error, 'NOT_FOUND', 'NOT_A_TABLE', 'CORRUPT', 'UNSUPPORTED');
	}

	#note(error: unknown): void {
		this.#trouble = isIcebergError(error) ? error : new IcebergError('STORAGE', String(error), { cause: error });
		this.#troubleSinceMs ??= this.#options.clock.monotonicMs();
	}

	/** The journal went with the table: when that is there again, another is begun. */
	#giveUpTable(error: unknown): void {
		this.#isGone = true;
		if (this.#journal !== undefined) this.#journal.failed = true;
		this.#rejectAll(error);
	}

	#rejectAll(error: unknown): void {
		const journal = this.#journal;
		if (journal === undefined) return;
		for (const { result } of journal.pending.values()) result.reject(error);
		journal.pending.clear();
	}

	/** Passes by a leader that says nothing; the wait keeps the process alive until all is folded. */
	#watch(): void {
		if (!this.#watching) void this.#watchWhilePending();
	}

	async #watchWhilePending(): Promise<void> {
		const { clock } = this.#options;
		this.#watching = true;
		while (this.pendingCount > 0 && !this.#left) {
			const before = clock.monotonicMs();
			await clock.sleep(WATCH_MS);
			const now = clock.monotonicMs();
			// Asleep for longer than asked for: it was we who did not listen.
			if (now - before > 3 * WATCH_MS) this.#heardMs = now;
			this.#tellTrouble(now);
			const silentMs = now - this.#heardMs;
			if (this.#connection === undefined) this.#reconnect();
			else if (silentMs >= SILENCE_MS && silentMs >= this.#patienceMs()) {
				this.#leastGeneration += 1;
				this.#connection.close();
			}
		}
		this.#watching = false;
	}

	#patienceMs(): number {
		const { processes } = this.#options;
		const isRunning = this.#leader === undefined ? undefined : processes.isRunning?.(this.#leader);
		return isRunning === true ? BUSY_SILENCE_MS : SILENCE_MS;
	}

	#tellTrouble(now: number): void {
		if (this.#troubleSinceMs === undefined || now - this.#troubleSinceMs < TROUBLE_PATIENCE_MS) return;
		const { location } = this.#options;
		this.#rejectAll(
			new IcebergError(
				'COMMIT_STATE_UNKNOWN',
				`the rows stand in the journal ${this.#journal?.id} of ${location} and are appended as soon as that is possible; ` +
					`so far it is not: ${this.#trouble?.message}`,
				{ cause: this.#trouble, context: { location, journal: this.#journal?.id } },
			),
		);
		this.#troubleSinceMs = undefined;
	}
}
