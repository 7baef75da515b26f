/** Follows of tables whose history was thinned, and whose files were rewritten, by us or by others. */
import { describe, expect, it } from 'vitest';
import { expireSnapshots } from '../../src/index.ts';
import {
	appendAs,
	appendEach,
	batchesFrom,
	failure,
	idsFrom,
	newTable,
	positionNow,
	removeFiles,
	rewrite,
	thin,
	update,
} from './follow-support.ts';

const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const at = (sequenceNumber: number): { sequenceNumber: number } => ({ sequenceNumber });
const LOST = { code: 'VALIDATION_FAILED', context: { reason: 'position-lost' } };
const CHANGED = { code: 'VALIDATION_FAILED', context: { reason: 'changed' } };

describe.each([2, 3] as const)('format v%i', (formatVersion) => {
	const table10 = async () => {
		const table = await newTable({ formatVersion });
		await appendEach(table, count(1, 11));
		return table;
	};

	it('snapshots that were thinned away do not matter', async () => {
		const table = await table10();
		const position = { sequenceNumber: 4n, totalRecords: 4n };
		await thin(table, 2, 3, 4, 5, 6, 7, 9);
		expect(await idsFrom(table, at(4))).toEqual(count(5, 11));
		expect(await idsFrom(table, position)).toEqual(count(5, 11));
		expect(await idsFrom(table, at(4), { where: 'id > 7' })).toEqual([8, 9, 10]);
		expect(await idsFrom(table, 'start')).toEqual(count(1, 11));
	});

	it('files that were compacted with their numbers: rows come in the order of their commits', async () => {
		const table = await table10();
		await rewrite(table, { numbers: 'all' });
		await appendEach(table, [11, 12]);
		await thin(table, 2, 3, 4, 5, 6, 7, 8, 9, 10);
		for (const from of [1, 4, 9, 10, 11, 12]) {
			// the eleventh commit is the rewrite
			const ids = [...count(from + 1, 11), ...count(11, 13)];
			expect(await idsFrom(table, at(from))).toEqual(from < 11 ? ids : count(from, 13));
		}
		const [first] = await batchesFrom(table, at(4));
		expect(first!.columns.fields.map(({ name }) => name)).toEqual(['id', 'name']);
		expect(await idsFrom(table, at(6), { where: 'id <= 9 and id != 8', select: ['id'] })).toEqual([7, 9]);
	});

	it('rows that have no number of their own have that of their file', async () => {
		const table = await table10();
		await rewrite(table, { numbers: 'inherit', only: ({ sequenceNumber }) => sequenceNumber > 6n });
		await thin(table, 7, 8, 9, 10);
		expect(await idsFrom(table, at(8))).toEqual([9, 10]);
		expect(await idsFrom(table, at(9))).toEqual([10]);
		expect(await idsFrom(table, at(10))).toEqual([]);
		expect(await idsFrom(table, at(3))).toEqual(count(4, 11));
	});

	it('files compacted more than once, and files between', async () => {
		const table = await table10();
		await rewrite(table, { numbers: 'all', only: ({ sequenceNumber }) => sequenceNumber % 2n === 0n });
		await appendEach(table, [11, 12, 13]);
		await rewrite(table, { numbers: 'all', only: ({ sequenceNumber }) => sequenceNumber !== 5n });
		await appendEach(table, [14]);
		await thin(table, ...count(2, 15));
		expect(await idsFrom(table, at(3))).toEqual(count(4, 15));
		const positions = (await batchesFrom(table, at(3))).map(({ position }) => position.sequenceNumber);
		expect(positions.at(-1)).toBe(16n);
	});

	it('many rows of many commits in one file come in batches with positions between', async () => {
		const table = await newTable({ formatVersion });
		await appendEach(table, [0]);
		for (let i = 0; i < 6; i++) await table.append(count(1 + i * 3000, 1 + (i + 1) * 3000).map((id) => ({ id })));
		await rewrite(table, { numbers: 'all' });
		await thin(table, ...count(2, 8));
		const batches = await batchesFrom(table, at(1));
		expect(batches.length).toBeGreaterThan(2);
		const ids = batches.flatMap(({ rows }) => rows.map(({ id }) => Number(id)));
		expect(ids).toEqual(count(1, 18_001));
		let given = 0;
		for (const { rows, position } of batches) {
			given += rows.length;
			const left = await idsFrom(table, position);
			// what is not complete comes whole again, what is does not
			expect(left).toEqual(ids.slice(ids.length - left.length));
			expect(given + left.length).toBeGreaterThanOrEqual(ids.length);
			expect(given + left.length).toBeLessThan(ids.length + 3000);
		}
	});

	it('files that others rewrote without numbers: the state before still tells', async () => {
		const table = await table10();
		await rewrite(table);
		await appendEach(table, [11]);
		for (const from of count(1, 10)) expect(await idsFrom(table, at(from))).toEqual(count(from + 1, 12));
		expect(await idsFrom(table, at(10))).toEqual([11]);
		await thin(table, 2, 3, 4, 6, 7, 8, 9);
		expect(await idsFrom(table, at(7))).toEqual([8, 9, 10, 11]);
	});

	it('without numbers and without the state before, it is said', async () => {
		const table = await table10();
		await rewrite(table);
		await appendEach(table, [11]);
		await thin(table, 6, 7, 8, 9, 10);
		expect(await failure(idsFrom(table, at(7)))).toMatchObject(LOST);
		expect((await failure(idsFrom(table, at(7)))).message).toMatch(/was rewritten without telling .*'start'.*'now'/);
		// all that it was made of had been given
		expect(await idsFrom(table, at(10))).toEqual([11]);
		expect(await idsFrom(table, at(11))).toEqual([11]);
		// whose order is not told any more
		const all = await idsFrom(table, 'start');
		expect(all.toSorted((a, b) => a - b)).toEqual(count(1, 12));
		expect(all.at(-1)).toBe(11);
	});

	it('files that others rewrote as if they were new', async () => {
		const table = await table10();
		await rewrite(table, { sequenceNumber: 'new' });
		await appendEach(table, [11]);
		for (const from of [3, 9, 10]) expect(await idsFrom(table, at(from))).toEqual(count(from + 1, 12));
		await thin(table, 11);
		// the rewrite itself is gone from the history: by the number of rows it is found out
		const error = await failure(idsFrom(table, at(10)));
		expect(error).toMatchObject(LOST);
		expect(error.message).toMatch(/had 10 rows at sequence number 10 and have 11 .* of which 11 came since/);
		expect(await failure(idsFrom(table, at(3)))).toMatchObject(LOST);
		expect(await idsFrom(table, at(11))).toEqual([11]);
	});

	it('a snapshot that removed rows ends the follow, behind the rows before it', async () => {
		const table = await table10();
		await removeFiles(table, [3]);
		await appendEach(table, [11]);
		const ids: number[] = [];
		const follow = table.follow({ from: { sequenceNumber: 7 }, until: 'now' });
		const error = await failure(
			(async () => {
				for await (const { id } of follow) ids.push(Number(id));
			})(),
		);
		expect(error).toMatchObject({
			...CHANGED,
			context: { reason: 'changed', sequenceNumber: 11n, operation: 'delete' },
		});
		expect(error.message).toMatch(/snapshot \d+ of .* \(delete\) changed or removed rows.*onChange: 'skip'/);
		expect(ids).toEqual([8, 9, 10]);
		expect(follow.position).toMatchObject({ sequenceNumber: 10n });
		expect(await idsFrom(table, at(7), { onChange: 'skip' })).toEqual([8, 9, 10, 11]);
		expect(await idsFrom(table, at(11))).toEqual([11]);
	});

	it('a snapshot that changed rows: what it wrote was not appended', async () => {
		const table = await table10();
		await appendAs(table, 99, 'overwrite');
		await appendEach(table, [11]);
		expect(await failure(idsFrom(table, at(10)))).toMatchObject(CHANGED);
		expect(await idsFrom(table, at(8), { onChange: 'skip' })).toEqual([9, 10, 11]);
		await thin(table, 9, 10);
		expect(await failure(idsFrom(table, at(8)))).toMatchObject(CHANGED);
		expect(await idsFrom(table, at(8), { onChange: 'skip' })).toEqual([9, 10, 11]);
	});

	it('removed rows are noticed also where the snapshot that removed them is gone', async () => {
		const table = await table10();
		await removeFiles(table, [3]);
		await appendEach(table, [11]);
		await thin(table, 11);
		expect(await failure(idsFrom(table, at(8)))).toMatchObject(LOST);
		expect(await idsFrom(table, at(11))).toEqual([11]);
	});

	it('a position is enough where no snapshot before it is left; a number alone is not', async () => {
		const table = await table10();
		const position = await positionNow(table);
		await appendEach(table, [11, 12, 13]);
		await expireSnapshots(table, { olderThanMs: 0, retainLast: 1, graceMs: 0 });
		expect(await idsFrom(table, position)).toEqual([11, 12, 13]);
		const { sequenceNumber, totalRecords } = position;
		expect(await idsFrom(table, { sequenceNumber, totalRecords: totalRecords! })).toEqual([11, 12, 13]);
		const error = await failure(idsFrom(table, { sequenceNumber }));
		expect(error).toMatchObject(LOST);
		expect(error.message).toMatch(/nothing tells how many rows there were/);
		expect(await idsFrom(table, at(12))).toEqual([13]);
	});

	it('a table that was rolled back', async () => {
		const table = await table10();
		const position = await positionNow(table);
		const to = table.metadata.snapshots.find(({ sequenceNumber }) => sequenceNumber === 6n)!.snapshotId;
		const ref = { snapshotId: to, type: 'branch' } as const;
		const follow = table.follow({ from: position });
		const waiting = failure(follow[Symbol.asyncIterator]().next());
		await update(table, { action: 'set-snapshot-ref', refName: 'main', ref });
		const rolledBack = { code: 'VALIDATION_FAILED', context: { reason: 'rolled-back' } };
		expect(await waiting).toMatchObject(rolledBack);
		expect(await idsFrom(table, at(5))).toEqual([6]);
		await appendEach(table, [11]);
		expect(await failure(idsFrom(table, position))).toMatchObject(rolledBack);
		expect(await failure(idsFrom(table, at(8)))).toMatchObject(rolledBack);
		expect(await idsFrom(table, at(5))).toEqual([6, 11]);
		// also where the states that were left are gone
		await thin(table, 7, 8, 9, 10);
		expect(await failure(idsFrom(table, position))).toMatchObject(LOST);
	});

	it('commits to other branches are not given, and do no harm', async () => {
		const table = await table10();
		const head = table.metadata.currentSnapshotId!;
		await update(table, { action: 'set-snapshot-ref', refName: 'dev', ref: { snapshotId: head, type: 'branch' } });
		const { AppendAction } = await import('../../src/transaction/append.ts');
		const [file] = await table.dataFiles();
		const append = new AppendAction({ branch: 'dev' });
		append.addFile({ ...file!, location: `${file!.location}.copy` });
		const { commit } = await import('./follow-support.ts');
		await commit(table, append);
		await appendEach(table, [11]);
		expect(table.metadata.lastSequenceNumber).toBe(12n);
		expect(await idsFrom(table, at(9))).toEqual([10, 11]);
		expect(await idsFrom(table, at(10))).toEqual([11]);
	});
});

