import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable, loadTable, parseSchemaText } from '../../src/index.ts';
import { filesBelow, projectDir } from '../support/project.ts';
import { cli } from './run-cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'datashard-cli-'));
const at = (name: string): string => join(scratch, name);
const vega = (name: string): string => `${projectDir}/node_modules/vega-datasets/data/${name}`;
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The result of a command that must succeed, its output as JSON. */
async function json(...args: string[]): Promise<unknown> {
	const result = await cli([...args, '--json']);
	expect(result.stderr.replace(/^\d+ columns?[\s\S]*?\n\n/, '')).toBe('');
	expect(result.code).toBe(0);
	return JSON.parse(result.stdout);
}

describe('help and usage', () => {
	it('names all commands, examples and exit codes', async () => {
		const { code, stdout } = await cli(['--help']);
		expect(code).toBe(0);
		for (const command of [
			'create',
			'import',
			'append',
			'scan',
			'count',
			'schema',
			'snapshots',
			'files',
			'info',
			'verify',
			'drop',
		]) {
			expect(stdout).toContain(`  ${command} `);
			const help = await cli([command, '--help']);
			expect(help.code).toBe(0);
			expect(help.stdout).toContain(`Usage: datashard ${command}`);
		}
		expect(stdout).toContain('$ datashard import');
		expect(stdout).toContain('Exit codes:');
	});

	it('prints its version', async () => {
		expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
	});

	it.each<[string[], string]>([
		[[], 'Usage: datashard'],
		[['blah'], "unknown command 'blah'"],
		[['scna', 'x'], 'Did you mean scan?'],
		[['scan'], "missing required argument 'table'"],
		[['scan', 'x', '--format', 'xml'], 'Allowed choices are'],
		[['count', 'x', '--bogus'], "unknown option '--bogus'"],
		[['create', 'x'], "required option '-s, --schema <schema>'"],
	])('%j is wrong usage: exit code 2', async (args, message) => {
		const { code, stdout, stderr } = await cli(args);
		expect(code).toBe(2);
		expect(stdout).toBe('');
		expect(stderr).toContain(message);
	});
});

describe('create', () => {
	it('makes a table from schema text', async () => {
		const result = await cli([
			'create',
			at('runs'),
			'--schema',
			'run_id long required, status string, started_at timestamptz required, cost decimal(9,2)',
			'--partition-by',
			'day(started_at), bucket(4, run_id)',
			'--sort-by',
			'started_at desc',
			'--property',
			'write.parquet.compression-codec=gzip',
		]);
		expect(result).toEqual({ code: 0, stdout: `created ${at('runs')} with 4 columns\n`, stderr: '' });
		const info = await json('info', at('runs'));
		expect(info).toMatchObject({
			columns: 4,
			partitionedBy: 'day(started_at), bucket(4, run_id)',
			sortedBy: expect.stringContaining('started_at desc'),
			currentSnapshotId: null,
			rows: 0,
			formatVersion: 2,
			properties: { 'write.parquet.compression-codec': 'gzip' },
		});
	});

	it('makes one from a file with Iceberg JSON, as `schema --json` prints it', async () => {
		const { stdout } = await cli(['schema', at('runs'), '--json']);
		writeFileSync(at('schema.json'), stdout);
		expect((await cli(['create', at('copy'), '--schema', at('schema.json'), '--format-version', '3'])).code).toBe(0);
		expect(await json('schema', at('copy'))).toEqual(JSON.parse(stdout));
		expect(await json('info', at('copy'))).toMatchObject({ formatVersion: 3 });
	});

	it.each<[string[], string]>([
		[['--schema', 'a nonsense'], 'expected a type'],
		[['--schema', 'a long, a string'], 'a'],
		[['--schema', 'a long', '--partition-by', 'day(a)'], 'day'],
		[['--schema', 'a long', '--partition-by', 'b'], "'b'"],
		[['--schema', 'a long', '--format-version', '9'], '--format-version'],
		[['--schema', 'a long', '--property', 'x'], '--property'],
		[['--schema', 'a timestamp_ns'], '3'],
	])('refuses %j, and makes nothing', async (args, message) => {
		const { code, stderr } = await cli(['create', at('never'), ...args]);
		expect(code).toBe(2);
		expect(stderr).toContain(message);
		expect(stderr.trim().split('\n')).toHaveLength(1);
		expect(existsSync(at('never'))).toBe(false);
	});

	it('refuses a place where a table is', async () => {
		const { code, stderr } = await cli(['create', at('runs'), '--schema', 'a long']);
		expect(code).toBe(2);
		expect(stderr).toMatch(/^datashard: .*\n$/);
	});
});

