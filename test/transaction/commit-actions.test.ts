import { describe, expect, it } from 'vitest';
import { FolderCommitter } from '../../src/catalog/folder-committer.ts';
import { isIcebergError } from '../../src/errors/iceberg-error.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { type Fault, FaultyFileIO, type RecordedCall, SimulatedCrash } from '../../src/testing/faulty-file-io.ts';
import type { AppendAction } from '../../src/transaction/append.ts';
import { commitActions } from '../../src/transaction/commit-actions.ts';
import type { Committer, SwapOutcome } from '../../src/transaction/committer.ts';
import { SetPropertiesAction } from '../../src/transaction/set-properties.ts';
import { TransactionCore } from '../../src/transaction/transaction.ts';
import { UpgradeFormatAction } from '../../src/transaction/upgrade-format.ts';
import { append, appendOf, dataFile, freshLook, garbage, makeTable, namesBelow, quick, T } from './support.ts';

/** Commits of somebody else, just before each of our first `times` swaps. */
function rivals(io: FaultyFileIO, times: number, commit: () => Promise<unknown>): void {
	io.addRule({
		operation: 'putIfAbsent',
		times,
		fault: { kind: 'delay', until: async () => void (await commit()) },
	});
}

describe('a commit that loses the swap', () => {
	it('is applied to the new metadata without writing its manifests again, and loses nothing of others', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io);
		const faulty = new FaultyFileIO(io);
		const committer = new FolderCommitter(faulty, T);
		rivals(faulty, 3, async () => append(rival, [await dataFile(io)]));
		const file = await dataFile(io, 'mine');
		faulty.calls.length = 0;
		const result = await append(committer, [file]);
		expect(result).toMatchObject({ committed: true, attempts: 4 });
		const written = faulty.calls.filter((call) => call.operation === 'write').map((call) => call.location);
		expect(written.filter((location) => /-m\d+\.avro/.test(location))).toHaveLength(1);
		expect(written.filter((location) => /snap-/.test(location))).toHaveLength(4);
		const { metadata, current } = await freshLook(io);
		expect(current.files).toHaveLength(4);
		expect(current.files).toContain('mine');
		expect(metadata.snapshots.map((snapshot) => snapshot.sequenceNumber)).toEqual([1n, 2n, 3n, 4n]);
		const mine = metadata.snapshots.at(-1);
		expect(mine?.summary).toMatchObject({ 'total-data-files': '4', 'datashard.commit-id': result.commitId });
		expect(current.entries[0]).toMatchObject({ sequenceNumber: 4n, snapshotId: mine?.snapshotId });
		expect(await garbage(io)).toEqual([]);
	});

	it('tells so after each loss, before it waits, and does not wait when it has a turn', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io);
		const faulty = new FaultyFileIO(io);
		rivals(faulty, 3, async () => append(rival, [await dataFile(io)]));
		const events: string[] = [];
		const clock = {
			...quick.clock,
			sleep: async () => {
				events.push('wait');
			},
		};
		const onConflict = async (attempt: number) => {
			events.push(`lost ${attempt}`);
			return attempt === 2 ? () => void events.push('turn ended') : undefined;
		};
		const result = await append(
			new FolderCommitter(faulty, T),
			[await dataFile(io)],
			{},
			{ ...quick, clock, onConflict },
		);
		expect(result.attempts).toBe(4);
		expect(events).toEqual(['lost 1', 'wait', 'lost 2', 'turn ended', 'lost 3', 'wait']);
	});

	it('ends with what is thrown when it is told so, and cleans up', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io);
		const faulty = new FaultyFileIO(io);
		rivals(faulty, 1, async () => append(rival, [await dataFile(io)]));
		const onConflict = (): Promise<undefined> => Promise.reject(new RangeError('enough'));
		const options = { ...quick, onConflict };
		const appending = append(new FolderCommitter(faulty, T), [await dataFile(io, 'mine')], {}, options);
		await expect(appending).rejects.toThrow(RangeError);
		expect(await garbage(io)).toEqual(['data/mine.parquet']);
	});

	it('writes its manifests again when the table was upgraded meanwhile', async () => {
		for (const [from, to] of [
			[1, 2],
			[2, 3],
		] as const) {
			const io = new MemoryFileIO();
			const { committer: rival } = await makeTable(io, { formatVersion: from });
			const faulty = new FaultyFileIO(io);
			rivals(faulty, 1, async () => commitActions(rival, await rival.load(), [new UpgradeFormatAction(to)], quick));
			await append(new FolderCommitter(faulty, T), [await dataFile(io, 'mine')]);
			const { metadata, current } = await freshLook(io);
			expect(metadata.formatVersion).toBe(to);
			expect(current.entries[0]).toMatchObject({ sequenceNumber: 1n });
			expect(await garbage(io)).toEqual([]);
		}
	});

	it('gives up after the retries that the table allows, and leaves nothing but the data files', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io, { properties: { 'commit.retry.num-retries': '2' } });
		const faulty = new FaultyFileIO(io);
		rivals(faulty, 99, async () => append(rival, [await dataFile(io)]));
		const action = appendOf([await dataFile(io, 'mine')]);
		const committer = new FolderCommitter(faulty, T);
		await expect(commitActions(committer, await committer.load(), [action], quick)).rejects.toMatchObject({
			code: 'COMMIT_CONFLICT',
			retryable: true,
			context: { attempts: 3 },
		});
		expect(await garbage(io)).toEqual(['data/mine.parquet']);
		// The action can be committed anew.
		faulty.clearRules();
		await commitActions(committer, await committer.load(), [action], quick);
		expect((await freshLook(io)).current.files).toContain('mine');
		expect(await garbage(io)).toEqual([]);
	});

	it('gives up when the total time is over', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io, {
			properties: { 'commit.retry.total-timeout-ms': '50', 'commit.retry.min-wait-ms': '30' },
		});
		const faulty = new FaultyFileIO(io);
		rivals(faulty, 9999, async () => append(rival, [await dataFile(io)]));
		let now = 0;
		const clock = {
			nowMs: () => Date.now(),
			monotonicMs: () => now,
			sleep: async (ms: number) => {
				now += ms;
			},
		};
		const random = { ...quick.random, float: () => 1, bytes: (n: number) => quick.random.bytes(n) };
		const appending = append(new FolderCommitter(faulty, T), [await dataFile(io)], {}, { ...quick, clock, random });
		await expect(appending).rejects.toMatchObject({ code: 'COMMIT_CONFLICT', context: { attempts: 2 } });
	});

	it('ends when aborted while it waits, and cleans up', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io);
		const faulty = new FaultyFileIO(io);
		const controller = new AbortController();
		rivals(faulty, 99, async () => {
			await append(rival, [await dataFile(io)]);
			controller.abort();
		});
		const options = { ...quick, signal: controller.signal };
		const appending = append(new FolderCommitter(faulty, T), [await dataFile(io, 'mine')], {}, options);
		await expect(appending).rejects.toMatchObject({ code: 'ABORTED' });
		expect(await garbage(io)).toEqual(['data/mine.parquet']);
	});

	it('stops when the table was dropped, or another was made in its place', async () => {
		for (const remake of [false, true]) {
			const io = new MemoryFileIO();
			await makeTable(io);
			const faulty = new FaultyFileIO(io);
			const committer = new FolderCommitter(faulty, T);
			await append(committer, [await dataFile(io)]);
			rivals(faulty, 1, async () => {
				for (const name of await namesBelow(io, T)) await io.delete(`${T}/${name}`);
				if (remake) await makeTable(io);
			});
			const code = remake ? 'VALIDATION_FAILED' : 'NOT_FOUND';
			await expect(append(committer, [await dataFile(io, 'mine')])).rejects.toMatchObject({ code });
			const left = await namesBelow(io, T);
			expect(left.filter((name) => name.endsWith('.avro'))).toEqual([]);
			if (remake) expect((await freshLook(io)).metadata.snapshots).toEqual([]);
		}
	});

	it('is applied by properties as well, and ends without a version when others did the same', async () => {
		const io = new MemoryFileIO();
		const { committer: rival } = await makeTable(io);
		const faulty = new FaultyFileIO(io);
		const committer = new FolderCommitter(faulty, T);
		const set = (name: string) => [new SetPropertiesAction({ [name]: 'x' })];
		rivals(faulty, 1, async () => commitActions(rival, await rival.load(), set('theirs'), quick));
		await commitActions(committer, await committer.load(), set('mine'), quick);
		expect((await freshLook(io)).metadata.properties).toMatchObject({ mine: 'x', theirs: 'x' });
		faulty.clearRules();
		const more = [...set('same'), ...set('other')];
		rivals(faulty, 1, async () => commitActions(rival, await rival.load(), more, quick));
		const result = await commitActions(committer, await committer.load(), set('same'), quick);
		expect(result.committed).toBe(false);
		expect(result.loaded.metadata.properties['same']).toBe('x');
	});
});

