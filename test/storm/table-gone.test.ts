import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { dropTable, loadTable } from '../../src/index.ts';
import type { WriterGroup } from '../../src/testing/stress/writer-group.ts';
import { builtPackage } from '../support/dist.ts';
import { filesBelow } from '../support/project.ts';
import {
	expectNothingLost,
	killWritersAfterwards,
	makeTable,
	rowsOf,
	settle,
	STATES,
	stormFolder,
	TIMEOUT_MS,
	until,
	writersOf,
} from './support.ts';

const WRITERS = 3;
const folder = stormFolder();
killWritersAfterwards();
beforeAll(() => builtPackage().then(() => undefined));

/** Writers of a table that have begun to append. */
async function begun(location: string, until_: (typeof STATES)[number]): Promise<WriterGroup> {
	const group = writersOf(await makeTable(location), { until: until_, persistent: true });
	for (let i = 0; i < WRITERS; i++) group.add();
	await group.start();
	await until(() => group.acknowledgements.count >= 5 * WRITERS);
	return group;
}

/** Waits until every writer has met an error, and what it met last. */
async function errorsOf(group: WriterGroup, from: number): Promise<string[]> {
	const { failures } = group.acknowledgements;
	const late = () => failures.slice(from);
	await until(() => group.writers.every((_, writer) => late().some((failure) => failure.writer === writer)));
	return late().map(({ code, message }) => `${code}: ${message}`);
}

describe('a table that goes away under its writers', () => {
	it.each(STATES)(
		'when dropped: each is told so, and nothing of it comes back (%s)',
		async (state) => {
			const location = join(folder, `dropped-${state}`);
			const group = await begun(location, state);
			await dropTable(location);
			const errors = await errorsOf(group, 0);
			await group.stop();
			for (const error of errors) {
				expect(error).toMatch(/^(NOT_FOUND|NOT_A_TABLE|CORRUPT|VALIDATION_FAILED|COMMIT_STATE_UNKNOWN): /);
				expect(error).toContain(location);
			}
			// CORRUPT: the hint of a commit that was made just before
			await expect(loadTable(location)).rejects.toMatchObject({ code: expect.stringMatching(/^(NOT_|CORRUPT)/) });
			const left = existsSync(location) ? filesBelow(location) : [];
			expect(left.filter((path) => path.endsWith('metadata.json'))).toEqual([]);
		},
		TIMEOUT_MS,
	);

	it.each(STATES)(
		'when moved: each is told so, and when it is back all that was acknowledged is there (%s)',
		async (state) => {
			const location = join(folder, `moved-${state}`);
			const group = await begun(location, state);
			renameSync(location, `${location}-away`);
			const errors = await errorsOf(group, 0);
			await group.stop();
			for (const error of errors) {
				expect(error).toMatch(/^(NOT_FOUND|NOT_A_TABLE|CORRUPT|COMMIT_STATE_UNKNOWN|STORAGE): /);
				expect(error).toContain(location);
			}
			if (existsSync(location)) renameSync(location, `${location}-leftover`);
			renameSync(`${location}-away`, location);
			await settle(group, location);
			expectNothingLost(await rowsOf(location, group.acknowledgements), { unacknowledged: WRITERS });
		},
		TIMEOUT_MS,
	);

	it.each(STATES)(
		'when replaced by another: each is told so, and nothing gets into the other (%s)',
		async (state) => {
			const location = join(folder, `replaced-${state}`);
			const group = await begun(location, state);
			renameSync(location, `${location}-before`);
			await makeTable(location);
			const errors = await errorsOf(group, 0);
			await group.stop();
			// The hint of a commit that was under way may be there before the other table's first version.
			const told = /another|there is no|no such file|holds no table|so far it is not|metadata are gone/;
			expect(errors.filter((error) => !told.test(error))).toEqual([]);
			for (const error of errors) expect(error).toContain(location);
			await using table = await loadTable(location);
			expect(await table.scan().count()).toBe(0);
		},
		TIMEOUT_MS,
	);
});
