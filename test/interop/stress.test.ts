import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable, loadTable, type Table } from '../../src/index.ts';
import { taskLogSchema } from '../../src/testing/stress/task-log.ts';
import { WriterGroup } from '../../src/testing/stress/writer-group.ts';
import { builtPackage } from '../support/dist.ts';
import type { Loose } from '../support/corpus.ts';
import { Peer } from './peer.ts';
import { temporaryFolder } from './temporary.ts';

const WRITERS = 4;
const THEIRS = 5;
const warehouse = temporaryFolder();
const groups: WriterGroup[] = [];
let spark: Peer;
let pyiceberg: Peer;
let duckdb: Peer;
beforeAll(async () => {
	await builtPackage();
	spark = new Peer('spark', [warehouse]);
	pyiceberg = new Peer('pyiceberg');
	duckdb = new Peer('duckdb');
});
afterAll(async () => {
	for (const group of groups) await group.kill();
	await Promise.all([spark, pyiceberg, duckdb].map((peer) => peer?.close()));
});

function idsOf(rows: readonly Loose[]): string[] {
	return rows.map(({ task_id }) => task_id as string).sort();
}

describe('processes that append one record at a time', () => {
	it.each(['committed', 'journaled'] as const)(
		'while Spark commits to the same table: the rows of both are there, for every engine (%s)',
		async (until) => {
			const name = `log_${until}`;
			const location = join(warehouse, 'db', name);
			const properties = {
				'commit.retry.num-retries': '100',
				note: 'ours',
			};
			const table = (await createTable(location, taskLogSchema, { properties })) as unknown as Table;
			const group = new WriterGroup({
				contender: 'table',
				location,
				operations: 1_000_000,
				warmUp: 0,
				inFlight: 1,
				until,
				eager: true,
				persistent: false,
				pauseMs: 0,
			});
			groups.push(group);
			for (let i = 0; i < WRITERS; i++) group.add();
			await group.start();
			for (let n = 0; n < THEIRS; n++) {
				await spark.call('query', {
					sql: `INSERT INTO c.db.${name} VALUES ('spark-${n}', 'wf', 'success', 1, 2, 1, null, 'spark')`,
				});
				if (n === 2)
					await spark.call('query', { sql: `ALTER TABLE c.db.${name} SET TBLPROPERTIES ('note' = 'theirs')` });
			}
			const ends = await group.stop();
			expect(ends.filter(({ code, errors }) => code !== 0 || errors !== '')).toEqual([]);
			const { acknowledgements } = group;
			expect(acknowledgements.failures).toEqual([]);
			expect(acknowledgements.count).toBeGreaterThan(WRITERS);
			const expected = [
				...Array.from({ length: THEIRS }, (_, n) => `spark-${n}`),
				...acknowledgements.writers.flatMap((writer) =>
					[...acknowledgements.acknowledgedBy(writer)].map((operation) => `${writer}-${operation}`),
				),
			].sort();
			await table.refresh();
			expect(table.properties).toMatchObject({ note: 'theirs' });
			expect(idsOf(await table.scan().toArray())).toEqual(expected);
			expect(idsOf(await spark.call('rows', { table: `db.${name}` }))).toEqual(expected);
			const metadata = table.metadataLocation;
			expect(idsOf(await pyiceberg.call('rows', { metadata }))).toEqual(expected);
			expect(idsOf(await duckdb.call('rows', { metadata }))).toEqual(expected);
			await table.close();
		},
	);

	it('leaves what it appended to another engine that replaces the table, or to nobody', async () => {
		const location = join(warehouse, 'db', 'replaced');
		await (await createTable(location, taskLogSchema)).close();
		const group = new WriterGroup({
			contender: 'table',
			location,
			operations: 1_000_000,
			warmUp: 0,
			inFlight: 1,
			until: 'journaled',
			eager: true,
			persistent: true,
			pauseMs: 100,
		});
		groups.push(group);
		for (let i = 0; i < 2; i++) group.add();
		await group.start();
		while (group.acknowledgements.count < 20) await new Promise((resolve) => setTimeout(resolve, 10));
		// keeps the table's uuid and history, and may drop properties that it does not know
		await spark.call('query', {
			sql: `CREATE OR REPLACE TABLE c.db.replaced USING iceberg AS SELECT * FROM c.db.replaced WHERE false`,
		});
		const replaced = group.acknowledgements.count;
		while (group.acknowledgements.count < replaced + 20 && group.acknowledgements.failureCount < 2)
			await new Promise((resolve) => setTimeout(resolve, 10));
		await group.stop();
		await using table = await loadTable(location);
		const ids = idsOf(await table.scan().toArray());
		expect(new Set(ids).size).toBe(ids.length);
		for (const { code, message } of group.acknowledgements.failures) {
			expect(code).not.toBe('UNEXPECTED');
			expect(message).toContain(location);
		}
	});
});
