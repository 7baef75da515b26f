// What one commit of one row costs in a process that runs: node bench/commit-cost.mjs [--appends 3000] [--window 200]
// [--dist folder]. Alone, so it can be profiled: node --cpu-prof bench/commit-cost.mjs; strace -f -c node bench/commit-cost.mjs
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const option = (name, fallback) => {
	const at = process.argv.indexOf(`--${name}`);
	return at < 0 ? fallback : process.argv[at + 1];
};
const appends = Number(option('appends', 3000));
const window = Number(option('window', 200));
const dist = resolve(option('dist', fileURLToPath(new URL('../dist', import.meta.url))));
const { createTable, long, schema, string } = await import(pathToFileURL(join(dist, 'index.js')).href);

const scratch = mkdtempSync(join(process.env.DATASHARD_BENCH_SCRATCH ?? tmpdir(), 'datashard-commit-cost-'));
try {
	const required = () => string().required();
	const table = await createTable(
		join(scratch, 't'),
		schema({
			task_id: required(),
			workflow_id: required(),
			status: required(),
			started_at: long().required(),
			completed_at: long().required(),
			duration_ms: long().required(),
			error_message: string(),
			worker_id: required(),
		}),
	);
	const record = (i) => ({
		task_id: `0-${i}`,
		workflow_id: `wf-${String((i * 31) % 1000).padStart(5, '0')}`,
		status: ['success', 'failed', 'running', 'cancelled'][i % 4],
		started_at: BigInt(1_700_000_000_000 + i * 10),
		completed_at: BigInt(1_700_000_000_000 + i * 17),
		duration_ms: BigInt(i * 7),
		error_message: i % 4 === 1 ? 'Connection timeout' : null,
		worker_id: 'worker-000',
	});
	console.log('appends       p50 ms   p99 ms   CPU ms each (user + system)');
	let waits = [];
	let cpu = process.cpuUsage();
	for (let i = 1; i <= appends; i++) {
		const start = performance.now();
		await table.append([record(i)]);
		waits.push(performance.now() - start);
		if (i % window !== 0 && i !== appends) continue;
		const { user, system } = process.cpuUsage(cpu);
		waits.sort((a, b) => a - b);
		const cells = [
			String(i).padEnd(10),
			waits[Math.floor(waits.length / 2)].toFixed(2).padStart(8),
			waits[Math.floor(waits.length * 0.99)].toFixed(2).padStart(8),
			((user + system) / 1000 / waits.length).toFixed(2).padStart(8),
			`(${(user / 1000 / waits.length).toFixed(2)} + ${(system / 1000 / waits.length).toFixed(2)})`,
		];
		console.log(cells.join(' '));
		waits = [];
		cpu = process.cpuUsage();
	}
	for (const folder of ['data', 'metadata']) {
		const sizes = readdirSync(join(scratch, 't', folder), { recursive: true }).map(
			(name) => statSync(join(scratch, 't', folder, name)).size,
		);
		console.log(`${folder}: ${sizes.length} files, ${sizes.reduce((sum, size) => sum + size, 0)} bytes`);
	}
} finally {
	rmSync(scratch, { recursive: true, force: true });
}
