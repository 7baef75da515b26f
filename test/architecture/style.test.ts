import { readFileSync } from 'node:fs';
import { parseSync, Visitor } from 'oxc-parser';
import { describe, expect, it } from 'vitest';
import { filesBelow, projectDir } from '../support/project.ts';

const FILE_LINE_LIMIT = 600;
const LINE_LENGTH_LIMIT = 160;

interface SourceFile {
	readonly path: string;
	readonly text: string;
}
const sources: SourceFile[] = ['src', 'test', 'bench', 'examples'].flatMap((folder) => {
	try {
		return filesBelow(`${projectDir}/${folder}`)
			.filter((path) => path.endsWith('.ts'))
			.map((path) => ({
				path: `${folder}/${path}`,
				text: readFileSync(`${projectDir}/${folder}/${path}`, 'utf8'),
			}));
	} catch {
		return [];
	}
});
const shipped = sources.filter(({ path }) => path.startsWith('src/'));

/** Ambient clocks and randomness in code; comments and strings do not count. */
function ambientUses({ path, text }: SourceFile): string[] {
	const found: string[] = [];
	const { program } = parseSync(path, text, { lang: 'ts', sourceType: 'module' });
	new Visitor({
		NewExpression(node) {
			if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0)
				found.push(`${path}: new Date()`);
		},
		CallExpression(node) {
			if (
				node.callee.type === 'Identifier' &&
				['Date', 'randomUUID', 'randomBytes', 'randomInt'].includes(node.callee.name)
			)
				found.push(`${path}: ${node.callee.name}()`);
		},
		MemberExpression(node) {
			if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return;
			const name = `${node.object.name}.${node.property.name}`;
			if (['Date.now', 'Math.random', 'process.hrtime', 'performance.now', 'crypto.randomUUID'].includes(name))
				found.push(`${path}: ${name}`);
		},
	}).visit(program);
	return found;
}

function badNames(paths: readonly string[]): string[] {
	return paths.filter((path) =>
		path.split('/').some((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.test-d|\.d|\.bench)?(\.ts)?$/.test(part)),
	);
}

describe('source files', () => {
	it('are named in kebab-case', () => {
		expect(shipped.length).toBeGreaterThan(100);
		expect(badNames(sources.map(({ path }) => path))).toEqual([]);
		expect(
			badNames(['src/spec/TableMetadata.ts', 'src/spec/table_metadata.ts', 'src/spec/table-metadata.ts']),
		).toHaveLength(2);
	});

	it(`have at most ${FILE_LINE_LIMIT} lines`, () => {
		const long = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length }));
		expect(long.filter(({ lines }) => lines > FILE_LINE_LIMIT)).toEqual([]);
	});

	it(`have lines of at most ${LINE_LENGTH_LIMIT} characters in src/`, () => {
		const long = shipped.flatMap(({ path, text }) =>
			text.split('\n').flatMap((line, index) => (line.length > LINE_LENGTH_LIMIT ? `${path}:${index + 1}` : [])),
		);
		expect(long).toEqual([]);
	});

	it('leave nothing undone', () => {
		const marks = shipped.flatMap(
			({ path, text }) => text.match(/\b(TODO|FIXME|XXX|HACK)\b/g)?.map((mark) => `${path}: ${mark}`) ?? [],
		);
		expect(marks).toEqual([]);
	});

	it('start with what they are for: each file of src/ opens with an import, a comment or a declaration, none is empty', () => {
		expect(shipped.filter(({ text }) => text.trim().length === 0).map(({ path }) => path)).toEqual([]);
	});
});

describe('what is not deterministic', () => {
	it('comes through ports: no module but util/system-ports.ts asks the clock or rolls dice', () => {
		const found = shipped.filter(({ path }) => path !== 'src/util/system-ports.ts').flatMap(ambientUses);
		expect(found).toEqual([]);
	});

	it('would be found', () => {
		const planted =
			'const a = Date.now(); const b = new Date(); const c = new Date(5); // Math.random()\nexport const d = [a, b, c, "Date.now()"];';
		expect(ambientUses({ path: 'x.ts', text: planted })).toEqual(['x.ts: Date.now', 'x.ts: new Date()']);
	});
});
