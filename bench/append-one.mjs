// Appends of one row, one after the other, in a process that runs. node bench/append-one.mjs [--appends 100]
import { best, datashard, environment, fresh, hasPeers, ms, numberOption, peer, ratio, show } from './support.mjs';

environment();
const count = numberOption('appends', 100);
const results = best(numberOption('repetitions', 3), {
	DataShard: () => {
		const folder = fresh('one/datashard');
		datashard('create', folder);
		return datashard('appends', folder, count);
	},
	...(hasPeers
		? {
				PyIceberg: () => {
					const folder = fresh('one/pyiceberg');
					peer('make', folder);
					return peer('appends', folder, count);
				},
			}
		: {}),
});
show(`${count} appends of one row, each durable and visible when acknowledged (PyIceberg: not durable)`, results, {
	'p50 ms': (result) => ms(result.p50Ms),
	'p99 ms': (result) => ms(result.p99Ms),
	'CPU ms each': (result) => ms(result.cpuMs),
	'p50 to PyIceberg': ratio()('p50Ms', 'PyIceberg'),
	'CPU to PyIceberg': ratio()('cpuMs', 'PyIceberg'),
});
