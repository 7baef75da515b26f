// One record at a time, each acknowledged before the next: many processes and one, beside SQLite (WAL, synchronous=FULL, a
// transaction for each insert) and DuckLake (catalog in SQLite).
//   node bench/ingest.mjs [--rounds 3] [--operations 10000] [--deadline 60] [--only sqlite,committed,journaled,inflight,ducklake,one,hundred]
// Contenders take turns, `rounds` times; a ratio is the median of the rounds' ratios. Before the start each process opens its
// table or database and appends one row, which is checked but not measured; then all start together. A contender stops
// after `deadline` seconds. Each acknowledged row is looked for afterwards, for the peers as well.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
	environment,
	fresh,
	hasPeers,
	ms,
	numberOption,
	peerPythons,
	root,
	scratch,
	shared,
	show,
} from './support.mjs';

environment();
const rounds = numberOption('rounds', 3);
const operations = numberOption('operations', 10_000);
const deadlineS = numberOption('deadline', 60);
const onlyAt = process.argv.indexOf('--only');
const only = onlyAt < 0 ? undefined : process.argv[onlyAt + 1].split(',');

const profileAt = process.argv.indexOf('--cpu-prof');
const profile = profileAt < 0 ? [] : ['--cpu-prof', process.argv[profileAt + 1]];

/** Our side: the stress command, which checks each row itself. */
async function datashard({ processes, each, until = 'committed', inFlight = 1 }) {
	const flags = { processes, operations: each, duration: `${deadlineS}s`, until, 'in-flight': inFlight, 'warm-up': 1 };
	const location = `${fresh('ingest/datashard')}/table`;
	const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
	const { status, stdout, stderr } = spawnSync(
		process.execPath,
		[`${root}/dist/cli/main.js`, 'stress', ...args, '--location', location, '--compare', 'none', '--json', ...profile],
		{ encoding: 'utf8', maxBuffer: 1 << 26 },
	);
	if (stdout === '') throw new Error(`stress failed:\n${stderr}`);
	const report = JSON.parse(stdout);
	if (status !== 0) console.log(`NOT as it must be: ${report.problems.join('; ')}\n`);
	const { appends, check, table, visibility } = report;
	rmSync(location, { recursive: true, force: true });
	return {
		appends: appends.latencyMs.count,
		rate: appends.ratePerSecond,
		p50: appends.latencyMs.p50,
		p99: appends.latencyMs.p99,
		max: appends.latencyMs.max,
		cpuMs: appends.cpuMsEach,
		failed: appends.failureCount,
		lost: check.lost.count + check.doubled.count + check.altered.count,
		ageing: appends.ageing?.timeRatio,
		lagMs: visibility.longestLagMs,
		metadata: table.metadataRatio,
		read: table.readRatio,
		files: Object.values(table.disk).reduce((sum, { fileCount }) => sum + fileCount, 0),
	};
}

