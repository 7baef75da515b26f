import zlib from 'node:zlib';
import * as apache from 'apache-arrow';
import * as flechette from '@uwdata/flechette';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArrowLike, batchesFromArrow, isArrowLike, tableFromArrowIpc } from '../../src/column/arrow-in.ts';
import { isCompressedArrowIpc } from '../../src/column/arrow-ipc.ts';
import { arrowIpcStream, arrowTable } from '../../src/column/arrow-out.ts';
import { FIELD_ID_KEY, schemaFromArrow } from '../../src/column/arrow-schema.ts';
import type { BytesVector, ColumnBatch, Vector } from '../../src/column/vector.ts';
import { concatBatches, sliceBatch } from '../../src/column/vector-ops.ts';
import { getValue, vectorOf } from '../../src/column/vector-values.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { tables } from './arbitraries.ts';

const field = (name: string, type: Type, required = false): NestedField => ({ id: 1, name, required, type });

function batchOf(fields: NestedField[], rows: Value[][]): ColumnBatch {
	return {
		fields,
		length: rows.length,
		columns: fields.map((column, k) =>
			vectorOf(
				column.type,
				rows.map((row) => row[k] as Value),
			),
		),
	};
}
async function rowsFrom(fields: NestedField[], input: unknown): Promise<Value[][]> {
	const rows: Value[][] = [];
	for await (const batch of batchesFromArrow(fields, input as ArrowLike))
		for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => getValue(column, i)));
	return rows;
}
const valuesFrom = async (type: Type, input: unknown, name = 'c'): Promise<Value[]> =>
	(await rowsFrom([field(name, type)], input)).map(([value]) => value as Value);

async function ipcOf(fields: NestedField[], batches: ColumnBatch[]): Promise<Uint8Array> {
	const parts: Uint8Array[] = [];
	for await (const part of arrowIpcStream(fields, batches)) parts.push(part);
	return new Uint8Array(Buffer.concat(parts));
}

describe('out to Arrow and in again', () => {
	it('keeps every value of every type: as a table, as IPC, and read by apache-arrow', async () => {
		await fc.assert(
			fc.asyncProperty(tables(20), fc.nat(20), async ({ fields, rows }, cut) => {
				const whole = batchOf(fields, rows);
				const at = Math.min(cut, rows.length);
				const batches = [sliceBatch(whole, 0, at), sliceBatch(whole, at, rows.length)];
				expect(await rowsFrom(fields, await arrowTable(fields, batches))).toEqual(rows);
				const bytes = await ipcOf(fields, batches);
				expect(await rowsFrom(fields, bytes)).toEqual(rows);
				expect(await rowsFrom(fields, apache.tableFromIPC(bytes))).toEqual(rows);
			}),
			{ numRuns: 60 },
		);
	});

	it('a stream without batches has the schema', async () => {
		const fields = [field('a', { kind: 'long' }, true)];
		const table = apache.tableFromIPC(await ipcOf(fields, []));
		expect(table.schema.fields.map(String)).toEqual(['a: Int64']);
		expect(table.schema.fields[0]?.nullable).toBe(false);
		expect(table.schema.fields[0]?.metadata.get(FIELD_ID_KEY)).toBe('1');
	});

	it('shares buffers on the way out', async () => {
		const values = BigInt64Array.of(1n, 2n);
		const vector: Vector = { type: { kind: 'long' }, layout: 'int64', length: 2, nullCount: 0, validity: null, values };
		const fields = [field('a', { kind: 'long' })];
		const table = await arrowTable(fields, [{ fields, length: 2, columns: [vector] }]);
		expect((table.getChild('a')!.toArray() as BigInt64Array).buffer).toBe(values.buffer);
	});

	it('dictionaries go out as plain text', async () => {
		const dictionary = vectorOf({ kind: 'string' }, ['x', 'é']) as BytesVector;
		const column: Vector = {
			type: { kind: 'string' },
			layout: 'dictionary',
			length: 3,
			nullCount: 1,
			validity: Uint8Array.of(0b101),
			indices: Int32Array.of(1, 0, 0),
			dictionary,
		};
		const fields = [field('a', { kind: 'string' })];
		const table = await arrowTable(fields, [{ fields, length: 3, columns: [column] }]);
		expect([...(table.getChild('a') ?? [])]).toEqual(['é', null, 'x']);
	});

	it('gives exact values in flechette as well', async () => {
		const fields = [
			field('a', { kind: 'long' }),
			{ ...field('b', { kind: 'decimal', precision: 38, scale: 2 }), id: 2 },
		];
		const table = await arrowTable(fields, [batchOf(fields, [[2n ** 53n + 1n, 10n ** 37n + 1n]])]);
		expect(table.at(0)).toEqual({ a: 2n ** 53n + 1n, b: 10n ** 37n + 1n });
	});
});

