/** Follows while other processes append, and while the table is compacted and its history expired. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compact, expireSnapshots, type FollowPosition, isIcebergError, loadTable } from '../../src/index.ts';
import { appendEach, newTable, type Pairs } from './follow-support.ts';

const run = promisify(execFile);
const ROWS = 40;
/** Nothing waits for ever: not for a process, nor for a row. */
const LIMIT_MS = 60_000;
let folder: string;
let worker: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'datashard-follow-'));
	const source = fileURLToPath(new URL('follow-worker.ts', import.meta.url));
	// Node 20 does not run TypeScript.
	const bundle = await rolldown({ input: source, platform: 'node', logLevel: 'silent' });
	await bundle.write({ dir: folder, format: 'esm', entryFileNames: 'worker.mjs' });
	await bundle.close();
	worker = join(folder, 'worker.mjs');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const appendFrom = (table: Pairs, first: number): Promise<unknown> =>
	run(process.execPath, [worker, table.location, String(first), String(ROWS)], { timeout: LIMIT_MS });

/** Each writer's rows once, in the order in which it appended them. */
function expectWhole(ids: readonly number[], firsts: readonly number[]): void {
	expect(ids).toHaveLength(firsts.length * ROWS);
	for (const first of firsts) {
		const own = ids.filter((id) => id >= first && id < first + ROWS);
		expect(own).toEqual(Array.from({ length: ROWS }, (_, i) => first + i));
	}
}

// with what tables do by themselves, and without
const MAINTAINED = { properties: { 'datashard.maintenance.enabled': 'true' } };

describe('processes that append', () => {
	it('a follow gives the rows of all, those of its own process too', { timeout: 120_000 }, async () => {
		const table = await newTable(MAINTAINED);
		const follow = table.follow({ timeoutMs: LIMIT_MS });
		await follow.ready();
		const ids: number[] = [];
		const following = (async () => {
			for await (const { id } of follow) if (ids.push(Number(id)) === 3 * ROWS) break;
		})();
		const own = Array.from({ length: ROWS }, (_, i) => 2000 + i);
		await Promise.all([appendFrom(table, 0), appendFrom(table, 1000), appendEach(table, own)]);
		await following;
		expectWhole(ids, [0, 1000, 2000]);
		await table.close();
	});

	it('a follow that is stopped and resumed again and again misses none', { timeout: 120_000 }, async () => {
		const table = await newTable(MAINTAINED);
		const ids: number[] = [];
		const writing = Promise.all([appendFrom(table, 0), appendFrom(table, 1000)]);
		let position: FollowPosition = { sequenceNumber: 0n };
		while (ids.length < 2 * ROWS) {
			const reader = (await loadTable(table.location)) as Pairs;
			for await (const batch of reader.follow({ from: position, timeoutMs: LIMIT_MS }).batches()) {
				for (const { id } of batch.rows) ids.push(Number(id));
				position = batch.position;
				break;
			}
			await reader.close();
		}
		await writing;
		expectWhole(ids, [0, 1000]);
		await table.close();
	});

	it('compaction and expiry meanwhile take nothing away', { timeout: 180_000 }, async () => {
		const table = await newTable();
		const follow = table.follow({ timeoutMs: LIMIT_MS });
		await follow.ready();
		const ids: number[] = [];
		const following = (async () => {
			for await (const { id } of follow) if (ids.push(Number(id)) === 2 * ROWS) break;
		})();
		let isWriting = true;
		const writing = Promise.all([appendFrom(table, 0), appendFrom(table, 1000)]).finally(() => {
			isWriting = false;
		});
		const keeper = (await loadTable(table.location)) as Pairs;
		let rounds = 0;
		for (let tries = 0; isWriting || (rounds === 0 && tries < 100); tries++) {
			try {
				await compact(keeper, { minInputFiles: 2 });
				await expireSnapshots(keeper, { olderThanMs: 0, retainLast: 3 });
				rounds++;
			} catch (error) {
				if (!isIcebergError(error, 'VALIDATION_FAILED', 'COMMIT_CONFLICT')) throw error;
			}
		}
		await writing;
		await following;
		expectWhole(ids, [0, 1000]);
		await keeper.close();
		await table.close();
	});
});
