/** The interpreters of the other engines, as `setup.sh` finds or makes them. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { projectDir } from '../support/project.ts';

const VARIABLES = ['DATASHARD_PY', 'DATASHARD_PY_DUCKDB', 'DATASHARD_PY_SPARK', 'DATASHARD_SPARK_JAR'] as const;
export type EnvironmentVariable = (typeof VARIABLES)[number];

const setup = 'test/interop/setup.sh';
let found: ReadonlyMap<string, string> | undefined;

/**
 * The value of a variable that `setup.sh` prints: from the environment, else from what is installed already.
 * @throws when it is not there: these tests are never skipped
 */
export function fromEnvironment(name: EnvironmentVariable): string {
	const value = process.env[name] ?? (found ??= findInstalled()).get(name);
	if (value !== undefined && value !== '') return value;
	throw new Error(
		`${name} is not set, and what it names is not installed. Run 'bash ${setup}' once: it installs Python with PyIceberg, ` +
			'DuckDB and Spark (which needs Java 17), and prints the variables that these tests use.',
	);
}

function findInstalled(): ReadonlyMap<string, string> {
	const lines = execFileSync('bash', [join(projectDir, setup), '--find'], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
	}).split('\n');
	return new Map(lines.filter((line) => line.includes('=')).map((line) => line.split(/=(.*)/s) as [string, string]));
}
