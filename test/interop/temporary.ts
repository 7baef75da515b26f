/** A folder for the time of one test file. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Its absolute path; it is removed after the tests of the file that calls this. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(realpathSync(tmpdir()), 'datashard-interop-'));
	afterAll(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}
