/** Storage that makes files ahead, on a file system that is slow to make them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockingCalls, type FsCalls, pooledCalls } from '../../src/io/fs-calls.ts';
import { LocalFileIO, TEMPORARY_FILE_NAME } from '../../src/io/local-file-io.ts';
import { systemClock } from '../../src/util/system-ports.ts';

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'datashard-ahead-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const contentOf = (name: string): string => readFileSync(join(folder, name), 'latin1');
const names = (): string[] =>
	readdirSync(folder)
		.filter((name) => !name.startsWith('start'))
		.sort();
const temporaries = (): string[] => readdirSync(folder).filter((name) => TEMPORARY_FILE_NAME.test(name));

/** Each look at the clock takes 1 ms, so that all that is measured is slow. */
function open(changes: Partial<FsCalls> = {}): { io: LocalFileIO; made: string[] } {
	const made: string[] = [];
	let nowMs = 0;
	const calls = {
		...blockingCalls,
		open: (path: string, flags: number, mode: number) => {
			made.push(path);
			return blockingCalls.open(path, flags, mode);
		},
		...changes,
	};
	const io = new LocalFileIO({
		roots: [folder],
		makesFilesAhead: true,
		clock: { ...systemClock, monotonicMs: () => ++nowMs },
		calls: { blocking: calls, pooled: pooledCalls },
	});
	return { io, made };
}

let starts = 0;
/** A swap, and until the files are ready that are made after it. */
async function madeAhead(io: LocalFileIO): Promise<void> {
	await io.putIfAbsent(`${folder}/start-${++starts}`, text('0'));
	await expect.poll(() => temporaries().length).toBeGreaterThanOrEqual(3);
}

it('gives new files their names, refuses names that are taken, and leaves nothing ready behind', async () => {
	const { io, made } = open();
	await io.write(`${folder}/first`, text('1'), { deferSync: true });
	await io.write(`${folder}/second`, text('2'), { deferSync: true });
	await madeAhead(io);
	made.length = 0;
	await io.write(`${folder}/a`, text('A'), { deferSync: true });
	const output = await io.create(`${folder}/b`, { deferSync: true });
	await output.write(text('B'));
	await output.close();
	expect(made).toEqual([]);
	await madeAhead(io);
	await expect(io.write(`${folder}/a`, text('X'), { deferSync: true })).rejects.toMatchObject({
		code: 'ALREADY_EXISTS',
		context: { notWritten: true },
	});
	await madeAhead(io);
	expect(await io.putIfAbsent(`${folder}/v1`, text('one'), { after: [`${folder}/a`, `${folder}/b`] })).toBe('created');
	expect(await io.putIfAbsent(`${folder}/v1`, text('two'))).toBe('exists');
	await io.close();
	expect(names()).toEqual(['a', 'b', 'first', 'second', 'v1']);
	expect(['a', 'b', 'v1'].map(contentOf)).toEqual(['A', 'B', 'one']);
});

it('has an aborted file leave nothing', async () => {
	const { io } = open();
	await io.write(`${folder}/first`, text('1'), { deferSync: true });
	await io.write(`${folder}/second`, text('2'), { deferSync: true });
	await madeAhead(io);
	const output = await io.create(`${folder}/b`);
	await output.write(text('B'));
	await output.abort();
	await io.close();
	expect(names()).toEqual(['first', 'second']);
});

it('does without where names cannot be linked, or what was made is gone', async () => {
	const { io } = open({
		link: (from, to) => {
			if (to.includes('start')) return blockingCalls.link(from, to);
			throw Object.assign(new Error('EPERM: scripted'), { code: 'EPERM' });
		},
	});
	await io.write(`${folder}/first`, text('1'), { deferSync: true });
	await io.write(`${folder}/second`, text('2'), { deferSync: true });
	await madeAhead(io);
	await io.write(`${folder}/a`, text('A'), { deferSync: true });
	for (let i = 100; i < 200; i++) await io.replace(`${folder}/hint`, text(String(i)));
	await io.close();
	expect(names()).toEqual(['a', 'first', 'hint', 'second']);
	expect([contentOf('a'), contentOf('hint')]).toEqual(['A', '199']);

	const other = open().io;
	await other.write(`${folder}/third`, text('3'), { deferSync: true });
	await other.write(`${folder}/fourth`, text('4'), { deferSync: true });
	await madeAhead(other);
	for (const name of temporaries()) unlinkSync(join(folder, name));
	await other.write(`${folder}/c`, text('C'), { deferSync: true });
	await other.close();
	expect(contentOf('c')).toBe('C');
	expect(temporaries()).toEqual([]);
});

it('replaces a hint many times by two files that take turns', async () => {
	const { io } = open();
	await io.write(`${folder}/first`, text('1'));
	const numbers: bigint[] = [];
	for (let i = 800; i < 1200; i++) {
		await io.replace(`${folder}/hint`, text(String(i)));
		expect(contentOf('hint')).toBe(String(i));
		numbers.push(statSync(join(folder, 'hint'), { bigint: true }).ino);
	}
	expect(new Set(numbers.slice(50, 200)).size).toBe(2);
	expect(new Set(numbers.slice(250)).size).toBe(2);
	// Another writer's hint is replaced like any.
	unlinkSync(join(folder, 'hint'));
	await io.replace(`${folder}/hint`, text('1200'));
	for (const name of temporaries()) unlinkSync(join(folder, name));
	await io.replace(`${folder}/hint`, text('1201'));
	expect(contentOf('hint')).toBe('1201');
	await io.close();
	expect(names()).toEqual(['first', 'hint']);
});
