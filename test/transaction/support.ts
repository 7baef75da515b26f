/** Tables with made-up data files, for tests of what happens to metadata. */
import { createFolderTable, openFolderTable, type OpenedTable } from '../../src/catalog/folder-table.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { decodeManifest } from '../../src/manifest/manifest.ts';
import { decodeManifestList } from '../../src/manifest/manifest-list.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../../src/manifest/types.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import { UNPARTITIONED } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { currentSnapshot } from '../../src/spec/table-metadata-lookup.ts';
import type { Clock } from '../../src/util/ports.ts';
import { systemClock, systemRandom } from '../../src/util/system-ports.ts';
import { AppendAction, type AppendOptions } from '../../src/transaction/append.ts';
import { commitActions, type CommitOptions, type CommitResult } from '../../src/transaction/commit-actions.ts';
import type { Committer } from '../../src/transaction/committer.ts';

export const T = 'memory:/t';

export const schema = new Schema({
	fields: [
		{ id: 1, name: 'id', required: true, type: { kind: 'long' } },
		{ id: 2, name: 'region', required: false, type: { kind: 'string' } },
	],
});

export const byRegion: PartitionSpec = {
	specId: 0,
	fields: [{ sourceId: 2, fieldId: 1000, name: 'region', transform: { kind: 'identity' } }],
};

export interface TableSettings {
	readonly location?: string;
	readonly properties?: Readonly<Record<string, string>>;
	readonly formatVersion?: FormatVersion;
	readonly spec?: PartitionSpec;
}

export function makeTable(io: FileIO, settings: TableSettings = {}): Promise<OpenedTable> {
	return createFolderTable(
		settings.location ?? T,
		{
			schema,
			partitionSpec: settings.spec ?? UNPARTITIONED,
			sortOrder: UNSORTED,
			properties: settings.properties ?? {},
			formatVersion: settings.formatVersion ?? 2,
		},
		{ io },
	);
}

let fileCounter = 0;

/** Writes something in place of Parquet and describes it. */
export async function dataFile(io: FileIO, name?: string, changes: Partial<DataFile> = {}): Promise<DataFile> {
	const location = `${T}/data/${name ?? `file-${++fileCounter}`}.parquet`;
	await io.write(location, new TextEncoder().encode('PAR1'));
	return {
		content: 'data',
		location,
		format: 'parquet',
		specId: 0,
		partition: [],
		recordCount: 10,
		fileSizeInBytes: 4,
		valueCounts: new Map([[1, 10]]),
		lowerBounds: new Map([[1, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0])]]),
		...changes,
	};
}

export const quick: CommitOptions = {
	clock: systemClock,
	random: systemRandom,
	retryDefaults: { maxRetries: 50, minWaitMs: 0, maxWaitMs: 1, totalTimeoutMs: 60_000 },
};

/** A clock that stands where it is put. */
export function fixedClock(nowMs: () => number): Clock {
	return { ...systemClock, nowMs };
}

export function appendOf(files: readonly DataFile[], options: AppendOptions = {}): AppendAction {
	const action = new AppendAction(options);
	for (const file of files) action.addFile(file);
	return action;
}

export async function append(
	committer: Committer,
	files: readonly DataFile[],
	options: AppendOptions = {},
	commit: CommitOptions = quick,
): Promise<CommitResult> {
	return commitActions(committer, await committer.load(), [appendOf(files, options)], commit);
}

export interface SnapshotContents {
	readonly manifests: readonly ManifestFile[];
	readonly entries: readonly ManifestEntry[];
	/** names of live data files, sorted */
	readonly files: readonly string[];
}

/** Reads all that a snapshot reaches; fails when a file is missing or not as long as its manifest says. */
export async function contentsOf(io: FileIO, metadata: TableMetadata, snapshot: Snapshot): Promise<SnapshotContents> {
	const list = snapshot.manifestList as string;
	const manifests = await decodeManifestList(await io.input(list).readAll(), list);
	const entries: ManifestEntry[] = [];
	for (const manifest of manifests) {
		const bytes = await io.input(manifest.location).readAll();
		if (bytes.length !== manifest.length) throw new Error(`${manifest.location}: ${bytes.length} bytes`);
		const decoded = await decodeManifest(bytes, manifest, metadata);
		entries.push(...decoded);
		for (const { status, file } of decoded)
			if (status !== 'deleted' && (await io.input(file.location).length()) !== file.fileSizeInBytes)
				throw new Error(`${file.location}: wrong length`);
	}
	const live = entries.filter((entry) => entry.status !== 'deleted');
	const files = live.map((entry) => entry.file.location.slice(`${T}/data/`.length, -'.parquet'.length)).sort();
	return { manifests, entries, files };
}

/** The table as a new process sees it, every snapshot checked to be whole. */
export async function freshLook(io: FileIO): Promise<{ metadata: TableMetadata; current: SnapshotContents }> {
	const { metadata } = (await openFolderTable(T, { io })).loaded;
	let current: SnapshotContents = { manifests: [], entries: [], files: [] };
	for (const snapshot of metadata.snapshots) {
		const contents = await contentsOf(io, metadata, snapshot);
		if (snapshot.snapshotId === currentSnapshot(metadata)?.snapshotId) current = contents;
	}
	return { metadata, current };
}

export async function namesBelow(io: FileIO, folder: string): Promise<string[]> {
	const names: string[] = [];
	for await (const entry of io.list(folder)) names.push(entry.location.slice(folder.length + 1));
	return names.sort();
}

/** Manifests, manifest lists and data files that no snapshot of the table reaches. */
export async function garbage(io: FileIO): Promise<string[]> {
	const { metadata } = await freshLook(io);
	const reached = new Set<string>();
	for (const snapshot of metadata.snapshots) {
		reached.add(snapshot.manifestList as string);
		const { manifests, entries } = await contentsOf(io, metadata, snapshot);
		for (const manifest of manifests) reached.add(manifest.location);
		for (const entry of entries) reached.add(entry.file.location);
	}
	const names = await namesBelow(io, T);
	return names.filter((name) => !/(\.metadata\.json|version-hint\.text)$/.test(name) && !reached.has(`${T}/${name}`));
}
