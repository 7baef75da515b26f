/**
 * Group commit within one process: appends that arrive while a commit is in flight form the next one, so that a hundred
 * callers cost two commits rather than a hundred.
 */
import { rowsToBatch } from '../column/rows.ts';
import { concatBatches } from '../column/vector-ops.ts';
import type { ColumnBatch } from '../column/vector.ts';
import { IcebergError, isIcebergError } from '../errors/iceberg-error.ts';
import type { Schema } from '../spec/schema.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { schemaById, snapshotById } from '../spec/table-metadata-lookup.ts';
import { type Action, deleteQuietly } from '../transaction/action.ts';
import { AppendAction } from '../transaction/append.ts';
import { commitActions } from '../transaction/commit-actions.ts';
import { snapshotsOfCommit } from '../transaction/commit-id.ts';
import { thinHistoryAction } from '../transaction/thin-history.ts';
import { throwIfAborted } from '../util/bounded-pool.ts';
import { CommitMutex } from '../util/commit-mutex.ts';
import { type Deferred, deferred } from '../util/deferred.ts';
import { writeDataFiles } from '../write/data-writer.ts';
import { batchSizeBytes } from '../write/batch-size.ts';
import type { AppendHost } from './append-host.ts';
import type { Appended } from './appended.ts';
import type { Journaling } from './journaling.ts';
import { decodeBatch } from './batch-codec.ts';
import { BodyEncoder } from './row-codec.ts';
import { appendKeyHash, KeyTakenError, RememberKeysAction, rememberedKeys } from './append-keys.ts';

/** An append larger than this is written and committed by itself, as it streams in. */
export const GROUPED_APPEND_LIMIT_BYTES = 4 * 1024 * 1024;
/** Most bytes of rows in one group commit. */
export const GROUP_LIMIT_BYTES = 64 * 1024 * 1024;
/** A commit that has lost so often asks the leader to wait. */
const TURN_AFTER_CONFLICTS = 2;
/** Bytes of rows that wait for a commit at which further appends wait before they are taken. */
export const QUEUE_LIMIT_BYTES = 2 * GROUP_LIMIT_BYTES;

export interface AppendRequest {
	readonly summary?: Readonly<Record<string, string>>;
	/** Rows appended with a key that the table remembers are not appended again. */
	readonly idempotencyKey?: string;
	/** `journaled`: durable in a journal, in a snapshot soon. Default `committed` */
	readonly until?: 'committed' | 'journaled';
	readonly signal?: AbortSignal;
}

/** What is appended: a few rows that are at hand, as users give them, or batches of the columns of the schema, checked. */
export type AppendRows = readonly unknown[] | AsyncIterable<ColumnBatch>;

interface Rows {
	readonly schema: Schema;
	readonly batches: readonly ColumnBatch[];
	readonly sizeBytes: number;
	readonly rowCount: number;
	/** hash of the idempotency key */
	readonly key: string | undefined;
}

/** Rows in the bytes of a journal. */
interface EncodedRows {
	readonly schema: Schema;
	readonly body: Uint8Array;
	readonly rowCount: number;
	readonly key: string | undefined;
	readonly until: 'committed' | 'journaled';
}

interface Waiting extends Rows {
	readonly resolve: (appended: Appended) => void;
	readonly reject: (error: unknown) => void;
}

export type OpenJournaling = (host: AppendHost) => Promise<Journaling>;

/** Thrown out of a commit that meets others' commits: their leader takes the rows. */
class JoinOthers extends Error {}

/** Appends of one table object. */
export class GroupAppender {
	readonly #host: AppendHost;
	readonly #openJournaling: OpenJournaling | undefined;
	#opening: Promise<Journaling> | undefined;
	#journaling: Journaling | undefined;
	#queue: Waiting[] = [];
	#queuedBytes = 0;
	#running: Promise<void> | undefined;
	/** resolved and replaced whenever a group leaves the queue */
	#room = deferred<void>();
	/** appends with a key that are under way, by its hash */
	readonly #keyed = new Map<string, Promise<void>>();
	/** appends that have begun and have not ended */
	#active = 0;
	#idle: Deferred<void> | undefined;
	#encoder: BodyEncoder | undefined;

	/** @param openJournaling where the table's storage has journals; called when the first is needed */
	constructor(host: AppendHost, openJournaling?: OpenJournaling) {
		this.#host = host;
		this.#openJournaling = openJournaling;
	}