describe('exact casts of apache-arrow columns', () => {
	const column = (type: apache.DataType, values: unknown[] | BigInt64Array): apache.Table =>
		new apache.Table({
			c: Array.isArray(values)
				? apache.vectorFromArray(values, type)
				: apache.makeVector(apache.makeData({ type: type as apache.Timestamp, data: values })),
		});

	it.each<[string, apache.DataType, unknown[], Type, Value[]]>([
		['int8 to int', new apache.Int8(), [-128, null], { kind: 'int' }, [-128, null]],
		['uint16 to int', new apache.Uint16(), [65535], { kind: 'int' }, [65535]],
		['int64 that fits to int', new apache.Int64(), [5n, null], { kind: 'int' }, [5, null]],
		['int32 to long', new apache.Int32(), [-5, null], { kind: 'long' }, [-5n, null]],
		['uint64 to long', new apache.Uint64(), [2n ** 62n], { kind: 'long' }, [2n ** 62n]],
		['int32 to double', new apache.Int32(), [7], { kind: 'double' }, [7]],
		['float32 to double', new apache.Float32(), [0.5], { kind: 'double' }, [0.5]],
		['float64 that fits to float', new apache.Float64(), [0.5, Number.NaN], { kind: 'float' }, [0.5, Number.NaN]],
		['int32 to decimal', new apache.Int32(), [-7], { kind: 'decimal', precision: 4, scale: 2 }, [-700n]],
		['date in days', new apache.DateDay(), [new Date(86_400_000)], { kind: 'date' }, [1]],
		['date in ms', new apache.DateMillisecond(), [new Date(86_400_000)], { kind: 'date' }, [1]],
		['timestamp in seconds', new apache.TimestampSecond(), [1000], { kind: 'timestamp' }, [1_000_000n]],
		['timestamp in ms, zoned', new apache.TimestampMillisecond('Europe/Berlin'), [5], { kind: 'timestamptz' }, [5000n]],
		['time in ms', new apache.TimeMillisecond(), [5], { kind: 'time' }, [5000n]],
		['utf8', new apache.Utf8(), ['é', null, ''], { kind: 'string' }, ['é', null, '']],
		['large utf8', new apache.LargeUtf8(), ['é', null], { kind: 'string' }, ['é', null]],
		[
			'dictionary',
			new apache.Dictionary(new apache.Utf8(), new apache.Int8()),
			['b', 'a', null, 'b'],
			{ kind: 'string' },
			['b', 'a', null, 'b'],
		],
		[
			'dictionary of ints',
			new apache.Dictionary(new apache.Int32(), new apache.Int8()),
			[9, 8, null, 9],
			{ kind: 'long' },
			[9n, 8n, null, 9n],
		],
		['bool', new apache.Bool(), [true, null, false], { kind: 'boolean' }, [true, null, false]],
		['null to anything', new apache.Null(), [null], { kind: 'string' }, [null]],
		[
			'text to uuid',
			new apache.Utf8(),
			['F79C3E09-677C-4BBD-A479-3F349CB785E7', null],
			{ kind: 'uuid' },
			['f79c3e09-677c-4bbd-a479-3f349cb785e7', null],
		],
		[
			'binary to fixed',
			new apache.Binary(),
			[Uint8Array.of(1, 2)],
			{ kind: 'fixed', length: 2 },
			[Uint8Array.of(1, 2)],
		],
		[
			'fixed to binary',
			new apache.FixedSizeBinary(2),
			[Uint8Array.of(1, 2), Uint8Array.of(3, 4)],
			{ kind: 'binary' },
			[Uint8Array.of(1, 2), Uint8Array.of(3, 4)],
		],
		[
			'list',
			new apache.List(new apache.Field('item', new apache.Int16(), true)),
			[[1, null], null, []],
			{ kind: 'list', elementId: 2, elementRequired: false, element: { kind: 'long' } },
			[[1n, null], null, []],
		],
		[
			'fixed-size list',
			new apache.FixedSizeList(2, new apache.Field('item', new apache.Int32(), true)),
			[
				[1, 2],
				[3, 4],
			],
			{ kind: 'list', elementId: 2, elementRequired: false, element: { kind: 'int' } },
			[
				[1, 2],
				[3, 4],
			],
		],
	])('%s', async (_, arrowType, values, type, expected) => {
		expect(await valuesFrom(type, column(arrowType, values))).toEqual(expected);
	});

	it.each<[string, apache.DataType, unknown[] | BigInt64Array, Type, unknown]>([
		['int64 beyond int', new apache.Int64(), [1n, 2n ** 31n], { kind: 'int' }, 2n ** 31n],
		['uint64 beyond long', new apache.Uint64(), [1n, 2n ** 63n], { kind: 'long' }, 2n ** 63n],
		['float64 that float rounds', new apache.Float64(), [0.5, 0.1], { kind: 'float' }, 0.1],
		['int64 that double rounds', new apache.Int64(), [1n, 2n ** 53n + 1n], { kind: 'double' }, 2n ** 53n + 1n],
		['int beyond decimal', new apache.Int32(), [1, 100], { kind: 'decimal', precision: 4, scale: 2 }, '100e0'],
		['part of a day to date', new apache.DateMillisecond(), [new Date(0), new Date(5)], { kind: 'date' }, 5n],
		[
			'nanoseconds to micros',
			new apache.TimestampNanosecond(),
			BigInt64Array.of(1000n, 1001n),
			{ kind: 'timestamp' },
			1001n,
		],
		['seconds beyond nanos', new apache.TimestampSecond(), [0, 1e13], { kind: 'timestamp_ns' }, undefined],
		['bad uuid', new apache.Utf8(), ['f79c3e09-677c-4bbd-a479-3f349cb785e7', 'x'], { kind: 'uuid' }, 'x'],
		[
			'wrong width',
			new apache.Binary(),
			[Uint8Array.of(1), Uint8Array.of(1, 2)],
			{ kind: 'fixed', length: 1 },
			'2 bytes',
		],
	])('refuses %s with row, column and value', async (_, arrowType, values, type, value) => {
		const error = await valuesFrom(type, column(arrowType, values)).then(
			() => undefined,
			(caught: unknown) => caught as IcebergError,
		);
		expect(error?.code).toBe('INVALID_DATA');
		expect(error?.context).toMatchObject({ row: 1, column: 'c', ...(value === undefined ? {} : { value }) });
		expect(error?.message).toMatch(/^row 1, column 'c': expected /);
	});

	it.each<[string, apache.DataType, unknown[], Type]>([
		['text into long', new apache.Utf8(), ['1'], { kind: 'long' }],
		['zoned into timestamp', new apache.TimestampMicrosecond('UTC'), [1], { kind: 'timestamp' }],
		['naive into timestamptz', new apache.TimestampMicrosecond(), [1], { kind: 'timestamptz' }],
		['duration into long', new apache.DurationSecond(), [1n], { kind: 'long' }],
		['binary into string', new apache.Binary(), [Uint8Array.of(65)], { kind: 'string' }],
	])('refuses %s: the types do not go together', async (_, arrowType, values, type) => {
		await expect(valuesFrom(type, column(arrowType, values))).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { column: 'c' },
		});
	});

	it('nested parts name their path', async () => {
		const type: Type = {
			kind: 'list',
			elementId: 2,
			elementRequired: false,
			element: { kind: 'struct', fields: [{ id: 3, name: 'n', required: true, type: { kind: 'int' } }] },
		};
		const struct = new apache.Struct([new apache.Field('n', new apache.Int64(), true)]);
		const table = column(new apache.List(new apache.Field('item', struct, true)), [
			[{ n: 1n }],
			[],
			[{ n: 2n }, { n: 2n ** 40n }],
		]);
		await expect(valuesFrom(type, table)).rejects.toThrow(/^row 2, column 'c\[1\]\.n': expected int/);
		const withNull = column(new apache.List(new apache.Field('item', struct, true)), [[{ n: 1n }, { n: null }]]);
		await expect(valuesFrom(type, withNull)).rejects.toThrow(/^row 0, column 'c\[1\]\.n': .*required/);
	});
});