/** A peer of the shared harness: its processes, started together as ours are. */
async function peer(name, { processes, each }) {
	const folder = fresh(`ingest/${name}`);
	const python = name === 'ducklake' ? peerPythons.duckdb15 : peerPythons.main;
	const script = `${shared}/w1_peers.py`;
	const env = { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1', PEERS_SCRATCH: scratch };
	const run = (...args) => {
		const { status, stderr } = spawnSync(python, [script, ...args], { encoding: 'utf8', env });
		if (status !== 0) throw new Error(`${name} ${args[0]}:\n${stderr}`);
	};
	run('setup', name, folder);
	const outOf = (k) => `${scratch}/ingest-${name}-${k}.json`;
	const workers = Array.from({ length: processes }, (_, k) =>
		spawn(python, [script, 'work', name, folder, String(k), String(each), String(deadlineS), outOf(k)], {
			stdio: ['pipe', 'pipe', 'inherit'],
			env,
		}),
	);
	const ended = workers.map((worker) => once(worker, 'close'));
	await Promise.all(workers.map((worker) => once(createInterface({ input: worker.stdout }), 'line')));
	for (const worker of workers) worker.stdin.end('go\n');
	await Promise.all(ended);
	const told = workers.map((_, k) => JSON.parse(readFileSync(outOf(k), 'utf8')));
	const out = `${scratch}/ingest-${name}-verify.json`;
	run('verify', name, folder, out);
	const found = new Map();
	for (const id of JSON.parse(readFileSync(out, 'utf8')).ids) found.set(id, (found.get(id) ?? 0) + 1);
	const times = told.flatMap(({ lat }) => lat.map((s) => s * 1000)).sort((a, b) => a - b);
	const wallS = Math.max(...told.map(({ t1 }) => t1)) - Math.min(...told.map(({ t0 }) => t0));
	rmSync(folder, { recursive: true, force: true });
	return {
		appends: times.length,
		rate: times.length / wallS,
		p50: times[Math.floor(times.length * 0.5)],
		p99: times[Math.floor(times.length * 0.99)],
		max: times.at(-1),
		cpuMs: (1000 * told.reduce((sum, { user, sys }) => sum + user + sys, 0)) / times.length,
		failed: told.filter(({ err }) => err !== null).length,
		lost: told.flatMap(({ acked }) => acked).filter((id) => found.get(id) !== 1).length,
	};
}

const twelve = { processes: 12, each: operations };
const one = { processes: 1, each: operations };
const hundred = { processes: 100, each: 100 };
const groups = {
	'12 processes': {
		...(hasPeers ? { SQLite: ['sqlite', () => peer('sqlite-wal', twelve)] } : {}),
		committed: ['committed', () => datashard(twelve)],
		journaled: ['journaled', () => datashard({ ...twelve, until: 'journaled' })],
		'committed, 16 in flight': ['inflight', () => datashard({ ...twelve, inFlight: 16 })],
		...(hasPeers ? { DuckLake: ['ducklake', () => peer('ducklake', twelve)] } : {}),
	},
	'1 process': {
		...(hasPeers ? { SQLite: ['one', () => peer('sqlite-wal', one)] } : {}),
		committed: ['one', () => datashard(one)],
		journaled: ['one', () => datashard({ ...one, until: 'journaled' })],
	},
	'100 processes, 100 appends each': {
		...(hasPeers ? { SQLite: ['hundred', () => peer('sqlite-wal', hundred)] } : {}),
		committed: ['hundred', () => datashard(hundred)],
	},
};

const median = (values) => {
	const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
	return sorted.length === 0 ? undefined : (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

for (const [title, contenders] of Object.entries(groups)) {
	const chosen = Object.entries(contenders).filter(([, [key]]) => only === undefined || only.includes(key));
	if (chosen.length === 0) continue;
	const all = Object.fromEntries(chosen.map(([name]) => [name, []]));
	for (let round = 0; round < rounds; round++) {
		for (const [name, [, go]] of chosen) {
			try {
				all[name].push(await go());
			} catch (error) {
				console.log(`${name}: ${error.message}\n`);
			}
		}
	}
	const ran = Object.fromEntries(Object.entries(all).filter(([, results]) => results.length > 0));
	const to = (base) => (results) => {
		const other = ran[base];
		return other === undefined
			? ''
			: (median(results.map(({ rate }, i) => rate / other[Math.min(i, other.length - 1)].rate))?.toFixed(2) ?? '');
	};
	const of = (name, shown) => (results) => {
		const value = median(results.map((result) => result[name]));
		return value === undefined ? '' : shown(value);
	};
	const total = (name) => (results) => String(results.reduce((sum, result) => sum + result[name], 0));
	show(`${title}; ${rounds} rounds, medians`, ran, {
		appends: of('appends', (value) => value.toFixed(0)),
		'rows/s': of('rate', (value) => value.toFixed(0)),
		'x SQLite': to('SQLite'),
		'x DuckLake': to('DuckLake'),
		'p50 ms': of('p50', (value) => value.toFixed(2)),
		'p99 ms': of('p99', ms),
		'max ms': (results) => ms(Math.max(...results.map(({ max }) => max))),
		'CPU ms each': of('cpuMs', (value) => value.toFixed(3)),
		failed: total('failed'),
		'lost or twice': total('lost'),
		'last/second 1,000': of('ageing', (value) => value.toFixed(2)),
		'lag ms': of('lagMs', ms),
		'metadata/data': of('metadata', (value) => value.toFixed(2)),
		'read/at once': of('read', (value) => value.toFixed(2)),
		files: of('files', (value) => value.toFixed(0)),
	});
}
