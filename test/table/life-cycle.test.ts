/** Tables are made, opened, closed and dropped. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createTable, dropTable, int, loadTable, long, MemoryFileIO, schema, Schema, string } from '../../src/index.ts';
import { listing, newFolder, pairRows, pairs } from './support.ts';

const home = process.cwd();
afterEach(() => process.chdir(home));

describe('createTable', () => {
	it('makes an Iceberg table of format version 2 in a folder that it makes', async () => {
		const folder = join(newFolder(), 'deep/er/t');
		const table = await createTable(folder, pairs);
		expect(table.location).toBe(folder);
		expect(table.formatVersion).toBe(2);
		expect(table.readOnly).toBe(false);
		expect(table.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
		expect(listing(folder)).toEqual(['metadata', 'metadata/v1.metadata.json', 'metadata/version-hint.text']);
		expect(readFileSync(`${folder}/metadata/version-hint.text`, 'utf8')).toBe('1');
		const json = JSON.parse(readFileSync(table.metadataLocation, 'utf8'));
		expect(json).toMatchObject({ 'format-version': 2, location: folder, 'last-column-id': 2, 'current-schema-id': 0 });
	});

	it('takes a Schema as the Python library writes it, as an object, and one of builders', async () => {
		const fields = [
			{ id: 1, name: 'user_id', type: 'long', required: true },
			{ id: 2, name: 'name', type: 'string', required: false },
		];
		for (const [i, given] of [
			new Schema({ schemaId: 1, fields }),
			{ schemaId: 1, fields },
			schema({ user_id: long().required(), name: string() }),
		].entries()) {
			const table = await createTable(`memory:/${i}`, given as Schema, { io: new MemoryFileIO() });
			expect(table.schema.fields.map(({ id, name, required, type }) => [id, name, required, type.kind])).toEqual([
				[1, 'user_id', true, 'long'],
				[2, 'name', false, 'string'],
			]);
			await table.append([{ user_id: 1 }]);
			expect(await table.scan().toArray()).toEqual([{ user_id: 1n, name: null }]);
		}
	});

	it('keeps partitioning, order, properties and format version', async () => {
		const io = new MemoryFileIO();
		await createTable('memory:/t', schema({ id: long().required(), at: int(), region: string() }), {
			io,
			partitionBy: ['bucket(16, id)', 'region', 'truncate(2, region)'],
			sortBy: ['id desc nulls last', 'region'],
			properties: { 'write.format.default': 'parquet', owner: 'me' },
			formatVersion: 3,
		});
		const table = await loadTable('memory:/t', { io });
		expect(table.formatVersion).toBe(3);
		expect(table.spec.fields.map(({ name, transform }) => [name, transform.kind])).toEqual([
			['id_bucket', 'bucket'],
			['region', 'identity'],
			['region_trunc', 'truncate'],
		]);
		expect(table.sortOrder.fields).toMatchObject([
			{ sourceId: 1, direction: 'desc', nullOrder: 'nulls-last' },
			{ sourceId: 3, direction: 'asc', nullOrder: 'nulls-first' },
		]);
		expect(table.properties).toMatchObject({ owner: 'me' });
	});

	it('leaves other files in the folder alone', async () => {
		const folder = newFolder();
		writeFileSync(`${folder}/notes.txt`, 'mine');
		await createTable(folder, pairs);
		expect(readFileSync(`${folder}/notes.txt`, 'utf8')).toBe('mine');
	});

	it('of several at once in one place, exactly one succeeds', async () => {
		const folder = newFolder();
		const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => createTable(folder, pairs)));
		expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
		for (const outcome of outcomes)
			if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ALREADY_EXISTS' });
		expect(listing(`${folder}/metadata`)).toEqual(['v1.metadata.json', 'version-hint.text']);
	});

	it.skipIf(process.platform === 'win32')('makes files that others may read, as the umask has it', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		await table.append(pairRows(1));
		const mask = process.umask();
		for (const name of listing(folder)) {
			const { mode } = statSync(join(folder, name));
			const full = statSync(join(folder, name)).isDirectory() ? 0o777 : 0o666;
			expect((mode & 0o777).toString(8), name).toBe((full & ~mask).toString(8));
		}
	});
});

describe('loadTable', () => {
	it('by folder: plain, with a slash, relative, as file: URL', async () => {
		const folder = newFolder();
		await (await createTable(folder, pairs)).append(pairRows(3));
		process.chdir(join(folder, '..'));
		const relative = `./${folder.slice(folder.lastIndexOf('/') + 1)}`;
		for (const location of [folder, `${folder}/`, relative, pathToFileURL(folder), pathToFileURL(folder).href]) {
			const table = await loadTable(location);
			expect(table.location).toBe(folder);
			expect(await table.scan().count()).toBe(3);
		}
	});

	it('by a metadata file, read-only, as that file has it', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		await table.append(pairRows(2));
		const location = table.metadataLocation;
		await table.append(pairRows(3));
		const then = await loadTable<object, { id: bigint }>(location);
		expect(then.readOnly).toBe(true);
		expect(then.location).toBe(location);
		expect(await then.scan().count()).toBe(2);
		expect(await (await then.refresh()).rowCount()).toBe(2);
		const before = listing(folder);
		await expect(then.append([{ id: 1 }])).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			message: expect.stringContaining(location),
		});
		expect(() => then.newTransaction()).toThrowError(expect.objectContaining({ code: 'UNSUPPORTED' }));
		await expect(then.setProperties({ a: 'b' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
		expect(listing(folder)).toEqual(before);
	});

	it('works without a hint, with a stale one, with garbage as hint', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		for (let i = 0; i < 3; i++) await table.append(pairRows(1));
		const hint = `${folder}/metadata/version-hint.text`;
		for (const text of ['1', '4', 'garbage', '', '999999999999999999999']) {
			writeFileSync(hint, text);
			expect(await (await loadTable(folder)).rowCount()).toBe(3);
		}
	});
});

describe('chdir', () => {
	it('changes nothing for a table that was opened by a relative path', async () => {
		const folder = newFolder();
		process.chdir(folder);
		const table = await createTable('./t', pairs);
		await table.append(pairRows(1));
		const opened = await loadTable<{ id: number }>('t');
		process.chdir(newFolder());
		await table.append(pairRows(1, 1));
		await opened.append([{ id: 2 }]);
		expect(await opened.scan().count()).toBe(3);
		expect(await table.scan().count()).toBe(3);
		expect(table.location).toBe(join(folder, 't'));
		expect(listing(process.cwd())).toEqual([]);
		expect((await opened.dataFiles()).every(({ location }) => location.startsWith(`${folder}/t/`))).toBe(true);
	});
});

describe('dropTable', () => {
	it('removes the table with its files, and an empty folder', async () => {
		const folder = join(newFolder(), 't');
		const table = await createTable(folder, pairs, { partitionBy: ['truncate(1, name)'] });
		await table.append(pairRows(20));
		const files = listing(folder).filter((name) => statSync(join(folder, name)).isFile());
		const result = await dropTable(folder);
		expect(result).toMatchObject({ keptFiles: [], keptFileCount: 0, deletedFileCount: files.length });
		expect(existsSync(folder) ? listing(folder) : []).toEqual([]);
		await expect(loadTable(folder)).rejects.toMatchObject({ code: expect.stringMatching(/NOT_FOUND|NOT_A_TABLE/) });
		await expect(table.append(pairRows(1))).rejects.toMatchObject({
			code: expect.stringMatching(/NOT_FOUND|NOT_A_TABLE/),
		});
		expect(existsSync(folder) ? listing(folder).filter((name) => name.includes('.')) : []).toEqual([]);
	});

	it("keeps files that are not the table's, and tells them", async () => {
		const folder = newFolder();
		await (await createTable(folder, pairs)).append(pairRows(1));
		writeFileSync(`${folder}/notes.txt`, 'mine');
		expect(await dropTable(folder)).toMatchObject({ keptFiles: [`${folder}/notes.txt`], keptFileCount: 1 });
		expect(listing(folder)).toEqual(['notes.txt']);
	});

	it('refuses a folder that is no table, a metadata file, and a place with nothing', async () => {
		const folder = newFolder();
		writeFileSync(`${folder}/notes.txt`, 'mine');
		mkdirSync(`${folder}/data`);
		writeFileSync(`${folder}/data/x.parquet`, 'mine');
		await expect(dropTable(folder)).rejects.toMatchObject({ code: 'NOT_A_TABLE' });
		expect(listing(folder)).toEqual(['data', 'data/x.parquet', 'notes.txt']);
		await expect(dropTable(`${folder}/nothing`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
		const table = await createTable(`${folder}/t`, pairs);
		await expect(dropTable(table.metadataLocation)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
		expect(await (await loadTable(`${folder}/t`)).rowCount()).toBe(0);
	});

	it('a new table can take its place', async () => {
		const folder = newFolder();
		await (await createTable(folder, pairs)).append(pairRows(5));
		await dropTable(folder);
		const table = await createTable(folder, pairs);
		await table.append(pairRows(1));
		expect(await table.scan().count()).toBe(1);
	});
});

describe('close', () => {
	it('waits for what is under way; further calls are refused; closing twice is no error', async () => {
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		const appending = table.append(pairRows(3));
		await table.close();
		expect(await appending).toMatchObject({ committed: true, rowCount: 3 });
		await table.close();
		await expect(table.append(pairRows(1))).rejects.toMatchObject({ code: 'CLOSED' });
		expect(() => table.scan()).toThrowError(expect.objectContaining({ code: 'CLOSED' }));
		expect(() => table.newTransaction()).toThrowError(expect.objectContaining({ code: 'CLOSED' }));
		await expect(table.currentSnapshot()).rejects.toMatchObject({ code: 'CLOSED' });
		await expect(table.rowCount()).rejects.toMatchObject({ code: 'CLOSED' });
		expect(await (await loadTable(folder)).rowCount()).toBe(3);
	});

	it('is done at the end of an await using block', async () => {
		let kept;
		{
			await using table = await createTable(newFolder(), pairs);
			await table.append(pairRows(1));
			kept = table;
		}
		await expect(kept.rowCount()).rejects.toMatchObject({ code: 'CLOSED' });
	});
});

describe('options that there are not', () => {
	it('are refused, with those that are near', async () => {
		const io = new MemoryFileIO();
		const table = await createTable('memory:/t', pairs, { io });
		const refusal = (option: string) =>
			expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`'${option}'`) });
		await expect(loadTable('memory:/t', { io, readonly: true } as never)).rejects.toEqual(refusal('readonly'));
		await expect(dropTable('memory:/t', { io, force: true } as never)).rejects.toEqual(refusal('force'));
		await expect(table.append([{ id: 1 }], { idempotencykey: 'a' } as never)).rejects.toEqual(
			refusal('idempotencyKey'),
		);
		await expect(table.timeTravel({ asOfMs: 5 } as never)).rejects.toEqual(refusal('asOfMs'));
		expect(() => table.newTransaction({ append: 'quick' } as never)).toThrowError(/'merge' or 'fast', not quick/);
		expect(() => table.scan(5 as never)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
		expect(await table.snapshots()).toEqual([]);
	});
});
