import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseTier, levelOf, type TierFile } from '../../src/maintenance/tiers.ts';

interface Tracked extends TierFile {
	/** how often each of its rows was rewritten, at most */
	readonly rewrites: number;
}

/** Puts together what is chosen until there is nothing to do. */
function settle(files: Tracked[], fanIn: number, targetSizeBytes: number, maxFiles: number): Tracked[] {
	for (;;) {
		const chosen = chooseTier(files, { fanIn, targetSizeBytes, maxFiles });
		if (chosen === undefined) return files;
		expect(chosen.length).toBeGreaterThanOrEqual(2);
		expect(chosen.length).toBeLessThanOrEqual(maxFiles);
		expect(new Set(chosen).size).toBe(chosen.length);
		const merged: Tracked = {
			rowCount: chosen.reduce((sum, { rowCount }) => sum + rowCount, 0),
			sizeBytes: chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
			rewrites: 1 + Math.max(...chosen.map(({ rewrites }) => rewrites)),
		};
		const rest = files.filter((file) => !chosen.includes(file));
		files = merged.sizeBytes >= targetSizeBytes * 0.75 ? rest : [...rest, merged];
	}
}

describe('tiers', () => {
	it('have levels that grow by the fan-in', () => {
		expect([1, 7, 8, 63, 64, 511, 512].map((rows) => levelOf(rows, 8))).toEqual([0, 0, 1, 1, 2, 2, 3]);
		expect(levelOf(0, 8)).toBe(0);
	});

	it('rewrite each row a logarithmic number of times, and leave few files, whatever is appended and when', () => {
		fc.assert(
			fc.property(
				fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5_000 })), { minLength: 1, maxLength: 600 }),
				fc.integer({ min: 2, max: 16 }),
				fc.integer({ min: 1, max: 50 }),
				(appends, fanIn, every) => {
					let files: Tracked[] = [];
					let total = 0;
					appends.forEach((rowCount, i) => {
						files.push({ rowCount, sizeBytes: 700 + rowCount, rewrites: 0 });
						total += rowCount;
						if (i % every === every - 1) files = settle(files, fanIn, Number.MAX_SAFE_INTEGER, 4_096);
					});
					files = settle(files, fanIn, Number.MAX_SAFE_INTEGER, 4_096);
					const levels = 1 + levelOf(total, fanIn);
					expect(files.length).toBeLessThanOrEqual((fanIn - 1) * levels);
					for (const { rewrites } of files) expect(rewrites).toBeLessThanOrEqual(levels);
				},
			),
		);
	});

	it('fill files of the target size, and never take more than a step may', () => {
		fc.assert(
			fc.property(
				fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 300 }),
				fc.integer({ min: 2, max: 8 }),
				fc.integer({ min: 8, max: 40 }),
				(sizes, fanIn, maxFiles) => {
					const files = sizes.map((sizeBytes) => ({ rowCount: sizeBytes, sizeBytes, rewrites: 0 }));
					const left = settle(files, fanIn, 2_000, maxFiles);
					expect(left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) < 2_000 || left.length < 2).toBe(true);
				},
			),
		);
	});
});
