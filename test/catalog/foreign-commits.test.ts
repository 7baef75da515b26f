/** Gaps that a leader leaves for commits of other engines. */
import { beforeEach, expect, it } from 'vitest';
import { ForeignCommits } from '../../src/catalog/foreign-commits.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { systemClock } from '../../src/util/system-ports.ts';

const METADATA = 'memory:/t/metadata';
const UUID = '0f9ac6cb-6d2b-4f4f-8a76-0d0a5b6ec6a1';
const FOREIGN_LIST = `snap-123-1-${UUID}.avro`;

let io: MemoryFileIO;
let nowMs: number;
let commits: ForeignCommits;
beforeEach(async () => {
	io = new MemoryFileIO();
	nowMs = 1_000;
	await put('v7.metadata.json');
	commits = new ForeignCommits(io, 'memory:/t', { ...systemClock, monotonicMs: () => nowMs }, () => 7);
	commits.start();
});

async function put(name: string): Promise<void> {
	await io.write(`${METADATA}/${name}`, new Uint8Array(1), { overwrite: true });
	// What has happened is told, and looked at, soon after.
	for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

it('are none for what we write, and for files of others that are read or deleted', async () => {
	await put(`snap-123-1-${UUID}-0c2b9522-7u5-pho8.avro`);
	await put(`${UUID}-m0.avro`);
	await put('version-hint.text');
	expect(commits.waitMs()).toBe(0);
	commits.stop();
	await put(FOREIGN_LIST);
	commits.start();
	await io.delete(`${METADATA}/${FOREIGN_LIST}`);
	for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
	expect(commits.waitMs()).toBe(0);
});

it.each([FOREIGN_LIST, `${UUID}.metadata.json`])('begin with %s, and end when its version is there', async (sign) => {
	await put(sign);
	expect(commits.waitMs()).toBeGreaterThan(100);
	// Ours, which was under way.
	await put('v8.metadata.json');
	expect(commits.waitMs()).toBeGreaterThan(100);
	await put('v9.metadata.json');
	expect(commits.waitMs()).toBe(0);
	await put(`snap-124-1-${UUID}.avro`);
	expect(commits.waitMs()).toBeGreaterThan(100);
});

it('end by themselves, within a second whatever happens, and not at once begin anew', async () => {
	await put(FOREIGN_LIST);
	const startMs = nowMs;
	for (let i = 2; commits.waitMs() > 0; i++) {
		nowMs += 100;
		await put(`snap-123-${i}-${UUID}.avro`);
	}
	expect(nowMs - startMs).toBeLessThanOrEqual(1_000);
	expect(nowMs - startMs).toBeGreaterThan(600);
	await put(`snap-125-1-${UUID}.avro`);
	expect(commits.waitMs()).toBe(0);
	nowMs += 1_000;
	await put(`snap-126-1-${UUID}.avro`);
	expect(commits.waitMs()).toBeGreaterThan(100);
	commits.stop();
	expect(commits.waitMs()).toBe(0);
});