describe('columns by name', () => {
	const fields: NestedField[] = [
		field('id', { kind: 'long' }, true),
		{ ...field('note', { kind: 'string' }), id: 2, writeDefault: 'none' },
	];
	it('missing ones are filled, required ones and unknown ones refused', async () => {
		expect(await rowsFrom(fields, apache.tableFromArrays({ id: [1n, 2n] }))).toEqual([
			[1n, 'none'],
			[2n, 'none'],
		]);
		await expect(rowsFrom(fields, apache.tableFromArrays({ note: ['x'] }))).rejects.toThrow(
			/row 0, column 'id'.*required/,
		);
		await expect(rowsFrom(fields, apache.tableFromArrays({ id: [1n], nots: ['x'] }))).rejects.toThrow(
			/column 'nots'.*'note'/,
		);
	});
	it('nulls in required columns are refused with the row across batches', async () => {
		const one = apache.tableFromArrays({ id: BigInt64Array.of(1n) });
		const two = new apache.Table({ id: apache.vectorFromArray([2n, null], new apache.Int64()) });
		await expect(rowsFrom(fields, one.concat(two as never))).rejects.toMatchObject({
			context: { row: 2, column: 'id' },
		});
	});
	it('record batches and slices of tables', async () => {
		const table = new apache.Table({
			id: apache.vectorFromArray([1n, 2n, 3n, 4n], new apache.Int64()),
			note: apache.vectorFromArray(['a', null, 'c', null], new apache.Utf8()),
		});
		expect(await rowsFrom(fields, table.batches[0])).toHaveLength(4);
		expect(await rowsFrom(fields, table.slice(1, 3))).toEqual([
			[2n, null],
			[3n, 'c'],
		]);
		const flags = new apache.Table({ c: apache.vectorFromArray([true, null, false, true, null], new apache.Bool()) });
		expect(await valuesFrom({ kind: 'boolean' }, flags.slice(1, 4))).toEqual([null, false, true]);
	});
	it('flechette tables', async () => {
		const table = flechette.tableFromArrays({ id: [1, 2], note: ['a', null] });
		expect(await rowsFrom(fields, table)).toEqual([
			[1n, 'a'],
			[2n, null],
		]);
	});
	it('anything else is no Arrow data', async () => {
		for (const input of [null, 5, {}, [], { schema: {} }, new Uint8Array(20), 'ARROW1'])
			expect(isArrowLike(input)).toBe(false);
		await expect(rowsFrom(fields, { schema: { fields: [] } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});
});

describe('IPC bytes', () => {
	const fields = [field('c', { kind: 'string' }), { ...field('n', { kind: 'long' }), id: 2 }];
	const rows: Value[][] = [
		['a', 1n],
		[null, 2n],
		['ccc', null],
	];
	it('files and streams, at any alignment', async () => {
		const table = new apache.Table({
			c: apache.vectorFromArray(['a', null, 'ccc'], new apache.Utf8()),
			n: apache.vectorFromArray([1n, 2n, null], new apache.Int64()),
		});
		for (const format of ['file', 'stream'] as const) {
			const bytes = apache.tableToIPC(table, format);
			const shifted = new Uint8Array(bytes.length + 1);
			shifted.set(bytes, 1);
			expect(isArrowLike(bytes)).toBe(true);
			expect(await rowsFrom(fields, bytes)).toEqual(rows);
			expect(await rowsFrom(fields, shifted.subarray(1))).toEqual(rows);
		}
	});
	it('a file of several batches, with dictionaries that grow', async () => {
		const text = new apache.Dictionary(new apache.Utf8(), new apache.Int16(), 7);
		const builder = new apache.RecordBatchFileWriter();
		const schema = new apache.Schema([new apache.Field('c', text, true)]);
		builder.reset(undefined, schema);
		const table = new apache.Table({ c: apache.vectorFromArray(['x', null, 'y', 'x'], text) });
		for (const batch of table.batches) builder.write(batch);
		builder.finish();
		expect(await valuesFrom({ kind: 'string' }, await builder.toUint8Array())).toEqual(['x', null, 'y', 'x']);
	});

	it('compressed buffers need a decompressor', async () => {
		const table = await arrowTable(fields, [batchOf(fields, rows)]);
		flechette.setCompressionCodec(flechette.CompressionType.ZSTD, {
			encode: (bytes) => zlib.deflateRawSync(bytes),
			decode: (bytes) => zlib.inflateRawSync(bytes),
		});
		const bytes = flechette.tableToIPC(table, {
			format: 'stream',
			codec: flechette.CompressionType.ZSTD,
		}) as Uint8Array;
		await expect(rowsFrom(fields, bytes)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
		expect(isCompressedArrowIpc(bytes)).toBe(true);
		expect(isCompressedArrowIpc(bytes.subarray(0, 60))).toBe(false);
		const decompressors = { zstd: (part: Uint8Array) => new Uint8Array(zlib.inflateRawSync(part)) };
		expect(await rowsFrom(fields, await tableFromArrowIpc(bytes, decompressors))).toEqual(rows);
	});

	it.each(['stream', 'file'] as const)('hostile bytes in a %s are refused, never crash', async (format) => {
		const table = new apache.Table({
			c: apache.vectorFromArray(['a', null, 'ccc'], new apache.Dictionary(new apache.Utf8(), new apache.Int32())),
			n: apache.vectorFromArray([1n, 2n, null], new apache.Int64()),
		});
		const sound = apache.tableToIPC(table, format);
		expect(await rowsFrom(fields, sound)).toEqual(rows);
		await fc.assert(
			fc.asyncProperty(fc.nat(sound.length - 1), fc.nat(255), fc.boolean(), async (at, byte, cut) => {
				const bytes = cut ? sound.slice(0, at) : sound.slice();
				if (!cut) bytes[at] = byte;
				try {
					await rowsFrom(fields, bytes);
				} catch (error) {
					expect(error).toBeInstanceOf(IcebergError);
				}
			}),
			{ numRuns: 400 },
		);
		await expect(tableFromArrowIpc(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'CORRUPT' });
	});
});

describe('schemaFromArrow', () => {
	it('finds the fields that hold a table', () => {
		const table = new apache.Table(
			new apache.Schema([
				new apache.Field('a', new apache.Uint8(), false),
				new apache.Field('b', new apache.Uint64(), true),
				new apache.Field('c', new apache.TimestampNanosecond('UTC'), true),
				new apache.Field('d', new apache.Dictionary(new apache.Utf8(), new apache.Int32()), true),
				new apache.Field('e', new apache.List(new apache.Field('item', new apache.Float16(), true)), true),
				new apache.Field('f', new apache.Struct([new apache.Field('x', new apache.DateMillisecond(), false)]), true),
				new apache.Field('g', new apache.Decimal(2, 9, 128), true),
			]),
		);
		expect(schemaFromArrow(table)).toEqual([
			{ id: 1, name: 'a', required: true, type: { kind: 'int' } },
			{ id: 2, name: 'b', required: false, type: { kind: 'decimal', precision: 20, scale: 0 } },
			{ id: 3, name: 'c', required: false, type: { kind: 'timestamptz_ns' } },
			{ id: 4, name: 'd', required: false, type: { kind: 'string' } },
			{
				id: 5,
				name: 'e',
				required: false,
				type: { kind: 'list', elementId: 8, elementRequired: false, element: { kind: 'float' } },
			},
			{
				id: 6,
				name: 'f',
				required: false,
				type: { kind: 'struct', fields: [{ id: 9, name: 'x', required: true, type: { kind: 'date' } }] },
			},
			{ id: 7, name: 'g', required: false, type: { kind: 'decimal', precision: 9, scale: 2 } },
		]);
	});
	it('names the column of a type without a counterpart', () => {
		const table = new apache.Table(new apache.Schema([new apache.Field('t', new apache.DurationSecond(), true)]));
		expect(() => schemaFromArrow(table)).toThrow(/column 't': Iceberg has no type for Arrow's duration\[s\]/);
	});
	it('is the inverse of writing for most types', async () => {
		await fc.assert(
			fc.asyncProperty(tables(0), async ({ fields }) => {
				const again = schemaFromArrow(await arrowTable(fields, []));
				const rows = await rowsFrom(again, await arrowTable(fields, [batchOf(fields, [])]));
				expect(rows).toEqual([]);
				expect(again.map(({ name, required }) => [name, required])).toEqual(
					fields.map(({ name, required }) => [name, required]),
				);
			}),
		);
	});
});

it('batches can be joined again', async () => {
	const fields = [field('c', { kind: 'int' })];
	const batches: ColumnBatch[] = [];
	for await (const batch of batchesFromArrow(
		fields,
		await arrowTable(fields, [batchOf(fields, [[1]]), batchOf(fields, [[2]])]),
	))
		batches.push(batch);
	expect(concatBatches(batches).length).toBe(2);
});
