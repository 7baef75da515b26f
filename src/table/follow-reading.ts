/** What a follow does at each look. Loaded when a first follow starts. */
import type { ColumnBatch } from '../column/vector.ts';
import { sliceBatch } from '../column/vector-ops.ts';
import { IcebergError } from '../errors/iceberg-error.ts';
import type { Expression } from '../expr/expression.ts';
import type { FileIO } from '../io/file-io.ts';
import { decodeManifest } from '../manifest/manifest.ts';
import type { ManifestFile } from '../manifest/types.ts';
import {
	type AppendedFilesContext,
	findAppendedFiles,
	NUMBER_METRICS,
	type NumberedFile,
	numberedFiles,
} from '../read/appended-files.ts';
import { countRowsAfter, type OrderedBatch, readWindow, windowsInOrder } from '../read/in-order.ts';
import type { ReadContext } from '../read/read-task.ts';
import {
	type AppendStep,
	contextOf,
	type HistoryPoint,
	newestBefore,
	newestNotAfter,
	pointText,
} from '../scan/append-history.ts';
import { planFiles } from '../scan/plan.ts';
import { manifestBytes, snapshotManifests } from '../scan/snapshot-manifests.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { currentSchema } from '../spec/table-metadata-lookup.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { NestedField } from '../spec/types.ts';

/** One look at a table. */
export interface Look {
	readonly io: FileIO;
	readonly metadata: TableMetadata;
	readonly fields: readonly NestedField[];
	readonly filter: Expression | undefined;
	readonly caseSensitive: boolean | undefined;
	readonly signal: AbortSignal | undefined;
}

/** The rows of a step, to be read; and the state that they are of, which may lie before the step's target. */
export interface PlannedStep {
	readonly target: Snapshot;
	readonly rows: AsyncIterable<OrderedBatch>;
}

/**
 * Finds the rows of a step. All that could make them wrong is looked at before the first is given.
 * @throws `VALIDATION_FAILED` (`context.reason`: `position-lost`) when it cannot be told which rows are new
 */
export async function planAppends(step: AppendStep, from: HistoryPoint, look: Look): Promise<PlannedStep> {
	const after = from.sequenceNumber;
	const { files, lost } = await findAppendedFiles(step, after, fileContext(look, look.filter));
	if (lost !== undefined) {
		// The state before the rewrite still tells which rows are new.
		const before = newestBefore(step.known, lost.sequenceNumber);
		if (before === undefined) throw lostAt(look.metadata, from, `${lost.location} was rewritten without telling`);
		const known = step.known.slice(step.known.indexOf(before));
		return planAppends({ ...step, target: before, known, without: undefined }, from, look);
	}
	if (!step.isWhole) await proveNothingElse(step, from, look, files);
	return { target: step.target, rows: inOrder(files, look) };
}

/** The rows that one snapshot appended, by what its manifests say. */
export function planSnapshot(target: Snapshot, look: Look): PlannedStep {
	const plan = planFiles({ ...planContext(look), snapshot: target });
	const rows = async function* (): AsyncGenerator<OrderedBatch> {
		const added = (await numberedFiles(plan)).filter(({ task }) => task.snapshotId === target.snapshotId);
		const files = added.map((file) => ({ ...file, task: { ...file.task, deletes: [] } }));
		yield* inOrder(files, look);
	};
	return { target, rows: rows() };
}

/** All rows of a state, in the order of the commits. */
export function planState(target: Snapshot, look: Look): PlannedStep {
	const plan = planFiles({ ...planContext(look), snapshot: target });
	const rows = async function* (): AsyncGenerator<OrderedBatch> {
		yield* inOrder(rankedFiles(look.metadata, await numberedFiles(plan)), look);
	};
	return { target, rows: rows() };
}

/** The last rows of a state, in the order of the commits: the newest files are read first, and no more than need be. */
export async function lastRowsOf(target: Snapshot, count: number, look: Look): Promise<readonly ColumnBatch[]> {
	if (count === 0) return [];
	const context = readContext(look);
	const files = rankedFiles(look.metadata, await numberedFiles(planFiles({ ...planContext(look), snapshot: target })));
	let found: ColumnBatch[] = [];
	let left = count;
	for await (const window of windowsInOrder(files, context, true)) {
		// Files of one commit have an order, too.
		const parts =
			window.first === window.last && window.files.every((file) => !file.isMixed)
				? window.files.toReversed().map((file) => ({ ...window, files: [file] }))
				: [window];
		for (const part of parts) {
			const tail: ColumnBatch[] = [];
			let rows = 0;
			for await (const { batch } of readWindow(part, context)) {
				tail.push(batch);
				rows += batch.length;
				while (rows - (tail[0] as ColumnBatch).length >= left) rows -= (tail.shift() as ColumnBatch).length;
			}
			const [first] = tail;
			if (first !== undefined && rows > left) {
				tail[0] = sliceBatch(first, rows - left, first.length);
				rows = left;
			}
			found = [...tail, ...found];
			left -= rows;
			if (left === 0) return found;
		}
	}
	return found;
}

/** Rows in the data files of a state, from its manifest list alone; `undefined` where that does not tell. */
export async function totalRecordsOf(
	snapshot: Snapshot,
	io: FileIO,
	signal: AbortSignal | undefined,
): Promise<bigint | undefined> {
	if (snapshot.sequenceNumber === 0n) return undefined;
	return totalIn(await snapshotManifests(io, snapshot, signal === undefined ? {} : { signal }));
}

