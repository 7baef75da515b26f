import { describe, expect, test } from 'vitest';
import { IcebergError } from '../../src/errors/iceberg-error.ts';
import { cachedManifestEntries, manifestCacheKey } from '../../src/manifest/cached-manifest.ts';
import { encodeManifest } from '../../src/manifest/encode-manifest.ts';
import { ManifestCache } from '../../src/manifest/manifest-cache.ts';
import { added, contextOf, LONGS, listed } from './fixtures.ts';

function sized(value: string, sizeBytes: number): () => Promise<{ value: string; sizeBytes: number }> {
	return async () => ({ value, sizeBytes });
}

function fails(error: Error): () => Promise<never> {
	return async () => {
		throw error;
	};
}

describe('the manifest cache', () => {
	test('keeps no more than its limit, least recently used first out', async () => {
		const cache = new ManifestCache({ maxBytes: 100 });
		await cache.get('a', sized('a', 40));
		await cache.get('b', sized('b', 40));
		expect(await cache.get('a', sized('other', 1))).toBe('a');
		await cache.get('c', sized('c', 40));
		expect([cache.sizeBytes, cache.entryCount]).toEqual([80, 2]);
		expect(await cache.get('a', sized('other', 1))).toBe('a');
		expect(await cache.get('b', sized('loaded again', 1))).toBe('loaded again');
	});

	test('does not keep what is larger than the limit, nor anything at limit 0', async () => {
		const cache = new ManifestCache({ maxBytes: 10 });
		await cache.get('small', sized('s', 5));
		expect(await cache.get('large', sized('l', 11))).toBe('l');
		expect([cache.sizeBytes, cache.entryCount]).toEqual([5, 1]);
		const nothing = new ManifestCache({ maxBytes: 0 });
		await nothing.get('a', sized('a', 1));
		expect(nothing.entryCount).toBe(0);
		expect(() => new ManifestCache({ maxBytes: -1 })).toThrowError(
			expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
		);
	});

	test('loads a key once for all who ask meanwhile', async () => {
		const cache = new ManifestCache();
		let loads = 0;
		const load = async (): Promise<{ value: number; sizeBytes: number }> => {
			await Promise.resolve();
			return { value: ++loads, sizeBytes: 1 };
		};
		expect(await Promise.all([cache.get('k', load), cache.get('k', load), cache.get('k', load)])).toEqual([1, 1, 1]);
	});

	test('forgets a load that failed; all who waited see the error', async () => {
		const cache = new ManifestCache();
		const error = new IcebergError('STORAGE', 'gone');
		const results = await Promise.allSettled([cache.get('k', fails(error)), cache.get('k', sized('never', 1))]);
		expect(results).toEqual([
			{ status: 'rejected', reason: error },
			{ status: 'rejected', reason: error },
		]);
		expect(cache.entryCount).toBe(0);
		expect(await cache.get('k', sized('now', 1))).toBe('now');
	});

	test('a load that its caller aborted is begun anew for the others', async () => {
		const cache = new ManifestCache();
		const aborted = cache.get('k', fails(new IcebergError('ABORTED', 'enough')));
		const other = cache.get('k', sized('mine', 3));
		await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
		expect(await other).toBe('mine');
		expect([cache.sizeBytes, cache.entryCount]).toEqual([3, 1]);
	});

	test('clear empties it, and a load in flight does not come back', async () => {
		const cache = new ManifestCache();
		const loading = cache.get('k', sized('k', 7));
		cache.clear();
		expect(await loading).toBe('k');
		expect([cache.sizeBytes, cache.entryCount]).toEqual([0, 0]);
	});

	test('holds decoded manifests apart by what they inherit', async () => {
		const cache = new ManifestCache();
		const { bytes, manifest } = await encodeManifest([added()], contextOf(3));
		let reads = 0;
		const entries = async (change: object): Promise<unknown> => {
			const found = await cachedManifestEntries(cache, listed(manifest, change), LONGS, async () => {
				reads++;
				return bytes;
			});
			return [found[0]?.sequenceNumber, found[0]?.file.firstRowId];
		};
		expect(await entries({})).toEqual([9n, undefined]);
		expect(await entries({})).toEqual([9n, undefined]);
		expect(reads).toBe(1);
		expect(await entries({ firstRowId: 3n })).toEqual([9n, 3n]);
		expect(await entries({ sequenceNumber: 8n })).toEqual([8n, undefined]);
		expect(reads).toBe(3);
		expect(cache.sizeBytes).toBeGreaterThan(3 * bytes.length);
		expect(manifestCacheKey(listed(manifest), LONGS)).not.toBe(
			manifestCacheKey(listed(manifest), { ...LONGS, currentSchemaId: 4 }),
		);
	});
});
