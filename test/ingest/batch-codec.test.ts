import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBatch } from '../../src/column/check-batch.ts';
import { sliceBatch } from '../../src/column/vector-ops.ts';
import { getValue, isNullAt, vectorOf } from '../../src/column/vector-values.ts';
import type { BytesVector, ColumnBatch, Vector } from '../../src/column/vector.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { decodeBatch, decodeBatches, encodeBatch } from '../../src/ingest/batch-codec.ts';
import { ByteWriter } from '../../src/ingest/batch-codec-writer.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { tables } from '../column/arbitraries.ts';

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

function encoded(batch: ColumnBatch): Uint8Array {
	const writer = new ByteWriter(16);
	writer.byte(99);
	encodeBatch(writer, batch);
	return writer.view(1).slice();
}

function schemaOf(fields: readonly NestedField[]): Schema {
	return new Schema({ schemaId: 0, fields: [...fields] });
}

function field(id: number, type: Type, required = false): NestedField {
	return { id, name: `c${id}`, required, type };
}

function checkCounts(vector: Vector): void {
	const nulls = Array.from({ length: vector.length }, (_, i) => isNullAt(vector, i)).filter(Boolean).length;
	expect(vector.nullCount).toBe(nulls);
	if (nulls === 0) expect(vector.validity).toBeNull();
	if (vector.layout === 'struct') vector.children.forEach(checkCounts);
	if (vector.layout === 'list') checkCounts(vector.child);
	if (vector.layout === 'map') [vector.keys, vector.items].forEach(checkCounts);
}

describe('batches in bytes', () => {
	it('come back exactly, of any schema, as a whole, row by row and in slices', () => {
		fc.assert(
			fc.property(tables(20, 3), fc.nat(20), ({ fields, rows }, at) => {
				const schema = schemaOf(fields);
				const batch = batchOf(fields, rows);
				const cut = Math.min(at, rows.length);
				const bodies = {
					whole: [encoded(batch)],
					'row by row': rows.map((row) => encoded(batchOf(fields, [row]))),
					'slice by row': rows.map((_, i) => encoded(sliceBatch(batch, i, i + 1))),
					'in two': [encoded(sliceBatch(batch, 0, cut)), encoded(sliceBatch(batch, cut, rows.length))],
				};
				for (const [how, parts] of Object.entries(bodies)) {
					const decoded = decodeBatches(schema, parts);
					expect(rowsOf(decoded), how).toEqual(rows);
					decoded.columns.forEach(checkCounts);
					checkBatch(fields, decoded);
				}
			}),
			{ numRuns: 200 },
		);
	});

	it('keep what compares as equal and is not: -0, NaN, the least long', () => {
		const fields = [field(1, { kind: 'double' }), field(2, { kind: 'float' }), field(3, { kind: 'long' })];
		const rows = [
			[-0, -0, -(2n ** 63n)],
			[Number.NaN, Number.NaN, 2n ** 63n - 1n],
			[5e-324, Math.fround(1e-45), -1n],
		];
		for (const bodies of [[batchOf(fields, rows)], rows.map((row) => batchOf(fields, [row]))]) {
			const decoded = rowsOf(decodeBatches(schemaOf(fields), bodies.map(encoded)));
			expect(decoded.every((row, i) => row.every((value, k) => Object.is(value, rows[i]?.[k])))).toBe(true);
		}
	});

	it('take dictionaries, of which only what is used is written', () => {
		const type: Type = { kind: 'string' };
		const dictionary = vectorOf(type, ['a', 'bb', 'unused '.repeat(100)]) as BytesVector;
		const column: Vector = {
			type,
			layout: 'dictionary',
			length: 4,
			nullCount: 1,
			validity: Uint8Array.of(0b1101),
			indices: Int32Array.of(1, 2, 0, 1),
			dictionary,
		};
		const fields = [field(1, type)];
		const body = encoded({ fields, length: 4, columns: [column] });
		expect(body.length).toBeLessThan(20);
		expect(rowsOf(decodeBatch(schemaOf(fields), body))).toEqual([['bb'], [null], ['a'], ['bb']]);
	});

	it('are about as small as their values', () => {
		const fields = [
			field(1, { kind: 'long' }, true),
			field(2, { kind: 'timestamptz' }, true),
			field(3, { kind: 'string' }, true),
			field(4, { kind: 'string' }),
			field(5, { kind: 'double' }),
			field(6, { kind: 'int' }),
			field(7, { kind: 'boolean' }),
			field(8, { kind: 'list', elementId: 9, elementRequired: false, element: { kind: 'string' } }),
		];
		const body = encoded(batchOf(fields, [[1n, 2n, 'device-17', null, 1.5, 4, true, ['a', 'b']]]));
		expect(body.length).toBeLessThan(8 + 8 + 9 + 8 + 4 + 1 + 2 + 8 + 3 + 8);
	});

	it('decode to nothing from no bodies', () => {
		const fields = [field(1, { kind: 'string' }), field(2, { kind: 'int' })];
		expect(decodeBatches(schemaOf(fields), [])).toMatchObject({ length: 0 });
		expect(decodeBatches(schemaOf(fields), [encoded(batchOf(fields, []))])).toMatchObject({ length: 0 });
	});
});

