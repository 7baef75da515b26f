/**
 * The process that folds journals into the table, for all that append. Being the only one is for speed: two leaders, or one
 * that slept, meet at the swap, where the positions decide.
 */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import { currentSnapshot } from '../spec/table-metadata-lookup.ts';
import type { LoadedMetadata } from '../transaction/committer.ts';
import { type Deferred, deferred } from '../util/deferred.ts';
import { doze, inTimeDozing } from '../util/waits.ts';
import { Waker } from '../util/waker.ts';
import { identityText } from '../util/process-identity.ts';
import { KeyTakenError } from './append-keys.ts';
import { BlockedJournalError, fold, type Folded, type FoldPart } from './fold.ts';
import { checkLeader, PositionsMovedError, SupersededError } from './fold-action.ts';
import { FollowedJournal, journalFileName } from './followed-journal.ts';
import { type Follower, newFollower } from './follower.ts';
import { type FoldState, foldStateOf, hasFolds, type FoldedTo, JOURNALS_PROPERTY } from './journal-positions.ts';
import type { LinkConnection } from './leader-link.ts';
import type { LeaderOptions } from './leader-options.ts';
import { damageError, missing, positionsLost } from './leader-errors.ts';
import { errorToText, snapshotToText } from './link-messages.ts';
import { MissingJournals } from './missing-journals.ts';
import { RunningTime } from '../util/running-time.ts';

/** Why a leader ended. */
export type LeaderEnd = 'stopped' | 'idle' | 'superseded' | 'failed';

/** A leader without followers ends after this, ms. */
export const LEADER_IDLE_MS = 3000;
/** How often those who wait for a long fold are told that it goes on, ms. */
const PROGRESS_MS = 100;
/** How long others' turn to commit may take, ms. */
const TURN_MS = 150;
/** How often journals without a follower are looked for, ms. */
const ADOPT_MS = 1000;
/** A journal of a writer that cannot be asked is adopted when it has not moved for this long, ms. */
const SILENT_JOURNAL_MS = 5000;
const JOURNAL_FILE = /^([0-9a-z-]+)\.journal$/;
/** How long a fold waits at most for more of those who were in the two before, as a part of how long a fold takes; and ms. */
const GATHER_PART = 0.5;
const MAX_GATHER_MS = 5;
const NEWEST_WEIGHT = 0.1;
/** How soon it is noticed that a gap for others is over, ms. */
const GAP_STEP_MS = 10;
/** Wait after a fold that failed, ms: the first, and the longest. */
const TROUBLE_MS = 50;
const MAX_TROUBLE_MS = 2000;

export class Leader {
	readonly #options: LeaderOptions;
	readonly #followers = new Set<Follower>();
	readonly #journals = new Map<string, FollowedJournal>();
	readonly #turns: Follower[] = [];
	#turn: { readonly follower: Follower; readonly ended: Deferred<void> } | undefined;
	/** removed files whose entries go with the next fold */
	readonly #dropped = new Set<string>();
	/** journals that cannot be read, reported once */
	readonly #unreadable = new Set<string>();
	readonly #missing: MissingJournals;
	/** text of the positions that are known to be durable */
	#durablePositions: string | undefined;
	#known: FoldState = { leader: undefined, positions: new Map() };
	readonly #waker: Waker;
	#urgent = 0;
	/** when what only has to be visible soon has waited long enough */
	#soonAtMs = Number.POSITIVE_INFINITY;
	#foldCount = 0;
	readonly #foldTime: RunningTime;
	/** how many who want something end the wait before a fold */
	#awaited = 0;
	#troubleMs = 0;
	/** when the last fold began, by the monotonic clock */
	#foldedAtMs = Number.NEGATIVE_INFINITY;
	#folding = false;
	#stopped: LeaderEnd | undefined;
	readonly #ending = deferred<void>();
	#handOver: number | undefined;

	constructor(options: LeaderOptions) {
		this.#options = options;
		this.#waker = new Waker(options.clock);
		this.#missing = new MissingJournals(options.clock);
		this.#foldTime = new RunningTime(options.clock, NEWEST_WEIGHT, MAX_GATHER_MS);
	}

