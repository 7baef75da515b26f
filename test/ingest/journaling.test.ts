import { afterEach, describe, expect, it, vi } from 'vitest';
import { createFolderTable, type OpenedTable } from '../../src/catalog/folder-table.ts';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { FolderCommitter } from '../../src/catalog/folder-committer.ts';
import { batchesFromRows, rowsToBatch } from '../../src/column/rows.ts';
import type { ColumnBatch } from '../../src/column/vector.ts';
import type { Appended } from '../../src/ingest/appended.ts';
import { appendKeyHash } from '../../src/ingest/append-keys.ts';
import { GroupAppender } from '../../src/ingest/group-appender.ts';
import { Journaling } from '../../src/ingest/journaling.ts';
import { ByteWriter } from '../../src/ingest/batch-codec-writer.ts';
import { encodeHeader, encodeRecord } from '../../src/ingest/journal-format.ts';
import { foldStateOf, JOURNALS_PROPERTY } from '../../src/ingest/journal-positions.ts';
import { GoneWriters } from '../../src/maintenance/gone-writers.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { MemoryJournalStore } from '../../src/io/memory-journal-store.ts';
import { long, schema, string } from '../../src/spec/schema-builder.ts';
import { UNPARTITIONED } from '../../src/spec/partition-spec.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import { currentSchema } from '../../src/spec/table-metadata-lookup.ts';
import { Table } from '../../src/table/table.ts';
import type { LoadedMetadata } from '../../src/transaction/committer.ts';
import type { ProcessIdentity, Processes } from '../../src/util/process-identity.ts';
import { identityText, sameProcess, writerSuffix } from '../../src/util/process-identity.ts';
import { systemClock, systemRandom } from '../../src/util/system-ports.ts';
import { Hub, type HubLink } from '../support/hub-link.ts';
import { recordOf } from '../support/journal-records.ts';

const LOCATION = '/tables/t';
const rows = schema({ id: long().required(), text: string() });

/** Several table objects over one storage, each as a process of its own. */
class Place {
	readonly io = new MemoryFileIO();
	readonly journals = new MemoryJournalStore();
	readonly hub = new Hub();
	readonly gone: ProcessIdentity[] = [];
	readonly processes: OneProcess[] = [];
	readonly troubles: unknown[] = [];
	#opened: OpenedTable | undefined;

	static async create(properties: Record<string, string> = {}): Promise<Place> {
		const place = new Place();
		place.#opened = await createFolderTable(
			LOCATION,
			{ schema: rows, partitionSpec: UNPARTITIONED, sortOrder: UNSORTED, properties, formatVersion: 2 },
			{ io: place.io },
		);
		return place;
	}

	process(options: { readonly linked?: boolean } = {}): OneProcess {
		const process = new OneProcess(this, this.processes.length + 1, options.linked ?? true);
		this.processes.push(process);
		return process;
	}

	get loaded(): LoadedMetadata {
		return (this.#opened as OpenedTable).loaded;
	}

	async ids(): Promise<number[]> {
		const table = await this.table();
		const found = await table.scan().toArray();
		return found.map((row) => Number(row['id'])).sort((a, b) => a - b);
	}

	async table(): Promise<Table> {
		const committer = new FolderCommitter(this.io, LOCATION);
		return new Table({
			location: LOCATION,
			committer,
			loaded: await committer.load(),
			readOnly: false,
			clock: systemClock,
			random: systemRandom,
			createAppender: (host) => new GroupAppender(host),
		});
	}

	async positions() {
		const { metadata } = await new FolderCommitter(this.io, LOCATION).load();
		return foldStateOf(metadata.properties, metadata.location);
	}
}

class OneProcess implements Processes {
	readonly self: ProcessIdentity;
	readonly link: HubLink;
	readonly appender: GroupAppender;
	readonly #place: Place;
	#loaded: LoadedMetadata;

	constructor(place: Place, pid: number, linked: boolean) {
		this.#place = place;
		this.self = { host: '0000000a', pid, startedAt: '1' };
		this.link = place.hub.link();
		this.#loaded = place.loaded;
		const committer = new FolderCommitter(place.io, LOCATION);
		const host = {
			committer,
			clock: systemClock,
			random: systemRandom,
			loaded: () => this.#loaded,
			advance: (loaded: LoadedMetadata) => {
				this.#loaded = loaded;
			},
		};
		const link = linked ? this.link : undefined;
		const onTrouble = (error: unknown): void => void place.troubles.push(error);
		const ports = { journals: place.journals, processes: this, link, onTrouble };
		this.appender = new GroupAppender(host, async () => new Journaling(host, ports));
	}