describe('import, as a new user would', () => {
	it('birdstrikes.csv: shows the schema that it inferred, and takes all rows', async () => {
		const { code, stdout, stderr } = await cli(['import', vega('birdstrikes.csv'), at('birds')]);
		expect(code).toBe(0);
		expect(stderr).toContain('14 columns of birdstrikes.csv (csv) inferred from 10,000 rows:');
		expect(stderr).toMatch(/Flight Date\s+date\s+none/);
		expect(stderr).toMatch(/Speed IAS in knots\s+long\s+2,836/);
		expect(stdout).toMatch(
			/^10,000 rows from birdstrikes.csv into .*birds in \d+\.\d s \(.* rows\/s\), snapshot \d+\n$/,
		);
		expect((await cli(['count', at('birds')])).stdout).toBe('10000\n');
		expect((await cli(['count', at('birds'), '--where', '"Speed IAS in knots" is null'])).stdout).toBe('2836\n');
	});

	it('movies.json: --dry-run shows the schema and makes nothing', async () => {
		const { code, stdout } = await cli(['import', vega('movies.json'), at('movies'), '--dry-run']);
		expect(code).toBe(0);
		expect(stdout).toContain('16 columns of movies.json (json) inferred from 3,201 rows:');
		expect(existsSync(at('movies'))).toBe(false);
		expect(
			(await cli(['import', vega('movies.json'), at('movies'), '--partition-by', 'truncate(1, Title)'])).code,
		).toBe(0);
		expect(await json('info', at('movies'))).toMatchObject({ rows: 3201, partitionedBy: 'truncate(1, Title)' });
	});

	it('earthquakes.json: the features are rows, nested', async () => {
		expect(await json('import', vega('earthquakes.json'), at('quakes'))).toMatchObject({
			rowCount: 1707,
			committed: true,
		});
		const { stdout } = await cli([
			'scan',
			at('quakes'),
			'--where',
			'properties.mag >= 6',
			'--select',
			'id,properties.mag',
			'--format',
			'ndjson',
		]);
		const rows = stdout
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line) as { id: string; properties: { mag: number } });
		expect(rows.length).toBeGreaterThan(0);
		for (const row of rows) expect(row.properties.mag).toBeGreaterThanOrEqual(6);
	});

	it('the file once more is appended to the table', async () => {
		const { code, stdout } = await cli(['import', vega('movies.json'), at('movies')]);
		expect(code).toBe(0);
		expect(stdout).toMatch(/^3,201 rows/);
		expect((await cli(['count', at('movies')])).stdout).toBe('6402\n');
		const refused = await cli(['import', vega('movies.json'), at('movies'), '--partition-by', 'Title']);
		expect(refused.code).toBe(2);
		expect(refused.stderr).toContain('--partition-by can be given only for a new one');
	});

	it('from stdin, which must say its format', async () => {
		const stdin = 'a,b\n1,x\n2,\n';
		expect(await cli(['import', '-', at('stdin')], { stdin })).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('--format'),
		});
		expect((await cli(['import', '-', at('stdin'), '--format', 'csv', '--required', 'a'], { stdin })).code).toBe(0);
		expect((await cli(['scan', at('stdin'), '--format', 'csv'])).stdout).toBe(stdin);
		expect((await cli(['schema', at('stdin')])).stdout).toMatch(/a\s+long\s+required/);
	});

	it('leaves nothing behind when a row does not fit', async () => {
		const stdin = '{"a":1}\n{"a":1.5}\n';
		const { code, stderr } = await cli(['import', '-', at('bad'), '--format', 'ndjson', '--schema', 'a long'], {
			stdin,
		});
		expect(code).toBe(2);
		expect(stderr).toMatch(/row 2, column 'a': .*1\.5/);
		expect(existsSync(at('bad'))).toBe(false);
		const again = await cli(['import', '-', at('stdin'), '--format', 'csv'], { stdin: 'a,b\n3,\nx,\n' });
		expect(again.code).toBe(2);
		expect((await cli(['count', at('stdin')])).stdout).toBe('2\n');
		expect(filesBelow(at('stdin')).filter((name) => name.endsWith('.parquet'))).toHaveLength(1);
	});

	it('a file that is not there: exit code 3', async () => {
		expect((await cli(['import', at('no.csv'), at('never')])).code).toBe(3);
		expect(existsSync(at('never'))).toBe(false);
	});

	it('shows a progress bar on a terminal', async () => {
		const { code, stderr } = await cli(['import', vega('flights-200k.arrow'), at('flights')], { terminalWidth: 100 });
		expect(code).toBe(0);
		expect(stderr.endsWith('\r\u001b[K')).toBe(true);
	});

	it('interrupted: exit code 130, and nothing is there', async () => {
		let interrupt = (): void => undefined;
		async function* endless(): AsyncGenerator<Uint8Array> {
			for (let i = 0; ; i++) {
				if (i === 20) interrupt();
				yield new TextEncoder().encode(`{"a":${i},"text":"${'x'.repeat(100_000)}"}\n`);
				await new Promise((resolve) => setImmediate(resolve));
			}
		}
		const { code, stdout } = await cli(
			['import', '-', at('endless'), '--format', 'ndjson', '--schema', 'a long, text string'],
			{
				stdin: endless(),
				onStart: (callback) => {
					interrupt = callback;
				},
			},
		);
		expect(code).toBe(130);
		expect(stdout).toBe('');
		expect(existsSync(at('endless'))).toBe(false);
	});
});

