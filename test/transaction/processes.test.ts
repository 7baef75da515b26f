import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFolderTable, openFolderTable } from '../../src/catalog/folder-table.ts';
import { LocalFileIO } from '../../src/io/local-file-io.ts';
import { decodeManifest } from '../../src/manifest/manifest.ts';
import { decodeManifestList } from '../../src/manifest/manifest-list.ts';
import { UNPARTITIONED } from '../../src/spec/partition-spec.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import { schema } from './support.ts';

// The full size of the promise: 8 processes, 200 commits each.
const full = process.env['DATASHARD_FULL'] === '1';
const PROCESSES = full ? 8 : 4;
const COMMITS = full ? 200 : 25;
const TIMEOUT_MS = 600_000;

const workerSource = fileURLToPath(new URL('append-worker.ts', import.meta.url));
let folder: string;
let worker: string;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'datashard-processes-'));
	// Node 20 does not run TypeScript.
	const bundle = await rolldown({ input: workerSource, platform: 'node', logLevel: 'silent' });
	await bundle.write({ dir: join(folder, 'worker'), format: 'esm', entryFileNames: 'worker.mjs' });
	await bundle.close();
	worker = join(folder, 'worker/worker.mjs');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Worker {
	readonly child: ChildProcess;
	readonly acknowledged: string[];
	readonly ended: Promise<string>;
}

function start(table: string, name: string, commits: number): Worker {
	const child = spawn(process.execPath, [worker, table, name, String(commits)], {
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const acknowledged: string[] = [];
	let errors = '';
	let rest = '';
	child.stdout?.setEncoding('utf8').on('data', (text: string) => {
		const lines = (rest + text).split('\n');
		rest = lines.pop() ?? '';
		acknowledged.push(...lines.map((line) => line.split(' ')[0] as string));
	});
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		errors += text;
	});
	const ended = new Promise<string>((resolve) => {
		child.on('close', (code, signal) => resolve(signal ?? (code === 0 ? '' : `exit ${code}: ${errors}`)));
	});
	return { child, acknowledged, ended };
}

async function makeTable(name: string, properties: Readonly<Record<string, string>> = {}): Promise<string> {
	const table = join(folder, name);
	const definition = {
		schema,
		partitionSpec: UNPARTITIONED,
		sortOrder: UNSORTED,
		properties,
		formatVersion: 2,
	} as const;
	await (await createFolderTable(table, definition)).io.close();
	return table;
}

/** Names of the data files of the current snapshot, in the order of their commits; every file is opened. */
async function look(table: string): Promise<{ names: string[]; sequenceNumbers: bigint[]; unreached: string[] }> {
	const io = new LocalFileIO();
	const { metadata } = (await openFolderTable(table)).loaded;
	const reached = new Set<string>();
	const live: { name: string; sequence: bigint }[] = [];
	for (const snapshot of metadata.snapshots) {
		const list = snapshot.manifestList as string;
		reached.add(list);
		for (const manifest of await decodeManifestList(await io.input(list).readAll(), list)) {
			const isCurrent = snapshot.snapshotId === metadata.currentSnapshotId;
			if (reached.has(manifest.location) && !isCurrent) continue;
			reached.add(manifest.location);
			const bytes = await io.input(manifest.location, manifest.length).readAll();
			for (const entry of await decodeManifest(bytes, manifest, metadata)) {
				reached.add(entry.file.location);
				if (!isCurrent) continue;
				expect(await io.input(entry.file.location).length()).toBe(4);
				live.push({ name: entry.file.location.slice(table.length + 6, -8), sequence: entry.sequenceNumber as bigint });
			}
		}
	}
	await io.close();
	live.sort((a, b) => Number(a.sequence - b.sequence));
	const unreached = readdirSync(table, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.filter((path) => !reached.has(path) && !/(\/v\d+\.metadata\.json|version-hint\.text)$/.test(path));
	return {
		names: live.map((entry) => entry.name),
		sequenceNumbers: metadata.snapshots.map((snapshot) => snapshot.sequenceNumber),
		unreached,
	};
}

describe('processes that append to one table', () => {
	it(
		'lose nothing, add nothing twice, and leave no file behind (invariants 1, 2, 5)',
		async () => {
			const table = await makeTable('plain');
			const workers = Array.from({ length: PROCESSES }, (_, i) => start(table, `w${i}`, COMMITS));
			expect(await Promise.all(workers.map((each) => each.ended))).toEqual(workers.map(() => ''));
			const acknowledged = workers.flatMap((each) => each.acknowledged);
			expect(acknowledged).toHaveLength(PROCESSES * COMMITS);
			const { names, sequenceNumbers, unreached } = await look(table);
			expect([...names].sort()).toEqual([...acknowledged].sort());
			expect(sequenceNumbers).toEqual(Array.from({ length: PROCESSES * COMMITS }, (_, i) => BigInt(i + 1)));
			// Each process's own appends stand in the order in which it made them.
			for (const { acknowledged: own } of workers) {
				const set = new Set(own);
				expect(names.filter((name) => set.has(name))).toEqual(own);
			}
			expect(unreached).toEqual([]);
		},
		TIMEOUT_MS,
	);

	it(
		'may be killed at any time: what was acknowledged is there, and the others go on (invariants 1, 2, 5, 8)',
		async () => {
			const table = await makeTable('killed', { 'commit.manifest.min-count-to-merge': '5' });
			const survivors = [start(table, 's0', COMMITS), start(table, 's1', COMMITS)];
			const victims: Worker[] = [];
			for (let i = 0; i < (full ? 20 : 6); i++) {
				const victim = start(table, `v${i}`, 10_000);
				victims.push(victim);
				while (victim.acknowledged.length < 2 && victim.child.exitCode === null)
					await new Promise((resolve) => setTimeout(resolve, 5));
				await new Promise((resolve) => setTimeout(resolve, (i * 7) % 13));
				victim.child.kill('SIGKILL');
				expect(await victim.ended).toBe('SIGKILL');
			}
			expect(await Promise.all(survivors.map((each) => each.ended))).toEqual(['', '']);
			const { names, sequenceNumbers } = await look(table);
			expect(new Set(names).size).toBe(names.length);
			const present = new Set(names);
			for (const { acknowledged } of [...survivors, ...victims])
				expect(acknowledged.filter((name) => !present.has(name))).toEqual([]);
			// At most the one commit that was in flight when its process died may be there without acknowledgement.
			const acknowledgedCount = [...survivors, ...victims].reduce((sum, each) => sum + each.acknowledged.length, 0);
			expect(names.length - acknowledgedCount).toBeLessThanOrEqual(victims.length);
			expect(sequenceNumbers).toEqual(Array.from({ length: names.length }, (_, i) => BigInt(i + 1)));
		},
		TIMEOUT_MS,
	);
});
