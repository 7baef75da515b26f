import { describe, expect, it } from 'vitest';
import { verifySnapshot } from '../../src/maintenance/verify.ts';
import { parseTableMetadata } from '../../src/spec/table-metadata-json.ts';
import { corpusFileIO, corpusTables } from '../support/corpus.ts';

const tables = corpusTables();

describe.skipIf(tables.length === 0)(
	'verification of tables of other writers (skipped where ../shared is absent)',
	() => {
		it.each(tables.map((table) => [table.name, table] as const))('%s is sound', async (_name, table) => {
			const metadata = parseTableMetadata(table.metadataText(), table.metadataLocation);
			const report = await verifySnapshot(corpusFileIO(), metadata, { deep: true });
			expect(report.problems).toEqual([]);
		});
	},
);
