import { describe, expect, it } from 'vitest';
import { vectorOf } from '../../src/column/vector-values.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { ByteWriter } from '../../src/ingest/batch-codec-writer.ts';
import { encodeHeader, encodeRecord, FRAME_HEADER_BYTES } from '../../src/ingest/journal-format.ts';
import { type JournalPosition, JournalTail, type TailResult } from '../../src/ingest/journal-format-tail.ts';
import type { JournalReadFile } from '../../src/io/journal-store.ts';
import { recordOf } from '../support/journal-records.ts';

const HEADER = { tableUuid: 'table', journalId: 'journal', writer: 'h-1-2', createdMs: 5 };

function batch(text: string): ColumnBatch {
	const type = { kind: 'string' } as const;
	return { fields: [{ id: 1, name: 'a', required: true, type }], length: 1, columns: [vectorOf(type, [text])] };
}

/** A journal with records of such texts, and where each of its frames ends: the header's first. */
function journal(texts: readonly string[], firstSeq = 1): { bytes: Uint8Array; ends: number[] } {
	const writer = new ByteWriter();
	encodeHeader(writer, HEADER);
	const ends = [writer.length];
	texts.forEach((text, i) => {
		encodeRecord(writer, { ...recordOf(batch(text)), seq: firstSeq + i, schemaId: 0 });
		ends.push(writer.length);
	});
	return { bytes: writer.view().slice(), ends };
}

/** A file whose bytes the test changes. */
class ScriptedFile implements JournalReadFile {
	bytes: Uint8Array;
	/** what reads give instead, one after another */
	instead: Uint8Array[] = [];

	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
	}
	size(): number {
		return this.bytes.length;
	}
	async read(offset: number, maxLength: number): Promise<Uint8Array> {
		return (this.instead.shift() ?? this.bytes).slice(offset, offset + maxLength);
	}
	close(): void {}
}

function tailOf(bytes: Uint8Array, from?: JournalPosition): JournalTail {
	return new JournalTail(new ScriptedFile(bytes), HEADER, from);
}

function seqs({ records }: TailResult): number[] {
	return records.map(({ seq }) => seq);
}

/** The text in a record that `batch` made. */
function textOf(body: Uint8Array): string {
	return Buffer.from(body).toString('latin1').slice(-1);
}

function withZeros(bytes: Uint8Array, count: number): Uint8Array {
	const longer = new Uint8Array(bytes.length + count);
	longer.set(bytes);
	return longer;
}

const texts = ['a', 'b'.repeat(50), 'c', 'd'];