describe('format v1', () => {
	it('goes by snapshots', async () => {
		const table = await newTable({ formatVersion: 1 });
		await appendEach(table, [1, 2]);
		const { snapshots } = table.metadata;
		const position = await positionNow(table);
		expect(position).toEqual({ sequenceNumber: 0n, snapshotId: snapshots[1]!.snapshotId });
		await appendEach(table, [3, 4]);
		expect(await idsFrom(table, 'start')).toEqual([1, 2, 3, 4]);
		expect(await idsFrom(table, snapshots[0]!.snapshotId)).toEqual([2, 3, 4]);
		expect(await idsFrom(table, position)).toEqual([3, 4]);
		expect(await idsFrom(table, { lastRows: 2 })).toEqual([3, 4]);
		await rewrite(table);
		await appendEach(table, [5]);
		expect(await idsFrom(table, position)).toEqual([3, 4, 5]);
		await removeFiles(table, [5]);
		expect(await failure(idsFrom(table, position))).toMatchObject(CHANGED);
		await table.upgradeFormatVersion(2);
		await appendEach(table, [6, 7]);
		expect(await idsFrom(table, position, { onChange: 'skip' })).toEqual([3, 4, 5, 6, 7]);
	});

	it('says when snapshots between are gone', async () => {
		const table = await newTable({ formatVersion: 1 });
		await appendEach(table, [1]);
		const position = await positionNow(table);
		await appendEach(table, [2, 3]);
		const [, second] = table.metadata.snapshots;
		await update(table, { action: 'remove-snapshots', snapshotIds: [second!.snapshotId] });
		const error = await failure(idsFrom(table, position));
		expect(error).toMatchObject(LOST);
		expect(error.message).toMatch(/format v1, which numbers no commits/);
	});
});

it('a table that grows while it is followed, thinned and compacted all the while: each row once, in order', async () => {
	const table = await newTable();
	const follow = table.follow();
	await follow.ready();
	const ids: number[] = [];
	const following = (async () => {
		for await (const { rows, position } of follow.batches()) {
			for (const { id } of rows) ids.push(Number(id));
			expect(position.sequenceNumber).toBeGreaterThan(0n);
			if (ids.length >= 60) break;
		}
	})();
	for (let id = 0; id < 60; id++) {
		await appendEach(table, [id]);
		if (id % 10 === 9) await rewrite(table, { numbers: 'all' });
		if (id % 15 === 14) {
			const { snapshots } = table.metadata;
			const old = snapshots.slice(1, -1).map(({ sequenceNumber }) => Number(sequenceNumber));
			await thin(table, ...old);
		}
	}
	await following;
	expect(ids).toEqual(count(0, 60));
});
