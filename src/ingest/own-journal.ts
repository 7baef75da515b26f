/** The journal that a process appends to, and what stands in it. */
import type { ColumnBatch } from '../column/vector.ts';
import type { JournalAppendFile, JournalStore } from '../io/journal-store.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import type { Deferred } from '../util/deferred.ts';
import type { Clock, Random } from '../util/ports.ts';
import { identityText, parseIdentity, type ProcessIdentity, type Processes } from '../util/process-identity.ts';
import type { Appended } from './appended.ts';
import { ByteWriter } from './batch-codec-writer.ts';
import { journalFileName } from './followed-journal.ts';
import { encodeHeader, type NewJournalRecord } from './journal-format.ts';

export interface MemberRecord {
	readonly batch: ColumnBatch;
	/** of the batch, about */
	readonly sizeBytes: number;
	readonly schemaId: number;
	readonly rowCount: number;
	/** hash of the idempotency key */
	readonly key: string | undefined;
	readonly until: 'committed' | 'journaled';
}

const ID_BYTES = 8;

export interface Pending {
	readonly record: MemberRecord;
	readonly result: Deferred<Appended>;
}

/** A record that waits for the next write. */
export interface Queued extends Pending {
	readonly written: Deferred<OwnJournal>;
	readonly signal: AbortSignal | undefined;
}

export interface OwnJournal {
	readonly id: string;
	readonly file: JournalAppendFile;
	nextRecord: number;
	/** a write to it has failed: it is not written to again once what was written before is folded */
	failed: boolean;
	/** written and not known to be folded, by number, in order */
	readonly pending: Map<number, Pending>;
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

/** A new journal, with its header. Its name tells the writer. */
export async function createJournal(ports: JournalPorts): Promise<OwnJournal> {
	const { random, processes, journals, tableUuid, clock } = ports;
	const writer = identityText(processes.self);
	const id = `${Buffer.from(random.bytes(ID_BYTES)).toString('hex')}-${writer}`;
	const file = await journals.create(journalFileName(id));
	const bytes = new ByteWriter();
	encodeHeader(bytes, { tableUuid, journalId: id, writer, createdMs: clock.nowMs() });
	await file.append(bytes.view());
	return { id, file, nextRecord: 1, failed: false, pending: new Map() };
}

/** False for one that was aborted while it waited: it is told so. */
export function notAborted({ signal, written }: Queued): boolean {
	try {
		throwIfAborted(signal);
		return true;
	} catch (error) {
		written.reject(error);
		return false;
	}
}

export function journalRecord({ batch, schemaId, key, until }: MemberRecord, seq: number): NewJournalRecord {
	return {
		kind: 'rows',
		seq,
		schemaId,
		batch,
		...(key === undefined ? {} : { key }),
		...(until === 'journaled' ? { journaled: true } : {}),
	};
}
