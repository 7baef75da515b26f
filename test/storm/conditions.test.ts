import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Clock, createTable, loadTable, systemClock } from '../../src/index.ts';
import { taskLogSchema, taskRow } from '../../src/testing/stress/task-log.ts';
import { builtPackage } from '../support/dist.ts';
import {
	expectNothingLost,
	killWritersAfterwards,
	makeTable,
	progressOf,
	rowsOf,
	settle,
	STATES,
	stormFolder,
	TIMEOUT_MS,
	until,
	writersOf,
} from './support.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const folder = stormFolder();
killWritersAfterwards();
beforeAll(async () => {
	await builtPackage();
	chmodSync(folder, 0o755);
});

describe('a writer of another user', () => {
	it.skipIf(!isRoot)('that may not write to the table is told so', async () => {
		const location = await makeTable(join(folder, 'closed'));
		const group = writersOf(location);
		group.add({ uid: NOBODY, gid: NOBODY });
		await group.start();
		const [end] = await group.ended();
		expect(end).toMatchObject({ code: 1 });
		expect(group.acknowledgements.failures).toMatchObject([{ code: 'PERMISSION_DENIED' }]);
		expect(group.acknowledgements.failures[0]?.message).toContain(location);
	});

	it.skipIf(!isRoot).each(STATES)(
		'that may not write to _journal/ commits by itself, or is told so: %s',
		async (state) => {
			const location = await makeTable(join(folder, `no-journal-${state}`));
			mkdirSync(join(location, '_journal'), { mode: 0o755 });
			mkdirSync(join(location, 'data'));
			for (const open of ['', 'data', 'metadata']) chmodSync(join(location, open), 0o777);
			const group = writersOf(location, { until: state, persistent: true, pauseMs: 20 });
			group.add();
			group.add({ uid: NOBODY, gid: NOBODY });
			await group.start();
			const { acknowledgements } = group;
			await progressOf(group, [0], 5);
			await until(() => acknowledgements.acknowledgedBy(1).size >= 5 || acknowledgements.failureCount >= 2);
			await group.stop();
			for (const { writer, code, message } of acknowledgements.failures) {
				expect([writer, code]).toEqual([1, 'PERMISSION_DENIED']);
				expect(message).toContain(location);
			}
			if (state === 'journaled') await settle(group, location);
			expectNothingLost(await rowsOf(location, acknowledgements));
		},
		TIMEOUT_MS,
	);
});

describe('properties that another engine has set to nonsense', () => {
	it.each([
		['commit.retry.num-retries', 'many'],
		['write.metadata.previous-versions-max', '-1'],
		['commit.manifest.min-count-to-merge', 'x'],
	])('refuse appends with an error that names %s, and nothing is lost', async (name, value) => {
		const location = join(folder, `nonsense-${name}`);
		await using table = await createTable(location, taskLogSchema);
		await table.append([taskRow(0, 0)]);
		setProperty(location, name, value);
		await using other = await loadTable(location);
		await expect(other.append([{ ...taskRow(1, 0) }])).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringContaining(name),
		});
		expect(await table.scan().count()).toBe(1);
		setProperty(location, name, undefined);
		await table.append([taskRow(0, 1)]);
		expect((await table.scan({ select: ['task_id'] }).toArray()).map(({ task_id }) => task_id).sort()).toEqual([
			'0-0',
			'0-1',
		]);
	});

	it('do not hold rows back where they are only about speed', async () => {
		const location = join(folder, 'interval');
		await using table = await createTable(location, taskLogSchema);
		setProperty(location, 'datashard.commit-interval-ms', 'soon');
		await table.append([taskRow(0, 0)], { until: 'journaled' });
		await until(async () => (await table.scan().count()) === 1);
	});
});

describe('a clock that steps back', () => {
	it('does not turn back the time of a table', async () => {
		let offsetMs = 0;
		const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs };
		await using table = await createTable(join(folder, 'clock'), taskLogSchema, { clock });
		for (const [operation, offset] of [0, 3_600_000, 0, -7_200_000, 60_000].entries()) {
			offsetMs = offset;
			await table.append([taskRow(0, operation)], { until: operation % 2 === 0 ? 'committed' : 'journaled' });
			await until(async () => (await table.scan().count()) === operation + 1);
		}
		const times = (await table.snapshots()).map(({ timestampMs }) => timestampMs);
		expect(times).toEqual(times.toSorted((a, b) => a - b));
		const log = table.metadata.snapshotLog.map(({ timestampMs }) => timestampMs);
		expect(log).toEqual(log.toSorted((a, b) => a - b));
	});
});

/** Commits a property as another engine would, without looking at it. */
function setProperty(location: string, name: string, value: string | undefined): void {
	const versions = readdirSync(join(location, 'metadata'))
		.map((file) => /^v(\d+)\.metadata\.json$/.exec(file)?.[1])
		.filter((version) => version !== undefined)
		.map(Number);
	const newest = Math.max(...versions);
	const path = (version: number): string => join(location, 'metadata', `v${version}.metadata.json`);
	// as text: 64-bit ids stay what they are
	const text = readFileSync(path(newest), 'utf8');
	const entry = `"${name}":${JSON.stringify(value)}`;
	const changed =
		value === undefined
			? text.replace(new RegExp(`"${name}":\\s*"[^"]*",?`), '')
			: text.replace(/"properties":\s*\{/, (found) => `${found}${entry},`);
	expect(changed).not.toBe(text);
	writeFileSync(path(newest + 1), changed);
}
