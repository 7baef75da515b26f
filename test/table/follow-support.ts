/** Tables whose history others have rewritten, for tests of follows. */
import type { ColumnBatch } from '../../src/column/vector.ts';
import { constantVector } from '../../src/column/vector-values.ts';
import { concatBatches } from '../../src/column/vector-ops.ts';
import {
	createTable,
	type FollowBatch,
	type FollowOptions,
	type FollowPosition,
	type Snapshot,
	type SnapshotOperation,
	type Table,
} from '../../src/index.ts';
import type { DataFile } from '../../src/manifest/types.ts';
import type { TableUpdate } from '../../src/metadata/table-update.ts';
import { LAST_UPDATED_COLUMN } from '../../src/read/metadata-columns.ts';
import { scanBatches } from '../../src/read/scan-batches.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import { Schema } from '../../src/spec/schema.ts';
import { currentSchema, currentSnapshot } from '../../src/spec/table-metadata-lookup.ts';
import type { Action } from '../../src/transaction/action.ts';
import { AppendAction } from '../../src/transaction/append.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import { RewriteFilesAction } from '../../src/transaction/rewrite-files.ts';
import { writeDataFiles } from '../../src/write/data-writer.ts';
import { newFolder, pairs } from './support.ts';

export type Pairs = Table<{ id: bigint | number; name?: string | null }, { id: bigint; name: string | null }>;

/** A table that changes only when it is told to: without maintenance in the background. */
export async function newTable(options: Parameters<typeof createTable>[2] = {}): Promise<Pairs> {
	return createTable(newFolder(), pairs, {
		...options,
		properties: { 'datashard.maintenance.enabled': 'false', ...options.properties },
	}) as Promise<Pairs>;
}

/** Rows with these ids, one commit for each. */
export async function appendEach(table: Pairs, ids: readonly number[]): Promise<void> {
	for (const id of ids) await table.append([{ id, name: `n${id}` }]);
}

/** What is there from a start on, without waiting. */
export async function idsFrom(
	table: Pairs,
	from: NonNullable<FollowOptions['from']>,
	options: FollowOptions = {},
): Promise<number[]> {
	const ids: number[] = [];
	for await (const row of table.follow({ from, until: 'now', ...options })) ids.push(Number(row.id));
	return ids;
}

export async function batchesFrom(
	table: Pairs,
	from: NonNullable<FollowOptions['from']>,
	options: FollowOptions = {},
): Promise<FollowBatch<{ id: bigint }>[]> {
	const batches: FollowBatch<{ id: bigint }>[] = [];
	for await (const batch of table.follow({ from, until: 'now', ...options }).batches()) batches.push(batch);
	return batches;
}

/** Where the table stands. */
export async function positionNow(table: Pairs): Promise<FollowPosition> {
	const follow = table.follow({ from: 'now' });
	await follow.ready();
	return follow.position as FollowPosition;
}

export async function failure(promise: Promise<unknown>): Promise<Error & { context: Record<string, unknown> }> {
	try {
		await promise;
	} catch (error) {
		return error as never;
	}
	throw new Error('it succeeded');
}

export async function commit(table: Pairs, action: Action): Promise<Snapshot> {
	const { committer, clock, random } = table.commitPorts();
	const { loaded } = await commitActions(committer, await committer.load(), [action], { clock, random });
	await table.refresh();
	return currentSnapshot(loaded.metadata) as Snapshot;
}

export interface Rewrite {
	/** the rows carry their numbers; `inherit`: but for those of the newest file. Default `none` */
	readonly numbers?: 'all' | 'inherit' | 'none';
	/** the new file's sequence number: that of what was read (default), or of the rewriting commit */
	readonly sequenceNumber?: 'start' | 'new';
	/** files to rewrite. Default: all */
	readonly only?: (task: FileScanTask) => boolean;
	readonly operation?: SnapshotOperation;
	/** rows to drop. Default: none */
	readonly without?: (rowCount: number) => Uint32Array;
}

