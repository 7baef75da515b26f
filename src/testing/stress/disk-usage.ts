/** What a table's folder holds on disk, by kind. */
import { type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Usage {
	readonly fileCount: number;
	readonly sizeBytes: number;
}

export interface DiskUsage {
	readonly data: Usage;
	/** metadata files, manifest lists, manifests, the version hint */
	readonly metadata: Usage;
	readonly journals: Usage;
	/** temporary files */
	readonly temporary: Usage;
	readonly other: Usage;
}

type Kind = keyof DiskUsage;

/** Counts the files below a folder; ones that go away meanwhile are left out. */
export async function diskUsage(folder: string): Promise<DiskUsage> {
	const kinds: Kind[] = ['data', 'metadata', 'journals', 'temporary', 'other'];
	const usage = new Map(kinds.map((kind) => [kind, { fileCount: 0, sizeBytes: 0 }]));
	for await (const path of filesBelow(folder, '')) {
		const size = await stat(join(folder, path)).then(
			(found) => found.size,
			() => undefined,
		);
		const kind = usage.get(kindOf(path));
		if (size === undefined || kind === undefined) continue;
		kind.fileCount++;
		kind.sizeBytes += size;
	}
	return Object.fromEntries(usage) as Record<Kind, Usage>;
}

function kindOf(path: string): Kind {
	if (/(^|\/)\.datashard-[^/]*\.tmp$/.test(path)) return 'temporary';
	if (path.startsWith('_journal/')) return 'journals';
	if (path.startsWith('data/')) return 'data';
	return path.startsWith('metadata/') ? 'metadata' : 'other';
}

async function* filesBelow(folder: string, prefix: string): AsyncGenerator<string> {
	const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch((): Dirent[] => []);
	for (const entry of entries) {
		const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
		if (entry.isDirectory()) yield* filesBelow(folder, path);
		else yield path;
	}
}
