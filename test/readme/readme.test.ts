import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPackage } from '../support/dist.ts';
import { projectDir } from '../support/project.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'datashard-readme-'));
});
afterAll(async () => {
	await rm(folder, { recursive: true, force: true });
});

/** The README's programs that stand alone: code blocks that import the package. */
async function programs(): Promise<string[]> {
	const readme = await readFile(`${projectDir}/README.md`, 'utf8');
	return [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
		.map((match) => match[1] as string)
		.filter((code) => code.includes("from 'datashard'"));
}

/** What a program prints, run in an empty folder against the built package. */
async function output(code: string, name: string): Promise<string> {
	const source = join(folder, `${name}.ts`);
	const index = pathToFileURL(join(await builtPackage(), 'index.js')).href;
	await writeFile(source, code.replace("from 'datashard'", `from '${index}'`));
	const bundle = await rolldown({ input: source, external: [index], logLevel: 'silent', platform: 'node' });
	const { output: chunks } = await bundle.generate({ format: 'esm' });
	await bundle.close();
	await writeFile(join(folder, `${name}.mjs`), chunks[0].code);
	const { stdout } = await run(process.execPath, [`${name}.mjs`], { cwd: folder, encoding: 'utf8' });
	return stdout;
}

describe('the programs of the README', () => {
	it('are five: the quick start, the one of the Python library, the journaled append, the follow, the workflow log', async () => {
		expect(await programs()).toHaveLength(5);
	});

	it('quick start: filters, and reads the table as it was', async () => {
		const [quickStart] = await programs();
		expect(await output(quickStart as string, 'quick-start')).toBe('3n null\n1n Ada\n2 rows then, 3 now\n');
	});

	it('the quick start of the Python library: schemas with field ids, appendRecords, time travel', async () => {
		const [, python] = await programs();
		const printed = await output(python as string, 'python');
		expect(printed).toMatch(/^snapshot \d+n\n/);
		expect(printed).toContain("user_id: 102, event: 'login'");
		expect(printed.match(/user_id: 100n?,/g)).toHaveLength(2);
	});

	it('journaled: the rows are there when the table is closed', async () => {
		const [, , journaled] = await programs();
		expect(await output(journaled as string, 'journaled')).toBe('true 1\n');
	});

	it('follow: gives each row once, also after a break', async () => {
		const [, , , follow] = await programs();
		const printed = await output(follow as string, 'follow');
		expect(printed.replaceAll(/\s+/g, ' ')).toBe(
			"[ { id: 1n, kind: 'start' } ] [ { id: 3n, kind: 'end' } ] missed: 4n ",
		);
	});

	it('workflow log: tolerates that another worker made the table, and finds the failures', async () => {
		const [, , , , workflow] = await programs();
		expect(await output(workflow as string, 'workflow')).toContain("error: 'disk full'");
		expect(await output(workflow as string, 'workflow-again')).toContain("error: 'disk full'");
	});
});
