// One measured action in a process of its own: node bench/actions.mjs ACTION ARGS… prints JSON.
import { readFileSync, writeFileSync } from 'node:fs';

const T0 = 1_700_000_000_000;
const STATUS = ['success', 'failed', 'running', 'cancelled'];
const NAMES = [
	'task_id',
	'workflow_id',
	'status',
	'started_at',
	'completed_at',
	'duration_ms',
	'error_message',
	'worker_id',
];

/** A row of the task log, as the peers' harness has it. */
function record(worker, i) {
	const duration = (i * 7919 + worker * 104729) % 60_000;
	return {
		task_id: `${worker}-${i}`,
		workflow_id: `wf-${String((i * 31 + worker) % 1000).padStart(5, '0')}`,
		status: STATUS[(i + worker) % 4],
		started_at: BigInt(T0 + i * 10),
		completed_at: BigInt(T0 + i * 10 + duration),
		duration_ms: BigInt(duration),
		error_message: (i + worker) % 4 === 1 ? 'Connection timeout' : null,
		worker_id: `worker-${String(worker).padStart(3, '0')}`,
	};
}

async function taskLog() {
	const { long, schema, string } = await import('../dist/index.js');
	const required = () => string().required();
	return schema({
		task_id: required(),
		workflow_id: required(),
		status: required(),
		started_at: long().required(),
		completed_at: long().required(),
		duration_ms: long().required(),
		error_message: string(),
		worker_id: required(),
	});
}

async function create(folder, options) {
	const { createTable } = await import('../dist/index.js');
	return createTable(folder, await taskLog(), options);
}

async function open(location) {
	const { loadTable } = await import('../dist/index.js');
	return loadTable(location);
}

const peakMb = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const residentMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const cpuMs = () => {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
};

/** Time, processor time and peak memory of what is done in it, from a clean slate. */
async function measured(work) {
	globalThis.gc?.();
	writeFileSync('/proc/self/clear_refs', '5');
	const [startMb, startCpu, start] = [residentMb(), cpuMs(), performance.now()];
	const facts = await work();
	return { wallMs: performance.now() - start, cpuMs: cpuMs() - startCpu, peakMb: peakMb(), startMb, ...facts };
}

/** Columns of an Arrow file as plain JavaScript has them. */
async function columnsOf(path) {
	const { tableFromIPC } = await import('@uwdata/flechette');
	const table = tableFromIPC(readFileSync(path), { useBigInt: true });
	return Object.fromEntries(NAMES.map((name) => [name, table.getChild(name).toArray()]));
}

async function bulkData(input, form) {
	if (form === 'arrow') return readFileSync(input);
	const byName = await columnsOf(input);
	if (form === 'rows')
		return Array.from(byName.task_id, (_, i) => Object.fromEntries(NAMES.map((name) => [name, byName[name][i]])));
	const { columns } = await import('../dist/index.js');
	return columns(byName);
}

async function* recordStream(rowCount) {
	for (let i = 0; i < rowCount; i++) yield record(i % 50, i);
}