/** Puts files together, as engines do that keep more or less of where their rows come from. */
export async function rewrite(table: Pairs, options: Rewrite = {}): Promise<Snapshot> {
	const { numbers = 'none', only = () => true } = options;
	await table.refresh();
	const { metadata } = table;
	const schema = currentSchema(metadata);
	const tasks: FileScanTask[] = [];
	for await (const task of table.scan().plan()) if (only(task)) tasks.push(task);
	const newest = tasks.reduce((a, { sequenceNumber }) => (sequenceNumber > a ? sequenceNumber : a), 0n);
	const column = numbers === 'none' ? [] : [LAST_UPDATED_COLUMN];
	const fields = [...schema.fields, ...column];
	const parts: ColumnBatch[] = [];
	for (const task of tasks) {
		const context = { io: table.io, metadata, schema, fields: [...schema.fields, LAST_UPDATED_COLUMN] };
		for await (const batch of scanBatches([task], context)) {
			const stored = batch.columns.at(-1)!;
			const isOwn = numbers === 'inherit' && task.sequenceNumber === newest;
			const number = constantVector(LAST_UPDATED_COLUMN.type, isOwn ? null : task.sequenceNumber, batch.length);
			const kept = stored.nullCount === stored.length ? number : stored;
			const columns = [...batch.columns.slice(0, -1), ...(column.length > 0 ? [kept] : [])];
			parts.push({ fields, length: batch.length, columns });
		}
	}
	const write = async function* (): AsyncGenerator<ColumnBatch> {
		yield concatBatches(parts);
	};
	const { files } = await writeDataFiles(write(), {
		io: table.io,
		metadata,
		random: table.commitPorts().random,
		schema: Schema.parsed({ schemaId: schema.schemaId, fields, identifierFieldIds: schema.identifierFieldIds }),
	});
	const action = new RewriteFilesAction({
		removed: tasks.map(({ file, sequenceNumber }) => ({ file, sequenceNumber })),
		added: files,
		startingSequenceNumber:
			options.sequenceNumber === 'new' ? metadata.lastSequenceNumber + 1n : currentSnapshot(metadata)!.sequenceNumber,
	});
	return commit(table, options.operation === undefined ? action : relabelled(action, options.operation));
}

/** Removes files, as a delete does that hits whole files. */
export async function removeFiles(
	table: Pairs,
	ids: readonly number[],
	operation: SnapshotOperation = 'delete',
): Promise<Snapshot> {
	const tasks: FileScanTask[] = [];
	for await (const task of table.scan({ where: `id in (${ids.join(', ')})` }).plan()) tasks.push(task);
	const removed = tasks.map(({ file, sequenceNumber }) => ({ file, sequenceNumber }));
	const action = new RewriteFilesAction({ removed, added: [], startingSequenceNumber: 0n });
	return commit(table, relabelled(action, operation));
}

/** Appends a file under another name of what was done. */
export async function appendAs(table: Pairs, id: number, operation: SnapshotOperation): Promise<Snapshot> {
	const files = await fileOf(table, id);
	const append = new AppendAction();
	for (const file of files) append.addFile(file);
	return commit(table, relabelled(append, operation));
}

async function fileOf(table: Pairs, id: number): Promise<readonly DataFile[]> {
	const { committer, random } = table.commitPorts();
	const transaction = table.newTransaction();
	await transaction.rollback();
	const { rowsToBatch } = await import('../../src/column/rows.ts');
	const schema = currentSchema(table.metadata);
	const batch = rowsToBatch(schema.fields, [{ id }]);
	const rows = async function* (): AsyncGenerator<ColumnBatch> {
		yield batch;
	};
	return (await writeDataFiles(rows(), { io: committer.io, metadata: table.metadata, random, schema })).files;
}

/** An action whose snapshot says that it did something else. */
function relabelled(action: Action, operation: SnapshotOperation): Action {
	return {
		name: action.name,
		async apply(base, context) {
			const result = await action.apply(base, context);
			return { ...result, updates: result.updates.map((update) => relabelledUpdate(update, operation)) };
		},
		committed: (...args) => action.committed(...args),
		abandoned: (...args) => action.abandoned(...args),
	};
}

function relabelledUpdate(update: TableUpdate, operation: SnapshotOperation): TableUpdate {
	if (update.action !== 'add-snapshot') return update;
	return { ...update, snapshot: { ...update.snapshot, summary: { ...update.snapshot.summary, operation } } };
}

/** Changes the metadata, as other engines do. */
export async function update(table: Pairs, ...updates: TableUpdate[]): Promise<void> {
	await commit(table, {
		name: 'update',
		apply: async () => ({ updates, requirements: [], newFiles: [] }),
		committed: async () => undefined,
		abandoned: async () => undefined,
	});
}

/** Takes snapshots out of the history, by sequence number. */
export async function thin(table: Pairs, ...sequenceNumbers: readonly number[]): Promise<void> {
	await table.refresh();
	const snapshotIds = table.metadata.snapshots
		.filter(({ sequenceNumber }) => sequenceNumbers.includes(Number(sequenceNumber)))
		.map(({ snapshotId }) => snapshotId);
	await update(table, { action: 'remove-snapshots', snapshotIds });
}
