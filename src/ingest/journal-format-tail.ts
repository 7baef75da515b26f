/** Reading a journal while it grows. */
import { crc32 } from 'node:zlib';
import { isIcebergError } from '../errors/iceberg-error.ts';
import type { JournalReadFile } from '../io/journal-store.ts';
import {
	decodeHeader,
	decodeRecord,
	FRAME_HEADER_BYTES,
	FRAME_LIMIT_BYTES,
	JOURNAL_MAGIC,
	type JournalHeader,
	type JournalRecord,
} from './journal-format.ts';

/** Bytes read at once while little is new. */
const FIRST_WINDOW_BYTES = 4 * 1024;
const LAST_WINDOW_BYTES = 1024 * 1024;
const ZEROS = new Uint8Array(64 * 1024);

/** How far a journal is read: the last record's number, and where the next one's frame starts. */
export interface JournalPosition {
	/** 0 before the first record */
	readonly seq: number;
	/** bytes */
	readonly offset: number;
}

/** Why no more records are given. */
export type TailStop =
	/** Nothing stands behind the last record yet. */
	| { readonly kind: 'end' }
	/** The limit is reached; there may be more. */
	| { readonly kind: 'more' }
	/**
	 * What stands last is no whole record. Its writer may be at it; where that is gone, it is a record that was never
	 * acknowledged as durable, or, if a device lost what it had taken, one that was.
	 */
	| { readonly kind: 'incomplete-or-torn'; readonly offset: number; readonly reason: string }
	/** No record of this journal, whatever its writer still does, and other bytes stand behind it. */
	| { readonly kind: 'corrupt'; readonly offset: number; readonly reason: string }
	/** The file is a journal of another table, or another journal. */
	| { readonly kind: 'replaced'; readonly reason: string };

export interface TailResult {
	readonly records: readonly JournalRecord[];
	readonly stop: TailStop;
}

type Frame =
	| { readonly kind: 'frame'; readonly payload: Uint8Array; readonly end: number }
	/** the chunk has to reach so many bytes further */
	| { readonly kind: 'short'; readonly needed: number }
	| { readonly kind: 'end' }
	/** `followed`: something stands behind it, so that its writer was done with it */
	| { readonly kind: 'bad'; readonly reason: string; readonly followed: boolean };

/** The records of one journal in their order, each once, as far as it is sound. */
export class JournalTail {
	readonly #file: JournalReadFile;
	readonly #expected: Pick<JournalHeader, 'tableUuid' | 'journalId'>;
	readonly #from: JournalPosition | undefined;
	#header: JournalHeader | undefined;
	#seq = 0;
	#offset = 0;
	#window = FIRST_WINDOW_BYTES;

	/** @param from how far it has been read before; absent: nothing of it */
	constructor(file: JournalReadFile, expected: Pick<JournalHeader, 'tableUuid' | 'journalId'>, from?: JournalPosition) {
		this.#file = file;
		this.#expected = expected;
		this.#from = from;
	}

	/** `undefined` until it has been read */
	get header(): JournalHeader | undefined {
		return this.#header;
	}

