/**
 * Journals with generated schemas and values, damaged in every way: what is read then is a beginning of what was written,
 * and unless it is all of it, the tail says so.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getValue, vectorOf } from '../../src/column/vector-values.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { decodeBatch, decodeBatches } from '../../src/ingest/batch-codec.ts';
import { ByteWriter } from '../../src/ingest/batch-codec-writer.ts';
import { encodeHeader, encodeRecord } from '../../src/ingest/journal-format.ts';
import { JournalTail, type TailStop } from '../../src/ingest/journal-format-tail.ts';
import type { JournalReadFile } from '../../src/io/journal-store.ts';
import { LocalJournalStore } from '../../src/io/local-journal-store.ts';
import { MemoryJournalStore } from '../../src/io/memory-journal-store.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { NestedField, Value } from '../../src/spec/types.ts';
import { tables } from '../column/arbitraries.ts';
import { recordOf } from '../support/journal-records.ts';

const HEADER = { tableUuid: 'c3b6', journalId: 'j', writer: 'h-1-2', createdMs: 1 };

function batchOf(fields: readonly NestedField[], rows: readonly (readonly Value[])[]): ColumnBatch {
	const columns = fields.map((field, k) =>
		vectorOf(
			field.type,
			rows.map((row) => row[k] as Value),
		),
	);
	return { fields, length: rows.length, columns };
}

function rowsOf(batch: ColumnBatch): Value[][] {
	return Array.from({ length: batch.length }, (_, i) => batch.columns.map((column) => getValue(column, i)));
}

/** A journal with a record for each row, and where its frames end. */
function journalOf(fields: readonly NestedField[], rows: readonly (readonly Value[])[]) {
	const writer = new ByteWriter();
	encodeHeader(writer, HEADER);
	const ends = [writer.length];
	rows.forEach((row, i) => {
		encodeRecord(writer, { ...recordOf(batchOf(fields, [row])), seq: i + 1, schemaId: 0 });
		ends.push(writer.length);
	});
	return { bytes: writer.view().slice(), ends };
}

class BytesFile implements JournalReadFile {
	readonly #bytes: Uint8Array;
	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}
	size(): number {
		return this.#bytes.length;
	}
	read(offset: number, maxLength: number): Uint8Array {
		return this.#bytes.slice(offset, offset + maxLength);
	}
	close(): void {}
}

async function readAll(bytes: Uint8Array): Promise<{ bodies: Uint8Array[]; stop: TailStop; remains: boolean }> {
	const tail = new JournalTail(new BytesFile(bytes), HEADER);
	const { records, stop } = await tail.next();
	return { bodies: records.map(({ body }) => body), stop, remains: await tail.hasRemains() };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
	return new Uint8Array(Buffer.concat(parts));
}

/** Damage to a file: a byte changed, a run taken out, put in, zeroed, or moved. */
type Damage = (bytes: Uint8Array) => Uint8Array;
const damages: fc.Arbitrary<Damage> = fc.oneof(
	fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, change]): Damage => {
		return (bytes) => bytes.map((byte, i) => (i === at % (bytes.length + 1) ? byte ^ change : byte));
	}),
	fc.tuple(fc.nat(), fc.integer({ min: 1, max: 100 })).map(([at, count]): Damage => {
		return (bytes) =>
			joined([bytes.subarray(0, at % (bytes.length + 1)), bytes.subarray((at % (bytes.length + 1)) + count)]);
	}),
	fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 30 })).map(([at, extra]): Damage => {
		return (bytes) =>
			joined([bytes.subarray(0, at % (bytes.length + 1)), extra, bytes.subarray(at % (bytes.length + 1))]);
	}),
	fc.tuple(fc.nat(), fc.integer({ min: 1, max: 300 })).map(([at, count]): Damage => {
		return (bytes) => bytes.slice().fill(0, at % (bytes.length + 1), (at % (bytes.length + 1)) + count);
	}),
	fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 200 })).map(([from, to, count]): Damage => {
		return (bytes) =>
			bytes.slice().copyWithin(to % (bytes.length + 1), from % (bytes.length + 1), (from % (bytes.length + 1)) + count);
	}),
);

