import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { VERSION } from '../../src/util/version.ts';
import { projectDir } from '../support/project.ts';

it('is the version of the package', () => {
	expect(JSON.parse(readFileSync(`${projectDir}/package.json`, 'utf8')).version).toBe(VERSION);
});
