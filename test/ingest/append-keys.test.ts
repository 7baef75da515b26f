import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTable, loadTable } from '../../src/catalog/open-table.ts';
import { APPEND_KEYS_LIMIT_PROPERTY, APPEND_KEYS_PROPERTY } from '../../src/ingest/append-keys.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { long, schema } from '../../src/spec/schema-builder.ts';

const rows = schema({ id: long().required() });
let folder: string;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'datashard-keys-'));
});
afterEach(async () => {
	await rm(folder, { recursive: true, force: true });
});

describe('idempotency keys', () => {
	it('appends the rows of a key once, also when the repeat comes from another table object', async () => {
		const location = join(folder, 't');
		await using table = await createTable(location, rows);
		const first = await table.append([{ id: 1 }], { idempotencyKey: 'job 7' });
		expect(first).toMatchObject({ committed: true, rowCount: 1 });
		await using other = await loadTable(location);
		const repeat = await other.append([{ id: 1 }], { idempotencyKey: 'job 7' });
		expect(repeat).toMatchObject({ committed: false, rowCount: 0 });
		expect(repeat.snapshot?.snapshotId).toBe(first.snapshot?.snapshotId);
		expect(await table.rowCount()).toBe(1);
		expect(await table.snapshots()).toHaveLength(1);
	});

	it('tells of an earlier append only when that is durable, not when it can be seen (invariant 1)', async () => {
		const memory = new MemoryFileIO();
		await (await createTable('memory:/t', rows, { io: memory })).append([{ id: 1 }], { idempotencyKey: 'job 7' });
		const io = new FaultyFileIO(memory);
		const other = await loadTable('memory:/t', { io });
		io.addRule({ operation: 'persistNames', location: /metadata\.json/, fault: { kind: 'fail' } });
		const repeat = () => other.append([{ id: 1 }], { idempotencyKey: 'job 7' });
		await expect(repeat()).rejects.toMatchObject({ code: 'STORAGE' });
		expect(await repeat()).toMatchObject({ committed: false, rowCount: 0 });
		expect(await other.rowCount()).toBe(1);
	});

	it('appends once when many objects append with the same keys at the same time', async () => {
		const location = join(folder, 't');
		await (await createTable(location, rows)).close();
		const tables = await Promise.all(Array.from({ length: 4 }, () => loadTable(location)));
		const results = await Promise.all(
			tables.flatMap((table) =>
				Array.from({ length: 10 }, (_, key) => table.append([{ id: key }], { idempotencyKey: `key ${key}` })),
			),
		);
		expect(results.filter(({ committed }) => committed)).toHaveLength(10);
		const found = await tables[0]?.scan().toArray();
		expect(found?.map((row) => row.id).sort()).toEqual(Array.from({ length: 10 }, (_, i) => BigInt(i)));
		await Promise.all(tables.map((table) => table.close()));
	});

	it('lets an append be repeated after it was refused', async () => {
		await using table = await createTable(join(folder, 't'), rows);
		await expect(table.append([{ id: 1.5 }], { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'INVALID_DATA' });
		expect(await table.append([{ id: 1 }], { idempotencyKey: 'k' })).toMatchObject({ committed: true });
	});

	it('remembers as many of the newest keys as the property says', async () => {
		await using table = await createTable(join(folder, 't'), rows, {
			properties: { [APPEND_KEYS_LIMIT_PROPERTY]: '2' },
		});
		for (const key of ['a', 'b', 'c']) await table.append([{ id: 1 }], { idempotencyKey: key });
		expect(await table.append([{ id: 1 }], { idempotencyKey: 'b' })).toMatchObject({ committed: false });
		expect(await table.append([{ id: 1 }], { idempotencyKey: 'a' })).toMatchObject({ committed: true });
		expect(await table.rowCount()).toBe(4);
	});

	it.each(['', 'x'.repeat(2000), '\ud800', 7])('refuses the key %j', async (key) => {
		await using table = await createTable(join(folder, 't'), rows);
		const options = { idempotencyKey: key as string };
		await expect(table.append([{ id: 1 }], options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		expect(await table.snapshots()).toHaveLength(0);
	});

	it('stops when something else has written the property', async () => {
		await using table = await createTable(join(folder, 't'), rows);
		await table.setProperties({ [APPEND_KEYS_PROPERTY]: 'nonsense' });
		await expect(table.append([{ id: 1 }], { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'CORRUPT' });
		expect(await table.append([{ id: 1 }])).toMatchObject({ committed: true });
	});
});
