import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable, loadTable, long, schema, string, type Table } from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';
import { canonicalRows, inOrder } from './canonical.ts';
import { Peer } from './peer.ts';
import { pruningCases, writePrunedTable } from './pruned-table.ts';
import { samplesFor, writeSamplesFor, type WrittenTable } from './sample-tables.ts';
import { temporaryFolder } from './temporary.ts';

const warehouse = temporaryFolder();
let spark: Peer;
let written: Map<string, WrittenTable>;

beforeAll(async () => {
	spark = new Peer('spark', [warehouse]);
	written = await writeSamplesFor('spark', warehouse);
});
afterAll(() => spark?.close());

describe('Spark reads what we wrote', () => {
	it.each(samplesFor('spark').map(({ name }) => name))('%s', async (name) => {
		const { rows } = written.get(name) as WrittenTable;
		expect(inOrder(await spark.call('rows', { table: `db.${name}` }))).toEqual(inOrder(rows));
	});

	it('each snapshot, also after manifests were merged', async () => {
		const { table, appends } = written.get('snapshots') as WrittenTable;
		for (const [n, { snapshotId }] of (await table.snapshots()).entries()) {
			const rows = await spark.call('rows', { table: 'db.snapshots', snapshot_id: String(snapshotId) });
			expect(inOrder(rows)).toEqual(inOrder(canonicalRows(table.schema, appends.slice(0, n + 1).flat())));
		}
	});

	it('the files with their metrics, and the history', async () => {
		const { table } = written.get('snapshots') as WrittenTable;
		const files: Loose[] = await spark.call('query', {
			sql: 'SELECT file_path, record_count, file_size_in_bytes, readable_metrics.run_id AS run FROM c.db.snapshots.files',
		});
		const ours = await table.dataFiles();
		expect(files.map((file) => file.file_path).toSorted()).toEqual(ours.map((file) => file.location).toSorted());
		for (const { location, recordCount, fileSizeInBytes } of ours) {
			const file = files.find((one) => one.file_path === location);
			expect(file).toMatchObject({ record_count: String(recordCount), file_size_in_bytes: String(fileSizeInBytes) });
			expect(file.run).toMatchObject({ value_count: String(recordCount), null_value_count: '0' });
			expect(BigInt(file.run.lower_bound)).toBeLessThanOrEqual(BigInt(file.run.upper_bound));
		}
		const history: Loose[] = await spark.call('query', { sql: 'SELECT snapshot_id FROM c.db.snapshots.history' });
		const snapshots = await table.snapshots();
		expect(history.map((entry) => entry.snapshot_id)).toEqual(snapshots.map(({ snapshotId }) => String(snapshotId)));
	});

	it('with row lineage of version 3', async () => {
		const rows: Loose[] = await spark.call('query', {
			sql: 'SELECT id, _row_id, _last_updated_sequence_number AS seq FROM c.db.primitives_v3',
		});
		const { table } = written.get('primitives_v3') as WrittenTable;
		const ours = await table.scan({ select: ['id', '_row_id', '_last_updated_sequence_number'] }).toArray();
		expect(inOrder(rows)).toEqual(
			inOrder(
				ours.map((row: Loose) => ({
					id: String(row.id),
					_row_id: String(row._row_id),
					seq: String(row._last_updated_sequence_number),
				})),
			),
		);
	});
});

describe('Iceberg in Java prunes by our metrics', () => {
	it('plans the files that can match', async () => {
		const { rows } = await writePrunedTable(warehouse);
		expect(inOrder(await spark.call('rows', { table: 'db.pruned' }))).toEqual(inOrder(rows));
		const counts: number[] = await spark.call('planned_files', {
			table: 'db.pruned',
			filters: pruningCases.map(({ java }) => java),
		});
		expect(pruningCases.map(({ java }, k) => [java, counts[k]])).toEqual(
			pruningCases.map(({ java, files }) => [java, files]),
		);
		const found: Loose[] = await spark.call('rows', { table: 'db.pruned', where: "price <= 100.125 AND text >= 'a'" });
		expect(found).toHaveLength(11);
	});

	it('plans partitions', async () => {
		const planned = (name: string, ...filters: Loose[]) =>
			spark.call('planned_files', { table: `db.${name}`, filters });
		const files = (await (written.get('by_bucket') as WrittenTable).table.dataFiles()).length;
		const [one] = await planned('by_bucket', ['text', 'equal', 'Zürich 😀/=%33']);
		expect(one).toBeGreaterThan(0);
		expect(one).toBeLessThan(files);
		expect(await planned('by_hour', ['day', 'equal', '1969-12-31'], ['day', 'isNull'])).toEqual([1, 1]);
	});
});