describe('an unknown outcome', () => {
	/** A committer whose swaps end as told, done or not. */
	function committerWith(
		inner: Committer,
		outcome: (request: Parameters<Committer['swap']>[0]) => Promise<SwapOutcome>,
	) {
		return { io: inner.io, load: () => inner.load(), swap: outcome } satisfies Committer;
	}

	it('is found in the history when it happened, also below later commits', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		const lossy = committerWith(committer, async (request) => {
			await committer.swap(request);
			await append(committer, [await dataFile(io)]);
			return { outcome: 'unknown', cause: new Error('connection lost') };
		});
		const result = await append(lossy, [await dataFile(io, 'mine')]);
		expect(result).toMatchObject({ committed: true, attempts: 1 });
		const { metadata, current } = await freshLook(io);
		expect(metadata.snapshots).toHaveLength(2);
		expect(current.files.filter((name) => name === 'mine')).toHaveLength(1);
		expect(await garbage(io)).toEqual([]);
	});

	it('is found when a later attempt meets it, so that nothing is appended twice', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		let calls = 0;
		// A store that reports a conflict for a swap that it made.
		const lying = committerWith(committer, async (request) => {
			const outcome = await committer.swap(request);
			return ++calls === 1 ? { outcome: 'conflict' } : outcome;
		});
		const result = await append(lying, [await dataFile(io, 'mine')]);
		expect(result).toMatchObject({ committed: true, attempts: 1 });
		expect((await freshLook(io)).current.files).toEqual(['mine']);
		expect(await garbage(io)).toEqual([]);
	});

	it('is settled only when what was found is durable: seen is not flushed (invariant 1)', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		const faulty = new FaultyFileIO(io);
		const lossy = (): Committer => ({
			...committerWith(committer, async (request) => {
				await committer.swap(request);
				return { outcome: 'unknown', cause: new Error('the folder could not be flushed') };
			}),
			io: faulty,
		});
		const metadataFiles = /\/v\d+\.metadata\.json/;
		faulty.addRule({ operation: 'persistNames', location: metadataFiles, times: 2, fault: { kind: 'fail' } });
		await append(lossy(), [await dataFile(io, 'first')]);
		const flushed = faulty.calls.filter(({ operation, location }) => {
			return operation === 'persistNames' && metadataFiles.test(location);
		});
		expect(flushed.map(({ faulty }) => faulty)).toEqual([true, true, false]);
		faulty.addRule({ operation: 'persistNames', location: metadataFiles, times: 1000, fault: { kind: 'fail' } });
		const error = await append(lossy(), [await dataFile(io, 'second')]).catch((e) => e);
		expect(error).toMatchObject({ code: 'COMMIT_STATE_UNKNOWN' });
		expect((await freshLook(io)).current.files).toEqual(['first', 'second']);
	});

	it('is COMMIT_STATE_UNKNOWN when it cannot be settled; nothing is deleted, also not by a rollback (invariant 7)', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await makeTable(io);
		const lost = committerWith(committer, async () => ({ outcome: 'unknown', cause: new Error('timed out') }));
		const transaction = new TransactionCore(lost, loaded, quick);
		const file = await dataFile(io, 'mine');
		transaction.trackDataFiles([file.location]);
		transaction.add(appendOf([file]));
		const error = await transaction.commit().catch((e) => e);
		expect(error).toMatchObject({ code: 'COMMIT_STATE_UNKNOWN', retryable: false });
		expect(error.message).toContain(error.context.commitId);
		expect(transaction.state).toBe('unknown');
		await transaction.rollback();
		expect(transaction.state).toBe('unknown');
		expect(await garbage(io)).toHaveLength(3);
		await expect(transaction.commit()).rejects.toMatchObject({ code: 'CLOSED' });
	});

	it('is assumed when the swap throws what is none of ours', async () => {
		const io = new MemoryFileIO();
		const { committer } = await makeTable(io);
		const broken = committerWith(committer, async (request) => {
			await committer.swap(request);
			throw new TypeError('a bug');
		});
		expect(await append(broken, [await dataFile(io, 'mine')])).toMatchObject({ committed: true });
		const worse = committerWith(committer, async () => {
			throw new TypeError('a bug');
		});
		await expect(append(worse, [await dataFile(io)])).rejects.toMatchObject({ code: 'COMMIT_STATE_UNKNOWN' });
	});
});