function totalIn(manifests: readonly ManifestFile[]): bigint | undefined {
	let total = 0n;
	for (const { content, addedRowsCount, existingRowsCount } of manifests) {
		if (content !== 'data') continue;
		if (addedRowsCount === undefined || existingRowsCount === undefined) return undefined;
		total += addedRowsCount + existingRowsCount;
	}
	return total;
}

/**
 * Where snapshots on the way are gone, files tell what came: all of it was appended if the table has grown by just so many
 * rows. Otherwise rows were removed, or rewritten as if they were new.
 */
async function proveNothingElse(
	step: AppendStep,
	from: HistoryPoint,
	look: Look,
	files: readonly NumberedFile[],
): Promise<void> {
	const { io, metadata, signal } = look;
	const manifests = await snapshotManifests(io, step.target, signal === undefined ? {} : { signal });
	const total = totalIn(manifests);
	const base = await provableBase(metadata, from, io, signal);
	if (total === undefined || base?.totalRecords === undefined)
		throw lostAt(metadata, from, 'snapshots since have been removed, and nothing tells how many rows there were');
	let counted = files;
	if (look.filter !== undefined || base.sequenceNumber !== from.sequenceNumber) {
		const all = await findAppendedFiles(step, base.sequenceNumber, fileContext(look, undefined));
		if (all.lost !== undefined) throw lostAt(metadata, from, `${all.lost.location} was rewritten without telling`);
		counted = all.files;
	}
	const appended = await countRowsAfter(counted, base.sequenceNumber, readContext(look));
	if (base.totalRecords + appended !== total)
		throw lostAt(
			metadata,
			from,
			`its data files had ${base.totalRecords} rows at sequence number ${base.sequenceNumber} and have ${total} at ` +
				`snapshot ${step.target.snapshotId}, of which ${appended} came since: rows were removed or rewritten by commits`,
		);
	for (const manifest of manifests)
		if (manifest.content === 'deletes' && manifest.sequenceNumber > from.sequenceNumber)
			await assertNoNewDeletes(manifest, step, from, look);
}

async function assertNoNewDeletes(
	manifest: ManifestFile,
	step: AppendStep,
	from: HistoryPoint,
	{ io, metadata, signal }: Look,
): Promise<void> {
	const bytes = await manifestBytes(io, manifest, signal);
	const entries = await decodeManifest(bytes, manifest, metadata, { metricsFor: 'none', liveOnly: true });
	const known = new Set(step.known.map(({ snapshotId }) => snapshotId));
	for (const { file, fileSequenceNumber, sequenceNumber, snapshotId } of entries) {
		if ((fileSequenceNumber ?? sequenceNumber ?? 0n) <= from.sequenceNumber) continue;
		if (snapshotId !== null && known.has(snapshotId)) continue;
		throw lostAt(metadata, from, `${file.location} deletes rows by a commit`);
	}
}

/** A point not after `from` of which it is known how many rows the table had. */
async function provableBase(
	metadata: TableMetadata,
	from: HistoryPoint,
	io: FileIO,
	signal: AbortSignal | undefined,
): Promise<HistoryPoint | undefined> {
	if (from.totalRecords !== undefined) return from;
	if (from.sequenceNumber === 0n) return { ...from, totalRecords: 0n };
	const snapshot = newestNotAfter(metadata, from);
	if (snapshot === undefined) return undefined;
	const { sequenceNumber, snapshotId } = snapshot;
	return { sequenceNumber, snapshotId, totalRecords: await totalRecordsOf(snapshot, io, signal) };
}

/** Files of format v1 have no sequence numbers: they are in the order of their snapshots. */
function rankedFiles(metadata: TableMetadata, files: readonly NumberedFile[]): readonly NumberedFile[] {
	if (files.some((file) => file.last > 0n)) return files;
	const ranks = new Map(metadata.snapshots.map(({ snapshotId }, i) => [snapshotId, BigInt(i + 1)]));
	return files.map((file) => {
		const rank = file.task.snapshotId === null ? 0n : (ranks.get(file.task.snapshotId) ?? 0n);
		return { ...file, first: rank, last: rank };
	});
}

async function* inOrder(files: readonly NumberedFile[], look: Look): AsyncGenerator<OrderedBatch> {
	const context = readContext(look);
	for await (const window of windowsInOrder(files, context)) yield* readWindow(window, context);
}

function schemaOf(look: Look): Schema {
	return currentSchema(look.metadata);
}

function readContext(look: Look): ReadContext {
	const { io, metadata, fields, signal } = look;
	return { io, metadata, schema: schemaOf(look), fields, ...(signal === undefined ? {} : { signal }) };
}

function fileContext(look: Look, filter: Expression | undefined): AppendedFilesContext {
	const { io, metadata, caseSensitive, signal } = look;
	return {
		io,
		metadata,
		schema: schemaOf(look),
		...(filter === undefined ? {} : { filter }),
		...(caseSensitive === undefined ? {} : { caseSensitive }),
		...(signal === undefined ? {} : { signal }),
	};
}

function planContext(look: Look) {
	return { ...fileContext(look, look.filter), metricsFor: NUMBER_METRICS };
}

function lostAt(metadata: TableMetadata, from: HistoryPoint, why: string): IcebergError {
	return new IcebergError(
		'VALIDATION_FAILED',
		`what was appended to ${metadata.location} after ${pointText(from)} cannot be told any more: ${why} whose snapshots ` +
			"are gone. Read the table anew and go on from there ('start'), or go on without what was missed ('now')",
		{ context: { ...contextOf(metadata, from), reason: 'position-lost' } },
	);
}
