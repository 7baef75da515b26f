import { beforeEach, describe, expect, it } from 'vitest';
import { connectionPair, type LinkConnection } from '../../src/ingest/leader-link.ts';
import { Member } from '../../src/ingest/member.ts';
import type { MemberRecord } from '../../src/ingest/own-journal.ts';
import { MemoryJournalStore } from '../../src/io/memory-journal-store.ts';
import type { JournalAppendFile } from '../../src/io/journal-store.ts';
import type { LoadedMetadata } from '../../src/transaction/committer.ts';
import { systemRandom } from '../../src/util/system-ports.ts';
import { StepClock } from '../support/step-clock.ts';

const INTERVAL_MS = 100;
const SELF = { host: '0000000a', pid: 1, startedAt: '1' };
const LEADER = { host: '0000000a', pid: 2, startedAt: '1' };

let clock: StepClock;
let journals: MemoryJournalStore;
let heard: string[];
/** the leader's end */
let leader: LinkConnection;
let member: Member;

beforeEach(() => {
	clock = new StepClock();
	journals = new MemoryJournalStore();
	heard = [];
	const connect = async (): Promise<LinkConnection> => {
		const [own, other] = connectionPair();
		leader = other;
		other.onMessage((message) => {
			heard.push(message);
			if (message.startsWith('hello')) other.send(`welcome ${LEADER.host}-${LEADER.pid}-${LEADER.startedAt}`);
		});
		return own;
	};
	member = new Member({
		clock,
		random: systemRandom,
		processes: { self: SELF, isGone: () => false, isRunning: () => true },
		journals,
		tableUuid: 'u',
		location: '/t',
		load: async () => ({ metadata: { tableUuid: 'u', properties: {} } }) as unknown as LoadedMetadata,
		commitIntervalMs: () => INTERVAL_MS,
		host: {
			link: { namespace: 'n', connect, listen: async () => undefined },
			lead: async () => undefined,
			leadPrivately: () => Promise.reject(new Error('nobody leads privately here')),
		},
	});
});

function record(until: MemberRecord['until']): MemberRecord {
	return { body: Uint8Array.of(1, 1, 0), schemaId: 0, rowCount: 1, key: undefined, until };
}

const turns = async (): Promise<void> => {
	for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** An append, and whether it is done. */
function append(until: MemberRecord['until'] = 'journaled'): { isDone: boolean; promise: Promise<unknown> } {
	const promise = member.append(record(until));
	const state = { isDone: false, promise };
	void promise.then(
		() => (state.isDone = true),
		() => undefined,
	);
	return state;
}

describe('a member that journals faster than its leader folds', () => {
	it('waits for a fold once what it journaled ought to have been seen', async () => {
		const first = append();
		await turns();
		expect(first.isDone).toBe(true);
		await clock.advance(INTERVAL_MS);
		const second = append();
		await turns();
		expect(second.isDone).toBe(true);
		await clock.advance(60);
		const third = append();
		await turns();
		expect(third.isDone).toBe(false);
		leader.send('f 1 2 -');
		await turns();
		expect(third.isDone).toBe(true);
	});

	it('waits for one that does not come no longer than for a moment, and not again', async () => {
		append();
		await turns();
		await clock.advance(INTERVAL_MS + 60);
		const second = append();
		await clock.advance(200);
		await turns();
		expect(second.isDone).toBe(false);
		await clock.advance(60);
		await turns();
		expect(second.isDone).toBe(true);
		const third = append();
		await turns();
		expect(third.isDone).toBe(true);
	});

	it('does not wait when it appends until committed: that waits for the fold anyway', async () => {
		append();
		await turns();
		await clock.advance(INTERVAL_MS + 60);
		append('committed');
		await turns();
		expect(heard.at(-1)).toBe('w');
	});

	it('asks the leader once for all that it journals until the next fold', async () => {
		append();
		await turns();
		append();
		await turns();
		append();
		await turns();
		expect(heard.filter((message) => message === 'j')).toHaveLength(1);
		leader.send('f 1 2 -');
		await turns();
		expect(heard.filter((message) => message === 'j')).toHaveLength(2);
	});
});

describe('a record', () => {
	it('is acknowledged as journaled only when its journal is flushed', async () => {
		const flushes: (() => void)[] = [];
		const create = journals.create.bind(journals);
		journals.create = (name: string): JournalAppendFile => {
			const file = create(name);
			file.sync = () => new Promise((resolve) => void flushes.push(resolve));
			return file;
		};
		const appended = append();
		await turns();
		expect(appended.isDone).toBe(false);
		expect(flushes).toHaveLength(1);
		flushes[0]?.();
		expect(await appended.promise).toMatchObject({ journaled: true, snapshot: undefined });
	});

	it('whose flush fails is acknowledged by a fold, and the records after it go to another journal', async () => {
		const create = journals.create.bind(journals);
		let isFirst = true;
		journals.create = (name: string): JournalAppendFile => {
			const file = create(name);
			if (isFirst) file.sync = () => Promise.reject(new Error('EIO'));
			isFirst = false;
			return file;
		};
		const first = append();
		await turns();
		expect(first.isDone).toBe(false);
		const second = append();
		await turns();
		expect(second.isDone).toBe(false);
		leader.send('f 1 1 -');
		expect(await first.promise).toEqual({ rowCount: 1, snapshot: undefined, repeated: false });
		await turns();
		expect(heard.at(-1)).toBe('bye');
		leader.send('farewell 1');
		expect(await second.promise).toMatchObject({ journaled: true });
		expect(journals.list()).toHaveLength(2);
	});

	it('that is aborted before it is written is not in the journal', async () => {
		const stop = new AbortController();
		const aborted = member.append(record('journaled'), stop.signal);
		const other = append();
		stop.abort();
		await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
		await other.promise;
		leader.send('f 1 1 -');
		await turns();
		expect(member.isWaiting).toBe(false);
	});
});