	/**
	 * Appends rows; resolves when they are committed. Small appends share commits, in the order in which their rows were
	 * complete; large ones, and ones with a summary of their own, have a commit to themselves.
	 *
	 * @param rows their values are taken before this returns, if they are rows
	 * @throws as `commitActions`, what the input throws, and `ABORTED` while the append still waits for its turn
	 */
	async append(schema: Schema, rows: AppendRows, request: AppendRequest): Promise<Appended> {
		const key = request.idempotencyKey === undefined ? undefined : appendKeyHash(request.idempotencyKey);
		this.#active += 1;
		try {
			return await (key === undefined
				? this.#append(schema, rows, request, undefined)
				: this.#appendOnce(schema, taken(schema, rows), request, key));
		} finally {
			this.#active -= 1;
			if (this.#active === 0) this.#idle?.resolve();
		}
	}

	/** Resolves when no append is under way. */
	async idle(): Promise<void> {
		if (this.#active === 0) return;
		this.#idle ??= deferred<void>();
		await this.#idle.promise;
		this.#idle = undefined;
	}

	/** Resolves when all appends are in snapshots, journaled ones too; it takes no more. */
	async close(): Promise<void> {
		await this.idle();
		await (await this.#opening)?.close();
	}

	/** Undefined where the storage has none. */
	async #journals(): Promise<Journaling | undefined> {
		this.#opening ??= this.#openJournaling?.(this.#host);
		this.#journaling ??= await this.#opening;
		return this.#journaling;
	}

	/** What a lost swap of this process leads to, after the first few: the leader, if there is one, lets us commit. */
	readonly onConflict = async (attempt: number): Promise<(() => void) | undefined> => {
		if (attempt < TURN_AFTER_CONFLICTS) return undefined;
		return (await this.#journals())?.takeTurn();
	};

	/** The leader takes the rows. @throws {@link JoinOthers} where there may be one */
	async #join(): Promise<undefined> {
		if ((await this.#journals())?.canJoin === true) throw new JoinOthers();
		return undefined;
	}

	/** One append with a key at a time; the ones behind it find what it did. */
	async #appendOnce(
		schema: Schema,
		batches: AsyncIterable<ColumnBatch>,
		request: AppendRequest,
		key: string,
	): Promise<Appended> {
		for (let before = this.#keyed.get(key); before !== undefined; before = this.#keyed.get(key)) await before;
		throwIfAborted(request.signal);
		const own = deferred<void>();
		this.#keyed.set(key, own.promise);
		try {
			const { committer } = this.#host;
			this.#host.advance(await committer.load(request.signal));
			return (await this.#earlier(key)) ?? (await this.#append(schema, batches, request, key));
		} finally {
			this.#keyed.delete(key);
			own.resolve();
		}
	}

	/** What an append with the key did before, if the table remembers it. */
	async #earlier(key: string): Promise<Appended | undefined> {
		const { metadata, metadataLocation } = this.#host.loaded();
		const snapshotId = rememberedKeys(metadata.properties, metadata.location).get(key);
		if (snapshotId === undefined) return undefined;
		// That it can be seen does not say that it is durable: whoever committed it may not have come to that.
		await this.#host.committer.io.persistNames([metadataLocation]);
		return { rowCount: 0, snapshot: snapshotById(metadata, snapshotId), repeated: true };
	}

	async #append(schema: Schema, rows: AppendRows, request: AppendRequest, key: string | undefined): Promise<Appended> {
		if (!isAtHand(rows)) return this.#appendBatches(schema, rows, request, key);
		throwIfAborted(request.signal);
		if (rows.length === 0) return NOTHING;
		const until = request.until ?? 'committed';
		if (request.summary !== undefined || !(until === 'journaled' || this.#journaling?.isJoined === true))
			return this.#appendBatches(schema, taken(schema, rows), request, key);
		const body = this.#encoderOf(schema).rows(rows);
		return this.#journal({ schema, body, rowCount: rows.length, key, until }, request.signal);
	}

	#encoderOf(schema: Schema): BodyEncoder {
		if (this.#encoder?.schema !== schema) this.#encoder = new BodyEncoder(schema);
		return this.#encoder;
	}

	async #appendBatches(
		schema: Schema,
		batches: AsyncIterable<ColumnBatch>,
		request: AppendRequest,
		key: string | undefined,
	): Promise<Appended> {
		const rest = batches[Symbol.asyncIterator]();
		const gathered: ColumnBatch[] = [];
		let sizeBytes = 0;
		let rowCount = 0;
		for (;;) {
			const next = await rest.next();
			if (next.done === true) break;
			gathered.push(next.value);
			rowCount += next.value.length;
			sizeBytes += batchSizeBytes(next.value);
			if (sizeBytes > GROUPED_APPEND_LIMIT_BYTES) return this.#commitOne(schema, chain(gathered, rest), request, key);
		}
		if (rowCount === 0) return NOTHING;
		if (request.summary !== undefined) return this.#commitOne(schema, chain(gathered, undefined), request, key);
		const rows = { schema, batches: gathered, sizeBytes, rowCount, key };
		if (request.until === 'journaled' || this.#journaling?.isJoined === true)
			return this.#journal(this.#encoded(rows, request.until ?? 'committed'), request.signal);
		return this.#enqueue(rows, request.signal);
	}

	#encoded({ schema, batches, rowCount, key }: Rows, until: 'committed' | 'journaled'): EncodedRows {
		return { schema, body: this.#encoderOf(schema).batch(concatBatches(batches)), rowCount, key, until };
	}

	async #journal(rows: EncodedRows, signal: AbortSignal | undefined): Promise<Appended> {
		const journaling = this.#journaling ?? (await this.#journals());
		if (journaling === undefined) {
			const { location } = this.#host.loaded().metadata;
			throw new IcebergError('UNSUPPORTED', `the storage of ${location} has no journals: append until 'committed'`);
		}
		const { schema, body, rowCount, key, until } = rows;
		try {
			return await journaling.append({ body, schemaId: schema.schemaId, rowCount, key, until }, signal);
		} catch (error) {
			// Without a journal of its own the process goes on committing by itself.
			if (until !== 'committed' || !journaling.isDenied || !isIcebergError(error, 'PERMISSION_DENIED')) throw error;
			const batch = decodeBatch(schema, body);
			return this.#enqueue({ schema, batches: [batch], sizeBytes: batchSizeBytes(batch), rowCount, key }, signal);
		}
	}

	async #enqueue(rows: Omit<Waiting, 'resolve' | 'reject'>, signal: AbortSignal | undefined): Promise<Appended> {
		while (this.#queuedBytes > QUEUE_LIMIT_BYTES) await this.#room.promise;
		throwIfAborted(signal);
		const { promise, resolve, reject } = deferred<Appended>();
		const waiting: Waiting = { ...rows, resolve, reject };
		const abort = (): void => {
			const at = this.#queue.indexOf(waiting);
			// Once its commit has begun, an append can no longer be told from the others in it.
			if (at < 0) return;
			this.#queue.splice(at, 1);
			this.#queuedBytes -= waiting.sizeBytes;
			reject(
				new IcebergError('ABORTED', 'the append was aborted; nothing of it was written', { cause: signal?.reason }),
			);
		};
		signal?.addEventListener('abort', abort, { once: true });
		this.#queue.push(waiting);
		this.#queuedBytes += waiting.sizeBytes;
		this.#running ??= this.#run();
		try {
			return await promise;
		} finally {
			signal?.removeEventListener('abort', abort);
		}
	}

	async #run(): Promise<void> {
		while (this.#queue.length > 0) {
			const group = this.#takeGroup();
			const [first] = group;
			if (first === undefined) break;
			try {
				await this.#commitGroup(group);
			} catch (error) {
				for (const { reject } of group) reject(error);
			}
		}
		this.#running = undefined;
	}

	/** The oldest waiting appends of one schema, up to the limit of a group. */
	#takeGroup(): Waiting[] {
		const schema = this.#queue[0]?.schema;
		let sizeBytes = 0;
		let count = 0;
		for (const waiting of this.#queue) {
			if (waiting.schema !== schema || (count > 0 && sizeBytes + waiting.sizeBytes > GROUP_LIMIT_BYTES)) break;
			sizeBytes += waiting.sizeBytes;
			count += 1;
		}
		const group = this.#queue.slice(0, count);
		this.#queue = this.#queue.slice(count);
		this.#queuedBytes -= sizeBytes;
		this.#room.resolve();
		this.#room = deferred<void>();
		return group;
	}

	async #commitGroup(group: readonly Waiting[]): Promise<void> {
		let left = group;
		for (;;) {
			const fresh: Waiting[] = [];
			for (const waiting of left) {
				const earlier = waiting.key === undefined ? undefined : await this.#earlier(waiting.key);
				if (earlier === undefined) fresh.push(waiting);
				else waiting.resolve(earlier);
			}
			left = fresh;
			const [first] = left;
			if (first === undefined) return;
			const rows = concatBatches(left.flatMap(({ batches }) => batches));
			const keys = left.map(({ key }) => key).filter((key) => key !== undefined);
			try {
				const { snapshot } = await this.#commit(first.schema, chain([rows], undefined), {}, keys, rows);
				for (const { rowCount, resolve } of left) resolve({ rowCount, snapshot, repeated: false });
				return;
			} catch (error) {
				if (error instanceof JoinOthers) {
					for (const rows of left)
						this.#journal(this.#encoded(rows, 'committed'), undefined).then(rows.resolve, rows.reject);
					return;
				}
				if (!(error instanceof KeyTakenError)) throw error;
				this.#host.advance(await this.#host.committer.load());
			}
		}
	}

	async #commitOne(
		schema: Schema,
		batches: AsyncIterable<ColumnBatch>,
		request: AppendRequest,
		key: string | undefined,
	): Promise<Appended> {
		try {
			return await this.#commit(schema, batches, request, key === undefined ? [] : [key]);
		} catch (error) {
			if (key === undefined || !(error instanceof KeyTakenError)) throw error;
			this.#host.advance(await this.#host.committer.load());
			return (await this.#earlier(key)) ?? NOTHING;
		}
	}

	async #commit(
		schema: Schema,
		batches: AsyncIterable<ColumnBatch>,
		request: AppendRequest,
		keys: readonly string[],
		/** those of a group, which may be handed over to the table's leader */
		rows?: ColumnBatch,
	): Promise<Appended> {
		const { committer, clock, random, processes, maintenance } = this.#host;
		const base = this.#host.loaded();
		const signal = request.signal === undefined ? {} : { signal: request.signal };
		const { files, rowCount } = await writeDataFiles(batches, {
			io: committer.io,
			metadata: base.metadata,
			schema: knownSchema(base.metadata, schema),
			random,
			processes,
			...signal,
		});
		if (files.length === 0) return NOTHING;
		const append = new AppendAction(request.summary === undefined ? {} : { summary: request.summary });
		for (const file of files) append.addFile(file);
		const actions: Action[] = [append];
		if (keys.length > 0) actions.push(new RememberKeysAction(keys));
		const thin = thinHistoryAction(base.metadata.properties);
		if (thin !== undefined) actions.push(thin);
		const onConflict = rows === undefined ? this.onConflict : () => this.#join();
		try {
			const options = { clock, random, processes, onConflict, ...signal };
			const { loaded, commitId } = await CommitMutex.of(committer).run(async () => {
				const result = await commitActions(committer, base, actions, options);
				this.#host.advance(result.loaded);
				maintenance?.noteCommit(result.loaded, { added: files, ...(rows === undefined ? {} : { rows }) });
				return result;
			});
			return { rowCount, snapshot: snapshotsOfCommit(loaded.metadata, commitId).at(-1), repeated: false };
		} catch (error) {
			if (!isIcebergError(error, 'COMMIT_STATE_UNKNOWN')) {
				await deleteQuietly(
					committer.io,
					files.map(({ location }) => location),
				);
			}
			throw error;
		}
	}
}

function isAtHand(rows: AppendRows): rows is readonly unknown[] {
	return Array.isArray(rows);
}

/** Rows as they are now, whatever becomes of the objects that hold them. */
function taken(schema: Schema, rows: AppendRows): AsyncIterable<ColumnBatch> {
	return isAtHand(rows) ? chain([rowsToBatch(schema.fields, rows)], undefined) : rows;
}

const NOTHING: Appended = { rowCount: 0, snapshot: undefined, repeated: false };

/** The schema that rows were checked against, as the table has it: its fields' ids stay what they are for ever. */
function knownSchema(metadata: TableMetadata, schema: Schema): Schema {
	return schemaById(metadata, schema.schemaId) ?? schema;
}

async function* chain(
	gathered: readonly ColumnBatch[],
	rest: AsyncIterator<ColumnBatch> | undefined,
): AsyncGenerator<ColumnBatch> {
	try {
		yield* gathered;
		if (rest === undefined) return;
		for (;;) {
			const next = await rest.next();
			if (next.done === true) return;
			yield next.value;
		}
	} finally {
		await rest?.return?.();
	}
}
