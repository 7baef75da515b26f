import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFolderTable } from '../../src/catalog/folder-table.ts';
import {
	createTable,
	loadTable,
	LocalFileIO,
	parseSchemaText,
	type Table,
	type VerifyReport,
	verifyTable,
} from '../../src/index.ts';
import type { DataFile } from '../../src/manifest/types.ts';
import { toBinary } from '../../src/spec/single-value.ts';
import { AppendAction } from '../../src/transaction/append.ts';
import { TransactionCore } from '../../src/transaction/transaction.ts';
import { systemClock, systemRandom } from '../../src/util/system-ports.ts';

const scratch = mkdtempSync(join(tmpdir(), 'datashard-verify-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let tables = 0;

const schema = parseSchemaText('id long required, name string, score double, at timestamptz, s struct<a: int>');
const rows = Array.from({ length: 300 }, (_, i) => ({
	id: i,
	name: i % 7 === 0 ? null : `name ${i}`,
	score: i % 11 === 0 ? Number.NaN : i / 4,
	at: new Date(Date.UTC(2024, 0, 1 + (i % 3), 12)),
	s: i % 5 === 0 ? null : { a: i },
}));

async function newTable(): Promise<Table> {
	const table = await createTable(join(scratch, `t${tables++}`), schema, { partitionBy: ['day(at)', 'bucket(2, id)'] });
	await table.append(rows);
	return table as unknown as Table;
}

async function verified(table: Table, deep = true): Promise<VerifyReport> {
	return verifyTable(table, { deep });
}

/** A table to which the data files of another one were added, described otherwise than they are. */
async function describedOtherwise(change: (file: DataFile) => DataFile): Promise<VerifyReport> {
	const table = await newTable();
	const files = await table.dataFiles();
	const other = await createTable(join(scratch, `t${tables++}`), schema, { partitionBy: ['day(at)', 'bucket(2, id)'] });
	// the storage of a table is confined to its folder: that of this test is not
	const io = new LocalFileIO();
	const opened = await openFolderTable(other.location, { io });
	const core = new TransactionCore(opened.committer, opened.loaded, { clock: systemClock, random: systemRandom });
	const append = new AppendAction({ manifests: 'fast', summary: {} });
	for (const [index, file] of files.entries()) append.addFile(index === 0 ? change(file) : file);
	core.add(append);
	await core.commit();
	return verifyTable(await loadTable(other.location, { io }), { deep: true });
}

describe('a sound table', () => {
	it('has no problem, and its checksums were all compared', async () => {
		const table = await newTable();
		const report = await verified(table);
		expect(report).toMatchObject({
			ok: true,
			deep: true,
			dataFileCount: 6,
			deleteFileCount: 0,
			rowCount: 300,
			problemCount: 0,
			uncheckedCount: 0,
		});
		expect(report.problems).toEqual([]);
		expect(report.checksumCount).toBeGreaterThanOrEqual(30);
		expect(report.pagesWithoutChecksum).toBe(0);
		expect(report.snapshotId).toBe((await table.currentSnapshot())?.snapshotId);
	});

	it('is sound at an earlier snapshot too, and without any', async () => {
		const table = await newTable();
		const first = await table.currentSnapshot();
		await table.append(rows.slice(0, 10));
		expect(await verifyTable(table, { snapshotId: first!.snapshotId })).toMatchObject({ ok: true, rowCount: 300 });
		expect(await verifyTable(table)).toMatchObject({ ok: true, rowCount: 310 });
		const empty = await createTable(join(scratch, 'empty'), schema);
		expect(await verifyTable(empty)).toMatchObject({ ok: true, snapshotId: undefined, manifestCount: 0 });
	});
});

describe('damage to files', () => {
	it.each<[string, (path: string) => void, string]>([
		['a data file that is gone', (path) => rmSync(path), 'missing'],
		['a data file cut short', (path) => truncateSync(path, 100), 'length'],
		[
			'a data file that grew',
			(path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('x')])),
			'length',
		],
		['a data file of zeros', (path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length)), 'unreadable'],
	])('%s is found without reading rows', async (_name, damage, kind) => {
		const table = await newTable();
		const [file] = await table.dataFiles();
		damage(file!.location);
		const report = await verified(table, false);
		expect(report.ok).toBe(false);
		expect(report.problems).toEqual([{ kind, location: file!.location, message: expect.any(String) }]);
	});

	it('any changed byte of the pages is found, without reading rows', async () => {
		const table = await newTable();
		const [file] = await table.dataFiles();
		const path = file!.location;
		const whole = readFileSync(path);
		const footerStart = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
		let found = 0;
		for (let at = 4; at < footerStart; at += 5) {
			const changed = Buffer.from(whole);
			changed[at] = (changed[at] as number) ^ 0x10;
			writeFileSync(path, changed);
			const report = await verified(table, false);
			// bytes of the page index stand between the pages and the footer; headers may hold statistics
			if (!report.ok) {
				expect(['checksum', 'unreadable', 'count']).toContain(report.problems[0]?.kind);
				found++;
			}
		}
		expect(found).toBeGreaterThan(40);
	});

	it.each<[string, (table: Table) => Promise<string>, (path: string) => void, string]>([
		[
			'manifest list',
			async (table) => (await table.currentSnapshot())!.manifestList!,
			(path) => rmSync(path),
			'missing',
		],
		['manifest', async (table) => (await table.manifests())[0]!.location, (path) => rmSync(path), 'missing'],
		['manifest', async (table) => (await table.manifests())[0]!.location, (path) => truncateSync(path, 50), 'length'],
		[
			'manifest',
			async (table) => (await table.manifests())[0]!.location,
			(path) => {
				const bytes = readFileSync(path);
				bytes.fill(0xff, bytes.length - 200);
				writeFileSync(path, bytes);
			},
			'unreadable',
		],
	])('a %s (%#)', async (_name, find, damage, kind) => {
		const table = await newTable();
		const path = await find(table);
		damage(path);
		const report = await verified(table);
		expect(report.problems[0]).toMatchObject({ kind, location: path });
	});
});