describe('append', () => {
	beforeAll(async () => {
		const table = await createTable(at('log'), parseSchemaText('id long required, status string, at timestamptz'));
		await table.close();
	});

	it('takes NDJSON from stdin', async () => {
		const stdin = '{"id":9007199254740993,"status":"ok","at":"2024-02-29T12:00:00+01:00"}\n{"id":2}\n';
		expect(await cli(['append', at('log')], { stdin })).toMatchObject({
			code: 0,
			stdout: expect.stringMatching(/^2 rows from stdin/),
		});
		const { stdout } = await cli(['scan', at('log'), '--format', 'ndjson']);
		expect(stdout).toBe(
			'{"id":9007199254740993,"status":"ok","at":"2024-02-29T11:00:00.000000+00:00"}\n{"id":2,"status":null,"at":null}\n',
		);
	});

	it('says so when there is nothing to append', async () => {
		expect(await cli(['append', at('log')])).toEqual({
			code: 0,
			stdout: 'stdin holds no rows: nothing to do\n',
			stderr: '',
		});
		expect(await json('snapshots', at('log'))).toHaveLength(1);
	});

	it.each<[string, string]>([
		['{"status":"x"}', "column 'id'"],
		['{"id":1,"extra":2}', 'extra'],
		['{"id":1,"at":"2024-02-29T12:00:00"}', "column 'at'"],
		['{"id":', 'not valid JSON'],
	])('refuses %s whole, in one line', async (line, message) => {
		const { code, stdout, stderr } = await cli(['append', at('log')], { stdin: `{"id":7}\n${line}\n` });
		expect(code).toBe(2);
		expect(stdout).toBe('');
		expect(stderr).toContain(message);
		expect(stderr).toContain('row 2');
		expect(stderr.trim().split('\n')).toHaveLength(1);
		expect((await cli(['count', at('log')])).stdout).toBe('2\n');
	});

	it('a table that is not there: exit code 3', async () => {
		expect((await cli(['append', at('nowhere')], { stdin: '{"id":1}\n' })).code).toBe(3);
		expect((await cli(['append', scratch], { stdin: '{"id":1}\n' })).code).toBe(3);
	});
});

