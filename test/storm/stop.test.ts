import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTable, verifyTable } from '../../src/index.ts';
import { builtPackage } from '../support/dist.ts';
import {
	expectNothingLost,
	isFull,
	killWritersAfterwards,
	leaderAmong,
	makeTable,
	pause,
	progressOf,
	rowsOf,
	STATES,
	stormFolder,
	tell,
	TIMEOUT_MS,
	writersOf,
} from './support.ts';

const WRITERS = 4;
const STOPPED_MS = isFull ? 10_000 : 2_000;
const folder = stormFolder();
killWritersAfterwards();
beforeAll(() => builtPackage().then(() => undefined));

describe('SIGSTOP', () => {
	it.each(STATES)(
		'of the leader, or of any writer, stops nobody else, and it does no harm when it goes on: %s (invariants 1, 2, 5, 8)',
		async (state) => {
			const location = await makeTable(join(folder, state));
			const group = writersOf(location, { until: state });
			for (let i = 0; i < WRITERS; i++) group.add();
			await group.start();
			const everybody = group.writers.map((_, i) => i);
			await progressOf(group, everybody, 2);
			await using table = await loadTable(location);
			const stops: { readonly leads: boolean; readonly atMs: number; readonly gapMs?: number }[] = [];
			for (let turn = 0; turn < (isFull ? 2 * WRITERS : 2); turn++) {
				const pids = group.running.map(({ pid }) => pid as number);
				const leader = leaderAmong(pids);
				const victim = leader === undefined ? turn % WRITERS : group.writers.findIndex(({ pid }) => pid === leader);
				group.writers[victim]?.signal('SIGSTOP');
				stops.push({ leads: leader !== undefined, atMs: group.elapsedMs });
				const others = everybody.filter((writer) => writer !== victim);
				await Promise.all([progressOf(group, others, 2), pause(STOPPED_MS)]);
				group.writers[victim]?.signal('SIGCONT');
				await progressOf(group, everybody, 2);
			}
			const ends = await group.stop();
			expect(ends.filter(({ code, errors }) => code !== 0 || errors !== '')).toEqual([]);
			expect(group.acknowledgements.failures).toEqual([]);
			expectNothingLost(await rowsOf(location, group.acknowledgements));
			expect(await verifyTable(table)).toMatchObject({ ok: true });
			tell('SIGSTOP', {
				state,
				acknowledged: group.acknowledgements.count,
				stops: stops.map((stop) => ({ ...stop, gapMs: group.acknowledgements.gapAfterMs(stop.atMs) })),
				longestGapMs: group.acknowledgements.longestGapMs(),
			});
		},
		TIMEOUT_MS,
	);
});
