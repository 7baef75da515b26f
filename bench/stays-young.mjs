// Whether a table stays as quick as it was: one-row appends one after the other in one process, with its maintenance and without.
// node bench/stays-young.mjs [--appends 10000] [--without 1]
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { environment, fresh, numberOption, root } from './support.mjs';

const { createTable, loadTable, long, schema, string } = await import(`${root}/dist/index.js`);
environment();
const total = numberOption('appends', 10_000);
const modes = numberOption('without', 0) === 1 ? ['true', 'false'] : ['true'];

/** Files and bytes below a folder. */
function sizeOf(folder) {
	const files = readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile());
	return { count: files.length, bytes: files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) };
}

async function readMs(folder) {
	const times = [];
	let rows = 0;
	for (let i = 0; i < 5; i++) {
		const started = performance.now();
		const table = await loadTable(folder, { maintenance: false });
		rows = (await table.scan().toArray()).length;
		await table.close();
		times.push(performance.now() - started);
	}
	return { ms: Math.min(...times), rows };
}

const columns = schema({ id: long().required(), name: string(), value: long() });

for (const enabled of modes) {
	const folder = fresh(`young/${enabled}`);
	const properties = { 'datashard.maintenance.enabled': enabled };
	const table = await createTable(folder, columns, {
		properties,
		onMaintenanceError: (error) => console.log('maintenance:', error),
	});
	const marks = new Map();
	const mark = (at) => marks.set(at, { wall: performance.now(), cpu: process.cpuUsage() });
	for (let id = 0; id < total; id++) {
		if (id % 1_000 === 0) mark(id);
		await table.append([{ id, name: `name-${id}`, value: id }]);
	}
	mark(total);
	const each = (from) => {
		const a = marks.get(from);
		const b = marks.get(from + 1_000);
		const cpu = (b.cpu.user + b.cpu.system - a.cpu.user - a.cpu.system) / 1e6;
		return { wall: (b.wall - a.wall) / 1_000, cpu };
	};
	const early = each(1_000);
	const late = each(total - 1_000);
	console.log(
		`maintenance ${enabled}: ${total} appends in ${((marks.get(total).wall - marks.get(0).wall) / 1e3).toFixed(1)} s`,
	);
	for (const [name, part] of [
		['1,000 to 2,000', early],
		['the last 1,000', late],
	])
		console.log(`  ${name}: ${part.wall.toFixed(2)} ms each, ${part.cpu.toFixed(2)} ms CPU each`);
	console.log(`  ratio: wall ${(late.wall / early.wall).toFixed(2)}, CPU ${(late.cpu / early.cpu).toFixed(2)}`);
	const state = async (what) => {
		const seen = await loadTable(folder, { maintenance: false });
		const live = await seen.dataFiles();
		const liveBytes = live.reduce((sum, file) => sum + file.fileSizeInBytes, 0);
		console.log(
			`  ${what}: ${live.length} live files of ${liveBytes} bytes, ${(await seen.manifests()).length} manifests, ` +
				`${(await seen.snapshots()).length} snapshots; metadata/ ${JSON.stringify(sizeOf(`${folder}/metadata`))}, ` +
				`data/ ${JSON.stringify(sizeOf(`${folder}/data`))}`,
		);
		await seen.close();
	};
	await state('at the end');
	if (enabled === 'true') {
		await new Promise((resolve) => setTimeout(resolve, 75_000));
		await state('75 s later, the process still there');
	}
	await table.close();
	const once = fresh('young/once');
	const bulk = await createTable(once, columns);
	await bulk.append(Array.from({ length: total }, (_, id) => ({ id, name: `name-${id}`, value: id })));
	await bulk.close();
	const many = await readMs(folder);
	const one = await readMs(once);
	console.log(
		`  opened and read, ${many.rows} rows: ${many.ms.toFixed(1)} ms; appended at once: ${one.ms.toFixed(1)} ms\n`,
	);
}