describe('scan', () => {
	it('prints a table, JSON, NDJSON and CSV', async () => {
		const table = await cli(['scan', at('stdin')]);
		expect(table.stdout).toBe('a  b\n─  ─\n1  x\n2  ·\n');
		expect(table.stderr).toBe('(2 rows)\n');
		expect(JSON.parse((await cli(['scan', at('stdin'), '--json'])).stdout)).toEqual([
			{ a: 1, b: 'x' },
			{ a: 2, b: null },
		]);
		expect((await cli(['scan', at('stdin'), '--json', '--where', 'a > 9'])).stdout).toBe('[]\n');
		expect((await cli(['scan', at('stdin'), '--format', 'csv', '--select', 'b,a', '--limit', '1'])).stdout).toBe(
			'b,a\nx,1\n',
		);
	});

	it('its CSV can be imported again: the same rows come back', async () => {
		writeFileSync(at('again.csv'), (await cli(['scan', at('movies'), '--format', 'csv'])).stdout);
		expect((await cli(['import', at('again.csv'), at('movies-2')])).code).toBe(0);
		const lines = async (name: string): Promise<string[]> =>
			(await cli(['scan', at(name), '--format', 'csv'])).stdout.split('\n').sort();
		expect(await lines('movies-2')).toEqual(await lines('movies'));
	});

	it('travels in time by snapshot, time and ref, and reads a metadata file', async () => {
		const snapshots = (await json('snapshots', at('movies'))) as {
			snapshotId: string;
			timestampMs: number;
			committedAt: string;
		}[];
		expect(snapshots).toHaveLength(2);
		const [first, second] = snapshots as [(typeof snapshots)[0], (typeof snapshots)[0]];
		const count = async (...args: string[]): Promise<string> => (await cli(['count', at('movies'), ...args])).stdout;
		expect(await count('--snapshot', first.snapshotId)).toBe('3201\n');
		expect(await count('--snapshot', second.snapshotId)).toBe('6402\n');
		expect(await count('--as-of', first.committedAt)).toBe('3201\n');
		expect(await count('--as-of', String(second.timestampMs))).toBe('6402\n');
		expect(await count('--ref', 'main')).toBe('6402\n');
		const metadata = readdirSync(at('movies/metadata'))
			.filter((name) => name.endsWith('.metadata.json'))
			.sort();
		expect((await cli(['count', join(at('movies/metadata'), metadata[1] as string)])).stdout).toBe('3201\n');
	});

	it.each<[string[], number, string]>([
		[['--where', 'id ='], 2, 'where'],
		[['--where', "nope = 'x'"], 2, 'nope'],
		[['--select', 'nope'], 2, 'nope'],
		[['--limit', 'x'], 2, '--limit'],
		[['--snapshot', '1'], 3, '1'],
		[['--snapshot', 'x'], 2, 'x'],
		[['--as-of', '2001-01-01'], 3, '2001'],
		[['--as-of', '2024-01-01T00:00:00'], 2, 'offset'],
		[['--as-of', 'yesterday'], 2, 'yesterday'],
		[['--ref', 'nope'], 3, 'nope'],
		[['--ref', 'main', '--snapshot', '1'], 2, 'only one'],
	])('refuses %j with exit code %i', async (args, code, message) => {
		const result = await cli(['scan', at('log'), ...args]);
		expect(result.code).toBe(code);
		expect(result.stdout).toBe('');
		expect(result.stderr).toMatch(/^datashard: .*\n$/);
		if (message !== 'where') expect(result.stderr).toContain(message);
	});

	it('shows the first rows only on a terminal, and says so', async () => {
		const { stdout, stderr } = await cli(['scan', at('birds')], { terminalWidth: 200 });
		expect(stdout.trim().split('\n')).toHaveLength(202);
		expect(stderr).toContain('the first 200 rows');
		expect(
			(await cli(['scan', at('birds'), '--limit', '300'], { terminalWidth: 200 })).stdout.trim().split('\n'),
		).toHaveLength(302);
	});

	it('ends quietly when its reader goes away', async () => {
		const result = await cli(['scan', at('birds'), '--format', 'ndjson'], { closeAfter: 1000 });
		expect(result).toMatchObject({ code: 0, stderr: '' });
	});

	it('prints control characters as spaces, so that no data can drive the terminal', async () => {
		await cli(['import', '-', at('escape'), '--format', 'ndjson'], { stdin: '{"a":"x\\u001b[31m\\ny"}\n' });
		expect((await cli(['scan', at('escape')])).stdout).toBe('a\n────────\nx [31m y\n');
	});
});

