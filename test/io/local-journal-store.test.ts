import {
	fdatasyncSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JournalCalls, systemJournalCalls } from '../../src/io/local-journal-append.ts';
import { LocalJournalStore } from '../../src/io/local-journal-store.ts';
import type { Clock } from '../../src/util/ports.ts';
import { systemClock } from '../../src/util/system-ports.ts';

const NAME = 'a.journal';
let table: string;
let folder: string;

beforeEach(async () => {
	table = await mkdtemp(join(tmpdir(), 'datashard-journal-'));
	folder = join(table, '_journal');
});
afterEach(() => rm(table, { recursive: true, force: true }));

/** System calls that fail when told to. */
class FailingCalls implements JournalCalls {
	/** bytes that are written before the disk is full */
	room = Number.POSITIVE_INFINITY;
	errno = 'ENOSPC';
	failTruncate = false;
	failSync = false;
	flushes = 0;

	write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
		const count = Math.min(length, this.room);
		if (count === 0 && length > 0) throw Object.assign(new Error(this.errno), { code: this.errno });
		this.room -= count;
		return writeSync(fd, bytes, offset, count, position);
	}
	truncate(fd: number, length: number): void {
		if (this.failTruncate) throw Object.assign(new Error('EIO'), { code: 'EIO' });
		ftruncateSync(fd, length);
	}
	async fdatasync(fd: number): Promise<void> {
		this.flushes++;
		await new Promise((resolve) => setImmediate(resolve));
		if (this.failSync) throw Object.assign(new Error('EIO'), { code: 'EIO' });
		fdatasyncSync(fd);
	}
}

interface Counts {
	durable: number;
	flushes: number;
	pooled: number;
	failDurable: boolean;
	/** what a flush takes, ms */
	tookMs: number;
}

/** The system's calls, flushes counted. */
function countingCalls(): { readonly calls: JournalCalls; readonly clock: Clock; readonly at: Counts } {
	const at: Counts = { durable: 0, flushes: 0, pooled: 0, failDurable: false, tookMs: 0.2 };
	let nowMs = 0;
	const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
	let durableFd: number | undefined;
	const calls: JournalCalls = {
		...systemJournalCalls,
		write: (fd, bytes, offset, length, position) => {
			if (fd === durableFd && at.failDurable) throw Object.assign(new Error('EIO'), { code: 'EIO' });
			if (fd === durableFd) at.durable++;
			return writeSync(fd, bytes, offset, length, position);
		},
		fdatasyncNow: (fd) => {
			at.flushes++;
			nowMs += at.tookMs;
			fdatasyncSync(fd);
		},
		fdatasync: async (fd) => {
			at.pooled++;
			nowMs += at.tookMs;
			fdatasyncSync(fd);
		},
		openDurable: () => (durableFd = openSync(join(folder, NAME), 'r+')),
	};
	return { calls, clock, at };
}

/** What is in the file, without the zeros at its end. */
function appended(): number[] {
	const bytes = [...readFileSync(join(folder, NAME))];
	while (bytes.at(-1) === 0) bytes.pop();
	return bytes;
}

