// What the benchmarks share: where things are, runs in fresh processes, tables of results.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const peersHome = process.env.PEERS_HOME ?? `${process.env.XDG_CACHE_HOME ?? `${homedir()}/.cache`}/datashard-peers`;
const python = process.env.PEERS_PY ?? `${peersHome}/venv/bin/python`;
/** Pythons of the peers: of most, and the one with the DuckDB that has extensions. */
export const peerPythons = {
	main: python,
	duckdb15: process.env.PEERS_PY15 ?? `${peersHome}/venv-duckdb15/bin/python`,
};
export const shared = `${root}../shared/peers`;

/** On the disk under test; set DATASHARD_BENCH_SCRATCH to choose it. */
export const scratch = process.env.DATASHARD_BENCH_SCRATCH ?? `${tmpdir()}/datashard-bench`;
mkdirSync(scratch, { recursive: true });

if (!existsSync(`${root}/dist/index.js`))
	throw new Error('run `npm run build` first: the benchmarks run what is built');

/** Whether the Python peers and the harness that they share are there. */
export const hasPeers = existsSync(python) && existsSync(`${shared}/common.py`);
if (!hasPeers) console.log(`no peers: ${python} or ${shared} is missing; only DataShard is measured\n`);

/** An empty folder below {@link scratch}. */
export function fresh(name) {
	const folder = `${scratch}/${name}`;
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	return folder;
}

/** Number options of the command line: `--rows 3000000`. */
export function numberOption(name, fallback) {
	const at = process.argv.indexOf(`--${name}`);
	return at < 0 ? fallback : Number(process.argv[at + 1]);
}

/** Runs an action in a fresh process; what it printed as JSON, with the wall time of the whole process. */
function run(command, args, env) {
	const started = performance.now();
	const result = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
	const processMs = performance.now() - started;
	if (result.status !== 0) throw new Error(`${args.join(' ')} failed:\n${result.stderr}`);
	return { ...JSON.parse(result.stdout.trim().split('\n').at(-1)), processMs };
}

export function datashard(action, ...args) {
	return run(process.execPath, [`${root}/bench/actions.mjs`, action, ...args.map(String)]);
}

export function peer(action, ...args) {
	return run(python, [`${root}/bench/peers.py`, action, ...args.map(String)], {
		PYTHONPATH: shared,
		PYTHONWARNINGS: 'ignore',
		PYTHONDONTWRITEBYTECODE: '1',
	});
}

/** Runs the contenders in turns, so that what else the machine does hits all of them; the best of each measure. */
export function best(repetitions, contenders) {
	const results = {};
	for (let i = 0; i < repetitions; i++) {
		for (const [name, go] of Object.entries(contenders)) {
			const result = go(i);
			const before = results[name];
			results[name] =
				before === undefined
					? result
					: Object.fromEntries(
							Object.entries(result).map(([key, value]) => [
								key,
								typeof value !== 'number'
									? value
									: key.startsWith('peak')
										? Math.max(value, before[key])
										: Math.min(value, before[key]),
							]),
						);
		}
	}
	return results;
}

/** Prints results, one line each; `columns` maps headings to functions of (result, first result). */
export function show(title, results, columns) {
	const rows = Object.entries(results).map(([name, result]) => [
		name,
		...Object.values(columns).map((value) => String(value(result, results) ?? '')),
	]);
	const head = ['', ...Object.keys(columns)];
	const widths = head.map((text, k) => Math.max(text.length, ...rows.map((row) => row[k].length)));
	const line = (cells) =>
		`| ${cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join(' | ')} |`;
	console.log(`### ${title}\n`);
	console.log(line(head));
	console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
	for (const row of rows) console.log(line(row));
	console.log();
}

export const ms = (value) => (value === undefined ? '' : value < 100 ? value.toFixed(1) : value.toFixed(0));

/** How `result` compares with the contender of that name: 0.1 is a tenth. */
export const ratio = (of) => (measure, to) => (result, results) =>
	results[to] === undefined || result[of ?? measure] === undefined
		? ''
		: (result[measure] / results[to][measure]).toFixed(3);

/** What the machine is and does, for the record. */
export function environment() {
	const load = execFileSync('cat', ['/proc/loadavg'], { encoding: 'utf8' }).split(' ').slice(0, 3).join(' ');
	console.log(`node ${process.version}, load ${load}, scratch ${scratch}\n`);
}
