/** The journal that a process appends to, and what stands in it. */
import type { Awaitable, JournalAppendFile, JournalStore } from '../io/journal-store.ts';
import { type Deferred, deferred } from '../util/deferred.ts';
import type { Clock, Random } from '../util/ports.ts';
import { identityText, parseIdentity, type ProcessIdentity, type Processes } from '../util/process-identity.ts';
import type { Appended } from './appended.ts';
import { ByteWriter } from './batch-codec-writer.ts';
import { journalFileName } from './followed-journal.ts';
import type { HeldBytes } from './held-bytes.ts';
import { encodeHeader, encodeRecord, type NewJournalRecord } from './journal-format.ts';

export interface MemberRecord {
	/** the rows, as `encodeBatch` or a `RowEncoder` makes them */
	readonly body: Uint8Array;
	readonly schemaId: number;
	readonly rowCount: number;
	/** hash of the idempotency key */
	readonly key: string | undefined;
	readonly until: 'committed' | 'journaled';
}

const ID_BYTES = 8;

/** A record and who waits for it. */
export interface Pending {
	readonly record: MemberRecord;
	/** They were told that it is journaled, and hear no more. */
	isTold: boolean;
	/** when it came, by the monotonic clock */
	readonly sinceMs: number;
	readonly resolve: (appended: Appended) => void;
	readonly reject: (error: unknown) => void;
}

export interface JournalPorts {
	readonly clock: Clock;
	readonly random: Random;
	readonly processes: Processes;
	readonly journals: JournalStore;
	readonly tableUuid: string;
}

/** The process that a journal's name tells; undefined for a name that tells none. */
export function journalWriter(fileName: string): ProcessIdentity | undefined {
	return parseIdentity(fileName.replace(/^[0-9a-f]+-/, '').replace(/\.journal$/, ''));
}

export class OwnJournal {
	readonly id: string;
	readonly file: JournalAppendFile;
	/** a write to it has failed: it is not written to again once what was written before is folded */
	failed = false;
	readonly #held: HeldBytes;
	readonly #writer = new ByteWriter();
	#nextRecord = 1;
	/** written and not known to be folded, by number, in order */
	readonly #pending = new Map<number, Pending>();
	/** looked up when it is asked for */
	#first: Pending | undefined;
	#emptied: Deferred<void> | undefined;

	/** A new journal, with its header. Its name tells the writer. */
	static async create(ports: JournalPorts, held: HeldBytes): Promise<OwnJournal> {
		const { random, processes, journals, tableUuid, clock } = ports;
		const writer = identityText(processes.self);
		const id = `${Buffer.from(random.bytes(ID_BYTES)).toString('hex')}-${writer}`;
		const file = await journals.create(journalFileName(id));
		const bytes = new ByteWriter();
		encodeHeader(bytes, { tableUuid, journalId: id, writer, createdMs: clock.nowMs() });
		await file.append(bytes.view());
		return new OwnJournal(id, file, held);
	}

	/** @param held bytes of records, which are released when it is known what became of them */
	private constructor(id: string, file: JournalAppendFile, held: HeldBytes) {
		this.id = id;
		this.file = file;
		this.#held = held;
	}

	get pendingCount(): number {
		return this.#pending.size;
	}

	/** the oldest record of which it is not known what became */
	get first(): Pending | undefined {
		if (this.#first === undefined) [this.#first] = this.#pending.values();
		return this.#first;
	}

	/**
	 * Puts records behind those before, in one write. One call at a time.
	 * @param syncFollows the file is flushed next
	 * @throws what the storage throws: nothing of it is in the journal then
	 */
	write(records: readonly Pending[], syncFollows: boolean): Awaitable<void> {
		let seq = this.#nextRecord;
		this.#writer.cut(0);
		for (const { record } of records) encodeRecord(this.#writer, journalRecord(record, seq++));
		const appended = this.file.append(this.#writer.view(), syncFollows);
		if (appended === undefined) return this.#written(records);
		return appended.then(() => this.#written(records));
	}

	#written(records: readonly Pending[]): void {
		for (const pending of records) this.#pending.set(this.#nextRecord++, pending);
	}

	/** All up to a record is folded. @param snapshot gives the snapshot, if anybody waits for it */
	folded(upTo: number, snapshot: () => Appended['snapshot']): void {
		for (const [seq, pending] of this.#pending) {
			if (seq > upTo) break;
			this.#forget(seq, pending);
			const { record, isTold, resolve } = pending;
			if (!isTold) resolve({ rowCount: record.rowCount, snapshot: snapshot(), repeated: false });
		}
	}

	/** Takes one out whose outcome is known; undefined when that was known before. */
	take(seq: number): Pending | undefined {
		const pending = this.#pending.get(seq);
		if (pending !== undefined) this.#forget(seq, pending);
		return pending;
	}

	rejectAll(error: unknown): void {
		for (const [seq, pending] of this.#pending) {
			this.#forget(seq, pending);
			pending.reject(error);
		}
	}

	/** Resolves when it is known of all records what became of them. */
	async whenEmpty(): Promise<void> {
		if (this.#pending.size === 0) return;
		this.#emptied ??= deferred<void>();
		await this.#emptied.promise;
	}

	#forget(seq: number, pending: Pending): void {
		this.#pending.delete(seq);
		this.#held.release(pending.record.body.length);
		if (this.#first === pending) this.#first = undefined;
		if (this.#pending.size > 0) return;
		this.#emptied?.resolve();
		this.#emptied = undefined;
	}
}

function journalRecord({ body, rowCount, schemaId, key, until }: MemberRecord, seq: number): NewJournalRecord {
	return {
		kind: 'rows',
		seq,
		schemaId,
		body,
		rowCount,
		...(key === undefined ? {} : { key }),
		...(until === 'journaled' ? { journaled: true } : {}),
	};
}
