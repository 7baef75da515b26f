import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTable, verifyTable } from '../../src/index.ts';
import { builtPackage } from '../support/dist.ts';
import {
	expectNothingLost,
	isFull,
	killWritersAfterwards,
	makeTable,
	progressOf,
	rowsOf,
	STATES,
	smallFileSystem,
	stormFolder,
	tell,
	TIMEOUT_MS,
	until,
	writersOf,
} from './support.ts';

const SIZE_BYTES = 64 * 1024 * 1024;
const WRITERS = 4;
const folder = stormFolder();
const small = smallFileSystem(SIZE_BYTES);
killWritersAfterwards();
beforeAll(() => builtPackage().then(() => undefined));

/** Takes all the room that is left. */
function fill(path: string): void {
	const fd = openSync(path, 'w');
	try {
		for (let size = 1024 * 1024; size >= 1; size >>= 1) {
			try {
				for (;;) writeSync(fd, Buffer.alloc(size));
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
			}
		}
	} finally {
		closeSync(fd);
	}
}

describe('a disk that is full', () => {
	it.skipIf(small === undefined).each(STATES)(
		'makes appends fail with a clear error, loses nothing, and they go on when there is room: %s',
		async (state) => {
			const location = await makeTable(join(small ?? folder, state));
			const group = writersOf(location, { until: state, persistent: true });
			for (let i = 0; i < WRITERS; i++) group.add();
			await group.start();
			const everybody = group.writers.map((_, i) => i);
			const { acknowledgements } = group;
			for (let turn = 0; turn < (isFull ? 3 : 1); turn++) {
				await progressOf(group, everybody, 2);
				const failuresBefore = acknowledgements.failureCount;
				fill(join(small ?? folder, 'ballast'));
				await until(() => acknowledgements.failureCount >= failuresBefore + WRITERS);
				unlinkSync(join(small ?? folder, 'ballast'));
			}
			await progressOf(group, everybody, 2);
			await group.stop();
			for (const { code, message } of acknowledgements.failures) {
				expect(['STORAGE', 'COMMIT_STATE_UNKNOWN']).toContain(code);
				expect(message).toMatch(/no space|ENOSPC|disk is full|is not known/i);
			}
			const check = await rowsOf(location, acknowledgements);
			expectNothingLost(check);
			const unknown = acknowledgements.failures.filter(({ code }) => code === 'COMMIT_STATE_UNKNOWN').length;
			if (acknowledgements.failureCount === acknowledgements.failures.length)
				expect(check.failedButThere.count).toBeLessThanOrEqual(unknown);
			await using table = await loadTable(location);
			expect(await verifyTable(table)).toMatchObject({ ok: true });
			tell('disk full', {
				state,
				acknowledged: check.acknowledgedCount,
				failed: acknowledgements.failureCount,
				unknown,
				failedButThere: check.failedButThere.count,
			});
		},
		TIMEOUT_MS,
	);
});
