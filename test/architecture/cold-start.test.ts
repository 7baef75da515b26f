import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { describe, expect, it } from 'vitest';
import { projectDir } from '../support/project.ts';

const src = join(projectDir, 'src');

/** What a module makes its process load: `import type` is gone when it runs, `import()` waits to be called. */
function loadedBy(path: string): string[] {
	const found: string[] = [];
	const add = (node: { source: { value: string } | null }, kind: string | undefined): void => {
		if (kind !== 'type' && node.source?.value.startsWith('.')) found.push(node.source.value);
	};
	new Visitor({
		ImportDeclaration: (node) => add(node, node.importKind),
		ExportNamedDeclaration: (node) => add(node, node.exportKind),
		ExportAllDeclaration: (node) => add(node, node.exportKind),
	}).visit(parseSync(path, readFileSync(join(src, path), 'utf8'), { lang: 'ts', sourceType: 'module' }).program);
	return found.map((specifier) => normalize(join(dirname(path), specifier)));
}

/** A module and all that is loaded along with it. */
function loadedWith(entry: string): Set<string> {
	const loaded = new Set([entry]);
	for (const path of loaded) for (const imported of loadedBy(path)) loaded.add(imported);
	return loaded;
}

const loaded = loadedWith('index.ts');

/** What a process that opens a table and appends to it does without. */
const ON_DEMAND =
	/^(scan\/|read\/|import\/.*-source\.ts|maintenance\/(?!tasks|verify-table|lazy-maintenance)|codec\/parquet\/(reader|decode|assemble)|manifest\/manifest\.ts|column\/(arrow|columns-in\.ts|json-out|rows-out)|catalog\/drop|cli\/|testing\/)/;

describe('what importing the package loads', () => {
	it('is what an append needs: reading, importing and maintenance are loaded when they are used', () => {
		expect([...loaded].filter((path) => ON_DEMAND.test(path))).toEqual([]);
	});

	it('was looked at: an append needs these, and those would be found', () => {
		expect(loaded).toContain('transaction/append.ts');
		expect(loaded).toContain('codec/parquet/writer.ts');
		const reading = [...loadedWith('table/reading.ts')].filter((path) => ON_DEMAND.test(path));
		for (const path of ['scan/plan.ts', 'column/rows-out.ts']) expect(reading).toContain(path);
		expect([...loadedWith('read/scan-batches.ts')]).toContain('codec/parquet/reader.ts');
	});

	it('leaves what opens data files out of planning', () => {
		const reading = [...loadedWith('table/reading.ts')];
		expect(reading.filter((path) => /^codec\/parquet\/(reader|decode|assemble)/.test(path))).toEqual([]);
	});
});