describe('bytes that are no batch', () => {
	const fields = [field(1, { kind: 'string' }, true), field(2, { kind: 'int' })];
	const schema = schemaOf(fields);

	it('are refused: another format, other columns, bytes too many', () => {
		const body = encoded(batchOf(fields, [['a', 1]]));
		expect(() => decodeBatch(schema, Uint8Array.of(2, ...body.subarray(1)))).toThrow(/format is 2/);
		expect(() => decodeBatch(schemaOf(fields.slice(0, 1)), body)).toThrow(/2 columns where the schema has 1/);
		expect(() => decodeBatch(schema, Uint8Array.of(...body, 0))).toThrow(/1 bytes too many/);
	});

	it('are refused where they break what the schema promises', () => {
		const optional = fields.map((each) => ({ ...each, required: false }));
		const missing = encoded(batchOf(optional, [[null, 1]]));
		expect(() => decodeBatch(schema, missing)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		const body = encoded(batchOf(fields, [['é', 1]]));
		body[body.indexOf(0xc3)] = 0xff;
		expect(() => decodeBatch(schema, body)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
	});

	it('take no memory for what they only claim to hold', () => {
		const huge = [0xff, 0xff, 0xff, 0xff, 0x07];
		const all: readonly Type[] = [
			{ kind: 'string' },
			{ kind: 'long' },
			{ kind: 'boolean' },
			{ kind: 'decimal', precision: 38, scale: 0 },
			{ kind: 'fixed', length: 1000 },
			{ kind: 'variant' },
			{ kind: 'list', elementId: 2, elementRequired: false, element: { kind: 'long' } },
			{ kind: 'struct', fields: [field(2, { kind: 'long' })] },
		];
		for (const type of all)
			for (const nulls of [0, 1, 2, 3])
				for (const rows of [huge, [0xff, 0xff, 0xff, 0xff, 0x03]])
					expect(() => decodeBatch(schemaOf([field(1, type)]), Uint8Array.of(1, ...rows, 1, nulls, ...huge))).toThrow(
						expect.objectContaining({ code: 'CORRUPT' }),
					);
	});

	it('never crash the decoder, whatever is changed or cut', () => {
		fc.assert(
			fc.property(
				tables(6, 2),
				fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
				fc.nat(),
				(table, edits, cut) => {
					const body = encoded(batchOf(table.fields, table.rows));
					for (const [at, byte] of edits) body[at % body.length] = byte;
					const bytes = cut % 3 === 0 ? body.subarray(0, cut % (body.length + 1)) : body;
					try {
						const batch = decodeBatch(schemaOf(table.fields), bytes);
						if (batch.length < 1000) rowsOf(batch);
					} catch (error) {
						expect(error).toBeInstanceOf(IcebergError);
						expect(['CORRUPT', 'LIMIT_EXCEEDED']).toContain((error as IcebergError).code);
					}
				},
			),
			{ numRuns: 500 },
		);
	});
});
