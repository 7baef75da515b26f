import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { rowsToBatch } from '../../src/column/rows.ts';
import { vectorOf } from '../../src/column/vector-values.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { compareValues } from '../../src/spec/compare.ts';
import { fromBinary } from '../../src/spec/single-value.ts';
import type { Transform } from '../../src/spec/partition-spec.ts';
import { bindTransform } from '../../src/spec/transform.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { OPEN_FILE_LIMIT } from '../../src/write/data-writer.ts';
import { tables } from '../column/arbitraries.ts';
import { listed, LOCATION, rowsOf, tableOf, write } from './support.ts';

const field = (id: number, name: string, type: Type, required = false): NestedField => ({ id, name, required, type });
const fields: NestedField[] = [
	field(1, 'id', { kind: 'long' }, true),
	field(2, 'region', { kind: 'string' }),
	field(3, 'at', { kind: 'timestamptz' }),
];
const batch = (...rows: object[]): ColumnBatch => rowsToBatch(fields, rows);
const key = (value: unknown): string =>
	JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : Object.is(part, -0) ? '-0' : part));

describe('writeDataFiles', () => {
	it('writes nothing for no rows', async () => {
		const { files, rowCount, io } = await write(tableOf(fields), [batch()]);
		expect({ files, rowCount, names: await listed(io) }).toEqual({ files: [], rowCount: 0, names: [] });
	});

	it('writes an unpartitioned file and describes it', async () => {
		const metadata = tableOf(fields);
		const { files, rowCount, io } = await write(metadata, [
			batch({ id: 1, region: 'a' }, { id: 2, at: '1970-01-01T00:00:01Z' }),
			batch({ id: 5, region: 'x'.repeat(30) }),
		]);
		expect(rowCount).toBe(3);
		expect(files.length).toBe(1);
		const [file] = files;
		if (file === undefined) throw new Error('no file');
		expect(file.location).toMatch(
			/^memory:\/tables\/t\/data\/00000-0-[0-9a-f-]{36}-[0-9a-f]{8}-[0-9a-z]+-[0-9a-z]+-00001\.parquet$/,
		);
		expect(file).toMatchObject({
			content: 'data',
			format: 'parquet',
			specId: 0,
			partition: [],
			recordCount: 3,
			sortOrderId: 0,
		});
		expect(file.fileSizeInBytes).toBe(await io.input(file.location).length());
		expect(file.splitOffsets).toEqual([4]);
		expect([...(file.valueCounts ?? [])]).toEqual([
			[1, 3],
			[2, 3],
			[3, 3],
		]);
		expect([...(file.nullValueCounts ?? [])]).toEqual([
			[1, 0],
			[2, 1],
			[3, 2],
		]);
		expect(fromBinary({ kind: 'long' }, file.upperBounds?.get(1) as Uint8Array)).toBe(5n);
		expect(fromBinary({ kind: 'string' }, file.upperBounds?.get(2) as Uint8Array)).toBe(`${'x'.repeat(15)}y`);
		expect(await rowsOf(io, file, fields)).toEqual([
			[1n, 'a', null],
			[2n, null, 1_000_000n],
			[5n, 'x'.repeat(30), null],
		]);
	});

	it('puts rows where their partition values say, with the folder names of other engines', async () => {
		const metadata = tableOf(fields, { partitionBy: ['day(at)', 'region', 'bucket(4, id)'] });
		const { files, io } = await write(metadata, [
			batch(
				{ id: 1, region: 'north/east', at: '2024-02-29T23:59:59.999999Z' },
				{ id: 1, region: null, at: '1969-12-31T23:59:59Z' },
				{ id: 1 },
			),
		]);
		const bucket = bindTransform({ kind: 'bucket', buckets: 4 }, { kind: 'long' })(1n);
		expect(files.map(({ partition }) => partition)).toEqual([
			[19782, 'north/east', bucket],
			[-1, null, bucket],
			[null, null, bucket],
		]);
		expect((await listed(io)).map((name) => name.slice(LOCATION.length, name.lastIndexOf('/')))).toEqual([
			`/data/at_day=1969-12-31/region=null/id_bucket=${bucket}`,
			`/data/at_day=2024-02-29/region=north%2Feast/id_bucket=${bucket}`,
			`/data/at_day=null/region=null/id_bucket=${bucket}`,
		]);
	});

	it('any table: all rows are written once, in files whose partition is that of each of their rows', async () => {
		const transforms = [
			'identity',
			'bucket(5, c)',
			'truncate(3, c)',
			'day(c)',
			'month(c)',
			'year(c)',
			'hour(c)',
			'void(c)',
		];
		await fc.assert(
			fc.asyncProperty(
				tables(25, 1),
				fc.constantFrom(...transforms),
				fc.boolean(),
				async ({ fields: columns, rows }, text, sorted) => {
					const target = columns[0] as NestedField;
					fc.pre(columns.every(({ type }) => !unknownWithin(type)));
					// A table of empty structs alone has nothing to write.
					fc.pre(columns.some(({ type }) => hasLeaf(type)));
					const by = text === 'identity' ? target.name : text.replace('c)', `${target.name})`);
					let metadata: ReturnType<typeof tableOf>;
					try {
						metadata = tableOf(columns, { partitionBy: [by], sortBy: sorted ? [`${target.name} desc`] : [] });
					} catch (error) {
						// not every transform takes every type
						expect(error).toMatchObject({ code: 'INVALID_SCHEMA' });
						return;
					}
					const whole: ColumnBatch = {
						fields: columns,
						length: rows.length,
						columns: columns.map((column, k) =>
							vectorOf(
								column.type,
								rows.map((row) => row[k] as Value),
							),
						),
					};
					const { files, io, rowCount } = await write(metadata, [whole, whole]);
					expect(rowCount).toBe(2 * rows.length);
					const transform = bindTransform(metadata.partitionSpecs[0]?.fields[0]?.transform as Transform, target.type);
					const read: string[] = [];
					const partitions: string[] = [];
					for (const file of files) {
						const found = await rowsOf(io, file, columns);
						expect(found.length).toBe(file.recordCount);
						for (const row of found) expect(transform(row[0] as Value)).toEqual(file.partition[0]);
						if (sorted)
							expectSorted(
								found.map(([value]) => value as Value),
								target.type,
							);
						read.push(...found.map(key));
						partitions.push(key(file.partition));
					}
					expect(new Set(partitions).size).toBe(partitions.length);
					expect(read.sort()).toEqual([...rows, ...rows].map(key).sort());
				},
			),
			{ numRuns: 60 },
		);
	});

	it('starts a new file once the target size is reached', async () => {
		const metadata = tableOf(fields, { properties: { 'write.target-file-size-bytes': '100000' } });
		const rows = Array.from({ length: 200_000 }, (_, i) => ({ id: (i * 7919) % 1_000_003 }));
		const { files, rowCount } = await write(metadata, [rowsToBatch(fields, rows)]);
		expect(rowCount).toBe(200_000);
		expect(files.length).toBeGreaterThan(3);
		expect(files.reduce((sum, file) => sum + file.recordCount, 0)).toBe(200_000);
		expect(new Set(files.map(({ location }) => location)).size).toBe(files.length);
	});

	it('writes one file a partition when there are more partitions than open files', async () => {
		const count = OPEN_FILE_LIMIT + 150;
		const metadata = tableOf(fields, { partitionBy: ['region'] });
		const batches = Array.from({ length: 4 }, (_, k) =>
			rowsToBatch(
				fields,
				Array.from({ length: count }, (_, i) => ({ id: k * count + i, region: `r${(i * 13) % count}` })),
			),
		);
		const { files, io } = await write(metadata, batches);
		expect(files.length).toBe(count);
		expect(files.every((file) => file.recordCount === 4)).toBe(true);
		const last = files.at(-1);
		if (last === undefined) throw new Error('no file');
		for (const [id, region] of await rowsOf(io, last, fields)) {
			expect(region).toBe(last.partition[0]);
			expect(`r${(Number((id as bigint) % BigInt(count)) * 13) % count}`).toBe(region);
		}
	});

	it('sorts within files, also across batches, nulls where the order says', async () => {
		const metadata = tableOf(fields, { sortBy: ['region desc nulls first', 'id'] });
		const { files, io } = await write(metadata, [
			batch({ id: 2, region: 'a' }, { id: 1, region: 'a' }, { id: 9 }),
			batch({ id: 5, region: 'b' }, { id: 0, region: 'a' }, { id: 3 }),
		]);
		expect(files.map(({ sortOrderId }) => sortOrderId)).toEqual([1]);
		const rows = await rowsOf(io, files[0] as never, fields);
		expect(rows.map(([id]) => id)).toEqual([3n, 9n, 5n, 0n, 1n, 2n]);
	});

	it('obeys the write properties', async () => {
		const metadata = tableOf(fields, {
			properties: {
				'write.parquet.compression-codec': 'gzip',
				'write.metadata.metrics.default': 'counts',
				'write.metadata.metrics.column.region': 'full',
				'write.metadata.metrics.column.at': 'none',
				'write.data.path': 'memory:/elsewhere/',
			},
		});
		const { files } = await write(metadata, [batch({ id: 1, region: 'x'.repeat(40), at: new Date(0) })]);
		const [file] = files;
		expect(file?.location).toMatch(/^memory:\/elsewhere\/00000-/);
		expect([...(file?.lowerBounds?.keys() ?? [])]).toEqual([2]);
		expect(file?.lowerBounds?.get(2)?.length).toBe(40);
		expect([...(file?.valueCounts?.keys() ?? [])]).toEqual([1, 2]);
	});

	it.each([
		[{ 'write.format.default': 'orc' }, 'UNSUPPORTED'],
		[{ 'write.parquet.compression-codec': 'brotli' }, 'INVALID_ARGUMENT'],
		[{ 'write.target-file-size-bytes': 'big' }, 'INVALID_ARGUMENT'],
		[{ 'write.location-provider.impl': 'com.example.Provider' }, 'UNSUPPORTED'],
		[{ 'write.metadata.metrics.default': 'some' }, 'INVALID_ARGUMENT'],
	])('refuses properties that it cannot follow: %j', async (properties, code) => {
		const [name, value] = Object.entries(properties)[0] as [string, string];
		await expect(
			write({ ...tableOf(fields), properties: { [name]: value } }, [batch({ id: 1 })]),
		).rejects.toMatchObject({ code });
	});
});

