// A process that imports the package, opens a table, appends one row and ends. node bench/cold-start.mjs [--repetitions 15]
import { spawnSync } from 'node:child_process';
import { best, datashard, environment, fresh, hasPeers, ms, numberOption, peer, ratio, show } from './support.mjs';

environment();
const [ours, theirs] = [fresh('cold/datashard'), fresh('cold/pyiceberg')];
datashard('create', ours);
if (hasPeers) peer('make', theirs);
const empty = () => {
	const started = performance.now();
	const cpu = 'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)';
	const { stdout } = spawnSync(process.execPath, ['-e', cpu], { encoding: 'utf8' });
	return { processMs: performance.now() - started, cpuMs: Number(stdout) };
};
const results = best(numberOption('repetitions', 15), {
	DataShard: () => datashard('cold', ours),
	...(hasPeers ? { PyIceberg: () => peer('cold', theirs) } : {}),
	'node -e 0': empty,
});
show('Cold start of a one-row append: the whole process, best of each', results, {
	'wall ms': (result) => ms(result.processMs),
	'CPU ms': (result) => ms(result.cpuMs),
	'wall to PyIceberg': ratio()('processMs', 'PyIceberg'),
	'CPU to PyIceberg': ratio()('cpuMs', 'PyIceberg'),
});
