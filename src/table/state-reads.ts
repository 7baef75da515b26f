/** What metadata, manifest lists and manifests tell of a state. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../manifest/types.ts';
import { manifestBytes, snapshotManifests } from '../scan/snapshot-manifests.ts';
import { selectSnapshot, type SnapshotSelector, type TableState } from './table-source.ts';

/** A state, which snapshot of it, and what ends the call. */
export type StateRead = readonly [state: TableState, selector: SnapshotSelector, signal: AbortSignal | undefined];

/** All entries of a manifest, deleted ones too, with all metrics. */
export async function manifestEntriesOf(
	state: TableState,
	manifest: ManifestFile,
	signal?: AbortSignal,
): Promise<readonly ManifestEntry[]> {
	return decodeManifest(await manifestBytes(state.io, manifest, signal), manifest, state.metadata, {
		metricsFor: 'all',
	});
}

/** The manifests of a state, data and deletes. */
export async function manifestsOf(
	state: TableState,
	selector: SnapshotSelector,
	signal?: AbortSignal,
): Promise<readonly ManifestFile[]> {
	const { snapshot } = selectSnapshot(state.metadata, selector);
	return snapshot === undefined ? [] : snapshotManifests(state.io, snapshot, signal === undefined ? {} : { signal });
}

/** The live data files of a state. */
export async function dataFilesOf(
	state: TableState,
	selector: SnapshotSelector,
	signal?: AbortSignal,
): Promise<readonly DataFile[]> {
	const files: DataFile[] = [];
	for (const manifest of await manifestsOf(state, selector, signal)) {
		if (manifest.content !== 'data') continue;
		for (const entry of await manifestEntriesOf(state, manifest, signal))
			if (entry.status !== 'deleted') files.push(entry.file);
	}
	return files;
}

/** @throws `UNSUPPORTED` when there are delete files: metadata does not tell how many rows they leave */
export async function rowCountOf(state: TableState, selector: SnapshotSelector, signal?: AbortSignal): Promise<number> {
	let rows = 0;
	for (const manifest of await manifestsOf(state, selector, signal)) {
		const live = await liveRows(state, manifest, signal);
		if (manifest.content === 'data') rows += live;
		else if (live > 0) {
			throw new IcebergError(
				'UNSUPPORTED',
				'rows are deleted by delete files: metadata alone does not tell how many are left',
				{
					context: { location: state.metadata.location, manifest: manifest.location },
				},
			);
		}
	}
	return rows;
}

async function liveRows(state: TableState, manifest: ManifestFile, signal: AbortSignal | undefined): Promise<number> {
	const { addedRowsCount, existingRowsCount } = manifest;
	if (addedRowsCount !== undefined && existingRowsCount !== undefined)
		return Number(addedRowsCount + existingRowsCount);
	let rows = 0;
	for (const entry of await manifestEntriesOf(state, manifest, signal))
		if (entry.status !== 'deleted') rows += entry.file.recordCount;
	return rows;
}
