import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTable, loadTable } from '../../src/catalog/open-table.ts';
import { GROUPED_APPEND_LIMIT_BYTES } from '../../src/ingest/group-appender.ts';
import { long, schema, string } from '../../src/spec/schema-builder.ts';

const rows = schema({ id: long().required(), text: string() });
let folder: string;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'datashard-ingest-'));
});
afterEach(async () => {
	await rm(folder, { recursive: true, force: true });
});

async function ids(location: string): Promise<bigint[]> {
	await using table = await loadTable(location);
	const found: bigint[] = [];
	for await (const row of table.scan({ select: ['id'] })) found.push((row as { id: bigint }).id);
	return found.sort((a, b) => (a < b ? -1 : 1));
}

describe('group commit in one process', () => {
	it('puts appends that arrive during a commit into the next one, losing and repeating none', async () => {
		const location = join(folder, 't');
		await using table = await createTable(location, rows);
		const results = await Promise.all(
			Array.from({ length: 200 }, (_, i) => table.append([{ id: i, text: `row ${i}` }])),
		);
		expect(await ids(location)).toEqual(Array.from({ length: 200 }, (_, i) => BigInt(i)));
		const snapshots = await table.snapshots();
		expect(snapshots.length).toBeLessThan(20);
		for (const { committed, rowCount, snapshot } of results) {
			expect(committed).toBe(true);
			expect(rowCount).toBe(1);
			expect(snapshots.some(({ snapshotId }) => snapshotId === snapshot?.snapshotId)).toBe(true);
		}
	});

	it('refuses a bad append alone: the others of its time are committed', async () => {
		const location = join(folder, 't');
		await using table = await createTable(location, rows);
		const outcomes = await Promise.allSettled(
			Array.from({ length: 20 }, (_, i) => table.append([i === 7 ? { id: 1.5 } : { id: i }])),
		);
		expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
		expect(outcomes[7]).toMatchObject({ reason: { code: 'INVALID_DATA' } });
		expect(await ids(location)).toHaveLength(19);
	});

	it('commits what has a summary of its own, and what is large, by itself', async () => {
		const location = join(folder, 't');
		await using table = await createTable(location, rows);
		const text = 'x'.repeat(1024);
		const count = Math.ceil(GROUPED_APPEND_LIMIT_BYTES / 1024) + 1000;
		const large = table.append(
			(function* () {
				for (let i = 0; i < count; i += 1) yield { id: i, text };
			})(),
		);
		const [first, second] = await Promise.all([
			table.append([{ id: -1 }], { summary: { job: 'a' } }),
			table.append([{ id: -2 }], { summary: { job: 'b' } }),
		]);
		expect(first.snapshot?.summary?.job).toBe('a');
		expect(second.snapshot?.summary?.job).toBe('b');
		expect((await large).rowCount).toBe(count);
		expect(await table.rowCount()).toBe(count + 2);
	});

	it('drops an append that is aborted while it waits, and nothing else', async () => {
		const location = join(folder, 't');
		await using table = await createTable(location, rows);
		const abort = new AbortController();
		const first = table.append([{ id: 1 }]);
		const second = table.append([{ id: 2 }], { signal: abort.signal });
		const third = table.append([{ id: 3 }]);
		const settled = Promise.allSettled([second]);
		await new Promise((resolve) => setImmediate(resolve));
		abort.abort();
		await first;
		await third;
		const outcome = await settled;
		const found = await ids(location);
		// Either it was still waiting, and is not there; or it was under way, and is there once.
		expect(found).toEqual(outcome[0]?.status === 'rejected' ? [1n, 3n] : [1n, 2n, 3n]);
	});

	it('waits for appends under way when the table is closed', async () => {
		const location = join(folder, 't');
		const table = await createTable(location, rows);
		const appends = Array.from({ length: 10 }, (_, i) => table.append([{ id: i }]));
		await table.close();
		await Promise.all(appends);
		expect(await ids(location)).toHaveLength(10);
		await expect(table.append([{ id: 11 }])).rejects.toMatchObject({ code: 'CLOSED' });
	});

	it('leaves no data file behind when the commit fails', async () => {
		const location = join(folder, 't');
		const table = await createTable(location, rows);
		await rm(location, { recursive: true });
		await expect(table.append([{ id: 1 }])).rejects.toMatchObject({ name: 'IcebergError' });
		const left = await readdir(location, { recursive: true, withFileTypes: true }).catch(() => []);
		expect(left.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
		await table.close();
	});
});
