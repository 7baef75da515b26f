import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LAYERS, layerViolations } from '../support/layers.ts';
import { findCycles, scanModules, specifiersOf } from '../support/module-graph.ts';
import { projectDir } from '../support/project.ts';

const graph = scanModules(`${projectDir}/src`);
const scratch = mkdtempSync(join(tmpdir(), 'datashard-layers-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A source tree with the given files, scanned. */
function plant(files: Record<string, string>): ReturnType<typeof scanModules> {
	const folder = mkdtempSync(join(scratch, 'tree-'));
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), text);
	}
	return scanModules(folder);
}

describe('the order of layers', () => {
	it('holds for every import in src/', () => {
		expect(layerViolations(graph)).toEqual([]);
	});

	it('was checked on every module that is there', () => {
		const onDisk = execFileSync('find', ['src', '-name', '*.ts', '-type', 'f'], { cwd: projectDir, encoding: 'utf8' });
		expect(graph.modules.length).toBe(onDisk.trim().split('\n').length);
		expect(graph.modules.length).toBeGreaterThan(100);
		expect(graph.edges.length).toBeGreaterThan(400);
	});

	it('was checked on every static import: a second, plain-text count agrees', () => {
		const counted = { static: 0, dynamic: 0, type: 0 };
		for (const edge of graph.edges) counted[edge.form]++;
		let plain = 0;
		for (const path of graph.modules) {
			const code = readFileSync(`${projectDir}/src/${path}`, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
			plain += code.match(/^(?:import|export)\s[^;'"()=]*\bfrom '[^']+';$|^import '[^']+';$/gm)?.length ?? 0;
		}
		expect(counted.static).toBe(plain);
	});

	it('names the layers from the bottom up, each folder once', () => {
		expect(LAYERS['errors']).toBe(0);
		expect(Object.values(LAYERS)).toEqual(Object.values(LAYERS).toSorted((a, b) => a - b));
	});
});

describe('the check itself', () => {
	it.each([
		['a static import upward', "import { x } from '../scan/plan.ts'; export const y = x;"],
		['a type import upward', "import type { X } from '../scan/plan.ts'; export type Y = X;"],
		['a re-export upward', "export * from '../scan/plan.ts';"],
		['a dynamic import upward', "export const y = () => import('../scan/plan.ts');"],
		['an import type upward', "export type Y = import('../scan/plan.ts').X;"],
		['a side effect import upward', "import '../scan/plan.ts';"],
		['an entry point from within', "export { x } from '../index.ts';"],
		['a folder of the same layer', "import '../codec/a.ts';"],
		['a module that is not there', "import '../spec/missing.ts';"],
		['a computed import', 'export const load = (name: string) => import(name);'],
	])('catches %s', (_name, source) => {
		const planted = plant({
			'expr/a.ts': source,
			'scan/plan.ts': 'export const x = 1; export type X = 1;',
			'codec/a.ts': 'export {};',
			'index.ts': 'export const x = 1;',
		});
		const violations = layerViolations(planted);
		expect(violations).toHaveLength(1);
		expect(violations[0]).toMatch(/^expr\/a\.ts/);
	});

	it('catches a folder that the table lacks, and a command that reaches below the entry points', () => {
		const planted = plant({
			'helpers/a.ts': 'export {};',
			'cli/main.ts': "import '../index.ts'; import '../spec/a.ts';",
			'spec/a.ts': 'export {};',
			'index.ts': "export * from './spec/a.ts';",
		});
		expect(layerViolations(planted)).toEqual([
			'helpers/a.ts: its folder is not in the table of layers',
			'cli/main.ts -> spec/a.ts: cli/ imports only the entry points of the package',
		]);
	});

	it('allows what goes down or stays in the folder, and is not fooled by text', () => {
		const planted = plant({
			'scan/plan.ts': "import './b.ts'; import '../expr/a.ts'; import 'node:fs';",
			'scan/b.ts': "// import '../table/x.ts'\nexport const s = \"import '../table/x.ts'\";",
			'expr/a.ts': "export const t = `from '../table/x.ts'`;",
			'table/x.ts': 'export {};',
		});
		expect(layerViolations(planted)).toEqual([]);
		expect(planted.edges).toHaveLength(3);
	});

	it('reads each form of import once', () => {
		const source = `import a, { b as c } from './1.ts'; import type { D } from './2.ts'; import './3.ts';
export { e } from './4.ts'; export * as f from './5.ts'; export type { G } from './6.ts';
const h = await import('./7.ts'); type I = import('./8.ts').I; const k = /import '.\\/9.ts'/; export const l = [a, c, h, k]; export type { D, I };`;
		expect(
			specifiersOf('x.ts', source)
				.map(({ specifier, form }) => `${specifier} ${form}`)
				.sort(),
		).toEqual([
			'./1.ts static',
			'./2.ts static',
			'./3.ts static',
			'./4.ts static',
			'./5.ts static',
			'./6.ts static',
			'./7.ts dynamic',
			'./8.ts type',
		]);
	});
});

describe('import cycles', () => {
	it('there are none, not even of types', () => {
		expect(findCycles(graph)).toEqual([]);
	});

	it('would be found', () => {
		const planted = plant({
			'spec/a.ts': "import type { B } from './b.ts'; export type A = B;",
			'spec/b.ts': "export type B = import('./c.ts').C;",
			'spec/c.ts': "export * from './a.ts'; export type C = 1;",
			'spec/d.ts': "import './a.ts';",
		});
		expect(findCycles(planted)).toEqual([['spec/a.ts', 'spec/b.ts', 'spec/c.ts']]);
	});
});
