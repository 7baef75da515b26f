import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { builtPackage } from '../support/dist.ts';
import { modulesLoadedBy } from '../support/loaded-modules.ts';
import { projectDir } from '../support/project.ts';

/** What must not be loaded before it is used: heavy, or not installed at all. */
const HEAVY =
	/node_modules\/(@duckdb|duckdb|@aws-sdk|@smithy|aws4fetch|apache-arrow|@uwdata|@bokuweb|zstddec|hysnappy|commander)\b/;

describe('importing the core', () => {
	it('loads no dependency at all: neither DuckDB, nor an AWS client, nor Arrow, nor a codec', async () => {
		const dist = await builtPackage();
		const loaded = modulesLoadedBy(`await import(${JSON.stringify(pathToFileURL(`${dist}/index.js`).href)});`);
		const own = loaded.filter((url) => url.startsWith(pathToFileURL(`${dist}/`).href));
		expect(own).toContain(pathToFileURL(`${dist}/index.js`).href);
		expect(loaded.filter((url) => HEAVY.test(url))).toEqual([]);
		expect(loaded.filter((url) => url.includes('/node_modules/'))).toEqual([]);
	});

	it('would be seen to load one', () => {
		const flechette = pathToFileURL(`${projectDir}/node_modules/@uwdata/flechette/src/index.js`).href;
		const commander = JSON.stringify(`${projectDir}/node_modules/commander/index.js`);
		const loaded = modulesLoadedBy(
			`await import(${JSON.stringify(flechette)}); createRequire(import.meta.url)(${commander});`,
		);
		expect(loaded.filter((url) => HEAVY.test(url)).some((url) => url.includes('@uwdata/flechette'))).toBe(true);
		expect(loaded.filter((url) => HEAVY.test(url)).some((url) => url.includes('commander'))).toBe(true);
	});
});
