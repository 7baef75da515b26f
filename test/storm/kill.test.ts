import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTable, removeOrphans, verifyTable } from '../../src/index.ts';
import type { WriterProcess } from '../../src/testing/stress/writer-process.ts';
import { builtPackage } from '../support/dist.ts';
import {
	expectNothingLost,
	killWritersAfterwards,
	makeTable,
	pause,
	percentile,
	rowsOf,
	ScanningReader,
	STATES,
	settle,
	seededRandom,
	stormFolder,
	stormMs,
	tell,
	TIMEOUT_MS,
	writersOf,
} from './support.ts';

const WRITERS = 12;
const KILL_EVERY_MS = 100;
const folder = stormFolder();
killWritersAfterwards();
beforeAll(() => builtPackage().then(() => undefined));

describe('kill -9', () => {
	it.each(STATES)(
		'of random writers loses nothing, doubles nothing, and stops nobody else: %s (invariants 1, 2, 4, 6, 7, 8)',
		async (state) => {
			const random = seededRandom();
			const location = await makeTable(join(folder, state));
			const group = writersOf(location, { until: state });
			for (let i = 0; i < WRITERS; i++) group.add();
			await group.start();
			const reader = new ScanningReader(location, group.acknowledgements, state);
			const kills: number[] = [];
			const killed = new Set<WriterProcess>();
			const lastsMs = stormMs(5_000);
			while (group.elapsedMs < lastsMs) {
				await pause(KILL_EVERY_MS);
				const victims = group.running.filter((writer) => !killed.has(writer));
				const victim = victims[random.below(victims.length)];
				if (victim === undefined) continue;
				killed.add(victim);
				victim.signal('SIGKILL');
				kills.push(group.elapsedMs);
				group.add();
			}
			const ends = await group.stop();
			const scans = await reader.end();
			expect(ends.filter(({ code, signal, errors }) => signal !== 'SIGKILL' && (code !== 0 || errors !== ''))).toEqual(
				[],
			);
			expect(ends.filter(({ signal }) => signal === 'SIGKILL')).toHaveLength(kills.length);
			const { acknowledgements } = group;
			expect(acknowledgements.failures).toEqual([]);
			expect(acknowledgements.count).toBeGreaterThan(0);
			expect(scans).toBeGreaterThan(0);
			if (state === 'journaled') await settle(group, location);
			const check = await rowsOf(location, acknowledgements);
			expectNothingLost(check, { unacknowledged: kills.length });
			await using table = await loadTable(location);
			expect(await verifyTable(table)).toMatchObject({ ok: true });
			// what the killed left: what is known to be garbage at once, and, now that nobody writes, all of it
			const atOnce = await removeOrphans(table, { graceMs: 0 });
			const forced = await removeOrphans(table, { graceMs: 0, olderThanMs: 0, force: true });
			expectNothingLost(await rowsOf(location, acknowledgements), { unacknowledged: kills.length });
			expect(await verifyTable(table)).toMatchObject({ ok: true });
			const gaps = kills.map((killMs) => acknowledgements.gapAfterMs(killMs)).filter((gap) => gap !== undefined);
			tell('kill -9', {
				state,
				seed: random.seed,
				kills: kills.length,
				acknowledged: check.acknowledgedCount,
				there: check.rowCount,
				scans,
				gapAfterKillMs: { p50: percentile(gaps, 0.5), p99: percentile(gaps, 0.99), max: percentile(gaps, 1) },
				longestGapMs: acknowledgements.longestGapMs(),
				garbage: { knownAtOnce: atOnce.fileCount, rest: forced.fileCount },
			});
		},
		TIMEOUT_MS,
	);
});
