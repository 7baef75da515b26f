/** What any {@link FileIO} must do. Published: an author of another storage runs it against theirs. */
import assert from 'node:assert/strict';
import { IcebergError, type IcebergErrorCode } from '../errors/iceberg-error.ts';
import type { FileIO } from '../io/file-io.ts';

/** One storage under test and a folder of its own in it. */
export interface FileIOUnderTest {
	readonly io: FileIO;
	/** an absolute location below which nothing is yet; without a slash at the end */
	readonly root: string;
	/** Called when a test is over, whatever its outcome. */
	cleanup?(): Promise<void>;
}

export interface FileIOSuiteOptions {
	/** The test framework's: `test` of vitest, `node:test`, … */
	readonly test: (name: string, run: () => Promise<void>) => void;
	/** A fresh storage, or a fresh folder in one, for each test. */
	readonly makeIO: () => Promise<FileIOUnderTest>;
	/** A second object over the same files, as another process would have it. Absent: the same object. */
	readonly reopen?: (under: FileIOUnderTest) => Promise<FileIO>;
	/** Bytes of the large payload. Default 3 MiB */
	readonly largeBytes?: number;
}

const DEFAULT_LARGE_BYTES = 3 * 1024 * 1024;
const RACERS = 16;

/** Registers the tests. Each fails by rejecting with an `AssertionError`. */
export function fileIOSuite(options: FileIOSuiteOptions): void {
	const largeBytes = options.largeBytes ?? DEFAULT_LARGE_BYTES;
	const check = (name: string, run: (io: FileIO, root: string, other: FileIO) => Promise<void>): void => {
		options.test(name, async () => {
			const under = await options.makeIO();
			try {
				await run(under.io, under.root, (await options.reopen?.(under)) ?? under.io);
			} finally {
				await under.cleanup?.();
			}
		});
	};

	check('reads back what was written, byte by byte', async (io, root, other) => {
		const bytes = pattern(1000);
		await io.write(`${root}/a/b/file.bin`, bytes);
		await io.persistNames([`${root}/a/b/file.bin`]);
		assert.deepEqual(plain(await other.input(`${root}/a/b/file.bin`).readAll()), bytes);
	});

	check('keeps an empty file', async (io, root) => {
		await io.write(`${root}/empty`, new Uint8Array(0));
		assert.equal(await io.exists(`${root}/empty`), true);
		assert.equal(await io.input(`${root}/empty`).length(), 0);
		assert.equal((await io.input(`${root}/empty`).readAll()).length, 0);
		assert.equal((await io.input(`${root}/empty`).read(0, 0)).length, 0);
	});

	check('reads any range of a large file, and several at once', async (io, root) => {
		const bytes = pattern(largeBytes);
		await io.write(`${root}/large`, bytes);
		const file = io.input(`${root}/large`);
		const ranges = [
			[0, 1],
			[largeBytes - 1, 1],
			[largeBytes, 0],
			[12345, 70_000],
			[0, largeBytes],
			[largeBytes >> 1, 1000],
		] as const;
		const reads = await Promise.all(ranges.map(([offset, length]) => file.read(offset, length)));
		ranges.forEach(([offset, length], i) => {
			assert.ok(equal(reads[i] as Uint8Array, bytes.subarray(offset, offset + length)), `range ${offset}+${length}`);
		});
		assert.equal(await file.length(), largeBytes);
		await file.close();
		assert.ok(equal(await file.read(7, 9), bytes.subarray(7, 16)), 'a file can be read again after close');
		await file.close();
	});

	check('reports a read past the end as CORRUPT, naming the file, however much is asked for', async (io, root) => {
		await io.write(`${root}/short`, pattern(10));
		for (const [offset, length] of [
			[0, 11],
			[10, 1],
			[11, 0],
			[2 ** 40, 5],
			[0, 2 ** 50],
		] as const) {
			const error = await fails(io.input(`${root}/short`).read(offset, length), 'CORRUPT');
			assert.match(error.message, /short/);
		}
	});

	check('refuses nonsense ranges', async (io, root) => {
		await io.write(`${root}/file`, pattern(10));
		for (const [offset, length] of [
			[-1, 1],
			[0, -1],
			[0.5, 1],
			[0, Number.NaN],
		] as const)
			await fails(io.input(`${root}/file`).read(offset, length), 'INVALID_ARGUMENT');
	});

	check('limits readAll', async (io, root) => {
		await io.write(`${root}/file`, pattern(100));
		const error = await fails(io.input(`${root}/file`).readAll({ maxBytes: 99 }), 'LIMIT_EXCEEDED');
		assert.match(error.message, /99/);
		assert.equal((await io.input(`${root}/file`).readAll({ maxBytes: 100 })).length, 100);
	});

	check('takes the caller at its word about a known length, but never reads past the real one', async (io, root) => {
		await io.write(`${root}/file`, pattern(10));
		assert.equal(await io.input(`${root}/file`, 10).length(), 10);
		await fails(io.input(`${root}/file`, 20).read(5, 10), 'CORRUPT');
	});

	check('says NOT_FOUND, with the location, for a file that is missing', async (io, root) => {
		for (const call of [
			() => io.input(`${root}/none`).readAll(),
			() => io.input(`${root}/none`).read(0, 1),
			() => io.input(`${root}/none/below`).length(),
		]) {
			const error = await fails(call(), 'NOT_FOUND');
			assert.match(error.message, /none/);
		}
		assert.equal(await io.exists(`${root}/none`), false);
		assert.equal(await io.delete(`${root}/none`), false);
	});

	check('refuses to create a file that is there, and leaves it alone', async (io, root) => {
		await io.write(`${root}/file`, pattern(10));
		await fails(io.write(`${root}/file`, pattern(20)), 'ALREADY_EXISTS');
		await fails(createAndClose(io, `${root}/file`), 'ALREADY_EXISTS');
		assert.deepEqual(plain(await io.input(`${root}/file`).readAll()), pattern(10));
		assert.deepEqual(await names(io, root), ['file']);
	});

	check('overwrites when asked to, also with less', async (io, root) => {
		await io.write(`${root}/file`, pattern(100));
		await io.write(`${root}/file`, pattern(10), { overwrite: true });
		assert.deepEqual(plain(await io.input(`${root}/file`).readAll()), pattern(10));
		const file = await io.create(`${root}/file`, { overwrite: true });
		await file.write(pattern(20));
		assert.equal((await io.input(`${root}/file`).readAll()).length, 10, 'the old content stands until close');
		await file.close();
		assert.deepEqual(plain(await io.input(`${root}/file`).readAll()), pattern(20));
		assert.deepEqual(await names(io, root), ['file']);
	});

	check('writes in parts of any size, which the caller may reuse', async (io, root) => {
		const bytes = pattern(largeBytes);
		const file = await io.create(`${root}/parts`);
		const scratch = new Uint8Array(largeBytes);
		let at = 0;
		for (const size of [0, 1, 3, 100, 70_000, 300_000, 1, 1_000_000, 65_536, largeBytes]) {
			const end = Math.min(at + size, largeBytes);
			scratch.set(bytes.subarray(at, end));
			await file.write(scratch.subarray(0, end - at));
			scratch.fill(0xee);
			at = end;
			assert.equal(file.bytesWritten, at);
		}
		assert.equal(file.location, `${root}/parts`);
		await file.close();
		assert.ok(equal(await io.input(`${root}/parts`).readAll(), bytes));
	});

	check('leaves nothing of an aborted file; abort after close does nothing', async (io, root) => {
		const given = await io.create(`${root}/given-up`);
		await given.write(pattern(500_000));
		await given.abort();
		await given.abort();
		assert.equal(await io.exists(`${root}/given-up`), false);
		await fails(given.write(pattern(1)), 'CLOSED');
		await fails(given.close(), 'CLOSED');
		const replaced = await io.create(`${root}/kept`, { overwrite: true });
		await replaced.write(pattern(5));
		await replaced.close();
		await replaced.abort();
		const over = await io.create(`${root}/kept`, { overwrite: true });
		await over.write(pattern(500_000));
		await over.abort();
		assert.deepEqual(plain(await io.input(`${root}/kept`).readAll()), pattern(5));
		assert.deepEqual(await names(io, root), ['kept']);
	});

	check('takes no writes after close', async (io, root) => {
		const file = await io.create(`${root}/file`);
		await file.close();
		await fails(file.write(pattern(1)), 'CLOSED');
		await fails(file.close(), 'CLOSED');
		assert.equal(file.bytesWritten, 0);
	});

	check('puts a file only where none is', async (io, root, other) => {
		assert.equal(await io.putIfAbsent(`${root}/m/v1`, pattern(10)), 'created');
		assert.equal(await other.putIfAbsent(`${root}/m/v1`, pattern(20)), 'exists');
		assert.equal(await io.putIfAbsent(`${root}/m/v1`, pattern(10)), 'exists', 'equal bytes make no difference');
		assert.deepEqual(plain(await other.input(`${root}/m/v1`).readAll()), pattern(10));
		assert.deepEqual(await names(io, root), ['m/v1']);
	});

	check(
		'lets exactly one of many racers put a file, whole, and leaves nothing of the others',
		async (io, root, other) => {
			for (let round = 0; round < 5; round++) {
				const location = `${root}/race/v${round}`;
				const outcomes = await Promise.all(
					Array.from({ length: RACERS }, (_, i) =>
						(i % 2 === 0 ? io : other).putIfAbsent(location, new Uint8Array(1000 + i).fill(i)),
					),
				);
				assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1);
				const winner = outcomes.indexOf('created');
				assert.deepEqual(plain(await io.input(location).readAll()), new Uint8Array(1000 + winner).fill(winner));
			}
			assert.equal((await names(io, root)).length, 5);
		},
	);

	check('shows files at once whose flush may wait, and puts one after them', async (io, root, other) => {
		const after = [`${root}/d/a`, `${root}/m/b`];
		for (const location of after) await io.write(location, pattern(30), { deferSync: true });
		const file = await io.create(`${root}/d/c`, { deferSync: true });
		await file.write(pattern(40));
		await file.close();
		assert.deepEqual(plain(await other.input(`${root}/m/b`).readAll()), pattern(30));
		assert.equal(await io.putIfAbsent(`${root}/m/v1`, pattern(10), { after }), 'created');
		assert.equal(await io.putIfAbsent(`${root}/m/v1`, pattern(10), { after: [`${root}/d/c`] }), 'exists');
		await io.persistNames([...after, `${root}/d/c`]);
		assert.equal(await io.delete(`${root}/d/c`), true);
		await io.write(`${root}/d/gone`, pattern(1), { deferSync: true });
		assert.equal(await io.delete(`${root}/d/gone`), true);
		assert.deepEqual(await names(io, root), ['d/a', 'm/b', 'm/v1']);
	});

	check('puts large payloads as well', async (io, root) => {
		const bytes = pattern(largeBytes);
		assert.equal(await io.putIfAbsent(`${root}/large`, bytes), 'created');
		assert.ok(equal(await io.input(`${root}/large`).readAll(), bytes));
	});

	check('lets a name be put again once it was deleted', async (io, root) => {
		await io.putIfAbsent(`${root}/v1`, pattern(1));
		assert.equal(await io.delete(`${root}/v1`), true);
		assert.equal(await io.putIfAbsent(`${root}/v1`, pattern(2)), 'created');
	});

	check('replaces a small file, or makes it, and readers see a whole one all the time', async (io, root, other) => {
		const location = `${root}/hint`;
		await io.write(`${root}/first`, pattern(1));
		await io.replace(location, pattern(3));
		let stop = false;
		const reader = (async () => {
			let reads = 0;
			while (!stop) {
				const bytes = await other.input(location).readAll();
				assert.ok(bytes.length === 3 || bytes.length === 4000, `${bytes.length} bytes`);
				assert.deepEqual(plain(bytes), pattern(bytes.length));
				reads++;
				await new Promise((resolve) => setImmediate(resolve));
			}
			return reads;
		})();
		for (let i = 0; i < 50; i++) {
			await io.replace(location, pattern(i % 2 === 0 ? 4000 : 3));
			await new Promise((resolve) => setImmediate(resolve));
		}
		stop = true;
		assert.ok((await reader) > 0);
		assert.deepEqual(await names(io, root), ['first', 'hint']);
	});

	check('lists files below a folder, spelled with the prefix, with sizes and times', async (io, root) => {
		await io.write(`${root}/t/a`, pattern(1));
		await io.write(`${root}/t/x/b`, pattern(2));
		await io.write(`${root}/t/x/y/c d=é%20+`, pattern(3));
		await io.write(`${root}/tt/no`, pattern(4));
		const entries = await collect(io, `${root}/t`);
		assert.deepEqual(
			entries.map((entry) => [entry.location, entry.sizeBytes]).sort(),
			[
				[`${root}/t/a`, 1],
				[`${root}/t/x/b`, 2],
				[`${root}/t/x/y/c d=é%20+`, 3],
			].sort(),
		);
		for (const entry of entries) {
			assert.ok(entry.modifiedMs > 0 && Number.isFinite(entry.modifiedMs));
			assert.equal((await io.input(entry.location).readAll()).length, entry.sizeBytes, 'a listed location opens');
		}
		assert.equal((await collect(io, `${root}/t/`)).length, 3);
		assert.deepEqual(
			(await collect(io, `${root}/t`, false)).map((entry) => entry.location),
			[`${root}/t/a`],
		);
		assert.deepEqual(await collect(io, `${root}/none`), []);
	});

	check('survives deletes and stops early while listing', async (io, root) => {
		for (let i = 0; i < 20; i++) await io.write(`${root}/many/${i}`, pattern(i));
		let seen = 0;
		for await (const entry of io.list(`${root}/many`)) {
			await io.delete(entry.location);
			seen++;
		}
		assert.equal(seen, 20);
		for (let i = 0; i < 20; i++) await io.write(`${root}/many/${i}`, pattern(i));
		for await (const entry of io.list(`${root}/many`)) {
			assert.ok(entry.location.startsWith(`${root}/many/`));
			break;
		}
	});

	check('deletes one file and no other', async (io, root, other) => {
		await io.write(`${root}/d/a`, pattern(1));
		await io.write(`${root}/d/ab`, pattern(1));
		assert.equal(await io.delete(`${root}/d/a`), true);
		assert.equal(await other.exists(`${root}/d/a`), false);
		assert.equal(await io.delete(`${root}/d/a`), false);
		assert.deepEqual(await names(io, root), ['d/ab']);
	});

	check('removes empty folders only', async (io, root) => {
		await io.write(`${root}/t/a/file`, pattern(1));
		await io.write(`${root}/t/b/c/file`, pattern(1));
		await io.delete(`${root}/t/b/c/file`);
		await io.removeEmptyFolders(`${root}/t`);
		assert.deepEqual(await names(io, root), ['t/a/file']);
		await io.removeEmptyFolders(`${root}/none`);
		await io.write(`${root}/t/b/c/again`, pattern(1));
		assert.deepEqual(await names(io, root), ['t/a/file', 't/b/c/again']);
	});

	check("refuses '..' and NUL in what is written or deleted", async (io, root) => {
		await io.write(`${root}/safe`, pattern(1));
		for (const location of [`${root}/x/../safe`, `${root}/..`, `${root}/nul\0`]) {
			await fails(io.write(location, pattern(2)), 'INVALID_ARGUMENT');
			await fails(createAndClose(io, location), 'INVALID_ARGUMENT');
			await fails(io.putIfAbsent(location, pattern(2)), 'INVALID_ARGUMENT');
			await fails(io.replace(location, pattern(2)), 'INVALID_ARGUMENT');
			await fails(io.delete(location), 'INVALID_ARGUMENT');
			await fails(io.removeEmptyFolders(location), 'INVALID_ARGUMENT');
		}
		assert.deepEqual(plain(await io.input(`${root}/safe`).readAll()), pattern(1));
	});

	check('stops at once when the signal is aborted, and leaves nothing', async (io, root) => {
		await io.write(`${root}/file`, pattern(10));
		const signal = AbortSignal.abort(new Error('enough'));
		await fails(io.input(`${root}/file`).read(0, 1, signal), 'ABORTED');
		await fails(io.input(`${root}/file`).readAll({ signal }), 'ABORTED');
		await fails(io.write(`${root}/new`, pattern(1), { signal }), 'ABORTED');
		await fails(
			(async () => {
				for await (const _ of io.list(root, { signal })) assert.fail('listed');
			})(),
			'ABORTED',
		);
		const controller = new AbortController();
		const file = await io.create(`${root}/late`, { signal: controller.signal });
		await file.write(pattern(10));
		controller.abort(new Error('enough'));
		await fails(file.close(), 'ABORTED');
		await file.abort();
		assert.deepEqual(await names(io, root), ['file']);
	});

	check('fails with CLOSED after close', async (io, root) => {
		await io.write(`${root}/file`, pattern(10));
		const file = io.input(`${root}/file`);
		await file.read(0, 1);
		await io.close();
		await fails(file.read(0, 1), 'CLOSED');
		await fails(io.exists(`${root}/file`), 'CLOSED');
		await fails(io.write(`${root}/other`, pattern(1)), 'CLOSED');
		await fails(io.putIfAbsent(`${root}/other`, pattern(1)), 'CLOSED');
		assert.throws(
			() => io.input(`${root}/file`),
			(error) => error instanceof IcebergError && error.code === 'CLOSED',
		);
	});
}

function pattern(length: number): Uint8Array {
	const bytes = new Uint8Array(length);
	for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + length) & 0xff;
	return bytes;
}

/** Without the prototype of `Buffer`, which strict equality would compare too. */
function plain(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(bytes);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
	return Buffer.compare(a, b) === 0;
}

async function createAndClose(io: FileIO, location: string): Promise<void> {
	const file = await io.create(location);
	try {
		await file.close();
	} catch (error) {
		await file.abort();
		throw error;
	}
}

async function collect(io: FileIO, prefix: string, recursive = true) {
	const entries = [];
	for await (const entry of io.list(prefix, { recursive })) entries.push(entry);
	return entries;
}

async function names(io: FileIO, root: string): Promise<string[]> {
	return (await collect(io, root)).map((entry) => entry.location.slice(root.length + 1)).sort();
}

async function fails(call: Promise<unknown>, code: IcebergErrorCode): Promise<IcebergError> {
	try {
		await call;
	} catch (error) {
		assert.ok(error instanceof IcebergError, `an IcebergError, not ${String(error)}`);
		assert.equal(error.code, code, error.message);
		return error;
	}
	assert.fail(`expected ${code}, but the call succeeded`);
}
