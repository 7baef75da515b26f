/** Schemas, places and files that cannot be a table are refused, and nothing is written. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
	createTable,
	IcebergError,
	loadTable,
	long,
	parseJson,
	schema,
	Schema,
	string,
	stringifyJson,
	timestampNs,
	type CreateTableOptions,
} from '../../src/index.ts';
import { listing, newFolder, pairRows, pairs } from '../table/support.ts';

async function refusalOf(work: () => Promise<unknown>): Promise<IcebergError> {
	const error = await work().then(
		() => undefined,
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(IcebergError);
	return error as IcebergError;
}

describe('a schema is refused with', () => {
	const field = (id: number, name: string, type: unknown = 'long', required = false) => ({ id, name, type, required });
	it.each([
		['two fields of one id', [field(1, 'a'), field(1, 'b')], /1.*'?(a|b)/],
		['two fields of one name', [field(1, 'a'), field(2, 'a')], /'a'/],
		['one id at two levels', [field(1, 'a'), field(2, 's', { type: 'struct', fields: [field(1, 'x')] })], /id 1|1 /],
		['a type that there is not', [field(1, 'a', 'longish')], /longish/],
		['an empty name', [field(1, '')], /name/],
		['a negative id', [field(-1, 'a')], /-1/],
		['an id that is no integer', [field(1.5, 'a')], /1\.5/],
		['no fields at all: not an array', 'a: long', /fields/],
	])('%s', async (_, fields, message) => {
		const folder = join(newFolder(), 't');
		const error = await refusalOf(async () => createTable(folder, { fields } as never));
		expect(error.code).toMatch(/INVALID_SCHEMA|INVALID_ARGUMENT/);
		expect(error.message).toMatch(message);
		expect(existsSync(folder)).toBe(false);
	});

	it('two builders of one id; Schema by its constructor', () => {
		expect(() => schema({ a: long().id(5), b: string().id(5) })).toThrowError(
			expect.objectContaining({ code: 'INVALID_SCHEMA', message: expect.stringMatching(/5/) }),
		);
		expect(
			() =>
				new Schema({
					fields: [
						{ id: 1, name: 'a', type: 'long', required: true },
						{ id: 1, name: 'b', type: 'long', required: true },
					],
				}),
		).toThrowError(expect.objectContaining({ code: 'INVALID_SCHEMA' }));
	});

	it('types of a newer format version than asked for', async () => {
		const folder = join(newFolder(), 't');
		const error = await refusalOf(() => createTable(folder, schema({ at: timestampNs() })));
		expect(error.message).toMatch(/'at'.*timestamp_ns|timestamp_ns.*'at'/);
		expect(error.message).toMatch(/3/);
		expect(existsSync(folder)).toBe(false);
	});
});

describe('a table is not made with', () => {
	it.each<[string, unknown, RegExp]>([
		['a partition of an unknown column', { partitionBy: ['day(nobody)'] }, /nobody/],
		['an unknown transform', { partitionBy: ['week(id)'] }, /week/],
		['a transform that does not go with the type', { partitionBy: ['day(name)'] }, /day.*name|name.*day/],
		['two partitions of one name', { partitionBy: ['id', 'id'] }, /id/],
		['a bucket count of nothing', { partitionBy: ['bucket(0, id)'] }, /0/],
		['partitionBy as text', { partitionBy: 'id' }, /partitionBy/],
		['an unknown column in the order', { sortBy: ['nobody desc'] }, /nobody/],
		['a format version that there is not', { formatVersion: 7 }, /7/],
		['properties that are no text', { properties: { a: 1 } }, /'?a'?/],
		['a codec that there is not', { properties: { 'write.parquet.compression-codec': 'rar' } }, /rar/],
		['an option that there is not', { partitionby: ['id'] }, /'partitionby'.*'partitionBy'/],
	])('%s', async (_, options, message) => {
		const folder = join(newFolder(), 't');
		const error = await refusalOf(async () => createTable(folder, pairs, options as CreateTableOptions));
		expect(error.code).toMatch(/INVALID_|UNSUPPORTED/);
		expect(error.message).toMatch(message);
		expect(existsSync(folder)).toBe(false);
	});

	it('a place where a table is', async () => {
		const folder = newFolder();
		await (await createTable(folder, pairs)).append(pairRows(2));
		const before = listing(folder);
		const error = await refusalOf(() => createTable(folder, pairs));
		expect(error).toMatchObject({ code: 'ALREADY_EXISTS', message: expect.stringContaining(folder) });
		expect(listing(folder)).toEqual(before);
		expect(await (await loadTable(folder)).rowCount()).toBe(2);
	});

	it('a place that is a file, empty, or of an unknown kind', async () => {
		const folder = newFolder();
		writeFileSync(`${folder}/file`, 'mine');
		for (const place of [`${folder}/file`, `${folder}/file/below`, '', '   ', 'ftp://host/t', `${folder}/a\0b`]) {
			const error = await refusalOf(async () => createTable(place, pairs));
			expect(error.code, place).not.toBe('COMMIT_STATE_UNKNOWN');
		}
		expect(listing(folder)).toEqual(['file']);
		expect(readFileSync(`${folder}/file`, 'utf8')).toBe('mine');
	});
});

describe('a table is not opened where there is', () => {
	it('nothing', async () => {
		const folder = newFolder();
		expect(await refusalOf(() => loadTable(`${folder}/none`))).toMatchObject({
			code: 'NOT_FOUND',
			message: expect.stringContaining(`${folder}/none`),
		});
		expect(await refusalOf(() => loadTable(`${folder}/none/v1.metadata.json`))).toMatchObject({ code: 'NOT_FOUND' });
		expect(listing(folder)).toEqual([]);
	});

	it('a folder without a table', async () => {
		const folder = newFolder();
		writeFileSync(`${folder}/data.csv`, 'a,b');
		mkdirSync(`${folder}/metadata`);
		writeFileSync(`${folder}/metadata/notes.txt`, 'mine');
		const before = listing(folder);
		expect(await refusalOf(() => loadTable(folder))).toMatchObject({
			code: 'NOT_A_TABLE',
			message: expect.stringContaining(folder),
		});
		expect(listing(folder)).toEqual(before);
	});

	it('a file that is no folder', async () => {
		const folder = newFolder();
		writeFileSync(`${folder}/x.parquet`, 'PAR1');
		const error = await refusalOf(() => loadTable(`${folder}/x.parquet`));
		expect(error.code).toMatch(/NOT_A_TABLE|NOT_FOUND|INVALID_ARGUMENT/);
		expect(error.message).toContain('x.parquet');
	});

	it('a table of a newer format', async () => {
		const folder = newFolder();
		await createTable(folder, pairs);
		const file = `${folder}/metadata/v1.metadata.json`;
		for (const version of [4, 99]) {
			writeFileSync(file, readFileSync(file, 'utf8').replace(/"format-version":\s*\d+/, `"format-version":${version}`));
			const before = listing(folder);
			for (const place of [folder, file]) {
				const error = await refusalOf(() => loadTable(place));
				expect(error.code).toBe('UNSUPPORTED');
				expect(error.message).toContain(String(version));
				expect(error.message).toContain('v1.metadata.json');
			}
			expect(listing(folder)).toEqual(before);
		}
	});

	it.each([
		['nothing', ''],
		['no JSON', 'hello'],
		['half of its JSON', undefined],
		['another JSON', '{"a":1}'],
		['a list', '[]'],
		['null', 'null'],
		['no format version', '{"table-uuid":"x"}'],
		['a format version as text', '{"format-version":"2"}'],
		['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
		['JSON nested without end', '['.repeat(200_000)],
	])('a metadata file with %s', async (_, content) => {
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		await table.append(pairRows(1));
		const file = `${folder}/metadata/v2.metadata.json`;
		if (content === undefined) truncateSync(file, 500);
		else writeFileSync(file, content);
		const before = listing(folder);
		for (const place of [folder, file]) {
			const error = await refusalOf(() => loadTable(place));
			expect(error.code).toBe('CORRUPT');
			expect(error.message).toContain('v2.metadata.json');
			expect(error.message.length).toBeLessThan(2_000);
		}
		await expect(table.append(pairRows(1))).rejects.toMatchObject({ code: 'CORRUPT' });
		expect(listing(folder)).toEqual(before);
	});
});

describe('files that are not what they were', () => {
	async function withFile(kind: 'manifest-list' | 'manifest' | 'parquet') {
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		await table.append(pairRows(200));
		const snapshot = await table.currentSnapshot();
		const file = {
			'manifest-list': async () => snapshot!.manifestList!,
			manifest: async () => (await table.manifests())[0]!.location,
			parquet: async () => (await table.dataFiles())[0]!.location,
		}[kind];
		return { folder, file: await file() };
	}

	it.each(['manifest-list', 'manifest', 'parquet'] as const)(
		'a %s that is gone, empty, cut or another',
		async (kind) => {
			for (const damage of [
				(file: string) => rmSync(file),
				(file: string) => writeFileSync(file, ''),
				(file: string) => truncateSync(file, 100),
				(file: string) => truncateSync(file, readFileSync(file).length - 1),
				(file: string) => writeFileSync(file, 'x'.repeat(readFileSync(file).length)),
			]) {
				const { folder, file } = await withFile(kind);
				damage(file);
				const before = listing(folder);
				const table = await loadTable(folder);
				const error = await refusalOf(() => table.scan().toArray());
				expect(['CORRUPT', 'NOT_FOUND']).toContain(error.code);
				expect(error.message).toContain(file.slice(file.lastIndexOf('/') + 1));
				expect(listing(folder)).toEqual(before);
			}
		},
	);
});

describe('a place outside of the table', () => {
	async function pointing(elsewhere: (metadata: string) => string) {
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		await table.append(pairRows(1));
		const file = `${folder}/metadata/v2.metadata.json`;
		writeFileSync(file, elsewhere(readFileSync(file, 'utf8')));
		return folder;
	}

	it('is not written to, though the metadata says that the table is there', async () => {
		const outside = newFolder();
		const folder = await pointing((text) => {
			const metadata = parseJson(text) as { location: string };
			return stringifyJson({ ...metadata, location: outside } as never);
		});
		const before = listing(folder);
		const table = await loadTable(folder);
		const error = await refusalOf(() => table.append([{ id: 1 }]));
		expect(error.message).toContain(outside);
		expect(listing(outside)).toEqual([]);
		expect(listing(folder)).toEqual(before);
	});

	it('is not written to, though a property says that the metadata goes there', async () => {
		const outside = newFolder();
		const folder = await pointing((text) => {
			const metadata = parseJson(text) as { properties: Record<string, string> };
			return stringifyJson({
				...metadata,
				properties: { ...metadata.properties, 'write.metadata.path': `${outside}/m` },
			} as never);
		});
		const before = listing(folder);
		const table = await loadTable(folder);
		const error = await refusalOf(() => table.append([{ id: 1 }]));
		expect(error.message).toContain(outside);
		expect(listing(folder)).toEqual(before);
		expect(listing(outside)).toEqual([]);
	});

	it.skipIf(process.platform === 'win32')('is not written to by way of a symbolic link in the table', async () => {
		const outside = newFolder();
		const folder = newFolder();
		const table = await createTable(folder, pairs);
		symlinkSync(outside, `${folder}/data`);
		const error = await refusalOf(() => table.append([{ id: 1 }]));
		expect(error.code).toMatch(/PERMISSION_DENIED|INVALID_ARGUMENT/);
		expect(listing(outside)).toEqual([]);
	});

	it('a partition value is no way out', async () => {
		const folder = newFolder();
		const table = await createTable(join(folder, 't'), pairs, { partitionBy: ['name'] });
		const names = ['../../../x', '..', '/etc', 'a/b', '', 'a=b', 'ü', '%2e%2e', 'a\\b', '\0', ' ', 'x'.repeat(3_000)];
		await table.append(names.map((name, id) => ({ id, name })));
		const again = await loadTable<object, { id: bigint; name: string }>(join(folder, 't'));
		const rows = await again.scan().toArray();
		expect(rows.sort((a, b) => Number(a.id - b.id)).map(({ name }) => name)).toEqual(names);
		expect(listing(folder).filter((name) => name !== 't' && !name.startsWith('t/'))).toEqual([]);
		for (const { location } of await again.dataFiles()) expect(location.startsWith(`${folder}/t/data/`)).toBe(true);
		for (const name of names)
			expect(await again.scan({ where: { op: 'eq', ref: { name: 'name' }, literal: name } }).count()).toBe(1);
	});
});

describe('a table that was moved', () => {
	it('can be opened, and what it cannot find there is told by its place', async () => {
		const folder = newFolder();
		await (await createTable(join(folder, 'a'), pairs)).append(pairRows(1));
		cpSync(join(folder, 'a'), join(folder, 'b'), { recursive: true });
		rmSync(join(folder, 'a'), { recursive: true });
		const moved = await loadTable(join(folder, 'b'));
		const before = listing(folder);
		for (const work of [() => moved.scan().toArray(), () => moved.append([{ id: 1 }])]) {
			const error = await refusalOf(work);
			expect(error.message).toContain(join(folder, 'a'));
		}
		expect(listing(folder)).toEqual(before);
	});
});
