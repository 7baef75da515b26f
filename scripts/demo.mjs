// The main job on real data: three million flights go into an ACID table in a local folder, are queried, appended to,
// read as of an earlier time, and verified. Uses only what a user of the package has: the command and the library.
//
//   npm run demo [-- FOLDER]      FOLDER: where the table goes; default: a temporary folder that stays, to look at
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = join(root, 'dist/cli/main.js');
const flights = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet');
if (!existsSync(command)) run('npm', ['run', '-s', 'build'], { cwd: root });

const isTerminal = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const bold = (text) => (isTerminal ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text) => (isTerminal ? `\u001b[2m${text}\u001b[0m` : text);

const folder =
	process.argv[2] === undefined ? mkdtempSync(join(tmpdir(), 'datashard-demo-')) : resolve(process.argv[2]);
const table = join(folder, 'flights');

function run(program, args, options = {}) {
	const result = spawnSync(program, args, { stdio: 'inherit', ...options });
	if (result.status !== 0) {
		console.error(`demo: ${program} ${args.join(' ')} failed`);
		process.exit(1);
	}
	return result.stdout?.toString() ?? '';
}

function title(text) {
	console.log(`\n${bold(text)}`);
}

/** Runs the command and shows it as a user would type it. */
function datashard(...args) {
	const shown = args
		.map((arg) => (/[^\w./:=-]/.test(arg) ? (arg.includes("'") ? `"${arg}"` : `'${arg}'`) : arg))
		.join(' ');
	console.log(dim(`$ datashard ${shown.replaceAll(table, './flights').replace(flights, 'flights-3m.parquet')}`));
	run(process.execPath, [command, ...args]);
}

function expect(what, found, expected) {
	if (found === expected) return;
	console.error(`demo: ${what}: expected ${expected}, found ${found}`);
	process.exit(1);
}

title('1. Three million flights into a partitioned, sorted table');
datashard('import', flights, table, '--partition-by', 'month(date)', '--sort-by', 'date');

title('2. Ask it');
datashard('count', table);
datashard('scan', table, '--where', "origin = 'LAX' and destination = 'JFK' and delay > 180", '--limit', '5');

title('3. From TypeScript: late flights by airport');
const { loadTable } = await import('datashard');
const flightsTable = await loadTable(table);
const before = await flightsTable.currentSnapshot();
const startedMs = performance.now();
const late = new Map();
for await (const row of flightsTable.scan({ select: ['origin'], where: 'delay >= 60' }))
	late.set(row.origin, (late.get(row.origin) ?? 0) + 1);
for (const [origin, count] of [...late].sort((a, b) => b[1] - a[1]).slice(0, 5))
	console.log(`  ${origin}  ${count.toLocaleString('en-US').padStart(7)} flights an hour late or more`);
console.log(dim(`  (${(performance.now() - startedMs).toFixed(0)} ms)`));

title('4. Append: all rows, or none');
const result = await flightsTable.append([
	{ date: '2001-07-01T12:00:00', delay: 5, distance: 2475, origin: 'LAX', destination: 'JFK' },
	{ date: '2001-07-01T13:30:00.000001', delay: -3n, distance: 337, origin: 'LAX', destination: 'SFO' },
]);
console.log(`  ${result.message}`);
try {
	await flightsTable.append([
		{ date: '2001-07-02T12:00:00', delay: 5, distance: 2475, origin: 'LAX', destination: 'JFK' },
		{ date: '2001-07-02T13:00:00', delay: 1.5, distance: 337, origin: 'LAX', destination: 'SFO' },
	]);
} catch (error) {
	console.log(`  refused: ${error.message}`);
}
expect('rows after the appends', await flightsTable.rowCount(), 3_000_002);

title('5. As it was before');
const earlier = await flightsTable.timeTravel({ snapshotId: before.snapshotId });
console.log(
	`  then ${(await earlier.rowCount()).toLocaleString('en-US')} rows, now ${(await flightsTable.rowCount()).toLocaleString('en-US')}`,
);
expect('rows before', await earlier.rowCount(), 3_000_000);
await flightsTable.close();
datashard('snapshots', table);

title('6. Is everything there, and what it says?');
datashard('verify', table, '--deep');

title('7. It is an Iceberg table');
const environment = Object.fromEntries(
	(spawnSync('bash', [join(root, 'test/interop/setup.sh'), '--find']).stdout?.toString() ?? '')
		.split('\n')
		.filter((line) => line.includes('='))
		.map((line) => line.split(/=(.*)/s).slice(0, 2)),
);
if (environment.DATASHARD_PY !== undefined) {
	const script = `
import glob
from pyiceberg.table import StaticTable
t = StaticTable.from_metadata(max(glob.glob('${table}/metadata/v*.metadata.json'), key=lambda p: int(p.split('/v')[-1].split('.')[0])))
print('  PyIceberg:', format(t.scan().count(), ','), 'rows;', len(list(t.scan(row_filter="date >= '2001-06-01T00:00:00'").plan_files())), 'of', len(list(t.scan().plan_files())), 'files for June on')`;
	run(environment.DATASHARD_PY, ['-c', script]);
} else console.log('  (PyIceberg is not installed here: bash test/interop/setup.sh)');
if (environment.DATASHARD_PY_DUCKDB !== undefined) {
	const script = `
import duckdb, glob, os
base = os.path.dirname(os.path.dirname(duckdb.__file__))
con = duckdb.connect(config={'allow_unsigned_extensions': 'true', 'autoinstall_known_extensions': 'false'})
for e in ('avro', 'iceberg'): con.sql("LOAD '%s'" % glob.glob(f'{base}/duckdb_extension_{e}/extensions/*/{e}.duckdb_extension')[0])
m = max(glob.glob('${table}/metadata/v*.metadata.json'), key=lambda p: int(p.split('/v')[-1].split('.')[0]))
n, d = con.sql(f"SELECT count(*), round(avg(delay), 3) FROM iceberg_scan('{m}')").fetchone()
print('  DuckDB:   ', format(n, ','), 'rows, mean delay', d, 'minutes')`;
	run(environment.DATASHARD_PY_DUCKDB, ['-c', script]);
} else console.log('  (DuckDB is not installed here: bash test/interop/setup.sh)');

console.log(`\nThe table is in ${table}\n`);