describe('Spark and we write to one table', () => {
	const columns = schema({ id: long().required(), region: string() });

	async function sharedTable(name: string, formatVersion: 1 | 2 | 3): Promise<Table> {
		return (await createTable(join(warehouse, 'db', name), columns, {
			partitionBy: ['region', 'bucket(2, id)'],
			properties: { kept: 'ours', 'commit.retry.num-retries': '20' },
			formatVersion,
		})) as unknown as Table;
	}

	it.each([1, 2, 3] as const)('in turn, version %s', async (formatVersion) => {
		const name = `turns_v${formatVersion}`;
		const table = await sharedTable(name, formatVersion);
		await table.append([{ id: 1n, region: 'ours' }]);
		await spark.call('query', { sql: `INSERT INTO c.db.${name} VALUES (2, 'theirs'), (9007199254740993, null)` });
		await spark.call('query', { sql: `ALTER TABLE c.db.${name} SET TBLPROPERTIES ('note' = 'theirs')` });
		await table.append([{ id: 3n, region: 'ours' }]);
		await table.setProperties({ more: 'ours' });
		const expected = [
			{ id: '1', region: 'ours' },
			{ id: '2', region: 'theirs' },
			{ id: '3', region: 'ours' },
			{ id: '9007199254740993', region: null },
		];
		expect(inOrder(await spark.call('rows', { table: `db.${name}` }))).toEqual(inOrder(expected));
		const again = await loadTable(join(warehouse, 'db', name));
		expect(inOrder(canonicalRows(again.schema, await again.scan().toArray()))).toEqual(inOrder(expected));
		expect(again.properties).toMatchObject({ kept: 'ours', note: 'theirs', more: 'ours' });
		expect(await spark.call('properties', { table: `db.${name}` })).toMatchObject({
			kept: 'ours',
			note: 'theirs',
			more: 'ours',
		});
		expect(await again.snapshots()).toHaveLength(3);
		expect(await again.rowCount()).toBe(4);
	});

	it('at the same time: no append of either is lost', async () => {
		const name = 'contended';
		const table = await sharedTable(name, 2);
		// All snapshots stay, so that each can be looked at.
		await table.setProperties({ 'datashard.maintenance.enabled': 'false' });
		await table.append([{ id: 0n, region: 'ours' }]);
		const theirs = 6;
		let running = true;
		const spark_ = (async () => {
			for (let n = 0; n < theirs; n++) {
				await spark.call('query', { sql: `INSERT INTO c.db.${name} VALUES (${1_000_000 + n}, 'theirs')` });
			}
		})().finally(() => {
			running = false;
		});
		let ours = 1;
		while (running && ours < 200) {
			await table.append([{ id: BigInt(ours++), region: 'ours' }]);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		await spark_;
		expect(ours).toBeGreaterThan(theirs);
		const expected = [
			...Array.from({ length: ours }, (_, n) => ({ id: String(n), region: 'ours' })),
			...Array.from({ length: theirs }, (_, n) => ({ id: String(1_000_000 + n), region: 'theirs' })),
		];
		await table.refresh();
		expect(inOrder(canonicalRows(table.schema, await table.scan().toArray()))).toEqual(inOrder(expected));
		expect(inOrder(await spark.call('rows', { table: `db.${name}` }))).toEqual(inOrder(expected));
		expect(table.properties).toMatchObject({ kept: 'ours', 'commit.retry.num-retries': '20' });
		const sequence = (await table.snapshots()).map(({ sequenceNumber }) => sequenceNumber);
		expect(sequence).toEqual(sequence.map((_, n) => BigInt(n + 1)));
	});
});
