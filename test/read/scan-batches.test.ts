import { describe, expect, it } from 'vitest';
import { rowsToBatch } from '../../src/column/rows.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import { getValue } from '../../src/column/vector-values.ts';
import { bindExpression } from '../../src/expr/bind.ts';
import { BOUND_TRUE } from '../../src/expr/bound.ts';
import { parseWhere } from '../../src/expr/parse-where.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import type { DataFile } from '../../src/manifest/types.ts';
import {
	FILE_COLUMN,
	LAST_UPDATED_COLUMN,
	metadataColumn,
	POS_COLUMN,
	ROW_ID_COLUMN,
	SPEC_ID_COLUMN,
} from '../../src/read/metadata-columns.ts';
import { scanBatches, type ScanContext } from '../../src/read/scan-batches.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { NestedField, Type, Value } from '../../src/spec/types.ts';
import { tableOf, write } from '../write/support.ts';

const field = (id: number, name: string, type: Type, required = false): NestedField => ({ id, name, required, type });
const fields: NestedField[] = [
	field(1, 'id', { kind: 'long' }, true),
	field(2, 'status', { kind: 'string' }),
	field(3, 'at', { kind: 'struct', fields: [field(4, 'host', { kind: 'string' }), field(5, 'port', { kind: 'int' })] }),
];
const schema = new Schema({ fields });
const metadata = tableOf(fields);

/** A file of each list of rows. */
async function filesOf(io: FileIO, ...lists: object[][]): Promise<DataFile[]> {
	const files: DataFile[] = [];
	for (const rows of lists) files.push(...(await write(metadata, [rowsToBatch(fields, rows)], io)).files);
	return files;
}
const taskOf = (file: DataFile, parts: Partial<FileScanTask> = {}): FileScanTask => ({
	file,
	sequenceNumber: 7n,
	fileSequenceNumber: 7n,
	snapshotId: 1n,
	spec: metadata.partitionSpecs[0] as PartitionSpec,
	residual: BOUND_TRUE,
	deletes: [],
	...parts,
});
async function read(tasks: Iterable<FileScanTask>, context: Partial<ScanContext> & { io: FileIO }): Promise<Value[][]> {
	const rows: Value[][] = [];
	for await (const batch of scanBatches(tasks, { metadata, schema, fields, ...context })) {
		expect(batch.length).toBeGreaterThan(0);
		expect(batch.columns.length).toBe((context.fields ?? fields).length);
		for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => getValue(column, i)));
	}
	return rows;
}
const numbered = (from: number, to: number): object[] =>
	Array.from({ length: to - from }, (_, i) => ({ id: from + i, status: (from + i) % 3 === 0 ? 'failed' : 'ok' }));

