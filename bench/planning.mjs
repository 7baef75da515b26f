// Opening and planning a table of many files, whose metadata PyIceberg wrote. node bench/planning.mjs [--files 10000]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { best, datashard, environment, fresh, ms, numberOption, peer, ratio, scratch, show } from './support.mjs';

environment();
const files = numberOption('files', 10_000);
const commits = numberOption('commits', 100);
const note = `${scratch}/planning-${files}-${commits}.json`;
if (!existsSync(note))
	writeFileSync(note, JSON.stringify(peer('make_many', fresh(`planning-${files}-${commits}`), files, commits)));
const { metadata } = JSON.parse(readFileSync(note, 'utf8'));
const startedAt = 1_700_000_000_000 + Math.floor(files / 2) * 10;
const results = best(numberOption('repetitions', 5), {
	DataShard: () => datashard('plan', metadata, startedAt),
	PyIceberg: () => peer('plan', metadata, startedAt),
});
show(
	`${files} data files in ${commits} manifests: open, plan all, plan one file; fresh processes, imports not counted`,
	results,
	{
		files: (result) => `${result.files}/${result.prunedFiles}`,
		'open ms': (result) => ms(result.loadMs),
		'plan ms': (result) => ms(result.fullMs),
		'plan CPU ms': (result) => ms(result.fullCpuMs),
		'pruned ms': (result) => ms(result.prunedMs),
		'peak MB': (result) => ms(result.peakMb),
		'plan to PyIceberg': ratio()('fullMs', 'PyIceberg'),
		'pruned to PyIceberg': ratio()('prunedMs', 'PyIceberg'),
	},
);
