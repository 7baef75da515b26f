import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileJsonOutput } from '../../src/column/json-out.ts';
import { rowsToBatch } from '../../src/column/rows.ts';
import { compileRowOutput, ROW_CHUNK, rowChunks } from '../../src/column/rows-out.ts';
import type { BytesVector, ColumnBatch, Vector } from '../../src/column/vector.ts';
import { constantVector, getValue, vectorOf } from '../../src/column/vector-values.ts';
import { formatTimestampMicros } from '../../src/spec/date-time-text.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { tables } from './arbitraries.ts';

const nested = (id: number, name: string, type: Type): NestedField => ({ id, name, required: false, type });
const batchOf = (type: Type, ...values: Value[]): ColumnBatch => ({
	fields: [nested(1, 'c', type)],
	length: values.length,
	columns: [vectorOf(type, values)],
});
const rowsOf = (batch: ColumnBatch, options = {}): unknown[] =>
	compileRowOutput(batch.fields, options)(batch).map((row) => row.c);
const jsonOf = (batch: ColumnBatch): string[] => compileJsonOutput(batch.fields)(batch);

const struct: Type = { kind: 'struct', fields: [nested(2, 'b', { kind: 'long' }), nested(3, '1', { kind: 'string' })] };
const map: Type = {
	kind: 'map',
	keyId: 2,
	key: { kind: 'long' },
	valueId: 3,
	valueRequired: false,
	value: { kind: 'float' },
};