describe('a transaction', () => {
	it('deletes its data files and manifests when it is rolled back', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await makeTable(io);
		const transaction = new TransactionCore(committer, loaded, quick);
		const file = await dataFile(io);
		transaction.trackDataFiles([file.location]);
		transaction.add(appendOf([file]));
		expect([transaction.state, transaction.actionCount]).toEqual(['open', 1]);
		await transaction.rollback();
		expect(transaction.state).toBe('rolled-back');
		expect(await garbage(io)).toEqual([]);
		expect(() => transaction.add(appendOf([]))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
		await expect(transaction.commit()).rejects.toMatchObject({ code: 'CLOSED' });
		await transaction.rollback();
	});

	it('keeps its data files when it was committed, whatever is called afterwards', async () => {
		const io = new MemoryFileIO();
		const { committer, loaded } = await makeTable(io);
		const transaction = new TransactionCore(committer, loaded, quick);
		const file = await dataFile(io, 'a');
		transaction.trackDataFiles([file.location]);
		transaction.add(appendOf([file]));
		expect((await transaction.commit()).committed).toBe(true);
		await transaction.rollback();
		expect(transaction.state).toBe('committed');
		expect((await freshLook(io)).current.files).toEqual(['a']);
	});

	it('that failed can be committed again, or rolled back', async () => {
		for (const again of [true, false]) {
			const io = new MemoryFileIO();
			const { loaded } = await makeTable(io);
			const faulty = new FaultyFileIO(io, [{ operation: 'write', location: /snap-/, fault: { kind: 'fail' } }]);
			const transaction = new TransactionCore(new FolderCommitter(faulty, T), loaded, quick);
			const file = await dataFile(io, 'a');
			transaction.trackDataFiles([file.location]);
			transaction.add(appendOf([file]));
			await expect(transaction.commit()).rejects.toMatchObject({ code: 'STORAGE' });
			expect(transaction.state).toBe('failed');
			expect(await garbage(io)).toEqual(['data/a.parquet']);
			if (again) await transaction.commit();
			else await transaction.rollback();
			expect((await freshLook(io)).current.files).toEqual(again ? ['a'] : []);
			expect(await garbage(io)).toEqual([]);
		}
	});
});