describe('the tail of a journal', () => {
	it('gives each record once, whatever of the file is there at each time', async () => {
		for (const zeros of [0, 3, 100_000]) {
			const { bytes, ends } = journal(texts);
			const file = new ScriptedFile(new Uint8Array(zeros));
			const tail = new JournalTail(file, HEADER);
			const given: number[] = [];
			for (let length = 0; length <= bytes.length; length++) {
				file.bytes = withZeros(bytes.subarray(0, length), zeros);
				const result = await tail.next();
				given.push(...seqs(result));
				const whole = Math.max(0, ends.filter((end) => end <= length).length - 1);
				expect(given).toEqual(Array.from({ length: whole }, (_, i) => i + 1));
				expect(['end', 'incomplete-or-torn'], JSON.stringify(result.stop)).toContain(result.stop.kind);
				if (length === 0 || ends.includes(length)) expect(result.stop.kind).toBe('end');
			}
			expect(tail.header).toEqual(HEADER);
			expect(tail.position).toEqual({ seq: 4, offset: bytes.length });
			expect(await tail.next()).toEqual({ records: [], stop: { kind: 'end' } });
			expect(await tail.hasRemains()).toBe(false);
		}
	});

	it('tells where records stand and leaves their bodies as they are', async () => {
		const { bytes, ends } = journal(texts);
		const { records } = await tailOf(bytes).next();
		expect(records.map(({ offset, endOffset }) => [offset, endOffset])).toEqual(
			texts.map((_, i) => [ends[i], ends[i + 1]]),
		);
		expect(records.map(({ body }) => textOf(body))).toEqual(['a', 'b', 'c', 'd']);
		expect(records.every(({ rowCount, kind }) => rowCount === 1 && kind === 'rows')).toBe(true);
	});

	it('stops at the limit and goes on from there; one record is given however large it is', async () => {
		const large = [
			'x'.repeat(300_000),
			'y',
			'z'.repeat(2_000_000),
			...Array.from({ length: 500 }, () => 'w'.repeat(100)),
		];
		const tail = tailOf(withZeros(journal(large).bytes, 65_536));
		expect(await tail.next(1)).toMatchObject({ records: [{ seq: 1 }], stop: { kind: 'more' } });
		expect(seqs(await tail.next(1_000_000))).toEqual([2, 3]);
		const seen = [];
		for (let result = await tail.next(5_000); result.records.length > 0; result = await tail.next(5_000)) {
			expect(result.records.length).toBeLessThan(50);
			seen.push(...seqs(result));
		}
		expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i + 4));
	});

	it('resumes from a position, and checks that the file is still the one', async () => {
		const { bytes, ends } = journal(texts);
		for (let seq = 0; seq <= 4; seq++) {
			const from = { seq, offset: seq === 0 ? 0 : (ends[seq] as number) };
			const tail = tailOf(bytes, from);
			expect(tail.position).toEqual(from);
			expect(seqs(await tail.next())).toEqual([1, 2, 3, 4].slice(seq));
			expect(tail.position).toEqual({ seq: 4, offset: bytes.length });
		}
		const wrong = tailOf(bytes, { seq: 1, offset: ends[2] as number });
		expect((await wrong.next()).stop).toMatchObject({ kind: 'corrupt', reason: 'record 3 stands where 2 belongs' });
	});

	it('has nothing to give where the file ends before the position: what is folded need not have been durable', async () => {
		const { bytes } = journal(texts);
		for (const cut of [bytes.length, bytes.length - 3]) {
			const file = new ScriptedFile(bytes.subarray(0, cut));
			const tail = new JournalTail(file, HEADER, { seq: 4, offset: bytes.length });
			expect(await tail.next()).toEqual({ records: [], stop: { kind: 'end' } });
			expect(tail.header).toEqual(HEADER);
			expect(await tail.hasRemains()).toBe(false);
			const more = journal([...texts, 'e']).bytes;
			file.bytes = more;
			expect(seqs(await tail.next())).toEqual([5]);
		}
	});

	it('says when the file is a journal of another table, or another journal', async () => {
		const { bytes } = journal(texts);
		for (const expected of [
			{ ...HEADER, tableUuid: 'other' },
			{ ...HEADER, journalId: 'other' },
		]) {
			const tail = new JournalTail(new ScriptedFile(bytes), expected);
			for (let i = 0; i < 2; i++)
				expect(await tail.next()).toMatchObject({
					records: [],
					stop: { kind: 'replaced', reason: expect.stringMatching(/ not other$/) },
				});
		}
	});

	it('says when the file is none of a journal', async () => {
		for (const text of ['PAR1 and more of it', 'D', 'DSX', 'DSJ2'])
			expect((await tailOf(Buffer.from(text)).next()).stop.kind).toBe(text === 'D' ? 'incomplete-or-torn' : 'corrupt');
	});

	it('never gives a record out of its turn', async () => {
		const first = journal(texts.slice(0, 2));
		const later = journal(texts.slice(2), 4);
		const bytes = Buffer.concat([first.bytes, later.bytes.subarray(later.ends[0] as number)]);
		const tail = tailOf(bytes);
		for (const records of [[1, 2], []]) {
			const result = await tail.next();
			expect(seqs(result)).toEqual(records);
			expect(result.stop).toEqual({
				kind: 'corrupt',
				offset: first.bytes.length,
				reason: 'record 4 stands where 3 belongs',
			});
		}
	});

	it('after any flipped bit gives exactly the records before it, and says that something is wrong', async () => {
		const { bytes, ends } = journal(texts);
		for (const zeros of [0, 10_000]) {
			for (let at = 0; at < bytes.length; at++) {
				for (let bit = 0; bit < 8; bit++) {
					const damaged = withZeros(bytes, zeros);
					damaged[at] = (damaged[at] as number) ^ (1 << bit);
					const tail = tailOf(damaged);
					const result = await tail.next();
					const sound = Math.max(0, ends.filter((end) => end <= at).length - 1);
					expect(seqs(result), `byte ${at}`).toEqual([1, 2, 3, 4].slice(0, sound));
					expect(['incomplete-or-torn', 'corrupt'], `byte ${at} bit ${bit}`).toContain(result.stop.kind);
				}
			}
		}
	});

	it('tells what was damaged amid the file from what stands last', async () => {
		const { bytes, ends } = journal(texts);
		for (const zeros of [0, 10_000])
			for (const [k, kind] of [
				[0, 'corrupt'],
				[1, 'corrupt'],
				[2, 'corrupt'],
				[3, 'incomplete-or-torn'],
			] as const) {
				const damaged = withZeros(bytes, zeros);
				const at = (ends[k] as number) + FRAME_HEADER_BYTES + 3;
				damaged[at] = (damaged[at] as number) ^ 1;
				const { stop } = await tailOf(damaged).next();
				expect(stop).toMatchObject({ kind, offset: ends[k] });
			}
	});

	it('sees that a page is missing: zeros with data behind them', async () => {
		const { bytes, ends } = journal(['a', 'b'.repeat(9000), 'c'.repeat(9000)]);
		const damaged = bytes.slice().fill(0, ends[1], (ends[1] as number) + 8192);
		const tail = tailOf(damaged);
		const result = await tail.next();
		expect(seqs(result)).toEqual([1]);
		expect(result.stop.kind === 'corrupt' || (await tail.hasRemains())).toBe(true);
	});

	it('reads a record again that was just being written while what came behind it was there already', async () => {
		const { bytes, ends } = journal(texts);
		const torn = bytes.slice().fill(0, (ends[1] as number) + 20, ends[2]);
		const file = new ScriptedFile(bytes);
		file.instead = [torn];
		expect(seqs(await new JournalTail(file, HEADER).next())).toEqual([1, 2, 3, 4]);
		file.instead = [torn, torn];
		const tail = new JournalTail(file, HEADER);
		expect(await tail.next()).toMatchObject({ records: [{ seq: 1 }], stop: { kind: 'corrupt', offset: ends[1] } });
	});
});
