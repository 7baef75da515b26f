/** Hand-made commits, for tests of the swap itself. */
import { createFolderTable, type OpenedTable } from '../../src/catalog/folder-table.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { applyUpdates } from '../../src/metadata/reduce.ts';
import type { TableUpdate } from '../../src/metadata/table-update.ts';
import { UNPARTITIONED } from '../../src/spec/partition-spec.ts';
import { Schema } from '../../src/spec/schema.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import { COMMIT_ID_KEY } from '../../src/transaction/commit-id.ts';
import type { Committer, LoadedMetadata, SwapRequest } from '../../src/transaction/committer.ts';

export const schema = new Schema({
	fields: [{ id: 1, name: 'id', required: true, type: { kind: 'long' } }],
});

let counter = 0;
/** Unique within a test process. */
export const unique = (): number => ++counter;

export function newTable(
	location: string,
	io: FileIO,
	properties: Readonly<Record<string, string>> = {},
): Promise<OpenedTable> {
	return createFolderTable(
		location,
		{ schema, partitionSpec: UNPARTITIONED, sortOrder: UNSORTED, properties, formatVersion: 2 },
		{ io },
	);
}

export function request(
	base: LoadedMetadata,
	updates: readonly TableUpdate[],
	commitId: string,
	nowMs = Date.now(),
): SwapRequest {
	const next = applyUpdates(base.metadata, updates, { nowMs, metadataLocation: base.metadataLocation });
	return { base, requirements: [], updates, next, commitId };
}

/** A commit that changes properties only. */
export function propertyCommit(base: LoadedMetadata, name: string, value: string, nowMs?: number): SwapRequest {
	return request(base, [{ action: 'set-properties', updates: { [name]: value } }], `commit-${unique()}`, nowMs);
}

/** A commit that adds a snapshot. Its manifest list need not exist: the swap does not look at it. */
export function snapshotCommit(base: LoadedMetadata, commitId = `commit-${unique()}`): SwapRequest {
	const { metadata } = base;
	const parent = metadata.currentSnapshotId;
	const snapshotId = BigInt(1000 + unique());
	const timestampMs = Math.max(Date.now(), metadata.lastUpdatedMs);
	const snapshot = {
		snapshotId,
		...(parent === undefined ? {} : { parentSnapshotId: parent }),
		sequenceNumber: metadata.lastSequenceNumber + 1n,
		timestampMs,
		manifestList: `${metadata.location}/metadata/snap-${snapshotId}.avro`,
		summary: { operation: 'append', [COMMIT_ID_KEY]: commitId },
		schemaId: metadata.currentSchemaId,
	};
	return request(
		base,
		[
			{ action: 'add-snapshot', snapshot },
			{ action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId } },
		],
		commitId,
		timestampMs,
	);
}

export async function textOf(io: FileIO, location: string): Promise<string> {
	return new TextDecoder().decode(await io.input(location).readAll());
}

export async function filesBelow(io: FileIO, location: string): Promise<string[]> {
	const names: string[] = [];
	for await (const entry of io.list(location)) names.push(entry.location.slice(location.length + 1));
	return names.sort();
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One commit after another. What goes behind them has gone in the end. */
export async function commitProperties(committer: Committer, from: number, to: number): Promise<LoadedMetadata> {
	let loaded = await committer.load();
	for (let i = from; i <= to; i++) {
		const outcome = await committer.swap(propertyCommit(loaded, 'n', String(i)));
		if (outcome.outcome !== 'committed') throw new Error(`commit ${i}: ${outcome.outcome}`);
		loaded = outcome.loaded;
	}
	await committer.tidy?.();
	return loaded;
}