const ACTIONS = {
	async create(folder) {
		await create(folder);
		return {};
	},

	/** The whole process is what counts. */
	async cold(folder) {
		const table = await open(folder);
		await table.append([record(1, 1)]);
		return { cpuMs: cpuMs() };
	},

	async appends(folder, count) {
		const table = await open(folder);
		for (let i = 0; i < 20; i++) await table.append([record(0, i)]);
		const times = [];
		const startCpu = cpuMs();
		for (let i = 0; i < Number(count); i++) {
			const start = performance.now();
			await table.append([record(1, i)]);
			times.push(performance.now() - start);
		}
		times.sort((a, b) => a - b);
		return {
			p50Ms: times[times.length >> 1],
			p99Ms: times[Math.floor(times.length * 0.99)],
			cpuMs: (cpuMs() - startCpu) / times.length,
		};
	},

	async bulk(folder, input, form) {
		const table = await create(folder);
		const data = await bulkData(input, form);
		return measured(async () => ({ rows: (await table.append(data)).rowCount }));
	},

	/** The same several times in one process, each into a table of its own: the median, without the first. */
	async bulkAgain(folder, input, form, times) {
		const data = await bulkData(input, form);
		const results = [];
		for (let k = 0; k <= Number(times); k++) {
			const table = await create(`${folder}/${k}`);
			results.push(await measured(async () => ({ rows: (await table.append(data)).rowCount })));
		}
		return results.slice(1).sort((a, b) => a.wallMs - b.wallMs)[(results.length - 1) >> 1];
	},

	/** The input, `files` commits of it, sorted by time. */
	async slices(folder, input, files) {
		const table = await create(folder);
		const data = await columnsOf(input);
		const { columns } = await import('../dist/index.js');
		const each = data.task_id.length / Number(files);
		for (let k = 0; k < Number(files); k++) {
			const part = (values) =>
				ArrayBuffer.isView(values) ? values.subarray(k * each, (k + 1) * each) : values.slice(k * each, (k + 1) * each);
			await table.append(columns(Object.fromEntries(NAMES.map((name) => [name, part(data[name])]))));
		}
		return {};
	},

	async stream(folder, rowCount) {
		const table = await create(folder);
		return measured(async () => ({ rows: (await table.append(recordStream(Number(rowCount)))).rowCount }));
	},

	async import(folder, input) {
		const { LocalFileIO, openImport } = await import('../dist/index.js');
		const table = await create(folder);
		const io = new LocalFileIO();
		return measured(async () => ({ rows: (await table.append(await openImport(io.input(input)))).rowCount }));
	},

	/** Every column of every row, one batch after the other. */
	async pass(location) {
		return measured(async () => {
			let rows = 0;
			for await (const batch of (await open(location)).scan().batches()) rows += batch.length;
			return { rows };
		});
	},

	/** Every column of every row, all kept. */
	async columns(location) {
		const first = await measured(async () => ({ rows: (await allColumns(location)).rows }));
		const again = await measured(async () => ({ rows: (await allColumns(location)).rows }));
		return { ...first, againMs: again.wallMs, againCpuMs: again.cpuMs };
	},

	async rows(location) {
		return measured(async () => {
			let rows = 0;
			for await (const chunk of (await open(location)).scan().rowChunks()) rows += chunk.length;
			return { rows };
		});
	},

	async selective(location, from, to) {
		const select = async () => {
			const table = await open(location);
			let rows = 0;
			const where = `started_at >= ${from} and started_at <= ${to}`;
			for await (const batch of table.scan({ where }).batches()) rows += batch.length;
			return { rows };
		};
		const first = await measured(select);
		const again = await measured(select);
		return { ...first, againMs: again.wallMs, againCpuMs: again.cpuMs };
	},

	async plan(location, startedAt) {
		const table = await measured(async () => ({ table: await open(location) }));
		const count = async (options) => {
			let files = 0;
			for await (const _ of table.table.scan(options).plan()) files += 1;
			return { files };
		};
		const full = await measured(() => count({}));
		const pruned = await measured(() => count({ where: `started_at = ${startedAt}` }));
		return {
			loadMs: table.wallMs,
			fullMs: full.wallMs,
			fullCpuMs: full.cpuMs,
			prunedMs: pruned.wallMs,
			prunedCpuMs: pruned.cpuMs,
			files: full.files,
			prunedFiles: pruned.files,
			peakMb: peakMb(),
		};
	},
};

async function allColumns(location) {
	const batches = [];
	let rows = 0;
	for await (const batch of (await open(location)).scan().batches()) {
		batches.push(batch);
		rows += batch.length;
	}
	return { rows, batches };
}

const [action, ...args] = process.argv.slice(2);
console.log(JSON.stringify(await ACTIONS[action](...args)));
