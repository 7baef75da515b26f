import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable, loadTable, long, schema } from '../../src/index.ts';
import { cli } from './run-cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'datashard-cli-maintenance-'));
const place = join(scratch, 't');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

beforeAll(async () => {
	await using table = await createTable(place, schema({ id: long().required() }));
	for (let id = 0n; id < 6n; id++) await table.append([{ id }]);
	const dead = join(place, 'data', 'dead.parquet');
	writeFileSync(dead, 'PAR1');
	utimesSync(dead, 1, 1);
});

const rowCount = async (): Promise<number> => {
	await using table = await loadTable(place);
	return await table.rowCount();
};

describe('maintenance commands', () => {
	it('tell what they would do, and do it, without a change to the rows', async () => {
		expect(await cli(['compact', place, '--dry-run'])).toMatchObject({
			code: 0,
			stdout: expect.stringContaining('would rewrite 6 files'),
		});
		expect((await cli(['compact', place])).stdout).toMatch(
			/^compact: 6 files, .* became 1 file, .* the same 6 rows\n$/,
		);
		expect((await cli(['rewrite-manifests', place, '--force'])).stdout).toMatch(/^manifests: \d became 1\n$/);
		const dry = await cli(['expire', place, '--older-than', '0', '--grace', '0', '--dry-run', '--json']);
		expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true, snapshots: { length: 7 } });
		expect((await cli(['expire', place, '--older-than', '0'])).stdout).toContain('files of 7 removed snapshots stay');
		expect(readdirSync(join(place, 'data'))).toHaveLength(8);
		expect((await cli(['expire', place, '--grace', '0'])).stdout).toMatch(/\d+ files deleted, /);
		expect(readdirSync(join(place, 'data'))).toHaveLength(2);
		expect((await cli(['remove-orphans', place, '--dry-run'])).stdout).toMatch(
			/^would delete .*dead\.parquet: nothing in the table refers to it; last changed \d+ days ago\n1 file to delete, 4 B\n$/,
		);
		const vacuumed = await cli(['vacuum', place, '--json']);
		expect(JSON.parse(vacuumed.stdout)).toMatchObject({ deletedFileCount: 1, deletedBytes: 4 });
		expect(readdirSync(join(place, 'data'))).toHaveLength(1);
		expect(await rowCount()).toBe(6);
		expect((await cli(['verify', place, '--deep'])).stdout).toContain('sound');
	});

	it.each([
		[['expire', place, '--older-than', '5 weeks'], '--older-than is a duration'],
		[['compact', place, '--target-size', 'big'], '--target-size is a number of bytes'],
		[['remove-orphans', place, '--older-than', '1h'], 'say so with force'],
		[['expire', place, '--snapshot', '12'], 'no snapshot 12'],
	])('%j is refused', async (args, message) => {
		const result = await cli(args);
		expect(result.code).not.toBe(0);
		expect(result.stderr).toContain(message);
		expect(await rowCount()).toBe(6);
	});
});
