import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createTable, expireSnapshots, long, schema, string, type Table } from '../../src/index.ts';
import { cli } from './run-cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'datashard-tail-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let location: string;
let table: Table<{ id: number; name?: string }>;
let made = 0;
beforeEach(async () => {
	location = join(scratch, `t${made++}`);
	// without maintenance in the background
	const properties = { 'datashard.maintenance.enabled': 'false' };
	table = (await createTable(location, schema({ id: long().required(), name: string() }), { properties })) as never;
});

const append = async (from: number, to: number): Promise<void> => {
	for (let id = from; id < to; id++) await table.append([{ id, name: `n${id}` }]);
};

const ids = (stdout: string): number[] =>
	stdout
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => (JSON.parse(line) as { id: number }).id);

describe('tail', () => {
	it('prints the last rows, as a table', async () => {
		await append(0, 15);
		const { code, stdout, stderr } = await cli(['tail', location]);
		expect(code).toBe(0);
		expect(stdout.split('\n')[0]).toMatch(/^id +name/);
		expect(stdout.match(/n\d+/g)).toEqual(['n5', 'n6', 'n7', 'n8', 'n9', 'n10', 'n11', 'n12', 'n13', 'n14']);
		expect(stderr).toMatch(/^\(10 rows; go on with --from seq:15:15:\d+\)\n$/);
	});

	it.each([
		['ndjson', '{"id":2,"name":"n2"}\n{"id":3,"name":"n3"}\n'],
		['json', '[\n{"id":2,"name":"n2"},\n{"id":3,"name":"n3"}\n]\n'],
		['csv', 'id,name\n2,n2\n3,n3\n'],
	])('as %s', async (format, expected) => {
		await append(0, 4);
		const { code, stdout } = await cli(['tail', location, '-n', '2', '--format', format]);
		expect({ code, stdout }).toEqual({ code: 0, stdout: expected });
	});

	it('of chosen columns and rows; of a table without any', async () => {
		expect(await cli(['tail', location, '--json'])).toMatchObject({ code: 0, stdout: '[]\n' });
		await append(0, 6);
		const { stdout } = await cli(['tail', location, '-n', '2', '-w', 'id < 4', '-c', 'name', '--format', 'csv']);
		expect(stdout).toBe('name\nn2\nn3\n');
	});

	it('goes on from the position that it told, also when snapshots are gone', async () => {
		await append(0, 3);
		const first = await cli(['tail', location, '--format', 'ndjson']);
		const [, from = ''] = /--from (\S+)\)/.exec(first.stderr) ?? [];
		await append(3, 8);
		await expireSnapshots(table, { olderThanMs: 0, retainLast: 1, graceMs: 0 });
		const second = await cli(['tail', location, '--from', from, '--format', 'ndjson', '--positions']);
		expect(ids(second.stdout)).toEqual([3, 4, 5, 6, 7]);
		expect(second.stderr).toMatch(
			/^\(position seq:4\)\n[^]*\n\(position seq:8:8:\d+\)\n\(5 rows; go on with --from seq:8:8:\d+\)\n$/,
		);
	});

	it('from the start, from now, from a snapshot, from a number', async () => {
		await append(0, 4);
		const [, second] = await table.snapshots();
		const from = async (start: string): Promise<number[]> =>
			ids((await cli(['tail', location, '--from', start, '--format', 'ndjson'])).stdout);
		expect(await from('start')).toEqual([0, 1, 2, 3]);
		expect(await from('now')).toEqual([]);
		expect(await from(String(second!.snapshotId))).toEqual([2, 3]);
		expect(await from('seq:3')).toEqual([3]);
		expect(await from('seq:3:3')).toEqual([3]);
	});

	it('refuses what it cannot take', async () => {
		await append(0, 1);
		expect(await cli(['tail', location, '--from', 'yesterday'])).toMatchObject({ code: 2 });
		expect(await cli(['tail', location, '--from', 'start', '-n', '5'])).toMatchObject({ code: 2 });
		expect(await cli(['tail', location, '-n', 'ten'])).toMatchObject({ code: 2 });
		expect(await cli(['tail', location, '--from', '12345'])).toMatchObject({ code: 3 });
		expect(await cli(['tail', join(scratch, 'none')])).toMatchObject({ code: 3 });
		expect((await cli(['tail', location, '--from', 'seq:99'])).stderr).toMatch(/does not come after/);
	});

	it('ends quietly when its reader goes away', async () => {
		await append(0, 5);
		const { code, stderr } = await cli(['tail', location, '--format', 'ndjson', '--from', 'start'], { closeAfter: 0 });
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	});
});

describe('tail --follow', () => {
	/** Follows until an interrupt, which comes when a text has been printed. */
	async function follow(until: string, ...args: string[]): Promise<Awaited<ReturnType<typeof cli>>> {
		let interrupt = (): void => undefined;
		return cli(['tail', location, '--follow', '--positions', ...args], {
			onStart: (call) => {
				interrupt = call;
			},
			onStdout: (text) => {
				if (text.includes(until)) interrupt();
			},
		});
	}

	it('prints rows as they come, and ends cleanly with an interrupt', async () => {
		await append(0, 3);
		const running = follow('n7', '-n', '2');
		await append(3, 8);
		const { code, stdout, stderr } = await running;
		expect(code).toBe(0);
		expect(ids(stdout)).toEqual(expect.arrayContaining([3, 4, 5, 6, 7]));
		expect(ids(stdout)).toEqual(ids(stdout).toSorted((a, b) => a - b));
		expect(stderr).toMatch(/\(\d+ rows; go on with --from seq:8:8:\d+\)\n$/);
	});

	it('closes what it has begun: an array, a table', async () => {
		await append(0, 2);
		const json = await follow('n1', '--json');
		expect(JSON.parse(json.stdout)).toEqual([
			{ id: 0, name: 'n0' },
			{ id: 1, name: 'n1' },
		]);
		const text = await follow('n1', '--format', 'table', '-n', '1');
		expect(text.stdout).toMatch(/^id +name\n.*\n +1 +n1\n$/);
	});

	it('ends at a snapshot that removed rows, or goes past it', async () => {
		await append(0, 3);
		const { removeFiles } = await import('../table/follow-support.ts');
		await removeFiles(table as never, [1]);
		await append(3, 4);
		const failed = await cli(['tail', location, '--follow', '--from', 'seq:2']);
		expect(failed).toMatchObject({ code: 4, stdout: '{"id":2,"name":"n2"}\n' });
		expect(failed.stderr).toMatch(/\(delete\) changed or removed rows/);
		const skipped = await cli(['tail', location, '--from', 'seq:2', '--skip-changes', '--format', 'ndjson']);
		expect(ids(skipped.stdout)).toEqual([2, 3]);
	});
});
