/** The order of layers: the one table that holds it. An import goes only down, or within its own folder. */
import type { ModuleGraph } from './module-graph.ts';

/** Folder of src/ to layer. Folders of equal layer do not import each other. */
export const LAYERS: Readonly<Record<string, number>> = {
	errors: 0,
	util: 0.5,
	spec: 1,
	column: 1.5,
	expr: 2,
	codec: 2,
	io: 2,
	manifest: 3,
	metadata: 3,
	scan: 4,
	read: 5,
	write: 5,
	transaction: 6,
	table: 7,
	ingest: 7,
	maintenance: 7.5,
	catalog: 8,
	import: 8,
	server: 9,
	sql: 9,
	testing: 10,
	cli: 11,
	ui: 11,
};

/** What stands directly in src/ are the entry points of the package; only the command and the page may import them. */
const ENTRY_LAYER = 10.5;

/** Thin folders: of the package they import only its entry points, that is, what a user could. */
const THIN = ['cli', 'ui'];

function folderOf(path: string): string | undefined {
	const slash = path.indexOf('/');
	return slash < 0 ? undefined : path.slice(0, slash);
}

/** One line for each import that breaks the order, and for each module in a folder that the table lacks. */
export function layerViolations(graph: ModuleGraph): string[] {
	const layerOf = (path: string): number => {
		const folder = folderOf(path);
		return folder === undefined ? ENTRY_LAYER : (LAYERS[folder] ?? Number.NaN);
	};
	const known = new Set(graph.modules);
	const violations: string[] = [];
	for (const path of graph.modules)
		if (Number.isNaN(layerOf(path))) violations.push(`${path}: its folder is not in the table of layers`);
	for (const { from, to, relative } of graph.edges) {
		if (!relative) {
			if (to === '(computed)') violations.push(`${from}: imports a computed name`);
			continue;
		}
		if (!known.has(to)) {
			violations.push(`${from} -> ${to}: no such module in src/`);
			continue;
		}
		const folder = folderOf(from);
		if (folder !== undefined && folder === folderOf(to)) continue;
		if (folder === undefined && folderOf(to) === undefined) continue;
		if (!(layerOf(to) < layerOf(from)))
			violations.push(`${from} -> ${to}: layer ${layerOf(from)} may not import layer ${layerOf(to)}`);
		else if (folder !== undefined && THIN.includes(folder) && folderOf(to) !== undefined)
			violations.push(`${from} -> ${to}: ${folder}/ imports only the entry points of the package`);
	}
	return violations;
}
