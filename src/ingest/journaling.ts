/** Whether, and how, a table object appends by way of journals. */
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { JournalStore } from '../io/journal-store.ts';
import { commitIntervalMs, DEFAULT_COMMIT_INTERVAL_MS } from '../metadata/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action } from '../transaction/action.ts';
import type { LoadedMetadata } from '../transaction/committer.ts';
import { thinHistoryAction } from '../transaction/thin-history.ts';
import { CommitMutex } from '../util/commit-mutex.ts';
import { doze } from '../util/waits.ts';
import type { Processes } from '../util/process-identity.ts';
import type { Appended } from './appended.ts';
import type { AppendHost } from './append-host.ts';
import { LeaderHost, type LeaderThread } from './leader-host.ts';
import type { LeaderLink } from './leader-link.ts';
import { Member, MEMBER_IDLE_MS } from './member.ts';
import { journalWriter, type MemberRecord } from './own-journal.ts';

export interface JournalingPorts {
	readonly journals: JournalStore;
	readonly processes: Processes;
	/** undefined where processes cannot reach one another: each folds its own journal */
	readonly link: LeaderLink | undefined;
	readonly startThread?: (generation: number) => LeaderThread | undefined;
	/** told of what a leader on this thread could not do */
	readonly onTrouble?: (error: unknown) => void;
}

export class Journaling {
	readonly #host: AppendHost;
	readonly #ports: JournalingPorts;
	readonly #leaderHost: LeaderHost;
	#member: Member | undefined;
	#closed = false;
	/** The system lets this process make no journal. */
	#isDenied = false;

	constructor(host: AppendHost, ports: JournalingPorts) {
		this.#host = host;
		this.#ports = ports;
		const { committer, clock, random } = host;
		const { journals, processes, link, startThread, onTrouble } = ports;
		this.#leaderHost = new LeaderHost({
			link,
			clock,
			leader: {
				committer,
				clock,
				random,
				processes,
				journals,
				tableUuid: this.#tableUuid,
				commitIntervalMs: () => commitIntervalOf(host.loaded().metadata),
				companions: companionsOf,
				exclusively: (work) => CommitMutex.of(committer).run(work),
				onFold: (loaded, added, rows) => {
					host.advance(loaded);
					host.maintenance?.noteCommit(loaded, { added, ...(rows === undefined ? {} : { rows }) });
				},
				...(onTrouble === undefined ? {} : { onTrouble }),
			},
			...(startThread === undefined ? {} : { startThread }),
		});
	}

	/** True once the system has refused this process a journal. */
	get isDenied(): boolean {
		return this.#isDenied;
	}

	/** Whether journals make sense: where a leader can be shared. */
	get canJoin(): boolean {
		return this.#ports.link !== undefined && !this.#isDenied;
	}

	/** Whether appends go by way of the journal now. */
	get isJoined(): boolean {
		return this.#member !== undefined;
	}

	async append(record: MemberRecord, signal?: AbortSignal): Promise<Appended> {
		if (this.#closed) throw new IcebergError('CLOSED', 'the table has been closed');
		const member = (this.#member ??= this.#join());
		try {
			return await member.append(record, signal);
		} catch (error) {
			if (isIcebergError(error, 'PERMISSION_DENIED') && member.hasNoJournal) {
				this.#isDenied = true;
				this.#member = undefined;
			}
			throw error;
		}
	}

	/** Lets a commit of this process be made while the leader waits; undefined where there is no leader. */
	async takeTurn(): Promise<(() => void) | undefined> {
		if (!this.canJoin || this.#closed) return undefined;
		this.#member ??= this.#join();
		return this.#member.takeTurn();
	}

	/** Takes in what writers have left in journals that are gone. @throws as appends */
	async takeInLeft(): Promise<void> {
		const { journals, processes } = this.#ports;
		const left = (await journals.list()).some(({ name }) => {
			const writer = journalWriter(name);
			return writer !== undefined && processes.isGone(writer) === true;
		});
		if (left) await this.#leaderHost.sweep();
	}

	async close(): Promise<void> {
		this.#closed = true;
		await this.#member?.leave();
		await this.#leaderHost.stop();
	}

	get #tableUuid(): string {
		return this.#host.loaded().metadata.tableUuid ?? '';
	}

	#join(): Member {
		const { committer, clock, random } = this.#host;
		const { journals, processes } = this.#ports;
		const { metadata } = this.#host.loaded();
		const member = new Member({
			clock,
			random,
			processes,
			journals,
			tableUuid: this.#tableUuid,
			location: metadata.location,
			load: () => committer.load(),
			commitIntervalMs: () => commitIntervalOf(this.#host.loaded().metadata),
			host: this.#leaderHost,
			onFollow: () => this.#host.maintenance?.pause?.(),
		});
		void this.#leaveWhenIdle(member);
		return member;
	}

	/** A process that is left alone commits by itself again. */
	async #leaveWhenIdle(member: Member): Promise<void> {
		do await doze(this.#host.clock, MEMBER_IDLE_MS / 2);
		while (!member.isIdle && !this.#closed);
		if (this.#member !== member || this.#closed) return;
		this.#member = undefined;
		await member.leave().catch(() => undefined);
	}
}

/** Changes that go along with a leader's commits. */
export function companionsOf({ metadata }: LoadedMetadata): readonly Action[] {
	const thin = thinHistoryAction(metadata.properties);
	return thin === undefined ? [] : [thin];
}

/** Nonsense that another engine has set must not hold back rows. */
export function commitIntervalOf({ properties }: TableMetadata): number {
	try {
		return commitIntervalMs(properties);
	} catch {
		return DEFAULT_COMMIT_INTERVAL_MS;
	}
}
