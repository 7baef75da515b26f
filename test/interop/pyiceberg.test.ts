import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTable } from '../../src/index.ts';
import type { Loose } from '../support/corpus.ts';
import { canonicalRows, inOrder } from './canonical.ts';
import { Peer } from './peer.ts';
import { pruningCases, writePrunedTable } from './pruned-table.ts';
import {
	sampleTables,
	samplesFor,
	type SampleTable,
	writeSample,
	writeSamplesFor,
	type WrittenTable,
} from './sample-tables.ts';
import { temporaryFolder } from './temporary.ts';

const warehouse = temporaryFolder();
let pyiceberg: Peer;
let written: Map<string, WrittenTable>;

const sample = (name: string): WrittenTable => written.get(name) as WrittenTable;

beforeAll(async () => {
	pyiceberg = new Peer('pyiceberg');
	written = await writeSamplesFor('pyiceberg', warehouse);
});
afterAll(() => pyiceberg?.close());

describe('PyIceberg reads what we wrote', () => {
	it.each(samplesFor('pyiceberg').map(({ name }) => name))('%s', async (name) => {
		const { metadataLocation: metadata, rows } = sample(name);
		expect(inOrder(await pyiceberg.call('rows', { metadata }))).toEqual(inOrder(rows));
	});

	it('each snapshot, also after manifests were merged', async () => {
		const { table, appends, metadataLocation: metadata } = sample('snapshots');
		const snapshots = await table.snapshots();
		expect(snapshots).toHaveLength(8);
		for (const [n, { snapshotId }] of snapshots.entries()) {
			const rows = await pyiceberg.call('rows', { metadata, snapshot_id: String(snapshotId) });
			expect(inOrder(rows)).toEqual(inOrder(canonicalRows(table.schema, appends.slice(0, n + 1).flat())));
		}
		const { manifests } = await pyiceberg.call('about', { metadata });
		expect(manifests).toBe((await table.manifests()).length);
		expect(manifests).toBeLessThan(8);
	});

	it('the properties that were set and removed, and the sort order', async () => {
		const { table } = sample('sorted');
		await table.setProperties({ 'owner name': 'Zürich 😀', temporary: '1' });
		await table.removeProperties('temporary');
		const about = await pyiceberg.call('about', { metadata: table.metadataLocation });
		expect(about.properties['owner name']).toBe('Zürich 😀');
		expect(about.properties).not.toHaveProperty('temporary');
		expect(about.refs).toEqual(['main']);
		expect(about.sortOrder).toEqual([
			['duration_ms', 'DESC', 'NULLS_LAST'],
			['run_id', 'ASC', 'NULLS_FIRST'],
		]);
	});

	it('nulls in place of collections of structs, as they stand in the file', async () => {
		const { metadataLocation: metadata, rows } = await writeSample(
			warehouse,
			sampleTables.find(({ name }) => name === 'null_collections') as SampleTable,
		);
		expect(inOrder(await pyiceberg.call('rows_of_files', { metadata }))).toEqual(inOrder(rows));
	});

	it('the partition of each file', async () => {
		const buckets = await pyiceberg.call('partitions', { metadata: sample('by_hour').metadataLocation });
		expect(buckets).toContainEqual({ instant_hour: -1, day_day: -1, wall_year: -1 });
		expect(buckets).toContainEqual({ instant_hour: null, day_day: null, wall_year: null });
		const truncated = await pyiceberg.call('partitions', { metadata: sample('by_truncate').metadataLocation });
		expect(truncated).toContainEqual({
			i_trunc: -10,
			l_trunc: -4_000_000_000,
			dec_trunc: '-1.50',
			text_trunc: 'Zürich 😀',
			bin_trunc: '0001',
		});
	});

	it('rows in the order of the sort order', async () => {
		const { metadataLocation: metadata, rows } = sample('sorted');
		const files: Loose[][] = await pyiceberg.call('column_in_file_order', { metadata, column: 'duration_ms' });
		expect(files.flat()).toHaveLength(rows.length);
		for (const file of files) {
			// NaN counts as greater than all numbers
			const keys = file.map((value) => (value === 'NaN' ? Number.POSITIVE_INFINITY : value));
			expect(keys).toEqual(keys.toSorted((a, b) => b - a));
		}
	});
});

describe('PyIceberg prunes by our metrics', () => {
	it('plans the files that can match, and as many as we do', async () => {
		const { table, rows } = await writePrunedTable(warehouse);
		const metadata = table.metadataLocation;
		expect(inOrder(await pyiceberg.call('rows', { metadata }))).toEqual(inOrder(rows));
		const counts = await pyiceberg.call('planned_files', {
			metadata,
			wheres: pruningCases.map((one) => one.pyiceberg),
		});
		const ours = [];
		for (const one of pruningCases) {
			let count = 0;
			for await (const task of table.scan({ where: one.ours }).plan()) count += task.file.recordCount > 0 ? 1 : 0;
			ours.push(count);
		}
		const named = (of: number[]) => pruningCases.map(({ ours: filter }, k) => [filter, of[k]]);
		const expected = named(pruningCases.map(({ files }) => files));
		expect(named(counts)).toEqual(expected);
		expect(named(ours)).toEqual(expected);
	});

	it('plans partitions', async () => {
		const planned = (name: string, wheres: string[]) =>
			pyiceberg.call('planned_files', { metadata: sample(name).metadataLocation, wheres });
		expect(await planned('by_hour', ["day == '1969-12-31'", 'day is null'])).toEqual([1, 1]);
		expect(await planned('by_void', ['truth is null', 'truth == true'])).toEqual([1, 1]);
		expect(await planned('snapshots', ["started_at < '2024-03-02T00:00:00+00:00'"])).toEqual([3]);
	});
});

describe('a table that PyIceberg wrote', () => {
	it('reads the same for us, in each snapshot', async () => {
		const other = await pyiceberg.call('write_table', { folder: warehouse });
		const table = await loadTable(other.metadata);
		expect(table.readOnly).toBe(true);
		expect(table.properties.owner).toBe('tests');
		expect(other.rows).toHaveLength(75);
		expect(inOrder(canonicalRows(table.schema, await table.scan().toArray()))).toEqual(inOrder(other.rows));
		expect(await table.rowCount()).toBe(75);
		expect(other.snapshots.map(({ rows }: Loose) => rows.length)).toEqual([40, 65, 75]);
		for (const { id, rows } of other.snapshots) {
			const asOf = await table.timeTravel({ snapshotId: id });
			expect(inOrder(canonicalRows(asOf.schema, await asOf.scan().toArray()))).toEqual(inOrder(rows));
		}
		expect(await table.scan({ where: "region = 'süd' and ratio is nan" }).count()).toBe(
			other.rows.filter((row: Loose) => row.region === 'süd' && row.ratio === 'NaN').length,
		);
	});
});