describe('metadata that do not tell the truth', () => {
	const kinds = (report: VerifyReport): string[] => [...new Set(report.problems.map(({ kind }) => kind))];
	const map = <V>(was: ReadonlyMap<number, V> | undefined, id: number, value: V): Map<number, V> =>
		new Map([...(was ?? []), [id, value]]);

	it('is sound when nothing is changed', async () => {
		expect((await describedOtherwise((file) => file)).problems).toEqual([]);
	});

	it.each<[string, (file: DataFile) => DataFile, string, string]>([
		['row count', (file) => ({ ...file, recordCount: file.recordCount + 1 }), 'count', 'the manifest says'],
		['value count', (file) => ({ ...file, valueCounts: map(file.valueCounts, 1, 9) }), 'statistics', "'id': "],
		['null count', (file) => ({ ...file, nullValueCounts: map(file.nullValueCounts, 2, 0) }), 'statistics', "'name': "],
		['NaN count', (file) => ({ ...file, nanValueCounts: map(file.nanValueCounts, 3, 0) }), 'statistics', "'score': "],
		[
			'nested null count',
			(file) => ({ ...file, nullValueCounts: map(file.nullValueCounts, 6, 0) }),
			'statistics',
			"'s.a': ",
		],
		[
			'lower bound',
			(file) => ({ ...file, lowerBounds: map(file.lowerBounds, 1, toBinary({ kind: 'long' }, 250n)) }),
			'statistics',
			'below the lower bound 250',
		],
		[
			'upper bound',
			(file) => ({ ...file, upperBounds: map(file.upperBounds, 2, new TextEncoder().encode('name 1')) }),
			'statistics',
			'above the upper bound',
		],
		[
			'upper bound of doubles',
			(file) => ({ ...file, upperBounds: map(file.upperBounds, 3, toBinary({ kind: 'double' }, 1)) }),
			'statistics',
			'above the upper bound 1',
		],
		[
			'broken bound',
			(file) => ({ ...file, upperBounds: map(file.upperBounds, 1, new Uint8Array(3)) }),
			'statistics',
			'cannot be read',
		],
		[
			'partition',
			(file) => ({ ...file, partition: [(file.partition[0] as number) + 1, file.partition[1]!] }),
			'partition',
			"the file's partition 'at_day'",
		],
		[
			'bucket',
			(file) => ({ ...file, partition: [file.partition[0]!, 1 - (file.partition[1] as number)] }),
			'partition',
			"the file's partition 'id_bucket'",
		],
		['length', (file) => ({ ...file, fileSizeInBytes: file.fileSizeInBytes + 1 }), 'length', 'bytes, metadata say'],
	])('%s', async (_name, change, kind, message) => {
		const report = await describedOtherwise(change);
		expect(report.ok).toBe(false);
		expect(kinds(report)).toContain(kind);
		expect(report.problems.some((problem) => problem.kind === kind && problem.message.includes(message))).toBe(true);
	});

	it('the same file twice', async () => {
		const table = await newTable();
		const [file] = await table.dataFiles();
		const opened = await openFolderTable(table.location);
		const core = new TransactionCore(opened.committer, opened.loaded, { clock: systemClock, random: systemRandom });
		const append = new AppendAction({ manifests: 'fast', summary: {} });
		append.addFile(file!);
		core.add(append);
		await core.commit();
		expect((await verified(table)).problems).toContainEqual({
			kind: 'duplicate',
			location: file!.location,
			message: expect.any(String),
		});
	});
});
