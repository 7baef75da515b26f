/** Many appends at once, in one process: nothing is lost, nothing is there twice. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createTable, loadTable, type Table } from '../../src/index.ts';
import { deferred } from '../../src/util/deferred.ts';
import { listing, newFolder, pairs } from './support.ts';

/** Files and history stay as the appends made them. */
const NO_MAINTENANCE = { properties: { 'datashard.maintenance.enabled': 'false' } };

async function expectIds(folder: string, count: number): Promise<void> {
	const table = await loadTable<object, { id: bigint }>(folder);
	const ids = (await table.scan({ select: ['id'] }).toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
	expect(ids).toEqual(Array.from({ length: count }, (_, i) => i));
	expect(await table.rowCount()).toBe(count);
	// every file in the folder is the table's
	const data = listing(`${folder}/data`).filter((name) => name.endsWith('.parquet'));
	expect(data.length).toBe((await table.dataFiles()).length);
	expect(listing(folder).filter((name) => /tmp|temp/.test(name))).toEqual([]);
	// one line of history
	const snapshots = await table.snapshots();
	for (const [i, snapshot] of snapshots.entries()) {
		expect(snapshot.parentSnapshotId).toBe(snapshots[i - 1]?.snapshotId);
		expect(snapshot.sequenceNumber).toBe(BigInt(i + 1));
	}
}

describe('appends at once', () => {
	it('100 to one table object', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs, NO_MAINTENANCE);
		const results = await Promise.all(Array.from({ length: 100 }, (_, id) => table.append([{ id }])));
		expect(results.every(({ committed, rowCount }) => committed && rowCount === 1)).toBe(true);
		// each was acknowledged with the snapshot that holds its row
		const known = new Set((await table.snapshots()).map(({ snapshotId }) => snapshotId));
		expect(results.every(({ snapshot }) => known.has(snapshot!.snapshotId))).toBe(true);
		await expectIds(folder, 100);
	});

	it('100 to five table objects', async () => {
		const folder = newFolder();
		await createTable(folder, pairs, NO_MAINTENANCE);
		const tables: Table<{ id: number }>[] = await Promise.all(
			Array.from({ length: 5 }, () => loadTable<{ id: number }>(folder)),
		);
		await Promise.all(Array.from({ length: 100 }, (_, id) => tables[id % 5]!.append([{ id }])));
		await expectIds(folder, 100);
	});

	it('appends and transactions, several handles, some rolled back', async () => {
		const folder = newFolder();
		await createTable(folder, pairs, NO_MAINTENANCE);
		const tables = await Promise.all(Array.from({ length: 3 }, () => loadTable<{ id: number }>(folder)));
		await Promise.all(
			Array.from({ length: 30 }, async (_, i) => {
				const table = tables[i % 3]!;
				if (i % 2 === 0) {
					await table.append([{ id: i }]);
					return;
				}
				const tx = table.newTransaction();
				await tx.appendData([{ id: i }]);
				await tx.commit();
				const dropped = table.newTransaction();
				await dropped.appendData([{ id: 1_000 + i }]);
				await dropped.rollback();
			}),
		);
		await expectIds(folder, 30);
	});

	it('one that is refused takes no other with it', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs, NO_MAINTENANCE);
		const results = await Promise.allSettled(
			Array.from({ length: 40 }, (_, i) => table.append([{ id: i < 30 ? i : (`bad ${i}` as never) }])),
		);
		expect(results.map(({ status }) => status)).toEqual([
			...Array<string>(30).fill('fulfilled'),
			...Array<string>(10).fill('rejected'),
		]);
		await expectIds(folder, 30);
	});

	it('reads meanwhile see whole appends only', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs, NO_MAINTENANCE);
		const reader = await loadTable<object, { id: bigint }>(folder);
		let done = false;
		const writing = (async () => {
			for (let i = 0; i < 15; i++) await table.append(Array.from({ length: 10 }, (_, k) => ({ id: i * 10 + k })));
		})().finally(() => {
			done = true;
		});
		const counts: number[] = [];
		while (!done) {
			counts.push(await reader.scan().count(), (await reader.scan().toArray()).length);
			// an empty table is read without any I/O: let the writer have its turn
			await setImmediate();
		}
		await writing;
		expect(counts.every((count, i) => count % 10 === 0 && count >= (counts[i - 1] ?? 0))).toBe(true);
		await expectIds(folder, 150);
	});
});

describe('an append that is aborted', () => {
	it('before it begins writes nothing', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs, NO_MAINTENANCE);
		const before = listing(folder);
		await expect(table.append([{ id: 1 }], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
		await using tx = table.newTransaction();
		await expect(tx.appendData([{ id: 1 }], { signal: AbortSignal.abort() })).rejects.toMatchObject({
			code: 'ABORTED',
		});
		expect(listing(folder)).toEqual(before);
	});

	it('while rows come in leaves nothing behind, closes the source, and the table works on', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs, NO_MAINTENANCE);
		const controller = new AbortController();
		const closed = deferred<void>();
		const rows = (async function* () {
			try {
				for (let id = 0; ; id++) {
					if (id === 50_000) controller.abort();
					yield { id, name: 'x'.repeat(200) };
				}
			} finally {
				closed.resolve();
			}
		})();
		const before = listing(folder);
		await expect(table.append(rows, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
		await closed.promise;
		expect(listing(folder).filter((name) => /\./.test(name))).toEqual(before.filter((name) => /\./.test(name)));
		await table.append([{ id: 0 }]);
		await expectIds(folder, 1);
	});
});
