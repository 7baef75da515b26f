import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtPackage } from '../support/dist.ts';
import { projectDir } from '../support/project.ts';

const manifest = JSON.parse(readFileSync(`${projectDir}/package.json`, 'utf8')) as {
	exports: Record<string, string | { types: string; default: string }>;
	bin: Record<string, string>;
	dependencies: Record<string, string>;
	devDependencies: Record<string, string>;
};

/** A project of somebody else who has installed the package. */
const user = mkdtempSync(join(tmpdir(), 'datashard-user-'));
beforeAll(async () => {
	await builtPackage();
	mkdirSync(join(user, 'node_modules'));
	symlinkSync(projectDir, join(user, 'node_modules/datashard'));
	writeFileSync(join(user, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(user, { recursive: true, force: true }));

describe('the package', () => {
	it('has its entry points where it says', () => {
		for (const entry of Object.values(manifest.exports)) {
			if (typeof entry === 'string') continue;
			expect(statSync(join(projectDir, entry.default)).isFile()).toBe(true);
			expect(statSync(join(projectDir, entry.types)).isFile()).toBe(true);
		}
	});

	it('can be imported, and used, by a program in plain JavaScript', () => {
		writeFileSync(
			join(user, 'main.js'),
			`import { createTable, long, schema } from 'datashard';
import { FaultyFileIO, fileIOSuite } from 'datashard/testing';
const table = await createTable('./t', schema({ id: long().required() }));
await table.append([{ id: 2n ** 60n }]);
for await (const row of table.scan()) console.log(row.id, typeof FaultyFileIO, typeof fileIOSuite);
await table.close();`,
		);
		const printed = execFileSync(process.execPath, ['main.js'], { cwd: user, encoding: 'utf8' });
		expect(printed).toBe('1152921504606846976n function function\n');
	});

	it('has types that a TypeScript program sees: rows are those of the schema', () => {
		const compile = (code: string): string => {
			writeFileSync(join(user, 'main.ts'), code);
			const options = [
				'--noEmit',
				'--strict',
				'--skipLibCheck',
				'--module',
				'nodenext',
				'--target',
				'es2022',
				'--lib',
				'es2023,esnext.disposable',
				'--types',
				'node',
				'--typeRoots',
				join(projectDir, 'node_modules/@types'),
				'--ignoreConfig',
				'main.ts',
			];
			try {
				return execFileSync(process.execPath, [join(projectDir, 'node_modules/typescript/bin/tsc'), ...options], {
					cwd: user,
					encoding: 'utf8',
				});
			} catch (error) {
				return (error as { stdout: string }).stdout;
			}
		};
		const program = `import { createTable, long, schema, string } from 'datashard';
const table = await createTable('./t', schema({ id: long().required(), name: string() }));
await table.append([{ id: 1n, name: null }]);
for await (const row of table.scan()) { const id: bigint = row.id; const name: string | null = row.name; console.log(id, name); }
`;
		expect(compile(program)).toBe('');
		expect(compile(program.replace('id: 1n', "id: 'x'"))).toContain('main.ts(3,21): error TS');
		expect(compile(program.replace('row.id', 'row.nope'))).toContain("Property 'nope' does not exist");
	});

	it('has a command that can be executed', () => {
		const command = join(projectDir, manifest.bin['datashard'] as string);
		expect(statSync(command).mode & 0o111).toBe(0o111);
		expect(execFileSync(command, ['--version'], { encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/);
	});

	it('names exact versions of what it depends on', () => {
		for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
			expect(version).toMatch(/^\d+\.\d+\.\d+$/);
	});

	it('has a lockfile without the names of hosts', () => {
		const lock = readFileSync(`${projectDir}/package-lock.json`, 'utf8');
		expect(lock).not.toContain('"resolved": "http');
		expect(lock.match(/https?:\/\/[^/"]*(registry|npmjs|proxy|mirror)[^/"]*/g)).toBeNull();
	});
});