	isGone(identity: ProcessIdentity): boolean {
		return this.#place.gone.some((gone) => sameProcess(gone, identity));
	}

	append(ids: readonly number[], options: { until?: 'journaled'; idempotencyKey?: string } = {}): Promise<Appended> {
		const current = currentSchema(this.#loaded.metadata);
		return this.appender.append(current, batches(ids), options);
	}

	kill(): void {
		this.#place.gone.push(this.self);
		this.link.kill();
	}
}

async function* batches(ids: readonly number[]): AsyncGenerator<ColumnBatch> {
	yield* batchesFromRows(
		rows.fields,
		ids.map((id) => ({ id, text: `row ${id}` })),
	);
}

/** A journal as another process has left it; every array of ids is a record. */
function writeJournal(
	at: Place,
	journalId: string,
	records: readonly (readonly number[])[],
	options: { readonly tableUuid?: string; readonly isGone?: boolean } = {},
) {
	const writer: ProcessIdentity = { host: '0000000a', pid: 1000 + at.gone.length, startedAt: '1' };
	if (options.isGone !== false) at.gone.push(writer);
	const { metadata } = at.loaded;
	const bytes = new ByteWriter();
	const tableUuid = options.tableUuid ?? (metadata.tableUuid as string);
	encodeHeader(bytes, { tableUuid, journalId, writer: identityText(writer), createdMs: 0 });
	records.forEach((ids, k) => {
		const values = ids.map((id) => ({ id, text: `row ${id}` }));
		const batch = rowsToBatch(rows.fields, values);
		encodeRecord(bytes, { ...recordOf(batch), seq: k + 1, schemaId: metadata.currentSchemaId, journaled: true });
	});
	const file = at.journals.create(`${journalId}.journal`);
	file.append(bytes.view());
	return { append: (more: Uint8Array) => file.append(more), size: bytes.length };
}

/** The process that leads, or the one that does not. */
function processOf(at: Place, leads: boolean): OneProcess {
	return at.processes.find(({ link }) => !link.isDead && link.isListening === leads) as OneProcess;
}

const open: Place[] = [];
async function place(properties?: Record<string, string>): Promise<Place> {
	const made = await Place.create(properties);
	open.push(made);
	return made;
}
afterEach(async () => {
	for (const { processes } of open.splice(0))
		await Promise.all(processes.filter(({ link }) => !link.isDead).map(({ appender }) => appender.close()));
});

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('appends of several processes', () => {
	it('are each there once, in shared commits, and leave no journal', async () => {
		const at = await place();
		const processes = upTo(6).map(() => at.process());
		await Promise.all(
			processes.map(async (process, p) => {
				for (const i of upTo(20)) await process.append([p * 100 + i]);
			}),
		);
		expect(await at.ids()).toEqual(processes.flatMap((_, p) => upTo(20).map((i) => p * 100 + i)));
		expect((await (await at.table()).snapshots()).length).toBeLessThan(120);
		await Promise.all(processes.map(({ appender }) => appender.close()));
		expect(at.journals.list()).toEqual([]);
		expect((await at.positions())?.positions.size).toBe(0);
	});

	it('resolve with a snapshot that holds the rows', async () => {
		const at = await place();
		const [a, b] = [at.process(), at.process()];
		await Promise.all([a.append([1], { until: 'journaled' }), b.append([2], { until: 'journaled' })]);
		const { snapshot, rowCount } = await a.append([3, 4]);
		expect(rowCount).toBe(2);
		const table = await at.table();
		const seen = await table.scan({ snapshotId: snapshot?.snapshotId as bigint }).toArray();
		expect(seen.map((row) => Number(row['id']))).toContain(4);
	});

	it('go on when the leader dies, whatever it had in hand', async () => {
		const at = await place();
		const processes = upTo(4).map(() => at.process());
		await Promise.all(processes.map((process, p) => process.append([p], { until: 'journaled' })));
		for (const round of [1, 2, 3]) {
			const leader = processes.find(({ link }) => link.isListening);
			const others = processes.filter((process) => process !== leader && !process.link.isDead);
			const appends = others.map((process, k) => process.append([round * 100 + k]));
			leader?.kill();
			await Promise.all(appends);
			if (others.length === 1) break;
		}
		const ids = await at.ids();
		expect(new Set(ids).size).toBe(ids.length);
		expect(ids).toEqual(expect.arrayContaining([0, 1, 2, 3, 100, 101, 102, 200, 201, 300]));
	});

	it('pass by a leader that is silent; when it wakes up it does no harm', async () => {
		const at = await place();
		const processes = upTo(3).map(() => at.process());
		await Promise.all(processes.map((process, p) => process.append([p], { until: 'journaled' })));
		const leader = processes.find(({ link }) => link.isListening) as OneProcess;
		const others = processes.filter((process) => process !== leader);
		leader.link.freeze();
		await Promise.all(others.map((process, k) => process.append([10 + k])));
		leader.link.thaw();
		await Promise.all(processes.map((process, p) => process.append([20 + p])));
		expect(await at.ids()).toEqual([0, 1, 2, 10, 11, 20, 21, 22]);
	});

	it('fold their own journals where no leader can be reached', async () => {
		const at = await place();
		const processes = upTo(3).map(() => at.process({ linked: false }));
		await Promise.all(
			processes.map(async (process, p) => {
				for (const i of upTo(5)) await process.append([p * 10 + i], i % 2 === 0 ? { until: 'journaled' } : {});
			}),
		);
		await Promise.all(processes.map(({ appender }) => appender.close()));
		expect(await at.ids()).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24]);
	});