describe('scanBatches', () => {
	it('gives the rows of all files, in the order of the tasks and of the files', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 5), numbered(5, 6), numbered(6, 9));
		const rows = await read(
			files.map((file) => taskOf(file)),
			{ io },
		);
		expect(rows.map(([id]) => id)).toEqual(Array.from({ length: 9 }, (_, i) => BigInt(i)));
	});

	it('reads the wanted columns only, also parts of structs, in the order asked for', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, [{ id: 1, status: 'ok', at: { host: 'a', port: 80 } }, { id: 2 }]);
		const part = field(3, 'at', { kind: 'struct', fields: [field(5, 'port', { kind: 'int' })] });
		expect(
			await read(
				files.map((file) => taskOf(file)),
				{ io, fields: [part, fields[0] as NestedField] },
			),
		).toEqual([
			[[80], 1n],
			[null, 2n],
		]);
	});

	it('filters by columns that are not given out', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 10_000));
		const residual = bindExpression(parseWhere("status = 'failed' and id >= 9990"), schema);
		const wanted = [fields[0] as NestedField];
		expect(await read([taskOf(files[0] as DataFile, { residual })], { io, fields: wanted })).toEqual([
			[9990n],
			[9993n],
			[9996n],
			[9999n],
		]);
	});

	it('filters by a part of a struct of which another part is wanted', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, [
			{ id: 1, at: { host: 'a', port: 80 } },
			{ id: 2, at: { host: 'b', port: 81 } },
		]);
		const residual = bindExpression(parseWhere('at.port > 80'), schema);
		const part = field(3, 'at', { kind: 'struct', fields: [field(4, 'host', { kind: 'string' })] });
		expect(await read([taskOf(files[0] as DataFile, { residual })], { io, fields: [part] })).toEqual([[['b']]]);
	});

	it('counts rows without columns, with and without a filter', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 100_000));
		const count = async (parts: Partial<FileScanTask>): Promise<number> => {
			let rows = 0;
			for await (const batch of scanBatches([taskOf(files[0] as DataFile, parts)], {
				io,
				metadata,
				schema,
				fields: [],
			})) {
				expect(batch.columns).toEqual([]);
				rows += batch.length;
			}
			return rows;
		};
		expect(await count({})).toBe(100_000);
		expect(await count({ residual: bindExpression(parseWhere("status = 'failed'"), schema) })).toBe(33_334);
	});

	it('stops at the limit and opens no file that it does not need', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 3), numbered(3, 6), numbered(6, 9), numbered(9, 12), numbered(12, 15));
		const opened: string[] = [];
		const watched = new Proxy(io, {
			get: (target, name) =>
				name === 'input'
					? (location: string, length?: number) => {
							opened.push(location);
							return target.input(location, length);
						}
					: Reflect.get(target, name).bind(target),
		});
		const rows = await read(
			files.map((file) => taskOf(file)),
			{ io: watched, limit: 4 },
		);
		expect(rows.map(([id]) => id)).toEqual([0n, 1n, 2n, 3n]);
		expect(opened.length).toBeLessThan(files.length);
		expect(
			await read(
				files.map((file) => taskOf(file)),
				{ io, limit: 0 },
			),
		).toEqual([]);
	});

	it('refuses files with deletes or of another format before any row', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 3), numbered(3, 6));
		const deleted = taskOf(files[1] as DataFile, {
			deletes: [{ ...(files[0] as DataFile), sequenceNumber: 8n, location: 'memory:/d' }],
		});
		const orc = taskOf({ ...(files[1] as DataFile), format: 'orc' });
		for (const [task, problem] of [
			[deleted, /deleted by 1 delete file.*memory:\/d/],
			[orc, /is orc/],
		] as const) {
			let rows = 0;
			const reading = (async () => {
				for await (const batch of scanBatches([taskOf(files[0] as DataFile), task], { io, metadata, schema, fields }))
					rows += batch.length;
			})();
			await expect(reading).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(problem) });
			await expect(reading).rejects.toThrow(files[1]?.location as string);
			expect(rows).toBe(0);
		}
	});

	it('a file that is gone or cut short names itself', async () => {
		const io = new MemoryFileIO();
		const [file] = (await filesOf(io, numbered(0, 3))) as [DataFile];
		const bytes = await io.input(file.location).readAll();
		await io.write(file.location, bytes.slice(0, bytes.length - 9), { overwrite: true });
		await expect(read([taskOf(file)], { io })).rejects.toMatchObject({
			code: 'CORRUPT',
			context: { location: file.location },
		});
		await io.delete(file.location);
		await expect(read([taskOf(file)], { io })).rejects.toMatchObject({ code: 'NOT_FOUND' });
	});

	it('stops when aborted', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 3), numbered(3, 6));
		const abort = new AbortController();
		const batches = scanBatches(
			files.map((file) => taskOf(file)),
			{ io, metadata, schema, fields, signal: abort.signal },
		);
		expect((await batches.next()).done).toBe(false);
		abort.abort();
		await expect(batches.next()).rejects.toMatchObject({ code: 'ABORTED' });
	});
});