interface Scenario {
	readonly io: MemoryFileIO;
	readonly faulty: FaultyFileIO;
	readonly transaction: TransactionCore;
	readonly action: AppendAction;
}

/** A table with two appends, of which the next one's manifests will be merged, and a transaction on it. */
async function scenario(): Promise<Scenario> {
	const io = new MemoryFileIO();
	const { committer } = await makeTable(io, {
		properties: { 'commit.manifest.min-count-to-merge': '2', 'write.metadata.previous-versions-max': '1' },
	});
	for (const name of ['a', 'b']) await append(committer, [await dataFile(io, name)]);
	const file = await dataFile(io, 'mine');
	const faulty = new FaultyFileIO(io);
	const mine = new FolderCommitter(faulty, T);
	const transaction = new TransactionCore(mine, await mine.load(), quick);
	const action = appendOf([file]);
	transaction.trackDataFiles([file.location]);
	transaction.add(action);
	faulty.calls.length = 0;
	return { io, faulty, transaction, action };
}

async function callsOfSuccess(): Promise<readonly RecordedCall[]> {
	const { faulty, transaction } = await scenario();
	await transaction.commit();
	return [...faulty.calls];
}

describe('a fault at any one call of a commit', () => {
	const faults: [string, Fault][] = [
		['fails', { kind: 'fail' }],
		['loses its reply', { kind: 'lose-reply' }],
		['crashes before it', { kind: 'crash' }],
		['crashes after it', { kind: 'crash', after: true }],
	];

	it.each(faults)(
		'that %s leaves a whole table, in which the append is there once or not at all (invariants 2, 3, 6, 7)',
		async (_name, fault) => {
			const calls = await callsOfSuccess();
			expect(calls.length).toBeGreaterThan(15);
			const outcomes = new Map<string, number>();
			for (let at = 1; at <= calls.length; at++) {
				const call = calls[at - 1];
				const { io, faulty, transaction } = await scenario();
				faulty.addRule({ from: at, fault });
				const label = `${fault.kind} at call ${at}, ${call?.operation} ${call?.location}`;
				let outcome: string;
				try {
					const result = await transaction.commit();
					outcome = result.committed ? 'committed' : 'nothing';
				} catch (error) {
					outcome = isIcebergError(error) ? error.code : error instanceof SimulatedCrash ? 'crash' : String(error);
				}
				outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
				const { current } = await freshLook(io);
				const times = current.files.filter((name) => name === 'mine').length;
				expect(
					current.files.filter((name) => name !== 'mine'),
					label,
				).toEqual(['a', 'b']);
				if (outcome === 'committed') {
					expect(times, label).toBe(1);
					// Only a clean-up that failed may leave something.
					if (call?.operation !== 'delete' && !faulty.crashed) expect(await garbage(io), label).toEqual([]);
				} else if (outcome === 'STORAGE') {
					expect(times, label).toBe(0);
					expect(transaction.state, label).toBe('failed');
					expect(await garbage(io), label).toEqual(['data/mine.parquet']);
					faulty.clearRules();
					await transaction.commit();
					expect((await freshLook(io)).current.files, label).toEqual(['a', 'b', 'mine']);
					expect(await garbage(io), label).toEqual([]);
				} else {
					expect(['COMMIT_STATE_UNKNOWN', 'crash'], label).toContain(outcome);
					expect(times, label).toBeLessThanOrEqual(1);
					await append(new FolderCommitter(io, T), [await dataFile(io)]);
					expect((await freshLook(io)).current.files, label).toHaveLength(3 + times);
				}
			}
			// Not vacuous: each kind of fault shows itself in the ways it should.
			expect(outcomes.get('committed') ?? 0).toBeGreaterThan(0);
			if (fault.kind === 'crash') expect(outcomes.get('crash') ?? 0).toBeGreaterThan(5);
			else expect(outcomes.get('STORAGE') ?? 0).toBeGreaterThan(3);
		},
	);

	it('twice over (the second anywhere later) leaves a whole table as well', async () => {
		const calls = await callsOfSuccess();
		for (let first = 1; first <= calls.length; first++) {
			for (const kind of ['fail', 'lose-reply'] as const) {
				for (let second = first + 1; second <= first + 12; second += 2) {
					const { io, faulty, transaction } = await scenario();
					faulty.addRule({ from: first, fault: { kind } });
					faulty.addRule({ from: second, fault: { kind: 'fail' } });
					const outcome = await transaction.commit().then(
						() => 'committed',
						(error) => (isIcebergError(error) ? error.code : String(error)),
					);
					const { current } = await freshLook(io);
					const times = current.files.filter((name) => name === 'mine').length;
					const label = `${kind} at ${first}, fail at ${second}: ${outcome}`;
					expect(
						current.files.filter((name) => name !== 'mine'),
						label,
					).toEqual(['a', 'b']);
					if (outcome === 'committed') expect(times, label).toBe(1);
					else if (outcome === 'STORAGE') expect(times, label).toBe(0);
					else expect(outcome, label).toBe('COMMIT_STATE_UNKNOWN');
				}
			}
		}
	});
});
