/** A journal as its leader follows it: what was read and is not folded yet. */
import { IcebergError } from '../errors/iceberg-error.ts';
import type { JournalStore } from '../io/journal-store.ts';
import { parseIdentity, type ProcessIdentity } from '../util/process-identity.ts';
import type { FoldPart } from './fold.ts';
import type { JournalHeader, JournalRecord } from './journal-format.ts';
import { JournalTail, type TailStop } from './journal-format-tail.ts';
import { type FoldedTo, JOURNAL_START } from './journal-positions.ts';

/** Bytes of one journal that are read for one fold. */
const READ_LIMIT_BYTES = 8 * 1024 * 1024;

export class FollowedJournal {
	readonly id: string;
	/** undefined when it cannot be told */
	readonly writer: ProcessIdentity | undefined;
	readonly #tail: JournalTail;
	/** read, and not known to be folded; in order */
	readonly #records: JournalRecord[] = [];
	#stop: TailStop;
	/** A journaled record cannot be taken while the schema with this id is the table's. */
	blocked: { readonly schemaId: number; readonly error: IcebergError } | undefined;
	/** Its writer was gone before it was read last: what is no whole record will never be one. */
	isFinal = false;
	/** last record that its writer was told of as folded */
	toldTo = 0;

	private constructor(id: string, tail: JournalTail, header: JournalHeader, stop: TailStop) {
		this.id = id;
		this.#tail = tail;
		this.writer = parseIdentity(header.writer);
		this.#stop = stop;
	}

	/**
	 * `undefined` when there is no such file, or its header is not (wholly) there.
	 * @throws `CORRUPT` for a journal of another table or name; `PERMISSION_DENIED`, `STORAGE`
	 */
	static async open(
		store: JournalStore,
		expected: Pick<JournalHeader, 'tableUuid' | 'journalId'>,
		position: FoldedTo | undefined,
	): Promise<FollowedJournal | undefined> {
		const { journalId } = expected;
		const file = await store.open(journalFileName(journalId));
		if (file === undefined) return undefined;
		const tail = new JournalTail(file, expected, position);
		try {
			const { records, stop } = await tail.next(READ_LIMIT_BYTES);
			if (stop.kind === 'replaced')
				throw new IcebergError('CORRUPT', `the journal ${journalId} is not what it should be: ${stop.reason}`, {
					context: { journal: journalId },
				});
			if (tail.header !== undefined) {
				const journal = new FollowedJournal(journalId, tail, tail.header, stop);
				journal.#records.push(...records);
				return journal;
			}
		} catch (error) {
			await tail.close();
			throw error;
		}
		await tail.close();
		return undefined;
	}

	get #heldBytes(): number {
		const [first] = this.#records;
		return first === undefined ? 0 : (this.#records.at(-1) as JournalRecord).endOffset - first.offset;
	}

	get hasRecords(): boolean {
		return this.#records.length > 0;
	}

	/** More was there than was read at once. */
	get hasMore(): boolean {
		return this.#stop.kind === 'more';
	}

	/** Why reading cannot go on, as it stands; undefined while all is well. */
	get damage(): { readonly offset: number; readonly reason: string; readonly final: boolean } | undefined {
		const stop = this.#stop;
		if (stop.kind !== 'corrupt' && stop.kind !== 'incomplete-or-torn') return undefined;
		return { offset: stop.offset, reason: stop.reason, final: stop.kind === 'corrupt' };
	}

	/** Reads what has been written since. */
	async read(): Promise<void> {
		// What cannot be folded yet must not fill the memory.
		if (this.#heldBytes >= READ_LIMIT_BYTES) return;
		const { records, stop } = await this.#tail.next(READ_LIMIT_BYTES);
		this.#stop = stop;
		for (const record of records) this.#records.push(record);
	}

	/** Whether something stands behind what was read that no record is. */
	hasRemains(): Promise<boolean> {
		return this.#tail.hasRemains();
	}

	/** Forgets records that the table has. */
	foldedTo({ seq }: FoldedTo): void {
		let count = 0;
		while (count < this.#records.length && (this.#records[count] as JournalRecord).seq <= seq) count++;
		if (count > 0) this.#records.splice(0, count);
	}

	/**
	 * What a fold takes, from where the table stands; `undefined` when there is nothing.
	 * @param setAside what follows is damaged for good
	 */
	part(from: FoldedTo | undefined, setAside: boolean): FoldPart | undefined {
		const last = this.#records.at(-1);
		if (last === undefined && !setAside) return undefined;
		const start = from ?? JOURNAL_START;
		const end = last === undefined ? start : { seq: last.seq, offset: last.endOffset };
		const to = setAside ? { ...end, setAside: true } : end;
		return { journal: this.id, advance: { from: start, to }, records: [...this.#records] };
	}

	async close(): Promise<void> {
		await this.#tail.close();
	}
}

export function journalFileName(id: string): string {
	return `${id}.journal`;
}
