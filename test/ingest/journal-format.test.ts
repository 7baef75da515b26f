import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getValue, vectorOf } from '../../src/column/vector-values.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { decodeBatch } from '../../src/ingest/batch-codec.ts';
import { ByteWriter } from '../../src/ingest/batch-codec-writer.ts';
import {
	decodeHeader,
	decodeRecord,
	encodeHeader,
	encodeRecord,
	FRAME_HEADER_BYTES,
	JOURNAL_MAGIC,
	type NewJournalRecord,
} from '../../src/ingest/journal-format.ts';
import { decodeDataFiles, encodeDataFiles } from '../../src/ingest/journal-format-files.ts';
import type { DataFile } from '../../src/manifest/types.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { NestedField, Value } from '../../src/spec/types.ts';
import { decimalTypes, fixedTypes, plainTypes, primitiveValues } from '../support/arbitrary-types.ts';
import { recordOf } from '../support/journal-records.ts';

const fields: NestedField[] = [
	{ id: 1, name: 'id', required: true, type: { kind: 'long' } },
	{ id: 2, name: 'text', required: false, type: { kind: 'string' } },
];
const schema = new Schema({ schemaId: 3, fields });

function batchOf(rows: readonly (readonly Value[])[]): ColumnBatch {
	const columns = fields.map((field, k) =>
		vectorOf(
			field.type,
			rows.map((row) => row[k] as Value),
		),
	);
	return { fields, length: rows.length, columns };
}

/** The payload of the one frame behind `start`. */
function payloadOf(writer: ByteWriter, start: number): Uint8Array {
	return writer.view(start + FRAME_HEADER_BYTES).slice();
}

const metrics: fc.Arbitrary<ReadonlyMap<number, number>> = fc
	.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.maxSafeNat()), { maxLength: 5 })
	.map((entries) => new Map(entries));
const bytes = fc.uint8Array({ maxLength: 20 });
const bounds: fc.Arbitrary<ReadonlyMap<number, Uint8Array>> = fc
	.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), bytes), { maxLength: 5 })
	.map((entries) => new Map(entries));
const partitionValue = fc
	.oneof(plainTypes, decimalTypes, fixedTypes())
	.chain((type) => fc.option(primitiveValues(type), { nil: null }));
const dataFiles: fc.Arbitrary<DataFile> = fc.record(
	{
		content: fc.constantFrom('data' as const, 'position-deletes' as const, 'equality-deletes' as const),
		location: fc.webUrl(),
		format: fc.constantFrom('parquet' as const, 'avro' as const, 'orc' as const, 'puffin' as const),
		specId: fc.nat(100),
		partition: fc.array(partitionValue, { maxLength: 4 }),
		recordCount: fc.maxSafeNat(),
		fileSizeInBytes: fc.maxSafeNat(),
		columnSizes: metrics,
		valueCounts: metrics,
		nullValueCounts: metrics,
		nanValueCounts: metrics,
		lowerBounds: bounds,
		upperBounds: bounds,
		keyMetadata: bytes,
		splitOffsets: fc.array(fc.maxSafeNat(), { maxLength: 3 }).map((list) => list.map((each) => Math.floor(each / 2))),
		equalityIds: fc.array(fc.integer(), { maxLength: 3 }),
		sortOrderId: fc.integer(),
		firstRowId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
		referencedDataFile: fc.webUrl(),
		contentOffset: fc.nat(),
		contentSizeInBytes: fc.nat(),
	},
	{
		noNullPrototype: true,
		requiredKeys: ['content', 'location', 'format', 'specId', 'partition', 'recordCount', 'fileSizeInBytes'],
	},
);

describe('the header of a journal', () => {
	it('stands behind the four first bytes and comes back', () => {
		const writer = new ByteWriter(4);
		const header = { tableUuid: 'c0ffee', journalId: 'j-1', writer: 'host-12-abc', createdMs: 1_800_000_000_123 };
		encodeHeader(writer, header);
		expect(writer.view().subarray(0, 4)).toEqual(JOURNAL_MAGIC);
		expect(decodeHeader(payloadOf(writer, 4))).toEqual(header);
	});

	it('of a later version is refused as such', () => {
		expect(() => decodeHeader(Uint8Array.of(2, 0, 0, 0, 0))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
		expect(() => decodeHeader(Uint8Array.of(1, 9))).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});
});

describe('a record of a journal', () => {
	it('carries rows, with all that was asked for with them', () => {
		for (const extra of [
			{},
			{ key: 'abcdefghijklmnopqrstuv' },
			{ summary: { a: 'ä', __proto__x: '' } },
			{ key: 'k', summary: {} },
		]) {
			const writer = new ByteWriter(8);
			writer.text('before');
			const start = writer.length;
			const rows = [
				[1n, 'a'],
				[2n, null],
			];
			encodeRecord(writer, { ...recordOf(batchOf(rows)), seq: 2 ** 40, schemaId: 3, ...extra });
			const { body, ...rest } = decodeRecord(payloadOf(writer, start), 100);
			const endOffset = 100 + writer.length - start;
			expect(rest).toEqual({ kind: 'rows', seq: 2 ** 40, schemaId: 3, rowCount: 2, offset: 100, endOffset, ...extra });
			const batch = decodeBatch(schema, body);
			expect([0, 1].map((i) => batch.columns.map((column) => getValue(column, i)))).toEqual(rows);
		}
	});

	it('carries files exactly as they were described', () => {
		fc.assert(
			fc.property(fc.array(dataFiles, { maxLength: 3 }), (files) => {
				const writer = new ByteWriter();
				encodeRecord(writer, { kind: 'files', seq: 1, schemaId: 0, files, rowCount: 77 });
				const record = decodeRecord(payloadOf(writer, 0), 0);
				expect(record).toMatchObject({ kind: 'files', rowCount: 77 });
				expect(decodeDataFiles(record.body)).toStrictEqual(files);
			}),
		);
	});

	it('that is too long or not to be written leaves the buffer as it was', () => {
		const writer = new ByteWriter();
		writer.text('before');
		const before = writer.view().slice();
		const batch = batchOf([[1n, 'x'.repeat(65 * 1024 * 1024)]]);
		const records: [NewJournalRecord, string][] = [
			[{ ...recordOf(batch), seq: 1, schemaId: 0 }, 'LIMIT_EXCEEDED'],
			[{ ...recordOf(batchOf([])), seq: 1, schemaId: 0, key: 'x'.repeat(5000) }, 'LIMIT_EXCEEDED'],
			[{ ...recordOf(batchOf([])), seq: 1, schemaId: 0, summary: { a: '\ud800' } }, 'INVALID_DATA'],
		];
		for (const [record, code] of records) {
			expect(() => encodeRecord(writer, record)).toThrow(expect.objectContaining({ code }));
			expect(writer.view()).toEqual(before);
		}
	});

	it('that is damaged is refused, or says something else: never a crash', () => {
		fc.assert(
			fc.property(fc.array(dataFiles, { minLength: 1, maxLength: 2 }), fc.nat(), fc.nat(255), (files, at, byte) => {
				const writer = new ByteWriter();
				encodeDataFiles(writer, files);
				const body = writer.view().slice();
				body[at % body.length] = byte;
				for (const damaged of [body, body.subarray(0, at % body.length)]) {
					try {
						decodeDataFiles(damaged);
						decodeRecord(damaged, 0);
					} catch (error) {
						expect(error).toBeInstanceOf(IcebergError);
						expect((error as IcebergError).code).toBe('CORRUPT');
					}
				}
			}),
			{ numRuns: 500 },
		);
	});
});
