/** One commit that takes the rows of many journals' records into the table. */
import type { ColumnBatch } from '../column/vector.ts';
import { concatBatches } from '../column/vector-ops.ts';
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { DataFile } from '../manifest/types.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { currentSchema, schemaById } from '../spec/table-metadata-lookup.ts';
import { type Action, deleteQuietly } from '../transaction/action.ts';
import { AppendAction } from '../transaction/append.ts';
import { commitActions } from '../transaction/commit-actions.ts';
import { snapshotsOfCommit } from '../transaction/commit-id.ts';
import type { Committer, LoadedMetadata } from '../transaction/committer.ts';
import type { Clock, Random } from '../util/ports.ts';
import type { Processes } from '../util/process-identity.ts';
import { writeDataFiles } from '../write/data-writer.ts';
import { RememberKeysAction, rememberedKeys } from './append-keys.ts';
import { convertBatch } from './convert-batch.ts';
import { decodeBatches } from './batch-codec.ts';
import { type Advance, FoldAction, type FoldActionOptions } from './fold-action.ts';
import type { JournalRecord } from './journal-format.ts';
import { FOLDED_KEY } from './journal-positions.ts';

/** What became of a record, where it is not simply in the fold's snapshot. */
export type Exception =
	/** an earlier append with its key had appended the rows; the snapshot that holds them */
	| { readonly kind: 'repeated'; readonly snapshotId: bigint }
	/** it cannot be taken, and never will be */
	| { readonly kind: 'refused'; readonly error: IcebergError };

/** Thrown before anything is written: a record that was acknowledged as journaled cannot be taken by the table as it is. */
export class BlockedJournalError extends IcebergError {
	readonly journal: string;

	constructor(journal: string, record: number, cause: IcebergError) {
		super('VALIDATION_FAILED', `record ${record} of the journal ${journal} cannot be appended: ${cause.message}`, {
			cause,
		});
		this.journal = journal;
	}
}

export interface FoldPart {
	readonly journal: string;
	readonly advance: Advance;
	readonly records: readonly JournalRecord[];
}

export interface FoldOptions extends Omit<FoldActionOptions, 'advances'> {
	readonly committer: Committer;
	readonly clock: Clock;
	readonly random: Random;
	readonly processes: Processes;
	/** further changes that go along with a commit that adds rows */
	readonly companions?: (base: LoadedMetadata) => readonly Action[];
}

export interface Folded {
	readonly loaded: LoadedMetadata;
	/** undefined when no row was appended */
	readonly snapshot: Snapshot | undefined;
	readonly files: readonly DataFile[];
	/** the rows appended from records that held them, as written */
	readonly rows: ColumnBatch | undefined;
	/** by journal, then by record number */
	readonly exceptions: ReadonlyMap<string, ReadonlyMap<number, Exception>>;
}

/**
 * Appends the rows of the records and advances the positions, in one commit. Records whose key is remembered, and records
 * that cannot be taken, are passed over and told.
 *
 * @param base where positions and keys were read from
 * @throws `PositionsMovedError`, `SupersededError`, `KeyTakenError`: nothing was committed, look again; else as `commitActions`
 */
export async function fold(base: LoadedMetadata, parts: readonly FoldPart[], options: FoldOptions): Promise<Folded> {
	const { committer, clock, random, processes, companions } = options;
	const sorted = sort(base.metadata, parts);
	const rows = rowsOf(base.metadata, sorted);
	const keys = keysOf(sorted);
	const files = await write(rows, base.metadata, options);
	const actions: Action[] = [];
	if (files.length > 0) {
		const append = new AppendAction({ summary: { [FOLDED_KEY]: 'true' } });
		for (const file of files) append.addFile(file);
		actions.push(append);
		if (keys.length > 0) actions.push(new RememberKeysAction(keys));
	}
	const advances = new Map(parts.map(({ journal, advance }) => [journal, advance]));
	actions.push(new FoldAction({ ...options, advances }));
	if (files.length > 0 && companions !== undefined) actions.push(...companions(base));
	try {
		const { loaded, commitId } = await commitActions(committer, base, actions, { clock, random, processes });
		const snapshot = snapshotsOfCommit(loaded.metadata, commitId)[0];
		return { loaded, snapshot, files, rows, exceptions: sorted.exceptions };
	} catch (error) {
		if (!isIcebergError(error, 'COMMIT_STATE_UNKNOWN'))
			await deleteQuietly(
				committer.io,
				files.map(({ location }) => location),
			);
		throw error;
	}
}

