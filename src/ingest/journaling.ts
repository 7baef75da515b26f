/** Whether, and how, a table object appends by way of journals. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { JournalStore } from '../io/journal-store.ts';
import { integerProperty, type Properties } from '../metadata/table-properties.ts';
import { doze } from '../util/waits.ts';
import type { Processes } from '../util/process-identity.ts';
import type { Appended } from './appended.ts';
import type { AppendHost } from './append-host.ts';
import { LeaderHost, type LeaderThread } from './leader-host.ts';
import type { LeaderLink } from './leader-link.ts';
import { Member, MEMBER_IDLE_MS, type MemberRecord } from './member.ts';

/** Table property: rows that were appended until `journaled` are in a snapshot after so many ms at most. */
export const COMMIT_INTERVAL_PROPERTY = 'datashard.commit-interval-ms';
export const DEFAULT_COMMIT_INTERVAL_MS = 100;
const MAX_COMMIT_INTERVAL_MS = 60_000;

export interface JournalingPorts {
	readonly journals: JournalStore;
	readonly processes: Processes;
	/** undefined where processes cannot reach one another: each folds its own journal */
	readonly link: LeaderLink | undefined;
	readonly startThread?: (generation: number) => LeaderThread | undefined;
}

/** `datashard.commit-interval-ms`. @throws `INVALID_ARGUMENT` */
export function commitIntervalMs(properties: Properties): number {
	return integerProperty(properties, COMMIT_INTERVAL_PROPERTY, DEFAULT_COMMIT_INTERVAL_MS, {
		min: 1,
		max: MAX_COMMIT_INTERVAL_MS,
	});
}

export class Journaling {
	readonly #host: AppendHost;
	readonly #ports: JournalingPorts;
	readonly #leaderHost: LeaderHost;
	#member: Member | undefined;
	#closed = false;

	constructor(host: AppendHost, ports: JournalingPorts) {
		this.#host = host;
		this.#ports = ports;
		const { committer, clock, random } = host;
		const { journals, processes, link, startThread } = ports;
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
				commitIntervalMs: () => intervalOf(host.loaded().metadata.properties),
				onFold: (loaded) => host.advance(loaded),
			},
			...(startThread === undefined ? {} : { startThread }),
		});
	}

	/** Whether journals make sense: where a leader can be shared. */
	get canJoin(): boolean {
		return this.#ports.link !== undefined;
	}

	/** Whether appends go by way of the journal now. */
	get isJoined(): boolean {
		return this.#member !== undefined;
	}

	async append(record: MemberRecord, signal?: AbortSignal): Promise<Appended> {
		if (this.#closed) throw new IcebergError('CLOSED', 'the table has been closed');
		this.#member ??= this.#join();
		return this.#member.append(record, signal);
	}

	/** Lets a commit of this process be made while the leader waits. */
	async takeTurn(): Promise<() => void> {
		return (await this.#member?.takeTurn()) ?? (() => undefined);
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
			host: this.#leaderHost,
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

function intervalOf(properties: Properties): number {
	try {
		return commitIntervalMs(properties);
	} catch {
		// Nonsense that another engine has set must not hold back rows.
		return DEFAULT_COMMIT_INTERVAL_MS;
	}
}