describe('a journal', () => {
	it('gives back the rows of any schema, one by one and all at once', async () => {
		await fc.assert(
			fc.asyncProperty(tables(12, 3), async ({ fields, rows }) => {
				const { bytes } = journalOf(fields, rows);
				const store = new MemoryJournalStore();
				const file = store.create('j.journal');
				file.append(bytes);
				const tail = new JournalTail(store.open('j.journal') as JournalReadFile, HEADER);
				const { records, stop } = await tail.next();
				const schema = new Schema({ fields });
				expect(stop.kind).toBe('end');
				expect(records.flatMap(({ body }) => rowsOf(decodeBatch(schema, body)))).toEqual(rows);
				expect(
					rowsOf(
						decodeBatches(
							schema,
							records.map(({ body }) => body),
						),
					),
				).toEqual(rows);
			}),
		);
	});

	it('cut off anywhere gives exactly the records before', async () => {
		await fc.assert(
			fc.asyncProperty(tables(6, 2), fc.nat(20_000), async ({ fields, rows }, zeros) => {
				const { bytes, ends } = journalOf(fields, rows);
				const schema = new Schema({ fields });
				for (let length = 0; length < bytes.length; length += 1 + (length >> 6)) {
					for (const behind of [0, zeros]) {
						const cut = joined([bytes.subarray(0, length), new Uint8Array(behind)]);
						const { bodies, stop, remains } = await readAll(cut);
						const whole = Math.max(0, ends.filter((end) => end <= length).length - 1);
						// zeros may be what was cut off
						const exact = behind === 0 ? [whole] : [whole, whole + 1];
						expect(exact).toContain(bodies.length);
						expect(bodies.flatMap((body) => rowsOf(decodeBatch(schema, body)))).toEqual(rows.slice(0, bodies.length));
						expect(['end', 'incomplete-or-torn']).toContain(stop.kind);
						if (stop.kind === 'end') expect(remains).toBe(false);
					}
				}
			}),
			{ numRuns: 20 },
		);
	});

	it('damaged in any way gives a beginning of its records, never a wrong one, and says when it is not all', async () => {
		await fc.assert(
			fc.asyncProperty(
				tables(8, 1),
				fc.array(damages, { minLength: 1, maxLength: 3 }),
				fc.constantFrom(0, 5000),
				async ({ fields, rows }, damage, zeros) => {
					const { bytes, ends } = journalOf(fields, rows);
					let damaged = joined([bytes, new Uint8Array(zeros)]);
					for (const each of damage) damaged = each(damaged);
					const { bodies, stop, remains } = await readAll(damaged);
					expect(bodies.length).toBeLessThanOrEqual(rows.length);
					const schema = new Schema({ fields });
					expect(bodies.flatMap((body) => rowsOf(decodeBatch(schema, body)))).toEqual(rows.slice(0, bodies.length));
					// what is sound up to the first damaged byte is given
					const first = damaged.findIndex((byte, i) => byte !== bytes[i]);
					const sound = first < 0 ? Math.min(damaged.length, bytes.length) : first;
					expect(bodies.length).toBeGreaterThanOrEqual(ends.filter((end) => end <= sound).length - 1);
					// only what is gone without a trace, at the end, goes unnoticed
					if (bodies.length < rows.length && stop.kind === 'end') expect(remains).toBe(false);
				},
			),
			{ numRuns: 1000 },
		);
	});

	it('can be read while another thread appends to it, records of all sizes, and is never taken for damaged', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'datashard-journal-'));
		try {
			const fields: NestedField[] = [{ id: 1, name: 'a', required: true, type: { kind: 'binary' } }];
			const sizes = Array.from({ length: 3000 }, (_, i) => (i * i * 7919) % (i % 10 === 0 ? 30_000 : 300));
			const { bytes, ends } = journalOf(
				fields,
				sizes.map((size, i) => [new Uint8Array(size).fill(i % 255)]),
			);
			const store = new LocalJournalStore(folder);
			await store.create('j.journal').close();
			const worker = new Worker(APPENDER, {
				eval: true,
				workerData: { path: join(folder, '_journal', 'j.journal'), bytes, ends },
			});
			const exited = once(worker, 'exit');
			const tail = new JournalTail(store.open('j.journal') as JournalReadFile, HEADER);
			const bodies: Uint8Array[] = [];
			while (bodies.length < sizes.length) {
				const { records, stop } = await tail.next(100_000);
				for (const { body } of records) bodies.push(body);
				expect(['end', 'more', 'incomplete-or-torn'], JSON.stringify(stop)).toContain(stop.kind);
				await new Promise((resolve) => setImmediate(resolve));
			}
			await exited;
			const [column] = decodeBatches(new Schema({ fields }), bodies).columns;
			sizes.forEach((size, i) => {
				const value = getValue(column as never, i) as Uint8Array;
				expect(value.length === size && value.every((byte) => byte === i % 255)).toBe(true);
			});
			await tail.close();
		} finally {
			await rm(folder, { recursive: true, force: true });
		}
	});
});

/** Appends the frames, several at a time now and then, with zeros written ahead. */
const APPENDER = `
const { workerData: { path, bytes, ends } } = require('node:worker_threads');
const fs = require('node:fs');
const fd = fs.openSync(path, 'r+');
let ahead = 0;
let from = 0;
for (let i = 0; i < ends.length; i++) {
	if (i % 7 !== 0 && i % 3 === 0 && i < ends.length - 1) continue;
	const end = ends[i];
	while (end > ahead) {
		fs.writeSync(fd, new Uint8Array(65536), 0, 65536, ahead);
		ahead += 65536;
	}
	fs.writeSync(fd, bytes, from, end - from, from);
	from = end;
}
fs.closeSync(fd);
`;
