import { describe, expect, it } from 'vitest';
import type { ParquetWriteOptions } from '../../../src/codec/parquet/api.ts';
import { BACKGROUND_START_BYTES, openParquetWriter } from '../../../src/codec/parquet/writer.ts';
import type { BytesVector, DictionaryVector } from '../../../src/column/vector.ts';
import { vectorOf } from '../../../src/column/vector-values.ts';
import { Schema } from '../../../src/spec/schema.ts';
import type { NestedField, Type, Value } from '../../../src/spec/types.ts';
import { sampleFields, sampleRows } from './writer-samples.ts';
import { asHyparquet, batchOf, field, metadataOf, readByHyparquet, writeBatches, writeRows } from './writer-support.ts';

const STRING: Type = { kind: 'string' };
const LONG: Type = { kind: 'long' };
const INT: Type = { kind: 'int' };

function expectedOf(fields: readonly NestedField[], rows: readonly Value[][]): unknown[] {
	const type = { kind: 'struct', fields } as const;
	return rows.map((row) => asHyparquet(type, row));
}

const variations: Record<string, [options: ParquetWriteOptions, batchRows?: number]> = {
	'by default': [{}],
	'row by row': [{}, 1],
	'with many pages': [{ pageRowLimit: 7 }, 50],
	'with pages cut by size': [{ pageSizeBytes: 64, dictSizeBytes: 0 }, 33],
	'with data pages of version 2': [{ pageVersion: 2, pageRowLimit: 13 }, 40],
	'without dictionaries': [{ dictSizeBytes: 0 }],
	'with dictionaries given up on the way': [{ dictSizeBytes: 40, pageRowLimit: 50 }],
	'with many row groups by rows': [{ rowGroupRowLimit: 31 }, 50],
	'with many row groups by size': [{ rowGroupSizeBytes: 4000 }, 10],
	uncompressed: [{ codec: 'uncompressed' }],
	'with snappy': [{ codec: 'snappy' }],
	'with gzip': [{ codec: 'gzip', codecLevel: 9 }],
	'with lz4_raw': [{ codec: 'lz4_raw', pageVersion: 2 }],
};

describe('files of all types at all depths read by hyparquet as what was written', () => {
	const rows = sampleRows(300);
	for (const [name, [options, batchRows]] of Object.entries(variations)) {
		it(name, async () => {
			const { bytes, result } = await writeRows(sampleFields, rows, options, batchRows);
			expect(result.recordCount).toBe(300);
			expect(result.fileSizeInBytes).toBe(bytes.length);
			expect(await readByHyparquet(bytes)).toEqual(expectedOf(sampleFields, rows));
		});
	}

	it('a single row', async () => {
		const one = sampleRows(12).slice(11);
		const { bytes, writes } = await writeRows(sampleFields, one);
		expect(await readByHyparquet(bytes)).toEqual(expectedOf(sampleFields, one));
		expect(writes).toEqual([bytes.length]);
		const chunks = metadataOf(bytes).row_groups[0]?.columns ?? [];
		expect(new Set(chunks.map((chunk) => chunk.meta_data?.codec))).toEqual(new Set(['UNCOMPRESSED']));
	});

	it('no row', async () => {
		const { bytes, result } = await writeRows(sampleFields, []);
		expect(await readByHyparquet(bytes)).toEqual([]);
		expect(result).toMatchObject({ recordCount: 0, splitOffsets: [] });
	});
});

