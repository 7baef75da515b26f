import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decompressSync, loadCodec } from '../../src/codec/compression.ts';
import { BACKGROUND_LAST_BYTES, BACKGROUND_QUEUE_BYTES, startWorkers } from '../../src/codec/compression-background.ts';

const library = createRequire(import.meta.url).resolve('@bokuweb/zstd-wasm');
const page = (seed: number, length: number) => Uint8Array.from({ length }, (_, i) => (i * seed) >>> (i % 11));
const LEVEL = 1;
/** Element by element these would take long to compare. */
function expectExpanded(compressed: Uint8Array | undefined, bytes: Uint8Array): void {
	const found = decompressSync('zstd', compressed as Uint8Array, bytes.length);
	expect(Buffer.compare(found, bytes)).toBe(0);
}

let folder: string;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'datashard-test-'));
	await loadCodec('zstd', 'compress');
	await loadCodec('zstd', 'decompress');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A module in the place of the library: `source` is the body of its `compress`. */
function brokenLibrary(name: string, source: string): string {
	const path = join(folder, name);
	writeFileSync(path, `exports.init = async () => {}; exports.compress = () => { ${source} };`);
	return path;
}

describe('compression by workers', () => {
	it('gives each its own bytes, whatever the order', async () => {
		const background = await startWorkers(library, 2);
		const pages = Array.from({ length: 30 }, (_, i) => page(i + 3, 1 + i * 3001));
		const offered = pages.map((bytes) => background.offer(bytes, LEVEL));
		const compressed = await Promise.all(offered);
		for (const [i, bytes] of pages.entries()) expectExpanded(compressed[i], bytes);
	});

	it('is given copies, round and round in the memory that it shares', async () => {
		const background = await startWorkers(library, 1);
		const bytes = new Uint8Array(1 << 20);
		const pending: Promise<void>[] = [];
		let offered = 0;
		for (let i = 0; i < 60; i++) {
			const length = 1 + ((i * 0x5_4321) % bytes.length);
			// the same memory each time: what was offered before must not change by it
			bytes.fill(i, 0, length);
			const part = bytes.subarray(0, length);
			const expected = part.slice();
			const result = background.offer(part, LEVEL);
			if (result === undefined) await pending.shift();
			else {
				offered += length;
				pending.push(result.then((compressed) => expectExpanded(compressed, expected)));
			}
		}
		await Promise.all(pending);
		expect(offered).toBeGreaterThan(4 * BACKGROUND_QUEUE_BYTES);
	});

	it('takes no more than its queue holds, and more once that is done', async () => {
		const background = await startWorkers(library, 1);
		const half = page(7, BACKGROUND_QUEUE_BYTES / 2);
		const first = background.offer(half, LEVEL);
		const second = background.offer(half, LEVEL);
		expect(first).toBeDefined();
		expect(second).toBeDefined();
		expect(background.offer(half, LEVEL)).toBeUndefined();
		await Promise.all([first, second]);
		const third = background.offer(half, LEVEL);
		expectExpanded(await third, half);
	});

	it('takes less where the caller says so', async () => {
		const background = await startWorkers(library, 1);
		const bytes = page(7, BACKGROUND_LAST_BYTES);
		const first = background.offer(bytes, LEVEL, BACKGROUND_LAST_BYTES);
		expect(background.offer(bytes, LEVEL, BACKGROUND_LAST_BYTES)).toBeUndefined();
		expect(background.offer(bytes, LEVEL)).toBeDefined();
		expectExpanded(await first, bytes);
	});

	it('hands over what is done without waiting for the event loop', async () => {
		const background = await startWorkers(library, 1);
		await background.offer(page(3, 1000), LEVEL);
		let done = false;
		void background.offer(page(5, 1000), LEVEL)?.then(() => {
			done = true;
		});
		// only microtasks run here: no event of the port is delivered
		for (let i = 0; i < 1_000_000 && !done; i++) {
			background.poll();
			await Promise.resolve();
		}
		expect(done).toBe(true);
	});

	it('does by itself what a worker that dies leaves undone, and offers no more', async () => {
		for (const source of ['throw new Error("broken")', 'process.exit(3)']) {
			const background = await startWorkers(brokenLibrary(`broken-${source.length}.cjs`, source), 1);
			const pages = [page(3, 5000), page(5, 70_000)];
			const offered = pages.map((bytes) => background.offer(bytes, LEVEL));
			const compressed = await Promise.all(offered);
			for (const [i, bytes] of pages.entries()) expectExpanded(compressed[i], bytes);
			expect(background.offer(page(7, 10), LEVEL)).toBeUndefined();
		}
	});

	it('is left out where no thread can be started', async () => {
		vi.doMock('node:worker_threads', async (original) => ({
			...(await original<object>()),
			Worker: class {
				constructor() {
					throw new Error('no threads here');
				}
			},
		}));
		vi.resetModules();
		const { openBackgroundCompressor } = await import('../../src/codec/compression-background.ts');
		await expect(openBackgroundCompressor()).resolves.toBeUndefined();
		vi.doUnmock('node:worker_threads');
	});

	it('does without a worker that cannot start', async () => {
		const background = await startWorkers(join(folder, 'absent.cjs'), 1);
		const bytes = page(9, 1000);
		expectExpanded(await background.offer(bytes, LEVEL), bytes);
	});
});
