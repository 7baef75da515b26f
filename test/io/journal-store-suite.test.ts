import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { LocalJournalStore } from '../../src/io/local-journal-store.ts';
import { MemoryJournalStore } from '../../src/io/memory-journal-store.ts';
import { journalStoreSuite } from '../../src/testing/journal-store-suite.ts';

function localSuite(spell: (folder: string) => string): void {
	journalStoreSuite({
		test,
		makeStore: async () => {
			const folder = await mkdtemp(join(tmpdir(), 'datashard-journal-'));
			return {
				store: new LocalJournalStore(spell(folder)),
				other: new LocalJournalStore(folder),
				cleanup: () => rm(folder, { recursive: true, force: true }),
			};
		},
	});
}

describe('LocalJournalStore with a plain path', () => localSuite((folder) => folder));
describe('LocalJournalStore with a file: URI', () => localSuite((folder) => `file://${folder}/`));
describe('MemoryJournalStore', () => {
	journalStoreSuite({ test, makeStore: async () => ({ store: new MemoryJournalStore() }) });
});
