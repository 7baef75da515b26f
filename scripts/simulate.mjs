// The real code of tables in a simulated world, in an order that a seed decides; see docs/design/simulator.md.
//
//   npm run simulate -- --seed N [--steps S] [--trace]        one seed; with --trace each event as a line
//   npm run simulate -- --seeds N [--from M] [--steps S]      seeds M (default 1) to M+N-1
//   npm run simulate -- --minutes T [--from M] [--steps S]    as many seeds as there is time for
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const NUMBERS = ['seed', 'seeds', 'from', 'steps', 'minutes'];
const { values } = parseArgs({
	options: { ...Object.fromEntries(NUMBERS.map((name) => [name, { type: 'string' }])), trace: { type: 'boolean' } },
});
for (const name of NUMBERS)
	if (values[name] !== undefined && !(Number(values[name]) >= 0)) {
		console.error(`simulate: --${name} is a number, not '${values[name]}'`);
		process.exit(2);
	}
const entry = fileURLToPath(new URL('../dist/testing.js', import.meta.url));
if (!existsSync(entry)) {
	console.error('simulate: run `npm run build` first');
	process.exit(2);
}
const { simulate, SimulationFailure } = await import(entry);

const steps = values.steps === undefined ? {} : { steps: Number(values.steps) };
const endMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + values.minutes * 60_000;
const first = Number(values.seed ?? values.from ?? 1);
const last = values.minutes === undefined ? first + Number(values.seeds ?? 1) - 1 : Number.POSITIVE_INFINITY;
const totals = { seeds: 0, failed: 0, steps: 0, acknowledged: 0, kills: 0, powerLosses: 0 };
const startMs = performance.now();

for (let seed = first; seed <= last && performance.now() < endMs; seed++) {
	totals.seeds++;
	try {
		const onTrace = values.trace === true ? (line) => console.log(line) : undefined;
		const result = await simulate({ seed, ...steps, ...(onTrace === undefined ? {} : { onTrace }) });
		for (const name of ['steps', 'acknowledged', 'kills', 'powerLosses']) totals[name] += result[name];
		if (first === last) console.log(result);
	} catch (error) {
		if (!(error instanceof SimulationFailure)) throw error;
		totals.failed++;
		if (values.trace !== true) console.error(error.lastEvents.slice(-40).join('\n'));
		console.error(`FAILED ${error.message}`);
		if (error.invariant === undefined) console.error(error.cause);
		console.error(
			`  again: npm run simulate -- --seed ${seed}${values.steps === undefined ? '' : ` --steps ${values.steps}`} --trace`,
		);
	}
}
const seconds = (performance.now() - startMs) / 1000;
console.log(
	`${totals.seeds} seeds, ${totals.failed} failed: ${totals.steps} steps in ${seconds.toFixed(1)} s, ` +
		`${totals.acknowledged} appends acknowledged, ${totals.kills} kills, ${totals.powerLosses} power losses`,
);
process.exitCode = totals.failed === 0 ? 0 : 1;
