// Builds dist/: declarations by tsc, and the modules as a few files by rolldown. Two hundred small modules would take
// longer to load (150 ms) than a one-row append takes to run.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
const external = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

/** Entry points: those of package.json's exports, and the command. */
const input = { index: 'src/index.ts', 'cli/main': 'src/cli/main.ts' };

try {
	execFileSync(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json'], {
		cwd: root,
		stdio: 'inherit',
	});
} catch {
	console.error('build: the sources do not typecheck');
	process.exitCode = 1;
}
const bundle = await rolldown({
	cwd: root,
	input,
	platform: 'node',
	// Node 20 knows no `using`
	transform: { target: 'es2023' },
	external: (id) => id.startsWith('node:') || external.some((name) => id === name || id.startsWith(`${name}/`)),
	logLevel: 'warn',
});
await bundle.write({
	dir: `${root}/dist`,
	format: 'esm',
	entryFileNames: '[name].js',
	chunkFileNames: 'chunks/[name].js',
});
await bundle.close();
// npm sets the mode on installation; a clone that was only built needs it too
chmodSync(`${root}/dist/cli/main.js`, 0o755);
