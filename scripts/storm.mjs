// Runs the storms of test/storm at length: processes killed, stopped, without room or table, while they append.
//
//   npm run storm -- [--minutes 5] [--seed N] [NAME...]     NAME: of test files, such as kill; default: all
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
	options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } },
	allowPositionals: true,
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
	console.error(`storm: --minutes is a number above 0, not '${values.minutes}'`);
	process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const { status } = spawnSync(
	process.execPath,
	[
		`${root}/node_modules/vitest/vitest.mjs`,
		'run',
		'--project',
		'storm',
		'--disable-console-intercept',
		...positionals.map((name) => `test/storm/${name}`),
	],
	{
		cwd: root,
		stdio: 'inherit',
		env: {
			...process.env,
			DATASHARD_STORM_MINUTES: String(minutes),
			...(values.seed === undefined ? {} : { DATASHARD_SEED: values.seed }),
		},
	},
);
process.exit(status ?? 1);