	/** how far it is read */
	get position(): JournalPosition {
		return this.#header === undefined && this.#from !== undefined
			? this.#from
			: { seq: this.#seq, offset: this.#offset };
	}

	/**
	 * New records that are whole and sound. Their bodies stay as they are. To be called again, at any time, after `end`,
	 * `more` and `incomplete-or-torn`; after the others it tells the same again.
	 *
	 * @param limitBytes no further record is given once those given take so many
	 * @throws what the storage throws
	 */
	async next(limitBytes = Number.POSITIVE_INFINITY): Promise<TailResult> {
		const records: JournalRecord[] = [];
		const stopped = (stop: TailStop): TailResult => ({ records, stop });
		let given = 0;
		/** where a frame was bad although something stood behind it: it is read once more, for it may just have been written */
		let suspect = -1;
		let window = this.#window;
		for (;;) {
			const base = this.#offset;
			const bytes = await this.#file.read(base, window);
			const whole = bytes.length < window;
			let at = 0;
			if (this.#header === undefined && base === 0) {
				const stop = this.#magic(bytes, suspect === 0);
				if (stop === 'again') {
					suspect = 0;
					continue;
				}
				if (stop !== undefined) return stopped(stop);
				at = JOURNAL_MAGIC.length;
				this.#offset = at;
			}
			let frame = frameAt(bytes, at, whole);
			while (frame.kind === 'frame') {
				const jump = this.#header === undefined;
				const taken = this.#take(frame.payload, base + at);
				if (taken.stop !== undefined) return stopped(taken.stop);
				at = frame.end;
				if (taken.record !== undefined) {
					records.push(taken.record);
					given += taken.record.endOffset - taken.record.offset;
				}
				this.#offset = base + at;
				if (jump && this.#from !== undefined && this.#from.seq > 0) {
					// after a loss of power the file may end before: what was folded need not have been durable in it
					this.#seq = this.#from.seq;
					this.#offset = this.#from.offset;
					break;
				}
				if (given >= limitBytes) return stopped({ kind: 'more' });
				frame = frameAt(bytes, at, whole);
			}
			if (frame.kind === 'frame') continue;
			if (frame.kind === 'end') {
				if (at < this.#window / 8) this.#window = Math.max(FIRST_WINDOW_BYTES, this.#window / 2);
				return stopped({ kind: 'end' });
			}
			if (frame.kind === 'short') {
				this.#window = Math.min(LAST_WINDOW_BYTES, 4 * this.#window);
				window = Math.max(this.#window, frame.needed);
				continue;
			}
			const { reason, followed } = frame;
			const offset = this.#offset;
			if (suspect === offset) return stopped({ kind: 'corrupt', offset, reason });
			if (!followed) return stopped({ kind: 'incomplete-or-torn', offset, reason });
			suspect = offset;
		}
	}

	/**
	 * Whether anything but zeros stands behind the last record that was given. When it is so although `next` says `end`, and
	 * the writer is gone, something was lost.
	 */
	async hasRemains(): Promise<boolean> {
		for (let at = this.#offset; ; at += ZEROS.length) {
			const bytes = await this.#file.read(at, ZEROS.length);
			if (!isZero(bytes, 0)) return true;
			if (bytes.length < ZEROS.length) return false;
		}
	}

	async close(): Promise<void> {
		await this.#file.close();
	}

	/** `undefined` when the file starts as a journal does */
	#magic(bytes: Uint8Array, suspected: boolean): TailStop | 'again' | undefined {
		if (isZero(bytes, 0)) return { kind: 'end' };
		let same = 0;
		while (same < JOURNAL_MAGIC.length && bytes[same] === JOURNAL_MAGIC[same]) same++;
		if (same === JOURNAL_MAGIC.length) return undefined;
		if (isZero(bytes, same))
			return { kind: 'incomplete-or-torn', offset: 0, reason: 'the file ends within its first bytes' };
		if (!suspected) return 'again';
		return { kind: 'corrupt', offset: 0, reason: `the file does not start with 'DSJ1'` };
	}

	#take(payload: Uint8Array, offset: number): { readonly record?: JournalRecord; readonly stop?: TailStop } {
		try {
			if (this.#header === undefined) {
				const header = decodeHeader(payload);
				const { tableUuid, journalId } = this.#expected;
				if (header.tableUuid !== tableUuid) return replaced('table', header.tableUuid, tableUuid);
				if (header.journalId !== journalId) return replaced('journal', header.journalId, journalId);
				this.#header = header;
				return {};
			}
			const record = decodeRecord(payload, offset);
			const expected = this.#seq + 1;
			if (record.seq !== expected)
				return { stop: { kind: 'corrupt', offset, reason: `record ${record.seq} stands where ${expected} belongs` } };
			this.#seq = expected;
			return { record };
		} catch (error) {
			if (!isIcebergError(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
			return { stop: { kind: 'corrupt', offset, reason: error.message } };
		}
	}
}

function replaced(what: string, found: string, expected: string): { readonly stop: TailStop } {
	return { stop: { kind: 'replaced', reason: `its header names the ${what} ${found}, not ${expected}` } };
}

/** @param whole the file ends where the bytes do */
function frameAt(bytes: Uint8Array, at: number, whole: boolean): Frame {
	const left = bytes.length - at;
	if (left < FRAME_HEADER_BYTES) {
		if (!whole) return { kind: 'short', needed: FRAME_HEADER_BYTES };
		return isZero(bytes, at) ? { kind: 'end' } : { kind: 'bad', reason: 'half the head of a record', followed: false };
	}
	const length = uint32(bytes, at);
	const payloadAt = at + FRAME_HEADER_BYTES;
	if (length === 0) {
		if (isZero(bytes, at)) return { kind: 'end' };
		return { kind: 'bad', reason: 'a length of 0, with data behind it', followed: !isZero(bytes, payloadAt) };
	}
	if (length > FRAME_LIMIT_BYTES) return { kind: 'bad', reason: `a length of ${length} bytes`, followed: true };
	const end = payloadAt + length;
	if (end > bytes.length) {
		if (!whole) return { kind: 'short', needed: FRAME_HEADER_BYTES + length };
		return { kind: 'bad', reason: `${length} bytes, of which ${bytes.length - payloadAt} are there`, followed: false };
	}
	const payload = bytes.subarray(payloadAt, end);
	if (crc32(payload) === uint32(bytes, at + 4)) return { kind: 'frame', payload, end };
	if (!whole && end + FRAME_HEADER_BYTES > bytes.length)
		return { kind: 'short', needed: 2 * FRAME_HEADER_BYTES + length };
	return { kind: 'bad', reason: 'its checksum does not fit its bytes', followed: !isZero(bytes, end) };
}

function uint32(bytes: Uint8Array, at: number): number {
	const high = (bytes[at + 3] as number) * 0x100_0000;
	return high + (((bytes[at + 2] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at] as number));
}

function isZero(bytes: Uint8Array, from: number): boolean {
	for (let at = from; at < bytes.length; at += ZEROS.length) {
		const part = bytes.subarray(at, Math.min(bytes.length, at + ZEROS.length));
		if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
	}
	return true;
}