describe('values as users and as JSON see them', () => {
	it.each<[string, Type, Value, unknown, string]>([
		['boolean', { kind: 'boolean' }, true, true, 'true'],
		['int', { kind: 'int' }, -5, -5, '-5'],
		['long', { kind: 'long' }, 9007199254740993n, 9007199254740993n, '9007199254740993'],
		['float', { kind: 'float' }, Math.fround(0.1), Math.fround(0.1), '0.10000000149011612'],
		['double', { kind: 'double' }, 1e21, 1e21, '1e+21'],
		['NaN', { kind: 'double' }, Number.NaN, Number.NaN, '"NaN"'],
		['-Infinity', { kind: 'float' }, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, '"-Infinity"'],
		['-0', { kind: 'double' }, -0, -0, '-0'],
		['decimal', { kind: 'decimal', precision: 38, scale: 2 }, -150n, '-1.50', '"-1.50"'],
		[
			'wide decimal',
			{ kind: 'decimal', precision: 38, scale: 0 },
			-(10n ** 37n),
			`-1${'0'.repeat(37)}`,
			`"-1${'0'.repeat(37)}"`,
		],
		['date', { kind: 'date' }, 19782, '2024-02-29', '"2024-02-29"'],
		['time', { kind: 'time' }, 45296000001n, '12:34:56.000001', '"12:34:56.000001"'],
		['timestamp', { kind: 'timestamp' }, -1n, '1969-12-31T23:59:59.999999', '"1969-12-31T23:59:59.999999"'],
		[
			'timestamptz',
			{ kind: 'timestamptz' },
			1n,
			'1970-01-01T00:00:00.000001+00:00',
			'"1970-01-01T00:00:00.000001+00:00"',
		],
		['timestamp_ns', { kind: 'timestamp_ns' }, 1n, '1970-01-01T00:00:00.000000001', '"1970-01-01T00:00:00.000000001"'],
		[
			'timestamptz_ns',
			{ kind: 'timestamptz_ns' },
			0n,
			'1970-01-01T00:00:00.000000000+00:00',
			'"1970-01-01T00:00:00.000000000+00:00"',
		],
		['string', { kind: 'string' }, 'a"é\u{1F600}\n', 'a"é\u{1F600}\n', '"a\\"é\u{1F600}\\n"'],
		[
			'uuid',
			{ kind: 'uuid' },
			'f79c3e09-677c-4bbd-a479-3f349cb785e7',
			'f79c3e09-677c-4bbd-a479-3f349cb785e7',
			'"f79c3e09-677c-4bbd-a479-3f349cb785e7"',
		],
		['fixed', { kind: 'fixed', length: 2 }, Uint8Array.of(0, 255), Uint8Array.of(0, 255), '"00ff"'],
		['binary', { kind: 'binary' }, Uint8Array.of(), Uint8Array.of(), '""'],
		['geometry', { kind: 'geometry', crs: 'OGC:CRS84' }, Uint8Array.of(1), Uint8Array.of(1), '"01"'],
		['unknown', { kind: 'unknown' }, null, null, 'null'],
		['struct', struct, [1n, null], { b: 1n, 1: null }, '{"b":1,"1":null}'],
		[
			'list',
			{ kind: 'list', elementId: 2, elementRequired: false, element: { kind: 'int' } },
			[1, null],
			[1, null],
			'[1,null]',
		],
		[
			'map',
			map,
			[
				[10n, 1.5],
				[9n, null],
				[-1n, 0],
			],
			new Map<bigint, unknown>([
				[10n, 1.5],
				[9n, null],
				[-1n, 0],
			]),
			'[[-1,0],[10,1.5],[9,null]]',
		],
	])('%s', (_, type, value, row, json) => {
		const batch = batchOf(type, value, null);
		expect(rowsOf(batch)).toEqual([row, null]);
		expect(jsonOf(batch)).toEqual([`{"c":${json}}`, '{"c":null}']);
	});

	it('variants as plain values and in canonical form', () => {
		const fields = [nested(1, 'c', { kind: 'variant' })];
		const batch = rowsToBatch(fields, [{ c: { b: [1, 'x'], 9: null, 10: 0.5 } }, { c: null }, {}]);
		expect(rowsOf(batch)).toEqual([{ b: [1, 'x'], 9: null, 10: 0.5 }, null, null]);
		expect(jsonOf(batch)).toEqual([
			'{"c":{"t":"object","v":{"10":{"t":"double","v":0.5},"9":{"t":"null"},"b":{"t":"array","v":[{"t":"int8","v":"1"},{"t":"string","v":"x"}]}}}}',
			'{"c":null}',
			'{"c":null}',
		]);
	});

	it('dictionaries as their entries, whatever the chunk', () => {
		const dictionary = vectorOf({ kind: 'string' }, ['ok', 'é']) as BytesVector;
		const length = ROW_CHUNK * 2 + 3;
		const indices = Int32Array.from({ length }, (_, i) => i % 2);
		const column: Vector = {
			type: { kind: 'string' },
			layout: 'dictionary',
			length,
			nullCount: 0,
			validity: null,
			indices,
			dictionary,
		};
		const batch: ColumnBatch = { fields: [nested(1, 'c', { kind: 'string' })], length, columns: [column] };
		const chunks = [...rowChunks(compileRowOutput(batch.fields), batch)];
		expect(chunks.map((chunk) => chunk.length)).toEqual([ROW_CHUNK, ROW_CHUNK, 3]);
		expect(chunks.flat().map((row) => row.c)).toEqual(Array.from(indices, (i) => ['ok', 'é'][i]));
		expect(jsonOf(batch).slice(0, 2)).toEqual(['{"c":"ok"}', '{"c":"é"}']);
	});

	it('constant columns of bytes are copies that a caller may change', () => {
		const type: Type = { kind: 'binary' };
		const batch: ColumnBatch = {
			fields: [nested(1, 'c', type)],
			length: 2,
			columns: [constantVector(type, Uint8Array.of(7), 2)],
		};
		const [first, second] = rowsOf(batch) as [Uint8Array, Uint8Array];
		first[0] = 9;
		expect(second).toEqual(Uint8Array.of(7));
		expect(getValue(batch.columns[0] as Vector, 0)).toEqual(Uint8Array.of(7));
	});

	it('a column named __proto__ is an own property', () => {
		const fields = [nested(1, 'a', { kind: 'int' }), nested(2, '__proto__', { kind: 'string' })];
		const batch: ColumnBatch = {
			fields,
			length: 1,
			columns: [vectorOf({ kind: 'int' }, [1]), vectorOf({ kind: 'string' }, ['x'])],
		};
		const [row] = compileRowOutput(fields)(batch) as [object];
		expect(Object.entries(row)).toEqual([
			['a', 1],
			['__proto__', 'x'],
		]);
	});

	it('timestamps of all times in the same text as the spec’s formatter', () => {
		fc.assert(
			fc.property(
				fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }),
				fc.nat(30),
				(all, shift) => {
					const values = all.map((value) => value >> BigInt(shift));
					expect(rowsOf(batchOf({ kind: 'timestamp' }, ...values))).toEqual(values.map(formatTimestampMicros));
				},
			),
		);
	});

	it('rows go in and come out the same', () => {
		fc.assert(
			fc.property(tables(), ({ fields, rows }) => {
				fc.pre(!fields.some(({ type }) => hasVariant(type)));
				const batch: ColumnBatch = {
					fields,
					length: rows.length,
					columns: fields.map((field, k) =>
						vectorOf(
							field.type,
							rows.map((row) => row[k] as Value),
						),
					),
				};
				const objects = compileRowOutput(fields, { timestamps: 'bigint' })(batch);
				const again = rowsToBatch(fields, objects);
				for (const [k, column] of again.columns.entries())
					for (let i = 0; i < batch.length; i++) expect(getValue(column, i)).toEqual(rows[i]?.[k]);
				for (const line of compileJsonOutput(fields)(batch))
					expect(Object.keys(JSON.parse(line))).toEqual(fields.map(({ name }) => name));
			}),
		);
	});
});