describe('the schema in the file', () => {
	it('has field ids at every level, and only on what Iceberg gives an id', async () => {
		const { bytes } = await writeRows(sampleFields, sampleRows(1));
		const found = metadataOf(bytes).schema.map((element) => [element.name, element.field_id] as const);
		const ids = found.flatMap(([, id]) => (id === undefined ? [] : [id]));
		const expected = Array.from({ length: 48 }, (_, i) => i + 1).filter((id) => id !== 22 && id !== 28);
		expect(ids.toSorted((a, b) => a - b)).toEqual(expected);
		const without = found.filter(([, id]) => id === undefined).map(([name]) => name);
		expect(new Set(without)).toEqual(new Set(['table', 'list', 'key_value', 'metadata', 'value']));
	});

	it('has the types of the specification', async () => {
		const { bytes } = await writeRows(sampleFields, sampleRows(1));
		const { schema } = metadataOf(bytes);
		const of = (name: string) => schema.find((element) => element.name === name);
		expect(of('decimal9')).toMatchObject({ type: 'INT32', precision: 9, scale: 2, converted_type: 'DECIMAL' });
		expect(of('decimal18')).toMatchObject({ type: 'INT64', precision: 18, scale: 18 });
		expect(of('decimal20')).toMatchObject({ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 9 });
		expect(of('decimal38')).toMatchObject({ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 });
		const timestamp = (isAdjustedToUTC: boolean, unit: string) => ({ type: 'TIMESTAMP', isAdjustedToUTC, unit });
		expect(of('timestamp')?.logical_type).toEqual(timestamp(false, 'MICROS'));
		expect(of('timestamptz')?.logical_type).toEqual(timestamp(true, 'MICROS'));
		expect(of('timestampNs')?.logical_type).toEqual(timestamp(false, 'NANOS'));
		expect(of('timestamptzNs')?.logical_type).toEqual(timestamp(true, 'NANOS'));
		expect(of('time')?.logical_type).toEqual({ type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' });
		expect(of('timestamp')?.converted_type).toBeUndefined();
		expect(of('timestamptz')?.converted_type).toBe('TIMESTAMP_MICROS');
		expect(of('uuid')).toMatchObject({ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } });
		expect(of('variant')).toMatchObject({ num_children: 2, logical_type: { type: 'VARIANT' } });
		expect(of('shape')?.logical_type).toEqual({ type: 'GEOMETRY', crs: 'OGC:CRS84' });
		expect(of('area')?.logical_type).toEqual({ type: 'GEOGRAPHY', crs: 'EPSG:4326', algorithm: 'KARNEY' });
		expect(of('nothing')).toBeUndefined();
	});

	it('stands beside the Iceberg schema and the given key-value metadata', async () => {
		const fields = [field(3, 'a.b "c"', LONG)];
		const { bytes } = await writeRows(fields, [[1n]], { keyValueMetadata: { note: 'x' }, createdBy: 'test' });
		const metadata = metadataOf(bytes);
		const values = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
		expect(values.get('note')).toBe('x');
		expect(JSON.parse(values.get('iceberg.schema') ?? '')).toMatchObject({
			type: 'struct',
			fields: [{ id: 3, name: 'a.b "c"', required: false, type: 'long' }],
		});
		expect(metadata.created_by).toBe('test');
		expect(metadata.row_groups[0]?.columns[0]?.meta_data?.path_in_schema).toEqual(['a.b "c"']);
	});
});

describe('encodings', () => {
	const encodingsOf = (bytes: Uint8Array) => metadataOf(bytes).row_groups[0]?.columns[0]?.meta_data?.encodings;

	it('use a dictionary for few distinct values and none for many', async () => {
		const few = await writeRows(
			[field(1, 'a', STRING)],
			Array.from({ length: 1000 }, (_, i) => [`value ${i % 9}`]),
		);
		expect(encodingsOf(few.bytes)).toContain('RLE_DICTIONARY');
		expect(few.bytes.length).toBeLessThan(1200);
		const many = await writeRows(
			[field(1, 'a', STRING)],
			Array.from({ length: 1000 }, (_, i) => [`value ${i}`]),
		);
		expect(encodingsOf(many.bytes)).toEqual(['PLAIN', 'RLE']);
	});

	it('fall back from a full dictionary within a chunk, and begin anew in the next', async () => {
		const fields = [field(1, 'a', STRING, true), field(2, 'b', LONG, true)];
		const rows = Array.from({ length: 3000 }, (_, i) => {
			const k = i % 1500 < 800 ? i % 10 : i;
			return [`text of some length ${k}`, BigInt(k) * 1_000_003n];
		});
		const options = { dictSizeBytes: 3000, pageRowLimit: 200, rowGroupRowLimit: 1500 };
		const { bytes } = await writeRows(fields, rows, options, 130);
		expect(await readByHyparquet(bytes)).toEqual(expectedOf(fields, rows));
		for (const group of metadataOf(bytes).row_groups) {
			for (const { meta_data } of group.columns) {
				expect(meta_data?.encodings).toEqual(['PLAIN', 'RLE_DICTIONARY']);
				expect(meta_data?.encoding_stats?.filter(({ page_type }) => page_type === 'DATA_PAGE')).toHaveLength(2);
			}
		}
	});

	it('take vectors with a dictionary of their own', async () => {
		const fields = [field(1, 'a', STRING), field(2, 'b', STRING)];
		const dictionary = vectorOf(STRING, ['x', 'yy', '', 'unused']) as BytesVector;
		const vector: DictionaryVector = {
			type: STRING,
			layout: 'dictionary',
			length: 5,
			nullCount: 1,
			validity: Uint8Array.of(0b11011),
			indices: Int32Array.of(0, 1, 0, 1, 2),
			dictionary,
		};
		const batch = { fields, length: 5, columns: [vector, vector] };
		const values = ['x', 'yy', null, 'yy', ''];
		for (const dictSizeBytes of [0, 100_000]) {
			const { bytes, result } = await writeBatches(fields, [batch, batch], { dictSizeBytes });
			expect(await readByHyparquet(bytes)).toEqual([...values, ...values].map((a) => ({ a, b: a })));
			expect(Buffer.from(result.upperBounds.get(1) ?? []).toString()).toBe('yy');
		}
	});

	it('take vectors whose values do not start at their arrays’ start', async () => {
		const fields = [field(1, 'a', STRING), field(2, 'b', { kind: 'double' })];
		const values = new Uint8Array(Buffer.from('..abcd..')).subarray(1);
		const columns = [
			{
				type: STRING,
				layout: 'bytes' as const,
				length: 2,
				nullCount: 0,
				validity: null,
				offsets: Int32Array.of(1, 3, 5),
				values,
			},
			{
				type: { kind: 'double' } as const,
				layout: 'float64' as const,
				length: 2,
				nullCount: 0,
				validity: null,
				values: new Float64Array([9, 1.5, 2.5, 9]).subarray(1),
			},
		];
		const { bytes } = await writeBatches(fields, [{ fields, length: 2, columns }]);
		expect(await readByHyparquet(bytes)).toEqual([
			{ a: 'ab', b: 1.5 },
			{ a: 'cd', b: 2.5 },
		]);
	});

	it('keep rows whole in pages when lists are long', async () => {
		const type: Type = { kind: 'list', elementId: 2, elementRequired: true, element: LONG };
		const fields = [field(1, 'a', type, true)];
		const rows = Array.from({ length: 40 }, (_, i) => [Array.from({ length: i * 5 }, (_, k) => BigInt(i * k) << 20n)]);
		const { bytes } = await writeRows(fields, rows, { pageSizeBytes: 500, dictSizeBytes: 0 });
		expect(await readByHyparquet(bytes)).toEqual(expectedOf(fields, rows));
	});
});

describe('the writer', () => {
	const fields = [field(1, 'a', INT, true)];

	it('streams row groups and tells its size as it goes', async () => {
		let written = 0;
		const writer = openParquetWriter(
			{
				async write(bytes) {
					written += bytes.length;
				},
			},
			new Schema({ fields }),
			{ rowGroupRowLimit: 500_000, codec: 'uncompressed', dictSizeBytes: 0 },
		);
		const batch = batchOf(
			fields,
			Array.from({ length: 100_000 }, (_, i) => [i]),
		);
		const sizes: number[] = [];
		for (let i = 0; i < 12; i++) {
			await writer.write(batch);
			sizes.push(writer.estimatedSizeBytes);
		}
		expect(writer.rowCount).toBe(1_200_000);
		expect(written).toBeGreaterThan(3_000_000);
		const { fileSizeInBytes, splitOffsets } = await writer.finish();
		expect(splitOffsets).toHaveLength(3);
		expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
		expect(sizes.at(-1)).toBeGreaterThan(fileSizeInBytes * 0.99);
		expect(sizes.at(-1)).toBeLessThan(fileSizeInBytes * 1.01);
		expect(written).toBe(fileSizeInBytes);
	});

	it('writes the same file whether or not other threads help to compress', async () => {
		const many = [field(1, 'a', LONG, true), field(2, 'b', STRING)];
		const rows = Array.from({ length: 250_000 }, (_, i) => [BigInt(i) * 7919n, i % 3 ? `text ${i}` : null]);
		const options = { rowGroupRowLimit: 120_000, pageSizeBytes: 50_000 };
		const whole = await writeRows(many, rows, options);
		expect(metadataOf(whole.bytes).row_groups.reduce((sum, g) => sum + Number(g.total_byte_size), 0)).toBeGreaterThan(
			BACKGROUND_START_BYTES,
		);
		// the second file starts with workers that are there
		const again = await writeRows(many, rows, options);
		expect(Buffer.compare(again.bytes, whole.bytes)).toBe(0);
		const expected = await writeRows(many, rows, { ...options, expectedBytes: BACKGROUND_START_BYTES });
		expect(Buffer.compare(expected.bytes, whole.bytes)).toBe(0);
		expect(await readByHyparquet(whole.bytes)).toEqual(expectedOf(many, rows));
	});

	it('refuses a null in a required field, naming row and column', async () => {
		const refused = async (nested: NestedField[], rows: Value[][], batchRows: number) => {
			await expect(writeRows(nested, rows, {}, batchRows)).rejects.toMatchObject({ code: 'INVALID_DATA' });
			return writeRows(nested, rows, {}, batchRows).catch((error: Error) => error.message);
		};
		expect(await refused(fields, [[1], [2], [null]], 2)).toBe("row 2: required field 'a' is null");
		const list: Type = { kind: 'list', elementId: 3, elementRequired: true, element: INT };
		const struct: Type = { kind: 'struct', fields: [field(2, 'l', list)] };
		const rows = [[null], [[[1, 2]]], [[null]], [[[]]], [[[1, null]]]];
		expect(await refused([field(1, 's', struct)], rows, 5)).toBe("row 4: required field 's.l.element' is null");
	});

	it('refuses a decimal with more digits than its column', async () => {
		for (const [precision, value] of [
			[4, 10_000n],
			[9, -(10n ** 9n)],
			[18, 10n ** 18n],
			[18, 1n << 64n],
			[20, -(10n ** 20n)],
		] as const) {
			const decimals = [field(1, 'd', { kind: 'decimal', precision, scale: 2 })];
			const error = await writeRows(decimals, [[1n], [value]]).catch((e: unknown) => e);
			expect(error).toMatchObject({ code: 'INVALID_DATA', context: { column: 'd', value } });
		}
	});

	it('refuses batches that are not of its schema', async () => {
		const other = [field(2, 'a', INT, true)];
		await expect(writeBatches(fields, [batchOf(other, [[1]])])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		const wrongLayout = { fields, length: 1, columns: [vectorOf(LONG, [1n])] };
		await expect(
			writeBatches([field(1, 'a', STRING)], [{ ...wrongLayout, fields: [field(1, 'a', STRING)] }]),
		).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		const short = { fields, length: 2, columns: [vectorOf(INT, [1])] };
		await expect(writeBatches(fields, [short])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('refuses schemas that Parquet cannot hold', () => {
		const open = (type: Type) => () =>
			openParquetWriter({ write: async () => {} }, new Schema({ fields: [field(1, 'a', type)] }));
		const unknown: Type = { kind: 'unknown' };
		for (const type of [
			unknown,
			{ kind: 'struct', fields: [field(2, 'b', unknown)] },
			{ kind: 'list', elementId: 2, elementRequired: false, element: unknown },
			{ kind: 'unsupported', json: 'quaternion' },
			{ kind: 'geography', crs: 'OGC:CRS84', algorithm: 'flat' },
		] as Type[]) {
			expect(open(type)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
		}
	});

	it('refuses options out of range', () => {
		const open = (options: ParquetWriteOptions) => () =>
			openParquetWriter({ write: async () => {} }, new Schema({ fields }), options);
		for (const options of [
			{ codec: 'brotli' },
			{ codec: 'lzo' },
			{ pageVersion: 3 },
			{ pageRowLimit: 0 },
			{ pageSizeBytes: 1.5 },
			{ rowGroupRowLimit: -1 },
			{ dictSizeBytes: -1 },
		] as unknown as ParquetWriteOptions[]) {
			expect(open(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
		}
	});

	it('is closed after it finished, after an error, and takes one call at a time', async () => {
		const open = (write: () => Promise<void>) => openParquetWriter({ write }, new Schema({ fields }));
		const finished = open(async () => {});
		await finished.finish();
		await expect(finished.write(batchOf(fields, [[1]]))).rejects.toMatchObject({ code: 'CLOSED' });
		const failed = open(async () => {
			throw new Error('disk full');
		});
		await expect(failed.finish()).rejects.toThrow('disk full');
		await expect(failed.finish()).rejects.toMatchObject({ code: 'CLOSED' });
		const busy = open(async () => {});
		const first = busy.write(batchOf(fields, [[1]]));
		await expect(busy.write(batchOf(fields, [[1]]))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await first;
		expect((await busy.finish()).recordCount).toBe(1);
	});
});
