/** Where things stand in the clone. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder, absolute, without a slash at the end. */
export const projectDir: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** All files below a folder, sorted, relative to it. */
export function filesBelow(folder: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
		.sort();
}
