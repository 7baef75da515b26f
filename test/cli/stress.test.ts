import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPackage } from '../support/dist.ts';
import { processesWith } from '../testing/stress/support.ts';
import { cli } from './run-cli.ts';

let dist: string;
const scratch = mkdtempSync(join(tmpdir(), 'datashard-cli-stress-'));
const at = (name: string): string => join(scratch, name);
beforeAll(async () => {
	dist = await builtPackage();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('stress', () => {
	it('runs, checks, compares and cleans up', async () => {
		const { code, stdout, stderr } = await cli(['stress', '-p', '2', '-n', '5', '--location', at('run')]);
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		expect(stdout).toContain('2 processes, each one record at a time, until committed\n');
		expect(stdout).toContain('10 acknowledged, 10 there, each exactly once and as it was appended');
		expect(stdout).toContain('The same with a plain JSON file');
		expect(stdout).toContain('back to the first');
		expect(stdout).toContain('\nNothing lost, nothing twice.\n');
		expect(existsSync(at('run'))).toBe(false);
	});

	it('shows progress on a terminal, and clears it', async () => {
		const { code, stderr } = await cli(['stress', '-p', '1', '-n', '40', '--compare', 'none'], { terminalWidth: 100 });
		expect(code).toBe(0);
		expect(stderr).toMatch(/appending: [\d,]+ of 40, \d+ rows\/s, p50 /);
		expect(stderr.endsWith('\r\u001b[K')).toBe(true);
	});

	it('fails when an append fails, names the error and leaves the table', async () => {
		const args = ['-p', '2', '-n', '5', '--location', at('bad'), '--compare', 'none'];
		const { code, stdout } = await cli([
			'stress',
			...args,
			'--property',
			'write.data.path=/dev/null/nowhere',
			'--json',
		]);
		expect(code).toBe(1);
		const report = JSON.parse(stdout);
		expect(report).toMatchObject({ ok: false, kept: true, location: at('bad') });
		expect(report.problems[0]).toContain('/dev/null/nowhere');
		const again = await cli(['stress', '--location', at('bad')]);
		expect(again.code).toBe(2);
		expect(again.stderr).toContain('there is a table in');
	});

	it.each([
		[['--processes', 'many'], '--processes'],
		[['--processes', '0'], 'processes'],
		[['--duration', '5 parsecs'], '--duration'],
		[['--until', 'soon'], 'Allowed choices are committed, journaled'],
		[['--compare', 'tea'], 'Allowed choices are'],
		[['--property', 'x'], '--property'],
	])('refuses %j', async (args, message) => {
		const { code, stderr } = await cli(['stress', ...args]);
		expect(code).toBe(2);
		expect(stderr).toContain(message);
	});

	it('hides the command that it runs itself, which refuses others', async () => {
		expect((await cli(['--help'])).stdout).not.toContain('stress-writer');
		expect(await cli(['stress-writer', '{}'])).toMatchObject({ code: 2 });
	});

	it.each(['SIGINT', 'SIGKILL'] as const)('leaves no writer behind after %s', async (signal) => {
		const location = at(signal);
		const args = [`${dist}/cli/main.js`, 'stress', '-p', '2', '--location', location, '--compare', 'none'];
		const child: ChildProcess = spawn(process.execPath, args, { stdio: 'ignore' });
		const writers = (): number[] => processesWith(location).filter((pid) => pid !== child.pid);
		await until(() => writers().length === 2);
		child.kill(signal);
		const [code, killedBy] = await once(child, 'exit');
		expect(signal === 'SIGINT' ? code : killedBy).toBe(signal === 'SIGINT' ? 130 : 'SIGKILL');
		await until(() => writers().length === 0);
	});
});

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