/** Variants come back equal as values, but not always with the same bytes, and a variant's null as no variant. */
function hasVariant(type: Type): boolean {
	if (type.kind === 'struct') return type.fields.some((field) => hasVariant(field.type));
	if (type.kind === 'list') return hasVariant(type.element);
	if (type.kind === 'map') return hasVariant(type.value);
	return type.kind === 'variant';
}

describe('options that cannot hold every value refuse instead of rounding', () => {
	const output = (type: Type, options: object, ...values: Value[]): (() => unknown) => {
		const batch = batchOf(type, ...values);
		return () => compileRowOutput(batch.fields, options)(batch, 100).map((row) => row.c);
	};
	it('longs as numbers', () => {
		expect(output({ kind: 'long' }, { longs: 'number' }, 9007199254740991n, null, -5n)()).toEqual([
			9007199254740991,
			null,
			-5,
		]);
		expect(output({ kind: 'long' }, { longs: 'number' }, 1n, 9007199254740992n)).toThrow(
			expect.objectContaining({ code: 'INVALID_DATA', context: { row: 101, column: 'c', value: 9007199254740992n } }),
		);
	});
	it('longs inside of lists name the row of the list', () => {
		const type: Type = { kind: 'list', elementId: 2, elementRequired: false, element: { kind: 'long' } };
		expect(output(type, { longs: 'number' }, [1n, 2n], [], [3n, 2n ** 60n])).toThrow(/row 102, column 'c'/);
	});
	it('timestamps as Date', () => {
		expect(output({ kind: 'timestamptz' }, { timestamps: 'date' }, -1000n, null)()).toEqual([new Date(-1), null]);
		expect(output({ kind: 'timestamptz' }, { timestamps: 'date' }, 0n, 1n)).toThrow(
			/row 101, column 'c': 1970-01-01T00:00:00.000001/,
		);
		expect(output({ kind: 'timestamp_ns' }, { timestamps: 'date' }, 1000n)).toThrow(/row 100.*not exact/);
		expect(output({ kind: 'timestamp' }, { timestamps: 'date' }, 8_640_000_000_000_001_000n)).toThrow(/not exact/);
	});
	it('timestamps as bigint', () => {
		expect(output({ kind: 'timestamp_ns' }, { timestamps: 'bigint' }, 1n)()).toEqual([1n]);
	});
});

describe('text that is not UTF-8', () => {
	const text = (offsets: number[], bytes: number[]): ColumnBatch => ({
		fields: [nested(1, 'c', { kind: 'string' })],
		length: offsets.length - 1,
		columns: [
			{
				type: { kind: 'string' },
				layout: 'bytes',
				length: offsets.length - 1,
				nullCount: 0,
				validity: null,
				offsets: Int32Array.from(offsets),
				values: Uint8Array.from(bytes),
			},
		],
	});
	it.each([
		['a bad byte', text([0, 1], [0xff])],
		['a character split between two elements', text([0, 1, 2], [0xc3, 0xa9])],
		['an overlong form', text([0, 2], [0xc0, 0x80])],
	])('%s is corrupt', (_, batch) => {
		expect(() => rowsOf(batch)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
		expect(() => jsonOf(batch)).toThrow(/column 'c'/);
	});
	it('sound text beside it is not', () => {
		expect(rowsOf(text([1, 3, 3, 4], [0xff, 0xc3, 0xa9, 0x61]))).toEqual(['é', '', 'a']);
	});
});
