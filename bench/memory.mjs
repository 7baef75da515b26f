// Peak memory of appends, imports and scans of a table that fits and one ten times as large.
// node bench/memory.mjs [--rows 3000000] [--factor 10]
import { datashard, environment, fresh, hasPeers, ms, numberOption, peer, scratch, show } from './support.mjs';

environment();
const small = numberOption('rows', 3_000_000);
const large = small * numberOption('factor', 10);
const results = {};
for (const rows of [small, large]) {
	const folder = fresh(`memory/${rows}`);
	results[`append of a stream, ${rows} rows`] = datashard('stream', `${folder}/stream`, rows);
	results[`scan of its batches, ${rows} rows`] = datashard('pass', `${folder}/stream`);
	if (!hasPeers) continue;
	const input = `${scratch}/rows-${rows}.parquet`;
	peer('make_parquet', input, rows);
	results[`import of Parquet, ${rows} rows`] = datashard('import', `${folder}/import`, input);
	results[`scan of its batches as rows, ${rows} rows`] = datashard('rows', `${folder}/import`);
	fresh(`memory/${rows}`);
}
show('Peak memory (VmHWM) of one process', results, {
	'peak MB': (result) => ms(result.peakMb),
	'at the start MB': (result) => ms(result.startMb),
	s: (result) => (result.wallMs / 1000).toFixed(1),
	'rows/s': (result) => Math.round((result.rows / result.wallMs) * 1000).toLocaleString('en'),
});
