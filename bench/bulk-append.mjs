// One append of many rows of the task log. node bench/bulk-append.mjs [--rows 1000000] [--repetitions 3]
import { best, datashard, environment, fresh, hasPeers, ms, numberOption, peer, scratch, show } from './support.mjs';

environment();
const rows = numberOption('rows', 1_000_000);
const input = `${scratch}/rows-${rows}.arrow`;
if (!hasPeers) throw new Error('the input is made by the peers');
peer('make_input', input, rows);
const results = best(numberOption('repetitions', 3), {
	'DataShard, Arrow IPC': () => datashard('bulk', fresh('bulk/arrow'), input, 'arrow'),
	'DataShard, columns': () => datashard('bulk', fresh('bulk/columns'), input, 'columns'),
	'DataShard, rows': () => datashard('bulk', fresh('bulk/rows'), input, 'rows'),
	PyIceberg: () => peer('bulk', fresh('bulk/pyiceberg'), input),
});
show(
	`Append of ${rows} rows in one commit (ours durable; PyIceberg with the flush that it leaves to the system)`,
	results,
	{
		'wall ms': (result) => ms(result.durableMs ?? result.wallMs),
		'rows/s': (result) => Math.round((rows / (result.durableMs ?? result.wallMs)) * 1000).toLocaleString('en'),
		'CPU ms': (result) => ms(result.cpuMs),
		'peak MB': (result) => ms(result.peakMb),
		'above the input MB': (result) => ms(result.peakMb - result.startMb),
		'rows/s to PyIceberg': (result, all) =>
			((all.PyIceberg.durableMs ?? 0) / (result.durableMs ?? result.wallMs)).toFixed(2),
		'rows/CPU s to PyIceberg': (result, all) => (all.PyIceberg.cpuMs / result.cpuMs).toFixed(2),
	},
);
