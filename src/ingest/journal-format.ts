/**
 * Journals: files in which a process leaves what it appends until it is folded into the table.
 *
 * A file is the text `DSJ1`, then frames: length and CRC-32 of the payload (each 4 bytes, little-endian), and the payload.
 * A length of 0 ends the file for now: zeros may be written ahead of the records. The first payload is the header, the
 * others are records, numbered from 1 without gaps.
 */
import { crc32 } from 'node:zlib';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { DataFile } from '../manifest/types.ts';
import { ByteReader } from './batch-codec-reader.ts';
import type { ByteWriter } from './batch-codec-writer.ts';
import { encodeDataFiles } from './journal-format-files.ts';

export const JOURNAL_MAGIC = Uint8Array.of(0x44, 0x53, 0x4a, 0x31);
export const FRAME_HEADER_BYTES = 8;
/** Longest payload. A batch beyond some megabytes is written as data files instead. */
export const FRAME_LIMIT_BYTES = 64 * 1024 * 1024;
const VERSION = 1;
/** Longest text of header and record, in bytes: identities, keys, entries of summaries. */
const TEXT_LIMIT_BYTES = 4096;
/** Most entries of a summary. */
const SUMMARY_LIMIT = 1000;

const ROWS = 1;
const FILES = 2;
const WITH_KEY = 1;
const WITH_SUMMARY = 2;
const JOURNALED = 4;

/** What a journal says of itself. */
export interface JournalHeader {
	readonly tableUuid: string;
	readonly journalId: string;
	/** identity of the process that appends to it, as text */
	readonly writer: string;
	/** milliseconds since 1970 */
	readonly createdMs: number;
}

interface RecordFacts {
	/** 1 for the first record, then one more for each */
	readonly seq: number;
	/** of the rows when they were appended */
	readonly schemaId: number;
	/** hash of the idempotency key */
	readonly key?: string;
	/** true when the append is acknowledged once it is durable in the journal, rather than in a snapshot */
	readonly journaled?: boolean;
	/** what the caller wants in the snapshot's summary */
	readonly summary?: Readonly<Record<string, string>>;
}

/** A record to write: rows, or files that hold them already. */
export type NewJournalRecord = RecordFacts &
	/** `body`: as `encodeBatch` or `encodeRow` makes it */
	(
		| { readonly kind: 'rows'; readonly body: Uint8Array; readonly rowCount: number }
		| { readonly kind: 'files'; readonly files: readonly DataFile[]; readonly rowCount: number }
	);

/** A record as it stands in a journal. */
export interface JournalRecord extends RecordFacts {
	readonly kind: 'rows' | 'files';
	readonly rowCount: number;
	/** for `decodeBatches`, or `decodeDataFiles` */
	readonly body: Uint8Array;
	/** where its frame starts in the file, and where the next one does */
	readonly offset: number;
	readonly endOffset: number;
}

/** The first bytes of a journal. */
export function encodeHeader(writer: ByteWriter, header: JournalHeader): void {
	writer.raw(JOURNAL_MAGIC, 0, JOURNAL_MAGIC.length);
	encodeFrame(writer, () => {
		writer.varint(VERSION);
		writeText(writer, header.tableUuid);
		writeText(writer, header.journalId);
		writeText(writer, header.writer);
		writer.varint(header.createdMs);
	});
}

/**
 * Puts a record behind what is in `writer`; after a failure that is as it was.
 * @throws `LIMIT_EXCEEDED` for a record that is too long
 */
export function encodeRecord(writer: ByteWriter, record: NewJournalRecord): void {
	encodeFrame(writer, () => {
		writer.byte(record.kind === 'rows' ? ROWS : FILES);
		writer.varint(record.seq);
		writer.varint(record.schemaId);
		writer.byte(
			(record.key === undefined ? 0 : WITH_KEY) |
				(record.summary === undefined ? 0 : WITH_SUMMARY) |
				(record.journaled === true ? JOURNALED : 0),
		);
		if (record.key !== undefined) writeText(writer, record.key);
		if (record.summary !== undefined) writeSummary(writer, record.summary);
		writer.varint(record.rowCount);
		if (record.kind === 'rows') writer.raw(record.body, 0, record.body.length);
		else encodeDataFiles(writer, record.files);
	});
}

