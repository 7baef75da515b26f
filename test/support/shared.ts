/** What stands beside the project: the corpus, vectors and clients of `../shared`. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { projectDir } from './project.ts';

/** The folder `../shared` of the project, absolute; `undefined` where the project was cloned without it. */
export function sharedDir(): string | undefined {
	const folder = process.env['DATASHARD_SHARED'] ?? resolve(projectDir, '../shared');
	return existsSync(`${folder}/corpus/corpus.json`) ? folder : undefined;
}
