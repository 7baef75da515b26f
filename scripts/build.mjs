// Builds dist/: declarations by tsc, and the modules as a few files by rolldown. Two hundred small modules would take
// longer to load (150 ms) than a one-row append takes to run.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
const external = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

/** Entry points: those of package.json's exports, and the command. */
const input = {
	index: 'src/index.ts',
	testing: 'src/testing.ts',
	'cli/main': 'src/cli/main.ts',
	// the thread that leads many appending processes
	'leader-thread': 'src/catalog/leader-thread.ts',
};

try {
	execFileSync(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json'], {
		cwd: root,
		stdio: 'inherit',
	});
} catch {
	console.error('build: the sources do not typecheck');
	process.exitCode = 1;
}
const options = {
	cwd: root,
	input,
	platform: 'node',
	// Node 20 knows no `using`
	transform: { target: 'es2023' },
	external: (id) => id.startsWith('node:') || external.some((name) => id === name || id.startsWith(`${name}/`)),
	logLevel: 'warn',
};
const core = await staticallyImportedBy('index.js');
const bundle = await rolldown(options);
const { output } = await bundle.write({
	dir: `${root}/dist`,
	format: 'esm',
	entryFileNames: '[name].js',
	chunkFileNames: 'chunks/[name].js',
	// The declarations have them; without, there is a sixth less to read through before anything runs.
	comments: false,
	// What every import of the package loads is one file; the rest is loaded when it is needed.
	codeSplitting: { groups: [{ name: 'core', test: (id) => core.has(id) }] },
});
await bundle.close();
for (const { fileName, code } of output) writeFileSync(`${root}/dist/${fileName}`, asciiOnly(code));
// npm sets the mode on installation; a clone that was only built needs it too
chmodSync(`${root}/dist/cli/main.js`, 0o755);

/** The modules that an entry point loads by itself, without what it imports dynamically. */
async function staticallyImportedBy(entryFileName) {
	const trial = await rolldown(options);
	const { output } = await trial.generate({ format: 'esm', entryFileNames: '[name].js' });
	await trial.close();
	const chunks = new Map(output.map((chunk) => [chunk.fileName, chunk]));
	const reached = new Set([entryFileName]);
	for (const fileName of reached)
		for (const imported of chunks.get(fileName).imports) if (chunks.has(imported)) reached.add(imported);
	return new Set([...reached].flatMap((fileName) => Object.keys(chunks.get(fileName).modules)));
}

/**
 * One letter beyond Latin-1 in a file makes V8 hold and compile all of it at two bytes a character, measurably slower.
 * Such letters stand in texts, templates and regular expressions only, where an escape means the same.
 */
function asciiOnly(code) {
	if (/\bString\.raw\b/.test(code)) throw new Error('build: letters cannot be escaped in String.raw');
	return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
