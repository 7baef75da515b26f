import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { LocalFileIO, type LocalFileIOOptions } from '../../src/io/local-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { fileIOSuite } from '../../src/testing/file-io-suite.ts';

function localSuite(spell: (folder: string) => string, options: LocalFileIOOptions): void {
	fileIOSuite({
		test,
		makeIO: async () => {
			const folder = await mkdtemp(join(tmpdir(), 'datashard-io-'));
			const io = new LocalFileIO({ ...options, roots: [folder] });
			return {
				io,
				root: spell(join(folder, 'root')),
				cleanup: async () => {
					await io.close();
					await rm(folder, { recursive: true, force: true });
				},
			};
		},
		reopen: async () => new LocalFileIO(options),
	});
}

describe('LocalFileIO with plain paths', () => localSuite((folder) => folder, {}));
describe('LocalFileIO with file: URIs', () => localSuite((folder) => `file:${folder}`, {}));
describe('LocalFileIO with file:/// URIs, never blocking', () =>
	localSuite((folder) => `file://${folder}`, { blockingLimitBytes: 0, openFilesLimit: 1 }));
describe('MemoryFileIO', () => {
	fileIOSuite({ test, makeIO: async () => ({ io: new MemoryFileIO(), root: 'memory:/root' }) });
});
