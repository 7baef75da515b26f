// One append of many rows of the task log. node bench/bulk-append.mjs [--rows 1000000] [--repetitions 3]
import { best, datashard, environment, fresh, hasPeers, ms, numberOption, peer, scratch, show } from './support.mjs';

environment();
const rows = numberOption('rows', 1_000_000);
const input = `${scratch}/rows-${rows}.arrow`;
if (!hasPeers) throw new Error('the input is made by the peers');
peer('make_input', input, rows);
const columnsOfTable = {
	'wall ms': (result) => ms(result.durableMs ?? result.wallMs),
	'rows/s': (result) => Math.round((rows / (result.durableMs ?? result.wallMs)) * 1000).toLocaleString('en'),
	'CPU ms': (result) => ms(result.cpuMs),
	'peak MB': (result) => ms(result.peakMb),
	'above the input MB': (result) => ms(result.peakMb - result.startMb),
	'rows/s to PyIceberg': (result, all) =>
		((all.PyIceberg.durableMs ?? 0) / (result.durableMs ?? result.wallMs)).toFixed(2),
	'rows/CPU s to PyIceberg': (result, all) => (all.PyIceberg.cpuMs / result.cpuMs).toFixed(2),
};
const forms = { 'Arrow IPC': 'arrow', columns: 'columns', rows: 'rows' };
const contenders = (ours, theirs) => ({
	...Object.fromEntries(Object.entries(forms).map(([name, form]) => [`DataShard, ${name}`, () => ours(form)])),
	PyIceberg: theirs,
});
const repetitions = numberOption('repetitions', 3);
show(
	`Append of ${rows} rows in one commit (ours durable; PyIceberg with the flush that it leaves to the system)`,
	best(
		repetitions,
		contenders(
			(form) => datashard('bulk', fresh(`bulk/${form}`), input, form),
			() => peer('bulk', fresh('bulk/pyiceberg'), input),
		),
	),
	columnsOfTable,
);
const times = numberOption('again', 5);
show(
	`The same in a process that has done it before: median of ${times}`,
	best(
		1,
		contenders(
			(form) => datashard('bulkAgain', fresh(`bulk/${form}`), input, form, times),
			() => peer('bulk_again', fresh('bulk/pyiceberg'), input, times),
		),
	),
	columnsOfTable,
);
