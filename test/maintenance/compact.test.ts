import { describe, expect, it } from 'vitest';
import { compact, MemoryFileIO } from '../../src/index.ts';
import { SetPropertiesAction } from '../../src/transaction/set-properties.ts';
import { FaultyFileIO } from '../../src/testing/faulty-file-io.ts';
import { checkAllSnapshots, fill, filesOf, idsOf, newTable, open, range, TestClock } from './support.ts';

describe('compact', () => {
	it.each([1, 2, 3] as const)(
		'puts small files together and keeps every row, in format version %i',
		async (formatVersion) => {
			const io = new MemoryFileIO();
			const clock = new TestClock();
			const table = await newTable(io, clock, { formatVersion });
			await fill(table, clock, range(0, 8));
			const before = await table.snapshots();
			const result = await compact(table);
			expect(result).toMatchObject({
				committed: true,
				groupCount: 1,
				rewrittenFileCount: 8,
				addedFileCount: 1,
				rowCount: 8,
				skippedCount: 0,
			});
			expect(await idsOf(table)).toEqual(range(0, 8));
			expect(await table.dataFiles()).toHaveLength(1);
			expect(result.snapshots[0]?.summary).toMatchObject({
				operation: 'replace',
				'added-data-files': '1',
				'deleted-data-files': '8',
				'added-records': '8',
				'deleted-records': '8',
				'total-data-files': '1',
				'total-records': '8',
			});
			for (const [i, { snapshotId }] of before.entries())
				expect(await idsOf(table, { snapshotId })).toEqual(range(0, i + 1));
			expect(await checkAllSnapshots(io, clock)).toBe(9);
			expect(await compact(table)).toMatchObject({ committed: false, groupCount: 0 });
		},
	);

	it('keeps row ids and the numbers of their last change in v3 tables, also when done twice', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock, { formatVersion: 3, sortBy: ['id desc'] });
		const lineage = async () =>
			(await table.scan({ select: ['id', '_row_id', '_last_updated_sequence_number'] }).toArray()).sort(
				(a, b) => Number(a['id'] as bigint) - Number(b['id'] as bigint),
			);
		await fill(table, clock, range(0, 6));
		const before = await lineage();
		expect(before.map((row) => row['_row_id'])).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
		expect(before.map((row) => row['_last_updated_sequence_number'])).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
		await compact(table);
		expect(await lineage()).toEqual(before);
		const rows = await table.scan().toArray();
		expect(rows.map((row) => row['id'])).toEqual([5n, 4n, 3n, 2n, 1n, 0n]);
		await fill(table, clock, range(6, 10));
		const more = await lineage();
		expect((await compact(table)).rewrittenFileCount).toBe(5);
		expect(await lineage()).toEqual(more);
		const [file] = await table.dataFiles();
		expect([...(file?.lowerBounds?.keys() ?? [])]).toEqual([1, 2, 2147483539]);
		expect([...(file?.valueCounts?.keys() ?? [])]).toEqual([1, 2]);
		expect(new Set(more.map((row) => row['_row_id'])).size).toBe(10);
	});

	it('works within partitions, and only those that the filter asks for', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock, { partitionBy: ['region'] });
		await fill(table, clock, range(0, 5), 'a');
		await fill(table, clock, range(5, 10), 'b');
		await fill(table, clock, range(10, 12), 'c');
		expect(await compact(table, { where: "region = 'b'", dryRun: true })).toMatchObject({
			committed: false,
			rewrittenFileCount: 5,
			addedFileCount: 0,
		});
		expect(await compact(table, { where: "region = 'b'" })).toMatchObject({ groupCount: 1, rewrittenFileCount: 5 });
		expect((await table.dataFiles()).map((file) => file.partition[0]).sort()).toEqual([
			'a',
			'a',
			'a',
			'a',
			'a',
			'b',
			'c',
			'c',
		]);
		const rest = await compact(table, { minInputFiles: 2, partialProgress: true });
		expect(rest).toMatchObject({ groupCount: 2, rewrittenFileCount: 7, addedFileCount: 2 });
		expect(rest.snapshots).toHaveLength(2);
		expect(await idsOf(table)).toEqual(range(0, 12));
		await checkAllSnapshots(io, clock);
	});

	it('moves files of an older partition spec to the current one', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock);
		await fill(table, clock, range(0, 4), 'a');
		await fill(table, clock, range(4, 8), 'b');
		await evolveSpec(table);
		await fill(table, clock, [8], 'b');
		await compact(table);
		const files = await table.dataFiles();
		expect(files.map((file) => [file.specId, file.partition[0] ?? null]).sort()).toEqual([
			[1, 'a'],
			[1, 'b'],
			[1, 'b'],
		]);
		expect(await idsOf(table)).toEqual(range(0, 9));
		expect(await idsOf(table, { where: "region = 'a'" })).toEqual(range(0, 4));
		await checkAllSnapshots(io, clock);
	});

	it('gives way to appends that come at any moment, and loses neither', async () => {
		// An append is committed before the n-th call that the compaction makes to its storage.
		let interleavings = 0;
		for (let n = 1; ; n += 3) {
			const inner = new MemoryFileIO();
			const clock = new TestClock();
			const writer = await newTable(inner, clock, { formatVersion: n % 2 === 0 ? 3 : 2 });
			await fill(writer, clock, range(0, 6));
			const io = new FaultyFileIO(inner);
			const table = await open(io, clock);
			let appended = false;
			io.addRule({
				from: n,
				fault: {
					kind: 'delay',
					until: async () => {
						appended = true;
						await writer.append([{ id: 100n, region: 'y' }]);
					},
				},
			});
			const result = await compact(table);
			if (!appended) break;
			interleavings++;
			expect(result.committed).toBe(true);
			const fresh = await open(inner, clock);
			expect(await idsOf(fresh)).toEqual([...range(0, 6), 100]);
			await checkAllSnapshots(inner, clock);
		}
		expect(interleavings).toBeGreaterThan(15);
	});

	it('of two at once, neither doubles nor loses a row', async () => {
		for (let n = 1; n < 90; n += 4) {
			const inner = new MemoryFileIO();
			const clock = new TestClock();
			const first = await newTable(inner, clock, { formatVersion: 3 });
			await fill(first, clock, range(0, 6));
			const io = new FaultyFileIO(inner);
			const table = await open(io, clock);
			let other: unknown;
			io.addRule({
				from: n,
				fault: {
					kind: 'delay',
					until: async () => {
						other = await compact(first);
					},
				},
			});
			await compact(table);
			if (other === undefined) break;
			const fresh = await open(inner, clock);
			expect(await idsOf(fresh)).toEqual(range(0, 6));
			expect(await fresh.dataFiles()).toHaveLength(1);
			await checkAllSnapshots(inner, clock);
		}
	});

	it('keeps the table whole when any call fails, or its reply is lost', async () => {
		let failures = 0;
		for (const kind of ['fail', 'lose-reply'] as const) {
			for (let n = 1; ; n += 2) {
				const inner = new MemoryFileIO();
				const clock = new TestClock();
				const writer = await newTable(inner, clock);
				await fill(writer, clock, range(0, 5));
				const io = new FaultyFileIO(inner);
				const table = await open(io, clock);
				const calls = io.calls.length;
				io.addRule({ from: n, fault: { kind } });
				await compact(table).catch((error: { code?: string }) => expect(error.code).toMatch(/STORAGE|UNKNOWN/));
				if (io.calls.length - calls < n) break;
				failures++;
				const fresh = await open(inner, clock);
				expect(await idsOf(fresh)).toEqual(range(0, 5));
				await checkAllSnapshots(inner, clock);
			}
		}
		expect(failures).toBeGreaterThan(30);
	});

	it('refuses nonsense by name', async () => {
		const io = new MemoryFileIO();
		const clock = new TestClock();
		const table = await newTable(io, clock);
		expect(await compact(table)).toMatchObject({ committed: false });
		await fill(table, clock, [1]);
		await expect(compact(table, { minInputFiles: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await expect(compact(table, { targetFileSizeBytes: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		await expect(compact(table, { where: 'nothing = 1' })).rejects.toMatchObject({ code: 'INVALID_FILTER' });
		await expect(compact(table, { branch: 'none' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
		expect((await filesOf(io)).length).toBeGreaterThan(4);
	});
});

async function evolveSpec(table: Awaited<ReturnType<typeof newTable>>): Promise<void> {
	const { committer, clock, random } = table.commitPorts();
	const { commitActions } = await import('../../src/transaction/commit-actions.ts');
	const spec = {
		specId: 1,
		fields: [{ sourceId: 2, fieldId: 1000, name: 'region', transform: { kind: 'identity' as const } }],
	};
	const nothing = new SetPropertiesAction({});
	const action = {
		name: 'evolve',
		apply: async () => ({
			updates: [
				{ action: 'add-spec' as const, spec },
				{ action: 'set-default-spec' as const, specId: -1 },
			],
			requirements: [],
			newFiles: [],
		}),
		committed: () => nothing.committed(),
		abandoned: () => nothing.abandoned(),
	};
	await commitActions(committer, await committer.load(), [action], { clock, random });
	await table.refresh();
}
