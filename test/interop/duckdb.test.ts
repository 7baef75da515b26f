import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalRows, inOrder } from './canonical.ts';
import { Peer } from './peer.ts';
import { pruningCases, writePrunedTable } from './pruned-table.ts';
import { samplesFor, writeSamplesFor, type WrittenTable } from './sample-tables.ts';
import { temporaryFolder } from './temporary.ts';

const warehouse = temporaryFolder();
let duckdb: Peer;
let written: Map<string, WrittenTable>;

beforeAll(async () => {
	duckdb = new Peer('duckdb');
	written = await writeSamplesFor('duckdb', warehouse);
});
afterAll(() => duckdb?.close());

describe('DuckDB reads what we wrote', () => {
	it.each(samplesFor('duckdb').map(({ name }) => name))('%s', async (name) => {
		const { metadataLocation: metadata, rows } = written.get(name) as WrittenTable;
		expect(inOrder(await duckdb.call('rows', { metadata }))).toEqual(inOrder(rows));
	});

	it('each snapshot, also after manifests were merged', async () => {
		const { table, appends, metadataLocation: metadata } = written.get('snapshots') as WrittenTable;
		for (const [n, { snapshotId }] of (await table.snapshots()).entries()) {
			const rows = await duckdb.call('rows', { metadata, snapshot_id: String(snapshotId) });
			expect(inOrder(rows)).toEqual(inOrder(canonicalRows(table.schema, appends.slice(0, n + 1).flat())));
		}
	});

	it('with filters, which it prunes by our metrics', async () => {
		const { table } = await writePrunedTable(warehouse);
		for (const { ours: where } of pruningCases.filter(({ ours }) => !ours.endsWith('is nan'))) {
			const rows = await duckdb.call('rows', { metadata: table.metadataLocation, where });
			const expected = canonicalRows(table.schema, await table.scan({ where }).toArray());
			// NaN is above all numbers for both
			expect({ where, rows: inOrder(rows) }).toEqual({ where, rows: inOrder(expected) });
		}
	});
});