interface Sorted {
	/** records with rows, by the schema that they were written with, in their order */
	readonly bySchema: ReadonlyMap<number, readonly Placed[]>;
	/** the first record of each key */
	readonly byKey: ReadonlyMap<string, Placed>;
	/** records whose key an earlier one of the same fold has */
	readonly repeats: readonly Placed[];
	readonly exceptions: Map<string, Map<number, Exception>>;
}
interface Placed {
	readonly journal: string;
	readonly record: JournalRecord;
}

function sort(metadata: TableMetadata, parts: readonly FoldPart[]): Sorted {
	const bySchema = new Map<number, Placed[]>();
	const byKey = new Map<string, Placed>();
	const repeats: Placed[] = [];
	const exceptions = new Map<string, Map<number, Exception>>();
	const remembered = rememberedKeys(metadata.properties, metadata.location);
	for (const { journal, records } of parts) {
		for (const record of records) {
			const { key } = record;
			const earlier = key === undefined ? undefined : remembered.get(key);
			if (earlier !== undefined) {
				except(exceptions, journal, record.seq, { kind: 'repeated', snapshotId: earlier });
				continue;
			}
			if (key !== undefined) {
				// Twice in one fold: which snapshot it is will be known afterwards.
				if (byKey.has(key)) {
					except(exceptions, journal, record.seq, { kind: 'repeated', snapshotId: 0n });
					repeats.push({ journal, record });
					continue;
				}
				byKey.set(key, { journal, record });
			}
			const group = bySchema.get(record.schemaId);
			if (group === undefined) bySchema.set(record.schemaId, [{ journal, record }]);
			else group.push({ journal, record });
		}
	}
	return { bySchema, byKey, repeats, exceptions };
}

/** Keys of rows that are taken. A record that is refused leaves its key free, and those that repeat it are refused with it. */
function keysOf({ byKey, repeats, exceptions }: Sorted): string[] {
	const refusalOf = ({ journal, record }: Placed): Exception | undefined => {
		const exception = exceptions.get(journal)?.get(record.seq);
		return exception?.kind === 'refused' ? exception : undefined;
	};
	for (const { journal, record } of repeats) {
		const refusal = refusalOf(byKey.get(record.key as string) as Placed);
		if (refusal !== undefined) except(exceptions, journal, record.seq, refusal);
	}
	return [...byKey].filter(([, placed]) => refusalOf(placed) === undefined).map(([key]) => key);
}

function except(exceptions: Sorted['exceptions'], journal: string, record: number, exception: Exception): void {
	const own = exceptions.get(journal);
	if (own === undefined) exceptions.set(journal, new Map([[record, exception]]));
	else own.set(record, exception);
}

/** All rows as columns of the current schema. */
function rowsOf(metadata: TableMetadata, { bySchema, exceptions }: Sorted): ColumnBatch | undefined {
	const current = currentSchema(metadata);
	const batches: ColumnBatch[] = [];
	for (const [schemaId, placed] of bySchema) {
		try {
			batches.push(decodeAs(schemaOf(metadata, schemaId), current, placed));
		} catch {
			// One of them is to blame: each by itself tells which.
			for (const one of placed) {
				try {
					batches.push(decodeAs(schemaOf(metadata, schemaId), current, [one]));
				} catch (error) {
					if (!(error instanceof IcebergError)) throw error;
					// Its writer was told that it is safe: it is not passed over, whatever it holds up.
					if (one.record.journaled === true) throw new BlockedJournalError(one.journal, one.record.seq, error);
					except(exceptions, one.journal, one.record.seq, { kind: 'refused', error });
				}
			}
		}
	}
	return batches.length === 0 ? undefined : concatBatches(batches);
}

function decodeAs(written: Schema, current: Schema, placed: readonly Placed[]): ColumnBatch {
	const batch = decodeBatches(
		written,
		placed.map(({ record }) => record.body),
	);
	return written.schemaId === current.schemaId ? batch : convertBatch(written, current, batch);
}

function schemaOf(metadata: TableMetadata, schemaId: number): Schema {
	const schema = schemaById(metadata, schemaId);
	if (schema !== undefined) return schema;
	throw new IcebergError(
		'VALIDATION_FAILED',
		`${metadata.location} no longer has the schema ${schemaId}, with which journaled rows were written`,
		{ context: { location: metadata.location, schemaId } },
	);
}

async function write(
	rows: ColumnBatch | undefined,
	metadata: TableMetadata,
	{ committer, random, processes }: FoldOptions,
): Promise<readonly DataFile[]> {
	if (rows === undefined || rows.length === 0) return [];
	const { files } = await writeDataFiles(once(rows), { io: committer.io, metadata, random, processes });
	return files;
}

async function* once(batch: ColumnBatch): AsyncGenerator<ColumnBatch> {
	yield batch;
}
