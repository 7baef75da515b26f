/** The real code of tables in a simulated world: many seeds, and known bugs that they must find. */
import { describe, expect, it } from 'vitest';
import { planOf, type SimulationPlan } from '../../src/testing/simulator/plan.ts';
import { simulate, SimulationFailure, type SimulationOptions } from '../../src/testing/simulator/simulation.ts';
import { HARMLESS, PLANTED_BUGS } from './planted-bugs.ts';

/** Seeds that every run goes through; more by `npm run simulate`. */
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const STEPS = 4000;
const STORM_SEEDS = [2, 9, 15, 28, 33, 34];
const STORM: Partial<SimulationPlan> = {
	journals: true,
	thinkMs: 10,
	killEveryMs: 150,
	weights: { ...planOf(1).weights, append: 10, 'append-once': 6, 'append-journaled': 8 },
};
/** Seeds among which a planted bug must be found. */
const SEARCHED_SEEDS = 60;

describe('the simulator', () => {
	it('finds invariants 1 to 10 kept by every seed', async () => {
		for (const seed of SEEDS) await simulate({ seed, steps: STEPS });
	}, 120_000);

	it('finds them kept in storms: leaders and writers killed, stopped and cut off, and the power lost', async () => {
		for (const seed of STORM_SEEDS) {
			const storm = {
				...STORM,
				...(seed % 2 === 0 ? { powerLossEveryMs: 200 } : { stopEveryMs: 150, linkBreaks: 0.03 }),
			};
			await simulate({ seed, steps: STEPS, plan: { ...planOf(seed), ...storm } });
		}
	}, 120_000);

	it('does the same thing for the same seed, also when others ran before', async () => {
		const first = await simulate({ seed: 7, steps: STEPS });
		await simulate({ seed: 8, steps: STEPS });
		const again = await simulate({ seed: 7, steps: STEPS });
		expect(again).toEqual(first);
		expect(again.acknowledged).toBeGreaterThan(10);
	});

	it('is not disturbed by hooks that do nothing', async () => {
		const plain = await simulate({ seed: 7, steps: 1500 });
		expect(await simulate({ seed: 7, steps: 1500, hooks: HARMLESS })).toEqual(plain);
	});
});

describe('a planted bug is found:', () => {
	it.each(PLANTED_BUGS)(
		'$name',
		async ({ hooks, seed: hint, invariants, plan = {}, checkDurability = true }) => {
			const others = Array.from({ length: SEARCHED_SEEDS }, (_, i) => i + 1).filter((seed) => seed !== hint);
			const options = { steps: STEPS, checkDurability };
			const failure = await firstFailure([hint, ...others], plan, { ...options, hooks });
			expect(failure).toBeInstanceOf(SimulationFailure);
			expect(invariants).toContain(failure?.invariant);
			expect(failure?.message).toContain(`invariant ${failure?.invariant} `);
			// The code as it is passes the very seed.
			const seed = failure?.seed ?? 0;
			await simulate({ seed, plan: { ...planOf(seed), ...plan }, ...options });
		},
		120_000,
	);
});

async function firstFailure(
	seeds: readonly number[],
	plan: Partial<SimulationPlan>,
	options: Omit<SimulationOptions, 'seed'>,
): Promise<SimulationFailure | undefined> {
	for (const seed of seeds) {
		try {
			await simulate({ seed, plan: { ...planOf(seed), ...plan }, ...options });
		} catch (error) {
			return error as SimulationFailure;
		}
	}
	return undefined;
}
