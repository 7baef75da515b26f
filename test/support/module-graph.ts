/** Reads the real imports of TypeScript modules, for the tests of the architecture. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { filesBelow } from './project.ts';

export interface ImportEdge {
	/** path of the importing module, relative to the scanned folder */
	readonly from: string;
	/** for relative imports the path of the module, relative to the scanned folder; else the specifier as written */
	readonly to: string;
	readonly relative: boolean;
	/** `dynamic`: `import()`; `type`: the `import('…').X` form; `static`: `import` and `export … from` */
	readonly form: 'static' | 'dynamic' | 'type';
}

/** The specifiers that a module names, each with the form in which it does. */
export function specifiersOf(path: string, source: string): { specifier: string; form: ImportEdge['form'] }[] {
	const parsed = parseSync(path, source, { lang: 'ts', sourceType: 'module' });
	if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message}`);
	const found: { specifier: string; form: ImportEdge['form'] }[] = [];
	new Visitor({
		ImportDeclaration(node) {
			found.push({ specifier: node.source.value, form: 'static' });
		},
		ExportNamedDeclaration(node) {
			if (node.source !== null) found.push({ specifier: node.source.value, form: 'static' });
		},
		ExportAllDeclaration(node) {
			found.push({ specifier: node.source.value, form: 'static' });
		},
		ImportExpression(node) {
			if (node.source.type === 'Literal' && typeof node.source.value === 'string')
				found.push({ specifier: node.source.value, form: 'dynamic' });
			else found.push({ specifier: '(computed)', form: 'dynamic' });
		},
		TSImportType(node) {
			found.push({ specifier: node.source.value, form: 'type' });
		},
	}).visit(parsed.program);
	return found;
}

export interface ModuleGraph {
	readonly modules: readonly string[];
	readonly edges: readonly ImportEdge[];
}

/** Scans all `.ts` files below a folder. */
export function scanModules(folder: string): ModuleGraph {
	const modules = filesBelow(folder).filter((path) => path.endsWith('.ts'));
	const edges: ImportEdge[] = [];
	for (const from of modules) {
		for (const { specifier, form } of specifiersOf(from, readFileSync(join(folder, from), 'utf8'))) {
			const relative = specifier.startsWith('.');
			edges.push({ from, to: relative ? normalize(join(dirname(from), specifier)) : specifier, relative, form });
		}
	}
	return { modules, edges };
}

/** Sets of modules that import each other in a circle (strongly connected, larger than one, or importing itself). */
export function findCycles(graph: ModuleGraph): string[][] {
	const next = new Map<string, string[]>(graph.modules.map((path) => [path, []]));
	for (const edge of graph.edges) if (edge.relative && edge.form !== 'dynamic') next.get(edge.from)?.push(edge.to);
	const index = new Map<string, number>();
	const low = new Map<string, number>();
	const stack: string[] = [];
	const onStack = new Set<string>();
	const cycles: string[][] = [];
	const visit = (path: string): void => {
		index.set(path, index.size);
		low.set(path, index.size - 1);
		stack.push(path);
		onStack.add(path);
		for (const to of next.get(path) ?? []) {
			if (!next.has(to)) continue;
			if (!index.has(to)) {
				visit(to);
				low.set(path, Math.min(low.get(path)!, low.get(to)!));
			} else if (onStack.has(to)) low.set(path, Math.min(low.get(path)!, index.get(to)!));
		}
		if (low.get(path) !== index.get(path)) return;
		const members: string[] = [];
		let member: string;
		do {
			member = stack.pop()!;
			onStack.delete(member);
			members.push(member);
		} while (member !== path);
		if (members.length > 1 || next.get(path)?.includes(path)) cycles.push(members.sort());
	};
	for (const path of graph.modules) if (!index.has(path)) visit(path);
	return cycles;
}