describe('columns that the file lacks', () => {
	const wider = (...more: NestedField[]): Partial<ScanContext> => ({
		schema: new Schema({ fields: [...fields, ...more] }),
		fields: [fields[0] as NestedField, ...more],
	});

	it('are null, or have their initial default, also for the filter', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 2));
		const added = wider(field(9, 'tries', { kind: 'int' }), {
			...field(10, 'kind', { kind: 'string' }),
			initialDefault: 'job',
		});
		expect(await read([taskOf(files[0] as DataFile)], { io, ...added })).toEqual([
			[0n, null, 'job'],
			[1n, null, 'job'],
		]);
		const filtered = (where: string): Promise<Value[][]> =>
			read([taskOf(files[0] as DataFile, { residual: bindExpression(parseWhere(where), added.schema as Schema) })], {
				io,
				...added,
			});
		expect(await filtered("kind = 'job' and id = 1")).toEqual([[1n, null, 'job']]);
		expect(await filtered("kind = 'x'")).toEqual([]);
	});

	it('have the value of an identity partition, null as well, before any default; but not that of another transform', async () => {
		const io = new MemoryFileIO();
		const [file] = (await filesOf(io, numbered(0, 1))) as [DataFile];
		const added = wider(
			{ ...field(9, 'region', { kind: 'string' }), initialDefault: 'none' },
			{ ...field(10, 'shard', { kind: 'long' }), initialDefault: 5n },
		);
		const spec: PartitionSpec = {
			specId: 0,
			fields: [
				{ sourceId: 9, fieldId: 1000, name: 'region', transform: { kind: 'identity' } },
				{ sourceId: 10, fieldId: 1001, name: 'shard', transform: { kind: 'bucket', buckets: 8 } },
			],
		};
		const partitioned = (partition: Value[]): FileScanTask => taskOf({ ...file, partition }, { spec });
		expect(await read([partitioned(['eu', 3])], { io, ...added })).toEqual([[0n, 'eu', 5n]]);
		expect(await read([partitioned([null, 3])], { io, ...added })).toEqual([[0n, null, 5n]]);
	});

	it('a partition value from before its column was widened', async () => {
		const io = new MemoryFileIO();
		const [file] = (await filesOf(io, numbered(0, 1))) as [DataFile];
		const added = wider(field(9, 'n', { kind: 'long' }), field(10, 'd', { kind: 'timestamp' }));
		const spec: PartitionSpec = {
			specId: 0,
			fields: [9, 10].map((sourceId) => ({
				sourceId,
				fieldId: 1000 + sourceId,
				name: `p${sourceId}`,
				transform: { kind: 'identity' },
			})),
		};
		expect(await read([taskOf({ ...file, partition: [5, 1] }, { spec })], { io, ...added })).toEqual([
			[0n, 5n, 86_400_000_000n],
		]);
	});
});

describe('metadata columns', () => {
	it('tell file, position, spec and lineage, also of filtered rows', async () => {
		const io = new MemoryFileIO();
		const [file] = (await filesOf(io, numbered(0, 5))) as [DataFile];
		const wanted = [FILE_COLUMN, POS_COLUMN, SPEC_ID_COLUMN, ROW_ID_COLUMN, LAST_UPDATED_COLUMN];
		const residual = bindExpression(parseWhere("status = 'failed'"), schema);
		const task = taskOf({ ...file, firstRowId: 100n }, { residual });
		expect(await read([task], { io, fields: wanted })).toEqual([
			[file.location, 0n, 0, 100n, 7n],
			[file.location, 3n, 0, 103n, 7n],
		]);
		expect(await read([taskOf(file)], { io, fields: [ROW_ID_COLUMN, LAST_UPDATED_COLUMN] })).toEqual(
			Array(5).fill([null, null]),
		);
	});

	it('tell the partition, under whichever spec the file was written', async () => {
		const io = new MemoryFileIO();
		const [file] = (await filesOf(io, numbered(0, 1))) as [DataFile];
		const identity: PartitionSpec = {
			specId: 0,
			fields: [{ sourceId: 2, fieldId: 1000, name: 'status', transform: { kind: 'identity' } }],
		};
		const bucket: PartitionSpec = {
			specId: 1,
			fields: [{ sourceId: 1, fieldId: 1001, name: 'id_bucket', transform: { kind: 'bucket', buckets: 4 } }],
		};
		const evolved = { ...metadata, partitionSpecs: [identity, bucket] };
		const column = metadataColumn('_partition', evolved) as NestedField;
		expect(column.type.kind === 'struct' && column.type.fields.map(({ name }) => name)).toEqual([
			'id_bucket',
			'status',
		]);
		const of = (spec: PartitionSpec, value: Value): Promise<Value[][]> =>
			read([taskOf({ ...file, specId: spec.specId, partition: [value] }, { spec })], {
				io,
				metadata: evolved,
				fields: [column],
			});
		expect(await of(identity, 'ok')).toEqual([[[null, 'ok']]]);
		expect(await of(bucket, 3)).toEqual([[[3, null]]]);
		expect(metadataColumn('_partition', metadata)).toBeUndefined();
	});

	it('without any column of the file, in bounded batches', async () => {
		const io = new MemoryFileIO();
		const files = await filesOf(io, numbered(0, 70_000));
		const batches: ColumnBatch[] = [];
		for await (const batch of scanBatches([taskOf(files[0] as DataFile)], {
			io,
			metadata,
			schema,
			fields: [POS_COLUMN],
		}))
			batches.push(batch);
		expect(batches.map(({ length }) => length)).toEqual([65_536, 4_464]);
		expect(getValue(batches[1]?.columns[0] as never, 4_463)).toBe(69_999n);
	});
});
