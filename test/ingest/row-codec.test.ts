import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowsToBatch } from '../../src/column/rows.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { encodeBatch } from '../../src/ingest/batch-codec.ts';
import { ByteWriter } from '../../src/ingest/batch-codec-writer.ts';
import { BodyEncoder } from '../../src/ingest/row-codec.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { NestedField, Value } from '../../src/spec/types.ts';
import { asInput, tables } from '../column/arbitraries.ts';

function encoderOf(fields: readonly NestedField[]): BodyEncoder {
	return new BodyEncoder(new Schema({ schemaId: 0, fields: [...fields] }));
}

/** Bytes, or the refusal. */
function outcome(encode: () => Uint8Array): unknown {
	try {
		return [...encode()];
	} catch (error) {
		if (!(error instanceof IcebergError)) throw error;
		return { code: error.code, message: error.message, context: error.context };
	}
}

/** What comes out by way of columns. */
function byColumns(fields: readonly NestedField[], rows: readonly unknown[]): unknown {
	return outcome(() => {
		const writer = new ByteWriter();
		encodeBatch(writer, rowsToBatch(fields, rows));
		return writer.view();
	});
}

function recordOf(fields: readonly NestedField[], row: readonly Value[]): Record<string, unknown> {
	return Object.fromEntries(fields.map((field, k) => [field.name, asInput(field.type, row[k] as Value)]));
}

/** What no column, or only some, can take. */
const oddities: fc.Arbitrary<unknown> = fc.oneof(
	fc.constantFrom(
		undefined,
		null,
		true,
		-0,
		Number.NaN,
		Number.POSITIVE_INFINITY,
		'',
		'é',
		'\ud800',
		'1.5',
		{},
		[],
		[null],
	),
	fc.double(),
	fc.integer(),
	fc.bigInt(),
	fc.date({ noInvalidDate: false }),
	fc.string({ maxLength: 100 }),
	fc.uint8Array({ maxLength: 20 }),
	fc.constantFrom(
		'2024-02-29',
		'12:30:00',
		'2024-02-29T12:30:00.5',
		'2024-02-29T12:30:00Z',
		new Map(),
		Symbol.iterator,
	),
);

describe('a row in bytes', () => {
	it('is what a batch of that row is, of any schema', () => {
		fc.assert(
			fc.property(tables(5, 2), ({ fields, rows }) => {
				const encoder = encoderOf(fields);
				const records = rows.map((row) => recordOf(fields, row));
				for (const record of records)
					expect(outcome(() => encoder.rows([record]))).toEqual(byColumns(fields, [record]));
				expect(outcome(() => encoder.rows(records))).toEqual(byColumns(fields, records));
			}),
			{ numRuns: 200 },
		);
	});

	it('is refused as a batch is, by row, column and value, and does not harm the rows after', () => {
		fc.assert(
			fc.property(tables(3, 1), fc.nat(), oddities, ({ fields, rows }, at, odd) => {
				const encoder = encoderOf(fields);
				for (const row of rows) {
					const record = recordOf(fields, row);
					const broken = { ...record, [`c${at % (fields.length + 1)}`]: odd };
					expect(outcome(() => encoder.rows([broken]))).toEqual(byColumns(fields, [broken]));
					expect(outcome(() => encoder.rows([record]))).toEqual(byColumns(fields, [record]));
				}
			}),
			{ numRuns: 500 },
		);
	});

	it('is refused when it is no object', () => {
		const fields: NestedField[] = [{ id: 1, name: 'a', required: false, type: { kind: 'long' } }];
		for (const row of [undefined, null, 1, 'a', [], new Map(), new Date(0)])
			expect(outcome(() => encoderOf(fields).rows([row]))).toEqual(byColumns(fields, [row]));
	});

	it('has the defaults of columns that are left out, and names that every object inherits only when they are its own', () => {
		const fields: NestedField[] = [
			{ id: 1, name: 'constructor', required: false, type: { kind: 'string' } },
			{ id: 2, name: 'a', required: true, type: { kind: 'decimal', precision: 9, scale: 2 }, writeDefault: -5n },
			{
				id: 3,
				name: 'b',
				required: false,
				type: { kind: 'uuid' },
				writeDefault: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
			},
		];
		for (const row of [{}, { b: null }, { a: null }, { constructor: 'x', a: '1.25' }])
			expect(outcome(() => encoderOf(fields).rows([row]))).toEqual(byColumns(fields, [row]));
	});
});