/** Whether values of the type are stored in any column of a file. */
function hasLeaf(type: Type): boolean {
	if (type.kind === 'struct') return type.fields.some((field) => hasLeaf(field.type));
	return type.kind === 'list' ? hasLeaf(type.element) : type.kind !== 'unknown';
}

/** Parquet has no column for `unknown`, so lists and maps of it cannot be written. */
function unknownWithin(type: Type): boolean {
	if (type.kind === 'struct')
		return type.fields.some((child) => child.type.kind === 'unknown' || unknownWithin(child.type));
	if (type.kind === 'list') return type.element.kind === 'unknown' || unknownWithin(type.element);
	if (type.kind === 'map') return type.value.kind === 'unknown' || unknownWithin(type.value);
	return false;
}

function expectSorted(values: Value[], type: Type): void {
	if (['struct', 'list', 'map', 'variant', 'geometry', 'unknown'].includes(type.kind)) return;
	const compare = compareValues(type);
	const notNull = values.filter((value) => value !== null);
	expect(values.slice(notNull.length).every((value) => value === null)).toBe(true);
	for (let i = 1; i < notNull.length; i++)
		expect(compare(notNull[i - 1] as Value, notNull[i] as Value)).toBeGreaterThanOrEqual(0);
}

describe('when it fails nothing stays', () => {
	const partitioned = tableOf(fields, { partitionBy: ['region'], properties: { 'write.target-file-size-bytes': '1' } });

	it('the input refuses a row: files that were finished are deleted too', async () => {
		const io = new MemoryFileIO();
		let seen: string[] = [];
		async function* batches(): AsyncGenerator<ColumnBatch> {
			yield batch({ id: 1, region: 'a' }, { id: 2, region: 'b' });
			seen = await listed(io);
			yield batch({ id: 'x' as never });
		}
		await expect(write(partitioned, batches(), io)).rejects.toMatchObject({
			code: 'INVALID_DATA',
			context: { row: 0, column: 'id' },
		});
		expect(seen.length).toBe(2);
		expect(await listed(io)).toEqual([]);
	});

	it.each(['create', 'outputWrite', 'outputClose'] as const)(
		'the storage fails in %s, at any call',
		async (operation) => {
			for (let from = 1; from <= 3; from++) {
				const memory = new MemoryFileIO();
				const io = new FaultyFileIO(memory, [
					{ operation, from, fault: { kind: 'fail', error: new IcebergError('STORAGE', 'disk full') } },
				]);
				const rows = [batch({ id: 1, region: 'a' }, { id: 2, region: 'b' }, { id: 3, region: 'c' })];
				await expect(write(partitioned, rows, io)).rejects.toMatchObject({ code: 'STORAGE', message: 'disk full' });
				expect(await listed(memory)).toEqual([]);
			}
		},
	);

	it('the call is aborted', async () => {
		const abort = new AbortController();
		const io = new MemoryFileIO();
		async function* batches(): AsyncGenerator<ColumnBatch> {
			yield batch({ id: 1, region: 'a' });
			abort.abort();
			yield batch({ id: 2, region: 'b' });
		}
		await expect(write(partitioned, batches(), io, abort.signal)).rejects.toMatchObject({ code: 'ABORTED' });
		expect(await listed(io)).toEqual([]);
	});
});
