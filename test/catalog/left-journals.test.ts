import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable, loadTable } from '../../src/catalog/open-table.ts';
import { long, schema } from '../../src/spec/schema-builder.ts';
import { builtPackage } from '../support/dist.ts';

let folder: string;
let index: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'datashard-left-'));
	index = pathToFileURL(join(await builtPackage(), 'index.js')).href;
}, 150_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('rows that a killed process had journaled', () => {
	it('are there for whoever opens the table next, and their journal is not', async () => {
		const location = join(folder, 't');
		// So long that no leader has folded them when the process is killed.
		const properties = { 'datashard.commit-interval-ms': '60000' };
		await (await createTable(location, schema({ id: long().required() }), { properties })).close();
		const program = join(folder, 'writer.mjs');
		await writeFile(
			program,
			`import { loadTable } from '${index}';
			const table = await loadTable(${JSON.stringify(location)});
			await table.append([{ id: 1 }, { id: 2 }], { until: 'journaled' });
			await table.append([{ id: 3 }], { until: 'journaled' });
			process.stdout.write('journaled');`,
		);
		const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
		const ended = once(child, 'close');
		const [said] = (await once(child.stdout, 'data')) as [Buffer];
		child.kill('SIGKILL');
		await ended;
		expect(said.toString()).toBe('journaled');
		expect(await readdir(join(location, '_journal'))).toHaveLength(1);

		await using table = await loadTable(location);
		const ids = (await table.scan().toArray()).map((row) => row['id']);
		expect(ids.sort()).toEqual([1n, 2n, 3n]);
		expect(await readdir(join(location, '_journal'))).toEqual([]);
		expect(table.properties['datashard.journals']).toMatch(/^\S+$/);
		await using again = await loadTable(location);
		expect(await again.rowCount()).toBe(3);
	});
});
