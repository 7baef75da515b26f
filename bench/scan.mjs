// Full and selective scans of the same files. node bench/scan.mjs [--rows 1000000] [--files 200]
import { best, datashard, environment, fresh, ms, numberOption, peer, ratio, scratch, show } from './support.mjs';

environment();
const rows = numberOption('rows', 1_000_000);
const files = numberOption('files', 200);
const repetitions = numberOption('repetitions', 3);
const input = `${scratch}/rows-${rows}.arrow`;
peer('make_input', input, rows);
const single = fresh('scan/single');
datashard('bulk', single, input, 'arrow');
const columns = {
	rows: (result) => result.rows,
	'first ms': (result) => ms(result.wallMs),
	'again ms': (result) => ms(result.againMs),
	'CPU ms': (result) => ms(result.cpuMs),
	'CPU again ms': (result) => ms(result.againCpuMs),
	'peak MB': (result) => ms(result.peakMb),
	'first to pyarrow': ratio()('wallMs', 'pyarrow'),
	'again to pyarrow': ratio()('againMs', 'pyarrow'),
	'CPU to pyarrow': ratio()('cpuMs', 'pyarrow'),
};
const full = best(repetitions, {
	'DataShard, columns': () => datashard('columns', single),
	'DataShard, rows': () => datashard('rows', single),
	pyarrow: () => peer('columns', single),
	'pyarrow, one thread': () => peer('columns_one_thread', single),
	PyIceberg: () => peer('pyiceberg_columns', single),
});
show(`Full scan of ${rows} rows (files written by DataShard)`, full, columns);

const sorted = fresh('scan/sorted');
datashard('slices', sorted, input, files);
const from = 1_700_000_000_000 + Math.floor(rows / 2 + rows / files / 5) * 10;
const to = from + (Math.floor(rows / files / 50) - 1) * 10;
const selective = best(repetitions, {
	DataShard: () => datashard('selective', sorted, from, to),
	pyarrow: () => peer('selective', sorted, from, to),
	PyIceberg: () => peer('pyiceberg_selective', sorted, from, to),
});
show(`Selective scan: one of ${files} files sorted by time, opening the table included`, selective, columns);
