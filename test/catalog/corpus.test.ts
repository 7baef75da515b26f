import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFolderTable, openMetadataFile } from '../../src/catalog/folder-table.ts';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { applyUpdates } from '../../src/metadata/reduce.ts';
import { corpusTables } from '../support/corpus.ts';

const tables = corpusTables();
const folder = mkdtempSync(join(tmpdir(), 'datashard-corpus-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The corpus is not part of the project: without ../shared there is nothing to read.
describe.skipIf(tables.length === 0)('tables of other engines (skipped without ../shared)', () => {
	it('open by their metadata files, and by their folders where these tell which one is current', async () => {
		let byFolder = 0;
		const refused: string[] = [];
		for (const table of tables) {
			const opened = await openMetadataFile(table.metadataPath);
			expect(opened.loaded.metadata.formatVersion, table.name).toBe(table.formatVersion);
			const place = dirname(dirname(table.metadataPath));
			try {
				const { loaded } = await openFolderTable(place);
				expect(loaded.metadata, table.name).toEqual(opened.loaded.metadata);
				byFolder++;
			} catch (error) {
				expect(isIcebergError(error, 'NOT_A_TABLE'), `${table.name}: ${error}`).toBe(true);
				const { newestMetadataLocation } = (error as { context: Record<string, unknown> }).context;
				expect(newestMetadataLocation, table.name).toMatch(/\.metadata\.json$/);
				refused.push(table.name);
			}
		}
		expect(byFolder).toBeGreaterThan(50);
		expect(refused.length).toBeGreaterThan(0);
		expect(byFolder + refused.length).toBe(tables.length);
	});

	it('can be read where they were copied to, but not committed to', async () => {
		const table = tables.find((each) => each.metadataPath.endsWith('/v2.metadata.json'));
		expect(table).toBeDefined();
		const copy = join(folder, 'copy');
		cpSync(dirname(dirname(table?.metadataPath as string)), copy, { recursive: true });
		const { committer, loaded } = await openFolderTable(copy);
		const updates = [{ action: 'set-properties' as const, updates: { a: 'b' } }];
		const next = applyUpdates(loaded.metadata, updates, { nowMs: 1, metadataLocation: loaded.metadataLocation });
		const swap = committer.swap({ base: loaded, requirements: [], updates, next, commitId: 'c' });
		await expect(swap).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringMatching(/moved or copied/),
		});
	});
});
