import { expect, it } from 'vitest';
import { compressSync, decompressSync, loadCodec } from '../../src/codec/compression.ts';

it('loads zstd without a call of fetch, and leaves fetch as it was', async () => {
	const before = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
	let calls = 0;
	const fake = () => {
		calls++;
		throw new Error('no network here');
	};
	Object.defineProperty(globalThis, 'fetch', { value: fake, configurable: true, writable: true });
	try {
		await Promise.all([loadCodec('zstd', 'decompress'), loadCodec('zstd', 'compress')]);
		expect(globalThis.fetch).toBe(fake);
	} finally {
		Object.defineProperty(globalThis, 'fetch', before as PropertyDescriptor);
	}
	expect(calls).toBe(0);
	const bytes = new TextEncoder().encode('text '.repeat(100));
	expect(decompressSync('zstd', compressSync('zstd', bytes), bytes.length)).toEqual(bytes);
});
