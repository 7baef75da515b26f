import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTable } from '../../../src/index.ts';
import { appendToPlainFile, createPlainFile, readPlainFile } from '../../../src/testing/stress/plain-files.ts';
import { runStress } from '../../../src/testing/stress/stress.ts';
import { taskRow } from '../../../src/testing/stress/task-log.ts';
import { runStressWriter } from '../../../src/testing/stress/writer.ts';
import { builtPackage } from '../../support/dist.ts';
import { processesWith } from './support.ts';

let folder: string;
beforeAll(async () => {
	await builtPackage();
	folder = mkdtempSync(join(tmpdir(), 'datashard-stress-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the stress test', () => {
	it('checks every acknowledged row, tells what it measured, and leaves the table when asked to', async () => {
		const location = join(folder, 'kept');
		const phases = new Set<string>();
		const report = await runStress({
			location,
			processes: 3,
			operations: 12,
			inFlight: 2,
			warmUp: 1,
			compareMs: 0,
			keep: true,
			properties: { 'commit.retry.num-retries': '50' },
			onProgress: ({ phase }) => phases.add(phase),
		});
		expect(report.problems).toEqual([]);
		expect(report).toMatchObject({
			ok: true,
			kept: true,
			location,
			processes: 3,
			operations: 12,
			plainFiles: undefined,
		});
		expect(report.check).toMatchObject({ rowCount: 39, acknowledgedCount: 39 });
		expect(report.appends).toMatchObject({ failureCount: 0, ageing: undefined, latencyMs: { count: 36 } });
		expect(report.appends.latencyMs.max).toBeGreaterThanOrEqual(report.appends.latencyMs.p50);
		expect(report.appends.cpuMsEach).toBeGreaterThan(0);
		expect(report.visibility).toMatchObject({ failureCount: 0, longestLagMs: 0 });
		expect(report.table).toMatchObject({ oldestSequenceNumber: 1, verify: { ok: true, rowCount: 39 } });
		expect(report.table.disk.metadata.sizeBytes).toBeGreaterThan(0);
		expect(phases.has('appending')).toBe(true);
		await using table = await loadTable(location);
		expect(await table.rowCount()).toBe(39);
		expect(processesWith(location)).toEqual([]);
		await expect(runStress({ location })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
	});

	it('ends by time, removes its table, and shows what plain files lose', async () => {
		const location = join(folder, 'timed');
		const report = await runStress({ location, processes: 2, durationMs: 300, compareMs: 500 });
		expect(report.problems).toEqual([]);
		expect(report).toMatchObject({ ok: true, kept: false, operations: undefined });
		expect(report.check.acknowledgedCount).toBeGreaterThan(0);
		expect(existsSync(location)).toBe(false);
		const plain = report.plainFiles;
		expect(plain?.acknowledgedCount).toBeGreaterThan(0);
		if (plain?.rowCount === undefined) expect(plain?.lostCount).toBe(plain?.acknowledgedCount);
		else expect(plain.rowCount).toBe(plain.acknowledgedCount - plain.lostCount);
	});

	it('names what its writers met', async () => {
		const location = join(folder, 'failing');
		const report = await runStress({
			location,
			processes: 2,
			operations: 5,
			compareMs: 0,
			properties: { 'write.data.path': '/dev/null/no-such-place' },
		});
		expect(report).toMatchObject({ ok: false, kept: true, check: { rowCount: 0, acknowledgedCount: 0 } });
		expect(report.appends.failureCount).toBe(2);
		expect(report.problems.join('\n')).toMatch(/2 appends failed: writer \d: INVALID_ARGUMENT: .*no-such-place/);
	});

	it('ends its writers when it is aborted', async () => {
		const location = join(folder, 'aborted');
		const aborting = new AbortController();
		const running = runStress({
			location,
			processes: 2,
			operations: 1_000_000,
			signal: aborting.signal,
			onProgress: ({ acknowledged }) => {
				if (acknowledged > 0) aborting.abort();
			},
		});
		await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
		expect(processesWith(location)).toEqual([]);
	});

	it.each([
		[{ processes: 0 }, 'processes'],
		[{ processes: 1.5 }, 'processes'],
		[{ operations: -1 }, 'operations'],
		[{ inFlight: 100_000 }, 'inFlight'],
		[{ durationMs: Number.NaN }, 'durationMs'],
		[{ until: 'soon' as never }, 'until'],
	])('refuses %j', async (options, name) => {
		const before = readdirSync(tmpdir()).filter((entry) => entry.startsWith('datashard-stress-')).length;
		await expect(runStress(options)).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringContaining(name),
		});
		expect(readdirSync(tmpdir()).filter((entry) => entry.startsWith('datashard-stress-')).length).toBe(before);
	});
});

describe('a writer', () => {
	it.each([
		'',
		'null',
		'{}',
		'{"contender":"table","location":"x","writer":-1,"operations":1,"warmUp":0,"inFlight":1}',
	])('refuses settings %j', async (settings) => {
		const pipes = { input: (async function* () {})(), write: async () => undefined };
		await expect(runStressWriter(settings, pipes)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('does nothing when its input ends before it starts', async () => {
		const path = join(folder, 'never.json');
		await createPlainFile(path);
		const told: string[] = [];
		const settings = { contender: 'plain-files', location: path, writer: 0, operations: 5, warmUp: 0, inFlight: 1 };
		const pipes = {
			input: (async function* () {})(),
			write: async (text: string) => {
				told.push(JSON.parse(text).kind);
			},
		};
		expect(await runStressWriter(JSON.stringify(settings), pipes)).toBe(true);
		expect(told).toEqual(['ready', 'end']);
		expect(await readPlainFile(path)).toEqual([]);
	});
});

describe('plain files', () => {
	it('hold rows as they were, and nothing when they are half written', async () => {
		const path = join(folder, 'plain.json');
		await createPlainFile(path);
		await appendToPlainFile(path, taskRow(1, 1));
		await appendToPlainFile(path, taskRow(1, 2));
		expect(await readPlainFile(path)).toEqual([taskRow(1, 1), taskRow(1, 2)]);
		writeFileSync(path, '[{"task_id"');
		expect(await readPlainFile(path)).toBeUndefined();
		await expect(appendToPlainFile(path, taskRow(1, 3))).rejects.toMatchObject({ code: 'CORRUPT' });
	});
});
