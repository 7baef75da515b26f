/** What any {@link JournalStore} must do. Published: an author of another storage runs it against theirs. */
import assert from 'node:assert/strict';
import { IcebergError, type IcebergErrorCode } from '../errors/iceberg-error.ts';
import type { Awaitable, JournalReadFile, JournalStore } from '../io/journal-store.ts';

/** One store under test, with nothing in it. */
export interface JournalStoreUnderTest {
	readonly store: JournalStore;
	/** A second object over the same files, as another process would have it. Absent: the same object. */
	readonly other?: JournalStore;
	/** Called when a test is over, whatever its outcome. */
	cleanup?(): Promise<void>;
}

export interface JournalStoreSuiteOptions {
	/** The test framework's: `test` of vitest, `node:test`, … */
	readonly test: (name: string, run: () => Promise<void>) => void;
	/** A fresh store for each test. */
	readonly makeStore: () => Promise<JournalStoreUnderTest>;
}

const NAME = 'a-1.journal';
const LARGE_BYTES = 300_000;

/** Registers the tests. Each fails by rejecting with an `AssertionError`. */
export function journalStoreSuite(options: JournalStoreSuiteOptions): void {
	const check = (name: string, run: (store: JournalStore, other: JournalStore) => Promise<void>): void => {
		options.test(name, async () => {
			const under = await options.makeStore();
			try {
				await run(under.store, under.other ?? under.store);
			} finally {
				await under.cleanup?.();
			}
		});
	};

	check('shows others what was appended, in order, with nothing but zeros behind it', async (store, other) => {
		const file = await store.create(NAME);
		const reader = await opened(other, NAME);
		assert.deepEqual(await content(reader, file.size), []);
		const expected: number[] = [];
		for (const size of [1, 7, 0, 100, 5_000, LARGE_BYTES, 3]) {
			const bytes = pattern(size, expected.length);
			await file.append(bytes);
			for (const byte of bytes) expected.push(byte);
			bytes.fill(0xee);
			assert.equal(file.size, expected.length);
			assert.ok((await reader.size()) >= file.size);
			assert.deepEqual(await content(reader, file.size), expected);
		}
		await file.sync();
		assert.deepEqual(await content(reader, file.size), expected);
		await file.close();
		assert.deepEqual(await content(reader, file.size), expected);
		await reader.close();
	});

	check('reads any range, what there is of it', async (store, other) => {
		const file = await store.create(NAME);
		await file.append(pattern(1_000, 0));
		const reader = await opened(other, NAME);
		assert.deepEqual(plain(await reader.read(10, 20)), pattern(1_000, 0).subarray(10, 30));
		assert.equal((await reader.read(5, 0)).length, 0);
		const end = await reader.size();
		assert.equal((await reader.read(end, 10)).length, 0);
		assert.equal((await reader.read(2 ** 50, 10)).length, 0);
		assert.equal((await reader.read(end - 4, 2 ** 40)).length, 4, 'fewer at the end');
		const own = await reader.read(0, 10);
		own.fill(0xee);
		assert.deepEqual(
			plain(await reader.read(0, 10)),
			pattern(1_000, 0).subarray(0, 10),
			'the result is the caller’s own',
		);
		for (const [offset, length] of [
			[-1, 1],
			[0, -1],
			[0.5, 1],
			[0, Number.NaN],
		] as const)
			await fails(async () => reader.read(offset, length), 'INVALID_ARGUMENT');
		await reader.close();
		await file.close();
	});

	check('lets several wait for one flush, and appends go on meanwhile', async (store, other) => {
		const file = await store.create(NAME);
		const syncs: Awaitable<void>[] = [];
		for (let i = 0; i < 20; i++) {
			await file.append(pattern(10, i));
			syncs.push(file.sync());
		}
		await Promise.all(syncs);
		await file.append(pattern(10, 20), true);
		assert.equal(file.size, 210);
		const last = file.sync();
		await file.close();
		await last;
		const reader = await opened(other, NAME);
		assert.equal((await content(reader, 210)).length, 210);
		await reader.close();
	});

	check('creates a name once', async (store, other) => {
		const file = await store.create(NAME);
		await file.append(pattern(10, 0));
		await fails(async () => store.create(NAME), 'ALREADY_EXISTS');
		await fails(async () => other.create(NAME), 'ALREADY_EXISTS');
		const reader = await opened(other, NAME);
		assert.deepEqual(await content(reader, 10), [...pattern(10, 0)]);
		await reader.close();
		await file.close();
	});

	check('knows no file that is not there', async (store) => {
		assert.equal(await store.open('none.journal'), undefined);
		assert.deepEqual(await store.list(), []);
		assert.equal(await store.remove('none.journal'), false);
		const file = await store.create(NAME);
		await file.close();
		assert.equal(await store.open('none.journal'), undefined);
		assert.equal(await store.remove('none.journal'), false);
	});

	check('lists what is there', async (store, other) => {
		const files = await Promise.all(['a.journal', 'b-2.journal'].map(async (name) => store.create(name)));
		await files[0]?.append(pattern(100, 0));
		await files[0]?.sync();
		const listed = [...(await other.list())].sort((a, b) => (a.name < b.name ? -1 : 1));
		assert.deepEqual(
			listed.map(({ name }) => name),
			['a.journal', 'b-2.journal'],
		);
		assert.ok((listed[0]?.sizeBytes as number) >= 100);
		for (const { modifiedMs } of listed) assert.ok(modifiedMs > 0 && Number.isFinite(modifiedMs));
		for (const file of files) await file.close();
	});

	check('removes one file, which whoever has it open can still read; the name is free again', async (store, other) => {
		const file = await store.create(NAME);
		const kept = await store.create('kept.journal');
		await file.append(pattern(10, 0));
		const reader = await opened(other, NAME);
		assert.equal(await other.remove(NAME), true);
		assert.equal(await other.remove(NAME), false);
		assert.equal(await store.open(NAME), undefined);
		assert.deepEqual(
			(await store.list()).map(({ name }) => name),
			['kept.journal'],
		);
		assert.deepEqual(await content(reader, 10), [...pattern(10, 0)]);
		const again = await store.create(NAME);
		await again.append(pattern(5, 9));
		const readAgain = await opened(other, NAME);
		assert.deepEqual(await content(readAgain, 5), [...pattern(5, 9)]);
		assert.deepEqual(await content(reader, 10), [...pattern(10, 0)]);
		for (const each of [reader, readAgain, file, kept, again]) await each.close();
	});

	check('refuses names that are none of a journal', async (store) => {
		for (const name of [
			'',
			'a',
			'.journal',
			'A.journal',
			'a.b.journal',
			'../a.journal',
			'x/a.journal',
			'a.journal\0',
			'a.journal/',
			'a_b.journal',
			`${'a'.repeat(300)}.journal`,
		]) {
			await fails(async () => store.create(name), 'INVALID_ARGUMENT');
			await fails(async () => store.open(name), 'INVALID_ARGUMENT');
			await fails(async () => store.remove(name), 'INVALID_ARGUMENT');
		}
		assert.deepEqual(await store.list(), []);
	});

	check('fails with CLOSED after close', async (store) => {
		const file = await store.create(NAME);
		const reader = await opened(store, NAME);
		await file.close();
		await file.close();
		await reader.close();
		await reader.close();
		await fails(async () => file.append(pattern(1, 0)), 'CLOSED');
		await fails(async () => file.sync(), 'CLOSED');
		await fails(async () => reader.read(0, 1), 'CLOSED');
		await fails(async () => reader.size(), 'CLOSED');
	});
}

async function opened(store: JournalStore, name: string): Promise<JournalReadFile> {
	const file = await store.open(name);
	assert.ok(file !== undefined, `${name} is there`);
	return file;
}

/** The first `size` bytes; what is behind them must be zeros. */
async function content(reader: JournalReadFile, size: number): Promise<number[]> {
	const all = await reader.read(0, 2 ** 30);
	assert.equal(all.length, await reader.size());
	assert.ok(all.length >= size, `${all.length} bytes, expected at least ${size}`);
	assert.equal(
		all.subarray(size).findIndex((byte) => byte !== 0),
		-1,
	);
	return [...all.subarray(0, size)];
}

function pattern(length: number, seed: number): Uint8Array {
	return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed * 13 + 1) & 0xff);
}

/** Without the prototype of `Buffer`, which strict equality would compare too. */
function plain(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(bytes);
}

async function fails(call: () => Promise<unknown>, code: IcebergErrorCode): Promise<void> {
	try {
		await call();
	} catch (error) {
		assert.ok(error instanceof IcebergError, `an IcebergError, not ${String(error)}`);
		assert.equal(error.code, code, error.message);
		return;
	}
	assert.fail(`expected ${code}, but the call succeeded`);
}