describe('LocalJournalStore', () => {
	it('makes its folder as other folders are made, and only when something is created', async () => {
		const store = new LocalJournalStore(table);
		expect(store.list()).toEqual([]);
		await expect(stat(folder)).rejects.toThrow('ENOENT');
		await store.create(NAME).close();
		const umask = process.umask();
		expect((await stat(folder)).mode & 0o777).toBe(0o777 & ~umask);
		expect((await stat(join(folder, NAME))).mode & 0o777).toBe(0o666 & ~umask);
	});

	it('lists journals alone', () => {
		const store = new LocalJournalStore(table);
		void store.create(NAME).close();
		writeFileSync(join(folder, 'notes.txt'), 'x');
		mkdirSync(join(folder, 'folder.journal'));
		expect(store.list().map(({ name }) => name)).toEqual([NAME]);
	});

	it('leaves no zeros behind the records of a file that was closed', async () => {
		const file = new LocalJournalStore(table).create(NAME);
		file.append(Uint8Array.of(1, 2, 3));
		expect(readFileSync(join(folder, NAME)).length).toBeGreaterThan(3);
		await file.close();
		expect([...readFileSync(join(folder, NAME))]).toEqual([1, 2, 3]);
	});

	it('takes a record back that found no room, says so, and goes on when there is room', () => {
		const calls = new FailingCalls();
		const file = new LocalJournalStore(table, { calls }).create(NAME);
		file.append(Uint8Array.of(1, 2, 3));
		for (const room of [0, 5, 70_000]) {
			calls.room = room;
			const record = new Uint8Array(100_000).fill(7);
			expect(() => file.append(record)).toThrow(expect.objectContaining({ code: 'STORAGE' }));
			expect(() => file.append(record)).toThrow(/cannot append to .*a\.journal: the disk is full/);
			expect(file.size).toBe(3);
			expect(appended()).toEqual([1, 2, 3]);
		}
		calls.room = Number.POSITIVE_INFINITY;
		file.append(Uint8Array.of(4));
		expect(appended()).toEqual([1, 2, 3, 4]);
		void file.close();
	});

	it('appends a record that fits although there is no room for zeros behind it', () => {
		const calls = new FailingCalls();
		const file = new LocalJournalStore(table, { calls }).create(NAME);
		calls.write = (fd, bytes, offset, length, position) => {
			if (position + length > 50) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
			return writeSync(fd, bytes, offset, length, position);
		};
		file.append(new Uint8Array(50).fill(1));
		expect(() => file.append(Uint8Array.of(2))).toThrow(/the disk is full/);
		expect(appended()).toEqual(new Array(50).fill(1));
		void file.close();
	});

	it('shows nothing of several records before there is room for all of them', () => {
		const calls = new FailingCalls();
		const file = new LocalJournalStore(table, { calls }).create(NAME);
		const seen: number[][] = [];
		calls.write = (fd, bytes, offset, length, position) => {
			const count = Math.min(length, 100 - position);
			if (count <= 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
			const written = writeSync(fd, bytes, offset, count, position);
			seen.push(appended());
			return written;
		};
		file.append(new Uint8Array(60).fill(1));
		expect(() => file.append(new Uint8Array(60).fill(2))).toThrow(/the disk is full/);
		expect(seen.every((bytes) => bytes.every((byte) => byte === 1))).toBe(true);
		file.append(new Uint8Array(40).fill(3));
		expect(appended()).toEqual([...new Array(60).fill(1), ...new Array(40).fill(3)]);
		void file.close();
	});

	it('takes nothing more after a write that failed once there was room: a reader may have seen some of it', () => {
		const calls = new FailingCalls();
		const file = new LocalJournalStore(table, { calls }).create(NAME);
		file.append(Uint8Array.of(1, 2));
		calls.room = 1;
		calls.errno = 'EIO';
		expect(() => file.append(Uint8Array.of(3, 4))).toThrow(/the device failed/);
		calls.room = Number.POSITIVE_INFINITY;
		expect(() => file.append(Uint8Array.of(5))).toThrow(/the device failed/);
		expect(appended()).toEqual([1, 2]);
		void file.close();
	});

	it('appends nothing more once a torn record could not be taken back', () => {
		const calls = new FailingCalls();
		const file = new LocalJournalStore(table, { calls }).create(NAME);
		file.append(Uint8Array.of(1));
		calls.room = 0;
		calls.failTruncate = true;
		expect(() => file.append(Uint8Array.of(2, 3))).toThrow(/disk is full/);
		calls.room = Number.POSITIVE_INFINITY;
		calls.failTruncate = false;
		expect(() => file.append(Uint8Array.of(2, 3))).toThrow(/disk is full/);
		expect(appended()).toEqual([1]);
	});

	it('takes nothing more after a flush that failed', async () => {
		const calls = new FailingCalls();
		const file = new LocalJournalStore(table, { calls }).create(NAME);
		file.append(Uint8Array.of(1));
		await file.sync();
		calls.failSync = true;
		file.append(Uint8Array.of(9));
		await expect(file.sync()).rejects.toMatchObject({ code: 'STORAGE', message: expect.stringContaining('a.journal') });
		calls.failSync = false;
		await expect(file.sync()).rejects.toMatchObject({ code: 'STORAGE' });
		expect(() => file.append(Uint8Array.of(2))).toThrow(/the device failed/);
		await file.close();
	});

	it('flushes once for all who wait, but never counts a flush that began before an append', async () => {
		const calls = new FailingCalls();
		const file = new LocalJournalStore(table, { calls }).create(NAME);
		file.append(Uint8Array.of(1));
		const first = file.sync();
		const others = Array.from({ length: 10 }, () => file.sync());
		expect(new Set(others).size).toBe(1);
		expect(others[0]).not.toBe(first);
		expect(calls.flushes).toBe(1);
		await Promise.all([first, ...others]);
		expect(calls.flushes).toBe(2);
		file.append(Uint8Array.of(2));
		await file.sync();
		expect(calls.flushes).toBe(3);
		await file.close();
	});

	it('makes a record durable as it is written where all before it is durable, and else by a flush', async () => {
		const { calls, clock, at } = countingCalls();
		const file = new LocalJournalStore(table, { calls, clock }).create(NAME);
		file.append(Uint8Array.of(1), true);
		await file.sync();
		expect(at).toMatchObject({ durable: 0, flushes: 1 });
		file.append(Uint8Array.of(2), true);
		expect(file.sync()).toBeUndefined();
		expect(at).toMatchObject({ durable: 1, flushes: 1 });
		file.append(Uint8Array.of(3));
		file.append(Uint8Array.of(4), true);
		await file.sync();
		expect(at).toMatchObject({ durable: 1, flushes: 2 });
		// zeros are written ahead first, and the file has grown
		file.append(new Uint8Array(70_000).fill(5), true);
		await file.sync();
		expect(at).toMatchObject({ durable: 1, flushes: 3 });
		expect(appended()).toEqual([1, 2, 3, 4, ...new Array(70_000).fill(5)]);
		await file.close();
	});

	it('leaves a record in the file that could not be made durable as it was written, and says so by the flush', async () => {
		const { calls, clock, at } = countingCalls();
		const file = new LocalJournalStore(table, { calls, clock }).create(NAME);
		file.append(Uint8Array.of(1));
		await file.sync();
		at.failDurable = true;
		file.append(Uint8Array.of(2, 3), true);
		expect(appended()).toEqual([1, 2, 3]);
		await expect(file.sync()).rejects.toMatchObject({ code: 'STORAGE' });
		expect(() => file.append(Uint8Array.of(4))).toThrow(/the device failed/);
		await file.close();
	});

	it('flushes beside the thread that appends once the disk is slow', async () => {
		const { calls, clock, at } = countingCalls();
		const file = new LocalJournalStore(table, { calls, clock }).create(NAME);
		file.append(Uint8Array.of(1));
		await file.sync();
		at.tookMs = 50;
		file.append(Uint8Array.of(2));
		await file.sync();
		expect(at).toMatchObject({ flushes: 2, pooled: 0 });
		file.append(Uint8Array.of(3), true);
		await file.sync();
		expect(at).toMatchObject({ durable: 0, flushes: 2, pooled: 1 });
		// and again itself once the disk is quick
		at.tookMs = 0.2;
		for (let i = 0; i < 20; i++) {
			file.append(Uint8Array.of(4), true);
			await file.sync();
		}
		const { pooled } = at;
		file.append(Uint8Array.of(5), true);
		expect(file.sync()).toBeUndefined();
		expect(at.pooled).toBe(pooled);
		await file.close();
	});

	it.runIf(process.platform === 'linux')(
		'opens a file anew for writes that are durable, whatever its name',
		async () => {
			const store = new LocalJournalStore(table);
			const file = store.create(NAME);
			file.append(Uint8Array.of(1));
			await file.sync();
			const reader = store.open(NAME);
			await store.remove(NAME);
			file.append(Uint8Array.of(2, 3), true);
			expect(file.sync()).toBeUndefined();
			expect([...((await reader?.read(0, 3)) ?? [])]).toEqual([1, 2, 3]);
			await reader?.close();
			await file.close();
		},
	);

	it('refuses a folder that leads out of the table, and a link in place of a journal', () => {
		const outside = join(table, 'outside');
		mkdirSync(outside);
		const inner = join(table, 'table');
		mkdirSync(inner);
		symlinkSync(outside, join(inner, '_journal'));
		const store = new LocalJournalStore(inner);
		expect(() => store.create(NAME)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
		expect(() => store.open(NAME)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
		mkdirSync(folder);
		writeFileSync(join(outside, 'secret'), 'x');
		symlinkSync(join(outside, 'secret'), join(folder, NAME));
		const linked = new LocalJournalStore(table);
		expect(() => linked.open(NAME)).toThrow();
		expect(() => linked.create(NAME)).toThrow(expect.objectContaining({ code: 'ALREADY_EXISTS' }));
	});

	it('says what is wrong when a file stands where the folder belongs', async () => {
		writeFileSync(folder, 'x');
		const store = new LocalJournalStore(table);
		expect(() => store.create(NAME)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
		expect(() => store.list()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
		await expect(store.remove(NAME)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
	});

	it('says PERMISSION_DENIED, naming the folder', async () => {
		if (process.getuid?.() === 0) return;
		const store = new LocalJournalStore(table);
		await chmod(table, 0o500);
		try {
			expect(() => store.create(NAME)).toThrow(expect.objectContaining({ code: 'PERMISSION_DENIED' }));
		} finally {
			await chmod(table, 0o700);
		}
	});

	it('removes durably also when somebody else removed the folder', async () => {
		const store = new LocalJournalStore(table);
		const file = store.create(NAME);
		rmSync(folder, { recursive: true });
		expect(await store.remove(NAME)).toBe(false);
		expect(store.list()).toEqual([]);
		await file.close();
		await store.create(NAME).close();
		expect(store.list()).toHaveLength(1);
	});
});