describe('what a table is', () => {
	it('schema, with nested fields and partitioning', async () => {
		const { stdout } = await cli(['schema', at('quakes')]);
		expect(stdout).toMatch(/properties\s+struct/);
		expect(stdout).toMatch(/properties\.mag\s+double/);
		expect(stdout).toMatch(/geometry\.coordinates\s+list<double>/);
		expect((await cli(['schema', at('runs')])).stdout).toMatch(
			/partitioned by day\(started_at\), bucket\(4, run_id\)\nsorted by started_at desc/,
		);
	});

	it('files and snapshots', async () => {
		const files = (await json('files', at('movies'))) as { location: string; partition: string; recordCount: number }[];
		expect(files.reduce((sum, file) => sum + file.recordCount, 0)).toBe(6402);
		expect(files[0]?.partition).toMatch(/^Title_trunc=/);
		for (const file of files) expect(existsSync(file.location)).toBe(true);
		expect((await cli(['snapshots', at('movies')])).stdout).toMatch(/\* +\d+ .* append +3201 +6402 {2}main\n$/);
	});

	it('verify says that it is sound', async () => {
		for (const name of ['birds', 'movies', 'quakes', 'log']) {
			const { code, stdout } = await cli(['verify', at(name), '--deep']);
			expect([name, code, stdout.trim().split('\n').at(-1)]).toEqual([name, 0, 'sound']);
		}
		expect(await json('verify', at('runs'))).toMatchObject({ ok: true, snapshotId: null });
	});

	it('verify finds damage: exit code 1', async () => {
		expect((await cli(['import', vega('movies.json'), at('damaged')])).code).toBe(0);
		const table = await loadTable(at('damaged'));
		const [file] = await table.dataFiles();
		rmSync(file!.location);
		await table.close();
		const { code, stdout } = await cli(['verify', at('damaged')]);
		expect(code).toBe(1);
		expect(stdout).toContain(`missing: ${file!.location}`);
		expect(stdout).toMatch(/damaged: 1 problem\n$/);
	});

	it('a stack is shown only where DEBUG is set', async () => {
		expect((await cli(['info', at('nowhere')])).stderr.trim().split('\n')).toHaveLength(1);
		expect((await cli(['info', at('nowhere')], { env: { DEBUG: '1' } })).stderr).toContain('    at ');
	});

	it('drop wants to be sure', async () => {
		expect((await cli(['drop', at('damaged')])).code).toBe(2);
		expect(existsSync(at('damaged'))).toBe(true);
		expect((await cli(['drop', at('damaged'), '--yes'])).code).toBe(0);
		expect(existsSync(at('damaged'))).toBe(false);
		expect((await cli(['drop', at('damaged'), '--yes'])).code).toBe(3);
	});
});
