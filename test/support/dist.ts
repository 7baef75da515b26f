/** The built package, for tests that start processes: Node 20 does not run TypeScript. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { filesBelow, projectDir } from './project.ts';

const BUILD_WAIT_MS = 120_000;
const LOCK_STALE_MS = 60_000;

const distDir = `${projectDir}/dist`;
const stamp = `${projectDir}/node_modules/.cache/datashard-dist-stamp`;

function newestSourceMs(): number {
	return Math.max(...filesBelow(`${projectDir}/src`).map((path) => statSync(`${projectDir}/src/${path}`).mtimeMs));
}

function isFresh(): boolean {
	return existsSync(`${distDir}/index.js`) && existsSync(stamp) && statSync(stamp).mtimeMs >= newestSourceMs();
}

/**
 * The folder of the built package, built first when a source file is newer. Test files run in several processes: one
 * builds, the others wait.
 */
export async function builtPackage(): Promise<string> {
	mkdirSync(`${projectDir}/node_modules/.cache`, { recursive: true });
	const lock = `${stamp}.lock`;
	const deadlineMs = Date.now() + BUILD_WAIT_MS;
	while (!isFresh()) {
		if (Date.now() > deadlineMs) throw new Error('the build did not finish');
		try {
			mkdirSync(lock);
		} catch {
			if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > LOCK_STALE_MS) rmdirSync(lock);
			await new Promise((resolve) => setTimeout(resolve, 100));
			continue;
		}
		try {
			if (isFresh()) break;
			const startedAt = new Date();
			execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: projectDir, stdio: 'pipe' });
			writeFileSync(stamp, '');
			utimesSync(stamp, startedAt, startedAt);
		} finally {
			rmdirSync(lock);
		}
	}
	return distDir;
}