	it('append once for each idempotency key, whichever process repeats it', async () => {
		const at = await place();
		const [a, b] = [at.process(), at.process()];
		await Promise.all([a.append([1], { until: 'journaled' }), b.append([2], { until: 'journaled' })]);
		const first = await a.append([3], { idempotencyKey: 'job' });
		const again = await b.append([3], { idempotencyKey: 'job' });
		const both = await Promise.all([
			a.append([4], { idempotencyKey: 'both' }),
			b.append([4], { idempotencyKey: 'both' }),
		]);
		expect(first.repeated).toBe(false);
		expect(again).toMatchObject({ repeated: true, rowCount: 0 });
		expect(again.snapshot?.snapshotId).toBe(first.snapshot?.snapshotId);
		expect(both.map(({ repeated }) => repeated).sort()).toEqual([false, true]);
		expect(await at.ids()).toEqual([1, 2, 3, 4]);
	});
});

describe('a process that may not make journals', () => {
	it('goes on committing by itself, and is told so when it wants to journal', async () => {
		const at = await place();
		const denied = at.process();
		const others = [at.process(), at.process()];
		vi.spyOn(at.journals, 'create').mockImplementation(() => {
			throw new IcebergError('PERMISSION_DENIED', 'no permission for _journal/');
		});
		await expect(denied.append([1], { until: 'journaled' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
		await Promise.all([...others, denied].map((process, p) => process.append([10 + p])));
		await denied.append([20]);
		expect(await at.ids()).toEqual([10, 11, 12, 20]);
	});
});

describe('a commit of another kind', () => {
	it('gets a turn between the folds of a busy leader', async () => {
		const at = await place();
		const [a, b, c] = [at.process(), at.process(), at.process()];
		await Promise.all([a.append([0], { until: 'journaled' }), b.append([1], { until: 'journaled' })]);
		let isDone = false;
		const busy = [a, b].map(async (process, p) => {
			for (let i = 1; !isDone; i++) await process.append([1000 * (p + 1) + i]);
		});
		const end = await c.appender.onConflict(2);
		expect(end).toBeTypeOf('function');
		const before = (await at.ids()).length;
		await (await at.table()).setProperties({ touched: 'yes' });
		expect(await at.ids()).toHaveLength(before);
		end?.();
		isDone = true;
		await Promise.all(busy);
		expect((await at.table()).properties['touched']).toBe('yes');
	});
});

describe('journaled appends', () => {
	it('stand in a file whose name tells its writer, so that what other dead writers left can be told from it', async () => {
		const at = await place();
		const process = at.process();
		await process.append([1], { until: 'journaled' });
		const [file] = at.journals.list();
		expect(file?.name).toMatch(new RegExp(`^[0-9a-f]{16}-${identityText(process.self)}\\.journal$`));
		await at.io.write(`${LOCATION}/_journal/${file?.name}`, new Uint8Array(1));
		const dead: ProcessIdentity = { host: '0000000a', pid: 77, startedAt: '9' };
		at.gone.push(dead);
		const uuid = '00000000-0000-4000-8000-000000000000';
		expect(await new GoneWriters(at.io, LOCATION, process).wrote(`${writerSuffix(uuid, dead)}.parquet`)).toBe(true);
	});

	it('are in a snapshot soon, without another append', async () => {
		const at = await place({ 'datashard.commit-interval-ms': '20' });
		const process = at.process();
		const result = await process.append([1], { until: 'journaled' });
		expect(result).toMatchObject({ journaled: true, rowCount: 1, snapshot: undefined });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([1]);
	});

	it('of a process that was killed are appended by the next one that leads', async () => {
		const at = await place();
		writeJournal(at, 'left', [[1, 2], [3]]);
		await at.process().append([4], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([1, 2, 3, 4]);
		await expect.poll(() => at.journals.list().length, { timeout: 20_000 }).toBe(1);
	});

	it('are not looked at while their process lives, and may be led by somebody else', async () => {
		const at = await place();
		writeJournal(at, 'left', [[1]], { isGone: false });
		await at.process().append([2]);
		await at.process().append([3], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([2, 3]);
		expect(at.journals.list()).toHaveLength(2);
	});

	it('of a long interval wait for it under one leader', async () => {
		const at = await place({ 'datashard.commit-interval-ms': '1200' });
		const process = at.process();
		await process.append([1], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([1]);
		const before = (await at.positions())?.leader;
		await process.append([2], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([1, 2]);
		expect((await at.positions())?.leader).toEqual(before);
	});
});

describe('rows at hand', () => {
	it('are appended as they are when the call is made, whichever way they go', async () => {
		const at = await place();
		const { appender } = at.process();
		const current = currentSchema(at.loaded.metadata);
		const given = (ids: readonly number[]) => ids.map((id) => ({ id, text: `row ${id}` }));
		const appended = (ids: readonly number[], options: { until?: 'journaled'; idempotencyKey?: string }) => {
			const values = given(ids);
			const promise = appender.append(current, values, options);
			for (const value of values) value.id = -1;
			return promise;
		};
		expect(await appended([1], {})).toMatchObject({ rowCount: 1, snapshot: expect.anything() });
		expect(await appended([2], { until: 'journaled' })).toMatchObject({ rowCount: 1, journaled: true });
		// joined now
		expect(await appended([3], {})).toMatchObject({ rowCount: 1, snapshot: expect.anything() });
		expect(await appended([4, 5], {})).toMatchObject({ rowCount: 2 });
		expect(await appended([6], { idempotencyKey: 'six' })).toMatchObject({ rowCount: 1 });
		expect(await appended([], { until: 'journaled' })).toMatchObject({ rowCount: 0, snapshot: undefined });
		expect(await at.ids()).toEqual([1, 2, 3, 4, 5, 6]);
	});

	it('are refused by row, column and value, and nothing of them is appended', async () => {
		const at = await place();
		const { appender } = at.process();
		const current = currentSchema(at.loaded.metadata);
		await appender.append(current, [{ id: 1 }], { until: 'journaled' });
		for (const until of ['journaled', 'committed'] as const) {
			await expect(appender.append(current, [{ id: 1.5 }], { until })).rejects.toMatchObject({
				code: 'INVALID_DATA',
				context: { row: 0, column: 'id', value: 1.5 },
			});
			await expect(appender.append(current, [{ id: 2 }, { id: 3, txt: '' }], { until })).rejects.toMatchObject({
				context: { row: 1, column: 'txt' },
			});
			await expect(appender.append(current, [{ text: 'x' }], { until })).rejects.toMatchObject({
				context: { row: 0, column: 'id' },
			});
		}
		await appender.append(current, [{ id: 4 }], {});
		expect(await at.ids()).toEqual([1, 4]);
	});
});

describe('a record that the table refuses', () => {
	it('leaves its key free, and those that repeat it are refused with it', async () => {
		const at = await place();
		const writer: ProcessIdentity = { host: '0000000a', pid: 1000, startedAt: '1' };
		at.gone.push(writer);
		const tableUuid = at.loaded.metadata.tableUuid as string;
		const bytes = new ByteWriter();
		encodeHeader(bytes, { tableUuid, journalId: 'left', writer: identityText(writer), createdMs: 0 });
		const key = appendKeyHash('job');
		const batch = rowsToBatch(rows.fields, [{ id: 1, text: 'x' }]);
		encodeRecord(bytes, { ...recordOf(batch), seq: 1, schemaId: 0 });
		for (const seq of [2, 3]) encodeRecord(bytes, { ...recordOf(batch), seq, schemaId: 77, key });
		at.journals.create('left.journal').append(bytes.view());
		const process = at.process();
		await process.append([2], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([1, 2]);
		expect(await process.append([3], { idempotencyKey: 'job' })).toMatchObject({ repeated: false, rowCount: 1 });
		expect(await at.ids()).toEqual([1, 2, 3]);
	});
});

describe('a journal that somebody removes', () => {
	it('under its process: the process is told, and goes on with a new one', async () => {
		const at = await place();
		const [leader, other] = [at.process(), at.process()];
		await leader.append([1], { until: 'journaled' });
		await other.append([2], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([1, 2]);
		for (const { name } of at.journals.list()) at.journals.remove(name);
		processOf(at, true).kill();
		const left = processOf(at, false);
		await expect(left.append([3])).rejects.toMatchObject({
			code: 'COMMIT_STATE_UNKNOWN',
			message: expect.stringContaining('removed'),
		});
		await left.append([4]);
		expect((await at.ids()).filter((id) => id !== 3)).toEqual([1, 2, 4]);
	});
});

describe('a journal that is damaged', () => {
	it('is appended up to the damage; the rest is kept aside and reported', async () => {
		const at = await place();
		const { append, size } = writeJournal(at, 'torn', [[1], [2]]);
		append(Uint8Array.of(9, 0, 0, 0, 1, 2, 3, 4, 5));
		const process = at.process();
		await process.append([3], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([1, 2, 3]);
		await expect.poll(async () => (await at.positions())?.positions.get('torn')?.setAside).toBe(true);
		expect((await at.positions())?.positions.get('torn')).toEqual({ seq: 2, offset: size, setAside: true });
		expect(at.troubles).toEqual([
			expect.objectContaining({ code: 'CORRUPT', context: expect.objectContaining({ journal: 'torn' }) }),
		]);
		await process.append([4], { until: 'journaled' });
		await process.appender.close();
		expect(at.journals.list().map(({ name }) => name)).toEqual(['torn.journal']);
		expect(await at.ids()).toEqual([1, 2, 3, 4]);
	});

	it('of another table is refused by name, and holds nobody up', async () => {
		const at = await place();
		writeJournal(at, 'stray', [[1]], { tableUuid: '00000000-0000-4000-8000-000000000000' });
		await at.process().append([2], { until: 'journaled' });
		await expect.poll(() => at.ids(), { timeout: 20_000 }).toEqual([2]);
		await expect
			.poll(() => at.troubles)
			.toContainEqual(expect.objectContaining({ code: 'CORRUPT', message: expect.stringContaining('stray') }));
	});
});

describe('the positions of journals', () => {
	it('that another engine removed are remembered by the leader', async () => {
		const at = await place();
		const [a, b] = [at.process(), at.process()];
		await Promise.all([a.append([1], { until: 'journaled' }), b.append([2], { until: 'journaled' })]);
		await a.append([3]);
		await (await at.table()).removeProperties(JOURNALS_PROPERTY);
		await Promise.all([a.append([4]), b.append([5])]);
		expect(await at.ids()).toEqual([1, 2, 3, 4, 5]);
	});

	it('that another engine removed stop a leader that cannot know them', async () => {
		const at = await place();
		const first = at.process();
		await first.append([1], { until: 'journaled' });
		await first.append([2]);
		first.kill();
		await (await at.table()).removeProperties(JOURNALS_PROPERTY);
		const next = at.process();
		await expect(next.append([3], { until: 'journaled' }).then(() => next.append([4]))).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringContaining(JOURNALS_PROPERTY),
		});
		expect(await at.ids()).toEqual([1, 2]);
	});

	it('that another engine altered stop the leader', async () => {
		const at = await place();
		const process = at.process();
		await process.append([1], { until: 'journaled' });
		await process.append([2]);
		await (await at.table()).setProperties({ [JOURNALS_PROPERTY]: 'nonsense' });
		await expect(process.append([3])).rejects.toMatchObject({
			code: 'CORRUPT',
			message: expect.stringContaining('nonsense'),
		});
		expect(await at.ids()).toEqual([1, 2]);
	});
});

describe('options', () => {
	it.each([['0'], ['-5'], ['soon'], ['1e9']])('the interval %s is refused when it is set', async (value) => {
		const at = await place();
		const table = await at.table();
		await expect(table.setProperties({ 'datashard.commit-interval-ms': value })).rejects.toMatchObject({
			code: 'INVALID_ARGUMENT',
			message: expect.stringContaining('datashard.commit-interval-ms'),
		});
	});
});
