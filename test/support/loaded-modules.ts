/** Which files a fresh process loads when it imports a module. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const HOOKS = `
import { appendFileSync } from 'node:fs';
let log;
export function initialize(data) { log = data; }
export async function load(url, context, next) { appendFileSync(log, url + '\\n'); return next(url, context); }
`;

/** URLs of all modules that the process loaded, ES modules and CommonJS, after running `code` as a module. */
export function modulesLoadedBy(code: string): string[] {
	const folder = mkdtempSync(join(tmpdir(), 'datashard-loaded-'));
	try {
		const log = join(folder, 'log');
		writeFileSync(log, '');
		writeFileSync(join(folder, 'hooks.mjs'), HOOKS);
		writeFileSync(
			join(folder, 'register.mjs'),
			`import { register } from 'node:module';
register(${JSON.stringify(pathToFileURL(join(folder, 'hooks.mjs')).href)}, { data: ${JSON.stringify(log)} });`,
		);
		writeFileSync(
			join(folder, 'main.mjs'),
			`import { createRequire } from 'node:module';
${code}
for (const path of Object.keys(createRequire(import.meta.url).cache)) console.log('file://' + path);`,
		);
		const printed = execFileSync(
			process.execPath,
			['--import', join(folder, 'register.mjs'), join(folder, 'main.mjs')],
			{
				encoding: 'utf8',
			},
		);
		const lines = `${readFileSync(log, 'utf8')}\n${printed}`.split('\n').filter((line) => line.includes('://'));
		return [...new Set(lines)].sort();
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
