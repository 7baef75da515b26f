// One piece of work in a process of its own, as run.mjs starts it; prints one JSON line.
import { readFileSync } from 'node:fs';
import { createTable, columns, loadTable, long, schema, string } from '../dist/index.js';

const taskLog = schema({
	task_id: string(),
	workflow_id: string(),
	status: string(),
	started_at: long(),
	completed_at: long(),
	duration_ms: long(),
	error_message: string(),
	worker_id: string(),
});
const [command, ...args] = process.argv.slice(2);
const result = {};
let started = performance.now();

function row(i) {
	const at = 1_700_000_000_000 + i * 10;
	const duration = (i * 7919) % 60_000;
	return {
		task_id: `7f3a4c1e-0000-4000-8000-${String(i).padStart(12, '0')}`,
		workflow_id: `wf-${String((i * 31) % 20_000).padStart(6, '0')}`,
		status: ['success', 'failed', 'running', 'cancelled'][i % 4],
		started_at: at,
		completed_at: at + duration,
		duration_ms: duration,
		error_message: i % 4 === 1 ? 'upstream returned 503 after retry' : null,
		worker_id: `worker-${String(i % 64).padStart(3, '0')}`,
	};
}

async function* manyRows(count) {
	for (let i = 0; i < count; i += 1) yield row(i);
}

switch (command) {
	case 'create':
		await (await createTable(args[0], taskLog)).close();
		break;
	case 'append-one': {
		const table = await loadTable(args[0]);
		await table.append([row(0)]);
		await table.close();
		break;
	}
	case 'append-many': {
		const table = await createTable(args[0], taskLog);
		for (let i = 0; i < 10; i += 1) await table.append([row(i)]);
		const count = Number(args[1]);
		started = performance.now();
		for (let i = 0; i < count; i += 1) await table.append([row(i)]);
		result.each = (performance.now() - started) / 1000 / count;
		await table.close();
		break;
	}
	case 'append-bulk': {
		const bytes = readFileSync(args[1]);
		const table = await createTable(args[0], taskLog);
		started = performance.now();
		await table.append(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
		result.metadata = table.metadataLocation;
		result.file = (await table.dataFiles())[0].location;
		break;
	}
	case 'append-rows': {
		const rows = Array.from({ length: Number(args[1]) }, (_, i) => row(i));
		const table = await createTable(args[0], taskLog);
		started = performance.now();
		await table.append(rows);
		break;
	}
	case 'append-stream': {
		const table = await createTable(args[0], taskLog, { properties: { 'write.target-file-size-bytes': '67108864' } });
		started = performance.now();
		await table.append(manyRows(Number(args[1])));
		break;
	}
	case 'scan': {
		const table = await loadTable(args[0]);
		started = performance.now();
		result.rows = 0;
		for await (const batch of table.scan(args[1] ? { where: args[1] } : {}).batches()) result.rows += batch.length;
		break;
	}
	case 'scan-rows': {
		const table = await loadTable(args[0]);
		started = performance.now();
		result.rows = 0;
		for await (const _ of table.scan()) result.rows += 1;
		break;
	}
	case 'make-files': {
		// Ten thousand files in a hundred manifests: a hundred appends over a hundred partitions.
		const table = await createTable(args[0], schema({ part: long(), id: long(), text: string() }), {
			partitionBy: ['part'],
			properties: { 'commit.manifest-merge.enabled': 'false' },
		});
		const part = BigInt64Array.from({ length: 100 }, (_, i) => BigInt(i));
		for (let commit = 0; commit < 100; commit += 1) {
			const id = part.map((p) => BigInt(commit * 100) + p);
			await table.append(columns({ part, id, text: Array.from(id, (n) => `text ${n}`) }));
		}
		result.metadata = table.metadataLocation;
		break;
	}
	case 'plan': {
		const times = [];
		for (let i = 0; i < 5; i += 1) {
			started = performance.now();
			const table = await loadTable(args[0]);
			result.files = 0;
			for await (const _ of table.scan(args[1] ? { where: args[1] } : {}).plan()) result.files += 1;
			times.push((performance.now() - started) / 1000);
		}
		result.first = times[0];
		result.again = times.toSorted((a, b) => a - b)[2];
		break;
	}
	default:
		throw new Error(`no such work: ${command}`);
}
result.seconds = (performance.now() - started) / 1000;
result.peakMb = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify(result));