function encodeFrame(writer: ByteWriter, payload: () => void): void {
	const start = writer.length;
	try {
		writer.skip(FRAME_HEADER_BYTES);
		payload();
		const length = writer.length - start - FRAME_HEADER_BYTES;
		if (length > FRAME_LIMIT_BYTES)
			throw new IcebergError(
				'LIMIT_EXCEEDED',
				`a record of a journal takes at most ${FRAME_LIMIT_BYTES} bytes, not ${length}; append fewer rows at once`,
				{ context: { limit: 'FRAME_LIMIT_BYTES', limitBytes: FRAME_LIMIT_BYTES } },
			);
		writer.putUint32(start, length);
		writer.putUint32(start + 4, crc32(writer.view(start + FRAME_HEADER_BYTES)));
	} catch (error) {
		writer.cut(start);
		throw error;
	}
}

function writeText(writer: ByteWriter, text: string): void {
	const length = Buffer.byteLength(text);
	if (length > TEXT_LIMIT_BYTES)
		throw new IcebergError(
			'LIMIT_EXCEEDED',
			`'${text.slice(0, 60)}…' takes ${length} bytes; a journal holds texts of at most ${TEXT_LIMIT_BYTES}`,
			{ context: { limit: 'TEXT_LIMIT_BYTES', limitBytes: TEXT_LIMIT_BYTES } },
		);
	writer.text(text);
}

function writeSummary(writer: ByteWriter, summary: Readonly<Record<string, string>>): void {
	const entries = Object.entries(summary);
	if (entries.length > SUMMARY_LIMIT)
		throw new IcebergError('LIMIT_EXCEEDED', `a summary of ${entries.length} entries; at most ${SUMMARY_LIMIT}`);
	writer.varint(entries.length);
	for (const [name, value] of entries) {
		writeText(writer, name);
		writeText(writer, value);
	}
}

/** @throws `CORRUPT` for a payload that is no header; `UNSUPPORTED` for one of a later version */
export function decodeHeader(payload: Uint8Array): JournalHeader {
	const reader = new ByteReader(payload, 'the header of a journal');
	const version = reader.varint();
	if (version !== VERSION)
		throw new IcebergError('UNSUPPORTED', `a journal of version ${version}; this version reads ${VERSION}`);
	const header = {
		tableUuid: reader.text(),
		journalId: reader.text(),
		writer: reader.text(),
		createdMs: reader.varint(),
	};
	reader.finish();
	return header;
}

/** @param payload the record's body is a view of it. @throws `CORRUPT` for a payload that is no record */
export function decodeRecord(payload: Uint8Array, offset: number): JournalRecord {
	const reader = new ByteReader(payload, `the record at byte ${offset} of a journal`);
	const kind = reader.byte();
	if (kind !== ROWS && kind !== FILES) throw reader.corrupt(`${kind} is no kind of record`);
	const seq = reader.varint();
	const schemaId = reader.varint();
	const flags = reader.byte();
	if (flags > (WITH_KEY | WITH_SUMMARY | JOURNALED)) throw reader.corrupt(`unknown flags ${flags}`);
	const key = (flags & WITH_KEY) === 0 ? {} : { key: reader.text() };
	const summary = (flags & WITH_SUMMARY) === 0 ? {} : { summary: readSummary(reader) };
	const rowCount = reader.varint();
	return {
		kind: kind === ROWS ? 'rows' : 'files',
		seq,
		schemaId,
		...key,
		...summary,
		...((flags & JOURNALED) === 0 ? {} : { journaled: true }),
		rowCount,
		body: payload.subarray(reader.position),
		offset,
		endOffset: offset + FRAME_HEADER_BYTES + payload.length,
	};
}

function readSummary(reader: ByteReader): Record<string, string> {
	const count = reader.varint();
	if (count > SUMMARY_LIMIT) throw reader.corrupt(`a summary of ${count} entries`);
	const entries: [string, string][] = [];
	for (let i = 0; i < count; i++) entries.push([reader.text(), reader.text()]);
	return Object.fromEntries(entries);
}
