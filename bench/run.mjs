// Measures this library beside PyIceberg and pyarrow in one run, in turn, and prints medians and ratios.
//
//   npm run build && node bench/run.mjs [--runs 3] [--large] [NAME ...]
//
// --large adds the scan and import of 3 and 30 million rows (minutes, 1 GB of disk). The Python is DATASHARD_PY, else what
// `bash test/interop/setup.sh` made. Everything is written below TMPDIR and removed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { runs: { type: 'string', default: '3' }, large: { type: 'boolean', default: false } },
});
const runs = Number(values.runs);
const folder = mkdtempSync(join(tmpdir(), 'datashard-bench-'));
let places = 0;
const place = () => join(folder, `t${(places += 1)}`);

function findPython() {
	if (process.env.DATASHARD_PY) return process.env.DATASHARD_PY;
	const lines = execFileSync('bash', [join(here, '../test/interop/setup.sh'), '--find'], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const found = /^DATASHARD_PY=(.*)$/m.exec(lines)?.[1];
	if (!found) throw new Error("no Python with PyIceberg: run 'bash test/interop/setup.sh' once");
	return found;
}
const python = findPython();

function child(file, args) {
	const started = performance.now();
	const out = execFileSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 24, stdio: ['ignore', 'pipe', 'inherit'] });
	return { ...JSON.parse(out.trim().split('\n').at(-1)), process: (performance.now() - started) / 1000 };
}
const ours = (...args) => child(process.execPath, [join(here, 'work.mjs'), ...args]);
const theirs = (...args) => child(python, [join(here, 'peers/pyiceberg_peer.py'), ...args]);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

console.log('| what | ours | peer | ratio ours/peer | peak MB ours | peer |\n|---|---|---|---|---|---|');
/** Runs both in turn; `figure` takes the number to compare from a result, in seconds. */
function compare(name, figure, our, their) {
	const results = { our: [], their: [] };
	for (let i = 0; i < runs; i += 1) {
		results.our.push(our());
		results.their.push(their());
	}
	const [a, b] = [median(results.our.map(figure)), median(results.their.map(figure))];
	const peaks = [results.our, results.their].map((list) => Math.round(median(list.map((r) => r.peakMb))));
	const show = (seconds) =>
		seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 2 : 0)} ms` : `${seconds.toFixed(2)} s`;
	console.log(`| ${name} | ${show(a)} | ${show(b)} | ${(a / b).toFixed(3)} | ${peaks[0]} | ${peaks[1]} |`);
	return results;
}

const data = join(folder, 'rows.arrow');
let dataMade = false;
function bulkData() {
	if (!dataMade) theirs('data', data, '1000000');
	dataMade = true;
	return data;
}

const benches = {
	cold() {
		const [table, peer] = [place(), place()];
		ours('create', table);
		theirs('append-one', peer);
		compare(
			'one row, fresh process',
			(r) => r.process,
			() => ours('append-one', table),
			() => theirs('append-one', peer),
		);
	},
	one() {
		compare(
			'one row, warm process',
			(r) => r.each,
			() => ours('append-many', place(), '100'),
			() => theirs('append-many', place(), '20'),
		);
	},
	bulk() {
		bulkData();
		compare(
			'1 M rows as columns',
			(r) => r.seconds,
			() => ours('append-bulk', place(), data),
			() => theirs('append-bulk', place(), data),
		);
		compare(
			'1 M rows as objects (peer: columns)',
			(r) => r.seconds,
			() => ours('append-rows', place(), '1000000'),
			() => theirs('append-bulk', place(), data),
		);
	},
	scan() {
		bulkData();
		const { metadata, file } = ours('append-bulk', place(), data);
		compare(
			'scan 1 M rows to columns (peer: pyarrow, the same file)',
			(r) => r.seconds,
			() => ours('scan', metadata),
			() => theirs('scan-parquet', file),
		);
		compare(
			'the same (peer: PyIceberg, the same table)',
			(r) => r.seconds,
			() => ours('scan', metadata),
			() => theirs('scan', metadata),
		);
		compare(
			'scan 1 M rows to objects (peer: PyIceberg to Arrow)',
			(r) => r.seconds,
			() => ours('scan-rows', metadata),
			() => theirs('scan', metadata),
		);
		const some = 'started_at >= 1700005000000 and started_at < 1700005010000';
		compare(
			'scan 1,000 of 1 M rows by range (peer: PyIceberg)',
			(r) => r.seconds,
			() => ours('scan', metadata, some),
			() => theirs('scan', metadata, some),
		);
	},
	plan() {
		const { metadata } = ours('make-files', place());
		const filters = [
			['10,000 files', []],
			['100 of 10,000 files', ['part = 7']],
		];
		for (const [what, filter] of filters) {
			for (const [when, figure] of [
				['first time', (r) => r.first],
				['again', (r) => r.again],
			]) {
				compare(
					`open and plan ${what}, ${when}`,
					figure,
					() => ours('plan', metadata, ...filter),
					() => theirs('plan', metadata, ...filter),
				);
			}
		}
	},
};

try {
	for (const [name, bench] of Object.entries(benches))
		if (positionals.length === 0 || positionals.includes(name)) bench();
	if (values.large) {
		console.log('\n| rows | import, s | peak MB | scan, s | peak MB |\n|---|---|---|---|---|');
		for (const rows of ['3000000', '30000000']) {
			const table = place();
			const written = ours('append-stream', table, rows);
			const read = ours('scan', table);
			if (read.rows !== Number(rows)) throw new Error(`${read.rows} rows read of ${rows}`);
			const cells = [
				written.seconds.toFixed(1),
				written.peakMb.toFixed(0),
				read.seconds.toFixed(1),
				read.peakMb.toFixed(0),
			];
			console.log(`| ${rows} | ${cells.join(' | ')} |`);
			rmSync(table, { recursive: true });
		}
	}
} finally {
	rmSync(folder, { recursive: true, force: true });
}