	/** A process that wants to be led. */
	accept(connection: LinkConnection): void {
		if (this.#stopped !== undefined) {
			connection.close();
			return;
		}
		const follower = newFollower(connection, this.#options.clock.monotonicMs());
		this.#followers.add(follower);
		connection.onClose(() => this.#left(follower));
		connection.onMessage((message) => this.#take(follower, message));
	}

	get followerCount(): number {
		return this.#followers.size;
	}

	/** Ends after the fold in hand. @param next the generation that leads from now on */
	stop(next?: number): void {
		this.#handOver = next;
		this.#stopped ??= 'stopped';
		this.#waker.wake();
	}

	/** Leads until it is stopped, superseded, or nobody follows any more. */
	async run(): Promise<LeaderEnd> {
		const progress = this.#tellProgress();
		try {
			let adoptAtMs = 0;
			let busyAtMs = this.#options.clock.monotonicMs();
			while (this.#stopped === undefined) {
				const now = this.#options.clock.monotonicMs();
				if (this.#followers.size > 0 || this.#hasWork() || this.#options.isBusy?.() === true) busyAtMs = now;
				else if (now - busyAtMs >= LEADER_IDLE_MS) this.#stopped = 'idle';
				if (this.#stopped !== undefined) break;
				if (this.#options.adopts && now >= adoptAtMs) {
					adoptAtMs = now + ADOPT_MS;
					await this.#guarded(() => this.#adopt());
				}
				if (this.#turns.length > 0) await this.#giveTurn();
				else if (this.#urgent > 0 || now >= this.#soonAtMs) {
					await this.#leaveGap();
					await this.#gather();
					await this.#guarded(() => this.#fold());
				} else await this.#waker.sleep(Math.min(this.#soonAtMs, adoptAtMs, now + LEADER_IDLE_MS) - now);
			}
		} finally {
			this.#stopped ??= 'failed';
			this.#ending.resolve();
			await progress;
			await this.#tidy();
			for (const { connection } of this.#followers) {
				if (this.#handOver !== undefined) connection.send(`moved ${this.#handOver}`);
				connection.close();
			}
			for (const journal of this.#journals.values()) await journal.close();
		}
		return this.#stopped;
	}

	/** One fold of what writers have left that are gone, without any follower. The leader is of no more use then. */
	async sweep(): Promise<void> {
		try {
			await this.#adopt();
			if (this.#journals.size > 0) await this.#fold();
			this.#stopped = 'stopped';
			await this.#tidy();
		} finally {
			for (const journal of this.#journals.values()) await journal.close();
		}
	}

	/** Entries of journals that are gone go with their leader: others would have to wait until they can tell. */
	async #tidy(): Promise<void> {
		if (this.#dropped.size === 0 || (this.#stopped !== 'stopped' && this.#stopped !== 'idle')) return;
		try {
			await this.#foldOnce(true);
		} catch (error) {
			// The next leader sees to it.
			if (!(error instanceof SupersededError)) this.#options.onTrouble?.(error);
		}
	}

	#hasWork(): boolean {
		return this.#urgent > 0 || this.#soonAtMs < Number.POSITIVE_INFINITY;
	}

	#take(follower: Follower, message: string): void {
		const [verb, telling = '', journalId = ''] = message.split(' ');
		switch (verb) {
			case 'hello':
				follower.connection.send(`welcome ${identityText(this.#options.processes.self)}`);
				if (journalId === '') break;
				follower.telling = telling;
				follower.journalId = journalId;
				follower.journal = undefined;
				follower.leaving = false;
				this.#want(follower);
				break;
			case 'w':
				this.#want(follower);
				break;
			case 'j':
				// One fold begins in each interval: whatever came after the last has waited for less.
				this.#soonAtMs = Math.min(this.#soonAtMs, this.#foldedAtMs + this.#options.commitIntervalMs());
				this.#waker.wake();
				break;
			case 'turn':
				this.#turns.push(follower);
				this.#waker.wake();
				break;
			case 'done':
				if (this.#turn?.follower === follower) this.#turn.ended.resolve();
				break;
			case 'bye':
				follower.leaving = true;
				this.#want(follower);
				break;
			default:
			// A later version may say more.
		}
	}

	#want(follower: Follower): void {
		if (!follower.wants) {
			follower.wants = true;
			this.#urgent += 1;
		}
		if (this.#urgent >= this.#awaited) this.#waker.wake();
	}

	#left(follower: Follower): void {
		this.#followers.delete(follower);
		if (follower.wants) this.#urgent -= 1;
		if (this.#turn?.follower === follower) this.#turn.ended.resolve();
		// What it wrote before is folded all the same.
		if (follower.journal !== undefined) this.#soonAtMs = 0;
		this.#waker.wake();
	}

	/** Those who wait hear meanwhile that the leader lives. */
	async #leaveGap(): Promise<void> {
		const { clock, gapMs } = this.#options;
		for (let left = gapMs?.() ?? 0; left > 0 && this.#stopped === undefined; left = gapMs?.() ?? 0) {
			this.#folding = true;
			await doze(clock, Math.min(left, GAP_STEP_MS));
			this.#folding = false;
		}
	}

	/**
	 * Lets those who were in the last folds get into this one as well: half the commits, for a wait that is shorter than one. Those
	 * of the last but one are waiting already, or late: were they not awaited, two groups would take turns for ever.
	 */
	async #gather(): Promise<void> {
		const { clock } = this.#options;
		for (const { lastFold } of this.#followers) if (lastFold >= this.#foldCount - 1) this.#awaited += 1;
		const untilMs = clock.monotonicMs() + Math.min(MAX_GATHER_MS, this.#foldTime.meanMs * GATHER_PART);
		while (this.#urgent < this.#awaited && this.#stopped === undefined) {
			const left = untilMs - clock.monotonicMs();
			if (left <= 0) break;
			await this.#waker.sleep(left);
		}
		this.#awaited = 0;
	}

	async #guarded(work: () => Promise<void>): Promise<void> {
		const { clock, onTrouble } = this.#options;
		try {
			await work();
			this.#troubleMs = 0;
		} catch (error) {
			if (error instanceof SupersededError) {
				this.#handOver = error.generation;
				this.#stopped ??= 'superseded';
				return;
			}
			onTrouble?.(error);
			const text = errorToText(error);
			for (const { connection } of this.#followers) connection.send(`trouble ${text}`);
			if (isIcebergError(error, 'NOT_FOUND', 'NOT_A_TABLE', 'CORRUPT', 'CLOSED')) {
				// Nobody could do better: the table is gone, or another stands in its place; or our storage was closed, and others can.
				this.#stopped ??= 'failed';
				return;
			}
			this.#troubleMs = Math.min(MAX_TROUBLE_MS, Math.max(TROUBLE_MS, this.#troubleMs * 2));
			await doze(clock, this.#troubleMs * (0.5 + this.#options.random.float() / 2));
		}
	}

	/** One fold of all that is there. */
	async #fold(): Promise<void> {
		const { clock, exclusively = (work) => work() } = this.#options;
		this.#soonAtMs = Number.POSITIVE_INFINITY;
		const group = [...this.#followers].filter(({ wants }) => wants);
		this.#foldCount += 1;
		for (const follower of group) {
			follower.wants = false;
			follower.lastFold = this.#foldCount;
		}
		this.#urgent -= group.length;
		this.#folding = true;
		this.#foldedAtMs = clock.monotonicMs();
		try {
			await exclusively(() => this.#foldOnce());
			this.#foldTime.endedNow(this.#foldedAtMs);
		} catch (error) {
			for (const follower of group) if (this.#followers.has(follower)) this.#want(follower);
			if (group.length === 0) this.#soonAtMs = 0;
			throw error;
		} finally {
			this.#folding = false;
		}
	}

	/** @param alsoDrop a commit is made for entries of removed journals alone */
	async #foldOnce(alsoDrop = false): Promise<void> {
		const { committer, clock, random, processes, mark, companions, onFold } = this.#options;
		for (;;) {
			const base = await committer.load();
			const state = this.#stateOf(base);
			checkLeader(state, mark, base.metadata.location);
			await this.#makeDurable(base);
			await this.#openJournals(state);
			await this.#readAll();
			this.#forgetFolded(state, base);
			const parts = this.#parts(state, base);
			if (parts.length === 0 && !(alsoDrop && this.#dropped.size > 0)) {
				await this.#removeEnded();
				return;
			}
			const dropped = [...this.#dropped].filter((id) => state.positions.has(id));
			try {
				const folded = await fold(base, parts, {
					committer,
					clock,
					random,
					processes,
					leader: mark,
					dropped,
					remembered: () => this.#known,
					exists: (id) => this.#exists(id),
					...(companions === undefined ? {} : { companions }),
				});
				this.#dropped.clear();
				this.#remember(folded.loaded);
				this.#tell(parts, folded);
				// They are on their way to hear of it: what is done now delays nobody.
				if (folded.snapshot !== undefined) onFold?.(folded.loaded, folded.files, folded.rows);
				await this.#removeEnded();
				return;
			} catch (error) {
				if (error instanceof BlockedJournalError) this.#block(error, base);
				else if (error instanceof PositionsMovedError) await this.#forgetRemoved(error.journal);
				else if (!(error instanceof KeyTakenError)) throw error;
			}
		}
	}

	async #exists(id: string): Promise<boolean> {
		const file = await this.#options.journals.open(journalFileName(id));
		await file?.close();
		return file !== undefined;
	}

	/** What has neither file nor entry was folded by another leader, to its end. */
	async #forgetRemoved(id: string): Promise<void> {
		const state = this.#stateOf(await this.#options.committer.load());
		const journal = this.#journals.get(id);
		if (journal === undefined || state.positions.has(id) || (await this.#exists(id))) return;
		this.#journals.delete(id);
		await journal.close();
		for (const follower of this.#followers) {
			if (follower.journal !== journal) continue;
			follower.journal = undefined;
			follower.journalId = undefined;
			follower.connection.send(`no ${follower.telling} ${errorToText(missing(id))}`);
		}
	}

	/** Another engine that removed the property did not undo what was folded. */
	#stateOf(base: LoadedMetadata): FoldState {
		const { metadata } = base;
		if (metadata.tableUuid !== this.#options.tableUuid)
			throw new IcebergError('NOT_FOUND', `${metadata.location} holds another table than when appending began`, {
				context: { location: metadata.location, found: metadata.tableUuid, expected: this.#options.tableUuid },
			});
		const state = foldStateOf(metadata.properties, metadata.location);
		if (state !== undefined) {
			this.#known = state;
			return state;
		}
		if (this.#known.positions.size === 0 && hasFolds(metadata)) throw positionsLost(metadata.location);
		return this.#known;
	}

	#remember(loaded: LoadedMetadata): void {
		const { properties, location } = loaded.metadata;
		this.#known = foldStateOf(properties, location) ?? this.#known;
		this.#durablePositions = properties[JOURNALS_PROPERTY];
	}

	async #openJournals(state: FoldState): Promise<void> {
		for (const follower of this.#followers) {
			const { journalId, connection } = follower;
			if (follower.journal !== undefined || journalId === undefined) continue;
			try {
				follower.journal = await this.#follow(journalId, state);
				if (follower.journal === undefined)
					connection.send(`no ${follower.telling} ${errorToText(missing(journalId))}`);
			} catch (error) {
				follower.journalId = undefined;
				connection.send(`no ${follower.telling} ${errorToText(error)}`);
			}
		}
	}

	async #follow(id: string, state: FoldState): Promise<FollowedJournal | undefined> {
		const known = this.#journals.get(id);
		if (known !== undefined) return known;
		const position = state.positions.get(id);
		const { journals, tableUuid } = this.#options;
		const journal = await FollowedJournal.open(journals, { tableUuid, journalId: id }, position);
		if (journal !== undefined) this.#journals.set(id, journal);
		return journal;
	}

	async #readAll(): Promise<void> {
		for (const journal of this.#journals.values()) {
			await journal.read();
			if (journal.isFinal || journal.damage === undefined || !this.#writerIsGone(journal)) continue;
			// It may have been completed before its writer was found gone.
			await journal.read();
			journal.isFinal = true;
		}
	}

	/** What others have folded can be seen before it is durable, and only then may it be told, and journals removed. */
	async #makeDurable({ metadata, metadataLocation }: LoadedMetadata): Promise<void> {
		const positions = metadata.properties[JOURNALS_PROPERTY];
		if (positions === undefined || positions === this.#durablePositions) return;
		await this.#options.committer.io.persistNames([metadataLocation]);
		this.#durablePositions = positions;
	}

	/** What others have folded, or a commit of ours whose reply was lost, is told now. */
	#forgetFolded(state: FoldState, { metadata }: LoadedMetadata): void {
		for (const { journal, connection, telling } of this.#followers) {
			const position = journal === undefined ? undefined : state.positions.get(journal.id);
			if (journal === undefined || position === undefined || position.seq <= journal.toldTo) continue;
			journal.toldTo = position.seq;
			connection.send(`f ${telling} ${position.seq} ${snapshotToText(currentSnapshot(metadata))}`);
		}
		for (const journal of this.#journals.values()) {
			const position = state.positions.get(journal.id);
			if (position !== undefined) journal.foldedTo(position);
		}
	}

	#parts(state: FoldState, base: LoadedMetadata): FoldPart[] {
		const parts: FoldPart[] = [];
		for (const journal of this.#journals.values()) {
			const position = state.positions.get(journal.id);
			if (position?.setAside === true) continue;
			if (journal.blocked?.schemaId === base.metadata.currentSchemaId) {
				this.#tellBlocked(journal);
				continue;
			}
			journal.blocked = undefined;
			const damaged = this.#isDamaged(journal);
			const part = journal.part(position, damaged);
			if (part === undefined) continue;
			if (damaged) this.#options.onTrouble?.(damageError(base.metadata.location, journal));
			parts.push(part);
			if (journal.hasMore) this.#soonAtMs = 0;
		}
		return parts;
	}

	#block(error: BlockedJournalError, base: LoadedMetadata): void {
		const journal = this.#journals.get(error.journal);
		if (journal !== undefined) journal.blocked = { schemaId: base.metadata.currentSchemaId, error };
		this.#options.onTrouble?.(error);
	}

	/** Those who wait behind a record that holds its journal up are told why. */
	#tellBlocked(journal: FollowedJournal): void {
		for (const follower of this.#followers)
			if (follower.journal === journal) follower.connection.send(`trouble ${errorToText(journal.blocked?.error)}`);
	}

	#tell(parts: readonly FoldPart[], { snapshot, exceptions }: Folded): void {
		const text = snapshotToText(snapshot);
		const byJournal = new Map([...this.#followers].map((follower) => [follower.journal?.id, follower]));
		const now = this.#options.clock.monotonicMs();
		for (const { journal: id, advance } of parts) {
			const journal = this.#journals.get(id);
			journal?.foldedTo(advance.to);
			const follower = byJournal.get(id);
			if (follower === undefined || journal === undefined) continue;
			journal.toldTo = advance.to.seq;
			follower.heardMs = now;
			for (const [record, exception] of exceptions.get(id) ?? []) {
				if (exception.kind === 'refused')
					follower.connection.send(`x ${follower.telling} ${record} ${errorToText(exception.error)}`);
				else
					follower.connection.send(
						`r ${follower.telling} ${record} ${exception.snapshotId === 0n ? (snapshot?.snapshotId ?? 0n) : exception.snapshotId}`,
					);
			}
			follower.connection.send(`f ${follower.telling} ${advance.to.seq} ${text}`);
		}
	}

	/** What is no whole record may still be on its way, unless nobody writes any more. */
	#isDamaged(journal: FollowedJournal): boolean {
		const { damage } = journal;
		return damage !== undefined && (damage.final || journal.isFinal);
	}

	#writerIsGone({ writer }: FollowedJournal): boolean {
		return writer !== undefined && this.#options.processes.isGone(writer) === true;
	}

	/** Files of writers that have ended go once all of it is folded; their entries with the fold after. */
	async #removeEnded(): Promise<void> {
		const followers = new Map([...this.#followers].map((follower) => [follower.journal, follower]));
		for (const [id, journal] of this.#journals) {
			const follower = followers.get(journal);
			const ended = follower === undefined ? this.#writerIsGone(journal) : follower.leaving;
			if (!ended || journal.hasRecords || journal.damage !== undefined) continue;
			// It may have written once more before it ended.
			await journal.read();
			if (journal.hasRecords || journal.damage !== undefined) {
				this.#soonAtMs = 0;
				continue;
			}
			if (await journal.hasRemains()) continue;
			await journal.close();
			this.#journals.delete(id);
			await this.#options.journals.remove(journalFileName(id));
			this.#dropped.add(id);
			if (follower === undefined) continue;
			follower.journal = undefined;
			follower.journalId = undefined;
			follower.connection.send(`farewell ${follower.telling}`);
		}
	}

	/** Looks for journals whose writers are gone, or cannot be asked and say nothing; and for entries whose files are gone. */
	async #adopt(): Promise<void> {
		const { journals, committer } = this.#options;
		const files = await journals.list();
		const base = await committer.load();
		const state = this.#stateOf(base);
		await this.#makeDurable(base);
		const present = new Set<string>();
		for (const { name, modifiedMs } of files) {
			const id = JOURNAL_FILE.exec(name)?.[1];
			if (id === undefined) continue;
			present.add(id);
			if (!this.#journals.has(id) && state.positions.get(id)?.setAside !== true)
				await this.#adoptOne(id, state.positions.get(id), modifiedMs);
		}
		const entries = [...state.positions.keys()].filter((id) => !this.#journals.has(id));
		for (const id of this.#missing.longGone(entries, present)) this.#dropped.add(id);
		await this.#removeEnded();
	}

	async #adoptOne(id: string, position: FoldedTo | undefined, modifiedMs: number): Promise<void> {
		const { journals, clock, processes, tableUuid, onTrouble } = this.#options;
		let journal: FollowedJournal | undefined;
		try {
			journal = await FollowedJournal.open(journals, { tableUuid, journalId: id }, position);
		} catch (error) {
			if (!this.#unreadable.has(id)) onTrouble?.(error);
			this.#unreadable.add(id);
		}
		if (journal === undefined) return;
		const gone = journal.writer === undefined ? undefined : processes.isGone(journal.writer);
		const silent = gone === undefined && clock.nowMs() - modifiedMs >= SILENT_JOURNAL_MS;
		if (gone !== true && !silent) {
			await journal.close();
			return;
		}
		this.#journals.set(id, journal);
		this.#soonAtMs = 0;
	}

	async #giveTurn(): Promise<void> {
		const follower = this.#turns.shift();
		if (follower === undefined || !this.#followers.has(follower)) return;
		const ended = deferred<void>();
		this.#turn = { follower, ended };
		follower.connection.send('go');
		await inTimeDozing(this.#options.clock, TURN_MS, ended.promise);
		this.#turn = undefined;
		if (this.#urgent > 0) await this.#gather();
	}

	/** Those who wait for long are told that the leader lives. */
	async #tellProgress(): Promise<void> {
		const { clock } = this.#options;
		while (this.#stopped === undefined) {
			await inTimeDozing(clock, PROGRESS_MS, this.#ending.promise);
			const busy = this.#folding || this.#troubleMs > 0 || this.#soonAtMs < Number.POSITIVE_INFINITY;
			const now = clock.monotonicMs();
			for (const follower of this.#followers) {
				if (!(busy || follower.journal?.blocked !== undefined) || now - follower.heardMs < PROGRESS_MS) continue;
				follower.heardMs = now;
				follower.connection.send('p');
			}
		}
	}
}
