/** Several changes as one commit, or none. */
import { describe, expect, it } from 'vitest';
import { createTable, IcebergError, loadTable, MemoryFileIO, type Table } from '../../src/index.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { listing, newFolder, pairRows, pairs } from './support.ts';

async function inFolder() {
	const folder = newFolder();
	return { folder, table: await createTable(folder, pairs) };
}

describe('a transaction', () => {
	it('shows nothing before it is committed, and all of it at once after', async () => {
		const { folder, table } = await inFolder();
		const other = await loadTable(folder);
		await using tx = table.newTransaction();
		expect(await tx.appendData(pairRows(2))).toBe(2);
		expect(await tx.appendData(pairRows(3, 2))).toBe(3);
		tx.setProperties({ owner: 'me', 'commit.retry.num-retries': '7' }).upgradeFormatVersion(3);
		expect(await other.rowCount()).toBe(0);
		expect(await other.scan().toArray()).toEqual([]);
		const result = await tx.commit();
		expect(result).toMatchObject({ committed: true, appendedRowCount: 5 });
		expect(result.metadataLocation).toBe(table.metadataLocation);
		expect(result.snapshot?.snapshotId).toBe((await other.currentSnapshot())?.snapshotId);
		expect(other.formatVersion).toBe(3);
		expect(other.properties).toMatchObject({ owner: 'me' });
		expect(await other.rowCount()).toBe(5);
		expect((await other.snapshots()).length).toBe(2);
		expect(listing(`${folder}/metadata`).filter((name) => name.endsWith('.metadata.json'))).toHaveLength(2);
	});

	it('rolls back when an await using block is left without commit, by an error or not', async () => {
		const { folder, table } = await inFolder();
		await table.append(pairRows(1));
		const before = listing(folder);
		await expect(
			(async () => {
				await using tx = table.newTransaction();
				await tx.appendData(pairRows(10));
				expect(listing(folder).length).toBeGreaterThan(before.length);
				throw new Error('the caller failed');
			})(),
		).rejects.toThrow('the caller failed');
		expect(listing(folder)).toEqual(before);
		{
			await using tx = table.newTransaction();
			await tx.appendData(pairRows(10));
		}
		expect(listing(folder)).toEqual(before);
		expect(await table.rowCount()).toBe(1);
	});

	it('that is rolled back takes nothing more; rolling back twice is no error', async () => {
		const { table } = await inFolder();
		const tx = table.newTransaction();
		await tx.appendData(pairRows(1));
		await tx.rollback();
		await tx.rollback();
		expect(tx.isOpen).toBe(false);
		await expect(tx.appendData(pairRows(1))).rejects.toMatchObject({ code: 'CLOSED' });
		await expect(tx.commit()).rejects.toMatchObject({ code: 'CLOSED' });
		expect(() => tx.setProperties({ a: 'b' })).toThrow(IcebergError);
	});

	it('that is committed takes nothing more, and is not undone by leaving the block', async () => {
		const { folder, table } = await inFolder();
		{
			await using tx = table.newTransaction();
			await tx.appendData(pairRows(4));
			await tx.commit();
			await expect(tx.commit()).rejects.toMatchObject({ code: 'CLOSED' });
			await expect(tx.appendData(pairRows(1))).rejects.toMatchObject({ code: 'CLOSED' });
			await tx.rollback();
		}
		expect(await (await loadTable(folder)).scan().count()).toBe(4);
	});

	it('without anything to do commits nothing', async () => {
		const { folder, table } = await inFolder();
		const before = listing(folder);
		const tx = table.newTransaction();
		expect(await tx.appendData([])).toBe(0);
		expect(await tx.commit()).toMatchObject({ committed: false, appendedRowCount: 0, snapshot: undefined });
		expect(listing(folder)).toEqual(before);
	});

	it('is committed over what others committed meanwhile, its rows written once', async () => {
		const { folder, table } = await inFolder();
		const other = await loadTable<{ id: number }>(folder);
		const tx = table.newTransaction();
		await tx.appendData(pairRows(2));
		const written = listing(`${folder}/data`);
		await other.append([{ id: 100 }]);
		await other.setProperties({ theirs: 'yes' });
		tx.setProperties({ ours: 'yes' });
		await tx.commit();
		expect(table.properties).toMatchObject({ theirs: 'yes', ours: 'yes' });
		expect(await table.rowCount()).toBe(3);
		expect(listing(`${folder}/data`)).toEqual(expect.arrayContaining(written));
		expect((await table.dataFiles()).length).toBe(2);
	});

	it('keeps earlier appends when a later one is refused', async () => {
		const { folder, table } = await inFolder();
		await using tx = table.newTransaction();
		await tx.appendData(pairRows(2));
		const before = listing(folder);
		await expect(tx.appendData([{ id: 1 }, { id: 1.5 }])).rejects.toMatchObject({ code: 'INVALID_DATA' });
		expect(listing(folder)).toEqual(before);
		await tx.commit();
		expect(await table.rowCount()).toBe(2);
	});

	it('refuses to commit while rows are still being written', async () => {
		const { table } = await inFolder();
		const tx = table.newTransaction();
		const appending = tx.appendData(pairRows(1));
		await expect(tx.commit()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await appending;
		await tx.commit();
		expect(await table.rowCount()).toBe(1);
	});

	it('can be committed again after a failure that is known to have written nothing', async () => {
		const inner = new MemoryFileIO();
		const io = new FaultyFileIO(inner, [
			{
				operation: 'putIfAbsent',
				location: /v2\.metadata\.json$/,
				fault: {
					kind: 'fail',
					error: new IcebergError('STORAGE', 'the disk is full', { retryable: false, context: { notWritten: true } }),
				},
			},
		]);
		const table = await createTable('memory:/t', pairs, { io });
		const tx = table.newTransaction();
		await tx.appendData(pairRows(2));
		await expect(tx.commit()).rejects.toMatchObject({ code: 'STORAGE' });
		expect(tx.isOpen).toBe(true);
		await tx.commit();
		expect(await table.rowCount()).toBe(2);
		expect(await table.scan().count()).toBe(2);
	});

	it('adds fast appends as manifests of their own, merges by default', async () => {
		const make = async (append: 'merge' | 'fast'): Promise<Table> => {
			const table = await createTable('memory:/t', pairs, {
				io: new MemoryFileIO(),
				properties: { 'commit.manifest.min-count-to-merge': '3' },
			});
			for (let i = 0; i < 5; i++) {
				const tx = table.newTransaction({ append });
				await tx.appendData(pairRows(1, i));
				await tx.commit();
			}
			return table as unknown as Table;
		};
		const fast = await make('fast');
		const merged = await make('merge');
		expect((await fast.manifests()).length).toBe(5);
		expect((await merged.manifests()).length).toBeLessThan(4);
		expect(await merged.rowCount()).toBe(5);
		expect(await merged.scan().count()).toBe(5);
	});
});

describe('changes of a table', () => {
	it('set and remove properties, refuse bad ones', async () => {
		const { folder, table } = await inFolder();
		await table.setProperties({ a: '1', b: '2' });
		await table.removeProperties('a', 'not there');
		expect((await loadTable(folder)).properties).toMatchObject({ b: '2' });
		expect((await loadTable(folder)).properties['a']).toBeUndefined();
		const before = listing(folder);
		await expect(table.setProperties({ a: 1 } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await expect(table.setProperties({ 'commit.retry.num-retries': 'many' })).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
		});
		expect(listing(folder)).toEqual(before);
	});

	it('upgrade the format version, and refuse to go back', async () => {
		const { folder, table } = await inFolder();
		await table.append(pairRows(2));
		await table.upgradeFormatVersion(3);
		expect(table.formatVersion).toBe(3);
		await table.append(pairRows(2, 2));
		const again = await loadTable(folder);
		expect(await again.scan().count()).toBe(4);
		await expect(table.upgradeFormatVersion(2)).rejects.toMatchObject({ code: expect.any(String) });
		await expect(table.upgradeFormatVersion(4 as never)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
		expect((await loadTable(folder)).formatVersion).toBe(3);
	});
});
